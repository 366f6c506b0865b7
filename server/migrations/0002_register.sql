-- The registers: regions, stations, venues, operators' codes, access points; all effective-dated.
-- valid_to is exclusive; an open version has none. Codes sort and match by prefix, hence COLLATE "C":
-- a district is every code that begins with its own.

CREATE TABLE region (
  code text COLLATE "C" NOT NULL CHECK (code ~ '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10})$'),
  level text NOT NULL CHECK (level IN ('province', 'regency', 'district', 'village')),
  name text NOT NULL,
  parent text COLLATE "C",
  latitude float8 CHECK (latitude BETWEEN -90 AND 90),
  longitude float8 CHECK (longitude BETWEEN -180 AND 180),
  -- how a village's position was found: inside, outside_polygon, name_match, unknown; synthetic when made up
  position_source text,
  area_km2 float8,
  landmass text,
  synthetic boolean NOT NULL DEFAULT false,
  valid_from date NOT NULL,
  valid_to date CHECK (valid_to > valid_from),
  PRIMARY KEY (code, valid_from)
);
CREATE UNIQUE INDEX region_open ON region (code) WHERE valid_to IS NULL;

CREATE TABLE station (
  code text COLLATE "C" NOT NULL CHECK (length(code) = 13),
  village_code text COLLATE "C" NOT NULL,
  number smallint NOT NULL CHECK (number BETWEEN 1 AND 999),
  special boolean NOT NULL,
  latitude float8 CHECK (latitude BETWEEN -90 AND 90),
  longitude float8 CHECK (longitude BETWEEN -180 AND 180),
  -- fix: KPU's or an officer's; venue; village: its centroid
  position_grade text CHECK (position_grade IN ('fix', 'venue', 'village')),
  zone text NOT NULL CHECK (zone IN ('Asia/Jakarta', 'Asia/Makassar', 'Asia/Jayapura')),
  voters integer CHECK (voters >= 0),
  synthetic boolean NOT NULL DEFAULT false,
  valid_from date NOT NULL,
  valid_to date CHECK (valid_to > valid_from),
  PRIMARY KEY (code, valid_from),
  CHECK ((latitude IS NULL) = (position_grade IS NULL) AND (latitude IS NULL) = (longitude IS NULL))
);
CREATE UNIQUE INDEX station_open ON station (code) WHERE valid_to IS NULL;

CREATE TABLE venue (
  id text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  latitude float8,
  longitude float8,
  village_code text COLLATE "C",
  valid_from date NOT NULL,
  valid_to date CHECK (valid_to > valid_from),
  PRIMARY KEY (id, valid_from)
);
CREATE UNIQUE INDEX venue_open ON venue (id) WHERE valid_to IS NULL;
CREATE INDEX venue_village ON venue (village_code);

CREATE TABLE operator_code (
  plmn text NOT NULL CHECK (plmn ~ '^[0-9]{5,6}$'),
  organisation_id text NOT NULL REFERENCES organisation,
  valid_from date NOT NULL,
  valid_to date CHECK (valid_to > valid_from),
  PRIMARY KEY (plmn, valid_from)
);
-- The four mobile groups of the 2024 contests; XL and Smartfren are one company since 16 April 2025.
INSERT INTO operator_code (plmn, organisation_id, valid_from, valid_to) VALUES
  ('51010', 'telkomsel', '2024-01-01', NULL),
  ('51001', 'indosat', '2024-01-01', NULL),
  ('51021', 'indosat', '2024-01-01', NULL),
  ('51089', 'indosat', '2024-01-01', NULL),
  ('51011', 'xl', '2024-01-01', '2025-04-16'),
  ('51009', 'smartfren', '2024-01-01', '2025-04-16'),
  ('51028', 'smartfren', '2024-01-01', '2025-04-16'),
  ('51011', 'xlsmart', '2025-04-16', NULL),
  ('51009', 'xlsmart', '2025-04-16', NULL),
  ('51028', 'xlsmart', '2025-04-16', NULL);

