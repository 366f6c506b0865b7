import assert from 'node:assert/strict'
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { after, before, test } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import pg from 'pg'
import type { DeviceKey, Enrolled } from '@kawal/contract/report.ts'
import { enrolmentClaim, formatLetterCode, readLetterCode } from '@kawal/core/measurement/letter.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { answerProblems } from '../problem.ts'
import { stationReader } from '../register/lookup.ts'
import { loadSynthetic } from '../register/synthetic.ts'
import { enrolmentRoutes } from './enrolment-routes.ts'
import { deploymentSecret, readDeviceToken, stationCode } from './enrolment.ts'

let kit: TestDatabase
let owner: pg.Pool
let app: FastifyInstance
let secret: Buffer
let stations: string[] = []
let clock = Date.UTC(2029, 1, 14, 2)

before(async () => {
  kit = await withDatabase()
  owner = new pg.Pool({ connectionString: kit.ownerUrl, max: 2 })
  await loadSynthetic(owner, '75', 1)
  stations = (await owner.query<{ code: string }>('SELECT code FROM station_now ORDER BY code LIMIT 20')).rows.map((row) => row.code)
  secret = await deploymentSecret(kit.database)
  app = fastify()
  answerProblems(app)
  enrolmentRoutes(app, { database: kit.database, secret, clock: () => clock, stationOf: stationReader(kit.database) })
})
after(async () => {
  await app.close()
  await owner.end()
  await kit.close()
})

/** Each test at a station of its own: a station takes no end of devices. */
const freshStation = (): string => stations.pop() ?? assert.fail('more stations are needed')
const enrol = (station: string, code: string, more: object = {}) => app.inject({ method: 'POST', url: '/v1/devices', payload: { station, code, ...more } })
const problemOf = (answer: { json: <T>() => T }): string => answer.json<{ code: string }>().code

