import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { envelope_type, list_type } from '@kawal/contract/handing-in.ts'
import type { StationRecaps } from '@kawal/contract/recap.ts'
import type { RecapCompleteness, RecapGaps } from '@kawal/contract/completeness.ts'
import type { BoxRows, RecapConflicts, RecapOverview, StuckRecaps } from '@kawal/contract/recap-overview.ts'
import { contestOn, impactDefaults } from '@kawal/core/impact/defaults.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { createCompleteness } from '@kawal/core/recap/completeness.ts'
import { writePhotos } from '@kawal/core/recap/photo.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { recapPhone, seedRecaps, type RecapPhone } from '@kawal/testkit/recap-phone.ts'
import { presidential } from '@kawal/testkit/recaps.ts'
import { scratch } from '@kawal/testkit/scratch.ts'
import { startReceiver, type Receiver } from '@kawal/testkit/receiver.ts'
import { withServer, type Asked, type TestServer } from '@kawal/testkit/server.ts'
import { readLog } from '../cli/read-log.ts'
import { sha256 as hashOf } from '../ledger/cryptography.ts'
import { deviceToken, enrolKey } from '../measurement/enrolment.ts'
import { readReceiverList } from './receiver-list.ts'

/** 12.58 in Gorontalo (WITA), where voting ends at 13.00. */
let now = Date.UTC(2029, 1, 14, 4, 58)
const [first = '', second = ''] = planned.stations
const far = '7502012001001'
let server: TestServer
let receiver: Receiver
const phones = new Map<string, { phone: RecapPhone; token: string; key: number }>()

before(async () => {
  receiver = await startReceiver('rahasia')
  server = await withServer(() => now, async (kit) => {
    await seedRecaps(kit)
    const owner = new pg.Client({ connectionString: kit.ownerUrl })
    await owner.connect()
    await owner.query("UPDATE organisation SET area_code = '7502' WHERE id = 'dinas'")
    await owner.end()
  }, { impact: { ...impactDefaults, contests: [...impactDefaults.contests, contestOn('2029-02-14', 'test')] }, recaps: { receiver: { url: receiver.url, token: 'rahasia' }, contests: { ppwp: { ceiling: 300 }, dpd: { ceiling: 300 } } } })
  for (const [name, station] of [['one', first], ['two', first], ['three', second], ['far', far]] as const) {
    const phone = await recapPhone(station)
    const device = await enrolKey(server.app.database, station, phone.publicKey, now)
    assert.ok(device !== null)
    phones.set(name, { phone, token: deviceToken(server.app.secret, device.device), key: device.device.key })
  }
})
after(async () => {
  await server.close()
  await receiver.close()
})

const of = (name: string) => phones.get(name) ?? assert.fail(name)
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
async function send(name: string, more: Parameters<RecapPhone['record']>[0] = {}): Promise<Buffer> {
  const bytes = await of(name).phone.record(more)
  assert.equal((await fetch(`${server.app.url}/v1/recaps`, { method: 'POST', headers: { authorization: `Bearer ${of(name).token}`, 'content-type': envelope_type }, body: new Uint8Array(bytes) })).status, 201)
  return bytes
}
async function pass(minutes: number): Promise<void> {
  now += minutes * minute_ms
  await server.app.tick(now)
  await server.app.recapsIdle()
}
const overview = async (query = '', as: Asked = 'komdigi'): Promise<RecapOverview> => {
  const { status, body } = await server.call<RecapOverview>(as, 'GET', `/v1/recaps/overview${query}`)
  assert.equal(status, 200)
  return body
}
const stuck = async (kind: string): Promise<StuckRecaps> => (await server.call<StuckRecaps>('bawaslu', 'GET', `/v1/recaps/stuck?kind=${kind}`)).body

