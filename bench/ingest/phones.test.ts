import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compact_type, decodeBatch } from '@kawal/contract/compact.ts'
import { deviceToken, readDeviceToken } from '@kawal/server/src/measurement/enrolment.ts'
import { bodyStart } from './answer.ts'
import { createPhones, idOf, station_phones } from './phones.ts'
import { apart_ms, createRequests, type Form } from './requests.ts'

const count = 7_000
const secret = Buffer.alloc(32, 9)
const stations = Buffer.from(Array.from({ length: count / station_phones }, (_, i) => String(3_201_010_001_001 + i)).join(''))
const phones = createPhones({ stations, secret, count })
const into = Buffer.alloc(8_192)
const loads = fc.record({ key: fc.integer({ min: 1, max: count }), first: fc.integer({ min: 1, max: 60_000 }), samples: fc.constantFrom(1, 2, 20), eventAt: fc.integer({ min: 1.7e12, max: 1.9e12 }), due_ms: fc.integer({ min: 70_000, max: 10_800_000 }) })

/** As the server reads it: head by name, body behind it. */
function parts(bytes: Buffer): { head: Map<string, string>; body: Buffer; line: string } {
  const start = bodyStart(bytes)
  const [line = '', ...rest] = bytes.toString('latin1', 0, start - 4).split('\r\n')
  return { line, head: new Map(rest.map((each) => [each.slice(0, each.indexOf(':')), each.slice(each.indexOf(':') + 2)])), body: bytes.subarray(start) }
}

test('a token is the one that the server gives, and it reads it', () => {
  for (const key of [1, 7, 8, 4_095, count]) {
    const token = into.toString('latin1', 0, phones.writeToken(key, into, 0))
    assert.equal(token, deviceToken(secret, { id: idOf(key), key, station: phones.stationOf(key) }))
    assert.equal(readDeviceToken(secret, token)?.key, key)
  }
  assert.equal(phones.stationOf(8), '3201010001002')
})

test('numbers of a phone rise, are never given twice, and have gaps', () => {
  const given = new Set<number>()
  let last = 0
  for (let turn = 0; turn < 400; turn++) {
    const first = phones.take(5, 1 + (turn % 20))
    for (let n = first; n <= first + (turn % 20); n++) given.add(n)
    assert.ok(first > last)
    last = first + (turn % 20)
  }
  assert.equal(given.size, 400 * 10.5)
  assert.ok(last > given.size, 'some are skipped')
})

for (const form of ['compact', 'json'] as const satisfies readonly Form[])
  test(`what a template makes is what the encoder would have made: ${form}`, () => {
    const write = createRequests(phones, form)
    fc.assert(fc.property(loads, fc.integer({ min: 1.7e12, max: 1.9e12 }), (load, now) => {
      const { line, head, body } = parts(into.subarray(0, write(load, into, now)))
      assert.equal(line, 'POST /v1/reports HTTP/1.1')
      assert.equal(Number(head.get('content-length')), body.length)
      assert.equal(head.get('content-type'), form === 'compact' ? compact_type : 'application/json')
      assert.match(head.get('x-forwarded-for') ?? '', /^103\.101\.[12]\d\d\.1\d\d$/)
      assert.equal(readDeviceToken(secret, (head.get('authorization') ?? '').replace('Bearer ', ''))?.key, load.key)
      const read = form === 'compact' ? decodeBatch(body) : { ok: true as const, value: JSON.parse(body.toString()) as { station: string; sentAt: string; samples: unknown[] } }
      assert.ok(read.ok)
      assert.deepEqual([read.value.station, read.value.sentAt], [phones.stationOf(load.key), new Date(now).toISOString()])
      assert.deepEqual((read.value.samples as { sequence: number; eventAt: string; nextDueAt: string }[]).map(({ sequence, eventAt, nextDueAt }) => [sequence, Date.parse(eventAt), Date.parse(nextDueAt) - Date.parse(eventAt)]),
        Array.from({ length: load.samples }, (_, i) => [load.first + i, load.eventAt - (load.samples - 1 - i) * apart_ms, load.due_ms]))
    }), { numRuns: 200 })
  })

test('lines for the peer: eight fields each, with phone, number and time of the same report', () => {
  const write = createRequests(phones, 'lines')
  fc.assert(fc.property(loads, (load) => {
    const { head, body } = parts(into.subarray(0, write(load, into, 0)))
    assert.equal(Number(head.get('content-length')), body.length)
    const lines = body.toString().trimEnd().split('\n')
    assert.equal(lines.length, load.samples)
    lines.forEach((line, i) => {
      const [series = '', fields = '', at] = line.split(' ')
      assert.match(series, /^report,operator=[a-z]+,province=32$/)
      assert.equal(fields.split(',').length, 8)
      assert.match(fields, new RegExp(`^device=0*${load.key}i,sequence=${load.first + i}i,`))
      assert.equal(Number(at), load.eventAt - (load.samples - 1 - i) * apart_ms)
    })
  }), { numRuns: 100 })
})
