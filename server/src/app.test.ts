import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import pino from 'pino'
import type { Enrolled, Sample } from '@kawal/contract/report.ts'
import type { Live, StationDetail, StationRows } from '@kawal/contract/live.ts'
import { operations } from '@kawal/contract/openapi.ts'
import { impactDefaults } from '@kawal/core/impact/defaults.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { contactOf } from '@kawal/testkit/contacts.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { startApp, type App } from './app.ts'
import { stationCode } from './measurement/enrolment.ts'
import { addApiKey, revokeAll } from './organisation/sessions.ts'
import { loadSynthetic } from './register/synthetic.ts'
import { steppedClock } from './rehearsal/clock.ts'
import { linkToken } from './ticket/link.ts'

const start = Date.UTC(2029, 1, 14, 2)
const sims = { telkomsel: '51010', indosat: '51001' } as const
/** Results are due at 11:05 WITA, which is 65 minutes after the start. */
const contest = { day: '2029-02-14', citation: 'a test', late: [], deadlines: [{ name: 'recaps_due', at: '11:05', daysAfter: 0, riseMin: 60, share: 1, citation: 'a test' }] }
const clock = steppedClock(start)
const stations: string[] = []
const keys: Record<string, string> = {}
let kit: TestDatabase
let app: App

/** Two operators at 12 neighbouring stations; Telkomsel falls silent at all of them, Indosat reports on. */
before(async () => {
  kit = await withDatabase()
  const owner = new pg.Pool({ connectionString: kit.ownerUrl, max: 2 })
  await loadSynthetic(owner, '75', 1)
  stations.push(...(await owner.query<{ code: string }>('SELECT code FROM station_now ORDER BY code LIMIT 12')).rows.map((row) => row.code))
  await owner.end()
  app = await startApp({ ownerUrl: kit.ownerUrl, appPassword: 'test', clock, host: '127.0.0.1', port: 0, rehearsal: true, impact: { ...impactDefaults, contests: [contest] }, log: pino({ level: 'error' }, pino.destination(2)) })
  for (const organisation of ['komdigi', 'telkomsel', 'indosat', 'bawaslu', 'bakti']) keys[organisation] = await addApiKey(app.database, organisation, start)
  const phones = await Promise.all(stations.flatMap((station) => (['telkomsel', 'indosat'] as const).map(async (operator) => {
    const enrolled = await fetch(`${app.url}/v1/devices`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ station, code: stationCode(app.secret, station) }) })
    return { station, operator, token: ((await enrolled.json()) as Enrolled).token }
  })))
  for (let minute = 1; minute <= 20; minute++) {
    const now = start + minute * minute_ms
    clock.set(now)
    await Promise.all(phones.filter((phone) => phone.operator === 'indosat' || minute <= 8).map((phone) => report(phone, minute, now)))
    await app.sweep(now)
  }
})
after(async () => {
  await app.stop()
  await kit.close()
})

