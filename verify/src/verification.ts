import { base64Of } from '@kawal/core/ledger/bytes.ts'
import type { Policy } from '@kawal/core/ledger/policy.ts'
import { hexOf } from '@kawal/core/recap/bytes.ts'
import { keyIdNow } from '@kawal/core/recap/cose.ts'
import { readEntry, writeEntry, type Entry } from '@kawal/core/recap/entry.ts'
import type { Side } from '@kawal/core/recap/slot.ts'
import { readPhotos, writePhotos } from '@kawal/core/recap/photo.ts'
import { receiptCode } from '@kawal/core/recap/receipt-code.ts'
import { sha256 } from './cryptography.ts'
import { isRawKey, textOf, type Item } from './material.ts'
import { includes, logStep, proofSteps, readSigned, readTlogProof, unreadProof, witnessStep, type ReadProof } from './proof.ts'
import { chainSteps, photoSteps, readContent, recordSteps, type Content, type Enrolled, type ListedPhoto } from './record.ts'
import { stepOf, verdictOf, type Step, type Verdict } from './step.ts'

/** Steps that belong together on the page. `receipt` and `delivery` stand once for each proof. */
interface Part { readonly name: 'record' | 'photos' | 'receipt' | 'delivery' | 'checkpoint'; readonly about: ProofAbout | null; readonly steps: readonly Step[] }
/** `code`: of SHA-256 over the proof's text, for two people on a telephone. */
interface ProofAbout { readonly item: Item; readonly origin: string | null; readonly code: string; readonly size: number | null; readonly root: string | null; readonly entry: Extract<Entry, { kind: 'delivery' }> | null }

/** One record and everything that was given with it. */
export interface Case {
  readonly item: Item
  readonly code: string
  readonly content: Content | null
  readonly photos: readonly ListedPhoto[]
  readonly parts: readonly Part[]
  readonly verdict: Verdict
}

export interface Report {
  readonly cases: readonly Case[]
  /** Checkpoints of logs, held against the trees of the proofs. */
  readonly checkpoints: readonly Part[]
  /** What fits no record that was given. */
  readonly loose: readonly Item[]
}

/** Given apart from what is verified: whom to believe, and keys of phones. */
export interface Beliefs { readonly trust: Policy; readonly keys: readonly Uint8Array<ArrayBuffer>[] }

interface GivenProof { readonly item: Item; readonly text: string; readonly read: ReadProof | string; readonly entry: Entry | null }

const most_entry_bytes = 65_000
const entryOf = ({ bytes }: Item): Uint8Array => (bytes.length > most_entry_bytes ? new Uint8Array() : writeEntry({ kind: 'recap', envelope: bytes }))
const emptyList = (): string => hexOf(sha256(writePhotos([])))

/** Everything that was given, held against each other. The same things in another order give the same report. */
export async function verifyAll(items: readonly Item[], beliefs: Beliefs): Promise<Report> {
  const of = (kind: Item['kind']): Item[] => items.filter((item) => item.kind === kind)
  const records = of('record').map((item) => ({ item, content: readContent(item.bytes) }))
  const proofs = of('proof').map(readGiven)
  const enrolled = await enrolledBy(proofs, beliefs)
  const held = records.flatMap(({ item, content }) => (typeof content === 'string' ? [] : [{ hash: item.hash, recap: content.recap, kid: hexOf(content.envelope.kid), side: sideOf(content, enrolled) }]))
  const used = new Set<Item>(proofs.filter(({ entry }) => isKey(entry)).map(({ item }) => item))
  const only = records.length === 1
  const named = new Set([...records.flatMap(({ content }) => (typeof content === 'string' ? [] : [hexOf(content.recap.photos)]))])
  const listed = new Set(of('list').flatMap(({ bytes }) => photosOf(bytes).map((photo) => hexOf(photo.sha256))))
  // Of what fits nowhere it is said where it was meant to fit, as far as that is plain.
  const strayPhotos = of('photo').filter(({ hash }) => !listed.has(hash))
  const cases: Case[] = []
  for (const { item, content } of records) {
    const own = typeof content === 'string' ? null : content
    const list = of('list').find(({ hash }) => own !== null && hash === hexOf(own.recap.photos)) ?? (only ? (of('list').find(({ hash }) => !named.has(hash)) ?? null) : null)
    const photos = list === null ? [] : photosOf(list.bytes).map((photo) => ({ ...photo, file: items.find(({ hash }) => hash === hexOf(photo.sha256)) ?? null }))
    const foreign = only ? strayPhotos : []
    const parts: Part[] = [{ name: 'record', about: null, steps: [...(await recordSteps(item, content, beliefs.keys, enrolled)), ...chainOf(item, held)] }]
    if (own !== null) parts.push({ name: 'photos', about: null, steps: photoSteps(own.recap, list, photos, foreign, emptyList()) })
    const matched = proofs.filter((proof) => isOf(proof, item, only))
    parts.push(...(await proofParts(item, matched, items, beliefs)))
    for (const each of [list, ...photos.map(({ file }) => file), ...foreign, ...matched.map((proof) => proof.item), ...answersOf(matched, items)]) if (each !== null) used.add(each)
    cases.push({ item, code: receiptCode(sha256(item.bytes)), content: own, photos, parts, verdict: verdictOf(parts.flatMap(({ steps }) => steps)) })
  }
  const checkpoints = await Promise.all(of('checkpoint').map((item) => checkpointPart(item, proofs, beliefs)))
  return { cases, checkpoints, loose: items.filter((item) => item.kind !== 'record' && item.kind !== 'checkpoint' && !used.has(item)) }
}

