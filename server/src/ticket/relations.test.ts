import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import type { LiveDisturbance } from '@kawal/contract/live.ts'
import { faceCause, faceStart, ticketAddress, withTicketFace, type TicketFace } from '@kawal/testkit/ticket-face.ts'
import { system } from '../adapters/postgres/database.ts'
import { readAsking } from './asks.ts'
import { createDesk } from './desk.ts'
import { relateFamilies } from './relations.ts'
import { causeOf, openTicket, sweepTickets } from './tickets.ts'

let face: TicketFace
before(async () => {
  face = await withTicketFace()
})
after(() => face.close())

const relation = (relationshipType: string, id?: string): object => ({ '@type': 'TroubleTicketRelationship', relationshipType, ...(id === undefined ? {} : { id }) })
const relate = (as: string, ticket: string, ...relations: object[]) => face.patch(as, ticket, { troubleTicketRelationship: relations })
const split = (as: string, ticket: string, disturbance: string) => face.patch(as, ticket, { troubleTicketRelationship: [relation('splitInto')], relatedEntity: [{ '@type': 'RelatedEntity', role: 'disturbance', entity: { '@type': 'EntityRef', id: disturbance } }], statusChangeReason: 'another mast' })
const related = (body: { troubleTicketRelationship: readonly { relationshipType: string; id: string }[] }): string[] => body.troubleTicketRelationship.map(({ relationshipType, id }) => `${relationshipType} ${id}`)
const read = async (id: string) => (await face.call('komdigi', 'GET', `${ticketAddress}/${id}`)).body
const covers = async (): Promise<Record<string, string>> => {
  const { rows } = await face.kit.database.transaction(system, (client) => client.query<{ disturbance_id: string; ticket_id: string }>('SELECT * FROM ticket_cover'))
  return Object.fromEntries(rows.map((row) => [row.disturbance_id, row.ticket_id]))
}
/** One pass over tickets, with these disturbances measured well and the rest still broken. */
const sweep = (well: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string[]> =>
  sweepTickets(face.kit.database, face.now, (id) => ({ ...faceCause(id), endedAt: well.includes(id) ? face.now : null, takenBack: more[id] ?? null }))

/** Puts a disturbance down as detection does. */
async function found(id: string, change: Partial<LiveDisturbance> = {}): Promise<LiveDisturbance> {
  const { startedAt: _, foundAt: __, endedAt: ___, ...cause } = faceCause(id)
  const at = new Date(faceStart).toISOString()
  const row = { ...cause, stage: 'confirmed', confidence: 0.9, latitude: null, longitude: null, startedAt: at, suspectedAt: at, foundAt: at, endedAt: null, parent: null, plannedWork: null, alarms: [], impact: null, ticketId: null, ...change } as unknown as LiveDisturbance
  await face.kit.database.transaction(system, (client) => client.query(
    `INSERT INTO disturbance (id, organisation_id, state, found_at, ended_at) VALUES ($1, 'telkomsel', $2, $3, $4) ON CONFLICT (id) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at`,
    [id, JSON.stringify(row), at, row.endedAt]))
  return row
}

test('a ticket is merged into another: it is cancelled, the other covers both, and closes when both are measured well', async () => {
  const [a, b] = [await face.open('m-a'), await face.open('m-b')]
  assert.equal((await relate('telkomsel', a, relation('mergedInto', b))).status, 403, 'the centre alone')
  assert.equal((await relate('bawaslu', a, relation('mergedInto', b))).status, 403)
  assert.equal((await relate('indosat', a, relation('mergedInto', b))).status, 404)
  assert.equal((await relate('komdigi', a, relation('mergedInto', await face.open('m-other', 'indosat')))).body.code, 'state_conflict', 'of one operator')
  assert.equal((await relate('komdigi', a, relation('mergedInto', 'TT-none'))).status, 404)
  assert.equal((await relate('komdigi', a, relation('merged', b))).status, 400, 'the other side is written by itself')
  assert.equal((await face.patch('komdigi', a, { troubleTicketRelationship: [relation('mergedInto', b)], note: [{ '@type': 'Note', text: 'x' }] })).status, 400, 'and nothing else')
  assert.deepEqual(await covers().then((all) => [all['m-a'], all['m-b']]), [a, b], 'nothing of what was refused was done')
  const merged = await relate('komdigi', a, relation('mergedInto', b))
  assert.deepEqual([merged.status, merged.body.status, merged.body.statusChangeReason, related(merged.body)], [200, 'cancelled', `merged ${b}`, [`mergedInto ${b}`]])
  const both = await read(b)
  assert.deepEqual([related(both), both.relatedEntity.filter(({ role }) => role === 'disturbance').map(({ entity }) => entity.id)], [[`merged ${a}`], ['m-b', 'm-a']])
  assert.match(both.troubleTicketRelationship[0]?.name ?? '', /Semau/)
  assert.deepEqual(await covers().then((all) => [all['m-a'], all['m-b']]), [b, b])
  assert.ok(face.changed.includes(a) && face.changed.includes(b))
  // A person cannot open a second one for what is covered.
  await found('m-a')
  const again = await face.call('komdigi', 'POST', ticketAddress, { '@type': 'TroubleTicket', description: 'x', severity: 'critical', ticketType: 'x', relatedEntity: [{ '@type': 'RelatedEntity', role: 'disturbance', entity: { '@type': 'EntityRef', id: 'm-a' } }] })
  assert.deepEqual([again.status, again.body.detail], [409, `This disturbance has the ticket ${b} already.`])
  await face.patch('telkomsel', b, { status: 'acknowledged' })
  await face.patch('telkomsel', b, { status: 'resolved' })
  assert.equal((await relate('komdigi', b, relation('mergedInto', await face.open('m-c')))).body.code, 'state_conflict', 'what is said to be over is measured first')
  await sweep(['m-b'])
  assert.equal((await read(b)).status, 'resolved', 'one of two is well')
  face.now += 6 * minute_ms
  await sweep(['m-b'])
  const reopened = await read(b)
  assert.equal(reopened.status, 'inProgress')
  await face.patch('telkomsel', b, { status: 'resolved' })
  await sweep(['m-b', 'm-a'])
  assert.equal((await read(b)).status, 'closed')
})

test('of two disturbances in one ticket one that nobody measures keeps it open and is asked for; a broken one opens it again', async () => {
  face.now = faceStart
  const [a, b] = [await face.open('v-a'), await face.open('v-b')]
  await relate('komdigi', a, relation('mergedInto', b))
  await face.patch('telkomsel', b, { status: 'acknowledged' })
  await face.patch('telkomsel', b, { status: 'resolved' })
  const stations = { 'v-a': '5371001001001', 'v-b': '5371001001002' } as Readonly<Record<string, string>>
  /** Minutes pass, then it is measured: `v-b` is over, and of `v-a` these are counted. */
  const look = async (minutes: number, counts: Readonly<Record<'good' | 'bad' | 'silent', number>>): Promise<void> => {
    face.now += minutes * minute_ms
    await sweepTickets(face.kit.database, face.now, (id) => ({ ...faceCause(id), endedAt: id === 'v-b' ? faceStart : null }), { measure: (id) => [{ station: stations[id] ?? '', ...counts }] })
  }
  const verification = async () => (await read(b)).troubleTicketCharacteristic.find(({ name }) => name === 'verification')?.value as { state: string; disturbances: string[]; broken: { station: string }[] }
  const asking = () => readAsking(face.kit.database, (id) => ({ stations: [stations[id] ?? id], operator: 'telkomsel' }))
  const nobody = { good: 0, bad: 0, silent: 0 }
  for (const [minutes, state] of [[6, 'asked'], [11, 'unverified'], [600, 'unverified']] as const) {
    await look(minutes, nobody)
    assert.deepEqual([(await read(b)).status, (await verification()).state, (await verification()).disturbances], ['resolved', state, ['v-a']])
    assert.deepEqual((await asking()).filter(({ ticket }) => ticket === b), [{ ticket: b, stations: ['5371001001001'], operator: 'telkomsel' }], 'what is well is asked of nobody')
  }
  await look(1, { good: 0, bad: 2, silent: 3 })
  assert.deepEqual([(await read(b)).status, (await verification()).state, (await verification()).broken.map(({ station }) => station)], ['inProgress', 'refused', ['5371001001001']])
  await face.patch('telkomsel', b, { status: 'resolved' })
  await sweep(['v-a', 'v-b'])
  assert.deepEqual([(await read(b)).status, (await verification()).state], ['closed', 'verified'])
})

test('a split gives the disturbance a ticket of its own again; each is measured by itself', async () => {
  face.now = faceStart
  const [a, b] = [await face.open('s-a'), await face.open('s-b')]
  assert.equal((await relate('komdigi', a, relation('mergedInto', b))).status, 200)
  assert.equal((await split('telkomsel', b, 's-a')).status, 403)
  assert.deepEqual([(await split('komdigi', b, 's-b')).status, (await split('komdigi', b, 's-z')).status, (await relate('komdigi', b, relation('splitInto'))).status], [409, 409, 400])
  await found('s-a')
  const left = await split('komdigi', b, 's-a')
  assert.deepEqual([left.status, related(left.body)], [200, [`merged ${a}`, 'splitInto TT-s-a-2']])
  const own = await read('TT-s-a-2')
  assert.deepEqual([own.status, own.name, related(own)], ['acknowledged', 'Gangguan jaringan akses: Semau, 2 TPS', [`splitFrom ${b}`]])
  assert.deepEqual(await covers().then((all) => [all['s-a'], all['s-b']]), ['TT-s-a-2', b])
  face.now += 20 * minute_ms
  await sweep(['s-b'])
  face.now += 20 * minute_ms
  await sweep(['s-b'])
  assert.deepEqual([(await read(b)).status, (await read('TT-s-a-2')).status], ['closed', 'acknowledged'])
})

test('what was measured before a merge or a split is looked at after it, though nothing new is measured', async () => {
  face.now = faceStart
  const [a, b] = [await face.open('n-a'), await face.open('n-b')]
  const look = (): Promise<string[]> => sweepTickets(face.kit.database, face.now, (id) => ({ ...faceCause(id), endedAt: face.now }), { news: new Set() })
  assert.deepEqual(await look(), [])
  assert.equal((await relate('komdigi', a, relation('mergedInto', b))).status, 200)
  assert.deepEqual([await look(), await look()], [[b], []])
  assert.equal((await split('komdigi', b, 'n-a')).status, 200)
  assert.deepEqual([await look(), await look()], [['TT-n-a-2'], []])
})

test('of eight merges at once each disturbance ends in exactly one ticket', async () => {
  face.now = faceStart
  const ids = await Promise.all(['x-0', 'x-1', 'x-2', 'x-3'].map((id) => face.open(id)))
  const pairs = [[0, 1], [1, 2], [2, 3], [3, 0], [1, 0], [2, 1], [3, 2], [0, 3]] as const
  const answers = await Promise.all(pairs.map(([from, to]) => face.app.inject({ method: 'PATCH', url: `${ticketAddress}/${ids[from]}`, headers: { authorization: 'Bearer komdigi', 'content-type': 'application/merge-patch+json' }, payload: JSON.stringify({ '@type': 'TroubleTicket', troubleTicketRelationship: [relation('mergedInto', ids[to])] }) })))
  assert.ok(answers.every(({ statusCode }) => statusCode === 200 || statusCode === 409 || statusCode === 412), answers.map(({ statusCode, body }) => `${statusCode} ${body.slice(0, 200)}`).join('\n'))
  const { rows } = await face.kit.database.transaction(system, (client) => client.query<{ id: string; status: string; covers: string[] }>(`SELECT id, status, ARRAY(SELECT disturbance_id FROM ticket_cover WHERE ticket_id = ticket.id ORDER BY 1) AS covers FROM ticket WHERE id LIKE 'TT-x-%' ORDER BY id`))
  const open = rows.filter(({ status }) => status !== 'cancelled')
  assert.ok(open.length >= 1)
  assert.deepEqual(open.flatMap((row) => row.covers).toSorted(), ['x-0', 'x-1', 'x-2', 'x-3'])
  assert.deepEqual(rows.filter(({ status }) => status === 'cancelled').flatMap((row) => row.covers), [])
})

test('what measurement takes back leaves the others covered, and the ticket open', async () => {
  face.now = faceStart
  const [a, b] = [await face.open('t-a'), await face.open('t-b')]
  await relate('komdigi', a, relation('mergedInto', b))
  await sweep([], { 't-b': 'retracted' })
  const rest = await read(b)
  assert.deepEqual([rest.status, rest.relatedEntity[0]?.entity.id, await covers().then((all) => [all['t-a'], all['t-b']])], ['acknowledged', 't-a', [b, undefined]])
  await sweep([], { 't-a': 'merged older', 't-b': 'retracted' })
  assert.deepEqual([(await read(b)).status, await covers().then((all) => all['t-a'])], ['cancelled', undefined])
})

test('tickets are linked as parent and child, on both sides; of another operator the title is not told', async () => {
  face.now = faceStart
  const [power, mast, other] = [await face.open('l-a'), await face.open('l-b'), await face.open('l-c', 'indosat')]
  assert.equal((await relate('telkomsel', mast, relation('parent', power))).status, 403)
  const child = await relate('komdigi', mast, relation('parent', power))
  assert.deepEqual([child.status, related(child.body), related(await read(power))], [200, [`parent ${power}`], [`child ${mast}`]])
  const both = await relate('komdigi', power, relation('child', mast), relation('child', other))
  assert.deepEqual([both.status, related(both.body), both.body.troubleTicketRelationship.map(({ name }) => name !== undefined)], [200, [`child ${mast}`, `child ${other}`], [true, false]])
  assert.equal((await relate('komdigi', power, relation('parent', mast))).body.code, 'state_conflict')
  assert.equal((await relate('komdigi', power, relation('child', mast))).status, 200, 'what is there is left alone')
})

test('what detection says of disturbances is told on their tickets: merged, split, held; once', async () => {
  face.now = faceStart
  const tickets = { database: face.kit.database, clock: () => face.now }
  for (const id of ['f-old', 'f-young', 'f-whole', 'f-part', 'f-wide', 'f-held', 'f-late']) await found(id)
  for (const id of ['f-old', 'f-young', 'f-whole', 'f-part', 'f-wide', 'f-held']) assert.ok((await openTicket(tickets, system, causeOf(await found(id)))).ok)
  await found('f-young', { stage: 'ended', endedAt: new Date(faceStart).toISOString(), parent: 'f-old' })
  await found('f-held', { parent: 'f-wide' })
  await face.kit.database.transaction(system, (client) => client.query(
    `INSERT INTO disturbance_turn VALUES ('f-part', 1, 'telkomsel', now(), 'split', '{"other": "f-whole"}'), ('f-whole', 7, 'telkomsel', now(), 'split', '{"other": "f-part"}')`))
  assert.deepEqual(await relateFamilies(face.kit.database, face.now, new Set()), [])
  const changed = await relateFamilies(face.kit.database, face.now, new Set(['f-old', 'f-part', 'f-held']))
  assert.deepEqual(changed.toSorted(), ['TT-f-held', 'TT-f-old', 'TT-f-part', 'TT-f-whole', 'TT-f-wide', 'TT-f-young'])
  const of = async (id: string): Promise<string[]> => related(await read(`TT-${id}`))
  assert.deepEqual([await of('f-young'), await of('f-old')], [['mergedInto TT-f-old'], ['merged TT-f-young']])
  assert.deepEqual([await of('f-part'), await of('f-whole')], [['splitFrom TT-f-whole'], ['splitInto TT-f-part']])
  assert.deepEqual([await of('f-held'), await of('f-wide')], [['parent TT-f-wide'], ['child TT-f-held']])
  assert.deepEqual(await relateFamilies(face.kit.database, face.now, null), [], 'once')
  // What opens later than its family is told too, by the desk's next pass.
  await found('f-late', { parent: 'f-wide' })
  const desk = createDesk({ ...tickets, resultsDueAt: () => null, changed: (id) => void face.changed.push(id), measure: () => null, whoCanLook: (_, stations) => ({ stations, operator: null }) })
  const rows = new Map<string, LiveDisturbance>()
  await desk.sweep(face.now, (id) => rows.get(id))
  await desk.open(system, await found('f-late', { parent: 'f-wide' }), 'telkomsel')
  await desk.sweep(face.now, (id) => rows.get(id))
  assert.deepEqual(await of('f-late'), ['parent TT-f-wide'])
})
