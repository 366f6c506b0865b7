import type { Page } from 'playwright-core'
import { system } from '@kawal/server/src/adapters/postgres/database.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { storedReports } from '@kawal/testkit/reports.ts'
import type { TestServer } from '@kawal/testkit/server.ts'
import { enrol, letterOf, openBench, openEngine, openSync, sendAll, stateOf, until, type Bench, type EnginePhone, type EngineWindow } from './engine.ts'

/** One way to lose reports, and what became of them. */
interface OfflineRow {
  readonly name: string
  /** Checks that the app said it had kept. */
  readonly kept: number
  /** Of these, those that lie in the database or in quarantine. */
  readonly arrived: number
  readonly lost: number
  /** Those that lie there more than once. */
  readonly doubled: number
}

declare const window: Window & { engine: EngineWindow }

/** What a row of the matrix works with. */
type Given = Pick<Bench, 'front' | 'builds'> & EnginePhone & { readonly phone: EnginePhone }

const scenarios: Readonly<Record<string, (given: Given) => Promise<void>>> = {
  async 'killed while sending'({ phone, front, open, checks }) {
    front.set('down')
    await checks(await open(), 120)
    for (let kill = 0; kill < 3; kill++) {
      front.set('slow')
      const answered = front.after(1)
      const page = await open()
      void page.evaluate(() => window.engine.session.sendNow()).catch(() => undefined)
      void checks(page, 40).catch(() => undefined)
      await answered
      await phone.kill()
      await phone.start()
    }
    front.set('pass')
    await sendAll(await open())
  },
  async 'loaded again while sending'({ front, open, checks }) {
    front.set('down')
    const page = await open()
    await checks(page, 150)
    for (let reload = 0; reload < 4; reload++) {
      front.set('slow')
      const answered = front.after(1)
      void page.evaluate(() => window.engine.session.sendNow()).catch(() => undefined)
      void checks(page, 30).catch(() => undefined)
      await answered
      await page.reload()
      await until(page, 'state.ready')
    }
    front.set('pass')
    await sendAll(page)
  },
  async 'storage full'({ phone, front, open, checks }) {
    // Chromium remembers for half a minute how much room there was: a process of its own asks anew.
    await phone.kill()
    await phone.start()
    const client = await phone.context().newCDPSession(await phone.context().newPage())
    const { usage } = await client.send('Storage.getUsageAndQuota', { origin: front.origin })
    await client.send('Storage.overrideQuotaForOrigin', { origin: front.origin, quotaSize: usage + 30_000 })
    front.set('down')
    const page = await open()
    await checks(page, 200)
    if ((await stateOf(page)).storage !== 'full') throw new Error(`storage was to be full: ${JSON.stringify(await stateOf(page))}`)
    await client.send('Storage.overrideQuotaForOrigin', { origin: front.origin })
    front.set('pass')
    await checks(page, 10)
    await sendAll(page)
  },
  async 'clock moved'({ front, open, checks }) {
    front.set('down')
    const page = await open()
    for (const hours of [0, 3, -48, 0]) {
      await page.evaluate((offset) => localStorage.setItem('offset', String(offset)), hours * 3_600_000)
      await checks(page, 30)
      if (hours === -48) {
        front.set('slow')
        await page.evaluate(() => window.engine.session.sendNow())
      }
    }
    front.set('pass')
    await sendAll(page)
  },
  async 'updated in the middle'({ front, builds, open, checks }) {
    const page = await open()
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
    await page.reload()
    await until(page, 'state.ready')
    front.set('slow')
    front.serve(builds[1])
    const going = checks(page, 60)
    await page.evaluate(() => navigator.serviceWorker.getRegistration().then((registration) => registration?.update()))
    await until(page, 'state.update')
    await going
    const again = page.waitForEvent('load')
    void checks(page, 60).catch(() => undefined)
    await page.evaluate(() => window.engine.session.takeUpdate())
    await again
    await until(page, "state.ready && version === 'b'")
    front.set('pass')
    await sendAll(page)
    front.serve(builds[0])
  },
  async 'two tabs'({ front, open, checks }) {
    front.set('slow')
    const pages = await Promise.all([open(), open()])
    await Promise.all(pages.map((page) => checks(page, 80)))
    await Promise.all(pages.map(sendAll))
  },
  async 'two tabs without Web Locks'({ front, open, checks }) {
    front.set('slow')
    const pages = await Promise.all([open('?nolocks'), open('?nolocks')])
    await Promise.all(pages.map((page) => checks(page, 60)))
    await Promise.all(pages.map(sendAll))
  },
  async 'a day without a network'({ front, open, checks }) {
    front.set('down')
    const page = await open()
    await checks(page, 1_000)
    front.set('pass')
    await sendAll(page)
  },
  async 'app closed, network back'({ phone, front, open, checks }) {
    const { other, sync } = await openSync(phone, front)
    front.set('down')
    const page = await open()
    await checks(page, 120)
    await page.close()
    front.set('lose')
    const answered = front.after(1)
    await sync()
    await answered
    if ((await waiting(other)) === 0) throw new Error('what the server never answered was taken for sent')
    front.set('slow')
    await sync()
    for (const ends = Date.now() + 30_000; (await waiting(other)) > 0; ) if (Date.now() > ends) throw new Error('the worker left something, and nobody called it again')
  },
  async 'answers lost'({ front, open, checks }) {
    front.set('lose')
    const page = await open()
    const answered = front.after(4)
    const going = checks(page, 120)
    await page.evaluate(() => window.engine.session.sendNow())
    await going
    for (let press = 0; press < 4; press++) await page.evaluate(() => window.engine.session.sendNow())
    await answered
    front.set('pass')
    await sendAll(page)
  },
}

