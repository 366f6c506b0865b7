import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readVerifierKey } from '@kawal/core/ledger/key.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { freePort } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { sha256, verifyEd25519 } from '@kawal/server/src/ledger/cryptography.ts'
import { serve } from './ingest/processes.ts'
import { handIn } from './recap/load.ts'
import { makeSenders } from './recap/world.ts'

const seed = 7
const rate = 1_100
/** Development alone: `RECAP_SECONDS=10`. The goal then fails. */
const duration_s = Number(process.env['RECAP_SECONDS'] ?? 62)
const phones = 1_000

const say = (text: string): void => void process.stderr.write(`${text}\n`)
const percentile = (values: readonly number[], share: number): number => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN
const round = (value: number): number => Math.round(value * 1000) / 1000

/**
 * `npm run -s bench -- recap`: a thousand phones hand in presidential records at `kawal serve`, each on disk and in a signed checkpoint before it is answered; every receipt
 * is verified afterwards. Shared access points, photos, faults and the simulator are not in it yet, so it does not say that every goal holds.
 */
export async function run(): Promise<{ ok: boolean; figures: Record<string, number>; seed: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-recap-'))
  try {
    const senders = await makeSenders(folder, { phones, records_each: Math.ceil((rate * duration_s) / phones), seed })
    say(`${phones} phones signed ${senders.reduce((sum, { records }) => sum + records.length, 0)} records`)
    const server = await serve(folder, await freePort())
    try {
      const before = server.cpu()
      const { latency_ms, receipts, refused, seconds } = await handIn(server.port, senders, rate)
      const after = server.cpu()
      const key = readVerifierKey((await (await fetch(`http://127.0.0.1:${server.port}/ledger/key`)).text()).trim(), sha256)
      if (!key.ok) throw new Error(key.error)
      let wrong = 0
      for (const { record, receipt } of receipts) {
        const read = await verifyReceipt(writeEntry({ kind: 'recap', envelope: record }), receipt, { log: key.value, witnesses: [], witnesses_min: 0 }, { sha256, verify: verifyEd25519 })
        if (!read.ok) wrong++
      }
      const figures = {
        duration_s: Math.round(seconds), totals_per_s: round(receipts.length / seconds), receipt_ms_p50: round(percentile(latency_ms, 0.5)), receipt_ms_p99: round(percentile(latency_ms, 0.99)), receipt_ms_max: round(percentile(latency_ms, 1)),
        refused: [...refused.values()].reduce((sum, each) => sum + each, 0), receipts_wrong: wrong,
        cores_server: round((after.server_s - before.server_s) / seconds), cores_database: round((after.database_s - before.database_s) / seconds), rss_mb: Math.round(server.rss_mb()),
      }
      return { ok: false, figures, seed }
    } finally {
      await server.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
