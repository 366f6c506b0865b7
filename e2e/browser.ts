import chromium from '@sparticuz/chromium'
import { chromium as playwright, type Browser } from 'playwright-core'

/** One process for all dies with its first context; the origin rules stay on as in a real browser. */
const refused = new Set(['--single-process', '--disable-web-security'])

/** A real Chromium, from an npm package. */
export async function launchBrowser(): Promise<Browser> {
  return playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args.filter((flag) => !refused.has(flag)), headless: true })
}
