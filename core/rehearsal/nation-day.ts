import { bad, cellular, charging, good, onBattery, reached, strong, unreached, weak, what } from '../detection/evidence.ts'
import { hash32 } from '../kernel/random.ts'
import { factorOf, gammaFactors, mix32, nextDraw, smooth, unit } from './nation-chance.ts'
import type { Happenings, WorldFault } from './nation-faults.ts'
import type { Ground } from './nation-ground.ts'
import { makeHits, victim, type Hits } from './nation-hits.ts'
import { arrive, beginStretch, chain, drop, endStretch, handOut, makeMail, sendWaiting, wait, type Mail } from './nation-mail.ts'

interface DayOptions {
  readonly seed: number
  /** Seconds since 1970 of 07:00 WIB. */
  readonly startAt_s: number
  readonly hours: number
  /** Share of promises broken without any fault. */
  readonly brokenShare: number
}

export type Emit = (device: number, eventAt_s: number, receivedAt_s: number, dueAt_s: number, bits: number) => void

const never = 2_147_483_647
/** Words of a device in one line of memory; the hot loop reads a line a report. */
const words = 12
const word = { turn: 0, count: 1, hit: 2, key: 3, broken: 4, bad: 5, flags: 6, rows: 7, crowd: 8, head: 9, tail: 10, queued: 11 } as const
/** What a device does at its next turn. */
const turns = { report: 0, goodbye: 1, back: 2 } as const
const flag = { chargingKnown: 1, charging: 2, radioKnown: 4, radioStrong: 8, ways: 16 } as const
const queue_max = 24
const report_s = { least: 150, span: 301 } as const
const late_s = { least: 60, span: 481 } as const
const rest_s = { least: 15 * 60, span: 45 * 60 } as const
const goodbye_lost_share = 0.3
/** Share of the devices hit by congestion or degradation whose report is bad at one time. */
const affected_share = 0.95

/** Local hours; see the tables of spec/device-model.md. */
const brokenByHour = [[5, 0.85], [7, 0.8], [10, 0.95], [13, 1.3], [16, 0.95], [19, 1.2], [22, 0.9], [26, 0.8]] as const
const badByHour = [[5, 0.8], [12, 1], [16, 0.95], [20, 1.4], [24, 0.8]] as const
const rest_per_h = [[11.9, 0.2], [12.1, 0.4], [13.9, 0.4], [14.1, 0.2]] as const
const end_per_h = [[18, 0], [18.1, 0.05], [24, 0.35]] as const

/** The day of all phones: what is fixed, what changes, and the mail between them and the server. */
interface Day {
  readonly options: DayOptions
  readonly ground: Ground
  readonly faults: readonly WorldFault[]
  readonly hits: Hits
  readonly nextAt: Int32Array
  readonly state: Int32Array
  readonly mail: Mail
  readonly salt: number
  readonly minutes: number
  /** By province and minute; by zone and minute. */
  readonly brokenFactor: Float32Array
  readonly badFactor: Float32Array
  readonly leavingPerSecond: Float32Array
  readonly endingShare: Float32Array
  /** The failures of servers that touch the stretch of time in work. */
  servers: readonly { readonly fault: WorldFault; readonly from: number; readonly to: number; readonly provinces: Uint8Array | null }[]
  /** The phones have lived so far, s from the start; the server hears of it by and by. */
  livedUntil: number
}

