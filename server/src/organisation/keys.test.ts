import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import pg from 'pg'
import type { AuditRows } from '@kawal/contract/audit.ts'
import type { KeyMade, KeyRow } from '@kawal/contract/key.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { withDatabase } from '@kawal/testkit/postgres.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { system } from '../adapters/postgres/database.ts'
import { listKeys, revokeKey } from './keys.ts'
import { addApiKey, addStaff, insertApiKey, loginToken } from './sessions.ts'

const start = Date.UTC(2029, 1, 14, 2)
const piket = { name: 'Piket NOC', level: 1, email: 'noc@indosat.example', phone: '08110000001' }

let now = start
let server: TestServer
let owner: pg.Client
let cookie = ''
before(async () => {
  server = await withServer(() => now, async ({ ownerUrl }) => {
    owner = new pg.Client({ connectionString: ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
  })
  const { database, url } = server.app
  const answer = await fetch(`${url}/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token: await loginToken(database, await addStaff(database, 'indosat', 'Piket'), now) }) })
  cookie = (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
})
after(async () => {
  await owner.end()
  await server.close()
})
beforeEach(() => owner.query("DELETE FROM api_key WHERE organisation_id = 'indosat'"))

async function asPerson<Body = { code: string; detail: string }>(method: string, path: string, body?: unknown): Promise<{ status: number; body: Body; cache: string | null }> {
  const answer = await fetch(server.app.url + path, { method, headers: { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  const text = await answer.text()
  return { status: answer.status, body: (text === '' ? null : JSON.parse(text)) as Body, cache: answer.headers.get('cache-control') }
}
const make = async (scope: 'all' | 'read' = 'all'): Promise<{ id: string; key: string }> => server.app.database.transaction(system, (client) => insertApiKey(client, 'indosat', now, scope))
const works = async (token: string): Promise<boolean> => (await server.call({ token }, 'GET', '/v1/contacts')).status === 200

test('two keys are valid at a time: a new one takes an old one\'s place without a gap, and a third is refused with a way out', async () => {
  const first = await make()
  const second = await make()
  assert.match(first.id, /^k-[0-9a-f]{10}$/)
  assert.deepEqual([await works(first.key), await works(second.key)], [true, true])
  await assert.rejects(make(), (error: Error) => [first.id, second.id, 'two valid keys already', `kawal org revoke indosat --key ID`].every((part) => error.message.includes(part)))
  await revokeKey(server.app.database, system, 'indosat', first.id, now)
  assert.deepEqual([await works(first.key), await works(second.key)], [false, true])
  const third = await make()
  assert.deepEqual((await listKeys(server.app.database, system, 'indosat')).map(({ id }) => id).sort(), [second.id, third.id].sort())
  await assert.rejects(revokeKey(server.app.database, system, 'indosat', first.id, now), /no valid key/)
  await assert.rejects(revokeKey(server.app.database, system, 'telkomsel', third.id, now), /no valid key/)
})

test('of eight that are made at once two are: the database decides', async () => {
  const made = await Promise.allSettled(Array.from({ length: 8 }, () => make()))
  const refused = made.filter((each) => each.status === 'rejected').map(({ reason }) => String(reason))
  assert.deepEqual([made.length - refused.length, refused.every((why) => why.includes('two valid keys already'))], [2, true], refused.join('\n'))
  const planted = (slot: number): Promise<unknown> => owner.query("INSERT INTO api_key (key_sha256, organisation_id, role, created_at, slot) VALUES (sha256($1), 'indosat', 'noc', now(), $2)", [`planted ${slot}`, slot])
  for (const slot of [1, 2]) await assert.rejects(planted(slot), /api_key_slot/)
  await assert.rejects(planted(3), /check constraint/)
})

test('whose a key is and how far it reaches never changes; a revoked one stays revoked', async () => {
  const { id } = await make('read')
  for (const sql of ["UPDATE api_key SET scope = 'all'", "UPDATE api_key SET organisation_id = 'telkomsel'", 'DELETE FROM api_key']) await assert.rejects(server.app.database.transaction(system, (client) => client.query(sql)), /permission denied/, sql)
  await revokeKey(server.app.database, system, 'indosat', id, now)
  await assert.rejects(server.app.database.transaction(system, (client) => client.query('UPDATE api_key SET revoked_at = NULL WHERE id = $1', [id])), /stays revoked/)
})

test('a key that may only read is refused before anything runs, and that is in the audit', async () => {
  const { id, key } = await make('read')
  const token = { token: key }
  assert.equal((await server.call(token, 'GET', '/v1/contacts')).status, 200)
  for (const [method, path, body] of [['POST', '/v1/contacts', piket], ['POST', '/v1/contacts', { crooked: true }], ['PATCH', '/tmf-api/troubleTicket/v5/troubleTicket/x', {}], ['DELETE', '/v1/session', undefined], ['POST', '/tmf-api/alarmManagement/v4/alarm', {}], ['POST', '/v1/siting/what-if', {}]] as const) {
    const { status, body: told } = await server.call(token, method, path, body)
    assert.deepEqual([status, told.code], [403, 'not_allowed'], `${method} ${path}`)
    assert.match(told.detail, new RegExp(`${id} may only read`))
  }
  assert.equal((await owner.query('SELECT FROM contact')).rowCount, 0)
  const { rows } = (await server.call<AuditRows>('bawaslu', 'GET', '/v1/audit?organisation=indosat&limit=6')).body
  assert.deepEqual([...new Set(rows.map((row) => `${row.key} ${row.status}`))], [`${id} 403`])
  assert.equal(rows.length, 6)
})

test('people rotate keys themselves; a list never holds a key, nor does the audit', async () => {
  const old = await make()
  const made = await asPerson<KeyMade>('POST', '/v1/keys', { scope: 'read' })
  assert.deepEqual([made.status, made.cache, made.body.scope, made.body.lastUsedAt, made.body.createdAt], [201, 'no-store', 'read', null, new Date(now).toISOString()])
  assert.ok(await works(made.body.key))
  const third = await asPerson('POST', '/v1/keys', {})
  assert.deepEqual([third.status, third.body.code], [409, 'state_conflict'])
  assert.match(third.body.detail, /DELETE \/v1\/keys\/ID/)
  const { body: listed } = await asPerson<KeyRow[]>('GET', '/v1/keys')
  assert.deepEqual(listed.map((row) => [row.id, row.scope]).sort(), [[old.id, 'all'], [made.body.id, 'read']].sort())
  assert.deepEqual([...new Set(listed.flatMap((row) => Object.keys(row)))], ['id', 'scope', 'createdAt', 'lastUsedAt'])
  assert.equal((await asPerson('DELETE', `/v1/keys/${old.id}`)).status, 204)
  assert.equal(await works(old.key), false)
  for (const id of [old.id, 'k-0000000000', 'x', '%00', 'k-']) assert.equal((await asPerson('DELETE', `/v1/keys/${id}`)).status, 404, id)
  for (const body of [{ scope: 'write' }, { scope: null }, { role: 'system' }, []]) assert.equal((await asPerson('POST', '/v1/keys', body)).status, 400, JSON.stringify(body))
  const { text, body: { rows } } = await server.call<AuditRows>('bawaslu', 'GET', '/v1/audit?organisation=indosat&limit=100')
  assert.ok(rows.some((row) => row.made === made.body.id && row.staff !== null) && rows.some((row) => row.subject === old.id && row.status === 204))
  assert.ok(!text.includes(made.body.key.slice(10)))
})

test('a key makes no key, lists none and ends none; nobody reaches another organisation\'s', async () => {
  const { id, key } = await make()
  const telkomsels = (await listKeys(server.app.database, system, 'telkomsel'))[0]?.id
  for (const token of [{ token: key }, 'telkomsel', 'komdigi', 'bawaslu'] as const)
    for (const [method, path, body] of [['GET', '/v1/keys', undefined], ['POST', '/v1/keys', {}], ['DELETE', `/v1/keys/${id}`, undefined]] as const) {
      const { status, body: told } = await server.call(token, method, path, body)
      assert.deepEqual([status, told.code], [403, 'not_allowed'], `${JSON.stringify(token)} ${method}`)
    }
  for (const [method, path] of [['GET', '/v1/keys'], ['POST', '/v1/keys'], ['DELETE', `/v1/keys/${id}`]] as const) assert.equal((await server.call({ token: 'nobody' }, method, path, method === 'POST' ? {} : undefined)).status, 401)
  assert.equal((await asPerson('DELETE', `/v1/keys/${telkomsels}`)).status, 404)
  assert.deepEqual([await works(key), (await listKeys(server.app.database, system, 'indosat')).length, (await listKeys(server.app.database, system, 'telkomsel')).length], [true, 1, 1])
  // the wall says so where a route would forget
  const indosat = { organisation: 'indosat', role: 'noc' }
  assert.deepEqual(await listKeys(server.app.database, indosat, 'telkomsel'), [])
  await assert.rejects(revokeKey(server.app.database, indosat, 'telkomsel', telkomsels ?? '', now), /no valid key/)
})

test('the last use of a key is noted to the minute, beside the request', async () => {
  const { key } = await make()
  const lastUse = async (): Promise<string | null> => (await listKeys(server.app.database, system, 'indosat'))[0]?.lastUsedAt ?? null
  const until = async (wanted: number): Promise<void> => {
    for (let tries = 0; tries < 200 && (await lastUse()) !== new Date(wanted).toISOString(); tries++) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.equal(await lastUse(), new Date(wanted).toISOString())
  }
  assert.equal(await lastUse(), null)
  const first = now
  await works(key)
  await until(first)
  now += minute_ms - 1
  for (let times = 0; times < 5; times++) await works(key)
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(await lastUse(), new Date(first).toISOString())
  now += 1
  await works(key)
  await until(now)
})

test('an installation with more keys comes over: the newest two stay, each with its name', async (t) => {
  const { database, ownerUrl, close } = await withDatabase()
  const before = new pg.Client({ connectionString: ownerUrl })
  await before.connect()
  t.after(async () => {
    await before.end()
    await close()
  })
  await before.query('ALTER TABLE api_key DROP COLUMN id, DROP COLUMN scope, DROP COLUMN last_used_at, DROP COLUMN slot')
  await before.query('DROP FUNCTION api_key_stays_revoked CASCADE; GRANT UPDATE, DELETE ON api_key TO kawal_app')
  await before.query(`INSERT INTO api_key SELECT sha256(('key ' || n)::bytea), CASE WHEN n < 5 THEN 'indosat' ELSE 'xl' END, 'noc', now() + n * interval '1 hour', CASE WHEN n = 4 THEN now() END FROM generate_series(1, 5) AS n`)
  await before.query('BEGIN')
  const [, ofKeys = ''] = readFileSync(join(import.meta.dirname, '../../migrations/0018_audit.sql'), 'utf8').split('-- API keys with a public name')
  assert.match(ofKeys, /CREATE TRIGGER api_key_revoked/)
  await before.query(`--${ofKeys}`)
  await before.query('COMMIT')
  const { rows } = await before.query<{ key: string; valid: boolean }>("SELECT n || '' AS key, revoked_at IS NULL AS valid FROM generate_series(1, 5) AS n JOIN api_key ON key_sha256 = sha256(('key ' || n)::bytea) ORDER BY n")
  assert.deepEqual(rows.map(({ valid }) => valid), [false, true, true, false, true])
  const keys = await listKeys(database, system, 'indosat')
  assert.deepEqual([keys.length, keys.every(({ id, scope }) => /^k-[0-9a-f]{10}$/.test(id) && scope === 'all')], [2, true])
  await assert.rejects(addApiKey(database, 'indosat', start), /two valid keys/)
  assert.match(await addApiKey(database, 'xl', start), /^kawal-key-/)
})
