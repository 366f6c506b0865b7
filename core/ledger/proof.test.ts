import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { noteKey, sha256, verifyEd25519 } from '@kawal/testkit/ed25519.ts'
import { formatCheckpoint } from './checkpoint.ts'
import { appendLeaf, emptyFrontier, frontierOf, hashesOf, inclusionSpans, leafHash, nodeHash, rootOf, type HashAt } from './merkle.ts'
import { formatNote, readNote } from './note.ts'
import type { Policy } from './policy.ts'
import { formatProof, readProof } from './proof.ts'
import { verifyReceipt } from './receipt.ts'
import { cosignText, signText, type Ed25519Verify } from './signature.ts'

const suites = join(import.meta.dirname, '../../../shared/suites/tlog')
const skip = existsSync(suites) ? false : 'SKIPPED: ../shared/suites/tlog is not there'
const vectors = (name: string): unknown => JSON.parse(readFileSync(join(suites, name), 'utf8'))

const root = Buffer.alloc(32, 7)

interface Valid { readonly desc: string; readonly index: number; readonly hashesOf: readonly string[]; readonly extra?: string; readonly checkpoint: string; readonly text: string }

test('proofs are read and written as the vectors want', { skip }, () => {
  const { valid, invalid } = vectors('tlog-proof.json') as { valid: Valid[]; invalid: { desc: string; text: string }[] }
  assert.deepEqual([valid.length, invalid.length], [3, 7])
  for (const { desc, index, hashesOf: inputs, extra, checkpoint, text } of valid) {
    const proof = { index, hashes: inputs.map((input) => sha256(Buffer.from(input))), extra: extra === undefined ? null : new Uint8Array(Buffer.from(extra)), checkpoint }
    assert.deepEqual(readProof(text), { ok: true, value: proof }, desc)
    assert.equal(formatProof(proof), text, desc)
  }
  assert.deepEqual(invalid.map(({ text }) => readProof(text)), ['proof_header', 'extra_form', 'index_form', 'index_form', 'index_form', 'hash_form', 'hash_form'].map((error) => ({ ok: false, error })))
})

test('a proof that is none is refused, and what makes it so is named', () => {
  const header = 'c2sp.org/tlog-proof@v1\n'
  for (const [text, error] of [
    ['', 'proof_header'], [header, 'proof_cut'], [`${header}index 0\n`, 'proof_cut'], [`${header}index 0\n\n`, 'proof_cut'], [`${header}\nindex 0\n\nc\n`, 'index_form'], [`${header}index 00\n\nc\n`, 'index_form'], [`${header}index 9007199254740992\n\nc\n`, 'index_form'], [`${header}index\n\nc\n`, 'index_form'],
    [`${header}extra \nindex 0\n\nc\n`, 'extra_form'], [`${header}extra AA==\nextra AA==\nindex 0\n\nc\n`, 'index_form'], [`${header}index 0\nextra AA==\n\nc\n`, 'hash_form'], [`${header}index 0\r\n\nc\n`, 'index_form'], [`${header.trimEnd()}2\nindex 0\n\nc\n`, 'proof_header'],
    [`${header}index 0\n${root.toString('base64')} \n\nc\n`, 'hash_form'], [`${header}index 0\n${'a'.repeat(2_000_000)}\n\nc\n`, 'proof_long'],
  ] as const) assert.deepEqual(readProof(text), { ok: false, error }, JSON.stringify(text.slice(0, 80)))
  const proof = { index: 0, hashes: [], extra: null, checkpoint: 'c\n' }
  for (const wrong of [{ index: -1 }, { index: 0.5 }, { hashes: [Buffer.alloc(31)] }, { extra: new Uint8Array() }, { checkpoint: '' }]) assert.throws(() => formatProof({ ...proof, ...wrong }), RangeError, JSON.stringify(wrong))
})

const log = noteKey('kawal.example/log', 'ed25519')
const witnesses = ['a', 'b', 'c'].map((name) => noteKey(`saksi.example/${name}`, 'cosignature'))
const names = ['a', 'b', 'c']
const trust: Policy = { logs: [{ key: log.key, url: null }], witnesses: witnesses.map(({ key }, at) => ({ name: names[at] ?? '', key, url: null })), groups: [{ name: 'two', members_min: 2, members: names }], quorum: 'two' }
const entries = Array.from({ length: 21 }, (_, index) => Buffer.from(`entry ${index}`))
const entryAt = (index: number): Uint8Array => entries[index] ?? assert.fail()
const hashAt: HashAt = (level, index) => (level === 0 ? leafHash(entryAt(index), sha256) : nodeHash(hashAt(level - 1, 2 * index), hashAt(level - 1, 2 * index + 1), sha256))

/** A receipt of one entry, cosigned by the first `count` witnesses; parts may be other ones. */
async function receiptOf(index: number, count: number, change: { origin?: string; size?: number; root?: Uint8Array; signer?: typeof log } = {}): Promise<string> {
  const { origin = log.key.name, size = entries.length, signer = log } = change
  const text = formatCheckpoint({ origin, size, root: change.root ?? rootOf(frontierOf(size, hashAt), sha256), extensions: [] })
  const signatures = [await signText(text, signer.key, signer.signBy)]
  for (const [at, { key, signBy }] of witnesses.slice(0, count).entries()) signatures.push(await cosignText(text, key, 1_865_000_000 + at, signBy))
  return formatProof({ index, hashes: hashesOf(inclusionSpans(index, size), hashAt, sha256), extra: null, checkpoint: formatNote({ text, signatures }) })
}
const judged = (entry: Uint8Array, text: string, by = trust) => verifyReceipt(entry, text, by, { sha256, verify: verifyEd25519 })

