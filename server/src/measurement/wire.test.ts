import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import type { Door } from './door.ts'
import { createWire, type limits } from './wire.ts'

/** A door that answers with what it was given, at once or when it is told to, and a server of Node behind the wire that does the same with its own marks. */
let server: Server
let wire: ReturnType<typeof createWire>
let port = 0
let now = 0
let late: (() => void)[] | null = null
let passed: string[] = []
const sockets = new Set<Socket>()

const door: Door = {
  admit({ authorization, type, length, forwarded }, reply) {
    passed.push(`${authorization} ${type} ${length} ${forwarded ?? '-'}`)
    if (authorization !== 'Bearer no') return { device: { id: '', key: 1, station: '' }, form: 'json', networkOperator: null }
    reply(401, 'text/plain', 'who?', undefined, false)
    return null
  },
  tooLarge: (reply) => reply(413, 'text/plain', 'much', undefined, true),
  take(_, body, reply) {
    const text = body.toString('latin1')
    const answer = (): void => reply(text === 'busy' ? 429 : 202, 'text/plain', `wire ${text}`, text === 'busy' ? 30 : undefined, text === 'last')
    if (late === null) answer()
    else late.push(answer)
  },
}

async function start(change: Partial<typeof limits> = {}): Promise<void> {
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => response.end(`node ${request.method} ${request.url} ${Buffer.concat(chunks).toString('latin1')}`))
  })
  wire = createWire(server, { door, clock: () => Date.UTC(2029, 1, 14, 2), now: () => now, limits: change })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
}
beforeEach(async () => {
  late = null
  passed = []
  now = 0
  await start()
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  wire.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function line(): Promise<{ socket: Socket; text: () => string; until(part: string | RegExp): Promise<string> }> {
  const socket = connect(port, '127.0.0.1')
  sockets.add(socket)
  await once(socket, 'connect')
  socket.setNoDelay(true)
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  return {
    socket, text: () => text,
    async until(part) {
      for (let tries = 0; tries < 2_000 && !(typeof part === 'string' ? text.includes(part) : part.test(text)); tries++) await pause(1)
      assert.ok(typeof part === 'string' ? text.includes(part) : part.test(text), `waited for ${part}, got ${text}`)
      return text
    },
  }
}
const gone = async (socket: Socket): Promise<void> => void (socket.destroyed || (await once(socket, 'close')))
const report = (body: string, more = '', token = 'yes'): string => `POST /v1/reports HTTP/1.1\r\nHost: kawal\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`
const bodies = (text: string): string[] => text.split(/HTTP\/1\.1 /).slice(1).map((each) => `${each.slice(0, 3)} ${each.slice(each.indexOf('\r\n\r\n') + 4)}`)

test('a report is answered by the wire with the heads that Node gives, and the connection stays', async () => {
  const { socket, until, text } = await line()
  socket.write(report('one', 'X-Forwarded-For: 1.2.3.4\r\nUser-Agent: x\r\nAccept: */*\r\n'))
  await until('wire one')
  socket.write(report('two'))
  await until('wire two')
  assert.deepEqual(passed, ['Bearer yes application/json 3 1.2.3.4', 'Bearer yes application/json 3 -'])
  assert.equal(text().slice(0, text().indexOf('\r\n\r\n')), 'HTTP/1.1 202 Accepted\r\ncontent-type: text/plain\r\nx-content-type-options: nosniff\r\ncontent-length: 8\r\nDate: Wed, 14 Feb 2029 02:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=900')
})

test('requests cut anywhere, or many in one piece, come to the same', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.constantFrom('a', 'bb', '', 'x'.repeat(300), '\r\n\r\nPOST /v1/reports HTTP/1.1\r\n'), { minLength: 1, maxLength: 5 }), fc.array(fc.nat(2_000), { maxLength: 6 }), async (all, cuts) => {
    const { socket, until } = await line()
    const whole = all.map((body) => report(body)).join('')
    const places = [...cuts.map((cut) => cut % whole.length).sort((a, b) => a - b), whole.length]
    let from = 0
    for (const to of places) {
      socket.write(whole.slice(from, to), 'latin1')
      from = to
      await new Promise(setImmediate)
    }
    const expected = all.map((body) => `202 wire ${body}`)
    const got = await until(new RegExp(`(HTTP/1\\.1 202[^]*){${all.length}}`)).then(async (text) => {
      for (let tries = 0; tries < 50 && bodiesOf(text, all) !== all.length; tries++) await pause(1)
      return text
    })
    assert.equal(got.split('HTTP/1.1 202 Accepted').length - 1, all.length)
    assert.ok(got.endsWith((expected.at(-1) ?? '').slice(4)))
    socket.destroy()
  }), { numRuns: 60, seed: 20290214 })
})
const bodiesOf = (text: string, all: readonly string[]): number => all.filter((body) => text.includes(`wire ${body}`)).length

test('answers come in the order of the requests, each when it is ready, and what comes meanwhile waits', async () => {
  late = []
  const { socket, until, text } = await line()
  socket.write(report('one') + report('two') + report('three'))
  for (const part of ['one', 'two', 'three']) {
    while (late.length === 0) await pause(1)
    assert.ok(!text().includes(part))
    ;(late.shift() as () => void)()
    await until(`wire ${part}`)
  }
  assert.deepEqual(bodies(text()), ['202 wire one', '202 wire two', '202 wire three'])
})

