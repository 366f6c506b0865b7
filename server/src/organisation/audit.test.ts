import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import pg from 'pg'
import type { AuditRow, AuditRows } from '@kawal/contract/audit.ts'
import type { ContactRow } from '@kawal/contract/contact.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { contactOf } from '@kawal/testkit/contacts.ts'
import { planned, seedPlan } from '@kawal/testkit/plan.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { system } from '../adapters/postgres/database.ts'
import { deviceToken, enrol, stationCode } from '../measurement/enrolment.ts'
import { linkToken } from '../ticket/link.ts'
import { openTicket } from '../ticket/tickets.ts'
import { addApiKey, addStaff, loginToken } from './sessions.ts'

const start = Date.UTC(2029, 1, 14, 2)
const piket = { name: 'Piket NOC', level: 1, email: 'noc@telkomsel.example', phone: '08110000001' }
const station = planned.stations[0] ?? ''

let now = start
let server: TestServer
let owner: pg.Client
let url = ''
before(async () => {
  server = await withServer(() => now, async ({ ownerUrl }) => {
    owner = new pg.Client({ connectionString: ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
    await seedPlan(ownerUrl)
  })
  url = server.app.url
})
after(async () => {
  await owner.end()
  await server.close()
})
beforeEach(async () => {
  now += 10 * minute_ms
  await owner.query('TRUNCATE audit_outcome, audit, contact')
})

/** All that was written down, in order, as Bawaslu reads it. */
async function written(query = ''): Promise<AuditRow[]> {
  const { status, body } = await server.call<AuditRows>('bawaslu', 'GET', `/v1/audit${query}`)
  assert.equal(status, 200, JSON.stringify(body))
  return body.rows.toReversed()
}
const shortly = ({ organisation, method, path, subject, status }: AuditRow): unknown[] => [organisation, method, path, subject, status]

interface Person { readonly staff: string; readonly token: string; readonly cookie: string }
async function invited(organisation: string): Promise<{ staff: string; token: string }> {
  const staff = await addStaff(server.app.database, organisation, 'Piket malam')
  return { staff, token: await loginToken(server.app.database, staff, now) }
}
const enter = (token: string, headers: Record<string, string> = {}): Promise<Response> => fetch(`${url}/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ token }) })
async function person(organisation: string): Promise<Person> {
  const { staff, token } = await invited(organisation)
  const answer = await enter(token)
  assert.equal(answer.status, 200)
  return { staff, token, cookie: (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '' }
}
const asPerson = ({ cookie }: Person, method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(url + path, { method, headers: { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) })

test('who, when, from where, what and why, and what came of it', async () => {
  const piketMalam = await person('telkomsel')
  await owner.query('TRUNCATE audit_outcome, audit')
  const made = (await (await asPerson(piketMalam, 'POST', '/v1/contacts?a=secret', piket)).json()) as ContactRow
  const [row, ...more] = await written()
  assert.deepEqual(more, [])
  assert.match(row?.request ?? '', /^req-/)
  assert.deepEqual(row, {
    id: row?.id, at: new Date(now).toISOString(), organisation: 'telkomsel', role: 'noc', staff: piketMalam.staff, name: 'Piket malam', key: null, contact: null, address: '127.0.0.1',
    method: 'POST', path: '/v1/contacts', subject: null, reason: null, status: 201, endedAt: new Date(now).toISOString(), made: made.id, request: row?.request,
    facts: { level: 1 }, entry: null, salt: row?.salt, outcomeEntry: null, outcomeSalt: row?.outcomeSalt,
  })
  assert.equal((await asPerson(piketMalam, 'GET', '/v1/contacts')).status, 200)
  assert.equal((await written()).length, 1, 'what is only read is not an action')

  const reason = `ganti baterai${'x'.repeat(1_987)}`
  const work = { title: 'Baterai', from: new Date(now + 60 * minute_ms).toISOString(), to: new Date(now + 90 * minute_ms).toISOString(), areas: [station], reason }
  const answer = await server.call<{ id: string }>('telkomsel', 'POST', '/v1/planned-work', work)
  assert.equal(answer.status, 201, answer.text)
  assert.equal((await server.call('telkomsel', 'PATCH', `/v1/planned-work/${answer.body.id}`, { title: 'Baterai lagi' })).status, 200)
  const [, announced, changed] = await written()
  assert.deepEqual([announced?.reason, announced?.made, announced?.staff], [reason, answer.body.id, null])
  assert.match(announced?.key ?? '', /^k-[0-9a-f]{10}$/)
  assert.deepEqual([changed?.subject, changed?.reason, changed?.status], [answer.body.id, null, 200])
})

test('what was refused is there too: another\'s, not allowed, crooked, with a key where its id belongs', async () => {
  const { body: { id } } = await server.call<ContactRow>('telkomsel', 'POST', '/v1/contacts', piket)
  const bakti = await person('bakti')
  await owner.query('TRUNCATE audit_outcome, audit')
  for (const [as, method, path, body] of [
    ['bakti', 'DELETE', `/v1/contacts/${id}`, undefined], ['apjii', 'POST', '/v1/contacts', piket], ['telkomsel', 'POST', '/v1/contacts', { name: 1 }], ['telkomsel', 'DELETE', '/v1/contacts/%00', undefined], ['telkomsel', 'POST', '/v1/nowhere', {}],
  ] as const) await server.call(as, method, path, body)
  await asPerson(bakti, 'POST', '/v1/contacts', '{')
  await asPerson(bakti, 'DELETE', '/v1/keys/kawal-key-abcdefghijklmnopqrstuvwxyz-_012')
  assert.deepEqual((await written()).map(shortly), [
    ['bakti', 'DELETE', `/v1/contacts/${id}`, id, 404], ['apjii', 'POST', '/v1/contacts', null, 403], ['telkomsel', 'POST', '/v1/contacts', null, 400], ['telkomsel', 'DELETE', '/v1/contacts/%00', '\ufffd', 404], ['telkomsel', 'POST', '/v1/nowhere', null, 404],
    ['bakti', 'POST', '/v1/contacts', null, 400], ['bakti', 'DELETE', '/v1/keys/kawal-key-', 'kawal-key-', 404],
  ])
})

test('log-ins that succeed, come twice or bring a token of nobody, and log-outs; no token is kept', async () => {
  const { staff, token } = await invited('telkomsel')
  const cookie = ((await enter(token)).headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
  assert.equal((await enter(token)).status, 401)
  assert.equal((await enter('invented-token')).status, 401)
  assert.equal((await fetch(`${url}/v1/session`, { method: 'DELETE', headers: { cookie } })).status, 204)
  const rows = await written()
  assert.deepEqual(rows.map((row) => [row.organisation, row.role, row.staff, row.name, row.method, row.status]), [
    ['telkomsel', 'noc', staff, 'Piket malam', 'POST', 200], ['telkomsel', 'noc', staff, 'Piket malam', 'POST', 401], ['kawal', 'nobody', null, null, 'POST', 401], ['telkomsel', 'noc', staff, 'Piket malam', 'DELETE', 204],
  ])
  assert.ok([token, 'invented-token', cookie.split('=')[1] ?? ''].every((secret) => secret.length > 5 && !JSON.stringify(rows).includes(secret)))
})

test('who was logged in before does not count: at a log-in and at a link whoever they are for', async () => {
  const komdigi = await person('komdigi')
  const { staff, token } = await invited('telkomsel')
  await owner.query('TRUNCATE audit_outcome, audit')
  assert.equal((await enter(token, { cookie: komdigi.cookie })).status, 200)
  assert.deepEqual((await written()).map((row) => [row.organisation, row.staff, row.status]), [['telkomsel', staff, 200]])
})

test('a ticket answered by link: the contact it was sent to, the reason of a pause, and never the link', async () => {
  const cause = {
    id: 'g-audit', cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: station.slice(0, 6), areaName: 'Paguyaman', stations: [station], startedAt: now, foundAt: now, endedAt: null,
    evidence: { devicesExpected: 4, devicesSilent: 4, devicesBad: 0, devicesGood: 0, witnessesGood: 4, score: 9, threshold: 6, rule: 'silence', causes: [], signs: [] },
  } as unknown as Parameters<typeof openTicket>[2]
  const opened = await openTicket({ database: server.app.database, clock: () => now }, system, cause, 'telkomsel')
  assert.ok(opened.ok)
  const { id: ticket, version } = opened.value.ticket
  const contact = await contactOf(server.app.database, 'telkomsel', now)
  const link = linkToken(server.app.secret, { ticket, organisation: 'telkomsel', contact, expiresAt: now + minute_ms })
  const press = (token: string, act: string, text: string, at: number, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/t/${token}`, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams({ act, text, version: String(at) }) })
  assert.equal((await press(link, 'note', 'tim berangkat', version)).status, 303)
  assert.equal((await press(link, 'acknowledge', '', version + 1, { cookie: (await person('komdigi')).cookie })).status, 303)
  assert.equal((await press(link, 'hold', 'menunggu genset', version + 2)).status, 303)
  assert.equal((await press(link, 'nonsense', '', version)).status, 400)
  assert.equal((await press(`x${link.slice(1)}`, 'note', 'palsu', version)).status, 404)
  const rows = (await written()).filter((row) => row.path !== '/v1/session')
  assert.deepEqual(rows.map((row) => [row.organisation, row.role, row.contact, row.path, row.subject, row.reason, row.status]), [
    ['telkomsel', 'noc', contact, '/t/', ticket, null, 303], ['telkomsel', 'noc', contact, '/t/', ticket, null, 303], ['telkomsel', 'noc', contact, '/t/', ticket, 'menunggu genset', 303], ['telkomsel', 'noc', contact, '/t/', ticket, null, 400],
    ['kawal', 'nobody', null, '/t/', null, null, 404],
  ])
  assert.ok(!JSON.stringify(rows).includes(link.slice(20)) && !JSON.stringify(rows).includes('tim berangkat'))
})

