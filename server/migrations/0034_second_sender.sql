-- The second sender: supervisors of Bawaslu send their own copy of each form, with their own keys. What the two come to is counted beside the other counts.
SELECT set_config('kawal.role', 'system', true);

ALTER TABLE device ADD COLUMN role text NOT NULL DEFAULT 'officer' CHECK (role IN ('officer', 'supervisor'));
COMMENT ON COLUMN device.role IS 'by whose letter it was enrolled; it never changes, and says of which side its records are';

ALTER TABLE recap ADD COLUMN side text DEFAULT 'officer' CHECK (side IN ('officer', 'supervisor')), ADD CHECK (reason IS NOT NULL OR side IS NOT NULL);
ALTER TABLE recap ALTER COLUMN side DROP DEFAULT;
ALTER TABLE recap ADD COLUMN figures bytea CHECK (octet_length(figures) = 16);
COMMENT ON COLUMN recap.side IS 'by the role of the key that signed; null in quarantine where no key says it';
COMMENT ON COLUMN recap.figures IS 'first 16 bytes of SHA-256 over what is compared (core/recap/comparison.ts); null: not worked out yet';
GRANT UPDATE (side, figures) ON recap TO kawal_app;

-- What is Bawaslu's is never KPU's due.
DROP INDEX recap_undelivered;
CREATE INDEX recap_undelivered ON recap (entry) WHERE reason IS NULL AND NOT delivered AND side = 'officer';

-- Who may not read the comparison reads no supervisor's records either: a helpdesk works for the officers.
ALTER POLICY recap_read ON recap USING ((SELECT kawal_may('recap', 'read', NULL)) AND ((SELECT kawal_helpdesk_area()) IS NULL OR starts_with(station_code, (SELECT kawal_helpdesk_area())))
  AND (side IS DISTINCT FROM 'supervisor' OR (SELECT kawal_may('comparison', 'read', NULL))));

CREATE TABLE comparison_count (
  village text COLLATE "C" NOT NULL,
  contest text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('agree', 'differ', 'officer_only', 'supervisor_only', 'conflict', 'quarantine')),
  slots integer NOT NULL,
  PRIMARY KEY (village, contest, kind)
);
COMMENT ON COLUMN comparison_count.slots IS 'of the village and the contest that come to this; those of which nothing is held are in none';
CREATE INDEX comparison_count_kind ON comparison_count (kind, village);
ALTER TABLE comparison_count ENABLE ROW LEVEL SECURITY;
ALTER TABLE comparison_count FORCE ROW LEVEL SECURITY;
CREATE POLICY comparison_count_read ON comparison_count FOR SELECT USING ((SELECT kawal_may('comparison', 'read', NULL)));
CREATE POLICY comparison_count_insert ON comparison_count FOR INSERT WITH CHECK ((SELECT kawal_may('comparison', 'write', NULL)));
CREATE POLICY comparison_count_delete ON comparison_count FOR DELETE USING ((SELECT kawal_may('comparison', 'write', NULL)));
GRANT SELECT, INSERT, DELETE ON comparison_count TO kawal_app;

-- Which supervisors' letters were issued by whom. What is in them is made anew each time, and kept nowhere.
CREATE TABLE supervisor_letter (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  area text NOT NULL CHECK (area ~ '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10}|[0-9]{13})$'),
  stations integer NOT NULL CHECK (stations > 0),
  issued_at timestamptz NOT NULL
);
ALTER TABLE supervisor_letter ENABLE ROW LEVEL SECURITY;
ALTER TABLE supervisor_letter FORCE ROW LEVEL SECURITY;
CREATE POLICY supervisor_letter_read ON supervisor_letter FOR SELECT USING (kawal_may('supervisor_letter', 'read', organisation_id));
CREATE POLICY supervisor_letter_insert ON supervisor_letter FOR INSERT WITH CHECK (kawal_may('supervisor_letter', 'write', organisation_id));
GRANT SELECT, INSERT ON supervisor_letter TO kawal_app;

-- What is there already is counted in this way too.
INSERT INTO recap_touched (village) SELECT DISTINCT coalesce(left(station_code, 10), '') FROM recap;
