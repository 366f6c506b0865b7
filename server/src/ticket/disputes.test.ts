import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import pg from 'pg'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import type { Ticket, TicketCause } from '@kawal/core/ticket/ticket.ts'
import type { TroubleTicket } from '@kawal/contract/ticket.ts'
import { contactOf } from '@kawal/testkit/contacts.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system, type Caller } from '../adapters/postgres/database.ts'
import { linkToken } from './link.ts'
import { ticketLinks } from './link-routes.ts'
import { addListener } from './outbox.ts'
import { ticketRoutes } from './routes.ts'
import { ticketRoutesV2 } from './routes-v2.ts'
import { command, getTicket, openProblemTicket, openTicket } from './tickets.ts'
import { toLive } from './tmf621.ts'

const start = Date.UTC(2029, 1, 14, 2)
const secret = Buffer.alloc(32, 7)
const path = '/tmf-api/troubleTicket/v5/troubleTicket'
const callers: Record<string, Caller> = {
  telkomsel: { organisation: 'telkomsel', role: 'noc' }, indosat: { organisation: 'indosat', role: 'noc' }, bakti: { organisation: 'bakti', role: 'access_operator' },
  komdigi: { organisation: 'komdigi', role: 'duty_officer' }, bawaslu: { organisation: 'bawaslu', role: 'auditor' },
}
const evidence = { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [], signs: [] } as const
const causeOf = (id: string): TicketCause & { areaName: string } => ({
  id, cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: '530101', areaName: 'Semau', stations: ['5301012001001'], startedAt: start - 5 * minute_ms, foundAt: start, endedAt: null, evidence,
})

let kit: TestDatabase
let app: FastifyInstance
let now = start
const hubs: Record<string, string> = {}
const needs = () => ({ database: kit.database, clock: () => now })
before(async () => {
  kit = await withDatabase()
  app = fastify()
  const faces = { ...needs(), changed: () => undefined, callbackHosts: ['127.0.0.1'], secret, caller: (request: { headers: { authorization?: string } }) => callers[(request.headers.authorization ?? '').replace('Bearer ', '')] ?? null }
  for (const face of [ticketRoutes, ticketRoutesV2, ticketLinks]) await app.register(face({ ...faces, beginAct: () => Promise.resolve() } as never))
  for (const organisation of ['telkomsel', 'indosat', 'bakti']) hubs[organisation] = (await addListener(kit.database, callers[organisation] as Caller, 'http://127.0.0.1:9/', null, now))?.id ?? ''
})
after(async () => {
  await app.close()
  await kit.close()
})

interface Answer { readonly status: number; readonly body: TroubleTicket & { code: string; detail: string } }
async function patch(as: string, id: string, fields: object, version: 'v5' | 'v2' = 'v5'): Promise<Answer> {
  const answer = await app.inject({
    method: 'PATCH', url: `${path.replace('v5', version)}/${id}`, headers: { authorization: `Bearer ${as}`, 'content-type': 'application/merge-patch+json' }, payload: JSON.stringify({ '@type': 'TroubleTicket', ...fields }),
  })
  return { status: answer.statusCode, body: JSON.parse(answer.body) }
}
const said = (name: string, value: string): object => ({ troubleTicketCharacteristic: [{ '@type': 'StringCharacteristic', name, valueType: 'string', value }] })
const party = (id: string): object => ({ relatedParty: [{ '@type': 'RelatedPartyRefOrPartyRoleRef', role: 'operator', partyOrPartyRole: { '@type': 'PartyRef', id } }] })
const claim = (kind: string, text = 'the mast has no mains'): object => ({ status: 'rejected', statusChangeReason: text, ...said('disputeKind', kind) })
const uphold = (reason = 'so it is'): object => ({ statusChangeReason: reason, ...said('disputeAnswer', 'uphold') })
const disputeIn = (ticket: TroubleTicket): unknown => ticket.troubleTicketCharacteristic.find((row) => row.name === 'dispute')?.value
async function open(id: string): Promise<string> {
  const opened = await openTicket(needs(), system, causeOf(id))
  assert.ok(opened.ok)
  return opened.value.ticket.id
}
async function ticketOf(id: string): Promise<Ticket> {
  const ticket = await getTicket(needs(), system, id)
  assert.ok(ticket !== null)
  return ticket
}
const told = async (ticket: string): Promise<string[]> => (await kit.database.transaction(system, (client) => client.query<{ organisation_id: string; version: number; type: string; named: string }>(
  "SELECT organisation_id, version, body->>'eventType' AS type, body#>>'{event,troubleTicket,relatedParty,0,partyOrPartyRole,id}' AS named FROM hub_delivery WHERE ticket_id = $1 ORDER BY version, organisation_id", [ticket]))).rows
  .map(({ organisation_id, version, type, named }) => `${version} ${organisation_id} ${type.replace('TroubleTicket', '').replace('Event', '')} ${named}`)

