import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Compile } from 'typebox/compile'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Result } from '@kawal/core/kernel/result.ts'
import { ticketStatuses, type Refusal, type Ticket, type TicketAction, type TicketStatus } from '@kawal/core/ticket/ticket.ts'
import type { ProblemCode } from '@kawal/contract/problem.ts'
import { HubCreate, TroubleTicketCreate, TroubleTicketPatch, type Hub, type TroubleTicket } from '@kawal/contract/ticket.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { scopeOf } from '@kawal/core/organisation/rules.ts'
import { allowed, answerProblems, ProblemError } from '../problem.ts'
import { addListener, callbackAllowed, getListener, organisation_listeners_max, removeListener } from './outbox.ts'
import { causeOf, command, getTicket, listTickets, openTicket, organisationName, readDisturbances, type TicketFilter } from './tickets.ts'
import { statusesOf, ticketPath, toTmf } from './tmf621.ts'
import { bodyOf } from '../body.ts'

interface TicketRouteNeeds {
  readonly database: Database
  readonly clock: () => Instant
  readonly caller: (request: FastifyRequest) => Caller | null
  /** Told of a ticket that changed, after the commit, so that live views can follow. */
  readonly changed: (ticket: string) => void
  /** Hosts that events may be posted to. */
  readonly callbackHosts: readonly string[]
}

const hubPath = '/tmf-api/troubleTicket/v5/hub'
const limit_default = 50
const limit_max = 500

const checkCreate = Compile(TroubleTicketCreate)
const checkPatch = Compile(TroubleTicketPatch)
const checkHub = Compile(HubCreate)

/** Why a command was refused, as a problem of the catalogue with a way out. */
const refusals: Readonly<Record<Refusal, readonly [ProblemCode, string]>> = {
  not_found: ['not_found', 'There is no such ticket that you may see.'],
  already_open: ['state_conflict', 'This disturbance has a ticket already.'],
  not_from_this_status: ['state_conflict', 'The ticket cannot go there from its present status. Read it again.'],
  not_yours_to_say: ['not_allowed', 'Your organisation may not say this of this ticket.'],
  closed_by_measurement_only: ['state_conflict', 'Nobody closes a ticket by hand: say resolved, and it closes when the stations report well again.'],
  closed_by_officer_only: ['state_conflict', "Nobody closes an officer's problem by hand: say resolved, and it closes by that officer's word, or when none comes for 48 hours."],
  reason_missing: ['body_invalid', 'Give a reason in statusChangeReason, or a text in the note.'],
  text_too_long: ['body_invalid', 'A text has at most 2,000 characters.'],
  still_verifying: ['state_conflict', 'The resolution is being verified by measurement.'],
  nobody_concerned: ['state_conflict', 'No organisation known here is concerned by this disturbance.'],
  not_confirmed: ['state_conflict', 'This disturbance is only suspected: a ticket is opened when it is confirmed, by itself.'],
  version_conflict: ['version_conflict', 'The ticket changed since you read it. Read it again, then decide.'],
}

/** TMF621 v5 over tickets. Errors carry the fields of RFC 9457 and, beside them, of TMF630's Error. */
export function ticketRoutes(needs: TicketRouteNeeds): FastifyPluginAsync {
  return async (app) => {
    app.addContentTypeParser('application/merge-patch+json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'))
    answerProblems(app, (found) => ({ ...found, '@type': 'Error', reason: found.title, message: found.detail }))
    readingRoutes(app, needs)
    writingRoutes(app, needs)
    hubRoutes(app, needs)
  }
}

type Routes = Parameters<FastifyPluginAsync>[0]

