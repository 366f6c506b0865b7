-- What an organisation announces to others, and who says that it was read.
CREATE TABLE announcement (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
  body text NOT NULL CHECK (char_length(body) BETWEEN 1 AND 4000),
  audience text[] NOT NULL,
  must_acknowledge boolean NOT NULL,
  at timestamptz NOT NULL,
  until timestamptz NOT NULL CHECK (until > at)
);
COMMENT ON COLUMN announcement.organisation_id IS 'who announces';
COMMENT ON COLUMN announcement.audience IS 'ids of organisations, or kinds of them; all is everybody';
CREATE INDEX announcement_until ON announcement (until);

-- Append only: what was acknowledged stays so.
CREATE TABLE announcement_receipt (
  announcement_id bigint NOT NULL REFERENCES announcement,
  organisation_id text NOT NULL REFERENCES organisation,
  name text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (announcement_id, organisation_id)
);

-- What everybody may be told of: himself, and the kind that he is.
CREATE FUNCTION kawal_addressed(audience text[]) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT audience && (SELECT ARRAY['all', id, kind] FROM organisation WHERE id = current_setting('kawal.organisation', true))
$$;

DO $$
DECLARE walled text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['announcement', 'announcement_receipt'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (kawal_may(%L, ''write'', organisation_id))', walled || '_insert', walled, walled);
  END LOOP;
END $$;
CREATE POLICY announcement_read ON announcement FOR SELECT USING (kawal_may('announcement', 'read', organisation_id) OR (kawal_may('announcement', 'read', current_setting('kawal.organisation', true)) AND kawal_addressed(audience)));
-- Who announced sees who has read it.
CREATE POLICY announcement_receipt_read ON announcement_receipt FOR SELECT USING (kawal_may('announcement_receipt', 'read', organisation_id)
  OR EXISTS (SELECT FROM announcement WHERE announcement.id = announcement_id AND announcement.organisation_id = current_setting('kawal.organisation', true)));

GRANT SELECT, INSERT ON announcement, announcement_receipt TO kawal_app;
