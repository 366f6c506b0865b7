import assert from 'node:assert/strict'
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts'

/** Echoes what begins with `e`; sends as many bytes as `s` asks for; swallows the rest and says `got N` at the end. */
let server: Server
let proxy: FaultProxy
const sockets = new Set<Socket>()

before(async () => {
  server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    let bytes = 0
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      bytes += chunk.length
      if (chunk[0] === 0x65) socket.write(chunk)
      if (chunk[0] === 0x73) socket.end(Buffer.alloc(Number(chunk.subarray(1).toString())))
    })
    socket.on('end', () => socket.writable && socket.end(`got ${bytes}`))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  proxy = await startFaultProxy({ to: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } })
})
after(async () => {
  for (const socket of sockets) socket.destroy()
  await proxy.close()
  await new Promise((done) => server.close(done))
})

const open = (): Promise<Socket> =>
  new Promise((done, failed) => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true })
    sockets.add(socket)
    socket.once('error', failed)
    socket.once('connect', () => done(socket.off('error', failed).on('error', () => {})))
  })
const once = (socket: Socket): Promise<Buffer> => new Promise((done) => socket.once('data', done))
const closed = (socket: Socket): Promise<void> => new Promise((done) => (socket.destroyed ? done() : socket.once('close', () => done())))
const all = (socket: Socket): Promise<{ bytes: number; ms: number }> =>
  new Promise((done) => {
    let bytes = 0
    let first = 0
    let first_bytes = 0
    socket.on('data', (chunk) => {
      if (first === 0) [first, first_bytes] = [performance.now(), chunk.length]
      bytes += chunk.length
    })
    socket.once('close', () => done({ bytes: bytes - first_bytes, ms: performance.now() - first }))
  })
const trip = async (socket: Socket): Promise<number> => {
  const begun = performance.now()
  socket.write('e')
  await once(socket)
  return performance.now() - begun
}
const near = (value: number, wanted: number, share: number) => assert.ok(Math.abs(value / wanted - 1) <= share, `${value} is not within ${share * 100} % of ${wanted}`)

/** A machine that is busy may stall for longer than the line's slack: then it is slower, never faster. One true run in three will do. */
async function closest(wanted: number, share: number, measure: () => Promise<number>): Promise<void> {
  const found: number[] = []
  while (found.length < 3) {
    found.push(await measure())
    assert.ok((found.at(-1) as number) <= wanted * (1 + share), `${found.join(', ')} is above ${wanted}`)
    if ((found.at(-1) as number) >= wanted * (1 - share)) return
  }
  assert.fail(`${found.join(', ')} is not within ${share * 100} % of ${wanted}`)
}

test('a delay is added each way, to open connections too', async () => {
  const socket = await open()
  await trip(socket)
  for (const delay_ms of [20, 100]) {
    await proxy.set({ delay_ms })
    // The least of some: a busy machine adds to a delay, nothing takes away from it.
    let least = Infinity
    for (let i = 0; i < 12 && least > 2 * delay_ms * 1.02; i++) least = Math.min(least, await trip(socket))
    near(least, 2 * delay_ms, 0.03)
  }
  await proxy.set({})
  socket.destroy()
})

test('a rate takes nothing off a delay', async () => {
  const socket = await open()
  await trip(socket)
  await proxy.set({ delay_ms: 20, rate_kbps: 4_000 })
  for (let i = 0; i < 8; i++) {
    const found_ms = await trip(socket)
    assert.ok(found_ms >= 39.9, `${found_ms} ms there and back on a line of 20 ms each way`)
  }
  await proxy.set({})
  socket.destroy()
})

test('bytes keep their order through delays that change', async () => {
  const socket = await open()
  const sent = Buffer.from('e'.repeat(200))
  let got = ''
  socket.on('data', (chunk) => (got += chunk.toString()))
  for (let i = 0; i < 20; i++) {
    await proxy.set({ delay_ms: i % 2 === 0 ? 20 : 1 })
    socket.write(`e${i};`)
    await new Promise((done) => setImmediate(done))
  }
  socket.write(sent)
  while (got.length < sent.length + 70) await once(socket)
  assert.equal(got.slice(0, 70), Array.from({ length: 20 }, (_, i) => `e${i};`).join(''))
  await proxy.set({})
  socket.destroy()
})

