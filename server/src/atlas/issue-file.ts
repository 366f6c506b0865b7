import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { claimReasons, type ClaimIssue } from '@kawal/core/atlas/claim.ts'

/** An issue and where: `place` counts a file's features from 1, or its lines with the header. */
export interface PlacedIssue extends ClaimIssue {
  readonly place: number
  /** What the file calls it: a village's code, a cell; else ''. */
  readonly code: string
}

const quote = (value: string): string => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)

/** file,line,code,severity,reason,detail,meaning: one row per oddity, in the order of the file. */
export async function writeIssueFile(path: string, file: string, issues: readonly PlacedIssue[]): Promise<void> {
  function* lines(): Generator<string> {
    yield 'file,line,code,severity,reason,detail,meaning\n'
    for (const issue of [...issues].sort((a, b) => a.place - b.place))
      yield [file, String(issue.place), issue.code, issue.severity, issue.reason, issue.detail, claimReasons[issue.reason]].map(quote).join(',') + '\n'
  }
  await pipeline(Readable.from(lines()), createWriteStream(path))
}

/** How often each reason came, in the order of the codes. */
export function countReasons(issues: readonly PlacedIssue[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { reason } of issues) counts[reason] = (counts[reason] ?? 0) + 1
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function countOf(issues: readonly PlacedIssue[], severity: ClaimIssue['severity']): number {
  return issues.reduce((sum, issue) => sum + (issue.severity === severity ? 1 : 0), 0)
}
