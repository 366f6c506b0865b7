import type pg from 'pg'
import { accessDefaults, planAccess, provesPlan, type AccessPlan } from '@kawal/core/access/assign.ts'
import type { AccessConfig } from '@kawal/core/access/candidates.ts'
import { capacityOf, giveSlots, slotDefaults, type SlotConfig, type Slots } from '@kawal/core/access/slots.ts'
import { makeNearestTree, nearestAll } from '@kawal/core/geo/nearest.ts'
import { judgePlace, makeShares, settleBlank, type Judged } from '@kawal/core/readiness/assess.ts'
import { readinessClasses, readinessReasons, thresholdsOn, type Thresholds } from '@kawal/core/readiness/readiness.ts'
import { sitingDefaults, type SitingConfig } from '@kawal/core/siting/siting.ts'
import { readEdition } from '../atlas/editions.ts'
import { readVillageAreas } from '../atlas/read-claim.ts'
import { quiet, type Progress } from '../register/progress.ts'
import { readPoints, readReports, readStations, readVenues, readVillages, type Points, type Stations, type Villages } from './nation.ts'
import { lookAtVenues, lookInto, lookUp, type StationShares } from './places.ts'
import { proposeMoves, readDecisions, weakVillages, writeMoves } from './moves.ts'
import { finishPlan, summarise, writeReadiness, type Outcome, type PlanSummary } from './store.ts'

export interface PlanConfig {
  readonly thresholds: Thresholds
  readonly access: AccessConfig
  readonly slots: SlotConfig
  readonly siting: SitingConfig
  /** Officers' reports of this many days before the day count. */
  readonly report_days: number
}

const report_days = 30
/** Kinds of points whose uplink is so narrow that officers come in turns. */
export const inTurns = ['satellite'] as const

/** @param day YYYY-MM-DD: its thresholds hold */
export function planConfigOn(day: string): PlanConfig {
  const thresholds = thresholdsOn(day)
  return { thresholds, access: accessDefaults, slots: slotDefaults, siting: { ...sitingDefaults, voters_per_station_max: thresholds.voters_per_station_max }, report_days }
}

interface PlanOptions {
  /** YYYY-MM-DD: register, thresholds and operators of this day. */
  readonly day: string
  readonly now: number
  /** Id of an edition, or `latest`. */
  readonly edition: string
  /** Organisations whose networks count; those with a PLMN code on the day when left out. */
  readonly operators?: readonly string[]
  /** Stations of one province only. */
  readonly province?: string
  readonly config: PlanConfig
  readonly progress?: Progress
}

export interface PlanResult {
  readonly plan: number
  readonly edition: string
  readonly operators: readonly string[]
  readonly summary: PlanSummary
  /** The assignment's own proof: its dual prices admit nothing better. */
  readonly flow_optimal: boolean
}

/** Why no plan can be made: a sentence with a way out. */
export class PlanRefused extends Error {}

/**
 * Readiness of every station, access points for the blank ones and better venues for the weak ones, from one
 * edition and the register of one day; all of it in one transaction, so that readers see the old plan or
 * the new one.
 * @param pool of two connections at least, as the owner of the schema
 */
export async function makePlan(pool: pg.Pool, options: PlanOptions): Promise<PlanResult> {
  const client = await pool.connect()
  const second = await pool.connect()
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await client.query(asSystem)
    const { rows } = await client.query<{ snapshot: string }>('SELECT pg_export_snapshot() AS snapshot')
    await second.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await second.query(`SET TRANSACTION SNAPSHOT '${rows[0]?.snapshot}'`)
    await second.query(asSystem)
    const result = await plan(client, second, options)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  } finally {
    await second.query('ROLLBACK').catch(() => undefined)
    second.release()
    client.release()
  }
}

const asSystem = "SELECT set_config('kawal.organisation', 'kawal', true), set_config('kawal.role', 'system', true)"

