/**
 * The score of a day: what was found against what was true. It knows nothing of how either came to be, and shares no
 * code with detection.
 */

/** A fault as it was; a fault of the rehearsal's world has this shape. */
export interface Truth {
  readonly kind: string
  /** -1: everybody's, or a server's. */
  readonly operator: number
  /** Numbers, ascending. */
  readonly stations: Int32Array
  readonly provinces: readonly string[]
  readonly startAt_s: number
  readonly endAt_s: number
  /** How long it grows, from none of its devices to all; 0: all at once. */
  readonly grow_s: number
  readonly lostAtFirst: number
}

/** A disturbance that was confirmed, as it was in the end. */
export interface Confirmed {
  readonly id: string
  readonly cause: string
  /** -1: nobody in particular. */
  readonly operator: number
  /** Each time that it was confirmed, or came back. */
  readonly times_s: readonly number[]
  readonly stations: Int32Array
  /** What it became a part of. */
  readonly mergedInto: string | null
}

/** Where the devices are: by station the bits of the operators that have one in its village, and its province. */
export interface Presence { readonly operatorsAt: Uint8Array; readonly provinceAt: readonly string[] }

export interface ScoredFault {
  readonly kind: string
  readonly lost: number
  /** Minutes to the first confirmation that belongs to it, from when half of its devices had lost service; null when there is none. */
  readonly delay_min: number | null
  /** The same from its very first device. Other than a congestion, which grows, no fault shows a difference. */
  readonly sinceFirst_min: number | null
  /** Whether something was confirmed there and then, whoever it was held against. */
  readonly seen: boolean
  /** Cause and operator, in the end. */
  readonly right: boolean
  /** What it was said to be in the end. */
  readonly said: string
  /** Intersection over union of stations whose village has a device concerned; 0 for a miss. */
  readonly iou: number
  /** How often it was found, after the first. */
  readonly fragments: number
}

export interface DayScore {
  readonly faults: readonly ScoredFault[]
  readonly servers: readonly ScoredFault[]
  /** Confirmed, and of no fault. */
  readonly wrong: readonly Confirmed[]
  /** Confirmed where and when a fault was, against another operator than its own. */
  readonly otherOwner: number
  /** Confirmed of an operator, for no fault of any network, while the election server failed there: whether for that, only the day without that failure can tell. */
  readonly blamed: readonly Confirmed[]
}

const early_s = 2 * 60
const late_s = 15 * 60
const inside_min = 0.3
const isServer = (kind: string): boolean => kind === 'election_server' || kind === 'ingest'

/** @returns rows in the order of the faults */
export function scoreDay(truth: readonly Truth[], confirmed: readonly Confirmed[], presence: Presence): DayScore {
  const owners = confirmed.map((each) => ownerOf(truth, each))
  const byId = new Map(confirmed.map((each) => [each.id, each]))
  const rows = truth.map((fault, index): ScoredFault => {
    const there = confirmed.filter((_, at) => owners[at]?.fault === index)
    const own = there.filter((each) => agrees(fault, each)).sort((a, b) => firstTime(fault, a) - firstTime(fault, b))
    const first = own[0]
    if (first === undefined) return { kind: fault.kind, lost: fault.lostAtFirst, delay_min: null, sinceFirst_min: null, seen: there.length > 0, right: false, said: there[0]?.cause ?? '-', iou: 0, fragments: 0 }
    const last = became(byId, first)
    return {
      kind: fault.kind, lost: fault.lostAtFirst, delay_min: Math.max(0, firstTime(fault, first) - fault.startAt_s - fault.grow_s / 2) / 60, sinceFirst_min: (firstTime(fault, first) - fault.startAt_s) / 60, seen: true, right: last.cause === fault.kind && last.operator === fault.operator, said: last.cause,
      iou: isServer(fault.kind) ? 1 : overlap(fault, last.stations, presence), fragments: own.length - 1,
    }
  })
  const strays = confirmed.filter((_, at) => owners[at] === null)
  return {
    faults: rows.filter(({ kind }) => !isServer(kind)), servers: rows.filter(({ kind }) => isServer(kind)),
    wrong: strays,
    otherOwner: confirmed.filter((each, at) => owners[at] !== null && !agrees(truth[owners[at]?.fault ?? -1] as Truth, each)).length,
    blamed: strays.filter((each) => each.operator >= 0 && each.cause !== 'election_server' && truth.some((fault) => fault.kind === 'election_server' && isDuring(fault, each) && liesIn(fault, each, presence))),
  }
}

