import { createHash, X509Certificate } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import pino from 'pino'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { build } from 'vite'
import type { SigmonConfig } from '@kawal/contract/sigmon.ts'
import { startApp } from '@kawal/server/src/app.ts'
import { makeCertificate } from '@kawal/testkit/certificate.ts'
import { startFaultProxy, type FaultProxy } from '@kawal/testkit/fault-proxy.ts'
import { withDatabase } from '@kawal/testkit/postgres.ts'
import { chromiumCommand, launchBrowser } from './browser.ts'

/** What a check tells, as far as tests read it; sigmon/src/check/check.ts has all of it. */
export interface Checked {
  readonly rttMs: number[]
  readonly rttMedianMs: number | null
  readonly timeouts: number
  readonly broken: number
  readonly reconnects: number
  readonly downKbps: number | null
  readonly upKbps: number | null
  readonly upAtMostKbps: number | null
  readonly reach: { readonly internet: string; readonly election: string; readonly platform: string }
  readonly electionStatus: number | null
  readonly electionSeen: string | null
  readonly clockOffsetMs: number | null
  readonly bytes: number
  readonly access: string
  readonly cut: string[]
  readonly verdict: { readonly advice: string; readonly blame: string; readonly reason: string }
  readonly refused: string | null
  /** By the page's own clock. */
  readonly took_ms: number
}

interface Asked {
  readonly kind?: 'check' | 'routine' | 'full-test'
  readonly full?: boolean
  readonly reach?: boolean
  readonly onAccessPoint?: boolean
  readonly daily?: number
  readonly agreed?: boolean
  readonly lastServerTime?: number | null
  readonly deadlineMs?: number
  readonly fullTestBytes?: number
  /** Instead of the configuration's. */
  readonly pings?: number
}

/** A target of which tests choose the answer. */
interface Target { readonly origin: string; answer: { status: number; cors: boolean }; readonly proxy: FaultProxy }

/** One phone's way to the platform and to two targets of its own, each behind a fault proxy of its own. */
export interface Line {
  readonly context: BrowserContext
  readonly page: Page
  readonly platform: FaultProxy
  readonly internet: Target
  readonly election: Target
  /** Runs in the page, through the engine as it is built. Targets that are not given are the line's. */
  run(asked: Asked, targets?: Partial<SigmonConfig['targets']>): Promise<Checked>
  spent(): Promise<{ today: number; election: number }>
  close(): Promise<void>
}

export interface Measuring {
  /** @param where `ill`: a platform whose own watch sees the election server down */
  line(options?: { readonly script?: string; readonly where?: 'well' | 'ill' }): Promise<Line>
  close(): Promise<void>
}

const root = join(import.meta.dirname, '..')

/** The engine as one script, made by the tool that makes the app: what tests drive is what officers get. */
async function engine(): Promise<string> {
  const parts = join(root, 'sigmon/src/check')
  const entry = 'virtual:measuring'
  const output = await build({
    root, configFile: false, logLevel: 'error',
    plugins: [{
      name: 'measuring',
      resolveId: (id) => (id.endsWith(entry) ? `\0${entry}` : null),
      load: (id) => (id === `\0${entry}` ? ['check', 'budget', 'net', 'full-test'].map((part) => `export * from ${JSON.stringify(join(parts, `${part}.ts`))}`).join('\n') : null),
    }],
    build: { write: false, minify: false, target: 'es2020', lib: { entry, formats: ['iife'], name: 'measuring' }, rolldownOptions: { output: { codeSplitting: false } } },
  })
  const [bundle] = Array.isArray(output) ? output : [output]
  const chunk = bundle !== undefined && 'output' in bundle ? bundle.output[0] : undefined
  if (chunk === undefined) throw new Error('Vite built nothing')
  return `${chunk.code};globalThis.measuring = measuring`
}

const listening = (server: Server): Promise<number> => new Promise((done) => server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port)))

