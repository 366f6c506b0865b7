import assert from 'node:assert/strict'
import { createServer, type AddressInfo, type Server } from 'node:http'
import { after, before, test } from 'node:test'
import { WebSocketServer, type WebSocket as Socket } from 'ws'
import type { SigmonConfig } from '@kawal/contract/sigmon.ts'
import { startFaultProxy, type FaultProxy } from '@kawal/testkit/fault-proxy.ts'
import { createBudget } from './src/check/budget.ts'
import { fullTestAtMost } from './src/check/cost.ts'
import { fullTest, uploadRate, type FullTested } from './src/check/full-test.ts'
import type { Net } from './src/check/net.ts'

/** A little ndt7 server, so that the client is held against the specification apart from the platform's own. */
let server: Server
let proxy: FaultProxy
let sockets: WebSocketServer
let place: 'free' | 'none' | 'limited' | 'broken' = 'free'
let hangs = false
const told: { path: string; protocol: string }[] = []
const duration_ms = 1_500

before(async () => {
  server = createServer((request, reply) => {
    if (place === 'broken') return reply.writeHead(200).end('<html>')
    if (place !== 'free') return reply.writeHead(place === 'none' ? 204 : 429).end()
    const asked = new URL(request.url ?? '/', 'http://here')
    const of = (way: string): string => `ws://127.0.0.1:${proxy.port}/ndt/v7/${way}?access_token=t&bytes_max=${asked.searchParams.get('bytes_max')}`
    reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ results: [{ machine: 'here', urls: { 'ws:///ndt/v7/download': of('download'), 'ws:///ndt/v7/upload': of('upload') } }] }))
  })
  sockets = new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 1 << 24 })
  sockets.on('connection', (socket, request) => {
    const url = new URL(request.url ?? '/', 'http://here')
    told.push({ path: url.pathname, protocol: socket.protocol })
    if (hangs) return
    const cap = Number(url.searchParams.get('bytes_max'))
    if (url.pathname.endsWith('download')) void serveDownload(socket, cap)
    else serveUpload(socket)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  proxy = await startFaultProxy({ to: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } })
})
after(async () => {
  await proxy.close()
  for (const socket of sockets.clients) socket.terminate()
  await new Promise((done) => server.close(done))
})

const measurement = (began: number, bytes: number): string => JSON.stringify({ AppInfo: { ElapsedTime: Math.round((performance.now() - began) * 1000), NumBytes: bytes }, TCPInfo: { MinRTT: 12_500 } })

async function serveDownload(socket: Socket, cap: number): Promise<void> {
  const began = performance.now()
  let sent = 0
  for (let size = 1 << 13; sent < cap && performance.now() < began + duration_ms && socket.readyState === 1; ) {
    const bytes = Math.min(size, cap - sent)
    await new Promise<void>((done) => socket.send(new Uint8Array(bytes), () => done()))
    sent += bytes
    if (size < 1 << 16 && sent > 16 * size) size *= 2
    socket.send(measurement(began, sent))
  }
  socket.close(1000)
}

function serveUpload(socket: Socket): void {
  const began = performance.now()
  let bytes = 0
  socket.on('message', (data: Buffer) => (bytes += data.length))
  const telling = setInterval(() => socket.send(measurement(began, bytes)), 100)
  const ending = setTimeout(() => socket.close(1000), duration_ms)
  socket.on('close', () => {
    clearInterval(telling)
    clearTimeout(ending)
  })
}

const config = (bytes: number): SigmonConfig => ({
  version: 1, issuedAt: '2029-01-01T00:00:00Z', validUntil: '2030-01-01T00:00:00Z', keys: [], intervalS: 300, jitterShare: 0.2, spreadS: 60, probes: { routine: 3, check: 10, timeoutMs: 8_000, reachEvery: 4 },
  targets: { internet: null, election: null }, fullTestShare: 0, budget: { dailyBytes: 5_000_000, checkDownBytes: 150_000, checkUpBytes: 75_000, fullTestBytes: bytes }, helpLines: [],
})