/**
 * Of those confirmed while the election server failed, the ones that came of it: the same day without any word of the
 * server has nothing at that place and those seconds. @param without what that day confirms, until then
 */
export function forTheServer(all: readonly Confirmed[], without: (until_s: number) => readonly Confirmed[]): Confirmed[] {
  if (all.length === 0) return []
  const others = without(Math.max(...all.flatMap(({ times_s }) => times_s)))
  return all.filter((each) => !others.some((other) => each.times_s.every((at) => other.times_s.includes(at)) && common(other.stations, each.stations) > 0))
}

/** What it was merged into, and what that was merged into, to the end. */
function became(byId: ReadonlyMap<string, Confirmed>, each: Confirmed): Confirmed {
  const seen = new Set<string>()
  let last = each
  while (last.mergedInto !== null && !seen.has(last.id)) {
    seen.add(last.id)
    const next = byId.get(last.mergedInto)
    if (next === undefined) break
    last = next
  }
  return last
}

const isDuring = (fault: Truth, each: Confirmed): boolean => each.times_s.some((at) => at >= fault.startAt_s - early_s && at <= fault.endAt_s + late_s)
const firstTime = (fault: Truth, each: Confirmed): number => each.times_s.find((at) => at >= fault.startAt_s - early_s) ?? Infinity

/** The fault that a disturbance is about, whoever it is held against: the one that most of its stations lie in. */
function ownerOf(truth: readonly Truth[], each: Confirmed): { fault: number } | null {
  let [best, most] = [-1, 0]
  truth.forEach((fault, index) => {
    if (!isDuring(fault, each)) return
    if (isServer(fault.kind) || isServer(each.cause)) {
      if (fault.kind === each.cause) [best, most] = [index, Infinity]
      return
    }
    const inside = common(fault.stations, each.stations) / Math.max(1, each.stations.length)
    // of two that hold it equally the one whose operator it names
    const weight = inside + (agrees(fault, each) ? 1e-6 : 0)
    if (inside >= inside_min && weight > most) [best, most] = [index, weight]
  })
  return best < 0 ? null : { fault: best }
}

const agrees = (fault: Truth, each: Confirmed): boolean => (isServer(fault.kind) ? each.cause === fault.kind : each.cause === 'undetermined' || each.operator === fault.operator)

/** Numbers that two ascending lists share. */
function common(a: Int32Array, b: Int32Array): number {
  let [count, i, j] = [0, 0, 0]
  while (i < a.length && j < b.length) {
    const [left, right] = [a[i] ?? 0, b[j] ?? 0]
    if (left === right) count++
    if (left <= right) i++
    if (right <= left) j++
  }
  return count
}

function overlap(fault: Truth, stations: Int32Array, { operatorsAt }: Presence): number {
  const isConcerned = (station: number): boolean => (fault.operator < 0 ? operatorsAt[station] !== 0 : ((operatorsAt[station] ?? 0) & (1 << fault.operator)) !== 0)
  const [a, b] = [fault.stations.filter(isConcerned), stations.filter(isConcerned)]
  const both = common(a, b)
  return both / Math.max(1, a.length + b.length - both)
}

/** More than half of its stations lie where the server fails. */
function liesIn(fault: Truth, each: Confirmed, { provinceAt }: Presence): boolean {
  return fault.provinces.length === 0 || each.stations.filter((station) => fault.provinces.includes(provinceAt[station] ?? '')).length > each.stations.length / 2
}

/** Places and times that have nothing to do with what happened: each fault as it was, elsewhere and at another time. */
export function shuffled(truth: readonly Truth[], stations: number, dayStart_s: number, day_s: number, random: () => number): Truth[] {
  return truth.filter(({ kind }) => !isServer(kind)).map((fault) => {
    const shift = Math.floor(stations * (0.1 + 0.8 * random()))
    const length_s = fault.endAt_s - fault.startAt_s
    const startAt_s = dayStart_s + Math.floor(random() * Math.max(1, day_s - length_s))
    return { ...fault, startAt_s, endAt_s: startAt_s + length_s, stations: fault.stations.map((station) => (station + shift) % stations).sort() }
  })
}
