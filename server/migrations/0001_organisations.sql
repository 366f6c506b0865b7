-- Organisations, what each role may do, and the wall between them.
--
-- kawal.organisation and kawal.role are set per transaction by the server. The application connects
-- as kawal_app, which owns nothing: every policy below it is forced.

CREATE TABLE organisation (
  id text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('ministry', 'kpu', 'bawaslu', 'apjii', 'bakti', 'operator', 'isp', 'helpdesk', 'system')),
  name text NOT NULL
);

INSERT INTO organisation (id, kind, name) VALUES
  ('kawal', 'system', 'Kawal Sinyal'),
  ('komdigi', 'ministry', 'Kementerian Komunikasi dan Digital (PMT)'),
  ('kpu', 'kpu', 'Komisi Pemilihan Umum'),
  ('bawaslu', 'bawaslu', 'Badan Pengawas Pemilihan Umum'),
  ('apjii', 'apjii', 'Asosiasi Penyelenggara Jasa Internet Indonesia'),
  ('bakti', 'bakti', 'BAKTI'),
  ('telkomsel', 'operator', 'Telkomsel'),
  ('indosat', 'operator', 'Indosat Ooredoo Hutchison'),
  ('xl', 'operator', 'XL Axiata'),
  ('smartfren', 'operator', 'Smartfren'),
  ('xlsmart', 'operator', 'XLSmart');

-- The rules of core/organisation/rules.ts, written by the server when it starts: the core is their source.
CREATE TABLE access_rule (
  role text NOT NULL,
  resource text NOT NULL,
  action text NOT NULL,
  scope text NOT NULL CHECK (scope IN ('all', 'own')),
  PRIMARY KEY (role, resource, action)
);

CREATE FUNCTION kawal_may(asked_resource text, asked_action text, owner text) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM access_rule
    WHERE role = current_setting('kawal.role', true)
      AND resource = asked_resource
      AND action = asked_action
      AND (scope = 'all' OR owner = current_setting('kawal.organisation', true))
  )
$$;

CREATE TABLE staff (
  id uuid PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  role text NOT NULL,
  name text NOT NULL
);

-- Secrets are kept as SHA-256 only.
CREATE TABLE login_link (
  token_sha256 bytea PRIMARY KEY,
  staff_id uuid NOT NULL REFERENCES staff,
  organisation_id text NOT NULL REFERENCES organisation,
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);

CREATE TABLE session (
  token_sha256 bytea PRIMARY KEY,
  staff_id uuid NOT NULL REFERENCES staff,
  organisation_id text NOT NULL REFERENCES organisation,
  expires_at timestamptz NOT NULL
);

CREATE TABLE api_key (
  key_sha256 bytea PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  role text NOT NULL,
  created_at timestamptz NOT NULL,
  revoked_at timestamptz
);

DO $$
DECLARE walled text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['staff', 'login_link', 'session', 'api_key'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I_read ON %I FOR SELECT USING (kawal_may(%L, ''read'', organisation_id))', walled, walled, walled);
    EXECUTE format('CREATE POLICY %I_insert ON %I FOR INSERT WITH CHECK (kawal_may(%L, ''write'', organisation_id))', walled, walled, walled);
    EXECUTE format('CREATE POLICY %I_update ON %I FOR UPDATE USING (kawal_may(%L, ''write'', organisation_id))', walled, walled, walled);
    EXECUTE format('CREATE POLICY %I_delete ON %I FOR DELETE USING (kawal_may(%L, ''write'', organisation_id))', walled, walled, walled);
  END LOOP;
END $$;

GRANT SELECT ON organisation TO kawal_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON access_rule TO kawal_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON staff, login_link, session, api_key TO kawal_app;
