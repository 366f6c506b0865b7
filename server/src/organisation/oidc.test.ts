import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import pg from 'pg'
import type { Session } from '@kawal/contract/live.ts'
import type { LogInWays, Passkeys, ProviderAddress, SessionRow } from '@kawal/contract/log-in.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { createCookieClient, type CookieClient } from '@kawal/testkit/cookie-client.ts'
import { client as oidcClient, startProvider, type TestProvider } from '@kawal/testkit/provider.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { readOidcSettings } from './oidc-settings.ts'
import { endPerson } from './people.ts'
import { addStaff, loginToken } from './sessions.ts'

const origin = 'https://kawal.example'
const ani = { sub: 'u-ani', name: 'Ani', groups: ['/staf', '/noc/telkomsel'] }
interface Written { readonly organisation: string; readonly role: string; readonly staff: string | null; readonly name: string | null; readonly subject: string | null; readonly reason: string | null; readonly status: number }

let now = Date.UTC(2029, 1, 14, 2)
let provider: TestProvider
let mails: TestProvider
let server: TestServer
let owner: pg.Client
before(async () => {
  ;[provider, mails] = await Promise.all([startProvider(), startProvider()])
  const secret = { clientId: oidcClient.id, clientSecret: oidcClient.secret }
  const oidc = readOidcSettings(JSON.stringify({
    providers: [
      { id: 'noc', label: 'SSO NOC', issuer: provider.issuer, ...secret, scope: 'openid profile groups', organisationClaim: 'groups', organisations: { '/noc/telkomsel': 'telkomsel', '/noc/indosat': 'indosat', '/noc/nowhere': 'nowhere' } },
      { id: 'kpu', label: 'SSO KPU', issuer: mails.issuer, ...secret, organisationClaim: 'email', organisations: { 'kpu.go.id': 'kpu' } },
      // nothing listens there
      { id: 'dead', label: 'SSO mati', issuer: 'http://127.0.0.1:9', ...secret, organisation: 'bakti' },
    ],
  }))
  server = await withServer(() => now, async ({ ownerUrl }) => {
    owner = new pg.Client({ connectionString: ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
  }, { publicUrl: origin, oidc })
  for (const each of [provider, mails]) each.serve([`${origin}/console/`])
})
after(async () => {
  await owner.end()
  await server.close()
  await Promise.all([provider.close(), mails.close()])
})
beforeEach(async () => {
  now += 11 * minute_ms
  provider.who = ani
  await owner.query('TRUNCATE audit_outcome, audit')
})

const visitor = (): CookieClient => createCookieClient(server.app.url)
const written = async (): Promise<Written[]> => (await owner.query<Written>('SELECT audit.organisation_id AS organisation, role, staff_id AS staff, name, subject, reason, status FROM audit LEFT JOIN audit_outcome ON audit_id = id ORDER BY id')).rows
const people = async (): Promise<{ id: string; organisation: string; name: string; subject: string }[]> => (await owner.query<{ id: string; organisation: string; name: string; subject: string }>('SELECT id, organisation_id AS organisation, name, subject FROM staff WHERE issuer IS NOT NULL ORDER BY subject')).rows
async function begin(browser: CookieClient, id = 'noc'): Promise<URL> {
  const { status, body } = await browser.call<ProviderAddress>('POST', `/v1/session/provider/${id}`)
  assert.equal(status, 200)
  return new URL(body.url)
}
const bring = (browser: CookieClient, answer: string): Promise<{ status: number; body: Session & { code?: string; detail?: string } }> => browser.call('POST', '/v1/session/provider', { query: answer })
async function logIn(at: TestProvider = provider, id = 'noc'): Promise<{ browser: CookieClient; status: number; body: Session & { code?: string; detail?: string } }> {
  const browser = visitor()
  return { browser, ...await bring(browser, await at.visit((await begin(browser, id)).href)) }
}
const refused = async (browser: CookieClient, answer: string, code: string): Promise<string> => {
  const { status, body } = await bring(browser, answer)
  assert.deepEqual([status, body.code, browser.cookies.has('kawal_session')], [code === 'person_refused' ? 403 : 401, code, false])
  return body.detail ?? ''
}

test('the whole way: asked with PKCE, state and nonce, back to the console, a person at the first time and the same one later', async () => {
  const browser = visitor()
  assert.deepEqual((await browser.call<LogInWays>('GET', '/v1/session/ways')).body.providers, [{ id: 'noc', label: 'SSO NOC' }, { id: 'kpu', label: 'SSO KPU' }, { id: 'dead', label: 'SSO mati' }])
  const url = await begin(browser)
  const asked = url.searchParams
  assert.deepEqual([url.origin, asked.get('redirect_uri'), asked.get('response_type'), asked.get('code_challenge_method'), asked.get('scope')], [provider.issuer, `${origin}/console/`, 'code', 'S256', 'openid profile groups'])
  assert.ok(['state', 'nonce', 'code_challenge'].every((name) => (asked.get(name) ?? '').length >= 43))
  const answer = await browser.send('POST', '/v1/session/provider', { query: await provider.visit(url.href) })
  assert.equal(answer.status, 200)
  assert.match(answer.headers.getSetCookie().find((line) => line.startsWith('kawal_session')) ?? '', /; HttpOnly; SameSite=Strict$/)
  const session = await answer.json() as Session
  assert.deepEqual([session.name, session.organisation, session.role], ['Ani', 'telkomsel', 'noc'])
  const [person, ...none] = await people()
  assert.deepEqual([person?.organisation, person?.name, person?.subject, none], ['telkomsel', 'Ani', 'u-ani', []])
  assert.equal((await browser.call<SessionRow[]>('GET', '/v1/sessions')).body[0]?.way, 'provider')
  assert.equal((await browser.call<Passkeys>('GET', '/v1/passkeys')).body.otherWay, true)
  assert.equal((await logIn()).status, 200)
  assert.deepEqual((await people()).map(({ id }) => id), [person?.id])
  assert.deepEqual((await written()).map((row) => [row.organisation, row.staff, row.name, row.subject, row.reason, row.status]), [['telkomsel', person?.id, 'Ani', 'noc', null, 200], ['telkomsel', person?.id, 'Ani', 'noc', null, 200]])
})

test('two who are one, at the same moment for the first time: one person', async () => {
  provider.who = { ...ani, sub: 'u-twin', name: 'Budi' }
  const answers = await Promise.all([logIn(), logIn(), logIn()])
  assert.equal((await people()).filter(({ subject }) => subject === 'u-twin').length, 1)
  for (const { status, body } of answers) assert.ok(status === 200 || (status === 412 && body.code === 'version_conflict'), `${status}`)
})

test('another state, another nonce, another browser, an answer that was used, and a code that was used are refused', async () => {
  const first = visitor()
  const answer = new URLSearchParams(await provider.visit((await begin(first)).href))
  const held = first.cookies.get('kawal_ceremony') ?? ''
  const holding = (): CookieClient => {
    const copy = visitor()
    copy.cookies.set('kawal_ceremony', held)
    return copy
  }
  await refused(visitor(), answer.toString(), 'ceremony_over')
  const changed = new URLSearchParams(answer)
  changed.set('state', `${answer.get('state')?.slice(1)}x`)
  await refused(holding(), changed.toString(), 'provider_refused')
  // spent with the first try, whatever came of it
  await refused(holding(), answer.toString(), 'ceremony_over')

  const nonce = visitor()
  const tampered = await begin(nonce)
  tampered.searchParams.set('nonce', 'another-nonce-of-somebody-else')
  await refused(nonce, await provider.visit(tampered.href), 'provider_refused')

  // PKCE: a code of another's log-in opens nothing with one's own state
  const own = visitor()
  const ownState = (await begin(own)).searchParams.get('state') ?? ''
  const stolen = new URLSearchParams(answer)
  stolen.set('state', ownState)
  await refused(own, stolen.toString(), 'provider_refused')

  const late = visitor()
  const soon = await provider.visit((await begin(late)).href)
  now += 5 * minute_ms
  await refused(late, soon, 'ceremony_over')

  const cancelled = visitor()
  const state = (await begin(cancelled)).searchParams.get('state') ?? ''
  assert.match(await refused(cancelled, new URLSearchParams({ error: 'access_denied', state, iss: provider.issuer }).toString(), 'provider_refused'), /SSO NOC: access_denied/)
  const mixed = visitor()
  const foreign = new URLSearchParams(await provider.visit((await begin(mixed)).href))
  foreign.set('iss', 'https://evil.example')
  await refused(mixed, foreign.toString(), 'provider_refused')
  for (const odd of ['', 'x', '#', 'code=1&code=2']) {
    const browser = visitor()
    await begin(browser)
    const { status } = await bring(browser, odd)
    assert.ok([400, 401].includes(status), `${odd}: ${status}`)
  }
})

test('who belongs to no organisation, to several, to one that is not here, or has another one by now, gets no session and no name here; and that is written down', async () => {
  assert.equal((await logIn()).status, 200)
  const before = await people()
  await owner.query('TRUNCATE audit_outcome, audit')
  for (const [who, why] of [
    [{ sub: 'u-1', name: 'Citra', groups: ['/staf'] }, /nothing says to which organisation/], [{ sub: 'u-2', name: 'Dewi' }, /nothing says/], [{ sub: 'u-3', name: 'Eka', groups: ['/noc/telkomsel', '/noc/indosat'] }, /several organisations/],
    [{ sub: 'u-4', name: 'Fajar', groups: ['/noc/nowhere'] }, /no organisation nowhere/], [{ ...ani, groups: ['/noc/indosat'] }, /you are of telkomsel, not of indosat/],
  ] as const) {
    provider.who = who as unknown as TestProvider['who']
    const { status, body, browser } = await logIn()
    assert.deepEqual([status, body.code, browser.cookies.has('kawal_session')], [403, 'person_refused', false], who.name)
    assert.match(body.detail ?? '', why)
  }
  assert.deepEqual(await people(), before)
  const rows = await written()
  assert.deepEqual(rows.map((row) => [row.organisation, row.role, row.name, row.subject, row.status]), [...['Citra', 'Dewi', 'Eka', 'Fajar'].map((name) => ['kawal', 'nobody', name, 'noc', 403]), ['telkomsel', 'noc', 'Ani', 'noc', 403]])
  assert.match(rows[2]?.reason ?? '', /several organisations/)
})

test('an address counts by its domain, and only where the provider has verified it', async () => {
  mails.who = { sub: 'k-1', name: 'Gita', email: 'gita@kpu.go.id', email_verified: true }
  const { status, body } = await logIn(mails, 'kpu')
  assert.deepEqual([status, body.organisation, body.role], [200, 'kpu', 'planner'])
  for (const who of [{ sub: 'k-2', email: 'hana@kpu.go.id', email_verified: false }, { sub: 'k-3', email: 'indra@kpu.go.id' }, { sub: 'k-4', email: 'joko@kpu.go.id.example', email_verified: true }]) {
    mails.who = who
    assert.equal((await logIn(mails, 'kpu')).status, 403, who.email)
  }
})

test('whose access was ended does not come back, and the same name of another provider is somebody else', async () => {
  const { browser } = await logIn()
  const person = (await people()).find(({ subject }) => subject === 'u-ani')
  await endPerson(server.app.database, 'telkomsel', person?.id ?? '', now)
  assert.equal((await browser.call('GET', '/v1/session')).status, 401)
  await owner.query('TRUNCATE audit_outcome, audit')
  const again = await logIn()
  assert.deepEqual([again.status, again.body.code, again.browser.cookies.has('kawal_session')], [403, 'person_refused', false])
  assert.deepEqual((await written()).map((row) => [row.organisation, row.staff, row.reason, row.status]), [['telkomsel', person?.id, 'your access has ended', 403]])
  mails.who = { sub: 'u-ani', name: 'Ani lain', email: 'ani@kpu.go.id', email_verified: true }
  assert.equal((await logIn(mails, 'kpu')).status, 200)
  assert.equal((await people()).filter(({ subject }) => subject === 'u-ani').length, 2)
})

test('a provider that is dead holds up nobody else, and is asked again', async () => {
  const dead = await visitor().call('POST', '/v1/session/provider/dead')
  assert.deepEqual([dead.status, dead.body.code], [502, 'provider_silent'])
  assert.equal((await visitor().call('POST', '/v1/session/provider/nobody')).status, 404)
  const link = await loginToken(server.app.database, await addStaff(server.app.database, 'bakti', 'Piket'), now)
  assert.equal((await visitor().call('POST', '/v1/session', { token: link })).status, 200)
  const late = await startProvider()
  const others = await withServer(() => now, async (kit) => {
    const client = new pg.Client({ connectionString: kit.ownerUrl })
    await client.connect()
    await client.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')").finally(() => client.end())
  }, { publicUrl: origin, oidc: readOidcSettings(JSON.stringify({ providers: [{ id: 'late', label: 'SSO', issuer: late.issuer, clientId: oidcClient.id, clientSecret: oidcClient.secret, organisation: 'bakti' }] })) })
  try {
    const browser = createCookieClient(others.app.url)
    assert.equal((await browser.call('POST', '/v1/session/provider/late')).status, 502)
    late.serve([`${origin}/console/`])
    late.who = { sub: 'b-1', name: 'Kiki' }
    const { body } = await browser.call<ProviderAddress>('POST', '/v1/session/provider/late')
    const answer = await late.visit(body.url)
    late.down = true
    const silent = await browser.call('POST', '/v1/session/provider', { query: answer })
    assert.ok([401, 502].includes(silent.status), 'the provider went away in between')
    late.down = false
    const again = await browser.call<ProviderAddress>('POST', '/v1/session/provider/late')
    const entered = await browser.call<Session>('POST', '/v1/session/provider', { query: await late.visit(again.body.url) })
    assert.deepEqual([entered.status, entered.body.organisation], [200, 'bakti'])
  } finally {
    await others.close()
    await late.close()
  }
})
