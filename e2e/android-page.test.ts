import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import type { Browser, Page } from 'playwright-core'
import { system } from '@kawal/server/src/adapters/postgres/database.ts'
import { readPackage } from '@kawal/server/src/android/package.ts'
import { permissionPurposes } from '@kawal/server/src/android/permissions.ts'
import { androidHandOut } from '@kawal/server/src/android/routes.ts'
import { publish } from '@kawal/server/src/android/store.ts'
import { writeAct } from '@kawal/server/src/organisation/audit-store.ts'
import { packageSigner, signedPackage } from '@kawal/testkit/android-package.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { launchBrowser } from './browser.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const pictures = process.env['ANDROID_PICTURES']

let kit: TestDatabase
let app: FastifyInstance
let browser: Browser
let url: string
/** What the page tells the console as an error. */
const refused: string[] = []
before(async () => {
  kit = await withDatabase()
  app = fastify()
  androidHandOut({ database: kit.database, publicUrl: 'https://kawal.example' }).routes(app)
  app.get('/sigmon/icon.svg', (_, reply) => reply.type('image/svg+xml').send(readFileSync(join(import.meta.dirname, '../sigmon/public/icon.svg'))))
  url = await app.listen({ host: '127.0.0.1', port: 0 })
  browser = await launchBrowser()
})
after(async () => {
  await browser.close()
  await app.close()
  await kit.close()
})

/** The page as somebody sees it; what its policy refuses is a fault. */
async function opened(width: number, path: string, scheme: 'light' | 'dark', text = 100): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width, height: 740 }, colorScheme: scheme, locale: 'id-ID', bypassCSP: text !== 100 })).newPage()
  page.on('console', (message) => void (message.type() === 'error' && refused.push(message.text())))
  await page.goto(url + path)
  if (text !== 100) await page.addStyleTag({ content: `:root { font-size: ${text}% !important }` })
  return page
}

async function sound(page: Page, name: string): Promise<void> {
  const wide = await page.evaluate(() => [...document.querySelectorAll('body *')].filter((each) => each.getBoundingClientRect().right > innerWidth + 1).map((each) => `${each.tagName} ${each.textContent?.slice(0, 30)}`))
  assert.deepEqual(wide, [], `${name}: wider than the screen`)
  // By the protocol, not by the page: its policy runs no script.
  const found = await page.evaluate(`(async () => { ${axe}; return (await axe.run()).violations.map((each) => each.id + ': ' + each.nodes.map((node) => node.target).join()) })()`)
  assert.deepEqual([found, refused], [[], []], name)
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `android-${name}.png`), fullPage: true })
  await page.context().close()
}

test('where nothing is handed out the page leads to the app in the browser', async () => {
  const page = await opened(360, '/android/', 'light')
  assert.equal(await page.getByRole('link', { name: 'Buka Sigmon di browser' }).getAttribute('href'), '/sigmon/')
  await sound(page, 'none-id')
})

test('the page of installation: three pictures, all that is asked for, in both languages, on a small phone and a large screen, by day and night, with large letters', async () => {
  const bytes = signedPackage(packageSigner(), { versionCode: 12, versionName: '1.2.0', permissions: Object.keys(permissionPurposes) })
  const found = readPackage(bytes)
  assert.ok(found.ok)
  const act = await writeAct(kit.database, { at: Date.now(), actor: { ...system, name: null }, address: null, method: 'CLI', path: 'android publish', subject: null, reason: null, request: null })
  assert.ok((await publish(kit.database, found.value, bytes, { at: Date.UTC(2029, 0, 14, 2), act: act.id, isNewKey: false })).ok)
  const page = await opened(360, '/android/', 'light')
  assert.equal(await page.getByRole('img').count(), 3)
  const named = (await page.locator('dl').first().locator('code').allTextContents()).join(', ').split(', ')
  assert.deepEqual(named.sort(), Object.keys(permissionPurposes).map((name) => name.replace('android.permission.', '')).sort())
  // The policy lets the page's own style in: without it the button has no colour.
  assert.equal(await page.getByRole('link', { name: 'Unduh Sigmon' }).evaluate((each) => getComputedStyle(each).backgroundColor), 'rgb(11, 61, 107)')
  await sound(page, 'phone-id')
  for (const [width, path, scheme, text, name] of [[360, '/android/?lang=en', 'dark', 100, 'phone-dark-en'], [360, '/android/', 'light', 200, 'phone-200-id'], [1280, '/android/', 'dark', 100, 'desktop-dark-id'], [1280, '/android/?lang=en', 'light', 100, 'desktop-en']] as const) await sound(await opened(width, path, scheme, text), name)
  const switching = await opened(360, '/android/', 'light')
  await switching.getByRole('link', { name: 'English' }).click()
  assert.equal(await switching.title(), 'Sigmon for Android')
  const [download] = await Promise.all([switching.waitForEvent('download'), switching.getByRole('link', { name: 'Download Sigmon' }).click()])
  assert.deepEqual([download.suggestedFilename(), readFileSync(await download.path()).equals(bytes)], ['sigmon-12.apk', true])
})
