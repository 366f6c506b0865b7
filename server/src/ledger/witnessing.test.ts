import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import pino from 'pino'
import { envelope_type } from '@kawal/contract/handing-in.ts'
import type { WitnessedLog, WitnessedLogs, WitnessRow } from '@kawal/contract/witness.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { readVerifierKey, type VerifierKey } from '@kawal/core/ledger/key.ts'
import { formatNote, readNote } from '@kawal/core/ledger/note.ts'
import { readPolicy, type Policy } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { cosignText } from '@kawal/core/ledger/signature.ts'
import { refusalStatus } from '@kawal/core/ledger/witness.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { noteKey } from '@kawal/testkit/ed25519.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { recapPhone, seedRecaps } from '@kawal/testkit/recap-phone.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { smallLog } from '@kawal/testkit/small-log.ts'
import { freePort } from '../adapters/postgres/embedded.ts'
import { deviceToken, enrolKey } from '../measurement/enrolment.ts'
import { startWitness, type RunningWitness } from '../witness/serve.ts'
import { openWitness } from '../witness/witness.ts'
import { sha256, verifyEd25519 } from './cryptography.ts'
import { openLedger, type Ledger, type NewEntry } from './ledger.ts'
import { openSigner, signerFolder } from './signer.ts'
import { createLedgerStore, witnessedIn } from './store.ts'
import { createWitnessing, type Witnessing } from './witnessing.ts'

const origin = 'kawal.example/ledger'
const folder = mkdtempSync(join(tmpdir(), 'kawal-witnessing-'))
let now = Date.UTC(2029, 1, 14, 9)
let server: TestServer
let log: VerifierKey
let ports: number[] = []
const witnesses: (RunningWitness | null)[] = []

const keyOf = (text: string): VerifierKey => {
  const key = readVerifierKey(text, sha256)
  return key.ok ? key.value : assert.fail(key.error)
}
const witnessAt = (name: string, port: number, key = log): Promise<RunningWitness> =>
  startWitness({ folder: join(folder, name), name: `saksi.example/${name}`, logs: [key], clock: () => now, log: pino({ level: 'silent' }), host: '127.0.0.1', port })
const begin = async (nth: number): Promise<void> => void (witnesses[nth] = await witnessAt('abc'[nth] ?? '', ports[nth] ?? 0))
const end = async (nth: number): Promise<void> => {
  await witnesses[nth]?.stop()
  witnesses[nth] = null
}
/** Two of three; nobody answers where the third is said to be. */
const policyOf = (keys: readonly VerifierKey[], urls: readonly string[]): Policy => ({ logs: [], witnesses: keys.map((key, at) => ({ name: 'abc'[at] ?? '', key, url: urls[at] ?? null })), groups: [{ name: 'two', members_min: 2, members: ['a', 'b', 'c'].slice(0, keys.length) }], quorum: 'two' })

before(async () => {
  log = (await openSigner(signerFolder(join(folder, 'ledger')), origin, true)).key
  ports = [await freePort(), await freePort(), await freePort()]
  for (const nth of [0, 1]) await begin(nth)
  const keys = [...witnesses.map((each) => keyOf(each?.key ?? '')), noteKey('saksi.example/c', 'cosignature').key]
  server = await withServer(() => now, seedRecaps, { recaps: { folder: join(folder, 'ledger'), origin, witnesses: policyOf(keys, ports.map((port) => `http://127.0.0.1:${port}`)) } })
})
after(async () => {
  await server.close()
  for (const nth of [0, 1]) await end(nth)
  rmSync(folder, { recursive: true, force: true })
})

