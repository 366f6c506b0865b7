-- What a database is used for: a rehearsal's officers and tickets must never stand among real ones.
ALTER TABLE deployment ADD COLUMN used_for text CHECK (used_for IN ('service', 'rehearsal'));
CREATE FUNCTION kawal_use(wanted text) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
  UPDATE deployment SET used_for = coalesce(used_for, wanted) RETURNING used_for
$$;

-- The rules are the owner's to write, when it migrates.
REVOKE INSERT, UPDATE, DELETE ON access_rule FROM kawal_app;

-- Devices of a station are numbered, so that a letter's code cannot enrol without end: the constraint decides.
ALTER TABLE device ADD COLUMN number integer;
UPDATE device SET number = numbered.number FROM (SELECT key, row_number() OVER (PARTITION BY station_code ORDER BY key) AS number FROM device) AS numbered WHERE numbered.key = device.key;
ALTER TABLE device ALTER COLUMN number SET NOT NULL, ADD CHECK (number > 0), ADD UNIQUE (station_code, number);

-- event_at is the phone's word. What its clock was off by when it sent stands beside it.
ALTER TABLE report ADD COLUMN clock_offset_ms bigint NOT NULL DEFAULT 0;

-- The devices a disturbance hit, [device, station, operator]: a restart goes on from them.
ALTER TABLE disturbance ADD COLUMN devices jsonb NOT NULL DEFAULT '[]';
