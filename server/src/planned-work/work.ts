import { hour_ms, minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'

/** Work as it is announced; areas are sorted, and none lies in another. */
export interface Announced {
  readonly title: string
  readonly from: Instant
  readonly to: Instant
  readonly areas: readonly string[]
  readonly reason: string
}

/** Longer work is no work but a state: it would blind the watch of an area for good. */
const length_ms_max = 7 * 24 * hour_ms
const ahead_ms_max = 366 * 24 * hour_ms
/** Between writing and arriving. */
const late_ms_max = minute_ms
const day = (ms: number): string => `${Math.round((ms / (24 * hour_ms)) * 10) / 10} days`
const rfc3339 = (at: Instant): string => new Date(at).toISOString()

/** An instant of RFC 3339; a leap second has the form of one and is none here. */
export function readTime(name: string, text: string): Result<Instant, string> {
  const at = Date.parse(text)
  return Number.isFinite(at) ? ok(at) : fail(`${name} ${text} is no instant: write it as ${rfc3339(Date.UTC(2029, 1, 13, 17))} or 2029-02-14T00:00:00+07:00`)
}

/** Codes sorted, each once, and none within another. */
export function tidyAreas(codes: readonly string[]): string[] {
  const sorted = [...new Set(codes)].sort()
  return sorted.filter((code) => !sorted.some((other) => other !== code && code.startsWith(other)))
}

/**
 * Whether work may be announced: it lies ahead, ends after it begins, within a week, and where there are stations.
 * What has begun can no longer be announced: an outage is not made a plan by naming it one.
 * @param before the work as it was, when it is changed
 * @returns what is wrong and how to mend it
 */
export function checkWork(work: Announced, isKnown: (code: string) => boolean, now: Instant, before: Announced | null = null): Result<Announced, string> {
  if (work.title.trim() === '' || work.reason.trim() === '') return fail('title and reason hold nothing but spaces: say what is done and why')
  if (work.to <= work.from) return fail(`it ends (${rfc3339(work.to)}) before it begins (${rfc3339(work.from)})`)
  if (work.to - work.from > length_ms_max) return fail(`it takes ${day(work.to - work.from)}; at most 7 are announced at once: part it`)
  if (work.to <= now) return fail(`it ends at ${rfc3339(work.to)}, which is past`)
  if (work.from > now + ahead_ms_max) return fail(`it begins at ${rfc3339(work.from)}, more than a year ahead`)
  const hasBegun = before !== null && before.from <= now
  if (hasBegun && (work.from !== before.from || work.areas.join() !== before.areas.join())) return fail('it has begun: from and areas stay as they were announced. Withdraw it, or change its end, title and reason')
  if (!hasBegun && work.from < now - late_ms_max) return fail(`it begins at ${rfc3339(work.from)}, which is past: work is announced before it begins`)
  const unknown = work.areas.filter((code) => !isKnown(code))
  if (unknown.length > 0) return fail(`no polling station here has the code ${unknown.slice(0, 5).join(', ')}: areas are codes of the register with 2, 4, 6, 10 or 13 digits`)
  return ok(work)
}
