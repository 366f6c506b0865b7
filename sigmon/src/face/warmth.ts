import type { Position } from '@kawal/core/geo/distance.ts'

/** One feeling of the network at a moment, and where that was, if known. */
export interface Felt {
  readonly at: number
  readonly rttMs: number | null
  readonly dbm: number | null
  readonly where: Position | null
}

type Warmth = 'first' | 'best' | 'warmer' | 'colder' | 'same' | 'none'

interface Walk {
  readonly warmth: Warmth
  readonly felt: readonly Felt[]
  readonly best: Felt | null
}

export const noWalk: Walk = { warmth: 'first', felt: [], best: null }

/**
 * Defaults of ours. 3 dB is half or double the power, and about what a phone's own reading wavers by; round-trip
 * times waver more: a fifth. Walks are bounded: 5 minutes of one feeling every few seconds are about 100, of one a second 300.
 */
const dbm_step = 3
const rtt_share = 0.2
const felt_max = 300

/** Above 0: `a` is better by more than noise; below: worse; 0: no telling. No answer is worse than any. dBm decides where both have it: where nothing answers it alone shows the way. */
export function compare(a: Felt, b: Felt): number {
  const answered = Number(a.rttMs !== null) - Number(b.rttMs !== null)
  if (answered !== 0) return answered
  if (a.dbm !== null && b.dbm !== null && Math.abs(a.dbm - b.dbm) >= dbm_step) return Math.sign(a.dbm - b.dbm)
  if (a.rttMs === null || b.rttMs === null) return 0
  const share = a.rttMs / b.rttMs
  return share < 1 - rtt_share ? 1 : share > 1 + rtt_share ? -1 : 0
}

/**
 * Takes one more feeling into the walk. Warmer and colder are against the one before; where nothing changed,
 * standing as well as at the best spot is said to be the best.
 */
export function feelOn(walk: Walk, felt: Felt): Walk {
  const before = walk.felt.at(-1)
  const kept = [...walk.felt, felt].slice(-felt_max)
  if (felt.rttMs === null && felt.dbm === null) return { warmth: 'none', felt: kept, best: walk.best }
  const { best } = walk
  if (best === null || compare(felt, best) > 0) return { warmth: before === undefined ? 'first' : 'best', felt: kept, best: felt }
  const change = before === undefined ? 0 : compare(felt, before)
  const warmth = change < 0 ? 'colder' : compare(felt, best) === 0 ? 'best' : change > 0 ? 'warmer' : 'same'
  return { warmth, felt: kept, best }
}
