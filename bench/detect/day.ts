import { what } from '@kawal/core/detection/evidence.ts'
import { takeIn } from '@kawal/core/detection/intake.ts'
import { sweep } from '@kawal/core/detection/detector.ts'
import { operatorIndex, startDetection } from '@kawal/core/detection/state.ts'
import { makeWorld, worldDefaults, type World, type WorldOptions } from '@kawal/core/rehearsal/nation.ts'
import { hash32, seeded } from '@kawal/core/kernel/random.ts'
import { createNaive } from './naive.ts'
import { readRegister, type Register } from './register.ts'
import { forTheServer, scoreDay, shuffled, type Confirmed, type DayScore, type Presence } from './score.ts'

export interface DayPlan extends Partial<Omit<WorldOptions, 'startAt_s'>> {
  readonly seed: number
  /** Codes; none is the nation. */
  readonly provinces: readonly string[]
}

export interface DayResult {
  readonly plan: DayPlan
  readonly ours: DayScore
  readonly naive: DayScore
  readonly control: DayScore
  /** In words: each fault with what became of it; each disturbance that was none. */
  readonly told: readonly string[]
  readonly wrong: readonly string[]
  readonly devices: number
  readonly reports: number
  /** CPU seconds of this thread: the detector's intake and sweeps; and all. */
  readonly detector_s: number
  readonly all_s: number
  readonly rss_mb: number
}

const startAt_s = Date.UTC(2029, 1, 14) / 1000
const tick_s = 30
const naive_s = 300

/** Reports of one tick, kept so that the detector's time is its own. */
interface Tick { columns: Int32Array; count: number }
const width = 5

/** One day of the world under detection, and its scores. @param progress told each hour */
export function runDay(plan: DayPlan, progress: (text: string) => void): DayResult {
  const began = threadCpu_s()
  const register = readRegister(plan.provinces)
  const stations = register.stations.length
  const options: WorldOptions = { ...worldDefaults, crowds: (worldDefaults.crowds * stations) / stations_nation, ...plan, startAt_s }
  const end_s = startAt_s + options.hours * 3600
  const { world, confirmed, naive, detector_s, reports } = watch(register, options, { until_s: end_s, isServerSeen: true }, (text) => progress(`seed ${plan.seed} ${text}`))
  const presence = presenceOf(register, world)
  const elsewhere = shuffled(world.faults, stations, startAt_s, options.hours * 3600, seeded(hash32(`${plan.seed} shuffled`)))
  const scored = scoreDay(world.faults, confirmed, presence)
  const ours = { ...scored, blamed: forTheServer(scored.blamed, (until_s) => watch(register, options, { until_s, isServerSeen: false }, () => undefined).confirmed) }
  return {
    plan, ours, told: tell(world, register, ours), wrong: ours.wrong.map((each) => `${each.id} ${each.cause} of ${world.operators[each.operator] ?? 'nobody'}, ${each.stations.length} stations from ${register.stations[each.stations[0] ?? -1]?.code ?? '-'}, ${each.times_s.map(clock).join(' ')}`),
    naive: scoreDay(world.faults, naive, presence), control: scoreDay(elsewhere, confirmed, presence),
    devices: world.devices, reports, detector_s, all_s: threadCpu_s() - began, rss_mb: process.memoryUsage().rss / 1e6,
  }
}

const stations_nation = 820_161

interface Watched { readonly world: World; readonly confirmed: readonly Confirmed[]; readonly naive: readonly Confirmed[]; readonly detector_s: number; readonly reports: number }

/** @param isServerSeen else no report says whether the election server answers */
function watch(register: Register, options: WorldOptions, { until_s, isServerSeen }: { until_s: number; isServerSeen: boolean }, progress: (text: string) => void): Watched {
  const world = makeWorld(register.places, options)
  const naive = createNaive(districtsOf(register), world.operators.length)
  const state = startDetection(register.stations)
  const operators = world.operators.map((name) => operatorIndex(state, name))
  const records = createRecords(register, world.operators)
  const tick: Tick = { columns: new Int32Array(width << 16), count: 0 }
  const seen = isServerSeen ? -1 : ~(3 << what.election)
  let [detector_s, reports] = [0, 0]
  for (let now_s = startAt_s + tick_s; now_s <= until_s; now_s += tick_s) {
    fill(tick, world)(now_s)
    reports += tick.count
    const before = threadCpu_s()
    const { columns, count } = tick
    for (let at = 0; at < count * width; at += width) {
      const device = columns[at] ?? 0
      takeIn(state, device, world.station[device] ?? 0, operators[world.operator[device] ?? 0] ?? 0, columns[at + 1] ?? 0, columns[at + 2] ?? 0, columns[at + 3] ?? 0, (columns[at + 4] ?? 0) & seen)
    }
    const findings = sweep(state, now_s * 1000)
    detector_s += threadCpu_s() - before
    for (const { turn, disturbance, other } of findings) records.note(turn, disturbance, other, now_s)
    for (let at = 0; at < count * width; at += width) naive.note(world.station[columns[at] ?? 0] ?? 0, world.operator[columns[at] ?? 0] ?? 0)
    if ((now_s - startAt_s) % naive_s === 0) naive.turn(now_s)
    if ((now_s - startAt_s) % 3600 === 0) progress(`${(now_s - startAt_s) / 3600 + 7}:00 ${reports} reports, ${records.count()} confirmed, ${(detector_s * 1e9 / reports).toFixed(0)} ns a report`)
  }
  return { world, confirmed: records.confirmed(), naive: naive.told(), detector_s, reports }
}

