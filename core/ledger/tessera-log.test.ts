import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { publicKeyOf, sha256, signerOf, verifyEd25519 } from '@kawal/testkit/ed25519.ts'
import { readBundle } from './bundle.ts'
import { formatCheckpoint, readCheckpoint } from './checkpoint.ts'
import { emptyEdge, grow } from './growth.ts'
import { formatSignerKey, formatVerifierKey, readSignerKey, readVerifierKey } from './key.ts'
import { appendLeaf, consistencySpans, emptyFrontier, frontierOf, hashesOf, inclusionSpans, leafHash, rootOf } from './merkle.ts'
import { formatNote, readNote } from './note.ts'
import { formatProof } from './proof.ts'
import { logAlone } from './policy.ts'
import { verifyReceipt } from './receipt.ts'
import { signText, verifyNote } from './signature.ts'
import { hashFromTiles, readTilePath, tilePath } from './tiles.ts'
import { verifyConsistency } from './verify.ts'

const suite = join(import.meta.dirname, '../../../shared/suites/tessera-log')
const log = join(suite, 'testdata/log')
const skip = existsSync(suite) ? false : 'SKIPPED: ../shared/suites/tessera-log is not there'

const file = (path: string): Buffer => readFileSync(join(log, path))
const sizes = Array.from({ length: 16 }, (_, size) => size)

async function keys() {
  const [, signer_text = '', verifier_text = ''] = readFileSync(join(suite, 'KEYS.txt'), 'utf8').split('\n')
  const signer = await readSignerKey(signer_text, sha256, publicKeyOf)
  const verifier = readVerifierKey(verifier_text, sha256)
  assert.ok(signer.ok && verifier.ok)
  assert.equal(formatSignerKey(signer.value), signer_text)
  assert.equal(formatVerifierKey(verifier.value), verifier_text)
  return { signer: signer.value, verifier: verifier.value, signBy: signerOf(signer.value.seed) }
}

function entriesOf(): Uint8Array[] {
  const entries = readBundle(file('tile/entries/000.p/15'))
  assert.ok(entries.ok)
  assert.equal(entries.value.length, 15)
  return entries.value
}

test('from its entries and its key the log of Tessera is written again, byte for byte', { skip }, async () => {
  const { signer, signBy } = await keys()
  const entries = entriesOf()
  const files = new Map<string, Uint8Array>()
  let [edge, frontier] = [emptyEdge, emptyFrontier]
  for (const size of sizes) {
    const grown = grow(edge, entries.slice(edge.size, size), sha256)
    assert.ok(grown.ok)
    edge = grown.value.edge
    for (const { tile, bytes } of grown.value.files) files.set(tilePath(tile), bytes)
    for (const entry of entries.slice(frontier.size, size)) frontier = appendLeaf(frontier, leafHash(entry, sha256), sha256)
    const text = formatCheckpoint({ origin: signer.name, size, root: rootOf(frontier, sha256), extensions: [] })
    files.set(`checkpoint.${size}`, Buffer.from(formatNote({ text, signatures: [await signText(text, signer, signBy)] })))
  }
  files.set('checkpoint', files.get('checkpoint.15') ?? Buffer.of())
  const theirs = readdirSync(log, { recursive: true, withFileTypes: true }).filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name).slice(log.length + 1)).filter((path) => !path.startsWith('.state'))
  assert.deepEqual([...files.keys()].sort(), theirs.sort())
  assert.equal(files.size, 15 + 15 + 16 + 1)
  for (const [path, bytes] of files) assert.deepEqual(Buffer.from(bytes), file(path), path)
})

test('its tiles prove each entry and each growth by its signed checkpoints', { skip }, async () => {
  const { verifier } = await keys()
  const entries = entriesOf()
  const heads = await Promise.all(sizes.map(async (size) => {
    const note = readNote(file(`checkpoint.${size}`).toString())
    assert.ok(note.ok)
    assert.ok((await verifyNote(note.value, [verifier], verifyEd25519)).ok)
    const checkpoint = readCheckpoint(note.value.text)
    assert.ok(checkpoint.ok)
    return checkpoint.value
  }))
  for (const { origin, size, root } of heads) {
    const hashAt = hashFromTiles(size, (tile) => file(tilePath(readTilePath(tilePath(tile)) ?? assert.fail())), sha256)
    assert.equal(origin, verifier.name)
    assert.deepEqual(Buffer.from(rootOf(frontierOf(size, hashAt), sha256)), Buffer.from(root))
    for (let older = 1; older <= size; older++) assert.ok(verifyConsistency({ older, olderRoot: heads[older]?.root ?? assert.fail(), size, root }, hashesOf(consistencySpans(older, size), hashAt, sha256), sha256).ok)
    for (const [index, entry] of entries.slice(0, size).entries()) {
      const receipt = formatProof({ index, hashes: hashesOf(inclusionSpans(index, size), hashAt, sha256), extra: null, checkpoint: file(`checkpoint.${size}`).toString() })
      assert.deepEqual(await verifyReceipt(entry, receipt, logAlone(verifier), { sha256, verify: verifyEd25519 }), { ok: true, value: { index, size, witnesses: [] } })
    }
  }
})
