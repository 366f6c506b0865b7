import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import type { Page } from 'playwright-core'
import pino from 'pino'
import type { StationRecaps } from '@kawal/contract/recap.ts'
import { readVerifierKey, type VerifierKey } from '@kawal/core/ledger/key.ts'
import { logAlone, type Policy } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { hexOf } from '@kawal/core/recap/bytes.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { readSignedRecap } from '@kawal/core/recap/envelope.ts'
import { freePort } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { startBox } from '@kawal/server/src/custody/box.ts'
import { verifyEd25519 } from '@kawal/server/src/ledger/cryptography.ts'
import { openSigner, signerFolder } from '@kawal/server/src/ledger/signer.ts'
import { deviceToken, enrolKey, stationCode } from '@kawal/server/src/measurement/enrolment.ts'
import { startWitness, type RunningWitness } from '@kawal/server/src/witness/serve.ts'
import { startFaultProxy } from '@kawal/testkit/fault-proxy.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { withDatabase } from '@kawal/testkit/postgres.ts'
import { recapPhone } from '@kawal/testkit/recap-phone.ts'
import { sha256, soundTotals } from '@kawal/testkit/recaps.ts'
import { startReceiver, type Receiver } from '@kawal/testkit/receiver.ts'
import { enrol, letterOf, openBench, openEngine, openSync, stateOf, until, type Bench, type EnginePhone, type EngineWindow } from './engine.ts'

declare const window: Window & { engine: EngineWindow }

const stations = [...planned.stations]
const wait_ms_max = 60_000
let bench: Bench
let receiver: Receiver
let witness: RunningWitness
const keys = mkdtempSync(join(tmpdir(), 'kawal-witnessed-'))
const keyOf = (text: string): VerifierKey => {
  const key = readVerifierKey(text, sha256)
  return key.ok ? key.value : assert.fail(key.error)
}
/** Nothing listens there but in the test of the box. */
let box_port = 0
let open: EnginePhone[] = []

before(async () => {
  box_port = await freePort()
  receiver = await startReceiver()
  const log = (await openSigner(signerFolder(join(keys, 'ledger')), 'kawal.example/ledger', true)).key
  witness = await startWitness({ folder: join(keys, 'witness'), name: 'saksi.example/kawal', logs: [log], clock: Date.now, log: pino({ level: 'silent' }), host: '127.0.0.1', port: 0 })
  const witnesses: Policy = { logs: [], witnesses: [{ name: 'bawaslu', key: keyOf(witness.key), url: witness.url }], groups: [], quorum: 'bawaslu' }
  bench = await openBench({ custody: `http://127.0.0.1:${box_port}`, recaps: { folder: join(keys, 'ledger'), witnesses, receiver: { url: receiver.url } } })
})
after(async () => {
  await bench.close()
  await receiver.close()
  await witness.stop()
  rmSync(keys, { recursive: true, force: true })
})
beforeEach(async () => {
  await Promise.all(open.map((phone) => phone.close()))
  open = []
  bench.front.set('pass')
  bench.front.script(() => null)
})
after(() => Promise.all(open.map((phone) => phone.close())))

/** A phone with the app on it, enrolled at a station of its own. */
async function officer(): Promise<{ phone: EnginePhone; page: Page; station: string }> {
  const station = stations.shift() ?? ''
  const phone = await openEngine(bench)
  open.push(phone)
  const page = await phone.open()
  assert.equal(await enrol(page, station, letterOf(bench.server, station)), null)
  await until(page, 'state.identity !== null && !state.identity.provisional && state.config !== null')
  return { phone, page, station }
}

type Shot = readonly ['preview' | 'original', number]

/** Fills in, signs. @returns the record's hash */
const sign = (page: Page, station: string, shots: readonly Shot[] = [], count = 1): Promise<string[]> => page.evaluate(async ([code, totals, files, many]) => {
  const recaps = await window.engine.session.recaps()
  const noise = (size: number): ArrayBuffer => {
    const bytes = new Uint8Array(size)
    for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 65_536)))
    return bytes.buffer
  }
  const filled = { station: code, contest: 'ppwp', ballot: { kind: 'candidates', candidates: 3 }, ceiling: 300, totals, shots: files.map(([kind, size], at) => ({ page: at + 1, shot: 1, kind, bytes: noise(size) })), replaces: null, place: null }
  const hashes: string[] = []
  for (let nth = 0; nth < many; nth++) {
    const signed = await recaps.sign(filled)
    if (typeof signed === 'string') throw new Error(signed)
    hashes.push(signed.hash)
  }
  return hashes
}, [station, soundTotals, shots, count] as const)

