import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import fastify, { type FastifyInstance } from 'fastify'
import pg from 'pg'
import { Compile } from 'typebox/compile'
import { ImpactInForce } from '@kawal/contract/impact.ts'
import { LiveImpact } from '@kawal/contract/live.ts'
import { contestOn, impactDefaults, type ImpactSettings } from '@kawal/core/impact/defaults.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { addPlan, planned, seedPlan } from '@kawal/testkit/plan.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { reassignAfter } from '../access/reassign.ts'
import { answerProblems } from '../problem.ts'
import { findPlan } from '../readiness/plans.ts'
import { loadMonitorStations } from '../register/lookup.ts'
import type { ImpactRow } from './counts.ts'
import { rowsOf } from './facts.ts'
import { createImpact, type ElectionImpact } from './impact.ts'
import { impactRoutes } from './routes.ts'

let kit: TestDatabase
let owner: pg.Client
let now = 0
const noon_wita = Date.parse('2029-02-14T04:00:00Z')
const settings: ImpactSettings = { ...impactDefaults, contests: [contestOn('2029-02-14', 'a test'), contestOn('2029-11-27', 'a test')] }
const [both = '', blank = '', perhaps = '', served = '', servedToo = '', one = '', partly = '', nowhere = ''] = planned.stations
const row = (change: Partial<ImpactRow>): ImpactRow => ({ id: 'd-1', stage: 'confirmed', severity: 'down', cause: 'access', operator: 'telkomsel', stations: [both], ...change })

before(async () => {
  kit = await withDatabase()
  owner = new pg.Client({ connectionString: kit.ownerUrl })
  await owner.connect()
})
after(async () => {
  await owner.end()
  await kit.close()
})

const started = async (change: Partial<Parameters<typeof createImpact>[0]> = {}): Promise<ElectionImpact> => {
  now = noon_wita
  return createImpact({ database: kit.database, stations: await loadMonitorStations(kit.database), clock: () => now, settings, recaps: () => null, ...change })
}
const valueOf = (impact: LiveImpact | undefined, term: string): number | undefined => impact?.terms.find((each) => each.term === term)?.value
/** Of the stations of a row: none, unknown, works. */
const split = (impact: LiveImpact | undefined): (number | undefined)[] => ['stations_without_alternative', 'stations_alternative_unknown', 'stations_with_alternative'].map((term) => valueOf(impact, term))
const one_of = async (impact: ElectionImpact, given: ImpactRow): Promise<LiveImpact | undefined> => (await impact.rank([given])).get(given.id)

test('without a plan nothing is known of other networks, and that is said', async () => {
  const impact = await started({ stations: [{ code: both, zone: 'Asia/Makassar', voters: 280 }] })
  assert.equal(await impact.reload(), true)
  assert.equal(await impact.reload(), false, 'and it is not read again')
  assert.deepEqual(split(await one_of(impact, row({}))), [0, 1, 0])
  assert.equal(impact.inForce().plan, null)
})

test('the plan says of each station which other networks are usable, unknown or blank', async () => {
  const { plan } = await seedPlan(kit.ownerUrl)
  const impact = await started()
  assert.deepEqual(split(await one_of(impact, row({}))), [0, 1, 0], 'before it is read')
  await impact.reload()
  assert.deepEqual(impact.inForce().plan, { id: plan, madeAt: '2024-02-02T00:00:00.000Z', stations: 8 })
  const of = async (operator: string, ...stations: string[]) => split(await one_of(impact, row({ operator, stations })))
  assert.deepEqual(await of('telkomsel', both), [0, 0, 1], '0.925 is usable')
  assert.deepEqual(await of('telkomsel', blank), [1, 0, 0], '0.1 is blank')
  assert.deepEqual(await of('indosat', perhaps), [0, 1, 0], '0.55 is neither')
  assert.deepEqual(await of('telkomsel', perhaps, partly, nowhere), [0, 3, 0], 'NULL is unknown')
  assert.deepEqual(await of('indosat', one), [0, 0, 1])
  assert.deepEqual(await of('telkomsel', one), [1, 0, 0], '0.3 is blank')
  assert.deepEqual(await of('xlsmart', both, one), [0, 0, 2], 'an operator that is not in the plan')
  const all = await one_of(impact, row({ stations: [both, blank, perhaps, served, servedToo, one, partly, nowhere, '7599999999001'] }))
  assert.deepEqual([split(all), all?.voters, valueOf(all, 'stations_voters_unknown'), all?.withoutAlternative], [[2, 6, 1], 1_590, 2, 8], 'access points and a strange station too')
  assert.ok(all !== undefined && Compile(LiveImpact).Check(all), JSON.stringify(all))
})

