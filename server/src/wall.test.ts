import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import pg from 'pg'
import { resources, roles, rules, type Resource, type Role } from '@kawal/core/organisation/rules.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'

const both = "unnest(ARRAY['indosat', 'telkomsel'])"

/** The table of each resource, and a row of it that belongs to an organisation. */
const rows: Readonly<Record<Resource, { table: string; owner: string; insert: (organisation: string) => string }>> = {
  report: { table: 'report', owner: 'operator_id', insert: (of) => `INSERT INTO report VALUES (1, ${of === 'telkomsel' ? 1 : 2}, '7501011001001', now(), now(), '${of}', '${of}', NULL, '{}')` },
  disturbance: { table: 'disturbance', owner: 'organisation_id', insert: (of) => `INSERT INTO disturbance VALUES ('d-${of}', '${of}', '{}', now(), NULL)` },
  ticket: { table: 'ticket', owner: 'organisation_id', insert: (of) => `INSERT INTO ticket VALUES ('t-${of}', '${of}', 'd-${of}', 'submitted', 1, '{}', now(), NULL, '')` },
  ticket_event: { table: 'ticket_event', owner: 'organisation_id', insert: (of) => `INSERT INTO ticket_event VALUES ('t-${of}', 1, '${of}', now(), '{}')` },
  hub: { table: 'hub', owner: 'organisation_id', insert: (of) => `INSERT INTO hub VALUES (gen_random_uuid(), '${of}', 'http://127.0.0.1/', NULL, now())` },
  access_point: { table: 'access_point', owner: 'organisation_id', insert: (of) => `INSERT INTO access_point (id, kind, name, source, valid_from, organisation_id) VALUES ('a-${of}', 'ai', 'a', 'test', '2024-01-01', '${of}')` },
  staff: { table: 'staff', owner: 'organisation_id', insert: (of) => `INSERT INTO staff VALUES ('00000000-0000-0000-0000-00000000000${of === 'telkomsel' ? 1 : 2}', '${of}', 'noc', 'a')` },
  login_link: { table: 'login_link', owner: 'organisation_id', insert: (of) => `INSERT INTO login_link VALUES (sha256('${of}'), '00000000-0000-0000-0000-00000000000${of === 'telkomsel' ? 1 : 2}', '${of}', now(), NULL)` },
  session: { table: 'session', owner: 'organisation_id', insert: (of) => `INSERT INTO session (token_sha256, staff_id, organisation_id, made_at, last_used_at, expires_at, way) VALUES (sha256('${of}'), '00000000-0000-0000-0000-00000000000${of === 'telkomsel' ? 1 : 2}', '${of}', now(), now(), now(), 'link')` },
  passkey: { table: 'passkey', owner: 'organisation_id', insert: (of) => `INSERT INTO passkey VALUES (gen_random_uuid(), gen_random_uuid()::text::bytea, '00000000-0000-0000-0000-00000000000${of === 'telkomsel' ? 1 : 2}', '${of}', (SELECT count(*) + 1 FROM passkey), 'a', '', 0, now())` },
  api_key: { table: 'api_key', owner: 'organisation_id', insert: (of) => `INSERT INTO api_key (key_sha256, organisation_id, role, created_at, slot) VALUES (sha256('${of}'), '${of}', 'noc', now(), 1)` },
  claim: { table: 'claim', owner: 'organisation_id', insert: (of) => `INSERT INTO claim (organisation_id, technology, valid_from, kind, complete, file, sha256, features, accepted, imported_at) VALUES ('${of}', 'lte', '2024-01-01', 'sites', true, 'a', '', 0, 0, now())` },
  atlas: { table: 'edition_column', owner: 'organisation_id', insert: (of) => `INSERT INTO edition_column VALUES ('0123456789ab', 'usable ${of}', '${of}', '', '')` },
  challenge: { table: 'challenge', owner: 'organisation_id', insert: (of) => `INSERT INTO challenge VALUES (gen_random_uuid(), '0123456789ab', '${of}', '${of}', 'lte', NULL, '7501011001001', 'covered', 'measured there', 'open', now())` },
  // of nobody in particular: whoever may read one row may read all
  plan: { table: 'plan', owner: both, insert: () => `INSERT INTO plan (made_at, valid_on, operators, config, summary) VALUES (now(), '2024-01-01', '{}', '{}', '{}')` },
  decision: { table: 'siting_decision', owner: both, insert: () => `INSERT INTO siting_decision (station_code, venue_id, decision, valid_from, decided_at, decided_by) VALUES ('7501011001001', '1', 'accepted', '2024-01-01', now(), 'kpu')` },
  // which phone reported what is the system's alone: not even the monitoring centre reads it
  officer_problem: { table: 'officer_problem', owner: both, insert: (of) => `INSERT INTO officer_problem VALUES (gen_random_uuid(), ${of === 'telkomsel' ? 1 : 2}, '2024-02-14', 1, 't-${of}', now())` },
  alarm: { table: 'alarm', owner: 'organisation_id', insert: (of) => `INSERT INTO alarm (organisation_id, source, external_id, severity, probable_cause, title, raised_at, changed_at, received_at, heard_at, turns, unplaced_reason, areas, points, stations, attributes) VALUES ('${of}', 'tmf642', gen_random_uuid()::text, 'major', 'powerProblem', 'a', now(), now(), now(), now(), 1, 'nothing_named', '{}', '[]', 0, '{}')` },
  planned_work: { table: 'planned_work', owner: 'organisation_id', insert: (of) => `INSERT INTO planned_work (organisation_id, title, from_at, to_at, areas, reason, announced_at, announced_by, version) VALUES ('${of}', 'a', now(), now() + interval '1 hour', '{750101}', 'a', now(), '${of}', 1)` },
  contact: { table: 'contact', owner: 'organisation_id', insert: (of) => `INSERT INTO contact (id, organisation_id, name, level, phone, created_at) VALUES (gen_random_uuid(), '${of}', 'Piket NOC', 1, '+628110000001', now())` },
  message: { table: 'notice', owner: 'organisation_id', insert: (of) => `INSERT INTO notice (organisation_id, call, group_key, alerts, at) VALUES ('${of}', '1', 'a', '[]', now())` },
  announcement: { table: 'announcement', owner: 'organisation_id', insert: (of) => `INSERT INTO announcement (organisation_id, title, body, audience, must_acknowledge, at, until) VALUES ('${of}', 'a', 'a', '{}', true, now(), now() + interval '1 hour')` },
  announcement_receipt: { table: 'announcement_receipt', owner: 'organisation_id', insert: (of) => `INSERT INTO announcement_receipt VALUES ((SELECT min(id) FROM announcement WHERE organisation_id = 'indosat'), '${of}', 'a', now())` },
  comment: { table: 'comment', owner: 'organisation_id', insert: (of) => `INSERT INTO comment (disturbance_id, organisation_id, name, at, body) VALUES ('d-${of}', '${of}', 'a', now(), 'a')` },
  push_subscription: { table: 'push_subscription', owner: 'organisation_id', insert: (of) => `INSERT INTO push_subscription VALUES (gen_random_uuid(), '${of}', '00000000-0000-0000-0000-00000000000${of === 'telkomsel' ? 1 : 2}', 'https://push.example/' || gen_random_uuid(), decode(repeat('04', 65), 'hex'), decode(repeat('00', 16), 'hex'), 'a', 'id', now())` },
  // not even its own organisation reads how it is proved who calls
  peer: { table: 'peer', owner: 'organisation_id', insert: (of) => `INSERT INTO peer (organisation_id, hub_id, url, version, proof) VALUES ('${of}', (SELECT max(id::text)::uuid FROM hub WHERE organisation_id = '${of}'), 'https://noc.example', 5, '')` },
  audit: { table: 'audit', owner: 'organisation_id', insert: (of) => `INSERT INTO audit (at, organisation_id, role, method, path) VALUES (now(), '${of}', 'noc', 'POST', '/')` },
  comparison: { table: 'comparison_count', owner: both, insert: (of) => `INSERT INTO comparison_count VALUES ('7501011001', '${of === 'telkomsel' ? 'ppwp' : 'dpr'}', 'agree', 1)` },
  supervisor_letter: { table: 'supervisor_letter', owner: 'organisation_id', insert: (of) => `INSERT INTO supervisor_letter (organisation_id, area, stations, issued_at) VALUES ('${of}', '7501', 1, now())` },
  recap: { table: 'ledger_checkpoint', owner: both, insert: (of) => `INSERT INTO ledger_checkpoint VALUES (${of === 'telkomsel' ? 1 : 2}, '')` },
  sample: { table: 'draw', owner: 'organisation_id', insert: (of) => `INSERT INTO draw (id, organisation_id, bytes, at) VALUES (sha256('${of}'), '${of}', '', now())` },
  witness: { table: 'ledger_witnessed', owner: both, insert: (of) => `INSERT INTO ledger_witnessed VALUES ('log', sha256(''), ${of === 'telkomsel' ? 1 : 2}, '', now())` },
  // what the platform hands out to everybody, its own routes read: no role of an organisation has a part in it
  android_package: { table: 'android_package', owner: both, insert: (of) => `INSERT INTO android_package VALUES (${of === 'telkomsel' ? 1 : 2}, '1', 'kawal.sinyal.sigmon', sha256('${of}'), sha256('${of}'), 24, 37, '{}', '${of}', now(), (SELECT min(id) FROM audit))` },
  segment: { table: 'segment', owner: both, insert: (of) => `INSERT INTO segment VALUES (${of === 'telkomsel' ? 1 : 2}, now(), now(), now(), 1, '')` },
  rollup: { table: 'rollup', owner: 'operator_id', insert: (of) => `INSERT INTO rollup VALUES (now(), now(), '${of}', '7501', '{7501011001001}', '{1}', '{1}', '{0}', '{0}', '{0}', '{50}', '{50}')` },
  radio_sample: { table: 'radio_sample', owner: 'organisation_id', insert: (of) => `INSERT INTO radio_sample (organisation_id, technology, at, latitude, longitude) VALUES ('${of}', 'lte', now(), 0, 120)` },
}
const organisations = ['telkomsel', 'indosat']
const inOrder: readonly Resource[] = ['staff', 'disturbance', 'ticket', 'ticket_event', 'report', 'hub', 'access_point', 'login_link', 'session', 'passkey', 'api_key', 'claim', 'radio_sample', 'atlas', 'challenge', 'plan', 'decision', 'officer_problem', 'alarm', 'planned_work', 'contact', 'message', 'audit', 'announcement', 'announcement_receipt', 'segment', 'rollup', 'comment', 'push_subscription', 'peer', 'recap', 'sample', 'witness', 'comparison', 'supervisor_letter', 'android_package']

