-- Every turn of a disturbance, and what detection was given besides reports: the record that replays.

CREATE TABLE disturbance_turn (
  disturbance_id text NOT NULL REFERENCES disturbance,
  number integer NOT NULL CHECK (number > 0),
  organisation_id text NOT NULL REFERENCES organisation,
  at timestamptz NOT NULL,
  turn text NOT NULL CHECK (turn IN ('suspected', 'confirmed', 'grown', 'attributed', 'recovering', 'relapsed', 'ended', 'retracted', 'merged', 'split', 'held', 'released', 'alarm')),
  -- What it was after the turn, without its stations: their number is in it.
  state jsonb NOT NULL,
  PRIMARY KEY (disturbance_id, number)
);
ALTER TABLE disturbance_turn ENABLE ROW LEVEL SECURITY;
ALTER TABLE disturbance_turn FORCE ROW LEVEL SECURITY;
CREATE POLICY disturbance_turn_read ON disturbance_turn FOR SELECT USING (kawal_may('disturbance', 'read', organisation_id));
CREATE POLICY disturbance_turn_insert ON disturbance_turn FOR INSERT WITH CHECK (kawal_may('disturbance', 'write', organisation_id));
GRANT SELECT, INSERT ON disturbance_turn TO kawal_app; -- append only

-- In the order in which detection took them: a sweep takes in every segment up to `segment` first.
CREATE TABLE detection_input (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run text NOT NULL,
  at timestamptz NOT NULL,
  kind text NOT NULL CHECK (kind IN ('start', 'sweep', 'alarm', 'alarm_cleared', 'work', 'work_withdrawn')),
  segment bigint,
  body jsonb
);
CREATE INDEX detection_input_at ON detection_input (at);
ALTER TABLE detection_input ENABLE ROW LEVEL SECURITY;
ALTER TABLE detection_input FORCE ROW LEVEL SECURITY;
CREATE POLICY detection_input_read ON detection_input FOR SELECT USING ((SELECT kawal_may('segment', 'read', NULL)));
CREATE POLICY detection_input_insert ON detection_input FOR INSERT WITH CHECK (kawal_may('segment', 'write', NULL));
GRANT SELECT, INSERT ON detection_input TO kawal_app;

-- What was kept before stages had names.
UPDATE disturbance SET state = state || jsonb_build_object(
  'stage', CASE WHEN ended_at IS NULL THEN 'confirmed' ELSE 'ended' END, 'confidence', 0, 'suspectedAt', state->'foundAt', 'parent', NULL, 'plannedWork', NULL, 'alarms', '[]'::jsonb, 'impact', NULL,
  'cause', CASE WHEN state->>'cause' = 'operator' THEN 'undetermined' ELSE state->>'cause' END, 'evidence', state->'evidence' || '{"causes": [], "signs": []}'::jsonb)
WHERE state ? 'status';
UPDATE ticket SET state = replace(state::text, '"cause": "operator"', '"cause": "undetermined"')::jsonb WHERE state::text LIKE '%"cause": "operator"%';
UPDATE ticket_event SET event = replace(event::text, '"cause": "operator"', '"cause": "undetermined"')::jsonb WHERE event::text LIKE '%"cause": "operator"%';
