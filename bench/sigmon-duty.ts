import type { Page } from 'playwright-core'
import { chromium as playwright } from 'playwright-core'
import pg from 'pg'
import pino from 'pino'
import { chromiumCommand } from '../e2e/browser.ts'
import { startApp } from '@kawal/server/src/app.ts'
import { stationCode } from '@kawal/server/src/measurement/enrolment.ts'
import { loadSynthetic } from '@kawal/server/src/register/synthetic.ts'
import { makeCertificate } from '@kawal/testkit/certificate.ts'
import { startFaultProxy } from '@kawal/testkit/fault-proxy.ts'
import { withDatabase } from '@kawal/testkit/postgres.ts'

const hours = 12
const step_ms = 10_000
/** So long without a request, and the page waits for its clock; and so long does it take to begin one. */
const quiet_ms = 40
const begin_ms = 6
const began = Date.UTC(2029, 1, 14, 0)

/**
 * The real app in a real browser, on duty for twelve hours of a clock that is turned by hand, over TLS and
 * HTTP/2 through a proxy that counts every byte of both directions at the phone's socket: handshakes, headers,
 * probes, reports and receipts. Without TCP's and IP's own headers.
 */
export async function dutyBytes(): Promise<{ check_bytes: number; duty_12h_bytes: number; duty_reports: number; duty_connections: number }> {
  const kit = await withDatabase()
  const owner = new pg.Pool({ connectionString: kit.ownerUrl, max: 2 })
  let now = began
  const real = performance.now()
  const clock = (): number => Math.round(now + performance.now() - real)
  await loadSynthetic(owner, '75', 1)
  const { rows: [row] } = await owner.query<{ code: string }>('SELECT code FROM station_now ORDER BY code LIMIT 1')
  const station = row?.code ?? ''
  const app = await startApp({ ownerUrl: kit.ownerUrl, appPassword: 'test', clock, host: '127.0.0.1', port: 0, rehearsal: true, log: pino({ level: 'error' }, pino.destination(2)), tls: makeCertificate() })
  const proxy = await startFaultProxy({ to: { host: '127.0.0.1', port: Number(new URL(app.url).port) } })
  const { path, args } = await chromiumCommand()
  const browser = await playwright.launch({ executablePath: path, args: [...args, '--ignore-certificate-errors'], headless: true })
  const sum = (): number => proxy.bytes().up + proxy.bytes().down
  try {
    const context = await browser.newContext({ viewport: { width: 360, height: 640 }, locale: 'id-ID', ignoreHTTPSErrors: true })
    const page = await context.newPage()
    const quiet = watch(page)
    await page.addInitScript(handClock, clock())
    await page.goto(`https://127.0.0.1:${proxy.port}/sigmon/?tps=${station}&kode=${encodeURIComponent(stationCode(app.secret, station))}`)
    await page.getByRole('button', { name: 'Daftar', exact: true }).click()
    await page.getByRole('button', { name: 'Periksa jaringan' }).waitFor()
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
    await page.getByRole('button', { name: 'Telkomsel' }).click()
    await quiet()
    proxy.resetBytes()
    await page.getByRole('button', { name: 'Periksa jaringan' }).click()
    await page.locator('.verdict b').waitFor()
    await quiet()
    const check_bytes = sum()
    const before = await count(owner)
    const opened = proxy.accepted()
    await page.goto(`https://127.0.0.1:${proxy.port}/sigmon/#/tugas`)
    proxy.resetBytes()
    await page.getByRole('button', { name: 'Mulai tugas' }).click()
    await quiet()
    for (let passed_ms = 0; passed_ms < hours * 3_600_000; passed_ms += step_ms) {
      now += step_ms
      await page.evaluate((ms) => (globalThis as unknown as { turn(ms: number): void }).turn(ms), step_ms)
      await quiet(begin_ms)
      if (passed_ms % 3_600_000 === 0) process.stderr.write(`duty: hour ${passed_ms / 3_600_000}, ${sum()} bytes\n`)
    }
    return { check_bytes, duty_12h_bytes: sum(), duty_reports: (await count(owner)) - before, duty_connections: proxy.accepted() - opened }
  } finally {
    await browser.close()
    await proxy.close()
    await app.stop()
    await owner.end()
    await kit.close()
  }
}

/**
 * Runs in the page before everything: a clock that `turn` moves on, and timers of half a minute or more that wait
 * for it. What a request takes, and how long it may, goes by the real one.
 */
function handClock(startAt: number): void {
  const own = { Date, setTimeout: globalThis.setTimeout.bind(globalThis), clearTimeout: globalThis.clearTimeout.bind(globalThis) }
  const waiting = new Map<number, { readonly at: number; readonly run: () => void }>()
  let ahead = startAt - own.Date.now()
  let last = 1e9
  const now = (): number => own.Date.now() + ahead
  globalThis.Date = class extends own.Date {
    constructor(...given: unknown[]) {
      super(...((given.length > 0 ? given : [now()]) as [number]))
    }
    static override now(): number {
      return now()
    }
  } as DateConstructor
  globalThis.setTimeout = ((run: () => void, ms = 0, ...rest: unknown[]) => {
    if (ms < 25_000) return own.setTimeout(run, ms, ...rest)
    waiting.set(++last, { at: now() + ms, run })
    return last
  }) as unknown as typeof setTimeout
  globalThis.clearTimeout = ((id: number) => (waiting.delete(id) ? undefined : own.clearTimeout(id))) as typeof clearTimeout
  Object.assign(globalThis, {
    turn(ms: number) {
      ahead += ms
      for (const [id, { at, run }] of [...waiting].sort(([, a], [, b]) => a.at - b.at)) if (at <= now() && waiting.delete(id)) run()
    },
  })
}

const count = async (owner: pg.Pool): Promise<number> => Number((await owner.query<{ count: string }>('SELECT sum(reports) AS count FROM segment')).rows[0]?.count ?? 0)

/** Resolves when the page has asked for nothing for a while, and waits for no answer. */
function watch(page: Page): (begin_ms?: number) => Promise<void> {
  let open = 0
  let lastAt = performance.now()
  const change = (by: number) => (): void => {
    open += by
    lastAt = performance.now()
  }
  page.on('request', change(1))
  page.on('requestfinished', change(-1))
  page.on('requestfailed', change(-1))
  return async (begin_ms = quiet_ms) => {
    const asked = performance.now()
    while (open === 0 && lastAt < asked && performance.now() - asked < begin_ms) await new Promise((resolve) => setTimeout(resolve, 2))
    if (open === 0 && lastAt < asked) return
    while (open > 0 || performance.now() - lastAt < quiet_ms) await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
