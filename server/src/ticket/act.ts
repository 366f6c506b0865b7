import type { FastifyRequest } from 'fastify'
import type { ProblemCode } from '@kawal/contract/problem.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Result } from '@kawal/core/kernel/result.ts'
import type { DisputeKind, Recipient } from '@kawal/core/ticket/dispute.ts'
import { ticketStatuses, type Refusal, type Ticket, type TicketAction, type TicketRequest, type TicketStatus } from '@kawal/core/ticket/ticket.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { allowed, ProblemError } from '../problem.ts'
import type { ResultsDueAt } from './levels.ts'
import { command, getTicket, openRequest, organisationName, type TicketFilter } from './tickets.ts'
import { statusesOf } from './tmf621.ts'

export interface TicketRouteNeeds {
  readonly database: Database
  readonly clock: () => Instant
  readonly resultsDueAt?: ResultsDueAt
  readonly caller: (request: FastifyRequest) => Caller | null
  /** Told of a ticket that changed, after the commit, so that live views can follow. */
  readonly changed: (ticket: string) => void
  /** Hosts that events may be posted to though they are private, or without TLS. */
  readonly callbackHosts: readonly string[]
  /** The deployment's: listeners' secrets are made from it. */
  readonly secret: Buffer
}

const limit_default = 50
const limit_max = 500

/** Why a command was refused, as a problem of the catalogue with a way out. */
const refusals: Readonly<Record<Refusal, readonly [ProblemCode, string]>> = {
  not_found: ['not_found', 'There is no such ticket that you may see.'],
  already_open: ['state_conflict', 'This disturbance has a ticket already.'],
  not_from_this_status: ['state_conflict', 'The ticket cannot go there from its present status. Read it again.'],
  not_yours_to_say: ['not_allowed', 'Your organisation may not say this of this ticket.'],
  closed_by_measurement_only: ['state_conflict', 'Nobody closes a ticket by hand: say resolved, and it closes when the stations report well again.'],
  closed_by_officer_only: ['state_conflict', "Nobody closes an officer's problem by hand: say resolved, and it closes by that officer's word, or when none comes for 48 hours."],
  reason_missing: ['body_invalid', 'Give a reason (of a dispute: its evidence) in statusChangeReason, or a text in the note.'],
  text_too_long: ['body_invalid', 'A text has at most 2,000 characters.'],
  still_verifying: ['state_conflict', 'The resolution is being verified by measurement.'],
  nobody_concerned: ['state_conflict', 'No organisation known here is concerned, or it is the one that has the ticket already.'],
  not_confirmed: ['state_conflict', 'This disturbance is only suspected: a ticket is opened when it is confirmed, by itself.'],
  dispute_open: ['state_conflict', 'This ticket is disputed. The monitoring centre answers that first: uphold or reject.'],
  no_dispute: ['state_conflict', 'There is no open dispute of this ticket to answer.'],
  version_conflict: ['version_conflict', 'The ticket changed since you read it. Read it again, then decide.'],
}

/** What a patch asks for, in the words of any version of TMF621. */
interface TicketPatch {
  readonly status?: string | undefined
  readonly reason?: string | undefined
  readonly notes: readonly { readonly id?: string | undefined; readonly text?: string | undefined }[]
  readonly expectedResolutionDate?: string | undefined
  /** The organisation that it is transferred to. */
  readonly operator?: string | undefined
  /** With the status `rejected`: whose fault it is instead. */
  readonly disputeKind?: DisputeKind | undefined
  readonly disputeAnswer?: 'uphold' | 'reject' | undefined
}

