import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { AccessPoints, AccessStateAnswer, StationReadiness } from '@kawal/contract/readiness.ts'
import { planned, seedPlan } from '@kawal/testkit/plan.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'

let server: TestServer
before(async () => {
  server = await withServer(Date.now, async (kit) => {
    const owner = new pg.Client({ connectionString: kit.ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas'), ('other', 'bakti', 'Other')")
    await seedPlan(kit.ownerUrl)
    await owner.query("INSERT INTO access_point (id, kind, name, source, organisation_id, valid_from) VALUES ('X-1', 'ai', 'Not BAKTI', 'test', 'other', '2024-01-01')")
    await owner.end()
  })
})
after(() => server.close())
const points = async (query = '', as: 'kpu' | 'bakti' = 'kpu'): Promise<AccessPoints> => (await server.call<AccessPoints>(as, 'GET', `/v1/access-points${query}`)).body
const say = (id: string, body: object, as: 'bakti' | 'komdigi' = 'bakti') => server.call<AccessStateAnswer & { code: string }>(as, 'POST', `/v1/access-points/${id}/state`, body)

test('points with who depends on them and how busy they will be', async () => {
  const all = await points()
  assert.deepEqual(all.rows.map((row) => [row.id, row.kind, row.stations, row.voters, row.busyMin, row.lastSlotEndMin, row.working]), [
    ['AI-1', 'ai', 2, 300, 30, 45, null], ['AI-2', 'satellite', 0, null, 0, null, null], ['X-1', 'ai', 0, null, 0, null, null]])
  assert.deepEqual([all.rows[0]?.village, all.rows[0]?.regency, all.rows[2]?.village], ['Bongo', 'Boalemo', ''])
  assert.deepEqual((await points('?kind=satellite')).rows.map((row) => row.id), ['AI-2'])
  assert.deepEqual((await points('?area=7501012002')).rows.map((row) => row.id), ['AI-1'])
  assert.deepEqual((await points('', 'bakti')).rows.map((row) => row.id), ['AI-1', 'AI-2'], 'its own and nobody else\'s')
  const first = await points('?limit=2')
  assert.deepEqual([first.total, (await points(`?limit=2&page=${first.next}`)).rows.map((row) => row.id)], [3, ['X-1']])
  assert.equal((await server.call('kpu', 'GET', '/v1/access-points?format=csv')).text.trimEnd().split('\n').length, 4)
})

test('BAKTI says what works; the newest word counts, and who depended on a point is told', async () => {
  const failed = await say('AI-1', { working: false, note: 'modem' })
  assert.deepEqual([failed.status, failed.body.point.working, failed.body.point.note, failed.body.dependants], [201, false, 'modem', [{ station: '7501012002001', voters: 300 }, { station: '7501012002002', voters: null }]])
  assert.deepEqual((await points('?working=no')).rows.map((row) => row.id), ['AI-1'])
  const page = (await server.call<StationReadiness>('kpu', 'GET', `/v1/stations/${planned.stations[3]}/readiness`)).body
  assert.deepEqual([page.row?.access?.id, page.row?.access?.slotStartMin !== null, page.ladder.find((step) => step.kind === 'access_point')?.available], ['AI-2', true, true], 'the plan sends it elsewhere at once')
  assert.deepEqual(failed.body.reassigned?.map((row) => [row.station, row.access?.id, Math.round(row.access?.distanceKm ?? 0)]), [['7501012002001', 'AI-2', 31], ['7501012002002', 'AI-2', 31]])
  const second = await say('AI-2', { working: false })
  assert.deepEqual(second.body.reassigned?.map((row) => row.access), [null, null], 'they went there at once, and none is left')
  assert.deepEqual((await say('AI-1', { working: false })).body.reassigned, [], 'nobody depends on it any more')
  await say('AI-2', { working: true })
  const mended = await say('AI-1', { working: true, uplinkMbps: 3.5 })
  assert.deepEqual([mended.body.point.working, mended.body.point.uplinkMbps, mended.body.dependants, mended.body.reassigned], [true, 3.5, [], null])
  assert.deepEqual((await points('?working=unknown')).rows.map((row) => row.id), ['X-1'])
})

test('nobody speaks of another\'s point, and nothing crooked is kept', async () => {
  assert.equal((await say('X-1', { working: false })).status, 404)
  assert.equal((await say('AI-9', { working: false })).status, 404)
  assert.equal((await say('AI-1', { working: false }, 'komdigi')).status, 403)
  for (const body of [{}, { working: 'no' }, { working: true, uplinkMbps: 0 }, { working: true, by: 'me' }]) assert.equal((await say('AI-1', body)).status, 400, JSON.stringify(body))
  assert.equal((await points()).rows[0]?.working, true)
})
