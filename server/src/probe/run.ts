import { setTimeout as sleep } from 'node:timers/promises'
import { rfc3339 } from '@kawal/core/kernel/clock.ts'
import type { Random } from '@kawal/core/kernel/random.ts'
import { judge } from '@kawal/core/measurement/judge.ts'
import { sampleRadio, type SampledRadio } from '@kawal/core/measurement/radio-reading.ts'
import { backoff, nextDue } from '@kawal/core/measurement/schedule.ts'
import type { Sample } from '@kawal/contract/report.ts'
import { CommandFailure, exits } from '../cli/exits.ts'
import { means, routine_cost_bytes, throughput_cost_bytes, type Spent } from './budget.ts'
import { check, type Check, type CheckLimits, type Targets } from './check.ts'
import { deviceKey, enrol } from './enrol.ts'
import { forward } from './forward.ts'
import { openLine, type Line } from './line.ts'
import type { RadioRead } from './radio.ts'
import type { Store } from './store.ts'
import { verdict, type Verdict } from './verdict.ts'

export interface ProbeSettings {
  readonly station: string
  /** 17 symbols; null where the folder is enrolled already. */
  readonly code: string | null
  readonly targets: Targets
  readonly accessPoint: string | null
  /** Declared; null: as the box and the modem tell. */
  readonly access: Sample['access'] | null
  readonly sim: string | null
  readonly daily_bytes: number
  readonly limits: CheckLimits
}

/** Everything that differs from run to run. */
export interface ProbeWorld {
  readonly folder: string
  readonly clock: () => number
  /** As `performance.now`: what is waited for does not depend on a clock that somebody sets. */
  readonly tick: () => number
  readonly random: Random
  readonly readRadio: () => Promise<RadioRead>
  readonly accessOf: () => Sample['access']
  readonly chargingOf: () => boolean | null
  /** How long until the next check. @param asked_s what the platform's last receipt asked for */
  readonly interval_ms: (asked_s: number | null) => number
  readonly told: (done: ProbeCheck) => void
  readonly talk: (sentence: string) => void
  readonly stop: AbortSignal
}

/** One check, and what became of its report. */
export interface ProbeCheck {
  readonly sample: Sample
  readonly check: Check
  readonly verdict: Verdict
  readonly reading: RadioRead['reading']
  readonly radio: SampledRadio | null
  readonly radioTrouble: string | null
  readonly bytes: number
  readonly spent: Spent
  readonly sent: boolean
  readonly waiting: number
  readonly sending: string | null
}

/** A check with all its time-outs ends within this: a report promised for its end comes in time. */
const check_ms_max = 45_000
const jitter_share = 0.1
const retry_base_ms = 5_000
const retry_ms_max = 300_000
/** How long the goodbye may hold up the end of the program. */
const goodbye_ms_max = 4_000

/** A platform that asks for a check at once does so seldom; one that does not is not followed. */
const asked_ms_min = 10 * 60_000

/** Checks, keeps, sends, waits, until `stop`; then says goodbye. With `once` a single check, which promises nothing. */
export async function runProbe(settings: ProbeSettings, world: ProbeWorld, store: Store, once: boolean): Promise<ProbeCheck | null> {
  let failures = 0
  let asked = -Infinity
  for (;;) {
    const [began, ticked] = [world.clock(), world.tick()]
    const nextAt = nextDue(began, { interval_ms: world.interval_ms(store.state().nextInterval_s), jitter_share }, world.random)
    const left_ms = (): number => nextAt - began - (world.tick() - ticked)
    const done = await checkOnce(settings, world, store, once ? null : nextAt + check_ms_max)
    world.told(done)
    failures = done.sending === null ? 0 : failures + 1
    if (once) return done
    if (store.state().checkWanted && !world.stop.aborted && ticked - asked >= asked_ms_min) {
      asked = ticked
      continue
    }
    while (!world.stop.aborted && left_ms() > 0) {
      // a whole interval may pass before the next check: what waits is tried in between, ever more seldom
      const retry_ms = failures === 0 ? Infinity : backoff(failures, retry_base_ms, retry_ms_max, world.random) + 1_000
      await pause(Math.min(left_ms(), retry_ms), world.stop)
      if (failures === 0 || world.stop.aborted || left_ms() <= 0) continue
      const sent = await sendOver(settings, world, store, null)
      failures = sent.trouble === null ? 0 : failures + 1
    }
    if (!world.stop.aborted) continue
    await goodbye(settings, world, store)
    return null
  }
}

async function checkOnce(settings: ProbeSettings, world: ProbeWorld, store: Store, promise: number | null): Promise<ProbeCheck> {
  const began = world.clock()
  if (store.state().checkWanted) store.change({ checkWanted: false })
  const { lastThroughputAt, lastWell } = store.state()
  const allowed = means(store.state().spent, began, dayOf(began), settings.daily_bytes, lastThroughputAt)
  // reserved first: killed in the middle, a check has cost what it may cost, not nothing
  const reserved = allowed === 'nothing' ? 0 : routine_cost_bytes + (allowed === 'throughput' ? throughput_cost_bytes : 0)
  spend(store, began, reserved)
  const [measured, radio] = await Promise.all([check(settings.targets, allowed, settings.limits, world.clock), world.readRadio()])
  const now = world.clock()
  const { reading } = radio
  const sampled = reading === null ? null : sampleRadio(reading, Date.parse(reading.readAt), now)
  const given = sampleOf(settings, world, measured, sampled, now, promise)
  const { quality } = judge(given)
  const well = quality === 'unknown' ? lastWell : quality === 'good'
  const sample = store.keep(well !== lastWell ? 'kept' : 'routine', given)
  store.change({ lastWell: well, ...(measured.downKbps !== null || measured.upKbps !== null ? { lastThroughputAt: now } : {}) })
  spend(store, now, measured.bytes() - reserved)
  const sent = await sendOver(settings, world, store, measured.line)
  const waiting = store.waiting()
  return {
    sample, check: measured, verdict: verdict(measured), reading, radio: sampled, radioTrouble: radio.trouble, bytes: measured.bytes(), spent: store.state().spent,
    sent: !waiting.some((each) => each.sequence === sample.sequence), waiting: waiting.length, sending: sent.trouble,
  }
}

