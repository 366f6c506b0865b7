import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import type { RecapState } from '@kawal/contract/recap.ts'
import { readBundle } from '@kawal/core/ledger/bundle.ts'
import { emptyEdge, grow, type Edge } from '@kawal/core/ledger/growth.ts'
import { keyId } from '@kawal/core/recap/cose.ts'
import { readEntry, writeEntry } from '@kawal/core/recap/entry.ts'
import { writePhotos, type Photo } from '@kawal/core/recap/photo.ts'
import { createCarriedStore } from '@kawal/server/src/custody/carried.ts'
import type { CarriedStore } from '@kawal/server/src/custody/courier.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import type { LedgerStore, NewEntry, Source, Writing } from '@kawal/server/src/ledger/ledger.ts'
import { signerFolder, type SignerFolder } from '@kawal/server/src/ledger/signer.ts'
import { createLedgerStore } from '@kawal/server/src/ledger/store.ts'
import { enrolKey } from '@kawal/server/src/measurement/enrolment.ts'
import { createDeliveryStore } from '@kawal/server/src/recap/deliveries.ts'
import type { DeliveryStore } from '@kawal/server/src/recap/forwarder.ts'
import type { JudgeStore } from '@kawal/server/src/recap/judge.ts'
import { createJudgeStore } from '@kawal/server/src/recap/judged.ts'
import { holdersIn, type Holders } from '@kawal/server/src/recap/keys.ts'
import { photoFiles } from '@kawal/server/src/recap/photo-files.ts'
import type { PhotoFiles } from '@kawal/server/src/recap/photo-store.ts'
import { createPhotoLists, type PhotoLists } from '@kawal/server/src/recap/photos.ts'
import { createSources } from '@kawal/server/src/recap/sources.ts'
import { readState } from '@kawal/server/src/recap/state.ts'
import { recapOf } from '@kawal/server/src/recap/stored.ts'
import { planned } from '../plan.ts'
import { withDatabase, type TestDatabase } from '../postgres.ts'
import { recapPhone, seedRecaps, type RecapPhone } from '../recap-phone.ts'
import { createDisk, photoFilesOn, signerFolderOn } from './disk.ts'
import { carriedStoreOf, deliveryStoreOf, enrolIn, holdersOf, judgeStoreOf, photoListsOf, stateOf } from './stores.ts'
import { createTables, ledgerStoreOf, sourcesOf } from './tables.ts'
import { atOnce } from './world.ts'

/** What the simulator puts in the place of PostgreSQL and of the disk keeps the same contracts as these do: each is held to both. */

let server: TestDatabase
// One that stays open keeps PostgreSQL running from test to test.
before(async () => (server = await withDatabase()))
after(() => server.close())

const [station = ''] = planned.stations
const at = Date.UTC(2029, 1, 14, 9)
const hashOf = (bytes: Uint8Array): Buffer => Buffer.from(sha256(bytes))

/** Everything that is kept in a database; `W` is what one transaction may do. */
interface Stores<W extends Writing> {
  readonly ledger: LedgerStore<W>
  readonly sources: readonly Source<W>[]
  readonly judge: JudgeStore
  readonly deliveries: DeliveryStore
  readonly lists: PhotoLists
  readonly carried: CarriedStore
  readonly holders: Holders
  readonly stateOf: (hash: string) => Promise<RecapState | null>
  enrol(publicKey: Buffer): Promise<void>
}

function inMemory() {
  const tables = createTables(planned.stations)
  return {
    ledger: ledgerStoreOf(tables, atOnce), sources: sourcesOf(tables, atOnce), judge: judgeStoreOf(tables, atOnce), deliveries: deliveryStoreOf(tables, atOnce), lists: photoListsOf(tables, atOnce), carried: carriedStoreOf(tables, atOnce),
    holders: holdersOf(tables, atOnce), stateOf: stateOf(tables, atOnce),
    enrol: async (publicKey: Buffer) => void enrolIn(tables, station, publicKey, Buffer.from(await keyId('EdDSA', publicKey, sha256)).toString('hex'), at),
  }
}