test('disputed by the standard\'s word: the status stays, both sides stand there, and no second one is taken', async () => {
  const id = await open('claimed')
  const fresh = { ...evidence, devicesSilent: 16, devicesGood: 1 }
  await kit.database.transaction(system, (client) => client.query("INSERT INTO disturbance (id, organisation_id, state, found_at) VALUES ('claimed', 'telkomsel', $1, now())", [JSON.stringify({ evidence: fresh })]))
  const { status, body } = await patch('telkomsel', id, claim('power'))
  assert.deepEqual([status, body.status, body.requestedResolutionDate], [200, 'acknowledged', new Date(start + 30 * minute_ms).toISOString()])
  assert.deepEqual(disputeIn(body), { kind: 'power', text: 'the mast has no mains', by: 'telkomsel', since: new Date(start).toISOString(), evidence: fresh, answer: null })
  assert.equal((await ticketOf(id)).status, 'submitted')
  assert.deepEqual([(await patch('telkomsel', id, claim('not_ours'))).body.code, (await patch('komdigi', id, { status: 'cancelled', statusChangeReason: 'x' })).body.code, (await patch('komdigi', id, party('bakti'))).body.code], ['state_conflict', 'state_conflict', 'state_conflict'])
  const live = toLive(await ticketOf(id), now)
  assert.deepEqual([live.dispute?.kind, live.dispute?.counts, live.dispute?.answer, live.history.at(-1)?.dispute], ['power', { expected: 20, silent: 16, bad: 5, good: 1 }, null, 'power'])
  assert.deepEqual(await told(id), ['1 telkomsel Create telkomsel', '2 telkomsel AttributeValueChange telkomsel'])
})

test('who may dispute, with what: its own ticket, a text, a kind that is known; without a kind it is not ours', async () => {
  const id = await open('who')
  assert.deepEqual([(await patch('komdigi', id, claim('power'))).status, (await patch('bawaslu', id, claim('power'))).status, (await patch('indosat', id, claim('power'))).status], [403, 403, 404])
  for (const fields of [claim('power', ''), claim('weather'), claim('uphold'), { ...claim('power'), status: 'pending' }, said('disputeKind', 'power'), said('dispute', 'power')]) assert.equal((await patch('telkomsel', id, fields)).status, 400, JSON.stringify(fields))
  assert.equal((await patch('telkomsel', id, claim('power', 'x'.repeat(2_001)))).status, 400)
  assert.equal((await ticketOf(id)).version, 1)
  assert.equal((await patch('telkomsel', id, { status: 'rejected', statusChangeReason: 'all well here' })).status, 200)
  assert.equal((await ticketOf(id)).dispute?.kind, 'not_ours')
  const older = await open('who-v2')
  assert.equal((await patch('telkomsel', older, { status: 'Rejected', statusChangeReason: 'all well here' }, 'v2')).status, 200)
  assert.equal((await ticketOf(older)).dispute?.text, 'all well here')
  const problem = { kind: 'signal', text: 'tidak ada sinyal', station: '9401012001001', accessPoint: null, givenAt: start } as const
  await kit.database.transaction(system, (client) => openProblemTicket(client, problem, { id: 'LP-900009', operator: 'telkomsel', operatorName: 'Telkomsel', areaName: 'Merauke' }, now))
  assert.equal((await patch('telkomsel', 'LP-900009', claim('power'))).body.code, 'state_conflict', 'nobody disputes a word')
})

