import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { joinBytes } from '@kawal/core/ledger/bytes.ts'
import { emptyEdge, grow } from '@kawal/core/ledger/growth.ts'
import { leafHash, type Sha256Sync } from '@kawal/core/ledger/merkle.ts'
import { readNote } from '@kawal/core/ledger/note.ts'
import { readCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { logAlone } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { tileOf, tilePath } from '@kawal/core/ledger/tiles.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { sha256, verifyEd25519 } from './cryptography.ts'
import { openLedger, type Ledger, type NewEntry } from './ledger.ts'
import { openSigner, signerFolder, SignerRefused, type LogSigner } from './signer.ts'
import { createLedgerStore } from './store.ts'

const origin = 'kawal.example/ledger'
const entryOf = (text: string): NewEntry => ({ name: createHash('sha256').update(text).digest('hex'), kind: 1, bytes: Buffer.from(text.padEnd(20, '.')), carrier: null, key: null })
const count = async ({ database }: TestDatabase): Promise<number> =>
  database.transaction({ organisation: 'kawal', role: 'system' }, async (client) => (await client.query<{ n: number }>('SELECT count(*)::int AS n FROM ledger_entry')).rows[0]?.n ?? -1)

const never = (error: unknown): never => assert.fail(String(error))

interface Kit { readonly kit: TestDatabase; readonly folder: string; open(signer?: LogSigner): Promise<Ledger>; readonly faults: unknown[] }

async function withLedger(t: TestContext): Promise<Kit> {
  const kit = await withDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'kawal-ledger-'))
  t.after(async () => {
    await kit.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const faults: unknown[] = []
  return { kit, folder, faults, open: async (signer) => openLedger({ store: createLedgerStore(kit.database), signer: signer ?? await openSigner(signerFolder(folder), origin, (await count(kit)) === 0), clock: () => 0, failed: (error) => void faults.push(error), fatal: never, pace_ms: 0 }) }
}

const verified = async (ledger: Ledger, entry: NewEntry, receipt: string | null): Promise<{ readonly index: number; readonly size: number }> => {
  const read = await verifyReceipt(entry.bytes, receipt ?? '', logAlone(ledger.key), { sha256, verify: verifyEd25519 })
  assert.ok(read.ok, read.ok ? '' : read.error)
  return read.value
}

test('every entry has a receipt that verifies by itself, the same for ever, also after a restart', async (t) => {
  const { open, kit } = await withLedger(t)
  const random = seeded(11)
  let ledger = await open()
  const entries = Array.from({ length: 1_300 }, (_, at) => entryOf(`entry ${at}`))
  const receipts = new Map<string, string>()
  for (let at = 0; at < entries.length;) {
    const group = entries.slice(at, at + 1 + Math.floor(random() * 260))
    const placed = await Promise.all(group.map(ledger.append))
    assert.ok(placed.every(({ isNew }, nth) => isNew && placed[nth]?.index === at + nth), 'in the order in which they came')
    for (const [nth, entry] of group.entries()) receipts.set(entry.name, await ledger.receipt(at + nth) ?? '')
    at += group.length
    if (random() < 0.3) {
      await ledger.idle()
      ledger = await open()
    }
  }
  assert.equal(ledger.size(), entries.length)
  for (const [index, entry] of entries.entries()) {
    const receipt = await ledger.receipt(index)
    assert.equal(receipt, receipts.get(entry.name), `receipt of ${index}`)
    assert.equal((await verified(ledger, entry, receipt)).index, index)
    const next = entries[index + 1]
    if (next !== undefined && index % 100 === 0) assert.equal((await verifyReceipt(next.bytes, receipt ?? '', logAlone(ledger.key), { sha256, verify: verifyEd25519 })).ok, false)
  }
  assert.equal(await count(kit), entries.length)
  assert.equal(await ledger.receipt(entries.length), null)
})

test('tiles and bundles are those of the same entries written down at once, in every width that there was', async (t) => {
  const { open } = await withLedger(t)
  const ledger = await open()
  const entries = Array.from({ length: 600 }, (_, at) => entryOf(`entry ${at}`))
  await Promise.all(entries.map(ledger.append))
  const bytes = new Map<string, Uint8Array>()
  let edge = emptyEdge
  for (const entry of entries) {
    const grown = grow(edge, [entry.bytes], sha256)
    assert.ok(grown.ok)
    for (const file of grown.value.files) bytes.set(tilePath(file.tile), file.bytes)
    ;({ edge } = grown.value)
  }
  for (const size of [1, 2, 255, 256, 257, 512, 599, 600]) for (const level of ['entries', 0, 1] as const) {
    if (level === 1 && size < 256) continue
    const tile = tileOf(level, Math.floor((size / (level === 1 ? 256 : 1) - 1) / 256), size)
    assert.deepEqual(Buffer.from(await ledger.tile(tile) ?? ''), Buffer.from(bytes.get(tilePath(tile)) ?? 'none'), tilePath(tile))
  }
  assert.equal(await ledger.tile({ level: 0, index: 2, width: 89 }), null, 'what no checkpoint covers')
  assert.equal(await ledger.tile({ level: 'entries', index: 3, width: 1 }), null)
  const note = readNote(ledger.checkpoint())
  assert.ok(note.ok)
  const checkpoint = readCheckpoint(note.value.text)
  assert.ok(checkpoint.ok)
  assert.deepEqual(checkpoint.value.root, rootOfAll(entries.map(({ bytes: each }) => leafHash(each, sha256)), sha256))
})

/** RFC 6962, section 2.1, as it is written there. */
function rootOfAll(leaves: readonly Uint8Array[], hash: Sha256Sync): Uint8Array {
  const [only] = leaves
  if (leaves.length <= 1) return only ?? hash(new Uint8Array())
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return hash(joinBytes([Uint8Array.of(1), rootOfAll(leaves.slice(0, split), hash), rootOfAll(leaves.slice(split), hash)]))
}

test('64 times the same at once, 20 rounds: one entry, one receipt', async (t) => {
  const { open, kit } = await withLedger(t)
  const ledger = await open()
  for (let round = 0; round < 20; round++) {
    const entry = entryOf(`round ${round}`)
    const placed = await Promise.all(Array.from({ length: 64 }, () => ledger.append(entry)))
    assert.deepEqual([...new Set(placed.map(({ index }) => index))], [round])
    assert.equal((await ledger.append(entry)).isNew, false)
    const receipts = new Set(await Promise.all(placed.map(({ index }) => ledger.receipt(index))))
    assert.equal(receipts.size, 1)
  }
  assert.equal(await count(kit), 20)
})

test('nothing is answered for what was not signed; asked again it is the same entry, once', async (t) => {
  const { open, folder, kit, faults } = await withLedger(t)
  const real = await openSigner(signerFolder(folder), origin, true)
  let fails: 'before' | 'after' | null = null
  const signer: LogSigner = { ...real, newest: real.newest, async sign(from, to) {
    if (fails === 'before') throw new Error('no room')
    const note = await real.sign(from, to)
    if (fails === 'after') throw new Error('the answer was lost')
    return note
  } }
  const ledger = await open(signer)
  for (const [nth, way] of (['before', 'after'] as const).entries()) {
    fails = way
    const entry = entryOf(way)
    await assert.rejects(ledger.append(entry), /no room|was lost/)
    fails = null
    const { index, isNew } = await ledger.append(entry)
    assert.deepEqual({ index, isNew }, { index: nth, isNew: false })
    await verified(ledger, entry, await ledger.receipt(index))
  }
  assert.equal(await count(kit), 2)
  assert.equal(faults.length, 2)
})

test('the answer to a checkpoint that was kept is lost: what it holds has one receipt all the same', async (t) => {
  const { kit, folder } = await withLedger(t)
  const store = createLedgerStore(kit.database)
  let isLost = false
  const losing = { ...store, show: async (shown: Parameters<typeof store.show>[0]) => {
    await store.show(shown)
    if (isLost) throw new Error('the connection broke')
  } }
  const reopen = async (): Promise<Ledger> => openLedger({ store: losing, signer: await openSigner(signerFolder(folder), origin, (await count(kit)) === 0), clock: () => 0, failed: () => undefined, fatal: never, pace_ms: 0 })
  const ledger = await reopen()
  await ledger.append(entryOf('before'))
  isLost = true
  await assert.rejects(ledger.append(entryOf('lost')), /broke/)
  isLost = false
  // The next checkpoint holds it too, and is not the first that does.
  await ledger.append(entryOf('after'))
  const receipt = await ledger.receipt(1)
  await ledger.idle()
  assert.equal(receipt, await (await reopen()).receipt(1))
})

test('an older copy of the database, or another, is not signed: the ledger does not open', async (t) => {
  const { open, folder } = await withLedger(t)
  const ledger = await open()
  for (const text of ['a', 'b', 'c']) await ledger.append(entryOf(text))
  const older = await withDatabase()
  t.after(() => older.close())
  const over = (): Promise<Ledger> => openSigner(signerFolder(folder), origin, false).then((signer) => openLedger({ store: createLedgerStore(older.database), signer, clock: () => 0, failed: never, fatal: never }))
  await assert.rejects(over(), /holds 0 entries of the ledger kawal\.example\/ledger, and 3 were signed: it is an older copy/)
  const copied = mkdtempSync(join(tmpdir(), 'kawal-ledger-'))
  t.after(() => rmSync(copied, { recursive: true, force: true }))
  const forger = await openLedger({ store: createLedgerStore(older.database), signer: await openSigner(signerFolder(copied), origin, true), clock: () => 0, failed: never, fatal: never })
  for (const text of ['a', 'b', 'x', 'y']) await forger.append(entryOf(text))
  await assert.rejects(over(), /holds other entries than the 3/)
})

test('a second server on the same database and signer: one goes on, the other stops, and the log has each entry once', async (t) => {
  const { open, kit, faults } = await withLedger(t)
  const [one, other] = [await open(), await open()]
  const entries = Array.from({ length: 40 }, () => entryOf(randomBytes(8).toString('hex')))
  const ends = await Promise.allSettled(entries.map((entry, at) => (at % 2 === 0 ? one : other).append(entry)))
  const kept = ends.filter(({ status }) => status === 'fulfilled').length
  assert.ok(kept >= 1 && kept < 40, `${kept} were answered for`)
  assert.ok(faults.some((error) => error instanceof SignerRefused || (error as { code?: string }).code === '23505'))
  const ledger = await open()
  for (const [at, entry] of entries.entries()) {
    if (ends[at]?.status !== 'fulfilled') continue
    const { index, isNew } = await ledger.append(entry)
    assert.equal(isNew, false)
    await verified(ledger, entry, await ledger.receipt(index))
  }
  assert.ok((await count(kit)) <= 40)
})
