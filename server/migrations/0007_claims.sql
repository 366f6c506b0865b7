-- What operators say of their coverage, where villages lie, and what was measured.

-- One claim: an operator's coverage by one technology, from a day on. An area is a set of fine cells, as
-- runs (server/src/atlas/runs-codec.ts); a list of sites has rows in cell_site instead. The newest on or
-- before a day holds on it. Sites of codes that nobody is known for have no organisation.
CREATE TABLE claim (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organisation_id text REFERENCES organisation,
  technology text NOT NULL CHECK (technology IN ('gsm', 'umts', 'lte', 'nr', 'fixed')),
  valid_from date NOT NULL,
  kind text NOT NULL CHECK (kind IN ('polygon', 'raster', 'sites', 'points')),
  -- outside it there is no coverage; a crowd-sourced list of sites proves no absence
  complete boolean NOT NULL,
  file text NOT NULL,
  sha256 text NOT NULL,
  -- how the file was read: layer, threshold and the like; another reading of one file is another content
  reading text NOT NULL DEFAULT '',
  features integer NOT NULL CHECK (features >= 0),
  accepted integer NOT NULL CHECK (accepted BETWEEN 0 AND features),
  cells bigint CHECK (cells >= 0),
  runs bytea,
  imported_at timestamptz NOT NULL,
  UNIQUE NULLS NOT DISTINCT (organisation_id, technology, valid_from, kind, complete),
  CHECK ((kind = 'sites') = (runs IS NULL) AND (runs IS NULL) = (cells IS NULL)),
  CHECK (kind = 'sites' OR complete)
);

CREATE TABLE cell_site (
  claim_id bigint NOT NULL REFERENCES claim ON DELETE CASCADE,
  -- of the file, the header included
  line integer NOT NULL,
  plmn text CHECK (plmn ~ '^[0-9]{5,6}$'),
  area bigint,
  cell bigint,
  unit integer,
  latitude float8 NOT NULL CHECK (latitude BETWEEN -90 AND 90),
  longitude float8 NOT NULL CHECK (longitude BETWEEN -180 AND 180),
  height_m float8,
  azimuth_deg float8,
  beamwidth_deg float8,
  eirp_dbm float8,
  frequency_mhz float8,
  range_m float8,
  samples integer,
  updated_on date,
  PRIMARY KEY (claim_id, line)
);

-- Every oddity of a claim's file; place counts its features from 1, or its lines with the header.
CREATE TABLE claim_issue (
  claim_id bigint NOT NULL REFERENCES claim ON DELETE CASCADE,
  place integer NOT NULL,
  severity text NOT NULL CHECK (severity IN ('warning', 'reject')),
  reason text NOT NULL,
  detail text NOT NULL
);
CREATE INDEX claim_issue_claim ON claim_issue (claim_id, severity, reason);

-- A village's fine cells, its frame and its centroid; valid_to is exclusive.
CREATE TABLE village_area (
  code text COLLATE "C" NOT NULL CHECK (code ~ '^[0-9]{10}$'),
  valid_from date NOT NULL,
  valid_to date CHECK (valid_to > valid_from),
  runs bytea NOT NULL,
  cells integer NOT NULL CHECK (cells > 0),
  latitude float8 NOT NULL,
  longitude float8 NOT NULL,
  south float8 NOT NULL,
  west float8 NOT NULL,
  north float8 NOT NULL,
  east float8 NOT NULL,
  source text NOT NULL,
  PRIMARY KEY (code, valid_from)
);
CREATE UNIQUE INDEX village_area_open ON village_area (code) WHERE valid_to IS NULL;

-- Files of samples, so that none is counted twice.
CREATE TABLE sample_file (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  sha256 text NOT NULL UNIQUE,
  rows integer NOT NULL,
  accepted integer NOT NULL,
  imported_at timestamptz NOT NULL
);

-- Drive tests and radio values. The device is kept as HMAC-SHA-256 under the deployment's secret, cut to
-- 16 bytes: equal devices stay equal, and nobody can read which. rsrp_dbm of LTE and NR, rssi_dbm of GSM
-- and UMTS; usable: whether an upload worked. No foreign keys: checking two of them for each of a million
-- rows takes longer than writing the rows; the import takes both from their tables.
CREATE TABLE radio_sample (
  file_id bigint,
  organisation_id text COLLATE "C",
  plmn text CHECK (plmn ~ '^[0-9]{5,6}$'),
  technology text NOT NULL CHECK (technology IN ('gsm', 'umts', 'lte', 'nr')),
  at timestamptz NOT NULL,
  latitude float8 NOT NULL CHECK (latitude BETWEEN -90 AND 90),
  longitude float8 NOT NULL CHECK (longitude BETWEEN -180 AND 180),
  device bytea,
  rsrp_dbm real,
  rssi_dbm real,
  usable boolean
);
CREATE INDEX radio_sample_operator ON radio_sample (organisation_id, technology, at);

DO $$
DECLARE walled text; reads text; writes text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['claim', 'cell_site', 'claim_issue', 'radio_sample'] LOOP
    IF walled IN ('claim', 'radio_sample') THEN
      -- whoever may read all is asked once for the query, not for each of a million rows
      reads := format('(SELECT kawal_may(%L, ''read'', NULL)) OR kawal_may(%L, ''read'', organisation_id)', walled, walled);
      writes := format('(SELECT kawal_may(%L, ''write'', NULL)) OR kawal_may(%L, ''write'', organisation_id)', walled, walled);
    ELSE
      -- the claims that one may read are behind their own wall
      reads := 'claim_id IN (SELECT id FROM claim)';
      writes := '(SELECT kawal_may(''claim'', ''write'', NULL)) OR claim_id IN (SELECT id FROM claim WHERE kawal_may(''claim'', ''write'', organisation_id))';
    END IF;
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (%s)', walled || '_read', walled, reads);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (%s)', walled || '_insert', walled, writes);
    EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE USING (%s)', walled || '_update', walled, writes);
    EXECUTE format('CREATE POLICY %I ON %I FOR DELETE USING (%s)', walled || '_delete', walled, writes);
  END LOOP;
END $$;

GRANT SELECT ON village_area, sample_file TO kawal_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON claim, cell_site, claim_issue TO kawal_app;
GRANT SELECT, INSERT ON radio_sample TO kawal_app;