test('the answer: only the centre\'s, once, in one command with what it leads to', async () => {
  const id = await open('answered')
  await patch('telkomsel', id, claim('power'))
  for (const as of ['telkomsel', 'bawaslu']) for (const fields of [{ ...uphold(), ...party('bakti') }, { ...uphold(), status: 'cancelled' }, { statusChangeReason: 'x', ...said('disputeAnswer', 'reject') }]) assert.equal((await patch(as, id, fields)).status, 403, `${as} ${JSON.stringify(fields)}`)
  for (const fields of [uphold(), { ...uphold(), status: 'cancelled', ...party('bakti') }, { ...uphold(), status: 'resolved' }, { ...uphold(), ...party('telkomsel') }, { statusChangeReason: 'x', status: 'cancelled', ...said('disputeAnswer', 'reject') }, said('disputeAnswer', 'reject')]) assert.equal((await patch('komdigi', id, fields)).status, 400, JSON.stringify(fields))
  assert.equal((await patch('komdigi', id, { ...uphold(), ...party('nobody') })).body.code, 'state_conflict')
  assert.equal((await ticketOf(id)).version, 2)
  const rejected = await patch('komdigi', id, { statusChangeReason: 'chargers stayed on', ...said('disputeAnswer', 'reject') })
  const { answer, answerReason } = disputeIn(rejected.body) as { answer: string; answerReason: string }
  assert.deepEqual([rejected.status, answer, answerReason, rejected.body.status], [200, 'rejected', 'chargers stayed on', 'acknowledged'])
  assert.equal((await patch('komdigi', id, { ...uphold(), status: 'cancelled' })).body.code, 'state_conflict')
  assert.deepEqual((await told(id)).at(-1), '3 telkomsel AttributeValueChange telkomsel')
})

test('upheld and transferred: the new one has it, with clocks of his own; both are told, once each, and the wall moves', async () => {
  now = start
  const id = await open('moved')
  await patch('telkomsel', id, { status: 'inProgress' })
  now = start + 10 * minute_ms
  await patch('telkomsel', id, claim('access_point', 'the mast is BAKTI\'s'))
  now = start + 20 * minute_ms
  const { status, body } = await patch('komdigi', id, { ...uphold(), ...party('bakti') })
  assert.deepEqual([status, body.relatedParty[0]?.partyOrPartyRole.name, body.requestedResolutionDate], [200, 'BAKTI', new Date(start + 50 * minute_ms).toISOString()])
  assert.deepEqual([(await patch('telkomsel', id, { status: 'resolved' })).status, (await patch('bakti', id, { status: 'acknowledged' })).status], [404, 200])
  assert.deepEqual((await told(id)).slice(-4), ['4 telkomsel AttributeValueChange telkomsel', '6 bakti Create bakti', '6 telkomsel AttributeValueChange bakti', '7 bakti StatusChange bakti'])
  const { holders: [left, ...more] = [] } = await ticketOf(id)
  assert.deepEqual([left?.operator, left?.from, left?.until, left?.excused, left?.clocks.map(({ used_ms }) => used_ms), more], ['telkomsel', start, start + 20 * minute_ms, true, [20 * minute_ms, 20 * minute_ms], []])
  assert.ok(!JSON.stringify(body).includes('holders'), 'a track record is nobody\'s but the centre\'s')
})

test('upheld and cancelled; a transfer without a dispute, and by nobody but the centre', async () => {
  const over = await open('over')
  await patch('telkomsel', over, claim('power'))
  assert.equal((await patch('komdigi', over, { ...uphold('the whole district is dark'), status: 'cancelled' })).body.status, 'cancelled')
  assert.deepEqual((await told(over)).at(-1), '4 telkomsel StatusChange telkomsel')
  const id = await open('sent')
  for (const as of ['telkomsel', 'bawaslu']) assert.equal((await patch(as, id, party('indosat'))).status, 403, as)
  assert.equal((await patch('komdigi', id, party('indosat'))).status, 200)
  assert.deepEqual(await told(id), ['1 telkomsel Create telkomsel', '2 indosat Create indosat', '2 telkomsel AttributeValueChange indosat'])
  assert.equal((await ticketOf(id)).holders?.[0]?.excused, false)
})

