import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { Reminded, SitingResults } from '@kawal/contract/readiness.ts'
import { north, planned, seedPlan } from '@kawal/testkit/plan.ts'
import { withServer, type Answer, type TestServer } from '@kawal/testkit/server.ts'
import { addApiKey } from './sessions.ts'

let server: TestServer
const tokens = new Map<string, string>()
const [here = ''] = planned.stations
const there = '7502012001001'
const refused = [403, 'not_allowed']

before(async () => {
  server = await withServer(Date.now, async (kit) => {
    const owner = new pg.Client({ connectionString: kit.ownerUrl })
    await owner.connect()
    try {
      await owner.query("INSERT INTO organisation (id, kind, name, area_code) VALUES ('dinas', 'helpdesk', 'Dinas', NULL), ('kpu-75', 'kpu', 'KPU Gorontalo', '75'), ('kpu-7501', 'kpu', 'KPU Boalemo', '7501'), ('kpu-53', 'kpu', 'KPU NTT', '53')")
    } finally {
      await owner.end()
    }
    await seedPlan(kit.ownerUrl)
  })
  for (const office of ['kpu', 'kpu-75', 'kpu-7501', 'kpu-53']) tokens.set(office, await addApiKey(server.app.database, office, Date.now()))
})
after(() => server.close())

const as = <Body = { code: string; detail: string }>(office: string, path: string, body: unknown): Promise<Answer<Body>> => server.call<Body>({ token: tokens.get(office) ?? '' }, 'POST', path, body)
const said = ({ status, body }: Answer<{ code: string }>): unknown[] => [status, body.code]
const fixAt = (km: number) => ({ ...north(km), validFrom: '2029-02-10', sure: true })

test("an office of KPU places stations and reminds in its own area alone; KPU itself everywhere", async () => {
  for (const office of ['kpu-7501', 'kpu-75', 'kpu']) assert.equal((await as(office, `/v1/stations/${here}/position`, fixAt(0.3))).status, 201, office)
  assert.deepEqual(said(await as('kpu-53', `/v1/stations/${here}/position`, fixAt(0.4))), refused)
  const elsewhere = await as('kpu-7501', `/v1/stations/${there}/position`, fixAt(0.4))
  assert.deepEqual(said(elsewhere), refused)
  assert.match(elsewhere.body.detail, /7502012001001 lies outside the area of your office/)
  assert.equal((await as('kpu-75', `/v1/stations/${there}/position`, fixAt(0.4))).status, 201)
  assert.equal((await as<Reminded>('kpu-7501', '/v1/campaign/reminders', { stations: [here] })).status, 200)
  assert.deepEqual(said(await as('kpu-7501', '/v1/campaign/reminders', { stations: [here, there] })), refused)
  assert.deepEqual(said(await as('kpu-7501', '/v1/campaign/reminders', { area: '75' })), refused)
})

test('of moves those elsewhere say so, and leave the others alone', async () => {
  const item = (station: string) => ({ station, venue: planned.venues.good, decision: 'refused', validFrom: '2029-02-14', note: '' })
  const { status, body } = await as<SitingResults>('kpu-7501', '/v1/siting/decisions', [item(here), item(there)])
  assert.equal(status, 200)
  assert.deepEqual(body.results.map(({ station, done, refusal }) => [station, done, refusal]), [[here, true, null], [there, false, 'not_your_area']])
})

test("the wall in the database says the same, whatever the code forgets", async () => {
  const insert = (office: string, station: string): Promise<boolean> => server.app.database.transaction({ organisation: office, role: 'planner' }, async (client) => {
    await client.query('SAVEPOINT before')
    const done = await client.query('INSERT INTO reminder (station_code, reminded_at, reminded_by) VALUES ($1, now(), $2)', [station, office]).then(() => true, (error: unknown) => {
      assert.match(String(error), /row-level security/)
      return false
    })
    await client.query('ROLLBACK TO before')
    return done
  })
  const found = await Promise.all([['kpu', there], ['kpu-75', there], ['kpu-7501', there], ['kpu-7501', here], ['kpu-53', here]].map(([office = '', station = '']) => insert(office, station)))
  assert.deepEqual(found, [true, true, false, true, false])
})

test('a challenge of a station is answered by the offices that it lies in the area of', async () => {
  const owner = new pg.Client({ connectionString: server.kit.ownerUrl })
  await owner.connect()
  try {
    for (const station of [here, there])
      await owner.query("INSERT INTO challenge (id, edition_id, organisation_id, operator_id, technology, station_code, says, evidence, status, opened_at) SELECT gen_random_uuid(), id, 'bawaslu', 'telkomsel', 'lte', $1, 'not_covered', 'measured there', 'open', now() FROM edition LIMIT 1", [station])
  } finally {
    await owner.end()
  }
  const answered = (office: string): Promise<string[]> => server.app.database.transaction({ organisation: office, role: 'planner' }, async (client) => {
    await client.query('SAVEPOINT before')
    const { rows } = await client.query<{ code: string }>("UPDATE challenge SET status = 'accepted', answer = 'so it is', decided_at = now(), decided_by = $1 RETURNING station_code AS code", [office])
    await client.query('ROLLBACK TO before')
    return rows.map(({ code }) => code).sort()
  })
  assert.deepEqual([await answered('kpu'), await answered('kpu-75'), await answered('kpu-7501'), await answered('kpu-53')], [[here, there].sort(), [here, there].sort(), [here], []])
})
