import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { Campaign, CampaignStations, ReadinessPage, ReadinessSummary, Reminded, StationReadiness } from '@kawal/contract/readiness.ts'
import { addPlan, planned, seedPlan } from '@kawal/testkit/plan.ts'
import { withServer, type Asked, type TestServer } from '@kawal/testkit/server.ts'

const day_ms = 86_400_000
let now = Date.now()
let server: TestServer
let owner: pg.Client
let plan = 0
let edition = ''
const [good = '', blank = '', perhaps = ''] = planned.stations

before(async () => {
  server = await withServer(() => now, async (kit) => {
    owner = new pg.Client({ connectionString: kit.ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
    ;({ plan, edition } = await seedPlan(kit.ownerUrl))
    // an unfinished plan is nobody's present
    await owner.query("INSERT INTO plan (made_at, valid_on, operators, config, summary) VALUES (now(), '2024-02-14', '{}', '{}', '{}')")
  })
})
after(async () => {
  await owner.end()
  await server.close()
})
const page = async (query: string, as: Asked = 'kpu'): Promise<ReadinessPage> => {
  const answer = await server.call<ReadinessPage>(as, 'GET', `/v1/readiness${query}`)
  assert.equal(answer.status, 200, answer.text)
  return answer.body
}
const codes = async (query: string): Promise<string[]> => (await page(query)).rows.map((row) => row.station)

test('a row says class, operators in KPU\'s words, access point and proposal', async () => {
  const { rows, total, plan: ref } = await page('')
  assert.deepEqual([total, ref.id, ref.edition, ref.operators], [8, plan, edition, ['telkomsel', 'indosat']])
  const first = rows[0]
  assert.deepEqual([first?.station, first?.village, first?.district, first?.regency, first?.province, first?.class, first?.basis], [good, 'Mustika', 'Paguyaman', 'Boalemo', 'Gorontalo', 'a', 'fix'])
  assert.deepEqual(first?.operators.map((each) => [each.operator, each.usable, each.word]), [['telkomsel', 0.95, 'kuat'], ['indosat', 0.925, 'kuat']])
  const byCode = new Map(rows.map((row) => [row.station, row]))
  assert.deepEqual(byCode.get(perhaps)?.operators.map((each) => each.word), ['lemah', 'tanpa_data'])
  assert.deepEqual([byCode.get(blank)?.move?.venue, byCode.get(blank)?.move?.gain, byCode.get(blank)?.move?.decision], ['SD-1', 0.85, null])
  const served = byCode.get('7501012002001')?.access
  assert.deepEqual([served?.id, served?.name, served?.kind, served?.working, served?.distanceKm, served?.travelMin, served?.slotStartMin], ['AI-1', 'Point AI-1', 'ai', null, 2.4, 31, 15])
  assert.deepEqual([byCode.get('7502012001001')?.latitude, byCode.get('7502012001001')?.class], [null, 'unknown'])
})

test('filters by area, class, operator, word, basis and name; what is not known as a filter is refused', async () => {
  assert.deepEqual(await codes('?area=7502'), ['7502012001001'])
  assert.deepEqual(await codes('?area=7501012002'), ['7501012002001', '7501012002002', '7501012002901'])
  assert.deepEqual(await codes('?class=a,b'), [good, '7501012002901'])
  assert.deepEqual(await codes('?basis=none'), ['7502012001001'])
  assert.deepEqual(await codes('?operator=telkomsel'), [good, perhaps, '7501012002901'], 'alone: whose SIM is best')
  assert.deepEqual(await codes('?operator=indosat&word=tanpa_data'), [perhaps, '7501022001001', '7502012001001'])
  assert.deepEqual(await codes('?operator=indosat&word=kuat,lemah'), [good, '7501012002901'])
  const all = (await page('')).rows
  for (const operator of planned.operators) for (const word of ['kuat', 'sedang', 'lemah', 'tidak_ada', 'tanpa_data'])
    assert.deepEqual(await codes(`?operator=${operator}&word=${word}`), all.filter((row) => row.operators.some((each) => each.operator === operator && each.word === word)).map((row) => row.station), `${operator} ${word}`)
  assert.deepEqual(await codes('?operator=nobody&word=kuat'), [])
  assert.deepEqual(await codes('?q=bongo'), ['7501012002001', '7501012002002', '7501012002901'], 'a village')
  assert.deepEqual((await codes('?q=BOALEMO')).length, 7, 'a regency')
  assert.deepEqual(await codes('?q=75010220'), ['7501022001001'], 'the head of a code')
  assert.deepEqual(await codes('?q=%25%25'), [], 'no pattern: the text itself')
  for (const query of ['?clas=e', '?class=f', '?area=750', '?page=nonsense', '?sort=name', '?limit=0']) {
    const answer = await server.call('kpu', 'GET', `/v1/readiness${query}`)
    assert.deepEqual([answer.status, answer.body.code], [400, 'body_invalid'], query)
  }
  assert.equal((await server.call('kpu', 'GET', '/v1/readiness?plan=99')).status, 404)
})

test('pages in every order give each row once', async () => {
  for (const sort of ['code', 'class', 'voters', 'distance']) {
    const whole = await codes(`?sort=${sort}`)
    assert.equal(new Set(whole).size, 8)
    const found: string[] = []
    let cursor = ''
    for (let pages = 0; pages < 9; pages++) {
      const { rows, next, total } = await page(`?sort=${sort}&limit=3${cursor}`)
      assert.equal(total, 8)
      found.push(...rows.map((row) => row.station))
      if (next === null) break
      cursor = `&page=${encodeURIComponent(next)}`
    }
    assert.deepEqual(found, whole, sort)
  }
  assert.deepEqual((await page('?sort=class')).rows.map((row) => row.class), ['e', 'd', 'd', 'unknown', 'unknown', 'c', 'b', 'a'])
  assert.deepEqual((await page('?sort=voters')).rows.map((row) => row.voters), [300, 280, 260, 250, 210, 200, 90, null])
})

test('CSV holds every row of the filter, and no formula', async () => {
  const answer = await server.call('kpu', 'GET', '/v1/readiness?format=csv')
  const lines = answer.text.trimEnd().split('\n')
  assert.deepEqual([answer.status, lines.length], [200, 9])
  assert.match(answer.type, /^text\/csv/)
  const [head = '', , second = ''] = lines
  assert.deepEqual(head.split(',').slice(0, 6), ['station', 'province', 'regency', 'district', 'village', 'class'])
  assert.ok(head.includes('telkomsel_usable,telkomsel_word,indosat_usable'))
  assert.ok(second.includes("'=SD-1 Negeri"), second)
  assert.equal((await server.call('kpu', 'GET', '/v1/readiness?class=e', undefined, 'text/csv')).text.split('\n').length, 3)
})

test('the summary counts areas of each level, unknown by reason, checks and fixes', async () => {
  const of = async (query: string): Promise<ReadinessSummary> => (await server.call<ReadinessSummary>('bawaslu', 'GET', `/v1/readiness/summary${query}`)).body
  const nation = await of('')
  assert.deepEqual([nation.level, nation.areas.map((area) => area.name), nation.total.stations, nation.total.voters, nation.total.fixes], ['province', ['Gorontalo'], 8, 1590, 2])
  assert.deepEqual(nation.total.classes, { a: 1, b: 1, c: 1, d: 2, e: 1, unknown: 2 })
  assert.deepEqual(nation.total.unknownReasons, { partly_known: 1, no_position: 1 })
  assert.deepEqual((await of('?level=regency')).areas.map((area) => [area.code, area.stations, area.fixes]), [['7501', 7, 2], ['7502', 1, 0]])
  const districts = await of('?level=district&area=7501')
  assert.deepEqual(districts.areas.map((area) => [area.code, area.name, area.stations, area.voters, area.fixes]), [['750101', 'Paguyaman', 6, 1180, 2], ['750102', 'Tilamuta', 1, 200, 0]])
  assert.deepEqual(districts.total.unknownReasons, { partly_known: 1 })
})

test('a station\'s page holds its evidence, its neighbours and its ladder', async () => {
  const of = async (code: string): Promise<StationReadiness> => {
    const answer = await server.call<StationReadiness>('dinas', 'GET', `/v1/stations/${code}/readiness`)
    assert.equal(answer.status, 200, answer.text)
    return answer.body
  }
  const close = await of(good)
  assert.deepEqual([close.row?.class, close.position?.grade, close.position?.since, close.history.length, close.edition?.id], ['a', 'fix', '2024-01-01', 1, edition])
  assert.deepEqual(close.neighbours, [{ station: blank, class: 'e' }, { station: perhaps, class: 'c' }])
  const indosat = close.evidence.find((each) => each.operator === 'indosat' && each.technology === 'lte')
  assert.deepEqual([indosat?.usable, indosat?.measured, indosat?.contradicted], [0.95, 0.9, true], 'of its fine cell')
  const far = await of(blank)
  const telkomsel = far.evidence.find((each) => each.operator === 'telkomsel' && each.technology === 'lte')
  assert.ok(telkomsel?.usable != null && telkomsel.usable > 0.1 && telkomsel.usable < 0.5 && telkomsel.samples > 3, `over the village's area: ${JSON.stringify(telkomsel)}`)
  assert.deepEqual([telkomsel.claimed, telkomsel.measured, telkomsel.newestOn], [1, null, '2023-12-09'])
  assert.deepEqual(far.ladder.map((step) => [step.kind, step.available]), [['other_operator', false], ['better_spot', false], ['village_wifi', true], ['access_point', false], ['covered_place', true], ['offline', true]])
  const covered = far.ladder.find((step) => step.kind === 'covered_place')
  assert.ok((covered?.distanceKm ?? 0) > 1 && Math.abs(((covered?.bearingDeg ?? 180) + 90) % 360 - 90) < 30, JSON.stringify(covered))
  const served = await of('7501012002001')
  assert.deepEqual(served.ladder.filter((step) => step.kind === 'access_point').map((step) => [step.available, step.place, step.parameters['travelMin']]), [[true, 'Point AI-1', 31]])
  const unplaced = await of('7502012001001')
  assert.deepEqual([unplaced.position, unplaced.evidence, unplaced.row?.class], [null, [], 'unknown'])
  const unknown = await server.call('dinas', 'GET', '/v1/stations/7501012001777/readiness')
  assert.deepEqual([unknown.status, unknown.body.code], [404, 'station_unknown'])
})

async function report(device: number, station: string, at: number, operator: string | null, received_at = now): Promise<void> {
  await owner.query('INSERT INTO report (device_key, sequence, station_code, event_at, received_at, operator_id, sample) VALUES ($1, $2, $3, $4, $7, $5, $6)', [device, Math.floor(at / 1000), station, new Date(at), operator, '{}', new Date(received_at)])
}

test('the campaign counts who reported, by whom, and who was reminded; reminding gives the list to send', async () => {
  const campaign = async (query = ''): Promise<Campaign> => (await server.call<Campaign>('komdigi', 'GET', `/v1/campaign${query}`)).body
  const listed = async (query: string): Promise<string[]> => (await server.call<CampaignStations>('dinas', 'GET', `/v1/campaign/stations${query}`)).body.rows.map((row) => row.station)
  assert.deepEqual([(await campaign()).total.stations, (await campaign()).total.checked], [8, 0])
  await report(1, good, now - 2 * day_ms, 'telkomsel')
  await report(2, good, now - day_ms, 'indosat')
  await report(3, blank, now - 3 * day_ms, null)
  await report(4, perhaps, now - 40 * day_ms, 'telkomsel')
  now += 61_000
  const seen = await campaign('?level=district')
  assert.deepEqual(seen.areas.map((area) => [area.code, area.stations, area.checked, area.operators, area.notReminded]), [
    ['750101', 6, 2, { telkomsel: 1, indosat: 1, unknown: 1 }, 4], ['750102', 1, 0, {}, 1], ['750201', 1, 0, {}, 1]])
  assert.deepEqual([seen.total.lastCheckAt, seen.total.fixes], [new Date(now - 61_000 - day_ms).toISOString(), 2])
  assert.equal((await campaign(`?since=${new Date(now - 60 * day_ms).toISOString()}`)).total.checked, 3)
  assert.deepEqual(await listed('?state=checked'), [good, blank])
  assert.equal((await listed('?state=unchecked')).length, 6)

  const order = await server.call<Reminded>('kpu', 'POST', '/v1/campaign/reminders', { area: '7501' })
  assert.deepEqual([order.status, order.body.total, order.body.stations.length, order.body.stations[0]?.village], [200, 5, 5, 'Mustika'])
  const named = await server.call<Reminded>('kpu', 'POST', '/v1/campaign/reminders', { stations: [good, '7501012001777'] })
  assert.deepEqual([named.body.total, named.body.unknown], [1, ['7501012001777']])
  const after = await campaign()
  assert.deepEqual(after.areas.map((area) => [area.reminded, area.notReminded]), [[5, 0], [0, 1]], 'a station that was checked is not counted as reminded')
  assert.deepEqual(await listed('?state=not_reminded'), ['7502012001001'])
  const csv = await server.call('kpu', 'POST', '/v1/campaign/reminders?format=csv', { area: '7502' })
  assert.deepEqual(csv.text.trimEnd().split('\n'), ['station,province,regency,district,village', '7502012001001,Gorontalo,Bone Bolango,Suwawa,Bube'])
  assert.equal((await server.call('bawaslu', 'GET', '/v1/campaign/stations?state=unchecked&format=csv')).text.trimEnd().split('\n').length, 7)
  for (const body of [{}, { area: '7501', stations: [good] }, { area: 7501 }, { stations: [] }]) assert.equal((await server.call('kpu', 'POST', '/v1/campaign/reminders', body)).status, 400, JSON.stringify(body))
  const page = (await server.call<StationReadiness>('kpu', 'GET', `/v1/stations/${good}/readiness`)).body
  assert.deepEqual([page.checks.map((check) => check.operator), page.remindedAt !== null], [['indosat', 'telkomsel'], true])
  const counted = (await server.call<ReadinessSummary>('kpu', 'GET', '/v1/readiness/summary?level=district')).body
  assert.deepEqual(counted.areas.map((area) => area.checked), [2, 0, 0])
  assert.equal((await server.call<ReadinessSummary>('kpu', 'GET', '/v1/readiness/summary')).body.total.checked, 2)
})

test('a report that was committed late is still rolled up, and one seen twice changes nothing', async () => {
  await report(5, '7502012001001', now - 30_000, 'telkomsel', now - 30_000)
  await report(1, good, now - 29_000, 'telkomsel', now - 29_000)
  now += 61_000
  const { body } = await server.call<Campaign>('kpu', 'GET', '/v1/campaign?area=7502')
  assert.deepEqual([body.total.checked, body.total.operators], [1, { telkomsel: 1 }])
})

test('who may do what: the matrix over HTTP', async () => {
  const reads = ['/v1/readiness', '/v1/readiness/summary', `/v1/stations/${good}/readiness`, '/v1/siting/moves'] as const
  const decisions = ['/v1/positions', '/v1/campaign', '/v1/campaign/stations'] as const
  const writes = [['/v1/siting/decisions', []], [`/v1/stations/${good}/position`, {}], ['/v1/positions/x/decision', {}], ['/v1/campaign/reminders', {}]] as const
  const may: Record<Asked, { plan: boolean; decision: boolean; write: boolean; point: boolean; say: boolean }> = {
    komdigi: { plan: true, decision: true, write: false, point: true, say: false }, kpu: { plan: true, decision: true, write: true, point: true, say: false },
    bawaslu: { plan: true, decision: true, write: false, point: true, say: false }, apjii: { plan: false, decision: false, write: false, point: false, say: false },
    telkomsel: { plan: false, decision: false, write: false, point: false, say: false }, bakti: { plan: true, decision: false, write: false, point: true, say: true },
    dinas: { plan: true, decision: true, write: false, point: true, say: false },
  }
  for (const as of Object.keys(may) as Asked[]) {
    const row = may[as]
    const expect = async (allowed: boolean, method: 'GET' | 'POST', path: string, body?: unknown): Promise<void> => {
      const answer = await server.call(as, method, path, body)
      // who may write is told that the body is nothing
      assert.equal(answer.status, !allowed ? 403 : method === 'GET' ? 200 : 400, `${as} ${method} ${path}: ${answer.text}`)
      if (!allowed) assert.equal(answer.body.code, 'not_allowed')
    }
    for (const path of reads) await expect(row.plan, 'GET', path)
    for (const path of decisions) await expect(row.decision, 'GET', path)
    await expect(row.point, 'GET', '/v1/access-points')
    for (const [path, body] of writes) await expect(row.write, 'POST', path, body)
    await expect(row.decision, 'POST', '/v1/siting/what-if', {})
    await expect(row.say, 'POST', '/v1/access-points/AI-1/state', {})
  }
  for (const path of [...reads, ...decisions, '/v1/access-points']) assert.equal((await server.call({ token: 'nobody' }, 'GET', path)).status, 401, path)
})

test('a newer plan takes the place of the old one, which can still be asked for', async () => {
  const client = new pg.Client({ connectionString: server.kit.ownerUrl })
  await client.connect()
  await client.query("SELECT set_config('kawal.role', 'system', false)")
  const newer = await addPlan(client, null)
  await client.end()
  assert.deepEqual([(await page('')).plan.id, (await page('')).total, (await page(`?plan=${plan}`)).plan.id], [newer, 8, plan])
})
