import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildGoAuditor, goMissing } from '@kawal/testkit/go-auditor.ts'
import { scratch } from '@kawal/testkit/scratch.ts'
import { withoutTiles } from './audit/judge.ts'
import { serveLog, timed } from './audit/million.ts'
import { countTamperings, type Amount } from './audit/tamperings.ts'
import { Missing } from './missing.ts'

type Figures = Record<string, number>

const default_seed = 8
const leaves = 1_000_000
const amount: Amount = { tamperings: 10_000, worlds: 120, clean: 1_000, tall: true, each_tall: 3, entries: 4_000 }
/** Development alone: `AUDIT_PARTS=tamperings`. What is left out has no figures, and its goals fail. */
const parts = process.env['AUDIT_PARTS']?.split(',') ?? null
/** The checker's own check: `AUDIT_WITHOUT=tiles` plants an auditor of ours that does not look at tiles of hashes. The goal then fails. */
const without = process.env['AUDIT_WITHOUT'] === 'tiles' ? withoutTiles : null
const kawal = join(import.meta.dirname, '../server/src/cli/kawal.ts')
const say = (text: string): void => void process.stderr.write(`${text}\n`)
const round = (value: number): number => Math.round(value * 10) / 10

/**
 * `npm run -s bench -- audit`: how long an audit of a million entries takes over HTTP, and whether it and the auditor in Go find every one of 10,000 tamperings and
 * nothing in 1,000 honest logs.
 */
export async function run({ seed = default_seed }: { readonly seed?: number }): Promise<{ ok: boolean; figures: Figures; seed: number }> {
  const missing = goMissing()
  if (missing !== null) throw new Missing(missing)
  const folder = scratch('audit')
  try {
    const auditor = buildGoAuditor(folder)
    const figures: Figures = {}
    if (parts === null || parts.includes('million')) Object.assign(figures, await million(auditor))
    if (parts === null || parts.includes('tamperings')) Object.assign(figures, await tamperings(auditor, folder, seed))
    return { ok: isMet(figures), figures, seed }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function million(auditor: string): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-million-'))
  try {
    const log = await serveLog(leaves, folder)
    say(`a log of ${leaves} entries is served`)
    const audit = [kawal, 'verify', 'log', log.url, '--key', log.key, '--json']
    const plain = await timed(process.execPath, audit)
    say(`audited in ${round(plain.seconds)} s`)
    const records = await timed(process.execPath, [...audit, '--records'])
    say(`with the signatures of its records in ${round(records.seconds)} s`)
    const go = await timed(auditor, ['log', '-key', log.key, log.url])
    log.close()
    const { size, records: { signed } } = JSON.parse(records.out) as { size: number; records: { signed: number } }
    return { leaves: size, audit_million_s: round(plain.seconds), audit_million_records_s: round(records.seconds), records_signed: signed, audit_million_go_s: round(go.seconds) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function tamperings(auditor: string, folder: string, seed: number): Promise<Figures> {
  const counted = await countTamperings(seed, amount, folder, auditor, say, without)
  for (const [who, names] of [['we', counted.missed], ['Go', counted.missed_by_go]] as const) if (names.length > 0) say(`${who} missed ${[...new Set(names)].join(', ')}`)
  if (counted.false_found.length > 0) say(`found in honest logs: ${counted.false_found.join(', ')}`)
  return {
    tamperings: counted.tamperings, tamper_kinds: counted.kinds, tamper_missed: counted.missed.length, tamper_missed_by_go: counted.missed_by_go.length,
    clean_logs: counted.clean_logs, tamper_false: counted.false_found.length,
  }
}

/** A figure that is missing is NaN, and meets no goal. */
function isMet(figures: Readonly<Figures>): boolean {
  const most: Figures = { audit_million_s: 90, tamper_missed: 0, tamper_missed_by_go: 0, tamper_false: 0 }
  const least: Figures = { leaves, tamperings: 10_000, clean_logs: 1_000 }
  return Object.entries(most).every(([key, value]) => (figures[key] ?? NaN) <= value) && Object.entries(least).every(([key, value]) => (figures[key] ?? NaN) >= value)
}
