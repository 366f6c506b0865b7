import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { cellView, rowOf, shareOf, type Layer } from '@kawal/core/atlas/edition.ts'
import { cellOfKey, discRuns, keyAt, makeRuns, type Runs } from '@kawal/core/geo/cells.ts'
import { distance_km, type Position } from '@kawal/core/geo/distance.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { thresholdsOn } from '@kawal/core/readiness/readiness.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system } from '../adapters/postgres/database.ts'
import { readEdition } from '../atlas/editions.ts'
import { publishEdition, type Published } from '../atlas/publish.ts'
import { encodeRuns } from '../atlas/runs-codec.ts'
import { copyRows, type Field } from '../register/copy.ts'
import { loadSynthetic } from '../register/synthetic.ts'
import { makePlan, planConfigOn, type PlanResult } from './plan.ts'

const day = '2028-02-14'
const now = Date.UTC(2028, 1, 14)
const operators = ['telkomsel', 'indosat', 'xlsmart']

let kit: TestDatabase
let owner: pg.Client
let pool: pg.Pool
let published: Published
let planned: PlanResult
const plan = (change: Partial<Parameters<typeof makePlan>[1]> = {}): Promise<PlanResult> => makePlan(pool, { day, now, edition: 'latest', config: planConfigOn(day), ...change })
const publish = (name: string): Promise<Published> => publishEdition(owner, { name, day, now, licences: ['synthetic'], terrain: { rasters: [], facts: null }, threads: 1 })

interface Place extends Position { readonly code: string; readonly village: string }
let stations: Place[]
/** The middle of the made-up province: what lies west of it is claimed by two, a strip east of it by one, the rest by nobody. */
let middle = 0

before(async () => {
  kit = await withDatabase()
  pool = new pg.Pool({ connectionString: kit.ownerUrl, max: 2 })
  owner = new pg.Client({ connectionString: kit.ownerUrl })
  await owner.connect()
  await loadSynthetic(pool, '75', 1)
  stations = (await owner.query<Place>('SELECT code, village_code AS village, latitude, longitude FROM station_now ORDER BY code')).rows
  middle = stations.map((station) => station.longitude).sort((a, b) => a - b)[stations.length >> 1] ?? 0
  await claim('telkomsel', (at) => at.longitude < middle)
  await claim('indosat', (at) => at.longitude < middle || at.longitude < middle + 0.15)
  await claim('xlsmart', () => false)
  await drive('telkomsel', stations.filter((at) => at.longitude < middle), 0.98)
  // of what indosat claims in the strip, a part is not there
  await drive('indosat', stations.filter((at) => at.longitude < middle + 0.15), 0.97, (at) => at.latitude < 0.62)
  const far = stations.filter((at) => at.longitude > middle + 0.4)
  for (const [index, at] of far.filter((_, i) => i % 60 === 0).entries())
    await owner.query(`INSERT INTO access_point (id, kind, name, latitude, longitude, village_code, source, valid_from) VALUES ($1, 'satellite', $1, $2, $3, $4, 'test', '2024-01-01')`, [`S${index}`, at.latitude + 0.01, at.longitude, at.village])
  await venues()
  published = await publish('first')
  planned = await plan()
})
after(async () => {
  await owner.end()
  await pool.end()
  await kit.close()
})

async function claim(operator: string, covered: (at: Position) => boolean): Promise<void> {
  const pairs: [number, number][] = []
  for (const at of stations) {
    if (!covered(at)) continue
    const disc = discRuns(at, 1.5)
    for (let i = 0; i < disc.length; i += 2) pairs.push([disc[i] as number, disc[i + 1] as number])
  }
  const runs: Runs = makeRuns(pairs)
  await owner.query(
    `INSERT INTO claim (organisation_id, technology, valid_from, kind, complete, file, sha256, features, accepted, cells, runs, imported_at) VALUES ($1, 'lte', '2028-01-01', 'polygon', true, 'synthetic', '', 1, 1, 1, $2, now())`, [operator, encodeRuns(runs)])
}

