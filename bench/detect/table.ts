import type { DayResult } from './day.ts'
import type { DayScore, ScoredFault } from './score.ts'

/** Devices on duty that lost service, from the least of each bucket on. */
const buckets = [1, 3, 6, 10, 15, 20, 30, 50, 100]

interface Summary {
  readonly faults: number
  readonly recall: number
  readonly median_min: number
  readonly p90_min: number
  readonly iou: number
  /** Of those that something was confirmed for, with the right cause and operator. */
  readonly attribution: number
}

/** NaN where there is nothing to count. */
export function summary(rows: readonly ScoredFault[], from: 'delay_min' | 'sinceFirst_min' = 'delay_min'): Summary {
  const delays = rows.flatMap(({ [from]: delay }) => (delay === null ? [] : [delay])).sort((a, b) => a - b)
  const quantile = (share: number): number => delays[Math.min(delays.length - 1, Math.floor(share * delays.length))] ?? NaN
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  return {
    faults: rows.length, recall: delays.length / rows.length, median_min: quantile(0.5), p90_min: quantile(0.9), iou: mean(rows.map(({ iou }) => iou)),
    attribution: mean(rows.filter(({ seen }) => seen).map(({ right }) => Number(right))),
  }
}

export const atLeast = (rows: readonly ScoredFault[], least: number, below = Infinity): ScoredFault[] => rows.filter(({ lost }) => lost >= least && lost < below)

/** What people read of some days: by size, by kind, what was taken for what, and what was wrong. */
export function tableOf(results: readonly DayResult[], pick: (each: DayResult) => DayScore): string {
  const rows = results.flatMap((each) => [...pick(each).faults])
  const servers = results.flatMap((each) => [...pick(each).servers])
  const line = (name: string, some: readonly ScoredFault[]): string => {
    const of = summary(some)
    const share = (value: number): string => (Number.isNaN(value) ? '-' : `${(100 * value).toFixed(0)} %`).padStart(6)
    const minutes = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(1)).padStart(6)
    return `${name.padEnd(18)}${String(of.faults).padStart(5)} ${share(of.recall)} ${minutes(of.median_min)} ${minutes(of.p90_min)} ${share(of.iou)} ${share(of.attribution)} ${String(some.reduce((sum, each) => sum + each.fragments, 0)).padStart(6)}`
  }
  const kinds = [...new Set(rows.map(({ kind }) => kind))].sort()
  const said = (kind: string): string => {
    const counts = new Map<string, number>()
    for (const each of atLeast(rows, 6)) if (each.kind === kind && each.seen) counts.set(each.said, (counts.get(each.said) ?? 0) + 1)
    return [...counts].sort((a, b) => b[1] - a[1]).map(([cause, count]) => `${cause} ${count}`).join(', ')
  }
  return [
    'devices            faults recall median    p90    IoU  cause  again',
    ...buckets.map((least, index) => line(`${least}${index + 1 < buckets.length ? `-${(buckets[index + 1] ?? 0) - 1}` : '+'}`, atLeast(rows, least, buckets[index + 1]))),
    'kind, from 6 devices',
    ...kinds.flatMap((kind) => [line(kind, atLeast(rows, 6).filter((each) => each.kind === kind)), line('  from 20', atLeast(rows, 20).filter((each) => each.kind === kind))]),
    ...[...new Set(servers.map(({ kind }) => kind))].map((kind) => line(kind, servers.filter((each) => each.kind === kind))),
    'taken for, from 6 devices',
    ...kinds.map((kind) => `${kind.padEnd(18)}${said(kind)}`),
    `false: ${results.map((each) => `seed ${each.plan.seed}${each.plan.faults === 0 ? ' (null)' : ''} ${pick(each).wrong.length}`).join(', ')}; against another operator ${results.reduce((sum, each) => sum + pick(each).otherOwner, 0)}; blamed for the election server ${results.reduce((sum, each) => sum + pick(each).blamed.length, 0)}`,
  ].join('\n')
}
