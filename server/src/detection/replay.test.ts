import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import pino from 'pino'
import { isOngoing } from '@kawal/core/detection/disturbance.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { makeWorld, worldDefaults, type World } from '@kawal/core/rehearsal/nation.ts'
import { worldOperators, type WorldPlace } from '@kawal/core/rehearsal/nation-ground.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { addressOf, enrolWorld, importBlocks, sampleOf } from '@kawal/testkit/world-phones.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { startApp, type App } from '../app.ts'
import { createDraft, encodeSegment } from '../journal/segment.ts'
import { deploymentSecret } from '../measurement/enrolment.ts'
import { addApiKey } from '../organisation/sessions.ts'
import { loadMonitorStations, loadOrganisations } from '../register/lookup.ts'
import { steppedClock } from '../rehearsal/clock.ts'
import { loadSynthetic } from '../register/synthetic.ts'
import { firstDifference, readRecordedTurns, RecordIncomplete, replay, type ReplayedTurn } from './replay.ts'

const program = join(import.meta.dirname, '../cli/kawal.ts')
const start = Date.UTC(2029, 1, 14, 0)
const province = '75'
const sweep_ms = 30_000
const villages = 60
const hours = 4
const end = start + hours * 60 * minute_ms
const clock = steppedClock(start)

let kit: TestDatabase
let owner: pg.Pool
let app: App
let world: World
let codes: string[]
let tokens: string[]
const keys: Record<string, string> = {}
/** When the server was started again, and what was ongoing then. */
const again: { at: number; ongoing: number }[] = []

const serve = (): Promise<App> => startApp({ ownerUrl: kit.ownerUrl, appPassword: 'test', clock, host: '127.0.0.1', port: 0, rehearsal: false, province, trustProxy: ['127.0.0.1'], log: pino({ level: 'error' }, pino.destination(2)) })

before(async () => {
  kit = await withDatabase()
  owner = new pg.Pool({ connectionString: kit.ownerUrl, max: 2 })
  await loadSynthetic(owner, province, 1)
  await importBlocks(owner)
  const { rows } = await owner.query<WorldPlace & { codes: string[] }>(
    `SELECT village_code AS code, avg(latitude) AS latitude, avg(longitude) AS longitude, count(*)::int AS stations, array_agg(code ORDER BY code) AS codes FROM station_now GROUP BY 1 ORDER BY 1 LIMIT ${villages}`)
  codes = rows.flatMap((row) => row.codes)
  world = makeWorld(rows, { ...worldDefaults, seed: 3, startAt_s: start / 1000, hours, onDutyShare: 0.4, faults: 14, serverFailures: 1, ingestFailures: 1, crowds: 1 })
  tokens = await enrolWorld(owner, await deploymentSecret(kit.database), world, codes)
  app = await serve()
  for (const organisation of ['telkomsel', 'komdigi']) keys[organisation] = await addApiKey(app.database, organisation, start)
  await live()
  await app.stop()
})
after(async () => {
  await owner.end()
  await kit.close()
})

async function post(path: string, body: unknown, as: string): Promise<void> {
  const answer = await fetch(app.url + path, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${keys[as] ?? as}` }, body: JSON.stringify(body) })
  assert.ok(answer.ok, `${path} ${answer.status} ${await answer.text()}`)
}

async function send(device: number, samples: readonly unknown[]): Promise<void> {
  const station = codes[world.station[device] ?? -1]
  const answer = await fetch(`${app.url}/v1/reports`, {
    method: 'POST', body: JSON.stringify({ station, samples }),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens[device]}`, 'x-forwarded-for': addressOf(worldOperators[world.operator[device] ?? -1] ?? '') },
  })
  const receipt = (await answer.json()) as { accepted: number }
  assert.equal(receipt.accepted, samples.length, JSON.stringify(receipt))
}

