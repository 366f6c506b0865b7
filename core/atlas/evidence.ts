import { gridDisk } from 'h3-js'
import { cellOfKey, centreOf, keyAt, keyOfCell } from '../geo/cells.ts'
import { degree_km, distance_km } from '../geo/distance.ts'
import { fitBlend, predictBlend, probabilityAbove, type BlendOptions, type Survey } from './blend.ts'
import { blocksOf, foldsOf, partFold } from './crossval.ts'
import { rowOf, type Grid } from './edition.ts'
import type { Measured } from './fuse.ts'
import { deviceWeights } from './outlier.ts'

/** Samples of one operator and technology, equally long columns. */
export interface RadioSamples {
  readonly latitude: Float64Array
  readonly longitude: Float64Array
  /** Who measured, by number: samples of nobody known share one. */
  readonly device: Int32Array
  /** 1: an upload worked, 0: it did not, 255: nobody tried. */
  readonly usable: Uint8Array
  /** RSRP (LTE, NR) or RSSI (GSM), NaN where not read. */
  readonly level_dbm: Float32Array
  /** Days since 1970-01-01. */
  readonly day: Uint16Array
}

/** How well what is held out, whole blocks of it, is told by the rest: published with every edition. */
interface Validation {
  readonly block_km: number
  /** Levels held out, the root mean square error, and the share inside the 90 % interval; null with too few. */
  readonly levels: number
  readonly rmse_db: number | null
  readonly interval_90_share: number | null
  /** Tried uploads held out, and the mean squared error of P(usable) (Brier 1950): 0.25 is a coin. */
  readonly tries: number
  readonly brier: number | null
}

/** What one device says of one cell: means over its samples there, and what they are worth together. */
interface Word {
  readonly row: number
  latitude: number
  longitude: number
  samples: number
  weight: number
  tried: number
  usable: number
  leveled: number
  level_dbm: number
  day: number
}

/** A neighbour's samples count by exp(-(d / reach)^2): one cell away 40 %, two cells away next to nothing. */
const reach_km = 0.9
const rings: Readonly<Record<number, number>> = { 8: 2, 9: 4 }
/** With fewer words of levels than this nothing can be fitted. */
const leveled_words_min = 30
/** Trees and blocks grow with the words: of more than this, evenly picked ones stand for all. */
const fitted_words_max = 20_000
const validated_words_max = 4_000
/** Levels are carried this far from where they were measured, and count less the farther. */
const carried_km_max = 3
const block_km = 2
const folds = 5
const blending: BlendOptions = { seed: 1, block_km, trees: 60 }

/**
 * What samples say of a grid's cells. Tried uploads spread to the cells around; levels are blended with
 * their trend (blend.ts), gross errors left out first, and one device's many samples of a cell are worth
 * two at most (outlier.ts).
 * @param predicted_dbm the level that physics predicts, on the grid; null where there is none
 * @param threshold_dbm a level above it carries an upload; null: levels say nothing here
 */
export function measure(grid: Grid, samples: RadioSamples, predicted_dbm: Float32Array | null, threshold_dbm: number | null): { measured: Measured; validation: Validation } {
  const rows = grid.cells.length
  const measured: Measured = {
    share: new Float32Array(rows), weight: new Float32Array(rows), level: new Float32Array(rows).fill(NaN), known: new Float32Array(rows), samples: new Uint16Array(rows), day: new Uint16Array(rows),
  }
  const words = wordsOf(grid, samples)
  const leveled = threshold_dbm === null ? [] : words.filter((word) => word.leveled > 0)
  const fitted = leveled.length >= leveled_words_min
  // too few to fit: each level is taken as a try, which it would have won or lost
  if (threshold_dbm !== null && !fitted)
    for (const word of leveled) if (word.tried === 0) Object.assign(word, { tried: word.leveled, usable: word.level_dbm >= threshold_dbm ? word.leveled : 0 })
  spreadTries(grid, words, measured)
  if (fitted && threshold_dbm !== null) blendLevels(grid, evenly(leveled, fitted_words_max), predicted_dbm, threshold_dbm, measured)
  return { measured, validation: validate(grid, words, fitted ? leveled : [], predicted_dbm) }
}

function evenly<T>(all: readonly T[], most: number): readonly T[] {
  const step = Math.max(1, all.length / most)
  return step === 1 ? all : Array.from({ length: Math.min(most, all.length) }, (_, i) => all[Math.floor(i * step)] as T)
}

