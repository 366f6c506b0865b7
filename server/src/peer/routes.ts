import type { FastifyInstance } from 'fastify'
import { ProblemError } from '../problem.ts'
import { eventsPath, readEventToken, type Peers } from './peers.ts'

/** Where peers post their events, in any version's form: TMF630's notification, with the ticket in `event.troubleTicket`. */
export function peerRoutes(app: FastifyInstance, { secret, peers }: { readonly secret: Buffer; readonly peers: Pick<Peers, 'heard'> }): void {
  app.post<{ Params: { token: string } }>(`${eventsPath}/:token`, async (request, reply) => {
    const organisation = readEventToken(secret, request.params.token)
    if (organisation === null) throw new ProblemError('not_found', 'Events are posted to the address that was given for them, and to no other.')
    await peers.heard(organisation, ticketIn(request.body))
    return reply.code(204).send()
  })
}

/** The id of theirs that an event names; null where there is none: then the next round finds what changed. */
function ticketIn(body: unknown): string | null {
  const event = body as { readonly event?: { readonly troubleTicket?: { readonly id?: unknown } | null } | null } | null
  const id = event?.event?.troubleTicket?.id
  return typeof id === 'string' && !id.includes('\0') ? id : typeof id === 'number' ? String(id) : null
}
