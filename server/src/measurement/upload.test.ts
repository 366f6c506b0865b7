import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect, type OutgoingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import fc from 'fast-check'
import type { UploadTiming } from '@kawal/contract/report.ts'
import { makeCertificate } from '@kawal/testkit/certificate.ts'
import { startFaultProxy, type FaultProxy } from '@kawal/testkit/fault-proxy.ts'
import { boundConnections, protocol } from '../connections.ts'
import { answerProblems } from '../problem.ts'
import { probeRoutes } from './probe-routes.ts'
import { uploadTimer } from './upload.ts'

let app: FastifyInstance
let line: FaultProxy

before(async () => {
  app = fastify({ forceCloseConnections: true })
  answerProblems(app)
  probeRoutes(app, { clock: Date.now, election: { seen: () => ({ state: null, status: null }), stop: () => Promise.resolve() } })
  await app.listen({ host: '127.0.0.1', port: 0 })
  line = await startFaultProxy({ to: { host: '127.0.0.1', port: (app.server.address() as AddressInfo).port } })
})
after(async () => {
  await line.close()
  await app.close()
})

const up = async (bytes: number, port = line.port): Promise<UploadTiming> => {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/probe/up`, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: Buffer.alloc(bytes, 'x') })
  assert.equal(answer.status, 200)
  return (await answer.json()) as UploadTiming
}

for (const [rate_kbps, bytes] of [[64, 12_000], [256, 40_000], [1_000, 75_000], [4_000, 75_000]] as const)
  test(`at ${rate_kbps} kbit/s the server's figure is within 10 %, and not above`, async () => {
    await line.set({ rate_kbps })
    const found: (number | null)[] = []
    // A busy machine may hold the line up: then the upload is slower, and so is the figure. It is never above.
    while (found.length < 3) {
      const { kbps, bytes: counted } = await up(bytes)
      found.push(kbps)
      assert.equal(counted, bytes)
      assert.ok(kbps !== null && kbps <= rate_kbps * 1.02, `${kbps} of ${rate_kbps}`)
      if (kbps >= rate_kbps * 0.9) return
    }
    assert.fail(`${found.join(', ')} of ${rate_kbps}`)
  })

test('over HTTP/2 and TLS the same, on a line that is far as well', async (t) => {
  const tls = makeCertificate()
  const over = fastify({ ...protocol(tls), forceCloseConnections: true }) as unknown as FastifyInstance
  boundConnections(over)
  probeRoutes(over, { clock: Date.now, election: { seen: () => ({ state: null, status: null }), stop: () => Promise.resolve() } })
  await over.listen({ host: '127.0.0.1', port: 0 })
  const far = await startFaultProxy({ to: { host: '127.0.0.1', port: (over.server.address() as AddressInfo).port }, fault: { rate_kbps: 2_000, delay_ms: 100 } })
  const session = connect(`https://localhost:${far.port}`, { ca: tls.cert })
  t.after(async () => {
    session.destroy()
    await far.close()
    await over.close()
  })
  const ask = async (headers: OutgoingHttpHeaders, body?: Buffer): Promise<string> => {
    const stream = session.request(headers, { endStream: body === undefined })
    if (body !== undefined) stream.end(body)
    return Buffer.concat((await stream.toArray()) as Buffer[]).toString()
  }
  await ask({ ':path': '/v1/ping' })
  const found: number[] = []
  while (found.length < 3 && !((found.at(-1) ?? 0) >= 1_800)) {
    found.push((JSON.parse(await ask({ ':method': 'POST', ':path': '/v1/probe/up', 'content-type': 'application/octet-stream' }, Buffer.alloc(75_000, 'x'))) as UploadTiming).kbps ?? 0)
    assert.ok((found.at(-1) as number) <= 2_100, `${found.join(', ')}`) // a machine at work hands a chunk on late by some ms
  }
  assert.ok((found.at(-1) as number) >= 1_800, found.join(', '))
})

test('through a proxy that collects the whole body first, there is no figure', async () => {
  const proxy = createServer((incoming, outgoing) => {
    const body: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => body.push(chunk))
    incoming.on('end', () => {
      const onward = request({ port: (app.server.address() as AddressInfo).port, host: '127.0.0.1', path: incoming.url, method: 'POST', headers: incoming.headers }, (answer) => answer.pipe(outgoing))
      onward.end(Buffer.concat(body))
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const slow = await startFaultProxy({ to: { host: '127.0.0.1', port: (proxy.address() as AddressInfo).port }, fault: { rate_kbps: 1_000 } })
  const found = await up(40_000, slow.port)
  assert.deepEqual([found.bytes, found.kbps], [40_000, null])
  await slow.close()
  proxy.closeAllConnections()
  await new Promise((done) => proxy.close(done))
})

test('without a rate to see there is none: one piece, or faster than a machine can tell', async () => {
  await line.set({})
  assert.equal((await up(100)).kbps, null)
  assert.equal((await up(75_000)).kbps, null)
})

test('an upload takes up to its limit; more, or nothing, is refused', async () => {
  const send = (bytes: number) => app.inject({ method: 'POST', url: '/v1/probe/up', headers: { 'content-type': 'application/octet-stream' }, payload: Buffer.alloc(bytes) })
  assert.equal((await send(75_000)).json<UploadTiming>().bytes, 75_000)
  assert.deepEqual([(await send(75_001)).statusCode, (await send(0)).statusCode, (await app.inject({ method: 'POST', url: '/v1/probe/up' })).statusCode], [413, 400, 400])
})

test('several pieces within 20 ms came out of a buffer; two arrivals are no rate', () => {
  const timed = (arrivals: readonly number[]): number | null => {
    let now = 0
    const timer = uploadTimer(() => now)
    for (now of arrivals) timer.came(10_000)
    return timer.end().kbps
  }
  assert.deepEqual([timed([]), timed([0]), timed([0, 5, 10, 15, 19.9]), timed([0, 100]), timed([0, 1, 1.9, 100])], [null, null, null, null, null])
  assert.equal(timed([0, 400, 800, 1_200]), 197)
})

test('no way of holding bytes back at the start, or of reading late, makes the figure too large', () => {
  const pieces = fc.record({
    rate_kbps: fc.integer({ min: 32, max: 20_000 }), bytes: fc.integer({ min: 3_000, max: 75_000 }), piece: fc.integer({ min: 200, max: 1_460 }),
    held: fc.double({ min: 0, max: 0.45, noNaN: true }), reading_ms: fc.integer({ min: 0, max: 30 }),
  })
  fc.assert(fc.property(pieces, ({ rate_kbps, bytes, piece, held, reading_ms }) => {
    let now = 0
    const timer = uploadTimer(() => now)
    let at = 0
    const reads: [number, number][] = []
    for (let left = bytes; left > 0; left -= piece) {
      const part = Math.min(left, piece)
      at += (part * 8) / rate_kbps
      // the first share is held back until it is all there; then the server reads at its own pace
      const handed = Math.max(at, (bytes * held * 8) / rate_kbps)
      reads.push([reading_ms === 0 ? handed : Math.ceil(handed / reading_ms) * reading_ms, part])
    }
    for (const [instant, part] of reads) {
      now = instant
      timer.came(part)
    }
    const { kbps } = timer.end()
    // a read that comes late by one turn moves at most that turn's bytes
    const span_ms = (bytes * 8) / rate_kbps
    assert.ok(kbps === null || kbps <= rate_kbps * (1 + (4 * reading_ms + 4) / Math.max(1, span_ms * (1 - held))) + 1, `${kbps} of ${rate_kbps}`)
  }), { numRuns: 3_000, seed: 7 })
})
