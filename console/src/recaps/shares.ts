import type { RecapCounts } from '@kawal/contract/recap-overview.ts'

/** What becomes of the slots of an area, in the order of the bar. */
export const shares = ['delivered', 'recorded', 'missing', 'later', 'unknown'] as const
export type Share = (typeof shares)[number]

/** Every expected slot is in one of them: what is not known is its own. */
export function sharesOf({ expected, due, recorded, delivered }: Pick<RecapCounts, 'expected' | 'due' | 'recorded' | 'delivered'>): Readonly<Record<Share, number>> {
  const left = Math.max(0, expected - recorded)
  // a record from before the end of voting takes nothing off what is due elsewhere: the lesser is shown
  const missing = due === null ? 0 : Math.min(left, Math.max(0, due - recorded))
  return { delivered, recorded: Math.max(0, recorded - delivered), missing, later: due === null ? 0 : left - missing, unknown: due === null ? left : 0 }
}

export const quarantined = ({ quarantine }: Pick<RecapCounts, 'quarantine'>): number => Object.values(quarantine).reduce((sum, many) => sum + many, 0)
