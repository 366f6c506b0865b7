import type { Instant } from '../kernel/clock.ts'

/** What an alert is told apart by. Values are compared as they are. */
export type Labels = Readonly<Record<string, string>>

/** Something that people are told of: the same labels are the same alert for as long as its times touch. */
export interface Alert {
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAt: Instant
  /** When it is over: said, or assumed while its source says nothing more. */
  readonly endsAt: Instant
  /** `endsAt` was assumed. */
  readonly assumed: boolean
  readonly updatedAt: Instant
}

/** As a source says it. Without a beginning it began as it came; without an end it lasts for as long as it is said again. */
export interface SaidAlert { readonly labels: Labels; readonly annotations?: Labels; readonly startsAt?: Instant | null; readonly endsAt?: Instant | null }

export interface Matcher { readonly label: string; readonly value: string; readonly isRegex?: boolean; readonly isEqual?: boolean }

/** One text for equal labels, in whatever order they came. */
export const nameOf = (labels: Labels): string => JSON.stringify(Object.keys(labels).sort().map((label) => [label, labels[label]]))

/** A label that is not there is the empty text. */
export const matches = (labels: Labels, matchers: readonly Matcher[]): boolean => matchers.every(({ label, value, isRegex = false, isEqual = true }) => {
  const own = labels[label] ?? ''
  return (isRegex ? new RegExp(`^(?:${value})$`).test(own) : own === value) === isEqual
})

/** @param resolve_ms an alert whose end nobody said is over so long after it was said last */
export function alertOf({ labels, annotations = {}, startsAt, endsAt }: SaidAlert, now: Instant, resolve_ms: number): Alert {
  const assumed = endsAt == null
  return { labels, annotations, startsAt: startsAt ?? Math.min(now, endsAt ?? now), endsAt: endsAt ?? now + resolve_ms, assumed, updatedAt: now }
}

export const isOver = (alert: Alert, now: Instant): boolean => alert.endsAt <= now

/**
 * What two words on one alert come to: the earliest beginning, the later word's annotations, and of two ends that were
 * said the later. Where their times do not touch, the later word is another occurrence.
 */
export function merged(before: Alert, said: Alert, now: Instant): Alert {
  const touches = (said.endsAt > before.startsAt && said.endsAt < before.endsAt) || (said.startsAt > before.startsAt && said.startsAt < before.endsAt) || said.startsAt === before.startsAt || (said.startsAt < before.startsAt && said.endsAt >= before.endsAt)
  if (!touches) return said
  const startsAt = Math.min(before.startsAt, said.startsAt)
  const keepsEnd = isOver(said, now) ? isOver(before, now) && before.endsAt > said.endsAt : before.endsAt > said.endsAt && !before.assumed
  return keepsEnd ? { ...said, startsAt, endsAt: before.endsAt, assumed: before.assumed } : { ...said, startsAt }
}
