import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { hour_ms } from '@kawal/core/kernel/clock.ts'
import { faceStart, hubAddress, ticketAddress, withTicketFace, type TicketFace } from '@kawal/testkit/ticket-face.ts'
import { system } from '../adapters/postgres/database.ts'
import { hubFilter } from './hub-query.ts'

let face: TicketFace
before(async () => {
  face = await withTicketFace()
})
after(() => face.close())

async function listen(query?: string, as = 'telkomsel'): Promise<string> {
  const { status, body } = await face.call(as, 'POST', hubAddress, { '@type': 'Hub', callback: 'http://127.0.0.1:9/', ...(query === undefined ? {} : { query }) })
  assert.equal(status, 201, body.detail)
  return body.id
}
interface Body { readonly eventType: string; readonly eventId: string; readonly event: { readonly troubleTicket: Record<string, unknown>; readonly informationRequired?: object } }
async function heard(hub: string): Promise<Body[]> {
  const { rows } = await face.kit.database.transaction(system, (client) => client.query<{ body: Body }>('SELECT body FROM hub_delivery WHERE hub_id = $1 ORDER BY id', [hub]))
  return rows.map(({ body }) => body)
}
const types = async (hub: string): Promise<string[]> => (await heard(hub)).map(({ eventType }) => eventType.replace(/TroubleTicket|Event/g, ''))
const ask = async (): Promise<string> => (await face.call('telkomsel', 'POST', ticketAddress, { '@type': 'TroubleTicket', description: 'a list', severity: 'High', ticketType: 'data' })).body.id

test('every kind of event of the standard: of a request the centre asks back, and who asked withdraws it', async () => {
  const hub = await listen()
  const id = await ask()
  await face.patch('komdigi', id, { status: 'inProgress' })
  await face.patch('komdigi', id, { status: 'pending', statusChangeReason: 'which stations?' })
  await face.patch('telkomsel', id, { note: [{ '@type': 'Note', text: '5301012001' }] })
  await face.patch('komdigi', id, { status: 'resolved' })
  await face.patch('telkomsel', id, { status: 'closed' })
  assert.deepEqual(await types(hub), ['Create', 'StatusChange', 'StatusChange', 'InformationRequired', 'AttributeValueChange', 'StatusChange', 'InformationRequired', 'Resolved'])
  const asked = (await heard(hub)).filter(({ event }) => event.informationRequired !== undefined)
  assert.deepEqual(asked.map(({ event }) => event.informationRequired), [{ op: 'add', path: '/note' }, { op: 'replace', path: '/status' }])
  assert.equal(new Set((await heard(hub)).map(({ eventId }) => eventId)).size, 8, 'each is told from the others by its eventId')
})

test('a request is withdrawn by who asked: cancelled, kept, and told as deleted; of nothing else', async () => {
  const hub = await listen('eventType=TroubleTicketDeleteEvent')
  const id = await ask()
  const other = await ask()
  assert.equal((await face.call('indosat', 'DELETE', `${ticketAddress}/${id}`)).status, 404)
  assert.equal((await face.call('komdigi', 'DELETE', `${ticketAddress}/${id}`)).status, 403)
  assert.equal((await face.call('telkomsel', 'DELETE', `${ticketAddress}/${id}`, undefined, { 'if-match': '"9"' })).status, 412)
  assert.equal((await face.call('telkomsel', 'DELETE', `${ticketAddress}/${id}`)).status, 204)
  assert.equal((await face.call('telkomsel', 'DELETE', `${ticketAddress}/${id}`)).status, 409)
  assert.equal((await face.call('telkomsel', 'GET', `${ticketAddress}/${id}`)).body.status, 'cancelled', 'it stays on record')
  const refused = await face.call('telkomsel', 'DELETE', `${ticketAddress}/${await face.open('kept')}`)
  assert.deepEqual([refused.status, refused.body.code], [405, 'not_offered'])
  assert.equal((await face.call('telkomsel', 'GET', `${ticketAddress}/${other}`)).body.status, 'acknowledged')
  assert.deepEqual((await heard(hub)).map(({ event }) => event.troubleTicket), [{ '@type': 'TroubleTicketRef', id, href: `${ticketAddress}/${id}`, name: 'Permintaan Telkomsel: data' }])
})

test('a listener hears what its query asks for: several kinds, and fields of the ticket', async () => {
  const hubs = {
    two: await listen('eventType=TroubleTicketCreateEvent,TroubleTicketStatusChangeEvent'), again: await listen('eventType=TroubleTicketCreateEvent&eventType=TroubleTicketResolvedEvent'),
    pending: await listen('event.troubleTicket.status=pending'), both: await listen('eventType=TroubleTicketStatusChangeEvent&event.troubleTicket.severity=critical&event.troubleTicket.status=acknowledged,pending'),
    minor: await listen('event.troubleTicket.severity=minor'), all: await listen(''),
  }
  const id = await face.open('heard')
  await face.patch('telkomsel', id, { status: 'acknowledged' })
  await face.patch('telkomsel', id, { status: 'pending', statusChangeReason: 'rain' })
  await face.patch('telkomsel', id, { note: [{ '@type': 'Note', text: 'still' }] })
  const all = Object.fromEntries(await Promise.all(Object.entries(hubs).map(async ([name, hub]) => [name, await types(hub)])))
  assert.deepEqual(all, {
    two: ['Create', 'StatusChange', 'StatusChange'], again: ['Create'], pending: ['StatusChange', 'AttributeValueChange'], both: ['StatusChange', 'StatusChange'], minor: [],
    all: ['Create', 'StatusChange', 'StatusChange', 'AttributeValueChange'],
  })
  for (const query of ['eventType=Everything', 'colour=red', 'event.troubleTicket.note=x', `event.troubleTicket.id=${'a,'.repeat(51)}`]) assert.equal((await face.call('indosat', 'POST', hubAddress, { '@type': 'Hub', callback: 'http://127.0.0.1:9/', query })).status, 400, query)
  assert.deepEqual([hubFilter(null), hubFilter(''), hubFilter('?eventType=TroubleTicketDeleteEvent')], [null, null, { eventType: ['TroubleTicketDeleteEvent'] }])
})

