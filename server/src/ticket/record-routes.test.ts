import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import type { TicketCause } from '@kawal/core/ticket/ticket.ts'
import type { TrackRecords } from '@kawal/contract/ticket.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system, type Caller } from '../adapters/postgres/database.ts'
import { answerProblems } from '../problem.ts'
import { trackRecordRoutes } from './record-routes.ts'
import { command, openTicket, sweepTickets } from './tickets.ts'

const start = Date.UTC(2029, 1, 14, 2)
const callers: Readonly<Record<string, Caller>> = { telkomsel: { organisation: 'telkomsel', role: 'noc' }, indosat: { organisation: 'indosat', role: 'noc' }, bawaslu: { organisation: 'bawaslu', role: 'auditor' }, helpdesk: { organisation: 'kpu', role: 'nobody' } }
let kit: TestDatabase
let app: FastifyInstance
let now = start
before(async () => {
  kit = await withDatabase()
  app = fastify()
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request) => void Object.assign(request, { caller: callers[String(request.headers['x-who'])] ?? null }))
  answerProblems(app)
  trackRecordRoutes(app, { database: kit.database, clock: () => now })
  const needs = { database: kit.database, clock: () => now }
  const causes = new Map<string, TicketCause>()
  // More than a page of them, and one operator with a name that a spreadsheet would compute.
  for (let i = 0; i < 520; i++) {
    const operator = i % 4 === 0 ? 'indosat' : 'telkomsel'
    const cause: TicketCause = { id: `d${i}`, cause: 'access', operator, severity: 'down', areaCode: '530101', stations: ['5301012001001'], startedAt: start, foundAt: start, endedAt: null, evidence: { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [], signs: [] } }
    causes.set(cause.id, cause)
    assert.ok((await openTicket(needs, system, cause)).ok)
  }
  now = start + 6 * minute_ms
  assert.ok((await command(needs, { organisation: 'indosat', role: 'noc' }, 'TT-d0', [{ kind: 'start' }, { kind: 'resolve' }])).ok)
  causes.set('d0', { ...causes.get('d0') as TicketCause, endedAt: start + 7 * minute_ms })
  now = start + 8 * minute_ms
  await sweepTickets(kit.database, now, (id) => causes.get(id) ?? null)
})
after(async () => {
  await app.close()
  await kit.close()
})

const ask = async (who: string, query = '', accept = 'application/json') => app.inject({ url: `/v1/track-record${query}`, headers: { 'x-who': who, accept } })

test('whoever reads all tickets sees every operator, an operator its own alone', async () => {
  const { rows, to } = (await ask('bawaslu')).json<TrackRecords>()
  assert.deepEqual(rows.map(({ operator, tickets, open, closed }) => [operator, tickets, open, closed]), [['indosat', 130, 129, 1], ['telkomsel', 390, 390, 0]])
  assert.equal(to, new Date(now).toISOString())
  const own = (await ask('indosat')).json<TrackRecords>().rows
  assert.deepEqual(own, rows.slice(0, 1))
  assert.deepEqual([own[0]?.operatorName, own[0]?.acknowledge, own[0]?.restore.median_ms, own[0]?.claims, own[0]?.verified], ['Indosat Ooredoo Hutchison', { count: 1, median_ms: 6 * minute_ms, p90_ms: 6 * minute_ms }, 7 * minute_ms, 1, 1])
  assert.deepEqual([(await ask('nobody')).statusCode, (await ask('helpdesk')).statusCode], [401, 403])
})

test('a span of time, and what is wrong with one', async () => {
  assert.deepEqual((await ask('bawaslu', `?from=${new Date(start + 1).toISOString()}`)).json<TrackRecords>().rows, [])
  assert.deepEqual((await ask('bawaslu', `?to=${new Date(start).toISOString()}`)).json<TrackRecords>().rows, [])
  for (const query of ['?from=2029-02-15T00:00:00Z&to=2029-02-14T00:00:00Z', '?from=yesterday', '?since=2029-02-14T00:00:00Z']) assert.equal((await ask('bawaslu', query)).statusCode, 400, query)
})

test('as CSV', async () => {
  const answer = await ask('telkomsel', '', 'text/csv')
  assert.match(String(answer.headers['content-type']), /text\/csv/)
  const [head, row, end] = answer.body.split('\r\n')
  assert.equal(head, 'operator,name,tickets,open,closed,cancelled,late,clocks,claims,verified,unverified,transferred,disputes,upheld,acknowledge_count,acknowledge_median_ms,acknowledge_p90_ms,restore_count,restore_median_ms,restore_p90_ms,repair_count,repair_median_ms,repair_p90_ms')
  assert.deepEqual([row, end], ['telkomsel,"Telkomsel",390,390,0,0,0,780,0,0,0,0,0,0,0,,,0,,,0,,', ''])
})
