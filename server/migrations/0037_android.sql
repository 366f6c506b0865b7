-- Packages of Sigmon for Android that the platform hands out: in the database, so that every server on it hands out the same, from the moment of the command on.
SELECT set_config('kawal.role', 'system', true);

CREATE TABLE android_package (
  version_code integer PRIMARY KEY CHECK (version_code > 0),
  version_name text NOT NULL,
  application text NOT NULL,
  sha256 bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
  certificate bytea NOT NULL CHECK (octet_length(certificate) = 32),
  min_sdk integer NOT NULL,
  target_sdk integer NOT NULL,
  permissions text[] NOT NULL,
  content bytea NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 1048576 AND sha256(content) = sha256),
  published_at timestamptz NOT NULL,
  act bigint NOT NULL,
  withdrawn_at timestamptz
);
COMMENT ON TABLE android_package IS 'a versionCode stands for one file for ever: phones compare nothing else';
COMMENT ON COLUMN android_package.certificate IS 'SHA-256 of the certificate that signed it';
COMMENT ON COLUMN android_package.act IS 'of audit: by which it was published last; its entry in the log of acts is what phones show';

ALTER TABLE android_package ENABLE ROW LEVEL SECURITY;
ALTER TABLE android_package FORCE ROW LEVEL SECURITY;
CREATE POLICY android_package_read ON android_package FOR SELECT USING ((SELECT kawal_may('android_package', 'read', NULL)));
CREATE POLICY android_package_insert ON android_package FOR INSERT WITH CHECK ((SELECT kawal_may('android_package', 'write', NULL)));
CREATE POLICY android_package_update ON android_package FOR UPDATE USING ((SELECT kawal_may('android_package', 'write', NULL)));
-- What was published is never taken away, only handed out no more.
GRANT SELECT, INSERT, UPDATE (published_at, act, withdrawn_at) ON android_package TO kawal_app;