test('what is due goes by the time of the place: nothing before 13.00 there, every slot from then on', async () => {
  await pass(0)
  const early = await overview()
  assert.deepEqual([early.day, early.stations, early.total.expected, early.total.due, early.total.overdue, early.rows.map(({ code, due }) => [code, due])], ['2029-02-14', 8, 16, 0, 0, [['75', 0]]])
  assert.deepEqual(early.zones.map(({ zone, countingFrom, resultsDueAt }) => [zone, countingFrom, resultsDueAt]), [['Asia/Makassar', '2029-02-14T05:00:00.000Z', '2029-02-14T12:00:00.000Z']])
  await pass(3)
  assert.deepEqual([(await overview()).total.due, (await overview('?contest=ppwp')).total.due, (await overview()).total.overdue], [16, 8, 0])
})

test('records, corrections, conflicts and quarantine are counted down to the station, and delivery when the receiver has taken all', async () => {
  receiver.fault = () => 'busy'
  const wrong = await send('one')
  await send('one', { replaces: sha256(wrong) })
  await send('far')
  await send('three', { totals: presidential.totals.map(() => 999) })
  await send('three')
  await pass(1)
  const country = await overview()
  assert.deepEqual([country.total.recorded, country.total.delivered, country.total.conflicts, country.total.quarantine, country.asOf !== null], [3, 0, 0, { totals_impossible: 1 }, true])
  assert.deepEqual(country.contests.map(({ contest, recorded }) => [contest, recorded]), [['ppwp', 3], ['dpd', 0]])
  for (const [area, rows] of [['75', [['7501', 2], ['7502', 1]]], ['7501', [['750101', 2], ['750102', 0]]], ['750101', [['7501012001', 2], ['7501012002', 0]]], ['7501012001', [[first, 1], [second, 1], ['7501012001003', 0]]]] as const)
    assert.deepEqual((await overview(`?area=${area}`)).rows.map(({ code, recorded }) => [code, recorded]), rows, area)
  receiver.fault = () => 'none'
  await pass(20)
  await pass(1)
  assert.deepEqual([(await overview()).total.delivered, (await overview('?area=7501012001')).rows.map(({ delivered }) => delivered)], [3, [1, 1, 0]])
  await send('two', { totals: presidential.totals.map((each) => (each === null ? null : each + 1)) })
  await pass(1)
  assert.equal((await overview()).total.conflicts, 1)
  const { body } = await server.call<RecapConflicts>('kpu', 'GET', '/v1/recaps/conflicts')
  assert.deepEqual(body.rows.map(({ station, contest, sameTotals, records }) => [station, contest, sameTotals, records.map(({ device }) => device).sort()]), [[first, 'ppwp', false, [1, 2]]])
  const [one, other] = body.rows[0]?.records ?? []
  assert.ok(one?.totals != null && other?.totals != null && JSON.stringify(one.totals) !== JSON.stringify(other.totals))
  assert.equal((await server.call<RecapConflicts>('kpu', 'GET', '/v1/recaps/conflicts?area=7502')).body.rows.length, 0)
})

test('a slot has its photos when every one of the newest record is here, and says what is lacking until then', async () => {
  const photo = randomBytes(5_000)
  const list = writePhotos([{ page: 1, shot: 1, kind: 'original', size_bytes: photo.length, sha256: sha256(photo) }])
  const hash = sha256(await send('far', { contest: 'dpd', photos: sha256(list) })).toString('hex')
  const { token } = of('far')
  const headers = { authorization: `Bearer ${token}` }
  await pass(61)
  const lacking = (await stuck('photos')).rows.find((row) => row.hash === hash)
  assert.deepEqual([lacking?.photosKept, lacking?.photosListed, lacking?.mend], [null, null, 'officer'])
  assert.equal((await fetch(`${server.app.url}/v1/recaps/${hash}/photos`, { method: 'PUT', headers: { ...headers, 'content-type': list_type }, body: new Uint8Array(list) })).status, 204)
  assert.deepEqual((await stuck('photos')).rows.filter((row) => row.hash === hash).map(({ photosKept, photosListed }) => [photosKept, photosListed]), [[0, 1]])
  assert.equal((await fetch(`${server.app.url}/v1/photos/${sha256(photo).toString('hex')}-${photo.length}`, { method: 'PATCH', headers: { ...headers, 'tus-resumable': '1.0.0', 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }, body: new Uint8Array(photo) })).status, 204)
  await pass(1)
  assert.deepEqual([(await overview('?area=7502')).total.photosWhole, (await overview()).total.photosWhole], [1, 1])
  assert.equal((await stuck('photos')).rows.some((row) => row.hash === hash), false)
})