/** What waits in the phone's store, seen without the app. */
const waiting = (page: Page): Promise<number> => page.evaluate(() => new Promise<number>((resolve, reject) => {
  const request = indexedDB.open('sigmon')
  request.onerror = () => reject(request.error)
  request.onsuccess = () => {
    request.result.transaction('samples').objectStore('samples').index('state').count('waiting').onsuccess = (event) => {
      request.result.close()
      resolve((event.target as IDBRequest<number>).result)
    }
  }
}))

/** Each way to lose reports, on a real browser, a real server and a real database. */
export async function offlineMatrix(only?: string): Promise<OfflineRow[]> {
  const bench = await openBench()
  const rows: OfflineRow[] = []
  try {
    for (const [name, scenario] of Object.entries(scenarios)) if (only === undefined || name.includes(only)) rows.push(await rowOf(name, scenario, bench))
  } finally {
    await bench.close()
  }
  return rows
}

async function rowOf(name: string, scenario: (given: Given) => Promise<void>, bench: Bench): Promise<OfflineRow> {
  const { server, front, builds } = bench
  front.serve(builds[0])
  front.set('pass')
  const phone = await openEngine(bench)
  try {
    const page = await phone.open()
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
    const [station = ''] = planned.stations
    const fault = await enrol(page, station, letterOf(server, station))
    if (fault !== null) throw new Error(`the phone was not enrolled: ${fault}`)
    await page.close()
    await scenario({ ...phone, phone, front, builds })
    return { name, ...(await audit(server, phone.kept)) }
  } finally {
    await phone.close()
  }
}

/** What was said to be kept, held against what the database holds. */
async function audit({ app }: TestServer, kept: ReadonlySet<number>): Promise<Omit<OfflineRow, 'name'>> {
  const { rows } = await app.database.transaction(system, (client) => client.query<{ figure: number | null }>("SELECT (sample->>'downKbps')::float AS figure FROM quarantine"))
  const times = new Map<number, number>()
  for (const figure of [...(await storedReports(app.database)).map(({ sample }) => sample.downKbps), ...rows.map((row) => row.figure)]) if (figure !== null) times.set(figure, (times.get(figure) ?? 0) + 1)
  const arrived = [...kept].filter((figure) => times.has(figure)).length
  return { kept: kept.size, arrived, lost: kept.size - arrived, doubled: [...kept].filter((figure) => (times.get(figure) ?? 0) > 1).length }
}
