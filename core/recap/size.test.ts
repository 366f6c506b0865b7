import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import jsqr from 'jsqr'
import { encode } from 'uqr'
import { hexOf } from './bytes.ts'
import { readSignedRecap, signRecap } from './envelope.ts'
import { writeRecap, record_bytes_max, type Recap } from './record.ts'
import { checksOf, checkTotals } from './totals.ts'
import { mustForm, pairs, presidential, sha256, testKey } from '@kawal/testkit/recaps.ts'

const keys = [await testKey('EdDSA'), await testKey('ES256')]
const hash = sha256(Uint8Array.of(7))
const sizeOf = async (recap: Recap): Promise<number> => {
  const [one, other] = await Promise.all(keys.map(async ({ signer }) => (await signRecap(recap, signer)).length))
  assert.equal(one, other, 'both algorithms make the same length')
  return one ?? 0
}
const form = mustForm('ppwp', pairs)
/** Larger than an ordinary record gets: 306 in each field, a correction, a late sequence, a place in the south-east. */
const large: Recap = { ...presidential, totals: presidential.totals.map(() => 306), sequence: 70_000, replaces: hash, ceiling: 600, clockOffset_ms: -86_400_000, place: { latitude: -8.50012, longitude: 140.40012, accuracy_m: 2_000 } }
/** The highest number in each field, and every check failed. */
const absurd: Recap = { ...large, totals: presidential.totals.map(() => 999_999), sequence: 2_147_483_647, warned: form.checks.map((_, at) => at) }

test('a presidential record of three pairs is at most 333 bytes signed, a correction too; at most 400 with every number and much that is wrong', async () => {
  assert.equal(await sizeOf(presidential), 292)
  assert.equal(await sizeOf({ ...presidential, replaces: hash }), 327)
  assert.equal(await sizeOf(large), 375)
  const wrong = checksOf(checkTotals(form, large.totals, 300))
  assert.deepEqual([wrong.length, await sizeOf({ ...large, warned: wrong })], [18, 396])
})

test('one static QR holds it, and a phone reads the bytes back', async () => {
  for (const { signer } of keys) for (const [recap, version] of [[presidential, 13], [large, 15], [absurd, 18]] as const) {
    const bytes = await signRecap(recap, signer)
    const qr = encode([...bytes], { ecc: 'M', border: 4, boostEcc: false })
    assert.equal(qr.version, version, `${bytes.length} bytes`)
    const scale = 4
    const side = qr.size * scale
    const pixels = Uint8ClampedArray.from({ length: side * side * 4 }, (_, at) => {
      const [x, y] = [Math.floor((at >> 2) % side / scale), Math.floor(Math.floor((at >> 2) / side) / scale)]
      return at % 4 === 3 || qr.data[y]?.[x] !== true ? 255 : 0
    })
    const read = (jsqr as unknown as typeof jsqr.default)(pixels, side, side)
    assert.equal(hexOf(Uint8Array.from(read?.binaryData ?? [])), hexOf(bytes))
    assert.ok(readSignedRecap(Uint8Array.from(read?.binaryData ?? [])).ok)
  }
})

test('the largest ballot in use fits the bounds', async () => {
  const ballot = { kind: 'parties', parties: Array.from({ length: 24 }, (_, at) => ({ number: at + 1, candidates: 12 })) } as const
  const ofParties = mustForm('dpr', ballot)
  const recap: Recap = { ...large, contest: 'dpr', ballot, totals: ofParties.fields.map(() => 306) }
  assert.deepEqual([ofParties.fields.length, await sizeOf(recap)], [361, 1_425])
  assert.ok(writeRecap({ ...recap, warned: ofParties.checks.map((_, at) => at) }).length <= record_bytes_max)
})

test('the sizes that the specification gives are those of these records', async () => {
  const ballot = { kind: 'parties', parties: Array.from({ length: 24 }, (_, at) => ({ number: at + 1, candidates: 12 })) } as const
  const ofParties: Recap = { ...large, contest: 'dpr', ballot, totals: mustForm('dpr', ballot).fields.map(() => 306) }
  const records = [presidential, { ...presidential, replaces: hash }, large, { ...large, warned: checksOf(checkTotals(form, large.totals, 300)) }, absurd, ofParties]
  const rows = await Promise.all(records.map(async (recap) => {
    const bytes = await signRecap(recap, (await testKey('EdDSA')).signer)
    return [bytes.length, encode([...bytes], { ecc: 'M', boostEcc: false }).version]
  }))
  const table = /^\| record \| bytes \| QR \|\n([\s\S]*?)\n\n/m.exec(readFileSync(join(import.meta.dirname, '../../spec/recap.md'), 'utf8'))?.[1] ?? ''
  assert.deepEqual([...table.matchAll(/\| ([\d,]+) \| (\d+) \|$/gm)].map(([, bytes, version]) => [Number(bytes?.replace(',', '')), Number(version)]), rows)
})
