import type { Instant } from '../kernel/clock.ts'
import type { Status } from '../kernel/status.ts'
import type { Steps } from '../kernel/steps.ts'
import type { FoundDisturbance, PlacedAlarm, PlannedWork } from './disturbance.ts'
import { beside_count, buildPlaces, type DetectionStation, type Places } from './places.ts'

export interface DetectionOptions {
  /** A promise counts as broken this long after it was due, s. */
  readonly grace_s: number
  /** A device silent for longer has gone off duty, unless it lies in a disturbance. */
  readonly duty_s: number
  /** Nats added to every threshold: 0 is the false-alarm budget that they were set for. */
  readonly caution: number
}
const defaults: DetectionOptions = { grace_s: 10, duty_s: 20 * 60, caution: 0 }

/**
 * The fields of a device, in 48 bytes of one array: a report touches one line of memory or two, and no object.
 * Times are whole Unix seconds; 0 is never.
 */
export const field = { post: 0, pair: 1, node: 2, lastAt: 3, dueAt: 4, withdrawnAt: 5, flags: 6, habit: 7, hitBy: 8, unpluggedAt: 9, next: 10, previous: 11 } as const
export const stride = 12
/** Long looks at all of them rest after so many: some milliseconds' work. */
export const devices_a_step = 100_000
/** A station and an operator in one number. */
const operators_max = 2_048
const stations_max = 1_048_576
export const postOf = (station: number, operator: number): number => station * operators_max + operator
/** The station that a device was heard from last; -1 where it was not. */
export const heardFrom = ({ devices }: DetectionState, device: number): number => Math.floor((devices[device * stride + field.post] ?? -1) / operators_max)
/** Above the sixteen bits of the last report: see evidence.ts. */
export const onDuty = 1 << 16
/** The last report is bad, by `quality` as it was last known. */
export const isBad = 1 << 17

/** Windows of evidence, s. Sums of a node, for each window: devices, hits, expected hits, log-habits of what was hit, and how many of the hits are bad reports. */
export const windows_s = [150, 240, 360, 600] as const
export const bins = windows_s.length
export const sum = { devices: 0, hits: 1, expected: 2, logs: 3, bad: 4 } as const
export const bin_stride = 5
/**
 * Beside them, of everybody's nodes alone: goodbyes heard, chargers gone off and chargers on; and in the longest window
 * goodbyes of as long a time before it.
 */
export const extra = { left: 0, unplugged: 1, plugged: 2, earlier: 3 } as const
export const extra_bin = 4
export const extra_stride = extra_bin * bins
export const node_stride = bin_stride * bins
/**
 * Expected hits are in 1/1,024 and log-habits in 1/128 nats: whole numbers, whose sums do not depend on the order, and
 * those of a nation (5.76 million devices that break a fifth of their promises; 2.3 million silent at once) fit into 32 bits.
 */
export const expected_unit = 1_024
export const log_unit = 128

export const levels = ['place', 'district', 'regency', 'province', 'nation'] as const

/** An operator's devices at one place, or everybody's; and the same over each area above it. */
interface Nodes {
  count: number
  sums: Int32Array
  extras: Int32Array
  /** Hits in the longest window once more, close together: most nodes have none, and are looked at by them alone. */
  hits: Int32Array
  /** Of a place's node, in 1/4,096: ten bits of broken promises, ten of bad reports; above them the province. */
  rates: Int32Array
  /** The node of the same operator one level up; -1 above the nation. */
  parent: Int32Array
  /** Everybody's node at the same place or area; its own for everybody's. */
  all: Int32Array
  level: Uint8Array
  /** -1: everybody's. */
  operator: Int32Array
  /** The place, or the area's digits; 0 for the nation. */
  area: Int32Array
  /** Of a place: the next operator's node at that place, -1 after the last; the first is in `first`. */
  sibling: Int32Array
  /** Of a place's node: a device on it, -1 for none; devices are chained by their fields. */
  device: Int32Array
  readonly byName: Map<string, number>
  /** How many there were when they were last put into the order of their places. */
  ordered: number
  /** Of those, and of places: the same operator's nodes at the places beside, -1 for none. */
  near: Int32Array
}

/** An operator's devices at one station. */
interface Pairs {
  count: number
  station: Int32Array
  operator: Int32Array
  node: Int32Array
  status: Uint8Array
  /** The station's next pair, -1 after the last; the first is in `firstPair`. */
  sibling: Int32Array
  /** How many there were when they were last put into the order of their stations. */
  ordered: number
}

