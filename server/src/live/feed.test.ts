import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import type { LiveDelta, LiveDisturbance } from '@kawal/contract/live.ts'
import type { Caller } from '../adapters/postgres/database.ts'
import { createFeed } from './feed.ts'

const row: LiveDisturbance = {
  id: 'd-1', stage: 'confirmed', severity: 'down', cause: 'power', confidence: 0.9, operator: 'telkomsel', areaCode: '53', areaName: 'NTT', latitude: null, longitude: null, stations: [],
  startedAt: '2029-01-14T02:00:00Z', suspectedAt: '2029-01-14T02:01:00Z', foundAt: '2029-01-14T02:02:00Z', endedAt: null, parent: null, plannedWork: null, alarms: [], impact: null, ticketId: null,
  evidence: { devicesExpected: 9, devicesSilent: 9, devicesBad: 0, devicesGood: 0, witnessesGood: 0, score: 20, threshold: 10, rule: 'likelihood-2', causes: [{ cause: 'power', nats: 3 }], signs: [{ sign: 'silent', count: 9, of: 9 }] },
}
let failing = false
let loggedIn = true
const feed = createFeed({
  clock: () => 0, rehearsal: true, areas: [], stations: [], devicesOnDuty: () => 0, tickets: async () => [], stillIn: async () => loggedIn,
  disturbances: async (_, ids) => {
    if (failing) throw new Error('the database does not answer')
    return ids === null ? [] : [row]
  },
})
let app: FastifyInstance
let url = ''

before(async () => {
  app = fastify({ forceCloseConnections: true })
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request) => void (request.caller = { organisation: 'komdigi', role: 'duty_officer' } satisfies Caller))
  feed.routes(app)
  url = await app.listen({ host: '127.0.0.1', port: 0 })
})
after(() => app.close())

/** The events of a stream as they come; null at its end. */
async function open(): Promise<() => Promise<{ name: string; data: LiveDelta } | null>> {
  const answer = await fetch(`${url}/v1/live`)
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return async () => {
    while (!text.includes('\n\n')) {
      const part = await reader?.read()
      if (part === undefined || part.done) return null
      text += part.value
    }
    const [event = ''] = text.split('\n\n')
    text = text.slice(event.length + 2)
    return { name: /^event: (.*)$/m.exec(event)?.[1] ?? '', data: JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? '{}') as LiveDelta }
  }
}

test('what could not be read when it was to be told is told by the next flush', async () => {
  const next = await open()
  assert.equal((await next())?.name, 'snapshot')
  feed.disturbances(['d-1'])
  failing = true
  await assert.rejects(feed.flush(), /does not answer/)
  failing = false
  await feed.flush()
  assert.deepEqual((await next())?.data.disturbances, [row])
})

test('a stream ends within 30 flushes, one a second, of the log-out', async () => {
  const next = await open()
  assert.equal((await next())?.name, 'snapshot')
  loggedIn = false
  for (let second = 0; second < 30; second++) await feed.flush()
  let event = await next()
  for (let deltas = 0; event !== null && deltas < 40; deltas++) event = await next()
  assert.equal(event, null)
  loggedIn = true
})
