import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'

/** How Sigmon opens: its first script, its start on a slow processor, and what Lighthouse says of it. */

const starts = 5
const throttle = 6

/** The scripts that the page names, and all that these import at once; bytes as sent, gzipped. */
export function initialBytes(dist: string): number {
  const html = readFileSync(join(dist, 'index.html'), 'utf8')
  const scripts = new Set([...html.matchAll(/(?:src|href)="\/?(?:sigmon\/)?([^"]+\.js)"/g)].map((match) => join(dist, match[1] ?? '')))
  for (const script of scripts) for (const [, next] of readFileSync(script, 'utf8').matchAll(/\b(?:from|import)\s*["'](\.[^"']+)["']/g)) scripts.add(join(dirname(script), next ?? ''))
  return [...scripts].reduce((sum, script) => sum + gzipSync(readFileSync(script), { level: 9 }).length, 0)
}

/**
 * From the start of the navigation until the first screen can be used, with the processor slowed sixfold and
 * nothing kept from before; the median of five starts.
 * @returns milliseconds
 */
export async function startMs(browser: Browser, url: string): Promise<number> {
  const took: number[] = []
  for (let start = 0; start < starts; start++) {
    const context = await browser.newContext({ viewport: { width: 360, height: 640 }, locale: 'id-ID' })
    try {
      const page = await context.newPage()
      const session = await context.newCDPSession(page)
      await session.send('Emulation.setCPUThrottlingRate', { rate: throttle })
      await page.addInitScript(() => {
        const seen = new MutationObserver(() => {
          if (document.querySelector('#app form button') === null) return
          seen.disconnect()
          // The frame in which it is drawn, and not the moment at which it is in the document.
          requestAnimationFrame(() => setTimeout(() => ((globalThis as { usable?: number }).usable = performance.now())))
        })
        seen.observe(document, { childList: true, subtree: true })
      })
      await page.goto(url)
      took.push(await page.waitForFunction(() => (globalThis as { usable?: number }).usable).then((handle) => handle.jsonValue() as Promise<number>))
    } finally {
      await context.close()
    }
  }
  return Math.round(took.sort((a, b) => a - b)[starts >> 1] ?? Infinity)
}

const categories = { lighthouse_performance: 'performance', lighthouse_accessibility: 'accessibility', lighthouse_best_practices: 'best-practices' } as const

/** Lighthouse's own mobile run: slow 4G and a processor slowed fourfold, simulated. The median of three for performance. */
export async function lighthouseScores(url: string, port: number): Promise<Record<keyof typeof categories, number>> {
  const { default: lighthouse } = await import('lighthouse')
  const runs: Record<string, number>[] = []
  for (let run = 0; run < 3; run++) {
    const result = await lighthouse(url, { port, output: 'json', logLevel: 'error', onlyCategories: Object.values(categories) })
    if (result === undefined) throw new Error('Lighthouse gave no result')
    if (result.lhr.runtimeError !== undefined) throw new Error(`Lighthouse: ${result.lhr.runtimeError.message}`)
    runs.push(Object.fromEntries(Object.entries(categories).map(([key, name]) => [key, Math.round((result.lhr.categories[name]?.score ?? 0) * 100)])))
    for (const [id, audit] of Object.entries(result.lhr.audits)) if (run === 0 && audit.score !== null && audit.score < 0.9) process.stderr.write(`  lighthouse ${id}: ${audit.score} ${audit.displayValue ?? ''}\n`)
  }
  const middle = (key: string): number => runs.map((each) => each[key] ?? 0).sort((a, b) => a - b)[1] ?? 0
  return { lighthouse_performance: middle('lighthouse_performance'), lighthouse_accessibility: middle('lighthouse_accessibility'), lighthouse_best_practices: middle('lighthouse_best_practices') }
}
