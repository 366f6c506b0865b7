import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { startRehearsal } from './watch.ts'

/** `npm run pictures`: the README's pictures, from a rehearsal of this seed. */
const folder = join(import.meta.dirname, '../docs/pictures')
const desktop = { width: 1440, height: 900 }
const phone = { width: 360, height: 640 }

mkdirSync(folder, { recursive: true })
const rehearsal = await startRehearsal(['--hours', '2', '--stations', '1200', '--seed', '2'])
const browser = await launchBrowser()
try {
  const context = await browser.newContext({ viewport: desktop, locale: 'id-ID' })
  const page = await context.newPage()
  await page.goto(rehearsal.console)
  await page.locator('#queue .card').first().waitFor({ timeout: 170_000 })
  await page.locator('#queue .card').first().click()
  await page.locator('.timeline').getByText('diterima').first().waitFor({ timeout: 60_000 })
  await picture(page, 'console-id')
  const english = await context.newPage()
  await english.goto(withParameter(page.url(), 'bahasa', 'en'))
  await english.locator('#queue .card').first().waitFor()
  await picture(english, 'console-en')
  const small = await context.newPage()
  await small.setViewportSize(phone)
  await small.goto(page.url())
  await small.locator('#queue .card').first().waitFor({ state: 'attached' })
  await picture(small, 'console-phone')
  await sigmon()
  await page.locator('.timeline').getByText('ditutup oleh pengukuran').first().waitFor({ timeout: 120_000 })
  await picture(page, 'console-closed')
} finally {
  await browser.close()
  await rehearsal.stop()
}

async function sigmon(): Promise<void> {
  for (const language of ['id', 'en']) {
    const context = await browser.newContext({ viewport: phone, locale: language === 'id' ? 'id-ID' : 'en-GB' })
    const page = await context.newPage()
    await page.goto(withParameter(rehearsal.sigmon, 'bahasa', language))
    await page.getByRole('button').first().waitFor()
    await picture(page, `sigmon-${language}`)
    await context.close()
  }
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