interface Kept { readonly hash: string; readonly bytes: string; readonly left: number; readonly isListKept: boolean; readonly receipt: string | null; readonly isProven: boolean; readonly refusal: string | null; readonly custody: readonly { readonly receipt: string; readonly held: number }[]; readonly witnessed: { readonly text: string; readonly by: readonly { readonly name: string; readonly at_s: number }[] } | null; readonly delivery: string | null }
const keptOf = (page: Page): Promise<Kept[]> => page.evaluate(async () => (await (await window.engine.session.recaps()).all()).map(({ hash, bytes, photos, isListKept, receipt, isProven, refusal, custody, witnessed, delivery }) => ({
  hash, bytes: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''), left: photos.reduce((sum, { size_bytes, offset }) => sum + size_bytes - offset, 0), isListKept, receipt, isProven, refusal, custody: (custody ?? []).map((each) => ({ receipt: each.receipt, held: Object.values(each.sent).reduce((sum, bytes) => sum + bytes, 0) })), witnessed: witnessed ?? null, delivery: delivery ?? null,
})))
const press = (page: Page): Promise<void> => page.evaluate(async () => (await window.engine.session.recaps()).sender.trigger('button'))

/** Asks again until it holds. */
async function eventually<T>(what: string, ask: () => Promise<T>, holds: (found: T) => boolean): Promise<T> {
  for (const ends = Date.now() + wait_ms_max; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const found = await ask()
    if (holds(found)) return found
    if (Date.now() > ends) throw new Error(`${what} did not come: ${JSON.stringify(found).slice(0, 600)}`)
  }
}
const sent = (page: Page): Promise<Kept[]> => eventually('all of it sent', () => keptOf(page), (kept) => kept.length > 0 && kept.every(({ isProven, isListKept, left }) => isProven && isListKept && left === 0))
async function tokenOf(station: string): Promise<string> {
  const phone = await recapPhone(station)
  const device = await enrolKey(bench.server.app.database, station, phone.publicKey, Date.now())
  if (device === null) throw new Error('the station has no place for another phone')
  return deviceToken(bench.server.app.secret, device.device)
}
const recapsAt = async (station: string): Promise<StationRecaps> => (await bench.server.call<StationRecaps>('komdigi', 'GET', `/v1/stations/${station}/recaps`)).body
const judgedAt = (station: string, count: number): Promise<StationRecaps> => eventually('judged', () => recapsAt(station), ({ records }) => records.length === count)

test('signed without a network, the phone dies, and when there is one it goes out by itself, with a receipt that holds', { timeout: 120_000 }, async () => {
  const { phone, page, station } = await officer()
  bench.front.set('down')
  const [hash = ''] = await sign(page, station, [['preview', 90_000], ['original', 700_000]])
  await phone.kill()
  await phone.start()
  const again = await phone.open()
  const [waiting] = await keptOf(again)
  assert.deepEqual([waiting?.hash, waiting?.receipt, waiting?.left], [hash, null, 790_000])
  bench.front.set('pass')
  await again.evaluate(() => window.dispatchEvent(new Event('online')))
  const [kept] = await sent(again)
  assert.equal(kept?.bytes, waiting?.bytes, 'the same bytes for ever')
  assert.equal(hexOf(sha256(Buffer.from(kept?.bytes ?? '', 'hex'))), hash)
  const { records, slots } = await judgedAt(station, 1)
  assert.deepEqual([slots.map(({ state }) => state), records[0]?.reason, records[0]?.warnings, records[0]?.photos?.map((photo) => [photo.kind, photo.size, photo.kept])],
    [['single'], null, [], [['preview', 90_000, true], ['original', 700_000, true]]])
  // Witnesses see the ledger beside it, and the phone asks for that by itself.
  const [seen] = await eventually('witnessed', async () => {
    await bench.server.app.tick(Date.now())
    return keptOf(again)
  }, ([each]) => each?.witnessed != null)
  const policy: Policy = { ...logAlone(keyOf((await (await fetch(`${bench.server.app.url}/ledger/key`)).text()).trim())), witnesses: [{ name: 'bawaslu', key: keyOf(witness.key), url: null }], quorum: 'bawaslu' }
  const verified = await verifyReceipt(writeEntry({ kind: 'recap', envelope: Buffer.from(kept?.bytes ?? '', 'hex') }), seen?.witnessed?.text ?? '', policy, { sha256, verify: verifyEd25519 })
  assert.deepEqual(verified.ok && verified.value.witnesses, seen?.witnessed?.by)
})