async function inPostgres(t: TestContext) {
  const kit = await withDatabase()
  t.after(() => kit.close())
  await seedRecaps(kit)
  const { database } = kit
  return {
    ledger: createLedgerStore(database), sources: createSources(), judge: createJudgeStore(database), deliveries: createDeliveryStore(database), lists: createPhotoLists(database), carried: createCarriedStore(database),
    holders: holdersIn(database), stateOf: (hash: string) => readState(database, hash), enrol: async (publicKey: Buffer) => void (await enrolKey(database, station, publicKey, at)),
  }
}

function bothStores(name: string, suite: <W extends Writing>(stores: Stores<W>) => Promise<void>): void {
  test(`in memory: ${name}`, () => suite(inMemory()))
  test(`in PostgreSQL: ${name}`, async (t) => suite(await inPostgres(t)))
}

const entryOf = (envelope: Uint8Array, key: Buffer | null = null): NewEntry => ({ name: hashOf(envelope).toString('hex'), kind: 1, bytes: writeEntry({ kind: 'recap', envelope }), carrier: null, key })

/** Adds entries as the ledger does. */
async function add<W extends Writing>(ledger: LedgerStore<W>, edge: Edge, entries: readonly NewEntry[], placed?: (writing: W) => Promise<void>): Promise<Edge> {
  const grown = grow(edge, entries.map(({ bytes }) => bytes), sha256)
  assert.ok(grown.ok)
  await ledger.write(async (writing) => {
    await writing.add(edge.size, entries, grown.value.files, new Date(at))
    await placed?.(writing)
  })
  return grown.value.edge
}

const plainEdge = (edge: Edge): unknown => ({ size: edge.size, bundle: Buffer.from(edge.bundle).toString('hex'), tiles: edge.tiles.map((tile) => Buffer.from(tile).toString('hex')) })

bothStores('the log takes each index and each name once, all of a transaction or nothing, and gives back what it took', async ({ ledger }) => {
  const entries = Array.from({ length: 700 }, (_, nth) => entryOf(Buffer.from(`envelope ${nth}`)))
  assert.deepEqual(plainEdge(await ledger.edge()), plainEdge(emptyEdge))
  let edge = await add(ledger, emptyEdge, entries.slice(0, 3))
  const [first, second, , fourth, fifth] = entries as [NewEntry, NewEntry, NewEntry, NewEntry, NewEntry]
  await assert.rejects(add(ledger, emptyEdge, [fourth]), /unique/, 'an index that is taken')
  await assert.rejects(add(ledger, edge, [fourth, second]), /unique/, 'a name that is there')
  await assert.rejects(add(ledger, edge, [fourth, fourth]), /unique/, 'a name twice')
  await assert.rejects(add(ledger, edge, [fourth, fifth], () => Promise.reject(new Error('thought better of it'))), /better/)
  assert.deepEqual(plainEdge(await ledger.edge()), plainEdge(edge), 'nothing of these is there')
  assert.deepEqual(await ledger.write((writing) => writing.names([first.name, fourth.name, second.name])), new Map([[first.name, 0], [second.name, 1]]))
  edge = await add(ledger, edge, entries.slice(3))
  assert.deepEqual(plainEdge(await ledger.edge()), plainEdge(edge))
  const bundle = readBundle(await ledger.tile({ level: 'entries', index: 1, width: 10 }) ?? new Uint8Array())
  assert.ok(bundle.ok)
  assert.deepEqual(bundle.value.map((bytes) => hashOf(bytes)), entries.slice(256, 266).map(({ bytes }) => hashOf(bytes)))
  assert.equal((await ledger.tile({ level: 0, index: 1, width: 256 }))?.length, 8_192)
  assert.equal(await ledger.tile({ level: 0, index: 2, width: 256 }), null, 'not full yet')
  assert.equal(await ledger.shownFor(0), null)
  for (const [size, note] of [[3, 'three'], [700, 'all'], [3, 'other']] as const) await ledger.show({ size, note })
  assert.deepEqual([await ledger.shownFor(2), await ledger.shownFor(3), await ledger.shownFor(700)], [{ size: 3, note: 'three' }, { size: 700, note: 'all' }, null])
})

interface Filled { readonly phone: RecapPhone; readonly envelopes: readonly Buffer[]; readonly entries: readonly NewEntry[]; readonly edge: Edge; readonly list: Buffer; readonly photos: readonly Photo[] }

