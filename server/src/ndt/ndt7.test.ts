import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { Worker as Thread } from 'node:worker_threads'
import { gunzipSync } from 'node:zlib'
import fastify, { type FastifyInstance } from 'fastify'
import { WebSocket } from 'ws'
import type { Located } from '@kawal/contract/ndt.ts'
import { startFaultProxy, type FaultProxy } from '@kawal/testkit/fault-proxy.ts'
import { trueRun } from '@kawal/testkit/true-run.ts'
import { answerProblems } from '../problem.ts'
import { createAdmission, type Direction } from './admission.ts'
import { ndtRoutes } from './routes.ts'
import type { End, Measurement } from './run.ts'

interface Totals { readonly LastClientMeasurement?: { readonly MeanClientMbps: number; readonly NumBytes: number }; readonly LastServerMeasurement?: Measurement }
interface Ndt7 {
  test(config: object, calls: { readonly error: (text: unknown) => void; readonly downloadComplete: (totals: Totals) => void; readonly uploadComplete: (totals: Totals) => void }): Promise<number>
}
const require = createRequire(import.meta.url)
const library = require.resolve('@m-lab/ndt7/src/ndt7.js')
const subprotocol = 'net.measurementlab.ndt.v7'

class PageWorker {
  onmessage: (event: { data: unknown }) => void = () => {}
  readonly #thread: Thread
  constructor(file: string) {
    const start = `const { parentPort, workerData } = require('node:worker_threads')
      globalThis.self = globalThis; globalThis.postMessage = (message) => parentPort.postMessage(message)
      require(workerData); parentPort.on('message', (data) => self.onmessage({ data }))`
    this.#thread = new Thread(start, { eval: true, workerData: file })
    this.#thread.on('message', (data: unknown) => this.onmessage({ data }))
    this.#thread.on('error', (error) => this.onmessage({ data: { MsgType: 'error', Error: String(error) } }))
  }
  postMessage(message: unknown): void {
    this.#thread.postMessage(message)
  }
  terminate(): void {
    void this.#thread.terminate()
  }
}

let app: FastifyInstance
let line: FaultProxy
let now = 1_000_000
let waits = false
let stop = (): Promise<void> => Promise.resolve()
const ends: [Direction, End][] = []

before(async () => {
  // What the library expects of a page: workers by the name of their file.
  Object.assign(globalThis, { Worker: PageWorker })
  app = fastify({ forceCloseConnections: true })
  answerProblems(app)
  const reportsWait = (): boolean => waits
  const admission = createAdmission({ secret: Buffer.from('secret'), clock: () => now, nonce: () => randomBytes(16), tests_max: 2, bytes_max: 2_000_000_000, reportsWait })
  stop = ndtRoutes(app, { admission, reportsWait, times: { duration_ms: 6_000, linger_ms: 3_000, measure_ms: 100 }, ended: (direction, end) => ends.push([direction, end]) }).stop
  await app.listen({ host: '127.0.0.1', port: 0 })
  line = await startFaultProxy({ to: { host: '127.0.0.1', port: (app.server.address() as AddressInfo).port } })
})
after(async () => {
  await line.close()
  await stop()
  await app.close()
})

const locate = async (bytes_max?: number): Promise<Response> => fetch(`http://127.0.0.1:${line.port}/v2/nearest/ndt/ndt7${bytes_max === undefined ? '' : `?bytes_max=${bytes_max}`}`)
const address = async (direction: Direction, bytes_max?: number): Promise<string> => ((await (await locate(bytes_max)).json()) as Located).results[0]?.urls[`ws:///ndt/v7/${direction}`] ?? ''

