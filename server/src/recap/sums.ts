import type { Caller } from '../adapters/postgres/database.ts'

/** Answers that are kept. */
const kept_max = 2_000

/** Sums over counts by village, which take 0.2 s over the nation: until the counts are made anew a room full of people gets the same. */
export function createSums<Sum>(asOf: () => number | null) {
  const kept = new Map<string, Promise<Sum>>()
  let of: number | null = null
  return (caller: Caller, area: string, ask: () => Promise<Sum>): Promise<Sum> => {
    if (of !== asOf() || kept.size >= kept_max) kept.clear()
    of = asOf()
    // Who reads all reads the same; a helpdesk what the wall leaves it.
    const key = `${caller.role === 'helpdesk' ? caller.organisation : ''} ${area}`
    const known = kept.get(key) ?? ask()
    kept.set(key, known)
    known.catch(() => kept.delete(key))
    return known
  }
}
