-- What officers report as a problem becomes a ticket without a disturbance.

ALTER TABLE ticket ALTER COLUMN disturbance_id DROP NOT NULL;
COMMENT ON COLUMN ticket.disturbance_id IS 'null: a problem that an officer reported';

-- Which part of the country a helpdesk serves; the nearest one takes what is reported there.
ALTER TABLE organisation ADD COLUMN area_code text COLLATE "C" CHECK (area_code ~ '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10})$');

-- Numbers that can be said on the telephone.
CREATE SEQUENCE officer_problem_number;

-- Which phone reported what, for its answer alone. Text and station stand in the ticket, the phone does not.
-- The id is drawn by the phone: a second arrival finds the constraint, not a check.
CREATE TABLE officer_problem (
  id uuid PRIMARY KEY,
  device_key integer NOT NULL,
  day date NOT NULL,
  number integer NOT NULL CHECK (number > 0),
  ticket_id text NOT NULL UNIQUE REFERENCES ticket DEFERRABLE INITIALLY DEFERRED,
  received_at timestamptz NOT NULL,
  UNIQUE (device_key, day, number)
);
COMMENT ON COLUMN officer_problem.day IS 'in WIB; number counts the problems of this phone on it';

ALTER TABLE officer_problem ENABLE ROW LEVEL SECURITY;
ALTER TABLE officer_problem FORCE ROW LEVEL SECURITY;
CREATE POLICY officer_problem_read ON officer_problem FOR SELECT USING (kawal_may('officer_problem', 'read', NULL));
CREATE POLICY officer_problem_insert ON officer_problem FOR INSERT WITH CHECK (kawal_may('officer_problem', 'write', NULL));

GRANT SELECT, INSERT ON officer_problem TO kawal_app;
GRANT USAGE ON SEQUENCE officer_problem_number TO kawal_app;