const expected = (role: Role, resource: Resource, action: 'read' | 'write'): 'all' | 'own' | 'none' =>
  rules.find((rule) => rule.role === role && rule.resource === resource && rule.action === action)?.scope ?? 'none'

async function seeded(t: TestContext): Promise<TestDatabase> {
  const scratch = await withDatabase()
  t.after(() => scratch.close())
  const owner = new pg.Client({ connectionString: scratch.ownerUrl })
  await owner.connect()
  try {
    await owner.query("SELECT set_config('kawal.role', 'system', false), kawal_journal_partitions(now())")
    await owner.query(`INSERT INTO edition VALUES ('0123456789ab', repeat('0', 64), 'a', '2024-01-01', now(), '{}')`)
    for (const resource of inOrder) for (const organisation of organisations) await owner.query(rows[resource].insert(organisation))
  } finally {
    await owner.end()
  }
  return scratch
}

/** Reads and writes every resource as every role of one organisation; gives what differs from the rules. */
async function holes({ database }: TestDatabase): Promise<string[]> {
  const found: string[] = []
  for (const role of roles)
    for (const resource of resources) {
      const { table, owner } = rows[resource]
      const caller = { organisation: 'telkomsel', role }
      const seen = await database.transaction(caller, async (client) => (await client.query<{ owner: string }>(`SELECT ${owner} AS owner FROM ${table} ORDER BY 1`)).rows.map((row) => row.owner))
      const may = expected(role, resource, 'read')
      const right = may === 'all' ? ['indosat', 'telkomsel'] : may === 'own' ? ['telkomsel'] : []
      if (JSON.stringify([...new Set(seen)]) !== JSON.stringify(right)) found.push(`${role} reads of ${resource}: ${seen.join(' ') || 'nothing'}, should read: ${right.join(' ') || 'nothing'}`)
      if (expected(role, resource, 'write') === 'all') continue
      const wrote = await database.transaction(caller, async (client) => {
        await client.query(`SAVEPOINT before`)
        const done = await client.query(rows[resource].insert('indosat')).then(() => true, (error: unknown) => !/row-level security|permission denied/.test(String(error)))
        await client.query('ROLLBACK TO before')
        return done
      })
      if (wrote) found.push(`${role} of telkomsel wrote a ${resource} of indosat`)
    }
  return found
}

