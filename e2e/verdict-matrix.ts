import { startMeasuring, type Checked, type Line, type Measuring } from './measuring.ts'

/** A fault below the browser, and what a check must say of it. */
interface Row {
  readonly name: string
  /** Runs in the page before everything. */
  readonly script?: string
  readonly onAccessPoint?: boolean
  readonly where?: 'ill'
  /** Targets instead of the line's own. */
  readonly targets?: { readonly election?: string }
  readonly break: (line: Line) => Promise<unknown> | void
  /** Advice, whose fault, and why; more than one where the fault leaves the advice open. */
  readonly expect: string
}

interface Judged { readonly name: string; readonly expected: string; readonly got: string; readonly took_ms: number; readonly reach: Checked['reach']; readonly wrong: boolean }

/** "Within 10 s", and one for the page and the tool that drives it. */
const answer_ms_max = 11_000
/** Rows that run beside each other; each has proxies and a page of its own. */
const beside = 12

const everything = (line: Line, fault: Parameters<Line['platform']['set']>[0]) => Promise.all([line.platform.set(fault), line.internet.proxy.set(fault), line.election.proxy.set(fault)])
const ahead = (ms: number): string => `{ const Own = Date; globalThis.Date = class extends Own { constructor(...given) { super(...(given.length > 0 ? given : [Own.now() + ${ms}])) } static now() { return Own.now() + ${ms} } } }`
const connection = (type: string): string => `Object.defineProperty(navigator, 'connection', { value: { type: '${type}', saveData: false } })`
const portal = { mode: 'portal', portalLocation: 'http://127.0.0.1:9/login' } as const

