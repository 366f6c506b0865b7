import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import { Compile } from 'typebox/compile'
import { file_body_bytes_max } from '@kawal/contract/file.ts'
import { HubCreate, TroubleTicketCreate, TroubleTicketPatch, type Hub, type TroubleTicket } from '@kawal/contract/ticket.ts'
import { scopeOf } from '@kawal/core/organisation/rules.ts'
import type { Ticket, TicketAction } from '@kawal/core/ticket/ticket.ts'
import type { Caller } from '../adapters/postgres/database.ts'
import { bodyOf } from '../body.ts'
import { allowed, answerProblems, ProblemError } from '../problem.ts'
import { accept, callerOf, filterOf, makeRequest, one, pageLinks, patchTicket, readTicket, withdrawRequest, type TicketRouteNeeds } from './act.ts'
import { attachedIn } from './attachment-routes.ts'
import type { Attached } from './attachments.ts'
import { listTickets } from './list.ts'
import { addListener, getListener, organisation_listeners_max, removeListener } from './outbox.ts'
import { callbackAllowed, webhookSecret } from './webhook.ts'
import { causeOf, command, openTicket, readDisturbances } from './tickets.ts'
import { ticketPath, toTmf } from './tmf621.ts'

const hubPath = '/tmf-api/troubleTicket/v5/hub'
const checkCreate = Compile(TroubleTicketCreate)
const checkPatch = Compile(TroubleTicketPatch)
const checkHub = Compile(HubCreate)

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
    return reply.headers({ 'x-total-count': total, 'x-result-count': tickets.length, link: pageLinks(ticketPath, request.query, filter, total) })
      .send(tickets.map((ticket) => pick(toTmf(ticket, now), one(request.query, 'fields'))))
  })

  app.get<{ Params: { id: string }; Querystring: Record<string, string | string[]> }>(`${ticketPath}/:id`, async (request, reply) => {
    const ticket = await readTicket(needs, callerOf(needs, request), request.params.id)
    return answer(reply, needs, ticket, one(request.query, 'fields'))
  })
}

function writingRoutes(app: Routes, needs: TicketRouteNeeds): void {
  // A photo fits.
  const bodyLimit = file_body_bytes_max
  app.post<{ Querystring: Record<string, string | string[]> }>(ticketPath, { bodyLimit }, async (request, reply) => {
    const caller = callerOf(needs, request)
    const body = bodyOf(checkCreate, request.body)
    const id = body.relatedEntity?.find((related) => related.role === 'disturbance')?.entity.id
    const notes = (body.note ?? []).flatMap(({ text }) => (text === undefined ? [] : [text]))
    const files = attachedIn(body.attachment ?? [])
    const { description, severity, ticketType } = body
    const ticket = id === undefined
      ? await makeRequest(needs, caller, { description, severity, ticketType, externalId: body.externalIdentifier?.[0]?.id ?? null }, notes, files)
      : await openNamed(needs, caller, id, body.relatedParty?.find((related) => related.role === 'operator')?.partyOrPartyRole.id, notes, files)
    void reply.code(201).header('location', `${ticketPath}/${encodeURIComponent(ticket.id)}`)
    return answer(reply, needs, ticket, one(request.query, 'fields'))
  })

  app.patch<{ Params: { id: string }; Querystring: Record<string, string | string[]> }>(`${ticketPath}/:id`, { bodyLimit }, async (request, reply) => {
    const caller = callerOf(needs, request)
    const { status, statusChangeReason: reason, note: notes = [], expectedResolutionDate, relatedParty, relatedEntity = [], troubleTicketRelationship = [], attachment = [], troubleTicketCharacteristic: [said] = [] } = bodyOf(checkPatch, request.body)
    const operator = relatedParty?.find((related) => related.role === 'operator')?.partyOrPartyRole.id
    const patch = {
      relations: troubleTicketRelationship.map(({ relationshipType: type, id: ticket }) => ({ type, ticket })),
      disturbances: relatedEntity.filter(({ role }) => role === 'disturbance').map(({ entity: { id } }) => id),
      files: (ticket: Ticket): Attached[] => attachedIn(attachment, ticket),
      status, reason, notes, expectedResolutionDate, operator, disputeKind: said?.name === 'disputeKind' ? said.value : undefined, disputeAnswer: said?.name === 'disputeAnswer' ? said.value : undefined,
    }
    const patched = await patchTicket(needs, caller, request.params.id, patch, request.headers['if-match'])
    return answer(reply, needs, patched, one(request.query, 'fields'))
  })

  app.delete<{ Params: { id: string } }>(`${ticketPath}/:id`, async (request, reply) => {
    await withdrawRequest(needs, callerOf(needs, request), request.params.id, request.headers['if-match'])
    return reply.code(204).send()
  })
}

