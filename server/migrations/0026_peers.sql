-- Ticket systems of organisations that are called by TMF621, and what each of them has of our tickets.

CREATE TABLE peer (
  organisation_id text PRIMARY KEY REFERENCES organisation,
  hub_id uuid NOT NULL UNIQUE REFERENCES hub ON DELETE CASCADE,
  url text NOT NULL,
  version smallint NOT NULL CHECK (version IN (4, 5)),
  proof bytea NOT NULL,
  callback text,
  listener text,
  listening_asked_at timestamptz,
  heard_at timestamptz,
  succeeded_at timestamptz,
  failing_since timestamptz,
  last_error text,
  CHECK ((callback IS NULL) = (listener IS NULL))
);
COMMENT ON COLUMN peer.hub_id IS 'its place in the outbox: what tells it of a ticket waits there as what goes to any listener does';
COMMENT ON COLUMN peer.proof IS 'how it is proved who asks, sealed with a key made from the deployment secret';
COMMENT ON COLUMN peer.listener IS 'id of our listener there, which posts to callback; null: it is asked every minute';
COMMENT ON COLUMN peer.failing_since IS 'since when it has not answered; null while it does';

CREATE TABLE peer_ticket (
  organisation_id text NOT NULL REFERENCES peer ON DELETE CASCADE,
  ticket_id text NOT NULL REFERENCES ticket,
  their_id text,
  version integer NOT NULL DEFAULT 0,
  state jsonb NOT NULL,
  failing_since timestamptz,
  last_error text,
  PRIMARY KEY (organisation_id, ticket_id),
  -- a ticket of theirs is one ticket of ours
  UNIQUE (organisation_id, their_id)
);
COMMENT ON COLUMN peer_ticket.version IS 'of our ticket, up to which they have been told';
COMMENT ON COLUMN peer_ticket.state IS 'what they said last, and what they were told last';
COMMENT ON COLUMN peer_ticket.failing_since IS 'since when they refuse it; null while they do not';

DO $$
DECLARE walled text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['peer', 'peer_ticket'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (kawal_may(''peer'', ''read'', organisation_id))', walled || '_read', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (kawal_may(''peer'', ''write'', organisation_id))', walled || '_insert', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE USING (kawal_may(''peer'', ''write'', organisation_id))', walled || '_update', walled);
  END LOOP;
END $$;

-- A peer goes with its row in hub.
GRANT SELECT, INSERT, UPDATE (version, proof, callback, listener, listening_asked_at, heard_at, succeeded_at, failing_since, last_error) ON peer TO kawal_app;
GRANT SELECT, INSERT, UPDATE (their_id, version, state, failing_since, last_error) ON peer_ticket TO kawal_app;