/** A full test by M-Lab's own client, as it comes from npm. */
async function measure(bytes_max?: number): Promise<{ down: Totals; up: Totals }> {
  const ndt7 = require(library) as Ndt7
  const found: { down?: Totals; up?: Totals } = {}
  const code = await ndt7.test(
    {
      loadbalancer: `http://127.0.0.1:${line.port}/v2/nearest/ndt/ndt7`, protocol: 'ws', mlabDataPolicyInapplicable: true, metadata: bytes_max === undefined ? {} : { bytes_max: String(bytes_max) },
      downloadworkerfile: library.replace('ndt7.js', 'ndt7-download-worker.js'), uploadworkerfile: library.replace('ndt7.js', 'ndt7-upload-worker.js'),
    },
    { error: (text) => assert.fail(String(text)), downloadComplete: (totals) => (found.down = totals), uploadComplete: (totals) => (found.up = totals) },
  )
  assert.equal(code, 0)
  assert.ok(found.down !== undefined && found.up !== undefined)
  return found as { down: Totals; up: Totals }
}
const ended = async (count: number): Promise<unknown[]> => {
  while (ends.length < count) await new Promise((done) => setImmediate(done))
  return ends.splice(0)
}
const serverMbps = (totals: Totals): number => ((totals.LastServerMeasurement?.AppInfo.NumBytes ?? 0) * 8) / (totals.LastServerMeasurement?.AppInfo.ElapsedTime ?? 1)

test("M-Lab's client measures both ways, unchanged", async () => {
  const { down, up } = await measure(300_000_000)
  assert.ok((down.LastClientMeasurement?.MeanClientMbps ?? 0) > 50 && serverMbps(up) > 50, JSON.stringify([down, up]))
  assert.deepEqual(await ended(2), [['download', 'bytes'], ['upload', 'bytes']])
  assert.deepEqual([down.LastServerMeasurement?.Test, up.LastServerMeasurement?.Test, up.LastServerMeasurement?.Origin], ['download', 'upload', 'server'])
})

test('at 2,000 kbit/s both figures are within 10 % of it, and the bytes within what was granted', async () => {
  const bytes_max = 900_000
  await line.set({ rate_kbps: 2_000 })
  await trueRun(async () => {
    line.resetBytes()
    const { down, up } = await measure(bytes_max)
    const { up: sent, down: got } = line.bytes()
    // Down: the server counts frames and measurements too; heads of HTTP and the measurements of the upload are beside it.
    assert.ok(got <= bytes_max + 20_000, `${got} down`)
    // Up: what the line had taken in when the server stopped reading comes on top.
    assert.ok(sent <= bytes_max + 100_000, `${sent} up`)
    assert.deepEqual(await ended(2), [['download', 'bytes'], ['upload', 'bytes']])
    const found = [down.LastClientMeasurement?.MeanClientMbps ?? 0, serverMbps(up)]
    assert.ok(Math.max(...found) < 2.2, found.join())
    return Math.min(...found) > 1.8 ? null : found.join()
  })
  await line.set({})
})

/** Status and problem code of an upgrade that was refused, or null. */
const refusal = (url: string, offered: string | null = subprotocol): Promise<[number | undefined, string, string | undefined] | null> =>
  new Promise((done, failed) => {
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': randomBytes(16).toString('base64'), ...(offered === null ? {} : { 'sec-websocket-protocol': offered }) }
    const asked = request(url.replace('ws:', 'http:'), { headers })
    asked.once('error', failed)
    asked.once('upgrade', (_, socket) => {
      socket.on('error', () => {}).destroy()
      done(null)
    })
    asked.once('response', (answer) => void answer.toArray().then((body) => done([answer.statusCode, (JSON.parse(Buffer.concat(body as Buffer[]).toString()) as { code: string }).code, answer.headers['retry-after']])))
    asked.end()
  })
async function join(url: string): Promise<WebSocket> {
  const ws = new WebSocket(url, subprotocol)
  ws.on('error', () => {})
  await once(ws, 'open')
  return ws
}

