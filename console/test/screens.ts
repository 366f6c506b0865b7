import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import chromium from '@sparticuz/chromium'
import { chromium as playwright, type Page } from 'playwright-core'
import { openSite } from './site.ts'

export const desktop = { width: 1440, height: 900 }
export const phone = { width: 360, height: 640 }
const pictures = process.env['CONSOLE_PICTURES']
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** One process for all dies with its first context; the origin rules stay on as in a real browser. */
const refused = new Set(['--single-process', '--disable-web-security'])
/** There is no graphics card here: a page is painted without the emulation of one, which took a quarter of the time. WebGL has it still. */
const in_software = '--disable-gpu-compositing'

/** The console of the fixture in a real browser. */
export async function openScreens() {
  const site = await openSite()
  const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: [...chromium.args.filter((flag) => !refused.has(flag)), in_software], headless: true })
  return {
    site,
    browser,
    /** Logged in, at an address that goes on with the query. */
    async open(query: string, viewport: { width: number; height: number }): Promise<Page> {
      const context = await browser.newContext({ viewport, locale: 'id-ID' })
      const page = await context.newPage()
      page.on('pageerror', (error) => assert.fail(`the page threw: ${error.message}`))
      await page.goto(`${site.address}?masuk=benar${query}`)
      await page.locator('.card').first().or(page.locator('.empty').first()).waitFor({ state: 'attached' })
      return page
    },
    async close(): Promise<void> {
      await browser.close()
      await site.close()
    },
  }
}
export type Screens = Awaited<ReturnType<typeof openScreens>>

/** With CONSOLE_PICTURES=PREFIX the screens are kept as PREFIX-NAME.png. */
export async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: `${pictures}-${name}.png` })
}

export async function assertAxe(page: Page, screen: string): Promise<void> {
  await page.evaluate(axe)
  const found = await page.evaluate(async () => {
    const run = (window as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } }).axe
    return (await run.run()).violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`).join(' | ')}`)
  })
  assert.deepEqual(found, [], screen)
}

/** How much wider the page is than its window, CSS pixels. */
export const overflowOf = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
