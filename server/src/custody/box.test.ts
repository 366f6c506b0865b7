import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import pino from 'pino'
import { envelope_type, key_header, list_type } from '@kawal/contract/handing-in.ts'
import type { StationRecaps } from '@kawal/contract/recap.ts'
import type { BoxRows } from '@kawal/contract/recap-overview.ts'
import { readVerifierKey } from '@kawal/core/ledger/key.ts'
import { logAlone } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { writePhotos, type Photo } from '@kawal/core/recap/photo.ts'
import { startFaultProxy, type FaultProxy } from '@kawal/testkit/fault-proxy.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { recapPhone, seedRecaps, type RecapPhone } from '@kawal/testkit/recap-phone.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { sha256, verifyEd25519 } from '../ledger/cryptography.ts'
import { enrolKey, stationCode } from '../measurement/enrolment.ts'
import { startBox, type Box } from './box.ts'

let now = Date.UTC(2029, 1, 14, 9)
const [station = '', point = ''] = planned.stations
let platform: TestServer
let line: FaultProxy
let kit: TestDatabase
let folder = ''
let box: Box
let phone: RecapPhone

const open = (): Promise<Box> => startBox({
  database: kit.database, clock: () => now, log: pino({ level: 'silent' }), host: '127.0.0.1', port: 0, folder: join(folder, 'keys'), photos: join(folder, 'photos'), origin: 'kotak.example/ledger',
  up: `http://127.0.0.1:${line.port}`, station: point, code: stationCode(platform.app.secret, point),
})

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kawal-box-'))
  platform = await withServer(() => now, seedRecaps)
  line = await startFaultProxy({ to: { host: '127.0.0.1', port: Number(new URL(platform.app.url).port) } })
  kit = await withDatabase()
  box = await open()
  phone = await recapPhone(station)
  writeFileSync(join(folder, 'keys', 'other-key'), `${(await (await fetch(`${box.url}/ledger/key`)).text()).trim()}\n`)
  assert.ok((await enrolKey(platform.app.database, station, phone.publicKey, now)) !== null)
})
after(async () => {
  await box.stop()
  await kit.close()
  await line.close()
  await platform.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => line.set({}))

const hexOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const handIn = (bytes: Buffer, more: Record<string, string> = { [key_header]: phone.publicKey.toString('base64url') }): Promise<Response> =>
  fetch(`${box.url}/v1/recaps`, { method: 'POST', headers: { 'content-type': envelope_type, ...more }, body: new Uint8Array(bytes) })
const atPlatform = async (): Promise<StationRecaps> => {
  await platform.app.recapsIdle()
  return (await platform.call<StationRecaps>('komdigi', 'GET', `/v1/stations/${station}/recaps`)).body
}
async function holds(at: string, envelope: Buffer, receipt: string): Promise<boolean> {
  const key = readVerifierKey((await (await fetch(`${at}/ledger/key`)).text()).trim(), sha256)
  assert.ok(key.ok)
  return (await verifyReceipt(writeEntry({ kind: 'recap', envelope }), receipt, logAlone(key.value), { sha256, verify: verifyEd25519 })).ok
}

/** A record with photos of these sizes, handed to the box whole. */
async function unload(sizes: readonly number[]): Promise<{ hash: string; bytes: Buffer; custody: string; ids: readonly string[] }> {
  const files = sizes.map((size) => randomBytes(size))
  const list = writePhotos(files.map((file, at): Photo => ({ page: 1 + at, shot: 1, kind: at === 0 ? 'preview' : 'original', size_bytes: file.length, sha256: sha256(file) })))
  const bytes = await phone.record({ photos: sha256(list) })
  const answer = await handIn(bytes)
  assert.equal(answer.status, 201)
  const hash = hexOf(bytes)
  assert.equal((await fetch(`${box.url}/v1/recaps/${hash}/photos`, { method: 'PUT', headers: { 'content-type': list_type }, body: new Uint8Array(list) })).status, 204)
  const ids = files.map((file) => `${hexOf(file)}-${file.length}`)
  for (const [at, file] of files.entries())
    for (let from = 0; from < file.length; from += 262_144)
      assert.equal((await fetch(`${box.url}/v1/photos/${ids[at]}`, { method: 'PATCH', headers: { 'tus-resumable': '1.0.0', 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' }, body: new Uint8Array(file.subarray(from, from + 262_144)) })).status, 204)
  return { hash, bytes, custody: await answer.text(), ids }
}

test('while the line is dead phones unload and get a receipt of custody that holds; when it is back all of it goes out once', async () => {
  await line.set({ mode: 'cut' })
  const { hash, bytes, custody } = await unload([60_000, 700_000])
  assert.ok(await holds(box.url, bytes, custody))
  assert.equal(await holds(platform.app.url, bytes, custody), false, 'it is no receipt of the platform')
  await box.turn()
  assert.equal((await fetch(`${box.url}/v1/recaps/${hash}/logged`)).status, 503)
  assert.equal((await atPlatform()).records.length, 0)
  await line.set({})
  await box.turn()
  assert.equal((await atPlatform()).records.length, 0, 'the line is left alone for a while')
  now += 20 * 60_000
  await box.turn()
  const { records, slots } = await atPlatform()
  assert.deepEqual([records.map((each) => [each.hash, each.reason]), slots.map(({ state }) => state)], [[[hash, null]], ['single']])
  assert.deepEqual(records[0]?.photos?.map(({ kind, kept }) => [kind, kept]), [['preview', true], ['original', true]])
  const [told] = (await platform.call<BoxRows>('komdigi', 'GET', '/v1/boxes')).body.rows
  assert.deepEqual([told?.station, told?.origin, told?.entries, told?.records, told?.lists, told?.photoBytes], [point, 'kotak.example/ledger', 1, 0, 1, 760_000], 'it tells behind its records and before photos')
  const logged = await (await fetch(`${box.url}/v1/recaps/${hash}/logged`)).text()
  assert.ok(await holds(platform.app.url, bytes, logged))
  assert.equal(await (await handIn(bytes)).text(), custody, 'the same again has the same receipt')
})

test('the line breaks in each request, and the box is started anew: nothing is lost and nothing is there twice', async () => {
  const before = (await atPlatform()).records.length
  await line.set({ mode: 'cut' })
  const all = [await unload([50_000, 900_000]), await unload([50_000, 300_000])]
  await line.set({ lose_every: 2 })
  for (let turns = 0; turns < 60; turns++) {
    now += 15 * 60_000
    await box.turn()
    if (turns % 10 === 4) {
      await box.stop()
      box = await open()
    }
  }
  await line.set({})
  now += 20 * 60_000
  await box.turn()
  const { records } = await atPlatform()
  assert.equal(records.length, before + all.length)
  for (const { hash } of all) assert.deepEqual(records.find((each) => each.hash === hash)?.photos?.map(({ kept }) => kept), [true, true], hash)
})

test('what a portal on the way answers is no receipt, nor is one of another ledger than was first met', async () => {
  assert.equal(await box.meet(), true)
  await line.set({ mode: 'portal' })
  const { hash } = await unload([1_000])
  await box.turn()
  await line.set({})
  await box.stop()
  const path = join(folder, 'keys', 'platform-key')
  const met = readFileSync(path, 'utf8')
  writeFileSync(path, readFileSync(join(folder, 'keys', 'other-key'), 'utf8'))
  box = await open()
  now += 20 * 60_000
  await box.turn()
  assert.equal((await fetch(`${box.url}/v1/recaps/${hash}/logged`)).status, 503, 'it is carried, and nothing proves it')
  await box.stop()
  writeFileSync(path, met)
  box = await open()
  now += 20 * 60_000
  await box.turn()
  assert.equal((await fetch(`${box.url}/v1/recaps/${hash}/logged`)).status, 200)
})

test('a phone that the platform does not know yet: its record goes with its key, and waits there for its enrolment', async () => {
  const stranger = await recapPhone(station)
  const bytes = await stranger.record()
  assert.equal((await handIn(bytes, { [key_header]: stranger.publicKey.toString('base64url') })).status, 201)
  await box.turn()
  await box.idle()
  const { records } = await atPlatform()
  assert.equal(records.find(({ hash }) => hash === hexOf(bytes))?.reason, 'key_unknown')
})

test('a record without its key, and bytes that are none, are refused; a page of another origin may ask', async () => {
  const bytes = await phone.record()
  assert.equal((await handIn(bytes, {})).status, 409)
  assert.equal((await handIn(Buffer.from('no record'))).status, 400)
  const asked = await fetch(`${box.url}/v1/recaps`, { method: 'OPTIONS', headers: { origin: 'https://kawal.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,recap-key' } })
  assert.deepEqual([asked.status, asked.headers.get('access-control-allow-origin'), /recap-key/.test(asked.headers.get('access-control-allow-headers') ?? '')], [204, '*', true])
  assert.equal((await fetch(`${box.url}/v1/stations/${station}/recaps`)).status, 404)
})

test('the platform refuses the letter: the box keeps everything, and says what is wrong', async () => {
  const other = await withDatabase()
  const said: string[] = []
  const strange = await startBox({
    database: other.database, clock: () => now, log: pino({ level: 'error' }, { write: (text: string) => void said.push(text) }), host: '127.0.0.1', port: 0, folder: join(folder, 'other'), photos: join(folder, 'other-photos'), origin: 'lain.example/ledger',
    up: platform.app.url, station: point, code: stationCode(platform.app.secret, station),
  })
  try {
    const bytes = await phone.record()
    assert.equal((await fetch(`${strange.url}/v1/recaps`, { method: 'POST', headers: { 'content-type': envelope_type, [key_header]: phone.publicKey.toString('base64url') }, body: new Uint8Array(bytes) })).status, 201)
    await strange.turn()
    assert.match(said.join(''), /does not enrol this box at station/)
  } finally {
    await strange.stop()
    await other.close()
  }
})