async function turned(ms = 2_000): Promise<void> {
  now += ms
  await server.app.tick(now)
  await server.app.recapsIdle()
}
interface Sent { readonly bytes: Buffer; readonly hash: string; readonly receipt: string; witnessed(): Promise<{ readonly status: number; readonly text: string; readonly pause: string | null }> }
const handIn = await (async () => {
  let token = ''
  const phone = await recapPhone(planned.stations[0] ?? '')
  return async (): Promise<Sent> => {
    if (token === '') token = deviceToken(server.app.secret, (await enrolKey(server.app.database, planned.stations[0] ?? '', phone.publicKey, now, Infinity) ?? assert.fail()).device)
    const bytes = await phone.record()
    const hash = createHash('sha256').update(bytes).digest('hex')
    const headers = { authorization: `Bearer ${token}` }
    const answer = await fetch(`${server.app.url}/v1/recaps`, { method: 'POST', headers: { ...headers, 'content-type': envelope_type }, body: bytes })
    assert.equal(answer.status, 201)
    return { bytes, hash, receipt: await answer.text(), witnessed: () => fetch(`${server.app.url}/v1/recaps/${hash}/witnessed`, { headers }).then(async (said) => ({ status: said.status, text: await said.text(), pause: said.headers.get('retry-after') })) }
  }
})()
const states = async (): Promise<{ readonly log: WitnessedLog; readonly of: (name: string) => WitnessRow }> => {
  const { status, body } = await server.call<WitnessedLogs>('bawaslu', 'GET', '/v1/ledger/witnesses')
  const [only] = body.logs
  assert.ok(status === 200 && only !== undefined)
  return { log: only, of: (name) => only.witnesses.find((each) => each.name === name) ?? assert.fail(name) }
}
const text = async (path: string): Promise<{ readonly status: number; readonly text: string }> => fetch(server.app.url + path).then(async (answer) => ({ status: answer.status, text: await answer.text() }))
const signersOf = (note: string): number => {
  const read = readNote(note)
  return read.ok ? read.value.signatures.length : -1
}

test('a record is logged at once and witnessed soon: its proof verifies by the policy of the signed configuration, and stays the same', async () => {
  const first = await handIn()
  const before = await first.witnessed()
  assert.deepEqual([before.status, before.pause], [503, '2'])
  assert.match(before.text, /no checkpoint with it was seen by a quorum/)
  assert.equal((await text('/ledger/witnessed')).status, 503)
  await turned()
  const witnessed = await first.witnessed()
  assert.equal(witnessed.status, 200, witnessed.text)

  const config = JSON.parse(Buffer.from((await text('/v1/sigmon/config')).text.split('.')[1] ?? '', 'base64url').toString()) as { ledgerPolicy: string }
  const policy = readPolicy(config.ledgerPolicy, sha256)
  assert.ok(policy.ok && policy.value.witnesses.every(({ url }) => url === null) && policy.value.logs[0]?.key.name === origin)
  const verified = (bytes: Buffer, receipt: string) => verifyReceipt(writeEntry({ kind: 'recap', envelope: bytes }), receipt, policy.value, { sha256, verify: verifyEd25519 })
  const read = await verified(first.bytes, witnessed.text)
  assert.ok(read.ok, read.ok ? '' : read.error)
  assert.deepEqual(read.value.witnesses, [{ name: 'a', at_s: now / 1000 }, { name: 'b', at_s: now / 1000 }])
  assert.deepEqual(await verified(first.bytes, first.receipt), { ok: false, error: 'witnesses_few' }, 'what was logged alone is not enough')

  for (let nth = 0; nth < 3; nth++) {
    const next = await handIn()
    await turned()
    const its = await next.witnessed()
    assert.ok((await verified(next.bytes, its.text)).ok, its.text)
    assert.equal((await first.witnessed()).text, witnessed.text)
  }
  const [newest, checkpoint] = [(await text('/ledger/witnessed')).text, (await text('/ledger/checkpoint')).text]
  assert.deepEqual([signersOf(newest), signersOf(checkpoint)], [3, 3], 'the log and two witnesses')
  const added = await handIn()
  assert.deepEqual([signersOf((await text('/ledger/checkpoint')).text), (await added.witnessed()).status], [1, 503], 'the newest is shown as soon as it is signed')
  assert.equal((await text('/ledger/witnessed')).text, newest)
})

test('a witness that stops holds up no record; without a quorum nothing is witnessed, and it goes on when it is back, however far behind', async () => {
  await turned()
  await end(1)
  const waiting: Sent[] = []
  for (let nth = 0; nth < 5; nth++) {
    waiting.push(await handIn())
    await turned()
  }
  assert.deepEqual(await Promise.all(waiting.map(async (each) => (await each.witnessed()).status)), [503, 503, 503, 503, 503])
  const down = await states()
  assert.deepEqual([down.of('a').error, down.of('a').behind, down.of('b').error?.code, down.of('b').behind, down.of('c').error?.code, down.of('c').size], [null, 0, 'unreachable', 5, 'unreachable', null])
  assert.ok((down.log.witnessed?.size ?? 0) < down.log.size)
  await begin(1)
  await turned(2 * minute_ms)
  assert.deepEqual(await Promise.all(waiting.map(async (each) => (await each.witnessed()).status)), [200, 200, 200, 200, 200])
  const up = await states()
  assert.deepEqual([up.of('b').error, up.of('b').behind, up.log.witnessed?.size], [null, 0, up.log.size])
  assert.equal(up.of('b').cosignedAt, new Date(now).toISOString())
  // Of a log that does not grow each is asked now and then.
  await turned(minute_ms)
  assert.equal((await states()).of('a').askedAt, new Date(now).toISOString())
})

