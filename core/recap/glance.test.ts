import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { recaps, sha256, testKey } from '@kawal/testkit/recaps.ts'
import { envelopeIn, readEntry, writeEntry } from './entry.ts'
import { readSignedRecap, signRecap } from './envelope.ts'
import { glanceAt } from './glance.ts'

test('a glance says of any record what the strict reader says, and an entry gives the same envelope', async () => {
  const { signer } = await testKey('EdDSA')
  await fc.assert(fc.asyncProperty(recaps, async (recap) => {
    const envelope = await signRecap(recap, signer)
    const { station, contest, madeAt, sequence, previous, replaces, photos } = recap
    assert.deepEqual(plain(glanceAt(envelope)), plain({ kid: signer.kid, station: Number(station), contest, madeAt, sequence, previous, replaces, photos }))
    assert.deepEqual(envelopeIn(writeEntry({ kind: 'recap', envelope })), envelope)
  }), { numRuns: 60 })
})

test('what is cut or changed is nothing, or what the strict reader may refuse; it never ends in an error', async () => {
  const { signer } = await testKey('ES256')
  await fc.assert(fc.asyncProperty(recaps, fc.nat(), fc.nat(255), async (recap, at, byte) => {
    const envelope = await signRecap(recap, signer)
    const cut = envelope.slice(0, at % envelope.length)
    if (readSignedRecap(cut).ok) assert.notEqual(glanceAt(cut), null)
    glanceAt(cut)
    const changed = Uint8Array.from(envelope)
    changed[at % envelope.length] = byte
    const read = readSignedRecap(changed)
    const glance = glanceAt(changed)
    if (read.ok) assert.equal(glance?.sequence, read.value.recap.sequence)
  }), { numRuns: 60 })
})

test('an entry of any length gives its envelope, and no other entry has one', () => {
  for (const length of [0, 1, 23, 24, 255, 256, 8_192]) {
    const entry = writeEntry({ kind: 'recap', envelope: new Uint8Array(length) })
    assert.equal(envelopeIn(entry)?.length, length)
    assert.equal(envelopeIn(entry.subarray(0, -1)), null)
    assert.equal(readEntry(entry).ok, true)
  }
  for (const entry of [writeEntry({ kind: 'delivery', recap: sha256(Uint8Array.of(1)), status: 200, answer: sha256(Uint8Array.of(2)), at: 1 }), writeEntry({ kind: 'revocation', device: new Uint8Array(16), at: 1, reason: '' }), new Uint8Array()]) assert.equal(envelopeIn(entry), null)
})

const plain = (value: object | null): unknown => value === null ? null : Object.fromEntries(Object.entries(value).map(([key, each]) => [key, each instanceof Uint8Array ? Buffer.from(each).toString('hex') : each as unknown]))
