import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { after, before, beforeEach, test } from 'node:test'
import pg from 'pg'
import type { Session } from '@kawal/contract/live.ts'
import type { LogInWays, PasskeyRow, Passkeys, SessionRow } from '@kawal/contract/log-in.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { createAuthenticator, type Authenticator } from '@kawal/testkit/authenticator.ts'
import { createCookieClient, type CookieClient } from '@kawal/testkit/cookie-client.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { addPasskey } from './passkeys.ts'
import { addStaff, asSelf, loginToken, type Self } from './sessions.ts'
import { passkeySite } from './web-authn.ts'

const origin = 'https://kawal.example'
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
type Options = Parameters<Authenticator['create']>[0] & { readonly excludeCredentials: readonly { id: string }[]; readonly authenticatorSelection: object; readonly pubKeyCredParams: readonly { alg: number }[]; readonly rpId?: string }
interface Written { readonly organisation: string; readonly staff: string | null; readonly method: string; readonly path: string; readonly subject: string | null; readonly reason: string | null; readonly status: number }

let now = Date.UTC(2029, 1, 14, 2)
let server: TestServer
let owner: pg.Client
before(async () => {
  server = await withServer(() => now, async ({ ownerUrl }) => {
    owner = new pg.Client({ connectionString: ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
  }, { publicUrl: origin })
})
after(async () => {
  await owner.end()
  await server.close()
})
// what failed in one test is not held against the next
beforeEach(async () => {
  now += 11 * minute_ms
  await owner.query('TRUNCATE audit_outcome, audit')
})

const visitor = (): CookieClient => createCookieClient(server.app.url, { 'user-agent': firefox })
const written = async (): Promise<Written[]> => (await owner.query<Written>('SELECT audit.organisation_id AS organisation, staff_id AS staff, method, path, subject, reason, status FROM audit LEFT JOIN audit_outcome ON audit_id = id ORDER BY id')).rows

interface Person { readonly self: Self; readonly client: CookieClient }
/** Somebody who came by a link. */
async function invited(organisation = 'telkomsel', name = 'Piket malam'): Promise<Person> {
  const staff = await addStaff(server.app.database, organisation, name)
  const client = visitor()
  const { status, body } = await client.call<Session>('POST', '/v1/session', { token: await loginToken(server.app.database, staff, now) })
  assert.equal(status, 200)
  return { client, self: { caller: { organisation, role: body.role }, staff, session: '' } }
}
async function register(client: CookieClient, device: Authenticator, name = 'HP saya', at = origin): Promise<{ status: number; body: PasskeyRow & { code?: string } }> {
  const { body: options } = await client.call<Options>('POST', '/v1/passkeys/options')
  return client.call('POST', '/v1/passkeys', { name, credential: device.create(options, at) })
}
async function withPasskey(organisation?: string): Promise<Person & { device: Authenticator; passkey: string }> {
  const [person, device] = [await invited(organisation), createAuthenticator()]
  const { status, body } = await register(person.client, device)
  assert.equal(status, 201)
  return { ...person, device, passkey: body.id }
}
const begin = async (client: CookieClient): Promise<Options> => (await client.call<Options>('POST', '/v1/session/passkey/options')).body
async function enter(device: Authenticator, change: Parameters<Authenticator['assert']>[2] = {}, at = origin): Promise<{ client: CookieClient; status: number; body: Session & { code?: string } }> {
  const client = visitor()
  return { client, ...await client.call<Session & { code?: string }>('POST', '/v1/session/passkey', device.assert(await begin(client), at, change)) }
}

test('who came by a link makes a passkey, and comes back with it alone, in another browser and without a name', async () => {
  const { client, self } = await invited()
  const device = createAuthenticator()
  const { body: options } = await client.call<Options>('POST', '/v1/passkeys/options')
  assert.deepEqual([options.rp.id, options.authenticatorSelection, options.excludeCredentials], ['kawal.example', { residentKey: 'required', userVerification: 'preferred', requireResidentKey: true }, []])
  assert.deepEqual(options.pubKeyCredParams.map(({ alg }) => alg), [-8, -7, -257])
  const made = await client.call<PasskeyRow>('POST', '/v1/passkeys', { name: ' HP saya ', credential: device.create(options, origin) })
  assert.deepEqual([made.status, made.body.name, made.body.madeAt, made.body.lastUsedAt], [201, 'HP saya', new Date(now).toISOString(), null])
  now += minute_ms
  const there = visitor()
  assert.equal((await begin(there)).rpId, 'kawal.example')
  const answer = await there.send('POST', '/v1/session/passkey', device.assert(await begin(there), origin))
  assert.equal(answer.status, 200)
  assert.match(answer.headers.getSetCookie().find((line) => line.startsWith('kawal_session')) ?? '', /; HttpOnly; SameSite=Strict$/)
  assert.deepEqual([(await answer.json() as Session).name, (await there.call<Session>('GET', '/v1/session')).body.organisation], ['Piket malam', 'telkomsel'])
  assert.deepEqual((await there.call<Passkeys>('GET', '/v1/passkeys')).body, { rows: [{ ...made.body, lastUsedAt: new Date(now).toISOString() }], otherWay: false })
  const { body: sessions } = await there.call<SessionRow[]>('GET', '/v1/sessions')
  assert.deepEqual(sessions.map(({ way, agent, current }) => [way, agent, current]), [['passkey', 'Firefox, Linux', true], ['link', 'Firefox, Linux', false]])
  const rows = await written()
  assert.deepEqual(rows.map((row) => [row.organisation, row.staff, row.path, row.subject, row.status]), [
    ['telkomsel', self.staff, '/v1/session', null, 200], ['telkomsel', self.staff, '/v1/passkeys/options', null, 200], ['telkomsel', self.staff, '/v1/passkeys', null, 201], ['telkomsel', self.staff, '/v1/session/passkey', made.body.id, 200],
  ])
  assert.equal((await client.call<Options>('POST', '/v1/passkeys/options')).body.excludeCredentials.length, 1, 'a device is asked to make none twice')
})

test('who was logged in before does not count: it is written down as whose passkey it is', async () => {
  const [before, { device, self, passkey }] = [await invited('bakti'), await withPasskey()]
  const options = await begin(before.client)
  await owner.query('TRUNCATE audit_outcome, audit')
  assert.equal((await before.client.call<Session>('POST', '/v1/session/passkey', device.assert(options, origin))).body.organisation, 'telkomsel')
  assert.deepEqual((await written()).map((row) => [row.organisation, row.staff, row.subject, row.status]), [['telkomsel', self.staff, passkey, 200]])
})

test('what was begun ends once: not again, not twice at once, not late, not elsewhere, not for something else', async () => {
  const { client, device } = await withPasskey()
  const over = async (there: CookieClient, body: unknown): Promise<void> => {
    const answer = await there.call('POST', '/v1/session/passkey', body)
    assert.deepEqual([answer.status, answer.body.code, there.cookies.has('kawal_session')], [401, 'ceremony_over', false])
  }
  const held = (from: CookieClient): CookieClient => {
    const copy = visitor()
    copy.cookies.set('kawal_ceremony', from.cookies.get('kawal_ceremony') ?? '')
    return copy
  }
  const there = visitor()
  const options = await begin(there)
  const [first, second, again] = [device.assert(options, origin), device.assert(options, origin), held(there)]
  assert.equal((await there.call('POST', '/v1/session/passkey', first)).status, 200)
  assert.equal(there.cookies.has('kawal_ceremony'), false)
  await over(held(again), first)
  await over(held(again), second)

  const twin = visitor()
  const asked = await begin(twin)
  const [one, other] = [device.assert(asked, origin), device.assert(asked, origin)]
  const atOnce = await Promise.all([held(twin).call('POST', '/v1/session/passkey', one), held(twin).call('POST', '/v1/session/passkey', other)])
  assert.deepEqual(atOnce.map(({ status }) => status).sort(), [200, 401])

  const late = visitor()
  const begun = await begin(late)
  now += 5 * minute_ms
  await over(late, device.assert(begun, origin))
  const just = visitor()
  const soon = await begin(just)
  now += 5 * minute_ms - 1
  assert.equal((await just.call('POST', '/v1/session/passkey', device.assert(soon, origin))).status, 200)

  await over(visitor(), device.assert(soon, origin))
  const victim = visitor()
  await begin(victim)
  const changed = held(victim)
  const sealed = Buffer.from(changed.cookies.get('kawal_ceremony') ?? '', 'base64url')
  sealed[40] = (sealed[40] ?? 0) ^ 1
  changed.cookies.set('kawal_ceremony', sealed.toString('base64url'))
  await over(changed, device.assert(soon, origin))
  for (const odd of ['', 'x', 'x'.repeat(80)]) {
    const empty = visitor()
    empty.cookies.set('kawal_ceremony', odd)
    await over(empty, device.assert(soon, origin))
  }
  const { body: creation } = await client.call<Options>('POST', '/v1/passkeys/options')
  await over(held(client), device.assert({ challenge: creation.challenge, rpId: 'kawal.example' }, origin))
})

test('another origin, another name, a forged signature, another person and a passkey of nobody are refused, and written down as far as it is known whose', async () => {
  const { device, passkey, self } = await withPasskey()
  const other = await withPasskey()
  await owner.query('TRUNCATE audit_outcome, audit')
  const refused = async (answer: { status: number; body: { code?: string }; client: CookieClient }): Promise<void> => assert.deepEqual([answer.status, answer.body.code, answer.client.cookies.has('kawal_session')], [401, 'passkey_refused', false])
  for (const at of ['http://kawal.example', 'https://kawal.example.evil.example', 'https://evil.example', 'https://kawal.example:444', 'null']) await refused(await enter(device, {}, at))
  const elsewhere = visitor()
  await refused({ client: elsewhere, ...await elsewhere.call('POST', '/v1/session/passkey', device.assert({ ...await begin(elsewhere), rpId: 'evil.example' }, origin)) })
  await refused(await enter(device, { signature: randomBytes(70) }))
  await refused(await enter(device, { user: Buffer.from(other.self.staff.replaceAll('-', ''), 'hex').toString('base64url') }))
  await refused(await enter(createAuthenticator(), { user: 'AAAA' }))
  const rows = await written()
  assert.deepEqual(rows.map(({ organisation, staff, subject, status }) => [organisation, staff, subject, status]), [...Array.from({ length: 8 }, () => ['telkomsel', self.staff, passkey, 401]), ['kawal', null, null, 401]])
  assert.match(rows[0]?.reason ?? '', /not proven: .*origin "http:\/\/kawal.example"/)
  assert.match(rows[7]?.reason ?? '', /another person/)
  assert.equal((await enter(device)).status, 200)
  const { client } = await invited()
  const crooked = await register(client, createAuthenticator(), 'HP', 'https://evil.example')
  assert.deepEqual([crooked.status, crooked.body.code], [401, 'passkey_refused'])
  for (const body of [{}, { id: '' }, { ...device.assert({ challenge: 'AAAA' }, origin), id: '\0' }, { ...device.assert({ challenge: 'AAAA' }, origin), response: {} }, [], null]) assert.equal((await visitor().call('POST', '/v1/session/passkey', body)).status, 400, JSON.stringify(body))
})

test('a count that does not rise may be of a copy: refused, and written down; a device that does not count comes in', async () => {
  const { device, passkey, self } = await withPasskey()
  assert.equal((await enter(device, { counter: 7 })).status, 200)
  await owner.query('TRUNCATE audit_outcome, audit')
  for (const counter of [7, 3, 0]) {
    const { status, body } = await enter(device, { counter })
    assert.deepEqual([status, body.code], [401, 'passkey_refused'], String(counter))
  }
  assert.deepEqual((await written()).map((row) => [row.staff, row.subject, row.reason, row.status]), [7, 3, 0].map((counter) => [self.staff, passkey, `count ${counter} after 7: the passkey may have been copied`, 401]))
  const atOnce = await Promise.all([enter(device, { counter: 8 }), enter(device, { counter: 8 })])
  assert.deepEqual(atOnce.map(({ status }) => status).sort(), [200, 401], 'the database decides')
  const quiet = createAuthenticator({ counts: false })
  await register((await invited()).client, quiet)
  assert.deepEqual([(await enter(quiet)).status, (await enter(quiet)).status], [200, 200])
  // whoever knows a passkey's id has nothing: a false signature never counts
  assert.equal((await enter(device, { counter: 4_000_000_000, signature: randomBytes(70) })).status, 401)
  assert.equal((await enter(device, { counter: 9 })).status, 200)
})

test('ten passkeys, and no eleventh, also of twelve at once; one device once', async () => {
  const { client, self } = await invited()
  const made = await Promise.allSettled(Array.from({ length: 12 }, (_, nth) => addPasskey(server.app.database, self, { id: randomBytes(16).toString('base64url'), publicKey: randomBytes(77), counter: 0 }, `nth ${nth}`, now)))
  const refused = made.filter((each) => each.status === 'rejected').map(({ reason }) => String(reason))
  assert.deepEqual([made.length - refused.length, refused.every((why) => why.includes('10 passkeys already'))], [10, true], refused.join('\n'))
  const eleventh = await register(client, createAuthenticator())
  assert.deepEqual([eleventh.status, eleventh.body.code], [409, 'state_conflict'])
  await assert.rejects(owner.query("INSERT INTO passkey SELECT gen_random_uuid(), 'x', staff_id, organisation_id, 11, 'a', 'x', 0, now() FROM passkey LIMIT 1"), /check constraint/)
  const again = await withPasskey()
  assert.equal((await register(again.client, again.device)).status, 409)
  const stranger = await invited()
  assert.equal((await register(stranger.client, again.device)).status, 409, 'nor another person\'s')
})

test('a person names, renames and removes his own', async () => {
  const { client, device, passkey } = await withPasskey()
  assert.deepEqual((await client.call<PasskeyRow>('PATCH', `/v1/passkeys/${passkey}`, { name: 'Kunci di meja' })).body.name, 'Kunci di meja')
  for (const name of ['', '  ', 'x'.repeat(61), 7, null]) assert.equal((await client.call('PATCH', `/v1/passkeys/${passkey}`, { name })).status, 400, String(name))
  const { client: there } = await enter(device)
  assert.equal((await client.call('DELETE', `/v1/passkeys/${passkey}`)).status, 204)
  assert.equal((await client.call('DELETE', `/v1/passkeys/${passkey}`)).status, 404)
  for (const id of ['x', '%00', passkey.toUpperCase()]) assert.equal((await client.call('DELETE', `/v1/passkeys/${id}`)).status, 404, id)
  assert.equal((await enter(device)).body.code, 'passkey_refused')
  assert.equal((await there.call('GET', '/v1/session')).status, 200, 'who was in stays in until he ends that')
  assert.ok((await written()).some((row) => row.method === 'DELETE' && row.subject === passkey && row.status === 204))
})

test('nobody sees, changes or ends another\'s: not of his own organisation, not of another, not by a key, not as a stranger', async () => {
  const mine = await withPasskey('telkomsel')
  const [colleague, rival] = [await withPasskey('telkomsel'), await withPasskey('bakti')]
  const session = (await mine.client.call<SessionRow[]>('GET', '/v1/sessions')).body[0]?.id
  for (const { client, passkey } of [colleague, rival]) {
    assert.deepEqual((await client.call<Passkeys>('GET', '/v1/passkeys')).body.rows.map(({ id }) => id), [passkey])
    assert.equal((await client.call<SessionRow[]>('GET', '/v1/sessions')).body.length, 1)
    assert.equal((await client.call('PATCH', `/v1/passkeys/${mine.passkey}`, { name: 'x' })).status, 404)
    assert.equal((await client.call('DELETE', `/v1/passkeys/${mine.passkey}`)).status, 404)
    assert.equal((await client.call('DELETE', `/v1/sessions/${session}`)).status, 404)
  }
  for (const [method, path] of [['GET', '/v1/passkeys'], ['POST', '/v1/passkeys/options'], ['POST', '/v1/passkeys'], ['DELETE', `/v1/passkeys/${mine.passkey}`], ['GET', '/v1/sessions'], ['DELETE', `/v1/sessions/${session}`]] as const) {
    const body = method === 'POST' ? {} : undefined
    assert.equal((await server.call('telkomsel', method, path, body)).status, 403, `${method} ${path} by a key`)
    assert.equal((await server.call({ token: 'nobody' }, method, path, body)).status, 401, `${method} ${path} by nobody`)
  }
  // the wall says so where a route would forget
  for (const { self } of [colleague, rival]) {
    const seen = await asSelf(server.app.database, self, async (client) => ({
      passkeys: (await client.query('SELECT FROM passkey')).rowCount, sessions: (await client.query('SELECT FROM session')).rowCount,
      removed: (await client.query('DELETE FROM passkey WHERE id = $1', [mine.passkey])).rowCount, ended: (await client.query('DELETE FROM session WHERE staff_id = $1', [mine.self.staff])).rowCount,
      renamed: (await client.query("UPDATE passkey SET name = 'x' WHERE id = $1", [mine.passkey])).rowCount,
    }))
    assert.deepEqual(seen, { passkeys: 1, sessions: 1, removed: 0, ended: 0, renamed: 0 })
    await assert.rejects(asSelf(server.app.database, self, (client) => client.query("INSERT INTO passkey SELECT gen_random_uuid(), 'y', $1, 'telkomsel', 9, 'a', 'x', 0, now()", [mine.self.staff])), /row-level security/)
  }
  for (const caller of [{ organisation: 'telkomsel', role: 'noc' }, { organisation: 'komdigi', role: 'duty_officer' }, { organisation: 'bawaslu', role: 'auditor' }])
    assert.equal(await server.app.database.transaction(caller, async (client) => (await client.query('SELECT 1 FROM passkey UNION ALL SELECT 1 FROM session UNION ALL SELECT 1 FROM ceremony_spent')).rowCount), 0, caller.role)
})

test('where passkeys are made: at the name that was told, else at localhost, and at no other address', async (t) => {
  assert.deepEqual(['https://kawal.example', 'http://localhost:5105', 'http://127.0.0.1:5105', 'http://[::1]:5105', 'https://10.0.0.7', 'http://[2001:db8::1]:80', null].map((url) => passkeySite(url)?.origin ?? null), ['https://kawal.example', 'http://localhost:5105', 'http://localhost:5105', 'http://localhost:5105', null, null, null])
  assert.equal((await visitor().call<LogInWays>('GET', '/v1/session/ways')).body.passkey, origin)
  const bare = await withServer(() => now, async (kit) => {
    const client = new pg.Client({ connectionString: kit.ownerUrl })
    await client.connect()
    await client.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')").finally(() => client.end())
  })
  t.after(() => bare.close())
  const { port } = new URL(bare.app.url)
  const asked = (method: string, path: string, host: string): Promise<{ status: number; text: string }> => new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, method, path, headers: { host } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part)).on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    }).on('error', reject).end()
  })
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) assert.deepEqual(JSON.parse((await asked('GET', '/v1/session/ways', host)).text), { passkey: `http://localhost:${port}`, providers: [] }, host)
  for (const host of ['evil.example', `localhost.evil.example:${port}`, '10.0.0.7']) {
    assert.deepEqual(JSON.parse((await asked('GET', '/v1/session/ways', host)).text), { passkey: null, providers: [] }, host)
    assert.equal((await asked('POST', '/v1/session/passkey/options', host)).status, 409, host)
  }
})

test('fifty log-ins of one address that fail within ten minutes, and it waits', async () => {
  const { device } = await withPasskey()
  const attempt = (): Promise<{ status: number; body: { code: string } }> => visitor().call('POST', '/v1/session', { token: 'invented' })
  for (let nth = 0; nth < 50; nth++) assert.equal((await attempt()).status, 401, String(nth))
  const refused = await attempt()
  assert.deepEqual([refused.status, refused.body.code], [429, 'too_many_attempts'])
  assert.equal((await enter(device)).status, 429, 'whatever he comes with')
  now += 10 * minute_ms + 1
  assert.equal((await enter(device)).status, 200)
})