export function makeDay(ground: Ground, { faults, crowds }: Happenings, options: DayOptions): Day {
  const minutes = options.hours * 60 + 1
  const day: Day = {
    options, ground, faults, hits: makeHits(ground, faults, options.seed, options.startAt_s), nextAt: new Int32Array(ground.devices), state: new Int32Array(ground.devices * words),
    mail: makeMail(stretch_s), salt: hash32(`${options.seed} turns`), minutes, servers: [], livedUntil: 0, ...makeFactors(ground, options, minutes),
  }
  const leaves = new Map(crowds.flatMap((crowd) => [...crowd.places].map((place) => [place, crowd.startAt_s - options.startAt_s] as const)))
  const [village, habit, quality] = [gammaFactors(0.4), gammaFactors(0.8), gammaFactors(1)]
  const frailty = ground.places.map(({ code }) => factorOf(village, mix32(hash32(`${options.seed} frailty ${code}`))))
  for (let device = 0; device < ground.devices; device++) {
    const place = ground.placeOf[ground.station[device] ?? 0] ?? 0
    const key = ground.key[device] ?? 0
    const draw = [mix32(key ^ day.salt)]
    for (let index = 1; index < 9; index++) draw[index] = nextDraw(draw[index - 1] ?? 0)
    const chance = (index: number): number => unit(draw[index] ?? 0)
    const zone_h = ground.zoneOf_h[place] ?? 0
    const way = ground.way[device] ?? 0
    // duty begins between 05:30 and 08:00 local; who began before the day does is met somewhere in an interval
    const began = Math.round((-1.5 + 2.5 * chance(0) - zone_h) * 3600)
    day.nextAt[device] = began > 0 ? began : 1 + Math.floor(chance(1) * 300)
    const leavesAt = leaves.get(place)
    day.state.set([
      turns.back, 0, day.hits.first[device] ?? -1, key,
      Math.round(Math.min(0.5, options.brokenShare * (frailty[place] ?? 1) * factorOf(habit, draw[2] ?? 0)) * 65536),
      Math.round(Math.min(0.5, 0.012 * factorOf(quality, draw[3] ?? 0)) * 65536),
      (chance(4) < 0.7 ? flag.chargingKnown : 0) | (chance(5) < 0.25 ? flag.charging : 0) | (way === cellular && chance(6) < 0.35 ? flag.radioKnown : 0) | (chance(7) < 0.85 ? flag.radioStrong : 0) | (way * flag.ways),
      ((ground.provinceOf[place] ?? 0) << 4) | zone_h, leavesAt === undefined ? never : leavesAt + Math.floor(chance(8) * 600), -1, -1, 0,
    ], device * words)
  }
  return day
}

function makeFactors(ground: Ground, { seed }: DayOptions, minutes: number): Pick<Day, 'brokenFactor' | 'badFactor' | 'leavingPerSecond' | 'endingShare'> {
  const made = { brokenFactor: new Float32Array(ground.provinces.length * minutes), badFactor: new Float32Array(3 * minutes), leavingPerSecond: new Float32Array(3 * minutes), endingShare: new Float32Array(3 * minutes) }
  for (let minute = 0; minute < minutes; minute++) {
    for (let zone_h = 0; zone_h < 3; zone_h++) {
      const hour = 7 + zone_h + minute / 60
      const [rest, end] = [smooth(rest_per_h, hour), smooth(end_per_h, hour)]
      made.badFactor[zone_h * minutes + minute] = smooth(badByHour, hour)
      made.leavingPerSecond[zone_h * minutes + minute] = (rest + end) / 3600
      made.endingShare[zone_h * minutes + minute] = end / (rest + end)
    }
    ground.provinces.forEach((code, province) => {
      const zone_h = ground.zoneOf_h[ground.provinceOf.indexOf(province)] ?? 0
      const draw = mix32(hash32(`${seed} drift ${code}`))
      const [period_h, phase] = [5 + 4 * unit(draw), unit(nextDraw(draw))]
      made.brokenFactor[province * minutes + minute] = smooth(brokenByHour, 7 + zone_h + minute / 60) * (1 + 0.15 * Math.sin(2 * Math.PI * (minute / 60 / period_h + phase)))
    })
  }
  return made
}

/** As long as a mean interval: each phone's line of memory is then read in turn, about once, which halves the time. */
const stretch_s = 300

