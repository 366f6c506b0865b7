import type { DisturbanceEvidence } from '../detection/disturbance.ts'
import type { Verdict } from '../detection/measured.ts'
import type { Instant } from '../kernel/clock.ts'
import type { ClockName } from './clock.ts'
import type { DisputeKind, Recipient } from './dispute.ts'
import type { Broken, RelationAction, RelationRefusal, TicketCause } from './relation.ts'

export const ticketStatuses = ['submitted', 'acknowledged', 'inProgress', 'pending', 'resolved', 'reopened', 'closed', 'cancelled'] as const
export type TicketStatus = (typeof ticketStatuses)[number]

export type ProblemKind = 'signal' | 'access_point' | 'election_server' | 'app' | 'position' | 'other'

/** What an officer reported, as a ticket carries it: of the station, never of the phone or the person. */
export interface TicketProblem {
  readonly kind: ProblemKind
  readonly text: string
  readonly station: string
  readonly accessPoint: string | null
  readonly givenAt: Instant
}

/** What an organisation asks of the monitoring centre, in its own words: TMF621's free texts. */
export interface TicketRequest {
  readonly description: string
  readonly severity: string
  readonly ticketType: string
  /** Its number in the organisation's own system. */
  readonly externalId: string | null
}

/** Who acts: the operator concerned, the monitoring centre, our own measurement, or the officer whose problem it is. */
export type Actor = 'operator' | 'watch' | 'measurement' | 'officer'

interface Addressed {
  readonly id: string
  readonly operator: string
  readonly operatorName: string
  readonly areaName: string
}
export type Opening = Addressed & (
  | { readonly disturbance: TicketCause; readonly budgets?: Readonly<Record<ClockName, number>> }
  | { readonly problem: TicketProblem }
  | { readonly request: TicketRequest }
)

/** What may be said to a ticket. */
export type TicketAction =
  | { readonly kind: 'open'; readonly opening: Opening }
  | { readonly kind: 'acknowledge' | 'start' | 'resume' }
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'resolve'; readonly text?: string }
  | { readonly kind: 'confirm'; readonly recoveredAt: Instant; /** Of all that it covers. */ readonly evidence?: DisturbanceEvidence; /** Of a ticket that covers several: those that were measured well. */ readonly well?: readonly string[] }
  | {
    readonly kind: 'refuse'; /** Of all that it covers. */ readonly evidence: DisturbanceEvidence; /** Of reports since the claim; what the evidence says without it. */ readonly verdict?: Verdict
    /** Of a ticket that covers several: those that are not well, and those of which nobody can tell. */
    readonly broken?: readonly Broken[]; readonly unknown?: readonly string[]
  }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'estimate'; readonly expectedAt: Instant }
  | { readonly kind: 'evidence'; readonly disturbance: TicketCause; readonly areaName: string }
  | { readonly kind: 'cancel'; readonly reason: string }
  | { readonly kind: 'warn' | 'lapse' }
  /** Who asked wants it no more. */
  | { readonly kind: 'withdraw' }
  | RelationAction
  | { readonly kind: 'dispute'; readonly dispute: DisputeKind; readonly text: string; /** What is measured now, where it is newer than the ticket's. */ readonly evidence?: DisturbanceEvidence }
  /** The dispute is right: the ticket goes to somebody else, or where `to` is null to nobody. */
  | { readonly kind: 'uphold'; readonly reason: string; readonly to: Recipient | null }
  | { readonly kind: 'reject'; readonly reason: string }
  | ({ readonly kind: 'transfer' } & Recipient)
  | { readonly kind: 'word'; readonly word: 'fixed' | 'still' }

export type Refusal =
  | 'not_found' | 'already_open' | 'not_from_this_status' | 'not_yours_to_say' | 'closed_by_measurement_only' | 'closed_by_officer_only'
  | 'reason_missing' | 'text_too_long' | 'still_verifying' | 'nobody_concerned' | 'not_confirmed' | 'version_conflict' | 'dispute_open' | 'no_dispute' | 'other_operator' | RelationRefusal

export const text_chars_max = 2_000

const whoMay: Readonly<Record<TicketAction['kind'], readonly Actor[]>> = {
  open: ['operator', 'watch', 'measurement', 'officer'],
  acknowledge: ['operator'], start: ['operator'], hold: ['operator'], resume: ['operator'], resolve: ['operator'], estimate: ['operator'],
  confirm: ['measurement'], refuse: ['measurement'], evidence: ['measurement'], warn: ['measurement'], lapse: ['measurement'],
  note: ['operator', 'watch'],
  dispute: ['operator'], uphold: ['watch'], reject: ['watch'], transfer: ['watch'],
  word: ['officer'],
  cancel: ['watch', 'measurement'],
  withdraw: [], attach: ['operator', 'watch'], relate: ['watch', 'measurement'], merge: ['watch'], cover: ['watch'], uncover: ['watch', 'measurement'],
}

/** Of a request the centre does what an operator does elsewhere, and who asked says whether it is settled. */
const whoMayOfRequest: Readonly<Partial<Record<TicketAction['kind'], readonly Actor[]>>> = {
  open: ['operator'],
  acknowledge: ['watch'], start: ['watch'], hold: ['watch'], resume: ['watch'], resolve: ['watch'], estimate: ['watch'],
  transfer: [], word: ['operator'], cancel: ['operator', 'watch'], withdraw: ['operator'],
}

const from: Readonly<Partial<Record<TicketAction['kind'], readonly TicketStatus[]>>> = {
  acknowledge: ['submitted', 'reopened'],
  start: ['submitted', 'acknowledged', 'reopened'],
  hold: ['acknowledged', 'inProgress', 'reopened'],
  resume: ['pending'],
  resolve: ['acknowledged', 'inProgress', 'pending', 'reopened'],
  word: ['resolved'],
  // What is said to be over is measured first: nobody's word shall be judged by what was not in it.
  merge: ['submitted', 'acknowledged', 'inProgress', 'pending', 'reopened'],
  cover: ['submitted', 'acknowledged', 'inProgress', 'pending', 'reopened'],
}

const ofDisturbances: ReadonlySet<TicketAction['kind']> = new Set(['confirm', 'refuse', 'evidence', 'dispute', 'uphold', 'reject', 'merge', 'cover', 'uncover'])
const ofProblems: ReadonlySet<TicketAction['kind']> = new Set(['word', 'lapse'])

export const maySay = (kind: TicketAction['kind'], actor: Actor, isRequest: boolean): boolean =>
  ((isRequest ? whoMayOfRequest[kind] : undefined) ?? whoMay[kind]).includes(actor)

/** What concerns one kind of ticket alone: measurement has no say over a word, an officer none over a disturbance. */
export const isAbout = (kind: TicketAction['kind'], isDisturbance: boolean): boolean => !(isDisturbance ? ofProblems : ofDisturbances).has(kind)

export const isFrom = (kind: TicketAction['kind'], status: TicketStatus): boolean => from[kind]?.includes(status) ?? true
