import type { Cause } from '../detection/disturbance.ts'
import { hash32, seeded, type Random } from '../kernel/random.ts'
import { bakti, worldOperators, type Ground } from './nation-ground.ts'
import { createFinder, type Finder, type Footprint } from './nation-footprint.ts'

/** A fault as it truly is. The detector never sees it; the score is taken against it. */
export interface WorldFault {
  readonly kind: Exclude<Cause, 'undetermined'>
  /** Index of the operator whose network fails; -1 for everybody's and for servers. */
  readonly operator: number
  /** Indices of places and of stations, ascending. Empty for the servers: see `provinces`. */
  readonly places: Int32Array
  readonly stations: Int32Array
  /** Codes of the whole provinces that it is about; none is the nation (servers) or parts (the other kinds). */
  readonly provinces: readonly string[]
  readonly startAt_s: number
  readonly endAt_s: number
  /** Of the devices concerned, those that it hits; of servers, of tests or reports that fail. */
  readonly share: number
  /** power: of those hit, silent at once. */
  readonly atOnce: number
  /** Of the reports of a silenced phone, those that get through, bad. */
  readonly edge: number
  /** congestion: how long it grows, and shrinks. */
  readonly grow_s: number
  /** ingest: which eighth of the devices; -1 is all. */
  readonly shard: number
  /** Devices on duty that lost service, so far; and those within the first 15 minutes. */
  lost: number
  lostAtFirst: number
}

/** All officers of a few near villages leave within ten minutes; no fault at all. */
interface Crowd { readonly places: Int32Array; readonly startAt_s: number }

export interface Happenings { readonly faults: readonly WorldFault[]; readonly crowds: readonly Crowd[] }

interface HappeningOptions {
  readonly seed: number
  /** Seconds since 1970 of 07:00 WIB. */
  readonly startAt_s: number
  readonly hours: number
  readonly faults: number
  readonly serverFailures: number
  readonly ingestFailures: number
  readonly crowds: number
}

type LocalKind = 'power' | 'access' | 'backhaul' | 'core' | 'congestion' | 'degradation' | 'access_point'
/** Shares of the day's faults. */
const mix: Readonly<Record<LocalKind, number>> = { core: 0.02, access_point: 0.08, backhaul: 0.2, congestion: 0.14, degradation: 0.1, power: 0.2, access: 0.26 }
/** Stations of a footprint, drawn uniformly in the logarithm. */
const sizes: Readonly<Record<Exclude<LocalKind, 'core' | 'access_point'>, readonly [least: number, most: number]>> = {
  power: [3, 1000], access: [3, 60], backhaul: [20, 800], congestion: [10, 300], degradation: [10, 300],
}
const beam_share = 0.3
const beam_places: readonly [number, number] = [30, 300]
const minutes: readonly [number, number] = [20, 240]
const tries_max = 200
const minute_s = 60
const hour_s = 3600
/** Nothing begins so near to a failure of our own intake, which would hide its start. */
const ingest_margin_s = 12 * minute_s
/** Kept free before and after what happens at a place; between two things both lie. */
const before_s = 30 * minute_s
const after_s = 40 * minute_s

/** Places what happens on the day: crowds first, then our own servers, then faults, large ones before small ones. */
export function makeHappenings(ground: Ground, options: HappeningOptions): Happenings {
  const draw = (what: string): Random => seeded(hash32(`${options.seed} ${what}`))
  const finder = createFinder(ground)
  const busy = ground.places.map((): number[] => [])
  const crowds = makeCrowds(finder, busy, options, draw('crowds'))
  const servers = makeServers(finder, options, draw('servers'))
  const local: WorldFault[] = []
  for (const kind of Object.keys(mix) as LocalKind[]) {
    const random = draw(`faults ${kind}`)
    const count = Math.max(options.faults >= 60 && kind === 'core' ? 2 : 0, Math.round(mix[kind] * options.faults))
    for (let index = 0; index < count; index++) local.push(...placeFault(ground, finder, busy, servers, options, kind, random))
  }
  return { crowds, faults: [...servers, ...local].sort((a, b) => a.startAt_s - b.startAt_s) }
}

const between = (random: Random, [low, high]: readonly [number, number]): number => low + random() * (high - low)
const logBetween = (random: Random, [low, high]: readonly [number, number]): number => low * (high / low) ** random()

function isFree(busy: readonly number[][], places: Int32Array, from: number, to: number): boolean {
  for (const place of places) {
    const taken = busy[place] ?? []
    for (let index = 0; index < taken.length; index += 2) if ((taken[index] ?? 0) < to && (taken[index + 1] ?? 0) > from) return false
  }
  return true
}

function makeCrowds(finder: Finder, busy: number[][], options: HappeningOptions, random: Random): Crowd[] {
  const crowds: Crowd[] = []
  const wanted = Math.floor(options.crowds + random())
  for (let tries = 0; crowds.length < wanted && tries < wanted * 10; tries++) {
    const at_s = options.startAt_s + Math.round(between(random, [2, options.hours - 2]) * hour_s)
    const { places } = finder.villages(random, 1 + Math.floor(4 * random()))
    if (!isFree(busy, places, 0, Infinity)) continue
    for (const place of places) busy[place]?.push(at_s - before_s, at_s + after_s)
    crowds.push({ places, startAt_s: at_s })
  }
  return crowds
}