/** Lets time pass up to `to` (seconds from the start), and hands out what reached the server, in order of arrival. */
export function advanceDay(day: Day, to: number, emit: Emit): void {
  for (;;) {
    handOut(day.mail, to, day.options.startAt_s, emit)
    if (day.livedUntil >= to) return
    const from = day.livedUntil
    day.livedUntil += stretch_s
    beginStretch(day.mail, from)
    day.servers = serversIn(day, from, day.livedUntil)
    const { nextAt, livedUntil } = day
    for (let device = 0; device < nextAt.length; device++)
      for (let at = nextAt[device] ?? never; at <= livedUntil; at = nextAt[device] ?? never) takeTurn(day, device, at)
    endStretch(day.mail)
  }
}

function serversIn(day: Day, from: number, until: number): Day['servers'] {
  const { startAt_s } = day.options
  return day.faults.filter((fault) => (fault.kind === 'election_server' || fault.kind === 'ingest') && fault.startAt_s - startAt_s <= until && fault.endAt_s - startAt_s >= from - 10).map((fault) => ({
    fault, from: fault.startAt_s - startAt_s, to: fault.endAt_s - startAt_s,
    provinces: fault.provinces.length === 0 ? null : Uint8Array.from(day.ground.provinces, (code) => (fault.provinces.includes(code) ? 1 : 0)),
  }))
}

function takeTurn(day: Day, device: number, at: number): void {
  const { state } = day
  const line = device * words
  const count = state[line + word.count] ?? 0
  state[line + word.count] = count + 1
  const draw = mix32(mix32(Math.imul(count, 0x2545f491) ^ day.salt) ^ (state[line + word.key] ?? 0))
  if (state[line + word.turn] === turns.goodbye) sayGoodbye(day, device, line, at, draw)
  else report(day, device, line, at, draw, count)
}

function report(day: Day, device: number, line: number, at: number, draw: number, count: number): void {
  const { state, minutes } = day
  const rows = state[line + word.rows] ?? 0
  const minute = Math.min((at / 60) | 0, minutes - 1)
  const zone = (rows & 15) * minutes + minute
  const chance = nextDraw(draw)
  const quality = nextDraw(chance)
  const eventAt = at - ((draw >>> 1) & 1)
  const interval = report_s.least + ((((draw >>> 2) & 4095) * report_s.span) >> 12)
  const dueAt = eventAt + interval
  let bits = measure(day, line, draw, quality, zone, count)
  if (day.servers.length > 0) bits = testElection(day, rows >> 4, eventAt, bits, chance)
  const hit = hitAt(day, line, eventAt, state[line + word.turn] === turns.back)
  const through = hit < 0 ? true : meet(day, hit, device, line, eventAt, at, dueAt, bits, draw)
  if (through) hand(day, device, line, eventAt, at, dueAt, bits, chance)
  // what comes next
  const broken = (chance & 65535) < (state[line + word.broken] ?? 0) * (day.brokenFactor[(rows >> 4) * minutes + minute] ?? 1)
  const next = dueAt + (broken ? late_s.least + Math.floor(unit(nextDraw(quality)) * late_s.span) : (draw >>> 18) & 7)
  const crowd = state[line + word.crowd] ?? never
  if (crowd > at && crowd <= next) {
    state[line + word.turn] = turns.goodbye
    day.nextAt[device] = crowd
  } else if (chance >>> 16 < (day.leavingPerSecond[zone] ?? 0) * interval * 65536) {
    state[line + word.turn] = turns.goodbye
    day.nextAt[device] = at + 10 + Math.floor(unit(nextDraw(nextDraw(quality))) * (interval - 20))
  } else {
    state[line + word.turn] = turns.report
    day.nextAt[device] = next
  }
}