test('what is stuck is listed with its reason, what mends it and since when; pages follow each other, and CSV has the same', async () => {
  const { rows } = await stuck('quarantine')
  assert.deepEqual(rows.map(({ station, reason, mend }) => [station, reason, mend]), [[second, 'totals_impossible', 'paper']])
  assert.match(rows[0]?.detail ?? '', /is 999, and a station has at most 300/)
  receiver.fault = () => 'busy'
  await send('three', { contest: 'dpd' })
  await send('far', { contest: 'dpd' })
  await pass(11)
  const page = (await server.call<StuckRecaps>('komdigi', 'GET', '/v1/recaps/stuck?kind=delivery&limit=1')).body
  const next = (await server.call<StuckRecaps>('komdigi', 'GET', `/v1/recaps/stuck?kind=delivery&limit=1&page=${page.next}`)).body
  assert.deepEqual([page.rows.map(({ station }) => station), next.rows.map(({ station }) => station), next.next, page.rows[0]?.mend], [[second], [far], null, 'receiver'])
  assert.equal((await server.call('komdigi', 'GET', '/v1/recaps/stuck?page=xx!')).status, 400)
  assert.equal((await server.call('komdigi', 'GET', '/v1/recaps/stuck?page=eHg')).status, 400)
  assert.match((await server.call('komdigi', 'GET', '/v1/recaps/stuck?kind=quarantine&format=csv')).text, /^kind,code,hash,station[^\n]*\nquarantine,/)
  assert.match((await server.call('komdigi', 'GET', '/v1/recaps/overview?format=csv')).text, /^code,name,zone[^\n]*\n75,Gorontalo,Asia\/Makassar,8,16,16,/)
})

test('KPU, the ministry and Bawaslu read; an operator nothing; a helpdesk its own area alone', async () => {
  for (const as of ['komdigi', 'kpu', 'bawaslu'] as const) assert.equal((await overview('', as)).total.recorded, 5, as)
  for (const path of ['/v1/recaps/overview', '/v1/recaps/stuck', '/v1/recaps/conflicts', '/v1/boxes']) for (const as of ['telkomsel', 'bakti', 'apjii'] as const) assert.equal((await server.call(as, 'GET', path)).status, 403, `${as} ${path}`)
  const own = await overview('?area=75', 'dinas')
  assert.deepEqual(own.rows.map(({ code, recorded }) => [code, recorded]), [['7501', 0], ['7502', 2]])
  assert.equal((await server.call<StationRecaps>('dinas', 'GET', `/v1/stations/${first}/recaps`)).body.records.length, 0)
  assert.deepEqual((await server.call<StuckRecaps>('dinas', 'GET', '/v1/recaps/stuck?kind=delivery')).body.rows.map(({ station }) => station), [far])
  assert.deepEqual((await server.call<RecapConflicts>('dinas', 'GET', '/v1/recaps/conflicts')).body.rows.map(({ station }) => station), [far])
  assert.equal((await server.call('komdigi', 'GET', '/v1/recaps/overview?area=99')).status, 404)
  assert.equal((await server.call('komdigi', 'GET', '/v1/recaps/overview?wilayah=75')).status, 400)
})

