import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { Live } from '@kawal/contract/live.ts'
import type { OfficerProblem } from '@kawal/contract/sigmon.ts'
import type { TroubleTicket } from '@kawal/contract/ticket.ts'
import { hour_ms } from '@kawal/core/kernel/clock.ts'
import { planned, seedPlan } from '@kawal/testkit/plan.ts'
import { withServer, type Answer, type Asked, type TestServer } from '@kawal/testkit/server.ts'
import { deviceToken, enrol } from '../measurement/enrolment.ts'
import { ticketPath } from '../ticket/tmf621.ts'

const start = Date.parse('2027-02-14T03:00:00Z')
let now = start
let server: TestServer
let owner: pg.Client
const far = planned.stations[3] ?? ''
const elsewhere = planned.stations[6] ?? ''

before(async () => {
  server = await withServer(() => now, async (kit) => {
    owner = new pg.Client({ connectionString: kit.ownerUrl })
    await owner.connect()
    await owner.query(`INSERT INTO organisation (id, kind, name, area_code) VALUES
      ('dinas', 'helpdesk', 'Dinas Kominfo Gorontalo', '75'), ('dinas-paguyaman', 'helpdesk', 'Kecamatan Paguyaman', '750101'), ('tanpa-wilayah', 'helpdesk', 'Tanpa wilayah', NULL), ('titik', 'bakti', 'Pengelola titik', NULL)`)
    await seedPlan(kit.ownerUrl)
    await owner.query("INSERT INTO access_point (id, kind, name, source, organisation_id, valid_from) VALUES ('X-1', 'ai', 'Not BAKTI', 'test', 'titik', '2024-01-01')")
  })
})
after(async () => {
  await owner.end()
  await server.close()
})

type Refused = OfficerProblem & { code: string; detail: string }
async function phone(station: string) {
  const device = await enrol(server.app.database, station, now)
  assert.ok(device !== null)
  const as = { token: deviceToken(server.app.secret, device) }
  return {
    key: device.key,
    report: (fields: object = {}): Promise<Answer<Refused>> =>
      server.call<Refused>(as, 'POST', '/v1/problems', { id: randomUUID(), kind: 'signal', text: 'tidak ada sinyal', accessPoint: null, givenAt: new Date(now - 60_000).toISOString(), ...fields }),
    word: (id: string, word: string): Promise<Answer<Refused>> => server.call<Refused>(as, 'POST', `/v1/problems/${id}/word`, { word }),
    mine: async (): Promise<OfficerProblem[]> => (await server.call<OfficerProblem[]>(as, 'GET', '/v1/problems')).body,
  }
}
const patch = (as: Asked, ticket: string, fields: object): Promise<Answer<TroubleTicket & { code: string; detail: string }>> => server.call(as, 'PATCH', `${ticketPath}/${ticket}`, { '@type': 'TroubleTicket', ...fields })
const read = (as: Asked, ticket: string): Promise<Answer<TroubleTicket>> => server.call<TroubleTicket>(as, 'GET', `${ticketPath}/${ticket}`)
const party = (id: string): object => ({ relatedParty: [{ '@type': 'RelatedPartyRefOrPartyRoleRef', role: 'operator', partyOrPartyRole: { '@type': 'PartyRef', id } }] })