/** Three records of one phone, the first with two photos. */
async function fill<W extends Writing>({ ledger }: Stores<W>): Promise<Filled> {
  const phone = await recapPhone(station, 'EdDSA')
  const photos = [Buffer.alloc(90, 1), Buffer.alloc(400, 2)].map((file, nth): Photo => ({ page: 1, shot: 1, kind: nth === 0 ? 'preview' : 'original', size_bytes: file.length, sha256: sha256(file) }))
  const list = Buffer.from(writePhotos(photos))
  const envelopes = [await phone.record({ photos: sha256(list) }), await phone.record(), await phone.record()]
  const entries = envelopes.map((envelope) => entryOf(envelope, phone.publicKey))
  return { phone, envelopes, entries, edge: await add(ledger, emptyEdge, entries), list, photos }
}

bothStores('who holds a key is known once he is enrolled; his enrolment and an answer go into the log once', async (stores) => {
  const { phone, entries, edge } = await fill(stores)
  const kid = Buffer.from(phone.kid).toString('hex')
  assert.equal((await stores.holders([kid])).size, 0)
  await stores.enrol(phone.publicKey)
  const [holder] = (await stores.holders(['0000000000000000', kid])).get(kid) ?? []
  assert.ok(holder !== undefined && holder.publicKey.equals(phone.publicKey) && holder.station === station && !holder.isRevoked)
  await stores.judge.judging(async (judging) => judging.write([{ index: 0, hash: Buffer.from(entries[0]?.name ?? '', 'hex'), recap: recapOf(entries[0]?.bytes ?? new Uint8Array()), judgement: { ok: true, device: holder.device, side: holder.role } }], at))
  await stores.deliveries.delivered(Buffer.from(entries[0]?.name ?? '', 'hex'), 201, Buffer.from('{}'), at)
  let last = edge
  for (const kind of ['enrolment', 'delivery'] as const) {
    let taken: readonly NewEntry[] = []
    for (const source of stores.sources) {
      const found = await stores.ledger.write(async (writing) => {
        const some = await source.take(writing, 10)
        const [entry] = some.map(({ bytes }) => readEntry(bytes))
        if (entry?.ok !== true || entry.value.kind !== kind) return null
        const grown = grow(last, some.map(({ bytes }) => bytes), sha256)
        assert.ok(grown.ok)
        await writing.add(last.size, some, grown.value.files, new Date(at))
        await source.placed(writing, last.size)
        taken = some
        return grown.value.edge
      })
      last = found ?? last
    }
    assert.equal(taken.length, 1, kind)
  }
  for (const source of stores.sources) assert.deepEqual(await stores.ledger.write((writing) => source.take(writing, 10)), [], 'each is told once')
})

