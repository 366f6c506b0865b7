-- How long an organisation has for the two clocks of a ticket, as agreed with it; those of 'kawal' are everybody's who
-- has none of his own.
CREATE TABLE service_level (
  organisation_id text NOT NULL REFERENCES organisation,
  severity text NOT NULL CHECK (severity IN ('down', 'degraded')),
  restore_minutes integer NOT NULL CHECK (restore_minutes BETWEEN 5 AND 10080),
  repair_minutes integer NOT NULL CHECK (repair_minutes BETWEEN restore_minutes AND 43200),
  PRIMARY KEY (organisation_id, severity)
);
ALTER TABLE service_level ENABLE ROW LEVEL SECURITY;
ALTER TABLE service_level FORCE ROW LEVEL SECURITY;
-- What was agreed with one organisation is no other's to read.
CREATE POLICY service_level_read ON service_level FOR SELECT USING (organisation_id = 'kawal' OR kawal_may('ticket', 'read', organisation_id));
CREATE POLICY service_level_insert ON service_level FOR INSERT WITH CHECK (current_setting('kawal.role', true) = 'system');
CREATE POLICY service_level_update ON service_level FOR UPDATE USING (current_setting('kawal.role', true) = 'system');

-- Written by the owner's command alone.
GRANT SELECT ON service_level TO kawal_app;
