import type { Steps } from '../kernel/steps.ts'
import { what } from './evidence.ts'
import { badOf, brokenOf, promisesOf } from './intake.ts'
import { bin_stride, bins, devices_a_step, expected_unit, extra, extra_bin, extra_stride, field, isBad, lateness_min, levels, log_unit, node_stride, onDuty, orderNodes, orderPairs, stride, sum, windows_s, type DetectionState } from './state.ts'

/** How firmly a habit is held towards its place's, and a place's towards everybody's: worth so many promises. */
const prior = { device: 26, place: 80, broken: 0.06, bad: 0.012, lateness: 20, gone: 0.005, promises: 1000 }
/** Nobody is so true to his word that one silence proves a fault. */
const broken_min = 0.025
const bad_min = 0.02
const gone_min = 0.001

const rate_unit = 4_096
/** Devices' records make those of places so many sweeps apart: they change slowly. */
const rates_sweeps = 20
/** Some milliseconds' work. */
const nodes_a_step = 5_000

/**
 * Looks at every device once and puts what it says of the last ten minutes, by windows, onto its node: heard well,
 * silent since its promise broke, or heard badly, each against its own habit. What an ongoing disturbance explains
 * is left out. Then the sums go up the areas. No order of devices changes a sum. Nothing may change the state between two
 * of its steps.
 */
export function* survey(state: DetectionState, now_s: number): Steps<void> {
  const { nodes } = state
  const isGrown = nodes.count > nodes.ordered * 1.05
  if (isGrown) orderNodes(state)
  if (state.pairs.count > state.pairs.ordered * 1.25) yield* orderPairs(state)
  if (isGrown || state.sweeps % rates_sweeps === 1) yield* placeRates(state)
  nodes.sums.fill(0, 0, nodes.count * node_stride)
  nodes.extras.fill(0, 0, nodes.count * extra_stride)
  const silence = silenceOf(state)
  state.tests.fill(0)
  for (let from = 0; from < state.deviceCount; from += devices_a_step) {
    yield
    surveyDevices(state, now_s, silence, from, Math.min(state.deviceCount, from + devices_a_step))
  }
  yield* raise(state)
}

/** What the devices of a place break, and report badly, of all that they send: what a new device's habit begins from. */
function* placeRates({ devices, deviceCount, nodes: { count, rates, all, level, area }, places }: DetectionState): Steps<void> {
  const totals = new Float64Array(count * 3)
  for (let at = 0; at < deviceCount * stride; at += stride) {
    if (at % (devices_a_step * stride) === 0) yield
    const node = devices[at + field.node] as number
    if (node < 0) continue
    const to = 3 * (all[node] as number)
    const habit = devices[at + field.habit] as number
    totals[to] = (totals[to] as number) + promisesOf(habit)
    totals[to + 1] = (totals[to + 1] as number) + brokenOf(habit)
    totals[to + 2] = (totals[to + 2] as number) + badOf(habit)
  }
  for (let node = 0; node < count; node++) {
    if (level[node] !== 0) continue
    const from = 3 * (all[node] as number)
    const promises = prior.place + (totals[from] as number)
    const broken = Math.min(1023, Math.round((rate_unit * (prior.place * prior.broken + (totals[from + 1] as number))) / promises))
    const bad = Math.min(1023, Math.round((rate_unit * (prior.place * prior.bad + (totals[from + 2] as number))) / promises))
    rates[node] = (Math.trunc((places.district[area[node] as number] as number) / 10_000) << 20) | (broken << 10) | bad
  }
}

const oldest = windows_s.at(-1) as number
/** The window that an age, s, falls into first: to the half minute. */
const windowOf = Uint8Array.from({ length: oldest + 1 }, (_, age) => windows_s.findIndex((window) => Math.ceil(age / 30) * 30 <= window))
/** One over the promises that a device's habit and its prior are worth. */
const inverse = Float64Array.from({ length: 1024 }, (_, promises) => 1 / (prior.device + promises))
const earlier = (bins - 1) * extra_bin + extra.earlier
/** Tests of the election server say something for so long, s. */
const test_s = 180