bothStores('what is new is judged in the log’s order, what is in quarantine again, and what counts stays so', async (stores) => {
  const { phone, entries } = await fill(stores)
  await stores.enrol(phone.publicKey)
  const device = (await stores.holders([Buffer.from(phone.kid).toString('hex')])).get(Buffer.from(phone.kid).toString('hex'))?.[0]?.device ?? -1
  const judged = (nth: number, isGood: boolean) => {
    const { name = '', bytes = new Uint8Array() } = entries[nth] ?? {}
    return { index: nth, hash: Buffer.from(name, 'hex'), recap: recapOf(bytes), judgement: isGood ? { ok: true, device, side: 'officer' } as const : { ok: false, reason: 'station_unknown', detail: `nth ${nth}`, side: 'officer' } as const }
  }
  const indices = (rows: readonly { readonly index: number }[]): number[] => rows.map(({ index }) => index)
  assert.deepEqual(indices(await stores.judge.fresh(2)), [0, 1])
  assert.equal((await stores.stateOf(entries[0]?.name ?? ''))?.state, 'waiting')
  await stores.judge.judging(async (judging) => {
    assert.deepEqual([...await judging.stations([station, '9999999999999'])], [station])
    assert.equal((await judging.holders([Buffer.from(phone.kid).toString('hex')])).size, 1)
    await judging.write([judged(0, true), judged(1, false)], at)
  })
  await assert.rejects(stores.judge.judging(async (judging) => {
    await judging.write([judged(2, true)], at)
    throw new Error('thought better of it')
  }), /better/)
  assert.deepEqual(indices(await stores.judge.fresh(10)), [2])
  await stores.judge.judging((judging) => judging.write([judged(2, false), judged(0, false)], at + 5))
  assert.deepEqual(indices(await stores.judge.fresh(10)), [])
  assert.deepEqual([indices(await stores.judge.again(at - 1, 10)), indices(await stores.judge.again(at, 10)), indices(await stores.judge.again(at + 9, 1))], [[], [1], [1]])
  const states = await Promise.all(entries.map(async ({ name }) => (await stores.stateOf(name))?.reason ?? null))
  assert.deepEqual(states, [null, 'station_unknown', 'station_unknown'], 'what counted counts')
  assert.equal(await stores.stateOf('0'.repeat(64)), null)
  await stores.judge.judging((judging) => judging.write([judged(1, true), judged(2, true)], at + 9))
  const hashes = entries.map(({ name }) => Buffer.from(name, 'hex')) as [Buffer, Buffer, Buffer]
  const due = async (now: number, max = 10): Promise<number[]> => (await stores.deliveries.due(now, max)).map(({ hash }) => hashes.findIndex((each) => each.equals(hash)))
  assert.deepEqual([await due(at), await due(at, 2)], [[0, 1, 2], [0, 1]])
  await stores.deliveries.refused(hashes[1], at + 100)
  await stores.deliveries.delivered(hashes[0], 201, Buffer.from('first'), at)
  await stores.deliveries.delivered(hashes[0], 200, Buffer.from('second'), at + 60_000)
  assert.deepEqual([await due(at + 99), await due(at + 100)], [[2], [1, 2]])
  assert.equal((await stores.stateOf(entries[0]?.name ?? ''))?.deliveredAt, new Date(at).toISOString(), 'the first answer stays')
})

bothStores('a list is kept when it is looked at and found right; its photos are known from then on, and one is whole once', async (stores) => {
  const { entries, list, photos, phone } = await fill(stores)
  const record = Buffer.from(entries[0]?.name ?? '', 'hex')
  const [preview, original] = photos.map(({ sha256: hash, size_bytes: size }) => ({ sha256: Buffer.from(hash).toString('hex'), size })) as [{ sha256: string; size: number }, { sha256: string; size: number }]
  const kept = { hash: hashOf(list), bytes: list, photos }
  let looked: (Uint8Array | null)[] = []
  await assert.rejects(stores.lists.keep(Buffer.alloc(32), kept, at, (entry) => {
    looked = [entry]
    throw new Error('no such record')
  }), /no such record/)
  assert.deepEqual(looked, [null])
  assert.equal(await stores.lists.find(preview), null)
  for (let round = 0; round < 2; round++) await stores.lists.keep(record, kept, at, (entry) => assert.ok(Buffer.from(entry ?? []).equals(entries[0]?.bytes ?? Buffer.alloc(1))))
  assert.deepEqual(await stores.lists.find(preview), { isKept: false })
  for (let round = 0; round < 2; round++) await stores.lists.markKept(preview, at)
  assert.deepEqual([await stores.lists.find(preview), await stores.lists.find(original), await stores.lists.find({ ...preview, size: 91 })], [{ isKept: true }, { isKept: false }, null])
  await stores.enrol(phone.publicKey)
  await stores.judge.judging((judging) => judging.write([{ index: 0, hash: record, recap: recapOf(entries[0]?.bytes ?? new Uint8Array()), judgement: { ok: false, reason: 'key_unknown', detail: '', side: null } }], at))
  assert.deepEqual((await stores.stateOf(entries[0]?.name ?? ''))?.photos?.map(({ kind, kept: isKept }) => [kind, isKept]), [['preview', true], ['original', false]])
})

