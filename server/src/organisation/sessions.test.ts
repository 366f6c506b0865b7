import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { Session } from '@kawal/contract/live.ts'
import type { Passkeys, SessionRow } from '@kawal/contract/log-in.ts'
import { hour_ms, minute_ms } from '@kawal/core/kernel/clock.ts'
import { createAuthenticator, type Authenticator } from '@kawal/testkit/authenticator.ts'
import { createCookieClient, type CookieClient } from '@kawal/testkit/cookie-client.ts'
import { withDatabase } from '@kawal/testkit/postgres.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { agentLabel } from './agent.ts'
import { endPerson, listPeople, mustHaveAccess } from './people.ts'
import { addStaff, loginToken, readSession, revokeAll } from './sessions.ts'

const day_ms = 24 * hour_ms
const origin = 'https://kawal.example'
let now = Date.UTC(2029, 1, 14, 2)
let server: TestServer
before(async () => {
  server = await withServer(() => now, async ({ ownerUrl }) => {
    const owner = new pg.Client({ connectionString: ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')").finally(() => owner.end())
  }, { publicUrl: origin })
})
after(() => server.close())

const person = (organisation = 'telkomsel'): Promise<string> => addStaff(server.app.database, organisation, 'Piket malam')
async function logIn(staff: string): Promise<CookieClient> {
  const client = createCookieClient(server.app.url)
  assert.equal((await client.call('POST', '/v1/session', { token: await loginToken(server.app.database, staff, now) })).status, 200)
  return client
}
const isIn = async (client: CookieClient): Promise<boolean> => (await client.call('GET', '/v1/session')).status === 200
const sessions = async (client: CookieClient): Promise<SessionRow[]> => (await client.call<SessionRow[]>('GET', '/v1/sessions')).body

/** Noted beside the request. */
async function untilNoted(client: CookieClient, at: number): Promise<void> {
  const noted = async (): Promise<string | undefined> => (await sessions(client)).find((row) => row.current)?.lastUsedAt
  for (let tries = 0; tries < 200 && (await noted()) !== new Date(at).toISOString(); tries++) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal(await noted(), new Date(at).toISOString())
}

test('a session that nobody uses is over after 14 days; one that is used, after 30', async () => {
  const [idle, used] = [await logIn(await person()), await logIn(await person())]
  const begun = now
  now = begun + 10 * day_ms
  assert.equal(await isIn(used), true)
  await untilNoted(used, now)
  now = begun + 14 * day_ms
  assert.deepEqual([await isIn(idle), await isIn(used)], [false, true])
  await untilNoted(used, now)
  now = begun + 27 * day_ms
  await untilNoted(used, now)
  now = begun + 30 * day_ms - 1
  assert.equal(await isIn(used), true)
  now = begun + 30 * day_ms
  assert.equal(await isIn(used), false)
})

test('a person sees his sessions and ends any of them; when each was last used, to the minute', async () => {
  const staff = await person()
  const first = await logIn(staff)
  now += minute_ms
  const second = await logIn(staff)
  const rows = await sessions(second)
  assert.deepEqual(rows.map((row) => [row.current, row.way, row.lastUsedAt, Date.parse(row.expiresAt) - Date.parse(row.madeAt)]), [[true, 'link', new Date(now).toISOString(), 30 * day_ms], [false, 'link', new Date(now - minute_ms).toISOString(), 30 * day_ms]])
  now += minute_ms - 1
  await sessions(second)
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal((await sessions(second))[0]?.lastUsedAt, rows[0]?.lastUsedAt, 'not more often than once a minute')
  now += 1
  await untilNoted(second, now)
  assert.equal((await second.call('DELETE', `/v1/sessions/${rows[1]?.id}`)).status, 204)
  assert.deepEqual([await isIn(first), await isIn(second)], [false, true])
  for (const id of [rows[1]?.id, 's-0000000000', 'x', '%00']) assert.equal((await second.call('DELETE', `/v1/sessions/${id}`)).status, 404, id)
  assert.equal((await second.call('DELETE', `/v1/sessions/${rows[0]?.id}`)).status, 204, 'his own too')
  assert.equal(await isIn(second), false)
})

test('a person has twenty sessions: one more takes the place of the one that was used longest ago', async () => {
  const staff = await person()
  const clients: CookieClient[] = []
  for (let nth = 0; nth < 21; nth++) {
    now += minute_ms
    clients.push(await logIn(staff))
  }
  assert.deepEqual([await isIn(clients[0] as CookieClient), await isIn(clients[1] as CookieClient), (await sessions(clients[20] as CookieClient)).length], [false, true, 20])
})

interface Staffed { readonly staff: string; readonly client: CookieClient; readonly device: Authenticator; readonly link: string }
async function staffed(organisation: string): Promise<Staffed> {
  const [staff, device] = [await person(organisation), createAuthenticator()]
  const client = await logIn(staff)
  const { body } = await client.call<Parameters<Authenticator['create']>[0]>('POST', '/v1/passkeys/options')
  assert.equal((await client.call('POST', '/v1/passkeys', { name: 'HP', credential: device.create(body, origin) })).status, 201)
  return { staff, client, device, link: await loginToken(server.app.database, staff, now) }
}
async function enter(device: Authenticator): Promise<number> {
  const client = createCookieClient(server.app.url)
  const { body } = await client.call<{ challenge: string; rpId: string }>('POST', '/v1/session/passkey/options')
  return (await client.call('POST', '/v1/session/passkey', device.assert(body, origin))).status
}
const spends = async (link: string): Promise<number> => (await createCookieClient(server.app.url).call('POST', '/v1/session', { token: link })).status

test('whose access is ended is out at once, by every way, and nobody else is', async () => {
  const [gone, stays] = [await staffed('telkomsel'), await staffed('telkomsel')]
  assert.deepEqual((await listPeople(server.app.database, 'telkomsel', now)).filter(({ id }) => id === gone.staff).map(({ name, passkeys, sessions: open, issuer, endedAt }) => [name, passkeys, open, issuer, endedAt]), [['Piket malam', 1, 1, null, null]])
  await assert.rejects(endPerson(server.app.database, 'indosat', gone.staff, now), /nobody of this id/)
  assert.deepEqual(await endPerson(server.app.database, 'telkomsel', gone.staff, now), { passkeys: 1, links: 1, sessions: 1 })
  assert.deepEqual([await isIn(gone.client), await enter(gone.device), await spends(gone.link)], [false, 401, 401])
  assert.deepEqual([await isIn(stays.client), await enter(stays.device), await spends(stays.link)], [true, 200, 200])
  for (const staff of [gone.staff, 'x', stays.staff.replace(/^./, (first) => (first === '0' ? '1' : '0'))]) await assert.rejects(endPerson(server.app.database, 'telkomsel', staff, now), /nobody of this id/, staff)
  await assert.rejects(mustHaveAccess(server.app.database, 'telkomsel', gone.staff), /nobody of this id/)
  await mustHaveAccess(server.app.database, 'telkomsel', stays.staff)
  // a link that was made in between lets nobody in
  assert.equal(await spends(await loginToken(server.app.database, gone.staff, now)), 403)
  const last = (await listPeople(server.app.database, 'telkomsel', now)).at(-1)
  assert.deepEqual([last?.id, last?.endedAt, last?.sessions], [gone.staff, new Date(now).toISOString(), 0])
})

test('what ends all of an organisation ends its passkeys too', async () => {
  const [gone, stays] = [await staffed('bakti'), await staffed('kpu')]
  const { passkeys, sessions: open, links } = await revokeAll(server.app.database, 'bakti', now)
  assert.deepEqual([passkeys, open, links], [1, 1, 1])
  assert.deepEqual([await isIn(gone.client), await enter(gone.device), await isIn(stays.client), (await stays.client.call<Passkeys>('GET', '/v1/passkeys')).body.rows.length], [false, 401, true, 1])
  assert.equal((await stays.client.call<Session>('GET', '/v1/session')).body.role, 'planner')
})

test('an installation with sessions comes over: they keep their end, and their people stay', async (t) => {
  const { database, ownerUrl, close } = await withDatabase()
  const owner = new pg.Client({ connectionString: ownerUrl })
  await owner.connect()
  t.after(async () => {
    await owner.end()
    await close()
  })
  await owner.query('DROP TABLE passkey, ceremony_spent; DROP FUNCTION kawal_is_self CASCADE; DROP INDEX session_staff; ALTER TABLE session DROP COLUMN id, DROP COLUMN made_at, DROP COLUMN last_used_at, DROP COLUMN way, DROP COLUMN agent')
  await owner.query('ALTER TABLE staff DROP COLUMN issuer, DROP COLUMN subject, DROP COLUMN ended_at, DROP CONSTRAINT staff_organisation; GRANT UPDATE, DELETE ON staff, session TO kawal_app')
  await owner.query("INSERT INTO staff VALUES ('00000000-0000-0000-0000-000000000001', 'telkomsel', 'noc', 'Ani')")
  await owner.query("INSERT INTO session VALUES (sha256('old'), '00000000-0000-0000-0000-000000000001', 'telkomsel', $1)", [new Date(now + 3 * day_ms)])
  await owner.query('BEGIN')
  await owner.query(readFileSync(join(import.meta.dirname, '../../migrations/0024_log_in.sql'), 'utf8'))
  await owner.query('COMMIT')
  const known = await readSession(database, 'old', now)
  assert.deepEqual([known?.session.name, known?.session.expiresAt, known?.lastUsedAt], ['Ani', new Date(now + 3 * day_ms).toISOString(), now - 11 * day_ms])
  assert.equal(await readSession(database, 'old', now + 3 * day_ms), null)
  for (const sql of ["UPDATE staff SET organisation_id = 'indosat'", 'DELETE FROM staff', "UPDATE session SET staff_id = staff_id", "UPDATE passkey SET staff_id = staff_id"]) await assert.rejects(database.transaction({ organisation: 'kawal', role: 'system' }, (client) => client.query(sql)), /permission denied/, sql)
})

test('browsers and systems by name', () => {
  for (const [agent, label] of [
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0', 'Edge, Windows'], ['Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36', 'Chrome, Android'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1', 'Safari, iPhone'], ['Mozilla/5.0 (Linux; Android 14; SM-A155F) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36', 'Samsung Internet, Android'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36', 'Chrome, macOS'], ['curl/8.5.0', null], ['', null], [undefined, null],
  ] as const) assert.equal(agentLabel(agent), label, agent)
})