test('how witnesses do, the monitoring centre and Bawaslu may read, and nobody else', async () => {
  for (const [as, status] of [['komdigi', 200], ['bawaslu', 200], ['kpu', 403], ['apjii', 403], ['telkomsel', 403], ['bakti', 403], ['dinas', 403]] as const)
    assert.equal((await server.call(as, 'GET', '/v1/ledger/witnesses')).status, status, as)
  assert.equal((await fetch(`${server.app.url}/v1/ledger/witnesses`)).status, 401)
})

const entryOf = (word: string): NewEntry => ({ name: createHash('sha256').update(word).digest('hex'), kind: 1, bytes: Buffer.from(word.padEnd(20, '.')), carrier: null, key: null })
const failed = (error: unknown): never => assert.fail(String(error))

async function witnessedLedger(kit: TestDatabase, at: string, isNew: boolean, { key, url }: RunningWitness): Promise<{ ledger: Ledger; witnessing: Witnessing; turn(): Promise<WitnessedState> }> {
  const ledger = await openLedger({ store: createLedgerStore(kit.database), signer: await openSigner(signerFolder(at), origin, isNew), clock: () => now, failed, fatal: failed, pace_ms: 0 })
  const witnessing = await createWitnessing({ ledger, policy: { logs: [], witnesses: [{ name: 'a', key: keyOf(key), url }], groups: [], quorum: 'a' }, store: witnessedIn(kit.database), clock: () => now, failed })
  return { ledger, witnessing, async turn() {
    now += 2 * minute_ms
    await witnessing.turn()
    await witnessing.idle()
    return { size: witnessing.newest()?.size ?? null, code: witnessing.states()[0]?.error?.code ?? null, detail: witnessing.states()[0]?.error?.detail ?? null }
  } }
}
interface WitnessedState { readonly size: number | null; readonly code: string | null; readonly detail: string | null }

test('killed between any two: what was witnessed stays; an older copy of the whole log, key and all, is refused by the witness, and so is the fork that it grows into', async (t) => {
  const [kit, older] = [await withDatabase(), await withDatabase()]
  const own = join(folder, 'own')
  const { key } = await openSigner(signerFolder(own), origin, true)
  const witness = await witnessAt('far', 0, key)
  t.after(async () => {
    await kit.close()
    await older.close()
    await witness.stop()
  })
  let { ledger, witnessing, turn } = await witnessedLedger(kit, own, true, witness)
  await ledger.append(entryOf('a'))
  assert.equal((await turn()).size, 1)
  cpSync(own, join(folder, 'older'), { recursive: true })
  for (const word of ['b', 'c', 'd']) await ledger.append(entryOf(word))
  assert.deepEqual(await turn(), { size: 4, code: null, detail: null })
  const receipt = await witnessing.receipt(1)
  // Ended without a word, and begun again: nothing was in memory alone.
  ;({ ledger, witnessing, turn } = await witnessedLedger(kit, own, false, witness))
  assert.deepEqual([witnessing.newest()?.size, await witnessing.receipt(1)], [4, receipt])
  await ledger.append(entryOf('e'))
  assert.deepEqual(await turn(), { size: 5, code: null, detail: null })
  assert.equal(await witnessing.receipt(1), receipt)

  const copy = await witnessedLedger(older, join(folder, 'older'), true, witness).catch((error: unknown) => String(error))
  assert.match(String(copy), /holds 0 entries of the ledger/, 'the signer sees an empty database')
  // A database of the day before, with the signer's folder of the day before: only a witness can tell.
  const first = await openLedger({ store: createLedgerStore(older.database), signer: await openSigner(signerFolder(join(folder, 'seed')), origin, true), clock: () => now, failed, fatal: failed, pace_ms: 0 })
  await first.append(entryOf('a'))
  const back = await witnessedLedger(older, join(folder, 'older'), false, witness)
  assert.deepEqual(await back.turn(), { size: null, code: 'ahead', detail: 'it has seen 5 entries, and the log has 1' })
  for (const word of ['B', 'C', 'D', 'E', 'F']) await back.ledger.append(entryOf(word))
  const forked = await back.turn()
  assert.deepEqual([forked.size, forked.code], [null, 'fork'])
  assert.match(forked.detail ?? '', /^422: The proof does not show/)
  assert.equal(await back.witnessing.receipt(0), null)
  await ledger.append(entryOf('f'))
  assert.deepEqual(await turn(), { size: 6, code: null, detail: null }, 'the true one goes on')
})