test('a receipt proves its entry, to whoever trusts the log and two of three witnesses', async () => {
  for (const [index, entry] of entries.entries()) {
    assert.deepEqual(await judged(entry, await receiptOf(index, 2)), { ok: true, value: { index, size: 21, witnesses: [{ name: 'a', at_s: 1_865_000_000 }, { name: 'b', at_s: 1_865_000_001 }] } })
    assert.deepEqual(await judged(entryAt((index + 1) % 21), await receiptOf(index, 3)), { ok: false, error: 'root_other' })
  }
  let frontier = emptyFrontier
  for (const entry of entries) frontier = appendLeaf(frontier, leafHash(entry, sha256), sha256)
  assert.deepEqual(frontier, frontierOf(21, hashAt))
})

test('what a browser verifies with, which is asynchronous, judges the same', async () => {
  const verify: Ed25519Verify = async (publicKey, message, signature) => crypto.subtle.verify('Ed25519', await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']), signature, message)
  const text = await receiptOf(7, 3)
  const result = await verifyReceipt(entryAt(7), text, trust, { sha256, verify })
  assert.deepEqual([result.ok && result.value.index, result.ok && result.value.witnesses.length], [7, 3])
  assert.deepEqual(await verifyReceipt(entryAt(7), text.replace('\n21\n', '\n20\n'), trust, { sha256, verify }), { ok: false, error: 'log_signature_wrong' })
})

test('each step that can fail is named', async () => {
  const text = await receiptOf(5, 2)
  const entry = entryAt(5)
  const stranger = noteKey('kawal.example/log', 'ed25519', 'stranger')
  const failed = async (receipt: string, by: Partial<Policy> = {}): Promise<string> => {
    const result = await judged(entry, receipt, { ...trust, ...by })
    return result.ok ? 'verified' : result.error
  }
  assert.equal(await failed(text), 'verified')
  assert.equal(await failed(text.replace('tlog-proof', 'tlog-prove')), 'proof_header')
  assert.equal(await failed(text.slice(0, -1)), 'note_unsigned')
  assert.equal(await failed(text.replace('\n21\n', '\n021\n')), 'size_form')
  assert.equal(await failed(await receiptOf(5, 2, { origin: 'kawal.example/other' })), 'origin_other')
  assert.equal(await failed(await receiptOf(5, 2, { signer: stranger })), 'log_unsigned')
  assert.equal(await failed(text.replace('\n21\n', '\n22\n')), 'log_signature_wrong')
  assert.equal(await failed(await receiptOf(5, 1)), 'witnesses_few')
  assert.equal(await failed(await receiptOf(5, 0), { quorum: null }), 'verified')
  assert.equal(await failed(text, { logs: [] }), 'origin_other')
  assert.equal(await failed(text, { logs: [{ key: stranger.key, url: null }, ...trust.logs] }), 'verified', 'any one of the logs')
  assert.equal(await failed(text, { quorum: 'c' }), 'witnesses_few')
  assert.equal(await failed(text, { quorum: 'b' }), 'verified')
  assert.equal(await failed(text.replace('index 5', 'index 21')), 'index_beyond')
  assert.equal(await failed(text.replace('index 5', 'index 4')), 'root_other')
  const hash = /\n[^ \n]{44}\n/.exec(text)?.[0] ?? assert.fail()
  assert.equal(await failed(text.replace(hash, '\n')), 'proof_length')
  assert.equal(await failed(text.replace(hash, hash + hash.slice(1))), 'proof_length')
  assert.equal(await failed(await receiptOf(5, 2, { root })), 'root_other')
})

test('no witness counts twice, and one that does not hold spoils the receipt', async () => {
  const proof = readProof(await receiptOf(5, 1))
  assert.ok(proof.ok)
  const note = readNote(proof.value.checkpoint)
  const [first, second] = witnesses
  assert.ok(note.ok && first !== undefined && second !== undefined)
  const failed = async (signatures: readonly Awaited<ReturnType<typeof cosignText>>[], by: Partial<Policy> = {}): Promise<string> => {
    const result = await judged(entryAt(5), formatProof({ ...proof.value, checkpoint: formatNote({ text: note.value.text, signatures: [...note.value.signatures, ...signatures] }) }), { ...trust, ...by })
    return result.ok ? 'verified' : result.error
  }
  const again = await cosignText(note.value.text, first.key, 1_865_000_009, first.signBy)
  const other = await cosignText(note.value.text, second.key, 1_865_000_009, second.signBy)
  assert.equal(await failed([again]), 'witnesses_few')
  assert.equal(await failed([other]), 'verified')
  assert.equal(await failed([other, { ...again, signature: again.signature.with(20, (again.signature[20] ?? 0) ^ 1) }]), 'witness_signature_wrong')
})

test('of a receipt with just enough signatures no character can be another, and none is too many', async () => {
  const text = await receiptOf(9, 2)
  const letters = [...'AB0+/= \n—']
  let judgements = 0
  for (const [at, old] of [...text].entries()) for (const letter of ['', ...letters.filter((each) => each !== old)]) {
    const result = await judged(entryAt(9), text.slice(0, at) + letter + text.slice(at + 1))
    assert.ok(!result.ok, `${at}: ${JSON.stringify(text.slice(at - 5, at + 5))} with ${JSON.stringify(letter)}`)
    judgements++
  }
  assert.ok(judgements > 5_000)
})
