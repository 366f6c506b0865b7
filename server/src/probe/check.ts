import { down_bytes, up_bytes, type Means } from './budget.ts'
import { openLine, step, type Line, type Opened } from './line.ts'
import { roundTrips, type RoundTrips } from './round-trips.ts'
import { ended, tryTarget, untested, type TargetResult } from './target.ts'

export interface CheckLimits {
  /** How long each step to an answer may take. */
  readonly step_ms: number
  readonly pings: number
  readonly ping_ms: number
  /** How long each direction of a throughput test may take; what came until then counts. */
  readonly throughput_ms: number
  /** When this is over nothing further is begun. */
  readonly whole_ms: number
}
export const checkLimits: CheckLimits = { step_ms: 5_000, pings: 10, ping_ms: 4_000, throughput_ms: 8_000, whole_ms: 30_000 }
/** So many unanswered in a row: nobody answers, and the rest would only cost time. */
const silent_pings_max = 3

export interface Targets {
  readonly platform: string
  readonly internet: string | null
  readonly election: string | null
}

export interface Check {
  readonly means: Means
  readonly targets: { readonly internet: TargetResult; readonly election: TargetResult; readonly platform: TargetResult }
  readonly rttMs: readonly number[]
  readonly timeouts: number
  readonly roundTrips: RoundTrips
  readonly downKbps: number | null
  readonly upKbps: number | null
  /** What the platform's own watch sees of the election server from the data centre; null when it does not say. */
  readonly electionFromPlatform: 'ok' | 'down' | null
  /** This machine's clock less the platform's, half a round trip taken off; null when it did not say. */
  readonly clockOffset_ms: number | null
  /** Both ways, of everything that was tried. */
  bytes(): number
  /** The connection to the platform, for the report; null when it is down. */
  readonly line: Line | null
}

/** Measures once. The three targets are tried side by side, the platform then further over the connection that is open. */
export async function check(targets: Targets, allowed: Means, limits: CheckLimits, clock: () => number): Promise<Check> {
  const reach = (target: string | null): Promise<TargetResult> => (target === null || allowed === 'nothing' ? Promise.resolve(untested) : tryTarget(target, limits.step_ms))
  const url = new URL(targets.platform)
  const until = performance.now() + limits.whole_ms
  const left_ms = (): number => Math.max(0, until - performance.now())
  const [internet, election, opened] = await Promise.all([reach(targets.internet), reach(targets.election), openLine(url, limits.step_ms)])
  const all = [opened]
  const bytes = (): number => internet.bytes + election.bytes + all.reduce((sum, each) => sum + each.bytes(), 0)
  // without means only the connection is made, which the report needs anyway
  const first = opened.line === null || allowed === 'nothing' ? null : await firstPing(url, opened, limits, clock)
  const platform = allowed === 'nothing' ? untested : ended(opened.steps, first?.answer ?? null, opened.bytes(), url, first?.isOurs)
  const reached = platform.reach === 'ok'
  const trips = reached ? await ping(url, all, limits, left_ms) : { rttMs: [], timeouts: allowed === 'nothing' ? 0 : 1 }
  const line = all.at(-1)?.line ?? null
  const full = reached && allowed === 'throughput' && line?.isOpen() === true
  const downKbps = full ? await down(url, line, Math.min(limits.throughput_ms, left_ms())) : null
  const upKbps = full && line.isOpen() ? await up(url, line, Math.min(limits.throughput_ms, left_ms())) : null
  return {
    means: allowed, targets: { internet, election, platform }, ...trips, roundTrips: roundTrips(trips.rttMs), downKbps, upKbps,
    electionFromPlatform: first?.election ?? null, clockOffset_ms: first?.clockOffset_ms ?? null, bytes, line: line?.isOpen() === true ? line : null,
  }
}

interface FirstPing {
  readonly answer: { readonly status: number; readonly location: string | null }
  readonly isOurs: boolean
  readonly election: 'ok' | 'down' | null
  readonly clockOffset_ms: number | null
}

