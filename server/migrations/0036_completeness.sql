-- How records of a device follow each other, read from the ledger behind the judge: a number that nobody has is a loss that no count shows.
SELECT set_config('kawal.role', 'system', true);

CREATE TABLE recap_link (
  entry bigint PRIMARY KEY REFERENCES ledger_entry,
  hash bytea NOT NULL,
  kid bytea NOT NULL,
  sequence integer NOT NULL,
  previous bytea,
  station_code text COLLATE "C" NOT NULL,
  follows boolean NOT NULL,
  again boolean NOT NULL
);
COMMENT ON COLUMN recap_link.kid IS 'of the key that its envelope names';
COMMENT ON COLUMN recap_link.follows IS 'the record before it is in the ledger, or it is the first of its device';
COMMENT ON COLUMN recap_link.again IS 'an earlier entry has the same number of the same key';
CREATE INDEX recap_link_device ON recap_link (kid, sequence);
CREATE INDEX recap_link_loose ON recap_link (previous) WHERE NOT follows;
CREATE INDEX recap_link_missing ON recap_link (entry) WHERE NOT follows;
CREATE INDEX recap_link_again ON recap_link (entry) WHERE again;

ALTER TABLE recap_count ADD COLUMN apart integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN recap_count.apart IS 'slots with records, none of which counts';
INSERT INTO recap_touched (village) SELECT DISTINCT village FROM recap_count;

ALTER TABLE recap_link ENABLE ROW LEVEL SECURITY;
ALTER TABLE recap_link FORCE ROW LEVEL SECURITY;
CREATE POLICY recap_link_read ON recap_link FOR SELECT USING ((SELECT kawal_may('recap', 'read', NULL)) AND ((SELECT kawal_helpdesk_area()) IS NULL OR starts_with(station_code, (SELECT kawal_helpdesk_area()))));
CREATE POLICY recap_link_insert ON recap_link FOR INSERT WITH CHECK ((SELECT kawal_may('recap', 'write', NULL)));
CREATE POLICY recap_link_update ON recap_link FOR UPDATE USING ((SELECT kawal_may('recap', 'write', NULL)));
GRANT SELECT, INSERT, UPDATE (follows) ON recap_link TO kawal_app;
