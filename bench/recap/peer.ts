import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { Agent, request, type IncomingHttpHeaders } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { envelope_type, list_type } from '@kawal/contract/handing-in.ts'
import { signRecap } from '@kawal/core/recap/envelope.ts'
import { writePhotos, type Photo } from '@kawal/core/recap/photo.ts'
import { chunk_bytes } from '@kawal/core/recap/sending.ts'
import { freePort } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import { presidential } from '@kawal/testkit/recaps.ts'
import { serve, startPeer, type Running } from '../ingest/processes.ts'
import { Missing } from '../missing.ts'
import { enrolPhones, type Enrolled } from './world.ts'
import { inLanes } from './wire.ts'

const pairs = 6
const photos_each = 40
const photo_bytes = 3_000_000
const at_once = 8

interface Peer { readonly ratio: number; readonly ours_ms_per_mb: number; readonly theirs_ms_per_mb: number }

/** @throws Missing where the peer is not there */
export function needTus(): void {
  const { resolve } = createRequire(import.meta.url)
  try {
    for (const name of ['@tus/server', '@tus/file-store']) resolve(name)
  } catch {
    throw new Missing('The peer is missing: @tus/server and @tus/file-store (npm install, with development dependencies).')
  }
}

/**
 * The same photos in chunks of 256 KB through ours and through @tus/server with its file store, by turns. Ours are on disk and
 * hashed before they are acknowledged, and the database's time counts too; theirs are in the page cache.
 */
export async function againstTus(seed: number, say: (text: string) => void): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-tus-'))
  const agent = new Agent({ keepAlive: true, maxSockets: at_once })
  try {
    const [officer] = await enrolPhones(join(folder, 'ours'), 1, seed)
    if (officer === undefined) throw new Error('nobody was enrolled')
    const [port, peerPort] = [await freePort(), await freePort()]
    const directory = join(folder, 'theirs')
    mkdirSync(directory)
    const ours = await serve(join(folder, 'ours'), port)
    const theirs = await startPeer(process.execPath, [join(import.meta.dirname, 'tus-peer.ts'), directory, String(peerPort)], peerPort, () => fetch(`http://127.0.0.1:${peerPort}/files`, { method: 'OPTIONS' }).then(({ ok }) => ok, () => false))
    try {
      const spent = { ours_s: 0, theirs_s: 0 }
      const mb_each = (photos_each * photo_bytes) / 1e6
      for (let nth = 0; nth <= pairs; nth++) {
        const photos = Array.from({ length: photos_each }, () => randomBytes(photo_bytes))
        const list = await announce(agent, port, officer, photos, nth + 1)
        const ways = [() => cpuOf(ours, () => toOurs(agent, port, officer, photos, list)), () => cpuOf(theirs, () => toTheirs(agent, peerPort, photos))] as const
        // Who begins changes from pair to pair.
        const [first, second] = nth % 2 === 0 ? [await ways[0](), await ways[1]()] : [await ways[1](), await ways[0]()]
        const [one, other] = nth % 2 === 0 ? [first, second] : [second, first]
        for (const path of ['ours/photos', 'theirs']) removeFiles(join(folder, path))
        say(`peer: ${nth === 0 ? 'warm-up' : `pair ${nth}`}, ours ${((one * 1000) / mb_each).toFixed(2)} ms/MB, theirs ${((other * 1000) / mb_each).toFixed(2)}`)
        if (nth === 0) continue
        spent.ours_s += one
        spent.theirs_s += other
      }
      return { ratio: spent.ours_s / spent.theirs_s, ours_ms_per_mb: (spent.ours_s * 1000) / (pairs * mb_each), theirs_ms_per_mb: (spent.theirs_s * 1000) / (pairs * mb_each) }
    } finally {
      await ours.stop()
      await theirs.stop()
    }
  } finally {
    agent.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Disks are not filled by a measurement; folders stay, since a server remembers that it made them. */
function removeFiles(path: string): void {
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) if (entry.isFile()) rmSync(join(entry.parentPath, entry.name))
}

async function cpuOf(server: Running, work: () => Promise<void>): Promise<number> {
  const before = server.cpu()
  await work()
  const after = server.cpu()
  return after.server_s - before.server_s + after.database_s - before.database_s
}

/** The record that the photos belong to, which is measured elsewhere. */
async function announce(agent: Agent, port: number, { station, token, signer }: Enrolled, photos: readonly Buffer[], sequence: number): Promise<{ readonly hash: string; readonly bytes: Uint8Array }> {
  const bytes = writePhotos(photos.map((photo, at): Photo => ({ page: 1 + at, shot: 1, kind: 'original', size_bytes: photo.length, sha256: sha256(photo) })))
  const record = await signRecap({ ...presidential, station, photos: sha256(bytes), sequence, previous: sequence === 1 ? null : presidential.previous }, signer)
  await ask(agent, port, 'POST', '/v1/recaps', { authorization: `Bearer ${token}`, 'content-type': envelope_type }, record, [201])
  return { hash: hexOf(sha256(record)), bytes }
}

async function toOurs(agent: Agent, port: number, { token }: Enrolled, photos: readonly Buffer[], list: { readonly hash: string; readonly bytes: Uint8Array }): Promise<void> {
  const own = { authorization: `Bearer ${token}` }
  await ask(agent, port, 'PUT', `/v1/recaps/${list.hash}/photos`, { ...own, 'content-type': list_type }, list.bytes, [204])
  await inLanes(at_once, photos.length, async (nth) => {
    const photo = photos[nth] as Buffer
    await patchAll(agent, port, `/v1/photos/${hexOf(sha256(photo))}-${photo.length}`, photo, own)
  })
}

const toTheirs = (agent: Agent, port: number, photos: readonly Buffer[]): Promise<void> => inLanes(at_once, photos.length, async (nth) => {
  const photo = photos[nth] as Buffer
  const { location = '' } = await ask(agent, port, 'POST', '/files', { 'tus-resumable': '1.0.0', 'upload-length': String(photo.length) }, new Uint8Array(), [201])
  await patchAll(agent, port, new URL(location, `http://127.0.0.1:${port}`).pathname, photo, {})
})

async function patchAll(agent: Agent, port: number, path: string, photo: Buffer, own: Readonly<Record<string, string>>): Promise<void> {
  for (let from = 0; from < photo.length; from += chunk_bytes)
    await ask(agent, port, 'PATCH', path, { ...own, 'tus-resumable': '1.0.0', 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' }, photo.subarray(from, from + chunk_bytes), [204])
}

function ask(agent: Agent, port: number, method: string, path: string, headers: Readonly<Record<string, string>>, body: Uint8Array, wanted: readonly number[]): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    const sending = request({ agent, host: '127.0.0.1', port, method, path, headers: { ...headers, 'content-length': body.length } }, (answer) => {
      answer.resume().on('end', () => (wanted.includes(answer.statusCode ?? 0) ? resolve(answer.headers) : reject(new Error(`${method} ${path} was answered ${answer.statusCode}`))))
    })
    sending.on('error', reject).end(body)
  })
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
