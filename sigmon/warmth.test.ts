import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesOf, clockOf, distanceOf, windOf } from './src/face/format.ts'
import { readLetter, readLetterText, readRoute } from './src/face/route.ts'
import { compare, feelOn, noWalk, type Felt } from './src/face/warmth.ts'

const felt = (rttMs: number | null, dbm: number | null = null): Felt => ({ at: 0, rttMs, dbm, where: null })
const walk = (steps: readonly Felt[]): string[] => {
  let state = noWalk
  return steps.map((step) => (state = feelOn(state, step)).warmth)
}

test('a walk says warmer and colder against the step before, and best at the best', () => {
  assert.deepEqual(walk([felt(300), felt(200), felt(290), felt(250), felt(150), felt(null), felt(400)]), ['first', 'best', 'colder', 'same', 'best', 'none', 'warmer'])
  assert.deepEqual(walk([felt(null), felt(null), felt(500)]), ['none', 'none', 'best'])
})

test('dBm decides where both are known and differ by 3 dB; else round-trip times by a fifth', () => {
  assert.equal(compare(felt(400, -95), felt(100, -99)), 1)
  assert.equal(compare(felt(400, -97), felt(100, -99)), -1, '2 dB is a wavering of the reading')
  assert.equal(compare(felt(81), felt(100)), 0)
  assert.equal(compare(felt(79), felt(100)), 1)
  assert.equal(compare(felt(null, -60), felt(900)), -1, 'bars without an answer carry nothing')
})

test('where nothing answers, dBm leads on; a place that answers is better than any that does not', () => {
  assert.deepEqual(walk([felt(null, -118), felt(null, -112), felt(null, -117), felt(900, -117), felt(null, -90), felt(900, -100)]), ['first', 'best', 'colder', 'best', 'colder', 'best'])
  assert.equal(compare(felt(null, -100), felt(null, -101)), 0)
  assert.equal(compare(felt(null, -90), felt(null)), 0)
})

test('property: comparing is antisymmetric, the best is never worse than what was felt, and a walk is bounded', () => {
  const any = fc.record({ at: fc.nat(), rttMs: fc.option(fc.double({ min: 0.1, max: 60_000, noNaN: true })), dbm: fc.constant(null), where: fc.constant(null) })
  fc.assert(fc.property(any, any, (a, b) => {
    // by a fifth of the other: 1/0.8 is a quarter, so a rise can be none where the fall is one
    assert.ok(compare(a, b) * compare(b, a) <= 0)
  }), { seed: 5, numRuns: 500 })
  fc.assert(fc.property(fc.array(any, { maxLength: 300 }), (steps) => {
    let state = noWalk
    for (const step of steps) {
      state = feelOn(state, step)
      assert.ok(state.felt.length <= 300)
      assert.ok(step.rttMs === null || (state.best !== null && compare(step, state.best) <= 0))
      assert.equal(state.warmth === 'none', step.rttMs === null)
    }
  }), { seed: 5, numRuns: 200 })
})

test('an address leads to a screen, a wrong one to the first; a letter is read from fragment, query and QR', () => {
  assert.deepEqual(readRoute('#/baterai/xiaomi'), { page: 'battery', part: 'xiaomi' })
  for (const odd of ['', '#', '#/nowhere', '#tps=1', '#/%00', `#/${'a'.repeat(9_999)}`]) assert.deepEqual(readRoute(odd), { page: 'check', part: '' })
  const letter = { station: '5310072003004', code: '0000000000000000', kid: null }
  assert.deepEqual(readLetter({ hash: '#tps=5310072003004&kode=0000000000000000&kunci=abc', search: '' }), { ...letter, kid: 'abc' })
  assert.deepEqual(readLetter({ hash: '', search: '?tps=5310072003004&kode=0000000000000000' }), letter)
  assert.deepEqual(readLetterText('https://kawal.example/sigmon/#tps=5310072003004&kode=0000000000000000'), letter)
  for (const other of ['WIFI:S:warung;;', 'https://contoh.id/', '']) assert.equal(readLetterText(other), null)
  assert.equal(readLetter({ hash: '#/tugas', search: '' }), null)
})

test('times are those of the place with WIB beside; distances, winds and bytes are short', () => {
  const noon = Date.UTC(2029, 1, 14, 5, 2, 31)
  assert.equal(clockOf(noon, 'Asia/Jakarta', true), '12.02.31 WIB')
  assert.equal(clockOf(noon, 'Asia/Jayapura'), '14.02 WIT (12.02 WIB)')
  assert.deepEqual([0.042, 0.331, 0.997, 2.84].map((km) => distanceOf(km, 'id')), ['42 m', '330 m', '1 km', '2,8 km'])
  assert.deepEqual([0, 22, 23, 359, 315, -90].map(windOf), [0, 0, 1, 0, 7, 6])
  assert.deepEqual([812, 236_400, 999_600, 5_000_000].map((bytes) => bytesOf(bytes, 'id')), ['812 B', '236 kB', '1 MB', '5 MB'])
})
