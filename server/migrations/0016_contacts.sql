-- Who is on duty at an organisation: whom to reach, in the order of escalation.
CREATE TABLE contact (
  id uuid PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
  level smallint NOT NULL CHECK (level BETWEEN 1 AND 5),
  email text CHECK (char_length(email) <= 254),
  phone text CHECK (phone ~ '^\+[1-9][0-9]{7,14}$'),
  language text NOT NULL DEFAULT 'id' CHECK (language IN ('id', 'en')),
  created_at timestamptz NOT NULL,
  CHECK (email IS NOT NULL OR phone IS NOT NULL)
);
COMMENT ON COLUMN contact.level IS 'place in the escalation: 1 is told first';
COMMENT ON COLUMN contact.phone IS 'ITU-T E.164';

-- One person stands once on a level: a list that is handed in again doubles nobody.
CREATE UNIQUE INDEX contact_once ON contact (organisation_id, level, lower(name));

DO $$
DECLARE may text;
BEGIN
  -- asked once for a query, not for each row of a directory
  may := '(SELECT kawal_may(''contact'', %1$L, NULL)) OR (organisation_id = current_setting(''kawal.organisation'', true) AND (SELECT kawal_may(''contact'', %1$L, current_setting(''kawal.organisation'', true))))';
  ALTER TABLE contact ENABLE ROW LEVEL SECURITY;
  ALTER TABLE contact FORCE ROW LEVEL SECURITY;
  EXECUTE format('CREATE POLICY contact_read ON contact FOR SELECT USING (%s)', format(may, 'read'));
  EXECUTE format('CREATE POLICY contact_insert ON contact FOR INSERT WITH CHECK (%s)', format(may, 'write'));
  EXECUTE format('CREATE POLICY contact_update ON contact FOR UPDATE USING (%s)', format(may, 'write'));
  EXECUTE format('CREATE POLICY contact_delete ON contact FOR DELETE USING (%s)', format(may, 'write'));
END $$;

-- A contact never changes hands.
GRANT SELECT, INSERT, DELETE, UPDATE (name, level, email, phone, language) ON contact TO kawal_app;
