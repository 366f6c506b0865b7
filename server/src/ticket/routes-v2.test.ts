import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import cookie from '@fastify/cookie'
import fastify, { type FastifyInstance } from 'fastify'
import { hour_ms, minute_ms } from '@kawal/core/kernel/clock.ts'
import type { TicketCause } from '@kawal/core/ticket/ticket.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system } from '../adapters/postgres/database.ts'
import { recogniseCallers } from '../organisation/routes.ts'
import { addApiKey } from '../organisation/sessions.ts'
import { ticketRoutes } from './routes.ts'
import { ticketRoutesV2 } from './routes-v2.ts'
import { openTicket, sweepTickets } from './tickets.ts'

const start = Date.UTC(2029, 1, 14, 2)
const path = '/tmf-api/troubleTicket/v2/troubleTicket'
let kit: TestDatabase
let app: FastifyInstance
let now = start
const keys: Record<string, string> = {}
before(async () => {
  kit = await withDatabase()
  app = fastify()
  await app.register(cookie)
  recogniseCallers(app, kit.database, () => now)
  const needs = { database: kit.database, clock: () => now, caller: (request: { caller: typeof system | null }) => request.caller, changed: () => undefined, callbackHosts: [], secret: Buffer.alloc(32) }
  await app.register(ticketRoutes(needs))
  await app.register(ticketRoutesV2(needs))
  for (const organisation of ['telkomsel', 'indosat', 'komdigi', 'bawaslu']) keys[organisation] = await addApiKey(kit.database, organisation, start)
})
after(async () => {
  await app.close()
  await kit.close()
})