/** The hours, 30 s at a time; the operator announces work, tells of a fault, and the server is started again twice. */
async function live(): Promise<void> {
  const sequences = new Int32Array(world.devices)
  const ours = world.faults.filter(({ kind, operator }) => operator === 0 && kind !== 'congestion')
  const [worked, alarmed] = [ours[0], ours[1]]
  assert.ok(worked !== undefined && alarmed !== undefined)
  const areas = [...worked.places].map((place) => (codes[world.stationStart[place] ?? 0] ?? '').slice(0, 10))
  await post('/v1/planned-work', { title: 'Ganti antena', reason: 'Antena baru', from: new Date(worked.startAt_s * 1000 - minute_ms).toISOString(), to: new Date(worked.endAt_s * 1000).toISOString(), areas }, 'telkomsel')
  const restarts = [start + 95 * minute_ms, start + 170 * minute_ms]
  for (let now = start + sweep_ms; now <= end; now += sweep_ms) {
    clock.set(now)
    const batches = new Map<number, unknown[]>()
    world.advance(now / 1000, (device, eventAt_s, _, dueAt_s, bits) => {
      const samples = batches.get(device) ?? []
      batches.set(device, samples)
      samples.push(sampleOf({ sequence: (sequences[device] = (sequences[device] ?? 0) + 1), operator: world.operator[device] ?? 0, eventAt_s, dueAt_s, bits }))
    })
    await Promise.all([...batches].map(([device, samples]) => send(device, samples)))
    if (now === Math.ceil((alarmed.startAt_s * 1000 + 2 * minute_ms) / sweep_ms) * sweep_ms) await raise(alarmed.stations, now)
    await app.sweep(now)
    if (!restarts.includes(now)) continue
    again.push({ at: now + 10_000, ongoing: app.monitor.found().filter(({ stage }) => isOngoing(stage)).length })
    await app.stop()
    clock.set(now + 10_000)
    app = await serve()
  }
}

async function raise(stations: Int32Array, now: number): Promise<void> {
  await post('/tmf-api/alarmManagement/v4/alarm', {
    externalAlarmId: 'oss-1', alarmType: 'communicationsAlarm', perceivedSeverity: 'critical', probableCause: 'lossOfSignal', alarmedObject: { id: 'cell-1' }, alarmedObjectType: 'Cell', sourceSystemId: 'oss', state: 'raised',
    alarmRaisedTime: new Date(now).toISOString(), place: [...stations].slice(0, 50).map((station) => ({ id: codes[station], '@type': 'station' })),
  }, 'telkomsel')
}

/** What a query brings, changed on the way: a planted bug. */
type Rows = readonly Record<string, unknown>[]
function spoiled(change: (sql: string, rows: Rows) => Rows): Database {
  const { database } = kit
  return Object.assign(Object.create(database) as Database, {
    transaction: <T>(caller: Caller, work: (client: pg.PoolClient) => Promise<T>) => database.transaction(caller, (client) => work(Object.assign(Object.create(client) as pg.PoolClient, {
      query: async (sql: string, values: unknown[]) => {
        const found = await client.query<Record<string, unknown>>(sql, values)
        return { ...found, rows: change(sql, found.rows) }
      },
    }))),
  })
}

async function replayed(from: number, to: number, database = kit.database, told: string[] = []): Promise<ReplayedTurn[]> {
  const [stations, organisations] = await Promise.all([loadMonitorStations(kit.database, province), loadOrganisations(kit.database)])
  const turns: ReplayedTurn[] = []
  for await (const turn of replay(database, { stations, organisations, areaName: (code) => code, from, to, told: (remark) => told.push(remark) })) turns.push(turn)
  return turns
}
const recorded = (from: number, to: number): Promise<ReplayedTurn[]> => readRecordedTurns(kit.database, from, to)

