import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import pg from 'pg'
import { Compile } from 'typebox/compile'
import { applyPack, canonicalJson, keyId, packVersion, splitPackFile } from '@kawal/contract/pack.ts'
import { Pack, PackDelta, type VerifyingKeys } from '@kawal/contract/sigmon.ts'
import { letterVerifier } from '@kawal/core/measurement/letter.ts'
import { addPlan, north, seedPlan } from '@kawal/testkit/plan.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { deviceToken, stationCode } from '../measurement/enrolment.ts'
import { addApiKey } from '../organisation/sessions.ts'
import { sha256 } from './key.ts'

const checkPack = Compile(Pack)
const checkDelta = Compile(PackDelta)
const start = Date.UTC(2024, 1, 10, 2)
let clock = start
/** Past the time within which a pack is not looked at again. */
const later = (): void => void (clock += 6_000)

async function asOwner(ownerUrl: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  await client.query("SELECT set_config('kawal.role', 'system', false), set_config('kawal.organisation', 'kawal', false)")
  await work(client).finally(() => client.end())
}

let server: TestServer
let owner: pg.Pool
before(async () => {
  server = await withServer(() => clock, async ({ ownerUrl }) => {
    await seedPlan(ownerUrl)
    await asOwner(ownerUrl, (client) => client.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')"))
  })
  owner = new pg.Pool({ connectionString: server.kit.ownerUrl, max: 3 })
})
after(async () => {
  await owner.end()
  await server.close()
})

/** As a phone does it: the key by its own thumbprint, the signature before anything is unpacked. */
async function opened(bytes: Uint8Array<ArrayBuffer>): Promise<unknown> {
  const file = splitPackFile(bytes) ?? assert.fail('no file of a pack')
  const { keys } = await (await fetch(`${server.app.url}/v1/sigmon/keys`)).json() as VerifyingKeys
  const jwk = keys.find((each) => each.kid === file.kid) ?? assert.fail('signed with a key that is not published')
  assert.equal(await keyId(jwk, sha256), file.kid)
  const key = await webcrypto.subtle.importKey('jwk', { kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y }, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
  if (!(await webcrypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, file.signature, file.body))) throw new Error('the signature is not of this body')
  return JSON.parse(gunzipSync(file.body).toString())
}

/** A device's bearer token at a station of this district. */
const tokenAt = (district: string): string => deviceToken(server.app.secret, { id: '1', key: 1, station: `${district}2001001` })
type Headers = Record<string, string>
const fetched = async (path: string, headers: Headers = { authorization: `Bearer ${tokenAt(path.slice(0, 6))}` }): Promise<{ status: number; etag: string; vary: string | null; bytes: Uint8Array<ArrayBuffer> }> => {
  const answer = await fetch(`${server.app.url}/v1/packs/${path}`, { headers })
  return { status: answer.status, etag: answer.headers.get('etag') ?? '', vary: answer.headers.get('vary'), bytes: new Uint8Array(await answer.arrayBuffer()) }
}
async function packOf(district: string, headers?: Headers): Promise<{ pack: Pack; version: string }> {
  const { status, etag, bytes } = await fetched(district, headers)
  assert.equal(status, 200)
  const pack = await opened(bytes)
  assert.ok(checkPack.Check(pack), JSON.stringify(checkPack.Errors(pack).slice(0, 3)))
  const version = await packVersion(pack, sha256)
  assert.equal(etag, `"${version}"`)
  return { pack, version }
}

test('a pack holds what a phone of the district needs, signed, under a version of its content', async () => {
  await server.call('bakti', 'POST', '/v1/access-points/AI-1/state', { working: true, uplinkMbps: 3, note: 'Kunci pada Pak RT' })
  const { pack } = await packOf('750101')
  const degrees = (value: number): number => Math.round(value * 1e5)
  assert.deepEqual(pack.head.operators, [['telkomsel', 'Telkomsel'], ['indosat', 'Indosat Ooredoo Hutchison']])
  assert.deepEqual([pack.head.name, pack.head.regency, pack.head.province, pack.head.zone, pack.head.editionOn], ['Paguyaman', 'Boalemo', 'Gorontalo', 'Asia/Makassar', '2024-02-01'])
  assert.deepEqual(pack.villages['2001'], ['Mustika', degrees(north(0).latitude), degrees(122.9)])
  const verifier = await letterVerifier('7501012002001', stationCode(server.app.secret, '7501012002001'), sha256)
  const [latitude, longitude, grade, readiness, words, best, second, verified, point, slot_start, slot, better_latitude, , operator] = pack.stations['2002001'] ?? assert.fail('the station is missing')
  assert.deepEqual([latitude, longitude, grade, readiness, words, best, second, verified], [degrees(north(10).latitude), degrees(122.9), 'village', 'd', 'tt', null, null, verifier])
  assert.deepEqual([point, slot_start, slot], ['AI-1', 15, 15])
  assert.ok(better_latitude !== null && Math.abs(better_latitude - degrees(north(10).latitude)) < 10_000 && operator === 0, 'a usable cell within 50 km')
  assert.deepEqual(pack.stations['2001001']?.slice(3, 6).concat(pack.stations['2001001'].slice(11, 14)), ['a', 'kk', 0, null, null, null])
  assert.equal(pack.stations['2001001'][14], await letterVerifier('7501012001001', stationCode(server.app.secret, '7501012001001', 'supervisor'), sha256))
  assert.deepEqual(pack.access['AI-1'], ['ai', 'Point AI-1', degrees(north(12).latitude), degrees(122.9), true, new Date(clock).toISOString(), 'Kunci pada Pak RT', 3])
  assert.equal(pack.access['AI-2'], undefined, '31 km from the next village')
  const { rows } = await owner.query<{ count: number }>('SELECT count(*) FROM station_now WHERE code LIKE $1', ['750101%'])
  assert.equal(Object.keys(pack.stations).length, rows[0]?.count)
})

test('a word on an access point, a position, a plan: each makes another version, with a delta from the one before', async () => {
  const first = await packOf('750101')
  assert.equal((await fetched('750101', { authorization: `Bearer ${tokenAt('750101')}`, 'if-none-match': `"${first.version}"` })).status, 304)
  assert.equal((await fetched(`750101?since=${first.version}`)).status, 304)
  const changes: [string, () => Promise<unknown>][] = [
    ['access point', () => server.call('bakti', 'POST', '/v1/access-points/AI-1/state', { working: false, note: 'Modem rusak' })],
    ['position', () => server.call('kpu', 'POST', '/v1/stations/7501012001002/position', { ...north(0.3), validFrom: '2024-02-10' })],
    ['plan', () => asOwner(server.kit.ownerUrl, async (client) => addPlan(client, (await client.query<{ id: string }>('SELECT id FROM edition')).rows[0]?.id ?? null))],
  ]
  let before = first
  for (const [name, change] of changes) {
    await change()
    assert.equal((await fetched('750101')).etag, `"${before.version}"`, `${name}: it is not looked at again within seconds`)
    later()
    const after = await packOf('750101')
    assert.notEqual(after.version, before.version, name)
    const delta = await opened((await fetched(`750101?since=${before.version}`)).bytes)
    assert.ok(checkDelta.Check(delta), JSON.stringify(checkDelta.Errors(delta).slice(0, 3)))
    assert.deepEqual(await applyPack(before.pack, delta, sha256), { ok: true, value: after.pack }, name)
    before = after
  }
  // from the first of all too: it is still kept
  const delta = await opened((await fetched(`750101?since=${first.version}`)).bytes) as PackDelta
  assert.equal(canonicalJson((await applyPack(first.pack, delta, sha256))), canonicalJson({ ok: true, value: before.pack }))
  assert.ok(checkPack.Check(await opened((await fetched(`750101?since=${'0'.repeat(16)}`)).bytes)), 'the whole pack when the version is not kept')
})

test('many phones of one district at once share one build; five versions are kept, and a content that comes back is the newest', async () => {
  const stored = async (): Promise<string[]> => (await owner.query<{ version: string }>("SELECT version FROM pack WHERE district = '750101' AND NOT open ORDER BY id DESC")).rows.map((row) => row.version)
  const [answers, ...others] = await Promise.all([Promise.all(Array.from({ length: 30 }, () => fetched('750101'))), ...['750102', '750201', '999999'].map((district) => fetched(district))])
  assert.deepEqual(others.map(({ status }) => status), [200, 200, 404], 'more districts at once than are built at once')
  assert.equal(new Set(answers.map(({ bytes }) => Buffer.from(bytes).toString('hex'))).size, 1, 'one build has one signature')
  const versions: string[] = []
  for (const [working, note] of [[true, '1'], [false, '1'], [true, '2'], [true, '3'], [true, '4'], [true, '5'], [true, '6']] as const) {
    await owner.query("INSERT INTO access_point_state (access_point_id, organisation_id, working, note, said_at) VALUES ('AI-1', 'bakti', $1, $2, '2024-02-10T00:00:00Z')", [working, note])
    later()
    versions.unshift((await packOf('750101')).version)
  }
  assert.deepEqual(await stored(), versions.slice(0, 5))
  await owner.query("INSERT INTO access_point_state (access_point_id, organisation_id, working, note, said_at) VALUES ('AI-1', 'bakti', true, '4', '2024-02-10T00:00:00Z')")
  later()
  const back = await packOf('750101')
  assert.deepEqual(await stored(), [versions[2], versions[0], versions[1], versions[3], versions[4]])
  assert.equal(back.pack.madeAt, new Date(clock).toISOString(), 'it is newer than what phones hold, so they take it')
})

test('a forged body, another key, a pack of nowhere', async () => {
  const { bytes } = await fetched('750101')
  for (const at of [90, 40, bytes.length - 1]) {
    const forged = bytes.slice()
    forged[at] = (forged[at] ?? 0) ^ 1
    await assert.rejects(opened(forged), /signature/)
  }
  const problem = async (path: string): Promise<[number, string]> => {
    const { status, body } = await server.call<{ code: string }>('kpu', 'GET', `/v1/packs/${path}`)
    return [status, body.code]
  }
  assert.deepEqual([await problem('999999'), await problem('75010'), await problem('750101?since=x')], [[404, 'not_found'], [400, 'body_invalid'], [400, 'body_invalid']])
})

/** Everything that is not a device of the district. */
const strangers = (): [string, Headers][] => [
  ['nobody', {}], ['a device of another district', { authorization: `Bearer ${tokenAt('750102')}` }], ['a token with another mark', { authorization: `Bearer ${tokenAt('750101').slice(0, -3)}abc` }],
  ['a device of another deployment', { authorization: `Bearer ${deviceToken(Buffer.from('another'), { id: '1', key: 1, station: '7501012001001' })}` }], ['a key', { authorization: `Bearer ${telkomsel}` }],
]
let telkomsel = ''
/** Another content of every readiness row of the district, but for the access point that its stations go to. */
const otherReadiness = (): Promise<unknown> => owner.query("UPDATE readiness SET class = 'b', usable = '{30,190}', best = 'indosat', second = 'telkomsel' WHERE station_code LIKE '750101%'")
/** As an import leaves it that changed nothing: packs are built anew. */
const touch = async (): Promise<void> => {
  await owner.query("INSERT INTO import_run (fingerprint, valid_from, phase, started_at) VALUES ('touch', '2024-01-01', 'merged', now())")
  later()
}

test('who is no device of the district gets the open pack: no word on any operator, and none follows from it', async () => {
  telkomsel = await addApiKey(server.app.database, 'telkomsel', clock)
  const whole = await packOf('750101')
  const open = await packOf('750101', {})
  assert.notEqual(open.version, whole.version)
  for (const [who, headers] of strangers()) {
    const { etag, vary } = await fetched('750101', headers)
    assert.deepEqual([etag, vary], [`"${open.version}"`, 'authorization'], who)
  }
  assert.equal((await fetched('750101')).vary, 'authorization')
  const leaves = (value: unknown): unknown[] => (typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [value])
  const words = (pack: Pack): unknown[] => leaves(pack.stations).filter((leaf) => typeof leaf === 'string' && /^[ksltu]+$/.test(leaf))
  assert.deepEqual([words(whole.pack).length, words(open.pack)], [Object.keys(whole.pack.stations).length, []])
  for (const [code, row] of Object.entries(whole.pack.stations)) {
    const [latitude, longitude, grade, , , , , verifier, point, from_min, for_min, , , , supervisor] = row
    assert.deepEqual(open.pack.stations[code], [latitude, longitude, grade, null, '', null, null, verifier, point, from_min, for_min, null, null, null, supervisor])
  }
  assert.deepEqual([open.pack.access, open.pack.villages, open.pack.head], [whole.pack.access, whole.pack.villages, whole.pack.head])
  assert.equal(open.pack.stations['2002001']?.[8], 'AI-1', 'it still says where to go')
  // whatever becomes of the operators' networks, the open pack is the same
  await otherReadiness()
  await touch()
  const [wholeAfter, openAfter] = [await packOf('750101'), await packOf('750101', {})]
  assert.deepEqual([openAfter.version === open.version, wholeAfter.version === whole.version], [true, false])
})

test('deltas and tags never lead from one kind to the other', async () => {
  const [whole, open] = [await packOf('750101'), await packOf('750101', {})]
  await server.call('bakti', 'POST', '/v1/access-points/AI-1/state', { working: true, note: 'Buka jam 7' })
  later()
  const token = { authorization: `Bearer ${tokenAt('750101')}` }
  const kind = async (path: string, headers: Headers): Promise<string> => Buffer.from((await fetched(path, headers)).bytes.subarray(0, 4)).toString()
  const now = await packOf('750101')
  assert.deepEqual([await kind(`750101?since=${whole.version}`, token), await kind(`750101?since=${open.version}`, {})], ['KSD1', 'KSD1'])
  for (const [since, headers] of [[open.version, token], [whole.version, {}], [now.version, {}]] as const) assert.equal(await kind(`750101?since=${since}`, headers), 'KSP1')
  for (const headers of [{ 'if-none-match': `"${now.version}"` }, { ...token, 'if-none-match': `"${(await packOf('750101', {})).version}"` }]) assert.equal((await fetched('750101', headers)).status, 200)
  const delta = await opened((await fetched(`750101?since=${open.version}`, {})).bytes) as PackDelta
  assert.deepEqual(Object.keys(delta.patch as object), ['access'])
})

test('a million districts that there are not cost one look at the register in five seconds', async () => {
  const { query } = server.app.database.pool
  const { transaction } = server.app.database
  let asked = 0
  const pool = server.app.database.pool as { query: unknown }
  const database = server.app.database as { transaction: unknown }
  pool.query = function (this: unknown, ...args: unknown[]) {
    asked++
    return Reflect.apply(query, this, args) as unknown
  }
  database.transaction = (...args: unknown[]) => {
    asked++
    return Reflect.apply(transaction, server.app.database, args) as unknown
  }
  later()
  const answers = await Promise.all(Array.from({ length: 200 }, (_, at) => fetched(String(800_000 + at), {}))).finally(() => {
    pool.query = query
    database.transaction = transaction
  })
  assert.ok(answers.every(({ status }) => status === 404))
  assert.equal(asked, 1)
})

test('without a plan or an edition a pack says so and holds the stations all the same', async () => {
  await owner.query('UPDATE plan SET finished = false')
  await owner.query('DELETE FROM access_point_state')
  await owner.query('DELETE FROM access_point')
  later()
  const { pack } = await packOf('750101')
  assert.deepEqual([pack.head.plan, pack.head.edition, Object.keys(pack.access)], [null, null, []])
  assert.deepEqual(pack.stations['2001001']?.slice(2, 5), ['fix', null, 'u'.repeat(pack.head.operators.length)])
  assert.ok(pack.head.operators.length >= 3)
  const { pack: empty } = await packOf('750201')
  assert.equal(empty.head.name, 'Suwawa')
})
