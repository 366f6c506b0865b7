import { rmSync } from 'node:fs'
import pg from 'pg'
import type { BrowserContext, Page } from 'playwright-core'
import type { Side } from '@kawal/core/recap/slot.ts'
import { formatLetterCode } from '@kawal/core/measurement/letter.ts'
import { stationCode } from '@kawal/server/src/measurement/enrolment.ts'
import type { RecapSettings } from '@kawal/server/src/recap/open.ts'
import { settingsDefaults } from '@kawal/server/src/sigmon/settings.ts'
import { seedPlan } from '@kawal/testkit/plan.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { startFront, type Front } from './front.ts'
import { buildEngine, openPhone, type Phone } from './phone.ts'

/** What of Sigmon's session is used here. */
interface EngineSession {
  state(): EngineState
  enrol(station: string, code: string): Promise<string | null>
  prepare(district: string): Promise<boolean>
  sendNow(): Promise<void>
  startDuty(): Promise<void>
  endDuty(): Promise<void>
  takeUpdate(): void
  exportFile(): Promise<Blob>
  choose(choice: { readonly metered?: boolean; readonly bars?: number | null }): Promise<void>
  reportProblem(kind: string, text: string): Promise<void>
  answerProblem(id: string, word: 'fixed' | 'still'): Promise<void>
  recaps(): Promise<EngineRecaps>
}
/** What of its recaps. */
interface EngineRecaps {
  sign(filled: object): Promise<{ readonly hash: string } | string>
  all(): Promise<readonly EngineRecap[]>
  linkOf(recap: EngineRecap): Promise<string>
  adopt(carried: { readonly bytes: Uint8Array; readonly key: string | null }): Promise<EngineRecap | null>
  readonly sender: { trigger(why: string): Promise<void>; state(): { readonly status: number } | null }
}
interface EngineRecap {
  readonly hash: string
  readonly bytes: Uint8Array
  readonly photos: readonly { readonly size_bytes: number; readonly offset: number }[]
  readonly isListKept: boolean
  readonly receipt: string | null
  readonly isProven: boolean
  readonly said: { readonly state: string } | null
  readonly refusal: string | null
  readonly custody?: readonly { readonly receipt: string; readonly sent: Readonly<Record<string, number>> }[]
  readonly witnessed?: { readonly text: string; readonly by: readonly { readonly name: string; readonly at_s: number }[] }
  readonly delivery?: string
}
interface EngineState {
  readonly ready: boolean
  readonly counts: { readonly waiting: number; readonly sent: number; readonly refused: number; readonly thinned: number }
  readonly storage: string
  readonly update: boolean
  readonly metered: boolean
  readonly checkWanted: boolean
  readonly fullTest: { readonly upKbps: number | null; readonly bytes: number; readonly refused: string | null }
  readonly check: { readonly at: number | null; readonly result: { readonly downKbps: number | null } | null }
  readonly own: { readonly open: boolean; readonly best: string | null } | null
  readonly problems: readonly { readonly id: string; readonly ticket: string; readonly status: string; readonly text: string; readonly answer: string | null }[]
  readonly refusal: string | null
  readonly duty: { readonly on: boolean; readonly nextDueAt: number | null }
  readonly identity: { readonly provisional: boolean; readonly role: Side; readonly station: { readonly village: string; readonly code: string } } | null
  readonly sending: { readonly status: number; readonly retryAt: number } | null
}
export interface EngineWindow {
  readonly version: string
  readonly session: EngineSession
  checks(first: number, count: number): Promise<void>
  see(state: 'visible' | 'hidden'): void
  routines(words: string, waiting_max: number, low?: boolean): Promise<{ readonly rows: readonly { readonly sequence: number; readonly kind: string; readonly sample: { readonly downKbps: number | null } }[]; readonly view: { readonly counts: EngineState['counts'] } }>
  crowd(many: number, kept_max: number): Promise<{ readonly said: (number | string | null)[]; readonly figures: (number | null)[]; readonly crowded: boolean; readonly later: { readonly said: number | string | null; readonly crowded: boolean } }>
}
declare const window: Window & { engine: EngineWindow }

const wait_ms_max = 60_000
/** What is spread is spread over seconds here, and each phone on Wi-Fi is asked for a small full test. */
const settings = { ...settingsDefaults, spreadS: 10, fullTestShare: 1, budget: { ...settingsDefaults.budget, fullTestBytes: 2_000_000 } }

/** A real server and what stands before it; phones come and go. */
export interface Bench {
  readonly server: TestServer
  readonly front: Front
  /** Two builds of the engine's page that differ. */
  readonly builds: readonly [string, string]
  close(): Promise<void>
}