CREATE TABLE access_point (
  id text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('ai', 'satellite', 'bts')),
  name text NOT NULL,
  latitude float8,
  longitude float8,
  village_code text COLLATE "C",
  source text NOT NULL,
  organisation_id text NOT NULL DEFAULT 'bakti' REFERENCES organisation,
  valid_from date NOT NULL,
  valid_to date CHECK (valid_to > valid_from),
  PRIMARY KEY (id, valid_from)
);
CREATE UNIQUE INDEX access_point_open ON access_point (id) WHERE valid_to IS NULL;
ALTER TABLE access_point ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_point FORCE ROW LEVEL SECURITY;
CREATE POLICY access_point_read ON access_point FOR SELECT USING (kawal_may('access_point', 'read', organisation_id));
CREATE POLICY access_point_insert ON access_point FOR INSERT WITH CHECK (kawal_may('access_point', 'write', organisation_id));
CREATE POLICY access_point_update ON access_point FOR UPDATE USING (kawal_may('access_point', 'write', organisation_id));
CREATE POLICY access_point_delete ON access_point FOR DELETE USING (kawal_may('access_point', 'write', organisation_id));

CREATE VIEW region_now AS
  SELECT * FROM region WHERE valid_from <= current_date AND (valid_to IS NULL OR valid_to > current_date);
CREATE VIEW station_now AS
  SELECT * FROM station WHERE valid_from <= current_date AND (valid_to IS NULL OR valid_to > current_date);

-- One import of one folder. The fingerprint is of the files' content: an interrupted run of the same
-- content is taken up again at its phase.
CREATE TABLE import_run (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  fingerprint text NOT NULL,
  valid_from date NOT NULL,
  phase text NOT NULL CHECK (phase IN ('staging', 'checked', 'merged', 'abandoned')),
  changes jsonb,
  started_at timestamptz NOT NULL,
  finished_at timestamptz
);
CREATE UNIQUE INDEX import_run_unfinished ON import_run ((true)) WHERE phase IN ('staging', 'checked');

CREATE TABLE import_file (
  run_id bigint NOT NULL REFERENCES import_run,
  name text NOT NULL,
  kind text NOT NULL,
  sha256 text NOT NULL,
  rows integer NOT NULL,
  accepted integer NOT NULL,
  PRIMARY KEY (run_id, name)
);

-- Every oddity of a run, row by row; line counts the file's rows from 1, the header included.
CREATE TABLE import_issue (
  run_id bigint NOT NULL REFERENCES import_run,
  file text NOT NULL,
  line integer NOT NULL,
  code text NOT NULL,
  severity text NOT NULL CHECK (severity IN ('warning', 'reject')),
  reason text NOT NULL,
  detail text NOT NULL
);
CREATE INDEX import_issue_run ON import_issue (run_id, severity, code);

-- Rows as read, until their run is merged. Unlogged: after a crash of the database they are empty,
-- and the run sees by import_file.accepted that it has to read its files again.
CREATE UNLOGGED TABLE stage_region (file text, line integer, code text COLLATE "C", level text, name text, parent text COLLATE "C");
CREATE UNLOGGED TABLE stage_village (
  file text, line integer, code text COLLATE "C", latitude float8, longitude float8, position_source text, area_km2 float8, landmass text,
  regular integer, special_from integer, special_to integer, zone text
);
CREATE UNLOGGED TABLE stage_station (
  file text, line integer, code text COLLATE "C", latitude float8, longitude float8, position_grade text, voters integer, zone text
);
CREATE UNLOGGED TABLE stage_venue (
  file text, line integer, id text COLLATE "C", kind text, name text, latitude float8, longitude float8, village_code text COLLATE "C"
);
CREATE UNLOGGED TABLE stage_operator (
  file text, line integer, plmn text, organisation_id text, name text, valid_from date, valid_to date
);
CREATE UNLOGGED TABLE stage_isp (file text, line integer, organisation_id text, name text, prefix text, asn bigint);
CREATE UNLOGGED TABLE stage_access (
  file text, line integer, id text COLLATE "C", kind text, name text, latitude float8, longitude float8, village_code text COLLATE "C", source text
);

GRANT SELECT ON region, station, venue, operator_code, region_now, station_now, import_run, import_file, import_issue TO kawal_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON access_point TO kawal_app;