test('hours with faults, an alarm, planned work and two restarts are replayed as they were, turn for turn', async () => {
  const told: string[] = []
  const [ours, theirs] = [await replayed(start, end + 1, kit.database, told), await recorded(start, end + 1)]
  const kinds = new Set(theirs.map(({ turn }) => turn))
  assert.ok(theirs.length >= 20, `${theirs.length} turns`)
  for (const turn of ['suspected', 'confirmed', 'attributed', 'recovering', 'ended', 'alarm', 'held'] as const) assert.ok(kinds.has(turn), `no turn ${turn} among ${[...kinds].join(', ')}`)
  const causes = new Set(theirs.map(({ state }) => state['cause']))
  for (const cause of ['power', 'election_server']) assert.ok(causes.has(cause), `nothing of ${cause} among ${[...causes].join(', ')}`)
  assert.ok(again.length === 2 && again.every(({ ongoing }) => ongoing > 0), 'something was ongoing at each restart')
  const [run] = theirs.map(({ id }) => id.split('-')[0])
  const last = again[1]?.at ?? end
  assert.ok(theirs.some(({ id, at }) => at >= (again[0]?.at ?? end) && id.startsWith(`${run}-`)), 'something went on under its id after a restart')
  assert.ok(theirs.some(({ id }) => id.startsWith(`${last.toString(36)}-`)), 'something was found after the last restart')
  assert.equal(firstDifference(ours, theirs), null)
  assert.deepEqual(told, [])
})

test('a stretch that begins in the middle, after a restart with something ongoing, is a part of the whole', async () => {
  const from = (again[1]?.at ?? end) + 5 * minute_ms
  const to = from + 30 * minute_ms
  const [ours, theirs] = [await replayed(from, to), await recorded(from, to)]
  assert.ok(theirs.length > 0)
  assert.equal(firstDifference(ours, theirs), null)
  assert.deepEqual([await replayed(start - 3 * 3_600_000, start), firstDifference([], theirs)?.replayed, firstDifference(ours, [])?.recorded], [[], null, null])
})

/** The sweep in which the first that was confirmed was. */
const confirmedAt = async (): Promise<number> => Math.min(...(await recorded(start, end)).filter(({ turn }) => turn === 'confirmed').map(({ at }) => at))

test('planted: a segment that is skipped is missed, and one whose reports are skipped shows', async () => {
  const { rows: [middle] } = await owner.query<{ id: number }>('SELECT percentile_disc(0.4) WITHIN GROUP (ORDER BY id)::int AS id FROM segment')
  const id = middle?.id ?? 0
  await assert.rejects(replayed(start, end, spoiled((sql, rows) => (/FROM segment /.test(sql) ? rows.filter((row) => row['id'] !== id) : rows))), (error) => error instanceof RecordIncomplete && new RegExp(`Segment ${id} `).test(error.message))
  const at = await confirmedAt()
  const { rows: [last] } = await owner.query<{ segment: string }>("SELECT segment FROM detection_input WHERE kind = 'sweep' AND at < $1 ORDER BY at DESC LIMIT 1", [new Date(at)])
  const empty = encodeSegment(createDraft())
  const ours = await replayed(start, end, spoiled((sql, rows) => rows.map((row) => (/FROM segment /.test(sql) && Math.abs(Number(row['id']) - Number(last?.segment)) < 20 ? { ...row, bytes: empty } : row))))
  assert.notEqual(firstDifference(ours, await recorded(start, end)), null)
})

test('planted: a sweep moved by 30 s shows', async () => {
  const at = await confirmedAt()
  const isThat = (row: Record<string, unknown>): boolean => row['kind'] === 'sweep' && (row['at'] as Date).getTime() === at
  const ours = await replayed(start, end, spoiled((sql, rows) => (/FROM detection_input WHERE id/.test(sql) ? rows.map((row) => (isThat(row) ? { ...row, at: new Date(at + sweep_ms) } : row)) : rows)))
  const difference = firstDifference(ours, await recorded(start, end))
  assert.equal(difference?.recorded?.at, at)
})

