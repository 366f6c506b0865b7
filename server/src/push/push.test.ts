import assert from 'node:assert/strict'
import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify, type ECDH } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test, type TestContext } from 'node:test'
import pg from 'pg'
import type { PushGiven, PushRow, PushState, PushTried } from '@kawal/contract/push.ts'
import { hour_ms, minute_ms, second_ms } from '@kawal/core/kernel/clock.ts'
import type { TicketCause } from '@kawal/core/ticket/ticket.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { system } from '../adapters/postgres/database.ts'
import { openNotification } from '../notification/open.ts'
import { addStaff, loginToken, revokeAll } from '../organisation/sessions.ts'
import { command, openTicket } from '../ticket/tickets.ts'
import { createPush, readPushKey, type PushNotice } from './push.ts'

const start = Date.UTC(2029, 1, 14, 2)
let now = start
let server: TestServer
let owner: pg.Client
before(async () => {
  server = await withServer(() => now, async ({ ownerUrl }) => {
    owner = new pg.Client({ connectionString: ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
  }, { notification: { url: 'https://kawal.example' }, callbackHosts: ['127.0.0.1'] })
})
after(async () => {
  await owner.end()
  await server.close()
})
beforeEach(async () => {
  now += hour_ms
  // Nobody hears of what another test opened.
  await owner.query('TRUNCATE push_subscription, message, notice, announcement, contact, ticket CASCADE')
})

/** What opens a push: as a browser keeps it. */
interface Locks { readonly ecdh: ECDH; readonly auth: Buffer }

/** RFC 8291 over RFC 8188 (aes128gcm), from the browser's side. */
function unseal(body: Buffer, { ecdh, auth }: Locks): string {
  const [salt, record_bytes, id_bytes] = [body.subarray(0, 16), body.readUInt32BE(16), body.readUInt8(20)]
  const sender = body.subarray(21, 21 + id_bytes)
  const sealed = body.subarray(21 + id_bytes)
  assert.ok(sealed.length <= record_bytes, 'one record')
  const derive = (key: Uint8Array, by: Uint8Array, info: Buffer, bytes: number): Buffer => Buffer.from(hkdfSync('sha256', key, by, info, bytes))
  const key = derive(ecdh.computeSecret(sender), auth, Buffer.concat([Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), sender]), 32)
  const cipher = createDecipheriv('aes-128-gcm', derive(key, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16), derive(key, salt, Buffer.from('Content-Encoding: nonce\0'), 12))
  cipher.setAuthTag(sealed.subarray(-16))
  const plain = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()])
  const end = plain.lastIndexOf(2)
  assert.ok(end >= 0 && plain.subarray(end + 1).every((byte) => byte === 0), 'the last record ends with 2 and zeros')
  return plain.subarray(0, end).toString()
}

test("what opens pushes here opens RFC 8291's own example", () => {
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(Buffer.from('q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94', 'base64url'))
  const body = Buffer.from('DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN', 'base64url')
  assert.equal(unseal(body, { ecdh, auth: Buffer.from('BTBZMqHH6r4Tts7J_aSIgg', 'base64url') }), 'When I grow up, I want to be a watermelon')
})

interface Got { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: Buffer }
/** A push service. `answers` is what it says to a path: 201 where nothing is said, and 0 hangs up. */
async function pushService(t: TestContext, answers: Readonly<Record<string, () => number>> = {}): Promise<{ origin: string; got: Got[] }> {
  const got: Got[] = []
  const service = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      got.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts) })
      const status = answers[request.url ?? '']?.() ?? 201
      if (status === 0) request.socket.destroy()
      else response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  t.after(() => (service.closeAllConnections(), service.close()))
  return { origin: `http://127.0.0.1:${(service.address() as AddressInfo).port}`, got }
}

