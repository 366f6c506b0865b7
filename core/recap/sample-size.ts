/**
 * How many stations to draw so that what is wrong is found: drawing without replacement, by the hypergeometric distribution, exactly.
 * Nothing is assumed of where the wrong ones are; that one which is drawn is seen to be wrong is up to who compares.
 */

/** What is not found is not found with this chance at most. */
const risk_max = 0.05

/** A chance that equals the bound is within it, however the floating point rounds. */
const rounding = 1 + 1e-9

/** Chance that none of the wrong ones is among those drawn: C(population - wrong, drawn) / C(population, drawn). */
export function missChance(population: number, wrong: number, drawn: number): number {
  // The fraction is the same with the two exchanged: so the product has as few factors as may be.
  const [few, many] = wrong < drawn ? [wrong, drawn] : [drawn, wrong]
  let chance = 1
  for (let at = 0; at < few && chance > 0; at++) chance *= Math.max(0, population - many - at) / (population - at)
  return chance
}

/** How many to draw so that at least one of so many wrong ones is found. @returns at most the population */
export const sampleFor = (population: number, wrong: number, risk = risk_max): number =>
  smallestOf(1, population, (drawn) => missChance(population, wrong, drawn) <= risk * rounding)

/** From how many wrong ones on at least one is found among those drawn. @returns null where not even all being wrong would be found: nothing is drawn */
export const foundFrom = (population: number, drawn: number, risk = risk_max): number | null =>
  drawn < 1 || population < 1 ? null : smallestOf(1, population, (wrong) => missChance(population, wrong, Math.min(drawn, population)) <= risk * rounding)

/** The smallest number from `min` on for which something holds that holds for all larger ones; `max` where it holds for none below. */
function smallestOf(min: number, max: number, holds: (value: number) => boolean): number {
  let [from, to] = [min, max]
  while (from < to) {
    const middle = Math.floor((from + to) / 2)
    if (holds(middle)) to = middle
    else from = middle + 1
  }
  return from
}