/** A disturbance that has not ended, and what it keeps to itself. */
export interface Ongoing {
  /** Devices carry this number in `hitBy`; -1 while it is suspected only, and holds none. */
  slot: number
  found: FoundDisturbance
  /** -1: everybody's. */
  operator: number
  places: Set<number>
  readonly since_s: number
  /** The last sweep at which the evidence held. */
  seenAt_s: number
  /** Since when it looks well, s; 0 while it does not. */
  calmSince_s: number
  /** Since when it lies in parts that are apart, s; 0 while it does not. */
  apartSince_s: number
  /** Devices that it holds, and the most that it held. */
  devices: number
  devicesMost: number
  /** Devices that it held some minutes after it began; -1 until then, and where nobody looked at that time. */
  early: number
  /** Stations when growth was last told. */
  stationsTold: number
  /** Of the places that `found.stations` was made from. */
  mark: number
  readonly signs: Signs
  /** What its devices showed when it held the most of them: at its end those who rest are most of what is left. */
  peak: Shown | null
  peakPlaces: readonly number[]
}

/** What the devices of a disturbance, and those around it, show now. */
export interface Shown {
  expected: number
  silent: number
  bad: number
  good: number
  slow: number
  lossy: number
  byPoint: number
  /** Of other operators, at its places: heard well since it began, and not. */
  othersGood: number
  othersHit: number
  /** Chargers that went off as it began, and those still on, of everybody. */
  unplugged: number
  plugged: number
  /** Of those silent: whose silence began long after the disturbance. */
  later: number
  /** By operator: hit, and well or hit. */
  readonly byOperator: Map<number, { hits: number; all: number }>
}

/** Counts of what speaks for a cause, over its whole time. */
interface Signs {
  strong: number
  weak: number
  slow: number
  lossy: number
  badReports: number
  lateGood: number
  lateBad: number
}

export const noSigns = (): Signs => ({ strong: 0, weak: 0, slow: 0, lossy: 0, badReports: 0, lateGood: 0, lateBad: 0 })

export interface DetectionState {
  readonly options: DetectionOptions
  readonly stations: readonly DetectionStation[]
  readonly stationIndex: ReadonlyMap<string, number>
  readonly places: Places
  readonly operators: string[]
  readonly nodes: Nodes
  /** The first operator's node of each place, and everybody's; -1 for none. */
  readonly first: Int32Array
  readonly everybody: Int32Array
  devices: Int32Array
  /** One more than the largest device. */
  deviceCount: number
  readonly pairs: Pairs
  /** The first pair of each station; -1 for none. */
  readonly firstPair: Int32Array
  readonly stationStatus: Uint8Array
  /** What statuses are worked out in: hit and well devices of pairs and of stations, two each, and the worst severity there. */
  tallies: { readonly counts: Uint16Array; readonly whole: Uint16Array; readonly worst: Uint8Array; readonly worstOfAll: Uint8Array }
  /** By slot. */
  readonly ongoing: (Ongoing | null)[]
  suspects: Ongoing[]
  /** Ended lately: what comes again at the same place is the same. */
  recent: Ongoing[]
  readonly alarms: Map<string, KnownAlarm>
  readonly plannedWork: Map<string, PlannedWork>
  nextId: number
  /** When anything at all last came in, s. */
  heardAt_s: number
  sweeps: number
  sweptAt_s: number
  devicesOnDuty: number
  /** Broken promises of the nation over what habits explain, smoothed while all is well. */
  usual: number
  /** Since when our intake is doubted, s; 0 while it is not. */
  doubtedSince_s: number
  /** How late broken promises were kept, by the minute: what a silence of that age is worth; in the last, those that never were. */
  readonly lateness: Float64Array
  /** Promises that were kept, late ones too, over the same time. */
  promises: number
  /** By province, of those well and heard in the last three minutes: tests of the election server, and failed ones. */
  readonly tests: Int32Array
}

/** An alarm that is not cleared, with the places of its stations. */
interface KnownAlarm { readonly alarm: PlacedAlarm; readonly places: ReadonlySet<number>; readonly operator: number }

/** Minutes of lateness that are told apart. */
export const lateness_min = 20

export const statuses: readonly Status[] = ['unknown', 'ok', 'watch', 'degraded', 'down']

/** Begins with no knowledge: every station is unknown. Memory: 48 bytes a device, 180 an operator's place and an area, 21 a station's operator. */
export function startDetection(stations: readonly DetectionStation[], options: Partial<DetectionOptions> = {}): DetectionState {
  if (stations.length > stations_max) throw new RangeError(`detection watches at most ${stations_max} stations, not ${stations.length}`)
  const places = buildPlaces(stations)
  return {
    options: { ...defaults, ...options }, stations, stationIndex: new Map(stations.map((station, index) => [station.code, index])), places,
    operators: [], nodes: startNodes(), first: new Int32Array(places.count).fill(-1), everybody: new Int32Array(places.count).fill(-1), devices: new Int32Array(stride * 1024).fill(-1), deviceCount: 0,
    pairs: { count: 0, station: new Int32Array(1024), operator: new Int32Array(1024), node: new Int32Array(1024), status: new Uint8Array(1024), sibling: new Int32Array(1024), ordered: 0 },
    firstPair: new Int32Array(stations.length).fill(-1),
    stationStatus: new Uint8Array(stations.length), tallies: { counts: new Uint16Array(0), whole: new Uint16Array(0), worst: new Uint8Array(0), worstOfAll: new Uint8Array(0) },
    ongoing: [], suspects: [], recent: [], alarms: new Map(), plannedWork: new Map(), nextId: 1, heardAt_s: 0, sweeps: 0, sweptAt_s: 0, devicesOnDuty: 0, usual: 1, doubtedSince_s: 0, lateness: new Float64Array(lateness_min + 1), promises: 0, tests: new Int32Array(200),
  }
}