test('lists: filters on instants, priority, numbers and what a ticket is about; sorted; pages with links; fields one level deep', async () => {
  face.now = faceStart + hour_ms
  for (const id of ['q-a', 'q-b', 'q-c']) {
    face.now += 1_000
    await face.open(id, 'indosat')
  }
  await face.patch('indosat', 'TT-q-a', { status: 'acknowledged', note: [{ '@type': 'Note', text: 'seen' }] })
  const asked = (await face.call('indosat', 'POST', ticketAddress, { '@type': 'TroubleTicket', description: 'x', severity: 'High, and soon', ticketType: 'data', externalIdentifier: [{ '@type': 'ExternalIdentifier', id: 'INC-7' }] })).body.id
  const found = async (query: string): Promise<string[]> => {
    const { status, body } = await face.call('indosat', 'GET', `${ticketAddress}?${query}`)
    assert.equal(status, 200, `${query}: ${body.detail}`)
    return body.map(({ id }) => id.replace('TT-', ''))
  }
  const at = (seconds: number): string => new Date(faceStart + hour_ms + seconds * 1_000).toISOString()
  assert.deepEqual(await found('priority=high'), ['q-c', 'q-b', 'q-a'])
  assert.deepEqual(await found('priority=medium'), [asked])
  assert.deepEqual(await found(`creationDate.gt=${at(1)}&creationDate.lte=${at(2)}`), ['q-b'])
  assert.deepEqual([await found(`creationDate=${at(1)}`), await found(`creationDate.lt=${at(1)}`)], [['q-a'], []])
  assert.deepEqual(await found(`lastUpdate.gte=${at(3)}&sort=creationDate`), ['q-a', asked, 'q-c'])
  assert.deepEqual(await found(`statusChangeDate.gte=${at(3)}&ticketType=electionNetworkDisturbance`), ['q-c', 'q-a'])
  assert.deepEqual([await found('externalIdentifier.id=INC-7'), await found('externalIdentifier.id=INC-8')], [[asked], []])
  assert.deepEqual([await found('relatedEntity.id=q-b'), await found('relatedEntity.entity.id=530101&limit=1'), await found('relatedEntity.id=9')], [['q-b'], ['q-c'], []])
  assert.deepEqual(await found(`severity=${encodeURIComponent('High, and soon')}`), [asked])
  assert.deepEqual([await found('sort=-creationDate&limit=2'), await found('sort=creationDate&limit=2')], [[asked, 'q-c'], ['q-a', 'q-b']])
  for (const query of ['sort=name', 'creationDate.near=x', 'creationDate.gte=yesterday', 'creationDate.gte.lt=x', 'name=x']) assert.equal((await face.call('indosat', 'GET', `${ticketAddress}?${query}`)).status, 400, query)
  const links = String((await face.call('indosat', 'GET', `${ticketAddress}?limit=1&offset=1&relatedParty.id=indosat&fields=name`)).headers['link'])
  assert.deepEqual(links.split(', ').map((link) => /^<[^?]*\?(.*)>; rel="(\w+)"$/.exec(link)?.slice(1)).map(([query = '', rel] = []) => [rel, new URLSearchParams(query).get('offset'), new URLSearchParams(query).get('relatedParty.id'), new URLSearchParams(query).get('fields')]),
    [['first', '0', 'indosat', 'name'], ['prev', '0', 'indosat', 'name'], ['next', '2', 'indosat', 'name'], ['last', '3', 'indosat', 'name']])
  const next = /<([^>]*)>; rel="next"/.exec(links)?.[1] ?? ''
  assert.equal((await face.call('indosat', 'GET', next)).body.length, 1, 'a link leads on')
  const end = String((await face.call('indosat', 'GET', `${ticketAddress}?limit=2&offset=2`)).headers['link'])
  assert.ok(!end.includes('"next"') && end.includes('"prev"'))
  const [part] = (await face.call('indosat', 'GET', `${ticketAddress}?id=TT-q-a&fields=note.text,status,relatedParty.role`)).body
  assert.deepEqual([Object.keys(part ?? {}).toSorted(), part?.note.map((note) => Object.keys(note).toSorted()), part?.relatedParty[0]], [['@type', 'href', 'id', 'note', 'relatedParty', 'status'], [['@type', 'id', 'text']], { '@type': 'RelatedPartyRefOrPartyRoleRef', role: 'operator' }])
})
