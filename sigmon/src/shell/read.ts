import type { About, DutyState, Permissions } from '@kawal/contract/shell.ts'
import type { Sample } from '@kawal/contract/report.ts'
import type { Kept } from '../session.ts'

/** What a shell says, read without the schema library: one that is older, newer or broken must not break the page. */

type Given = Readonly<Record<string, unknown>>
const isObject = (given: unknown): given is Given => typeof given === 'object' && given !== null && !Array.isArray(given)
const word = <Word extends string>(given: unknown, words: readonly Word[]): Word | null => words.find((each) => each === given) ?? null
const count = (given: unknown): number => (typeof given === 'number' && Number.isFinite(given) && given > 0 ? Math.floor(given) : 0)
/** What a `Date` can hold. */
const instant_max = 8.64e15
const instant = (given: unknown): number | null => (typeof given === 'number' && given > 0 && given <= instant_max ? given : null)

const permits = ['granted', 'askable', 'blocked'] as const
const holds = ['battery', 'budget', 'token', 'block'] as const
const gaps = ['permission', 'location_off', 'no_sim', 'no_modem', 'modem_off', 'no_answer'] as const
const rows_max = 30

/** A permission of which nothing is said is one that may be asked for. */
export function readPermissions(given: unknown): Permissions | null {
  if (!isObject(given)) return null
  const is = (name: string): boolean => given[name] !== false
  return { location: word(given['location'], permits) ?? 'askable', notifications: word(given['notifications'], permits) ?? 'askable', precise: is('precise'), locationOn: is('locationOn'), batteryFree: is('batteryFree') }
}

export function readAbout(given: unknown): About | null {
  if (!isObject(given)) return null
  const { versionCode, versionName, sha256, certificate, platform } = given
  if (!Number.isInteger(versionCode) || !isHash(sha256) || !isHash(certificate)) return null
  return { versionCode: versionCode as number, versionName: String(versionName ?? versionCode).slice(0, 40), sha256, certificate, platform: typeof platform === 'string' ? platform.slice(0, 64) : '' }
}

const isHash = (given: unknown): given is string => typeof given === 'string' && /^[0-9a-f]{64}$/.test(given)

/** Duty as the page has it: the rows are of its own form. Null: no state at all. */
export interface ShellDuty extends Omit<DutyState, 'newest' | 'sequence'> {
  readonly sequence: DutyState['sequence']
  readonly newest: readonly Kept[]
}

export function readDuty(given: unknown): ShellDuty | null {
  if (!isObject(given) || typeof given['on'] !== 'boolean') return null
  const { on, station, sequence, counts, newest, sending, day } = given
  const block = isObject(sequence) && count(sequence['next']) > 0 && count(sequence['to']) > 0 ? { next: count(sequence['next']), to: count(sequence['to']) } : null
  const told: Given = isObject(counts) ? counts : {}
  const retryAt = isObject(sending) ? instant(sending['retryAt']) : null
  return {
    on, since: on ? instant(given['since']) : null, nextDueAt: on ? instant(given['nextDueAt']) : null,
    station: typeof station === 'string' ? station : null, sequence: block, held: word(given['held'], holds), full: given['full'] === true, gap: word(given['gap'], gaps),
    counts: { made: count(told['made']), sent: count(told['sent']), waiting: count(told['waiting']), refused: count(told['refused']) },
    newest: (Array.isArray(newest) ? (newest as unknown[]) : []).slice(0, rows_max).flatMap(readRow),
    sending: isObject(sending) && retryAt !== null ? { status: count(sending['status']), retryAt } : null,
    bytesToday: count(given['bytesToday']), day: typeof day === 'string' && /^\d{4}-\d\d-\d\d$/.test(day) ? day : null,
  }
}

/** A row is shown by its number and its time; one without them is no row. */
function readRow(given: unknown): Kept[] {
  if (!isObject(given) || !isObject(given['sample'])) return []
  const { sample, reason } = given
  const state = word(given['state'], ['waiting', 'sent', 'refused'] as const)
  const { sequence, eventAt } = sample
  if (state === null || count(sequence) === 0 || typeof eventAt !== 'string' || Number.isNaN(Date.parse(eventAt))) return []
  const sentAt = instant(given['sentAt'])
  return [{ sequence: count(sequence), sample: sample as unknown as Sample, state, sentAt: sentAt === null ? null : new Date(sentAt).toISOString(), reason: typeof reason === 'string' ? reason : null }]
}
