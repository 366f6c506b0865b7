-- The campaign before the day, and what people's decisions do to the register.

-- Which station was seen to report, by which operator, and when last: reports rolled up, so that whoever
-- sees no operator's reports still sees that a check was made. '' stands for an operator nobody knows.
CREATE TABLE station_check (
  station_code text COLLATE "C" NOT NULL,
  operator_id text NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (station_code, operator_id)
);
-- Reports received before this instant are rolled up.
CREATE TABLE station_check_mark (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  until timestamptz NOT NULL
);
INSERT INTO station_check_mark (until) VALUES ('-infinity');

-- Rolls up what came in since the last time. A batch is stamped when it arrives and committed a little
-- later, hence the overlap: seeing a report twice changes nothing. The wall around reports asks once for
-- each row, so the owner reads here for the system alone.
CREATE FUNCTION kawal_roll_checks(upto timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE before timestamptz;
BEGIN
  IF NOT kawal_may('report', 'write', NULL) THEN RAISE insufficient_privilege USING MESSAGE = 'only the system rolls up checks'; END IF;
  SELECT until INTO before FROM station_check_mark FOR UPDATE;
  IF before >= upto THEN RETURN; END IF;
  INSERT INTO station_check AS known (station_code, operator_id, last_at)
  SELECT station_code, coalesce(operator_id, ''), max(least(event_at, received_at)) FROM report
  WHERE received_at >= before - interval '2 minutes' AND received_at < upto
  GROUP BY 1, 2 ORDER BY 1, 2
  ON CONFLICT (station_code, operator_id) DO UPDATE SET last_at = excluded.last_at WHERE excluded.last_at > known.last_at;
  UPDATE station_check_mark SET until = upto;
END $$;
REVOKE ALL ON FUNCTION kawal_roll_checks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kawal_roll_checks TO kawal_app;

-- A station's next version by its position, dated as an import dates it: the open version ends on the day
-- and its successor begins; one born on the day itself is corrected in place.
-- Gives placed, unchanged, station_unknown or version_later (the open version begins after the day).
CREATE FUNCTION kawal_place_station(asked text, north float8, east float8, grade text, day date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE held station;
BEGIN
  IF NOT kawal_may('decision', 'write', NULL) THEN RAISE insufficient_privilege USING MESSAGE = 'only who may decide places stations'; END IF;
  FOR attempt IN 1 .. 5 LOOP
    SELECT * INTO held FROM station WHERE code = asked AND valid_to IS NULL FOR UPDATE;
    EXIT WHEN FOUND;
    -- the version that was waited for has ended, and another began
    PERFORM FROM station WHERE code = asked AND valid_to IS NULL;
    IF NOT FOUND THEN RETURN 'station_unknown'; END IF;
  END LOOP;
  IF held.code IS NULL THEN RAISE serialization_failure USING MESSAGE = 'the station is changed by others'; END IF;
  IF held.valid_from > day THEN RETURN 'version_later'; END IF;
  IF (held.latitude, held.longitude, held.position_grade) IS NOT DISTINCT FROM (north, east, grade) THEN RETURN 'unchanged'; END IF;
  IF held.valid_from = day THEN
    UPDATE station SET latitude = north, longitude = east, position_grade = grade WHERE code = asked AND valid_from = day;
  ELSE
    UPDATE station SET valid_to = day WHERE code = asked AND valid_from = held.valid_from;
    INSERT INTO station (code, village_code, number, special, latitude, longitude, position_grade, zone, voters, synthetic, valid_from)
    VALUES (held.code, held.village_code, held.number, held.special, north, east, grade, held.zone, held.voters, held.synthetic, day);
  END IF;
  RETURN 'placed';
END $$;
REVOKE ALL ON FUNCTION kawal_place_station FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kawal_place_station TO kawal_app;

-- Where an accepted move put a station and where it stood before, so that it can be taken back.
ALTER TABLE siting_decision
  ADD COLUMN latitude float8, ADD COLUMN longitude float8,
  ADD COLUMN latitude_before float8, ADD COLUMN longitude_before float8,
  ADD COLUMN grade_before text CHECK (grade_before IN ('fix', 'venue', 'village'));

-- No track of a person: a device has one position, its newest.
CREATE UNIQUE INDEX position_fix_device ON position_fix (device_key);
CREATE INDEX position_fix_open ON position_fix (given_at) WHERE status = 'open';

CREATE INDEX station_fixed ON station (code) WHERE position_grade = 'fix';
CREATE INDEX readiness_access ON readiness (access_point_id) WHERE access_point_id IS NOT NULL;

-- Whoever may read all access points is asked once for a query, not for each of 20,000.
ALTER POLICY access_point_read ON access_point USING ((SELECT kawal_may('access_point', 'read', NULL)) OR kawal_may('access_point', 'read', organisation_id));

DO $$
DECLARE walled text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['station_check', 'station_check_mark'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING ((SELECT kawal_may(''plan'', ''read'', NULL)))', walled || '_read', walled);
    -- for an owner who is no superuser; the application has no grant to write
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK ((SELECT kawal_may(''report'', ''write'', NULL)))', walled || '_insert', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE USING ((SELECT kawal_may(''report'', ''write'', NULL)))', walled || '_update', walled);
  END LOOP;
END $$;
GRANT SELECT ON station_check, station_check_mark TO kawal_app;
