-- KPU stands at three levels: an office of a province or of a regency decides for its own area alone. Who has no area, or is
-- no office of KPU, is not bounded here.
CREATE FUNCTION kawal_in_area(code text) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT NOT EXISTS (SELECT FROM organisation WHERE id = current_setting('kawal.organisation', true) AND kind = 'kpu' AND area_code IS NOT NULL AND (code IS NULL OR NOT starts_with(code, area_code)))
$$;

ALTER POLICY siting_decision_insert ON siting_decision WITH CHECK ((SELECT kawal_may('decision', 'write', NULL)) AND kawal_in_area(station_code));
ALTER POLICY position_fix_insert ON position_fix WITH CHECK ((SELECT kawal_may('decision', 'write', NULL)) AND kawal_in_area(station_code));
ALTER POLICY position_fix_update ON position_fix USING ((SELECT kawal_may('decision', 'write', NULL)) AND kawal_in_area(station_code));
ALTER POLICY reminder_insert ON reminder WITH CHECK ((SELECT kawal_may('decision', 'write', NULL)) AND kawal_in_area(station_code));
-- A challenge of a cell names no station: it is decided by who decides for the whole country.
ALTER POLICY challenge_update ON challenge USING (kawal_may('challenge', 'write', NULL) AND kawal_in_area(station_code));