test('planted: inputs in another order show: the alarm last, the work last, a start behind what came after it', async () => {
  const theirs = await recorded(start, end)
  for (const kind of ['alarm', 'work', 'start']) {
    const moved = await replayed(start, end, spoiled((sql, rows) => {
      if (!/FROM detection_input WHERE id/.test(sql)) return rows
      const isMoved = (row: Record<string, unknown>): boolean => row['kind'] === kind
      // within its run: each run has its own
      return [...Map.groupBy(rows, (row) => row['run']).values()].flatMap((own) => [...own.filter((row) => !isMoved(row)), ...own.filter(isMoved)])
    })).catch((error: unknown) => {
      assert.ok(error instanceof RecordIncomplete, String(error))
      return null
    })
    assert.ok(moved === null || firstDifference(moved, theirs) !== null, kind)
  }
})

test('a record that begins while something is ongoing takes it up as it is known and says so; reports that are gone are named', async () => {
  const { rows: [second] } = await owner.query<{ run: string }>("SELECT run FROM detection_input WHERE kind = 'start' ORDER BY id OFFSET 1")
  const told: string[] = []
  const ours = await replayed(start, end, spoiled((sql, rows) => (/GROUP BY run/.test(sql) ? rows.slice(1) : rows)), told)
  assert.match(told.join(), /\d+ disturbances were ongoing when the record begins/)
  assert.ok(ours.some(({ id }) => !id.startsWith(`${second?.run}-`)), 'what was ongoing goes on under its id')
  const gone = spoiled((sql, rows) => (/FROM segment_gone/.test(sql) ? [{ from: new Date(start + 3_600_000), file: 'reports-20290214T01.csv.zst' }] : rows))
  await assert.rejects(replayed(start, end, gone), (error) => error instanceof RecordIncomplete && /2029-02-14T01:00:00.000Z are gone from the journal \(archived in reports-20290214T01.csv.zst\)/.test(error.message))
})

// The command sets a password of its own for the application's role: no test comes after it.
test('kawal replay tells it as a timeline and checks it; what is wrong with the record is found and said', async () => {
  const kawal = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [program, 'replay', '--province', province, ...args], { encoding: 'utf8', env: { ...process.env, DATABASE_URL: kit.ownerUrl } })
  const window = ['--from', new Date(start).toISOString(), '--to', new Date(end).toISOString()]
  const same = kawal(...window, '--check')
  const theirs = await recorded(start, end)
  assert.deepEqual([same.status, same.stderr, same.stdout.split('\n').length - 2], [0, '', theirs.length], same.stdout.slice(-1_500))
  assert.match(same.stdout, new RegExp(`The same as was written at the time: ${theirs.length} turns\\.`))
  assert.match(same.stdout, /Z {2}confirmed {3}\S+ {2}\w+ of \w+ \(\d+ %\), \d+ stations in 75/)
  await owner.query("UPDATE disturbance_turn SET state = state || '{\"confidence\": 0.123}' WHERE turn = 'confirmed' AND at = $1", [new Date(await confirmedAt())])
  const other = kawal(...window, '--check', '--json')
  const { check, turns } = JSON.parse(other.stdout) as { check: { same: boolean; first: { fields: string[] } }; turns: unknown[] }
  assert.deepEqual([other.status, check.same, check.first.fields, turns.length], [4, false, ['confidence'], theirs.length])
  assert.match(kawal(...window, '--check').stdout, /The first difference, in confidence:\nrecord .*\n.*0\.123/)
  for (const [args, sentence] of [[['--from', '2029-02-14T07:00', '--to', '2029-02-15T00:00Z'], /--from takes an instant with its offset/], [[...window, '--province', '7'], /two digits/], [['--from', window[1] ?? '', '--to', window[1] ?? ''], /is not after/]] as const) {
    const asked = kawal(...args)
    assert.deepEqual([asked.status, sentence.test(asked.stderr)], [2, true], asked.stderr)
  }
  assert.match(kawal(...window, '--province', '11').stderr, /no station in province 11/)
})
