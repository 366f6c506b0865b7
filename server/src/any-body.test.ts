import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { encode } from 'cborg'
import fc, { type Arbitrary } from 'fast-check'
import pg from 'pg'
import type { TSchema } from 'typebox'
import { encodeBatch } from '@kawal/contract/compact.ts'
import { operations } from '@kawal/contract/openapi.ts'
import type { OfficerProblem } from '@kawal/contract/sigmon.ts'
import { planned, seedPlan } from '@kawal/testkit/plan.ts'
import { scratch } from '@kawal/testkit/scratch.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { deviceToken, enrol, stationCode } from './measurement/enrolment.ts'
import { addApiKey } from './organisation/sessions.ts'

/** Whatever comes, no route answers that the fault is ours: bodies and queries made from the published schemas, then spoilt. */
const now = Date.UTC(2029, 1, 14, 2)
const station = planned.stations[0] ?? ''
let server: TestServer
let device = ''
let key = ''
let officerKey = ''
let known: Readonly<Record<string, string>> = {}

before(async () => {
  server = await withServer(() => now, async ({ ownerUrl }) => {
    await seedPlan(ownerUrl)
    const owner = new pg.Client({ connectionString: ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
    await owner.end()
  }, { acts: { folder: scratch('any-body-acts'), origin: 'kawal.example/acts', startedBy: null } })
  const enrolled = await enrol(server.app.database, station, now)
  assert.ok(enrolled !== null)
  device = deviceToken(server.app.secret, enrolled)
  key = await addApiKey(server.app.database, 'komdigi', now)
  officerKey = await addApiKey(server.app.database, 'kpu', now)
  const id = randomUUID()
  const problem = await server.call<OfficerProblem>({ token: device }, 'POST', '/v1/problems', { id, kind: 'other', text: 'x', accessPoint: null, givenAt: new Date(now).toISOString() })
  known = { district: station.slice(0, 6), code: station, id: problem.body.ticket, edition: 'latest', other: 'latest', operator: 'telkomsel', technology: 'lte', z: '6', x: '53', y: '31', cell: '613185799366836223' }
})
after(() => server.close())

/** What a careless or hostile client puts where something else belongs. */
const strange: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom('', '\0', 'a\0b', '\ud800', '\u202etxt', '__proto__', 'toString', '%', '2027-02-14T23:59:60Z', '9999-12-31T23:59:59Z', '0000-01-01T00:00:00Z', station, 'x'.repeat(5_000)),
  fc.constantFrom(null, true, 0, -1, 0.5, -0, 1e308, -1e308, 2 ** 31, 2 ** 53, 5e-324, [], {}, [[[[]]]], { __proto__: null, toString: 1 }),
  fc.string({ unit: 'binary', maxLength: 40 }), fc.jsonValue(),
)

/** Values of a JSON Schema, as far as the contract uses it. */
function valuesOf(schema: TSchema): Arbitrary<unknown> {
  const s = schema as Readonly<Record<string, unknown>>
  const options = (s['anyOf'] ?? s['oneOf']) as TSchema[] | undefined
  if (options !== undefined) return fc.oneof(...options.map(valuesOf))
  if ('const' in s) return fc.constant(s['const'])
  if (Array.isArray(s['enum'])) return fc.constantFrom(...(s['enum'] as unknown[]))
  switch (s['type']) {
    case 'null': return fc.constant(null)
    case 'boolean': return fc.boolean()
    case 'integer': return fc.integer({ min: Number(s['minimum'] ?? -1_000), max: Math.min(Number(s['maximum'] ?? 100_000), 2_147_483_647) })
    case 'number': return fc.double({ noNaN: true, min: Number(s['minimum'] ?? s['exclusiveMinimum'] ?? -1_000), max: Number(s['maximum'] ?? 1e9) })
    case 'string': return textOf(s)
    case 'array': return Array.isArray(s['items']) ? fc.tuple(...(s['items'] as TSchema[]).map(valuesOf)) : fc.array(s['items'] === undefined ? fc.jsonValue() : valuesOf(s['items'] as TSchema), { minLength: Number(s['minItems'] ?? 0), maxLength: Math.max(Number(s['minItems'] ?? 0), 3) })
    case 'object': return fieldsOf(s)
    default: return fc.jsonValue()
  }
}

function textOf(s: Readonly<Record<string, unknown>>): Arbitrary<string> {
  const time = fc.date({ min: new Date('1971-01-01T00:00:00Z'), max: new Date('2100-01-01T00:00:00Z'), noInvalidDate: true }).map((date) => date.toISOString())
  if (s['format'] === 'uuid') return fc.uuid()
  if (s['format'] === 'date-time') return time
  if (s['format'] === 'date') return time.map((text) => text.slice(0, 10))
  if (typeof s['pattern'] === 'string') return fc.oneof(fc.constantFrom(station, station.slice(0, 6)), fc.stringMatching(new RegExp(s['pattern'])))
  return fc.oneof(fc.constantFrom(station, ...Object.values(known)), fc.string({ maxLength: Math.min(Number(s['maxLength'] ?? 40), 40) }))
}

function fieldsOf(s: Readonly<Record<string, unknown>>): Arbitrary<unknown> {
  const properties = Object.entries((s['properties'] ?? {}) as Record<string, TSchema>)
  const requiredKeys = (s['required'] ?? []) as string[]
  return fc.record(Object.fromEntries(properties.map(([name, each]) => [name, valuesOf(each)])), { requiredKeys, noNullPrototype: true })
}

/** The value with up to three places of it spoilt; as often as not it is left well. */
const spoilt = (value: Arbitrary<unknown>): Arbitrary<unknown> =>
  fc.tuple(value, fc.array(fc.tuple(fc.array(fc.nat(30), { maxLength: 4 }), strange), { maxLength: 3 })).map(([whole, changes]) => changes.reduce((body, [steps, odd]) => put(body, steps, odd), whole))

function put(body: unknown, [step, ...steps]: readonly number[], odd: unknown): unknown {
  if (step === undefined || typeof body !== 'object' || body === null) return odd
  const names = Object.keys(body)
  const name = names[step % Math.max(1, names.length)] ?? 'strange'
  if (Array.isArray(body)) return body.map((each, at) => (String(at) === name ? put(each, steps, odd) : each))
  return { ...body, [name]: put((body as Record<string, unknown>)[name], steps, odd) }
}

const runs = (numRuns: number) => ({ numRuns, seed: 20290214, endOnFailure: true })
const tokenOf = (security: string, path: string): string => (security === 'device' ? device : path.includes('siting') || path.includes('position') ? officerKey : key)

async function answerTo(method: string, path: string, token: string, type?: string, body?: string | Uint8Array<ArrayBuffer>): Promise<void> {
  const answer = await fetch(server.app.url + path, { method: method.toUpperCase(), headers: { authorization: `Bearer ${token}`, ...(type === undefined ? {} : { 'content-type': type }) }, ...(body === undefined ? {} : { body }) })
  const text = await answer.text()
  assert.ok(answer.status < 500, `${method} ${path} ${typeof body === 'string' ? body.slice(0, 2_000) : ''}\n${answer.status} ${text.slice(0, 500)}`)
}

const skipped = new Set(['/v1/live', '/ndt/v7/download', '/ndt/v7/upload', '/metrics', '/v1/probe/down'])
for (const { method, path, security, query, body, takes } of operations.filter((each) => !skipped.has(each.path) && each.takes !== 'application/octet-stream'))
  test(`${method} ${path}`, async () => {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '')
    const texts = fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: strange.map((value) => (typeof value === 'string' ? value : JSON.stringify(value) ?? '')) })
    const fields = Object.entries(query ?? {})
    const inputs = fc.record({ parts: fc.array(texts, { minLength: names.length, maxLength: names.length }), query: fc.record(Object.fromEntries(fields.map(([name, each]) => [name, spoilt(valuesOf(each))])), { requiredKeys: [] }), body: body === undefined ? fc.constant(undefined) : spoilt(valuesOf(body)) })
    await fc.assert(fc.asyncProperty(inputs, async (input) => {
      const filled = names.reduce((text, name, at) => text.replace(`{${name}}`, encodeURIComponent((input.parts[at] ?? known[name] ?? '1').toWellFormed().slice(0, 200))), path)
      const asked = new URLSearchParams(Object.entries(input.query).map(([name, value]): [string, string] => [name, (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 500)]))
      await answerTo(method, `${filled}${asked.size === 0 ? '' : `?${asked.toString()}`}`, tokenOf(security, path), body === undefined ? undefined : (takes ?? 'application/json'), body === undefined ? undefined : JSON.stringify(input.body))
    }), runs(body === undefined ? (names.length + fields.length === 0 ? 2 : 25) : 60))
  })

test('enrolment with the right code, everything else spoilt', async () => {
  const enrolment = operations.find((each) => each.path === '/v1/devices')?.body as TSchema
  const code = stationCode(server.app.secret, station)
  await fc.assert(fc.asyncProperty(spoilt(valuesOf(enrolment).map((body) => ({ ...(body as object), station, code }))), (body) => answerTo('post', '/v1/devices', '', 'application/json', JSON.stringify(body))), runs(60))
})

test('compact reports: rows of a sample with any places spoilt', async () => {
  const row = [1, now, '51010', 0, null, 2, ['android', 1, -97, null, null, null], [482], 0, null, null, 60, null, 300_000]
  const bodies = spoilt(fc.constant([1, Number(station), now, [row, row]]))
  await fc.assert(fc.asyncProperty(bodies, (body) => answerTo('post', '/v1/reports', device, 'application/cbor', new Uint8Array(encode(body)))), runs(150))
  assert.equal((await fetch(`${server.app.url}/v1/reports`, { method: 'POST', headers: { authorization: `Bearer ${device}`, 'content-type': 'application/cbor' }, body: Buffer.from(encodeBatch({ station, samples: [] })) })).status, 400)
})