const rows: readonly Row[] = [
  { name: 'all well', break: () => {}, expect: 'send nobody fine' },
  { name: 'all well on an access point', onAccessPoint: true, break: () => {}, expect: 'send nobody fine' },
  { name: 'phone offline', break: (line) => line.context.setOffline(true), expect: 'move phone phone_offline' },
  { name: 'everything refused', break: (line) => everything(line, { mode: 'refuse' }), expect: 'move operator no_answer' },
  { name: 'everything silent', break: (line) => everything(line, { mode: 'blackhole' }), expect: 'move operator no_answer' },
  { name: 'everything silent, on an access point', onAccessPoint: true, break: (line) => everything(line, { mode: 'blackhole' }), expect: 'move access_point no_answer' },
  { name: 'everything silent, the browser says Wi-Fi', script: connection('wifi'), break: (line) => everything(line, { mode: 'blackhole' }), expect: 'move access_point no_answer' },
  { name: 'everything silent, an access point declared, the browser says cellular', onAccessPoint: true, script: connection('cellular'), break: (line) => everything(line, { mode: 'blackhole' }), expect: 'move operator no_answer' },
  { name: 'portal by redirect on an access point', onAccessPoint: true, break: (line) => everything(line, portal), expect: 'wait access_point portal' },
  { name: 'portal by page on an access point', onAccessPoint: true, break: (line) => everything(line, { mode: 'portal' }), expect: 'wait access_point portal' },
  { name: 'portal by page on a SIM', break: (line) => everything(line, { mode: 'portal' }), expect: 'wait operator portal' },
  { name: 'platform refused', break: (line) => line.platform.set({ mode: 'refuse' }), expect: 'wait platform platform' },
  { name: 'platform silent', break: (line) => line.platform.set({ mode: 'blackhole' }), expect: 'wait platform platform' },
  { name: 'platform 503', break: (line) => line.platform.set({ mode: 'status', status: 503 }), expect: 'wait platform platform' },
  { name: 'platform and election server silent', break: (line) => Promise.all([line.platform.set({ mode: 'blackhole' }), line.election.proxy.set({ mode: 'blackhole' })]), expect: 'wait platform platform' },
  { name: 'election server refused', break: (line) => line.election.proxy.set({ mode: 'refuse' }), expect: 'wait election_server election_unreachable' },
  { name: 'election server silent', break: (line) => line.election.proxy.set({ mode: 'blackhole' }), expect: 'wait election_server election_unreachable' },
  { name: 'election server without a name', targets: { election: 'http://pemilu.invalid' }, break: () => {}, expect: 'wait election_server election_unreachable' },
  { name: 'election server 503 with CORS', break: (line) => void (line.election.answer = { status: 503, cors: true }), expect: 'wait election_server election_down' },
  { name: 'election server silent, on an access point', onAccessPoint: true, break: (line) => line.election.proxy.set({ mode: 'blackhole' }), expect: 'wait election_server election_unreachable' },
  { name: 'internet and election server silent, platform well', break: (line) => Promise.all([line.internet.proxy.set({ mode: 'blackhole' }), line.election.proxy.set({ mode: 'blackhole' })]), expect: 'move operator partial' },
  { name: 'internet target alone silent', break: (line) => line.internet.proxy.set({ mode: 'blackhole' }), expect: 'send nobody fine' },
  // silent, not cut: a browser repeats what is cut unseen, over connections that it has in hand, sometimes all of it
  { name: 'one request in three falls silent', break: (line) => everything(line, { lose_every: 3, lose: 'stall' }), expect: 'wait operator lossy' },
  { name: 'six requests in ten cut', break: (line) => everything(line, { lose_share: 0.6, lose: 'cut', seed: 3 }), expect: 'move operator lossy' },
  { name: 'six requests in ten fall silent', break: (line) => everything(line, { lose_share: 0.6, lose: 'stall', seed: 3 }), expect: 'move operator lossy' },
  { name: 'six requests in ten cut, on an access point', onAccessPoint: true, break: (line) => everything(line, { lose_share: 0.6, lose: 'cut', seed: 3 }), expect: 'move access_point lossy' },
  { name: 'the platform alone cuts everything', break: (line) => line.platform.set({ mode: 'cut' }), expect: 'wait platform platform' },
  { name: 'round trips of 1.5 s', break: (line) => line.platform.set({ delay_ms: 750 }), expect: 'wait operator slow' },
  { name: 'uplink of 30 kbit/s', break: (line) => line.platform.set({ upRate_kbps: 30 }), expect: 'wait operator slow' },
  { name: 'uplink of 30 kbit/s on an access point', onAccessPoint: true, break: (line) => line.platform.set({ upRate_kbps: 30 }), expect: 'wait access_point slow' },
  { name: 'clock two hours ahead', script: ahead(7_200_000), break: () => {}, expect: 'send phone wrong_clock' },
  { name: 'clock a year behind', script: ahead(-365 * 86_400_000), break: () => {}, expect: 'send phone wrong_clock' },
  { name: 'clock a year behind, and silence', script: ahead(-365 * 86_400_000), break: (line) => everything(line, { mode: 'blackhole' }), expect: 'move operator no_answer' },
  // the election server down for everybody, as the platform's own watch sees
  { where: 'ill', name: 'election server 503 that a page cannot read; the platform sees it', break: (line) => void (line.election.answer = { status: 503, cors: false }), expect: 'wait election_server election_down' },
  { where: 'ill', name: 'election server silent for everybody', break: (line) => line.election.proxy.set({ mode: 'blackhole' }), expect: 'wait election_server election_down' },
  { where: 'ill', name: 'election server refused for everybody, on a slow network', break: (line) => Promise.all([line.election.proxy.set({ mode: 'refuse' }), line.platform.set({ delay_ms: 750 })]), expect: 'wait election_server election_down' },
]

async function judge(measuring: Measuring, row: Row): Promise<Judged> {
  const line = await measuring.line({ script: row.script ?? '', where: row.where ?? 'well' })
  try {
    await row.break(line)
    const { verdict, reach, took_ms } = await line.run({ full: true, onAccessPoint: row.onAccessPoint ?? false }, row.targets ?? {})
    const got = `${verdict.advice} ${verdict.blame} ${verdict.reason}`
    return { name: row.name, expected: row.expect, got, took_ms, reach, wrong: got !== row.expect || took_ms > answer_ms_max }
  } finally {
    await line.close()
  }
}

/** Every fault, injected for real, and what a check in a real browser said of it. */
export async function verdictMatrix(): Promise<Judged[]> {
  const measuring = await startMeasuring({ ill: true })
  const judged: Judged[] = []
  try {
    // the slow ones stand last in the table and begin first
    const waiting = [...rows].reverse()
    await Promise.all(Array.from({ length: beside }, async () => {
      for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) judged.push(await judge(measuring, row))
    }))
  } finally {
    await measuring.close()
  }
  const order = rows.map((row) => row.name)
  return judged.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
}

/** For people: one line a row. */
export const tableOf = (judged: readonly Judged[]): string =>
  judged.map((row) => `${row.wrong ? 'WRONG' : 'ok   '} ${(row.took_ms / 1000).toFixed(1).padStart(5)} s  ${row.name.padEnd(72)} ${row.got}${row.wrong ? `   expected ${row.expected}   ${JSON.stringify(row.reach)}` : ''}`).join('\n')
