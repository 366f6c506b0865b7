import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSequences, outcome, type Sequences } from './sequences.ts'

const at = Date.UTC(2029, 1, 14)
const runs = { numRuns: 400, seed: 20290214 }

/** A device's numbers as they come: batches in any order, gaps, jumps, resends of what came lately and long ago. */
const arrivals = fc.array(fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 90 }) }, { weight: 3, arbitrary: fc.integer({ min: 1, max: 400 }) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 2_147_483_647 }) },
), { minLength: 1, maxLength: 500 })

/** The slow obvious twin. */
function held(numbers: readonly number[], sequences: Sequences, device = 1): void {
  const set = new Set<number>()
  for (const number of numbers) {
    assert.equal(sequences.add(device, number, at, 1), set.has(number) ? outcome.duplicate : outcome.fresh, `${number} of ${numbers.join(' ')}`)
    set.add(number)
  }
}

test('whatever comes in whatever order, each number is fresh once and then a duplicate', () => {
  fc.assert(fc.property(arrivals, (numbers) => held(numbers, createSequences())), runs)
})

test('devices do not touch each other, also where they share a chunk and the ranges', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom(1, 2, 65_535, 65_536, 5_759_999), fc.integer({ min: 1, max: 400 })), { maxLength: 500 }), (pairs) => {
    const sequences = createSequences()
    const set = new Set<string>()
    for (const [device, number] of pairs) {
      assert.equal(sequences.add(device, number, at, 1), set.has(`${device} ${number}`) ? outcome.duplicate : outcome.fresh)
      set.add(`${device} ${number}`)
    }
  }), runs)
})

test('a start from what was written goes on as if it had not stopped, and reading segments again changes nothing', () => {
  fc.assert(fc.property(arrivals, arrivals, arrivals, (before, since, after) => {
    const first = createSequences()
    for (const number of before) first.add(3, number, at, 1)
    assert.equal(first.oldestDirty(), 0)
    const bytes = first.write(0)
    for (const number of since) first.add(3, number, at, 2)
    assert.equal(first.writtenUntil(2), first.oldestDirty() === -1 ? 2 : 1)
    const second = createSequences()
    second.read(0, bytes)
    for (const number of [...before, ...since]) second.add(3, number, at, 2)
    for (const number of [...after, ...before, ...since]) assert.equal(second.add(3, number, at, 3), first.add(3, number, at, 3))
  }), runs)
})

test('more gaps than are remembered: what lies below is said to be forgotten, never a duplicate that was not there', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 2, max: 5 }), fc.array(fc.integer({ min: 1, max: 4_500 }), { maxLength: 300 }), fc.constantFrom(16_000_000, 300, 40, 0), (count, apart, later, ranges_max) => {
    const sequences = createSequences({ ranges_max })
    const set = new Set<number>()
    const add = (number: number): void => {
      const found = sequences.add(1, number, at, 1)
      if (set.has(number)) assert.ok(found === outcome.duplicate || found === outcome.forgotten, `${number}: ${found}`)
      else assert.ok(found === outcome.fresh || found === outcome.forgotten, `${number}: ${found}`)
      if (found === outcome.fresh) set.add(number)
      assert.ok(sequences.ranges() <= Math.min(255, ranges_max))
    }
    for (let number = 1; number <= count * apart; number += apart) add(number)
    const top = sequences.add(1, count * apart + 1_000, at, 1)
    assert.equal(top, outcome.fresh)
    for (const number of later) add(number)
  }), runs)
})

test('255 gaps below the window are remembered exactly', () => {
  const sequences = createSequences()
  for (let number = 2; number <= 508; number += 2) sequences.add(1, number, at, 1)
  sequences.add(1, 600, at, 1)
  for (let number = 1; number <= 508; number++) assert.equal(sequences.add(1, number, at, 1), number % 2 === 0 ? outcome.duplicate : outcome.fresh)
})

test('a number that is there, from a sample younger than all of its device, was given twice; one that is not younger is a duplicate', () => {
  const sequences = createSequences()
  for (let number = 1; number <= 200; number++) sequences.add(1, number, at + number, 1)
  for (const number of [1, 100, 150, 200]) assert.deepEqual([sequences.add(1, number, at + number, 1), sequences.add(1, number, at + 201, 1)], [outcome.duplicate, outcome.reused])
  assert.equal(sequences.add(1, 201, at, 1), outcome.fresh)
  assert.equal(sequences.add(1, 100, at + 200, 1), outcome.duplicate)
})

test('a mark stays with its device, over a write too', () => {
  const sequences = createSequences()
  sequences.add(70_000, 1, at, 1)
  sequences.setMark(70_000, 4_000_000_000)
  const second = createSequences()
  second.read(1, sequences.write(1))
  assert.deepEqual([second.markOf(70_000), second.markOf(70_001)], [4_000_000_000, 0])
  assert.throws(() => second.read(0, Buffer.alloc(8)), /form 1, got form 0/)
})

test('a phone that sets blocks of 10,000 aside for its shell, and leaves most of each unused, loses nothing: 200 duties, the page ahead of the shell', () => {
  const sequences = createSequences()
  const came = new Map<number, number>()
  let last = 0
  const add = (number: number, now: number): void => {
    assert.equal(sequences.add(1, number, now, 1), outcome.fresh, `${number}`)
    came.set(number, now)
  }
  for (let duty = 0; duty < 200; duty++) {
    const from = last + 1
    last += 10_000
    // The page's check comes first, then the shell's reports in batches, the newest of each first; some come after the next check.
    for (let nth = 0; nth < 150; nth++) {
      const now = at + duty * 86_400_000 + nth * 300_000
      if (nth % 50 === 0) add(++last, now)
      if (nth % 5 === 4) for (const back of [0, 4, 3, 2, 1]) add(from + nth - back, now - back * 300_000)
    }
  }
  for (const [number, now] of came) assert.equal(sequences.add(1, number, now, 1), outcome.duplicate, `${number} again`)
  assert.ok(sequences.ranges() <= 201, `${sequences.ranges()} gaps`)
})