for (const rate_kbps of [64, 1_000, 4_000])
  test(`${rate_kbps} kbit/s are true, both ways`, async () => {
    const bytes = rate_kbps * 60
    await proxy.set({ rate_kbps })
    await closest(rate_kbps, 0.03, async () => {
      const down = await open()
      down.write(`s${bytes}`)
      const got = await all(down)
      return (got.bytes * 8) / got.ms
    })
    await closest(rate_kbps, 0.04, async () => {
      const up = await open()
      const begun = performance.now()
      up.end(Buffer.alloc(bytes, 'x'))
      assert.equal((await once(up)).toString(), `got ${bytes}`)
      return (bytes * 8) / (performance.now() - begun)
    })
    await proxy.set({})
  })

test('connections share the rate', async () => {
  await proxy.set({ downRate_kbps: 2_000 })
  const two = await Promise.all([open(), open()])
  const begun = performance.now()
  for (const socket of two) socket.write('s50000')
  await Promise.all(two.map(all))
  near((100_000 * 8) / (performance.now() - begun), 2_000, 0.04)
  await proxy.set({})
})

test('refuse, and back on the same port', async () => {
  const socket = await open()
  await proxy.set({ mode: 'refuse' })
  await closed(socket)
  await assert.rejects(open(), { code: 'ECONNREFUSED' })
  await proxy.set({})
  const again = await open()
  await trip(again)
  again.destroy()
})

test('a black hole takes bytes in and lets them through when it is over', async () => {
  const socket = await open()
  await proxy.set({ mode: 'blackhole' })
  const late = await open()
  const [first, second] = [once(socket), once(late)]
  socket.write('e1')
  late.write('e2')
  let came = false
  void first.then(() => (came = true))
  const other = await open()
  for (let i = 0; i < 50; i++) await new Promise((done) => setImmediate(done))
  assert.equal(came, false)
  await proxy.set({})
  assert.deepEqual([(await first).toString(), (await second).toString()], ['e1', 'e2'])
  for (const each of [socket, late, other]) each.destroy()
})

test('cut, drop after some bytes, and lost requests', async () => {
  const socket = await open()
  await proxy.set({ mode: 'cut' })
  await closed(socket)
  await closed(await open())
  await proxy.set({ dropAfter_bytes: 10 })
  const short = await open()
  await trip(short)
  short.write('e'.repeat(10))
  await closed(short)
  await proxy.set({ dropAfter_bytes: 17 })
  const cut = await open()
  const heard = all(cut)
  const first = once(cut)
  cut.write('e'.repeat(12))
  assert.equal((await first).length + (await heard).bytes, 5, 'twelve of one way, and five of the other')
  let lost = 0
  await proxy.set({ lose_share: 0.3, seed: 7 })
  for (let i = 0; i < 200; i++) {
    const one = await open()
    one.write('e')
    if (await Promise.race([once(one).then(() => false), closed(one).then(() => true)])) lost++
    one.destroy()
  }
  assert.ok(lost > 40 && lost < 80, `${lost} of 200`)
  await proxy.set({})
})

test('a portal and a status answer in the place of the server', async () => {
  const get = async () => fetch(`http://127.0.0.1:${proxy.port}/v1/ping`, { redirect: 'manual' })
  await proxy.set({ mode: 'portal' })
  const page = await get()
  assert.deepEqual([page.status, page.headers.get('content-type')], [200, 'text/html'])
  assert.match(await page.text(), /Log in/)
  await proxy.set({ mode: 'portal', portalLocation: 'http://login.invalid/' })
  const away = await get()
  assert.deepEqual([away.status, away.headers.get('location'), await away.text()], [302, 'http://login.invalid/', ''])
  await proxy.set({ mode: 'status', status: 503, headers: ['access-control-allow-origin: *'] })
  const answer = await fetch(`http://127.0.0.1:${proxy.port}/v1/reports`, { method: 'POST', body: 'x'.repeat(100_000) })
  assert.deepEqual([answer.status, answer.headers.get('access-control-allow-origin'), await answer.text()], [503, '*', 'status 503'])
  await proxy.set({})
})

test('bytes are counted as the client has them, and memory stays bounded before a slow reader', async () => {
  proxy.resetBytes()
  const socket = await open()
  socket.write('s5000')
  await all(socket)
  assert.deepEqual(proxy.bytes(), { up: 5, down: 5_000 })
  const slow = await open()
  slow.pause()
  slow.write('s300000000')
  let down = -1
  while (proxy.bytes().down !== down) {
    down = proxy.bytes().down
    await new Promise((done) => setTimeout(done, 100))
  }
  // What was taken from the server and not read is in the kernel's buffers, not here.
  assert.ok(down < 100_000_000, `${down}`)
  slow.destroy()
  while (proxy.connections() > 0) await new Promise((done) => setImmediate(done))
})
