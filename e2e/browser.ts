import chromium from '@sparticuz/chromium'
import { chromium as playwright, type Browser } from 'playwright-core'

/** One process for all dies with its first context; the origin rules stay on as in a real browser. */
const refused = new Set(['--single-process', '--disable-web-security'])
/** There is no graphics card here: a page is painted without the emulation of one, which took a quarter of the time. WebGL has it still. */
const in_software = '--disable-gpu-compositing'

/** How the Chromium of the npm package is started. */
export async function chromiumCommand(): Promise<{ readonly path: string; readonly args: readonly string[] }> {
  return { path: await chromium.executablePath(), args: chromium.args.filter((flag) => !refused.has(flag)) }
}

/** A real Chromium, from an npm package. Now and then it dies of itself while it starts: then once more. */
export async function launchBrowser(): Promise<Browser> {
  const { path, args } = await chromiumCommand()
  const launch = (): Promise<Browser> => playwright.launch({ executablePath: path, args: [...args, in_software], headless: true })
  return launch().catch(launch)
}
