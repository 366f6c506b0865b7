-- Checkpoints that a quorum of witnesses has seen: what a receipt that is witnessed is made of.
CREATE TABLE ledger_witnessed (
  log text NOT NULL CHECK (char_length(log) BETWEEN 1 AND 200),
  policy bytea NOT NULL CHECK (octet_length(policy) = 32),
  size bigint NOT NULL CHECK (size > 0),
  note text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (log, policy, size)
);
COMMENT ON TABLE ledger_witnessed IS 'nothing is changed in it: the witnessed receipt of an entry is its proof in the first one that holds it';
COMMENT ON COLUMN ledger_witnessed.policy IS 'SHA-256 of the policy as text (core/ledger/policy.ts) whose quorum cosigned: under another one receipts are others';

ALTER TABLE ledger_witnessed ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_witnessed FORCE ROW LEVEL SECURITY;
CREATE POLICY ledger_witnessed_read ON ledger_witnessed FOR SELECT USING ((SELECT kawal_may('witness', 'read', NULL)));
CREATE POLICY ledger_witnessed_insert ON ledger_witnessed FOR INSERT WITH CHECK (kawal_may('witness', 'write', NULL));
GRANT SELECT, INSERT ON ledger_witnessed TO kawal_app;
