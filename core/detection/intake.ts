import { bad, charging, fieldOf, good, onBattery, strong, weak, what, type Evidence } from './evidence.ts'
import { doubled, field, isBad, lateness_min, onDuty, operatorIndex, pairOf, postOf, seconds, stride, type DetectionState, type Ongoing } from './state.ts'

/** An older report is late: it tells of the past, and not that the device is well now. */
const late_s = 120
/** Of a device's habit, so much is kept: then counts are halved, so that it forgets slowly. */
const promises_max = 1023

/** Counts of a habit in one number: ten bits of promises, ten of broken ones, ten of bad reports. */
export const promisesOf = (habit: number): number => habit & 1023
export const brokenOf = (habit: number): number => (habit >> 10) & 1023
export const badOf = (habit: number): number => (habit >> 20) & 1023

/**
 * Takes in one report, as numbers. Reports between two sweeps may come in any order; only a sweep finds anything.
 * @param device a small whole number that is its own
 * @param station index of a station of `startDetection`
 * @param operator number by `operatorIndex`
 * @param eventAt_s when it was made, Unix seconds by the server's clock; `receivedAt_s` when it came
 * @param dueAt_s the promise of the next one; 0 is goodbye
 * @param bits see evidence.ts
 */
export function takeIn(state: DetectionState, device: number, station: number, operator: number, eventAt_s: number, receivedAt_s: number, dueAt_s: number, bits: number): void {
  if (receivedAt_s > state.heardAt_s) state.heardAt_s = receivedAt_s
  const at = device * stride
  if (device >= state.deviceCount) makeRoom(state, device)
  const { devices } = state
  if (devices[at + field.post] !== postOf(station, operator)) move(state, device, station, operator)
  const hitBy = devices[at + field.hitBy] ?? -1
  const hit = hitBy < 0 ? null : (state.ongoing[hitBy] ?? null)
  if (hit !== null) noteSigns(hit, eventAt_s, receivedAt_s, bits)
  const lastAt = devices[at + field.lastAt] ?? 0
  if (eventAt_s <= lastAt) return
  const flags = devices[at + field.flags] ?? 0
  const dueAt = devices[at + field.dueAt] ?? 0
  if (receivedAt_s - eventAt_s > late_s) {
    // Good when it was made, or goodbye: the silence was the phone's or the way's to us, not the network's.
    const quality = fieldOf(bits, 'quality')
    if (quality === good || (quality === 0 && dueAt_s === 0)) keepPromise(state, at, lastAt, dueAt, flags, eventAt_s, dueAt_s === 0 ? 0 : Math.max(dueAt, dueAt_s), bits)
    return
  }
  if (hit === null) learn(state, at, flags, dueAt === 0 ? 0 : receivedAt_s - dueAt - state.options.grace_s, fieldOf(bits, 'quality') === bad)
  keepPromise(state, at, lastAt, dueAt, flags, eventAt_s, dueAt_s, bits)
}

/** The same in words. A report from a station that is not watched says no more than that the intake works. */
export function takeInEvidence(state: DetectionState, report: Evidence): void {
  const station = state.stationIndex.get(report.station)
  if (station === undefined) state.heardAt_s = Math.max(state.heardAt_s, seconds(report.receivedAt))
  else takeIn(state, report.device, station, operatorIndex(state, report.operator), seconds(report.eventAt), seconds(report.receivedAt), report.nextDueAt === null ? 0 : seconds(report.nextDueAt), report.bits)
}

function makeRoom(state: DetectionState, device: number): void {
  while ((device + 1) * stride > state.devices.length) state.devices = doubled(state.devices)
  for (let at = state.deviceCount * stride; at < (device + 1) * stride; at += stride) {
    state.devices.fill(0, at, at + stride)
    for (const name of ['post', 'pair', 'node', 'hitBy', 'next', 'previous'] as const) state.devices[at + field[name]] = -1
  }
  state.deviceCount = device + 1
}

/** Chains a device to the devices of its operator at its place, out of those where it was. */
function move(state: DetectionState, device: number, station: number, operator: number): void {
  const pair = pairOf(state, station, operator)
  const { devices, nodes, pairs } = state
  const at = device * stride
  const from = devices[at + field.node] as number
  const to = pairs.node[pair] as number
  devices[at + field.post] = postOf(station, operator)
  devices[at + field.pair] = pair
  devices[at + field.node] = to
  if (from === to) return
  if (from >= 0) {
    const [next, previous] = [devices[at + field.next] ?? -1, devices[at + field.previous] ?? -1]
    if (previous >= 0) devices[previous * stride + field.next] = next
    else nodes.device[from] = next
    if (next >= 0) devices[next * stride + field.previous] = previous
  }
  const head = nodes.device[to] ?? -1
  devices[at + field.next] = head
  devices[at + field.previous] = -1
  if (head >= 0) devices[head * stride + field.previous] = device
  nodes.device[to] = device
}

/** Habits are learnt outside disturbances only: a fault must not teach that silence is usual. */
function learn(state: DetectionState, at: number, flags: number, late_s: number, isBadNow: boolean): void {
  if ((flags & onDuty) === 0) return
  const { devices, lateness } = state
  state.promises++
  let habit = devices[at + field.habit] ?? 0
  if (promisesOf(habit) === promises_max) habit = (promisesOf(habit) >> 1) | ((brokenOf(habit) >> 1) << 10) | ((badOf(habit) >> 1) << 20)
  if (late_s > 0) {
    const minute = Math.min(lateness_min - 1, Math.floor(late_s / 60))
    lateness[minute] = (lateness[minute] as number) + 1
  }
  devices[at + field.habit] = habit + 1 + (late_s > 0 ? 1 << 10 : 0) + (isBadNow ? 1 << 20 : 0)
}

function keepPromise(state: DetectionState, at: number, lastAt: number, dueAt: number, flags: number, eventAt_s: number, dueAt_s: number, bits: number): void {
  const { devices } = state
  const quality = fieldOf(bits, 'quality')
  const isBadNow = quality === 0 ? flags & isBad : quality === bad ? isBad : 0
  // What this report does not know of charging stays as it was: a charger does not vanish by not being asked.
  const before = (flags >> what.charging) & 3
  const now = (bits >> what.charging) & 3
  if (now === onBattery && before === charging && eventAt_s - lastAt < 1200) devices[at + field.unpluggedAt] = eventAt_s
  else if (now === charging) devices[at + field.unpluggedAt] = 0
  devices[at + field.lastAt] = eventAt_s
  devices[at + field.withdrawnAt] = dueAt_s === 0 && (flags & onDuty) !== 0 ? dueAt : 0
  devices[at + field.dueAt] = dueAt_s
  devices[at + field.flags] = (now === 0 ? bits | (before << what.charging) : bits) | isBadNow | (dueAt_s === 0 ? 0 : onDuty)
}

/** What a device that was hit still tells, live or late, of the kind of its fault. */
function noteSigns({ signs, since_s }: Ongoing, eventAt_s: number, receivedAt_s: number, bits: number): void {
  if (eventAt_s < since_s - 60) return
  const quality = fieldOf(bits, 'quality')
  const late = receivedAt_s - eventAt_s > late_s
  if (late && quality === good) signs.lateGood++
  if (quality !== bad) return
  if (late) signs.lateBad++
  else {
    signs.badReports++
    signs.slow += (bits >> what.slow) & 1
    signs.lossy += (bits >> what.lossy) & 1
  }
  const radio = fieldOf(bits, 'radio')
  if (radio === strong) signs.strong++
  else if (radio === weak) signs.weak++
}