/** Three phones at each place, whose uploads work so often; none where it is a hole. */
async function drive(operator: string, places: readonly Place[], works: number, hole: (at: Position) => boolean = () => false): Promise<void> {
  const random = seeded(operator.length)
  const rows = places.flatMap((at) => [1, 2, 3, 4].map((phone): Field[] => [
    operator, 'lte', new Date(now - 86_400_000 * phone).toISOString(), at.latitude, at.longitude, `\\x${Buffer.from(`${operator}${at.code}${phone}`).toString('hex')}`, !hole(at) && random() < works ? 't' : 'f']))
  await copyRows(owner, 'radio_sample (organisation_id, technology, at, latitude, longitude, device, usable)', rows)
}

/** A school beside the westernmost station of each village: where a village lies across the middle, it is covered there. */
async function venues(): Promise<void> {
  const first = new Map<string, Place>()
  for (const at of stations) if (at.longitude < (first.get(at.village)?.longitude ?? Infinity)) first.set(at.village, at)
  const rows = [...first.values()].map((at): Field[] => [`V${at.village}`, 'SD', `SD ${at.village}`, at.latitude, at.longitude - 0.002, at.village, '2024-01-01'])
  await copyRows(owner, 'venue (id, kind, name, latitude, longitude, village_code, valid_from)', rows)
}

const rowOfStation = async (code: string) => (await owner.query<{ class: string; reason: string; basis: string; usable: (number | null)[]; access_point_id: string | null; travel_min: number | null; slot_start_min: number | null; best: string | null }>(
  'SELECT * FROM readiness WHERE plan_id = (SELECT max(id) FROM plan) AND station_code = $1', [code])).rows[0]

test('an edition says how the claims turned out, operator by operator', () => {
  const of = (operator: string) => published.layers.find((layer) => layer.operator === operator)?.record
  assert.ok((of('telkomsel')?.over_claim_rate ?? 1) < 0.03, JSON.stringify(of('telkomsel')))
  assert.ok((of('indosat')?.over_claim_rate ?? 0) > 0.1, JSON.stringify(of('indosat')))
  assert.equal(of('xlsmart')?.over_claim_rate, null)
  assert.ok((of('telkomsel')?.reliability ?? 0) > 0.9)
  const validation = published.layers.find((layer) => layer.operator === 'telkomsel')?.validation as { tries: number; brier: number }
  assert.ok(validation.tries > 1000 && validation.brier < 0.1, JSON.stringify(validation))
})

test('every station has a class, and blank ones go to working points only as far as these carry', async () => {
  const { classes, stations: count, blank, assigned } = planned.summary
  assert.equal(count, stations.length)
  assert.equal(Object.values(classes).reduce((sum, each) => sum + each, 0), count)
  for (const name of ['a', 'b', 'c', 'd'] as const) assert.ok(classes[name] > 0, `${name} ${JSON.stringify(classes)}`)
  assert.equal(classes.d, assigned)
  assert.equal(classes.d + classes.e, blank)
  assert.ok(planned.flow_optimal)
  const { rows } = await owner.query<{ load: number }>("SELECT count(*)::int AS load FROM readiness WHERE plan_id = $1 AND class = 'd' GROUP BY access_point_id", [planned.plan])
  for (const { load } of rows) assert.ok(load <= 240)
  assert.deepEqual((await owner.query("SELECT FROM readiness WHERE class IN ('a', 'b', 'c', 'unknown') AND access_point_id IS NOT NULL OR class = 'd' AND (travel_min IS NULL OR slot_start_min < travel_min - 1)")).rowCount, 0)
})

test('a station in its own cell has what the edition says there', async () => {
  const edition = await kit.database.transaction(system, (client) => readEdition(client, published.id))
  assert.ok(edition !== null)
  const { atlas } = edition
  for (const station of stations.filter((_, i) => i % 97 === 0)) {
    const row = rowOf(atlas.fine.cells, keyAt(station.latitude, station.longitude, 9))
    const lte = (operator: string): Layer | undefined => atlas.layers.find((layer) => layer.operator === operator && layer.technology === 'lte')
    const { usable, basis } = (await rowOfStation(station.code)) ?? {}
    assert.equal(basis, 'venue')
    assert.deepEqual(usable, planned.operators.map((operator) => (shareOf(lte(operator)?.fine.usable[row] ?? 255) === null ? null : lte(operator)?.fine.usable[row])))
  }
})