test('the app is closed when the network comes back: the browser calls the worker, which sends record, list and photos, and keeps the receipt', { timeout: 120_000 }, async () => {
  const { phone, page, station } = await officer()
  const { sync } = await openSync(phone, bench.front)
  bench.front.set('down')
  await sign(page, station, [['preview', 60_000], ['original', 500_000]])
  await page.close()
  bench.front.set('pass')
  await sync()
  const { records } = await judgedAt(station, 1)
  await eventually('the photos', () => recapsAt(station), ({ records: [record] }) => record?.photos?.every(({ kept }) => kept) === true)
  bench.front.set('down')
  const [kept] = await keptOf(await phone.open())
  assert.deepEqual([kept?.hash, kept?.isProven, kept?.left], [records[0]?.hash, true, 0])
})

test('a phone without a network shows its record as a link: another carries it, whoever of both sends first it is there once, and both have the same receipt', { timeout: 120_000 }, async () => {
  const { page, station } = await officer()
  const { page: other } = await officer()
  bench.front.set('down')
  await sign(page, station)
  const link = await page.evaluate(async () => {
    const recaps = await window.engine.session.recaps()
    const [recap] = await recaps.all()
    return recap === undefined ? '' : recaps.linkOf(recap)
  })
  const values = new URLSearchParams(new URL(link).hash.slice(1))
  bench.front.set('pass')
  const carry = (bytes: string, key = values.get('kunci') ?? ''): Promise<boolean> => other.evaluate(async ([text, publicKey]) => {
    const recaps = await window.engine.session.recaps()
    return (await recaps.adopt({ bytes: Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)), key: publicKey })) !== null
  }, [Buffer.from(bytes, 'base64url').toString('base64'), key] as const)
  assert.deepEqual([await carry('bm8gcmVjb3Jk'), await carry(values.get('rekap') ?? ''), await carry(values.get('rekap') ?? '')], [false, true, true])
  const [carried] = await sent(other)
  assert.ok(await carry(values.get('rekap') ?? ''))
  assert.equal((await keptOf(other))[0]?.receipt, carried?.receipt, 'what became of it stays')
  assert.deepEqual((await judgedAt(station, 1)).records.map(({ hash, reason }) => [hash, reason]), [[carried?.hash, null]])
  await press(page)
  const [own] = await sent(page)
  assert.deepEqual([own?.receipt, own?.bytes, (await keptOf(other)).length], [carried?.receipt, carried?.bytes, 1])
  const stranger = await recapPhone(station)
  assert.ok(await carry((await stranger.record()).toString('base64url'), stranger.publicKey.toString('base64url')))
  assert.deepEqual((await judgedAt(station, 2)).records.map(({ reason }) => reason), [null, 'key_unknown'], 'its phone is enrolled later, and it counts then')
})

test('answers are lost on the way, of the record and of pieces of a photo: nothing comes twice, and the receipt is the same', { timeout: 120_000 }, async () => {
  const { page, station } = await officer()
  bench.front.set('lose')
  await sign(page, station, [['original', 900_000]])
  await judgedAt(station, 1)
  assert.equal((await keptOf(page))[0]?.receipt, null)
  // Of the pieces of the photo the answers to the first two: what came of them is told by a conflict.
  let lost = 0
  bench.front.script((path) => {
    bench.front.set(path.startsWith('/v1/photos/') && lost++ < 2 ? 'lose' : 'pass')
    return null
  })
  const [kept] = await eventually('the rest', async () => {
    await press(page)
    return keptOf(page)
  }, ([each]) => each?.left === 0)
  assert.ok(lost > 4, `${lost} pieces`)
  const receipt = await page.evaluate(async ([hash, token]) => (await fetch(`/v1/recaps/${hash}/receipt`, { headers: { authorization: `Bearer ${token}` } })).text(), [kept?.hash ?? '', await tokenOf(station)] as const)
  assert.equal(kept?.receipt, receipt)
  const { records } = await judgedAt(station, 1)
  assert.deepEqual(records[0]?.photos?.map((photo) => photo.kept), [true])
})

test('what is no receipt is none, and what a portal says ends nothing', { timeout: 120_000 }, async () => {
  const { page, station } = await officer()
  const real = await page.evaluate(async () => (await fetch('/ledger/checkpoint')).text())
  const lies: readonly { status: number; body: string }[] = [
    { status: 200, body: '<html>Log in to the hotel</html>' }, { status: 201, body: `c2sp.org/tlog-proof@v1\nindex 0\n\n${real}` }, { status: 400, body: '<html>no</html>' }, { status: 404, body: '' }, { status: 451, body: '{}' },
  ]
  for (const [at, lie] of lies.entries()) {
    bench.front.script((path) => (path === '/v1/recaps' ? lie : null))
    if (at === 0) await sign(page, station)
    await press(page)
    assert.deepEqual((await keptOf(page)).map(({ receipt, refusal }) => [receipt, refusal]), [[null, null]], lie.body)
  }
  bench.front.script(() => null)
  await press(page)
  assert.deepEqual((await sent(page)).map(({ refusal }) => refusal), [null])
  await judgedAt(station, 1)
})

