-- Tickets, their log of events, who listens, and what is still to be delivered.

CREATE TABLE ticket (
  id text PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  disturbance_id text NOT NULL,
  status text NOT NULL CHECK (status IN ('submitted', 'acknowledged', 'inProgress', 'pending', 'resolved', 'reopened', 'closed', 'cancelled')),
  version integer NOT NULL CHECK (version > 0),
  state jsonb NOT NULL,
  opened_at timestamptz NOT NULL,
  due_at timestamptz,
  disturbance_mark text NOT NULL
);
COMMENT ON COLUMN ticket.organisation_id IS 'the operator concerned, who reads and answers the ticket';
COMMENT ON COLUMN ticket.due_at IS 'when the sweep has something to do by time alone: a clock at risk or overdue, the end of a verification';
COMMENT ON COLUMN ticket.disturbance_mark IS 'what of the disturbance the ticket has seen; the sweep looks again when it differs';

-- One ticket a cause. Only a false alarm that was cancelled makes room for another.
CREATE UNIQUE INDEX ticket_one_a_disturbance ON ticket (disturbance_id) WHERE status <> 'cancelled';
CREATE INDEX ticket_open ON ticket (due_at) WHERE status NOT IN ('closed', 'cancelled');
CREATE INDEX ticket_organisation ON ticket (organisation_id, opened_at DESC, id);

-- Append only: the application may not change or delete a row.
CREATE TABLE ticket_event (
  ticket_id text NOT NULL REFERENCES ticket,
  version integer NOT NULL,
  organisation_id text NOT NULL REFERENCES organisation,
  at timestamptz NOT NULL,
  event jsonb NOT NULL,
  PRIMARY KEY (ticket_id, version)
);

CREATE TABLE hub (
  id uuid PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  callback text NOT NULL,
  query text,
  created_at timestamptz NOT NULL
);
CREATE INDEX hub_organisation ON hub (organisation_id);

-- The outbox: written in the transaction that changed the ticket, delivered afterwards, at least once.
-- A receiver tells a repetition by eventId.
CREATE TABLE hub_delivery (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  hub_id uuid NOT NULL REFERENCES hub ON DELETE CASCADE,
  ticket_id text NOT NULL REFERENCES ticket,
  version integer NOT NULL,
  body jsonb NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL,
  delivered_at timestamptz,
  abandoned_at timestamptz,
  last_error text,
  UNIQUE (hub_id, ticket_id, version)
);
CREATE INDEX hub_delivery_waiting ON hub_delivery (hub_id, id) WHERE delivered_at IS NULL AND abandoned_at IS NULL;

DO $$
DECLARE walled text; resource text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['ticket', 'ticket_event', 'hub', 'hub_delivery'] LOOP
    resource := CASE walled WHEN 'hub_delivery' THEN 'hub' ELSE walled END;
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (kawal_may(%L, ''read'', organisation_id))', walled || '_read', walled, resource);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (kawal_may(%L, ''write'', organisation_id))', walled || '_insert', walled, resource);
  END LOOP;
  FOREACH walled IN ARRAY ARRAY['ticket', 'hub', 'hub_delivery'] LOOP
    resource := CASE walled WHEN 'hub_delivery' THEN 'hub' ELSE walled END;
    EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE USING (kawal_may(%L, ''write'', organisation_id))', walled || '_update', walled, resource);
  END LOOP;
END $$;
CREATE POLICY hub_delete ON hub FOR DELETE USING (kawal_may('hub', 'write', organisation_id));

GRANT SELECT, INSERT, UPDATE ON ticket TO kawal_app;
GRANT SELECT, INSERT ON ticket_event TO kawal_app;
GRANT SELECT, INSERT, DELETE ON hub TO kawal_app;
GRANT SELECT, INSERT, UPDATE ON hub_delivery TO kawal_app;
