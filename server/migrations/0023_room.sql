-- The room: what people say of a disturbance beside what was measured, and whose phones and desktops buzz.

-- Append only. Whose a disturbance is may change while it goes on: who sees it now sees all that was said of it.
CREATE TABLE comment (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  disturbance_id text NOT NULL REFERENCES disturbance,
  organisation_id text NOT NULL REFERENCES organisation,
  name text NOT NULL CHECK (char_length(name) <= 200),
  at timestamptz NOT NULL,
  body text NOT NULL CHECK (char_length(body) <= 2000),
  file_name text,
  file_type text,
  file_sha256 bytea,
  file_content bytea CHECK (octet_length(file_content) BETWEEN 1 AND 5242880),
  CHECK (num_nulls(file_name, file_type, file_sha256, file_content) IN (0, 4)),
  CHECK (body <> '' OR file_name IS NOT NULL)
);
COMMENT ON COLUMN comment.organisation_id IS 'who says it; who sees it is decided by the disturbance';
COMMENT ON COLUMN comment.name IS 'of the person, or the id of the API key';
ALTER TABLE comment ALTER COLUMN file_content SET STORAGE EXTERNAL; -- photos are compressed already
CREATE INDEX comment_disturbance ON comment (disturbance_id, id);

ALTER TABLE comment ENABLE ROW LEVEL SECURITY;
ALTER TABLE comment FORCE ROW LEVEL SECURITY;
CREATE POLICY comment_read ON comment FOR SELECT USING (EXISTS (SELECT FROM disturbance WHERE disturbance.id = disturbance_id AND kawal_may('comment', 'read', disturbance.organisation_id)));
CREATE POLICY comment_insert ON comment FOR INSERT WITH CHECK (organisation_id = current_setting('kawal.organisation', true)
  AND EXISTS (SELECT FROM disturbance WHERE disturbance.id = disturbance_id AND kawal_may('comment', 'write', disturbance.organisation_id)));
GRANT SELECT, INSERT ON comment TO kawal_app;

-- What push services know this deployment by (RFC 8292): one pair of P-256, in base64url, made by the owner when it migrates.
CREATE TABLE push_key (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  public_key text NOT NULL CHECK (char_length(public_key) = 87),
  private_key text NOT NULL CHECK (char_length(private_key) = 43),
  made_at timestamptz NOT NULL
);
ALTER TABLE push_key ENABLE ROW LEVEL SECURITY; -- not forced: it is the owner who makes the pair
-- An owner of nobody: only who may read everybody's subscriptions reads it, and that is the system alone.
CREATE POLICY push_key_read ON push_key FOR SELECT USING (kawal_may('push_subscription', 'read', NULL));
GRANT SELECT ON push_key TO kawal_app;

-- Browsers of people that are pushed to (RFC 8030). One browser is one person's: whoever subscribes there last.
CREATE TABLE push_subscription (
  id uuid PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  staff_id uuid NOT NULL REFERENCES staff ON DELETE CASCADE,
  endpoint text NOT NULL UNIQUE CHECK (char_length(endpoint) <= 2000),
  p256dh bytea NOT NULL CHECK (octet_length(p256dh) = 65),
  auth bytea NOT NULL CHECK (octet_length(auth) = 16),
  label text NOT NULL CHECK (char_length(label) BETWEEN 1 AND 100),
  language text NOT NULL CHECK (language IN ('id', 'en')),
  made_at timestamptz NOT NULL,
  failed_at timestamptz
);
COMMENT ON COLUMN push_subscription.p256dh IS 'the browser''s public key, and auth its secret: RFC 8291';
COMMENT ON COLUMN push_subscription.failed_at IS 'when the push service refused last, or did not answer; null since it took one';
CREATE INDEX push_subscription_organisation ON push_subscription (organisation_id, staff_id);

ALTER TABLE push_subscription ENABLE ROW LEVEL SECURITY;
ALTER TABLE push_subscription FORCE ROW LEVEL SECURITY;
CREATE POLICY push_subscription_read ON push_subscription FOR SELECT USING (kawal_may('push_subscription', 'read', organisation_id));
CREATE POLICY push_subscription_insert ON push_subscription FOR INSERT WITH CHECK (kawal_may('push_subscription', 'write', organisation_id));
CREATE POLICY push_subscription_update ON push_subscription FOR UPDATE USING (kawal_may('push_subscription', 'write', organisation_id));
CREATE POLICY push_subscription_delete ON push_subscription FOR DELETE USING (kawal_may('push_subscription', 'write', organisation_id));
GRANT SELECT, INSERT, DELETE, UPDATE (failed_at) ON push_subscription TO kawal_app;

-- An announcement that must be acknowledged is told once, by a notice of its own.
ALTER TABLE notice DROP CONSTRAINT notice_call_check, ADD CONSTRAINT notice_call_check CHECK (call IN ('1', '2', '3', '4', '5', 'watch', 'announcement'));
CREATE UNIQUE INDEX notice_announcement_once ON notice (group_key) WHERE call = 'announcement';
