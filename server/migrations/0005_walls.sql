-- Devices and quarantined samples belong to no organisation: whoever may read all reports may read them,
-- and an operator, who reads its own, may not.

DO $$
DECLARE walled text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['device', 'quarantine'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (kawal_may(''report'', ''read'', NULL))', walled || '_read', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (kawal_may(''report'', ''write'', NULL))', walled || '_insert', walled);
  END LOOP;
END $$;
