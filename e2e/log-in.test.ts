import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { Browser, CDPSession, Page } from 'playwright-core'
import type { PasskeyAssertion } from '@kawal/contract/log-in.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { readOidcSettings } from '@kawal/server/src/organisation/oidc-settings.ts'
import { addStaff, loginToken } from '@kawal/server/src/organisation/sessions.ts'
import { createCookieClient, type CookieClient } from '@kawal/testkit/cookie-client.ts'
import { client as oidcClient, startProvider, type TestProvider } from '@kawal/testkit/provider.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { launchBrowser } from './browser.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const desktop = { width: 1366, height: 768 }
const phone = { width: 360, height: 640 }
interface Options { readonly challenge: string; readonly rpId: string }

let ahead_ms = 0
let server: TestServer
let provider: TestProvider
let browser: Browser
let owner: pg.Client
/** A name, since passkeys belong to none of an address. */
let origin = ''
before(async () => {
  provider = await startProvider()
  server = await withServer(() => Date.now() + ahead_ms, async ({ ownerUrl }) => {
    owner = new pg.Client({ connectionString: ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
  }, { oidc: readOidcSettings(JSON.stringify({ providers: [{ id: 'noc', label: 'SSO NOC', issuer: provider.issuer, clientId: oidcClient.id, clientSecret: oidcClient.secret, scope: 'openid profile groups', organisationClaim: 'groups', organisations: { telkomsel: 'telkomsel' } }] })) })
  origin = server.app.url.replace('127.0.0.1', 'localhost')
  provider.serve([`${origin}/console/`])
  browser = await launchBrowser()
})
after(async () => {
  await browser.close()
  await owner.end()
  await server.close()
  await provider.close()
})

const link = async (): Promise<string> => `${origin}/console/?masuk=${await loginToken(server.app.database, await addStaff(server.app.database, 'telkomsel', 'Piket malam'), Date.now() + ahead_ms)}`

interface Seat { readonly page: Page; readonly device: CDPSession; readonly authenticatorId: string }
/** A page with a device of its own that makes and gives passkeys without being touched. */
async function seat(viewport = desktop): Promise<Seat> {
  const context = await browser.newContext({ viewport, locale: 'id-ID' })
  const page = await context.newPage()
  page.on('pageerror', (error) => assert.fail(`the page threw: ${error.message}`))
  const device = await context.newCDPSession(page)
  await device.send('WebAuthn.enable')
  const { authenticatorId } = await device.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } })
  return { page, device, authenticatorId }
}

/** Nothing that axe finds, and nothing wider than the window. */
async function assertFine(page: Page, screen: string): Promise<void> {
  await page.evaluate(axe)
  const found = await page.evaluate(async () => {
    const { axe: tool } = window as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } }
    return (await tool.run()).violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`).join(' | ')}`)
  })
  assert.deepEqual(found, [], screen)
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, `${screen} is wider than its window`)
}

