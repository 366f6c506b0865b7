import { seeded } from '../kernel/random.ts'

/**
 * The square block that each position lies in, numbered from 0 in the order of first appearance. Blocks are fixed to
 * the plane's origin.
 * @param block_km the side: at least the distance over which residuals are alike, or held-out samples are told by their neighbours
 */
export function blocksOf(x_km: Float64Array, y_km: Float64Array, block_km: number): Int32Array {
  const numbers = new Map<string, number>()
  return Int32Array.from(x_km, (x, i) => {
    const key = `${Math.floor(x / block_km)} ${Math.floor((y_km[i] ?? 0) / block_km)}`
    const number = numbers.get(key) ?? numbers.size
    numbers.set(key, number)
    return number
  })
}

/**
 * Folds of whole groups for spatial-block cross-validation (Roberts et al. 2017): each group is held out as one, in
 * shuffled order to the fold that has fewest groups. Every sample a group of its own gives plain random folds.
 * @param groups a group's number for each sample
 * @returns a fold, 0 to folds - 1, for each sample; with fewer groups than folds some folds are empty
 */
export function foldsOf(groups: Int32Array, folds: number, seed: number): Uint8Array {
  const random = seeded(seed)
  const order = [...new Set(groups)].sort((a, b) => a - b)
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const held = order[i] ?? 0
    order[i] = order[j] ?? 0
    order[j] = held
  }
  const folded = new Map(order.map((group, at) => [group, at % folds]))
  return Uint8Array.from(groups, (group) => folded.get(group) ?? 0)
}

/** The samples in a fold and the others, in their order. */
export function partFold(folds: Uint8Array, fold: number): { readonly inside: Int32Array; readonly outside: Int32Array } {
  const all = Int32Array.from(folds, (_, i) => i)
  return { inside: all.filter((i) => folds[i] === fold), outside: all.filter((i) => folds[i] !== fold) }
}
