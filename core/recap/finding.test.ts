import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { writeCbor, type Cbor } from './cbor.ts'
import { readEnvelope, signEnvelope, verifyEnvelope } from './cose.ts'
import { readSignedRecap, signRecap } from './envelope.ts'
import { differencesOf, finding_typ, placesToRead, readSignedFinding, results, signFinding, weighFinding, type Finding } from './finding.ts'
import { contests } from './form.ts'
import { mustForm, nodeVerify, pairs, presidential, sha256, soundTotals, testKey } from '@kawal/testkit/recaps.ts'

const hash = (text: string): Uint8Array => sha256(Buffer.from(text))
const form = mustForm('ppwp', pairs)
const allOf = (totals: readonly number[]): Finding['readings'] => placesToRead(form).map((place) => [place, totals[place] ?? null] as const)
const sound: Finding = { draw: hash('draw'), station: '7501012001001', contest: 'ppwp', record: hash('record'), result: 'agrees', readings: allOf(soundTotals), remark: '', at: Date.UTC(2029, 1, 15) }
const findings: fc.Arbitrary<Finding> = fc.constantFrom(...results).chain((result) => fc.record({
  draw: fc.uint8Array({ minLength: 32, maxLength: 32 }), station: fc.stringMatching(/^[0-9]{13}$/), contest: fc.constantFrom(...contests), record: result === 'no_record' ? fc.constant(null) : fc.uint8Array({ minLength: 32, maxLength: 32 }), result: fc.constant(result),
  readings: result === 'agrees' || result === 'differs' ? fc.uniqueArray(fc.nat(999), { minLength: 1, maxLength: 60 }).map((places) => places.sort((a, b) => a - b).map((place) => [place, place % 7 === 0 ? null : place * 3] as const)) : fc.constant([]),
  remark: fc.string({ maxLength: 200 }), at: fc.integer({ min: 0, max: 253_402_300_799_999 }),
}, { noNullPrototype: true }))

test('a finding is read as it was signed, by both algorithms, and its signature is its own', async () => {
  for (const algorithm of ['EdDSA', 'ES256'] as const) {
    const [key, other] = [await testKey(algorithm), await testKey(algorithm === 'EdDSA' ? 'ES256' : 'EdDSA')]
    await fc.assert(fc.asyncProperty(findings, async (finding) => {
      const read = readSignedFinding(await signFinding(finding, key.signer))
      assert.ok(read.ok)
      assert.deepEqual({ ...read.value.finding }, { ...finding })
      assert.ok((await verifyEnvelope(read.value.envelope, key.verifying, nodeVerify)).ok)
      assert.deepEqual(await verifyEnvelope(read.value.envelope, other.verifying, nodeVerify), { ok: false, error: 'key_other' })
    }), { numRuns: 40, seed: 20290214 })
  }
})

test('a finding is never a record, nor a record a finding, whoever signed: what each is stands under the signature', async () => {
  const { signer, verifying } = await testKey('ES256')
  const [finding, record] = [await signFinding(sound, signer), await signRecap(presidential, signer)]
  assert.deepEqual([readEnvelope(finding), readSignedFinding(record), readSignedRecap(finding).ok], [{ ok: false, error: 'headers_other' }, { ok: false, error: 'headers_other' }, false])
  assert.deepEqual(readEnvelope(finding, 'application/other'), { ok: false, error: 'headers_other' })
  // the finding's own payload and signature under the headers of a record
  const [typed, plain] = [readEnvelope(finding, finding_typ), readEnvelope(record)]
  assert.ok(typed.ok && plain.ok)
  assert.deepEqual(await verifyEnvelope({ ...typed.value, protected: plain.value.protected }, verifying, nodeVerify), { ok: false, error: 'signature_wrong' })
})

test('what is of no form is none', async () => {
  const { signer } = await testKey('EdDSA')
  const good: Cbor[] = [1, sound.draw, 7501012001001, 0, sound.record as Uint8Array, 0, [[1, 2], [3, null]], '', 5]
  const faultOf = async (change: Readonly<Record<number, Cbor>>, more: readonly Cbor[] = []): Promise<string> => {
    const read = readSignedFinding(await signEnvelope(writeCbor([...good.map((part, at) => (at in change ? (change[at] as Cbor) : part)), ...more]), signer, finding_typ))
    return read.ok ? 'read' : read.error
  }
  assert.equal(await faultOf({}), 'read')
  assert.equal(await faultOf({ 0: 2 }), 'version_unknown')
  for (const change of [{ 1: new Uint8Array(31) }, { 2: -1 }, { 3: 5 }, { 4: null }, { 5: 4 }, { 5: 5 }, { 5: 2 }, { 6: [] }, { 6: [[3, 1], [1, 1]] }, { 6: [[1, 1], [1, 1]] }, { 6: [[1]] }, { 6: [[1, -1]] }, { 6: [[1_000, 1]] }, { 7: 'x'.repeat(201) }, { 7: null }, { 8: -1 }])
    assert.equal(await faultOf(change), 'finding_form', JSON.stringify(change))
  assert.equal(await faultOf({}, [0]), 'finding_form')
  await assert.rejects(async () => signFinding({ ...sound, record: null }, signer), RangeError)
})

test('agrees is said when all that must be read was read and is the same; differs when something is not', () => {
  assert.deepEqual(placesToRead(form).map((place) => form.fields[place]), ['votes_1', 'votes_2', 'votes_3', 'valid', 'invalid', 'votes'])
  assert.deepEqual(placesToRead(mustForm('dpr', { kind: 'parties', parties: [{ number: 1, candidates: 2 }, { number: 7, candidates: 0 }] })).length, 5)
  const readings = allOf(soundTotals)
  const changed = readings.map(([place, value], at) => [place, at === 1 ? (value ?? 0) + 1 : value] as const)
  assert.equal(weighFinding({ result: 'agrees', readings }, form, soundTotals), null)
  assert.equal(weighFinding({ result: 'differs', readings: changed }, form, soundTotals), null)
  assert.equal(weighFinding({ result: 'differs', readings: changed.slice(1, 2) }, form, soundTotals), null)
  assert.equal(weighFinding({ result: 'agrees', readings: changed }, form, soundTotals), 'result_other')
  assert.equal(weighFinding({ result: 'differs', readings }, form, soundTotals), 'result_other')
  assert.equal(weighFinding({ result: 'agrees', readings: readings.slice(1) }, form, soundTotals), 'readings_few')
  assert.equal(weighFinding({ result: 'differs', readings: [[form.fields.length, 1]] }, form, soundTotals), 'readings_beyond')
  assert.equal(weighFinding({ result: 'unreadable', readings: [] }, form, soundTotals), null)
  assert.deepEqual(differencesOf([null, 2], [[0, 0], [1, 2]]), [0], 'nothing filled in is not 0')
})