test('every resource as every role: what must be empty is empty, and nobody writes across', async (t) => {
  const scratch = await seeded(t)
  assert.deepEqual(await holes(scratch), [])
})

test('a planted hole is seen', async (t) => {
  const scratch = await seeded(t)
  const owner = new pg.Client({ connectionString: scratch.ownerUrl })
  await owner.connect()
  await owner.query('CREATE POLICY hole ON ticket FOR SELECT USING (true)')
  await owner.end()
  assert.ok((await holes(scratch)).some((hole) => hole.startsWith('noc reads of ticket')))
})

test('every table of organisations is behind forced row-level security, and the application owns nothing', async (t) => {
  const scratch = await withDatabase()
  t.after(() => scratch.close())
  const { rows: open } = await scratch.database.pool.query<{ relname: string }>(
    `SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
     WHERE attname IN ('organisation_id', 'operator_id') AND relkind = 'r' AND NOT (relrowsecurity AND relforcerowsecurity) AND relnamespace = 'public'::regnamespace
       AND relname NOT IN ('operator_code', 'network') AND relname NOT LIKE 'stage_%'`)
  assert.deepEqual(open.map((row) => row.relname), [])
  const { rows: owned } = await scratch.database.pool.query(`SELECT relname FROM pg_class WHERE relowner = 'kawal_app'::regrole`)
  assert.deepEqual(owned, [])
  const { rows: role } = await scratch.database.pool.query<{ rolsuper: boolean; rolbypassrls: boolean }>(`SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'kawal_app'`)
  assert.deepEqual(role, [{ rolsuper: false, rolbypassrls: false }])
})
