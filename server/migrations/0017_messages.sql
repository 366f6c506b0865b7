-- What people are told, and the outbox of it: one row a person, sent over his channels one after the other.

-- The alerts of a group as they were told last, so that a start tells nobody again what he knows.
CREATE TABLE notice (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  call text NOT NULL CHECK (call IN ('1', '2', '3', '4', '5', 'watch')),
  group_key text NOT NULL,
  alerts jsonb NOT NULL,
  at timestamptz NOT NULL
);
COMMENT ON COLUMN notice.organisation_id IS 'whose tickets it tells of';
CREATE INDEX notice_group ON notice (group_key, id DESC);

CREATE TABLE message (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  notice_id bigint NOT NULL REFERENCES notice,
  contact_id uuid NOT NULL,
  name text NOT NULL,
  language text NOT NULL CHECK (language IN ('id', 'en')),
  channels jsonb NOT NULL,
  channel integer NOT NULL DEFAULT 0,
  channel_since timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL,
  delivered_at timestamptz,
  abandoned_at timestamptz,
  last_error text
);
COMMENT ON COLUMN message.organisation_id IS 'of the person who is told';
COMMENT ON COLUMN message.channels IS 'his addresses in the order in which they are tried; channel is the present one';
CREATE INDEX message_waiting ON message (next_attempt_at) WHERE delivered_at IS NULL AND abandoned_at IS NULL;

DO $$
DECLARE walled text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['notice', 'message'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (kawal_may(''message'', ''read'', organisation_id))', walled || '_read', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (kawal_may(''message'', ''write'', organisation_id))', walled || '_insert', walled);
  END LOOP;
END $$;
CREATE POLICY message_update ON message FOR UPDATE USING (kawal_may('message', 'write', organisation_id));

GRANT SELECT, INSERT ON notice TO kawal_app;
GRANT SELECT, INSERT, UPDATE ON message TO kawal_app;

-- What was asked with a name of its own, and was done: a second arrival of the same mail does nothing.
CREATE TABLE ticket_once (
  organisation_id text NOT NULL REFERENCES organisation,
  key text NOT NULL,
  ticket_id text NOT NULL REFERENCES ticket,
  at timestamptz NOT NULL,
  PRIMARY KEY (organisation_id, key)
);
ALTER TABLE ticket_once ENABLE ROW LEVEL SECURITY;
ALTER TABLE ticket_once FORCE ROW LEVEL SECURITY;
CREATE POLICY ticket_once_read ON ticket_once FOR SELECT USING (kawal_may('ticket_event', 'read', organisation_id));
CREATE POLICY ticket_once_insert ON ticket_once FOR INSERT WITH CHECK (kawal_may('ticket_event', 'write', organisation_id));
GRANT SELECT, INSERT ON ticket_once TO kawal_app;
