import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { envelope_type, list_type } from '@kawal/contract/handing-in.ts'
import { writePhotos } from '@kawal/core/recap/photo.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { recapPhone, seedRecaps, type RecapPhone } from '@kawal/testkit/recap-phone.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { deviceToken, enrolKey } from '../measurement/enrolment.ts'

/** What a disk may answer, put into Node's own file handles: everything above them is the program as it runs. */
const now = Date.UTC(2029, 1, 14, 9)
const [station = ''] = planned.stations
let server: TestServer
let phone: RecapPhone
let token = ''
let folder = ''
let handles: Pick<FileHandle, 'datasync' | 'writev'>
let real: Pick<FileHandle, 'datasync' | 'writev'>
const fatal: unknown[] = []

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kawal-disk-'))
  const probe = await open(join(folder, 'probe'), 'w')
  handles = Object.getPrototypeOf(probe) as FileHandle
  real = { datasync: handles.datasync, writev: handles.writev }
  await probe.close()
  server = await withServer(() => now, seedRecaps, { recaps: { photos: join(folder, 'photos') }, fatal: (error) => void fatal.push(error) })
  phone = await recapPhone(station)
  const enrolled = await enrolKey(server.app.database, station, phone.publicKey, now)
  assert.ok(enrolled !== null)
  token = deviceToken(server.app.secret, enrolled.device)
})
afterEach(() => {
  Object.assign(handles, real)
  fatal.length = 0
})
after(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const failing = (code: string) => (): Promise<never> => Promise.reject(Object.assign(new Error(code), { code, syscall: code === 'ENOSPC' ? 'writev' : 'fdatasync' }))
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
const send = (bytes: Buffer): Promise<Response> => fetch(`${server.app.url}/v1/recaps`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': envelope_type }, body: bytes })
const patch = (address: string, from: number, bytes: Buffer): Promise<Response> =>
  fetch(`${server.app.url}/v1/photos/${address}`, { method: 'PATCH', headers: { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0', 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' }, body: bytes })
const offsetOf = async (address: string): Promise<number> => Number((await fetch(`${server.app.url}/v1/photos/${address}`, { method: 'HEAD', headers: { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' } })).headers.get('upload-offset'))

async function expected(bytes: Buffer): Promise<string> {
  const list = writePhotos([{ page: 1, shot: 1, kind: 'original', size_bytes: bytes.length, sha256: sha256(bytes) }])
  const record = await phone.record({ photos: sha256(list) })
  assert.equal((await send(record)).status, 201)
  assert.equal((await fetch(`${server.app.url}/v1/recaps/${sha256(record).toString('hex')}/photos`, { method: 'PUT', headers: { authorization: `Bearer ${token}`, 'content-type': list_type }, body: Buffer.from(list) })).status, 204)
  return `${sha256(bytes).toString('hex')}-${bytes.length}`
}

test('what is answered for was synced: the file itself, then the folder that names it', { skip: !existsSync('/proc/self/fd') }, async () => {
  const bytes = randomBytes(5_000)
  const synced: string[] = []
  handles.datasync = function (this: FileHandle) {
    synced.push(readlinkSync(`/proc/self/fd/${this.fd}`).replace(/.*\/(?=[^/]+\/[^/]+$)/, ''))
    return real.datasync.call(this)
  }
  const address = await expected(bytes)
  assert.match(synced.join(' '), /ledger\/draft-[0-9a-f-]+ \S+\/ledger/)
  synced.length = 0
  assert.equal((await patch(address, 0, bytes.subarray(0, 2_000))).status, 204)
  assert.deepEqual(synced.slice(-2).map((path) => path.endsWith('.part')), [true, false], synced.join(' '))
  synced.length = 0
  assert.equal((await patch(address, 2_000, bytes.subarray(2_000))).status, 204)
  assert.deepEqual(synced.map((path) => path.endsWith('.part')), [true, false], synced.join(' '))
})

test('after a first piece that failed, what is told to be there has a name that outlives a stop', { skip: !existsSync('/proc/self/fd') }, async () => {
  const bytes = randomBytes(5_000)
  const address = await expected(bytes)
  handles.writev = failing('ENOSPC') as never
  assert.equal((await patch(address, 0, bytes.subarray(0, 2_000))).status, 507)
  handles.writev = async function (this: FileHandle, pieces: readonly Buffer[]) {
    await real.writev.call(this, [(pieces[0] as Buffer).subarray(0, 900)])
    throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'writev' })
  } as never
  assert.equal((await patch(address, 0, bytes.subarray(0, 2_000))).status, 500)
  handles.writev = real.writev
  const synced: string[] = []
  handles.datasync = function (this: FileHandle) {
    synced.push(readlinkSync(`/proc/self/fd/${this.fd}`))
    return real.datasync.call(this)
  }
  assert.equal((await patch(address, 900, bytes.subarray(900, 2_000))).status, 204)
  assert.ok(synced.some((path) => !path.endsWith('.part')), synced.join(' '))
})

test('fsync fails for a photo: it is not acknowledged, and the process is to end', async () => {
  const bytes = randomBytes(5_000)
  const address = await expected(bytes)
  handles.datasync = failing('EIO')
  assert.equal((await patch(address, 0, bytes)).status, 500)
  assert.equal(fatal.length, 1)
})

test('the disk is full for a photo: 507, and it goes on from what is there', async () => {
  const bytes = randomBytes(5_000)
  const address = await expected(bytes)
  assert.equal((await patch(address, 0, bytes.subarray(0, 2_000))).status, 204)
  handles.writev = failing('ENOSPC') as never
  const answer = await patch(address, 2_000, bytes.subarray(2_000))
  assert.deepEqual([answer.status, answer.headers.has('retry-after')], [507, true])
  Object.assign(handles, real)
  assert.equal(await offsetOf(address), 2_000)
  assert.equal((await patch(address, 2_000, bytes.subarray(2_000))).status, 204)
  assert.equal(fatal.length, 0)
})

test('the disk is full for the signer: nobody is answered; with room again it is the same entry, once', async () => {
  const bytes = await phone.record()
  const writeFile = (handles as FileHandle).writeFile
  ;(handles as FileHandle).writeFile = failing('ENOSPC') as never
  const refused = await send(bytes)
  assert.deepEqual([refused.status, refused.headers.has('retry-after')], [507, true])
  ;(handles as FileHandle).writeFile = writeFile
  const first = await send(bytes)
  assert.equal(first.status, 200, 'it was in the log already')
  const again = await send(bytes)
  assert.equal(await again.text(), await first.text())
  assert.equal(fatal.length, 0)
})

test('fsync fails for the signer: no receipt, and the process is to end', async () => {
  const bytes = await phone.record()
  handles.datasync = failing('EIO')
  assert.equal((await send(bytes)).status, 500)
  assert.equal(fatal.length, 1)
})
