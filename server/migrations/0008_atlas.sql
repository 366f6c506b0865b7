-- Editions of the coverage atlas, plans made from them, and what people decide upon both.

-- An edition is never changed: its id is the head of the SHA-256 over its header, which holds the
-- SHA-256 of every column.
CREATE TABLE edition (
  id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{12}$'),
  sha256 text NOT NULL UNIQUE CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  name text NOT NULL,
  valid_on date NOT NULL,
  published_at timestamptz NOT NULL,
  header jsonb NOT NULL
);

-- One column of an edition, compressed with zstd; the hash is of the bytes uncompressed. The grids belong
-- to nobody in particular, a layer's columns to its operator.
CREATE TABLE edition_column (
  edition_id text NOT NULL REFERENCES edition,
  name text NOT NULL,
  organisation_id text REFERENCES organisation,
  sha256 text NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (edition_id, name)
);
ALTER TABLE edition_column ALTER COLUMN bytes SET STORAGE EXTERNAL; -- compressed already

-- What somebody says against a cell or a station of an edition, and what became of it.
CREATE TABLE challenge (
  id uuid PRIMARY KEY,
  edition_id text NOT NULL REFERENCES edition,
  organisation_id text NOT NULL REFERENCES organisation,
  operator_id text NOT NULL REFERENCES organisation,
  technology text NOT NULL,
  cell text CHECK (cell ~ '^8[89][0-9a-f]{13}$'),
  station_code text COLLATE "C",
  says text NOT NULL CHECK (says IN ('covered', 'not_covered')),
  evidence text NOT NULL CHECK (length(evidence) BETWEEN 10 AND 4000),
  status text NOT NULL CHECK (status IN ('open', 'accepted', 'refused')),
  opened_at timestamptz NOT NULL,
  decided_at timestamptz,
  decided_by text REFERENCES organisation,
  answer text,
  CHECK ((cell IS NULL) <> (station_code IS NULL)),
  CHECK ((status = 'open') = (decided_at IS NULL))
);
COMMENT ON COLUMN challenge.organisation_id IS 'who challenges';
CREATE INDEX challenge_status ON challenge (status, opened_at);

-- One run of readiness, siting and access over the whole register.
CREATE TABLE plan (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  edition_id text REFERENCES edition,
  made_at timestamptz NOT NULL,
  valid_on date NOT NULL,
  operators text[] NOT NULL,
  -- of one province only; null: of the whole register
  province text COLLATE "C",
  config jsonb NOT NULL,
  summary jsonb NOT NULL,
  finished boolean NOT NULL DEFAULT false
);

-- Shares are in steps of 1/200 in the order of plan.operators; null is unknown.
CREATE TABLE readiness (
  plan_id bigint NOT NULL,
  station_code text COLLATE "C" NOT NULL,
  class text NOT NULL CHECK (class IN ('a', 'b', 'c', 'd', 'e', 'unknown')),
  reason text NOT NULL,
  -- what it was judged over: the station's own cell, its village's area, or nothing
  basis text NOT NULL CHECK (basis IN ('fix', 'venue', 'village', 'none')),
  usable smallint[] NOT NULL,
  weak smallint[] NOT NULL,
  -- how many national cells it was judged over: 1 in its own cell, 0 without a place
  cells integer NOT NULL DEFAULT 0,
  best text,
  second text,
  access_point_id text,
  access_reason text,
  distance_km real,
  travel_min real,
  slot_start_min real,
  slot_min real
) PARTITION BY LIST (plan_id);

CREATE TABLE siting_move (
  plan_id bigint NOT NULL REFERENCES plan ON DELETE CASCADE,
  station_code text COLLATE "C" NOT NULL,
  venue_id text COLLATE "C" NOT NULL,
  gain real NOT NULL,
  class_before text NOT NULL,
  class_after text NOT NULL,
  walk_km real NOT NULL,
  walk_grade text NOT NULL CHECK (walk_grade IN ('fix', 'village')),
  cost real NOT NULL,
  PRIMARY KEY (plan_id, station_code)
);

-- KPU's word on a proposed move; the newest of a pair counts.
CREATE TABLE siting_decision (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_code text COLLATE "C" NOT NULL,
  venue_id text COLLATE "C" NOT NULL,
  decision text NOT NULL CHECK (decision IN ('accepted', 'refused', 'withdrawn')),
  valid_from date NOT NULL,
  decided_at timestamptz NOT NULL,
  decided_by text NOT NULL REFERENCES organisation,
  note text NOT NULL DEFAULT ''
);
CREATE INDEX siting_decision_station ON siting_decision (station_code, id);