/** Comes by a link and adds a passkey on the person's own page. */
async function addPasskey(page: Page, name: string): Promise<void> {
  await page.goto(await link())
  await page.getByText('Tautan tadi hanya berlaku sekali').waitFor()
  await page.locator('.offer').getByRole('button', { name: 'Pasang kunci sandi (passkey)' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Belum ada kunci sandi.').waitFor()
  await dialog.getByLabel('Nama kunci sandi').fill(name)
  await dialog.getByRole('button', { name: 'Pasang kunci sandi (passkey)' }).click()
  await dialog.getByText(name, { exact: true }).waitFor()
}

for (const [name, viewport] of [['desktop', desktop], ['phone', phone]] as const)
  test(`invited, a passkey, out, in by it, renamed, removed: the console on a ${name}`, { timeout: 120_000 }, async () => {
    const { page, device, authenticatorId } = await seat(viewport)
    await page.goto(await link())
    await page.locator('.offer').waitFor()
    await assertFine(page, 'the offer')
    await addPasskey(page, 'Laptop NOC')
    assert.equal(await page.locator('.offer').count(), 0, 'who has one is not offered another')
    const { credentials } = await device.send('WebAuthn.getCredentials', { authenticatorId })
    assert.deepEqual(credentials.map((each) => [each.rpId, each.isResidentCredential]), [['localhost', true]])
    await assertFine(page, 'my account')
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Keluar' }).click()
    const enter = page.getByRole('button', { name: 'Masuk dengan kunci sandi' })
    await enter.waitFor()
    await assertFine(page, 'log-in')
    await enter.click()
    await page.getByRole('button', { name: 'Akun saya' }).click()
    await dialog.getByText('masuk dengan kunci sandi').waitFor()
    assert.ok((await dialog.innerText()).includes('Chrome, Linux') && !(await dialog.innerText()).includes('belum pernah dipakai'))

    await dialog.getByRole('button', { name: 'Ganti nama: Laptop NOC' }).click()
    await dialog.getByLabel('Nama kunci sandi').first().fill('Kunci di meja')
    await dialog.getByRole('button', { name: 'Simpan' }).click()
    await dialog.getByText('Kunci di meja', { exact: true }).waitFor()
    await dialog.getByRole('button', { name: 'Hapus: Kunci di meja' }).click()
    await dialog.getByText('satu-satunya cara Anda masuk').waitFor()
    await assertFine(page, 'the last passkey')
    await dialog.getByRole('button', { name: 'Ya, hapus' }).click()
    await dialog.getByText('Belum ada kunci sandi.').waitFor()
    await dialog.getByRole('button', { name: 'Keluar' }).click()
    await enter.click()
    await page.getByText('Kunci sandi ini tidak diterima').waitFor()
    await assertFine(page, 'a passkey that is not there any more')
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByText('This passkey is not accepted').waitFor()
    await page.context().close()
  })

test('a person ends another session of his; without passkeys, cancelled, and at the wrong address the page says so', { timeout: 120_000 }, async () => {
  const { page } = await seat()
  await addPasskey(page, 'HP')
  const other = createCookieClient(origin)
  const { body: options } = await other.call<Options>('POST', '/v1/session/passkey/options')
  assert.equal((await other.call('POST', '/v1/session/passkey', await given(page, options))).status, 200)
  await page.reload()
  await page.getByRole('button', { name: 'Akun saya' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: /^Akhiri: / }).click()
  await page.waitForFunction(() => ![...document.querySelectorAll('dialog button')].some((one) => one.textContent === 'Akhiri'))
  assert.equal((await other.call('GET', '/v1/session')).status, 401)
  await dialog.getByRole('button', { name: 'Keluar' }).click()

  await page.evaluate(() => {
    navigator.credentials.get = () => Promise.reject(new DOMException('', 'NotAllowedError'))
  })
  await page.getByRole('button', { name: 'Masuk dengan kunci sandi' }).click()
  await page.getByText('Dibatalkan, atau tidak ada kunci sandi').waitFor()
  await page.goto(`${server.app.url}/console/`)
  await page.getByText('Kunci sandi hanya berlaku di alamat ini').waitFor()
  assert.equal(await page.getByRole('link', { name: origin }).getAttribute('href'), `${origin}/console/`)
  await assertFine(page, 'the wrong address')
  await page.addInitScript(() => delete (window as { PublicKeyCredential?: unknown }).PublicKeyCredential)
  await page.goto(`${origin}/console/`)
  await page.getByText('tidak mendukung kunci sandi').waitFor()
  await page.context().close()
})

/** What the page's browser and device say to these options. */
const given = (page: Page, options: Options): Promise<PasskeyAssertion> => page.evaluate(async (asked) => {
  const credential = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) })
  return (credential as PublicKeyCredential).toJSON() as PasskeyAssertion
}, options)

