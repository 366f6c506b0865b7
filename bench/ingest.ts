import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { startGenerator, type Generator } from './ingest/ask.ts'
import { killRounds } from './ingest/kill.ts'
import type { LoadPlan } from './ingest/load.ts'
import { makeNation, type Nation } from './ingest/nation.ts'
import { serve } from './ingest/processes.ts'
import { measure, percentile, type Stretch } from './ingest/stretch.ts'
import { needVictoria, startVictoria } from './ingest/victoria.ts'
import { askCounts, watchServer } from './ingest/watch.ts'

const seed = 5
/** 5.76 million devices, one report in five minutes. */
const national_per_s = 19_200
const batch_samples = 20
/** A proxy in front opens as many as it needs: with a thousand, one request under way on each, answers of 60 ms would hold the whole country to 17,000 a second. */
const connections = 4_000
const whole_s = 300
const warm_s = 60
const saturated_s = 60
const json_s = 30

interface Stretches { single?: Stretch; batched?: Stretch; saturatedSingle?: Stretch; saturatedBatched?: Stretch; kept?: { lost: number; doubled: number } }
interface Peer { readonly single: Stretch; readonly batched: Stretch }

const say = (text: string): void => void process.stderr.write(`${text}\n`)
/** Development alone: shorter stretches, and only some of them (`INGEST_SECONDS=30 INGEST_STRETCHES=single,batched,saturated,killed`). Figures that are missing then fail the goals. */
const seconds = Number(process.env['INGEST_SECONDS'] ?? whole_s)
const wanted = (process.env['INGEST_STRETCHES'] ?? 'single,batched,saturated,killed').split(',')
const phones = Math.min(national_per_s * whole_s, national_per_s * seconds)
const round_ms = (phones / national_per_s) * 1000
const single = (round_ms: number | null, form: LoadPlan['form'] = 'compact'): LoadPlan => ({ form, samples: 1, phones, round_ms, receipts: form !== 'lines' })
const batched = (form: LoadPlan['form'] = 'compact', of = Math.ceil(phones / batch_samples)): LoadPlan => ({ form, samples: batch_samples, phones: of, round_ms: null, receipts: form !== 'lines' })

/**
 * `npm run -s bench -- ingest`: what the whole country sends, taken in by `kawal serve` on a synthetic register of the
 * nation's size with detection and a console's feed beside it, from a generator on the same machine; then the server
 * is killed under load, and what is stored held against what was acknowledged. With `peer` VictoriaMetrics takes the
 * same reports.
 */