-- A position that an officer or KPU gives; accepted, it makes the station's next version.
CREATE TABLE position_fix (
  id uuid PRIMARY KEY,
  station_code text COLLATE "C" NOT NULL,
  latitude float8 NOT NULL CHECK (latitude BETWEEN -90 AND 90),
  longitude float8 NOT NULL CHECK (longitude BETWEEN -180 AND 180),
  accuracy_m real,
  source text NOT NULL CHECK (source IN ('kpu', 'officer')),
  device_key integer,
  status text NOT NULL CHECK (status IN ('open', 'accepted', 'refused')),
  remark text NOT NULL DEFAULT '',
  given_at timestamptz NOT NULL,
  decided_at timestamptz,
  valid_from date
);
CREATE INDEX position_fix_station ON position_fix (station_code, given_at);

-- Whether an access point is believed to be working, and what it can carry; the newest row counts.
CREATE TABLE access_point_state (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  access_point_id text COLLATE "C" NOT NULL,
  organisation_id text NOT NULL REFERENCES organisation,
  working boolean NOT NULL,
  uplink_mbps real CHECK (uplink_mbps > 0),
  note text NOT NULL DEFAULT '',
  said_at timestamptz NOT NULL
);
CREATE INDEX access_point_state_point ON access_point_state (access_point_id, id);

-- The campaign before the day: who was asked to check which station.
CREATE TABLE reminder (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  station_code text COLLATE "C" NOT NULL,
  reminded_at timestamptz NOT NULL,
  reminded_by text NOT NULL REFERENCES organisation
);
CREATE INDEX reminder_station ON reminder (station_code, reminded_at);

-- Whoever may read all is asked once for a query, not for each of 820,161 rows.
DO $$
DECLARE walled record; reads text; writes text;
BEGIN
  FOR walled IN SELECT * FROM (VALUES
    ('edition_column', 'atlas', true), ('access_point_state', 'access_point', true), ('plan', 'plan', false), ('readiness', 'plan', false),
    ('siting_move', 'plan', false), ('siting_decision', 'decision', false), ('position_fix', 'decision', false), ('reminder', 'decision', false)
  ) AS listed (name, resource, owned) LOOP
    reads := format('(SELECT kawal_may(%L, ''read'', NULL))', walled.resource);
    writes := format('(SELECT kawal_may(%L, ''write'', NULL))', walled.resource);
    IF walled.owned THEN
      reads := reads || format(' OR kawal_may(%L, ''read'', organisation_id)', walled.resource);
      writes := writes || format(' OR kawal_may(%L, ''write'', organisation_id)', walled.resource);
    END IF;
    IF walled.name = 'edition_column' THEN reads := 'organisation_id IS NULL OR ' || reads; END IF;
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled.name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled.name);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (%s)', walled.name || '_read', walled.name, reads);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (%s)', walled.name || '_insert', walled.name, writes);
    EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE USING (%s)', walled.name || '_update', walled.name, writes);
  END LOOP;
END $$;

-- A challenge is seen by who made it and by the operator it concerns; it is decided by who may write all
-- of them: neither who made it nor whom it concerns.
ALTER TABLE challenge ENABLE ROW LEVEL SECURITY;
ALTER TABLE challenge FORCE ROW LEVEL SECURITY;
CREATE POLICY challenge_read ON challenge FOR SELECT USING (kawal_may('challenge', 'read', organisation_id) OR kawal_may('challenge', 'read', operator_id));
CREATE POLICY challenge_insert ON challenge FOR INSERT WITH CHECK (kawal_may('challenge', 'write', organisation_id) AND status = 'open');
CREATE POLICY challenge_update ON challenge FOR UPDATE USING (kawal_may('challenge', 'write', NULL));

GRANT SELECT ON edition, plan, readiness, siting_move TO kawal_app;
-- when a point fails, its stations are sent elsewhere at once; everything else of a plan stays as it was made
GRANT UPDATE (class, reason, access_point_id, access_reason, distance_km, travel_min, slot_start_min, slot_min) ON readiness TO kawal_app;
GRANT SELECT, INSERT ON edition, edition_column TO kawal_app;
GRANT SELECT, INSERT ON siting_decision, access_point_state, reminder TO kawal_app;
GRANT SELECT, INSERT, UPDATE ON challenge, position_fix TO kawal_app;
