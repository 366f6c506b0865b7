-- Reports as they come: one row for each group commit, in partitions of an hour that go as a whole.
-- docs/decisions/0032-journal-of-segments.md says why.

-- `bytes` is a segment of server/src/journal/segment.ts: columns, and each sample in the compact form of spec/report.md.
-- Ids rise by one in the order of the commits; the one writer gives them.
CREATE TABLE segment (
  id bigint NOT NULL CHECK (id > 0),
  sealed_at timestamptz NOT NULL,
  received_from timestamptz NOT NULL,
  received_to timestamptz NOT NULL,
  reports integer NOT NULL CHECK (reports > 0),
  bytes bytea NOT NULL,
  PRIMARY KEY (id, sealed_at)
) PARTITION BY RANGE (sealed_at);
ALTER TABLE segment ALTER COLUMN bytes SET STORAGE EXTERNAL; -- compressed already

-- Which sequences of which device are in the journal, for 65,536 devices a row (server/src/journal/sequences.ts).
CREATE TABLE sequence_chunk (
  chunk integer PRIMARY KEY CHECK (chunk >= 0),
  bytes bytea NOT NULL
);
ALTER TABLE sequence_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- What is on disk besides segments holds every segment up to these; the rest is read again at a start.
CREATE TABLE journal_mark (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  sequences bigint NOT NULL DEFAULT 0,
  rollup bigint NOT NULL DEFAULT 0
);
INSERT INTO journal_mark DEFAULT VALUES;

-- Reports by station, operator and five minutes of their event times. One row holds the stations of one regency, column
-- by column, as of one writing: what came later has a row of its own, and readers add up. `station` is the code's digits.
-- A report of an unknown quality counts in `reports` alone. Round-trip times are of the reports' medians, -1 where none was measured.
CREATE TABLE rollup (
  written_at timestamptz NOT NULL,
  five_minutes timestamptz NOT NULL,
  operator_id text,
  regency text NOT NULL,
  station bigint[] NOT NULL,
  reports integer[] NOT NULL,
  good integer[] NOT NULL,
  bad integer[] NOT NULL,
  charging integer[] NOT NULL,
  on_battery integer[] NOT NULL,
  rtt_ms_median integer[] NOT NULL,
  rtt_ms_p90 integer[] NOT NULL
) PARTITION BY RANGE (written_at);
CREATE INDEX rollup_five_minutes ON rollup (five_minutes, regency);

-- The same as rows. Percentiles do not add up: of two rows the one with more reports says more.
CREATE VIEW station_rollup WITH (security_invoker = true) AS
SELECT five_minutes, operator_id, lpad(s.station::text, 13, '0') AS station_code, s.reports, s.good, s.bad, s.charging, s.on_battery,
       nullif(s.rtt_ms_median, -1) AS rtt_ms_median, nullif(s.rtt_ms_p90, -1) AS rtt_ms_p90
FROM rollup, LATERAL unnest(rollup.station, rollup.reports, rollup.good, rollup.bad, rollup.charging, rollup.on_battery, rollup.rtt_ms_median, rollup.rtt_ms_p90)
     AS s (station, reports, good, bad, charging, on_battery, rtt_ms_median, rtt_ms_p90);

-- What is gone from the journal, and where it went: an hour that is not there was dropped by somebody, not lost.
CREATE TABLE segment_gone (
  sealed_from timestamptz NOT NULL,
  first_id bigint PRIMARY KEY,
  last_id bigint NOT NULL,
  segments bigint NOT NULL,
  reports bigint NOT NULL,
  gone_at timestamptz NOT NULL,
  -- Of the archive that holds them; null where they were dropped.
  file text,
  sha256 text
);

-- Partitions belong to the owner. A day's or an hour's stands behind its own wall too: nobody reads it but through its parent.
CREATE FUNCTION kawal_make_partition(parent text, name text, since timestamptz, until timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(5111); -- two may find at once that it is missing
  IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
  -- Made beside its parent and then attached: a partition that is created in place would wait for every reader.
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', name, parent);
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name, since, until);
END $$;
REVOKE ALL ON FUNCTION kawal_make_partition FROM PUBLIC;

