-- The log of acts (spec/acts.md): the tables of the ledger once more. What the audit holds goes into it, each row by a commitment that its salt opens.

CREATE TABLE act_log_entry (LIKE ledger_entry INCLUDING ALL);
CREATE TABLE act_log_tile (LIKE ledger_tile INCLUDING ALL);
CREATE TABLE act_log_checkpoint (LIKE ledger_checkpoint INCLUDING ALL);
COMMENT ON TABLE act_log_checkpoint IS 'each that was shown: the proof of an act is in the first one that holds it';

-- An owner that is no superuser is held by the forced walls too.
SELECT set_config('kawal.role', 'system', true);

-- 244 random bits: a name or an address is guessed, and this with it is not.
ALTER TABLE audit
  ADD COLUMN facts jsonb,
  ADD COLUMN salt bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) CHECK (octet_length(salt) = 32),
  ADD COLUMN entry bigint UNIQUE REFERENCES act_log_entry;
COMMENT ON COLUMN audit.facts IS 'what everybody may know of it beside its words: areas and times, a status, settings (core/act/deed.ts)';
COMMENT ON COLUMN audit.entry IS 'where the log of acts says it; null: not yet';
ALTER TABLE audit_outcome
  ADD COLUMN salt bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) CHECK (octet_length(salt) = 32),
  ADD COLUMN entry bigint UNIQUE REFERENCES act_log_entry;
CREATE INDEX audit_unentered ON audit (id) WHERE entry IS NULL;
CREATE INDEX audit_outcome_unentered ON audit_outcome (audit_id) WHERE entry IS NULL;
CREATE INDEX audit_start ON audit (id) WHERE method = 'CLI' AND path LIKE 'serve%';

-- The application says where an act went, once, and changes nothing else of it.
CREATE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'an act stays where it went in the log' USING ERRCODE = 'check_violation';
END $$;
DO $$
DECLARE walled text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['audit', 'audit_outcome'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OF entry ON %I FOR EACH ROW WHEN (OLD.entry IS NOT NULL) EXECUTE FUNCTION audit_entry_stays()', walled || '_entered', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE USING (kawal_may(''audit'', ''write'', organisation_id))', walled || '_update', walled);
    EXECUTE format('GRANT UPDATE (entry) ON %I TO kawal_app', walled);
  END LOOP;
  FOREACH walled IN ARRAY ARRAY['act_log_entry', 'act_log_tile', 'act_log_checkpoint'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING ((SELECT kawal_may(''audit'', ''write'', NULL)))', walled || '_read', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (kawal_may(''audit'', ''write'', NULL))', walled || '_insert', walled);
  END LOOP;
END $$;
GRANT SELECT, INSERT ON act_log_entry, act_log_tile, act_log_checkpoint TO kawal_app; -- append only