function surveyDevices(state: DetectionState, now_s: number, { still, gone }: Silence, first: number, last: number): void {
  const { devices, options: { grace_s, duty_s }, nodes: { sums, extras, rates, all }, tests, lateness } = state
  const end = last * stride
  for (let at = first * stride; at < end; at += stride) {
    const node = devices[at + field.node] as number
    if (node < 0 || (devices[at + field.hitBy] as number) >= 0) continue
    const flags = devices[at + field.flags] as number
    let age: number
    let hit = 0
    if ((flags & onDuty) === 0) {
      const withdrawn = devices[at + field.withdrawnAt] as number
      age = now_s - withdrawn - grace_s
      // A promise that a goodbye took back counts when it would have been due, as that of a lost goodbye does.
      if (withdrawn === 0 || age <= 0 || (flags & isBad) !== 0) continue
      if (age > oldest) {
        const to = (all[node] as number) * extra_stride + earlier
        if (age <= 2 * oldest) extras[to] = (extras[to] as number) + 1
        continue
      }
      hit = 3
    } else {
      age = now_s - (devices[at + field.dueAt] as number) - grace_s
      if (age > duty_s) {
        devices[at + field.flags] = flags & ~onDuty
        lateness[lateness_min] = (lateness[lateness_min] as number) + 1
        continue
      }
      if (age > 0) hit = 1
      else {
        age = Math.max(0, now_s - (devices[at + field.lastAt] as number))
        hit = (flags & isBad) === 0 ? 0 : 2
      }
    }
    if (age > oldest) continue
    const habit = devices[at + field.habit] as number
    const packed = rates[node] as number
    const window = windowOf[age] as number
    const to = node * node_stride + window * bin_stride
    const more = (all[node] as number) * extra_stride + window * extra_bin
    const each = inverse[habit & 1023] as number
    const broken = Math.max(broken_min, ((prior.device / rate_unit) * ((packed >> 10) & 1023) + ((habit >> 10) & 1023)) * each)
    const bad = Math.max(bad_min, ((prior.device / rate_unit) * (packed & 1023) + ((habit >> 20) & 1023)) * each)
    const silent = broken * (still[age] as number) + gone
    sums[to + sum.devices] = (sums[to + sum.devices] as number) + 1
    sums[to + sum.expected] = (sums[to + sum.expected] as number) + ((expected_unit * (silent + bad) + 0.5) | 0)
    const power = (flags >> what.charging) & 3
    // A charger that went off tells of its window, whenever its phone was heard since.
    if (power === 2) extras[more + extra.plugged] = (extras[more + extra.plugged] as number) + 1
    else if (power === 1 && (devices[at + field.unpluggedAt] as number) === (devices[at + field.lastAt] as number)) extras[more + extra.unplugged] = (extras[more + extra.unplugged] as number) + 1
    if (hit === 0) {
      if (age <= test_s) noteTest(flags, tests, packed >> 20)
      continue
    }
    if (hit === 3) {
      extras[more + extra.left] = (extras[more + extra.left] as number) + 1
      continue
    }
    sums[to + sum.hits] = (sums[to + sum.hits] as number) + 1
    sums[to + sum.logs] = (sums[to + sum.logs] as number) + Math.round(log_unit * Math.log(hit === 1 ? silent : bad))
    if (hit === 2) sums[to + sum.bad] = (sums[to + sum.bad] as number) + 1
  }
}

interface Silence {
  /** Of promises that are kept late, the share not kept yet after so many seconds, to the minute. */
  readonly still: Float64Array
  /** Promises that nobody ever keeps, of all: who goes home, and whose goodbye is lost. No habit, and as likely of the truest phone. */
  readonly gone: number
}

/** What silences have been lately: an old one is seldom a habit. */
function silenceOf(state: DetectionState): Silence {
  const { lateness, promises } = state
  const still = new Float64Array(60 * lateness_min)
  const counts = lateness.slice(0, lateness_min).map((count, minute) => count + (minute < 10 ? prior.lateness : 0))
  const total = counts.reduce((sum, count) => sum + count, 0)
  let left = total
  for (let minute = 0; minute < lateness_min; minute++) {
    still.fill(Math.max(0, (left - (counts[minute] as number) / 2) / total), 60 * minute, 60 * (minute + 1))
    left -= counts[minute] as number
  }
  const never = (lateness[lateness_min] as number) + prior.gone * prior.promises
  // Forgets within some twenty minutes: noon is not judged by the morning.
  for (let minute = 0; minute <= lateness_min; minute++) lateness[minute] = (lateness[minute] as number) * 0.98
  state.promises *= 0.98
  return { still, gone: Math.max(gone_min, never / (never + promises + prior.promises)) }
}

