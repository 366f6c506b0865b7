import type { DisturbanceEvidence } from '../detection/disturbance.ts'
import type { StationCount } from '../detection/measured.ts'
import type { Instant } from '../kernel/clock.ts'
import { fail, ok, type Result } from '../kernel/result.ts'
import {
  defaultBudgets, meet, nextChange, pause, read, resume, startClock, unmeet,
  type ClockName, type ClockReading, type ClockState, type TicketClock,
} from './clock.ts'
import { isAbout, isFrom, maySay, text_chars_max, type Actor, type Opening, type Refusal, type TicketAction, type TicketProblem, type TicketRequest, type TicketStatus } from './command.ts'
import { answered, handedOver, isDisputed, type DisputeKind, type Held, type Recipient } from './dispute.ts'
import { aboutOf, coveredBy, eachCause, isAllWell, related, relationChanges, type About, type Broken, type Related, type RelationAction, type RelationChange, type TicketCause } from './relation.ts'
import {
  brokenText, countedSince, defaultVerification, evidenceText, hitOf, isUnmeasured, judgeClaim, nextLook, pauseUnverified, resumeUnverified, settled, unsettled, unverifiedText, verdictOf,
  type TicketVerification, type VerificationOptions,
} from './verification.ts'

export { ticketStatuses, type Actor, type ProblemKind, type Refusal, type TicketAction, type TicketProblem, type TicketRequest, type TicketStatus } from './command.ts'
export type { TicketCause } from './relation.ts'

interface HistoryEntry extends About {
  readonly at: Instant
  readonly by: string
  readonly kind: TicketEvent['kind']
  readonly text: string
  /** The figures behind it, for who writes them in the reader's language. */
  readonly evidence: DisturbanceEvidence | null
  readonly clock: { readonly name: ClockName; readonly state: ClockState } | null
  /** In that of a dispute alone. */
  readonly dispute?: DisputeKind
}
interface StatusEntry { readonly at: Instant; readonly status: TicketStatus; readonly reason: string }
interface TicketNote { readonly id: string; readonly at: Instant; readonly by: string; readonly text: string }

/**
 * The life of a ticket, after MEF 124 (acknowledged, inProgress, pending, resolved, closed), with one
 * rule of ours: who works on it cannot say `closed`. A disturbance's ticket closes when the stations hit
 * report well again, and what the operator called resolved reopens when they do not. A ticket of an
 * officer's problem rests on a word, which no measurement can weigh: it closes by that officer's word, or
 * when none comes for two days. What an organisation asks of the monitoring centre is a ticket the other way round: the
 * centre works on it, and the organisation that asked has the last word.
 */
export interface Ticket extends Held, Related {
  readonly version: number
  readonly status: TicketStatus
  readonly areaName: string
  /** In the ticket of an officer's problem alone. */
  readonly problem?: TicketProblem
  /** In that of a request alone, whose `operator` is who asks. */
  readonly request?: TicketRequest
  readonly updatedAt: Instant
  readonly resolvedAt: Instant | null
  /** When the stations were measured to be well again; null when they are not. */
  readonly restoredAt: Instant | null
  readonly closedAt: Instant | null
  /** The operator's own estimate of the repair. */
  readonly expectedAt: Instant | null
  readonly reopened: number
  /** What became of the last word `resolved` on a disturbance, once that is known; null when there is a newer one. */
  readonly verification?: TicketVerification | null
  /** None for an officer's problem or a request: nobody has agreed to a time, and an invented one would run out beside those that count. */
  readonly clocks: Held['clocks']
  /** What the sweep has already written about each clock, so that it is written once. */
  readonly warned: Readonly<Partial<Record<ClockName, ClockState>>>
  readonly statusHistory: readonly StatusEntry[]
  readonly notes: readonly TicketNote[]
  readonly history: readonly HistoryEntry[]
}

type TicketCommand = TicketAction & { readonly by: string; readonly actor: Actor }

