import type { Generator } from './ask.ts'
import { latency_tenths_max } from './fire.ts'
import type { Run } from './generator.ts'
import type { LoadPlan } from './load.ts'
import type { Running } from './processes.ts'
import type { Watch } from './watch.ts'

/** What a stretch of the bench cost, and how it went. */
export interface Stretch {
  readonly run: Run
  readonly reports: number
  readonly reports_per_s: number
  /** Per million reports; null for a rate that was asked for and not reached. */
  readonly server_s: number
  readonly database_s: number
  readonly cpu_s_per_million: number
  readonly cores: number
  readonly ack_ms_p50: number
  readonly ack_ms_p99: number
  /** NaN where the server does not say. */
  readonly detectionLag_s_max: number
  /** The most in the first half, and in the second: between two collections of garbage memory swings by 150 MB, and what is kept for good raises the peaks. */
  readonly rss_mb_first: number
  readonly rss_mb_last: number
}

const reached_min = 0.99

/** Runs the generator against a server, and takes both processes' time before and after. */
export async function measure(name: string, generator: Generator, server: Running, watch: Watch | null, load: LoadPlan, pace: { readonly rate_per_s: number | null; readonly seconds: number }): Promise<Stretch> {
  watch?.take()
  const before = server.cpu()
  const run = await generator.run(load, pace)
  const after = server.cpu()
  const looks = watch?.take() ?? []
  const reports = run.receipts.accepted
  const [server_s, database_s] = [after.server_s - before.server_s, after.database_s - before.database_s]
  const reports_per_s = reports / run.seconds
  const reached = pace.rate_per_s === null || reports_per_s >= pace.rate_per_s * load.samples * reached_min
  const rss = looks.map((look) => look.rss_mb)
  const stretch: Stretch = {
    run, reports, reports_per_s, server_s, database_s, cpu_s_per_million: ((server_s + database_s) / reports) * 1e6, cores: reached ? (server_s + database_s) / run.seconds : NaN,
    ack_ms_p50: percentile([run], 0.5), ack_ms_p99: percentile([run], 0.99),
    detectionLag_s_max: looks.reduce((most, look) => (Number.isNaN(look.detectionLag_s) ? NaN : Math.max(most, look.detectionLag_s)), looks.length === 0 ? NaN : 0),
    rss_mb_first: most(rss.slice(0, rss.length >> 1)), rss_mb_last: most(rss.slice(rss.length >> 1)),
  }
  tell(name, stretch, reached)
  return stretch
}

function tell(name: string, stretch: Stretch, reached: boolean): void {
  const { run, reports } = stretch
  const micros = (seconds: number): string => ((seconds / reports) * 1e6).toFixed(2)
  const lines = [
    `${name}: ${reports} reports in ${run.seconds.toFixed(1)} s = ${Math.round(stretch.reports_per_s)}/s${reached ? '' : ': THE RATE WAS NOT REACHED'}; answered after ms p50 ${stretch.ack_ms_p50}, p99 ${stretch.ack_ms_p99}`,
    `  CPU s per million: server ${micros(stretch.server_s)} + database ${micros(stretch.database_s)} = ${stretch.cpu_s_per_million.toFixed(2)}; generator ${micros(run.cpu_s)} (${(run.cpu_s / run.seconds).toFixed(2)} cores)`,
    ...(Number.isNaN(stretch.rss_mb_last) ? [] : [`  memory of the server at most ${stretch.rss_mb_first.toFixed(0)} MB in the first half and ${stretch.rss_mb_last.toFixed(0)} MB in the second; detection behind by at most ${stretch.detectionLag_s_max} s`]),
    ...(run.shed + run.refused + run.broken + run.receipts.quarantined + run.receipts.duplicates > 0
      ? [`  left out ${run.shed}, refused ${run.refused} ${JSON.stringify(run.receipts.statuses)}, broken ${run.broken}, duplicates ${run.receipts.duplicates} (wrongly ${run.receipts.wronglyDuplicate}), quarantined ${run.receipts.quarantined}, to be sent again ${run.unanswered}`] : []),
    ...run.receipts.samples.map((text) => `  ${text.replaceAll('\r\n', ' | ')}`),
  ]
  process.stderr.write(lines.join('\n') + '\n')
}

/** Of all answers of several runs together, in ms. What was left out counts as later than every answer. */
export function percentile(runs: readonly Run[], share: number): number {
  const total = runs.reduce((sum, run) => sum + run.done + run.shed, 0)
  let passed = 0
  for (let tenths = 0; tenths <= latency_tenths_max; tenths++) {
    for (const run of runs) passed += run.latency[tenths] ?? 0
    if (passed >= total * share && passed > 0) return tenths / 10
  }
  return Infinity
}

const most = (values: readonly number[]): number => (values.length === 0 ? NaN : Math.max(...values))