function startNodes(): Nodes {
  const size = 1024
  const whole = (): Int32Array => new Int32Array(size)
  return { count: 0, sums: new Int32Array(size * node_stride), extras: new Int32Array(size * extra_stride), hits: whole(), rates: whole(), parent: whole(), all: whole(), level: new Uint8Array(size), operator: whole(), area: whole(), sibling: whole(), device: whole(), byName: new Map(), ordered: 0, near: new Int32Array(0) }
}

/** The number of an operator, given at first sight. No decision may rest on the order of these. */
export function operatorIndex(state: DetectionState, operator: string): number {
  const known = state.operators.indexOf(operator)
  if (known < 0 && state.operators.length === operators_max) throw new RangeError(`detection knows at most ${operators_max} operators`)
  return known < 0 ? state.operators.push(operator) - 1 : known
}

/** The pair of a station and an operator; -1 where no device of it was heard. */
export function pairAt({ firstPair, pairs }: DetectionState, station: number, operator: number): number {
  for (let pair = firstPair[station] ?? -1; pair >= 0; pair = pairs.sibling[pair] as number) if (pairs.operator[pair] === operator) return pair
  return -1
}

/** The same, made at first sight with its nodes. */
export function pairOf(state: DetectionState, station: number, operator: number): number {
  const known = pairAt(state, station, operator)
  if (known >= 0) return known
  const { pairs, firstPair } = state
  if (pairs.count === pairs.station.length) for (const name of ['station', 'operator', 'node', 'status', 'sibling'] as const) Object.assign(pairs, { [name]: doubled(pairs[name]) })
  const pair = pairs.count++
  pairs.station[pair] = station
  pairs.operator[pair] = operator
  pairs.node[pair] = placeNode(state, state.places.of[station] ?? 0, operator)
  pairs.sibling[pair] = firstPair[station] as number
  firstPair[station] = pair
  return pair
}

export function doubled<T extends Int32Array | Uint8Array>(array: T): T {
  const larger = new (array.constructor as new (size: number) => T)(array.length * 2)
  larger.set(array as never)
  return larger
}

/** An operator's node at a place; -1 where it has none. @param operator -1 for everybody's */
export function nodeAt(state: DetectionState, place: number, operator: number): number {
  if (operator < 0) return state.everybody[place] ?? -1
  for (let node = state.first[place] ?? -1; node >= 0; node = state.nodes.sibling[node] ?? -1) if (state.nodes.operator[node] === operator) return node
  return -1
}

function placeNode(state: DetectionState, place: number, operator: number): number {
  const known = nodeAt(state, place, operator)
  if (known >= 0) return known
  const all = operator < 0 ? -1 : placeNode(state, place, -1)
  const above = areaNode(state, 1, Math.trunc(state.places.district[place] ?? 0), operator)
  const node = addNode(state.nodes, 0, place, operator, above, all)
  state.nodes.sibling[node] = state.first[place] ?? -1
  state.first[place] = node
  if (operator < 0) state.everybody[place] = node
  return node
}

/** Digits of an area at a level, from its district's. */
const areaDigits = (district: number, level: number): number => (level === 1 ? district : level === 2 ? Math.floor(district / 100) : level === 3 ? Math.floor(district / 10_000) : 0)

function areaNode(state: DetectionState, level: number, district: number, operator: number): number {
  if (level >= levels.length) return -1
  const area = areaDigits(district, level)
  const name = `${level} ${area} ${operator}`
  const known = state.nodes.byName.get(name)
  if (known !== undefined) return known
  const all = operator < 0 ? -1 : areaNode(state, level, district, -1)
  const node = addNode(state.nodes, level, area, operator, areaNode(state, level + 1, district, operator), all)
  state.nodes.byName.set(name, node)
  return node
}

