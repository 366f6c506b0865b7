-- What each ticket covers, what was attached to it, and what its listeners want to hear.
SELECT set_config('kawal.role', 'system', true);

-- A disturbance is covered by one ticket at a time: its own, or the one that its own was merged into. A false alarm that
-- was cancelled covers none.
CREATE TABLE ticket_cover (
  disturbance_id text PRIMARY KEY,
  -- Put in just before its ticket: who comes second puts in neither.
  ticket_id text NOT NULL REFERENCES ticket DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX ticket_cover_ticket ON ticket_cover (ticket_id);
INSERT INTO ticket_cover SELECT disturbance_id, id FROM ticket WHERE disturbance_id IS NOT NULL AND status <> 'cancelled';
CREATE INDEX ticket_disturbance ON ticket (disturbance_id);
CREATE INDEX disturbance_parent ON disturbance ((state->>'parent')) WHERE state->>'parent' IS NOT NULL;
COMMENT ON COLUMN ticket.disturbance_id IS 'the disturbance that it was opened for; null: a problem that an officer reported, or a request';

-- Append only, and never in the ticket itself: what is attached is read when somebody asks for it.
CREATE TABLE ticket_attachment (
  id uuid PRIMARY KEY,
  ticket_id text NOT NULL REFERENCES ticket,
  organisation_id text NOT NULL REFERENCES organisation,
  at timestamptz NOT NULL,
  name text NOT NULL,
  mime_type text NOT NULL,
  sha256 bytea NOT NULL,
  content bytea NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 5242880)
);
ALTER TABLE ticket_attachment ALTER COLUMN content SET STORAGE EXTERNAL; -- photos do not grow smaller
CREATE INDEX ticket_attachment_ticket ON ticket_attachment (ticket_id);
COMMENT ON COLUMN ticket_attachment.organisation_id IS 'who attached it; whoever may see the ticket may see it';

ALTER TABLE ticket_cover ENABLE ROW LEVEL SECURITY;
ALTER TABLE ticket_cover FORCE ROW LEVEL SECURITY;
ALTER TABLE ticket_attachment ENABLE ROW LEVEL SECURITY;
ALTER TABLE ticket_attachment FORCE ROW LEVEL SECURITY;
-- The ticket's own wall decides, whoever has it by now. A cover is the system's before its ticket is there.
CREATE POLICY ticket_cover_read ON ticket_cover FOR SELECT USING (current_setting('kawal.role', true) = 'system' OR EXISTS (SELECT FROM ticket WHERE ticket.id = ticket_id AND kawal_may('ticket', 'read', ticket.organisation_id)));
CREATE POLICY ticket_attachment_read ON ticket_attachment FOR SELECT USING (EXISTS (SELECT FROM ticket WHERE ticket.id = ticket_id AND kawal_may('ticket', 'read', ticket.organisation_id)));
CREATE POLICY ticket_cover_insert ON ticket_cover FOR INSERT WITH CHECK (current_setting('kawal.role', true) = 'system');
CREATE POLICY ticket_cover_delete ON ticket_cover FOR DELETE USING (current_setting('kawal.role', true) = 'system');
CREATE POLICY ticket_attachment_insert ON ticket_attachment FOR INSERT WITH CHECK (
  organisation_id = current_setting('kawal.organisation', true)
  AND EXISTS (SELECT FROM ticket WHERE ticket.id = ticket_id AND kawal_may('ticket', 'write', ticket.organisation_id)));

GRANT SELECT, INSERT, DELETE ON ticket_cover TO kawal_app;
GRANT SELECT, INSERT ON ticket_attachment TO kawal_app;

-- What a listener's query asks for, by path: of each path one of the values. What was never a query of ours matches nothing, as before.
ALTER TABLE hub ADD COLUMN filter jsonb;
UPDATE hub SET filter = CASE WHEN query LIKE 'eventType=%' THEN jsonb_build_object('eventType', jsonb_build_array(substr(query, 11))) ELSE '{"eventType": []}'::jsonb END WHERE query IS NOT NULL;
-- Of one version of a ticket a listener may hear two events: that its status changed, and what is asked of it.
ALTER TABLE hub_delivery DROP CONSTRAINT hub_delivery_hub_id_ticket_id_version_key;
CREATE UNIQUE INDEX hub_delivery_once ON hub_delivery (hub_id, (body->>'eventId'));

-- The ticket that stands for a disturbance: the one that covers it, else the last that was opened for it. Whoever asks sees no more than else.
CREATE FUNCTION kawal_ticket_of(asked text) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT ticket_id FROM ticket_cover WHERE disturbance_id = asked),
    (SELECT id FROM ticket WHERE disturbance_id = asked ORDER BY opened_at DESC, id DESC LIMIT 1))
$$;
