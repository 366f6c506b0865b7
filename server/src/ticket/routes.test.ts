import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import type { TroubleTicket } from '@kawal/contract/ticket.ts'
import { published } from '@kawal/testkit/published.ts'
import { faceCause, faceStart, faultsOf, hubAddress, ticketAddress, withTicketFace, type TicketFace } from '@kawal/testkit/ticket-face.ts'
import { system } from '../adapters/postgres/database.ts'
import { createOperator } from '../rehearsal/operator.ts'
import { openTicket, sweepTickets } from './tickets.ts'
import { toLive } from './tmf621.ts'
import { webhookSecret } from './webhook.ts'

let face: TicketFace
before(async () => {
  face = await withTicketFace()
})
after(() => face.close())

const lifecycle = (ticket: TroubleTicket): unknown => ticket.troubleTicketCharacteristic.find((row) => row.name === 'lifecycle')?.value

test('every request, answer and event of these tests is judged by the published OpenAPI file of TMF621 v5, and a wrong one is seen', async (t) => {
  const judge = published('tmf621/TMF621-Trouble_Ticket-v5.0.1.oas.yaml')
  if (judge === null || !face.isJudged) return t.skip('NOT CHECKED against the standard: shared/suites/standards/tmf621 is not beside the repository')
  const id = await face.open('standard')
  const patches = [{ status: 'acknowledged', note: [{ '@type': 'Note', text: 'seen' }] }, { status: 'inProgress', expectedResolutionDate: '2029-02-14T03:00:00Z' }, { status: 'pending', statusChangeReason: 'power' },
    { status: 'rejected', statusChangeReason: 'the mains', troubleTicketCharacteristic: [{ '@type': 'StringCharacteristic', name: 'disputeKind', valueType: 'string', value: 'power' }] }, { status: 'resolved' }]
  for (const fields of patches) {
    const answer = await face.patch('telkomsel', id, fields)
    assert.equal(answer.status, 200, answer.body.detail)
  }
  const { body } = await face.call('telkomsel', 'GET', `${ticketAddress}/${id}`)
  const as = (method: string, url: string, sent: unknown, status: number, answer: unknown): string[] => faultsOf(judge, { method, body: sent, routeOptions: { url } }, status, JSON.stringify(answer))
  const one = `${ticketAddress}/:id`
  assert.deepEqual(as('GET', one, undefined, 200, body), [])
  const wrong: unknown[] = [
    { ...body, status: 'asleep' }, { ...body, troubleTicketRelation: [] }, { ...body, creationDate: 'yesterday' }, { ...body, note: [{ '@type': 'Note', text: 'x', words: 'y' }] },
    { ...body, relatedParty: [{ '@type': 'RelatedPartyRefOrPartyRoleRef', role: 'operator', partyOrPartyRole: { '@type': 'Party', id: 'x' } }] },
    { ...body, troubleTicketCharacteristic: [{ '@type': 'IntegerCharacteristic', name: 'reopened', valueType: 'integer', value: 'twice' }] },
    { ...body, attachment: [{ '@type': 'Attachment', id: '1', bytes: 5 }] },
  ]
  for (const answer of wrong) assert.notDeepEqual(as('GET', one, undefined, 200, answer), [], JSON.stringify(answer).slice(0, 80))
  assert.notDeepEqual(as('GET', ticketAddress, undefined, 200, [body, wrong[0]]), [])
  assert.notDeepEqual(as('PATCH', one, { '@type': 'TroubleTicket', comment: 'x' }, 200, body), [], 'a request that was taken')
  assert.notDeepEqual(as('POST', ticketAddress, { '@type': 'TroubleTicket' }, 409, { '@type': 'Error', code: 'x', reason: 'y' }), [], 'and one that was refused for what it asks')
  assert.notDeepEqual(as('GET', one, undefined, 404, { code: 'not_found' }), [])
  assert.notDeepEqual(as('POST', hubAddress, { callback: 'https://noc.example/' }, 201, { '@type': 'Hub', id: '1', callback: 'https://noc.example/' }), [])
  assert.notDeepEqual(judge('TroubleTicketCreateEvent', { '@type': 'TroubleTicketCreateEvent', event: { troubleTicket: { '@type': 'TroubleTicket', status: 'new' } } }), [])
})