type TicketChange =
  | { readonly kind: 'opened'; readonly opening: Opening }
  | { readonly kind: 'acknowledged' | 'started' | 'resumed' | 'relapsed' | 'withdrawn' }
  | { readonly kind: 'closed'; readonly evidence?: DisturbanceEvidence }
  | RelationChange
  | { readonly kind: 'held'; readonly reason: string }
  | { readonly kind: 'resolved'; readonly text: string; readonly measured: boolean }
  | { readonly kind: 'restored'; readonly recoveredAt: Instant }
  | { readonly kind: 'reopened'; readonly evidence: DisturbanceEvidence | null; readonly broken?: readonly StationCount[]; /** Of a ticket that covers several. */ readonly disturbances?: readonly Broken[] }
  | { readonly kind: 'check_asked' | 'unverified'; readonly evidence: DisturbanceEvidence; /** Of a ticket that covers several: those of which nobody can tell. */ readonly disturbances?: readonly string[] }
  | { readonly kind: 'disputed'; readonly dispute: DisputeKind; readonly text: string; readonly evidence: DisturbanceEvidence }
  | { readonly kind: 'upheld' | 'rejected'; readonly reason: string }
  | ({ readonly kind: 'transferred' } & Recipient)
  | { readonly kind: 'noted'; readonly text: string }
  | { readonly kind: 'estimated'; readonly expectedAt: Instant }
  | { readonly kind: 'evidence_changed'; readonly disturbance: TicketCause; readonly areaName: string }
  | { readonly kind: 'cancelled'; readonly reason: string }
  | { readonly kind: 'clock_warned'; readonly clock: ClockName; readonly state: ClockState }
export type TicketEvent = TicketChange & { readonly at: Instant; readonly by: string }

/** Entries kept in the ticket itself; every event stays in the log of events. */
const history_max = 200

/**
 * What a command makes of a ticket, or why it is refused. Pure.
 * @param now instant of the command; an instant before the ticket's last event counts as that event's
 */
export function decide(
  ticket: Ticket | null, command: TicketCommand, now: Instant, options: VerificationOptions = defaultVerification,
): Result<TicketEvent[], Refusal> {
  const isRequest = command.kind === 'open' ? 'request' in command.opening : ticket?.request !== undefined
  if (!maySay(command.kind, command.actor, isRequest)) return fail('not_yours_to_say')
  if (command.kind === 'open') return ticket === null ? open(command.opening, command.by, now) : fail('already_open')
  if (ticket === null) return fail('not_found')
  if (!isAbout(command.kind, ticket.disturbance !== null)) return fail('not_yours_to_say')
  if (isOver(ticket) || !isFrom(command.kind, ticket.status)) return fail('not_from_this_status')
  const changes = respond(ticket, command, now, options)
  if (!changes.ok) return changes
  const at = Math.max(now, ticket.updatedAt)
  return ok(changes.value.map((change) => ({ ...change, at, by: command.by })))
}

function open(opening: Opening, by: string, now: Instant): Result<TicketEvent[], Refusal> {
  return opening.operator === '' ? fail('nobody_concerned') : ok([{ kind: 'opened', opening, at: now, by }])
}

