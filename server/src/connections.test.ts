import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2, { type ClientHttp2Session } from 'node:http2'
import https from 'node:https'
import { after, before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import fastify, { type FastifyInstance } from 'fastify'
import pg from 'pg'
import { decodeReceipt, encodeBatch } from '@kawal/contract/compact.ts'
import type { Enrolled, Sample } from '@kawal/contract/report.ts'
import { makeCertificate } from '@kawal/testkit/certificate.ts'
import { startFaultProxy, type FaultProxy } from '@kawal/testkit/fault-proxy.ts'
import { storedReports } from '@kawal/testkit/reports.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { boundConnections, protocol } from './connections.ts'
import { stationCode } from './measurement/enrolment.ts'
import { addStaff, loginToken } from './organisation/sessions.ts'
import { loadSynthetic } from './register/synthetic.ts'

const now = Date.UTC(2029, 1, 14, 2)
const tls = makeCertificate()
let server: TestServer
let line: FaultProxy
let station = ''
let token = ''
let login = ''

before(async () => {
  server = await withServer(() => now, async (kit) => {
    const owner = new pg.Pool({ connectionString: kit.ownerUrl, max: 2 })
    await loadSynthetic(owner, '75', 1)
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
    station = (await owner.query<{ code: string }>('SELECT code FROM station_now ORDER BY code LIMIT 1')).rows[0]?.code ?? ''
    await owner.end()
  }, { tls })
  line = await startFaultProxy({ to: { host: '127.0.0.1', port: Number(new URL(server.app.url).port) } })
  login = await loginToken(server.app.database, await addStaff(server.app.database, 'komdigi', 'Petugas'), now)
})
after(async () => {
  await line.close()
  await server.close()
})

const open = (): ClientHttp2Session => http2.connect(`https://localhost:${line.port}`, { ca: tls.cert })
interface Got { readonly status: number; readonly headers: http2.IncomingHttpHeaders; readonly body: Buffer }
async function ask(session: ClientHttp2Session, headers: http2.OutgoingHttpHeaders, body?: Buffer): Promise<Got> {
  const stream = session.request(headers, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  const [got] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & { ':status': number }]
  return { status: got[':status'], headers: got, body: Buffer.concat((await stream.toArray()) as Buffer[]) }
}
const sample = (sequence: number): Sample => ({
  sequence, eventAt: new Date(now).toISOString(), sim: '51010', access: 'unknown', accessPoint: null, technology: null, radio: null, rttMs: [50], timeouts: 0, downKbps: null, upKbps: null,
  reach: { internet: 'untested', election: 'untested', platform: 'ok' }, charging: null, nextDueAt: null,
})
const compact = (...sequences: number[]): Buffer => Buffer.from(encodeBatch({ station, sentAt: new Date(now).toISOString(), samples: sequences.map(sample) }))

test('a phone enrols, probes and reports over HTTP/2, and each further report costs little', async () => {
  const session = open()
  const enrolled = await ask(session, { ':method': 'POST', ':path': '/v1/devices', 'content-type': 'application/json' }, Buffer.from(JSON.stringify({ station, code: stationCode(server.app.secret, station) })))
  assert.equal(enrolled.status, 201, enrolled.body.toString())
  token = (JSON.parse(enrolled.body.toString()) as Enrolled).token
  const ping = () => ask(session, { ':path': '/v1/ping' })
  const report = (sequence: number) => ask(session, { ':method': 'POST', ':path': '/v1/reports', authorization: `Bearer ${token}`, 'content-type': 'application/cbor' }, compact(sequence))
  const first = await report(1)
  assert.deepEqual([first.status, first.headers['content-type'], decodeReceipt(first.body)], [202, 'application/cbor', { ok: true, value: { accepted: 1, duplicates: 0, quarantined: [], nextIntervalS: 300 } }])
  await ping()
  line.resetBytes()
  assert.equal((await report(2)).status, 202)
  const oneReport = line.bytes()
  line.resetBytes()
  assert.deepEqual(JSON.parse((await ping()).body.toString()), { now: new Date(now).toISOString(), election: null })
  const onePing = line.bytes()
  // The bearer token is in HPACK's table after the first request; a record of TLS adds 22 bytes.
  assert.ok(oneReport.up <= 220 && oneReport.down <= 260, JSON.stringify(oneReport))
  assert.ok(onePing.up <= 100 && onePing.down <= 260, JSON.stringify(onePing))
  session.close()
})

test('answers to phones carry no page headers, pages do', async () => {
  const session = open()
  for (const path of ['/v1/ping', '/v1/probe/down?bytes=10', '/v1/sigmon/keys']) {
    const { headers } = await ask(session, { ':path': path })
    assert.deepEqual([headers['content-security-policy'], headers['x-frame-options'], headers['strict-transport-security'], headers['x-content-type-options']], [undefined, undefined, undefined, 'nosniff'], path)
  }
  const page = await ask(session, { ':path': '/docs' })
  assert.ok(page.headers['content-security-policy'] !== undefined && page.headers['strict-transport-security'] !== undefined)
  assert.equal((await ask(session, { ':path': '/nothing' })).status, 404)
  session.close()
})

test('the console works over both: log-in, live feed, snapshot', async () => {
  const session = open()
  const logged = await ask(session, { ':method': 'POST', ':path': '/v1/session', 'content-type': 'application/json' }, Buffer.from(JSON.stringify({ token: login })))
  assert.equal(logged.status, 200, logged.body.toString())
  const cookie = String(logged.headers['set-cookie']?.[0]).split(';')[0] ?? ''
  const stream = session.request({ ':path': '/v1/live', cookie })
  let text = ''
  for await (const chunk of stream) if ((text += String(chunk)).includes('event: delta')) break
  assert.match(text, /^event: snapshot\n/)
  session.destroy()
  const overOne = await new Promise<string>((done, failed) =>
    https.get(`https://localhost:${line.port}/v1/live`, { ca: tls.cert, headers: { cookie } }, (answer) => answer.once('data', (chunk: Buffer) => {
      answer.destroy()
      done(`${answer.httpVersion} ${answer.statusCode} ${chunk.toString().slice(0, 15)}`)
    })).on('error', failed))
  assert.equal(overOne, '1.1 200 event: snapshot')
})

test('a report whose connection closes at once, as a page that is being hidden sends it, is kept', async () => {
  const socket = connectTls({ port: line.port, host: 'localhost', ca: tls.cert, ALPNProtocols: ['http/1.1'] })
  await once(socket, 'secureConnect')
  const body = compact(3)
  socket.end(Buffer.concat([Buffer.from(`POST /v1/reports HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\ncontent-type: application/cbor\r\ncontent-length: ${body.length}\r\n\r\n`), body]))
  socket.destroySoon()
  await once(socket, 'close')
  const kept = async (): Promise<number> => (await storedReports(server.app.database)).filter((report) => report.sequence === 3).length
  let found = 0
  for (let tries = 0; tries < 200 && found === 0; tries++) found = await kept()
  assert.equal(found, 1)
})

test('compact bodies that are wrong are told what was expected; a bad sample goes to quarantine', async () => {
  const session = open()
  const post = (body: Buffer) => ask(session, { ':method': 'POST', ':path': '/v1/reports', authorization: `Bearer ${token}`, 'content-type': 'application/cbor' }, body)
  for (const body of [Buffer.from('{"station":'), Buffer.from([0x80]), compact(), Buffer.alloc(900_000, 0x81)]) {
    const answer = await post(body)
    assert.deepEqual([answer.status, answer.headers['content-type'], (JSON.parse(answer.body.toString()) as { code: string }).code], [400, 'application/problem+json; charset=utf-8', 'body_invalid'])
  }
  const strange = await ask(session, { ':method': 'POST', ':path': '/v1/reports', 'content-type': 'application/cbor' }, Buffer.from([0x80]))
  const elsewhere = await ask(session, { ':method': 'POST', ':path': '/v1/devices', 'content-type': 'application/cbor' }, compact(1))
  assert.deepEqual([strange.status, elsewhere.status, /Unsupported Media Type/.test(elsewhere.body.toString())], [401, 400, true], 'who nobody knows is not read, nor is the form elsewhere')
  const bad = Buffer.from(encodeBatch({ station, samples: [sample(10), { ...sample(11), rttMs: [70_000] }, { ...sample(12), technology: 'lte', radio: { source: 'android', ageMs: 1, rsrpDbm: 7 } }, sample(13)] }))
  const receipt = decodeReceipt((await post(bad)).body)
  assert.deepEqual(receipt.ok && [receipt.value.accepted, receipt.value.quarantined.map((each) => [each.index, each.code])], [2, [[1, 'sample_invalid'], [2, 'radio_out_of_range']]])
  session.close()
})

test('of too many idle connections, the one that was idle longest is closed; one that is at work stays', async () => {
  const small: FastifyInstance = fastify({ ...protocol(tls), forceCloseConnections: true }) as unknown as FastifyInstance
  boundConnections(small, { sessions_max: 3 })
  small.get('/quick', () => 'ok')
  let finish = (): void => {}
  small.get('/slow', () => new Promise((done) => (finish = () => done('late'))))
  assert.equal(small.server.keepAliveTimeout, 15 * 60_000)
  const address = await small.listen({ host: '127.0.0.1', port: 0 })
  const join = () => http2.connect(address.replace('127.0.0.1', 'localhost'), { ca: tls.cert })
  const sessions = [join(), join(), join()] as const
  const [working, idle, used] = sessions
  const slow = ask(working, { ':path': '/slow' })
  await ask(idle, { ':path': '/quick' })
  await ask(used, { ':path': '/quick' })
  const told = Promise.race(sessions.map((session) => once(session, 'goaway')))
  const fourth = join()
  await ask(fourth, { ':path': '/quick' })
  await told
  const closed = [...sessions, fourth].map((session) => session.closed)
  finish()
  const late = (await slow).body.toString()
  for (const session of [...sessions, fourth]) session.destroy()
  await small.close()
  assert.deepEqual([closed, late], [[false, true, false, false], 'late'])
})

test('a request that never ends is over after its time, one whose answer takes longer is not; idle connections of HTTP/1 make room', async () => {
  const small: FastifyInstance = fastify({ ...protocol(tls), forceCloseConnections: true }) as unknown as FastifyInstance
  boundConnections(small, { request_ms: 300, crowded: 3 })
  assert.equal((small.server as unknown as https.Server).requestTimeout, 120_000)
  let finish = (): void => {}
  small.get('/slow', () => new Promise((done) => (finish = () => done('late'))))
  small.post('/slow', () => 'read')
  const address = (await small.listen({ host: '127.0.0.1', port: 0 })).replace('127.0.0.1', 'localhost')
  const session = http2.connect(address, { ca: tls.cert })
  const slow = ask(session, { ':path': '/slow' })
  const half = session.request({ ':method': 'POST', ':path': '/slow', 'content-type': 'application/json' })
  half.on('error', () => {})
  half.write('{')
  const whole = session.request({ ':method': 'POST', ':path': '/slow', 'content-type': 'application/json' })
  whole.end('{}')
  const [answered] = (await once(whole, 'response')) as [http2.IncomingHttpHeaders & { ':status': number }]
  whole.resume()
  await once(half, 'close')
  assert.deepEqual([answered[':status'], half.rstCode], [200, http2.constants.NGHTTP2_CANCEL])
  finish()
  assert.equal((await slow).body.toString(), 'late')

  const one = async () => {
    const socket = connectTls({ port: Number(new URL(address).port), host: 'localhost', ca: tls.cert, ALPNProtocols: ['http/1.1'] })
    await once(socket, 'secureConnect')
    socket.write('GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await once(socket, 'data')
    return socket
  }
  // with the session they are three
  const two = [await one(), await one()]
  const closed = Promise.all(two.map((socket) => once(socket, 'close')))
  const next = await one()
  await closed
  assert.deepEqual([next.destroyed, session.closed], [false, false])
  next.destroy()
  session.destroy()
  await small.close()
})

test('over TLS too, an upgrade to something else than a WebSocket is no upgrade', async () => {
  const status = await new Promise<number | undefined>((done, failed) =>
    https.get(`https://localhost:${line.port}/healthz`, { ca: tls.cert, headers: { connection: 'Upgrade', upgrade: 'h2c' } }, (answer) => {
      answer.resume()
      done(answer.statusCode)
    }).on('error', failed))
  assert.equal(status, 200)
})
