-- Phones that hold a key, and what the platform signs for them.

-- A phone's public key: 65 bytes of P-256 or 32 of Ed25519; null for a device that enrolled without one. The
-- same key at the same station is the same device, whoever asks at once; at another station it is another.
ALTER TABLE device ADD COLUMN public_key bytea CHECK (octet_length(public_key) IN (32, 65)), ADD UNIQUE (station_code, public_key);

-- Keys that configuration and packs are signed with; the owner makes the first when it migrates. One signs,
-- the others are still trusted: phones learn of a new key from a configuration that the old one signed.
CREATE TABLE sigmon_key (
  kid text PRIMARY KEY CHECK (kid ~ '^[0-9a-z]{16}$'),
  -- PKCS #8, DER
  private_key bytea NOT NULL,
  signs boolean NOT NULL,
  made_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX sigmon_key_signs ON sigmon_key (signs) WHERE signs;

-- Every configuration that was issued. A phone never goes back to a lower version, so neither may this table:
-- the application adds rows and changes none.
CREATE TABLE sigmon_config (
  version integer PRIMARY KEY CHECK (version > 0),
  content jsonb NOT NULL,
  issued_at timestamptz NOT NULL
);

-- The newest packs of each district, as they were signed: a delta is made from the one that a phone holds, also
-- after a restart. Made again from the registers when they are lost. An open one says nothing of any operator.
CREATE TABLE pack (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  district text COLLATE "C" NOT NULL CHECK (district ~ '^[0-9]{6}$'),
  open boolean NOT NULL,
  version text NOT NULL CHECK (version ~ '^[0-9a-f]{16}$'),
  made_at timestamptz NOT NULL,
  bytes bytea NOT NULL,
  UNIQUE (district, open, version)
);
ALTER TABLE pack ALTER COLUMN bytes SET STORAGE EXTERNAL; -- compressed already

GRANT SELECT ON sigmon_key TO kawal_app;
GRANT SELECT, INSERT ON sigmon_config TO kawal_app;
GRANT SELECT, INSERT, DELETE ON pack TO kawal_app;