/** @param hurry makes time-outs come so much earlier */
async function run(bytes: number, daily = 1e9, hurry = 1): Promise<FullTested & { today: number; phases: string }> {
  const net: Net = {
    origin: `http://127.0.0.1:${proxy.port}`, fetch: (url, init) => fetch(url, init), now: Date.now, tick: () => performance.now(), online: () => true, WebSocket,
    timer: (ms, then) => {
      const timer = setTimeout(then, ms > 1_000 ? ms / hurry : ms)
      return () => clearTimeout(timer)
    },
  }
  let held: never | null = null
  const budget = await createBudget({ daily: () => daily, day: () => 'a', restraint: () => null }, { change: async (apply) => (held = apply(held) as never) })
  proxy.resetBytes()
  const phases: string[] = []
  const done = await fullTest(net, config(bytes), { budget }, (phase) => void (phases.at(-1) === phase || phases.push(phase)))
  return { ...done, today: budget.spent().today, phases: phases.join() }
}
const near = (value: number | null, wanted: number, share: number): void => assert.ok(value !== null && Math.abs(value / wanted - 1) <= share, `${value} is not within ${share * 100} % of ${wanted}`)

test('both ways agree within 10 % with a rate that is injected, speak the subprotocol, and tell of their progress', async (t) => {
  told.length = 0
  await proxy.set({ rate_kbps: 2_000 })
  const done = await run(1_000_000)
  t.diagnostic(JSON.stringify(done))
  near(done.downKbps, 2_000, 0.1)
  near(done.upKbps, 2_000, 0.1)
  assert.equal(done.minRttMs, 12.5)
  assert.equal(done.phases, 'down,up')
  assert.deepEqual(told, [{ path: '/ndt/v7/download', protocol: 'net.measurementlab.ndt.v7' }, { path: '/ndt/v7/upload', protocol: 'net.measurementlab.ndt.v7' }])
})

test('the cap holds at the socket, both ways together, and the budget is not told too little', async () => {
  await proxy.set({})
  for (const cap of [100_000, 400_000]) {
    const done = await run(cap)
    const { up, down } = proxy.bytes()
    assert.ok(up + down <= done.bytes && done.bytes <= fullTestAtMost(`http://127.0.0.1:${proxy.port}`, cap), `${up} up, ${down} down, told ${done.bytes}`)
    assert.ok(up <= cap / 2 + 10_000, `${up} up`)
    assert.equal(done.today, done.bytes)
    assert.equal(done.refused, null)
  }
})

test('no place, no answer, an answer of a stranger, no budget: each is told, and no test begins', async () => {
  told.length = 0
  for (const [state, refused] of [['none', 'busy'], ['limited', 'busy'], ['broken', 'offline']] as const) {
    place = state
    assert.equal((await run(400_000)).refused, refused)
  }
  place = 'free'
  await proxy.set({ mode: 'refuse' })
  assert.equal((await run(400_000)).refused, 'offline')
  await proxy.set({})
  const none = await run(400_000, 100_000)
  assert.deepEqual([none.refused, none.bytes, proxy.bytes()], ['limit', 0, { up: 0, down: 0 }])
  assert.deepEqual(told, [])
})

test('a server that falls silent, and one that cuts, end the test', async () => {
  hangs = true
  const silent = await run(400_000, 1e9, 20)
  assert.deepEqual([silent.downKbps, silent.upKbps], [null, null])
  hangs = false
  await proxy.set({ dropAfter_bytes: 30_000 })
  const cut = await run(400_000)
  assert.ok(proxy.bytes().up + proxy.bytes().down <= cut.bytes)
  await proxy.set({})
})

test('the upload\'s rate is that of the newest measurement in which something still came, without the first second', () => {
  assert.equal(uploadRate([]), null)
  assert.equal(uploadRate([{ bytes: 0, ms: 250 }]), null)
  assert.equal(uploadRate([{ bytes: 25_000, ms: 250 }, { bytes: 50_000, ms: 500 }, { bytes: 60_000, ms: 750 }, { bytes: 60_000, ms: 1_000 }]), 800)
  // the last in which it moved may have stood still for a part of its time
  assert.equal(uploadRate([{ bytes: 25_000, ms: 250 }, { bytes: 50_000, ms: 500 }, { bytes: 51_000, ms: 750 }]), 800)
  const seen = [0.5, 1, 1.5, 2, 2.5, 3].map((s) => ({ bytes: Math.max(0, (s - 0.5) * 100_000), ms: s * 1_000 }))
  assert.equal(uploadRate(seen), 800)
})
