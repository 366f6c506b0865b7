import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readVerifierKey } from '@kawal/core/ledger/key.ts'
import { logAlone } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { freePort } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { sha256, verifyEd25519 } from '@kawal/server/src/ledger/cryptography.ts'
import { serve } from './ingest/processes.ts'
import { faults } from './recap/faults.ts'
import { handIn } from './recap/load.ts'
import { againstTus, needTus } from './recap/peer.ts'
import { catchPlanted } from './recap/planted.ts'
import { satellite } from './recap/satellite.ts'
import { runSimulator } from './recap/simulator.ts'
import { makeSenders } from './recap/world.ts'

const seed = 7
const rate = 1_100
/** Development alone: `RECAP_SECONDS=10`. The goal then fails. */
const duration_s = Number(process.env['RECAP_SECONDS'] ?? 62)
/** Development alone: `RECAP_PARTS=satellite,planted`. What is left out has no figures, and its goals fail. */
const parts = process.env['RECAP_PARTS']?.split(',') ?? null
const phones = 1_000
const simulator_seeds = 500

const say = (text: string): void => void process.stderr.write(`${text}\n`)
const percentile = (values: readonly number[], share: number): number => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN
const round = (value: number): number => Math.round(value * 1000) / 1000

type Figures = Record<string, number>

/**
 * `npm run -s bench -- recap`: what a thousand phones hand in at once, what twenty behind one satellite line do, the matrix of faults with a checker behind it, ten bugs that
 * were planted, 500 seeds of the simulator, and with `--peer` the same photos through @tus/server.
 */
export async function run({ peer }: { readonly peer: boolean }): Promise<{ ok: boolean; figures: Figures; seed: number }> {
  if (peer) needTus()
  const figures: Figures = {}
  for (const [name, measure] of Object.entries({ totals, satellite: satelliteLine, faults: faultMatrix, planted, simulator, ...(peer ? { peer: peerRatio } : {}) }))
    if (parts === null || parts.includes(name)) Object.assign(figures, await measure())
  return { ok: isMet(figures, peer), figures, seed }
}

/** Each record is on disk and in a signed checkpoint before it is answered; every receipt is verified afterwards. */
async function totals(): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-recap-'))
  try {
    const senders = await makeSenders(folder, { phones, records_each: Math.ceil((rate * duration_s) / phones), seed })
    say(`totals: ${phones} phones signed ${senders.reduce((sum, { records }) => sum + records.length, 0)} records`)
    const server = await serve(folder, await freePort())
    try {
      const before = server.cpu()
      const { latency_ms, receipts, refused, seconds } = await handIn(server.port, senders, rate)
      const after = server.cpu()
      const key = readVerifierKey((await (await fetch(`http://127.0.0.1:${server.port}/ledger/key`)).text()).trim(), sha256)
      if (!key.ok) throw new Error(key.error)
      let wrong = 0
      for (const { record, receipt } of receipts) {
        const read = await verifyReceipt(writeEntry({ kind: 'recap', envelope: record }), receipt, logAlone(key.value), { sha256, verify: verifyEd25519 })
        if (!read.ok) wrong++
      }
      return {
        duration_s: Math.round(seconds), totals_per_s: round(receipts.length / seconds), receipt_ms_p50: round(percentile(latency_ms, 0.5)), receipt_ms_p99: round(percentile(latency_ms, 0.99)), receipt_ms_max: round(percentile(latency_ms, 1)),
        refused: [...refused.values()].reduce((sum, each) => sum + each, 0), receipts_wrong: wrong,
        cores_server: round((after.server_s - before.server_s) / seconds), cores_database: round((after.database_s - before.database_s) / seconds), rss_mb: Math.round(server.rss_mb()),
      }
    } finally {
      await server.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function satelliteLine(): Promise<Figures> {
  const { totals_s, goodput, starved, wire_share, slow_photos_s } = await satellite(seed, say)
  return {
    satellite_records: totals_s.length, satellite_totals_s_p50: round(percentile(totals_s, 0.5)), satellite_totals_s_p95: round(percentile(totals_s, 0.95)), satellite_totals_s_max: round(percentile(totals_s, 1)),
    satellite_goodput: round(goodput), satellite_wire_share: round(wire_share), starved, slow_photos_s: round(slow_photos_s),
  }
}

async function faultMatrix(): Promise<Figures> {
  const { lost, doubled, figures } = await faults(seed, say)
  return { ...figures, fault_lost: lost, fault_doubled: doubled }
}

const planted = async (): Promise<Figures> => ({ planted_bugs_caught: await catchPlanted(say) })

/** A seed in which a rule does not hold is not counted. */
async function simulator(): Promise<Figures> {
  const { seeds, failed, violations } = await runSimulator(1, simulator_seeds)
  say(`simulator: ${seeds} seeds, ${failed.length} with violations${failed.length > 0 ? ` (${failed.join(', ')})` : ''}`)
  return { simulator_seeds: seeds - failed.length, simulator_violations: violations }
}

async function peerRatio(): Promise<Figures> {
  const { ratio, ours_ms_per_mb, theirs_ms_per_mb } = await againstTus(seed, say)
  return { peer_cpu_ratio: round(ratio), photo_cpu_ms_per_mb: round(ours_ms_per_mb), peer_cpu_ms_per_mb: round(theirs_ms_per_mb) }
}

/** A figure that is missing is NaN, and meets no goal. */
function isMet(figures: Readonly<Figures>, peer: boolean): boolean {
  const most: Figures = { receipt_ms_p99: 1_000, receipts_wrong: 0, satellite_totals_s_p95: 8, starved: 0, slow_photos_s: 180, fault_lost: 0, fault_doubled: 0, simulator_violations: 0, photo_resent_chunks_max: 1, ...(peer ? { peer_cpu_ratio: 1 } : {}) }
  const least: Figures = { duration_s: 60, totals_per_s: 1_000, satellite_goodput: 0.7, planted_bugs_caught: 10, simulator_seeds: 500 }
  return Object.entries(most).every(([key, value]) => (figures[key] ?? NaN) <= value) && Object.entries(least).every(([key, value]) => (figures[key] ?? NaN) >= value)
}