function noteTest(flags: number, tests: Int32Array, code: number): void {
  const test = (flags >> what.election) & 3
  if (test === 0) return
  const province = 2 * code
  tests[province] = (tests[province] as number) + 1
  if (test === 2) tests[province + 1] = (tests[province + 1] as number) + 1
}

/** From places to their areas and to everybody's. Nodes are made before those under them at every level but the place's. */
function* raise({ nodes }: DetectionState): Steps<void> {
  const { count } = nodes
  // Everybody's are whole when all operators' have been added.
  for (const raiseSome of [raiseOperators, raiseEverybody])
    for (let from = 0; from < count; from += nodes_a_step) {
      yield
      raiseSome(nodes, from, Math.min(count, from + nodes_a_step))
    }
  raiseAreas(nodes)
}

function raiseOperators({ sums, hits, parent, all, level, operator }: DetectionState['nodes'], first: number, last: number): void {
  for (let node = first; node < last; node++) {
    if (level[node] !== 0 || (operator[node] as number) < 0) continue
    hits[node] = raiseNode(sums, node * node_stride, (all[node] as number) * node_stride, (parent[node] as number) * node_stride)
  }
}

/** Each window holds what the shorter ones do; of operators it is seen to by `raiseNode`. */
function raiseEverybody({ sums, extras, hits, parent, level, operator }: DetectionState['nodes'], first: number, last: number): void {
  for (let node = first; node < last; node++) {
    if (level[node] !== 0 || operator[node] !== -1) continue
    const at = node * extra_stride
    for (let each = at + extra_bin; each < at + extra_stride; each++) extras[each] = (extras[each] as number) + (extras[each - extra_bin] as number)
    add(extras, (parent[node] as number) * extra_stride, at, extra_stride)
    add(sums, (parent[node] as number) * node_stride, node * node_stride, node_stride)
    hits[node] = sums[node * node_stride + longest] as number
  }
}

function raiseAreas({ count, sums, extras, hits, parent, level, operator }: DetectionState['nodes']): void {
  for (let from = 1; from < levels.length; from++)
    for (let node = 0; node < count; node++) {
      if (level[node] !== from) continue
      hits[node] = sums[node * node_stride + longest] as number
      if (from === levels.length - 1) continue
      add(sums, (parent[node] as number) * node_stride, node * node_stride, node_stride)
      if (operator[node] === -1) add(extras, (parent[node] as number) * extra_stride, node * extra_stride, extra_stride)
    }
}

/** Hits of the longest window, among a node's sums. */
const longest = (bins - 1) * bin_stride + sum.hits

/** A window without devices has nothing else either; in most of the others no device is hit. @returns the hits of the longest window */
function raiseNode(sums: Int32Array, node: number, everybody: number, above: number): number {
  let [devices, hits, expected, logs, bad] = [0, 0, 0, 0, 0]
  for (let window = 0; window < node_stride; window += bin_stride) {
    const at = node + window
    devices += sums[at] as number
    if (devices === 0) continue
    expected += sums[at + sum.expected] as number
    sums[at] = devices
    sums[at + sum.expected] = expected
    sums[everybody + window] = (sums[everybody + window] as number) + devices
    sums[everybody + window + sum.expected] = (sums[everybody + window + sum.expected] as number) + expected
    sums[above + window] = (sums[above + window] as number) + devices
    sums[above + window + sum.expected] = (sums[above + window + sum.expected] as number) + expected
    hits += sums[at + sum.hits] as number
    if (hits === 0) continue
    logs += sums[at + sum.logs] as number
    bad += sums[at + sum.bad] as number
    sums[at + sum.hits] = hits
    sums[at + sum.logs] = logs
    sums[at + sum.bad] = bad
    for (const to of [everybody + window, above + window]) {
      sums[to + sum.hits] = (sums[to + sum.hits] as number) + hits
      sums[to + sum.logs] = (sums[to + sum.logs] as number) + logs
      sums[to + sum.bad] = (sums[to + sum.bad] as number) + bad
    }
  }
  return hits
}

function add(sums: Int32Array, to: number, from: number, count: number): void {
  for (let each = 0; each < count; each++) sums[to + each] = (sums[to + each] as number) + (sums[from + each] as number)
}
