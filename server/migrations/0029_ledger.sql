-- The ledger (spec/ledger.md): entries as they came, and the tiles that are full. What is at the right edge is made from these.
-- Nothing is ever changed or taken out: the application may only add.

CREATE TABLE ledger_entry (
  index bigint PRIMARY KEY CHECK (index >= 0),
  name bytea NOT NULL UNIQUE CHECK (octet_length(name) = 32),
  kind smallint NOT NULL,
  bytes bytea NOT NULL CHECK (octet_length(bytes) <= 65535),
  at timestamptz NOT NULL,
  carrier integer,
  key bytea CHECK (octet_length(key) IN (32, 65))
);
COMMENT ON COLUMN ledger_entry.name IS 'of a recap SHA-256 of its envelope, of others that of the entry: the same again is the same entry';
COMMENT ON COLUMN ledger_entry.carrier IS 'key of the device that handed it in, which need not be the one that made it';
COMMENT ON COLUMN ledger_entry.key IS 'public key that was sent beside, where nobody had enrolled the one that signed';
-- Signatures and hashes do not get smaller.
ALTER TABLE ledger_entry ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE ledger_tile (
  level smallint NOT NULL CHECK (level BETWEEN 0 AND 6),
  index bigint NOT NULL CHECK (index >= 0),
  bytes bytea NOT NULL CHECK (octet_length(bytes) = 8192),
  PRIMARY KEY (level, index)
);
ALTER TABLE ledger_tile ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE ledger_checkpoint (
  size bigint PRIMARY KEY CHECK (size >= 0),
  note text NOT NULL
);
COMMENT ON TABLE ledger_checkpoint IS 'each that was shown: the receipt of an entry is its proof in the first one that holds it';

-- A device's key is named in envelopes by the beginning of its COSE thumbprint (RFC 9679; core/recap/cose.ts makes the same).
ALTER TABLE device
  ADD COLUMN kid bytea GENERATED ALWAYS AS (substring(sha256(CASE octet_length(public_key)
    WHEN 32 THEN '\xa301012006215820'::bytea || public_key
    WHEN 65 THEN '\xa401022001215820'::bytea || substring(public_key FROM 2 FOR 32) || '\x225820'::bytea || substring(public_key FROM 34)
  END) FOR 8)) STORED,
  ADD COLUMN entry bigint REFERENCES ledger_entry,
  ADD COLUMN revoked_at timestamptz,
  ADD COLUMN revoked_reason text CHECK (char_length(revoked_reason) BETWEEN 1 AND 200),
  ADD COLUMN revocation_entry bigint REFERENCES ledger_entry,
  ADD CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL));
COMMENT ON COLUMN device.entry IS 'where the ledger says that it was enrolled; null: not yet';
COMMENT ON COLUMN device.revoked_at IS 'since when its key counts no more: what comes signed with it goes to quarantine';
CREATE INDEX device_kid ON device (kid) WHERE kid IS NOT NULL;
CREATE INDEX device_unentered ON device (key) WHERE public_key IS NOT NULL AND entry IS NULL;
CREATE INDEX device_revoked ON device (key) WHERE revoked_at IS NOT NULL AND revocation_entry IS NULL;
CREATE POLICY device_update ON device FOR UPDATE USING (current_setting('kawal.role', true) = 'system');
GRANT UPDATE (entry, revoked_at, revoked_reason, revocation_entry) ON device TO kawal_app;

