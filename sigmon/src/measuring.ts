import type { Sample } from '@kawal/contract/report.ts'
import type { SigmonConfig } from '@kawal/contract/sigmon.ts'
import { createBudget, dayIn, type Budget, type Ledger } from './check/budget.ts'
import type { CheckOptions, CheckResult, Progress } from './check/check.ts'
import type { Net } from './check/net.ts'
import type { Environment } from './environment.ts'
import type { Spend } from './session.ts'
import { resultOf, type Draft, type Store } from './store.ts'

/** What an officer chose on this phone. */
export interface Choices {
  readonly sim: string | null
  readonly accessPoint: string | null
  readonly practice: boolean
  readonly dailyBytes: number | null
  readonly metered: boolean
  /** Bars that the officer read off the phone, and when. */
  readonly bars: { readonly count: number; readonly at: number } | null
}
export const noChoices: Choices = { sim: null, accessPoint: null, practice: false, dailyBytes: null, metered: false, bars: null }

/** Bars come and go: what was read longer ago is no more said. */
export const bars_ms_max = 10 * 60_000

/** How measuring is done: an argument, so that a test can measure nothing a thousand times. */
export interface Measure {
  check(net: Net, config: SigmonConfig, options: CheckOptions & { readonly full: boolean }, progress: Progress): Promise<CheckResult>
  routine(net: Net, config: SigmonConfig, options: CheckOptions & { readonly reach: boolean }): Promise<CheckResult>
  feel(net: Net, config: SigmonConfig, options: CheckOptions): Promise<{ readonly rttMs: number | null; readonly dbm: number | null; readonly refused: Spend | null }>
}

/** Before this the app was not written: a phone that says so has a wrong clock. */
const written_at = Date.UTC(2026, 10, 1)

/** Until the platform has said otherwise; as in the settings of a new installation. */
export const unconfigured: SigmonConfig = {
  version: 1, issuedAt: '2026-11-01T00:00:00.000Z', validUntil: '2026-11-01T00:00:00.000Z', keys: [], intervalS: 300, jitterShare: 0.2, spreadS: 600,
  probes: { routine: 3, check: 10, timeoutMs: 4_000, reachEvery: 12 }, targets: { internet: null, election: null }, fullTestShare: 0,
  budget: { dailyBytes: 5_000_000, checkDownBytes: 150_000, checkUpBytes: 75_000, fullTestBytes: 3_000_000 }, helpLines: [],
}

interface Needs {
  readonly env: Environment
  readonly net: Net
  readonly measure: Measure
  readonly store: Store
  readonly config: () => SigmonConfig
  readonly choices: () => Choices
  readonly zone: () => string
  /** What the shell spent; see `BudgetRules`. */
  readonly beside: (day: string | null) => number
}

export interface Measuring {
  readonly budget: Budget
  check(full: boolean, progress: Progress): Promise<CheckResult>
  routine(reach: boolean): Promise<CheckResult>
  feel(): ReturnType<Measure['feel']>
}

export async function createMeasuring({ env, net, measure, store, config, choices, zone, beside }: Needs): Promise<Measuring> {
  let serverTime = (await store.read<number>('serverTime')) ?? null
  const budget = await createBudget(
    {
      daily: () => choices().dailyBytes ?? config().budget.dailyBytes,
      day: () => dayIn(zone(), env.clock()), beside,
      restraint: () => (net.connection?.saveData === true ? 'saver' : choices().metered ? 'metered' : null),
    },
    { change: (apply) => store.run(['about'], 'readwrite', (at, done) => {
      at('about').get('spent').onsuccess = (event) => {
        const next = apply(resultOf<Ledger | undefined>(event) ?? null)
        at('about').put(next, 'spent')
        done(next)
      }
    }) },
  )
  const options = (): CheckOptions => ({ onAccessPoint: choices().accessPoint !== null, budget, lastServerTime: serverTime, builtAt: written_at })
  const noted = (result: CheckResult): CheckResult => {
    if (result.serverTime !== null && result.serverTime > (serverTime ?? 0)) {
      serverTime = result.serverTime
      void store.write({ serverTime }).catch(() => undefined)
    }
    return result
  }
  return {
    budget,
    check: async (full, progress) => noted(await measure.check(net, config(), { ...options(), full }, progress)),
    routine: async (reach) => noted(await measure.routine(net, config(), { ...options(), reach })),
    feel: () => measure.feel(net, config(), options()),
  }
}

/** @param dueAt when the next report is promised; null promises none */
export function sampleOf(result: CheckResult, choices: Choices, now: number, dueAt: number | null): Draft {
  return {
    eventAt: new Date(now).toISOString(), sim: result.sim ?? choices.sim, access: result.access, accessPoint: choices.accessPoint, technology: result.technology, radio: result.radio ?? barsOf(choices.bars, now),
    rttMs: result.rttMs.filter((ms) => ms > 0 && ms <= 60_000).slice(0, 20), timeouts: Math.min(20, result.timeouts), downKbps: result.downKbps, upKbps: result.upKbps,
    reach: { ...result.reach }, charging: null, nextDueAt: dueAt === null ? null : new Date(dueAt).toISOString(),
  }
}

function barsOf(bars: Choices['bars'], now: number): Sample['radio'] {
  const age = bars === null ? Infinity : now - bars.at
  return bars === null || age < 0 || age > bars_ms_max ? null : { source: 'officer', ageMs: age, bars: bars.count }
}

/** The rates of a full test, which probes nothing else. */
export function fullTestSample(found: { readonly downKbps: number | null; readonly upKbps: number | null; readonly minRttMs: number | null }, choices: Choices, now: number, dueAt: number | null): Draft {
  return {
    ...goodbyeOf(choices, now, 'unknown'), rttMs: found.minRttMs === null || found.minRttMs <= 0 ? [] : [found.minRttMs], downKbps: found.downKbps, upKbps: found.upKbps,
    reach: { internet: 'untested', election: 'untested', platform: 'ok' }, nextDueAt: dueAt === null ? null : new Date(dueAt).toISOString(),
  }
}

/** It measured nothing, and says so: old figures under a new time would be false. */
export function goodbyeOf(choices: Choices, now: number, access: Sample['access']): Draft {
  return {
    eventAt: new Date(now).toISOString(), sim: choices.sim, access, accessPoint: choices.accessPoint, technology: null, radio: null, rttMs: [], timeouts: 0, downKbps: null, upKbps: null,
    reach: { internet: 'untested', election: 'untested', platform: 'untested' }, charging: null, nextDueAt: null,
  }
}
