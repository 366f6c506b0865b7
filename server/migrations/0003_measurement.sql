-- Devices, what they report, and what could not be understood.
-- A report names no person: a device is a random id bound to one station.

CREATE TABLE device (
  id uuid PRIMARY KEY,
  key integer GENERATED ALWAYS AS IDENTITY UNIQUE,
  station_code text NOT NULL,
  enrolled_at timestamptz NOT NULL
);

-- One secret a deployment: station codes and device tokens are made from it, so that neither
-- needs a row for each of 820,161 stations nor a look-up for each report.
CREATE TABLE deployment (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  secret bytea NOT NULL
);
INSERT INTO deployment (secret)
VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

-- Source networks (address block -> organisation), imported and effective-dated. The address of a
-- report is looked up here and then forgotten.
CREATE TABLE network (
  prefix cidr NOT NULL,
  asn bigint,
  organisation_id text NOT NULL,
  valid_from date NOT NULL,
  valid_to date,
  PRIMARY KEY (prefix, valid_from)
);
CREATE INDEX network_prefix ON network USING gist (prefix inet_ops);

-- (device_key, sequence) is the identity of a report: a second arrival finds the constraint, not a check.
CREATE TABLE report (
  device_key integer NOT NULL,
  sequence integer NOT NULL,
  station_code text NOT NULL,
  event_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  operator_id text,
  sim_operator_id text,
  network_operator_id text,
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

GRANT SELECT, INSERT ON device, report, quarantine TO kawal_app;
GRANT SELECT ON deployment, network TO kawal_app;
GRANT SELECT, INSERT, UPDATE ON disturbance TO kawal_app;