/** A phone with the engine's page. */
export interface EnginePhone extends Phone {
  /** Figures of the checks that the app said it had kept, as it said so: this outlives the phone. */
  readonly kept: ReadonlySet<number>
  open(query?: string): Promise<Page>
  /** Checks kept on a page one after another, each with a figure of its own. */
  checks(page: Page, count: number): Promise<void>
}

/** @param custody address of a box at an access point; whoever gives it starts the box, or does not */
export async function openBench({ custody, recaps }: { readonly custody?: string; readonly recaps?: Partial<RecapSettings> } = {}): Promise<Bench> {
  const builds = [buildEngine('a'), buildEngine('b')] as const
  const server = await withServer(Date.now, seed, { sigmon: { ...settings, ...(custody === undefined ? {} : { custody }) }, ...(recaps === undefined ? {} : { recaps }) })
  const front = await startFront(server.app.url)
  front.serve(builds[0])
  return {
    server, front, builds,
    async close() {
      await front.close()
      await server.close()
      for (const folder of builds) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The made-up plan's stations, on the whole server. */
export async function seed({ ownerUrl }: TestServer['kit']): Promise<void> {
  const owner = new pg.Client({ connectionString: ownerUrl })
  await owner.connect()
  await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
  await seedPlan(ownerUrl)
  await owner.query("UPDATE organisation SET area_code = '75' WHERE id = 'dinas'")
  await owner.end()
}

let figures = 0

export async function openEngine({ front }: Pick<Bench, 'front'>): Promise<EnginePhone> {
  const phone = await openPhone()
  const kept = new Set<number>()
  const bound = new WeakSet<BrowserContext>()
  return {
    ...phone, kept,
    async open(query = '') {
      const context = phone.context()
      if (!bound.has(context)) await context.exposeBinding('kept', (_, figure: number) => void kept.add(figure))
      bound.add(context)
      const page = await context.newPage()
      await page.goto(`${front.origin}/sigmon/${query}`)
      await until(page, 'state.ready')
      // Until then the app cannot be opened again without a network.
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
      return page
    },
    async checks(page, count) {
      const first = figures + 1
      figures += count
      await page.evaluate(([from, many]) => window.engine.checks(from, many), [first, count] as const)
    },
  }
}

/** What the browser does when there is a network again and no page is open: it calls the app's worker. */
export async function openSync(phone: Pick<Phone, 'context'>, front: Pick<Front, 'origin'>): Promise<{ readonly other: Page; readonly sync: () => Promise<unknown> }> {
  // A page that is no part of the app: to call its worker from, and to look at what waits.
  const other = await phone.context().newPage()
  await other.goto(`${front.origin}/v1/ping`)
  const tools = await phone.context().newCDPSession(other)
  const registered = new Promise<string>((resolve) => tools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    for (const { scopeURL, registrationId } of registrations) if (scopeURL.endsWith('/sigmon/')) resolve(registrationId)
  }))
  await tools.send('ServiceWorker.enable')
  const registrationId = await registered
  return { other, sync: () => tools.send('ServiceWorker.dispatchSyncEvent', { origin: front.origin, registrationId, tag: 'send', lastChance: true }) }
}

/** The code of a station's letter, as it is printed. */
export const letterOf = ({ app }: TestServer, station: string, role?: Side): string => formatLetterCode(stationCode(app.secret, station, role))

export const stateOf = (page: Page): Promise<EngineState> => page.evaluate(() => window.engine.session.state())

/** @param holds of `state` and `version`, in the page's own words */
export async function until(page: Page, holds: string): Promise<void> {
  const ready = `window.engine !== undefined && (({ session, version }, state) => ${holds})(window.engine, window.engine.session.state())`
  await page.waitForFunction(ready, undefined, { timeout: wait_ms_max, polling: 50 }).catch(async (error: unknown) => {
    throw new Error(`${holds} did not come: ${JSON.stringify(await stateOf(page))}`, { cause: error })
  })
}

/** Presses the button until nothing waits: a failure before may have its pause still to run. */
export async function sendAll(page: Page): Promise<void> {
  for (const ends = Date.now() + wait_ms_max; (await stateOf(page)).counts.waiting > 0; await page.evaluate(() => window.engine.session.sendNow()))
    if (Date.now() > ends) throw new Error(`still waiting: ${JSON.stringify(await stateOf(page))}`)
}

export const enrol = (page: Page, station: string, letter: string): Promise<string | null> =>
  page.evaluate(([code, secret]) => window.engine.session.enrol(code, secret), [station, letter] as const)