test('the centre transfers on what it has itself, and works on it like anybody', async () => {
  const id = await open('own')
  assert.equal((await patch('komdigi', id, party('komdigi'))).status, 200)
  assert.equal((await patch('komdigi', id, { status: 'inProgress' })).status, 200)
  assert.equal((await patch('komdigi', id, party('indosat'))).status, 200)
  assert.deepEqual((await ticketOf(id)).holders?.map(({ operator }) => operator), ['telkomsel', 'komdigi'])
})

test('by link: the form takes kind and evidence, then the page shows both sides and the answer, and no raw word', async () => {
  now = start
  const id = await open('page')
  const url = `/t/${linkToken(secret, { ticket: id, organisation: 'telkomsel', contact: await contactOf(kit.database, 'telkomsel', now), expiresAt: now + 60 * minute_ms })}`
  const page = async (): Promise<string> => (await app.inject({ method: 'GET', url })).body
  const post = (fields: Record<string, string>): Promise<number> => app.inject({ method: 'POST', url, headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: String(new URLSearchParams(fields)) }).then(({ statusCode }) => statusCode)
  const first = await page()
  for (const [, field] of first.matchAll(/<(?:textarea|input|select) id="([\w-]+)"/g)) assert.ok(first.includes(`<label for="${field}">`), field)
  assert.deepEqual([...first.matchAll(/<option value="(\w+)">([^<]+)/g)].map(([, kind, word]) => `${kind}: ${word}`), ['power: listrik padam', 'not_ours: jaringan kami baik', 'access_point: titik aksesnya milik BAKTI', 'election_server: server pemilu yang terganggu'])
  assert.equal(await post({ version: '1', act: 'dispute', kind: 'election_server', text: '' }), 400)
  assert.equal(await post({ version: '1', act: 'dispute', kind: 'election_server', text: 'semua <situs> lain terbuka' }), 303)
  const waiting = await page()
  for (const text of ['Sengketa: server pemilu yang terganggu', 'semua &lt;situs&gt; lain terbuka', 'Diajukan Telkomsel', '11 dari 20 perangkat diam', 'Menunggu jawaban pusat pemantauan', '<b>sengketa diajukan</b>']) assert.ok(waiting.includes(text), text)
  assert.ok(!waiting.includes('value="dispute"'), 'one at a time')
  assert.ok((await command(needs(), callers['komdigi'] as Caller, id, { kind: 'reject', reason: 'server terbuka dari tempat lain' })).ok)
  const answered = await page()
  for (const text of ['<b>Ditolak</b>', 'server terbuka dari tempat lain', '<b>sengketa ditolak</b>', 'value="dispute"']) assert.ok(answered.includes(text), text)
  assert.ok(!/>[^<]*(election_server|disputed|rejected|upheld|transferred)[^<]*</.test(answered))
})

test('what was forwarded before transfers had their name is transferred, in the ticket and in its log', async () => {
  const problem = { kind: 'other', text: 'he wrote "kind": "forwarded" himself', station: '9401012001001', accessPoint: null, givenAt: start } as const
  await kit.database.transaction(system, (client) => openProblemTicket(client, problem, { id: 'LP-900010', operator: 'telkomsel', operatorName: 'Telkomsel', areaName: 'Merauke' }, now))
  assert.equal((await patch('komdigi', 'LP-900010', party('indosat'))).status, 200)
  const owner = new pg.Client({ connectionString: kit.ownerUrl })
  await owner.connect()
  const kept = async (): Promise<unknown> => (await owner.query("SELECT state, (SELECT jsonb_agg(event ORDER BY version) FROM ticket_event WHERE ticket_id = ticket.id) AS log FROM ticket WHERE id = 'LP-900010'")).rows
  const before = await kept()
  await owner.query("UPDATE ticket SET state = replace(state::text, '\"transferred\"', '\"forwarded\"')::jsonb WHERE id = 'LP-900010'")
  await owner.query("UPDATE ticket_event SET event = replace(event::text, '\"transferred\"', '\"forwarded\"')::jsonb WHERE ticket_id = 'LP-900010'")
  assert.notDeepEqual(await kept(), before)
  await owner.query(readFileSync(join(import.meta.dirname, '../../migrations/0021_transfers.sql'), 'utf8'))
  assert.deepEqual(await kept(), before)
  await owner.end()
})
