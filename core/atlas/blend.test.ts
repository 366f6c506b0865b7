import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from '../kernel/random.ts'
import { fitBlend, predictBlend, probabilityAbove, type Survey } from './blend.ts'
import { blocksOf, foldsOf, partFold } from './crossval.ts'

/** Levels that fall with distance, behind smooth hills of shadow, with fading: normal noise of 3 dB. */
function measure(seed: number, count: number): Survey {
  const random = seeded(seed)
  const x_km = Float64Array.from({ length: count }, () => 3 * random())
  const y_km = Float64Array.from({ length: count }, () => 3 * random())
  const logDistance = x_km.map((x, i) => Math.log10(0.1 + Math.hypot(x, y_km[i] ?? 0)))
  const fading = (): number => 3 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return { x_km, y_km, trend: [logDistance], features: [x_km, y_km, logDistance], value_db: logDistance.map((each, i) => -90 - 35 * each + 6 * Math.sin(3 * (x_km[i] ?? 0)) * Math.cos(2 * (y_km[i] ?? 0)) + fading()) }
}

const options = { seed: 1, block_km: 0.3, trees: 20 }
const survey = measure(6, 900)
const folds = foldsOf(blocksOf(survey.x_km, survey.y_km, options.block_km), 5, 3)
const { inside, outside } = partFold(folds, 0)

test('blocks that were held out: near the fading that nobody can know, nine of ten within the interval, probabilities that come true', () => {
  const blend = fitBlend(survey, outside, options)
  const { mean_db, sd_db, low_db, high_db } = predictBlend(blend, survey, inside)
  const value = (at: number): number => survey.value_db[inside[at] ?? 0] ?? NaN
  const rmse_db = Math.sqrt(mean_db.reduce((sum, each, at) => sum + (each - value(at)) ** 2, 0) / inside.length)
  assert.ok(rmse_db > 2.5 && rmse_db < 4.2, `${rmse_db} dB`)
  const within = inside.filter((_, at) => value(at) >= (low_db[at] ?? 0) && value(at) <= (high_db[at] ?? 0)).length / inside.length
  assert.ok(within > 0.82 && within < 0.97, `${within} inside`)
  const expected = mean_db.reduce((sum, each, at) => sum + probabilityAbove(blend, each, sd_db[at] ?? 0, -95), 0) / inside.length
  const seen = inside.filter((_, at) => value(at) > -95).length / inside.length
  assert.ok(Math.abs(expected - seen) < 0.06, `${expected} expected, ${seen} seen`)
})

test('held-out values are not looked at: without them the predictions are the same', () => {
  const blind = { ...survey, value_db: survey.value_db.map((each, row) => (folds[row] === 0 ? NaN : each)) }
  assert.deepEqual(predictBlend(fitBlend(blind, outside, options), survey, inside), predictBlend(fitBlend(survey, outside, options), survey, inside))
})

test('a gross error among the samples changes little', () => {
  const at = outside[10] ?? 0
  const spoilt = { ...survey, value_db: survey.value_db.map((each, row) => (row === at ? 7 : each)) }
  const near = (each: Survey): number => predictBlend(fitBlend(each, outside, options), survey, Int32Array.of(at)).mean_db[0] ?? NaN
  assert.ok(Math.abs(near(spoilt) - near(survey)) < 4, `${near(spoilt)} and ${near(survey)}`)
})

test('a probability falls as the threshold rises, and is never certain', () => {
  const blend = fitBlend(survey, outside, options)
  const chances = [-300, -100, -95, -90, 300].map((threshold_db) => probabilityAbove(blend, -95, 6, threshold_db))
  assert.deepEqual(chances, chances.toSorted((a, b) => b - a))
  assert.ok((chances[0] ?? 1) < 1 && (chances[0] ?? 0) > 0.99 && (chances[4] ?? 0) > 0 && (chances[4] ?? 1) < 0.01)
  assert.ok(Math.abs((chances[2] ?? 0) - 0.5) < 0.1)
})

test('too few samples for a second block: an answer, with an interval that has no end', () => {
  const two = measure(1, 2)
  const { mean_db, high_db } = predictBlend(fitBlend({ ...two, x_km: two.x_km.fill(0.1), y_km: two.y_km.fill(0.1) }, Int32Array.of(0, 1), options), two, Int32Array.of(0))
  assert.ok(Number.isFinite(mean_db[0] ?? NaN))
  assert.equal(high_db[0], Infinity)
})