-- The partitions for what is sealed or written at an instant; they are there when it returns.
CREATE FUNCTION kawal_journal_partitions(at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public SET timezone = 'UTC' AS $$
BEGIN
  IF NOT kawal_may('segment', 'write', NULL) THEN RAISE insufficient_privilege USING MESSAGE = 'only the system keeps the journal'; END IF;
  PERFORM kawal_make_partition('segment', to_char(at, '"segment_"YYYYMMDD"t"HH24'), date_trunc('hour', at), date_trunc('hour', at) + interval '1 hour');
  PERFORM kawal_make_partition('rollup', to_char(at, '"rollup_"YYYYMMDD'), date_trunc('day', at), date_trunc('day', at) + interval '1 day');
END $$;
REVOKE ALL ON FUNCTION kawal_journal_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kawal_journal_partitions TO kawal_app;

-- Takes one hour of segments out, as a whole, and writes down that it went. Gives the reports that went; null when there is no such hour.
-- What a start would still have to read is not let go.
CREATE FUNCTION kawal_drop_segments(hour timestamptz, now timestamptz, archive text, archive_sha256 text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public SET timezone = 'UTC' SET lock_timeout = '3s' AS $$
DECLARE
  name text := to_char(hour, '"segment_"YYYYMMDD"t"HH24');
  held record;
  needed bigint;
BEGIN
  IF NOT kawal_may('segment', 'write', NULL) THEN RAISE insufficient_privilege USING MESSAGE = 'only the system keeps the journal'; END IF;
  IF to_regclass(name) IS NULL THEN RETURN NULL; END IF;
  -- Through the parent: behind its own wall an owner who is no superuser would see an hour as empty.
  SELECT min(id) AS first, max(id) AS last, count(*) AS segments, coalesce(sum(reports), 0) AS reports INTO held
  FROM segment WHERE sealed_at >= date_trunc('hour', hour) AND sealed_at < date_trunc('hour', hour) + interval '1 hour';
  SELECT least(sequences, rollup) INTO needed FROM journal_mark;
  IF held.last > needed THEN RAISE object_in_use USING MESSAGE = 'a start would still read these segments'; END IF;
  IF held.segments > 0 THEN
    INSERT INTO segment_gone (sealed_from, first_id, last_id, segments, reports, gone_at, file, sha256)
    VALUES (date_trunc('hour', hour), held.first, held.last, held.segments, held.reports, now, archive, archive_sha256);
  END IF;
  EXECUTE format('DROP TABLE %I', name);
  RETURN held.reports;
END $$;
REVOKE ALL ON FUNCTION kawal_drop_segments FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kawal_drop_segments TO kawal_app;

DO $$
DECLARE walled text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['segment', 'sequence_chunk', 'journal_mark', 'segment_gone', 'rollup'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
  END LOOP;
  FOREACH walled IN ARRAY ARRAY['segment', 'sequence_chunk', 'journal_mark', 'segment_gone'] LOOP
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING ((SELECT kawal_may(''segment'', ''read'', NULL)))', walled || '_read', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (kawal_may(''segment'', ''write'', NULL))', walled || '_insert', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE USING (kawal_may(''segment'', ''write'', NULL))', walled || '_update', walled);
  END LOOP;
END $$;
-- Whoever may read all is asked once for a query, not for each row.
CREATE POLICY rollup_read ON rollup FOR SELECT USING ((SELECT kawal_may('rollup', 'read', NULL)) OR kawal_may('rollup', 'read', operator_id));
CREATE POLICY rollup_insert ON rollup FOR INSERT WITH CHECK (kawal_may('rollup', 'write', operator_id));

GRANT SELECT, INSERT ON segment, rollup, segment_gone TO kawal_app;
GRANT SELECT, INSERT, UPDATE ON sequence_chunk, journal_mark TO kawal_app;
GRANT SELECT ON station_rollup TO kawal_app;
