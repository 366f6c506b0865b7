import { setImmediate } from 'node:timers/promises'
import { drawing, populationOf, rosterHash, type Drawn, type Stratum } from '@kawal/core/recap/draw.ts'
import { sha256 } from '../ledger/cryptography.ts'

/** The stations that are drawn from: those that the server watches. */
export function createRoster(codes: readonly string[]) {
  let hash: Uint8Array | null = null
  return {
    codes,
    /** Of the nation it takes some 0.1 s, once. */
    hash: (): Uint8Array => (hash ??= rosterHash(codes, sha256)),
    population: (area: string): number => populationOf(codes, area),
    /** Others are answered between its steps. */
    async draw(seed: string, strata: readonly Stratum[]): Promise<readonly Drawn[]> {
      const steps = drawing(seed, codes, strata, sha256)
      for (;;) {
        const step = steps.next()
        if (step.done === true) return step.value
        await setImmediate()
      }
    },
  }
}

export type Roster = ReturnType<typeof createRoster>
