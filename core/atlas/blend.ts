import { blocksOf, foldsOf, partFold } from './crossval.ts'
import { growForest, predictForest, type Forest } from './forest.ts'
import { krige } from './kriging.ts'
import { isGrossError } from './outlier.ts'
import { fitTrend, trendAt, type Trend } from './trend.ts'
import { experimentalVariogram, fitVariogram, type Variogram } from './variogram.ts'

/** Where something is to be known, by columns: positions on a plane and what the physics says of them. */
interface Places {
  readonly x_km: Float64Array
  readonly y_km: Float64Array
  /** What the trend is linear in: log-distance, antenna terms. */
  readonly trend: readonly Float64Array[]
  /** What the trees may split by. */
  readonly features: readonly Float64Array[]
}

/** Measurements of one transmitter, or of one operator and technology. */
export interface Survey extends Places {
  readonly value_db: Float64Array
  /** How many independent measurements a sample stands for (`deviceWeights`). */
  readonly weight?: Float64Array
}

export interface BlendOptions {
  readonly seed: number
  readonly block_km: number
  readonly trees: number
}

/** One number a place; the bounds hold 90 % of the values. */
interface Prediction {
  readonly mean_db: Float64Array
  readonly sd_db: Float64Array
  readonly low_db: Float64Array
  readonly high_db: Float64Array
}

/** What was learnt from some rows of a survey. */
interface Parts {
  readonly survey: Survey
  readonly rows: Int32Array
  readonly trend: Trend
  readonly residual_db: Float64Array
  readonly variogram: Variogram
  readonly forest: Forest
}

interface Blend {
  readonly parts: Parts
  /** The trees' share of the mean; the rest is kriging's. */
  readonly share: number
  /** Errors over scale of places held out in whole blocks, ascending. */
  readonly errors: Float64Array
  /** Root mean square and 90 % quantile of their sizes. */
  readonly spread: number
  readonly bound: number
}

const ridge = 1
const tries = 2
const leaf_min = 1
const neighbours_max = 32
/** Wide enough for gaps of a few blocks: a fit to the nearest pairs alone carries nothing across them. */
const variogram_reach_km = 1
/** Pairs grow with the square of the samples: of more than this, evenly picked ones stand for all. */
const variogram_samples_max = 800
const inner_folds = 4
/** Trees for choosing the share and the bound: an error of some hundredths of a decibel does not matter there. */
const inner_trees_share = 0.3
/**
 * A few dozen blocks tell the trees' best share only roughly: it is drawn towards this one, which counts twice as
 * much as they do.
 */
const share_usual = 2 / 3
const share_usual_counts = 2
const coverage = 0.9

/**
 * Blends a trend with kriging of its residual (Phillips et al. 2012; Molinari et al. 2015) and extremely randomised trees.
 * The trees' share is near what would have been best for blocks held out within these rows (Roberts et al. 2017), and the
 * errors there are the measure of its intervals: normalised conformal prediction (Lei et al. 2018, 5.2) over the folds.
 * Gross errors among the rows are left out first.
 * @param rows the samples it may learn from, by number; no other value is looked at
 */
export function fitBlend(survey: Survey, rows: Int32Array, options: BlendOptions): Blend {
  const good = rows.length === 0 ? rows : rows.filter(isGood(survey, rows))
  const folds = foldsOf(blocksOf(take(survey.x_km, good), take(survey.y_km, good), options.block_km), inner_folds, options.seed)
  const held = Array.from({ length: inner_folds }, (_, fold) => {
    const { inside, outside } = partFold(folds, fold)
    const to = inside.map((at) => good[at] ?? 0)
    const from = outside.map((at) => good[at] ?? 0)
    if (to.length === 0 || from.length === 0) return []
    const each = answer(learn(survey, from, { ...options, trees: Math.ceil(options.trees * inner_trees_share) }), survey, to)
    return Array.from(to, (row, at) => ({ kriged: (each.kriged[at] ?? 0) - (survey.value_db[row] ?? 0), apart: (each.grown[at] ?? 0) - (each.kriged[at] ?? 0), scale: each.scale[at] ?? 1 }))
  }).flat()
  const share = shareOf(held)
  const errors = Float64Array.from(held, ({ kriged, apart, scale }) => -(kriged + share * apart) / scale).sort()
  const sizes = errors.map(Math.abs).sort()
  return {
    parts: learn(survey, good, options), share, errors,
    spread: sizes.length === 0 ? Infinity : Math.sqrt(sizes.reduce((sum, each) => sum + each * each, 0) / sizes.length),
    bound: sizes[Math.min(sizes.length - 1, Math.ceil((sizes.length + 1) * coverage) - 1)] ?? Infinity,
  }
}

