import type { FastifyRequest } from 'fastify'
import type { ProblemCode } from '@kawal/contract/problem.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Result } from '@kawal/core/kernel/result.ts'
import type { DisputeKind, Recipient } from '@kawal/core/ticket/dispute.ts'
import type { RelationType } from '@kawal/core/ticket/relation.ts'
import { ticketStatuses, type Refusal, type Ticket, type TicketAction, type TicketRequest, type TicketStatus } from '@kawal/core/ticket/ticket.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { allowed, ProblemError } from '../problem.ts'
import type { Attached } from './attachments.ts'
import type { ResultsDueAt } from './levels.ts'
import { isComparison, ticketInstants, type TicketFilter } from './list.ts'
import { linkTickets, mergeTickets, splitTicket } from './relations.ts'
import { command, getTicket, openRequest, organisationName } from './tickets.ts'
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
  other_operator: ['state_conflict', "Only tickets of one operator are merged: whoever answers for one would answer for another's network."],
  not_covered: ['state_conflict', 'This ticket does not cover that disturbance beside the one that it was opened for.'],
  contrary: ['state_conflict', 'A ticket is no relation of itself, and not both parent and child of another.'],
  too_many: ['state_conflict', 'A ticket has at most 20 attachments, 50 relations and 50 disturbances.'],
  version_conflict: ['version_conflict', 'The ticket changed since you read it. Read it again, then decide.'],
}

interface AskedRelation { readonly type: RelationType; readonly ticket?: string | undefined }

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
  /** Its relations to other tickets; those that are there already are left alone. */
  readonly relations?: readonly AskedRelation[] | undefined
  /** With a new relation `splitInto`: what gets a ticket of its own. */
  readonly disturbances?: readonly string[] | undefined
  readonly files?: (ticket: Ticket) => Attached[]
}

/** All of a patch, or nothing. @param match the header If-Match */
export async function patchTicket(needs: TicketRouteNeeds, caller: Caller, id: string, patch: TicketPatch, match: string | undefined): Promise<Ticket> {
  const ticket = await readTicket(needs, caller, id)
  const version = versionOf(match) ?? ticket.version
  const relations = (patch.relations ?? []).filter(({ type, ticket: other }) => !(ticket.relations ?? []).some((each) => each.type === type && each.ticket === other))
  const files = patch.files?.(ticket) ?? []
  const actions: TicketAction[] = files.map(({ attachment }) => ({ kind: 'attach', attachment }))
  if (patch.expectedResolutionDate !== undefined) actions.push({ kind: 'estimate', expectedAt: instantOf('expectedResolutionDate', patch.expectedResolutionDate) })
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
  if (relations.length > 0) {
    if (actions.length > 0) throw new ProblemError('body_invalid', 'A patch that merges, splits or links tickets says nothing else: send the rest in another.')
    return relate(needs, caller, ticket, relations, patch, version)
  }
  const patched = accept(await allowed(() => command(needs, caller, ticket.id, actions, version, undefined, files)))
  needs.changed(patched.id)
  return patched
}