test('what a real browser gave is taken once: not again, not twice for one ceremony, not late, not of another origin, not of a copied device', { timeout: 120_000 }, async (t) => {
  const elsewhere = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>lain</title>'))
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  t.after(() => elsewhere.close())
  const { page, device, authenticatorId } = await seat()
  await addPasskey(page, 'HP')
  const begun = async (): Promise<{ client: CookieClient; options: Options; cookie: string }> => {
    const client = createCookieClient(origin)
    const { body: options } = await client.call<Options>('POST', '/v1/session/passkey/options')
    return { client, options, cookie: client.cookies.get('kawal_ceremony') ?? '' }
  }
  const bring = async (client: CookieClient, assertion: PasskeyAssertion, cookie?: string): Promise<readonly [number, string | undefined]> => {
    if (cookie !== undefined) client.cookies.set('kawal_ceremony', cookie)
    const { status, body } = await client.call('POST', '/v1/session/passkey', assertion)
    return [status, body.code]
  }
  const { client, options, cookie } = await begun()
  const [first, second] = [await given(page, options), await given(page, options)]
  assert.deepEqual(await bring(client, first), [200, undefined])
  assert.deepEqual(await bring(client, first, cookie), [401, 'ceremony_over'], 'replayed')
  assert.deepEqual(await bring(client, second, cookie), [401, 'ceremony_over'], 'twice for one ceremony')
  const fresh = await begun()
  assert.deepEqual(await bring(fresh.client, first), [401, 'passkey_refused'], 'an answer to another challenge')

  const late = await begun()
  const answer = await given(page, late.options)
  ahead_ms += 5 * minute_ms
  assert.deepEqual(await bring(late.client, answer), [401, 'ceremony_over'], 'late')

  const { credentials: [credential] } = await device.send('WebAuthn.getCredentials', { authenticatorId })
  assert.ok(credential !== undefined)
  await device.send('WebAuthn.removeCredential', { authenticatorId, credentialId: credential.credentialId })
  await device.send('WebAuthn.addCredential', { authenticatorId, credential: { ...credential, signCount: 0 } })
  const copied = await begun()
  assert.deepEqual(await bring(copied.client, await given(page, copied.options)), [401, 'passkey_refused'], 'a copied device')
  await device.send('WebAuthn.removeCredential', { authenticatorId, credentialId: credential.credentialId })
  await device.send('WebAuthn.addCredential', { authenticatorId, credential: { ...credential, signCount: credential.signCount + 10 } })

  // a name has one set of passkeys for all of its ports: the origin is what tells pages apart
  await page.goto(`http://localhost:${(elsewhere.address() as AddressInfo).port}/`)
  const foreign = await begun()
  assert.deepEqual(await bring(foreign.client, await given(page, foreign.options)), [401, 'passkey_refused'], 'another origin')
  const { rows } = await owner.query<{ reason: string }>('SELECT reason FROM audit WHERE reason IS NOT NULL ORDER BY id')
  assert.deepEqual(rows.map(({ reason }) => reason.replace(/"[^"]*"|\d+/g, '')), [
    'not proven: Unexpected authentication response challenge , expected ', 'count  after : the passkey may have been copied', 'not proven: Unexpected authentication response origin , expected ',
  ])
  await page.goto(`${origin}/console/`)
  const well = await begun()
  assert.deepEqual(await bring(well.client, await given(page, well.options)), [200, undefined])
  await page.context().close()
})

test('through a provider on another site and back to what was open, with cookies that never leave ours; who is of nobody here reads so', { timeout: 120_000 }, async () => {
  const { page } = await seat()
  provider.who = { sub: 'u-1', name: 'Citra', groups: ['staf'] }
  await page.goto(`${origin}/console/?tampil=tabel&bahasa=en`)
  await page.getByRole('button', { name: 'Log in through SSO NOC' }).click()
  await page.getByText('you have no access here').first().waitFor()
  assert.equal(page.url(), `${origin}/console/?bahasa=en&tampil=tabel`, 'nothing of the answer stays in the address')
  assert.deepEqual((await page.context().cookies()).filter(({ name }) => name.startsWith('kawal')), [])
  await assertFine(page, 'refused')
  await page.context().clearCookies()
  provider.who = { sub: 'u-2', name: 'Dewi', groups: ['telkomsel'] }
  await page.getByRole('button', { name: 'Log in through SSO NOC' }).click()
  await page.getByRole('button', { name: 'My account' }).waitFor()
  assert.equal(page.url(), `${origin}/console/?bahasa=en&tampil=tabel`)
  assert.deepEqual((await page.context().cookies()).filter(({ name }) => name.startsWith('kawal')).map(({ name, sameSite, httpOnly }) => [name, sameSite, httpOnly]), [['kawal_session', 'Strict', true]])
  await page.reload()
  await page.getByRole('button', { name: 'My account' }).click()
  await page.getByRole('dialog').getByText('logged in through a provider').waitFor()
  assert.ok((await page.getByRole('dialog').innerText()).includes('Dewi'))
  await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('button', { name: 'Log in through SSO NOC' }).waitFor()
  await page.context().close()
})
