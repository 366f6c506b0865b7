import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { formatPolicy, logAlone } from '@kawal/core/ledger/policy.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { verifyPage } from '@kawal/server/src/ledger/page.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { proofOf, signing } from '@kawal/testkit/proofs.ts'
import { recapPhone } from '@kawal/testkit/recap-phone.ts'
import { storedReports } from '@kawal/testkit/reports.ts'
import { withServer } from '@kawal/testkit/server.ts'
import { letterOf, seed } from './engine.ts'
import { startFront } from './front.ts'
import { unpackOldEngine } from './old-engine.ts'
import { openPhone, type Phone } from './phone.ts'

/** Null, with the reason told, where this browser cannot run. */
async function openOldPhone(skip: (why: string) => void): Promise<(Phone & { remove(): void }) | null> {
  const engine = unpackOldEngine()
  for (const libraries of [{}, { libraries: engine.libraries ?? '' }]) {
    const { path, args } = engine
    const phone = await openPhone({ path, args, ...libraries }).catch((error: unknown) => {
      skip(`the Chromium of 2021 does not run here: ${String(error)}`)
      return null
    })
    if (phone !== null) return { ...phone, remove: engine.remove }
  }
  engine.remove()
  return null
}

test('on a browser of 2021 an officer enrols, checks, loses the network, opens the app without one, and everything goes out once', { timeout: 120_000 }, async (t) => {
  const reasons: string[] = []
  const phone = await openOldPhone((why) => reasons.push(why))
  if (phone === null) {
    console.error(reasons.join('\n'))
    return t.skip(reasons.join('; '))
  }
  const server = await withServer(Date.now, seed)
  const front = await startFront(server.app.url)
  t.after(async () => {
    await phone.close()
    phone.remove()
    await front.close()
    await server.close()
  })
  const dist = process.env['SIGMON_DIST']
  if (dist !== undefined) front.serve(dist)
  const page = await phone.context().newPage()
  const thrown: string[] = []
  page.on('pageerror', (error) => thrown.push(error.stack ?? error.message))
  await page.goto(`${front.origin}/sigmon/`)
  assert.match(await page.evaluate(() => navigator.userAgent), /Chrome\/92\./)

  const station = planned.stations[0] ?? ''
  await fill(page, '#station', station)
  await fill(page, '#letter', letterOf(server, station))
  await press(page, 'Daftar')
  await press(page, 'Periksa jaringan')
  await shows(page, 'b', 'KIRIM')
  await shows(page, '[data-count=sent]', '1')

  for (const screen of ['tugas', 'sinyal', 'lainnya', 'tps', 'data', 'lapor', 'panduan', 'baterai', '']) {
    await page.evaluate((hash) => void (location.hash = `#/${hash}`), screen)
    await poll(page, `the screen ${screen}`, () => page.evaluate(() => document.querySelector('h1') !== null))
  }
  await page.evaluate(() => void (location.hash = '#/rekap'))
  // What records, and verifies receipts, is loaded with that screen.
  await poll(page, 'the part that records', () => page.evaluate(() => document.body.textContent?.includes('Catat angka dari formulir') === true))
  await page.evaluate(() => void (location.hash = '#/'))
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
  front.set('down')
  await press(page, 'Periksa jaringan')
  await shows(page, '[data-count=waiting]', '1')
  await page.reload()
  await shows(page, '[data-count=waiting]', '1')
  front.set('pass')
  await page.evaluate(() => void (location.hash = '#/tugas'))
  await press(page, 'Kirim sekarang')
  await shows(page, '[data-count=sent]', '2')
  assert.equal((await storedReports(server.app.database)).length, 2)
  await verifies(page, station)
  assert.deepEqual(thrown, [])
})

/** Playwright's own actions need a browser of 2022 (checkVisibility): these ask no more than the page does. */
const shown_ms_max = 30_000

async function poll(page: Page, what: string, ready: () => Promise<boolean>): Promise<void> {
  for (const until = Date.now() + shown_ms_max; !(await ready()); await pause(50))
    if (Date.now() > until) throw new Error(`${what} did not come; the page says: ${await page.evaluate(() => document.body.innerText)}`)
}

const press = (page: Page, name: string): Promise<void> => poll(page, `the button ${name}`, () => page.evaluate((wanted) => {
  const button = [...document.querySelectorAll('button')].find((each) => each.innerText.trim() === wanted && !each.disabled)
  button?.click()
  return button !== undefined
}, name))

const shows = (page: Page, where: string, text: string): Promise<void> => poll(page, `${text} in ${where}`, () =>
  page.evaluate(([selector, wanted]) => [...document.querySelectorAll<HTMLElement>(selector)].some((each) => each.innerText.trim() === wanted), [where, text] as const))

const fill = (page: Page, where: string, text: string): Promise<void> => poll(page, where, () => page.evaluate(([selector, value]) => {
  const field = document.querySelector<HTMLInputElement>(selector)
  if (field === null) return false
  field.focus()
  field.value = value
  return field.dispatchEvent(new Event('input', { bubbles: true }))
}, [where, text] as const))

/** The page that verifies receipts, from a file: of both kinds of key, by an implementation that this browser does not have. */
async function verifies(page: Page, station: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-page-'))
  const [log, file] = [signing('kawal.example/ledger'), join(folder, 'periksa.html')]
  writeFileSync(file, verifyPage(formatPolicy(logAlone(log.key)))?.html ?? assert.fail('verify/dist is missing: node tools/setup.mjs builds it'))
  try {
    const holding = (): Promise<string[]> => page.evaluate(() => [...document.querySelectorAll('[data-step][data-state=holds]')].map((each) => each.getAttribute('data-step') ?? ''))
    for (const algorithm of ['ES256', 'EdDSA'] as const) {
      const phone = await recapPhone(station, algorithm)
      const record = await phone.record()
      const proof = await proofOf([writeEntry({ kind: 'recap', envelope: record })], 0, log)
      await page.goto('about:blank')
      await page.goto(`${pathToFileURL(file).href}#rekap=${record.toString('base64url')}&kunci=${phone.publicKey.toString('base64url')}&bukti=${Buffer.from(proof).toString('base64url')}`)
      await poll(page, `the steps of ${algorithm}`, async () => (await holding()).length > 0)
      assert.deepEqual(await holding(), ['record', 'signature', 'form', 'sums', 'previous', 'proof', 'log', 'inclusion'])
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