/** All of a patch, or nothing. @param match the header If-Match */
export async function patchTicket(needs: TicketRouteNeeds, caller: Caller, id: string, patch: TicketPatch, match: string | undefined): Promise<Ticket> {
  const ticket = await readTicket(needs, caller, id)
  const actions: TicketAction[] = []
  if (patch.expectedResolutionDate !== undefined) actions.push({ kind: 'estimate', expectedAt: instantOf(patch.expectedResolutionDate) })
  // A merge patch gives the whole list; notes are only ever added, so those already there are left alone.
  const known = new Set(ticket.notes.map((note) => note.id))
  for (const note of patch.notes) if (note.text !== undefined && !known.has(note.id ?? '')) actions.push({ kind: 'note', text: note.text })
  const to = patch.operator === undefined || patch.operator === ticket.operator ? null : { operator: patch.operator, operatorName: await organisationName(needs.database, patch.operator) }
  if (patch.disputeKind !== undefined && patch.status !== 'rejected') throw new ProblemError('body_invalid', 'disputeKind goes with the status rejected and your evidence in statusChangeReason.')
  if (patch.disputeAnswer !== undefined) actions.push(answerAction(patch, patch.disputeAnswer, to))
  else {
    if (patch.status !== undefined) actions.push(...statusActions(ticket, patch.status, patch.reason ?? '', patch.disputeKind))
    if (to !== null) actions.push({ kind: 'transfer', ...to })
  }
  const patched = accept(await allowed(() => command(needs, caller, ticket.id, actions, match === undefined || match.trim() === '*' ? ticket.version : Number(match.replace(/^W\/|"/g, '')))))
  needs.changed(patched.id)
  return patched
}

/** Of what the caller's organisation asks. The monitoring centre asks nothing of itself. */
export async function makeRequest(needs: TicketRouteNeeds, caller: Caller, request: TicketRequest, notes: readonly string[]): Promise<Ticket> {
  if (caller.role === 'duty_officer') throw new ProblemError('body_invalid', 'Name the disturbance as a relatedEntity with the role "disturbance": a ticket without one could not be closed by measurement.')
  const ticket = accept(await allowed(() => openRequest(needs, caller, request, notes)))
  needs.changed(ticket.id)
  return ticket
}

export async function readTicket(needs: TicketRouteNeeds, caller: Caller, id: string): Promise<Ticket> {
  const ticket = await getTicket(needs, caller, id)
  if (ticket === null) throw new ProblemError(...refusals.not_found)
  return ticket
}

/** A leap second has the form of a time and is no instant here. */
function instantOf(text: string): Instant {
  const at = Date.parse(text)
  if (!Number.isFinite(at)) throw new ProblemError('body_invalid', `expectedResolutionDate ${text} is no instant.`)
  return at
}

/** The monitoring centre's answer to a dispute. What an upheld one leads to stands in the same patch. */
function answerAction({ status, reason = '' }: TicketPatch, answer: 'uphold' | 'reject', to: Recipient | null): TicketAction {
  const isCancelled = status === 'cancelled'
  if (answer === 'reject' ? to !== null || status !== undefined : isCancelled === (to !== null) || (status !== undefined && !isCancelled))
    throw new ProblemError('body_invalid', 'disputeAnswer is uphold with either another operator as related party or the status cancelled, or reject with neither.')
  return answer === 'reject' ? { kind: 'reject', reason } : { kind: 'uphold', reason, to }
}

/** What a status in a patch asks for. */
function statusActions(ticket: Ticket, status: string, reason: string, disputeKind: DisputeKind = 'not_ours'): TicketAction[] {
  // Of a request who asked has the last word.
  if (ticket.request !== undefined && status === 'closed') return [{ kind: 'word', word: 'fixed' }]
  if (ticket.request !== undefined && status === 'inProgress' && ticket.status === 'resolved') return [{ kind: 'word', word: 'still' }]
  // The standard's word for what is not one's own: here a claim, which the monitoring centre answers. Nobody disputes a word.
  if (status === 'rejected' && ticket.disturbance !== null) return [{ kind: 'dispute', dispute: disputeKind, text: reason }]
  switch (status) {
    case 'acknowledged': return ticket.status === 'acknowledged' ? [] : [{ kind: 'acknowledge' }]
    case 'inProgress': return ticket.status === 'inProgress' ? [] : [{ kind: ticket.status === 'pending' ? 'resume' : 'start' }]
    case 'pending': case 'held': return ticket.status === 'pending' ? [] : [{ kind: 'hold', reason }]
    case 'resolved': return ticket.status === 'resolved' ? [] : [{ kind: 'resolve', text: reason }]
    case 'cancelled': return [{ kind: 'cancel', reason }]
    case 'closed': throw new ProblemError(...refusals[ticket.disturbance === null ? 'closed_by_officer_only' : 'closed_by_measurement_only'])
    default: throw new ProblemError('state_conflict', `The status ${status} is not used here. Add a note if the ticket concerns somebody else.`)
  }
}

export function callerOf(needs: TicketRouteNeeds, request: FastifyRequest): Caller {
  const caller = needs.caller(request)
  if (caller === null) throw new ProblemError('session_missing', 'Open your log-in link, or send an API key as a bearer token.')
  return caller
}

export function accept<T>(result: Result<T, Refusal>): T {
  if (!result.ok) throw new ProblemError(...refusals[result.error])
  return result.value
}

export function one(query: Record<string, string | string[]>, name: string): string | undefined {
  const value = query[name]
  return Array.isArray(value) ? value.join(',') : value
}

const operatorFilters = ['relatedParty.id', 'relatedParty.partyOrPartyRole.id'] as const
const filters: ReadonlySet<string> = new Set(['fields', 'offset', 'limit', 'status', 'lifecycle', 'id', 'severity', 'ticketType', ...operatorFilters])

export function filterOf(query: Record<string, string | string[]>): TicketFilter {
  const unknown = Object.keys(query).filter((name) => !filters.has(name))
  if (unknown.length > 0) throw new ProblemError('body_invalid', `There is no filter ${unknown.join(', ')}. There are ${[...filters].join(', ')}.`)
  return {
    ids: one(query, 'id')?.split(','),
    statuses: statusFilter(query),
    operator: operatorFilters.map((name) => one(query, name)).find((value) => value !== undefined),
    severity: one(query, 'severity'),
    ticketType: one(query, 'ticketType'),
    offset: whole(query, 'offset', 0, Number.MAX_SAFE_INTEGER),
    limit: whole(query, 'limit', limit_default, limit_max),
  }
}

function statusFilter(query: Record<string, string | string[]>): TicketStatus[] | undefined {
  const lifecycle = one(query, 'lifecycle')?.split(',')
  const tmf = one(query, 'status')?.split(',')
  const wrong = [
    ...(lifecycle ?? []).filter((name) => !ticketStatuses.some((status) => status === name)),
    ...(tmf ?? []).filter((name) => statusesOf(name).length === 0 && name !== 'rejected' && name !== 'held'),
  ]
  if (wrong.length > 0) throw new ProblemError('body_invalid', `There is no status ${wrong.join(', ')}.`)
  if (lifecycle === undefined && tmf === undefined) return undefined
  return ticketStatuses.filter((status) => (lifecycle?.includes(status) ?? true) && (tmf?.some((name) => statusesOf(name).includes(status)) ?? true))
}

function whole(query: Record<string, string | string[]>, name: string, missing: number, max: number): number {
  const text = one(query, name)
  if (text === undefined) return missing
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : -1
  if (value < 0) throw new ProblemError('body_invalid', `${name} is a whole number from 0, not ${text}.`)
  return Math.min(value, max)
}

