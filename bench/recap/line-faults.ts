import { randomBytes } from 'node:crypto'
import { list_type } from '@kawal/contract/handing-in.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { chunk_bytes, nextPiece } from '@kawal/core/recap/sending.ts'
import { writePhotos, type Photo } from '@kawal/core/recap/photo.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import { startFaultProxy, type FaultProxy } from '@kawal/testkit/fault-proxy.ts'
import type { History } from './history.ts'
import type { Kit } from './kit.ts'
import { exchange, inLanes, recapRequest, requestOf } from './wire.ts'

const lanes = 32
const lost_answers = 1_000
const rounds = 200
const at_once = 64
/** Longer than answers become while the log grows in a run. */
const answer_more_bytes = 120

async function withLines<T>(kit: Kit, count: number, work: (lines: readonly FaultProxy[]) => Promise<T>): Promise<T> {
  const lines = await Promise.all(Array.from({ length: count }, () => startFaultProxy({ to: { host: '127.0.0.1', port: kit.port() } })))
  try {
    return await work(lines)
  } finally {
    for (const line of lines) await line.close()
  }
}

/** Sends a record over a line that breaks after so many bytes, both ways together, then over one that does not. */
async function cutOnce(kit: Kit, history: History, line: FaultProxy, token: string, record: Buffer, after_bytes: number): Promise<void> {
  const hash = history.sent(record)
  await line.set({ dropAfter_bytes: after_bytes })
  for (const port of [line.port, kit.port()]) {
    const heard = await exchange(port, recapRequest(token, record))
    if (heard !== null) history.answered(hash, heard)
  }
}

/** The connection is cut at every byte of a request with totals, and of its answer. */
export async function cutTotals(kit: Kit, history: History): Promise<number> {
  const phone = await kit.enrol()
  const first = await phone.record()
  const request_bytes = recapRequest(phone.token, first).length
  const heard = await exchange(kit.port(), recapRequest(phone.token, first))
  const cuts = request_bytes + (heard?.bytes ?? 0) + answer_more_bytes
  await withLines(kit, lanes, (lines) => inLanes(lanes, cuts, async (nth, lane) => cutOnce(kit, history, lines[lane] as FaultProxy, phone.token, await phone.record(), nth)))
  return cuts
}

/** The record is committed, and no byte of the answer arrives. */
export async function loseAnswers(kit: Kit, history: History): Promise<number> {
  const phone = await kit.enrol()
  await withLines(kit, lanes, (lines) => inLanes(lanes, lost_answers, async (_, lane) => {
    const record = await phone.record()
    await cutOnce(kit, history, lines[lane] as FaultProxy, phone.token, record, recapRequest(phone.token, record).length)
  }))
  return lost_answers
}

/** The same record 64 times in the same moment. */
export async function sendAtOnce(kit: Kit, history: History): Promise<number> {
  const phone = await kit.enrol()
  for (let round = 0; round < rounds; round++) {
    const record = await phone.record()
    const hash = history.sent(record)
    const request = recapRequest(phone.token, record)
    for (const heard of await Promise.all(Array.from({ length: at_once }, () => exchange(kit.port(), request)))) {
      if (heard === null) throw new Error('a line broke that nobody cut')
      history.answered(hash, heard)
    }
  }
  return rounds
}

/** Where each piece of a photo is cut: before its first byte, behind its last, or somewhere. */
const photos = [{ chunks: 20, cut: 'before' }, { chunks: 20, cut: 'behind' }, { chunks: 45, cut: 'within' }, { chunks: 45, cut: 'within' }, { chunks: 45, cut: 'within' }] as const

/**
 * Photos are cut at every edge of their chunks, on both sides of the answer, and at more than 200 places between. Each goes on as Sigmon does: a small piece from the
 * same place, and a conflict says from where.
 * @returns the cuts, and how much was sent in vain for one of them at most, in chunks
 */
export async function cutPhotos(kit: Kit, history: History): Promise<{ readonly runs: number; readonly resent_chunks_max: number }> {
  const random = seeded(17)
  const { token, record } = await kit.enrol()
  let [runs, vain_bytes_max] = [0, 0]
  await withLines(kit, photos.length, (lines) => Promise.all(photos.map(async ({ chunks, cut }, nth) => {
    const bytes = randomBytes(chunks * chunk_bytes + 1_000 * nth)
    const list = writePhotos([{ page: 1, shot: 1, kind: 'original', size_bytes: bytes.length, sha256: sha256(bytes) } satisfies Photo])
    const signed = await record({ photos: sha256(list) })
    const hash = history.sent(signed)
    history.answered(hash, await exchange(kit.port(), recapRequest(token, signed)) ?? { status: 0, text: '' })
    await exchange(kit.port(), requestOf('PUT', `/v1/recaps/${hash}/photos`, { authorization: `Bearer ${token}`, 'content-type': list_type }, list))
    const upload = createUpload({ kit, history, line: lines[nth] as FaultProxy, token, bytes })
    for (; !upload.isDone(); runs++) {
      const vain_bytes = await upload.cut((piece_bytes) => (cut === 'before' ? 0 : cut === 'behind' ? piece_bytes : Math.floor(random() * piece_bytes)))
      vain_bytes_max = Math.max(vain_bytes_max, vain_bytes)
    }
  })))
  return { runs, resent_chunks_max: vain_bytes_max / chunk_bytes }
}

const after_cut_bytes = nextPiece(chunk_bytes, 0, Infinity)

interface UploadNeeds { readonly kit: Kit; readonly history: History; readonly line: FaultProxy; readonly token: string; readonly bytes: Buffer }

function createUpload({ kit, history, line, token, bytes }: UploadNeeds) {
  const id = `${Buffer.from(sha256(bytes)).toString('hex')}-${bytes.length}`
  const path = `/v1/photos/${id}`
  const headers = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' }
  let offset = 0

  /** The one that broke off may still be writing: it is waited for, as Retry-After says. */
  async function goOn(request: Buffer): Promise<void> {
    for (;;) {
      const heard = await exchange(kit.port(), request)
      const there = Number(heard?.headers.get('upload-offset') ?? Number.NaN)
      if (heard?.status === 423) {
        await exchange(kit.port(), requestOf('HEAD', path, headers, new Uint8Array()))
        continue
      }
      if (Number.isNaN(there)) throw new Error(`${id}: ${heard?.status} ${heard?.text}`)
      if (heard?.status === 204) history.kept(id, there)
      if (there < offset) throw new Error(`${id}: ${offset} bytes were there, now ${there}`)
      offset = there
      return
    }
  }
  return {
    isDone: () => offset === bytes.length,
    /** Sends the chunk at the offset over a line that breaks within it, then goes on. @returns bytes that were sent for nothing; what a lock held up is not counted */
    async cut(where: (piece_bytes: number) => number): Promise<number> {
      const before = offset
      const piece = bytes.subarray(before, before + chunk_bytes)
      const at = where(piece.length)
      const patch = (body: Buffer): Buffer => requestOf('PATCH', path, { ...headers, 'content-type': 'application/offset+octet-stream', 'upload-offset': String(before) }, body)
      const request = patch(piece)
      await line.set({ dropAfter_bytes: request.length - piece.length + at })
      await exchange(line.port, request)
      const again = piece.subarray(0, after_cut_bytes)
      await goOn(patch(again))
      return at + again.length - (offset - before)
    },
  }
}
