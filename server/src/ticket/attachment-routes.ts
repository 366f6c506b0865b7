import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { AttachmentGiven } from '@kawal/contract/ticket.ts'
import type { Ticket } from '@kawal/core/ticket/ticket.ts'
import { fileOf, sendFile } from '../file.ts'
import { ProblemError } from '../problem.ts'
import { callerOf, type TicketRouteNeeds } from './act.ts'
import { readFile, type Attached } from './attachments.ts'
import { attachmentPath } from './tmf621.ts'

/**
 * What of a list of attachments is new. A merge patch gives the whole list: those that carry an id which is there already are
 * left alone, as notes are.
 * @throws ProblemError body_invalid for what brings no content: nothing is fetched from an address
 */
export function attachedIn(given: readonly AttachmentGiven[], ticket: Pick<Ticket, 'attachments'> = {}): Attached[] {
  const known = new Set((ticket.attachments ?? []).map(({ id }) => id))
  return given.flatMap(({ id, name, mimeType, content, description = '', attachmentType = '' }, index) => {
    if (id !== undefined && known.has(id)) return []
    if (name === undefined || mimeType === undefined || content === undefined) throw new ProblemError('body_invalid', `/attachment/${index}: give name, mimeType and content (base64). Nothing is fetched from a url.`)
    const file = fileOf({ name, mimeType, content }, `/attachment/${index}`)
    return [{ attachment: { id: randomUUID(), name: file.name, mimeType: file.mimeType, bytes: file.content.length, description, attachmentType }, file }]
  })
}

/** What is in an attachment, for whoever may see its ticket. */
export function attachmentRoutes(app: FastifyInstance, needs: Pick<TicketRouteNeeds, 'database' | 'caller'>): void {
  app.get<{ Params: { id: string; attachment: string } }>(attachmentPath(':id', ':attachment'), async (request, reply) => {
    const { id, attachment } = request.params
    const file = await readFile(needs.database, callerOf(needs, request), id, attachment)
    if (file === null) throw new ProblemError('not_found', `The ticket ${id} has no attachment ${attachment} that you may see.`)
    return sendFile(reply, file)
  })
}