test('a station that came after the plan is unknown, its neighbours are not', async () => {
  const impact = await started({ stations: [{ code: '7501012000001', zone: 'Asia/Makassar', voters: 1 }, ...(await loadMonitorStations(kit.database)), { code: '7502012001002', zone: 'Asia/Makassar', voters: 1 }] })
  await impact.reload()
  const of = async (...stations: string[]) => split(await one_of(impact, row({ stations })))
  assert.deepEqual([await of('7501012000001'), await of('7502012001002'), await of(both), await of(blank)], [[0, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]])
  assert.equal(impact.inForce().plan?.stations, 8)
})

test('rows of codes, in any order, strange ones among them', () => {
  const code = fc.integer({ min: 0, max: 60 }).map((number) => String(1_100_000_000_000 + number * 7))
  fc.assert(fc.property(fc.uniqueArray(code), fc.uniqueArray(code), (known, asked) => {
    const codes = [...known].sort()
    assert.deepEqual([...rowsOf(Float64Array.from(codes, Number), asked)], asked.map((each) => codes.indexOf(each)))
  }), { numRuns: 500 })
})

test('an access point: nobody said, working, not working; its stations go elsewhere; a newer plan is read', async () => {
  const impact = await started()
  await impact.reload()
  const found = async () => split(await one_of(impact, row({ stations: [served] })))
  const say = (point: string, working: boolean) => owner.query(`INSERT INTO access_point_state (access_point_id, organisation_id, working, said_at) VALUES ($1, 'bakti', $2, now())`, [point, working])
  assert.deepEqual(await found(), [0, 1, 0])
  await say('AI-1', true)
  assert.deepEqual(await found(), [0, 1, 0], 'not read yet')
  assert.equal(await impact.reload(), true)
  assert.deepEqual(await found(), [0, 0, 1])
  const broken = row({ id: 'd-2', cause: 'access_point', operator: 'bakti', stations: [served, servedToo] })
  assert.deepEqual(split((await impact.rank([row({ stations: [served] }), broken])).get('d-1')), [1, 0, 0], 'the point is in a disturbance of its own')
  assert.deepEqual(await found(), [0, 0, 1], 'which is over')
  await say('AI-2', true)
  await say('AI-1', false)
  await impact.reload()
  assert.deepEqual(await found(), [1, 0, 0])
  // the stations are sent elsewhere a moment later, in a transaction of its own
  await kit.database.transaction(system, async (client) => {
    const plan = await findPlan(client)
    assert.ok(plan !== null)
    assert.deepEqual((await reassignAfter(client, plan, 'AI-1'))?.map((each) => [each.station, each.access?.id]), [[served, 'AI-2'], [servedToo, 'AI-2']])
  })
  assert.equal(await impact.reload(), true, 'looked at once more after the state changed')
  assert.deepEqual(await found(), [0, 0, 1])
  assert.equal(await impact.reload(), false)
  const before = impact.inForce().plan?.id ?? NaN
  await owner.query("SELECT set_config('kawal.role', 'system', false), set_config('kawal.organisation', 'kawal', false)")
  const after = await addPlan(owner, null)
  await owner.query(`UPDATE readiness SET usable = '{10,10}' WHERE plan_id = $1 AND station_code = $2`, [after, both])
  assert.deepEqual(split(await one_of(impact, row({}))), [0, 0, 1])
  await impact.reload()
  assert.ok(after > before && impact.inForce().plan?.id === after)
  assert.deepEqual(split(await one_of(impact, row({}))), [1, 0, 0])
  await owner.query('DELETE FROM access_point_state')
  await owner.query(`DELETE FROM plan WHERE id = $1`, [after])
})