test('the list: filters, fields, pages with the total, and refusals that say what there is', async () => {
  for (const id of ['a', 'b', 'c']) await face.open(`list-${id}`, 'indosat')
  await face.patch('indosat', 'TT-list-a', { status: 'acknowledged' })
  const page = await face.call('indosat', 'GET', `${ticketAddress}?limit=2&offset=1&fields=status,name`)
  assert.deepEqual([page.headers['x-total-count'], page.headers['x-result-count'], page.body.length], ['3', '2', 2])
  assert.deepEqual(Object.keys(page.body[0] ?? {}).sort(), ['@type', 'href', 'id', 'name', 'status'])
  assert.equal((await face.call('indosat', 'GET', `${ticketAddress}?status=acknowledged`)).body.length, 3)
  assert.deepEqual((await face.call('indosat', 'GET', `${ticketAddress}?lifecycle=acknowledged`)).body.map((row) => row.id), ['TT-list-a'])
  assert.equal((await face.call('komdigi', 'GET', `${ticketAddress}?relatedParty.id=indosat`)).headers['x-total-count'], '3')
  assert.equal((await face.call('telkomsel', 'GET', `${ticketAddress}?relatedParty.id=indosat`)).headers['x-total-count'], '0')
  assert.equal((await face.call('kpu', 'GET', ticketAddress)).body.length, 0)
  for (const query of ['status=asleep', 'limit=-1', 'colour=red']) assert.equal((await face.call('indosat', 'GET', `${ticketAddress}?${query}`)).status, 400, query)
  assert.deepEqual([(await face.call('nobody', 'GET', ticketAddress)).status, (await face.call('indosat', 'GET', `${ticketAddress}/TT-none`)).status], [401, 404])
})

test('the life of a ticket over HTTP; nobody closes it by hand, and another operator does not know it', async () => {
  face.now = faceStart
  const id = await face.open('life')
  assert.equal((await face.patch('indosat', id, { status: 'acknowledged' })).status, 404)
  assert.equal((await face.patch('komdigi', id, { status: 'resolved' })).status, 403)
  assert.equal((await face.patch('telkomsel', id, { status: 'resolved' })).status, 409)
  assert.deepEqual([lifecycle((await face.call('telkomsel', 'GET', `${ticketAddress}/${id}`)).body), (await face.patch('telkomsel', id, { status: 'acknowledged' })).status], ['submitted', 200])
  const held = await face.patch('telkomsel', id, { status: 'pending' })
  assert.deepEqual([held.status, held.body.code], [400, 'body_invalid'])
  assert.equal((await face.patch('telkomsel', id, { status: 'pending', statusChangeReason: 'power' })).body.status, 'pending')
  assert.equal((await face.patch('telkomsel', id, { status: 'inProgress' })).body.status, 'inProgress')
  assert.equal((await face.patch('telkomsel', id, { severity: 'minor' })).status, 400)
  assert.equal((await face.call('telkomsel', 'PATCH', `${ticketAddress}/${id}`, { status: 'resolved' })).status, 400, '@type is required by the standard')
  assert.equal((await face.patch('telkomsel', id, { status: 'resolved' }, { 'if-match': '"1"' })).status, 412)
  const noted = await face.patch('telkomsel', id, { note: [{ '@type': 'Note', text: 'one' }] })
  const again = await face.patch('telkomsel', id, { note: [...noted.body.note, { '@type': 'Note', text: 'two' }] })
  assert.deepEqual(again.body.note.map((note) => note.text), ['one', 'two'])
  assert.equal((await face.patch('telkomsel', id, { status: 'resolved' }, { 'if-match': String(again.headers['etag']) })).body.status, 'resolved')
  assert.equal((await face.patch('telkomsel', id, { status: 'closed' })).body.code, 'state_conflict')
  assert.ok(face.changed.includes(id))
})

test('a ticket is created for a disturbance that the caller may see, once', async () => {
  const live = { ...faceCause('made'), stage: 'confirmed', latitude: null, longitude: null, ticketId: null }
  const row = { ...live, startedAt: new Date(faceStart).toISOString(), foundAt: new Date(faceStart).toISOString() }
  await face.kit.database.transaction(system, (client) => client.query(
    'INSERT INTO disturbance (id, organisation_id, state, found_at) VALUES ($1, $2, $3, $4)', ['made', 'telkomsel', JSON.stringify(row), row.foundAt]))
  const body = {
    '@type': 'TroubleTicket', description: 'no signal', severity: 'critical', ticketType: 'electionNetworkDisturbance',
    relatedEntity: [{ '@type': 'RelatedEntity', role: 'disturbance', entity: { '@type': 'EntityRef', id: 'made' } }], note: [{ '@type': 'Note', text: 'called in' }],
  }
  assert.equal((await face.call('indosat', 'POST', ticketAddress, body)).status, 404)
  assert.equal((await face.call('kpu', 'POST', ticketAddress, body)).status, 403)
  assert.equal((await face.call('komdigi', 'POST', ticketAddress, { ...body, relatedEntity: [] })).status, 400)
  const store = (state: object): Promise<unknown> => face.kit.database.transaction(system, (client) => client.query("UPDATE disturbance SET state = $1 WHERE id = 'made'", [JSON.stringify(state)]))
  await store({ ...row, stage: 'suspected', foundAt: null })
  const early = await face.call('komdigi', 'POST', ticketAddress, body)
  assert.deepEqual([early.status, early.body.code], [409, 'state_conflict'], 'what is only suspected is told to no operator')
  await store(row)
  const made = await face.call('komdigi', 'POST', ticketAddress, body)
  assert.deepEqual([made.status, made.headers['location'], made.body.note[0]?.text], [201, `${ticketAddress}/TT-made`, 'called in'])
  assert.equal((await face.call('komdigi', 'POST', ticketAddress, body)).status, 409)
})