async function report(phone: { station: string; operator: keyof typeof sims; token: string }, sequence: number, now: number): Promise<void> {
  const sample: Sample = {
    sequence, eventAt: new Date(now).toISOString(), sim: sims[phone.operator], access: 'cellular', accessPoint: null, technology: 'lte', radio: null, rttMs: [50], timeouts: 0,
    downKbps: null, upKbps: null, reach: { internet: 'ok', election: 'ok', platform: 'ok' }, charging: null, nextDueAt: new Date(now + minute_ms).toISOString(),
  }
  const answer = await fetch(`${app.url}/v1/reports`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${phone.token}` }, body: JSON.stringify({ station: phone.station, samples: [sample] }) })
  assert.equal(answer.status, 202, await answer.text())
}

async function get<T>(organisation: string, path: string): Promise<T> {
  const answer = await fetch(`${app.url}${path}`, { headers: { authorization: `Bearer ${keys[organisation]}` } })
  assert.equal(answer.status, 200, path)
  return (await answer.json()) as T
}

const hit = (live: Live): number => live.areas.filter((area) => area.level === 'province').reduce((sum, area) => sum + area.counts.down + area.counts.degraded, 0)

test('the ministry and the auditor see the silence of one operator, and whose it is', async () => {
  for (const organisation of ['komdigi', 'bawaslu']) {
    const live = await get<Live>(organisation, '/v1/snapshot')
    assert.deepEqual(live.disturbances.map((row) => [row.operator, row.severity, row.stage]), [['telkomsel', 'down', 'confirmed']])
    assert.match(live.disturbances[0]?.cause ?? '', /^(access|backhaul)$/)
    assert.ok(hit(live) >= 10, `${hit(live)} of 12 stations`)
    const { operators } = await get<StationDetail>(organisation, `/v1/stations/${stations[5]}`)
    assert.deepEqual(operators.map((row) => [row.operator, row.status]), [['indosat', 'ok'], ['telkomsel', 'down']])
  }
})

test('the operator concerned sees it, from its own devices alone', async () => {
  const live = await get<Live>('telkomsel', '/v1/snapshot')
  assert.deepEqual([live.disturbances.length, live.tickets.length], [1, 1])
  assert.ok(hit(live) >= 10)
  const { operators } = await get<StationDetail>('telkomsel', `/v1/stations/${stations[5]}`)
  assert.deepEqual(operators.map((row) => row.operator), ['telkomsel'])
})

test('a competitor sees nothing of it: not in rows, not in areas, not in stations, not in why', async () => {
  const live = await get<Live>('indosat', '/v1/snapshot')
  assert.deepEqual([live.disturbances, live.tickets, hit(live)], [[], [], 0])
  const area = stations[0]?.slice(0, 4) ?? ''
  const { stations: rows } = await get<StationRows>('indosat', `/v1/stations?area=${area}`)
  assert.deepEqual([...new Set(rows.map((row) => `${row.status} ${row.disturbanceId}`))].sort(), ['ok null', 'unknown null'])
  const detail = await get<StationDetail>('indosat', `/v1/stations/${stations[5]}`)
  assert.deepEqual([detail.status, detail.operators.map((row) => row.operator)], ['ok', ['indosat']])
  assert.deepEqual(new Set((await get<StationRows>('bakti', `/v1/stations?area=${area}`)).stations.map((row) => row.status)), new Set(['unknown']))
})

test('a link opens its ticket without a log-in, on a page that loads nothing', async () => {
  const ticket = (await get<Live>('telkomsel', '/v1/snapshot')).tickets[0]?.id ?? ''
  const answer = await fetch(`${app.url}/t/${linkToken(app.secret, { ticket, organisation: 'telkomsel', contact: await contactOf(app.database, 'telkomsel', clock()), expiresAt: clock() + minute_ms })}`)
  assert.deepEqual([answer.status, answer.headers.get('content-security-policy')?.slice(0, 38)], [200, "default-src 'none'; style-src 'sha256-"])
  assert.ok((await answer.text()).includes(`<h1>Tiket ${ticket}</h1>`))
})

test('its clock ends half an hour before results are due, also for whom it is transferred to', async () => {
  const dueAt = async (organisation: string): Promise<string | undefined> => (await get<Live>(organisation, '/v1/snapshot')).tickets[0]?.clocks[0]?.dueAt
  assert.equal(await dueAt('telkomsel'), '2029-02-14T02:35:00.000Z')
  const { tickets: [ticket] } = await get<Live>('komdigi', '/v1/snapshot')
  const party = [{ '@type': 'RelatedPartyRefOrPartyRoleRef', role: 'operator', partyOrPartyRole: { '@type': 'PartyRef', id: 'bakti' } }]
  const answer = await fetch(`${app.url}/tmf-api/troubleTicket/v5/troubleTicket/${ticket?.id ?? ''}`, {
    method: 'PATCH', headers: { authorization: `Bearer ${keys['komdigi']}`, 'content-type': 'application/merge-patch+json' }, body: JSON.stringify({ '@type': 'TroubleTicket', relatedParty: party }),
  })
  assert.equal(answer.status, 200, await answer.text())
  assert.deepEqual([await dueAt('bakti'), await dueAt('telkomsel')], ['2029-02-14T02:35:00.000Z', undefined])
})

test('a box cuts the stations of an area, and a crooked one is refused', async () => {
  const all = await get<StationRows>('komdigi', '/v1/stations?area=75')
  const some = all.stations.find((row) => row.latitude !== null && row.longitude !== null)
  const [latitude, longitude] = [some?.latitude ?? 0, some?.longitude ?? 0]
  const cut = await get<StationRows>('komdigi', `/v1/stations?area=75&bbox=${longitude - 0.01},${latitude - 0.01},${longitude + 0.01},${latitude + 0.01}`)
  assert.ok(cut.total > 0 && cut.total < all.total)
  assert.deepEqual(cut.stations.map((row) => row.code).sort(), all.stations.filter((row) => Math.abs((row.latitude ?? 99) - latitude) <= 0.01 && Math.abs((row.longitude ?? 999) - longitude) <= 0.01).map((row) => row.code).sort())
  for (const bbox of ['1,2,3', '5,0,4,1', 'a,b,c,d'])
    assert.equal((await fetch(`${app.url}/v1/stations?area=75&bbox=${bbox}`, { headers: { authorization: `Bearer ${keys['komdigi']}` } })).status, 400, bbox)
})

test('every operation of the OpenAPI document has its route, and answers a stranger as it says', async () => {
  for (const { method, path, security, takes } of operations) {
    const answer = await fetch(app.url + path.replace(/\{\w+\}/g, 'x'), { method: method.toUpperCase(), ...(method === 'post' || method === 'patch' ? { headers: { 'content-type': takes ?? (path.endsWith('/up') ? 'application/octet-stream' : 'application/json') }, body: '{}' } : {}) })
    const text = await answer.text()
    assert.ok(!text.includes('Nothing answers'), `${method} ${path} has no route`)
    if (security !== 'none' && !(method === 'delete' && path === '/v1/session')) assert.ok([400, 401].includes(answer.status), `${method} ${path} answered a stranger ${answer.status}`)
    if (answer.status >= 400) assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/)
  }
})

test('logging out ends the way in; what was revoked does not come in again', async () => {
  const { keys: ended } = await revokeAll(app.database, 'bakti', clock())
  assert.equal(ended, 1)
  assert.equal((await fetch(`${app.url}/v1/snapshot`, { headers: { authorization: `Bearer ${keys['bakti']}` } })).status, 401)
})

test('a rehearsal never goes into a database that serves, nor the other way round', async () => {
  const options = { ownerUrl: kit.ownerUrl, appPassword: 'test', clock, host: '127.0.0.1', port: 0, log: pino({ level: 'silent' }) }
  await assert.rejects(startApp({ ...options, rehearsal: false }), /holds a rehearsal/)
})
