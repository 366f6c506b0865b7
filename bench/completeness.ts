import { createCompleteness, type GapKind } from '@kawal/core/recap/completeness.ts'
import { contestDefaults } from '@kawal/core/recap/judge.ts'
import { nationLog, sha256 } from './recap/nation-log.ts'
import { runLosses, type Losses } from './recap/simulator.ts'

const first_seed = 1
const seeds = 100
const stations_nation = 820_161
const records = 1_000_000
/** One of so many records goes lost at the receiver, and one in a box. */
const lost_each = 10_007
const boxed_each = 20_011
const goals = { report_s: 60, rss_mb: 1_500 }

/**
 * `npm run -s bench -- completeness`: 100 seeds of the simulator with planted losses, each of which the report of what lacks has to name, and nothing else; then the
 * report over a national log of a million records. Seeds without losses are in the bench `simulate`. With `--seed N` that seed alone.
 */
export async function run({ seed }: { readonly seed?: number }): Promise<{ ok: boolean; figures: Record<string, number>; seed: number }> {
  const nation = await reportNation()
  const parts = await runLosses(seed ?? first_seed, seed === undefined ? seeds : 1)
  const sum = (of: (part: Losses) => number): number => parts.reduce((all, part) => all + of(part), 0)
  const kinds = Object.fromEntries([...new Set(parts.flatMap((part) => Object.keys(part.kinds)))].sort().map((kind) => [`planted_${kind}`, sum((part) => part.kinds[kind] ?? 0)]))
  const figures = { ...nation, seeds: sum((part) => part.seeds), ...kinds, untrue_lines: sum((part) => part.untrue), unsaid_losses: sum((part) => part.unsaid), cpu_s_per_seed: Math.round((sum((part) => part.cpu_s) / sum((part) => part.seeds)) * 1_000) / 1_000 }
  return { ok: figures.untrue_lines === 0 && figures.unsaid_losses === 0 && nation.report_s <= goals.report_s && nation.rss_mb <= goals.rss_mb && nation.wrong_counts === 0, figures, seed: seed ?? first_seed }
}

/** What the report itself takes, without what it takes to make the log up. */
async function reportNation() {
  const stations = Array.from({ length: stations_nation }, (_, nth) => `${11 + (nth % 80)}${String(1_010_001 + Math.floor(nth / 72_000)).padStart(8, '0')}${String(1 + (Math.floor(nth / 80) % 900)).padStart(3, '0')}`)
  const known = [...new Set(stations)]
  const log = await nationLog(known, records)
  const report = createCompleteness({ sha256, stations: known, contests: contestDefaults })
  let [spent_ms, index] = [0, 0]
  const timed = <T>(work: () => T): T => {
    const began = performance.now()
    const value = work()
    spent_ms += performance.now() - began
    return value
  }
  /** In groups, so that the clock costs nothing. */
  function inGroups(count: number, make: (nth: number) => Uint8Array[], take: (made: readonly Uint8Array[]) => void): void {
    for (let from = 0; from < count; from += 2_000) {
      const made: Uint8Array[] = []
      for (let nth = from; nth < Math.min(count, from + 2_000); nth++) made.push(...make(nth))
      timed(() => take(made))
    }
  }
  const isBoxed = (nth: number): boolean => nth % boxed_each === 1
  inGroups(records, (nth) => (nth % lost_each === 0 || isBoxed(nth) ? [] : [log.record(nth).hash]), (hashes) => {
    for (const hash of hashes) report.received({ hash, sha256: hash, status: 'held', station: null, contest: null })
  })
  const entries = (made: readonly Uint8Array[]): void => { for (const entry of made) report.entry(index++, entry) }
  inGroups(known.length, (nth) => [log.enrolmentOf(known[nth] ?? '')], entries)
  inGroups(records, (nth) => (isBoxed(nth) ? [] : [log.record(nth).entry, log.answerOf(log.record(nth).hash)]), entries)
  inGroups(Math.ceil(records / boxed_each), (nth) => [log.record(nth * boxed_each + 1).entry], (made) => { for (const entry of made) report.custody('kotak', entry) })
  const counts = new Map<GapKind, number>()
  timed(() => { for (const { kind } of report.gaps()) counts.set(kind, (counts.get(kind) ?? 0) + 1) })
  const wanted: Partial<Record<GapKind, number>> = { lost: Math.ceil(records / lost_each), custody: Math.ceil(records / boxed_each), empty: report.due - records }
  const wrong = [...new Set([...counts.keys(), ...Object.keys(wanted) as GapKind[]])].filter((kind) => counts.get(kind) !== wanted[kind])
  return { nation_stations: known.length, nation_records: records, nation_entries: report.counts.entries, report_s: Math.round(spent_ms / 10) / 100, rss_mb: Math.round(process.resourceUsage().maxRSS / 1_024), nation_empty: counts.get('empty') ?? 0, wrong_counts: wrong.length }
}
