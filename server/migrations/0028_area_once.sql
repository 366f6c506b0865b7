-- The area of the caller's office is asked once for a query, not for each of its rows: a reminder may be of 820,161.
CREATE FUNCTION kawal_area() RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT area_code FROM organisation WHERE id = current_setting('kawal.organisation', true) AND kind = 'kpu'
$$;
COMMENT ON FUNCTION kawal_area IS 'of an office of KPU, which decides there alone; null: not bounded by one';

DO $$
DECLARE walled record; within text := '((SELECT kawal_area()) IS NULL OR starts_with(station_code, (SELECT kawal_area())))';
BEGIN
  FOR walled IN SELECT * FROM (VALUES ('siting_decision', 'insert'), ('position_fix', 'insert'), ('reminder', 'insert'), ('position_fix', 'update')) AS listed (name, action) LOOP
    EXECUTE format('ALTER POLICY %I ON %I %s ((SELECT kawal_may(''decision'', ''write'', NULL)) AND %s)', walled.name || '_' || walled.action, walled.name, CASE walled.action WHEN 'insert' THEN 'WITH CHECK' ELSE 'USING' END, within);
  END LOOP;
  EXECUTE format('ALTER POLICY challenge_update ON challenge USING (kawal_may(''challenge'', ''write'', NULL) AND %s)', within);
END $$;
DROP FUNCTION kawal_in_area;