test('who is refused before the body is told at once, the body goes by, and the next request is heard', async () => {
  const { socket, until, text } = await line()
  const refused = report('x'.repeat(1_000), '', 'no')
  socket.write(refused.slice(0, 300))
  await until('401')
  socket.write(refused.slice(300) + report('next'))
  await until('wire next')
  assert.deepEqual(bodies(text()), ['401 who?', '202 wire next'])
})

test('a pause and a closing answer are said', async () => {
  const first = await line()
  first.socket.write(report('busy'))
  assert.match(await first.until('wire busy'), /^HTTP\/1\.1 429 Too Many Requests\r\n[^]*\r\nretry-after: 30\r\n/)
  first.socket.write(report('last'))
  assert.match(await first.until('wire last'), /Connection: close\r\n\r\nwire last$/)
  await gone(first.socket)
})

/** What Node must hear, each after a report on the same connection and before another. */
const foreign: Readonly<Record<string, string>> = {
  'another address': 'GET /healthz HTTP/1.1\r\nHost: kawal\r\n\r\n',
  'another method': 'PUT /v1/reports HTTP/1.1\r\nHost: kawal\r\nContent-Length: 2\r\n\r\nxx',
  'a query': 'POST /v1/reports?x=1 HTTP/1.1\r\nHost: kawal\r\nContent-Length: 2\r\n\r\nxx',
  'chunks': 'POST /v1/reports HTTP/1.1\r\nHost: kawal\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n0\r\n\r\n',
  'no length': 'POST /v1/reports HTTP/1.1\r\nHost: kawal\r\n\r\n',
  'a body too large': `POST /v1/reports HTTP/1.1\r\nHost: kawal\r\nContent-Length: 1000001\r\n\r\n${'x'.repeat(1_000_001)}`,
  'an expectation': 'POST /v1/reports HTTP/1.1\r\nHost: kawal\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nxx',
}
for (const [name, request] of Object.entries(foreign))
  test(`Node gets what is not a plain report: ${name}`, async () => {
    const { socket, until, text } = await line()
    socket.write(report('before'))
    await until('wire before')
    socket.write(request)
    await until(/node (GET|PUT|POST)/)
    socket.write(report('after'))
    await until(/node POST \/v1\/reports after/)
    assert.equal(wire.open(), 0)
    assert.equal(passed.length, 1, text())
  })

const broken: Readonly<Record<string, string>> = {
  'two lengths': 'Content-Length: 2\r\nContent-Length: 3\r\n', 'length and chunks': 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', 'a length with a sign': 'Content-Length: +2\r\n', 'a length twice in one field': 'Content-Length: 2, 2\r\n',
  'a folded line': 'Content-Length: 2\r\nX: a\r\n b\r\n', 'a space before the colon': 'Content-Length : 2\r\n', 'a bare line feed': 'Content-Length: 2\nX: y\r\n', 'a control character': 'Content-Length: 2\r\nX: a\x01b\r\n', 'a name that is none': 'Content-Length: 2\r\nX(y): a\r\n',
  'no name': 'Content-Length: 2\r\n: a\r\n', 'another host': 'Host: other\r\nContent-Length: 2\r\n',
}
for (const [name, fields] of Object.entries(broken))
  test(`a head that two readers could read in two ways never gets in by the wire: ${name}`, async () => {
    const { socket, text } = await line()
    socket.write(`POST /v1/reports HTTP/1.1\r\nHost: kawal\r\nAuthorization: Bearer yes\r\nContent-Type: application/json\r\n${fields}\r\nxx`, 'latin1')
    for (let tries = 0; tries < 300 && text() === ''; tries++) await pause(1)
    assert.deepEqual([passed, wire.open(), text().includes('wire')], [[], 0, false])
  })

test('a phone that closes right after its report is heard; half a request and a close is nothing', async () => {
  const first = await line()
  first.socket.end(report('bye'))
  await first.until('wire bye')
  await gone(first.socket)
  const half = await line()
  half.socket.end(report('half').slice(0, 60))
  await gone(half.socket)
  assert.deepEqual([passed.length, wire.open()], [1, 0])
})

test('idle connections are let go after their time, half requests sooner, and those that wait for an answer not', async () => {
  const [idle, half, waiting] = [await line(), await line(), await line()]
  idle.socket.write(report('one'))
  await idle.until('wire one')
  late = []
  waiting.socket.write(report('slow'))
  half.socket.write(report('half').slice(0, 100))
  while (late.length === 0 || wire.open() < 3) await pause(1)
  await pause(20)
  now = 120_001
  wire.sweep()
  await half.until(/408 Request Timeout/)
  assert.ok(!idle.socket.destroyed)
  now = 900_002
  wire.sweep()
  await gone(idle.socket)
  ;(late[0] as () => void)()
  await waiting.until('wire slow')
})

test('above the bound idle connections make room', async () => {
  wire.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await start({ crowded: 3 })
  const all = [await line(), await line(), await line()]
  const closed = Promise.all(all.map(({ socket }) => gone(socket)))
  now = 20_000
  const last = await line()
  await closed
  last.socket.write(report('last one'))
  await last.until('wire last one')
})

test('who sends requests and reads no answers is not read any further', async () => {
  late = []
  const { socket } = await line()
  const many = report('x'.repeat(60_000))
  let sent = 0
  for (; sent < 500 && socket.writableLength < 4_000_000; sent++) {
    socket.write(many)
    if (sent % 10 === 0) await pause(1)
  }
  await pause(50)
  assert.ok(socket.writableLength > 1_000_000, 'the kernel and the wire took no end of it')
  assert.equal(late.length, 1)
})
