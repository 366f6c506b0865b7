import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { writeCbor } from './cbor.ts'
import { readEntry, writeEntry, type Entry } from './entry.ts'
import { contests } from './form.ts'

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const at = fc.integer({ min: 0, max: 253_402_300_799_999 })
const station = fc.tuple(fc.stringMatching(/^[0-9]{10}$/), fc.integer({ min: 1, max: 999 })).map(([village, number]) => village + String(number).padStart(3, '0'))
const entries: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ kind: fc.constant('recap' as const), envelope: fc.uint8Array({ maxLength: 8_192 }) }),
  fc.record({ kind: fc.constantFrom('enrolment' as const, 'supervision' as const), device: bytes(16), station, publicKey: fc.oneof(bytes(32), bytes(65)), at }),
  fc.record({ kind: fc.constant('revocation' as const), device: bytes(16), at, reason: fc.string({ maxLength: 200 }) }),
  fc.record({ kind: fc.constant('delivery' as const), recap: bytes(32), status: fc.integer({ min: 100, max: 599 }), answer: bytes(32), at }),
  fc.record({
    kind: fc.constant('draw' as const), seed: fc.stringMatching(/^[0-9]{20,100}$/), occasion: fc.string({ maxLength: 500 }), roster: bytes(32), size: fc.maxSafeInteger().map(Math.abs), root: bytes(32),
    contests: fc.subarray([...contests], { minLength: 1 }), strata: fc.constantFrom([{ area: '', draw: 5 }], [{ area: '11', draw: 1 }, { area: '1201', draw: 300 }, { area: '1202012001', draw: 2 }]), organisation: fc.string({ minLength: 1, maxLength: 200 }), by: fc.string({ maxLength: 200 }), at,
  }),
  fc.record({ kind: fc.constant('finding' as const), envelope: fc.uint8Array({ maxLength: 8_192 }) }),
  fc.record({ kind: fc.constant('auditor' as const), publicKey: fc.oneof(bytes(32), bytes(65)), isEnrolled: fc.boolean(), organisation: fc.string({ minLength: 1, maxLength: 200 }), by: fc.string({ maxLength: 200 }), at }),
)

test('what is written is read again, each entry in one writing', () => {
  fc.assert(fc.property(entries, (entry) => {
    const written = writeEntry(entry)
    const read = readEntry(written)
    assert.ok(read.ok)
    assert.deepEqual({ ...read.value }, { ...entry })
    assert.deepEqual(writeEntry(read.value), written)
  }))
})

test('any changed byte is another entry or none, and one that is cut is none', () => {
  fc.assert(fc.property(entries, fc.nat(), fc.integer({ min: 1, max: 255 }), (entry, place, change) => {
    const written = writeEntry(entry)
    const changed = written.slice()
    changed[place % written.length] = (changed[place % written.length] ?? 0) ^ change
    const read = readEntry(changed)
    if (read.ok) assert.deepEqual(writeEntry(read.value), changed)
    assert.equal(readEntry(written.slice(0, -1)).ok, false)
  }))
})

test("a supervisor's key and an officer's are two entries, though all else is the same", () => {
  const key = { device: new Uint8Array(16), station: '7571011001001', publicKey: new Uint8Array(32), at: 1 }
  const [officer, supervisor] = [writeEntry({ kind: 'enrolment', ...key }), writeEntry({ kind: 'supervision', ...key })]
  assert.deepEqual([officer[1], supervisor[1]], [2, 5])
  assert.deepEqual(officer.slice(2), supervisor.slice(2))
})

test('what is of no form says so; a kind of a later program is told apart from it', () => {
  const faults = (value: Parameters<typeof writeCbor>[0]): string => {
    const read = readEntry(writeCbor(value))
    return read.ok ? 'read' : read.error
  }
  assert.equal(faults([999, 'x']), 'kind_unknown')
  assert.equal(faults([5, new Uint8Array(16), 7571011001001, new Uint8Array(31), 1]), 'entry_form')
  assert.equal(faults([0]), 'entry_form')
  assert.equal(faults([1]), 'entry_form')
  assert.equal(faults([1, new Uint8Array(), 0]), 'entry_form')
  assert.equal(faults([3, new Uint8Array(16), 1, 'x'.repeat(201)]), 'entry_form')
  assert.equal(faults([4, new Uint8Array(32), 99, new Uint8Array(32), 1]), 'entry_form')
  assert.equal(faults(new Map()), 'entry_form')
  const hash = new Uint8Array(32)
  const draw = (change: Partial<Record<number, Parameters<typeof writeCbor>[0]>>): string => faults([6, ...['12345678901234567890', '', hash, 9, hash, [0, 2], [['11', 1], ['12', 1]], 'bawaslu', '', 1].map((part, at) => change[at] ?? part)])
  assert.equal(draw({}), 'read')
  for (const change of [{ 0: '1234567890123456789' }, { 0: '1234567890123456789x' }, { 1: 'x'.repeat(501) }, { 3: -1 }, { 5: [] }, { 5: [2, 0] }, { 5: [0, 0] }, { 5: [5] }, { 6: [] }, { 6: [['12', 1], ['11', 1]] }, { 6: [['11', 1], ['1101', 1]] }, { 6: [['', 1], ['11', 1]] }, { 6: [['11', 0]] }, { 6: [['111', 1]] }, { 6: [['11', 1, 1]] }, { 7: '' }])
    assert.equal(draw(change), 'entry_form', JSON.stringify(change))
  assert.equal(faults([8, new Uint8Array(64), true, 'bawaslu', '', 1]), 'entry_form')
  assert.throws(() => writeEntry({ kind: 'revocation', device: new Uint8Array(15), at: 1, reason: '' }), RangeError)
})
