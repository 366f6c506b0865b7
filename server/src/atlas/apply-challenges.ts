import { flag, nothing, rowOf, stepOf, type Columns, type Grid } from '@kawal/core/atlas/edition.ts'
import { ancestorOf } from '@kawal/core/geo/cells.ts'
import type { acceptedChallenges } from './challenge.ts'

type Accepted = Awaited<ReturnType<typeof acceptedChallenges>>[number]

/** An accepted challenge is worth as many devices that all measured what it says. */
const challenge_devices = 10
const prior_devices = 4

/** What was accepted becomes evidence of its own cell, and of the fine cells within it. */
export function applyChallenges(grid: Grid, columns: Columns, challenges: readonly Accepted[]): void {
  for (const { key, resolution, says, decidedOn } of challenges) {
    const day = Math.floor(Date.parse(decidedOn) / 86_400_000)
    for (const row of rowsIn(grid, key, resolution)) {
      const step = columns.usable[row] as number
      const prior = step === nothing ? 0.5 : step / 200
      columns.usable[row] = stepOf((prior * prior_devices + (says === 'covered' ? challenge_devices : 0)) / (prior_devices + challenge_devices))
      columns.flags[row] = (columns.flags[row] as number) | flag.challenged
      columns.day[row] = Math.max(columns.day[row] as number, day)
    }
  }
}

function rowsIn(grid: Grid, key: number, resolution: number): number[] {
  if (resolution > grid.resolution) return [rowOf(grid.cells, ancestorOf(key, resolution - grid.resolution))].filter((row) => row >= 0)
  if (resolution === grid.resolution) return [rowOf(grid.cells, key)].filter((row) => row >= 0)
  return Array.from({ length: 7 }, (_, child) => rowOf(grid.cells, key * 8 + child)).filter((row) => row >= 0)
}