test('listeners: own only, public or named, with a secret that is shown once', async () => {
  assert.equal((await face.call('telkomsel', 'POST', hubAddress, { '@type': 'Hub', callback: 'http://10.0.0.1/' })).status, 403)
  assert.equal((await face.call('komdigi', 'POST', hubAddress, { '@type': 'Hub', callback: 'http://127.0.0.1:9/' })).status, 403)
  const made = await face.call('telkomsel', 'POST', hubAddress, { '@type': 'Hub', callback: 'http://127.0.0.1:9/' })
  assert.equal(made.status, 201)
  assert.equal((await face.call('telkomsel', 'POST', hubAddress, { '@type': 'Hub', callback: 'https://noc.example.id/' })).status, 201)
  const address = String(made.headers['location'])
  const secret = (made.body as unknown as { secret: string }).secret
  assert.equal(secret, `whsec_${webhookSecret(Buffer.alloc(32, 7), address.split('/').at(-1) ?? '').toString('base64')}`)
  assert.ok(!JSON.stringify((await face.call('telkomsel', 'GET', address)).body).includes('whsec_'))
  assert.deepEqual([(await face.call('indosat', 'GET', address)).status, (await face.call('indosat', 'DELETE', address)).status], [404, 404])
  assert.deepEqual([(await face.call('telkomsel', 'DELETE', address)).status, (await face.call('telkomsel', 'GET', address)).status], [204, 404])
})

/** Runs simulated crews against the real interface until every ticket is closed; gives what they did. */
async function rehearse(run: string, count: number): Promise<{ actions: unknown[]; reopened: number }> {
  const api = await face.app.listen({ port: 0, host: '127.0.0.1' }).catch(() => face.app.listeningOrigin)
  face.now = faceStart
  const operator = createOperator({ api, organisation: 'xlsmart', key: 'xlsmart', seed: 7 })
  face.callers['xlsmart'] = { organisation: 'xlsmart', role: 'noc' }
  const causes = new Map(Array.from({ length: count }, (_, index) => {
    const one = faceCause(`${run}-${index}`, 'xlsmart', index % 4 === 3 ? 'power' : 'access')
    return [one.id, { ...one, stations: [`53010120010${index + 10}`] }]
  }))
  for (const one of causes.values()) await openTicket({ database: face.kit.database, clock: () => face.now }, system, one)
  const actions: unknown[] = []
  for (; face.now < faceStart + 90 * minute_ms; face.now += minute_ms / 2) {
    const faults = [...causes.values()].map((one) => ({ stations: one.stations, operator: one.cause === 'power' ? null : 'xlsmart', active: one.endedAt === null }))
    const tick = await operator.tick({ now: face.now, faults })
    actions.push(...tick.actions.map((action) => ({ ...action, ticket: action.ticket.replace(run, '') })))
    for (const repair of tick.repairs)
      for (const [id, one] of causes) if (one.endedAt === null && repair.stations.includes(one.stations[0] ?? '')) causes.set(id, { ...one, endedAt: face.now + 2 * minute_ms })
    await sweepTickets(face.kit.database, face.now, (id) => {
      const one = causes.get(id)
      return one === undefined ? null : { ...one, endedAt: one.endedAt !== null && one.endedAt <= face.now ? one.endedAt : null }
    })
  }
  const { body } = await face.call('xlsmart', 'GET', `${ticketAddress}?limit=500`)
  const mine = body.filter((ticket) => ticket.id.startsWith(`TT-${run}-`))
  assert.deepEqual([mine.length, new Set(mine.map((ticket) => ticket.status))], [count, new Set(['closed'])])
  const reopened = mine.filter((ticket) => Number(ticket.troubleTicketCharacteristic.find((row) => row.name === 'reopened')?.value) > 0).length
  return { actions, reopened }
}

test('crews of an operator close every ticket by real repairs, some after a refused claim, and replay from their seed', async () => {
  const first = await rehearse('crew', 16)
  const second = await rehearse('again', 16)
  assert.ok(first.reopened > 0, 'some crew said resolved before the repair, and was refused')
  assert.ok(first.reopened < 8)
  assert.ok(first.actions.some((action) => (action as { status: string }).status === 'pending'))
  assert.deepEqual(second, first)
})

test('the console gets the same clocks', async () => {
  face.now = faceStart
  const opened = await openTicket({ database: face.kit.database, clock: () => face.now }, system, faceCause('console'))
  assert.ok(opened.ok)
  const live = toLive(opened.value.ticket, face.now + 25 * minute_ms)
  assert.deepEqual(live.clocks.map((clock) => [clock.name, clock.state, clock.dueAt]), [
    ['restore', 'at_risk', '2029-02-14T02:30:00.000Z'], ['repair', 'running', '2029-02-14T06:00:00.000Z']])
  assert.equal(live.title, 'Gangguan jaringan akses: Semau, 2 TPS')
})
