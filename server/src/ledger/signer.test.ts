import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { readNote } from '@kawal/core/ledger/note.ts'
import { verifyNote } from '@kawal/core/ledger/signature.ts'
import { sha256, verifyEd25519 } from './cryptography.ts'
import { FsyncFailed } from '../durable.ts'
import { openSigner, signerFolder, SignerRefused, type SignedTree, type SignerFolder } from './signer.ts'

const origin = 'kawal.example/ledger'
const tree = (size: number, text = String(size)): SignedTree => ({ size, root: sha256(Buffer.from(text)) })

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-signer-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'ledger')
}
const files = (folder: string): string[] => readdirSync(folder).sort()

test('what it signs verifies, and is the same each time; its key and its newest tree outlive it', async (t) => {
  const folder = folderOf(t)
  const signer = await openSigner(signerFolder(folder), origin, true)
  assert.equal(signer.newest().size, 0)
  const first = await signer.sign(signer.newest(), tree(3))
  const second = await signer.sign(tree(3), tree(300))
  const note = readNote(second)
  assert.ok(note.ok)
  const read = readCheckpoint(note.value.text)
  assert.ok(read.ok && read.value.origin === origin && read.value.size === 300)
  assert.ok((await verifyNote(note.value, [signer.key], verifyEd25519)).ok)
  assert.notEqual(first, second)

  const again = await openSigner(signerFolder(folder), 'another.example/ledger', false)
  assert.deepEqual(again.key, signer.key)
  assert.deepEqual(again.newest(), tree(300))
  assert.equal(await again.sign(tree(300), tree(300)), second)
  assert.deepEqual(files(folder), ['after-0000000000000003', 'key'])
  for (const file of files(folder)) assert.equal(statSync(join(folder, file)).mode & 0o077, 0, `${file} is for nobody else`)
})

test('what a signer that was killed may have left half on disk is on it before the next one signs', async (t) => {
  const folder = folderOf(t)
  const real = signerFolder(folder)
  const first = await openSigner(real, origin, true)
  await first.sign(first.newest(), tree(3))
  let synced = 0
  const again = await openSigner({ ...real, sync: () => real.sync().then(() => void synced++) }, origin, false)
  assert.deepEqual([again.newest(), synced], [tree(3), 1])
})

test('of two that follow the same tree one is signed; the other says so and leaves nothing', async (t) => {
  const folder = folderOf(t)
  const one = await openSigner(signerFolder(folder), origin, true)
  const other = await openSigner(signerFolder(folder), origin, false)
  const ends = await Promise.allSettled([one.sign(one.newest(), tree(5, 'a')), other.sign(other.newest(), tree(6, 'b'))])
  assert.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  assert.ok(ends.some((end) => end.status === 'rejected' && end.reason instanceof SignerRefused))
  assert.equal(files(folder).length, 2)
})

test('who was left behind signs nothing, though the tree that he knows has no follower any more', async (t) => {
  const folder = folderOf(t)
  const stale = await openSigner(signerFolder(folder), origin, true)
  const signer = await openSigner(signerFolder(folder), origin, false)
  for (const [from, to] of [[0, 5], [5, 9], [9, 20]] as const) await signer.sign(from === 0 ? signer.newest() : tree(from), tree(to))
  await assert.rejects(stale.sign(stale.newest(), tree(7, 'fork')), /trees larger than one of 0 entries were signed/)
  assert.deepEqual(files(folder), ['after-0000000000000009', 'key'])
  assert.deepEqual((await openSigner(signerFolder(folder), origin, false)).newest(), tree(20))
})

test('the folder fails once the tree may be the newest: the process is to end, and who starts again goes on from it', async (t) => {
  const folder = folderOf(t)
  const real = signerFolder(folder)
  for (const [nth, verb] of (['names', 'sync', 'remove'] as const).entries()) {
    let fails = false
    const failing: SignerFolder = { ...real, [verb]: (name: string) => (fails ? Promise.reject(Object.assign(new Error('too many open files'), { code: 'EMFILE' })) : real[verb](name)) }
    const signer = await openSigner(failing, origin, nth === 0)
    const [last, next] = [signer.newest(), tree(nth * 10 + 10)]
    fails = true
    // Of the first tree there is none before it to take away.
    if (verb === 'remove' && last.size === 0) continue
    await assert.rejects(signer.sign(last, next), FsyncFailed, verb)
    const again = await openSigner(real, origin, false)
    assert.deepEqual(again.newest(), next, verb)
    await again.sign(next, tree(nth * 10 + 15))
  }
})

test('a smaller tree, another of the same size, and another before it are refused', async (t) => {
  const folder = folderOf(t)
  const signer = await openSigner(signerFolder(folder), origin, true)
  await signer.sign(signer.newest(), tree(8))
  for (const [from, to] of [[tree(8), tree(7)], [tree(8), tree(8, 'other')], [tree(8, 'other'), tree(9)], [tree(7), tree(9)]] as const) await assert.rejects(signer.sign(from, to), SignerRefused)
  assert.deepEqual(signer.newest(), tree(8))
})

test('a key that is gone, a key that is none, and a newest tree that cannot be read: it does not begin anew', async (t) => {
  const folder = folderOf(t)
  await assert.rejects(openSigner(signerFolder(folder), origin, false), /The key of the ledger is not in/)
  const signer = await openSigner(signerFolder(folder), origin, true)
  await signer.sign(signer.newest(), tree(2))
  writeFileSync(join(folder, 'after-0000000000000000'), 'torn')
  await assert.rejects(openSigner(signerFolder(folder), origin, false), /is no checkpoint of kawal\.example\/ledger/)
  writeFileSync(join(folder, 'key'), 'PRIVATE+KEY+x')
  await assert.rejects(openSigner(signerFolder(folder), origin, false), /is no key of a ledger \(key_form\)/)
  await assert.rejects(openSigner(signerFolder(join(folder, 'other')), 'a name', true), /no name of a ledger/)
})
