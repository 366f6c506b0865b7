import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../kernel/random.ts'
import { deviceWeights, isGrossError } from './outlier.ts'

const random = seeded(4)
const x = Float64Array.from({ length: 200 }, random)
const y = Float64Array.from({ length: 200 }, random)
/** A slope, and fading of up to 6 dB either way. */
const level = x.map((each) => -80 - 30 * each + 12 * (random() - 0.5))

test('the -200 and +7 of real logs are found among honest samples, and only they', () => {
  const spoilt = level.slice()
  spoilt[17] = -200
  spoilt[90] = 7
  assert.deepEqual([...isGrossError(x, y, spoilt)].flatMap((gross, i) => (gross === 1 ? [i] : [])), [17, 90])
  assert.ok(isGrossError(x, y, level).every((gross) => gross === 0))
})

test('values that agree exactly do not make the smallest difference an error; three samples contradict nobody', () => {
  const flat = new Float64Array(50).fill(-90)
  flat[3] = -93
  assert.ok(isGrossError(x.slice(0, 50), y.slice(0, 50), flat).every((gross) => gross === 0))
  assert.deepEqual(isGrossError(x.slice(0, 3), y.slice(0, 3), Float64Array.of(-90, -90, 7)), new Uint8Array(3))
  assert.deepEqual(isGrossError(new Float64Array(0), new Float64Array(0), new Float64Array(0)), new Uint8Array(0))
})

test('one phone with 10,000 samples does not outvote 20 phones of one cell; other cells are another matter', () => {
  const devices = Int32Array.from({ length: 10_021 }, (_, i) => (i < 10_001 ? 0 : i - 10_000))
  const cells = Int32Array.from(devices, (_, i) => Number(i === 10_000))
  const weights = deviceWeights(cells, devices)
  const loud = weights.subarray(0, 10_000).reduce((sum, each) => sum + each, 0)
  assert.ok(loud <= 2 && loud > 1.9)
  assert.deepEqual(weights.subarray(10_000), new Float64Array(21).fill(1))
})

test('property: more readings of a device never count less together, and never as much as two devices with two readings', () => {
  const together = (readings: number): number => deviceWeights(new Int32Array(readings), new Int32Array(readings)).reduce((sum, each) => sum + each, 0)
  fc.assert(fc.property(fc.integer({ min: 1, max: 500 }), (readings) => {
    assert.ok(together(readings + 1) > together(readings))
    assert.ok(together(readings) < 2)
  }))
})
