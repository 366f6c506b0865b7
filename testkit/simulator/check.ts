import { readBundle } from '@kawal/core/ledger/bundle.ts'
import { readCheckpoint, type Checkpoint as ReadCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { readVerifierKey, type VerifierKey } from '@kawal/core/ledger/key.ts'
import { appendLeaf, emptyFrontier, leafHash, rootOf } from '@kawal/core/ledger/merkle.ts'
import { readNote } from '@kawal/core/ledger/note.ts'
import { readProof } from '@kawal/core/ledger/proof.ts'
import { verifyInclusion } from '@kawal/core/ledger/verify.ts'
import { readEntry } from '@kawal/core/recap/entry.ts'
import { readSignedRecap } from '@kawal/core/recap/envelope.ts'
import { utf8Of } from '@kawal/core/ledger/bytes.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import { verifyEd25519 } from './signing.ts'
import type { Happening } from './world.ts'

/** A rule that did not hold. `about`: what it is of, as it stands in the history. */
export interface Violation { readonly rule: string; readonly text: string; readonly about: string }
type Say = (rule: string, about: string, text: string) => void

/** A log as an auditor has it at the end. */
interface Log {
  /** A note of it, or why it is none. */
  readonly checkpointOf: (note: string) => Checkpoint | string
  readonly entries: readonly Uint8Array[]
  /** Of each size from 0 on, hex. */
  readonly roots: readonly string[]
  /** Records by their hash: where they are. */
  readonly records: ReadonlyMap<string, readonly number[]>
  /** Records by their hash: how often the receiver's answer is entered. */
  readonly deliveries: ReadonlyMap<string, number>
}

type Checkpoint = Pick<ReadCheckpoint, 'size' | 'root'>
/** What the report of what lacks says (testkit/simulator/completeness.ts), and what it has to. */
export interface Gaps { readonly said: readonly string[]; readonly wanted: readonly string[] }
interface Signed { readonly hash: string; readonly who: string; readonly at: number; readonly expects: string; readonly photos: readonly string[] }
interface Keys { readonly platform: string; readonly boxes: readonly string[] }

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const text = ({ of }: Happening, key: string): string => String(of[key] ?? '')
const words = (happening: Happening, key: string): string[] => text(happening, key).split(' ').filter((word) => word !== '')

/**
 * Whether what everybody saw can be true of one system that loses nothing, doubles nothing and has one history. It reads what was seen and nothing else: receipts,
 * answers, checkpoints, the logs as anybody reads them, the receiver's store, the photos on the platform's disk, and what phones show.
 */
export function check(history: readonly Happening[], keys: Keys, { said, wanted }: Gaps): Violation[] {
  const found: Violation[] = []
  const say: Say = (rule, about, what) => void found.push({ rule, about, text: what })
  const logs = readLogs(history, keys, say)
  const signed = history.filter(({ what }) => what === 'signed').map((each): Signed => ({ hash: text(each, 'hash'), who: each.who, at: each.at, expects: text(each, 'expects'), photos: words(each, 'photos') }))
  for (const line of said) if (!wanted.includes(line)) say('gap', line.split(' ')[1] ?? '', `the report of what lacks says ${line}, and it is not so`)
  for (const line of wanted) if (!said.includes(line)) say('gap', line.split(' ')[1] ?? '', `the report of what lacks does not say ${line}`)
  const platform = logs.get('platform')
  if (platform === undefined) return [...found, { rule: 'blocked', about: 'platform', text: 'the platform does not answer at the end' }]
  checkRecords(platform, signed, history, say)
  checkReceipts(logs, history, say)
  checkCheckpoints(logs, history, say)
  checkPhotos(signed, history, say)
  checkOffsets(history, say)
  checkBooks(signed, history, say)
  checkChains(platform, say)
  return found
}

function readLogs(history: readonly Happening[], keys: Keys, say: Say): Map<string, Log> {
  const all = new Map([['platform', keys.platform], ...keys.boxes.map((key, nth): [string, string] => [`box-${nth}`, key])])
  const logs = new Map<string, Log>()
  for (const happening of history.filter(({ what }) => what === 'log')) {
    const name = text(happening, 'log')
    const key = readVerifierKey(all.get(name) ?? '', sha256)
    if (!key.ok) throw new Error(`${name} has no key`)
    const entries = words(happening, 'bundles').flatMap((bundle) => {
      const read = readBundle(Buffer.from(bundle, 'base64'))
      if (!read.ok) say('log', name, `a bundle of it cannot be read (${read.error})`)
      return read.ok ? read.value : []
    })
    if (text(happening, 'text') !== '') logs.set(name, logOf(key.value, entries))
    else say('blocked', name, `${name} does not answer at the end`)
  }
  return logs
}

function logOf(key: VerifierKey, entries: readonly Uint8Array[]): Log {
  let frontier = emptyFrontier
  const roots = [hexOf(rootOf(frontier, sha256))]
  const records = new Map<string, number[]>()
  const deliveries = new Map<string, number>()
  for (const [index, bytes] of entries.entries()) {
    frontier = appendLeaf(frontier, leafHash(bytes, sha256), sha256)
    roots.push(hexOf(rootOf(frontier, sha256)))
    const read = readEntry(bytes)
    if (!read.ok) continue
    const { value } = read
    if (value.kind === 'recap') {
      const hash = hexOf(sha256(value.envelope))
      records.set(hash, [...records.get(hash) ?? [], index])
    }
    if (value.kind === 'delivery') deliveries.set(hexOf(value.recap), (deliveries.get(hexOf(value.recap)) ?? 0) + 1)
  }
  const read = new Map<string, Checkpoint | string>()
  const once = (note: string): Checkpoint | string => {
    const found = read.get(note) ?? checkpointOf(note, key)
    read.set(note, found)
    return found
  }
  return { checkpointOf: once, entries, roots, records, deliveries }
}

/** Everything that was signed is in the log once, came to what it had to, and is at the receiver once if it counts. */
function checkRecords(log: Log, signed: readonly Signed[], history: readonly Happening[], say: Say): void {
  const states = new Map(history.filter(({ what }) => what === 'state').map((each) => [text(each, 'hash'), JSON.parse(text(each, 'text') || '{}') as { state?: string; reason?: string; deliveredAt?: string | null }]))
  const taken = new Map<string, number>()
  for (const each of history) if (each.what === 'took') taken.set(text(each, 'hash'), (taken.get(text(each, 'hash')) ?? 0) + 1)
  for (const [hash, places] of log.records) if (places.length > 1) say('doubled', hash, `the platform's log has it at ${places.join(', ')}`)
  for (const [hash, count] of log.deliveries) if (count > 1) say('doubled', hash, `its delivery stands ${count} times in the log`)
  for (const { hash, who, expects } of signed) {
    if (!log.records.has(hash)) say('lost', hash, `${who} signed it, and the platform's log does not have it`)
    const { state = 'unknown', reason = null, deliveredAt = null } = states.get(hash) ?? {}
    const wanted = expects === 'counts' ? 'counts' : `quarantine ${expects}`
    const is = state === 'quarantine' ? `quarantine ${reason}` : state
    if (is !== wanted) say(state === 'waiting' ? 'blocked' : 'judged', hash, `it is to be ${wanted}, and is ${is}`)
    const count = taken.get(hash) ?? 0
    if (count !== (expects === 'counts' ? 1 : 0)) say(count === 0 ? 'undelivered' : 'doubled', hash, `the receiver took it ${count} times (${wanted})`)
    if (expects === 'counts' && (deliveredAt === null || log.deliveries.get(hash) === undefined)) say('undelivered', hash, 'the platform does not say that the receiver took it')
  }
}

/** Of one record and one log there is one receipt, and it verifies by itself. */
function checkReceipts(logs: ReadonlyMap<string, Log>, history: readonly Happening[], say: Say): void {
  const receipts = new Map<string, string>()
  for (const each of history) {
    if (each.what !== 'answer' || each.of['hash'] === undefined) continue
    const [name, hash, receipt] = [text(each, 'to'), text(each, 'hash'), text(each, 'text')]
    const before = receipts.get(`${name} ${hash}`)
    receipts.set(`${name} ${hash}`, receipt)
    if (before !== undefined) {
      if (before !== receipt) say('receipt', hash, `${name} gave two receipts of it`)
      continue
    }
    const log = logs.get(name)
    if (log === undefined) continue
    const why = faultOf(receipt, hash, log)
    if (why !== null) say('receipt', hash, `the receipt of ${name}: ${why}`)
  }
  for (const key of receipts.keys()) {
    const [, hash = ''] = key.split(' ')
    if (logs.get('platform')?.records.has(hash) !== true) say('lost', hash, `${key.split(' ')[0]} gave a receipt of it, and the platform's log does not have it`)
  }
}

/** As core/ledger/receipt.ts verifies, step by step, so that each step says what it found. */
function faultOf(receipt: string, hash: string, log: Log): string | null {
  const proof = readProof(receipt)
  if (!proof.ok) return proof.error
  const checkpoint = log.checkpointOf(proof.value.checkpoint)
  if (typeof checkpoint === 'string') return checkpoint
  const { index, hashes } = proof.value
  if (log.records.get(hash)?.[0] !== index) return `it says place ${index}, and the log has it at ${log.records.get(hash)?.join(', ') ?? 'none'}`
  const included = verifyInclusion({ index, size: checkpoint.size, leaf: leafHash(log.entries[index] as Uint8Array, sha256), root: checkpoint.root }, hashes, sha256)
  return included.ok ? null : included.error
}

function checkpointOf(note: string, key: VerifierKey): Checkpoint | string {
  const read = readNote(note)
  if (!read.ok) return read.error
  const [signature] = read.value.signatures
  if (signature === undefined || signature.name !== key.name || verifyEd25519(key.publicKey, utf8Of(read.value.text), signature.signature) !== true) return 'not signed by the log'
  const checkpoint = readCheckpoint(read.value.text)
  return checkpoint.ok ? checkpoint.value : checkpoint.error
}

/** Every checkpoint that anybody ever saw is of a beginning of the log, and none is smaller than one that was seen before. */
function checkCheckpoints(logs: ReadonlyMap<string, Log>, history: readonly Happening[], say: Say): void {
  const sizes = new Map<string, number>()
  for (const each of history) {
    const isLook = each.what === 'checkpoint' || each.what === 'log'
    const name = text(each, isLook ? 'log' : 'to')
    const receipt = isLook || each.of['hash'] === undefined ? null : readProof(text(each, 'text'))
    const note = isLook ? text(each, 'text') : receipt?.ok === true ? receipt.value.checkpoint : ''
    const log = logs.get(name)
    if (log === undefined || note === '') continue
    const checkpoint = log.checkpointOf(note)
    if (typeof checkpoint === 'string') say('checkpoint', name, checkpoint)
    else {
      if (log.roots[checkpoint.size] !== hexOf(checkpoint.root)) say('forked', name, `a checkpoint of ${checkpoint.size} entries is of another history than the log of ${log.entries.length}`)
      if (isLook && checkpoint.size < (sizes.get(name) ?? 0)) say('forked', name, `it showed ${sizes.get(name)} entries, and later ${checkpoint.size}`)
      if (isLook) sizes.set(name, checkpoint.size)
    }
  }
}

/** Every photo that was signed for is on the platform's disk, and is itself. */
function checkPhotos(signed: readonly Signed[], history: readonly Happening[], say: Say): void {
  const files = new Map(history.filter(({ what }) => what === 'file').map((each) => [text(each, 'name'), `${text(each, 'hash')}-${text(each, 'size')}`]))
  for (const [name, is] of files) if (name !== is) say('photo', name, `the file of this name is ${is}`)
  const kept = new Map<string, boolean>()
  for (const each of history) if (each.what === 'state') for (const { sha256: hash, size, kept: is } of (JSON.parse(text(each, 'text') || '{}') as { photos?: { sha256: string; size: number; kept: boolean }[] | null }).photos ?? []) kept.set(`${hash}-${size}`, is)
  for (const { photos, who } of signed) for (const id of photos) {
    if (!files.has(id)) say('photo', id, `${who} took it, and it is not on the platform's disk`)
    if (kept.get(id) !== true) say('photo', id, `${who} took it, and the platform does not say that it has the whole of it`)
  }
}

/** What was said to be there of a photo stays: no answer to a later question says less. */
function checkOffsets(history: readonly Happening[], say: Say): void {
  const uploads = new Map<string, Happening[]>()
  for (const each of history) if (each.what === 'answer' && each.of['offset'] !== undefined) uploads.set(`${text(each, 'to')} ${text(each, 'path')}`, [...uploads.get(`${text(each, 'to')} ${text(each, 'path')}`) ?? [], each])
  for (const [upload, answers] of uploads) for (const later of answers) for (const earlier of answers)
    if (Number(earlier.of['ended']) < Number(later.of['began']) && Number(earlier.of['offset']) > Number(later.of['offset']))
      say('offset', upload.split('/').at(-1) ?? '', `${text(later, 'to')} had ${text(earlier, 'offset')} bytes of it, and later ${text(later, 'offset')}`)
}

/** Whatever an officer saw as signed, his phone has, with its photos. */
function checkBooks(signed: readonly Signed[], history: readonly Happening[], say: Say): void {
  const books = history.filter(({ what }) => what === 'book')
  const by = Map.groupBy(signed, ({ who }) => who)
  for (const book of books) {
    const [hashes, photos] = [new Set(words(book, 'hashes')), new Set(words(book, 'photos'))]
    for (const { hash, at, photos: its } of by.get(book.who) ?? []) {
      if (at > book.at) continue
      if (!hashes.has(hash)) say('forgotten', hash, `${book.who} signed it, and does not have it any more`)
      for (const id of its) if (!photos.has(id)) say('forgotten', id, `${book.who} took it, and does not have it any more`)
    }
  }
}

/** Of each key the records are counted without a gap, and each names the one before it. */
function checkChains(log: Log, say: Say): void {
  const chains = new Map<string, { readonly hash: string; readonly sequence: number; readonly previous: string | null }[]>()
  for (const [hash, [index = 0]] of log.records) {
    const entry = readEntry(log.entries[index] as Uint8Array)
    const read = entry.ok && entry.value.kind === 'recap' ? readSignedRecap(entry.value.envelope) : null
    if (read?.ok !== true) continue
    const { envelope, recap } = read.value
    chains.set(hexOf(envelope.kid), [...chains.get(hexOf(envelope.kid)) ?? [], { hash, sequence: recap.sequence, previous: recap.previous === null ? null : hexOf(recap.previous) }])
  }
  for (const [kid, chain] of chains) {
    chain.sort((one, other) => one.sequence - other.sequence)
    for (const [nth, { hash, sequence, previous }] of chain.entries())
      if (sequence !== nth + 1 || previous !== (chain[nth - 1]?.hash ?? null)) say('chain', hash, `record ${sequence} of key ${kid} does not follow the one before it`)
  }
}