/** Times the step to an answer and proves whose it is: the platform's own JSON, which no log-in page gives. */
function firstPing(url: URL, opened: Opened, limits: CheckLimits, clock: () => number): Promise<FirstPing | null> {
  const { line } = opened
  if (line === null) return Promise.resolve(null)
  return step(opened.steps, 'http', async () => {
    const began = clock()
    const { status, headers, body } = await line.ask({ method: 'GET', path: pingPath(url), within_ms: limits.step_ms })
    const middle = (began + clock()) / 2
    const said = readPing(body)
    return { answer: { status, location: headers.location ?? null }, isOurs: status === 200 && said !== null, election: said?.election ?? null, clockOffset_ms: said === null ? null : Math.round(middle - said.now) }
  }, ({ answer }) => String(answer.status))
}

function readPing(body: Buffer): { now: number; election: 'ok' | 'down' | null } | null {
  try {
    const { now, election } = JSON.parse(body.toString('utf8')) as { now?: unknown; election?: unknown }
    const at = typeof now === 'string' ? Date.parse(now) : NaN
    return Number.isNaN(at) ? null : { now: at, election: election === 'ok' || election === 'down' ? election : null }
  } catch {
    return null
  }
}

/**
 * One request after the other on the kept connection. One that is not answered in time gives the connection up,
 * since its answer could be taken for that of the next; a new one is opened, which is not timed.
 */
async function ping(url: URL, all: Opened[], limits: CheckLimits, left_ms: () => number): Promise<{ rttMs: number[]; timeouts: number }> {
  const rttMs: number[] = []
  let [timeouts, silent] = [0, 0]
  for (let tries = 0; tries < limits.pings && silent < silent_pings_max && left_ms() > 0; tries++) {
    // a name, two addresses and a handshake: four steps at most
    if (all.at(-1)?.line?.isOpen() !== true) all.push(await openLine(url, Math.min(limits.ping_ms, left_ms() / 4)))
    const began = performance.now()
    try {
      const line = all.at(-1)?.line
      if (line === null || line === undefined) throw new Error('no connection')
      await line.ask({ method: 'GET', path: pingPath(url), within_ms: limits.ping_ms })
      rttMs.push(Math.max(0.1, Math.round((performance.now() - began) * 10) / 10))
      silent = 0
    } catch {
      timeouts++
      silent++
    }
  }
  return { rttMs, timeouts }
}

/** A platform may stand below a path of its address. */
export const basePath = (url: URL): string => url.pathname.replace(/\/+$/, '')
const pingPath = (url: URL): string => `${basePath(url)}/v1/ping`

/**
 * From the first piece to the last, without the first piece's bytes: the way there and the wait for it are no
 * throughput. What came before the time was up counts. Null when it came in one piece.
 */
async function down(url: URL, line: Line, ms: number): Promise<number | null> {
  const arrivals: { at: number; bytes: number }[] = []
  try {
    await line.ask({ method: 'GET', path: `${basePath(url)}/v1/probe/down?bytes=${down_bytes}`, within_ms: ms, arrived: (bytes) => arrivals.push({ at: performance.now(), bytes }) })
  } catch {
    // what arrived counts
  }
  const [first, last] = [arrivals[0], arrivals.at(-1)]
  if (first === undefined || last === undefined || last.at - first.at < 1) return null
  return Math.round(((arrivals.reduce((sum, each) => sum + each.bytes, 0) - first.bytes) * 8) / (last.at - first.at))
}

/** As the server timed it: this machine only knows when it handed the bytes to its own system. */
async function up(url: URL, line: Line, ms: number): Promise<number | null> {
  try {
    const { status, body } = await line.ask({ method: 'POST', path: `${basePath(url)}/v1/probe/up`, headers: { 'content-type': 'application/octet-stream' }, body: new Uint8Array(up_bytes), within_ms: ms })
    const { kbps } = JSON.parse(body.toString('utf8')) as { kbps?: unknown }
    return status === 200 && typeof kbps === 'number' && kbps >= 0 ? kbps : null
  } catch {
    return null
  }
}
