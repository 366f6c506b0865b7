import type { Parties } from './faults.ts'
import type { Planted } from './keeper.ts'
import type { PhonePlanted } from './phone.ts'

/** Faults of ours, planted for the checker to be seen to find them; none without it. */
export interface Mutation {
  readonly keeper?: Planted
  readonly phone?: PhonePlanted
  /** Losses that are planted, and told in the history as `planted`: the report of what lacks has to name each of them. */
  readonly losses?: (parties: Parties) => void
}