test('phones write nothing into it: reports over both ways, enrolments, checks, problems, positions, with a session too', async () => {
  const { cookie } = await person('komdigi')
  await owner.query('TRUNCATE audit_outcome, audit')
  const device = await enrol(server.app.database, station, now)
  assert.ok(device !== null)
  const sample = { sequence: 1, eventAt: new Date(now).toISOString(), sim: '51010', access: 'cellular', accessPoint: null, technology: 'lte', radio: null, rttMs: [50], timeouts: 0, downKbps: null, upKbps: null, reach: { internet: 'ok', election: 'ok', platform: 'ok' }, charging: null, nextDueAt: null }
  const headers = { authorization: `Bearer ${deviceToken(server.app.secret, device)}`, 'content-type': 'application/json', cookie }
  const sent: readonly (readonly [string, unknown, number])[] = [
    ['/v1/reports', { station, samples: [sample] }, 202], ['/v1/devices', { station, code: stationCode(server.app.secret, station) }, 201], ['/v1/devices', { station, code: stationCode(server.app.secret, planned.stations[1] ?? '') }, 403],
    ['/v1/problems', { id: randomUUID(), kind: 'signal', text: 'tidak ada sinyal', accessPoint: null, givenAt: new Date(now).toISOString() }, 201], ['/v1/position', { latitude: 0.6, longitude: 122.9, accuracyM: 20, givenAt: new Date(now).toISOString() }, 201],
  ]
  for (const [path, body, status] of sent) {
    const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    assert.equal(answer.status, status, `${path} ${await answer.text()}`)
  }
  assert.equal((await fetch(`${url}/v1/reports`, { method: 'POST', headers: { ...headers, authorization: 'Bearer nobody' }, body: '{}' })).status, 401)
  assert.equal((await fetch(`${url}/v1/probe/up`, { method: 'POST', headers: { cookie, 'content-type': 'application/octet-stream' }, body: new Uint8Array(100) })).status, 200)
  await server.app.ingestIdle()
  assert.deepEqual(await written(), [])
})