/** Samples beside the grid are left out. */
function wordsOf(grid: Grid, samples: RadioSamples): Word[] {
  const cells = Int32Array.from(samples.latitude, (latitude, i) => rowOf(grid.cells, keyAt(latitude, samples.longitude[i] as number, grid.resolution)))
  const weight = deviceWeights(cells, samples.device)
  const words = new Map<string, Word & { readonly device: number }>()
  for (let i = 0; i < cells.length; i++) {
    const row = cells[i] as number
    if (row < 0) continue
    const device = samples.device[i] as number
    const id = `${row} ${device}`
    let word = words.get(id)
    if (word === undefined) words.set(id, (word = { row, device, latitude: 0, longitude: 0, samples: 0, weight: 0, tried: 0, usable: 0, leveled: 0, level_dbm: 0, day: 0 }))
    word.samples++
    word.weight += weight[i] as number
    word.latitude += ((samples.latitude[i] as number) - word.latitude) / word.samples
    word.longitude += ((samples.longitude[i] as number) - word.longitude) / word.samples
    word.day = Math.max(word.day, samples.day[i] as number)
    if (samples.usable[i] !== 255) {
      word.tried++
      word.usable += samples.usable[i] as number
    }
    const level = samples.level_dbm[i] as number
    if (Number.isNaN(level)) continue
    word.leveled++
    word.level_dbm += (level - word.level_dbm) / word.leveled
  }
  return [...words.values()].sort((a, b) => a.row - b.row || a.device - b.device)
}

function spreadTries(grid: Grid, words: readonly Word[], measured: Measured): void {
  const near = neighboursOf(grid, rings[grid.resolution] ?? 1)
  for (const word of words) {
    const { row, samples, day } = word
    measured.samples[row] = Math.min(65_535, (measured.samples[row] as number) + samples)
    measured.day[row] = Math.max(measured.day[row] as number, day)
    if (word.tried === 0) continue
    for (const [other, km] of near(row)) {
      const w = word.weight * Math.exp(-((km / reach_km) ** 2))
      const sum = (measured.weight[other] as number) + w
      measured.share[other] = (measured.share[other] as number) + ((word.usable / word.tried - (measured.share[other] as number)) * w) / sum
      measured.weight[other] = sum
      measured.day[other] = Math.max(measured.day[other] as number, day)
    }
  }
}

/** Rows near a row, itself first, with the distance of their centres; remembered. */
function neighboursOf(grid: Grid, ring: number): (row: number) => readonly (readonly [row: number, km: number])[] {
  const found = new Map<number, (readonly [number, number])[]>()
  return (row) => {
    const known = found.get(row)
    if (known !== undefined) return known
    const key = grid.cells[row] as number
    const centre = centreOf(key, grid.resolution)
    const near: (readonly [number, number])[] = []
    for (const cell of gridDisk(cellOfKey(key, grid.resolution), ring)) {
      const other = keyOfCell(cell, grid.resolution)
      const at = rowOf(grid.cells, other)
      if (at >= 0) near.push([at, distance_km(centre, centreOf(other, grid.resolution))])
    }
    found.set(row, near)
    return near
  }
}

/** Parallels are this much shorter than the equator at 5 degrees; from 11 south to 6 north that is within 2 %. */
const parallel_share = 0.996

interface Place { readonly latitude: number; readonly longitude: number; readonly row: number }

/** Positions on a plane of km, and the predicted level as trend and, with the position, what trees may split by. */
function surveyOf(places: readonly Place[], predicted_dbm: Float32Array | null, level: (at: number) => number, weight: (at: number) => number): Survey {
  const x_km = Float64Array.from(places, (place) => place.longitude * degree_km * parallel_share)
  const y_km = Float64Array.from(places, (place) => place.latitude * degree_km)
  const known = predicted_dbm === null ? [] : [Float64Array.from(places, ({ row }) => predicted_dbm[row] as number)]
  // out of every site's reach counts as the weakest level that is predicted anywhere here
  for (const column of known) {
    const least = column.reduce((low, each) => (each < low ? each : low), Infinity)
    column.forEach((each, at) => (column[at] = Number.isNaN(each) ? (least === Infinity ? 0 : least) : each))
  }
  return { x_km, y_km, trend: known, features: [x_km, y_km, ...known], value_db: Float64Array.from(places, (_, at) => level(at)), weight: Float64Array.from(places, (_, at) => weight(at)) }
}