function respond(ticket: Ticket, command: TicketCommand, now: Instant, options: VerificationOptions): Result<TicketChange[], Refusal> {
  switch (command.kind) {
    case 'open': return fail('already_open')
    case 'acknowledge': return ok([{ kind: 'acknowledged' }])
    // Taking up the work says that the ticket was seen.
    case 'start': return ok(ticket.status === 'submitted' ? [{ kind: 'acknowledged' }, { kind: 'started' }] : [{ kind: 'started' }])
    case 'hold': return withText(command.reason, (reason) => [{ kind: 'held', reason }])
    case 'resume': return ok([{ kind: 'resumed' }])
    case 'resolve': return command.text !== undefined && command.text.length > text_chars_max
      ? fail('text_too_long')
      : ok([...(ticket.status === 'pending' ? [{ kind: 'resumed' } as const] : []), { kind: 'resolved', text: command.text ?? '', measured: false }])
    // Nothing closes while one of what it covers is not measured well.
    case 'confirm': return isAllWell(ticket, command.well) ? ok(confirm(ticket, command, now, options)) : fail('still_verifying')
    case 'refuse': return refuse(ticket, command, now, options)
    case 'note': return withText(command.text, (text) => [{ kind: 'noted', text }])
    case 'estimate': return ok([{ kind: 'estimated', expectedAt: command.expectedAt }])
    case 'evidence': return ok([{ kind: 'evidence_changed', disturbance: command.disturbance, areaName: command.areaName }])
    // A dispute is answered before anything else is done with the ticket; later evidence waits for no answer.
    case 'cancel': return command.actor === 'watch' && isDisputed(ticket) ? fail('dispute_open') : withText(command.reason, (reason) => [{ kind: 'cancelled', reason }])
    case 'withdraw': return ok([{ kind: 'withdrawn' }])
    case 'merge': case 'cover': case 'uncover': return command.actor === 'watch' && isDisputed(ticket) ? fail('dispute_open') : reach(ticket, command)
    case 'relate': case 'attach': return relationChanges(ticket, command)
    case 'warn': return ok(warnings(ticket, now))
    case 'lapse': return ok(ticket.status === 'resolved' && now >= (ticket.resolvedAt ?? ticket.updatedAt) + options.word_ms ? [{ kind: 'closed' }] : [])
    case 'word': return ok([command.word === 'fixed' ? { kind: 'closed' } : { kind: 'reopened', evidence: null }])
    case 'dispute': return dispute(ticket, command)
    case 'uphold': return !isDisputed(ticket) ? fail('no_dispute') : uphold(ticket, command.reason, command.to)
    case 'reject': return !isDisputed(ticket) ? fail('no_dispute') : withText(command.reason, (reason) => [{ kind: 'rejected', reason }])
    case 'transfer': return isDisputed(ticket) ? fail('dispute_open') : transfer(ticket, command)
  }
}

function dispute(ticket: Ticket, { dispute, text, evidence }: Extract<TicketAction, { kind: 'dispute' }>): Result<TicketChange[], Refusal> {
  const measured = evidence ?? ticket.disturbance?.evidence
  if (isDisputed(ticket) || measured === undefined) return fail('dispute_open')
  return withText(text, (said) => [{ kind: 'disputed', dispute, text: said, evidence: measured }])
}

function uphold(ticket: Ticket, reason: string, to: Recipient | null): Result<TicketChange[], Refusal> {
  if (to === null) return withText(reason, (said) => [{ kind: 'upheld', reason: said }, { kind: 'cancelled', reason: said }])
  if (reason.length > text_chars_max) return fail('text_too_long')
  const transferred = transfer(ticket, to)
  return transferred.ok ? ok([{ kind: 'upheld', reason: reason.trim() }, ...transferred.value]) : transferred
}

function transfer(ticket: Ticket, { operator, operatorName, budgets }: Recipient): Result<TicketChange[], Refusal> {
  if (operatorName === '' || operator === ticket.operator) return fail('nobody_concerned')
  return ok([{ kind: 'transferred', operator, operatorName, ...(budgets === undefined ? {} : { budgets }) }])
}

function withText(text: string, make: (text: string) => TicketChange[]): Result<TicketChange[], Refusal> {
  const trimmed = text.trim()
  if (trimmed === '') return fail('reason_missing')
  return trimmed.length > text_chars_max ? fail('text_too_long') : ok(make(trimmed))
}

/** What merging and splitting make of a ticket. What is measured as recovered was so without what is new in it: the next measurement is of all. */
function reach(ticket: Ticket, command: RelationAction): Result<TicketChange[], Refusal> {
  const changes = relationChanges(ticket, command)
  return changes.ok && command.kind === 'cover' && ticket.restoredAt !== null ? ok([{ kind: 'relapsed' }, ...changes.value]) : changes
}

/** Measured as recovered: closes what is resolved, with the evidence; else waits `grace_ms` for the operator's word. */
function confirm(ticket: Ticket, { recoveredAt, evidence }: Extract<TicketAction, { kind: 'confirm' }>, now: Instant, options: VerificationOptions): TicketChange[] {
  const restored: TicketChange[] = ticket.restoredAt === null ? [{ kind: 'restored', recoveredAt }] : []
  const closed: TicketChange = { kind: 'closed', ...(evidence === undefined ? {} : { evidence }) }
  if (ticket.status === 'resolved') return [...restored, closed]
  if (now < (ticket.restoredAt ?? recoveredAt) + options.grace_ms) return restored
  return [...restored, { kind: 'resolved', text: '', measured: true }, closed]
}