function addNode(nodes: Nodes, level: number, area: number, operator: number, parent: number, all: number): number {
  if (nodes.count === nodes.level.length) for (const name of ['sums', 'extras', 'hits', 'rates', 'parent', 'all', 'level', 'operator', 'area', 'sibling', 'device'] as const) Object.assign(nodes, { [name]: doubled(nodes[name]) })
  const node = nodes.count++
  nodes.level[node] = level
  nodes.area[node] = area
  nodes.operator[node] = operator
  nodes.parent[node] = parent
  nodes.all[node] = all < 0 ? node : all
  nodes.sibling[node] = -1
  nodes.device[node] = -1
  nodes.sums.fill(0, node * node_stride, (node + 1) * node_stride)
  return node
}

/**
 * Puts the nodes into the order of their places: they are made as reports come, and each look at all of them would
 * jump about in memory. Nothing that is found depends on it.
 */
export function orderNodes(state: DetectionState): void {
  const { nodes, pairs, first, everybody, devices, deviceCount } = state
  const order = Int32Array.from({ length: nodes.count }, (_, node) => node)
  order.sort((a, b) => (nodes.level[b] as number) - (nodes.level[a] as number) || (nodes.area[a] as number) - (nodes.area[b] as number) || (nodes.operator[a] as number) - (nodes.operator[b] as number))
  const place = new Int32Array(nodes.count)
  order.forEach((node, index) => (place[node] = index))
  const moved = (node: number): number => (node < 0 ? node : (place[node] as number))
  const sums = new Int32Array(nodes.sums.length)
  for (let to = 0; to < order.length; to++) {
    const from = (order[to] as number) * node_stride
    for (let i = 0; i < node_stride; i++) sums[to * node_stride + i] = nodes.sums[from + i] as number
  }
  nodes.sums = sums
  for (const name of ['parent', 'all', 'sibling'] as const) nodes[name] = inOrder(nodes[name], order, moved)
  for (const name of ['rates', 'operator', 'area', 'device'] as const) nodes[name] = inOrder(nodes[name], order)
  nodes.level = inOrder(nodes.level, order)
  for (let pair = 0; pair < pairs.count; pair++) pairs.node[pair] = moved(pairs.node[pair] as number)
  for (const nodeOf of [first, everybody]) for (let index = 0; index < nodeOf.length; index++) nodeOf[index] = moved(nodeOf[index] as number)
  for (let at = field.node; at < deviceCount * stride; at += stride) devices[at] = moved(devices[at] as number)
  for (const [name, node] of nodes.byName) nodes.byName.set(name, moved(node))
  nodes.ordered = nodes.count
  nodes.near = nodesBeside(state)
}

/** The same for pairs, by their stations. Nothing may change the state between two of its steps. */
export function* orderPairs({ pairs, firstPair, devices, deviceCount }: DetectionState): Steps<void> {
  const order = new Int32Array(pairs.count)
  const place = new Int32Array(pairs.count)
  let count = 0
  for (const [station, first] of firstPair.entries()) {
    if (station % devices_a_step === 0) yield
    for (let pair = first; pair >= 0; pair = pairs.sibling[pair] as number) {
      place[pair] = count
      order[count++] = pair
    }
  }
  const moved = (pair: number): number => (pair < 0 ? pair : (place[pair] as number))
  for (const name of ['station', 'operator', 'node'] as const) {
    pairs[name] = inOrder(pairs[name], order)
    yield
  }
  pairs.status = inOrder(pairs.status, order)
  yield
  pairs.sibling = inOrder(pairs.sibling, order, moved)
  yield
  for (let station = 0; station < firstPair.length; station++) firstPair[station] = moved(firstPair[station] as number)
  for (let at = field.pair; at < deviceCount * stride; at += stride) {
    if (at % (devices_a_step * stride) === field.pair) yield
    devices[at] = moved(devices[at] as number)
  }
  pairs.ordered = pairs.count
}

function inOrder<T extends Int32Array | Uint8Array>(values: T, order: Int32Array, moved?: (value: number) => number): T {
  const found = new (values.constructor as new (size: number) => T)(values.length)
  for (let to = 0; to < order.length; to++) {
    const value = values[order[to] as number] as number
    found[to] = moved === undefined ? value : moved(value)
  }
  return found
}

function nodesBeside(state: DetectionState): Int32Array {
  const { nodes: { count, level, area, operator }, places: { beside } } = state
  const near = new Int32Array(count * beside_count).fill(-1)
  for (let node = 0; node < count; node++) {
    if (level[node] !== 0) continue
    for (let rank = 0; rank < beside_count; rank++) {
      const place = beside[(area[node] as number) * beside_count + rank] as number
      if (place >= 0) near[node * beside_count + rank] = nodeAt(state, place, operator[node] as number)
    }
  }
  return near
}

/** The node of an area by its level and digits; -1 where it has none. */
export const areaNodeOf = (state: DetectionState, level: number, area: number, operator: number): number => state.nodes.byName.get(`${level} ${area} ${operator}`) ?? -1

export const seconds = (at: Instant): number => Math.floor(at / 1000)