test('what is measured now and other disturbances change alternatives; only what is ongoing does', async () => {
  const impact = await started()
  await impact.reload()
  const first = row({})
  const found = async (...others: ImpactRow[]) => split((await impact.rank([first, ...others])).get('d-1'))
  const told = (operator: string | null, ...after: ('ok' | 'watch' | 'down' | 'unknown')[]) => after.forEach((each) => impact.statuses([{ code: both, operator, after: each }]))
  assert.deepEqual(await found(), [0, 0, 1])
  const second = row({ id: 'd-2', operator: 'indosat' })
  assert.deepEqual(await found(second), [1, 0, 0])
  assert.deepEqual(await found({ ...second, stage: 'suspected' }), [0, 1, 0])
  assert.deepEqual(await found({ ...second, stage: 'ended' }), [0, 0, 1])
  assert.deepEqual(await found({ ...second, stations: [blank] }), [0, 0, 1], 'elsewhere')
  assert.deepEqual(await found({ ...second, cause: 'election_server', operator: 'kpu' }), [0, 0, 1], 'breaks no network')
  assert.deepEqual(split((await impact.rank([first, { ...second, cause: 'election_server', operator: 'kpu' }])).get('d-2')), [1, 0, 0], 'and no network leads past it')
  assert.deepEqual(await found({ ...second, cause: 'power' }), [1, 0, 0], 'a power cut: whom it is told to is hit')
  assert.deepEqual(await found({ ...second, cause: 'power', operator: null }), [0, 1, 0], 'the others perhaps')
  assert.deepEqual(await found(), [0, 0, 1])
  told('indosat', 'watch')
  assert.deepEqual(await found(), [0, 1, 0])
  told('indosat', 'down')
  assert.deepEqual(await found(), [1, 0, 0])
  told('xlsmart', 'ok')
  assert.deepEqual(await found(), [0, 0, 1], 'the plan knows nothing of it, its devices report well')
  told('xlsmart', 'unknown')
  told(null, 'ok')
  told('unknown', 'ok')
  told('telkomsel', 'ok')
  assert.deepEqual(await found(), [1, 0, 0], 'nobody is told to use everybody, a stranger, or what failed')
  impact.statuses([{ code: '7599999999001', operator: 'indosat', after: 'ok' }])
  told('indosat', 'ok')
  assert.deepEqual(await found(), [0, 0, 1])
  assert.deepEqual(impact.inForce().operators, ['telkomsel', 'indosat', 'xlsmart'], 'whom a disturbance is told to is no network by that')
})

test('what is kept is what would be counted anew, through any changes', async () => {
  // far apart in the register, so that some change while others do not
  const more = Array.from({ length: 12_000 }, (_, at) => ({ code: `7503012${String(1_000_000 + at).slice(1)}`, zone: 'Asia/Makassar', voters: at % 3 === 0 ? null : 200 }))
  const stations = [...(await loadMonitorStations(kit.database)), ...more]
  const picked = [...planned.stations, ...more.filter((_, at) => at % 1_500 === 0).map((each) => each.code)]
  const kept = await started({ stations })
  await kept.reload()
  const random = seeded(5)
  const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
  const told: Parameters<ElectionImpact['statuses']>[0][number][] = []
  let rows: ImpactRow[] = []
  for (let turn = 0; turn < 80; turn++) {
    const changed = (): ImpactRow => row({ id: `d-${Math.floor(random() * 5)}`, operator: one(['telkomsel', 'indosat', 'xlsmart', null]), cause: one(['access', 'power', 'backhaul', 'access_point']), stage: one(['suspected', 'confirmed', 'recovering']), stations: picked.filter(() => random() < 0.3) })
    const next = changed()
    if (random() < 0.7) rows = [...rows.filter((each) => each.id !== next.id), ...(random() < 0.3 ? [] : [next])]
    told.push({ code: one(picked), operator: one(['telkomsel', 'indosat', 'xlsmart']), after: one(['ok', 'watch', 'degraded', 'down', 'unknown']) })
    kept.statuses(told.slice(-1))
    const fresh = await started({ stations })
    await fresh.reload()
    fresh.statuses(told)
    now = noon_wita + turn * 60_000
    const found = await kept.rank(rows)
    assert.deepEqual([...found], [...(await fresh.rank(rows.map((each) => ({ ...each, stations: [...each.stations] }))))], `turn ${turn}`)
    for (const each of rows) assert.deepEqual(kept.of(each), found.get(each.id))
  }
})

