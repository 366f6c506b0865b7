import type { DisturbanceEvidence } from '../detection/disturbance.ts'
import { broken_max, weigh, type StationCount, type Verdict } from '../detection/measured.ts'
import { hour_ms, minute_ms, type Instant } from '../kernel/clock.ts'
import { pause, resume, type TicketClock } from './clock.ts'
import type { TicketCause } from './relation.ts'

/**
 * What became of the last word `resolved`. Nobody measured: `asked`, officers near by are asked to look, then `unverified`.
 * Measured: `verified`, the ticket is closed; `refused`, it is open again.
 */
export const verificationStates = ['asked', 'unverified', 'verified', 'refused'] as const

export interface TicketVerification {
  readonly state: (typeof verificationStates)[number]
  /** The word that is verified. */
  readonly claimedAt: Instant
  /** When it came to this state. */
  readonly since: Instant
  /** Devices that report well, badly, and not at all. */
  readonly good: number
  readonly bad: number
  readonly silent: number
  /** Stations that are hit still, the worst first; at most 20. */
  readonly broken: readonly StationCount[]
  /** Of a ticket that covers several disturbances: those of which nobody can tell. */
  readonly disturbances?: readonly string[]
}

export interface VerificationOptions {
  /** How long after `resolved` the stations have to report well again, ms. */
  readonly verify_ms: number
  /** How long those who were asked to look then have, ms: the longest that a phone keeps quiet, and its check. */
  readonly ask_ms: number
  /** How long a ticket measured as recovered waits for the operator's own word, ms. */
  readonly grace_ms: number
  /** How long after `resolved` an officer's problem waits for that officer's word, ms. */
  readonly word_ms: number
}
export const defaultVerification: VerificationOptions = { verify_ms: 5 * minute_ms, ask_ms: 10 * minute_ms, grace_ms: 15 * minute_ms, word_ms: 48 * hour_ms }

/** Of a ticket, what its verification is about. */
interface Claimed {
  readonly resolvedAt: Instant | null
  readonly updatedAt: Instant
  readonly verification?: TicketVerification | null
}

/** Why both clocks stand still: nobody can measure, and that is neither a breach nor a repair. */
export const unverified = 'unverified'

const claimedAt = ({ resolvedAt, updatedAt }: Claimed): Instant => resolvedAt ?? updatedAt

/** Nobody has measured since the claim. */
export const isUnmeasured = ({ verification }: Pick<Claimed, 'verification'>): boolean => verification?.state === 'asked' || verification?.state === 'unverified'

/** When the sweep looks again at a claim by time alone; null: only when reports come. */
export function nextLook(ticket: Claimed, { verify_ms, ask_ms }: VerificationOptions): Instant | null {
  const { verification } = ticket
  if (verification?.state === 'unverified') return null
  return verification?.state === 'asked' ? verification.since + ask_ms : claimedAt(ticket) + verify_ms
}

/**
 * What a look at the reports makes of a claim while the disturbance has not ended. What is measured well ends soon, and is
 * waited for.
 */
export function judgeClaim(ticket: Claimed, { says }: Verdict, now: Instant, options: VerificationOptions): 'wait' | 'reopen' | 'ask' | 'give_up' {
  const isAsked = isUnmeasured(ticket)
  const at = nextLook(ticket, options)
  const isTime = at !== null && now >= at
  if (says === 'broken') return isAsked || isTime ? 'reopen' : 'wait'
  return says === 'well' || !isTime ? 'wait' : isAsked ? 'give_up' : 'ask'
}

/** What the counts of a disturbance alone say, where nobody can tell its stations apart. */
export const verdictOf = ({ devicesGood: good, devicesBad: bad, devicesSilent: silent }: DisturbanceEvidence, devicesHit: number): Verdict =>
  weigh(good + bad + silent === 0 ? [] : [{ station: '', good, bad, silent }], devicesHit)

/** Devices that disturbances hit, as the ticket was told last. */
export const hitOf = (causes: readonly Pick<TicketCause, 'evidence'>[]): number => causes.reduce((sum, { evidence }) => sum + evidence.devicesSilent + evidence.devicesBad, 0)

