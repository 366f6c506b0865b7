-- Who did what, when, from where and why. What was begun and what came of it are a row each, so that nothing is ever
-- changed: an action without an outcome was begun, and nobody knows whether it was done.

CREATE TABLE audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  organisation_id text NOT NULL REFERENCES organisation,
  role text,
  -- No foreign keys: what is written here outlives whom it names.
  staff_id uuid,
  name text CHECK (char_length(name) <= 200),
  key_id text,
  link_contact uuid,
  address inet,
  method text NOT NULL,
  path text NOT NULL CHECK (char_length(path) <= 500),
  subject text CHECK (char_length(subject) <= 200),
  reason text CHECK (char_length(reason) <= 2000),
  request text,
  UNIQUE (id, organisation_id)
);
COMMENT ON COLUMN audit.organisation_id IS 'whose action it is; kawal for commands, and for whoever could not say who he is';
COMMENT ON COLUMN audit.name IS 'the person as he was called then; of a command the user of the machine';
COMMENT ON COLUMN audit.link_contact IS 'the contact that a link to a ticket was sent to';
COMMENT ON COLUMN audit.path IS 'without the query, and without any secret';
COMMENT ON COLUMN audit.subject IS 'what the path names: a ticket, a contact, a station';
COMMENT ON COLUMN audit.request IS 'by which the log of the server tells it';
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_organisation ON audit (organisation_id, id);
CREATE INDEX audit_subject ON audit (subject, id) WHERE subject IS NOT NULL;

CREATE TABLE audit_outcome (
  audit_id bigint PRIMARY KEY,
  organisation_id text NOT NULL,
  at timestamptz NOT NULL,
  status integer NOT NULL,
  made text CHECK (char_length(made) <= 200),
  FOREIGN KEY (audit_id, organisation_id) REFERENCES audit (id, organisation_id)
);
COMMENT ON COLUMN audit_outcome.status IS 'of HTTP (RFC 9110); of a command its exit code; of a mail that of SMTP (RFC 5321)';
COMMENT ON COLUMN audit_outcome.made IS 'id of what the action made';
CREATE INDEX audit_outcome_made ON audit_outcome (made) WHERE made IS NOT NULL;

DO $$
DECLARE
  walled text;
  may text;
BEGIN
  -- asked once for a query, not for each row
  may := '(SELECT kawal_may(''audit'', ''read'', NULL)) OR (organisation_id = current_setting(''kawal.organisation'', true) AND (SELECT kawal_may(''audit'', ''read'', current_setting(''kawal.organisation'', true))))';
  FOREACH walled IN ARRAY ARRAY['audit', 'audit_outcome'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (%s)', walled || '_read', walled, may);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (kawal_may(''audit'', ''write'', organisation_id))', walled || '_insert', walled);
  END LOOP;
END $$;

GRANT SELECT, INSERT ON audit, audit_outcome TO kawal_app; -- append only

-- API keys with a public name, a reach and a last use, two valid at a time: the old one works until the new one does.

-- An owner that is no superuser is held by the forced walls too.
SELECT set_config('kawal.role', 'system', true);

-- Of the key's hash, of which 40 bits tell nothing of 192: whoever has the key can tell which one it is.
ALTER TABLE api_key ADD COLUMN id text GENERATED ALWAYS AS ('k-' || left(encode(key_sha256, 'hex'), 10)) STORED UNIQUE;
ALTER TABLE api_key ADD COLUMN scope text NOT NULL DEFAULT 'all' CHECK (scope IN ('all', 'read'));
ALTER TABLE api_key ADD COLUMN last_used_at timestamptz;
ALTER TABLE api_key ADD COLUMN slot smallint CHECK (slot IN (1, 2));

-- Where more than two were valid, the newest two stay.
WITH valid AS (SELECT key_sha256, row_number() OVER (PARTITION BY organisation_id ORDER BY created_at DESC, key_sha256) AS place FROM api_key WHERE revoked_at IS NULL)
UPDATE api_key SET slot = least(place, 2), revoked_at = CASE WHEN place > 2 THEN now() END FROM valid WHERE valid.key_sha256 = api_key.key_sha256;
UPDATE api_key SET slot = 1 WHERE slot IS NULL;
ALTER TABLE api_key ALTER COLUMN slot SET NOT NULL;
COMMENT ON COLUMN api_key.slot IS 'an organisation has two; one becomes free when its key is revoked';
COMMENT ON COLUMN api_key.last_used_at IS 'to the minute';
CREATE UNIQUE INDEX api_key_slot ON api_key (organisation_id, slot) WHERE revoked_at IS NULL;

-- A key is made and revoked; whose it is and how far it reaches never changes.
REVOKE UPDATE, DELETE ON api_key FROM kawal_app;
GRANT UPDATE (revoked_at, last_used_at) ON api_key TO kawal_app;

-- A revoked key stays revoked.
CREATE FUNCTION api_key_stays_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a revoked key stays revoked' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER api_key_revoked BEFORE UPDATE OF revoked_at ON api_key
  FOR EACH ROW WHEN (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at) EXECUTE FUNCTION api_key_stays_revoked();
