import { seeded, type Random } from '../kernel/random.ts'

interface ForestOptions {
  readonly seed: number
  readonly trees: number
  /** Features tried at each node. */
  readonly tries: number
  /** No leaf has fewer samples. */
  readonly leaf_min: number
}

/** All trees in one set of columns; the children of node n are `child[n]` and `child[n] + 1`, a leaf has child 0. */
export interface Forest {
  readonly roots: Int32Array
  readonly feature: Uint16Array
  readonly threshold: Float64Array
  readonly child: Int32Array
  /** Mean of the node's samples. */
  readonly value: Float64Array
}

/** Samples by columns: every feature, the value, and how much each counts. */
export interface Columns {
  readonly features: readonly Float64Array[]
  readonly value: Float64Array
  readonly weight?: Float64Array
}

/**
 * Extremely randomised trees for regression (Geurts, Ernst and Wehenkel 2006): every tree sees all samples; a node draws one
 * threshold for each of `tries` features, uniformly between the least and the greatest value there, and keeps the split
 * that leaves the least variance. Predictions are smoother than those of a random forest, which is what gaps in a map want.
 * @param rows the samples to learn from, by number
 */
export function growForest(columns: Columns, rows: Int32Array, { seed, trees, tries, leaf_min }: ForestOptions): Forest {
  const room = Math.max(1, 2 * Math.floor(rows.length / leaf_min) - 1)
  const growth = createGrowth(columns, room * trees, seeded(seed), tries, leaf_min)
  const roots = new Int32Array(trees)
  for (let tree = 0; tree < trees; tree++) roots[tree] = growth.grow(rows)
  return { roots, ...growth.nodes() }
}

function createGrowth(columns: Columns, room: number, random: Random, tries: number, leaf_min: number) {
  const samples = columns.value.length
  const feature = new Uint16Array(room)
  const threshold = new Float64Array(room)
  const child = new Int32Array(room)
  const value = new Float64Array(room)
  const node: Node = { weight: new Float64Array(samples), sum: new Float64Array(samples), column: new Float64Array(samples), size: 0, weights: 0, sums: 0, feature: -1, threshold: 0, gain: 0 }
  const names = Uint16Array.from(columns.features, (_, name) => name)
  let used = 0

  function branch(rows: Int32Array, from: number, to: number, at: number): void {
    gather(node, columns, rows, from, to)
    value[at] = node.weights > 0 ? node.sums / node.weights : 0
    if (node.size < 2 * leaf_min) return
    chooseSplit(node, columns, rows, from, names, random, tries, leaf_min)
    if (node.feature < 0) return
    feature[at] = node.feature
    threshold[at] = node.threshold
    const middle = partRows(columns.features[node.feature] ?? value, node.threshold, rows, from, to)
    const left = used
    used += 2
    child[at] = left
    branch(rows, from, middle, left)
    branch(rows, middle, to, left + 1)
  }

  return {
    grow(all: Int32Array): number {
      const root = used++
      branch(all.slice(), 0, all.length, root)
      return root
    },
    nodes: () => ({ feature: feature.slice(0, used), threshold: threshold.slice(0, used), child: child.slice(0, used), value: value.slice(0, used) }),
  }
}

/** The samples of the node at work, side by side, and its best split so far (feature -1: none). */
interface Node {
  readonly weight: Float64Array
  /** Weight times value. */
  readonly sum: Float64Array
  readonly column: Float64Array
  size: number
  weights: number
  sums: number
  feature: number
  threshold: number
  gain: number
}

function gather(node: Node, { value, weight }: Columns, rows: Int32Array, from: number, to: number): void {
  node.size = to - from
  let weights = 0
  let sums = 0
  for (let at = from; at < to; at++) {
    const row = rows[at] ?? 0
    const w = weight === undefined ? 1 : (weight[row] ?? 0)
    const sum = w * (value[row] ?? 0)
    node.weight[at - from] = w
    node.sum[at - from] = sum
    weights += w
    sums += sum
  }
  node.weights = weights
  node.sums = sums
}

/** Draws features without replacement until `tries` of them could be split; the best split is left in `node`. */
function chooseSplit(node: Node, { features }: Columns, rows: Int32Array, from: number, names: Uint16Array, random: Random, tries: number, leaf_min: number): void {
  node.feature = -1
  node.gain = 0
  const { column: own, size } = node
  let tried = 0
  for (let drawn = 0; drawn < names.length && tried < tries; drawn++) {
    const at = drawn + Math.floor(random() * (names.length - drawn))
    const name = names[at] ?? 0
    names[at] = names[drawn] ?? 0
    names[drawn] = name
    const column = features[name] ?? own
    let least = Infinity
    let most = -Infinity
    for (let i = 0; i < size; i++) {
      const each = column[rows[from + i] ?? 0] ?? 0
      own[i] = each
      if (each < least) least = each
      if (each > most) most = each
    }
    if (!(most > least)) continue
    tried++
    const threshold = least + random() * (most - least)
    const gain = gainOf(node, threshold, leaf_min)
    if (gain <= node.gain) continue
    node.gain = gain
    node.feature = name
    node.threshold = threshold
  }
}

/** Variance between the sides, times the weights: what the split takes away from the squares; 0 when a side is too small. */
function gainOf({ column, weight, sum, size, weights, sums }: Node, threshold: number, leaf_min: number): number {
  let count = 0
  let leftWeight = 0
  let leftSum = 0
  for (let i = 0; i < size; i++) {
    // as a factor, not a branch: no processor can guess a random threshold
    const left = Number((column[i] ?? 0) < threshold)
    count += left
    leftWeight += left * (weight[i] ?? 0)
    leftSum += left * (sum[i] ?? 0)
  }
  const rightWeight = weights - leftWeight
  if (count < leaf_min || size - count < leaf_min || leftWeight <= 0 || rightWeight <= 0) return 0
  const apart = leftSum / leftWeight - (sums - leftSum) / rightWeight
  return (apart * apart * leftWeight * rightWeight) / weights
}

/** Rows below the threshold first. @returns where the others begin */
function partRows(column: Float64Array, threshold: number, rows: Int32Array, from: number, to: number): number {
  let middle = from
  for (let at = from; at < to; at++) {
    const row = rows[at] ?? 0
    if ((column[row] ?? 0) >= threshold) continue
    rows[at] = rows[middle] ?? 0
    rows[middle++] = row
  }
  return middle
}

/**
 * Mean over the trees, and how far they are apart (standard deviation), for each of the rows of `features`.
 * Trees that disagree are in a gap of the samples.
 */
export function predictForest(forest: Forest, features: readonly Float64Array[], rows: Int32Array): { readonly mean: Float64Array; readonly spread: Float64Array } {
  const mean = new Float64Array(rows.length)
  const spread = new Float64Array(rows.length)
  const { roots, feature, threshold, child, value } = forest
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] ?? 0
    let sum = 0
    let squares = 0
    for (let tree = 0; tree < roots.length; tree++) {
      let node = roots[tree] ?? 0
      let next = child[node] ?? 0
      while (next > 0) {
        node = next + Number((features[feature[node] ?? 0]?.[row] ?? 0) >= (threshold[node] ?? 0))
        next = child[node] ?? 0
      }
      const each = value[node] ?? 0
      sum += each
      squares += each * each
    }
    const average = sum / roots.length
    mean[at] = average
    spread[at] = Math.sqrt(Math.max(0, squares / roots.length - average * average))
  }
  return { mean, spread }
}
