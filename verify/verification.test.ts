import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { writeEntry, type Entry } from '@kawal/core/recap/entry.ts'
import { writePhotos, type Photo } from '@kawal/core/recap/photo.ts'
import { checkpointOf, proofOf, signing } from '@kawal/testkit/proofs.ts'
import { recapPhone, type RecapPhone } from '@kawal/testkit/recap-phone.ts'
import { presidential, sha256, soundTotals } from '@kawal/testkit/recaps.ts'
import { addItems, readItems, type Item } from './src/material.ts'
import { readTrust } from './src/trust.ts'
import { verifyAll, type Case, type Report } from './src/verification.ts'

const station = presidential.station
const log = signing('kawal.example/ledger')
const other = signing('kawal.example/ledger')
const box = signing('kotak.example/ledger')
const witnesses = ['saksi-a.example', 'saksi-b.example'].map((name) => signing(name, 'cosignature'))
const policy = [`log ${formatVerifierKey(log.key)}`, ...witnesses.map(({ key }, at) => `witness w${at} ${formatVerifierKey(key)}`), 'group both all w0 w1', 'quorum both', ''].join('\n')
const utf8 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text))
const jpeg = (more: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.concat([Buffer.of(0xff, 0xd8, 0xff, 0xe0), Buffer.from(more)]))
const answer = utf8('{"nomor":"KPU-1"}')

let phone: RecapPhone
let record: Buffer
let list: Uint8Array<ArrayBuffer>
let files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>
const shots = [jpeg('halaman satu'), jpeg('halaman dua')]
const entries = (more: readonly Entry[] = []): Uint8Array[] => [writeEntry({ kind: 'enrolment', device: new Uint8Array(16).fill(7), station, publicKey: phone.publicKey, at: 1 }), writeEntry({ kind: 'recap', envelope: record }), ...more.map(writeEntry)]

before(async () => {
  phone = await recapPhone(station)
  list = writePhotos(shots.map((bytes, at): Photo => ({ page: at + 1, shot: 1, kind: 'original', size_bytes: bytes.length, sha256: sha256(bytes) })))
  record = await phone.record({ photos: sha256(list) })
  const delivery: Entry = { kind: 'delivery', recap: sha256(record), status: 201, answer: sha256(answer), at: 1_800_000_000_000 }
  files = {
    'rekap.cose': Uint8Array.from(record), 'daftar.cbor': list, 'satu.jpg': shots[0] as Uint8Array<ArrayBuffer>, 'dua.jpg': shots[1] as Uint8Array<ArrayBuffer>, 'jawaban.json': answer,
    'terima.tlog-proof': utf8(await proofOf(entries(), 1, log, { witnesses })), 'kpu.tlog-proof': utf8(await proofOf(entries([delivery]), 2, log, { witnesses, hasExtra: true })),
    'daftar-hp.tlog-proof': utf8(await proofOf(entries(), 0, log, { witnesses, hasExtra: true })),
  }
})

const read = (given: Readonly<Record<string, Uint8Array<ArrayBuffer>>>): Item[] => Object.entries(given).reduce<Item[]>((all, [name, bytes]) => addItems(all, readItems(name, bytes)), [])

async function verify(given: Readonly<Record<string, Uint8Array<ArrayBuffer>>>, trust = policy, keys: readonly Uint8Array[] = []): Promise<Report> {
  const believed = readTrust(trust)
  assert.ok(believed.ok)
  return verifyAll(read(given), { trust: believed.value, keys: keys.map((key) => Uint8Array.from(key)) })
}

/** `step: finding` of everything that does not hold, in order. */
const rest = ({ parts }: Case): string[] => parts.flatMap(({ steps }) => steps.filter(({ state }) => state !== 'holds').map(({ id, finding }) => `${id}: ${finding}`))
const first = ({ cases }: Report): Case => cases[0] ?? assert.fail('no case')
const flipped = (bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ 1 : byte))
const without = (...names: string[]): typeof files => Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)))

test('with everything that there is, everything holds', async () => {
  const report = await verify(files)
  assert.deepEqual([rest(first(report)), first(report).verdict, report.loose], [[], 'holds', []])
  assert.ok(first(report).parts.flatMap(({ steps }) => steps).length >= 16)
})

test('what was not given is not looked at, and never holds', async () => {
  const alone = first(await verify({ 'rekap.cose': Uint8Array.from(record) }))
  assert.deepEqual(rest(alone), ['signature: keyMissing', 'key: keyNone', 'list: listAbsent', 'photos: photosAbsent', 'receipt: proofAbsent', 'delivery: deliveryAbsent'])
  assert.equal(alone.verdict, 'partly')
  assert.deepEqual(rest(first(await verify(files, ''))).filter((each) => !each.startsWith('signature')), ['key: keyNone', 'log: logUnknown', 'inclusion: includedUnsigned', 'witnesses: witnessesNone', 'log: logUnknown', 'inclusion: includedUnsigned', 'witnesses: witnessesNone'])
  assert.deepEqual(rest(first(await verify(without('dua.jpg', 'jawaban.json')))), ['photos: photosPart', 'answer: answerAbsent'])
})

