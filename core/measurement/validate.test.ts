import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { radioFault } from './validate.ts'

/** The valid ranges once more, written down apart from the code that is held against them. */
const table: readonly (readonly [technology: string, name: string, least: number, most: number])[] = [
  ['lte', 'rsrpDbm', -140, -43], ['lte', 'rsrqDb', -34, 3], ['lte', 'sinrDb', -20, 30],
  ['nr', 'rsrpDbm', -156, -31], ['nr', 'rsrqDb', -43, 20], ['nr', 'sinrDb', -23, 40],
  ['gsm', 'rssiDbm', -113, -51],
]

test('every range takes its two ends and refuses what lies one step outside', () => {
  for (const [technology, name, least, most] of table) {
    for (const value of [least, most]) assert.equal(radioFault(technology, { [name]: value }), null, `${technology} ${name} ${value}`)
    for (const value of [least - 1, most + 1]) assert.match(radioFault(technology, { [name]: value }) ?? '', new RegExp(`${name} ${value} is outside`))
  }
})

test('a value is taken exactly when it lies in its range', () => {
  fc.assert(fc.property(fc.constantFrom(...table), fc.double({ min: -300, max: 300, noNaN: true }), ([technology, name, least, most], value) => {
    assert.equal(radioFault(technology, { [name]: value }) === null, value >= least && value <= most)
  }))
})

test('unknown is null and no fault; the +7 and -200 of real logs are faults; NaN is one too', () => {
  assert.equal(radioFault('lte', { rsrpDbm: null, rsrqDb: undefined }), null)
  for (const value of [7, -200, NaN, Infinity, '-90']) assert.notEqual(radioFault('lte', { rsrpDbm: value }), null)
})

test('a value without a technology cannot be judged', () => {
  assert.equal(radioFault(null, { rsrpDbm: -90 }), 'rsrpDbm needs a technology')
  assert.equal(radioFault(null, { rsrpDbm: null }), null)
})