/** @param match the header If-Match @returns null where any version will do */
const versionOf = (match: string | undefined): number | null => (match === undefined || match.trim() === '*' ? null : Number(match.replace(/^W\/|"/g, '')))

/** What relations in a patch ask for: to merge, to split, or to link with any number of others. */
async function relate(needs: TicketRouteNeeds, caller: Caller, { id }: Ticket, relations: readonly AskedRelation[], { disturbances = [], reason = '' }: TicketPatch, version: number): Promise<Ticket> {
  const { ticket, changed } = accept(await allowed(() => {
    const [first, ...more] = relations
    const alone = more.length === 0
    if (alone && first?.type === 'mergedInto' && first.ticket !== undefined) return mergeTickets(needs, caller, id, first.ticket, reason, version)
    if (alone && first?.type === 'splitInto' && first.ticket === undefined && disturbances.length === 1) return splitTicket(needs, caller, id, disturbances[0] ?? '', reason, version)
    const links = relations.flatMap(({ type, ticket: other }) => ((type === 'parent' || type === 'child') && other !== undefined ? [{ type, ticket: other }] : []))
    if (links.length === relations.length) return linkTickets(needs, caller, id, links, version)
    throw new ProblemError('body_invalid', 'A new relation is parent or child with the id of a ticket, one mergedInto with it, or one splitInto without an id and with one disturbance as related entity. The other side is written by itself.')
  }))
  changed.forEach(needs.changed)
  return ticket
}

/** What an organisation asked for and wants no more: cancelled, and kept. @param match the header If-Match */
export async function withdrawRequest(needs: TicketRouteNeeds, caller: Caller, id: string, match: string | undefined): Promise<void> {
  const ticket = await readTicket(needs, caller, id)
  if (ticket.request === undefined) throw new ProblemError('not_offered', "Only what an organisation asks of the monitoring centre is withdrawn. A disturbance's ticket ends by measurement, an officer's problem by that officer's word; the monitoring centre cancels what was a false alarm.")
  accept(await allowed(() => command(needs, caller, id, { kind: 'withdraw' }, versionOf(match) ?? ticket.version)))
  needs.changed(id)
}

/** Of what the caller's organisation asks. The monitoring centre asks nothing of itself. */
export async function makeRequest(needs: TicketRouteNeeds, caller: Caller, request: TicketRequest, notes: readonly string[], files: readonly Attached[] = []): Promise<Ticket> {
  if (caller.role === 'duty_officer') throw new ProblemError('body_invalid', 'Name the disturbance as a relatedEntity with the role "disturbance": a ticket without one could not be closed by measurement.')
  const ticket = accept(await allowed(() => openRequest(needs, caller, request, notes, files)))
  needs.changed(ticket.id)
  return ticket
}

export async function readTicket(needs: TicketRouteNeeds, caller: Caller, id: string): Promise<Ticket> {
  const ticket = await getTicket(needs, caller, id)
  if (ticket === null) throw new ProblemError(...refusals.not_found)
  return ticket
}

/** A leap second has the form of a time and is no instant here. */
function instantOf(name: string, text: string): Instant {
  const at = Date.parse(text)
  if (!Number.isFinite(at)) throw new ProblemError('body_invalid', `${name} ${text} is no instant.`)
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

export function callerOf(needs: Pick<TicketRouteNeeds, 'caller'>, request: FastifyRequest): Caller {
  const caller = needs.caller(request)
  if (caller === null) throw new ProblemError('session_missing', 'Open your log-in link, or send an API key as a bearer token.')
  return caller
}

export function accept<T>(result: Result<T, Refusal>): T {
  if (!result.ok) throw new ProblemError(...refusals[result.error])
  return result.value
}

export function one(query: Readonly<Record<string, string | string[]>>, name: string): string | undefined {
  const value = query[name]
  return Array.isArray(value) ? value.join(',') : value
}

const operatorFilters = ['relatedParty.id', 'relatedParty.partyOrPartyRole.id'] as const
const relatedFilters = ['relatedEntity.id', 'relatedEntity.entity.id'] as const
const filters: ReadonlySet<string> = new Set(['fields', 'offset', 'limit', 'sort', 'status', 'lifecycle', 'id', 'severity', 'ticketType', 'priority', 'externalIdentifier.id', ...relatedFilters, ...operatorFilters])
type Query = Record<string, string | string[]>

export function filterOf(query: Query): TicketFilter {
  const compared = Object.keys(query).flatMap(comparisonOf)
  const unknown = Object.keys(query).filter((name) => !filters.has(name) && !compared.some((each) => each.name === name))
  if (unknown.length > 0) throw new ProblemError('body_invalid', `There is no filter ${unknown.join(', ')}. There are ${[...filters].join(', ')}, and ${ticketInstants.join(', ')} with .gt, .gte, .lt or .lte.`)
  const first = (names: readonly string[]): string | undefined => names.map((name) => one(query, name)).find((value) => value !== undefined)
  return {
    ids: one(query, 'id')?.split(','),
    statuses: statusFilter(query),
    operator: first(operatorFilters),
    related: first(relatedFilters)?.split(','),
    // In an organisation's own words, which may hold a comma.
    severity: either(one(query, 'severity')), ticketType: either(one(query, 'ticketType')), externalId: either(one(query, 'externalIdentifier.id')),
    priority: one(query, 'priority')?.split(','),
    instants: compared.map(({ name, field, is }) => ({ field, is, at: instantOf(name, one(query, name) ?? '') })),
    sort: sortOf(one(query, 'sort')),
    offset: whole(query, 'offset', 0, Number.MAX_SAFE_INTEGER),
    limit: whole(query, 'limit', limit_default, limit_max),
  }
}

const either = (text: string | undefined): string[] | undefined => (text === undefined ? undefined : [text, ...text.split(',')])

/** `creationDate.gte` and the like; an instant's own name asks for that very instant. */
function comparisonOf(name: string): { readonly name: string; readonly field: (typeof ticketInstants)[number]; readonly is: NonNullable<TicketFilter['instants']>[number]['is'] }[] {
  const [text, is = 'eq', ...more] = name.split('.')
  const field = ticketInstants.find((each) => each === text)
  return field === undefined || !isComparison(is) || more.length > 0 ? [] : [{ name, field, is }]
}

function sortOf(text: string | undefined): TicketFilter['sort'] {
  if (text === undefined || text === '') return undefined
  const field = ticketInstants.find((each) => each === text.replace(/^[-+ ]/, ''))
  if (field === undefined) throw new ProblemError('body_invalid', `Tickets are sorted by ${ticketInstants.join(', ')}, downwards with a - before it, not by ${text}.`)
  return { field, descending: text.startsWith('-') }
}

/** The links of RFC 8288 to the pages around this one. @param path of the list, with the filters as they were asked for */
export function pageLinks(path: string, query: Query, { offset, limit }: TicketFilter, total: number): string {
  const last = limit === 0 ? 0 : Math.max(0, Math.ceil(total / limit) - 1) * limit
  const pages = { first: 0, ...(offset > 0 ? { prev: Math.max(0, Math.min(offset - limit, last)) } : {}), ...(limit > 0 && offset + limit < total ? { next: offset + limit } : {}), last }
  return Object.entries(pages).map(([rel, at]) => {
    const asked = new URLSearchParams(Object.keys(query).map((name): [string, string] => [name, one(query, name) ?? '']))
    asked.set('offset', String(at))
    asked.set('limit', String(limit))
    return `<${path}?${asked}>; rel="${rel}"`
  }).join(', ')
}

function statusFilter(query: Query): TicketStatus[] | undefined {
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

function whole(query: Query, name: string, missing: number, max: number): number {
  const text = one(query, name)
  if (text === undefined) return missing
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : -1
  if (value < 0) throw new ProblemError('body_invalid', `${name} is a whole number from 0, not ${text}.`)
  return Math.min(value, max)
}