test('a record holds every one of its bytes: each flip is refused at the record or at its signature', async () => {
  for (let at = 0; at < record.length; at += 3) {
    const changed = first(await verify({ 'rekap.cose': flipped(record, at) }, '', [phone.publicKey]))
    const found = rest(changed)
    assert.ok(found.some((each) => ['record: recordUnread', 'signature: signedNot', 'signature: keyMissing'].includes(each)), `byte ${at}: ${found.join()}`)
    assert.notEqual(changed.verdict, 'holds')
  }
})

test('each kind of change is refused at its own step', async () => {
  const receipt = Buffer.from(files['terima.tlog-proof'] ?? []).toString()
  const [, hash = ''] = /\nindex \d+\n(\S+)/.exec(receipt) ?? []
  const hash_other = Buffer.from(sha256(Buffer.from(hash))).toString('base64')
  const changes: readonly (readonly [string, Uint8Array<ArrayBuffer>, string])[] = [
    ['rekap.cose', flipped(record, record.length - 1), 'signature: signedNot'], ['satu.jpg', flipped(shots[0] ?? list, 9), 'photos: photosForeign'], ['daftar.cbor', flipped(list, list.length - 1), 'list: listOther'],
    ['terima.tlog-proof', utf8(receipt.replace(hash, hash_other)), 'inclusion: includedNot'], ['terima.tlog-proof', utf8(receipt.replace('index 1', 'index 0')), 'inclusion: includedNot'],
    ['terima.tlog-proof', utf8(await proofOf(entries(), 1, other, { witnesses })), 'log: logSignedNot'], ['terima.tlog-proof', utf8(await proofOf(entries(), 1, box, { witnesses })), 'log: logOther'],
    ['terima.tlog-proof', utf8(await proofOf(entries(), 1, log, { witnesses: witnesses.slice(1) })), 'witnesses: witnessedFew'], ['terima.tlog-proof', utf8(receipt.slice(0, 60)), 'proof: proofUnread'],
    ['kpu.tlog-proof', utf8(await proofOf(entries([{ kind: 'delivery', recap: sha256(answer), status: 201, answer: sha256(answer), at: 1 }]), 2, log, { witnesses, hasExtra: true })), 'names: namedNot'],
  ]
  for (const [name, bytes, step] of changes) {
    const changed = first(await verify({ ...files, [name]: bytes }))
    assert.ok(rest(changed).includes(step), `${name}: ${rest(changed).join()}`)
    assert.equal(changed.verdict, step.endsWith('Few') ? 'partly' : 'wrong', step)
  }
  assert.deepEqual(rest(first(await verify({ ...files, 'jawaban.json': utf8('{}') }))), ['answer: answerAbsent'])
})

test('of all that was given no byte can be another, and everything still hold', async () => {
  for (const [name, bytes] of Object.entries(files)) for (const share of [0.3, 0.99]) {
    const at = Math.floor(share * (bytes.length - 1))
    const report = await verify({ ...files, [name]: flipped(bytes, at) })
    assert.ok(report.cases.length === 0 || first(report).verdict !== 'holds', `${name}, byte ${at}`)
  }
  const strange: Entry = { kind: 'enrolment', device: new Uint8Array(16), station, publicKey: new Uint8Array(65), at: 1 }
  assert.equal(first(await verify({ ...files, 'aneh.tlog-proof': utf8(await proofOf([writeEntry(strange)], 0, log, { witnesses, hasExtra: true })) })).verdict, 'holds', 'what is no key is none')
})

test('a receipt of a box, or one that few witnesses have seen, takes nothing from one that holds, and alone is what it is', async () => {
  const [early, held] = [utf8(await proofOf(entries(), 1, log)), utf8(await proofOf(entries(), 1, box))]
  const receipts = async (...names: string[]): Promise<string[]> => rest(first(await verify({ ...without('terima.tlog-proof'), ...Object.fromEntries(Object.entries({ early, held, whole: files['terima.tlog-proof'] ?? early }).filter(([name]) => names.includes(name))) })))
  assert.deepEqual(await receipts('early'), ['witnesses: witnessedFew'])
  assert.deepEqual(await receipts('early', 'whole'), ['witnesses: witnessedBeside'])
  assert.deepEqual(await receipts('held'), ['log: logOther', 'inclusion: includedUnsigned', 'witnesses: witnessedFew'])
  assert.deepEqual(await receipts('held', 'whole'), ['log: logBeside', 'inclusion: includedUnsigned', 'witnesses: witnessedBeside'])
  assert.deepEqual(await receipts('held', 'early'), ['witnesses: witnessedFew', 'log: logBeside', 'inclusion: includedUnsigned', 'witnesses: witnessedFew'])
})