/** What a phone measures when nothing is wrong; moves its charger on. */
function measure(day: Day, line: number, draw: number, quality: number, zone: number, count: number): number {
  const { state } = day
  let flags = state[line + word.flags] ?? 0
  const isCharging = (flags & flag.charging) !== 0
  if (quality >>> 24 < (isCharging ? 21 : 7)) state[line + word.flags] = flags ^= flag.charging
  let bits = ((flags >> 4) << what.way) | (reached << what.internet)
  if ((count + (state[line + word.key] ?? 0)) % 3 === 0) bits |= reached << what.election
  if ((flags & flag.chargingKnown) !== 0) bits |= ((flags & flag.charging) !== 0 ? charging : onBattery) << what.charging
  if ((flags & flag.radioKnown) !== 0) bits |= (((flags & flag.radioStrong) !== 0) !== (((draw >>> 14) & 15) === 0) ? strong : weak) << what.radio
  if ((quality & 65535) >= (state[line + word.bad] ?? 0) * (day.badFactor[zone] ?? 1)) return bits | (good << what.quality)
  return bits | (bad << what.quality) | reasonOf((quality >>> 16) & 255, 115, 204)
}

/** Slow below the first mark of 256, lossy below the second, else both. */
const reasonOf = (byte: number, slow: number, lossy: number): number => (byte < slow ? 1 << what.slow : byte < lossy ? 1 << what.lossy : (1 << what.slow) | (1 << what.lossy))

function testElection(day: Day, province: number, eventAt: number, bits: number, chance: number): number {
  if (((bits >> what.election) & 3) === 0) return bits
  for (const { fault, from, to, provinces } of day.servers)
    if (fault.kind === 'election_server' && eventAt >= from && eventAt < to && (provinces === null || provinces[province] === 1) && unit(nextDraw(chance ^ 0x51ed270b)) < fault.share)
      return (bits & ~(3 << what.election)) | (unreached << what.election)
  return bits
}

/** The hit that a device lies in, or -1. Counts it, once, when it was on duty as the hit began. */
function hitAt(day: Day, line: number, at: number, wasOff: boolean): number {
  const { state, hits } = day
  let hit = state[line + word.hit] ?? -1
  if (hit < 0) return -1
  while (hit >= 0 && (hits.to[hit] ?? 0) <= at) hit = hits.next[hit] ?? -1
  state[line + word.hit] = hit
  if (hit < 0 || (hits.from[hit] ?? 0) > at) return -1
  if (hits.counted[hit] === 0) {
    hits.counted[hit] = 1
    const fault = day.faults[hits.fault[hit] ?? -1]
    if (!wasOff && hits.role[hit] === victim && fault !== undefined) {
      fault.lost++
      if (fault.kind !== 'power' || (hits.from[hit] ?? 0) + day.options.startAt_s < fault.startAt_s + 15 * 60) fault.lostAtFirst++
    }
  }
  return hit
}

/** What a fault makes of a report: passed on changed, or kept. @returns whether it is still to be handed over as it was */
function meet(day: Day, hit: number, device: number, line: number, eventAt: number, at: number, dueAt: number, measured: number, draw: number): boolean {
  const { hits } = day
  const fault = day.faults[hits.fault[hit] ?? -1]
  if (fault === undefined) return true
  const chance = (draw >>> 18) / 16384
  const byte = (draw >>> 10) & 255
  let bits = measured
  if (fault.kind === 'power' && ((bits >> what.charging) & 3) !== 0) bits = (bits & ~(3 << what.charging)) | (onBattery << what.charging)
  const touched = hits.role[hit] === victim
  if (!touched || fault.kind === 'congestion' || fault.kind === 'degradation') {
    if (touched && chance < affected_share) bits = worsened(bits) | (fault.kind === 'congestion' ? (1 << what.slow) | (byte < 38 ? 1 << what.lossy : 0) : byte < 205 ? 1 << what.lossy : 1 << what.slow)
    hand(day, device, line, eventAt, at, dueAt, bits, nextDraw(draw))
    return false
  }
  const radioGone = (fault.kind === 'access' || fault.kind === 'power') && ((bits >> what.radio) & 3) !== 0
  if (radioGone) bits = (bits & ~(3 << what.radio)) | (weak << what.radio)
  // a moment at the edge of the next cell, or a path that just holds: the newest report alone gets through
  if (chance < fault.edge) arrive(day.mail, device, eventAt, at, dueAt, worsened(bits) | reasonOf(byte, 128, 256))
  else keep(day, line, eventAt, dueAt, lostService(bits))
  return false
}