test('the same inputs make the same plan; a point that failed gets nobody in the next one', async () => {
  const again = await plan()
  assert.deepEqual(again.summary, planned.summary)
  const difference = await owner.query('SELECT FROM readiness a JOIN readiness b USING (station_code) WHERE a.plan_id = $1 AND b.plan_id = $2 AND (a.class, a.access_point_id, a.slot_start_min) IS DISTINCT FROM (b.class, b.access_point_id, b.slot_start_min)', [planned.plan, again.plan])
  assert.equal(difference.rowCount, 0)
  const { rows: [busiest] } = await owner.query<{ id: string }>("SELECT access_point_id AS id FROM readiness WHERE plan_id = $1 AND class = 'd' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1", [again.plan])
  await owner.query(`INSERT INTO access_point_state (access_point_id, organisation_id, working, said_at) VALUES ($1, 'bakti', false, now())`, [busiest?.id])
  const without = await plan()
  assert.equal((await owner.query('SELECT FROM readiness WHERE plan_id = $1 AND access_point_id = $2', [without.plan, busiest?.id])).rowCount, 0)
  await owner.query('DELETE FROM access_point_state')
})

test('an operator of whom nothing is known keeps a place from being blank', async () => {
  await owner.query("UPDATE claim SET valid_from = '2030-01-01' WHERE organisation_id = 'xlsmart'")
  const less = await plan({ operators, edition: (await publish('without xlsmart')).id })
  assert.equal(less.summary.blank, 0)
  assert.equal(less.summary.unknown['partly_known'], planned.summary.blank)
  await owner.query("UPDATE claim SET valid_from = '2028-01-01' WHERE organisation_id = 'xlsmart'")
})

test("better venues lie in the station's own village, within the walk, and gain", async () => {
  const { plan: id } = await plan({ edition: published.id })
  const { rows } = await owner.query<{ station: string; village: string; gain: number; walk_km: number; class_before: string; class_after: string; latitude: number; longitude: number }>(
    'SELECT station_code AS station, village_code AS village, gain, walk_km, class_before, class_after, latitude, longitude FROM siting_move JOIN venue ON venue.id = venue_id WHERE plan_id = $1', [id])
  assert.ok(rows.length > 0)
  for (const move of rows) {
    const from = stations.find((station) => station.code === move.station) as Place
    assert.equal(move.village, from.village)
    assert.ok(move.gain >= 0.1 && move.walk_km <= 1.5 && Math.abs(distance_km(from, move) * 1.4 - move.walk_km) < 0.01, JSON.stringify(move))
    assert.ok(['c', 'd', 'e'].includes(move.class_before) && move.class_after <= move.class_before)
  }
})

test('an accepted challenge is evidence of the next edition, and flagged', async () => {
  const at = stations.find((station) => station.longitude > middle + 0.5) as Place
  const cell = cellOfKey(keyAt(at.latitude, at.longitude, 8), 8)
  await owner.query(
    `INSERT INTO challenge (id, edition_id, organisation_id, operator_id, technology, cell, says, evidence, status, opened_at, decided_at, decided_by, answer)
     VALUES (gen_random_uuid(), $1, 'kpu', 'telkomsel', 'lte', $2, 'covered', 'measured in the village hall', 'accepted', now(), now(), 'komdigi', 'seen')`, [published.id, cell])
  const next = await publish('challenged')
  assert.notEqual(next.id, published.id)
  const edition = await kit.database.transaction(system, (client) => readEdition(client, next.id))
  const layer = edition?.atlas.layers.find((each) => each.operator === 'telkomsel') as Layer
  const view = cellView(layer.national, rowOf(edition?.atlas.national.cells as Float64Array, keyAt(at.latitude, at.longitude, 8)))
  assert.ok(view.challenged && (view.usable ?? 0) > 0.6, JSON.stringify(view))
})

test('plans too old go with their rows, five stay', async () => {
  for (let i = 0; i < 4; i++) await plan()
  const { rows } = await owner.query<{ plans: number; partitions: number }>("SELECT (SELECT count(*)::int FROM plan) AS plans, (SELECT count(*)::int FROM pg_inherits WHERE inhparent = 'readiness'::regclass) AS partitions")
  assert.deepEqual(rows, [{ plans: 5, partitions: 5 }])
})

test('without an edition, or without stations, it says what to do', async () => {
  await assert.rejects(plan({ edition: 'ffffffffffff' }), /kawal atlas list/)
  await assert.rejects(plan({ province: '11' }), /kawal import register/)
  assert.equal(thresholdsOn(day).voters_per_station_max, 600)
})