test('beside a box a phone unloads while nothing else is reached, keeps everything, and fetches the platform\'s receipts there; photos go once, and KPU\'s answer is proven', { timeout: 120_000 }, async () => {
  const { page, station } = await officer()
  bench.front.set('down')
  const folder = mkdtempSync(join(tmpdir(), 'kawal-box-'))
  const kit = await withDatabase()
  const line = await startFaultProxy({ to: { host: '127.0.0.1', port: Number(new URL(bench.server.app.url).port) } })
  await line.set({ mode: 'cut' })
  let now = Date.now()
  const box = await startBox({
    database: kit.database, clock: () => now, log: pino({ level: 'silent' }), host: '127.0.0.1', port: box_port, folder: join(folder, 'keys'), photos: join(folder, 'photos'), origin: 'kotak.example/ledger',
    up: `http://127.0.0.1:${line.port}`, station, code: stationCode(bench.server.app.secret, station),
  })
  try {
    const [hash = ''] = await sign(page, station, [['preview', 60_000], ['original', 700_000]])
    await page.evaluate(() => window.dispatchEvent(new Event('online')))
    const [held] = await eventually('custody', () => keptOf(page), ([kept]) => kept?.custody[0]?.held === 760_000)
    assert.deepEqual([held?.receipt, held?.left], [null, 760_000], 'what the platform has is told by the platform alone')
    const key = readVerifierKey((await (await fetch(`${box.url}/ledger/key`)).text()).trim(), sha256)
    assert.ok(key.ok && (await verifyReceipt(writeEntry({ kind: 'recap', envelope: Buffer.from(held?.bytes ?? '', 'hex') }), held?.custody[0]?.receipt ?? '', logAlone(key.value), { sha256, verify: verifyEd25519 })).ok)
    await line.set({})
    now += 20 * 60_000
    await box.turn()
    assert.deepEqual((await judgedAt(station, 1)).records[0]?.photos?.map(({ kept }) => kept), [true, true])
    await eventually('the receipt of the platform', async () => {
      await press(page)
      return keptOf(page)
    }, ([kept]) => kept?.isProven === true)
    const sentAgain: string[] = []
    bench.front.script((path) => {
      if (path.startsWith('/v1/photos/')) sentAgain.push(path)
      return null
    })
    await eventually('handed to KPU', async () => {
      await bench.server.app.tick(Date.now())
      return receiver.held()
    }, (all) => all.some((each) => each.hash === hash))
    const token = await tokenOf(station)
    await eventually('its answer in the ledger', async () => {
      await bench.server.app.tick(Date.now())
      return (await fetch(`${bench.server.app.url}/v1/recaps/${hash}/delivery`, { headers: { authorization: `Bearer ${token}` } })).status
    }, (status) => status === 200)
    bench.front.set('pass')
    await press(page)
    const [kept] = await keptOf(page)
    assert.deepEqual([kept?.left, kept?.delivery?.includes('\nextra '), sentAgain], [0, true, []])
  } finally {
    await box.stop()
    await line.close()
    await kit.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('two tabs sign at once: the count has no gap, and each record names the one before it', { timeout: 120_000 }, async () => {
  const { phone, page, station } = await officer()
  const other = await phone.open()
  await Promise.all([page, other].map((tab) => sign(tab, station, [], 8)))
  const kept = await sent(page)
  const records = kept.map(({ hash, bytes }) => {
    const read = readSignedRecap(Buffer.from(bytes, 'hex'))
    assert.ok(read.ok)
    return { hash, ...read.value.recap }
  }).sort((a, b) => a.sequence - b.sequence)
  assert.deepEqual(records.map(({ sequence }) => sequence), Array.from({ length: 16 }, (_, at) => at + 1))
  assert.deepEqual(records.map(({ previous }) => (previous === null ? null : hexOf(previous))), [null, ...records.slice(0, -1).map(({ hash }) => hash)])
  assert.ok(records.every(({ build, clockOffset_ms }) => build.some((byte) => byte !== 0) && (clockOffset_ms === null || Math.abs(clockOffset_ms) < 10_000)))
  assert.equal((await judgedAt(station, 16)).slots[0]?.state, 'conflict')
  assert.equal((await stateOf(page)).storage, 'ok')
})