/** @param second reads the same snapshot beside the first: unpacking an edition and sorting stations are work of two processes */
async function plan(client: pg.ClientBase, second: pg.ClientBase, options: PlanOptions): Promise<PlanResult> {
  const { day, config, province } = options
  const progress = options.progress ?? quiet
  progress.at(0, 'reading the register and the atlas')
  const operators = options.operators ?? (await operatorsOn(client, day))
  const villages = await readVillages(client, day)
  const [stations, { edition, areas }] = await Promise.all([readStations(client, day, villages, province), readAtlas(second, options, operators)])
  if (stations.codes.length === 0) throw new PlanRefused(`The register holds no stations on ${day}${province === undefined ? '' : ` in province ${province}`}: import one with kawal import register.`)
  const points = withLandmass(await readPoints(client, day, villages), villages)
  const reports = await readReports(client, operators, new Date(options.now - config.report_days * 86_400_000), new Date(options.now))
  progress.at(0.35, 'judging every station')
  const looker = lookInto(edition.atlas, operators)
  const shares = lookUp(edition.atlas, looker, config.thresholds, stations, villages, areas, reports)
  const { outcome, access } = assess(stations, villages, points, shares, config)
  progress.at(0.5, 'looking for better venues, and writing')
  const weak = weakVillages(villages, outcome)
  const venues = await readVenues(client, day, villages, weak)
  const decisions = await readDecisions(client)
  const { rows } = await client.query<{ id: number }>(
    'INSERT INTO plan (edition_id, made_at, valid_on, operators, province, config, summary) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id',
    [edition.id, new Date(options.now), day, operators, province ?? null, JSON.stringify(config), '{}'])
  const id = rows[0]?.id as number
  // the database takes the rows while the moves are worked out
  const [moves] = await Promise.all([
    proposeMoves({ stations, villages, weak, shares, outcome, venues, usable: lookAtVenues(edition.atlas, looker, venues), decisions, config: config.siting }),
    writeReadiness(client, id, operators, stations, shares, outcome, points, (share) => progress.at(0.5 + 0.45 * share, 'looking for better venues, and writing')),
  ])
  const summary = summarise(stations, shares, outcome, moves.length)
  await writeMoves(client, id, moves)
  await finishPlan(client, id, summary)
  progress.done()
  return { plan: id, edition: edition.id, operators, summary, flow_optimal: provesPlan(access) }
}

async function readAtlas(client: pg.ClientBase, { day, edition: id }: PlanOptions, operators: readonly string[]) {
  const edition = await readEdition(client, id, { layers: (operator) => operators.includes(operator) })
  if (edition === null) throw new PlanRefused(id === 'latest' ? 'No edition of the atlas is published yet: publish one with kawal atlas publish.' : `There is no edition ${id}: kawal atlas list shows those there are.`)
  return { edition, areas: new Map((await readVillageAreas(client, day)).map((area) => [area.code, area.runs])) }
}

async function operatorsOn(client: pg.ClientBase, day: string): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    'SELECT DISTINCT organisation_id AS id FROM operator_code WHERE valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1) ORDER BY 1', [day])
  if (rows.length === 0) throw new PlanRefused(`No operator has a PLMN code on ${day}: import the operators' codes, or name operators with --operators.`)
  return rows.map((row) => row.id)
}

/** A point of an unknown village lies on the landmass of the village nearest to it. */
function withLandmass(points: Points, villages: Villages): Points {
  const known = Int32Array.from(villages.codes.keys()).filter((row) => !Number.isNaN(villages.latitude[row] as number))
  if (known.length === 0) return points
  const nearest = nearestAll(makeNearestTree(villages.latitude, villages.longitude, known), points.latitude, points.longitude)
  return { ...points, landmass: points.landmass.map((landmass, point) => (landmass >= 0 ? landmass : (villages.landmass[nearest.index[point] as number] ?? -1))) }
}