bothStores('what a box has to carry: records, then their lists, then photos that are whole, up to what is there', async (stores) => {
  const { entries, list, photos, phone } = await fill(stores)
  const [{ name: hash, bytes: entry }, refused] = entries as [NewEntry, NewEntry]
  const unsent = async (): Promise<string[]> => (await stores.carried.unsent()).map((each) => `${entries.findIndex(({ name }) => name === each.hash)} ${!each.isLogged ? 'record' : !each.isListKept ? 'list' : each.photos.map(({ kind, offset }) => `${kind} ${offset}`).join()}`)
  assert.deepEqual(await unsent(), ['0 record', '1 record', '2 record'])
  assert.ok((await stores.carried.kept(hash)).key?.equals(phone.publicKey))
  await assert.rejects(stores.carried.kept('0'.repeat(64)), /not here/)
  await stores.lists.keep(Buffer.from(hash, 'hex'), { hash: hashOf(list), bytes: list, photos }, at, () => undefined)
  await stores.carried.note({ kind: 'refused', hash: refused.name, entry: refused.bytes, why: 'damaged' })
  for (let round = 0; round < 2; round++) await stores.carried.note({ kind: 'receipt', hash, entry, receipt: 'a receipt' })
  assert.deepEqual(await unsent(), ['2 record', '0 list'])
  assert.ok(Buffer.from(await stores.carried.list(hash)).equals(list))
  await stores.carried.note({ kind: 'listed', hash })
  assert.deepEqual(await unsent(), ['2 record'], 'no photo is whole here')
  const ids = photos.map(({ sha256: name, size_bytes: size }) => ({ sha256: Buffer.from(name).toString('hex'), size })) as [{ sha256: string; size: number }, { sha256: string; size: number }]
  for (const id of ids) await stores.lists.markKept(id, at)
  assert.deepEqual(await unsent(), ['2 record', '0 preview 0', '0 original 0'])
  await stores.carried.note({ kind: 'sent', photo: ids[0], offset: 90 })
  await stores.carried.note({ kind: 'sent', photo: ids[1], offset: 300 })
  assert.deepEqual(await unsent(), ['2 record', '0 original 300'])
  await stores.carried.note({ kind: 'sent', photo: ids[1], offset: 0 })
  assert.deepEqual(await unsent(), ['2 record', '0 original 0'])
})

function bothDisks(name: string, suite: (signer: SignerFolder, files: PhotoFiles) => Promise<void>): void {
  test(`in memory: ${name}`, () => suite(signerFolderOn(createDisk(), atOnce, '/signer'), photoFilesOn(createDisk(), atOnce)))
  test(`on disk: ${name}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'kawal-ports-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    await suite(signerFolder(join(folder, 'signer')), photoFiles(join(folder, 'photos')))
  })
}

bothDisks('the signer’s folder: of many who place the same file one does', async (signer) => {
  assert.deepEqual([await signer.names(), await signer.read('key')], [[], null])
  const placed = await Promise.all(Array.from({ length: 8 }, (_, nth) => signer.place('after-1', `text ${nth}`)))
  assert.equal(placed.filter(Boolean).length, 1)
  assert.equal(await signer.read('after-1'), `text ${placed.indexOf(true)}`)
  assert.equal(await signer.place('after-2', 'more'), true)
  await signer.sync()
  assert.deepEqual((await signer.names()).sort(), ['after-1', 'after-2'])
  await signer.remove('after-1')
  assert.deepEqual([await signer.names(), await signer.read('after-1')], [['after-2'], null])
  await assert.rejects(signer.remove('after-1'))
})

bothDisks('photos: bytes go behind those that are there, under one name at a time', async (_, files) => {
  const name = createHash('sha256').update('photo').digest('hex')
  assert.equal(await files.size(name), null)
  await assert.rejects(files.rename(name, `${name}.other`))
  for (const [nth, text] of ['abc', 'defg'].entries()) {
    const file = await files.append(name, nth === 0)
    await file.write([Buffer.from(text.slice(0, 2)), Buffer.from(text.slice(2))])
    await file.sync()
    await file.close()
  }
  assert.equal(await files.size(name), 7)
  assert.equal(Buffer.from(await files.read(name, 2, 6)).toString(), 'cdef')
  await assert.rejects(files.read(name, 4, 8), /has 7 bytes, and 8 were kept/)
  await files.sync(name)
  await assert.rejects(files.sync(`${name}.none`))
  await files.append(`${name}.other`, true).then((file) => file.close())
  await files.rename(name, `${name}.other`)
  assert.deepEqual([await files.size(name), await files.size(`${name}.other`)], [null, 7], 'another of the new name is written over')
})
