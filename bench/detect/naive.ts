import type { Confirmed } from './score.ts'

/** "Half of a district's reports of one operator are gone": what anybody would build first. It is scored beside ours. */
interface Naive {
  /** One report, by its station and operator. */
  note(station: number, operator: number): void
  /** To be called every five minutes. */
  turn(now_s: number): void
  /** All that it told, once each. */
  told(): Confirmed[]
}

/** Five-minute counts that make up the mean, 30 minutes of them. */
const turns_kept = 6
const expected_min = 10
const gone_share = 0.5

/** @param districtOf by station; its stations stand together */
export function createNaive(districtOf: Int32Array, operators: number): Naive {
  const districts = districtOf.reduce((most, district) => Math.max(most, district + 1), 0)
  const counts = Array.from({ length: turns_kept + 1 }, () => new Int32Array(districts * operators))
  const open = new Int32Array(districts * operators)
  const found: { district: number; operator: number; at_s: number }[] = []
  let turn = 0
  let current = counts[0] as Int32Array
  return {
    note(station, operator) {
      const pair = (districtOf[station] ?? 0) * operators + operator
      current[pair] = (current[pair] ?? 0) + 1
    },
    turn(now_s) {
      for (let pair = 0; pair < open.length; pair++) {
        const mean = counts.reduce((sum, each) => sum + (each === current ? 0 : (each[pair] ?? 0)), 0) / turns_kept
        const isGone = turn >= turns_kept && mean >= expected_min && (current[pair] ?? 0) < gone_share * mean
        if (isGone && open[pair] === 0) found.push({ district: Math.floor(pair / operators), operator: pair % operators, at_s: now_s })
        open[pair] = isGone ? 1 : 0
      }
      current = counts[++turn % counts.length] as Int32Array
      current.fill(0)
    },
    told: () => found.map(({ district, operator, at_s }, index) => {
      const from = districtOf.indexOf(district)
      return { id: `n-${index}`, cause: 'undetermined', operator, times_s: [at_s], mergedInto: null, stations: Int32Array.from({ length: districtOf.lastIndexOf(district) - from + 1 }, (_, step) => from + step) }
    }),
  }
}