/** Not measured as recovered: reopens what is broken still; where nobody can tell, asks, and then says so. */
function refuse(ticket: Ticket, { evidence, verdict = verdictOf(evidence, hitOf(coveredBy(ticket))), broken, unknown }: Extract<TicketAction, { kind: 'refuse' }>, now: Instant, options: VerificationOptions): Result<TicketChange[], Refusal> {
  const relapsed: TicketChange[] = ticket.restoredAt === null ? [] : [{ kind: 'relapsed' }]
  if (ticket.status !== 'resolved') return ok(relapsed)
  const unmeasured = { evidence: countedSince(evidence, verdict), ...(unknown === undefined ? {} : { disturbances: unknown }) }
  switch (judgeClaim(ticket, verdict, now, options)) {
    case 'wait': return relapsed.length > 0 ? ok(relapsed) : fail('still_verifying')
    case 'reopen': return ok([...relapsed, { kind: 'reopened', evidence, broken: verdict.broken, ...(broken === undefined ? {} : { disturbances: broken }) }])
    case 'ask': return ok([...relapsed, { kind: 'check_asked', ...unmeasured }])
    case 'give_up': return ok([...relapsed, { kind: 'unverified', ...unmeasured }])
  }
}

function warnings(ticket: Ticket, now: Instant): TicketChange[] {
  return clocks(ticket, now).flatMap((clock): TicketChange[] =>
    (clock.state === 'at_risk' || clock.state === 'overdue') && ticket.warned[clock.name] !== clock.state
      ? [{ kind: 'clock_warned', clock: clock.name, state: clock.state }]
      : [])
}

export function isOver(ticket: Ticket): boolean {
  return ticket.status === 'closed' || ticket.status === 'cancelled'
}

/** The ticket after an event. Total: what `decide` gave can always be applied. */
export function apply(ticket: Ticket | null, event: TicketEvent): Ticket {
  if (event.kind === 'opened') return opened(event.opening, event)
  if (ticket === null) throw new RangeError(`a ticket begins with opened, not ${event.kind}`)
  const after = { ...ticket, ...effect(ticket, event), version: ticket.version + 1, updatedAt: event.at }
  const statusHistory = after.status === ticket.status
    ? ticket.statusHistory
    : [...ticket.statusHistory, { at: event.at, status: after.status, reason: textOf(event) }].slice(-history_max)
  return { ...after, statusHistory, history: [...ticket.history, entry(event)].slice(-history_max) }
}

function opened(opening: Opening, event: TicketEvent): Ticket {
  const { id, operator, operatorName, areaName } = opening
  return {
    id, version: 1, status: 'submitted', operator, operatorName, areaName, ...subject(opening, event.at),
    openedAt: event.at, updatedAt: event.at, resolvedAt: null, restoredAt: null, closedAt: null, expectedAt: null, reopened: 0,
    warned: {}, notes: [],
    statusHistory: [{ at: event.at, status: 'submitted', reason: '' }],
    history: [entry(event)],
  }
}

function subject(opening: Opening, at: Instant): Pick<Ticket, 'disturbance' | 'problem' | 'request' | 'clocks'> {
  if ('problem' in opening) return { disturbance: null, problem: opening.problem, clocks: [] }
  if ('request' in opening) return { disturbance: null, request: opening.request, clocks: [] }
  const budgets = opening.budgets ?? defaultBudgets[opening.disturbance.severity]
  return { disturbance: opening.disturbance, clocks: [startClock('restore', budgets.restore, at), startClock('repair', budgets.repair, at)] }
}

/** Both clocks changed; of a ticket without clocks, nothing. */
function both(ticket: Ticket, restored: (clock: TicketClock, other: TicketClock) => TicketClock, repaired: (clock: TicketClock) => TicketClock = (clock) => clock): Ticket['clocks'] {
  const [restore, repair] = ticket.clocks
  return restore === undefined || repair === undefined ? [] : [restored(restore, repair), repaired(repair)]
}