/** Sends over the connection of the check where it still stands, else over a new one. Reports are counted, and never held back. */
async function sendOver(settings: ProbeSettings, world: ProbeWorld, store: Store, given: Line | null): Promise<{ trouble: string | null }> {
  const line = given?.isOpen() === true ? given : (await openLine(new URL(settings.targets.platform), settings.limits.step_ms)).line
  if (line === null) return { trouble: 'the platform cannot be reached' }
  const before = line === given ? line.bytes() : 0
  try {
    return await send(settings, world, store, line)
  } finally {
    spend(store, world.clock(), line.bytes() - before)
    line.close()
  }
}

/** Enrols where that is needed, and sends what waits. */
async function send(settings: ProbeSettings, world: ProbeWorld, store: Store, line: Line): Promise<{ trouble: string | null }> {
  const url = new URL(settings.targets.platform)
  for (let tries = 0; tries < 2; tries++) {
    const { token } = store.state()
    if (token === null) {
      const trouble = await enrolAgain(settings, world, store, url, line)
      if (trouble !== null) return { trouble }
      continue
    }
    const sent = await forward(url, line, store, token, world.clock)
    if (sent.outcome === 'all' || sent.outcome === 'some') return { trouble: null }
    if (sent.outcome === 'later') return { trouble: sent.detail }
    if (settings.code === null) return { trouble: "the platform does not know this device any more: start once with --code and the letter's code" }
    store.change({ token: null })
  }
  return { trouble: 'the platform does not take the device that it has just enrolled' }
}

async function enrolAgain(settings: ProbeSettings, world: ProbeWorld, store: Store, url: URL, line: Line): Promise<string | null> {
  if (settings.code === null) throw new CommandFailure(exits.usage, "This folder is not enrolled yet: give the code of the station's letter with --code.")
  const enrolled = await enrol(url, line, settings.station, settings.code, deviceKey(world.folder))
  if (enrolled.outcome === 'refused') throw new CommandFailure(exits.refused, `The platform does not enrol this probe: ${enrolled.detail}`)
  if (enrolled.outcome === 'later') return `enrolling: ${enrolled.detail}`
  store.change({ device: enrolled.device, token: enrolled.token })
  world.talk(`Enrolled at station ${settings.station}.`)
  return null
}

/** A probe that is switched off owes nothing. What was not measured stays empty. */
async function goodbye(settings: ProbeSettings, world: ProbeWorld, store: Store): Promise<void> {
  const reach = { internet: 'untested', election: 'untested', platform: 'untested' } as const
  store.keep('kept', {
    eventAt: rfc3339(world.clock()), sim: settings.sim, access: settings.access ?? world.accessOf(), accessPoint: settings.accessPoint, technology: null, radio: null,
    rttMs: [], timeouts: 0, downKbps: null, upKbps: null, reach, charging: world.chargingOf(), nextDueAt: null,
  })
  const sent = await Promise.race([sendOver(settings, world, store, null), sleep(goodbye_ms_max, { trouble: 'no answer in time' }, { ref: false })])
  if (sent.trouble !== null) world.talk(`Goodbye waits with ${store.waiting().length} reports for the next start: ${sent.trouble}.`)
}

function sampleOf(settings: ProbeSettings, world: ProbeWorld, measured: Check, sampled: SampledRadio | null, now: number, promise: number | null): Omit<Sample, 'sequence'> {
  const { internet, election, platform } = measured.targets
  const offline = [internet, election, platform].some((target) => target.reach === 'offline')
  return {
    eventAt: rfc3339(now), sim: settings.sim ?? sampled?.sim ?? null, access: offline ? 'none' : (settings.access ?? world.accessOf()), accessPoint: settings.accessPoint,
    technology: sampled?.technology ?? null, radio: sampled?.radio ?? null, rttMs: [...measured.rttMs], timeouts: measured.timeouts, downKbps: measured.downKbps, upKbps: measured.upKbps,
    reach: { internet: internet.reach, election: election.reach, platform: platform.reach }, charging: world.chargingOf(), nextDueAt: promise === null ? null : rfc3339(promise),
  }
}

/** Days are those of UTC: a box knows no other zone for sure. */
const dayOf = (at: number): string => rfc3339(at).slice(0, 10)

function spend(store: Store, at: number, bytes: number): void {
  const day = dayOf(at)
  const { spent } = store.state()
  store.change({ spent: { day, bytes: Math.max(0, (spent.day === day ? spent.bytes : 0) + bytes) } })
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(Math.max(1, ms), undefined, { signal: stop }).catch(() => undefined)
}
