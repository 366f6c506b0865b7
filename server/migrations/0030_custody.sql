-- A box at an access point keeps what phones hand it, and carries it onwards: what of it the platform has.
ALTER TABLE deployment DROP CONSTRAINT deployment_used_for_check;
ALTER TABLE deployment ADD CHECK (used_for IN ('service', 'rehearsal', 'custody'));

CREATE TABLE carried (
  hash bytea PRIMARY KEY REFERENCES ledger_entry (name),
  list bytea NOT NULL CHECK (octet_length(list) = 32),
  receipt text,
  refused text,
  listed boolean NOT NULL DEFAULT false,
  CHECK (receipt IS NOT NULL OR NOT listed)
);
COMMENT ON COLUMN carried.receipt IS 'the platform''s, as it came: phones fetch it here';
COMMENT ON COLUMN carried.refused IS 'why the platform takes these bytes for no record: it holds nothing else up';
CREATE INDEX carried_unlisted ON carried (list) WHERE receipt IS NOT NULL AND NOT listed;

CREATE TABLE carried_photo (
  sha256 bytea NOT NULL,
  size integer NOT NULL,
  sent integer NOT NULL CHECK (sent BETWEEN 0 AND size),
  PRIMARY KEY (sha256, size),
  FOREIGN KEY (sha256, size) REFERENCES photo
);

DO $$
DECLARE walled text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['carried', 'carried_photo'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING ((SELECT kawal_may(''recap'', ''read'', NULL)))', walled || '_read', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (kawal_may(''recap'', ''write'', NULL))', walled || '_insert', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE USING (kawal_may(''recap'', ''write'', NULL))', walled || '_update', walled);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON carried, carried_photo TO kawal_app;
