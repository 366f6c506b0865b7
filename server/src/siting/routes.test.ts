import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { MovesPage, SitingAnswer, SitingResults, StationReadiness } from '@kawal/contract/readiness.ts'
import { addPlan, planned, seedPlan } from '@kawal/testkit/plan.ts'
import { withServer, type Answer, type TestServer } from '@kawal/testkit/server.ts'

let server: TestServer
let owner: pg.Client
let edition = ''
const [good = '', blank = '', perhaps = '', served = '', beside = ''] = planned.stations
const { good: sd1, second: sd2, far, nowhere } = planned.venues

before(async () => {
  server = await withServer(Date.now, async (kit) => {
    owner = new pg.Client({ connectionString: kit.ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
    ;({ edition } = await seedPlan(kit.ownerUrl))
  })
})
after(async () => {
  await owner.end()
  await server.close()
})

const item = (station: string, venue: string, decision: string, validFrom = '2029-02-14') => ({ station, venue, decision, validFrom, note: `${decision} in a meeting` })
const decide = (...items: object[]): Promise<Answer<SitingResults>> => server.call<SitingResults>('kpu', 'POST', '/v1/siting/decisions', items)
const refusal = async (...items: object[]): Promise<(string | null)[]> => (await decide(...items)).body.results.map((result) => result.refusal)
async function versions(station: string): Promise<string[]> {
  const { rows } = await owner.query<{ said: string }>(
    `SELECT concat_ws(' ', valid_from, coalesce(valid_to::text, 'open'), position_grade, round(((latitude - 0.6) * 111.195)::numeric, 1)) AS said FROM station WHERE code = $1 ORDER BY valid_from`, [station])
  return rows.map((row) => row.said)
}

test('proposals come with venue, gain and walk, as pages and as CSV', async () => {
  const { body } = await server.call<MovesPage>('bakti', 'GET', '/v1/siting/moves?area=7501')
  assert.deepEqual(body.rows.map((row) => [row.station, row.venue, row.venueKind, row.classBefore, row.classAfter, row.gain, row.walkKm, row.voters, row.decision]), [
    [blank, sd1, 'SD', 'e', 'a', 0.85, 1.1, 250, null], [perhaps, sd2, 'SD', 'c', 'a', 0.4, 1.5, 260, null]])
  assert.equal(body.total, 2)
  const first = (await server.call<MovesPage>('kpu', 'GET', '/v1/siting/moves?limit=1')).body
  assert.deepEqual((await server.call<MovesPage>('kpu', 'GET', `/v1/siting/moves?limit=1&page=${first.next}`)).body.rows.map((row) => row.station), [perhaps])
  const lines = (await server.call('kpu', 'GET', '/v1/siting/moves?format=csv')).text.trimEnd().split('\n')
  assert.deepEqual([lines.length, lines[0]?.split(',').slice(0, 2)], [3, ['station', 'province']])
})

test('what cannot be done says why, and leaves the rest of the list alone', async () => {
  assert.deepEqual(await refusal(
    item('7501012001777', sd1, 'accepted'), item(blank, 'SD-9', 'accepted'), item(blank, far, 'accepted'), item(blank, nowhere, 'accepted'), item(blank, sd1, 'withdrawn'), item(perhaps, sd2, 'refused'), item(good, sd1, 'accepted', '2023-12-31')),
  ['station_unknown', 'venue_unknown', 'venue_elsewhere', 'venue_without_position', 'nothing_to_withdraw', null, 'version_later'])
  assert.deepEqual([await versions(blank), await versions(good)], [['2024-01-01 open village 0.0'], ['2024-01-01 open fix 0.2']])
  const { body } = await server.call<MovesPage>('kpu', 'GET', '/v1/siting/moves?decision=refused')
  assert.deepEqual(body.rows.map((row) => [row.station, row.decision?.decision, row.decision?.decidedBy, row.decision?.note]), [[perhaps, 'refused', 'kpu', 'refused in a meeting']])
  assert.deepEqual((await server.call<MovesPage>('bakti', 'GET', '/v1/siting/moves')).body.rows.map((row) => row.decision), [null, null], 'decisions are not for everybody who reads plans')
  for (const body of [[], {}, [{ ...item(blank, sd1, 'accepted'), validFrom: '2029-02-31' }], [item(blank, sd1, 'maybe')], [{ ...item(blank, sd1, 'accepted'), more: 1 }], [item(blank, sd1, 'accepted'), item(blank, sd1, 'refused')]])
    assert.equal((await server.call('kpu', 'POST', '/v1/siting/decisions', body)).status, 400, JSON.stringify(body))
})

test('an accepted move dates the station; withdrawn, it stands where it stood; every word is kept', async () => {
  const accepted = await decide(item(blank, sd1, 'accepted'), item(blank, sd2, 'accepted'))
  assert.deepEqual([accepted.body.accepted, accepted.body.results.map((result) => result.refusal)], [1, [null, 'station_moves_already']])
  assert.deepEqual(await versions(blank), ['2024-01-01 2029-02-14 village 0.0', '2029-02-14 open venue 0.8'])
  assert.deepEqual(await refusal(item(blank, sd1, 'accepted')), ['accepted_already'])
  assert.deepEqual(await refusal(item(blank, sd1, 'refused')), ['accepted_already'])
  const page = (await server.call<StationReadiness>('kpu', 'GET', `/v1/stations/${blank}/readiness`)).body
  assert.deepEqual([page.position?.grade, page.history.map((version) => [version.validFrom, version.grade]), page.row?.move?.decision?.decision], ['village', [['2029-02-14', 'venue'], ['2024-01-01', 'village']], 'accepted'])
  // before it began: nothing is left of it but the words
  assert.deepEqual(await refusal(item(blank, sd1, 'withdrawn', '2028-01-01')), [null])
  assert.deepEqual(await versions(blank), ['2024-01-01 2029-02-14 village 0.0', '2029-02-14 open village 0.0'])
  assert.deepEqual(await refusal(item(blank, sd1, 'accepted', '2029-02-15')), [null])
  assert.deepEqual(await refusal(item(blank, sd1, 'withdrawn', '2029-03-01')), [null])
  assert.deepEqual((await versions(blank)).slice(1), ['2029-02-14 2029-02-15 village 0.0', '2029-02-15 2029-03-01 venue 0.8', '2029-03-01 open village 0.0'])
  const { rows } = await owner.query<{ decision: string }>('SELECT decision FROM siting_decision WHERE station_code = $1 ORDER BY id', [blank])
  assert.deepEqual(rows.map((row) => row.decision), ['accepted', 'withdrawn', 'accepted', 'withdrawn'])
})

test('a withdrawal leaves a position that was given since', async () => {
  assert.deepEqual(await refusal(item(good, sd2, 'accepted', '2029-01-01')), [null])
  assert.equal((await server.call('kpu', 'POST', `/v1/stations/${good}/position`, { latitude: 0.61, longitude: 122.9, validFrom: '2029-01-15' })).status, 201)
  const { body } = await decide(item(good, sd2, 'withdrawn', '2029-02-01'))
  assert.match(body.results[0]?.detail ?? '', /changed since, and stays/)
  assert.deepEqual((await versions(good)).at(-1), '2029-01-15 open fix 1.1')
})

test('many who accept different venues of one station at once: one is heard, the others are told', async () => {
  const all = await Promise.all(Array.from({ length: 8 }, (_, at) => decide(item(perhaps, at % 2 === 0 ? sd1 : sd2, 'accepted'))))
  assert.deepEqual(all.map((answer) => answer.body.accepted).sort(), [0, 0, 0, 0, 0, 0, 0, 1])
  const { rows } = await owner.query<{ venue: string }>("SELECT venue_id AS venue FROM siting_decision WHERE station_code = $1 AND decision = 'accepted'", [perhaps])
  assert.equal(rows.length, 1)
  assert.deepEqual(await refusal(item(perhaps, rows[0]?.venue ?? '', 'withdrawn')), [null])
})

test('another limit proposes other moves, a pin stands, and nothing is kept', async () => {
  const ask = async (body: object): Promise<SitingAnswer> => {
    const answer = await server.call<SitingAnswer>('komdigi', 'POST', '/v1/siting/what-if', { area: '7501', ...body })
    assert.equal(answer.status, 200, answer.text)
    return answer.body
  }
  const before = await owner.query('SELECT count(*) FROM siting_decision')
  const wide = await ask({ walkKmMax: 2 })
  assert.deepEqual(wide.moves.map((move) => [move.station, move.classBefore, move.classAfter]), [[blank, 'e', 'a'], [served, 'd', 'a'], [beside, 'd', 'a'], [perhaps, 'c', 'a']])
  assert.deepEqual([wide.edition, wide.totals.stations, wide.totals.weak, wide.totals.proposed, wide.totals.proven, wide.moves[0]?.village, wide.moves[0]?.venueName], [edition, 7, 4, 4, true, 'Mustika', '=SD-1 Negeri'])
  assert.deepEqual([(await ask({ walkKmMax: 0.1 })).moves, (await ask({ walkKmMax: 0.1 })).kept['too far']], [[], 4])
  assert.deepEqual((await ask({ walkKmMax: 2, stationsPerVenueMax: 1 })).moves.map((move) => move.venue).sort(), [sd1, sd2, far])
  const pinned = await ask({ walkKmMax: 0.1, pinned: [{ station: blank, venue: sd2 }] })
  assert.deepEqual(pinned.moves.map((move) => [move.station, move.venue]), [[blank, sd2]])
  assert.deepEqual((await ask({ walkKmMax: 2, refused: [{ station: blank, venue: sd1 }, { station: blank, venue: sd2 }] })).moves.map((move) => move.station), [served, beside, perhaps])
  assert.deepEqual((await owner.query('SELECT count(*) FROM siting_decision')).rows, before.rows)
  for (const body of [{ area: '75' }, { area: '7501', walkKmMax: '2' }, { area: '7501', pinned: [{ station: blank, venue: 'SD-9' }] }, { area: '7502', pinned: [{ station: blank, venue: sd1 }] }])
    assert.equal((await server.call('kpu', 'POST', '/v1/siting/what-if', body)).status, 400, JSON.stringify(body))
})

test('a plan of another edition than the present one is not compared with it', async () => {
  const client = new pg.Client({ connectionString: server.kit.ownerUrl })
  await client.connect()
  await client.query("SELECT set_config('kawal.role', 'system', false)")
  await addPlan(client, null)
  await client.end()
  const answer = await server.call('kpu', 'POST', '/v1/siting/what-if', { area: '7501' })
  assert.deepEqual([answer.status, answer.body.code], [409, 'state_conflict'])
})