/** Somebody with a session. */
async function person(organisation: string, name = 'Piket') {
  const { app } = server
  const staff = await addStaff(app.database, organisation, name)
  const enter = await fetch(`${app.url}/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token: await loginToken(app.database, staff, now) }) })
  const cookie = (enter.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
  return async <Body = PushRow & { code: string; detail: string }>(method: 'GET' | 'POST' | 'DELETE', path = '', body?: object): Promise<{ status: number; body: Body }> => {
    const answer = await fetch(`${app.url}/v1/push${path}`, { method, headers: { cookie, 'user-agent': 'Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36', ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    const text = await answer.text()
    return { status: answer.status, body: (text === '' ? null : JSON.parse(text)) as Body }
  }
}
type Person = Awaited<ReturnType<typeof person>>

/** A browser: it makes its keys and subscribes. */
async function subscribe(as: Person, endpoint: string, language: 'id' | 'en' = 'id'): Promise<Locks & { row: PushRow }> {
  const { given, ...locks } = browser(endpoint, language)
  const { status, body } = await as('POST', '', given)
  assert.equal(status, 201, JSON.stringify(body))
  return { ...locks, row: body }
}
function browser(endpoint: string, language: 'id' | 'en' = 'id'): Locks & { given: PushGiven } {
  const ecdh = createECDH('prime256v1')
  ecdh.generateKeys()
  const auth = randomBytes(16)
  return { ecdh, auth, given: { endpoint, keys: { p256dh: ecdh.getPublicKey().toString('base64url'), auth: auth.toString('base64url') }, language } }
}
const noticeOf = (got: Got | undefined, locks: Locks): PushNotice => JSON.parse(unseal(got?.body ?? Buffer.alloc(0), locks)) as PushNotice

/** The engine, turned second by second. */
async function engine(t: TestContext, failures: unknown[] = []) {
  const { database } = server.app
  const clock = (): number => now
  const push = createPush({ database, key: await readPushKey(database), contact: 'https://kawal.example', hosts: ['127.0.0.1'], clock })
  const notification = await openNotification({ database, clock, secret: Buffer.alloc(32, 5), push, settings: { url: 'https://kawal.example' }, changed: () => undefined, failed: (error) => failures.push(error) })
  let stopped: Promise<void> | null = null
  t.after(() => (stopped ??= notification.stop()))
  return { ...notification, async until(at: number): Promise<void> { for (; now <= at; now += second_ms) await notification.turn(now) } }
}
const cause = (id: string, operator: string): TicketCause & { areaName: string } => ({
  id, cause: 'access', operator, severity: 'down', areaCode: '530101', areaName: 'Semau', stations: ['5301012001001', '5301012001002'], startedAt: now, foundAt: now, endedAt: null,
  evidence: { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [], signs: [] },
})
const needs = () => ({ database: server.app.database, clock: () => now })
async function open(id: string, operator: string): Promise<string> {
  const opened = await openTicket(needs(), system, cause(id, operator))
  assert.ok(opened.ok)
  return opened.value.ticket.id
}
const messages = async (): Promise<{ delivered: boolean; abandoned: boolean; attempts: number; last_error: string | null }[]> => (await server.app.database.transaction(system, (client) => client.query(
  "SELECT delivered_at IS NOT NULL AS delivered, abandoned_at IS NOT NULL AS abandoned, attempts, last_error FROM message WHERE channels->0->>'kind' = 'push' ORDER BY id DESC"))).rows

test('a call is pushed sealed, signed, urgent, and named by its group; whoever is not called sees nothing of it', async (t) => {
  const { origin, got } = await pushService(t)
  const [one, other, rival] = [await person('telkomsel'), await person('telkomsel', 'NOC malam'), await person('indosat')]
  const mine = await subscribe(one, `${origin}/mine`)
  const english = await subscribe(other, `${origin}/english`, 'en')
  await subscribe(rival, `${origin}/rival`)
  assert.equal(mine.row.label, 'Chrome, Android')
  const state = (await one<PushState>('GET')).body
  assert.deepEqual(state.rows.map(({ id, endpoint, failedAt }) => [id, endpoint, failedAt]), [[mine.row.id, `${origin}/mine`, null]])
  const calls = await engine(t)
  const id = await open('one', 'telkomsel')
  calls.changed(id)
  await calls.until(now + 10 * second_ms)
  assert.deepEqual(got.map(({ path }) => path).sort(), ['/english', '/mine'])
  const pushed = got.find(({ path }) => path === '/mine')
  const notice = noticeOf(pushed, mine)
  assert.deepEqual(notice, { title: 'Layanan terputus, Semau, 2 TPS', body: `${id}: menunggu konfirmasi\nTenggat ${notice.body.split('Tenggat ')[1]}`, tag: pushed?.headers['topic'], url: `/console/?tiket=${id}`, language: 'id', isQuiet: false })
  assert.match(notice.body, /Tenggat 14 Feb 2029,? \d\d\.\d\d WITA$/)
  const inEnglish = noticeOf(got.find(({ path }) => path === '/english'), english)
  assert.deepEqual([inEnglish.title, inEnglish.url], ['Service lost, Semau, 2 polling stations', `/console/?tiket=${id}&bahasa=en`])
  assert.throws(() => noticeOf(pushed, english), 'another browser opens nothing')
  const { ttl, urgency, topic = '', 'content-encoding': encoding, authorization = '' } = pushed?.headers ?? {}
  assert.deepEqual([ttl, urgency, encoding], ['1800', 'high', 'aes128gcm'])
  assert.match(String(topic), /^[A-Za-z0-9_-]{1,32}$/)
  assertSigned(authorization, origin, state.publicKey ?? '')
  // Taken up: the same group, so that it takes the other's place, and quiet.
  assert.ok((await command(needs(), { organisation: 'telkomsel', role: 'noc' }, id, { kind: 'acknowledge' })).ok)
  calls.changed(id)
  await calls.until(now + 2 * minute_ms)
  const over = got.filter(({ path }) => path === '/mine').at(-1)
  assert.deepEqual([over?.headers['topic'], over?.headers['urgency'], noticeOf(over, mine).isQuiet, noticeOf(over, mine).body], [topic, 'normal', true, `${id}: sudah ditangani`])
})

/** RFC 8292: a JWT of this deployment's key for this push service, over within a day. */
function assertSigned(authorization: string, origin: string, publicKey: string): void {
  const [, jwt = '', key = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(authorization) ?? []
  assert.equal(key, publicKey)
  const [head = '', body = '', signature = ''] = jwt.split('.')
  const point = Buffer.from(key, 'base64url')
  const verifying = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') }, format: 'jwk' })
  assert.ok(verify('sha256', Buffer.from(`${head}.${body}`), { key: verifying, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')))
  const { aud, exp, sub } = JSON.parse(Buffer.from(body, 'base64url').toString()) as { aud: string; exp: number; sub: string }
  assert.deepEqual([aud, sub], [origin, 'https://kawal.example'])
  const left_s = exp - Date.now() / 1000
  assert.ok(left_s > 0 && left_s <= 24 * 3600, `${left_s} s`)
}

test('every level is pushed, and the monitoring centre when nobody answers', async (t) => {
  const { origin, got } = await pushService(t)
  await subscribe(await person('telkomsel'), `${origin}/noc`)
  const centre = await subscribe(await person('komdigi'), `${origin}/centre`)
  await server.app.database.transaction(system, (client) => client.query("INSERT INTO contact (id, organisation_id, name, level, phone, created_at) VALUES (gen_random_uuid(), 'telkomsel', 'Piket', 1, '+628110000001', now())"))
  const calls = await engine(t)
  const [began, id] = [now, await open('levels', 'telkomsel')]
  calls.changed(id)
  await calls.until(began + 9 * minute_ms)
  assert.deepEqual(got.map(({ path }) => path), ['/noc'])
  await calls.until(began + 29 * minute_ms)
  assert.deepEqual(got.map(({ path }) => path), ['/noc', '/noc', '/noc'])
  await calls.until(began + 30.5 * minute_ms)
  const told = got.filter(({ path }) => path === '/centre')
  assert.ok(told.length >= 1)
  assert.ok(told.some((each) => noticeOf(each, centre).body.includes('Penanggung jawab: Telkomsel')))
  assert.ok((await command(needs(), { organisation: 'komdigi', role: 'duty_officer' }, id, { kind: 'cancel', reason: 'exercise' })).ok)
})

test('a subscription that its browser has ended is deleted; what fails is tried again as a mail is, and holds up nobody', async (t) => {
  let healthy = false
  const { origin, got } = await pushService(t, { '/gone': () => 410, '/never': () => 404, '/sick': () => (healthy ? 201 : 503), '/dead': () => 0 })
  const noc = await person('xl')
  for (const path of ['/gone', '/never', '/sick', '/dead', '/well']) await subscribe(noc, `${origin}${path}`)
  const calls = await engine(t)
  calls.changed(await open('failing', 'xl'))
  await calls.until(now + 10 * second_ms)
  assert.equal(got.filter(({ path }) => path === '/well').length, 1)
  const left = (await noc<PushState>('GET')).body.rows
  assert.deepEqual(left.map(({ endpoint, failedAt }) => [new URL(endpoint).pathname, failedAt !== null]).sort(), [['/dead', true], ['/sick', true], ['/well', false]])
  const tries = got.filter(({ path }) => path === '/sick').length
  assert.ok(tries >= 2, `${tries} tries`)
  assert.deepEqual([got.filter(({ path }) => path === '/gone').length, got.filter(({ path }) => path === '/never').length], [1, 1])
  healthy = true
  await calls.until(now + minute_ms)
  assert.equal((await noc<PushState>('GET')).body.rows.find(({ endpoint }) => endpoint.endsWith('/sick'))?.failedAt, null)
  const kept = await messages()
  assert.deepEqual(kept.filter(({ abandoned }) => abandoned).map(({ attempts, last_error }) => [attempts, last_error]).slice(0, 2), [[0, 'the browser has ended the subscription'], [0, 'the browser has ended the subscription']])
})

test('an announcement that must be read is pushed once to whom it is for, also when the server was away', async (t) => {
  const { origin, got } = await pushService(t)
  const locks = await subscribe(await person('indosat'), `${origin}/indosat`)
  await subscribe(await person('bakti'), `${origin}/bakti`)
  await subscribe(await person('komdigi'), `${origin}/komdigi`)
  const announce = async (title: string, more: object): Promise<void> => {
    const { status, text } = await server.call('komdigi', 'POST', '/v1/announcements', { title, text: `Rapat\n${'\u{1F4E2}'.repeat(1_900)}`, audience: ['operator', 'komdigi'], until: new Date(now + 2 * hour_ms).toISOString(), ...more })
    assert.equal(status, 201, text)
  }
  const failures: unknown[] = []
  const calls = await engine(t, failures)
  await announce('Rekapitulasi diperpanjang', {})
  await announce('Hanya kabar', { mustAcknowledge: false })
  calls.announced()
  await calls.until(now + 2 * second_ms)
  assert.deepEqual(got.map(({ path }) => path), ['/indosat'])
  const text = unseal(got[0]?.body ?? Buffer.alloc(0), locks)
  assert.ok(Buffer.byteLength(text) <= 3_072 && (got[0]?.body.length ?? 0) <= 4_096, `${Buffer.byteLength(text)} bytes`)
  const notice = JSON.parse(text) as PushNotice
  assert.deepEqual([notice.title, notice.body.split('\n')[0], notice.url, notice.isQuiet], ['Rekapitulasi diperpanjang', 'Pengumuman dari Kementerian Komunikasi dan Digital (PMT)', '/console/', false])
  assert.ok(Math.abs(Number(got[0]?.headers['ttl']) - 7_200) < 60)
  const again = await engine(t, failures)
  await again.until(now + 2 * minute_ms)
  assert.equal(got.length, 1, 'another start tells nobody again')
  await announce('Rapat dipindah', {})
  await again.until(now + minute_ms + second_ms)
  assert.deepEqual(got.map((each) => (JSON.parse(unseal(each.body, locks)) as PushNotice).title), ['Rekapitulasi diperpanjang', 'Rapat dipindah'])
  assert.deepEqual(failures, [])
})

test('a try goes to this browser alone, and says what came of it', async (t) => {
  let status = 201
  const { origin, got } = await pushService(t, { '/try': () => status })
  const noc = await person('telkomsel')
  const locks = await subscribe(noc, `${origin}/try`, 'en')
  const tried = async (): Promise<unknown> => (await noc<PushTried>('POST', `/${locks.row.id}/test`)).body
  assert.deepEqual(await tried(), { outcome: 'sent', error: null })
  assert.equal(noticeOf(got[0], locks).title, 'Kawal Sinyal, a try')
  status = 500
  assert.deepEqual(await tried(), { outcome: 'failed', error: 'HTTP 500' })
  assert.equal((await (await person('telkomsel', 'Lain'))('POST', `/${locks.row.id}/test`)).status, 404)
  status = 0
  assert.deepEqual(await tried(), { outcome: 'failed', error: 'no answer' })
  status = 410
  assert.deepEqual(await tried(), { outcome: 'gone', error: null })
  assert.equal((await noc('POST', `/${locks.row.id}/test`)).status, 404)
})

test('only people subscribe, only at public addresses, each his own: 5 a person, 100 an organisation', async (t) => {
  const { origin } = await pushService(t)
  const noc = await person('telkomsel')
  assert.equal((await server.call('telkomsel', 'GET', '/v1/push')).status, 403)
  assert.equal((await server.call({ token: 'none' }, 'GET', '/v1/push')).status, 401)
  const { given } = browser(`${origin}/a`)
  const wrong: [object, RegExp][] = [
    [{ ...given, endpoint: 'http://push.example/x' }, /only https at a public address/], [{ ...given, endpoint: 'https://10.0.0.1/x' }, /only https/], [{ ...given, endpoint: 'https://169.254.169.254/latest' }, /only https/], [{ ...given, endpoint: 'x' }, /only https/],
    [{ ...given, keys: { ...given.keys, p256dh: Buffer.concat([Buffer.of(4), Buffer.alloc(64, 9)]).toString('base64url') } }, /no point of P-256/], [{ ...given, keys: { ...given.keys, auth: 'short' } }, /auth/], [{ ...given, more: 1 }, /no field more/],
  ]
  for (const [body, said] of wrong) {
    const answer = await noc('POST', '', body)
    assert.deepEqual([answer.status, said.test(answer.body.detail)], [400, true], JSON.stringify(answer.body))
  }
  const many = await Promise.all(Array.from({ length: 8 }, (_, i) => noc('POST', '', browser(`${origin}/${i}`).given)))
  assert.deepEqual(many.map(({ status }) => status).sort(), [201, 201, 201, 201, 201, 409, 409, 409])
  const [first] = (await noc<PushState>('GET')).body.rows
  assert.equal((await (await person('indosat'))('DELETE', `/${first?.id}`)).status, 404)
  assert.equal((await noc('DELETE', `/${first?.id}`)).status, 204)
  // The same browser with somebody else: it is his now, and no more the first's.
  const again = browser(`${origin}/shared`)
  assert.equal((await noc('POST', '', again.given)).status, 201)
  const rival = await person('indosat')
  assert.equal((await rival('POST', '', again.given)).status, 201)
  assert.ok(!(await noc<PushState>('GET')).body.rows.some(({ endpoint }) => endpoint.endsWith('/shared')))
  await server.app.database.transaction(system, (client) => client.query("INSERT INTO push_subscription SELECT gen_random_uuid(), organisation_id, staff_id, endpoint || g, p256dh, auth, label, language, made_at FROM push_subscription, generate_series(1, 99) AS g WHERE endpoint LIKE '%/shared'"))
  assert.match((await (await person('indosat', 'Lain'))('POST', '', browser(`${origin}/over`).given)).body.detail, /organisation has 100/)
  await revokeAll(server.app.database, 'indosat', now)
  const { rows } = await server.app.database.transaction(system, (client) => client.query("SELECT FROM push_subscription WHERE organisation_id = 'indosat'"))
  assert.equal(rows.length, 0, 'who is out hears nothing any more')
})

test('the private key is read by the system alone', async () => {
  for (const role of ['duty_officer', 'noc', 'auditor']) {
    const { rows } = await server.app.database.transaction({ organisation: 'komdigi', role }, (client) => client.query('SELECT private_key FROM push_key'))
    assert.deepEqual(rows, [], role)
  }
})
