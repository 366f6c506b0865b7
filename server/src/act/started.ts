import { createHash } from 'node:crypto'
import { canonicalJson } from '@kawal/contract/pack.ts'
import type { Fact, Facts } from '@kawal/core/act/deed.ts'
import { impactDefaults, type ImpactSettings } from '@kawal/core/impact/defaults.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { contestDefaults } from '@kawal/core/recap/judge.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import type { NotificationSettings } from '../notification/open.ts'
import { insertAct, insertOutcome, writeRefusal } from '../organisation/audit-store.ts'
import type { ProviderSettings } from '../organisation/oidc-settings.ts'
import type { RecapSettings } from '../recap/open.ts'
import { settingsDefaults, type SigmonSettings } from '../sigmon/settings.ts'

/** What decides how areas and phones are treated, what counts and who may come in, as a server is started with it. */
export interface StartSettings {
  readonly rehearsal: boolean
  readonly province?: string
  readonly publicUrl?: string
  readonly targets?: { readonly election: string | null; readonly internet: string | null }
  readonly interval_s?: number
  readonly stationDevices_max?: number
  readonly trustProxy?: readonly string[]
  readonly callbackHosts?: readonly string[]
  readonly ndt?: { readonly tests_max?: number; readonly bytes_max?: number }
  readonly sigmon?: SigmonSettings
  readonly impact?: ImpactSettings
  readonly recaps?: RecapSettings
  readonly notification?: NotificationSettings
  readonly oidc?: readonly ProviderSettings[]
}

/** Passwords and tokens are in none of it. What is not given stands as its default, or as null where the program has the number. */
export function startFacts({ rehearsal, province, publicUrl, targets = { election: null, internet: null }, interval_s, stationDevices_max, trustProxy = [], callbackHosts = [], ndt = {}, sigmon = settingsDefaults, impact = impactDefaults, recaps, notification, oidc = [] }: Partial<StartSettings>): Facts {
  return settingFacts({
    rehearsal, province: province ?? null, publicUrl: publicUrl ?? null, targets, trustProxy, callbackHosts, sigmon, impact, interval_s: interval_s ?? sigmon.intervalS, stationDevices_max: stationDevices_max === Infinity ? 'none' : stationDevices_max ?? null,
    fullTests: { tests_max: ndt.tests_max ?? null, bytes_max: ndt.bytes_max ?? null }, recaps: recaps === undefined ? null : { contests: recaps.contests ?? contestDefaults, receiver: recaps.receiver === undefined ? null : new URL(recaps.receiver.url).host },
    calls: { mail: notification?.mail !== undefined, sms: notification?.sms !== undefined }, providers: oidc.map(({ id, issuer, organisation, organisations }) => ({ id, issuer, organisation: organisation ?? null, organisations: organisations ?? null })),
  })
}

/** Longer values stand as their hash. */
const value_chars_max = 300
const start_command = 'serve'

/** Settings as facts, one a value, named by their path: `sigmon.budget.dailyBytes`. */
export function settingFacts(settings: Readonly<Record<string, unknown>>, prefix = ''): Facts {
  return Object.fromEntries(Object.entries(settings).flatMap(([name, value]): [string, Fact][] => {
    const path = prefix + name
    if (value === undefined) return []
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(settingFacts(value as Readonly<Record<string, unknown>>, `${path}.`))
    return [[path, short(value)]]
  }))
}

function short(value: unknown): Fact {
  if (value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value
  const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : canonicalJson(value)
  return text.length <= value_chars_max ? text : `sha256:${sha256Hex(text)}`
}
const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex')

/**
 * Writes down with which settings the server starts: all of those that decide what is found, how phones are told to measure, what counts and who may come in; one
 * hash over them; and what is not as at the last start. What cannot be written down is not done: it starts with nothing that the log does not say.
 * @param name the user of the machine
 */
export async function writeStart(database: Database, at: Instant, settings: Facts, name: string | null): Promise<void> {
  await database.transaction(system, async (client) => {
    const { rows: [last] } = await client.query<{ facts: Facts | null }>("SELECT facts FROM audit WHERE method = 'CLI' AND path LIKE 'serve%' ORDER BY id DESC LIMIT 1")
    const facts: Facts = { ...settings, settings: `sha256:${sha256Hex(canonicalJson(settings))}`, changed: last?.facts == null ? null : differences(last.facts, settings) }
    const begun = await insertAct(client, { at, actor: { ...system, name }, address: null, method: 'CLI', path: start_command, subject: null, reason: null, request: null, facts })
    await insertOutcome(client, begun, { at, status: 0, made: null })
  })
}

/** That it ends in order; one that was killed says nothing, and the next start shows it. */
export const writeStop = (database: Database, at: Instant, name: string | null): Promise<void> =>
  writeRefusal(database, { at, actor: { ...system, name }, address: null, method: 'CLI', path: 'stop', subject: null, reason: null, request: null }, { at, status: 0, made: null })

function differences(before: Facts, after: Facts): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)].filter((name) => name !== 'settings' && name !== 'changed'))
  return [...names].sort().filter((name) => canonicalJson(before[name] ?? null) !== canonicalJson(after[name] ?? null)).map((name) => `${name}: ${said(before[name])} -> ${said(after[name])}`)
}
const said = (fact: Fact | undefined): string => (fact === undefined ? 'nothing' : typeof fact === 'string' ? fact : JSON.stringify(fact))
