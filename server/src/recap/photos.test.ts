import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Upload } from 'tus-js-client'
import { envelope_type, list_type } from '@kawal/contract/handing-in.ts'
import type { RecapState } from '@kawal/contract/recap.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { writePhotos, type Photo } from '@kawal/core/recap/photo.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { recapPhone, seedRecaps, type RecapPhone } from '@kawal/testkit/recap-phone.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { deviceToken, enrolKey } from '../measurement/enrolment.ts'
import { photoFiles } from './photo-files.ts'
import { createPhotoStore, type PhotoId } from './photo-store.ts'

let now = Date.UTC(2029, 1, 14, 9)
const [station = ''] = planned.stations
const chunk = 262_144
let server: TestServer
let phone: RecapPhone
let token = ''
let folder = ''

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kawal-photos-'))
  server = await withServer(() => now, seedRecaps, { recaps: { photos: join(folder, 'photos') } })
  phone = await recapPhone(station)
  const enrolled = await enrolKey(server.app.database, station, phone.publicKey, now)
  assert.ok(enrolled !== null)
  token = deviceToken(server.app.secret, enrolled.device)
})
after(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
interface Sent { readonly hash: string; readonly photos: readonly { readonly bytes: Buffer; readonly address: string }[]; readonly list: Uint8Array }

/** A record with photos of these sizes, sent with its list. */
async function record(sizes: readonly number[], withList = true): Promise<Sent> {
  const files = sizes.map((size) => randomBytes(size))
  const list = writePhotos(files.map((bytes, at): Photo => ({ page: 1 + at, shot: 1, kind: 'original', size_bytes: bytes.length, sha256: sha256(bytes) })))
  const bytes = await phone.record({ photos: sha256(list) })
  const headers = { authorization: `Bearer ${token}` }
  assert.equal((await fetch(`${server.app.url}/v1/recaps`, { method: 'POST', headers: { ...headers, 'content-type': envelope_type }, body: bytes })).status, 201)
  const hash = sha256(bytes).toString('hex')
  if (withList) assert.equal((await putList(hash, list)).status, 204)
  return { hash, list, photos: files.map((file) => ({ bytes: file, address: `${sha256(file).toString('hex')}-${file.length}` })) }
}

const putList = (hash: string, list: Uint8Array): Promise<Response> => fetch(`${server.app.url}/v1/recaps/${hash}/photos`, { method: 'PUT', headers: { authorization: `Bearer ${token}`, 'content-type': list_type }, body: Buffer.from(list) })

const tus = (method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: Buffer): Promise<Response> =>
  fetch(`${server.app.url}/v1/photos${path}`, { method, headers: { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0', ...headers }, ...(body === undefined ? {} : { body }) })

const offsetOf = async (address: string): Promise<number> => Number((await tus('HEAD', `/${address}`)).headers.get('upload-offset'))
const patch = (address: string, from: number, body: Buffer): Promise<Response> => tus('PATCH', `/${address}`, { 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' }, body)
const pathOf = (address: string): string => join(folder, 'photos', address.slice(0, 2), address)

/** Sends a request's head and so many bytes of its body, and breaks the line. */
function breakOff(address: string, from: number, body: Buffer, at: number): Promise<void> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(server.app.url)
    const sending = request({ hostname, port, method: 'PATCH', path: `/v1/photos/${address}`, headers: { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0', 'upload-offset': from, 'content-type': 'application/offset+octet-stream', 'content-length': body.length } })
    sending.on('error', () => undefined).on('close', () => resolve())
    sending.write(body.subarray(0, at), () => setImmediate(() => sending.destroy()))
  })
}

/** Until the request that broke off has let go of the photo. */
async function settled(address: string): Promise<number> {
  for (;;) {
    const answer = await tus('HEAD', `/${address}`)
    if (answer.status !== 423) return Number(answer.headers.get('upload-offset'))
  }
}

test('tus-js-client sends photos in chunks of 256 KB; each is under its name, and the record says so', async () => {
  const { hash, photos } = await record([860_000, chunk, chunk - 1, chunk + 1, 1])
  for (const { bytes } of photos) await new Promise<void>((resolve, reject) => {
    new Upload(bytes, {
      endpoint: `${server.app.url}/v1/photos`, chunkSize: chunk, retryDelays: null, headers: { authorization: `Bearer ${token}` }, metadata: { sha256: sha256(bytes).toString('hex') },
      onSuccess: () => resolve(), onError: reject,
    }).start()
  })
  for (const { bytes, address } of photos) {
    assert.ok(readFileSync(pathOf(address)).equals(bytes))
    assert.equal(existsSync(`${pathOf(address)}.part`), false)
    assert.equal(await offsetOf(address), bytes.length)
    assert.equal((await patch(address, bytes.length, Buffer.alloc(0))).status, 204)
  }
  now += 2 * minute_ms
  await server.app.tick(now)
  await server.app.recapsIdle()
  const { body } = await server.call<RecapState>({ token }, 'GET', `/v1/recaps/${hash}`)
  assert.deepEqual(body.photos?.map(({ page, size, kept }) => [page, size, kept]), photos.map(({ bytes }, at) => [at + 1, bytes.length, true]))
})

test('cut at 60 offsets, and on every edge: what came stays, and at most one chunk is sent again', async () => {
  const random = seeded(3)
  const { photos: [photo] } = await record([60 * chunk + 777])
  assert.ok(photo !== undefined)
  const { bytes, address } = photo
  let [offset, cuts, sent] = [0, 0, 0]
  /** Never less than was there, and never what was not sent. */
  const known = (there: number, least: number, most: number): number => {
    assert.ok(there >= least && there <= most, `${there} of ${least} to ${most}`)
    return there
  }
  while (offset < bytes.length) {
    const piece = bytes.subarray(offset, Math.min(offset + chunk, bytes.length))
    if (cuts < 60) {
      const at = cuts % 6 === 0 ? 0 : cuts % 6 === 1 ? piece.length - 1 : Math.floor(random() * piece.length)
      await breakOff(address, offset, piece, at)
      cuts++
      sent = Math.max(sent, offset + at)
      if (cuts % 3 !== 0) {
        // What is on the way still may come after this look: the next bytes are told so.
        offset = known(await settled(address), offset, sent)
        continue
      }
    }
    const answer = await patch(address, offset, bytes.subarray(offset, Math.min(offset + chunk, bytes.length)))
    const there = Number(answer.headers.get('upload-offset'))
    assert.ok([204, 409, 423].includes(answer.status))
    if (answer.status === 409) offset = known(there, offset, sent)
    if (answer.status === 204) offset = there
    sent = Math.max(sent, offset)
  }
  assert.equal(cuts, 60)
  assert.ok(readFileSync(pathOf(address)).equals(bytes))
})

test('two at once: one goes on, the other is told to wait; the wrong place is told the right one', async () => {
  const { photos: [photo] } = await record([3 * chunk])
  assert.ok(photo !== undefined)
  const { bytes, address } = photo
  const answers = await Promise.all([0, 1, 2].map(() => patch(address, 0, bytes.subarray(0, chunk))))
  assert.equal(answers.filter(({ status }) => status === 204).length, 1)
  assert.ok(answers.every(({ status }) => [204, 409, 423].includes(status)))
  assert.equal(existsSync(pathOf(address)), false, 'under its name only when all of it is there')
  const wrong = await patch(address, 5, bytes.subarray(5, 9))
  assert.deepEqual([wrong.status, wrong.headers.get('upload-offset')], [409, String(chunk)])
  assert.equal((await patch(address, chunk, Buffer.concat([bytes.subarray(chunk), Buffer.of(1)]))).status, 413)
  assert.equal((await patch(address, await settled(address), bytes.subarray(await settled(address)))).status, 204)
  assert.ok(readFileSync(pathOf(address)).equals(bytes))
})

test('other bytes than the hash names are put aside, never under its name; the right ones then come from the beginning', async () => {
  const { photos: [photo] } = await record([1_000])
  assert.ok(photo !== undefined)
  const { bytes, address } = photo
  const answer = await patch(address, 0, Buffer.alloc(1_000))
  assert.deepEqual([answer.status, (await answer.json() as { code: string }).code], [460, 'photo_other'])
  assert.equal(existsSync(pathOf(address)), false)
  assert.ok(existsSync(`${pathOf(address)}.other`))
  assert.equal(await offsetOf(address), 0)
  assert.equal((await patch(address, 0, bytes)).status, 204)
})

test('a stop between the last byte and the name is made good; a file that lost its end goes on from there', async () => {
  const inner = join(folder, 'stopped')
  const bytes = randomBytes(3_000)
  const id = { sha256: sha256(bytes).toString('hex'), size: bytes.length }
  const body = async function* (part: Buffer): AsyncGenerator<Buffer> { yield await Promise.resolve(part) }
  const fileOf = (photo: PhotoId): string => join(inner, photo.sha256.slice(0, 2), `${photo.sha256}-${photo.size}`)
  const store = createPhotoStore(photoFiles(inner))
  assert.equal((await store.append(id, 0, body(bytes.subarray(0, 2_000)))).offset, 2_000)
  truncateSync(`${fileOf(id)}.part`, 1_500)
  assert.equal(await store.offset(id), 1_500)
  const restarted = createPhotoStore(photoFiles(inner))
  writeFileSync(`${fileOf(id)}.part`, bytes)
  assert.equal(await restarted.offset(id), 3_000)
  assert.ok(readFileSync(fileOf(id)).equals(bytes))
  // and with the hash in memory of more bytes than the file has
  const other = { sha256: sha256(Buffer.from('abcdef')).toString('hex'), size: 6 }
  await store.append(other, 0, body(Buffer.from('abcd')))
  truncateSync(`${fileOf(other)}.part`, 2)
  assert.equal((await store.append(other, 2, body(Buffer.from('cdef')))).offset, 6)
})

test('who is told that all is there is told so by what is kept: a stop came between the last byte and its answer', async () => {
  const { hash, photos: [photo] } = await record([700])
  assert.ok(photo !== undefined)
  mkdirSync(join(folder, 'photos', photo.address.slice(0, 2)), { recursive: true })
  writeFileSync(`${pathOf(photo.address)}.part`, photo.bytes)
  const answer = await patch(photo.address, 0, photo.bytes)
  assert.deepEqual([answer.status, answer.headers.get('upload-offset')], [409, '700'])
  await server.app.recapsIdle()
  const state = await (await fetch(`${server.app.url}/v1/recaps/${hash}`, { headers: { authorization: `Bearer ${token}` } })).json() as RecapState
  assert.deepEqual(state.photos?.map(({ kept }) => kept), [true], 'nobody asks again for what is there')
})

test('bytes that another program wrote are synced before anybody is told that they are there', async () => {
  const files = photoFiles(join(folder, 'synced'))
  const synced: string[] = []
  const told = { ...files, sync: async (name: string) => {
    await files.sync(name)
    synced.push(name)
  } }
  const bytes = randomBytes(500)
  const id = { sha256: sha256(bytes).toString('hex'), size: bytes.length }
  const body = async function* (part: Buffer): AsyncGenerator<Buffer> { yield await Promise.resolve(part) }
  await createPhotoStore(told).append(id, 0, body(bytes.subarray(0, 300)))
  assert.deepEqual(synced, [])
  const restarted = createPhotoStore(told)
  assert.equal(await restarted.offset(id), 300)
  assert.equal(synced.length, 1, 'who wrote them may have ended before he synced')
  assert.equal((await restarted.append(id, 300, body(bytes.subarray(300)))).offset, 500)
})

test('only what a list names is taken, and only the list that the record names', async () => {
  const { hash, list, photos: [photo] } = await record([100], false)
  assert.ok(photo !== undefined)
  assert.equal((await patch(photo.address, 0, photo.bytes)).status, 409)
  assert.equal((await tus('POST', '', { 'upload-length': '100', 'upload-metadata': `sha256 ${Buffer.from(photo.address.slice(0, 64)).toString('base64')}` })).status, 409)
  assert.equal((await putList(hash, writePhotos([]))).status, 400)
  assert.equal((await putList('0'.repeat(64), list)).status, 404)
  for (const round of [1, 2]) assert.equal((await putList(hash, list)).status, 204, `round ${round}`)
  assert.equal((await tus('POST', '', { 'upload-length': '100', 'upload-metadata': `name eA==,sha256 ${Buffer.from(photo.address.slice(0, 64)).toString('base64')}` })).headers.get('location'), `/v1/photos/${photo.address}`)
  assert.equal((await tus('PATCH', `/${photo.address}`, { 'tus-resumable': '0.2.2', 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }, photo.bytes)).status, 412)
  assert.equal((await tus('HEAD', '/x')).status, 404)
  assert.equal((await tus('OPTIONS', '')).headers.get('tus-version'), '1.0.0')
})
