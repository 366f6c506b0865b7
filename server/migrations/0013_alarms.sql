-- Alarms of operators' own systems, and the work that operators announce.

-- One alarm of one system, as it is now. `severity` is the last before it was cleared.
CREATE TABLE alarm (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  source text NOT NULL CHECK (source IN ('tmf642', 'alertmanager')),
  external_id text COLLATE "C" NOT NULL,
  severity text NOT NULL CHECK (severity IN ('critical', 'major', 'minor', 'warning', 'indeterminate')),
  probable_cause text NOT NULL,
  suggests text,
  title text NOT NULL,
  object text,
  raised_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  cleared_at timestamptz,
  received_at timestamptz NOT NULL,
  heard_at timestamptz NOT NULL,
  raised_count integer NOT NULL DEFAULT 1 CHECK (raised_count > 0),
  turns integer NOT NULL CHECK (turns > 0),
  placed_by text CHECK (placed_by IN ('station', 'cell', 'site', 'access_point', 'point', 'area')),
  unplaced_reason text CHECK ((unplaced_reason IS NULL) = (placed_by IS NOT NULL)),
  areas text[] COLLATE "C" NOT NULL,
  points jsonb NOT NULL,
  stations integer NOT NULL,
  attributes jsonb NOT NULL,
  UNIQUE (organisation_id, source, external_id)
);
COMMENT ON COLUMN alarm.changed_at IS 'by the clock of the system that sent it: what is older than this comes too late';
COMMENT ON COLUMN alarm.heard_at IS 'by ours: of the last message that changed it';
COMMENT ON COLUMN alarm.turns IS 'how many rows alarm_turn has of it';
COMMENT ON COLUMN alarm.attributes IS 'what its system said of it, in the words of TMF642';
CREATE INDEX alarm_newest ON alarm (changed_at DESC, id DESC);
CREATE INDEX alarm_organisation ON alarm (organisation_id, changed_at DESC, id DESC);
CREATE INDEX alarm_active ON alarm (raised_at) WHERE cleared_at IS NULL;

-- Every message that changed an alarm, as it came. Append only; what changed nothing is not kept.
CREATE TABLE alarm_turn (
  alarm_id bigint NOT NULL REFERENCES alarm,
  number integer NOT NULL,
  organisation_id text NOT NULL REFERENCES organisation,
  at timestamptz NOT NULL,
  kind text NOT NULL CHECK (kind IN ('raised', 'changed', 'cleared', 'raised_again', 'acknowledged', 'unacknowledged', 'commented')),
  message text NOT NULL,
  PRIMARY KEY (alarm_id, number)
);

-- What could not be understood, so that its sender can see it: the newest thousand of an organisation.
CREATE TABLE alarm_refusal (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  source text NOT NULL,
  at timestamptz NOT NULL,
  reason text NOT NULL,
  message text NOT NULL
);
CREATE INDEX alarm_refusal_organisation ON alarm_refusal (organisation_id, id);

-- What was done to several alarms at once, by the task resources of TMF642.
CREATE TABLE alarm_task (
  id uuid PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  kind text NOT NULL CHECK (kind IN ('ackAlarms', 'unAckAlarms', 'clearAlarms', 'commentAlarms')),
  at timestamptz NOT NULL,
  task jsonb NOT NULL
);
CREATE INDEX alarm_task_organisation ON alarm_task (organisation_id, kind, at DESC);

-- Announced work. Withdrawn it stays, and counts no more.
CREATE TABLE planned_work (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organisation_id text NOT NULL REFERENCES organisation,
  title text NOT NULL,
  from_at timestamptz NOT NULL,
  to_at timestamptz NOT NULL CHECK (to_at > from_at),
  areas text[] COLLATE "C" NOT NULL CHECK (cardinality(areas) > 0),
  reason text NOT NULL,
  announced_at timestamptz NOT NULL,
  announced_by text NOT NULL REFERENCES organisation,
  withdrawn_at timestamptz,
  version integer NOT NULL CHECK (version > 0)
);
CREATE INDEX planned_work_time ON planned_work (to_at, organisation_id) WHERE withdrawn_at IS NULL;
CREATE INDEX planned_work_organisation ON planned_work (organisation_id, from_at DESC, id DESC);

-- Append only: what was announced when, and by whom.
CREATE TABLE planned_work_turn (
  planned_work_id bigint NOT NULL REFERENCES planned_work,
  version integer NOT NULL,
  organisation_id text NOT NULL REFERENCES organisation,
  at timestamptz NOT NULL,
  by text NOT NULL REFERENCES organisation,
  kind text NOT NULL CHECK (kind IN ('announced', 'changed', 'withdrawn')),
  title text NOT NULL,
  from_at timestamptz NOT NULL,
  to_at timestamptz NOT NULL,
  areas text[] COLLATE "C" NOT NULL,
  reason text NOT NULL,
  PRIMARY KEY (planned_work_id, version)
);

-- Sites of the atlas are found by the number of a cell, and LTE's by that of its eNodeB (3GPP TS 36.413: the upper 20 of 28 bits).
CREATE INDEX cell_site_cell ON cell_site (cell);
CREATE INDEX cell_site_node ON cell_site ((cell >> 8));

DO $$
DECLARE walled text; resource text; may text;
BEGIN
  FOREACH walled IN ARRAY ARRAY['alarm', 'alarm_turn', 'alarm_refusal', 'alarm_task', 'planned_work', 'planned_work_turn'] LOOP
    resource := CASE WHEN walled LIKE 'planned_work%' THEN 'planned_work' ELSE 'alarm' END;
    -- asked once for a query, not for each of a hundred thousand rows
    may := '(SELECT kawal_may(%1$L, %2$L, NULL)) OR (organisation_id = current_setting(''kawal.organisation'', true) AND (SELECT kawal_may(%1$L, %2$L, current_setting(''kawal.organisation'', true))))';
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (%s)', walled || '_read', walled, format(may, resource, 'read'));
    EXECUTE format('CREATE POLICY %I ON %I FOR INSERT WITH CHECK (%s)', walled || '_insert', walled, format(may, resource, 'write'));
    IF walled IN ('alarm', 'planned_work') THEN
      EXECUTE format('CREATE POLICY %I ON %I FOR UPDATE USING (%s)', walled || '_update', walled, format(may, resource, 'write'));
    END IF;
    IF walled = 'alarm_refusal' THEN
      EXECUTE format('CREATE POLICY %I ON %I FOR DELETE USING (%s)', walled || '_delete', walled, format(may, resource, 'write'));
    END IF;
  END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE ON alarm, planned_work TO kawal_app;
GRANT SELECT, INSERT ON alarm_turn, alarm_task, planned_work_turn TO kawal_app;
GRANT SELECT, INSERT, DELETE ON alarm_refusal TO kawal_app;
