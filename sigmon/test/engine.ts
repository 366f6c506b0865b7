import type { CheckResult } from '../src/check/check.ts'
import { browserNet } from '../src/check/net.ts'
import { createSession } from '../src/create-session.ts'
import { browserEnvironment, type Environment } from '../src/environment.ts'
import { goodbyeOf, noChoices, sampleOf } from '../src/measuring.ts'
import { createQueue, queueLimits, type QueueView } from '../src/queue/queue.ts'
import type { Session } from '../src/session.ts'
import { openStore, type Row } from '../src/store.ts'

/**
 * The engine on a page without screens, for tests: the browser's own store, locks, network and worker. Time and
 * measuring are the test's: `localStorage.offset` moves the clock, and each check finds a figure of its own as
 * `downKbps`, by which it is known again in the database.
 */
declare const __VERSION__: string
declare global {
  interface Window {
    engine: object
    /** Told of each figure once the engine has said that it is kept. */
    kept?: (figure: number) => void
  }
}

const query = new URLSearchParams(location.search)
const page = Object.assign(new EventTarget(), { visibilityState: 'visible' as DocumentVisibilityState })
const browser = browserEnvironment()
const env: Environment = { ...browser, clock: () => Date.now() + Number(localStorage.getItem('offset') ?? 0), document: page, ...(query.has('nolocks') ? { locks: null } : {}) }

const platform = (): 'ok' | 'timeout' => (localStorage.getItem('measured') === 'bad' ? 'timeout' : 'ok')
const found = (figure: number): CheckResult => ({
  rttMs: platform() === 'ok' ? [41.2, 39.8, 44.1] : [], rttMedianMs: null, rttP95Ms: null, jitterMs: null, timeouts: platform() === 'ok' ? 0 : 3, broken: 0, reconnects: 0, downKbps: figure, upKbps: null,
  upAtMostKbps: null, reach: { internet: 'untested', election: 'untested', platform: platform() }, electionStatus: null, clockOffsetMs: null, bytes: 0, radio: null, technology: null, sim: null,
  access: 'cellular', cut: [], verdict: { advice: 'send', blame: 'nobody', reason: 'fine' }, refused: null, serverTime: null,
})

let figure = 0
const measure = {
  check: () => Promise.resolve(found(figure)),
  routine: () => Promise.resolve(found(1_000_000 + Math.floor(Math.random() * 1e9))),
  feel: () => Promise.resolve({ rttMs: 40, dbm: null, refused: null }),
}

/** Routine reports in a store of their own: `words` has one letter each, g for a good network, b for a bad one. */
async function routines(words: string, waiting_max: number, low = false): Promise<{ rows: Row[]; view: QueueView }> {
  const store = await openStore(indexedDB, `test-${words.length}-${waiting_max}-${low}`)
  const queue = createQueue(store, { ...queueLimits, waiting_max }, env.clock)
  queue.spare(low)
  for (const [index, word] of [...words].entries()) {
    localStorage.setItem('measured', word === 'b' ? 'bad' : 'good')
    await queue.keep(sampleOf(found(index + 1), noChoices, env.clock(), null), { identity: 'one', kind: 'routine', reserve: false })
  }
  localStorage.removeItem('measured')
  await queue.keep(goodbyeOf(noChoices, env.clock(), 'none'), { identity: 'one', kind: 'kept', reserve: false })
  return { rows: await queue.all(), view: await queue.view(5) }
}

/** Checks in a store of their own, more than may wait. @returns what was said to each, and what is there; then the same once some are sent */
async function crowd(many: number, kept_max: number): Promise<{ said: (number | string | null)[]; figures: (number | null)[]; crowded: boolean; later: { said: number | string | null; crowded: boolean } }> {
  const queue = createQueue(await openStore(indexedDB, `crowd-${many}`), { ...queueLimits, waiting_max: kept_max >> 1, kept_max }, env.clock)
  const give = (figure: number): Promise<number | string | null> => queue.keep(sampleOf(found(figure), noChoices, env.clock(), null), { identity: 'one', kind: 'kept', reserve: figure % 2 === 0 })
  const said: (number | string | null)[] = []
  for (let figure = 1; figure <= many; figure++) said.push(await give(figure))
  const [figures, crowded] = [(await queue.all()).map(({ sample }) => sample.downKbps), queue.isCrowded()]
  await queue.mark(await queue.batch('one', 5), { quarantined: [] }, new Date(env.clock()).toISOString())
  return { said, figures, crowded, later: { said: await give(many + 1), crowded: queue.isCrowded() } }
}

function engineOf(session: Session): object {
  return {
    version: __VERSION__, session,
    /** As an officer would ask for them, one after another. */
    async checks(first: number, count: number) {
      for (figure = first; figure < first + count; figure++) {
        await session.check(false)
        window.kept?.(figure)
      }
    },
    routines, crowd,
    see(state: DocumentVisibilityState) {
      page.visibilityState = state
      page.dispatchEvent(new Event('visibilitychange'))
    },
  }
}

const net = { ...browserNet(), ...(query.has('wifi') ? { connection: { type: 'wifi' } } : {}) }
void createSession(env, { measure, net }).then((session) => (window.engine = engineOf(session)))
if (env.serviceWorker !== null) void env.serviceWorker.register('/sigmon/worker.js')