/**
 * What is said of disturbances that one ticket covers: broken when one of them is; else unknown when of one nobody can
 * tell; well when all are.
 */
export function verdictOfAll(verdicts: readonly Verdict[]): Verdict {
  const says = (['broken', 'unknown'] as const).find((word) => verdicts.some((each) => each.says === word)) ?? 'well'
  const sum = (pick: 'good' | 'bad' | 'silent'): number => verdicts.reduce((total, each) => total + each[pick], 0)
  const broken = verdicts.flatMap((each) => each.broken).sort((a, b) => b.bad + b.silent - a.bad - a.silent || (a.station < b.station ? -1 : 1))
  // Two disturbances may share a station: it is told once, as it is worse.
  const once = broken.filter(({ station }, index) => broken.findIndex((each) => each.station === station) === index)
  return { says, good: sum('good'), bad: sum('bad'), silent: sum('silent'), broken: once.slice(0, broken_max) }
}

/** The evidence of disturbances that one ticket covers: that of the first, with the devices of all. */
export const evidenceOfAll = (first: DisturbanceEvidence, more: readonly DisturbanceEvidence[]): DisturbanceEvidence => more.reduce((sum, each) => ({
  ...sum, devicesExpected: sum.devicesExpected + each.devicesExpected, devicesSilent: sum.devicesSilent + each.devicesSilent,
  devicesBad: sum.devicesBad + each.devicesBad, devicesGood: sum.devicesGood + each.devicesGood,
}), first)

/** The evidence with the counts of what was measured since the claim. */
export const countedSince = (evidence: DisturbanceEvidence, { good, bad, silent }: Verdict): DisturbanceEvidence =>
  ({ ...evidence, devicesExpected: good + bad + silent, devicesGood: good, devicesBad: bad, devicesSilent: silent })

/** The ticket's part that changes when its claim comes to a state; nothing where nothing was measured, as of an officer's word. */
export const settled = (
  ticket: Claimed, state: TicketVerification['state'], since: Instant, evidence: DisturbanceEvidence | null,
  { broken = [], disturbances }: { readonly broken?: readonly StationCount[] | undefined; readonly disturbances?: readonly string[] | undefined } = {},
): { verification?: TicketVerification } => (evidence === null ? {} : {
  verification: {
    state, claimedAt: claimedAt(ticket), since, good: evidence.devicesGood, bad: evidence.devicesBad, silent: evidence.devicesSilent,
    broken: broken.filter(({ station }) => station !== ''), ...(disturbances === undefined ? {} : { disturbances }),
  },
})

/** A newer word, or nobody's any more: what became of the one before is in the history. */
export const unsettled = ({ verification = null }: Claimed): { verification?: null } => (verification === null ? {} : { verification: null })

/** Stands still as of the claim, which nobody has measured since. */
export const pauseUnverified = (clock: TicketClock, ticket: Claimed): TicketClock => pause(clock, unverified, Math.max(claimedAt(ticket), clock.runningSince ?? 0))

export const resumeUnverified = (clock: TicketClock, at: Instant): TicketClock => (clock.pausedReason === unverified ? resume(clock, at) : clock)

/** The counts in a reason, for whoever reads TMF621. */
export const evidenceText = ({ devicesSilent, devicesBad, devicesGood, devicesExpected }: DisturbanceEvidence): string =>
  `silent ${devicesSilent}, bad ${devicesBad}, good ${devicesGood} of ${devicesExpected}`

/** What a note says of it, as the ticket's other texts in Bahasa Indonesia. */
export const unverifiedText = ({ devicesGood, devicesBad, devicesSilent }: DisturbanceEvidence): string =>
  `Tidak terverifikasi: terlalu sedikit perangkat melapor sejak dinyatakan pulih (${devicesGood} baik, ${devicesBad} buruk, ${devicesSilent} diam).`

/** Of the stations still hit as many as fit into a reason. */
const named_max = 5
export function brokenText(broken: readonly StationCount[] = []): string {
  const codes = broken.flatMap(({ station }) => (station === '' ? [] : [station]))
  return codes.length === 0 ? '' : `; still at ${codes.slice(0, named_max).join(', ')}${codes.length > named_max ? ' and more' : ''}`
}
