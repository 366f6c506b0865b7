import assert from 'node:assert/strict'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { answerLength } from './answer.ts'
import { createFire, type Source } from './fire.ts'

const request = Buffer.from('POST /v1/reports HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi')
const latestTenths = (latency: Uint32Array): number => latency.findLastIndex((count) => count > 0)

async function listen(t: TestContext, answer: (response: ServerResponse, served: number) => void): Promise<{ port: number; server: Server }> {
  let served = 0
  const server = createServer((incoming, response) => {
    incoming.resume().on('end', () => answer(response, ++served))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, server }
}

function counting(): Source & { statuses: number[]; broke: number } {
  const source = {
    statuses: [] as number[], broke: 0, next: (_: number, into: Buffer) => request.copy(into), left: () => true,
    answered(_: number, status: number) {
      source.statuses.push(status)
      return status < 300
    },
    broken: () => void source.broke++,
  }
  return source
}

test('every request of the schedule is sent and answered, in one piece or in several', async (t) => {
  const { port } = await listen(t, (response, served) => {
    response.writeHead(served % 5 === 0 ? 429 : 202, { 'content-length': 4 })
    response.write('ab')
    setImmediate(() => response.end('cd'))
  })
  const source = counting()
  const fire = createFire({ port, connections: 8, source })
  await fire.open()
  const shots = await fire.run({ rate_per_s: 1_000, seconds: 0.3 })
  fire.close()
  assert.deepEqual([shots.sent, shots.done, shots.refused, shots.broken, shots.shed], [300, 240, 60, 0, 0])
  assert.equal(source.statuses.length, 300)
})

test('an answer that is late makes late what was due meanwhile: the wait counts from when a request was due', async (t) => {
  const stall_ms = 250
  const { port } = await listen(t, (response, served) => void setTimeout(() => response.writeHead(204).end(), served === 1 ? stall_ms : 0))
  const fire = createFire({ port, connections: 1, source: counting() })
  await fire.open()
  const { done, latency } = await fire.run({ rate_per_s: 200, seconds: 0.2 })
  fire.close()
  assert.equal(done, 40)
  const late = latency.reduce((sum, count, tenths) => sum + (tenths >= stall_ms ? count : 0), 0)
  assert.ok(late > 35, `${late} of 40 waited behind the one that was late: each is late by what was left of its stall`)
  assert.ok(latestTenths(latency) >= stall_ms * 10)
})

test('a connection that breaks is told once for its request, and opened anew; a server that is gone ends the run', async (t) => {
  const { port, server } = await listen(t, (response, served) => {
    if (served % 10 === 0) response.destroy()
    else response.writeHead(204).end()
    if (served === 150) {
      server.close()
      server.closeAllConnections()
    }
  })
  const source = counting()
  const fire = createFire({ port, connections: 4, source })
  await fire.open()
  const shots = await fire.run({ rate_per_s: 500, seconds: 20 })
  fire.close()
  assert.equal(shots.sent, shots.done + shots.broken, 'nothing is under way any more')
  assert.equal(shots.broken, source.broke)
  assert.ok(shots.broken >= 15 && shots.seconds < 15, `${shots.broken} broken in ${shots.seconds} s`)
})

test('the length of an answer: whole, without a body, cut off in its head, without a length', () => {
  assert.equal(answerLength(Buffer.from('HTTP/1.1 202 Accepted\r\ncontent-length: 12\r\n\r\nab')), 45 + 12)
  assert.equal(answerLength(Buffer.from('HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n')), 36)
  assert.equal(answerLength(Buffer.from('HTTP/1.1 202 Accepted\r\nContent-Length: 12\r\n')), 0)
  assert.throws(() => answerLength(Buffer.from('HTTP/1.1 200 OK\r\nDate: x\r\n\r\nab')), /without Content-Length/)
})