test('time alone moves the ranking, and the next contest takes over when one is over', async () => {
  const impact = await started()
  await impact.reload()
  const at = async (when: string) => {
    now = Date.parse(when)
    await impact.reload()
    return one_of(impact, row({ stations: [blank] }))
  }
  const noon = await at('2029-02-14T04:00:00Z')
  assert.deepEqual([noon?.deadlineAt, noon?.deadlineName, noon?.minutesToDeadline], ['2029-02-14T05:00:00.000Z', 'voting_ends', 60])
  const later = await at('2029-02-14T04:55:00Z')
  assert.ok((later?.priority ?? 0) > (noon?.priority ?? Infinity) && later?.minutesToDeadline === 5)
  const over = await at('2029-02-15T04:00:00Z')
  assert.deepEqual([over?.deadlineAt, over?.minutesToDeadline, valueOf(over, 'urgency')], [null, null, 0])
  assert.equal(impact.inForce().contest?.day, '2029-02-14', 'in WIB the count may go on for an hour')
  assert.equal((await at('2029-11-26T15:59:00Z'))?.deadlineAt, null, 'the evening before')
  assert.equal(impact.inForce().contest?.day, '2029-11-27')
  assert.equal((await at('2029-11-26T16:00:00Z'))?.deadlineAt, '2029-11-26T23:00:00.000Z', 'its midnight in WITA')
  await at('2030-01-01T00:00:00Z')
  assert.deepEqual([impact.inForce().contest, impact.inForce().deadlines], [null, []])
})

test('recaps are counted where they are given, and never kept', async () => {
  let recaps: Int16Array | null = Int16Array.from(planned.stations, (_, at) => (at === 0 ? -1 : 2))
  const impact = await started({ recaps: () => recaps })
  await impact.reload()
  const all = row({ stations: [...planned.stations] })
  const found = await one_of(impact, all)
  assert.deepEqual([found?.unsentRecaps, valueOf(found, 'stations_recaps_unknown')], [14, 1])
  recaps.fill(0)
  assert.equal((await one_of(impact, all))?.unsentRecaps, 0)
  recaps = null
  assert.equal((await one_of(impact, all))?.unsentRecaps, null)
  recaps = new Int16Array(8).fill(1)
  assert.equal((await one_of(impact, all))?.unsentRecaps, 8)
})

test('a plan that cannot be read leaves what was read before', async () => {
  let failing = false
  const database = { ...kit.database, transaction: (...args: Parameters<Database['transaction']>) => (failing ? Promise.reject(new Error('the disk is full')) : kit.database.transaction(...args)) } as Database
  const impact = await started({ database })
  await impact.reload()
  failing = true
  await assert.rejects(impact.reload(), /disk is full/)
  assert.deepEqual(split(await one_of(impact, row({}))), [0, 0, 1])
})

test('an operator too many is no alternative, and the plan\'s keep their places', async () => {
  const impact = await started()
  impact.statuses(Array.from({ length: 40 }, (_, at) => ({ code: blank, operator: `isp-${at}`, after: 'ok' as const })))
  await impact.reload()
  assert.equal(impact.inForce().operators.length, 22)
  assert.deepEqual(split(await one_of(impact, row({ stations: [both] }))), [0, 0, 1])
  for (let at = 0; at < 20; at++) impact.statuses([{ code: blank, operator: `isp-${at}`, after: 'down' }])
  assert.deepEqual(split(await one_of(impact, row({ stations: [blank] }))), [1, 0, 0])
  assert.deepEqual(split(await one_of(impact, row({ operator: 'isp-39', stations: [both] }))), [0, 0, 1])
})

test('over HTTP: weights and deadlines in force, for whoever is logged in', async () => {
  const app = fastify() as unknown as FastifyInstance
  let caller: { organisation: string; role: string } | null = null
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request) => void (request.caller = caller))
  answerProblems(app)
  const impact = await started()
  await impact.reload()
  impactRoutes(app, { impact })
  assert.equal((await app.inject('/v1/impact/settings')).statusCode, 401)
  caller = { organisation: 'telkomsel', role: 'noc' }
  const answer = (await app.inject('/v1/impact/settings')).json<ImpactInForce>()
  assert.ok(Compile(ImpactInForce).Check(answer), JSON.stringify(Compile(ImpactInForce).Errors(answer).slice(0, 3)))
  assert.deepEqual(answer.weights, settings.weights)
  assert.deepEqual(answer.deadlines.filter((each) => each.name === 'voting_ends').map((each) => [each.zone, each.at]), [['Asia/Jakarta', '2029-02-14T06:00:00.000Z'], ['Asia/Makassar', '2029-02-14T05:00:00.000Z'], ['Asia/Jayapura', '2029-02-14T04:00:00.000Z']])
  await app.close()
})