test('an upgrade needs the subprotocol and a token: of this server, of this direction, unused, a minute old at most', async () => {
  const url = await address('download')
  assert.deepEqual(await refusal(url, null), [400, 'body_invalid', undefined])
  assert.deepEqual(await refusal(url, 'chat'), [400, 'body_invalid', undefined])
  assert.deepEqual(await refusal(`ws://127.0.0.1:${line.port}/ndt/v7/download`), [401, 'token_invalid', undefined])
  assert.deepEqual(await refusal(url.replace('/download', '/upload')), [401, 'token_invalid', undefined])
  const mark = url.indexOf('access_token=download.') + 'access_token=download.'.length
  assert.deepEqual(await refusal(`${url.slice(0, mark)}9${url.slice(mark)}`), [401, 'token_invalid', undefined])
  assert.deepEqual(await refusal(`${url}&x=${'y'.repeat(5_000)}`), [400, 'body_invalid', undefined])
  assert.deepEqual(await refusal(`${url}&x=%ff`), [400, 'body_invalid', undefined])
  assert.deepEqual(await refusal(`ws://127.0.0.1:${line.port}/v1/live`), [404, 'not_found', undefined])
  assert.equal(await refusal(url), null)
  assert.deepEqual(await refusal(url), [401, 'token_invalid', undefined])
  const old = await address('download')
  now += 60_001
  assert.deepEqual(await refusal(old), [401, 'token_invalid', undefined])
  await ended(1)
})

test('no more tests than places, none while reports wait, and those that run make way', async () => {
  const urls = [await address('download'), await address('download'), await address('upload')] as const
  const two = [await join(urls[0]), await join(urls[1])]
  const full = await locate()
  assert.deepEqual([full.status, full.headers.get('retry-after'), await full.text()], [204, '15', ''])
  assert.deepEqual(await refusal(urls[2]), [503, 'no_slot', '15'])
  const closed = Promise.all(two.map((ws) => once(ws, 'close') as Promise<[number]>))
  waits = true
  assert.deepEqual((await closed).map(([code]) => code), [1000, 1000])
  assert.deepEqual(await ended(2), [['download', 'reports'], ['download', 'reports']])
  assert.equal((await locate()).status, 204)
  assert.deepEqual(await refusal(urls[2]), [503, 'no_slot', '15'])
  waits = false
  // The token was refused, not used.
  const third = await join(urls[2])
  third.terminate()
  assert.deepEqual(await ended(1), [['upload', 'client']])
})

test('messages grow as bytes are sent, text comes between, and the granted bytes are not passed', async () => {
  const ws = new WebSocket(await address('download', 60_000_000), subprotocol)
  const sizes: number[] = []
  let texts = 0
  ws.on('message', (data: Buffer, binary) => (binary ? sizes.push(data.length) : texts++))
  await once(ws, 'open')
  const socket = (ws as unknown as { _socket: { bytesRead: number } })._socket
    await once(ws, 'close')
  // The answer to the upgrade is beside the test.
  assert.ok(socket.bytesRead <= 60_000_000 + 200, `${socket.bytesRead}`)
  assert.ok(sizes.reduce((sum, size) => sum + size) > 59_000_000 && texts >= 1)
  assert.deepEqual([sizes[0], sizes[16], sizes[17], Math.max(...sizes)], [1 << 13, 1 << 13, 1 << 14, 1 << 20])
  assert.deepEqual(sizes.slice(0, -1).filter((size, i) => size !== sizes[i - 1]), [13, 14, 15, 16, 17, 18, 19, 20].map((power) => 1 << power))
  await ended(1)
})

test('a client that sends binary messages in a download is cut off, one whose messages are too large too', async () => {
  const ws = await join(await address('download'))
  ws.send(Buffer.alloc(2_000))
  await once(ws, 'close')
  assert.deepEqual(await ended(1), [['download', 'protocol']])
  const large = await join(await address('upload'))
  large.send(Buffer.alloc((1 << 24) + 1))
  await once(large, 'close')
  await ended(1)
  const most = await join(await address('upload'))
  most.send(Buffer.alloc(1 << 24))
  most.once('message', () => most.close())
  await once(most, 'close')
  await ended(1)
})