interface Told { readonly key: VerifierKey; readonly say: (body: string) => Promise<Response> }

/** A witness that answers as it is told to. */
const told = (name: string, say: Told['say']): Told => ({ key: noteKey(`saksi.example/${name}`, 'cosignature').key, say })
/** One that does as it should, without a network. */
async function honest(name: string, key: VerifierKey): Promise<Told> {
  const witness = await openWitness({ folder: mkdtempSync(join(folder, `${name}-`)), name: `saksi.example/${name}`, logs: [key], clock: () => now, fatal: failed })
  return { key: witness.key, say: async (body) => {
    const answer = await witness.addCheckpoint(body)
    return answer.refused === null ? new Response(answer.lines) : new Response(`${answer.size}\n`, { status: answer.refused === 'too_many' ? 503 : refusalStatus[answer.refused] })
  } }
}

interface Asked { grow(size: number): void; readonly witnessing: Witnessing; readonly asked: string[]; readonly faults: unknown[] }

/** A log in memory and its witnesses a, b, c. */
async function asking(small: ReturnType<typeof smallLog>, witnesses: readonly Told[], keepFails = (): boolean => false): Promise<Asked> {
  let size = 0
  const notes = await Promise.all(Array.from({ length: 12 }, (_, each) => small.note(each)))
  const ledger = { key: small.key, size: () => size, checkpoint: () => notes[size] ?? '', consistency: (older: number, to: number) => Promise.resolve(small.proof(older, to)), proofIn: (index: number, { note }: { note: string }) => Promise.resolve(`${index} ${note}`) }
  const [asked, faults]: [string[], unknown[]] = [[], []]
  const reach = ((url: string, { body }: { body: string }) => {
    const name = /^http:\/\/(.)\//.exec(url)?.[1] ?? ''
    asked.push(`${name} ${body.split('\n', 1)[0]}`)
    return (witnesses['abc'.indexOf(name)] ?? assert.fail(url)).say(body)
  }) as unknown as typeof fetch
  const policy = { ...policyOf(witnesses.map(({ key }) => key), ['http://a', 'http://b', 'http://c']), ...(witnesses.length === 1 ? { groups: [], quorum: 'a' } : {}) }
  const store: typeof stored = (log, by) => ({ ...stored(log, by), keep: (witnessed) => (keepFails() ? Promise.reject(new Error('no room')) : stored(log, by).keep(witnessed)) })
  const stored = witnessedIn(server.app.database)
  const witnessing = await createWitnessing({ ledger, policy, store, clock: () => now, fetch: reach, failed: (error) => void faults.push(error) })
  return { grow: (to) => void (size = to), witnessing, asked, faults }
}

test('one that hangs holds up nobody, is asked once, and says later what it saw; a size that it forgot is proved anew', async () => {
  const small = smallLog('kawal.example/hang')
  const [a, b, c] = [await honest('a', small.key), await honest('b', small.key), await honest('c', small.key)]
  let release = (): void => undefined
  const hung = new Promise<void>((resolve) => (release = resolve))
  const { grow, witnessing, asked, faults } = await asking(small, [a, b, { ...c, say: (body) => hung.then(() => c.say(body)) }])
  await witnessing.turn()
  assert.deepEqual(asked, [], 'of an empty log nobody is asked')
  now += 1_000
  grow(3)
  await witnessing.turn()
  assert.deepEqual([witnessing.newest()?.size, asked], [3, ['a old 0', 'b old 0', 'c old 0']])
  grow(5)
  await witnessing.turn()
  assert.equal(asked.length, 3, 'once a second')
  now += 1_000
  await witnessing.turn()
  assert.deepEqual([witnessing.newest()?.size, asked.slice(3)], [5, ['a old 3', 'b old 3']])
  release()
  await witnessing.idle()
  assert.equal(witnessing.states()[2]?.size, 3)
  now += 1_000
  await witnessing.turn()
  await witnessing.idle()
  assert.deepEqual([asked.slice(5), witnessing.states()[2]?.size, signersOf(witnessing.checkpoint())], [['c old 3'], 5, 4])
  assert.equal(signersOf(witnessing.newest()?.note ?? ''), 3, 'what was kept stays as it was')
  // Somebody showed one of them a newer one.
  assert.equal((await b.say(await small.ask(5, 7))).status, 200)
  grow(8)
  now += 1_000
  await witnessing.turn()
  await witnessing.idle()
  assert.deepEqual([asked.slice(6), witnessing.newest()?.size, faults], [['a old 5', 'b old 5', 'c old 5', 'b old 7'], 8, []])
})