test('alarms are kept as they came and not told twice; refused ones, and acts on many alarms, are there', async () => {
  const path = '/tmf-api/alarmManagement/v4/alarm'
  const alarm = { externalAlarmId: 'x-1', alarmType: 'Equipment Alarm', perceivedSeverity: 'major', probableCause: 'powerProblem', alarmedObject: { id: '25601' }, alarmedObjectType: 'Cell', sourceSystemId: 'oss-1', state: 'raised', alarmRaisedTime: new Date(now).toISOString() }
  const { status, body: { id } } = await server.call<{ id: string }>('telkomsel', 'POST', path, alarm)
  assert.equal(status, 201)
  assert.equal((await server.call('telkomsel', 'POST', path, { externalAlarmId: 7 })).status, 400)
  assert.deepEqual(await written(), [])
  assert.equal((await server.call('bawaslu', 'POST', path, alarm)).status, 403)
  assert.equal((await server.call({ token: 'kawal-key-of-nobody' }, 'POST', path, alarm)).status, 401)
  assert.equal((await server.call('telkomsel', 'POST', '/tmf-api/alarmManagement/v4/ackAlarms', { ackSystemId: 'oss-1', ackUserId: 'piket', alarmPattern: [{ id }] })).status, 201)
  assert.deepEqual((await written()).map(shortly), [['bawaslu', 'POST', path, null, 403], ['kawal', 'POST', path, null, 401], ['telkomsel', 'POST', '/tmf-api/alarmManagement/v4/ackAlarms', null, 201]])
})