interface Answer { readonly status: number; readonly body: Record<string, unknown> & Record<string, unknown>[]; readonly headers: Record<string, unknown> }
async function call(as: string, method: 'GET' | 'POST' | 'PATCH', url: string, body?: object): Promise<Answer> {
  const answer = await app.inject({
    method, url, headers: { authorization: `Basic ${Buffer.from(`anybody:${keys[as]}`).toString('base64')}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  })
  return { status: answer.statusCode, body: JSON.parse(answer.body), headers: answer.headers }
}
const asked = { description: 'the list of stations is not ours', severity: 'High', ticketType: 'data' }
const ask = async (as: string, more: object = {}): Promise<string> => String((await call(as, 'POST', path, { ...asked, ...more })).body['id'])

test('what an organisation asks is a ticket in its own words; a status that is sent is given here', async () => {
  const { status, body, headers } = await call('telkomsel', 'POST', path, { ...asked, status: 'nanana', externalId: '123', note: [{ author: 'noc', text: 'first' }, { text: 'second' }] })
  assert.equal(status, 201)
  assert.deepEqual([body['description'], body['severity'], body['ticketType'], body['externalId'], body['status'], body['relatedObject']], [asked.description, 'High', 'data', '123', 'Submitted', []])
  assert.deepEqual((body['note'] as { author: string; text: string }[]).map(({ author, text }) => [author, text]), [['telkomsel', 'first'], ['telkomsel', 'second']])
  assert.equal(headers['location'], body['href'])
  assert.deepEqual((await call('telkomsel', 'GET', String(body['href']))).body, body)
  const v5 = (await call('telkomsel', 'GET', `/tmf-api/troubleTicket/v5/troubleTicket/${body['id']}`)).body
  assert.deepEqual([v5['name'], v5['severity'], v5['externalIdentifier']], ['Permintaan Telkomsel: data', 'High', [{ '@type': 'ExternalIdentifier', id: '123', owner: 'Telkomsel', externalIdentifierType: 'troubleTicket' }]])
})

test('of fields that are asked for nothing else comes; severity, type and status are filters', async () => {
  const [high, low] = [await ask('telkomsel', { severity: 'filter-high' }), await ask('telkomsel', { severity: 'filter-low', ticketType: 'filter' })]
  const ids = async (query: string): Promise<unknown[]> => (await call('telkomsel', 'GET', `${path}?${query}`)).body.map((each) => each['id'])
  assert.deepEqual(await ids('severity=filter-high'), [high])
  assert.deepEqual(await ids('ticketType=filter'), [low])
  assert.deepEqual(await ids(`status=In%20Progress&id=${low}`), [])
  assert.deepEqual(await ids(`status=Acknowledged,Closed&id=${low}`), [low])
  assert.deepEqual((await call('telkomsel', 'GET', `${path}/${high}?fields=description`)).body, { description: asked.description })
  assert.deepEqual((await call('telkomsel', 'GET', `${path}?fields=severity,status&id=${low}`)).body, [{ severity: 'filter-low', status: 'Submitted' }])
})

test('what is wrong is told: a field that is missing or strange, a note without a text, a ticket that is not there or not yours', async () => {
  const refused = async (as: string, body: object, url = path): Promise<unknown[]> => {
    const answer = await call(as, 'POST', url, body)
    return [answer.status, answer.body['detail']]
  }
  assert.deepEqual(await refused('telkomsel', { description: 'x', severity: 'High' }), [400, '/ lacks ticketType.'])
  assert.deepEqual(await refused('telkomsel', { ...asked, mood: 'bad' }), [400, '/ has no field mood.'])
  assert.equal((await refused('telkomsel', { ...asked, note: { author: 'x' } }, `${path}/`))[0], 400)
  assert.deepEqual(await refused('telkomsel', { ...asked, note: [{ author: 'x' }] }), [400, '/note/0 lacks text.'])
  assert.equal((await refused('bawaslu', asked))[0], 403)
  assert.equal((await refused('komdigi', asked))[0], 400)
  assert.equal((await call('telkomsel', 'GET', `${path}/46846846846`)).status, 404)
  assert.equal((await call('indosat', 'GET', `${path}/${await ask('telkomsel')}`)).status, 404)
})

test('the monitoring centre works on it, and who asked has the last word', async () => {
  const id = await ask('telkomsel')
  const patch = async (as: string, body: object): Promise<unknown> => {
    const answer = await call(as, 'PATCH', `${path}/${id}`, body)
    return answer.status === 200 ? answer.body['status'] : answer.status
  }
  assert.equal(await patch('telkomsel', { status: 'In Progress' }), 403, 'who asked does not work on it')
  assert.equal(await patch('komdigi', { status: 'In Progress' }), 'In Progress')
  assert.equal(await patch('komdigi', { status: 'Resolved', statusChangeReason: 'list renewed' }), 'Resolved')
  assert.equal(await patch('komdigi', { status: 'Closed' }), 403, 'who works on it does not close it')
  assert.equal(await patch('telkomsel', { status: 'InProgress' }), 'In Progress')
  assert.equal(await patch('komdigi', { status: 'resolved' }), 'Resolved')
  assert.equal(await patch('telkomsel', { status: 'Closed' }), 'Closed')
  assert.equal(await patch('telkomsel', { status: 'Closed' }), 409)
  const { rows } = await kit.database.transaction(system, (client) => client.query<{ kind: string }>("SELECT event->>'kind' AS kind FROM ticket_event WHERE ticket_id = $1 ORDER BY version", [id]))
  assert.deepEqual(rows.map(({ kind }) => kind), ['opened', 'acknowledged', 'started', 'resolved', 'reopened', 'resolved', 'closed'])
})

test('without word of who asked it closes after 48 hours', async () => {
  const id = await ask('indosat')
  await call('komdigi', 'PATCH', `${path}/${id}`, { status: 'In Progress' })
  await call('komdigi', 'PATCH', `${path}/${id}`, { status: 'Resolved' })
  const swept = async (at: number): Promise<boolean> => (await sweepTickets(kit.database, at, () => null)).includes(id)
  assert.equal(await swept(now + 48 * hour_ms - 1), false)
  assert.equal(await swept(now + 48 * hour_ms), true)
  assert.equal((await call('indosat', 'GET', `${path}/${id}`)).body['status'], 'Closed')
})

test('the ticket of a disturbance is seen in the words of v2, and patched', async () => {
  const cause: TicketCause = {
    id: 'v2', cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: '530101', stations: ['5301012001001'], startedAt: start - 5 * minute_ms, foundAt: start, endedAt: null,
    evidence: { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [{ cause: 'access', nats: 7.5 }], signs: [{ sign: 'silent', count: 11, of: 20 }] },
  }
  assert.ok((await openTicket({ database: kit.database, clock: () => now }, system, cause)).ok)
  const { body } = await call('telkomsel', 'PATCH', `${path}/TT-v2`, { status: 'Acknowledged', note: [{ text: 'seen' }] })
  assert.deepEqual([body['status'], body['severity'], body['relatedObject']], ['Acknowledged', 'critical', [{ id: 'v2', involvement: 'disturbance' }, { id: '530101', involvement: 'place' }]])
  assert.equal((await call('telkomsel', 'PATCH', `${path}/TT-v2`, { status: 'Closed' })).status, 409)
  assert.deepEqual((await call('telkomsel', 'GET', `${path}?severity=critical`)).body.map(({ id }) => id), ['TT-v2'])
})