const worsened = (bits: number): number => (bits & ~(3 << what.quality) & ~(3 << what.slow)) | (bad << what.quality)

function lostService(bits: number): number {
  const tested = ((bits >> what.election) & 3) !== 0
  return (worsened(bits) & ~(3 << what.internet) & ~(3 << what.election)) | (unreached << what.internet) | (tested ? unreached << what.election : 0)
}

/** The network carries it; our own intake may still not take it. What waited goes before it. */
function hand(day: Day, device: number, line: number, eventAt: number, at: number, dueAt: number, bits: number, chance: number): void {
  const { state, mail } = day
  for (const { fault, from, to } of day.servers)
    if (fault.kind === 'ingest' && at >= from && at < to && (fault.shard < 0 || fault.shard === ((state[line + word.key] ?? 0) & 7)) && unit(nextDraw(chance ^ 0x2c1b3c6d)) < fault.share) return keep(day, line, eventAt, dueAt, bits)
  if ((state[line + word.queued] ?? 0) > 0) {
    sendWaiting(mail, device, state[line + word.head] ?? -1, at)
    state[line + word.head] = state[line + word.tail] = -1
    state[line + word.queued] = 0
  }
  arrive(mail, device, eventAt, at, dueAt, bits)
}

function keep(day: Day, line: number, eventAt: number, dueAt: number, bits: number): void {
  const { state, mail } = day
  if ((state[line + word.queued] ?? 0) >= queue_max) {
    state[line + word.head] = drop(mail, state[line + word.head] ?? -1)
    state[line + word.queued] = queue_max - 1
  }
  const slot = wait(mail, eventAt, dueAt, bits)
  if ((state[line + word.queued] ?? 0) === 0) state[line + word.head] = slot
  else chain(mail, state[line + word.tail] ?? -1, slot)
  state[line + word.tail] = slot
  state[line + word.queued] = (state[line + word.queued] ?? 0) + 1
}

/** The officer leaves: for a rest, or for good. */
function sayGoodbye(day: Day, device: number, line: number, at: number, draw: number): void {
  const { state, minutes } = day
  const zone_h = (state[line + word.rows] ?? 0) & 15
  const zone = zone_h * minutes + Math.min((at / 60) | 0, minutes - 1)
  const flags = state[line + word.flags] ?? 0
  const chance = nextDraw(draw)
  const hit = hitAt(day, line, at, false)
  if ((draw & 65535) >= goodbye_lost_share * 65536) {
    const bits = ((flags >> 4) << what.way) | ((flags & flag.chargingKnown) !== 0 ? ((flags & flag.charging) !== 0 && (hit < 0 || day.faults[day.hits.fault[hit] ?? -1]?.kind !== 'power') ? charging : onBattery) << what.charging : 0)
    const fault = hit >= 0 && day.hits.role[hit] === victim ? day.faults[day.hits.fault[hit] ?? -1] : undefined
    if (fault === undefined || fault.kind === 'congestion' || fault.kind === 'degradation') hand(day, device, line, at, at, -1, bits, chance)
    else keep(day, line, at, -1, bits)
  }
  // a crowd comes back in six of ten, unless it is evening: then the count is done
  const inCrowd = state[line + word.crowd] === at
  const ends = inCrowd ? at >= (11 - zone_h) * 3600 || (draw >>> 16) / 65536 < 0.4 : (draw >>> 16) / 65536 < (day.endingShare[zone] ?? 0)
  state[line + word.turn] = turns.back
  day.nextAt[device] = ends ? never : at + rest_s.least + Math.floor(unit(chance) * rest_s.span)
}
