-- Devices, what they report, and what could not be understood.
-- A report names no person: a device is a random id bound to one station.

CREATE TABLE device (
  id uuid PRIMARY KEY,
  key integer GENERATED ALWAYS AS IDENTITY UNIQUE,
  station_code text NOT NULL,
  token_sha256 bytea NOT NULL UNIQUE,
  enrolled_at timestamptz NOT NULL
);

-- Codes of the appointment letters, as SHA-256 of station and code.
CREATE TABLE enrolment_code (
  station_code text NOT NULL,
  code_sha256 bytea NOT NULL,
  PRIMARY KEY (station_code, code_sha256)
);

-- (device_key, sequence) is the identity of a report: a second arrival finds the constraint, not a check.
CREATE TABLE report (
  device_key integer NOT NULL,
  sequence integer NOT NULL,
  station_code text NOT NULL,
  event_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  operator_id text,
  sample jsonb NOT NULL,
  PRIMARY KEY (device_key, sequence)
);
CREATE INDEX report_received_at ON report USING brin (received_at);

CREATE TABLE quarantine (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  device_key integer NOT NULL,
  received_at timestamptz NOT NULL,
  code text NOT NULL,
  detail text NOT NULL,
  sample_sha256 bytea NOT NULL,
  sample jsonb NOT NULL,
  UNIQUE (device_key, sample_sha256)
);

CREATE TABLE disturbance (
  id text PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  state jsonb NOT NULL,
  found_at timestamptz NOT NULL,
  ended_at timestamptz
);
COMMENT ON COLUMN disturbance.organisation_id IS 'the operator concerned; kawal when it is nobody in particular';

DO $$
DECLARE walled text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['report', 'disturbance'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
  END LOOP;
END $$;
CREATE POLICY report_read ON report FOR SELECT USING (kawal_may('report', 'read', operator_id));
CREATE POLICY report_insert ON report FOR INSERT WITH CHECK (kawal_may('report', 'write', operator_id));
CREATE POLICY disturbance_read ON disturbance FOR SELECT USING (kawal_may('disturbance', 'read', organisation_id));
CREATE POLICY disturbance_insert ON disturbance FOR INSERT WITH CHECK (kawal_may('disturbance', 'write', organisation_id));
CREATE POLICY disturbance_update ON disturbance FOR UPDATE USING (kawal_may('disturbance', 'write', organisation_id));

GRANT SELECT, INSERT ON device, enrolment_code, report, quarantine TO kawal_app;
GRANT SELECT, INSERT, UPDATE ON disturbance TO kawal_app;
