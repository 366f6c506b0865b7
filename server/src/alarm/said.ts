import type { Cause } from '@kawal/core/detection/disturbance.ts'
import type { PerceivedSeverity } from '@kawal/core/detection/x733.ts'
import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'
import { plainCode } from '@kawal/core/register/codes.ts'
import type { Technology } from '@kawal/core/atlas/edition.ts'

export type AlarmSource = 'tmf642' | 'alertmanager'
/** JSON, in the words of TMF642. */
export type Attributes = Readonly<Record<string, unknown>>

/** What a message says of where its fault is; nothing of it is looked up yet. */
export interface Mention {
  /** Codes of areas and stations, plain. */
  readonly codes: readonly string[]
  /** The identity of a radio cell, of a site, and of whatever is alarmed. */
  readonly cell: string | null
  readonly site: string | null
  readonly object: string | null
  readonly points: readonly { readonly latitude: number; readonly longitude: number; readonly radius_m: number | null }[]
  readonly technology: Technology | null
}

/** One message about one alarm, whichever way it came. */
export interface Said {
  readonly source: AlarmSource
  /** The alarm's name in the system that sent it. */
  readonly externalId: string
  /** null when it is cleared. */
  readonly severity: PerceivedSeverity | null
  /** The standard's name where one was recognised, else the sender's word. */
  readonly probableCause: string
  readonly suggests: Cause | null
  readonly title: string
  readonly object: string | null
  readonly raisedAt: Instant
  /** By the sender's clock: orders what is said of one alarm. */
  readonly changedAt: Instant
  readonly clearedAt: Instant | null
  readonly mention: Mention
  readonly attributes: Attributes
  /** As it came. */
  readonly message: string
}

/** A clock that is this far ahead is wrong, and would make everything later look late. */
const ahead_ms_max = 15 * minute_ms
const earliest = Date.UTC(2000, 0, 1)

/**
 * An instant of a message.
 * @param name of the field, for the sentence that refuses it
 */
export function readInstant(name: string, text: string, now: Instant): Result<Instant, string> {
  const at = Date.parse(text)
  if (!Number.isFinite(at)) return fail(`${name} ${text} is no instant of RFC 3339, such as ${new Date(now).toISOString()}`)
  if (at < earliest) return fail(`${name} ${text} lies before the year 2000`)
  if (at > now + ahead_ms_max) return fail(`${name} ${text} lies ${Math.round((at - now) / minute_ms)} minutes ahead of this clock (${new Date(now).toISOString()}): is it local time with a Z behind it? WIB is +07:00, WITA +08:00, WIT +09:00`)
  return ok(at)
}

/** A sequence of instants, absent ones left out; the first that is wrong refuses all. */
export function readInstants<Name extends string>(texts: Readonly<Record<Name, string | undefined>>, now: Instant): Result<Partial<Record<Name, Instant>>, string> {
  const found: Partial<Record<Name, Instant>> = {}
  for (const [name, text] of Object.entries<string | undefined>(texts)) {
    if (text === undefined) continue
    const read = readInstant(name, text, now)
    if (!read.ok) return read
    found[name as Name] = read.value
  }
  return ok(found)
}

/** Whether a database can hold every text of a value: no U+0000, no half of a surrogate pair. One that it cannot would refuse all that is written with it. */
export function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return !value.includes('\0') && value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, each]) => isStorable(name) && isStorable(each))
}

/** The codes of areas and stations in a text, with dots or without, parted by anything; what is no code is left out. */
export function codesIn(text: string): string[] {
  return text.split(/[\s,;|]+/).map(plainCode).filter((code): code is string => code !== null && [2, 4, 6, 10, 13].includes(code.length))
}