async function startTarget(): Promise<Target & { close(): Promise<void> }> {
  const server = createServer((_, reply) => void reply.writeHead(target.answer.status, target.answer.cors ? { 'access-control-allow-origin': '*' } : {}).end())
  const proxy = await startFaultProxy({ to: { host: '127.0.0.1', port: await listening(server) } })
  const target = {
    origin: `http://127.0.0.1:${proxy.port}`, answer: { status: 204, cors: true }, proxy,
    async close() {
      await proxy.close()
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
  return target
}

const config: Omit<SigmonConfig, 'targets'> = {
  version: 1, issuedAt: '2029-01-01T00:00:00Z', validUntil: '2030-01-01T00:00:00Z', keys: [], intervalS: 300, jitterShare: 0.2, spreadS: 60,
  probes: { routine: 3, check: 10, timeoutMs: 8_000, reachEvery: 4 }, fullTestShare: 0,
  budget: { dailyBytes: 5_000_000, checkDownBytes: 150_000, checkUpBytes: 75_000, fullTestBytes: 2_000_000 }, helpLines: [],
}

/**
 * A real server, and a real browser with the engine in a page of the platform. Lines do not disturb each other.
 * With `tls` the platform speaks HTTP/2 over TLS, as it does outside tests.
 */
export async function startMeasuring({ tls = false, ill = false }: { readonly tls?: boolean; readonly ill?: boolean } = {}): Promise<Measuring> {
  const closing: (() => Promise<unknown>)[] = []
  const certificate = tls ? makeCertificate() : null
  const serve = async (status: number): Promise<string> => {
    const kit = await withDatabase()
    closing.push(() => kit.close())
    const watched = await startTarget()
    closing.push(watched.close)
    watched.answer = { status, cors: false }
    const app = await startApp({
      ownerUrl: kit.ownerUrl, appPassword: 'test', clock: Date.now, host: '127.0.0.1', port: 0, rehearsal: true, log: pino({ level: 'error' }, pino.destination(2)),
      targets: { election: watched.origin, internet: null }, ndt: { times: { duration_ms: 2_500, linger_ms: 500, measure_ms: 100 } }, ...(certificate === null ? {} : { tls: certificate }),
    })
    closing.push(() => app.stop())
    return app.url
  }
  const well = await serve(204)
  const down = ill ? await serve(503) : well
  const browser = await (certificate === null ? launchBrowser() : launchTrusting(certificate.cert))
  closing.push(() => browser.close())
  const script = await engine()
  return {
    async line({ script: before = '', where = 'well' } = {}) {
      const url = where === 'well' ? well : down
      if (!tls) await seen(url, where === 'well' ? 'ok' : 'down')
      return openLine(browser, url, `${before};${script}`)
    },
    async close() {
      for (const each of closing.reverse()) await each()
    },
  }
}

/** Told to ignore errors of a certificate, a browser makes each connection twice: this one trusts the key from the start. */
async function launchTrusting(cert: Buffer): Promise<Browser> {
  const { path, args } = await chromiumCommand()
  const key = createHash('sha256').update(new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })).digest('base64')
  return chromium.launch({ executablePath: path, args: [...args, `--ignore-certificate-errors-spki-list=${key}`], headless: true })
}

/** Until the platform's watch has looked; twice, before it says that something is down. */
async function seen(url: string, state: string): Promise<void> {
  for (let left = 400; left > 0; left--) {
    const { election } = (await (await fetch(`${url}/v1/ping`)).json()) as { election: string | null }
    if (election === state) return
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error(`the platform does not see the election server ${state}`)
}

async function openLine(browser: Browser, url: string, script: string): Promise<Line> {
  const [internet, election, platform] = await Promise.all([startTarget(), startTarget(), startFaultProxy({ to: { host: '127.0.0.1', port: Number(new URL(url).port) } })])
  // the page's policy names the installation's targets; these are the line's own
  const context = await browser.newContext({ bypassCSP: true })
  await context.addInitScript(script)
  const page = await context.newPage()
  await page.goto(`${new URL(url).protocol}//127.0.0.1:${platform.port}/healthz`)
  const whole: SigmonConfig = { ...config, targets: { internet: internet.origin, election: election.origin } }
  return {
    context, page, platform, internet, election,
    run: (asked, targets = {}) => page.evaluate(inPage, { asked, config: { ...whole, probes: { ...whole.probes, check: asked.pings ?? whole.probes.check }, budget: { ...whole.budget, fullTestBytes: asked.fullTestBytes ?? whole.budget.fullTestBytes }, targets: { ...whole.targets, ...targets } }, builtAt: Date.now() - 86_400_000 }),
    spent: () => page.evaluate(() => (globalThis as unknown as InPage).budget?.spent() ?? { today: 0, election: 0 }),
    async close() {
      await context.close()
      await Promise.all([platform.close(), internet.close(), election.close()])
    },
  }
}

interface InPage {
  measuring: {
    check(net: unknown, config: unknown, options: unknown, progress: () => void): Promise<Checked>
    routine(net: unknown, config: unknown, options: unknown): Promise<Checked>
    fullTest(net: unknown, config: unknown, options: unknown, progress: () => void): Promise<Checked>
    browserNet(): unknown
    createBudget(rules: unknown, store: unknown): Promise<{ spent(): { today: number; election: number } }>
  }
  budget?: { spent(): { today: number; election: number } }
  daily: number
}

/** Runs in the page; the budget lives as long as the page. */
async function inPage({ asked, config, builtAt }: { asked: Asked; config: SigmonConfig; builtAt: number }): Promise<Checked> {
  const here = globalThis as unknown as InPage
  const { measuring } = here
  here.daily = asked.daily ?? 1e9
  let ledger: unknown = null
  here.budget ??= await measuring.createBudget(
    { daily: () => here.daily, day: () => 'today', restraint: () => null },
    { change: (apply: (held: unknown) => unknown) => Promise.resolve((ledger = apply(ledger))) },
  )
  const options = { onAccessPoint: asked.onAccessPoint ?? false, budget: here.budget, lastServerTime: asked.lastServerTime ?? null, builtAt, full: asked.full ?? false, reach: asked.reach ?? false, agreed: asked.agreed ?? false, ...(asked.deadlineMs === undefined ? {} : { deadlineMs: asked.deadlineMs }) }
  const began = performance.now()
  const net = measuring.browserNet()
  const done = asked.kind === 'routine' ? await measuring.routine(net, config, options)
    : asked.kind === 'full-test' ? await measuring.fullTest(net, config, options, () => {})
    : await measuring.check(net, config, options, () => {})
  return { ...done, took_ms: performance.now() - began }
}