interface Phone { readonly key: DeviceKey; proof(station: string, code?: string): string }
function phone(kind: 'P-256' | 'Ed25519'): Phone {
  const { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject } = kind === 'P-256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
  return {
    key: publicKey.export({ format: 'jwk' }) as DeviceKey,
    proof: (station, code = stationCode(secret, station)) => sign(kind === 'P-256' ? 'sha256' : null, enrolmentClaim(station, code), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
  }
}
const devicesOf = async (station: string): Promise<number> => (await owner.query<{ count: number }>('SELECT count(*) FROM device WHERE station_code = $1', [station])).rows[0]?.count ?? -1

test('a letter has 80 bits and a check, read however it is typed', async () => {
  const station = freshStation()
  const code = stationCode(secret, station)
  assert.deepEqual(readLetterCode(code), { ok: true, value: code })
  for (const typed of [code, formatLetterCode(code), formatLetterCode(code).toLowerCase().replaceAll('0', 'o').replaceAll('-', ' ')]) assert.equal((await enrol(station, typed)).statusCode, 201, typed)
  assert.equal(new Set(stations.map((each) => stationCode(secret, each))).size, stations.length)
})

for (const kind of ['P-256', 'Ed25519'] as const)
  test(`a phone with a key of ${kind} is the same device however often it asks, and takes one place`, async () => {
    const station = freshStation()
    const { key, proof } = phone(kind)
    const answers = await Promise.all(Array.from({ length: 6 }, () => enrol(station, stationCode(secret, station), { key, proof: proof(station) })))
    assert.deepEqual(answers.map((answer) => answer.statusCode).sort(), [200, 200, 200, 200, 200, 201])
    const [first, ...others] = answers.map((answer) => answer.json<Enrolled>())
    for (const other of others) assert.deepEqual(other, first)
    assert.equal(readDeviceToken(secret, first?.token ?? '')?.station, station)
    assert.equal(await devicesOf(station), 1)
    const { rows } = await owner.query<{ public_key: Buffer }>('SELECT public_key FROM device WHERE station_code = $1', [station])
    assert.equal(rows[0]?.public_key.subarray(-32).toString('base64url'), kind === 'P-256' ? key.y : key.x)
  })

test('two devices of a station with one key do not fit into the table', async () => {
  const station = freshStation()
  const insert = (number: number): Promise<unknown> => owner.query(`INSERT INTO device (id, station_code, number, enrolled_at, public_key) VALUES (gen_random_uuid(), $1, $2, now(), $3)`, [station, number, Buffer.alloc(32, 1)])
  await insert(1)
  await assert.rejects(insert(2), /device_station_code_public_key_key/)
})

test('an officer who moved is a new device of the other station, and the old one goes on', async () => {
  const [from, to] = [freshStation(), freshStation()]
  const { key, proof } = phone('P-256')
  const [first, second, again] = [await enrol(from, stationCode(secret, from), { key, proof: proof(from) }), await enrol(to, stationCode(secret, to), { key, proof: proof(to) }), await enrol(from, stationCode(secret, from), { key, proof: proof(from) })]
  assert.deepEqual([first.statusCode, second.statusCode, again.statusCode], [201, 201, 200])
  assert.notEqual(first.json<Enrolled>().device, second.json<Enrolled>().device)
  assert.equal(first.json<Enrolled>().token, again.json<Enrolled>().token)
})

test("a proof is of this key, for this station and this code; a key is a point of its curve", async () => {
  const [station, other] = [freshStation(), freshStation()]
  const code = stationCode(secret, station)
  for (const kind of ['P-256', 'Ed25519'] as const) {
    const [own, stolen] = [phone(kind), phone(kind)]
    const wrong = [
      { key: own.key, proof: stolen.proof(station) }, { key: own.key, proof: own.proof(other) }, { key: own.key, proof: own.proof(station, stationCode(secret, other)) },
      { key: own.key, proof: own.proof(station).slice(2) }, { key: own.key, proof: '' }, { key: { ...own.key, x: `${own.key.x.slice(0, -2)}zz` }, proof: own.proof(station) },
      { key: { ...own.key, x: 'AAAA' }, proof: own.proof(station) }, { key: { ...own.key, kty: kind === 'P-256' ? 'OKP' : 'EC' }, proof: own.proof(station) },
    ]
    for (const more of wrong) {
      const answer = await enrol(station, code, more)
      assert.deepEqual([answer.statusCode, problemOf(answer)], [403, 'proof_wrong'], JSON.stringify(more))
    }
    for (const more of [{ key: own.key }, { proof: own.proof(station) }]) assert.equal(problemOf(await enrol(station, code, more)), 'body_invalid')
  }
  assert.equal(await devicesOf(station), 0)
})

test('a station takes 21 devices, also when they come at once; who is one of them is heard all the same', async () => {
  const station = freshStation()
  const known = phone('P-256')
  const asKnown = (): ReturnType<typeof enrol> => enrol(station, stationCode(secret, station), { key: known.key, proof: known.proof(station) })
  const answers = await Promise.all([...Array.from({ length: 20 }, () => enrol(station, stationCode(secret, station))), asKnown()])
  assert.deepEqual(new Set(answers.map((answer) => answer.statusCode)), new Set([201]))
  const fresh = phone('P-256')
  for (const full of [await enrol(station, stationCode(secret, station)), await enrol(station, stationCode(secret, station), { key: fresh.key, proof: fresh.proof(station) })])
    assert.deepEqual([full.statusCode, problemOf(full)], [409, 'station_full'])
  assert.equal((await asKnown()).statusCode, 200)
})

test('a wrong code is refused, guessing stops after 20 tries, and the pause ends; a slip of the finger is no guess', async () => {
  const station = freshStation()
  const [right, wrong] = [stationCode(secret, station), stationCode(secret, freshStation())]
  assert.equal(problemOf(await enrol('9999999999999', wrong)), 'station_unknown')
  for (let slips = 0; slips < 30; slips++) {
    const [mistyped, short] = [await enrol(station, `${right.slice(0, 15)}${right[15] === 'Z' ? 'Y' : 'Z'}${right.slice(16)}`), await enrol(station, right.slice(0, 12))]
    assert.deepEqual([problemOf(mistyped), problemOf(short)], ['code_wrong', 'code_wrong'])
    assert.match(mistyped.json<{ detail: string }>().detail, /mistyped/)
    assert.match(short.json<{ detail: string }>().detail, /17 symbols/)
  }
  for (let tries = 0; tries < 20; tries++) assert.equal(problemOf(await enrol(station, wrong)), 'code_wrong')
  const stopped = await enrol(station, right)
  assert.deepEqual([stopped.statusCode, stopped.headers['retry-after']], [429, '600'])
  clock += 10 * 60_000 + 1
  assert.equal((await enrol(station, right)).statusCode, 201)
})