test('a box says what it still carries; unheard for a while it is stale; what is no such body is refused', async () => {
  const told = { at: new Date(now - 90_000).toISOString(), origin: 'kotak-x/ledger', key: 'kotak-x/ledger+1+A', entries: 12, records: 2, lists: 1, photoBytes: 34_000_000, oldestAt: new Date(now - 3_600_000).toISOString() }
  const { token } = of('three')
  assert.equal((await server.call({ token }, 'PUT', '/v1/boxes/self', { ...told, records: -1 })).status, 400)
  assert.equal((await server.call({ token: 'x' }, 'PUT', '/v1/boxes/self', told)).body.code, 'device_unknown')
  assert.equal((await server.call({ token }, 'PUT', '/v1/boxes/self', told)).status, 204)
  const boxes = async (as: Asked = 'komdigi'): Promise<BoxRows> => (await server.call<BoxRows>(as, 'GET', '/v1/boxes')).body
  const [box] = (await boxes()).rows
  assert.deepEqual([box?.station, box?.place, box?.records, box?.photoBytes, box?.clockOff_ms, box?.isStale], [second, 'Mustika, Paguyaman, Boalemo', 2, 34_000_000, -90_000, false])
  assert.equal((await boxes('dinas')).rows.length, 0)
  now += 16 * minute_ms
  assert.equal((await boxes()).rows[0]?.isStale, true)
})

const lacks = async (query = '', as: Asked = 'bawaslu'): Promise<RecapCompleteness> => (await server.call<RecapCompleteness>(as, 'GET', `/v1/recaps/completeness${query}`)).body
const gaps = async (kind: string, more = '', as: Asked = 'bawaslu'): Promise<RecapGaps['rows']> => (await server.call<RecapGaps>(as, 'GET', `/v1/recaps/completeness/gaps?kind=${kind}${more}`)).body.rows

