import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from './random.ts'
import { createNumbers, grown } from './numbers.ts'

test('each byte string has one number, whatever the table grew to meanwhile, also where the first bytes are alike', () => {
  const random = seeded(1)
  const numbers = createNumbers(16)
  const known = new Map<string, number>()
  const make = (): Uint8Array => Uint8Array.from({ length: 16 }, (_, at) => (at < 8 ? Math.floor(random() * 3) : Math.floor(random() * 256)))
  for (let nth = 0; nth < 20_000; nth++) {
    const bytes = make()
    const key = bytes.join()
    assert.equal(numbers.find(bytes), known.get(key) ?? -1)
    known.set(key, known.get(key) ?? known.size)
    assert.equal(numbers.numberOf(bytes), known.get(key))
  }
  assert.equal(numbers.count(), known.size)
  for (const [key, number] of known) {
    assert.equal(numbers.bytesOf(number).join(), key)
    assert.equal(numbers.numberOf(Uint8Array.from(key.split(','), Number)), number)
  }
  assert.throws(() => numbers.find(new Uint8Array(15)), RangeError)
  assert.throws(() => createNumbers(4), RangeError)
})

test('a column grows with what it holds', () => {
  const column = Int32Array.of(1, 2)
  assert.deepEqual([...grown(column, 4)], [1, 2, 0, 0])
  assert.equal(grown(column, 2), column)
})