test('what cannot be written down is not done; what came of it cannot be written: it is done, told, and seen to lack its end', async () => {
  await owner.query('REVOKE INSERT ON audit FROM kawal_app')
  try {
    assert.equal((await server.call('telkomsel', 'POST', '/v1/contacts', piket)).status, 500)
    const { token } = await invited('telkomsel')
    assert.equal((await enter(token)).status, 500)
  } finally {
    await owner.query('GRANT INSERT ON audit TO kawal_app')
  }
  assert.equal((await owner.query('SELECT FROM contact')).rowCount, 0)
  assert.equal((await owner.query('SELECT FROM login_link WHERE used_at IS NULL')).rowCount, 1)
  await owner.query('REVOKE INSERT ON audit_outcome FROM kawal_app')
  try {
    assert.equal((await server.call('telkomsel', 'POST', '/v1/contacts', piket)).status, 201)
  } finally {
    await owner.query('GRANT INSERT ON audit_outcome TO kawal_app')
  }
  assert.deepEqual((await written()).map((row) => [row.path, row.status, row.endedAt, row.made]), [['/v1/contacts', null, null, null]])
})

test('the application adds to it, and changes and deletes nothing', async () => {
  await server.call('telkomsel', 'POST', '/v1/contacts', piket)
  for (const sql of ["UPDATE audit SET reason = 'x'", "UPDATE audit SET salt = sha256('x')", "UPDATE audit SET facts = '{}'", 'DELETE FROM audit', 'TRUNCATE audit', 'UPDATE audit_outcome SET status = 200', 'DELETE FROM audit_outcome'])
    await assert.rejects(server.app.database.transaction(system, (client) => client.query(sql)), /permission denied/, sql)
  for (const [organisation, role] of [['telkomsel', 'noc'], ['bawaslu', 'auditor'], ['komdigi', 'duty_officer']] as const)
    await assert.rejects(server.app.database.transaction({ organisation, role }, (client) => client.query("INSERT INTO audit (at, organisation_id, method, path) VALUES (now(), $1, 'POST', '/')", [organisation])), /row-level security/, role)
  const [row] = await written()
  assert.equal(Buffer.from(row?.salt ?? '', 'base64').length, 32)
  assert.notEqual(row?.salt, row?.outcomeSalt)
  await owner.query("INSERT INTO act_log_entry (index, name, kind, bytes, at) VALUES (0, sha256('a'), 11, '', now()), (1, sha256('b'), 11, '', now())")
  const place = (entry: number) => server.app.database.transaction(system, (client) => client.query('UPDATE audit SET entry = $1', [entry]))
  assert.equal((await place(0)).rowCount, 1)
  await assert.rejects(place(1), /an act stays where it went in the log/)
  await assert.rejects(server.app.database.transaction(system, (client) => client.query("UPDATE act_log_entry SET bytes = ''")), /permission denied/)
  await assert.rejects(server.app.database.transaction(system, (client) => client.query("INSERT INTO audit_outcome (audit_id, organisation_id, at, status) VALUES ($1, 'telkomsel', now(), 200)", [row?.id])), /audit_outcome_pkey/, 'an action has one outcome')
  await owner.query("INSERT INTO audit (at, organisation_id, method, path) VALUES (now(), 'telkomsel', 'POST', '/')")
  await assert.rejects(server.app.database.transaction(system, (client) => client.query("INSERT INTO audit_outcome (audit_id, organisation_id, at, status) SELECT max(id), 'indosat', now(), 200 FROM audit")), /foreign key/, 'of its own organisation')
})