test('what lacks: numbers that a phone gave and nobody has, until they come; numbers given twice; what boxes carry; what nobody recorded', async () => {
  receiver.fault = () => 'none'
  const { phone, token } = of('two')
  const before = await phone.record()
  const unsent = await phone.record()
  const lost = await phone.record()
  const named = sha256(await send('two'))
  const first_of = await send('three')
  const copied = await send('three', { sequence: 4, previous: sha256(before) })
  await pass(6)
  await pass(1)
  assert.deepEqual((await gaps('missing')).map(({ station, sequence, until, hash, detail, mend }) => [station, sequence, until, hash, detail, mend]), [
    [second, 3, 3, sha256(before).toString('hex'), sha256(copied).toString('hex'), 'officer'], [first, 2, 4, sha256(lost).toString('hex'), named.toString('hex'), 'officer'],
  ])
  assert.deepEqual((await gaps('branch')).map(({ hash, detail, sequence, station }) => [hash, detail, sequence, station]), [[sha256(copied).toString('hex'), sha256(first_of).toString('hex'), 4, second]])
  assert.deepEqual((await gaps('custody')).map(({ station, detail, records, mend }) => [station, detail, records, mend]), [[second, 'kotak-x/ledger', 2, 'box']])
  const all = await lacks()
  assert.deepEqual(all.total, { custody: 2, missing: 2, branch: 1, quarantine: 1, undelivered: 0, photos: 5, empty: 11 })
  assert.deepEqual([all.compared.due, all.compared.recorded, all.compared.boxes, all.compared.receiver, all.linkedAt !== null, all.countedAt !== null], [16, 5, 1, true, true, true])
  assert.deepEqual((await lacks('?area=75')).rows.map(({ code, missing, empty }) => [code, missing, empty]), [['7501', 2, 11], ['7502', 0, 0]])
  assert.deepEqual([await gaps('missing', '&area=7502'), await gaps('branch', '&area=7502'), await gaps('custody', '&area=7502'), (await gaps('missing', '&area=7501')).length], [[], [], [], 2])
  const empty = await gaps('empty', '&area=7501')
  assert.deepEqual([empty.length, empty[0]?.station, empty[0]?.contest, empty[0]?.mend], [11, first, 'dpd', 'officer'])
  const hand = (bytes: Buffer): Promise<Response> => fetch(`${server.app.url}/v1/recaps`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': envelope_type }, body: new Uint8Array(bytes) })
  for (const record of [lost, before]) assert.equal((await hand(record)).status, 201)
  await pass(1)
  assert.deepEqual((await gaps('missing')).map(({ sequence, until, hash }) => [sequence, until, hash]), [[3, 3, sha256(unsent).toString('hex')]])
  assert.equal((await hand(unsent)).status, 201)
  await pass(1)
  assert.deepEqual([await gaps('missing'), (await lacks()).total.missing], [[], 0])
  // what is kept and does not count is told of itself, not as a slot without a record
  await send('one', { contest: 'dpd', totals: presidential.totals.map(() => 999) })
  await pass(1)
  await pass(1)
  assert.deepEqual([(await lacks()).total.empty, (await gaps('empty')).length, (await gaps('quarantine')).map(({ contest }) => contest)], [10, 10, ['dpd', 'ppwp']])
})

test('what lacks is for those who read recaps, a helpdesk its own area; pages follow each other, CSV has all of a kind', async () => {
  for (const path of ['/v1/recaps/completeness', '/v1/recaps/completeness/gaps']) for (const as of ['telkomsel', 'bakti', 'apjii'] as const) assert.equal((await server.call(as, 'GET', path)).status, 403, `${as} ${path}`)
  const own = await lacks('', 'dinas')
  assert.deepEqual([own.area.code, own.compared.due, own.total.empty, own.total.missing, own.total.branch, own.total.custody], ['7502', 2, 0, 0, 0, 0])
  assert.equal((await server.call('dinas', 'GET', '/v1/recaps/completeness?area=7501')).status, 404)
  assert.deepEqual([await gaps('empty', '&area=7501', 'dinas'), (await gaps('photos', '', 'dinas')).map(({ station }) => station)], [[], [far]])
  const seen: string[] = []
  for (let page = ''; ;) {
    const { body } = await server.call<RecapGaps>('kpu', 'GET', `/v1/recaps/completeness/gaps?kind=empty&limit=2${page}`)
    seen.push(...body.rows.map(({ station, contest }) => `${station} ${contest}`))
    if (body.next === null) break
    page = `&page=${body.next}`
  }
  assert.deepEqual([seen.length, new Set(seen).size], [10, 10])
  assert.equal((await server.call('kpu', 'GET', '/v1/recaps/completeness/gaps?kind=empty&format=csv')).text.trim().split('\n').length, 11)
  assert.deepEqual((await gaps('quarantine')).map(({ station, detail, mend }) => [station, detail, mend]), [[first, 'totals_impossible', 'paper'], [second, 'totals_impossible', 'paper']])
  assert.equal((await server.call('kpu', 'GET', '/v1/recaps/completeness?area=99')).status, 404)
})

test('who compares the log and the receiver’s own list from outside finds what the platform says of itself', async () => {
  const file = join(scratch('receiver-list'), 'kpu.ndjson')
  writeFileSync(file, receiver.list())
  await pass(1)
  const report = createCompleteness({ sha256: hashOf, stations: planned.stations.concat(far), contests: { ppwp: { ceiling: 300 }, dpd: { ceiling: 300 } } })
  for await (const line of readReceiverList(file)) report.received(line)
  const { size } = await readLog(`${server.app.url}/ledger`, undefined, report.entry)
  assert.ok(size === report.counts.entries && report.counts.received > 5 && report.counts.received === receiver.held().length)
  const found = [...report.gaps()].filter(({ kind }) => kind !== 'empty')
  const [branch] = await gaps('branch')
  // the copied record names another phone's as the one before it, which the platform does not look for
  assert.deepEqual(found.map(({ kind, station, hash, detail }) => [kind, station, kind === 'branch' ? detail : hash === branch?.hash ? 'the copied one' : detail]).sort(), [['branch', second, branch?.hash], ['chain', second, 'the copied one'], ['quarantine', first, 'totals_impossible'], ['quarantine', second, 'totals_impossible']])
})
