import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../kernel/random.ts'
import { thin, type Thinnable } from './thin.ts'

const queue = fc.uniqueArray(fc.record({ sequence: fc.integer({ min: 1, max: 100_000 }), kind: fc.constantFrom('routine' as const, 'kept' as const) }), { maxLength: 400, selector: (each) => each.sequence })
const routine = (count: number): Thinnable[] => Array.from({ length: count }, (_, i) => ({ sequence: i + 1, kind: 'routine' }))

test('whatever waits: it fits or says by how much not, nothing kept goes, nothing goes twice or without need', () => {
  fc.assert(fc.property(queue, fc.integer({ min: -3, max: 450 }), (samples, max) => {
    const { drop, over } = thin(samples, max)
    const dropped = new Set(drop)
    assert.equal(dropped.size, drop.length)
    const kinds = new Map(samples.map((sample) => [sample.sequence, sample.kind]))
    for (const sequence of drop) assert.equal(kinds.get(sequence), 'routine')
    const excess = Math.max(0, samples.length - Math.max(0, max))
    assert.equal(drop.length + over, excess)
    if (over > 0) assert.equal(drop.length, samples.filter((sample) => sample.kind === 'routine').length)
    assert.deepEqual([...drop].sort((a, b) => a - b), drop)
  }), { numRuns: 300 })
})

test('order of arrival does not matter', () => {
  fc.assert(fc.property(queue, fc.nat(400), fc.integer(), (samples, max, seed) => {
    const random = seeded(seed)
    const shuffled = samples.map((sample) => ({ sample, at: random() })).sort((a, b) => a.at - b.at).map((each) => each.sample)
    assert.deepEqual(thin(shuffled, max), thin(samples, max))
  }))
})

test('every second of the oldest half, oldest first, and again until it fits', () => {
  assert.deepEqual(thin(routine(8), 7).drop, [1])
  assert.deepEqual(thin(routine(8), 6).drop, [1, 3])
  assert.deepEqual(thin(routine(8), 4).drop, [1, 2, 3, 5])
  assert.deepEqual(thin(routine(3), 3), { drop: [], over: 0 })
  assert.deepEqual(thin(routine(3), 0), { drop: [1, 2, 3], over: 0 })
  assert.deepEqual(thin([{ sequence: 1, kind: 'kept' }, { sequence: 2, kind: 'routine' }, { sequence: 3, kind: 'kept' }], 1), { drop: [2], over: 1 })
})

test('thinned one by one through a long outage, what is left grows denser towards now', () => {
  let waiting: Thinnable[] = []
  for (let sequence = 1; sequence <= 2_000; sequence++) {
    waiting.push({ sequence, kind: sequence === 700 ? 'kept' : 'routine' })
    const gone = new Set(thin(waiting, 200).drop)
    waiting = waiting.filter((sample) => !gone.has(sample.sequence))
  }
  assert.equal(waiting.length, 200)
  assert.ok(waiting.some((sample) => sample.sequence === 700))
  const of = (from: number, to: number): number => waiting.filter((sample) => sample.sequence > from && sample.sequence <= to).length
  assert.ok(of(1_900, 2_000) > of(1_500, 1_600) && of(1_900, 2_000) >= 90, `${of(0, 500)} ${of(500, 1_000)} ${of(1_500, 1_600)} ${of(1_900, 2_000)}`)
  assert.ok(of(0, 1_000) > 0, 'the far past has not vanished whole')
})
