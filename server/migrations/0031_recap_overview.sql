-- What the console shows of recaps: counts by village, kept up to date beside whatever changes them, and the boxes at access points.
SELECT set_config('kawal.role', 'system', true);

-- A helpdesk sees recaps of its area. Asked once for a query, not for each of its rows.
CREATE FUNCTION kawal_helpdesk_area() RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT area_code FROM organisation WHERE id = current_setting('kawal.organisation', true) AND kind = 'helpdesk'
$$;
COMMENT ON FUNCTION kawal_helpdesk_area IS 'of the helpdesk that asks; null: not bounded by one';
ALTER POLICY recap_read ON recap USING ((SELECT kawal_may('recap', 'read', NULL)) AND ((SELECT kawal_helpdesk_area()) IS NULL OR starts_with(station_code, (SELECT kawal_helpdesk_area()))));

ALTER TABLE photo_list ADD COLUMN whole boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN photo_list.whole IS 'all photos that it names are here';
CREATE INDEX photo_place_photo ON photo_place (sha256, size);
CREATE POLICY photo_list_update ON photo_list FOR UPDATE USING (kawal_may('recap', 'write', NULL));
GRANT UPDATE (whole) ON photo_list TO kawal_app;
UPDATE photo_list SET whole = NOT EXISTS (SELECT FROM photo_place JOIN photo USING (sha256, size) WHERE list = hash AND kept_at IS NULL);

ALTER TABLE recap ADD COLUMN whole boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN recap.whole IS 'its photos are all here; said when its village is counted';
GRANT UPDATE (whole) ON recap TO kawal_app;
CREATE INDEX recap_photos ON recap (photos);
CREATE INDEX recap_replaces ON recap (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX recap_not_whole ON recap (entry) WHERE reason IS NULL AND NOT whole;
CREATE INDEX recap_placeless ON recap (entry) WHERE station_code IS NULL;
CREATE INDEX recap_village ON recap (left(station_code, 10));

-- Villages whose counts are to be made again: a line for each change, so that no two writers wait for each other, and none is lost that commits late.
CREATE TABLE recap_touched (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  village text NOT NULL
);
CREATE TABLE recap_count (
  village text COLLATE "C" NOT NULL,
  contest text NOT NULL,
  reason text NOT NULL,
  records integer NOT NULL,
  recorded integer NOT NULL,
  delivered integer NOT NULL,
  whole integer NOT NULL,
  conflicts integer NOT NULL,
  PRIMARY KEY (village, contest, reason)
);
COMMENT ON COLUMN recap_count.village IS 'code; empty for records that cannot be read';
COMMENT ON COLUMN recap_count.reason IS 'of quarantine; empty for what counts';
COMMENT ON COLUMN recap_count.recorded IS 'slots with a record that counts; then those of which every one is delivered, whose photos are all here, with several that nothing corrects';
CREATE INDEX recap_count_conflicts ON recap_count (village) WHERE conflicts > 0;

CREATE FUNCTION kawal_touch_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO recap_touched (village) SELECT DISTINCT coalesce(left(station_code, 10), '') FROM added;
  RETURN NULL;
END $$;
CREATE FUNCTION kawal_touch_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO recap_touched (village) SELECT DISTINCT coalesce(left(code, 10), '') FROM (VALUES (OLD.station_code), (NEW.station_code)) AS both_of (code);
  RETURN NULL;
END $$;
CREATE TRIGGER recap_added AFTER INSERT ON recap REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION kawal_touch_new();
-- What waits in quarantine is judged every minute, mostly with the same result.
CREATE TRIGGER recap_changed AFTER UPDATE OF reason, delivered, station_code ON recap FOR EACH ROW
  WHEN (OLD.reason IS DISTINCT FROM NEW.reason OR OLD.delivered <> NEW.delivered OR OLD.station_code IS DISTINCT FROM NEW.station_code) EXECUTE FUNCTION kawal_touch_changed();
INSERT INTO recap_touched (village) SELECT DISTINCT coalesce(left(station_code, 10), '') FROM recap;

-- What a box at an access point said last of what it still carries.
CREATE TABLE custody_box (
  device integer PRIMARY KEY REFERENCES device (key),
  station_code text NOT NULL,
  told_at timestamptz NOT NULL,
  clock_at timestamptz NOT NULL,
  origin text NOT NULL,
  key text NOT NULL,
  entries bigint NOT NULL,
  records integer NOT NULL,
  lists integer NOT NULL,
  photo_bytes bigint NOT NULL,
  oldest_at timestamptz
);
COMMENT ON COLUMN custody_box.device IS 'as which it is enrolled';
COMMENT ON COLUMN custody_box.told_at IS 'by the platform''s clock; clock_at is its own';
COMMENT ON COLUMN custody_box.records IS 'not carried yet, as the lists and bytes of photos';
COMMENT ON COLUMN custody_box.oldest_at IS 'when the oldest of these came in; null: nothing is left';

DO $$
DECLARE walled text; place text;
BEGIN
  FOR walled, place IN VALUES ('recap_count', 'village'), ('custody_box', 'station_code'), ('recap_touched', 'village') LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING ((SELECT kawal_may(''recap'', ''read'', NULL)) AND ((SELECT kawal_helpdesk_area()) IS NULL OR starts_with(%I, (SELECT kawal_helpdesk_area()))))', walled || '_read', walled, place);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK ((SELECT kawal_may(''recap'', ''write'', NULL)))', walled || '_insert', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE USING ((SELECT kawal_may(''recap'', ''write'', NULL)))', walled || '_update', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR DELETE USING ((SELECT kawal_may(''recap'', ''write'', NULL)))', walled || '_delete', walled);
  END LOOP;
END $$;
GRANT SELECT, INSERT, DELETE ON recap_touched, recap_count TO kawal_app;
GRANT SELECT, INSERT, UPDATE ON custody_box TO kawal_app;