test('a key counts as given apart only from somebody else: typed in, or enrolled in the ledger at this station', async () => {
  const link = utf8(`Lihat https://kawal.example/verify/#rekap=${record.toString('base64url')}&kunci=${phone.publicKey.toString('base64url')} ya`)
  const keyOf = async (given: typeof files, keys: readonly Uint8Array[] = []): Promise<string[]> => rest(first(await verify(given, policy, keys))).filter((each) => /^(key|signature)/.test(each))
  assert.deepEqual(await keyOf({ qr: link }), ['key: keyAlong'])
  assert.deepEqual(await keyOf({ qr: link }, [phone.publicKey]), [])
  assert.deepEqual(await keyOf({ qr: link, 'daftar-hp.tlog-proof': files['daftar-hp.tlog-proof'] ?? link }), [])
  const stranger = await recapPhone(station)
  assert.deepEqual(await keyOf({ qr: utf8(`#rekap=${record.toString('base64url')}&kunci=${stranger.publicKey.toString('base64url')}`) }), ['signature: keyOther', 'key: keyNone'])
  const elsewhere = [writeEntry({ kind: 'enrolment', device: new Uint8Array(16), station: '7571011001004', publicKey: phone.publicKey, at: 1 })]
  assert.deepEqual(await keyOf({ qr: link, 'lain.tlog-proof': utf8(await proofOf(elsewhere, 0, log, { witnesses, hasExtra: true })) }), ['key: keyElsewhere'])
  assert.deepEqual(await keyOf({ qr: link, 'palsu.tlog-proof': utf8(await proofOf(entries(), 0, other, { witnesses, hasExtra: true })) }), ['key: keyAlong'], 'of a log that nobody trusts')
})

test('Ed25519 and P-256 are both verified', async () => {
  for (const algorithm of ['EdDSA', 'ES256'] as const) {
    const each = await recapPhone(station, algorithm)
    const signed = await each.record()
    assert.ok(!rest(first(await verify({ a: Uint8Array.from(signed) }, '', [each.publicKey]))).some((step) => /^(signature|key)/.test(step)), algorithm)
  }
})

test('checks are made again: what was warned of is told, and what was not is a change', async () => {
  const totals = soundTotals.map((value, at) => (at === 22 ? value + 1 : value))
  const findings = async (more: object): Promise<string[]> => rest(first(await verify({ a: Uint8Array.from(await (await recapPhone(station)).record(more)) }))).filter((each) => /^(form|sums)/.test(each))
  assert.deepEqual(await findings({ totals, warned: [10] }), ['sums: sumsWarned'])
  assert.deepEqual(await findings({ totals, warned: [] }), ['sums: sumsOther'])
  assert.deepEqual(await findings({ warned: [3] }), ['sums: sumsOther'])
  assert.deepEqual(await findings({ form: 9 }), ['form: formUnknown', 'sums: sumsUnknown'])
  assert.deepEqual(await findings({ totals: soundTotals.slice(1) }), ['form: formCount', 'sums: sumsUnknown'])
})

test('records that belong together are held against each other, in any order, and receipts find their record', async () => {
  const later = await phone.record({ replaces: sha256(record), madeAt: presidential.madeAt + 60_000 })
  const rival = await (await recapPhone(station, 'EdDSA')).record({ totals: soundTotals.map((value, at) => (at === 22 ? value + 1 : value)), warned: [10] })
  const leaves = [record, later, rival].map((envelope) => writeEntry({ kind: 'recap', envelope }))
  const given = {
    a: Uint8Array.from(record), b: Uint8Array.from(later), c: Uint8Array.from(rival),
    ...Object.fromEntries(await Promise.all(leaves.map(async (_, at) => [`p${at}`, utf8(await proofOf(leaves, at, log, { witnesses }))] as const))), x: jpeg('siapa'),
  }
  const told = (report: Report): unknown => Object.fromEntries(report.cases.map((each) => [each.item.name, rest(each).filter((step) => /^(correction|previous|receipt|inclusion)/.test(step))]))
  const expected = { a: ['correction: correctedBy'], b: ['correction: conflict'], c: ['correction: conflict'] }
  const report = await verify(given)
  assert.deepEqual([told(report), report.loose.map(({ name }) => name)], [expected, ['x']])
  assert.deepEqual(told(await verify(Object.fromEntries(Object.entries(given).reverse()))), expected)
  const lone = first(await verify({ b: given.b }))
  assert.ok(rest(lone).includes('correction: correctsAbsent') && rest(lone).includes('previous: previousAbsent'))
})