function effect(ticket: Ticket, event: TicketEvent): Partial<Ticket> {
  switch (event.kind) {
    case 'opened': return {}
    case 'acknowledged': return { status: 'acknowledged' }
    case 'started': return { status: 'inProgress' }
    case 'held': return { status: 'pending', clocks: pausedBoth(ticket, event.reason, event.at) }
    case 'resumed': return { status: 'inProgress', clocks: both(ticket, (clock) => resume(clock, event.at), (clock) => resume(clock, event.at)) }
    case 'resolved': return { status: 'resolved', resolvedAt: event.measured ? (ticket.restoredAt ?? event.at) : event.at, ...unsettled(ticket) }
    case 'restored': return {
      restoredAt: event.recoveredAt, clocks: both(ticket, (restore) => meet(restore, Math.max(event.recoveredAt, ticket.openedAt))),
      ...eachCause(ticket, (cause) => ({ ...cause, endedAt: event.recoveredAt })),
    }
    case 'relapsed': return {
      restoredAt: null, ...eachCause(ticket, (cause) => ({ ...cause, endedAt: null })),
      clocks: both(ticket, (restore, repair) => unmeet(restore, event.at, repair.runningSince === null ? repair.pausedReason : null)),
    }
    // The clocks ran on during the verification: a claim that was not true buys no time. While nobody could measure they stood still.
    case 'reopened': return {
      status: 'reopened', resolvedAt: null, reopened: ticket.reopened + 1, ...settled(ticket, 'refused', event.at, event.evidence, { broken: event.broken }),
      clocks: both(ticket, (clock) => resumeUnverified(clock, event.at), (clock) => resumeUnverified(clock, event.at)),
      ...withEvidence(ticket, event),
    }
    case 'check_asked': return { ...settled(ticket, 'asked', event.at, event.evidence, { disturbances: event.disturbances }), clocks: both(ticket, (clock) => pauseUnverified(clock, ticket), (clock) => pauseUnverified(clock, ticket)) }
    // A system that knows no characteristic of ours reads it in a note.
    case 'unverified': return { ...settled(ticket, 'unverified', event.at, event.evidence, { disturbances: event.disturbances }), ...noted(ticket, event, unverifiedText(event.evidence)) }
    case 'closed': return {
      // Without a word of the operator's there was nothing to verify.
      status: 'closed', closedAt: event.at, ...(ticket.statusHistory.at(-1)?.reason === 'measured' ? {} : settled(ticket, 'verified', event.at, event.evidence ?? null)),
      clocks: both(ticket, (restore) => meet(restore, event.at), (repair) => meet(repair, ticket.resolvedAt ?? event.at)),
    }
    case 'cancelled': return { status: 'cancelled', closedAt: event.at, clocks: pausedBoth(ticket, event.reason, event.at), ...unsettled(ticket) }
    // It changes no clock: a claim buys no time.
    case 'disputed': return { dispute: { kind: event.dispute, text: event.text, by: event.by, since: event.at, evidence: event.evidence, answer: null } }
    case 'upheld': case 'rejected': return answered(ticket, { word: event.kind, reason: event.reason, by: event.by, at: event.at })
    // Whoever has it now has not seen it yet.
    case 'transferred': return { ...handedOver(ticket, event, ticket.disturbance?.severity ?? null, event.at), status: 'submitted', resolvedAt: null, expectedAt: null, warned: {}, ...unsettled(ticket) }
    case 'noted': return noted(ticket, event, event.text)
    case 'estimated': return { expectedAt: event.expectedAt }
    case 'evidence_changed': return { ...eachCause(ticket, (cause) => (cause.id === event.disturbance.id ? event.disturbance : cause)), ...(ticket.disturbance?.id === event.disturbance.id ? { areaName: event.areaName } : {}) }
    case 'related': case 'covered': case 'uncovered': case 'attached': return related(ticket, event)
    case 'withdrawn': return { status: 'cancelled', closedAt: event.at }
    case 'clock_warned': return { warned: { ...ticket.warned, [event.clock]: event.state } }
  }
}

const noted = (ticket: Ticket, { at, by }: TicketEvent, text: string): Pick<Ticket, 'notes'> => ({ notes: [...ticket.notes, { id: String(ticket.version + 1), at, by, text }].slice(-history_max) })

