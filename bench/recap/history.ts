import type { RecapState } from '@kawal/contract/recap.ts'
import { readBundle } from '@kawal/core/ledger/bundle.ts'
import { readCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { readVerifierKey, type VerifierKey } from '@kawal/core/ledger/key.ts'
import { appendLeaf, emptyFrontier, leafHash, rootOf } from '@kawal/core/ledger/merkle.ts'
import { readNote } from '@kawal/core/ledger/note.ts'
import { logAlone } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { verifyNote } from '@kawal/core/ledger/signature.ts'
import { hashesAt, tileOf, tilePath, tile_width } from '@kawal/core/ledger/tiles.ts'
import { readEntry, writeEntry } from '@kawal/core/recap/entry.ts'
import { sha256, verifyEd25519 } from '@kawal/server/src/ledger/cryptography.ts'

/** What a client sent and what it was answered: all that the checker knows of a run. */
interface Told {
  readonly bytes: Buffer
  /** Receipts that came, each text once. */
  readonly receipts: Set<string>
  /** Answers that said it was new. */
  created: number
  /** Whether it is to count in the end, and be handed over; else it may lie in quarantine, for all to see. */
  mustCount: boolean
}

export type History = ReturnType<typeof createHistory>

export function createHistory() {
  const records = new Map<string, Told>()
  const photos = new Map<string, number>()
  return {
    records, photos,
    /** Before its first byte leaves. @returns its hash */
    sent(bytes: Buffer, mustCount = true): string {
      const hash = hexOf(sha256(bytes))
      if (!records.has(hash)) records.set(hash, { bytes, receipts: new Set(), created: 0, mustCount })
      return hash
    },
    answered(hash: string, { status, text }: { readonly status: number; readonly text: string }): void {
      const told = records.get(hash)
      if (told === undefined || (status !== 200 && status !== 201)) return
      told.receipts.add(text)
      if (status === 201) told.created++
    },
    /** So many bytes of a photo were acknowledged. */
    kept: (id: string, offset: number): void => void photos.set(id, Math.max(photos.get(id) ?? 0, offset)),
  }
}

/** Asks as Sigmon does, and writes down what was sent and what came of it. @param url where the server is now */
export const recording = (history: History, url: () => string) => async (path: string, init: RequestInit = {}): Promise<Response> => {
  const hash = path === '/v1/recaps' ? history.sent(Buffer.from(init.body as Uint8Array<ArrayBuffer>)) : null
  const answer = await fetch(url() + path, init)
  if (hash !== null) history.answered(hash, { status: answer.status, text: await answer.clone().text() })
  if (init.method === 'PATCH' && answer.status === 204) history.kept(path.slice('/v1/photos/'.length), Number(answer.headers.get('upload-offset')))
  return answer
}

interface Where {
  readonly url: string
  /** Of any enrolled phone. */
  readonly token: string
  /** What the receiver holds in its own file; null where there is none. */
  readonly held: readonly { readonly hash: string }[] | null
  /** A box judges nothing, and asks nobody who he is. */
  readonly isBox?: boolean
}

export interface Found { readonly lost: number; readonly doubled: number; readonly why: readonly string[] }

/**
 * Holds a history against what anybody can ask for afterwards: the ledger's checkpoint and tiles, each record's receipt and state, each photo's offset,
 * and the receiver's own file. Nothing of the server's memory or database is looked at.
 */
export async function audit(history: History, where: Where): Promise<Found> {
  const log = await readLog(where.url)
  const lost: string[] = [...log.wrong]
  const doubled: string[] = []
  const held = new Map<string, number>()
  for (const { hash } of where.held ?? []) held.set(hash, (held.get(hash) ?? 0) + 1)
  for (const [hash, told] of history.records) {
    const places = log.places.get(hash) ?? []
    if (places.length > 1) doubled.push(`${hash} is in the log ${places.length} times`)
    if (told.created > 1) doubled.push(`${hash} was new ${told.created} times`)
    if (told.receipts.size > 1) doubled.push(`${hash} has ${told.receipts.size} receipts`)
    if ((held.get(hash) ?? 0) > 1) doubled.push(`the receiver holds ${hash} ${held.get(hash)} times`)
    if (told.receipts.size > 0) lost.push(...await lostOf(hash, told, log, where, held))
    else if (told.mustCount) lost.push(`${hash} was never acknowledged`)
  }
  for (const [id, offset] of history.photos) {
    const there = await offsetOf(where, id)
    if (there < offset) lost.push(`photo ${id}: ${offset} bytes were acknowledged, ${there} are there`)
  }
  return { lost: lost.length, doubled: doubled.length, why: [...lost, ...doubled] }
}

async function lostOf(hash: string, { bytes, receipts, mustCount }: Told, log: Log, where: Where, held: ReadonlyMap<string, number>): Promise<string[]> {
  const why: string[] = []
  for (const receipt of receipts) {
    const read = await verifyReceipt(writeEntry({ kind: 'recap', envelope: bytes }), receipt, logAlone(log.key), { sha256, verify: verifyEd25519 })
    if (!read.ok) why.push(`${hash}: its receipt does not hold (${read.error})`)
    else if (!(log.places.get(hash) ?? []).includes(read.value.index)) why.push(`${hash} is not at ${read.value.index}, as its receipt says`)
    else if (log.roots[read.value.size] !== receipt.split('\n\n')[1]?.split('\n')[2]) why.push(`${hash}: its receipt is of another history`)
  }
  const again = await get(where, `/v1/recaps/${hash}/receipt`)
  if (!again.ok || !receipts.has(await again.text())) why.push(`${hash}: asked for again its receipt is another (${again.status})`)
  if (where.isBox === true) return why
  const answer = await get(where, `/v1/recaps/${hash}`)
  const state = answer.ok ? (await answer.json()) as RecapState : null
  const isSeen = state?.state === 'counts' || (!mustCount && state?.state === 'quarantine' && state.reason !== null)
  if (!isSeen) why.push(`${hash} is ${state?.state ?? answer.status} (${state?.reason ?? 'no reason'})`)
  if (where.held !== null && state?.state === 'counts' && !held.has(hash)) why.push(`the receiver does not hold ${hash}`)
  return why
}

interface Log {
  readonly key: VerifierKey
  /** Where each record is, by its hash. */
  readonly places: ReadonlyMap<string, readonly number[]>
  /** Of the log at each size, base64. */
  readonly roots: readonly string[]
  readonly wrong: readonly string[]
}

/** The whole log, as any monitor reads it: its checkpoint is signed, and its entries make that root. */
async function readLog(url: string): Promise<Log> {
  const key = readVerifierKey((await (await fetch(`${url}/ledger/key`)).text()).trim(), sha256)
  if (!key.ok) throw new Error(`the ledger has no key: ${key.error}`)
  const note = readNote(await (await fetch(`${url}/ledger/checkpoint`)).text())
  const checkpoint = note.ok ? readCheckpoint(note.value.text) : note
  if (!note.ok || !checkpoint.ok) throw new Error('the ledger has no checkpoint')
  const { size, root } = checkpoint.value
  const places = new Map<string, number[]>()
  const roots = [base64Of(sha256(new Uint8Array()))]
  let frontier = emptyFrontier
  for (let index = 0; index * tile_width < hashesAt('entries', size); index++) {
    const bundle = readBundle(new Uint8Array(await (await fetch(`${url}/ledger/${tilePath(tileOf('entries', index, size))}`)).arrayBuffer()))
    if (!bundle.ok) throw new Error(`entries ${index}: ${bundle.error}`)
    for (const bytes of bundle.value) {
      const entry = readEntry(bytes)
      if (entry.ok && entry.value.kind === 'recap') {
        const hash = hexOf(sha256(entry.value.envelope))
        places.set(hash, [...places.get(hash) ?? [], roots.length - 1])
      }
      frontier = appendLeaf(frontier, leafHash(bytes, sha256), sha256)
      roots.push(base64Of(rootOf(frontier, sha256)))
    }
  }
  const signed = await verifyNote(note.value, [key.value], verifyEd25519)
  const wrong = [...(signed.ok && signed.value.length > 0 ? [] : ['the checkpoint is not signed']), ...(roots[size] === base64Of(root) ? [] : ['the entries make another root than the one that was signed'])]
  return { key: key.value, places, roots, wrong }
}

const get = ({ url, token }: Where, path: string): Promise<Response> => fetch(url + path, { headers: { authorization: `Bearer ${token}` } })

async function offsetOf({ url, token }: Where, id: string): Promise<number> {
  const answer = await fetch(`${url}/v1/photos/${id}`, { method: 'HEAD', headers: { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' } })
  return answer.ok ? Number(answer.headers.get('upload-offset') ?? Number.NaN) : -1
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const base64Of = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
