import type { FastifyInstance } from 'fastify'
import { Compile } from 'typebox/compile'
import { ContactGiven, contactsQuery, type ContactRow } from '@kawal/contract/contact.ts'
import { checkContact, type Contact } from '@kawal/core/organisation/contacts.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { bodyOf } from '../body.ts'
import { allowed, ProblemError } from '../problem.ts'
import { callerWho, takes } from '../readiness/ask.ts'
import { addContact, changeContact, deleteContact, listContacts, readCompleteness } from './contacts.ts'

interface ContactNeeds {
  readonly database: Database
  readonly clock: () => number
}

const path = '/v1/contacts'
const limit_default = 100
const checkGiven = Compile(ContactGiven)

/** Duty contacts: every organisation keeps its own, and who coordinates reads all. */
export function contactRoutes(app: FastifyInstance, { database, clock }: ContactNeeds): void {
  app.get<{ Querystring: { organisation?: string; offset?: number; limit?: number } }>(path, takes(contactsQuery), (request) => {
    const { limit = limit_default, ...filter } = request.query
    return listContacts(database, callerWho(request, 'read', 'contact'), { ...filter, limit })
  })
  app.get(`${path}/completeness`, (request) => readCompleteness(database, callerWho(request, 'read', 'contact')))
  app.post(path, async (request, reply): Promise<ContactRow> => {
    const caller = callerWho(request, 'write', 'contact')
    const contact = contactOf(request.body)
    const row = await allowed(() => addContact(database, caller, contact, clock()))
    void reply.code(201)
    return row
  })
  app.put<{ Params: { id: string } }>(`${path}/:id`, (request) => {
    const caller = callerWho(request, 'write', 'contact')
    return changeContact(database, caller, request.params.id, contactOf(request.body))
  })
  app.delete<{ Params: { id: string } }>(`${path}/:id`, async (request, reply) => {
    await deleteContact(database, callerWho(request, 'write', 'contact'), request.params.id)
    return reply.code(204).send()
  })
}

/** @throws ProblemError body_invalid, with what is wrong and how to mend it */
function contactOf(body: unknown): Contact {
  const { name, level, email = null, phone = null, language } = bodyOf(checkGiven, body)
  const checked = checkContact({ name, level, email, phone, language })
  if (!checked.ok) throw new ProblemError('body_invalid', `/${checked.error.field}: ${checked.error.wrong}. Mend it: ${checked.error.mend}.`)
  return checked.value
}