function readGiven(item: Item): GivenProof {
  const text = textOf(item.bytes) ?? ''
  const read = readTlogProof(text)
  const entry = typeof read === 'string' || read.extra === null ? null : readEntry(read.extra)
  return { item, text, read, entry: entry?.ok === true ? entry.value : null }
}

const photosOf = (bytes: Uint8Array): readonly Omit<ListedPhoto, 'file'>[] => {
  const read = readPhotos(bytes)
  return read.ok ? read.value : []
}

const chainOf = ({ hash }: Item, held: Parameters<typeof chainSteps>[1]): readonly Step[] => {
  const own = held.find((each) => each.hash === hash)
  return own === undefined ? [] : chainSteps(own, held)
}

/** Whether a proof is of this record: it says so, its tree has it, or there is no other that it could be of. */
function isOf({ read, entry }: GivenProof, item: Item, only: boolean): boolean {
  if (isKey(entry)) return false
  if (entry?.kind === 'delivery') return only || hexOf(entry.recap) === item.hash
  return only || (typeof read !== 'string' && read.extra === null && includes(read, entryOf(item)))
}

async function proofParts(item: Item, proofs: readonly GivenProof[], items: readonly Item[], { trust }: Beliefs): Promise<Part[]> {
  const [receipts, deliveries]: [Part[], Part[]] = [[], []]
  for (const { item: proof, text, read, entry } of proofs) {
    const delivery = entry?.kind === 'delivery' ? entry : null
    const tree = typeof read === 'string' ? null : read.checkpoint
    const about: ProofAbout = { item: proof, origin: tree?.origin ?? null, size: tree?.size ?? null, root: tree === null ? null : base64Of(tree.root), code: receiptCode(sha256(new TextEncoder().encode(text))), entry: delivery }
    const isReceipt = typeof read === 'string' || read.extra === null
    const steps = typeof read === 'string' ? unreadProof(read) : await proofSteps(read, read.extra ?? entryOf(item), trust)
    if (isReceipt) receipts.push({ name: 'receipt', about, steps })
    else deliveries.push({ name: 'delivery', about, steps: [...deliverySteps(delivery, item, items), ...steps] })
  }
  if (receipts.length === 0) receipts.push({ name: 'receipt', about: null, steps: [stepOf('receipt', 'proofAbsent')] })
  if (deliveries.length === 0) deliveries.push({ name: 'delivery', about: null, steps: [stepOf('delivery', 'deliveryAbsent')] })
  return [...besideEachOther(receipts), ...deliveries]
}

/**
 * One receipt that holds proves the record; a box's, whose log is another, or an earlier one that few witnesses have seen takes nothing from it. Alone
 * each is what it is.
 */
