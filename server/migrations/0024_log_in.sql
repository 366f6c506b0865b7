-- How people log in: by passkey, by a provider of OpenID Connect, or by a link that works once. What is a person's own is
-- walled by person.

-- An owner that is no superuser is held by the forced walls too.
SELECT set_config('kawal.role', 'system', true);

-- kawal.staff is set per transaction where somebody asks for what is his own; without it nothing is.
CREATE FUNCTION kawal_is_self(person uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT person = nullif(current_setting('kawal.staff', true), '')::uuid
$$;

ALTER TABLE staff
  ADD COLUMN issuer text CHECK (char_length(issuer) <= 300),
  ADD COLUMN subject text CHECK (char_length(subject) BETWEEN 1 AND 255),
  ADD COLUMN ended_at timestamptz,
  ADD CONSTRAINT staff_whole_identity CHECK ((issuer IS NULL) = (subject IS NULL)),
  ADD CONSTRAINT staff_identity UNIQUE (issuer, subject),
  ADD CONSTRAINT staff_organisation UNIQUE (id, organisation_id);
COMMENT ON COLUMN staff.issuer IS 'of OpenID Connect: who vouches for this person; null for who came by a link';
COMMENT ON COLUMN staff.subject IS 'by which the issuer names him, for ever';
COMMENT ON COLUMN staff.ended_at IS 'from then on nothing lets this person in; the row stays, so that the audit names him and his issuer brings him back under no other';
CREATE POLICY staff_read_self ON staff FOR SELECT USING (kawal_is_self(id));
-- A person's access ends; whose he is and what he is called never changes.
REVOKE UPDATE, DELETE ON staff FROM kawal_app;
GRANT UPDATE (ended_at) ON staff TO kawal_app;

-- Of the token's hash, of which 40 bits tell nothing of 192.
ALTER TABLE session
  ADD COLUMN id text GENERATED ALWAYS AS ('s-' || left(encode(token_sha256, 'hex'), 10)) STORED UNIQUE,
  ADD COLUMN made_at timestamptz,
  ADD COLUMN last_used_at timestamptz,
  ADD COLUMN way text NOT NULL DEFAULT 'link' CHECK (way IN ('link', 'passkey', 'provider')),
  ADD COLUMN agent text CHECK (char_length(agent) <= 100);
-- Until now all lasted 14 days.
UPDATE session SET made_at = expires_at - interval '14 days', last_used_at = expires_at - interval '14 days';
ALTER TABLE session ALTER COLUMN made_at SET NOT NULL, ALTER COLUMN last_used_at SET NOT NULL, ALTER COLUMN way DROP DEFAULT;
COMMENT ON COLUMN session.last_used_at IS 'to the minute';
COMMENT ON COLUMN session.agent IS 'browser and system in two words, as the browser says';
CREATE INDEX session_staff ON session (staff_id);
CREATE POLICY session_read_self ON session FOR SELECT USING (kawal_is_self(staff_id));
CREATE POLICY session_delete_self ON session FOR DELETE USING (kawal_is_self(staff_id));
REVOKE UPDATE ON session FROM kawal_app;
GRANT UPDATE (last_used_at) ON session TO kawal_app;

CREATE TABLE passkey (
  id uuid PRIMARY KEY,
  credential_id bytea NOT NULL UNIQUE CHECK (length(credential_id) BETWEEN 1 AND 1023),
  staff_id uuid NOT NULL,
  organisation_id text NOT NULL,
  slot smallint NOT NULL CHECK (slot BETWEEN 1 AND 10),
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 60),
  public_key bytea NOT NULL,
  counter bigint NOT NULL CHECK (counter >= 0),
  made_at timestamptz NOT NULL,
  last_used_at timestamptz,
  CONSTRAINT passkey_slot UNIQUE (staff_id, slot),
  FOREIGN KEY (staff_id, organisation_id) REFERENCES staff (id, organisation_id)
);
COMMENT ON COLUMN passkey.slot IS 'a person has ten';
COMMENT ON COLUMN passkey.public_key IS 'COSE_Key (RFC 9052)';
COMMENT ON COLUMN passkey.counter IS 'how often its device says that it was used; 0 where it does not count';

ALTER TABLE passkey ENABLE ROW LEVEL SECURITY;
ALTER TABLE passkey FORCE ROW LEVEL SECURITY;
CREATE POLICY passkey_read ON passkey FOR SELECT USING (kawal_may('passkey', 'read', organisation_id) OR kawal_is_self(staff_id));
CREATE POLICY passkey_insert ON passkey FOR INSERT WITH CHECK (kawal_may('passkey', 'write', organisation_id) OR kawal_is_self(staff_id));
CREATE POLICY passkey_update ON passkey FOR UPDATE USING (kawal_may('passkey', 'write', organisation_id) OR kawal_is_self(staff_id));
CREATE POLICY passkey_delete ON passkey FOR DELETE USING (kawal_may('passkey', 'write', organisation_id) OR kawal_is_self(staff_id));
-- A passkey never changes hands.
GRANT SELECT, INSERT, DELETE, UPDATE (name, counter, last_used_at) ON passkey TO kawal_app;

-- What was begun and brought back once (a log-in, a new passkey), until its time would be over anyhow.
CREATE TABLE ceremony_spent (
  sha256 bytea PRIMARY KEY,
  until timestamptz NOT NULL
);
CREATE INDEX ceremony_spent_until ON ceremony_spent (until);
ALTER TABLE ceremony_spent ENABLE ROW LEVEL SECURITY;
ALTER TABLE ceremony_spent FORCE ROW LEVEL SECURITY;
CREATE POLICY ceremony_spent_read ON ceremony_spent FOR SELECT USING (kawal_may('session', 'read', NULL));
CREATE POLICY ceremony_spent_insert ON ceremony_spent FOR INSERT WITH CHECK (kawal_may('session', 'write', NULL));
CREATE POLICY ceremony_spent_delete ON ceremony_spent FOR DELETE USING (kawal_may('session', 'write', NULL));
GRANT SELECT, INSERT, DELETE ON ceremony_spent TO kawal_app;
