import assert from 'node:assert/strict'
import { test } from 'node:test'
import { centreOf, keyAt } from '../geo/cells.ts'
import { seeded } from '../kernel/random.ts'
import type { Grid } from './edition.ts'
import { measure, type RadioSamples } from './evidence.ts'

const keys = [...new Set(Array.from({ length: 70 }, (_, i) => Array.from({ length: 70 }, (_unused, j) => keyAt(-8.75 + i * 0.005, 120.95 + j * 0.005, 8))).flat())].sort((a, b) => a - b)
const grid: Grid = { resolution: 8, cells: Float64Array.from(keys) }
const middle = centreOf(keyAt(-8.58, 121.12, 8), 8)

interface Sample { latitude: number; longitude: number; device: number; usable?: number; level?: number }

function columns(samples: readonly Sample[]): RadioSamples {
  return {
    latitude: Float64Array.from(samples, (each) => each.latitude), longitude: Float64Array.from(samples, (each) => each.longitude), device: Int32Array.from(samples, (each) => each.device),
    usable: Uint8Array.from(samples, (each) => each.usable ?? 255), level_dbm: Float32Array.from(samples, (each) => each.level ?? NaN), day: new Uint16Array(samples.length).fill(20_000),
  }
}
const at = { latitude: middle.latitude, longitude: middle.longitude }
const row = keys.indexOf(keyAt(middle.latitude, middle.longitude, 8))

test('ten thousand samples of one phone do not outvote three phones', () => {
  const many = Array.from({ length: 10_000 }, () => ({ ...at, device: 1, usable: 1 }))
  const few = [2, 3, 4].map((device) => ({ ...at, device, usable: 0 }))
  const { measured } = measure(grid, columns([...many, ...few]), null, -111)
  assert.ok((measured.share[row] as number) < 0.5, String(measured.share[row]))
  assert.ok((measured.weight[row] as number) < 6)
  assert.equal(measured.samples[row], 10_003)
})

test('samples reach the cells around, and not farther; a cell without any near has no value', () => {
  const { measured } = measure(grid, columns([{ ...at, device: 1, usable: 1 }]), null, -111)
  const touched = [...measured.weight].filter((weight) => weight > 0).length
  assert.equal(touched, 19)
  assert.equal(measured.day[row], 20_000)
  assert.equal([...measured.samples].reduce((sum, each) => sum + each, 0), 1)
  assert.ok([...measured.level].every(Number.isNaN))
})

test('a few levels are taken as tries against the threshold; without a threshold they say nothing', () => {
  const levels = columns([{ ...at, device: 1, level: -80 }, { ...at, device: 2, level: -125 }])
  assert.equal(measure(grid, levels, null, -111).measured.share[row], 0.5)
  assert.equal(measure(grid, levels, null, null).measured.weight[row], 0)
})

test('many levels are blended with the prediction, fade with the distance, and one wrong reading moves nothing', () => {
  const random = seeded(5)
  const predicted = Float32Array.from(keys, (key) => -90 - 40 * (centreOf(key, 8).longitude - 120.95) / 0.35)
  const samples = Array.from({ length: 400 }, (_, device): Sample => {
    const [latitude, longitude] = [-8.7 + 0.2 * random(), 121 + 0.1 * random()]
    return { latitude, longitude, device, level: -92 - (40 * (longitude - 120.95)) / 0.35 + 4 * (random() - 0.5) }
  })
  const { measured, validation } = measure(grid, columns(samples), predicted, -111)
  const told = keys.flatMap((key, i) => (Number.isNaN(measured.level[i] as number) ? [] : [{ ...centreOf(key, 8), p: measured.level[i] as number, known: measured.known[i] as number }]))
  assert.ok(told.length > 300 && told.length < keys.length)
  for (const { longitude, p } of told.filter((each) => each.known > 0.8)) if (longitude < 121.05) assert.ok(p > 0.9, `${longitude} ${p}`)
  assert.ok((validation.rmse_db ?? 9) < 2.5 && (validation.interval_90_share ?? 0) > 0.8, JSON.stringify(validation))
  const wrong = measure(grid, columns([...samples, { latitude: -8.6, longitude: 121.02, device: 999, level: -139 }]), predicted, -111).measured
  const there = keys.indexOf(keyAt(-8.6, 121.02, 8))
  assert.ok(Math.abs((wrong.level[there] as number) - (measured.level[there] as number)) < 0.05)
})

test('what is held out is told by what lies near: of tries, better than a coin', () => {
  const random = seeded(7)
  const samples = Array.from({ length: 3_000 }, (_, device): Sample => {
    const [latitude, longitude] = [-8.7 + 0.25 * random(), 121 + 0.25 * random()]
    return { latitude, longitude, device, usable: Number(random() < (longitude < 121.12 ? 0.95 : 0.1)) }
  })
  const { validation } = measure(grid, columns(samples), null, -111)
  assert.ok(validation.tries > 2_900 && (validation.brier ?? 1) < 0.15, JSON.stringify(validation))
})
