import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { startFaultProxy, type FaultProxy } from '@kawal/testkit/fault-proxy.ts'
import { askStatus, watchTarget } from './watch.ts'

let status = 200
let server: Server
let line: FaultProxy

before(async () => {
  server = createServer((_, answer) => answer.writeHead(status, { location: '/elsewhere' }).end('body'))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  line = await startFaultProxy({ to: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } })
})
after(async () => {
  await line.close()
  await new Promise((done) => server.close(done))
})

test('two failures in a row are down, with the status where there is one; one answer is ok; what is old says nothing', async () => {
  let now = 0
  let turn = (): void => {}
  let after_ms = 0
  let asked = 0
  const watch = watchTarget({
    url: `http://127.0.0.1:${line.port}/`, clock: () => now, random: () => 0.5,
    ask: async (url, _, stopped) => {
      const answer = await askStatus(url, 300, stopped)
      asked++
      return answer
    },
    after: (ms, next) => {
      after_ms = ms
      turn = next
      return () => (turn = () => {})
    },
  })
  const step = async (): Promise<unknown> => {
    const before = asked
    now += after_ms
    turn()
    while (asked === before) await new Promise((done) => setImmediate(done))
    await new Promise((done) => setImmediate(done))
    return watch.seen()
  }
  assert.deepEqual(watch.seen(), { state: null, status: null })
  while (asked === 0) await new Promise((done) => setImmediate(done))
  await new Promise((done) => setImmediate(done))
  assert.deepEqual([watch.seen(), after_ms], [{ state: 'ok', status: 200 }, 30_000])
  status = 503
  assert.deepEqual([await step(), after_ms], [{ state: 'ok', status: 200 }, 5_000])
  assert.deepEqual([await step(), after_ms], [{ state: 'down', status: 503 }, 30_000])
  status = 302
  assert.deepEqual(await step(), { state: 'ok', status: 302 })
  for (const mode of ['refuse', 'blackhole'] as const) {
    await line.set({ mode })
    await step()
    assert.deepEqual(await step(), { state: 'down', status: null }, mode)
    await line.set({})
    assert.deepEqual(await step(), { state: 'ok', status: 302 })
  }
  now += 120_001
  assert.deepEqual(watch.seen(), { state: null, status: null })
  await watch.stop()
  assert.deepEqual(watchTarget({ url: null, clock: () => 0, random: () => 0, ask: askStatus, after: () => () => {} }).seen(), { state: null, status: null })
})
