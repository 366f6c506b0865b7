import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { hexOf } from './bytes.ts'
import { readEnvelope, signedBytes, verifyEnvelope } from './cose.ts'
import { readEntry, writeEntry, type Entry } from './entry.ts'
import { readSignedRecap, signRecap } from './envelope.ts'
import { photosHash, writePhotos, type Photo } from './photo.ts'
import { receiptCode } from './receipt-code.ts'
import { writeRecap, type Recap } from './record.ts'
import { slotsOf } from './slot.ts'
import { checksOf, checkTotals } from './totals.ts'
import { mustForm, nodeVerify, pairs, presidential, sha256, soundTotals, testKey } from '@kawal/testkit/recaps.ts'

const spec = readFileSync(join(import.meta.dirname, '../../spec/recap.md'), 'utf8')
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

/** The published block as names and values; a value goes on over indented lines. */
function published(): Map<string, string> {
  const block = /^```vectors\n([\s\S]*?)^```/m.exec(spec)?.[1] ?? ''
  return new Map(block.replace(/\n {2}/g, ' ').split('\n').filter((line) => line !== '').map((line) => {
    const [name = '', value = ''] = line.split(':')
    return [name, value.replaceAll(' ', '')]
  }))
}

/** One page of a form, taken once. */
const photos: readonly Photo[] = [
  { page: 1, shot: 1, kind: 'preview', size_bytes: 41_000, sha256: sha256(Buffer.from('preview')) },
  { page: 1, shot: 1, kind: 'original', size_bytes: 860_000, sha256: sha256(Buffer.from('original')) },
]
const device = '0123456789abcdef0123456789abcdef'
const totals = soundTotals.map((value, at) => (at === 22 ? 129 : value))

async function vectors(): Promise<Map<string, string>> {
  const [ed, p256] = [await testKey('EdDSA'), await testKey('ES256')]
  const first: Recap = { ...presidential, totals, warned: checksOf(checkTotals(mustForm('ppwp', pairs), totals, 300)), photos: await photosHash(photos, sha256) }
  const signed = await signRecap(first, ed.signer)
  const hash = sha256(signed)
  const correction: Recap = { ...first, totals: soundTotals, warned: [], madeAt: first.madeAt + 600_000, sequence: 1, previous: null, replaces: hash }
  const corrected = await signRecap(correction, p256.signer)
  const toBeSigned = (bytes: Uint8Array): string => {
    const read = readEnvelope(bytes)
    assert.ok(read.ok)
    return hexOf(signedBytes(read.value))
  }
  const enrolled = (kind: 'enrolment' | 'supervision'): Entry => ({ kind, device: bytesOf(device), station: presidential.station, publicKey: ed.raw, at: presidential.madeAt })
  return new Map([
    ['ed25519 public key', hexOf(ed.raw)], ['ed25519 kid', hexOf(ed.signer.kid)], ['p256 public key', hexOf(p256.raw)], ['p256 kid', hexOf(p256.signer.kid)],
    ['photos', hexOf(writePhotos(photos))], ['photos hash', hexOf(first.photos)],
    ['record', hexOf(writeRecap(first))], ['record to be signed', toBeSigned(signed)], ['record signed', hexOf(signed)], ['record hash', hexOf(hash)], ['record receipt code', receiptCode(hash)],
    ['correction', hexOf(writeRecap(correction))], ['correction to be signed', toBeSigned(corrected)], ['correction signed', hexOf(corrected)], ['correction hash', hexOf(sha256(corrected))], ['correction receipt code', receiptCode(sha256(corrected))],
    ['enrolment entry', hexOf(writeEntry(enrolled('enrolment')))], ['supervision entry', hexOf(writeEntry(enrolled('supervision')))],
  ])
}

test('the vectors of the specification are what the code makes', async () => {
  assert.deepEqual(published(), await vectors())
})

test('the published bytes are read, verified and shown as the specification says', async () => {
  const given = published()
  const read = (name: string, algorithm: 'EdDSA' | 'ES256'): Promise<Recap> => testKey(algorithm).then(async ({ verifying }) => {
    const signed = readSignedRecap(bytesOf(given.get(`${name} signed`) ?? ''))
    assert.ok(signed.ok)
    assert.ok((await verifyEnvelope(signed.value.envelope, verifying, nodeVerify)).ok)
    return signed.value.recap
  })
  const [first, correction] = [await read('record', 'EdDSA'), await read('correction', 'ES256')]
  assert.deepEqual([first.warned, first.totals[22], correction.warned, correction.totals[22]], [[10], 129, [], 128])
  const [slot] = slotsOf([{ hash: given.get('record hash') ?? '', recap: first, side: 'officer' }, { hash: given.get('correction hash') ?? '', recap: correction, side: 'officer' }])
  assert.deepEqual([slot?.sides.officer?.state, slot?.sides.officer?.chains.map((chain) => chain.map(({ hash }) => hash))], ['corrected', [[given.get('correction hash'), given.get('record hash')]]])
})

test("the published entry of a supervisor's key is read as one, and not as an officer's", () => {
  const kindOf = (name: string): string => {
    const read = readEntry(bytesOf(published().get(name) ?? ''))
    return read.ok ? read.value.kind : read.error
  }
  assert.deepEqual([kindOf('enrolment entry'), kindOf('supervision entry')], ['enrolment', 'supervision'])
})