test('a whole life: reported, answered, called resolved, still there, resolved again, fixed', async () => {
  const officer = await phone(elsewhere)
  const { status, body: given } = await officer.report({ text: 'tak ada sinyal\ndi balai desa' })
  assert.deepEqual([status, given.status, given.with, given.answer, given.kind, given.text], [201, 'submitted', 'Dinas Kominfo Gorontalo', null, 'signal', 'tak ada sinyal\ndi balai desa'])
  assert.match(given.ticket, /^LP-[0-9]{6}$/)

  const seen = (await read('dinas', given.ticket)).body
  assert.deepEqual([seen.ticketType, seen.severity, seen.status, seen.description, seen.requestedResolutionDate], ['officerProblem', 'minor', 'acknowledged', 'tak ada sinyal\ndi balai desa', undefined])
  assert.deepEqual(seen.relatedEntity.map((each) => [each.role, each.entity['@referredType'], each.entity.id, each.entity.name]), [['place', 'PollingStation', elsewhere, 'Piloliyanga, Tilamuta']])
  assert.equal(seen.name, `Laporan petugas (sinyal): TPS ${elsewhere}, Piloliyanga, Tilamuta`)

  now += hour_ms
  assert.equal((await officer.word(given.id, 'fixed')).body.code, 'state_conflict', 'nobody has said resolved')
  await patch('dinas', given.ticket, { status: 'inProgress', note: [{ '@type': 'Note', text: 'Tim berangkat.' }] })
  assert.deepEqual((await officer.mine()).map((row) => [row.ticket, row.status, row.answer]), [[given.ticket, 'inProgress', 'Tim berangkat.']])
  assert.match((await patch('dinas', given.ticket, { status: 'closed' })).body.detail, /officer's word/)
  await patch('dinas', given.ticket, { status: 'resolved', statusChangeReason: 'Antena diarahkan.' })
  now += hour_ms
  assert.deepEqual((({ status: of, answer }) => [of, answer])((await officer.mine())[0] as OfficerProblem), ['resolved', 'Antena diarahkan.'])

  assert.equal((await officer.word(given.id, 'still')).body.status, 'inProgress')
  assert.equal((await officer.word(given.id, 'still')).status, 200, 'heard twice, it is one word')
  await patch('dinas', given.ticket, { status: 'inProgress' })
  await patch('dinas', given.ticket, { status: 'resolved' })
  now += hour_ms
  assert.equal((await officer.word(given.id.toUpperCase(), 'fixed')).body.status, 'closed')
  assert.equal((await officer.word(given.id, 'fixed')).status, 200)
  assert.equal((await officer.word(given.id, 'still')).body.code, 'state_conflict')
  const closed = (await read('dinas', given.ticket)).body
  assert.deepEqual(closed.statusChangeHistory.map((each) => each.status), ['acknowledged', 'acknowledged', 'inProgress', 'resolved', 'inProgress', 'inProgress', 'resolved', 'closed'])
  assert.ok(!JSON.stringify(closed).includes('device'), 'nothing of the phone')
})

test('who gets it: the point\'s owner, KPU, the nearest helpdesk, else the monitoring centre', async () => {
  const [in_paguyaman, in_tilamuta] = [await phone(far), await phone(elsewhere)]
  const to = async (fields: object, officer = in_paguyaman): Promise<string> => (await officer.report(fields)).body.with
  assert.equal(await to({ kind: 'access_point', accessPoint: 'X-1' }), 'Pengelola titik')
  assert.equal(await to({ kind: 'access_point', accessPoint: 'AI-1' }), 'BAKTI')
  assert.equal(await to({ kind: 'access_point', accessPoint: 'nowhere' }), 'BAKTI')
  assert.equal(await to({ kind: 'access_point' }), 'BAKTI')
  assert.equal(await to({ kind: 'election_server' }), 'Komisi Pemilihan Umum')
  for (const kind of ['signal', 'app', 'position', 'other']) assert.equal(await to({ kind }), 'Kecamatan Paguyaman', kind)
  assert.equal(await to({}, in_tilamuta), 'Dinas Kominfo Gorontalo')
  await owner.query("UPDATE organisation SET area_code = NULL WHERE kind = 'helpdesk'")
  assert.match(await to({}, in_tilamuta), /PMT/)
  await owner.query("UPDATE organisation SET area_code = CASE id WHEN 'dinas' THEN '75' WHEN 'dinas-paguyaman' THEN '750101' END WHERE kind = 'helpdesk'")
})

test('sent again it is one problem, from two sides at once too; another phone cannot take its id', async () => {
  const [officer, other] = [await phone(elsewhere), await phone(elsewhere)]
  const id = randomUUID()
  const answers = await Promise.all(Array.from({ length: 8 }, () => officer.report({ id })))
  assert.deepEqual([answers.filter((each) => each.status === 201).length, answers.filter((each) => each.status === 200).length, new Set(answers.map((each) => each.body.ticket)).size], [1, 7, 1])
  assert.deepEqual((await officer.mine()).map((row) => row.id), [id])
  assert.deepEqual([(await other.report({ id })).body.code, await other.mine()], ['state_conflict', []])
  const strangerFirst = randomUUID()
  const both = await Promise.all([officer.report({ id: strangerFirst }), other.report({ id: strangerFirst })])
  assert.deepEqual(both.map((each) => each.status).sort(), [201, 409])
})

test('walls: an operator and another helpdesk see nothing, nor another phone; who may read all does', async () => {
  const [officer, other] = [await phone(elsewhere), await phone(elsewhere)]
  const { body: given } = await officer.report()
  for (const as of ['telkomsel', 'kpu', 'bakti', 'apjii'] as const) {
    assert.equal((await read(as, given.ticket)).status, 404, as)
    assert.equal((await patch(as, given.ticket, { note: [{ '@type': 'Note', text: 'x' }] })).status, 404, as)
  }
  for (const as of ['komdigi', 'bawaslu', 'dinas'] as const) assert.equal((await read(as, given.ticket)).status, 200, as)
  assert.equal((await patch('bawaslu', given.ticket, { note: [{ '@type': 'Note', text: 'x' }] })).status, 403)
  assert.deepEqual([(await other.word(given.id, 'fixed')).status, await other.mine()], [404, []])
  assert.equal((await server.call({ token: 'no.1.7501' }, 'GET', '/v1/problems')).status, 401)
  assert.equal((await server.call('komdigi', 'GET', '/v1/problems')).status, 401, 'the list is a phone\'s')
})

test('the monitoring centre transfers it, and nobody else does', async () => {
  const officer = await phone(elsewhere)
  const { body: given } = await officer.report()
  assert.equal((await patch('dinas', given.ticket, party('telkomsel'))).status, 403)
  assert.equal((await patch('komdigi', given.ticket, party('nobody'))).body.code, 'state_conflict')
  assert.equal((await patch('komdigi', given.ticket, party('telkomsel'))).status, 200)
  assert.deepEqual([(await read('telkomsel', given.ticket)).status, (await read('dinas', given.ticket)).status], [200, 404])
  assert.deepEqual((await officer.mine()).map((row) => [row.with, row.status]), [['Telkomsel', 'submitted']])
  assert.equal((await patch('telkomsel', given.ticket, { status: 'inProgress', ...party('telkomsel') })).body.status, 'inProgress')
})

test('resolved and no word for 48 hours: the sweep closes it, not before; the console is told nothing of clocks', async () => {
  const officer = await phone(elsewhere)
  const { body: given } = await officer.report()
  await patch('dinas', given.ticket, { status: 'inProgress' })
  await patch('dinas', given.ticket, { status: 'resolved' })
  now += 48 * hour_ms - 1
  await server.app.tick(now)
  assert.equal((await officer.mine())[0]?.status, 'resolved')
  const live = (await server.call<Live>('dinas', 'GET', '/v1/snapshot')).body.tickets.find((ticket) => ticket.id === given.ticket)
  assert.deepEqual([live?.disturbanceId, live?.clocks, live?.stationCount, live?.problem], [null, [], 1, { kind: 'signal', text: 'tidak ada sinyal', station: elsewhere, areaName: 'Piloliyanga, Tilamuta' }])
  now += 1
  await server.app.tick(now)
  assert.equal((await officer.mine())[0]?.status, 'closed')
})

test('ten a day and phone, counted by the day in Jakarta; what was sent before is still answered', async () => {
  now = Date.parse('2027-02-20T16:59:00Z')
  const officer = await phone(elsewhere)
  const first = randomUUID()
  assert.equal((await officer.report({ id: first })).status, 201)
  for (let i = 1; i < 10; i++) assert.equal((await officer.report()).status, 201)
  const over = await officer.report()
  assert.deepEqual([over.status, over.body.code], [409, 'too_many_problems'])
  assert.match(over.body.detail, /10 problems today/)
  assert.deepEqual([(await officer.report({ id: first })).status, (await (await phone(elsewhere)).report()).status], [200, 201])
  now += 60_000
  assert.equal((await officer.report()).status, 201, 'a new day in WIB')
})

test('text is kept as given but for what no keyboard makes; what has no form is refused', async () => {
  const officer = await phone(elsewhere)
  const text = ' <b>"TPS"</b>; DROP\u0000\u0007 \u202eterbalik\u2069 \ud800 \u{1f4f5}\r\nbaris 2 '
  const { body } = await officer.report({ kind: 'other', text })
  assert.equal(body.text, ' <b>"TPS"</b>; DROP terbalik \ufffd \u{1f4f5}\nbaris 2 ')
  for (const fields of [{ id: 'x' }, { kind: 'weather' }, { text: 'x'.repeat(501) }, { text: 1 }, { givenAt: 'now' }, { givenAt: '2027-02-14T23:59:60Z' }, { device: 'a' }, { accessPoint: 'x'.repeat(65) }])
    assert.equal((await officer.report(fields)).body.code, 'body_invalid', JSON.stringify(fields))
  assert.equal((await officer.report({ kind: 'access_point', accessPoint: 'AI\u0000-1' })).body.with, 'BAKTI')
  assert.equal((await officer.word(body.id, 'perhaps')).body.code, 'body_invalid')
  assert.equal((await officer.word('not-an-id', 'fixed')).body.code, 'not_found')
})