function besideEachOther(receipts: readonly Part[]): readonly Part[] {
  const has = (part: Part, ...findings: readonly Step['finding'][]): boolean => findings.every((finding) => part.steps.some((step) => step.finding === finding))
  const isProven = receipts.some((part) => has(part, 'logSigned', 'included'))
  const isWitnessed = receipts.some((part) => has(part, 'logSigned', 'included', 'witnessed'))
  return receipts.map((part) => ({ ...part, steps: part.steps.map((step) => (step.finding === 'logOther' && isProven ? stepOf('log', 'logBeside', step.values)
    : step.finding === 'witnessedFew' && isWitnessed ? stepOf('witnesses', 'witnessedBeside', step.values) : step)) }))
}

function deliverySteps(entry: ProofAbout['entry'], item: Item, items: readonly Item[]): readonly Step[] {
  if (entry === null) return [stepOf('names', 'namedNot', {}, 'entry_form')]
  if (hexOf(entry.recap) !== item.hash) return [stepOf('names', 'namedNot', {}, 'record_other')]
  const values = { status: entry.status, at: entry.at }
  const answer = items.find(({ hash }) => hash === hexOf(entry.answer))
  return [stepOf('names', entry.status < 300 ? 'named' : 'refused', values), answer === undefined ? stepOf('answer', 'answerAbsent', { hash: hexOf(entry.answer) }) : stepOf('answer', 'answerSame', { name: answer.name })]
}

const answersOf = (proofs: readonly GivenProof[], items: readonly Item[]): Item[] => proofs.flatMap(({ entry }) => (entry?.kind === 'delivery' ? items.filter(({ hash }) => hash === hexOf(entry.answer)) : []))

/** Whose copy a record is, where the proof of its key's enrolment at the station was given too. */
const sideOf = ({ recap, envelope }: Content, enrolled: readonly Enrolled[]): Side | null => enrolled.find(({ publicKey, station }) => station === recap.station && hexOf(keyIdNow(publicKey, sha256)) === hexOf(envelope.kid))?.side ?? null

type KeyEntry = Extract<Entry, { kind: 'enrolment' | 'supervision' }>
const isKey = (entry: Entry | null | undefined): entry is KeyEntry => entry?.kind === 'enrolment' || entry?.kind === 'supervision'

/** A ledger says whose key it is: an enrolment counts where its proof holds, whole. */
async function enrolledBy(proofs: readonly GivenProof[], { trust }: Beliefs): Promise<Enrolled[]> {
  const enrolled: Enrolled[] = []
  for (const { read, entry } of proofs) {
    if (typeof read === 'string' || read.extra === null || !isKey(entry) || !isRawKey(entry.publicKey)) continue
    const steps = await proofSteps(read, read.extra, trust)
    if (steps.every(({ state, finding }) => state === 'holds' || finding === 'witnessesNone')) enrolled.push({ publicKey: entry.publicKey, station: entry.station, side: entry.kind === 'supervision' ? 'supervisor' : 'officer', index: read.index })
  }
  return enrolled
}

/** What a log showed to somebody: signed, and of the same history as the proofs, where their sizes are the same. */
async function checkpointPart(item: Item, proofs: readonly GivenProof[], { trust }: Beliefs): Promise<Part> {
  const read = readSigned(textOf(item.bytes) ?? '')
  const code = receiptCode(sha256(item.bytes))
  if (typeof read === 'string') return { name: 'checkpoint', about: { item, origin: null, code, size: null, root: null, entry: null }, steps: [stepOf('note', 'noteUnread', {}, read)] }
  const { origin, size, root } = read.checkpoint
  const trees = proofs.flatMap((proof) => (typeof proof.read !== 'string' && proof.read.checkpoint.origin === origin ? [proof.read.checkpoint] : []))
  const alike = trees.filter((tree) => tree.size === size)
  const fork = alike.some((tree) => base64Of(tree.root) !== base64Of(root))
  return {
    name: 'checkpoint', about: { item, origin, code, size, root: base64Of(root), entry: null },
    steps: [stepOf('note', 'noteRead', { origin, size }), await logStep(read, trust), await witnessStep(read, trust), fork ? stepOf('trees', 'treesFork', { size }, 'log_forked') : stepOf('trees', alike.length > 0 ? 'treesAgree' : 'treesApart', { size })],
  }
}
