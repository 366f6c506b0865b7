import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import pino from 'pino'
import { readCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { formatVerifierKey, readVerifierKey, type VerifierKey } from '@kawal/core/ledger/key.ts'
import { readNote } from '@kawal/core/ledger/note.ts'
import { verifyNote } from '@kawal/core/ledger/signature.ts'
import { formatAsked } from '@kawal/core/ledger/witness.ts'
import { noteKey } from '@kawal/testkit/ed25519.ts'
import { smallLog } from '@kawal/testkit/small-log.ts'
import { sha256, verifyEd25519 } from '../ledger/cryptography.ts'
import { signerFolder, type SignerFolder } from '../ledger/signer.ts'
import { startWitness, type RunningWitness } from './serve.ts'

const origin = 'kawal.example/ledger'
const log = smallLog(origin)
/** Another history after four entries, by the same key. */
const fork = smallLog(origin, 'other', 4)
const stranger = noteKey(origin, 'ed25519', 'stranger')
const at_s = 1_865_000_000

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-witness-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'witness')
}
async function running(t: TestContext, folder: string, more: Partial<Parameters<typeof startWitness>[0]> = {}): Promise<RunningWitness> {
  const witness = await startWitness({ folder, name: 'saksi.example/kawal', logs: [log.key], clock: () => at_s * 1000, log: pino({ level: 'silent' }), host: '127.0.0.1', port: 0, ...more })
  t.after(() => witness.stop())
  return witness
}
interface Said { readonly status: number; readonly type: string; readonly body: string }
async function post(url: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Said> {
  const answer = await fetch(`${url}/add-checkpoint`, { method: 'POST', body, headers })
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', body: await answer.text() }
}
const shown = async (url: string, of = origin): Promise<Said> => {
  const answer = await fetch(`${url}/${createHash('sha256').update(of).digest('hex')}/checkpoint`)
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', body: await answer.text() }
}
const keyOf = (text: string): VerifierKey => {
  const key = readVerifierKey(text, sha256)
  return key.ok ? key.value : assert.fail(key.error)
}
/** When the witness says that it saw this note's text, by the lines that it answered. */
async function cosigned(note: string, lines: string, key: string): Promise<number | null> {
  const read = readNote(note)
  const all = readNote(note + lines)
  assert.ok(read.ok && all.ok && all.value.text === read.value.text, 'lines of signatures, and nothing else')
  const signed = await verifyNote(all.value, [keyOf(key)], verifyEd25519)
  return signed.ok ? signed.value[0]?.at_s ?? null : null
}
const sizeOf = (note: string): number => {
  const read = readNote(note)
  const checkpoint = read.ok ? readCheckpoint(read.value.text) : read
  return checkpoint.ok ? checkpoint.value.size : -1
}

test('each outcome of the specification, over HTTP', async (t) => {
  const { url, key } = await running(t, folderOf(t))
  assert.equal((await shown(url)).status, 404, 'never cosigned')
  const note = await log.note(7)
  const ask = (older: number, proof: readonly Uint8Array[], of: string): string => formatAsked({ older, proof, note: of })

  // 409 tells who knows nothing the size, which is 0.
  assert.deepEqual(await post(url, await log.ask(3, 7)), { status: 409, type: 'text/x.tlog.size', body: '0\n' })
  assert.equal((await post(url, ask(0, [log.root(3)], note))).status, 422, 'a proof where none is needed')
  assert.equal((await post(url, ask(0, [], await log.note(0, undefined, log.root(3))))).status, 422, 'the empty tree with another root')
  // 200: the empty tree, the first entries, more of them, the same again.
  const emptied = await post(url, ask(0, [], await log.note(0)))
  assert.equal(await cosigned(await log.note(0), emptied.body, key), at_s)
  assert.equal(sizeOf((await shown(url)).body), 0)
  for (const [older, size] of [[0, 4], [4, 7], [7, 7], [7, 300], [300, 301]] as const) {
    const said = await post(url, await log.ask(older, size))
    assert.equal(said.status, 200, `${older} to ${size}: ${said.body}`)
    assert.equal(await cosigned(await log.note(size), said.body, key), at_s, `${older} to ${size}`)
    const { body } = await shown(url)
    const read = readNote(body)
    assert.ok(read.ok && sizeOf(body) === size)
    assert.ok((await verifyNote(read.value, [log.key], verifyEd25519)).ok && (await verifyNote(read.value, [keyOf(key)], verifyEd25519)).ok, "the log's signature and its own")
    assert.equal(read.value.signatures.length, 2)
  }
  const now = await log.note(310)
  const good = log.proof(301, 310)
  for (const [status, what, body] of [
    [400, 'nothing', ''], [400, 'no empty line', `old 301\n${now.replace('\n\n', '\n')}`], [400, 'no old size', `${now}`], [400, 'a leading zero', ask(301, good, now).replace('old 301', 'old 0301')], [400, 'a size below zero', ask(301, good, now).replace('old 301', 'old -1')],
    [400, 'no base64', ask(301, good, now).replace(/\n[^\n]+\n/, '\n!\n')], [400, 'a hash of 31 bytes', ask(301, [...good, new Uint8Array(31)], now)], [400, '64 hashes', ask(301, Array.from({ length: 64 }, () => new Uint8Array(32)), now)],
    [400, 'no checkpoint', ask(301, good, 'checkpoint\n')], [400, 'a checkpoint without its last newline', ask(301, good, now.slice(0, -1))], [400, 'carriage returns', ask(301, good, now).replaceAll('\n', '\r\n')],
    [400, 'an old size above the new one', ask(301, [], await log.note(300))],
    [403, 'by nobody that is known', ask(301, good, await log.note(310, stranger))], [403, 'a signature that does not hold', ask(301, good, now.replace('\n310\n', '\n311\n'))],
    [404, 'an origin that is not watched', await smallLog('lain.example/log').ask(0, 5)],
    [409, 'an old size below', await log.ask(300, 310)], [409, 'an old size of none', await log.ask(0, 310)], [409, 'an old size above', await log.ask(302, 310)], [409, 'old and new below: going back', await log.ask(7, 7)],
    [422, 'a proof of another size', ask(301, log.proof(300, 310), now)], [422, 'no proof', ask(301, [], now)], [422, 'a proof with one more', ask(301, [...good, log.root(2)], now)],
    [422, 'a fork, and its own proof', await fork.ask(301, 310)], [422, 'a fork of the same size', await fork.ask(301, 301)], [422, 'the same size with a proof', ask(301, [log.root(2)], await log.note(301))],
    [413, 'more than anybody sends', 'old 0\n'.padEnd(100_001, 'A')],
  ] as const) {
    const said = await post(url, body)
    assert.equal(said.status, status, `${what}: ${said.status} ${said.body}`)
    if (status === 409) assert.deepEqual([said.type, said.body], ['text/x.tlog.size', '301\n'], what)
    else assert.match(said.body, /^[A-Z].+\.\n$/, what)
  }
  // None of them changed anything.
  assert.equal(sizeOf((await shown(url)).body), 301)
  assert.equal((await post(url, Buffer.concat([Buffer.from(await log.ask(301, 310)), Buffer.from([0xff])]))).status, 400, 'no UTF-8')
  assert.equal((await shown(url, 'lain.example/log')).status, 404)
  // Signatures of others are passed over, and are not shown again.
  const [, other = ''] = (await log.note(310, stranger)).split('\n\n')
  const both = await post(url, ask(301, good, now + other))
  assert.equal(both.status, 200)
  assert.equal((await shown(url)).body.includes(other.trim()), false)
  for (const type of ['text/plain', 'application/json', 'application/octet-stream']) assert.equal((await post(url, await log.ask(310, 310), { 'content-type': type })).status, 200, type)
  assert.equal(await bare(url, await log.ask(310, 310)), 200, 'without a type')
})

/** fetch names a type where nobody does. */
const bare = (url: string, body: string): Promise<number | undefined> => new Promise((resolve, reject) => {
  request(`${url}/add-checkpoint`, { method: 'POST' }, (answer) => {
    answer.resume()
    resolve(answer.statusCode)
  }).on('error', reject).end(body)
})

test('a log with two keys is cosigned by either; another of the same signature twice is no other', async (t) => {
  const next = noteKey(origin, 'ed25519', 'next')
  const { url } = await running(t, folderOf(t), { logs: [log.key, next.key] })
  assert.equal((await post(url, formatAsked({ older: 0, proof: [], note: await log.note(3) }))).status, 200)
  assert.equal((await post(url, formatAsked({ older: 3, proof: log.proof(3, 5), note: await log.note(5, next) }))).status, 200)
})

test('64 at once, of two witnesses on one folder: one history, each size is answered for once, four rounds', async (t) => {
  const folder = folderOf(t)
  const [one, two] = [await running(t, folder), await running(t, folder)]
  assert.equal(one.key, two.key)
  let size = 0
  for (let round = 0; round < 4; round++) {
    const asked = await Promise.all(Array.from({ length: 64 }, async (_, nth) => ({ to: size + 1 + nth, body: await log.ask(size, size + 1 + nth) })))
    const said = await Promise.all(asked.map(({ body }, nth) => post((nth % 2 === 0 ? one : two).url, body)))
    const won = asked.filter((_, nth) => said[nth]?.status === 200)
    assert.deepEqual([won.length, said.filter(({ status }) => status === 409).length], [1, 63], `round ${round}: ${[...new Set(said.map(({ status, body }) => `${status} ${body}`))].join()}`)
    size = won[0]?.to ?? -1
    for (const { status, body } of said) if (status === 409) assert.equal(body, `${size}\n`)
    for (const { url } of [one, two]) assert.equal(sizeOf((await shown(url)).body), size)
  }
  const [inside = ''] = readdirSync(folder).filter((name) => name !== 'key')
  assert.equal(readdirSync(join(folder, inside)).length, 1)
})

test('nothing is answered before it is on disk', async (t) => {
  const folder = folderOf(t)
  const done: string[] = []
  const folderWatched = (path: string): SignerFolder => {
    const real = signerFolder(path)
    return { ...real, place: (name, text) => real.place(name, text).then((placed) => (done.push(`place ${name.slice(0, 6)}`), placed)), sync: () => real.sync().then(() => void done.push('sync')) }
  }
  const { url } = await running(t, folder, { folderOf: folderWatched })
  for (const [older, size] of [[0, 5], [5, 9], [9, 9]] as const) {
    done.length = 0
    assert.equal((await post(url, await log.ask(older, size))).status, 200)
    assert.deepEqual(done, size === older ? ['sync'] : ['place after-', 'sync'], 'also one that was placed before a stop is on disk before it is answered for')
  }
  // Whose disk fails answers nothing, and what it made is nowhere.
  const ended: unknown[] = []
  const broken = (path: string): SignerFolder => ({ ...signerFolder(path), place: () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' })) })
  const full = await running(t, folder, { folderOf: broken })
  const said = await post(full.url, await log.ask(9, 12))
  assert.deepEqual([said.status, sizeOf((await shown(full.url)).body), ended.length], [500, 9, 0])
  assert.doesNotMatch(said.body, /—/)
})

test('who is refused often is not heard for a while, and the log is', async (t) => {
  let now = at_s * 1000
  const { url } = await running(t, folderOf(t), { clock: () => now, refusals_max: 20, trustProxy: ['127.0.0.1'] })
  const from = (address: string) => ({ 'x-forwarded-for': address })
  const noise = await smallLog('lain.example/log').ask(0, 5)
  const statuses = await Promise.all(Array.from({ length: 30 }, () => post(url, noise, from('192.0.2.1'))))
  assert.ok(statuses.some(({ status }) => status === 404))
  assert.equal((await post(url, await log.ask(0, 5), from('192.0.2.1'))).status, 429)
  assert.equal((await post(url, await log.ask(0, 5), from('192.0.2.2'))).status, 200)
  now += 11 * 60_000
  assert.equal((await post(url, await log.ask(5, 6), from('192.0.2.1'))).status, 200)
})

const program = join(import.meta.dirname, '../cli/kawal.ts')
interface Started { readonly url: string; readonly key: string; kill(): Promise<void> }
function started(folder: string, logs: string): Promise<Started> {
  const child = spawn(process.execPath, [program, 'witness', '--key-folder', folder, '--name', 'saksi.example/kawal', '--logs', logs, '--port', '0', '--json'], { env: { ...process.env, LOG_LEVEL: 'error' }, stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return new Promise((resolve, reject) => {
    let out = ''
    child.once('exit', (code) => reject(new Error(`kawal witness ended with ${code}`)))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      if (!out.includes('\n')) return
      resolve({ ...JSON.parse(out) as { url: string; key: string }, kill: () => (child.kill('SIGKILL'), closed) })
    })
  })
}

test('killed while it answers, three times: it knows at least what it answered for, and cosigns no fork of it', async (t) => {
  const folder = folderOf(t)
  const logs = `${folder}-logs`
  writeFileSync(logs, `# watched\nlog ${formatVerifierKey(log.key)}\n`)
  let [size, key] = [0, '']
  for (let round = 0; round < 3; round++) {
    const witness = await started(folder, logs)
    t.after(witness.kill)
    assert.equal(key === '' || key === witness.key, true, 'the key outlives it')
    ;({ key } = witness)
    if (round > 0) {
      const held = Number((await shown(witness.url)).body.split('\n')[1])
      assert.ok(held >= size, `${held} are known, and ${size} were answered for`)
      size = held
      assert.equal((await post(witness.url, await fork.ask(size, size + 1))).status, 422)
      assert.equal((await post(witness.url, await log.ask(size, size))).status, 200)
    }
    for (const until = size + 20 + round; size < until; size++) assert.equal((await post(witness.url, await log.ask(size, size + 1))).status, 200)
    // Killed with a request under way.
    const under = post(witness.url, await log.ask(size, size + 1)).then(({ status }) => void (size += status === 200 ? 1 : 0), () => undefined)
    await witness.kill()
    await under
  }
})