const rowsOf = (count: number): Int32Array => Int32Array.from({ length: count }, (_, row) => row)

function blendLevels(grid: Grid, words: readonly Word[], predicted_dbm: Float32Array | null, threshold_dbm: number, measured: Measured): void {
  const nearest = new Map<number, number>()
  const near = neighboursOf(grid, Math.min(12, Math.ceil((carried_km_max / reach_km) * (grid.resolution === 8 ? 1.2 : 3))))
  for (const row of new Set(words.map((word) => word.row)))
    for (const [other, km] of near(row)) if (km <= carried_km_max && km < (nearest.get(other) ?? Infinity)) nearest.set(other, km)
  const targets = [...nearest.keys()].sort((a, b) => a - b)
  // one survey holds what was measured and what is asked for, so that both stand on the same columns
  const places: Place[] = [...words, ...targets.map((row) => ({ row, ...centreOf(grid.cells[row] as number, grid.resolution) }))]
  const survey = surveyOf(places, predicted_dbm, (at) => words[at]?.level_dbm ?? 0, (at) => words[at]?.weight ?? 1)
  const blend = fitBlend(survey, rowsOf(words.length), blending)
  const asked = rowsOf(targets.length).map((at) => at + words.length)
  const { mean_db, sd_db } = predictBlend(blend, survey, asked)
  targets.forEach((row, at) => {
    measured.level[row] = probabilityAbove(blend, mean_db[at] as number, sd_db[at] as number, threshold_dbm)
    measured.known[row] = 1 - (nearest.get(row) as number) / carried_km_max
  })
}

/** Blocks of 2 km, held out whole, five folds (Roberts et al. 2017). */
function validate(grid: Grid, words: readonly Word[], leveled: readonly Word[], predicted_dbm: Float32Array | null): Validation {
  const some = evenly(leveled, validated_words_max)
  const survey = surveyOf(some, predicted_dbm, (at) => some[at]?.level_dbm ?? 0, (at) => some[at]?.weight ?? 1)
  const parts = foldsOf(blocksOf(survey.x_km, survey.y_km, block_km), folds, blending.seed)
  let [squares, inside, told] = [0, 0, 0]
  for (let fold = 0; fold < folds && some.length > 0; fold++) {
    const { inside: held, outside } = partFold(parts, fold)
    if (held.length === 0 || outside.length < leveled_words_min) continue
    const found = predictBlend(fitBlend(survey, outside, blending), survey, held)
    held.forEach((row, at) => {
      const value = survey.value_db[row] as number
      squares += (value - (found.mean_db[at] as number)) ** 2
      inside += Number(value >= (found.low_db[at] as number) && value <= (found.high_db[at] as number))
      told++
    })
  }
  return { block_km, levels: told, rmse_db: told === 0 ? null : Math.sqrt(squares / told), interval_90_share: told === 0 ? null : inside / told, ...validateTries(grid, words.filter((word) => word.tried > 0)) }
}

/** P(usable) from the tries of other folds' blocks near, half and half where there are none. */
function validateTries(grid: Grid, tried: readonly Word[]): { tries: number; brier: number | null } {
  const survey = surveyOf(tried, null, () => 0, () => 1)
  const parts = foldsOf(blocksOf(survey.x_km, survey.y_km, block_km), folds, blending.seed)
  const byRow = new Map<number, number[]>()
  tried.forEach((word, at) => byRow.set(word.row, [...(byRow.get(word.row) ?? []), at]))
  const near = neighboursOf(grid, rings[grid.resolution] ?? 1)
  let squares = 0
  tried.forEach((word, at) => {
    let [sum, weight] = [1, 2]
    for (const [row, km] of near(word.row))
      for (const other of byRow.get(row) ?? []) {
        if (parts[other] === parts[at]) continue
        const { usable, tried: tries, weight: worth } = tried[other] as Word
        const w = worth * Math.exp(-((km / reach_km) ** 2))
        sum += (usable / tries) * w
        weight += w
      }
    squares += (word.usable / word.tried - sum / weight) ** 2
  })
  return { tries: tried.length, brier: tried.length === 0 ? null : squares / tried.length }
}
