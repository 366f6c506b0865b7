import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chargerScore, faultScore, logGamma } from './likelihood.ts'

test('logGamma is the logarithm of a factorial, and at half-integers what the reflection gives', () => {
  let factorial = 0
  for (let n = 1; n <= 170; n++) {
    assert.ok(Math.abs(logGamma(n) - factorial) <= 1e-9 * Math.max(1, factorial), `${n}: ${logGamma(n)} and ${factorial}`)
    factorial += Math.log(n)
  }
  // Gamma(x) Gamma(1 - x) = pi / sin(pi x); for half-integers (2n)! sqrt(pi) / (4^n n!)
  for (let n = 0; n <= 60; n++) {
    const exact = logGamma(2 * n + 1) - n * Math.log(4) - logGamma(n + 1) + 0.5 * Math.log(Math.PI)
    assert.ok(Math.abs(logGamma(n + 0.5) - exact) <= 1e-9 * Math.max(1, Math.abs(exact)), `${n} + 1/2`)
  }
  fc.assert(fc.property(fc.double({ min: 0.01, max: 0.99, noNaN: true }), (x) => Math.abs(logGamma(x) + logGamma(1 - x) - Math.log(Math.PI / Math.sin(Math.PI * x))) < 1e-8))
  fc.assert(fc.property(fc.double({ min: 0.01, max: 500, noNaN: true }), (x) => Math.abs(logGamma(x + 1) - logGamma(x) - Math.log(x)) < 1e-8))
})

const habit = 0.06
/** A place of so many devices, each with the usual habit. */
const place = (devices: number, hits: number, leaving = 0, isEverybody = false): number => faultScore(devices, hits, devices * habit, hits * Math.log(habit), 0, leaving, 0, 4, 4, isEverybody)

test('a fault is less likely with each device that is well, and more with each that is hit', () => {
  fc.assert(fc.property(fc.integer({ min: 4, max: 200 }), fc.integer({ min: 0, max: 200 }), fc.boolean(), (hits, well, isEverybody) => {
    const here = place(hits + well, hits, 0, isEverybody)
    const oneMoreWell = place(hits + well + 1, hits, 0, isEverybody)
    assert.ok(oneMoreWell < here || (here === 0 && oneMoreWell === 0), `${hits} of ${hits + well}: ${here}, then ${oneMoreWell}`)
    if (here > 0) assert.ok(place(hits + 1 + well, hits + 1, 0, isEverybody) > here)
  }), { numRuns: 2_000 })
})

test('goodbyes that were heard excuse silence, and what is usual at a bad hour is no fault', () => {
  assert.ok(place(30, 14, 0.3) < place(30, 14))
  const lately = (earlier: number): number => faultScore(7, 7, 7 * habit, 7 * Math.log(habit), 0, 0, earlier, 4, 4, true)
  assert.ok(lately(0.5) < lately(0) - 3, `${lately(0.5)} ${lately(0)}`)
  // Many who left before excuse no less than few: they bound what may be lost, and do not foretell it.
  assert.ok(faultScore(77, 25, 3.1, -118, 0, 0.53, 0.94, 6, 6, true) <= faultScore(77, 25, 3.1, -118, 0, 0.53, 0, 6, 6, true))
  assert.equal(place(30, 8), 0)
  assert.ok(faultScore(30, 20, 30 * habit, 20 * Math.log(habit), 0, 0, 0, 4, 1, false) < place(30, 20))
})

test('half silent and half bad by habits that make either likely is a bad hour; all of one kind is not', () => {
  const [silent, bad] = [0.1, 0.03]
  const of = (badHits: number): number => faultScore(100, 40, 100 * (silent + bad), (40 - badHits) * Math.log(silent) + badHits * Math.log(bad), badHits, 0, 0, 6, 5, true)
  assert.ok(of(9) < 10, `${of(9)}`)
  assert.ok(of(0) > of(9) + 5 && of(40) > of(9) + 5)
})

test('a dozen silent of a dozen is far beyond chance, three of ten is not', () => {
  assert.ok(place(12, 12) > 18 && place(10, 3) === 0, `${place(12, 12)}`)
})

test('chargers speak for a power cut, within bounds', () => {
  fc.assert(fc.property(fc.nat(500), fc.nat(500), (off, on) => {
    const nats = chargerScore(off, on)
    return nats >= -2 && nats <= 9 && chargerScore(off + 1, on) >= nats && chargerScore(off, on + 1) <= nats
  }))
  assert.ok(chargerScore(3, 0) > 5 && chargerScore(0, 1) < 0 && chargerScore(0, 0) === 0)
})
