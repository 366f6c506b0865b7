-- Stations drawn by thrown dice, and the keys of auditors who compare them (spec/sample.md). What they found stands in the ledger alone.
SELECT set_config('kawal.role', 'system', true);

CREATE TABLE draw (
  id bytea PRIMARY KEY CHECK (octet_length(id) = 32),
  organisation_id text NOT NULL REFERENCES organisation,
  staff_id uuid REFERENCES staff,
  bytes bytea NOT NULL,
  at timestamptz NOT NULL,
  entry bigint REFERENCES ledger_entry
);
COMMENT ON COLUMN draw.id IS 'SHA-256 of bytes, which is its entry of the ledger';
COMMENT ON COLUMN draw.entry IS 'where the ledger has it; null: not yet';
CREATE INDEX draw_unentered ON draw (at) WHERE entry IS NULL;
CREATE TABLE drawn (
  draw bytea NOT NULL REFERENCES draw,
  nth integer NOT NULL,
  station_code text NOT NULL,
  area text NOT NULL,
  ticket bytea NOT NULL CHECK (octet_length(ticket) = 32),
  organisation_id text NOT NULL REFERENCES organisation,
  PRIMARY KEY (draw, nth),
  UNIQUE (draw, station_code)
);
COMMENT ON TABLE drawn IS 'what the seed and the roster of the day gave: anybody can make it again';

CREATE TABLE auditor_key (
  public_key bytea PRIMARY KEY CHECK (octet_length(public_key) IN (32, 65)),
  kid bytea NOT NULL CHECK (octet_length(kid) = 8),
  organisation_id text NOT NULL REFERENCES organisation,
  staff_id uuid NOT NULL REFERENCES staff,
  name text NOT NULL,
  enrolled_at timestamptz NOT NULL,
  entry bigint REFERENCES ledger_entry,
  withdrawn_at timestamptz,
  withdrawal_entry bigint REFERENCES ledger_entry
);
CREATE INDEX auditor_key_kid ON auditor_key (kid);
CREATE INDEX auditor_key_unentered ON auditor_key (enrolled_at) WHERE entry IS NULL;
CREATE INDEX auditor_key_withdrawn ON auditor_key (withdrawn_at) WHERE withdrawn_at IS NOT NULL AND withdrawal_entry IS NULL;

-- Findings are few among millions of records.
CREATE INDEX ledger_entry_finding ON ledger_entry (index) WHERE kind = 7;

DO $$
DECLARE walled text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['draw', 'drawn', 'auditor_key'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (kawal_may(''sample'', ''read'', organisation_id))', walled || '_read', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (kawal_may(''sample'', ''write'', organisation_id))', walled || '_insert', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE USING (kawal_may(''sample'', ''write'', organisation_id))', walled || '_update', walled);
  END LOOP;
END $$;
GRANT SELECT, INSERT ON draw, drawn, auditor_key TO kawal_app;
GRANT UPDATE (entry) ON draw TO kawal_app;
GRANT UPDATE (entry, withdrawn_at, withdrawal_entry) ON auditor_key TO kawal_app;