-- What each record came to, made from the ledger and made again whenever what it is judged by changes.
CREATE TABLE recap (
  hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
  entry bigint NOT NULL UNIQUE REFERENCES ledger_entry,
  station_code text,
  contest text,
  device integer,
  sequence integer,
  made_at timestamptz,
  replaces bytea,
  photos bytea,
  reason text,
  detail text,
  judged_at timestamptz NOT NULL,
  delivered boolean NOT NULL DEFAULT false,
  tries integer NOT NULL DEFAULT 0,
  next_try_at timestamptz,
  CHECK ((reason IS NULL) = (detail IS NULL)),
  CHECK (reason IS NOT NULL OR (station_code IS NOT NULL AND contest IS NOT NULL AND device IS NOT NULL))
);
COMMENT ON COLUMN recap.next_try_at IS 'when it is handed to the receiver again, which did not take it; null: at once';
COMMENT ON COLUMN recap.reason IS 'why it is in quarantine; null: it counts';
CREATE INDEX recap_slot ON recap (station_code, contest);
CREATE INDEX recap_undelivered ON recap (entry) WHERE reason IS NULL AND NOT delivered;
CREATE INDEX recap_quarantined ON recap (entry) WHERE reason IS NOT NULL;

DO $$
DECLARE walled text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['ledger_entry', 'ledger_tile', 'ledger_checkpoint', 'recap'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING ((SELECT kawal_may(''recap'', ''read'', NULL)))', walled || '_read', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (kawal_may(''recap'', ''write'', NULL))', walled || '_insert', walled);
  END LOOP;
END $$;
CREATE POLICY recap_update ON recap FOR UPDATE USING (kawal_may('recap', 'write', NULL));

GRANT SELECT, INSERT ON ledger_entry, ledger_tile, ledger_checkpoint, recap TO kawal_app;
GRANT UPDATE (station_code, contest, device, sequence, made_at, replaces, photos, reason, detail, judged_at, delivered, tries, next_try_at) ON recap TO kawal_app;

-- What the receiver answered, as it came: its hash is an entry of the ledger.
CREATE TABLE delivery (
  hash bytea PRIMARY KEY REFERENCES recap,
  status smallint NOT NULL,
  answer bytea NOT NULL CHECK (octet_length(answer) <= 65536),
  at timestamptz NOT NULL,
  entry bigint REFERENCES ledger_entry
);
CREATE INDEX delivery_unentered ON delivery (at) WHERE entry IS NULL;
ALTER TABLE delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery FORCE ROW LEVEL SECURITY;
CREATE POLICY delivery_read ON delivery FOR SELECT USING ((SELECT kawal_may('recap', 'read', NULL)));
CREATE POLICY delivery_insert ON delivery FOR INSERT WITH CHECK (kawal_may('recap', 'write', NULL));
CREATE POLICY delivery_update ON delivery FOR UPDATE USING (kawal_may('recap', 'write', NULL));
GRANT SELECT, INSERT, UPDATE (entry) ON delivery TO kawal_app;

-- Photos of forms: a record holds the hash of a list, the list the hash of each photo, and the file is named by its hash.
CREATE TABLE photo_list (
  hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
  bytes bytea NOT NULL,
  received_at timestamptz NOT NULL
);
CREATE TABLE photo (
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  size integer NOT NULL CHECK (size BETWEEN 1 AND 50000000),
  kept_at timestamptz,
  PRIMARY KEY (sha256, size)
);
COMMENT ON COLUMN photo.kept_at IS 'since when the whole of it is on disk, and is what its hash says; null: not yet';
CREATE TABLE photo_place (
  list bytea NOT NULL REFERENCES photo_list,
  page smallint NOT NULL,
  shot smallint NOT NULL,
  kind smallint NOT NULL,
  sha256 bytea NOT NULL,
  size integer NOT NULL,
  PRIMARY KEY (list, page, shot, kind),
  FOREIGN KEY (sha256, size) REFERENCES photo
);

DO $$
DECLARE walled text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['photo_list', 'photo', 'photo_place'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING ((SELECT kawal_may(''recap'', ''read'', NULL)))', walled || '_read', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (kawal_may(''recap'', ''write'', NULL))', walled || '_insert', walled);
  END LOOP;
END $$;
CREATE POLICY photo_update ON photo FOR UPDATE USING (kawal_may('recap', 'write', NULL));
GRANT SELECT, INSERT ON photo_list, photo, photo_place TO kawal_app;
GRANT UPDATE (kept_at) ON photo TO kawal_app;