test('Bawaslu and the monitoring centre read all, everybody else what was done in their own name', async () => {
  for (const as of ['telkomsel', 'bakti', 'kpu', 'dinas', 'komdigi'] as const) assert.equal((await server.call(as, 'POST', '/v1/contacts', piket)).status, 201)
  await server.call({ token: 'kawal-key-of-nobody' }, 'POST', '/v1/contacts', piket)
  const indosat = { token: await addApiKey(server.app.database, 'indosat', now) }
  const seen = async (as: Parameters<TestServer['call']>[0]): Promise<string[]> => (await server.call<AuditRows>(as, 'GET', '/v1/audit')).body.rows.map((row) => row.organisation)
  for (const as of ['bawaslu', 'komdigi'] as const) assert.deepEqual(await seen(as), ['kawal', 'komdigi', 'dinas', 'kpu', 'bakti', 'telkomsel'], as)
  for (const as of ['telkomsel', 'bakti', 'kpu', 'dinas'] as const) assert.deepEqual(await seen(as), [as], as)
  assert.deepEqual([await seen('apjii'), await seen(indosat)], [[], []])
  assert.equal((await server.call({ token: 'nobody' }, 'GET', '/v1/audit')).status, 401)
  const outcomes = await server.app.database.transaction({ organisation: 'telkomsel', role: 'noc' }, (client) => client.query<{ organisation_id: string }>('SELECT organisation_id FROM audit_outcome'))
  assert.deepEqual(outcomes.rows, [{ organisation_id: 'telkomsel' }])
})

test('filters, pages and CSV', async () => {
  const ids: string[] = []
  for (let nth = 0; nth < 5; nth++) {
    now += minute_ms
    ids.push((await server.call<ContactRow>(nth % 2 === 0 ? 'telkomsel' : 'bakti', 'POST', '/v1/contacts', { ...piket, name: `Piket ${nth}` })).body.id)
  }
  await server.call('telkomsel', 'DELETE', `/v1/contacts/${ids[0]}`)
  const made = async (query: string): Promise<(string | null)[]> => (await written(query)).map((row) => row.made)
  assert.deepEqual(await made('?organisation=bakti'), [ids[1], ids[3]])
  assert.deepEqual((await written(`?subject=${ids[0]}`)).map((row) => row.method), ['POST', 'DELETE'])
  const at = (nth: number): string => encodeURIComponent(new Date(now - (4 - nth) * minute_ms).toISOString())
  assert.deepEqual(await made(`?from=${at(1)}&to=${at(3)}`), [ids[1], ids[2]])
  const first = (await server.call<AuditRows>('bawaslu', 'GET', '/v1/audit?limit=4')).body
  const second = (await server.call<AuditRows>('bawaslu', 'GET', `/v1/audit?limit=4&before=${first.next}`)).body
  assert.deepEqual([first.rows.length, second.rows.length, second.next], [4, 2, null])
  assert.deepEqual([...first.rows, ...second.rows].map(({ id }) => id), (await written()).toReversed().map(({ id }) => id))
  const csv = await server.call('bawaslu', 'GET', '/v1/audit?organisation=bakti', undefined, 'text/csv')
  assert.match(csv.type, /^text\/csv/)
  const lines = csv.text.trimEnd().split('\n')
  assert.equal(lines[0], 'id,at,organisation,role,staff,name,key,contact,address,method,path,subject,reason,status,endedAt,made,request,facts,entry,salt,outcomeEntry,outcomeSalt')
  assert.deepEqual(lines.slice(1).map((line) => line.split(',').slice(2, 4).join()), ['bakti,access_operator', 'bakti,access_operator'])
  assert.ok(csv.text.includes(ids[3] ?? 'none'))
  for (const query of ['?organization=x', '?limit=0', '?limit=1001', '?before=x', '?from=yesterday', '?from=2027-02-14T23:59:60Z', '?organisation=a&organisation=b', '?subject=']) assert.equal((await server.call('bawaslu', 'GET', `/v1/audit${query}`)).status, 400, query)
})

test('whoever floods the door fills nothing: sixty attempts of strangers a minute, and how many more there were', async () => {
  const attempts = (count: number): Promise<unknown> => Promise.all(Array.from({ length: count }, () => server.call({ token: 'kawal-key-of-nobody' }, 'POST', '/v1/contacts', piket)))
  await attempts(70)
  assert.equal((await written()).length, 60)
  assert.equal((await server.call('telkomsel', 'POST', '/v1/contacts', piket)).status, 201)
  assert.equal((await written('?organisation=telkomsel')).length, 1, 'who is known is written down whatever strangers do')
  now += minute_ms
  await attempts(1)
  await attempts(1)
  assert.deepEqual((await written('?organisation=kawal')).slice(-2).map((row) => row.reason), ['10 more attempts of strangers were not written down before this one', null])
})
