import type { FastifyPluginAsync } from 'fastify'
import { Compile } from 'typebox/compile'
import { TroubleTicketCreateV2, TroubleTicketPatchV2, type TroubleTicketV2 } from '@kawal/contract/ticket.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Ticket, TicketStatus } from '@kawal/core/ticket/ticket.ts'
import { bodyOf } from '../body.ts'
import { answerProblems } from '../problem.ts'
import { callerOf, filterOf, makeRequest, one, patchTicket, readTicket, type TicketRouteNeeds } from './act.ts'
import { listTickets } from './list.ts'
import { toTmf } from './tmf621.ts'

const path = '/tmf-api/troubleTicket/v2/troubleTicket'
const checkCreate = Compile(TroubleTicketCreateV2)
const checkPatch = Compile(TroubleTicketPatchV2)
type Query = Record<string, string | string[]>

const statusWords: Readonly<Record<TicketStatus, TroubleTicketV2['status']>> = {
  submitted: 'Submitted', acknowledged: 'Acknowledged', inProgress: 'In Progress', reopened: 'In Progress', pending: 'Pending', resolved: 'Resolved', closed: 'Closed', cancelled: 'Cancelled',
}
/** `In Progress`, `InProgress` and `inProgress` are one word. */
const plain = (status: string): string => status.replaceAll(' ', '').replace(/^./, (first) => first.toLowerCase())

/**
 * TMF621 v2 (R18.0) over the tickets of v5, for systems that speak no other. What is created here is a request: a
 * disturbance's ticket begins with a measurement, and v2 has no word for that.
 */
export function ticketRoutesV2(needs: TicketRouteNeeds): FastifyPluginAsync {
  return (app) => {
    app.addContentTypeParser('application/merge-patch+json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'))
    answerProblems(app, (found) => ({ ...found, reason: found.title, message: found.detail }))

    app.get<{ Querystring: Query }>(path, async (request, reply) => {
      const { status, ...rest } = request.query
      const words = one({ status: status ?? '' }, 'status')
      const { total, tickets } = await listTickets(needs, callerOf(needs, request), filterOf(words ? { ...rest, status: words.split(',').map(plain).join(',') } : rest))
      return reply.header('x-total-count', total).header('x-result-count', tickets.length).send(tickets.map((ticket) => pick(toV2(ticket, needs.clock()), request.query)))
    })
    app.get<{ Params: { id: string }; Querystring: Query }>(`${path}/:id`, async (request) =>
      pick(toV2(await readTicket(needs, callerOf(needs, request), request.params.id), needs.clock()), request.query))

    for (const each of [path, `${path}/`])
      app.post<{ Querystring: Query }>(each, async (request, reply) => {
        const caller = callerOf(needs, request)
        const { description, severity, ticketType, externalId = null, note = [] } = bodyOf(checkCreate, request.body)
        const ticket = await makeRequest(needs, caller, { description, severity, ticketType, externalId }, note.map(({ text }) => text))
        const shown = toV2(ticket, needs.clock())
        return reply.code(201).header('location', shown.href).send(pick(shown, request.query))
      })
    app.patch<{ Params: { id: string }; Querystring: Query }>(`${path}/:id`, async (request) => {
      const { status, statusChangeReason: reason, expectedResolutionDate, note: notes = [] } = bodyOf(checkPatch, request.body)
      const patch = { status: status === undefined ? undefined : plain(status), reason, notes, expectedResolutionDate }
      return pick(toV2(await patchTicket(needs, callerOf(needs, request), request.params.id, patch, request.headers['if-match']), needs.clock()), request.query)
    })
    return Promise.resolve()
  }
}

/** R18 gives the fields that are asked for and no other; later versions add id and href. */
function pick(resource: TroubleTicketV2, query: Query): object {
  const fields = one(query, 'fields')
  if (fields === undefined || fields === '') return resource
  const asked = new Set(fields.split(','))
  return Object.fromEntries(Object.entries(resource).filter(([name]) => asked.has(name)))
}

function toV2(ticket: Ticket, now: Instant): TroubleTicketV2 {
  const { description, severity, ticketType, creationDate, lastUpdate, requestedResolutionDate, expectedResolutionDate, resolutionDate, statusChangeDate, statusChangeReason, note, relatedParty, relatedEntity, externalIdentifier } = toTmf(ticket, now)
  return {
    id: ticket.id, href: `${path}/${encodeURIComponent(ticket.id)}`, description, severity, ticketType, creationDate, lastUpdate,
    ...(externalIdentifier?.[0] === undefined ? {} : { externalId: externalIdentifier[0].id }),
    ...(requestedResolutionDate === undefined ? {} : { requestedResolutionDate }), ...(expectedResolutionDate === undefined ? {} : { expectedResolutionDate }), ...(resolutionDate === undefined ? {} : { resolutionDate }),
    status: statusWords[ticket.status], statusChangeDate, ...(statusChangeReason === undefined ? {} : { statusChangeReason }),
    note: note.map(({ author = '', date = creationDate, text = '' }) => ({ author, date, text })),
    relatedParty: relatedParty.map(({ role, partyOrPartyRole: { id, name = id } }) => ({ id, name, role })),
    relatedObject: relatedEntity.map(({ role, entity: { id } }) => ({ id, involvement: role })),
  }
}