/** WIB. */
const clock = (at_s: number): string => new Date((at_s + 7 * 3600) * 1000).toISOString().slice(11, 19)

function tell(world: World, { stations }: Register, score: DayScore): string[] {
  const rows = [...score.faults]
  return world.faults.filter(({ kind }) => kind !== 'election_server' && kind !== 'ingest').map((fault, index) => {
    const row = rows[index] as DayScore['faults'][number]
    const fate = row.delay_min === null ? (row.seen ? `against another, as ${row.said}` : 'missed') : `${row.delay_min.toFixed(1)} min, ${row.said}${row.right ? '' : ' (wrong)'}, IoU ${row.iou.toFixed(2)}`
    return `${clock(fault.startAt_s)}-${clock(fault.endAt_s)} ${fault.kind} of ${world.operators[fault.operator] ?? 'all'}, ${fault.stations.length} stations from ${stations[fault.stations[0] ?? -1]?.code ?? '-'}, share ${fault.share.toFixed(2)}, lost ${fault.lostAtFirst} (${fault.lost}): ${fate}`
  })
}

function threadCpu_s(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1e6
}

function fill(tick: Tick, world: World): (now_s: number) => void {
  return (now_s) => {
    tick.count = 0
    world.advance(now_s, (device, eventAt_s, receivedAt_s, dueAt_s, bits) => {
      const at = tick.count++ * width
      if (at + width > tick.columns.length) {
        const larger = new Int32Array(tick.columns.length * 2)
        larger.set(tick.columns)
        tick.columns = larger
      }
      const { columns } = tick
      columns[at] = device
      columns[at + 1] = eventAt_s
      columns[at + 2] = receivedAt_s
      columns[at + 3] = dueAt_s
      columns[at + 4] = bits
    })
  }
}

/** By station, numbers in the order of the districts' codes. */
function districtsOf({ stations }: Register): Int32Array {
  const numbers = new Map<string, number>()
  return Int32Array.from(stations, ({ village }) => {
    const district = village.slice(0, 6)
    const known = numbers.get(district) ?? numbers.size
    numbers.set(district, known)
    return known
  })
}

function presenceOf({ places, stations }: Register, world: World): Presence {
  const ofPlace = new Uint8Array(places.length)
  const operatorsAt = new Uint8Array(stations.length)
  const placeOf = new Int32Array(stations.length)
  places.forEach((_, place) => placeOf.fill(place, world.stationStart[place], world.stationStart[place + 1]))
  for (let device = 0; device < world.devices; device++) {
    const place = placeOf[world.station[device] ?? 0] ?? 0
    ofPlace[place] = (ofPlace[place] ?? 0) | (1 << (world.operator[device] ?? 0))
  }
  for (let station = 0; station < operatorsAt.length; station++) operatorsAt[station] = ofPlace[placeOf[station] ?? 0] ?? 0
  return { operatorsAt, provinceAt: stations.map(({ village }) => village.slice(0, 2)) }
}

interface Told { readonly id: string; readonly cause: string; readonly operator: string | null; readonly stations: readonly string[]; readonly endedAt: number | null }
interface Records {
  note(turn: string | null, told: Told, other: string | null, now_s: number): void
  count(): number
  confirmed(): Confirmed[]
}

/** Keeps of each disturbance that was ever confirmed when it was, and the last that was told of it. */
function createRecords(register: Register, operators: readonly string[]): Records {
  const kept = new Map<string, { told: Told; times_s: number[]; mergedInto: string | null }>()
  return {
    note(turn, told, other, now_s) {
      // a part that another came apart into is a new one, and as right or wrong as any
      const isNews = turn === 'confirmed' || turn === 'relapsed' || (turn === 'split' && !kept.has(told.id))
      const record = kept.get(told.id) ?? (isNews ? { told, times_s: [], mergedInto: null } : undefined)
      if (record === undefined) return
      kept.set(told.id, record)
      record.told = told
      if (isNews) record.times_s.push(now_s)
      // both are told of: the one that has ended went into the other
      if (turn === 'merged' && told.endedAt !== null) record.mergedInto = other
    },
    count: () => kept.size,
    confirmed: () => [...kept.values()].map(({ told, times_s, mergedInto }) => ({
      id: told.id, cause: told.cause, operator: told.operator === null ? -1 : operators.indexOf(told.operator), times_s, mergedInto,
      stations: Int32Array.from(told.stations, (code) => register.numberOf(code)).sort(),
    })),
  }
}