/** The ticket of a disturbance. @param named the operator that the caller sends it to */
async function openNamed(needs: TicketRouteNeeds, caller: Caller, id: string, named: string | undefined, notes: readonly string[], files: readonly Attached[]): Promise<Ticket> {
  const disturbance = (await readDisturbances(needs.database, caller, [id])).get(id)
  if (disturbance === undefined) throw new ProblemError('not_found', `There is no disturbance ${id} that you may see.`)
  // The monitoring centre may send it elsewhere; anybody else would take another's ticket for itself.
  if (named !== undefined && named !== disturbance.operator && scopeOf(caller.role, 'ticket', 'write') !== 'all') throw new ProblemError('not_allowed', `This disturbance concerns ${disturbance.operator ?? 'nobody'}, not ${named}.`)
  const opened = accept(await allowed(() => openTicket(needs, caller, causeOf(disturbance), named ?? disturbance.operator)))
  if (!opened.created) throw new ProblemError('state_conflict', `This disturbance has the ticket ${opened.ticket.id} already.`)
  const said: TicketAction[] = [...notes.map((text) => ({ kind: 'note', text }) as const), ...files.map(({ attachment }) => ({ kind: 'attach', attachment }) as const)]
  const ticket = said.length > 0 ? accept(await command(needs, caller, opened.ticket.id, said, undefined, undefined, files)) : opened.ticket
  needs.changed(ticket.id)
  return ticket
}

function hubRoutes(app: Routes, needs: TicketRouteNeeds): void {
  app.post(hubPath, async (request, reply) => {
    const caller = callerOf(needs, request)
    const body = bodyOf(checkHub, request.body)
    if (!callbackAllowed(body.callback, needs.callbackHosts)) throw new ProblemError('not_allowed', 'Events are posted by https to public addresses, and otherwise only to hosts that this installation names: ask for yours to be added.')
    const listener = await allowed(() => addListener(needs.database, caller, body.callback, body.query ?? null, needs.clock()))
    if (listener === null) throw new ProblemError('state_conflict', `Your organisation has ${organisation_listeners_max} listeners already. Remove one first.`)
    return reply.code(201).header('location', `${hubPath}/${listener.id}`).send({ ...hubOf(listener), secret: `whsec_${webhookSecret(needs.secret, listener.id).toString('base64')}` })
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

function answer(reply: FastifyReply, needs: TicketRouteNeeds, ticket: Ticket, fields: string | undefined): FastifyReply {
  return reply.header('etag', `"${ticket.version}"`).send(pick(toTmf(ticket, needs.clock()), fields))
}

/** Attribute selection of TMF630: what is asked for, and always id, href and @type; `note.text` gives of each note the text alone, with these. */
function pick(resource: TroubleTicket, fields: string | undefined): object {
  return fields === undefined || fields === '' ? resource : part(resource, fields.split(','), true)
}

/** @param hasParts a name may go one level deeper, behind a point */
function part(whole: object, names: readonly string[], hasParts: boolean): object {
  const asked = new Set([...names, 'id', 'href', '@type'])
  return Object.fromEntries(Object.entries(whole).flatMap(([name, value]: [string, unknown]) => {
    const inner = hasParts ? names.flatMap((each) => (each.startsWith(`${name}.`) ? [each.slice(name.length + 1).split('.')[0] ?? ''] : [])) : []
    if (asked.has(name) || inner.length === 0 || typeof value !== 'object' || value === null) return asked.has(name) || inner.length > 0 ? [[name, value]] : []
    return [[name, Array.isArray(value) ? value.map((each: object) => part(each, inner, false)) : part(value, inner, false)]]
  }))
}
