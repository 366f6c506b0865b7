/** The first wait, and the longest, ms. */
const first_ms = 2_000
const longest_ms = 10 * 60_000

/** How long somebody who did not answer so often in a row is left alone: twice as long each time, ten minutes at most. */
export const backOff_ms = (silences: number): number => Math.min(longest_ms, first_ms * 2 ** Math.min(silences, 20))