test('a message of too many fragments ends the test; pings are answered, but not for who reads nothing', { timeout: 30_000 }, async () => {
  const torn = await join(await address('upload'))
  for (let i = 0; i <= 1 << 14; i++) torn.send(Buffer.alloc(1), { fin: false })
  await once(torn, 'close')
  await ended(1)
  const ws = await join(await address('upload'))
  ws.ping('a')
  assert.equal(String((await once(ws, 'pong'))[0]), 'a')
  ws.pause()
  line.resetBytes()
  const flood = Buffer.alloc(125)
  for (let i = 0; i < 400_000; i++) ws.ping(flood)
  while (ws.bufferedAmount > 0 && ws.readyState === ws.OPEN) await new Promise((done) => setImmediate(done))
  ws.resume()
  // the last of the answers is the one to the last ping
  for (let last = false; !last;) {
    ws.ping('z')
    last = ((await once(ws, 'pong')) as [Buffer])[0].length === 1
  }
  const { up, down } = line.bytes()
  ws.terminate()
  await ended(1)
  assert.ok(up > 50_000_000 && down < up / 2, `${up} bytes of pings, ${down} of answers`)
})

test('an upgrade to something else is no upgrade: the request is answered', async () => {
  const answer = await new Promise<number | undefined>((done, failed) =>
    request(`http://127.0.0.1:${line.port}/v2/nearest/ndt/ndt7`, { headers: { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' } }, (got) => {
      got.resume()
      done(got.statusCode)
    }).on('error', failed).end())
  assert.equal(answer, 200)
})

test('a token of before a restart is of no use: what was spent is forgotten', () => {
  const make = () => createAdmission({ secret: Buffer.from('secret'), clock: () => now, nonce: () => randomBytes(16), tests_max: 2, bytes_max: 1_000_000, reportsWait: () => false })
  const [before, after] = [make(), make()]
  const located = before.locate()
  assert.ok(located.ok)
  assert.equal(before.admit('download', located.value.tokens.download).ok, true)
  assert.deepEqual(after.admit('download', located.value.tokens.download), { ok: false, error: 'token_wrong' })
})

const suite = `${import.meta.dirname}/../../../../shared/suites/ndt7/ndt7-syd03-20200318.clean.jsonl.gz`
test("measurements have the form of M-Lab's: what 114 of its results hold", { skip: existsSync(suite) ? false : `${suite} is not there` }, async () => {
  const ws = await join(await address('upload'))
  ws.send(Buffer.alloc(8_192))
  const [text] = (await once(ws, 'message')) as [Buffer]
  ws.terminate()
  await ended(1)
  const ours = JSON.parse(text.toString()) as Record<string, Record<string, unknown>>
  assert.match(String(ours['ConnectionInfo']?.['Client']), /^127\.0\.0\.1:\d+$/)
  assert.match(String(ours['ConnectionInfo']?.['StartTime']), /^\d{4}-\d\d-\d\dT/)
  const form = (object: object): string => Object.entries(object).map(([key, value]) => `${key}:${typeof value}`).sort().join()
  const results = gunzipSync(readFileSync(suite)).toString().trim().split('\n').map((line) => JSON.parse(line) as Record<'Download' | 'Upload', { UUID: string; StartTime: string; ServerMeasurements: Record<string, object>[] | null } | undefined>)
  const parts = new Map<string, Set<string>>()
  for (const result of results) for (const way of [result.Download, result.Upload]) {
    if (way === undefined) continue
    assert.deepEqual([typeof way.UUID, typeof way.StartTime], [typeof ours['ConnectionInfo']?.['UUID'], typeof ours['ConnectionInfo']?.['StartTime']])
    for (const measured of way.ServerMeasurements ?? []) for (const [name, part] of Object.entries(measured)) parts.set(name, (parts.get(name) ?? new Set()).add(form(part)))
  }
  assert.equal(results.length, 114)
  // Node gives no TCP_INFO: those parts are left out, as the specification has it for a kernel without them.
  assert.ok([...parts.keys()].every((name) => ['AppInfo', 'BBRInfo', 'TCPInfo'].includes(name)), [...parts.keys()].join())
  // The results of 2020 hold what the server found, without AppInfo: that is held to the specification's own words.
  assert.equal(form(ours['AppInfo'] ?? {}), 'ElapsedTime:number,NumBytes:number')
  assert.ok([...(parts.get('TCPInfo') ?? [])].every((each) => each.includes('ElapsedTime:number')))
  assert.deepEqual(Object.keys(ours), ['AppInfo', 'ConnectionInfo', 'Origin', 'Test'])
})