function isGood(survey: Survey, rows: Int32Array): (row: number, at: number) => boolean {
  const gross = isGrossError(take(survey.x_km, rows), take(survey.y_km, rows), take(survey.value_db, rows))
  return (_, at) => gross[at] === 0
}

const take = (column: Float64Array, rows: Int32Array): Float64Array => Float64Array.from(rows, (row) => column[row] ?? 0)

/** Least squares for one number, error = kriged + share * apart, drawn towards the usual share. */
function shareOf(held: readonly { readonly kriged: number; readonly apart: number }[]): number {
  const across = held.reduce((sum, { kriged, apart }) => sum - kriged * apart, 0)
  const along = held.reduce((sum, { apart }) => sum + apart * apart, 0)
  const best = along > 0 ? Math.max(0, Math.min(1, across / along)) : share_usual
  return (best + share_usual_counts * share_usual) / (1 + share_usual_counts)
}

function learn(survey: Survey, rows: Int32Array, { seed, trees }: BlendOptions): Parts {
  const { x_km, y_km, value_db, weight, features } = survey
  const trend = fitTrend(survey.trend, value_db, rows, ridge, weight)
  const residual_db = Float64Array.from(rows, (row) => (value_db[row] ?? 0) - trendAt(trend, survey.trend, row))
  const step = Math.ceil(rows.length / variogram_samples_max)
  const some = rows.filter((_, at) => at % step === 0)
  const variogram = fitVariogram(experimentalVariogram(take(x_km, some), take(y_km, some), residual_db.filter((_, at) => at % step === 0), variogram_reach_km), 'exponential')
  const forest = growForest({ features, value: value_db, ...(weight === undefined ? {} : { weight }) }, rows, { seed, trees, tries, leaf_min })
  return { survey, rows, trend, residual_db, variogram, forest }
}

/** What kriging and the trees say by themselves. The scale: what kriging does not know there, and how far the trees are apart. */
function answer({ survey, rows, trend, residual_db, variogram, forest }: Parts, places: Places, at: Int32Array) {
  const samples = { x: take(survey.x_km, rows), y: take(survey.y_km, rows), value: residual_db, ...(survey.weight === undefined ? {} : { weight: take(survey.weight, rows) }) }
  const { mean, variance } = krige(samples, { x: take(places.x_km, at), y: take(places.y_km, at) }, variogram, { mean: 'known', nugget: 'error', neighbours_max })
  const { mean: grown, spread } = predictForest(forest, places.features, at)
  return { kriged: mean.map((each, i) => each + trendAt(trend, places.trend, at[i] ?? 0)), grown, scale: variance.map((each, i) => Math.max(scale_db_min, Math.sqrt(each + (spread[i] ?? 0) ** 2))) }
}

/** No radio measurement repeats itself more closely than this. */
const scale_db_min = 0.5

/**
 * @param rows the places to answer for, by number
 * @returns mean, standard deviation and the 90 % interval in dB, one a row
 */
export function predictBlend({ parts, share, spread, bound }: Blend, places: Places, rows: Int32Array): Prediction {
  const { kriged, grown, scale } = answer(parts, places, rows)
  const mean_db = kriged.map((each, i) => each + share * ((grown[i] ?? 0) - each))
  return { mean_db, sd_db: scale.map((each) => each * spread), low_db: mean_db.map((each, i) => each - (scale[i] ?? 0) * bound), high_db: mean_db.map((each, i) => each + (scale[i] ?? 0) * bound) }
}

/**
 * Probability that a value there is above the threshold, from the errors of held-out places (a conformal predictive
 * distribution), never quite 0 or 1. For path loss, where less is better, take the complement.
 */
export function probabilityAbove({ errors, spread }: Blend, mean_db: number, sd_db: number, threshold_db: number): number {
  const least = ((threshold_db - mean_db) / sd_db) * spread
  let low = 0
  let high = errors.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((errors[middle] ?? 0) > least) high = middle
    else low = middle + 1
  }
  return (errors.length - low + 0.5) / (errors.length + 1)
}
