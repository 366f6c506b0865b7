import { readBundle } from '@kawal/core/ledger/bundle.ts'
import { createCompleteness, type Gap, type GapKind } from '@kawal/core/recap/completeness.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import { contests } from './plan.ts'
import type { Happening } from './world.ts'

const text = ({ of }: Happening, key: string): string => String(of[key] ?? '')
const bytesOf = (hash: string): Buffer => Buffer.from(hash, 'hex')

/**
 * The report of what lacks over what an auditor downloads when all is over: the logs of the platform and the boxes, the receiver's list, and records that people show
 * him. Its lines in short, sorted.
 */
export function saidOf(history: readonly Happening[], stations: readonly string[]): string[] {
  const report = createCompleteness({ sha256, stations, contests })
  const of = (what: string): Happening[] => history.filter((each) => each.what === what)
  for (const each of of('receiver')) report.received({ hash: bytesOf(text(each, 'hash')), sha256: bytesOf(text(each, 'bytes') || text(each, 'hash')), status: 'held', station: null, contest: null })
  for (const each of of('log')) {
    let index = 0
    for (const bundle of text(each, 'bundles').split(' ')) {
      const entries = readBundle(Buffer.from(bundle, 'base64'))
      for (const entry of entries.ok ? entries.value : []) if (text(each, 'log') === 'platform') report.entry(index++, entry)
      else report.custody(text(each, 'log'), entry)
    }
  }
  for (const each of of('shows')) report.shown(each.who, Buffer.from(text(each, 'bytes'), 'base64'))
  return [...report.gaps()].map(shortOf).sort()
}

/** Of a branch both sides: which of them came first is not for the plan to know. */
function shortOf({ kind, hash, detail, station }: Gap): string {
  if (kind === 'empty') return `empty ${station}`
  if (kind === 'branch') return `branch ${[hash, detail].sort().join(' ')}`
  return `${kind} ${hash}${kind === 'quarantine' ? ` ${detail}` : ''}`
}

/**
 * What it has to say, from what the officers saw themselves sign and what was planted: records that are not to count, slots that nobody filled, and each loss. `gone`: nobody
 * has it, and nothing proves that it was made.
 */
export function wantedOf(history: readonly Happening[], stations: readonly string[]): string[] {
  const planted = new Map<string, GapKind | 'gone'>()
  const lines: string[] = []
  for (const each of history) if (each.who === 'planted') {
    if (each.what === 'branch') lines.push(`branch ${text(each, 'hash')}`)
    else planted.set(text(each, 'hash'), each.what as GapKind)
  }
  const filled = new Set<string>()
  const inBooks = new Set(history.flatMap((each) => (each.what === 'book' ? text(each, 'hashes').split(' ') : [])))
  for (const each of history) {
    const hash = text(each, 'hash')
    if (each.what === 'later' && inBooks.has(hash)) lines.push(`quarantine ${hash} record_unreadable`)
    if (each.what !== 'signed') continue
    const kind = planted.get(hash)
    if (kind !== 'gone' && kind !== 'missing') filled.add(text(each, 'slot'))
    if (kind === undefined && text(each, 'expects') !== 'counts') lines.push(`quarantine ${hash} ${text(each, 'expects')}`)
  }
  for (const [hash, kind] of planted) if (kind !== 'gone') lines.push(`${kind} ${hash}`)
  for (const station of stations) if (!filled.has(`${station} ppwp`)) lines.push(`empty ${station}`)
  return lines.sort()
}
