import { eachNationalCell, inRuns, resolution_national, type Runs } from '../geo/cells.ts'
import { flag, nothing, shareOf, stepOf, type Columns, type Grid } from './edition.ts'

/**
 * What each kind of evidence is worth: dated configuration, kept in every edition's header. The defaults
 * are engineering defaults of ours but where a source is named.
 */
interface Weights {
  /**
   * P(usable | claimed), before any measurement. FCC staff (Mobility Fund II Coverage Maps Investigation,
   * 2019) found the claimed speed at 62.3 % of their points and some 4G at 62 to 84 %: the middle.
   */
  readonly claimed: number
  /** How many tested cells that prior is worth: an operator's own record replaces it. */
  readonly claimed_cells: number
  /** P(usable | outside a claim): maps claim too much rather than too little. */
  readonly unclaimed: number
  /** How much of a prediction's log-odds counts alone, and beside a claim, which it is not independent of. */
  readonly prediction_alone: number
  readonly prediction_beside: number
  /** What a prior is worth in measurements near, when there is one, and when nothing is known. */
  readonly prior_samples: number
  readonly blind_samples: number
}

export const weights: Weights = { claimed: 0.73, claimed_cells: 25, unclaimed: 0.05, prediction_alone: 0.6, prediction_beside: 0.35, prior_samples: 4, blind_samples: 2 }

/** What was measured on a grid, row by row; `evidence.ts` makes it from samples. */
export interface Measured {
  /** Weighed share of usable samples near, and what they weigh together; weight 0 is none. */
  readonly share: Float32Array
  readonly weight: Float32Array
  /** P(level above the threshold) of blended levels, NaN where none is near, and how much it counts: 1 where one was read, less farther off. */
  readonly level: Float32Array
  readonly known: Float32Array
  readonly samples: Uint16Array
  readonly day: Uint16Array
}

/** One layer's evidence on one grid. */
interface Evidence {
  readonly claim: { readonly runs: Runs; readonly day: number } | null
  /** P(usable) by physics in 1/200; `complete`: the sites are the whole network, so that a low value means something. */
  readonly prediction: { readonly usable: Uint8Array; readonly complete: boolean; readonly day: number } | null
  readonly measured: Measured | null
}

const logit = (p: number): number => Math.log(p / (1 - p))
const logistic = (x: number): number => 1 / (1 + Math.exp(-x))
/** No evidence makes a place certain, either way. */
const sure = 0.995
const within = (p: number): number => Math.min(sure, Math.max(1 - sure, p))

/**
 * The share of each cell that a claim covers, in 1/200.
 * @param grid national: a cell is covered by as many sevenths as children; fine: by its own
 */
export function claimedColumn(grid: Grid, runs: Runs): Uint8Array {
  const column = new Uint8Array(grid.cells.length)
  if (grid.resolution !== resolution_national) {
    for (let row = 0; row < column.length; row++) column[row] = inRuns(runs, grid.cells[row] as number) ? 200 : 0
    return column
  }
  // both ascend: one pass
  let row = 0
  eachNationalCell(runs, (key, children) => {
    while (row < column.length && (grid.cells[row] as number) < key) row++
    if (grid.cells[row] === key) column[row] = stepOf(children / 7)
  })
  return column
}

/** An operator's record: of the claimed cells that were tested, how the measurements came out. */
export interface ClaimRecord {
  readonly claimed_cells: number
  readonly tested_cells: number
  readonly contradicted_cells: number
  /** contradicted / tested with its Wilson interval at 95 %; null when nothing was tested. */
  readonly over_claim_rate: number | null
  readonly over_claim_low: number | null
  readonly over_claim_high: number | null
  /** P(usable | claimed) as the operator's own record makes it. */
  readonly reliability: number
}

/** What a claimed cell must have been measured with before it counts as tested. */
const tested_weight_min = 3

/** Wilson's interval for a share (Wilson 1927), 95 %. */
export function wilson(share: number, n: number): readonly [low: number, high: number] {
  const z2 = 1.96 * 1.96
  const middle = (share + z2 / (2 * n)) / (1 + z2 / n)
  const half = (1.96 / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n))
  return [Math.max(0, middle - half), Math.min(1, middle + half)]
}

/** Measured not to be there: even the upper end of what the measurements allow is under a half. */
const contradicts = (share: number, weight: number): boolean => weight >= tested_weight_min && wilson(share, weight)[1] < 0.5

