import { existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { kawal } from './planning.ts'
import { verifyPicture } from './verify-picture.ts'
import { importRegister, startRehearsal } from './watch.ts'

/**
 * `npm run pictures [-- REGISTER | planning | verify]`: the README's pictures, each from a rehearsal, but for the page that verifies. With a folder of
 * registers also the one of East Nusa Tenggara on its real stations; with `planning` or `verify` those alone.
 */
const folder = join(import.meta.dirname, '../docs/pictures')
const desktop = { width: 1440, height: 900 }
const phone = { width: 360, height: 640 }
const found_ms = 170_000
const map_ms = 6_000

async function consolePictures(browser: Browser): Promise<void> {
  const rehearsal = await startRehearsal(['--hours', '2', '--stations', '1200', '--seed', '2'])
  try {
    const context = await browser.newContext({ viewport: desktop, locale: 'id-ID' })
    const page = await context.newPage()
    await page.goto(rehearsal.console)
    await openFirst(page)
    await page.locator('.timeline').getByText('diterima').first().waitFor({ timeout: 60_000 })
    await picture(page, 'console-id')
    const english = await context.newPage()
    await english.goto(withParameter(page.url(), 'bahasa', 'en'))
    await english.locator('#queue .card.confirmed').first().waitFor()
    await picture(english, 'console-en')
    await english.close()
    const small = await context.newPage()
    await small.setViewportSize(phone)
    await small.goto(page.url())
    await small.locator('#queue .card.confirmed').first().waitFor({ state: 'attached' })
    await picture(small, 'console-phone')
    await small.close()
    await page.locator('.timeline').getByText('ditutup oleh pengukuran').first().waitFor({ timeout: 120_000 })
    await page.locator('.timeline').getByText('ditutup oleh pengukuran').first().scrollIntoViewIfNeeded()
    await picture(page, 'console-closed')
  } finally {
    await rehearsal.stop()
  }
}

/** At the speed of the clock on the wall: against a day that runs faster each phone's clock is wrong, and Sigmon says so. */
async function sigmonPictures(browser: Browser): Promise<void> {
  const rehearsal = await startRehearsal(['--hours', '2', '--stations', '60', '--seed', '2', '--speed', '1'])
  try {
    for (const language of ['id', 'en']) await sigmonPicture(browser, withParameter(rehearsal.sigmon, 'bahasa', language), language)
  } finally {
    await rehearsal.stop()
  }
}

/** An officer's phone: enrolled, after one check; where to go; on duty. */
async function sigmonPicture(browser: Browser, address: string, language: string): Promise<void> {
  const context = await browser.newContext({ viewport: phone, locale: language === 'id' ? 'id-ID' : 'en-GB' })
  const page = await context.newPage()
  await page.goto(address)
  await page.locator('form button').click()
  await page.locator('[aria-labelledby=sim] button').first().click()
  await page.locator('button.big').click()
  await page.locator('.verdict').waitFor({ timeout: 30_000 })
  await page.locator('[data-count=sent]').getByText('1', { exact: true }).waitFor()
  await picture(page, `sigmon-${language}`)
  if (language === 'id') for (const [part, name] of [['sinyal', 'signal'], ['tugas', 'duty'], ['panduan/1', 'guide']] as const) {
    await page.evaluate((to) => (location.hash = `#/${to}`), part)
    await page.locator('h1').waitFor()
    if (name === 'duty') {
      await page.getByRole('button', { name: 'Mulai tugas' }).click()
      await page.getByText(/^Laporan berikutnya/).waitFor()
    }
    await picture(page, `sigmon-${name}`)
  }
  await context.close()
}

async function nusaTenggara(browser: Browser, register: string): Promise<void> {
  const rehearsal = await startRehearsal(['--province', '53', '--hours', '3', '--seed', '1'], importRegister(register))
  try {
    const page = await (await browser.newContext({ viewport: desktop, locale: 'id-ID' })).newPage()
    await page.goto(rehearsal.console)
    await openFirst(page)
    await page.locator('.timeline').getByText('diterima').first().waitFor({ timeout: 60_000 })
    await picture(page, 'nusa-tenggara')
  } finally {
    await rehearsal.stop()
  }
}

/** KPU's room before the day, on the plan that a rehearsal makes up. */
async function planningPictures(browser: Browser): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'kawal-pictures-'))
  const rehearsal = await startRehearsal(['--hours', '1', '--stations', '1200', '--seed', '2'], data)
  try {
    const { link } = JSON.parse(kawal(data, 'org', 'link', 'kpu', '--url', rehearsal.origin, '--json')) as { link: string }
    const page = await (await browser.newContext({ viewport: desktop, locale: 'id-ID' })).newPage()
    await page.goto(link)
    await page.locator('table.stations tbody tr').first().waitFor()
    const shoot = async (query: string, ready: string, name: string): Promise<void> => {
      await page.goto(`${rehearsal.origin}/console/?ruang=perencanaan&${query}`)
      await page.locator(ready).first().waitFor()
      // a map without a graphics card takes its time
      if (await page.locator('.map').count() > 0) await page.locator('[data-mode]').waitFor({ state: 'attached', timeout: 30_000 }).then(() => page.waitForTimeout(map_ms))
      await picture(page, `planning-${name}`)
    }
    await shoot('layar=kesiapan&wilayah=75', 'table.stations tbody tr', 'readiness-id')
    const station = await page.locator('table.stations tbody tr .mono').first().innerText()
    await shoot('layar=kesiapan&wilayah=75&bahasa=en', 'table.stations tbody tr', 'readiness-en')
    await shoot(`layar=tps&tps=${station}`, '.ladder li', 'station-id')
    await shoot('layar=peta-jangkauan&operator=telkomsel&teknologi=lte&wilayah=75', '.steps', 'atlas-id')
    await shoot('layar=lokasi&wilayah=75', 'table tbody tr', 'siting-id')
    await shoot('layar=kampanye&wilayah=75', '[data-row]', 'campaign-id')
    await shoot('cetak=7501', '.sheet footer', 'sheet-id')
    await page.setViewportSize(phone)
    await shoot(`layar=tps&tps=${station}`, '.ladder li', 'phone-id')
  } finally {
    await rehearsal.stop()
  }
}

async function openFirst(page: Page): Promise<void> {
  await page.locator('#queue .card.confirmed').first().waitFor({ timeout: found_ms })
  await page.locator('#queue .card.confirmed').first().click()
}

function withParameter(address: string, name: string, value: string): string {
  const url = new URL(address)
  url.searchParams.set(name, value)
  return url.href
}

/** Taken when the map has drawn what it has. */
async function picture(page: Page, name: string): Promise<void> {
  await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => undefined)
  await page.screenshot({ path: join(folder, `${name}.png`) })
  process.stderr.write(`docs/pictures/${name}.png\n`)
}

const only = ['planning', 'verify'].find((each) => each === process.argv[2])
const register = only === undefined ? process.argv[2] : undefined
if (register !== undefined && !existsSync(register)) throw new Error(`${register} is not there: give a folder of registers`)
mkdirSync(folder, { recursive: true })
const browser = await launchBrowser()
try {
  if (only === undefined) {
    await consolePictures(browser)
    await sigmonPictures(browser)
  }
  if (only !== 'verify') await planningPictures(browser)
  if (only !== 'planning') await verifyPicture(browser, picture)
  if (register !== undefined) await nusaTenggara(browser, register)
} finally {
  await browser.close()
}