test('a record that names what is not before it, or corrects what is not of its station, is refused', async () => {
  const all = async (second: Promise<Buffer>): Promise<string[]> => (await verify({ a: Uint8Array.from(record), b: Uint8Array.from(await second) })).cases.flatMap((each) => (each.item.name === 'b' ? rest(each) : [])).filter((step) => /^(previous|correction)/.test(step))
  const stranger = await recapPhone(station)
  assert.deepEqual(await all(phone.record({ sequence: 7, previous: sha256(record) })), ['previous: followsNot', 'correction: conflictSame'])
  assert.deepEqual(await all(stranger.record({ sequence: 2, previous: sha256(record), contest: 'dpd' })), ['previous: followsNot'], 'of another phone')
  assert.deepEqual(await all((await recapPhone(station)).record({ contest: 'dpd', replaces: sha256(record) })), ['correction: correctsElsewhere'])
})

test('a checkpoint of the same size with another root shows a log that has two histories', async () => {
  const fork = await checkpointOf([...entries().slice(1), writeEntry({ kind: 'recap', envelope: record })], log, witnesses)
  const findings = async (note: string): Promise<string[]> => (await verify({ ...files, 'lihat.txt': utf8(note) })).checkpoints.flatMap(({ steps }) => steps.map(({ finding }) => finding))
  assert.deepEqual(await findings(fork), ['noteRead', 'logSigned', 'witnessed', 'treesFork'])
  assert.deepEqual(await findings(await checkpointOf(entries(), log, witnesses)), ['noteRead', 'logSigned', 'witnessed', 'treesAgree'])
  assert.deepEqual(await findings(await checkpointOf(entries().slice(1), other)), ['noteRead', 'logSignedNot', 'witnessedFew', 'treesApart'])
})

test('a link holds a record with its key, proofs and list; a damaged file is told by its ending', () => {
  const link = `https://kawal.example/verify/#rekap=${record.toString('base64url')}&kunci=${phone.publicKey.toString('base64url')}&bukti=${Buffer.from(files['terima.tlog-proof'] ?? []).toString('base64url')}&daftar=${Buffer.from(list).toString('base64url')}`
  assert.deepEqual(readItems('tautan', utf8(link)).map(({ kind, bytes, key }) => [kind, bytes.length, key?.length ?? null]), [['record', record.length, 65], ['proof', files['terima.tlog-proof']?.length, null], ['list', list.length, null]])
  assert.deepEqual(readItems('QR dalam foto.png', utf8(link)).map(({ kind }) => kind), ['record', 'proof', 'list'], 'a name is looked at last')
  assert.deepEqual(['rekap.cose', 'a.tlog-proof', 'a.cbor', 'a.bin', 'a'].map((name) => readItems(name, utf8('rusak'))[0]?.kind), ['record', 'proof', 'list', 'file', 'file'])
  assert.deepEqual(Object.entries(files).map(([, bytes]) => readItems('tanpa nama', bytes)[0]?.kind), ['record', 'list', 'photo', 'photo', 'file', 'proof', 'proof', 'proof'])
  const twice = addItems(readItems('a.cose', Uint8Array.from(record)), readItems('tautan', utf8(link)))
  assert.deepEqual(twice.map(({ name, key }) => [name, key?.length ?? null])[0], ['a.cose', 65])
})

test('a supervisor’s copy is told by the entry of its key, and is no conflict with the officer’s', async () => {
  const supervisor = await recapPhone(station)
  const copy = Uint8Array.from(await supervisor.record())
  const log_entries = [...entries(), writeEntry({ kind: 'supervision', device: new Uint8Array(16).fill(8), station, publicKey: supervisor.publicKey, at: 1 })]
  const proof = async (index: number): Promise<Uint8Array> => utf8(await proofOf(log_entries, index, log, { witnesses, hasExtra: true }))
  const both = { 'petugas.cose': Uint8Array.from(record), 'pengawas.cose': copy, 'a.tlog-proof': await proof(0) }
  const findings = (report: Awaited<ReturnType<typeof verify>>): string[] => report.cases.flatMap(({ parts }) => parts.flatMap(({ steps }) => steps.map(({ finding }) => finding)))
  const unknown = findings(await verify(both, policy, [phone.publicKey, supervisor.publicKey]))
  assert.ok(unknown.some((each) => each.startsWith('conflict')), 'whose it is nobody said')
  const known = findings(await verify({ ...both, 'b.tlog-proof': await proof(2) }, policy, [phone.publicKey, supervisor.publicKey]))
  assert.ok(known.includes('keySupervisor') && known.includes('keyEnrolled') && !known.some((each) => each.startsWith('conflict')), known.join())
})