/** What is broken is told with its own evidence; of a ticket that covers one, that is the event's. */
function withEvidence(ticket: Ticket, { evidence, disturbances = [] }: Extract<TicketEvent, { kind: 'reopened' }>): Partial<Ticket> {
  if (evidence === null) return {}
  const told = disturbances.length > 0 ? disturbances : coveredBy(ticket).slice(0, 1).map(({ id }) => ({ id, evidence }))
  return eachCause(ticket, (cause) => ({ ...cause, evidence: told.find(({ id }) => id === cause.id)?.evidence ?? cause.evidence }))
}

function pausedBoth(ticket: Ticket, reason: string, at: Instant): Ticket['clocks'] {
  return both(ticket, (clock) => pause(clock, reason, at), (clock) => pause(clock, reason, at))
}

function entry(event: TicketEvent): HistoryEntry {
  // A dispute keeps its own.
  const evidence = event.kind === 'evidence_changed' ? event.disturbance.evidence : event.kind !== 'disputed' && 'evidence' in event ? (event.evidence ?? null) : null
  const clock = event.kind === 'clock_warned' ? { name: event.clock, state: event.state } : null
  return { at: event.at, by: event.by, kind: event.kind, text: textOf(event), evidence, clock, ...(event.kind === 'disputed' ? { dispute: event.dispute } : {}), ...about(event) }
}

function about(event: TicketEvent): About {
  switch (event.kind) {
    case 'related': case 'covered': case 'uncovered': case 'attached': return aboutOf(event)
    case 'reopened': return event.disturbances === undefined ? {} : { disturbances: event.disturbances.map(({ id }) => id) }
    case 'check_asked': case 'unverified': return event.disturbances === undefined ? {} : { disturbances: event.disturbances }
    default: return {}
  }
}

/** The words somebody gave, or the figures behind the event; what it means is said by its kind. */
function textOf(event: TicketEvent): string {
  switch (event.kind) {
    case 'held': case 'cancelled': case 'upheld': case 'rejected': case 'uncovered': return event.reason
    case 'attached': return event.attachment.description
    case 'resolved': return event.measured ? 'measured' : event.text
    case 'noted': case 'disputed': return event.text
    case 'reopened': return event.evidence === null ? '' : evidenceText(event.evidence) + brokenText(event.broken)
    case 'check_asked': case 'unverified': return evidenceText(event.evidence)
    case 'transferred': return event.operatorName
    case 'opened': return 'problem' in event.opening ? event.opening.problem.text : 'request' in event.opening ? event.opening.request.description : ''
    case 'evidence_changed': return evidenceText(event.disturbance.evidence)
    case 'clock_warned': return `${event.clock} ${event.state}`
    default: return ''
  }
}

/**
 * The two clocks at an instant; none of an officer's problem. While a resolution is being verified the repair
 * clock shows the instant of the claim; should measurement refuse it, the clock has run all along.
 */
export function clocks(ticket: Ticket, now: Instant): readonly [restore: ClockReading, repair: ClockReading] | readonly [] {
  const [restore, repair] = ticket.clocks
  if (restore === undefined || repair === undefined) return []
  const claimed = ticket.status === 'resolved' && ticket.resolvedAt !== null && !isUnmeasured(ticket)
  const reading = read(repair, claimed ? (ticket.resolvedAt ?? now) : now)
  const shown: ClockReading = claimed && reading.state !== 'overdue' && reading.state !== 'met' ? { ...reading, state: 'paused', pausedReason: 'verification' } : reading
  return [read(restore, now), shown]
}

/** The next instant at which the sweep has something to do by time alone; null when nothing. */
export function nextDue(ticket: Ticket, now: Instant, options: VerificationOptions = defaultVerification): Instant | null {
  if (isOver(ticket)) return null
  // What was measured as restored before it was said to be resolved only waits for that word.
  if (warnings(ticket, now).length > 0 || (ticket.status === 'resolved' && ticket.restoredAt !== null)) return now
  const instants = ticket.clocks.map((clock) => nextChange(clock, now))
  if (ticket.status === 'resolved') instants.push(ticket.disturbance === null ? (ticket.resolvedAt ?? now) + options.word_ms : nextLook(ticket, options))
  if (ticket.restoredAt !== null) instants.push(ticket.restoredAt + options.grace_ms)
  const future = instants.filter((instant) => instant !== null)
  return future.length === 0 ? null : Math.min(...future)
}
