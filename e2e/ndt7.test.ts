import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect, type OutgoingHttpHeaders } from 'node:http2'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { Browser, Page } from 'playwright-core'
import { WebSocket } from 'ws'
import { decodeReceipt, encodeBatch } from '@kawal/contract/compact.ts'
import type { Located } from '@kawal/contract/ndt.ts'
import type { Enrolled, Sample } from '@kawal/contract/report.ts'
import { stationCode } from '@kawal/server/src/measurement/enrolment.ts'
import { loadSynthetic } from '@kawal/server/src/register/synthetic.ts'
import { makeCertificate } from '@kawal/testkit/certificate.ts'
import { startFaultProxy, type FaultProxy } from '@kawal/testkit/fault-proxy.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { trueRun } from '@kawal/testkit/true-run.ts'
import { launchBrowser } from './browser.ts'

interface Measured { readonly code: number; readonly down: number; readonly up: number; readonly test: string; readonly seconds: number }
const library = dirname(createRequire(import.meta.url).resolve('@m-lab/ndt7/src/ndt7.js'))

let server: TestServer
let line: FaultProxy
let pages: Server
let browser: Browser
let page: Page
let station = ''

/** The page is of another origin than the platform, as any client's page may be. */
before(async () => {
  server = await withServer(Date.now, async (kit) => {
    const owner = new pg.Pool({ connectionString: kit.ownerUrl, max: 2 })
    await loadSynthetic(owner, '75', 1)
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
    station = (await owner.query<{ code: string }>('SELECT code FROM station_now ORDER BY code LIMIT 1')).rows[0]?.code ?? ''
    await owner.end()
  }, { tls: makeCertificate(), ndt: { tests_max: 2, bytes_max: 20_000_000_000 } })
  line = await startFaultProxy({ to: { host: '127.0.0.1', port: Number(new URL(server.app.url).port) } })
  pages = createServer((request, answer) => {
    const name = (request.url ?? '/').slice(1)
    if (!/^ndt7[a-z-]*\.js$/.test(name)) return answer.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>ndt7</title><script src="/ndt7.js"></script>')
    return answer.writeHead(200, { 'content-type': 'text/javascript' }).end(readFileSync(join(library, name)))
  })
  await new Promise<void>((done) => pages.listen(0, '127.0.0.1', done))
  browser = await launchBrowser()
  page = await browser.newPage({ ignoreHTTPSErrors: true })
  await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`)
})
after(async () => {
  await browser.close()
  pages.closeAllConnections()
  await new Promise((done) => pages.close(done))
  await line.close()
  await server.close()
})

const locator = (): string => `https://localhost:${line.port}/v2/nearest/ndt/ndt7`
/** A test by M-Lab's own client, unchanged, in the page: both ways, or down alone. */
const measure = (bytes_max: number | null, way: 'both' | 'down'): Promise<Measured> =>
  page.evaluate(`(async () => {
    const found = { down: 0, up: 0, test: '' }
    const began = performance.now()
    const config = { loadbalancer: '${locator()}', protocol: 'wss', mlabDataPolicyInapplicable: true, metadata: ${bytes_max === null ? '{}' : `{ bytes_max: '${bytes_max}' }`} }
    const calls = {
      downloadComplete: (totals) => { found.down = totals.LastClientMeasurement.MeanClientMbps; found.test = totals.LastServerMeasurement.Test },
      uploadComplete: (totals) => { const { NumBytes, ElapsedTime } = totals.LastServerMeasurement.AppInfo; found.up = NumBytes * 8 / ElapsedTime },
    }
    const code = ${way === 'both' ? 'await ndt7.test(config, calls)' : 'await ndt7.downloadTest(config, calls, ndt7.discoverServerURLs(config, calls))'}
    return { code, ...found, seconds: (performance.now() - began) / 1000 }
  })()`)

test("M-Lab's client in Chromium, over TLS: at 2,000 kbit/s both ways are within 10 %, and the bytes within what was granted", async () => {
  const bytes_max = 900_000
  await line.set({ rate_kbps: 2_000 })
  await trueRun(async () => {
    line.resetBytes()
    const found = await measure(bytes_max, 'both')
    const { up, down } = line.bytes()
    assert.equal(found.code, 0)
    // Beside what was granted: TLS (29 bytes a record), two handshakes, the answers of HTTP, and the measurements of the upload.
    assert.ok(down <= bytes_max * 1.01 + 25_000 && up <= bytes_max * 1.2, JSON.stringify({ up, down }))
    assert.ok(found.down < 2.2 && found.up < 2.2, JSON.stringify(found))
    return found.down > 1.8 && found.up > 1.8 ? null : JSON.stringify(found)
  })
  await line.set({})
})

test('for the whole ten seconds of tests that saturate the server, reports are acknowledged and no third test begins', async () => {
  const origin = server.app.url.replace('127.0.0.1', 'localhost')
  const session = connect(origin, { rejectUnauthorized: false })
  const ask = async (headers: OutgoingHttpHeaders, body?: Uint8Array): Promise<{ status: number; body: Buffer }> => {
    const stream = session.request(headers, { endStream: body === undefined })
    if (body !== undefined) stream.end(body)
    const [got] = (await once(stream, 'response')) as [{ ':status': number }]
    return { status: got[':status'], body: Buffer.concat((await stream.toArray()) as Buffer[]) }
  }
  const enrolled = await ask({ ':method': 'POST', ':path': '/v1/devices', 'content-type': 'application/json' }, Buffer.from(JSON.stringify({ station, code: stationCode(server.app.secret, station) })))
  const { token } = JSON.parse(enrolled.body.toString()) as Enrolled
  const located = JSON.parse((await ask({ ':path': '/v2/nearest/ndt/ndt7' })).body.toString()) as Located
  const first = measure(null, 'down')
  const second = new WebSocket(located.results[0]?.urls['wss:///ndt/v7/download'] ?? '', 'net.measurementlab.ndt.v7', { rejectUnauthorized: false })
  const ends = Promise.all([first, once(second, 'close')])
  await once(second, 'open')
  let running = true
  void ends.finally(() => (running = false))
  const times: number[] = []
  let refused = 0
  while (running) {
    const began = performance.now()
    const receipt = decodeReceipt((await ask({ ':method': 'POST', ':path': '/v1/reports', authorization: `Bearer ${token}`, 'content-type': 'application/cbor' }, encodeBatch({ station, samples: [sample(times.length + 1)] }))).body)
    times.push(performance.now() - began)
    assert.equal(receipt.ok && receipt.value.accepted, 1)
    if ((await ask({ ':path': '/v2/nearest/ndt/ndt7' })).status === 204) refused++
    await new Promise((done) => setTimeout(done, 50))
  }
  const [found] = await ends
  session.close()
  const worst_ms = Math.max(...times)
  assert.ok(found.code === 0 && found.down > 10 && found.test === 'download' && found.seconds > 9.5 && found.seconds < 14, JSON.stringify(found))
  assert.ok(times.length > 10 && refused > 5 && worst_ms < 3_000, JSON.stringify({ reports: times.length, refused, worst_ms }))
})

const sample = (sequence: number): Sample => ({
  sequence, eventAt: new Date().toISOString(), sim: '51010', access: 'unknown', accessPoint: null, technology: null, radio: null, rttMs: [50], timeouts: 0, downKbps: null, upKbps: null,
  reach: { internet: 'untested', election: 'untested', platform: 'ok' }, charging: null, nextDueAt: null,
})

test('a page reaches the platform by HTTP/2', async () => {
  const other = await browser.newPage({ ignoreHTTPSErrors: true })
  await other.goto(`https://localhost:${line.port}/healthz`)
  assert.equal(await other.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol"), 'h2')
  assert.deepEqual(await other.evaluate("fetch('/v1/ping').then((answer) => answer.json()).then(({ election }) => election)"), null)
  // The policy that pages of the platform carry lets them run a full test.
  assert.equal(await other.evaluate(`(async () => {
    const { results } = await (await fetch('/v2/nearest/ndt/ndt7')).json()
    const socket = new WebSocket(results[0].urls['wss:///ndt/v7/upload'], 'net.measurementlab.ndt.v7')
    return new Promise((done) => { socket.onopen = () => { socket.close(); done('open') }; socket.onerror = () => done('refused') })
  })()`), 'open')
  await other.close()
})