test('what a witness answers wrongly is told apart, and it is asked ever more rarely, at most once a minute', async () => {
  const small = smallLog('kawal.example/wrong')
  const [other, mine] = [noteKey('saksi.example/other', 'cosignature'), noteKey('saksi.example/a', 'cosignature')]
  const textOf = (body: string): string => body.slice(body.indexOf('\n\n') + 2, body.lastIndexOf('\n\n') + 1)
  const line = async (body: string, { key, signBy }: typeof mine, at_s: number): Promise<string> => formatNote({ text: textOf(body), signatures: [await cosignText(textOf(body), key, at_s, signBy)] }).slice(textOf(body).length + 1)
  let answer: (body: string) => Promise<Response> = () => Promise.reject(new Error('refused'))
  const { grow, witnessing, asked, faults } = await asking(small, [told('a', (body) => answer(body))])
  grow(4)
  const code = async (say: typeof answer): Promise<string | null> => {
    answer = say
    now += 11 * minute_ms
    await witnessing.turn()
    return witnessing.states()[0]?.error?.code ?? null
  }
  const status = (of: number, body = 'no') => (): Promise<Response> => Promise.resolve(new Response(body, { status: of }))
  for (const [expected, say] of [
    ['unknown_log', status(404)], ['unknown_log', status(403)], ['overloaded', status(429)], ['overloaded', status(503)], ['unreachable', status(502)], ['answer_wrong', status(400)], ['fork', status(422)],
    ['answer_wrong', status(409)], ['ahead', status(409, '5\n')], ['answer_wrong', status(409, '3\n')], ['answer_wrong', status(200, '<html>\n')], ['answer_wrong', status(200, 'A'.repeat(65_537))], ['answer_wrong', status(200, '')],
    ['signature_wrong', async (body: string) => new Response(await line(body, other, 5))], ['signature_wrong', async (body: string) => new Response(await line(body, mine, 0))], ['signature_wrong', async (body: string) => new Response(await line(body.replace('old', 'old').replace(/\n4\n/, '\n5\n'), mine, 5))],
    ['timeout', () => Promise.reject(new DOMException('late', 'TimeoutError'))], ['unreachable', () => Promise.reject(new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }))],
  ] as const) assert.equal(await code(say), expected)
  assert.equal(witnessing.newest(), null)
  const [before, since] = [asked.length, witnessing.states()[0]?.error?.since]
  for (let second = 0; second < 600; second++) {
    now += 1_000
    await witnessing.turn()
  }
  assert.ok(asked.length - before >= 9 && asked.length - before <= 15, `${asked.length - before} times in ten minutes`)
  assert.equal(witnessing.states()[0]?.error?.since, since)
  assert.equal(await code(async (body) => new Response(await line(body, other, 7) + await line(body, mine, 7))), null, 'signatures of others are passed over')
  assert.deepEqual([witnessing.newest()?.size, signersOf(witnessing.newest()?.note ?? ''), faults], [4, 2, []])
})

test('a quorum that could not be kept is kept with the next turn, and nobody is told of it before', async () => {
  const small = smallLog('kawal.example/kept')
  let fails = true
  const { grow, witnessing, asked, faults } = await asking(small, [await honest('a', small.key)], () => fails)
  grow(2)
  now += 1_000
  await witnessing.turn()
  assert.deepEqual([witnessing.newest(), await witnessing.receipt(0), faults.length], [null, null, 1])
  fails = false
  now += 1_000
  await witnessing.turn()
  assert.deepEqual([witnessing.newest()?.size, asked.length], [2, 1])
})