/** @param claimed a claim's column over the national grid */
export function recordOf(claimed: Uint8Array, measured: Measured | null, worth: Weights = weights): ClaimRecord {
  let covered = 0
  let tested = 0
  let contradicted = 0
  let usable = 0
  for (let row = 0; row < claimed.length; row++) {
    if ((claimed[row] as number) < 100 || claimed[row] === nothing) continue
    covered++
    // the samples of the cell itself: what is measured beside it tests the cell beside it
    if (measured === null || (measured.samples[row] as number) === 0 || (measured.weight[row] as number) < tested_weight_min) continue
    tested++
    usable += measured.share[row] as number
    if (contradicts(measured.share[row] as number, measured.weight[row] as number)) contradicted++
  }
  const [low, high] = tested === 0 ? [null, null] : wilson(contradicted / tested, tested)
  return {
    claimed_cells: covered, tested_cells: tested, contradicted_cells: contradicted, over_claim_rate: tested === 0 ? null : contradicted / tested, over_claim_low: low, over_claim_high: high,
    reliability: (worth.claimed * worth.claimed_cells + usable) / (worth.claimed_cells + tested),
  }
}

/**
 * Fuses what is claimed, predicted and measured into P(usable), row by row.
 *
 * A claim and a prediction meet as log-odds, the prediction's share tempered (a logarithmic opinion pool:
 * Genest and Zidek 1986); levels that were read near take over, the less the farther; usable and
 * unusable samples near update a beta prior. A site list that is not complete says nothing where it
 * predicts nothing. Where there is no evidence of any kind there is no value.
 *
 * @param reliability P(usable | claimed) of this operator and technology, of `recordOf`
 */
export function fuse(grid: Grid, evidence: Evidence, reliability: number, columns: Columns, worth: Weights = weights): void {
  const { claim, prediction, measured } = evidence
  if (claim !== null) columns.claimed.set(claimedColumn(grid, claim.runs))
  for (let row = 0; row < grid.cells.length; row++) {
    let day = claim?.day ?? 0
    const claimed = shareOf(columns.claimed[row] as number)
    let odds = claimed === null ? NaN : logit(within(claimed * reliability + (1 - claimed) * worth.unclaimed))
    const step = prediction?.usable[row] ?? nothing
    // an unlisted site may stand beside it: only what the listed ones reach is known
    if (prediction !== null && step !== nothing && (prediction.complete || step >= 100)) {
      columns.predicted[row] = step
      const predicted = logit(within(step / 200))
      odds = Number.isNaN(odds) ? worth.prediction_alone * predicted : odds + worth.prediction_beside * predicted
      day = Math.max(day, prediction.day)
    } else if (prediction?.complete === true && Number.isNaN(odds)) {
      // the whole network is listed, and none of it reaches here
      columns.predicted[row] = 0
      odds = logit(worth.unclaimed)
      day = Math.max(day, prediction.day)
    }
    let usable = Number.isNaN(odds) ? NaN : logistic(odds)
    if (measured !== null) {
      usable = withMeasured(usable, measured, row, worth)
      const weight = measured.weight[row] as number
      if (weight > 0) columns.measured[row] = stepOf(measured.share[row] as number)
      else if (!Number.isNaN(measured.level[row] as number)) columns.measured[row] = stepOf(measured.level[row] as number)
      columns.samples[row] = measured.samples[row] as number
      day = Math.max(day, measured.day[row] as number)
      if (claimed !== null && claimed >= 0.5 && (measured.samples[row] as number) > 0 && contradicts(measured.share[row] as number, weight)) columns.flags[row] = (columns.flags[row] as number) | flag.contradicted
    }
    if (Number.isNaN(usable)) continue
    columns.usable[row] = stepOf(within(usable))
    columns.day[row] = day
  }
}

function withMeasured(prior: number, measured: Measured, row: number, worth: Weights): number {
  let usable = prior
  const level = measured.level[row] as number
  if (!Number.isNaN(level)) {
    const known = measured.known[row] as number
    usable = Number.isNaN(usable) ? level : logistic((1 - known) * logit(within(usable)) + known * logit(within(level)))
  }
  const weight = measured.weight[row] as number
  if (weight === 0) return usable
  const blind = Number.isNaN(usable)
  const strength = blind ? worth.blind_samples : worth.prior_samples
  return ((blind ? 0.5 : usable) * strength + (measured.share[row] as number) * weight) / (strength + weight)
}