function readingRoutes(app: Routes, needs: TicketRouteNeeds): void {
  app.get<{ Querystring: Record<string, string | string[]> }>(ticketPath, async (request, reply) => {
    const caller = callerOf(needs, request)
    const filter = filterOf(request.query)
    const { total, tickets } = await listTickets(needs, caller, filter)
    const now = needs.clock()
    return reply.header('x-total-count', total).header('x-result-count', tickets.length)
      .send(tickets.map((ticket) => pick(toTmf(ticket, now), one(request.query, 'fields'))))
  })

  app.get<{ Params: { id: string }; Querystring: Record<string, string | string[]> }>(`${ticketPath}/:id`, async (request, reply) => {
    const ticket = await getTicket(needs, callerOf(needs, request), request.params.id)
    if (ticket === null) throw new ProblemError(...refusals.not_found)
    return answer(reply, needs, ticket, one(request.query, 'fields'))
  })
}

function writingRoutes(app: Routes, needs: TicketRouteNeeds): void {
  app.post<{ Querystring: Record<string, string | string[]> }>(ticketPath, async (request, reply) => {
    const caller = callerOf(needs, request)
    const body = bodyOf(checkCreate, request.body)
    const id = body.relatedEntity.find((related) => related.role === 'disturbance')?.entity.id
    if (id === undefined) throw new ProblemError('body_invalid', 'Name the disturbance as a relatedEntity with the role "disturbance": a ticket without one could not be closed by measurement.')
    const disturbance = (await readDisturbances(needs.database, caller, [id])).get(id)
    if (disturbance === undefined) throw new ProblemError('not_found', `There is no disturbance ${id} that you may see.`)
    const named = body.relatedParty?.find((related) => related.role === 'operator')?.partyOrPartyRole.id
    // The monitoring centre may send it elsewhere; anybody else would take another's ticket for itself.
    if (named !== undefined && named !== disturbance.operator && scopeOf(caller.role, 'ticket', 'write') !== 'all') throw new ProblemError('not_allowed', `This disturbance concerns ${disturbance.operator ?? 'nobody'}, not ${named}.`)
    const operator = named ?? disturbance.operator
    const opened = accept(await allowed(() => openTicket(needs, caller, causeOf(disturbance), operator)))
    if (!opened.created) throw new ProblemError('state_conflict', `This disturbance has the ticket ${opened.ticket.id} already.`)
    const notes = (body.note ?? []).flatMap((note): TicketAction[] => (note.text === undefined ? [] : [{ kind: 'note', text: note.text }]))
    const ticket = notes.length > 0 ? accept(await command(needs, caller, opened.ticket.id, notes)) : opened.ticket
    needs.changed(ticket.id)
    void reply.code(201).header('location', `${ticketPath}/${encodeURIComponent(ticket.id)}`)
    return answer(reply, needs, ticket, one(request.query, 'fields'))
  })

  app.patch<{ Params: { id: string }; Querystring: Record<string, string | string[]> }>(`${ticketPath}/:id`, async (request, reply) => {
    const caller = callerOf(needs, request)
    const body = bodyOf(checkPatch, request.body)
    const ticket = await getTicket(needs, caller, request.params.id)
    if (ticket === null) throw new ProblemError(...refusals.not_found)
    const actions: TicketAction[] = []
    if (body.expectedResolutionDate !== undefined) actions.push({ kind: 'estimate', expectedAt: instantOf(body.expectedResolutionDate) })
    // A merge patch gives the whole list; notes are only ever added, so those already there are left alone.
    const known = new Set(ticket.notes.map((note) => note.id))
    for (const note of body.note ?? []) if (note.text !== undefined && !known.has(note.id ?? '')) actions.push({ kind: 'note', text: note.text })
    if (body.status !== undefined) actions.push(...statusActions(ticket, body.status, body.statusChangeReason ?? ''))
    const to = body.relatedParty?.find((related) => related.role === 'operator')?.partyOrPartyRole.id
    if (to !== undefined && to !== ticket.operator) actions.push({ kind: 'forward', operator: to, operatorName: await organisationName(needs.database, to) })
    const match = request.headers['if-match']
    const changed = await allowed(() => command(needs, caller, ticket.id, actions, match === undefined || match.trim() === '*' ? ticket.version : Number(match.replace(/^W\/|"/g, ''))))
    const patched = accept(changed)
    needs.changed(patched.id)
    return answer(reply, needs, patched, one(request.query, 'fields'))
  })
}

/** A leap second has the form of a time and is no instant here. */
function instantOf(text: string): Instant {
  const at = Date.parse(text)
  if (!Number.isFinite(at)) throw new ProblemError('body_invalid', `expectedResolutionDate ${text} is no instant.`)
  return at
}

/** What a status in a patch asks for. */
function statusActions(ticket: Ticket, status: string, reason: string): TicketAction[] {
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

function hubRoutes(app: Routes, needs: TicketRouteNeeds): void {
  app.post(hubPath, async (request, reply) => {
    const caller = callerOf(needs, request)
    const body = bodyOf(checkHub, request.body)
    if (!callbackAllowed(body.callback, needs.callbackHosts)) throw new ProblemError('not_allowed', 'Events are posted only to hosts that this installation names: ask for yours to be added.')
    const listener = await allowed(() => addListener(needs.database, caller, body.callback, body.query ?? null, needs.clock()))
    if (listener === null) throw new ProblemError('state_conflict', `Your organisation has ${organisation_listeners_max} listeners already. Remove one first.`)
    return reply.code(201).header('location', `${hubPath}/${listener.id}`).send(hubOf(listener))
  })
  app.get<{ Params: { id: string } }>(`${hubPath}/:id`, async (request) => {
    const listener = await getListener(needs.database, callerOf(needs, request), request.params.id)
    if (listener === null) throw new ProblemError('not_found', 'There is no such listener of yours.')
    return hubOf(listener)
  })
  app.delete<{ Params: { id: string } }>(`${hubPath}/:id`, async (request, reply) => {
    if (!await removeListener(needs.database, callerOf(needs, request), request.params.id)) throw new ProblemError('not_found', 'There is no such listener of yours.')
    return reply.code(204).send()
  })
}

function hubOf(listener: { id: string; callback: string; query: string | null }): Hub {
  return { '@type': 'Hub', id: listener.id, href: `${hubPath}/${listener.id}`, callback: listener.callback, ...(listener.query === null ? {} : { query: listener.query }) }
}

function callerOf(needs: TicketRouteNeeds, request: FastifyRequest): Caller {
  const caller = needs.caller(request)
  if (caller === null) throw new ProblemError('session_missing', 'Open your log-in link, or send an API key as a bearer token.')
  return caller
}

function accept<T>(result: Result<T, Refusal>): T {
  if (!result.ok) throw new ProblemError(...refusals[result.error])
  return result.value
}

function answer(reply: FastifyReply, needs: TicketRouteNeeds, ticket: Ticket, fields: string | undefined): FastifyReply {
  return reply.header('etag', `"${ticket.version}"`).send(pick(toTmf(ticket, needs.clock()), fields))
}

/** First-level attribute selection of TMF630: what is asked for, and always id, href and @type. */
function pick(resource: TroubleTicket, fields: string | undefined): object {
  if (fields === undefined || fields === '') return resource
  const asked = new Set([...fields.split(','), 'id', 'href', '@type'])
  return Object.fromEntries(Object.entries(resource).filter(([name]) => asked.has(name)))
}

function one(query: Record<string, string | string[]>, name: string): string | undefined {
  const value = query[name]
  return Array.isArray(value) ? value.join(',') : value
}

const operatorFilters = ['relatedParty.id', 'relatedParty.partyOrPartyRole.id'] as const
const filters: ReadonlySet<string> = new Set(['fields', 'offset', 'limit', 'status', 'lifecycle', 'id', ...operatorFilters])

function filterOf(query: Record<string, string | string[]>): TicketFilter {
  const unknown = Object.keys(query).filter((name) => !filters.has(name))
  if (unknown.length > 0) throw new ProblemError('body_invalid', `There is no filter ${unknown.join(', ')}. There are ${[...filters].join(', ')}.`)
  return {
    ids: one(query, 'id')?.split(','),
    statuses: statusFilter(query),
    operator: operatorFilters.map((name) => one(query, name)).find((value) => value !== undefined),
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