export async function run({ peer }: { peer: boolean }): Promise<{ ok: boolean; figures: Record<string, number>; seed: number }> {
  if (peer) needVictoria()
  const folder = mkdtempSync(join(tmpdir(), 'kawal-ingest-'))
  const generator = startGenerator()
  try {
    const nation = await prepare(folder, generator)
    if (wanted.includes('killed')) execFileSync('cp', ['-a', '--reflink=auto', join(folder, 'nation'), join(folder, 'killed')])
    const ours = await takeIn(join(folder, 'nation'), nation, generator)
    rmSync(join(folder, 'nation'), { recursive: true })
    const killed = wanted.includes('killed') ? await killRounds(join(folder, 'killed'), generator, { single: single(null), batched: batched(), rate_per_s: national_per_s, seed }) : { lost: NaN, doubled: NaN }
    const theirs = peer ? await peerTakesIn(folder, generator) : null
    const figures = figuresOf(ours, killed, theirs)
    return { ok: isMet(figures, peer), figures, seed }
  } finally {
    generator.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Register, devices, tokens: the generator makes its tokens while the devices are written. */
async function prepare(folder: string, generator: Generator): Promise<Nation> {
  const started = performance.now()
  const passed = (): string => ((performance.now() - started) / 1000).toFixed(0)
  let made: { nation: Nation; tokens: Promise<void> } | null = null
  await makeNation(join(folder, 'nation'), {
    seed, phones, stationsFile: join(folder, 'stations'),
    told(nation) {
      say(`${nation.stations} stations after ${passed()} s`)
      made = { nation, tokens: generator.phones({ ...nation, count: phones, connections }).then(() => say(`${phones} tokens after ${passed()} s`)) }
      made.tokens.catch(() => undefined)
    },
  })
  const { nation, tokens } = made as unknown as { nation: Nation; tokens: Promise<void> }
  await tokens
  say(`${phones} devices enrolled after ${passed()} s`)
  return nation
}

async function takeIn(folder: string, nation: Nation, generator: Generator): Promise<Stretches> {
  const found: Stretches = {}
  if (!['single', 'batched', 'saturated'].some((name) => wanted.includes(name))) return found
  const started = performance.now()
  const server = await serve(folder, await freePort())
  try {
    say(`serving after ${((performance.now() - started) / 1000).toFixed(1)} s, ${server.rss_mb().toFixed(0)} MB`)
    const watch = await watchServer(server, nation.apiKey)
    await generator.connect(server.port)
    const all: Stretch[] = []
    const stretch = async (name: string, load: LoadPlan, pace: { rate_per_s: number | null; seconds: number }): Promise<Stretch> => {
      const measured = await measure(name, generator, server, watch, load, pace)
      all.push(measured)
      return measured
    }
    const national = { rate_per_s: national_per_s, seconds }
    if (wanted.includes('single')) {
      // One whole round: after it every device is known.
      await stretch('single, first round', single(round_ms), { ...national, seconds: round_ms / 1000 })
      found.single = await stretch('single', single(null), national)
      await stretch('single in JSON', single(null, 'json'), { ...national, seconds: Math.min(json_s, seconds) })
    }
    if (wanted.includes('batched')) {
      const rate_per_s = national_per_s / batch_samples
      await stretch('batched, warming up', batched(), { rate_per_s, seconds: Math.min(warm_s, seconds) })
      found.batched = await stretch('batched', batched(), { rate_per_s, seconds })
    }
    if (wanted.includes('saturated')) {
      const pace = { rate_per_s: null, seconds: Math.min(saturated_s, seconds) }
      found.saturatedBatched = await stretch('batched, as much as it takes', batched('compact', phones), pace)
      found.saturatedSingle = await stretch('single, as much as it takes', single(null), pace)
    }
    found.kept = await count(server.port, all, generator)
    say(`the console's feed sent ${watch.feedBytes()} bytes`)
    await watch.stop()
    return found
  } finally {
    await server.stop()
  }
}

/** The server's own count of what it keeps, against what the phones hold receipts for. */
async function count(port: number, all: readonly Stretch[], generator: Generator): Promise<{ lost: number; doubled: number }> {
  const last = await generator.finish(60)
  const runs = [...all.map(({ run }) => run), last]
  const accepted = runs.reduce((sum, run) => sum + run.receipts.accepted, 0)
  const wrong = runs.reduce((sum, run) => sum + run.receipts.wronglyDuplicate + run.receipts.quarantined, 0)
  const { kept, disturbances } = await askCounts(port)
  say(`${accepted} reports acknowledged, ${kept} kept, ${wrong} wrongly refused, ${last.unanswered} without an answer; ${disturbances} disturbances open`)
  return { lost: Math.max(0, accepted - kept) + wrong, doubled: Math.max(0, kept - accepted) }
}

async function peerTakesIn(folder: string, generator: Generator): Promise<Peer> {
  const server = await startVictoria(folder, await freePort())
  try {
    await generator.connect(server.port)
    const stretch = (name: string, load: LoadPlan, rate_per_s: number | null, seconds: number): Promise<Stretch> => measure(`peer, ${name}`, generator, server, null, load, { rate_per_s, seconds })
    const warm = Math.min(warm_s, seconds)
    await stretch('single, warming up', single(null, 'lines'), national_per_s, warm)
    const peerSingle = await stretch('single', single(null, 'lines'), national_per_s, seconds)
    await stretch('batched, warming up', batched('lines'), national_per_s / batch_samples, warm)
    const peerBatched = await stretch('batched', batched('lines'), national_per_s / batch_samples, seconds)
    await stretch('batched, as much as it takes', batched('lines'), null, Math.min(saturated_s, seconds))
    return { single: peerSingle, batched: peerBatched }
  } finally {
    await server.stop()
  }
}

function figuresOf(ours: Stretches, killed: { lost: number; doubled: number }, peer: Peer | null): Record<string, number> {
  const { single, batched, saturatedSingle, saturatedBatched, kept } = ours
  const growth = (stretch: Stretch | undefined): number => (stretch === undefined ? NaN : stretch.rss_mb_last - stretch.rss_mb_first)
  const round = (value: number, places = 3): number => Math.round(value * 10 ** places) / 10 ** places
  const lag_s = Math.max(single?.detectionLag_s_max ?? NaN, batched?.detectionLag_s_max ?? NaN)
  if (Number.isNaN(lag_s)) say('MISSING: the server shows no kawal_detection_lag_seconds at /metrics')
  const figures = {
    duration_s: round(Math.min(single?.run.seconds ?? NaN, batched?.run.seconds ?? NaN)),
    cpu_s_per_million_single: round(single?.cpu_s_per_million ?? NaN), cpu_s_per_million_batched: round(batched?.cpu_s_per_million ?? NaN),
    cores_at_national_rate_single: round(single?.cores ?? NaN), cores_at_national_rate_batched: round(batched?.cores ?? NaN),
    sustained_single_per_s: round(saturatedSingle?.reports_per_s ?? NaN, 0), sustained_batched_per_s: round(saturatedBatched?.reports_per_s ?? NaN, 0),
    ack_ms_p99: single === undefined || batched === undefined ? NaN : percentile([single.run, batched.run], 0.99),
    detection_lag_s_max: round(lag_s), rss_growth_mb: round(Math.max(growth(single), growth(batched)), 1),
    lost: killed.lost + (kept?.lost ?? NaN), doubled: killed.doubled + (kept?.doubled ?? NaN),
  }
  return peer === null ? figures : {
    ...figures, peer_cpu_ratio_single: round(figures.cpu_s_per_million_single / peer.single.cpu_s_per_million), peer_cpu_ratio_batched: round(figures.cpu_s_per_million_batched / peer.batched.cpu_s_per_million),
  }
}

/** A figure that is missing is NaN, and meets no goal. */
function isMet(figures: Readonly<Record<string, number>>, peer: boolean): boolean {
  const most: Record<string, number> = {
    cores_at_national_rate_single: 1, cores_at_national_rate_batched: 0.3, ack_ms_p99: 250, detection_lag_s_max: 2, rss_growth_mb: 50, lost: 0, doubled: 0,
    ...(peer ? { peer_cpu_ratio_single: 1, peer_cpu_ratio_batched: 1.5 } : {}),
  }
  const least: Record<string, number> = { duration_s: whole_s, sustained_batched_per_s: 60_000 }
  return Object.entries(most).every(([key, value]) => (figures[key] ?? NaN) <= value) && Object.entries(least).every(([key, value]) => (figures[key] ?? NaN) >= value)
}