const nothing = { operator: -1, places: new Int32Array(0), stations: new Int32Array(0), provinces: [], atOnce: 1, edge: 0, grow_s: 0, shard: -1, lost: 0, lostAtFirst: 0 }

/** Failures of the election server, an hour apart at least, and of our own intake. */
function makeServers(finder: Finder, options: HappeningOptions, random: Random): WorldFault[] {
  const made: WorldFault[] = []
  const add = (count: number, kind: 'election_server' | 'ingest', range: readonly [number, number], share: () => number): void => {
    let left = count
    for (let tries = 0; left > 0 && tries < tries_max; tries++) {
      const startAt_s = options.startAt_s + Math.round(between(random, [0.75, options.hours - 1.5]) * hour_s)
      const endAt_s = startAt_s + Math.round(between(random, range) * minute_s)
      const provinces = kind === 'election_server' && random() < 0.5 ? finder.provinces(random, 3 + Math.floor(8 * random())) : []
      const shard = kind === 'ingest' && random() < 0.5 ? Math.floor(8 * random()) : -1
      if (made.some((each) => each.kind === kind && each.startAt_s < endAt_s + hour_s && each.endAt_s + hour_s > startAt_s)) continue
      made.push({ ...nothing, kind, provinces, shard, startAt_s, endAt_s, share: share() })
      left--
    }
  }
  add(options.serverFailures, 'election_server', [15, 60], () => between(random, [0.5, 1]))
  add(options.ingestFailures, 'ingest', [3, 15], () => between(random, [0.6, 1]))
  return made
}

/** @returns none when the place is too small, or too full, for one more of this kind */
function placeFault(ground: Ground, finder: Finder, busy: number[][], servers: readonly WorldFault[], options: HappeningOptions, kind: LocalKind, random: Random): WorldFault[] {
  for (let tries = 0; tries < tries_max; tries++) {
    const footprint = footprintOf(finder, kind, random)
    if (footprint === null) return []
    const operator = kind === 'power' ? -1 : kind === 'access_point' ? bakti : pickOperator(random)
    const times = timesOf(ground, footprint, options, kind, random)
    const nearIntake = servers.some((each) => each.kind === 'ingest' && times.startAt_s > each.startAt_s - ingest_margin_s && times.startAt_s < each.endAt_s + ingest_margin_s)
    const [from, to] = [times.startAt_s - before_s, times.endAt_s + after_s]
    if (nearIntake || !isFree(busy, footprint.places, from, to) || !isFree(busy, footprint.margin, from, to)) continue
    for (const place of footprint.places) busy[place]?.push(from, to)
    const edge = kind === 'access' ? 0.1 : kind === 'backhaul' ? between(random, [0.1, 0.15]) : kind === 'core' ? 0.05 : 0
    const { places, stations, provinces } = footprint
    return [{ ...nothing, kind, operator, places, stations, provinces, ...times, share: between(random, [0.5, 1]), atOnce: kind === 'power' ? between(random, [0.5, 0.7]) : 1, edge }]
  }
  return []
}

function footprintOf(finder: Finder, kind: LocalKind, random: Random): Footprint | null {
  if (kind === 'core') return finder.core(random, 3 + Math.floor(10 * random()))
  if (kind === 'access_point') return (random() < beam_share ? finder.beam(random, Math.round(logBetween(random, beam_places))) : null) ?? finder.point(random)
  return finder.stations(random, Math.round(logBetween(random, sizes[kind])), kind === 'backhaul' ? 3 : 1)
}

/** The square root of their shares, about: the small ones fail more often than they are large. */
function pickOperator(random: Random): number {
  const weights = [0.42, 0.26, 0.25, 0.07]
  let left = random()
  return Math.max(0, worldOperators.findIndex((_, operator) => (left -= weights[operator] ?? 0) < 0))
}

function timesOf(ground: Ground, footprint: Footprint, options: HappeningOptions, kind: LocalKind, random: Random): { startAt_s: number; endAt_s: number; grow_s: number } {
  const zone_h = ground.zoneOf_h[footprint.places[0] ?? 0] ?? 0
  // congestion follows the evening: it begins between 17:00 and 22:00 local where the day is long enough
  const range = kind === 'congestion' && options.hours > 15 ? ([10 - zone_h, 15 - zone_h] as const) : ([0.5, options.hours - 1] as const)
  const startAt_s = options.startAt_s + Math.round(between(random, range) * hour_s)
  const endAt_s = Math.min(startAt_s + Math.round(logBetween(random, minutes) * minute_s), options.startAt_s + options.hours * hour_s)
  const grow_s = kind === 'congestion' ? Math.round(Math.min(between(random, [10, 20]) * minute_s, (endAt_s - startAt_s) / 2)) : 0
  return { startAt_s, endAt_s, grow_s }
}