/** Classes of all stations: each judged alone, then the blank ones assigned together. */
function assess(stations: Stations, villages: Villages, points: Points, shares: StationShares, config: PlanConfig): { outcome: Outcome; access: AccessPlan } {
  const count = stations.codes.length
  const outcome = {
    classes: readinessClasses, class: new Uint8Array(count), reasons: readinessReasons, reason: new Uint8Array(count), best: new Int8Array(count), second: new Int8Array(count),
    point: new Int32Array(count).fill(-1), point_reason: new Array<string | null>(count).fill(null), distance_km: new Float32Array(count).fill(NaN), travel_min: new Float32Array(count).fill(NaN),
    slot_start_min: new Float32Array(count).fill(NaN), slot_min: new Float32Array(count).fill(NaN),
  }
  const one = makeShares(shares.operators)
  const judged: Judged = { class: 'unknown', reason: 'no_evidence', best: -1, second: -1 }
  const blank: number[] = []
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < shares.operators; i++) {
      one.strong[i] = shares.strong[row * shares.operators + i] as number
      one.weak[i] = shares.weak[row * shares.operators + i] as number
    }
    judgePlace(one, config.thresholds, judged)
    outcome.best[row] = judged.best
    outcome.second[row] = judged.second
    if (judged.class === 'blank') blank.push(row)
    else put(outcome, row, judged.class, shares.basis[row] === 0 && judged.reason === 'no_evidence' ? 'no_position' : (judged.reason as (typeof readinessReasons)[number]))
  }
  const { access, slots } = assign(stations, villages, points, blank, config)
  blank.forEach((row, at) => {
    const point = access.point[at] as number
    const reason = access.reason.get(at) ?? null
    const settled = settleBlank(point >= 0, reason)
    put(outcome, row, settled.class, settled.reason)
    outcome.point[row] = point
    outcome.point_reason[row] = reason
    outcome.distance_km[row] = access.distance_km[at] as number
    outcome.travel_min[row] = access.travel_min[at] as number
    outcome.slot_start_min[row] = slots.start_min[at] as number
    outcome.slot_min[row] = slots.length_min[at] as number
  })
  return { outcome, access }
}

function put(outcome: { class: Uint8Array; reason: Uint8Array }, row: number, of: (typeof readinessClasses)[number], reason: (typeof readinessReasons)[number]): void {
  outcome.class[row] = readinessClasses.indexOf(of)
  outcome.reason[row] = readinessReasons.indexOf(reason)
}

function assign(stations: Stations, villages: Villages, points: Points, blank: readonly number[], { access: config, slots }: PlanConfig): { access: AccessPlan; slots: Slots } {
  const villageOf = (row: number): number => stations.village[row] as number
  const own = (row: number): boolean => !Number.isNaN(stations.latitude[row] as number)
  const planned = planAccess(
    {
      latitudes: Float64Array.from(blank, (row) => (own(row) ? (stations.latitude[row] as number) : (villages.latitude[villageOf(row)] as number))),
      longitudes: Float64Array.from(blank, (row) => (own(row) ? (stations.longitude[row] as number) : (villages.longitude[villageOf(row)] as number))),
      landmasses: Int32Array.from(blank, (row) => villages.landmass[villageOf(row)] ?? -1), travelClasses: new Uint8Array(blank.length),
    },
    {
      latitudes: points.latitude, longitudes: points.longitude, landmasses: points.landmass, working: points.working,
      capacities: Int32Array.from(points.ids, (_, point) => capacityAt(points, point, slots)),
    }, config)
  if (!planned.ok) throw new Error(`the assignment of access points ended with ${planned.error}`)
  return { access: planned.value, slots: giveSlots(planned.value.point, planned.value.travel_min, points.kinds, inTurns, slots) }
}

/** Stations that a point serves in the window: by its own uplink where it is known, else by its kind's. */
export function capacityAt(points: Points, point: number, slots: SlotConfig): number {
  const kind = points.kinds[point] as Points['kinds'][number]
  const uplink = points.uplink_mbps[point] as number
  if (Number.isNaN(uplink)) return capacityOf(kind, slots)
  return capacityOf(kind, { ...slots, points: { ...slots.points, [kind]: { ...slots.points[kind], uplink_mbit_s: uplink } } })
}

