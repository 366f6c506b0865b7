import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { recaps, sha256, testKey } from '@kawal/testkit/recaps.ts'
import { entryKinds, writeEntry, type Entry } from './entry.ts'
import { readSignedRecap, signRecap } from './envelope.ts'
import { glanceAt, glanceAtEntry } from './glance.ts'

test('a glance says of any record what the strict reader says', async () => {
  const { signer } = await testKey('EdDSA')
  await fc.assert(fc.asyncProperty(recaps, async (recap) => {
    const envelope = await signRecap(recap, signer)
    const { station, contest, madeAt, sequence, previous, replaces, photos } = recap
    assert.deepEqual(plain(glanceAt(envelope)), plain({ kid: signer.kid, station: Number(station), contest, madeAt, sequence, previous, replaces, photos }))
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

test('of an entry it says the kind and what stands in it, and nothing of what is cut', () => {
  const [hash, key, device] = [sha256(Uint8Array.of(1)), new Uint8Array(65).fill(4), new Uint8Array(16).fill(7)]
  const entries: readonly (readonly [Entry, readonly (number | Uint8Array)[]])[] = [
    ...[0, 1, 23, 24, 255, 256, 8_192].map((length) => [{ kind: 'recap', envelope: new Uint8Array(length) }, [new Uint8Array(length)]] as const),
    [{ kind: 'enrolment', device, station: '7571011001003', publicKey: key, at: 1_234_567_890_123 }, [device, 7571011001003, key, 1_234_567_890_123]],
    [{ kind: 'delivery', recap: hash, status: 201, answer: hash, at: 5 }, [hash, 201, hash, 5]],
  ]
  for (const [entry, parts] of entries) {
    const bytes = writeEntry(entry)
    assert.deepEqual(glanceAtEntry(bytes), { kind: entryKinds[entry.kind], parts })
    for (let length = 0; length < bytes.length; length += Math.ceil(bytes.length / 50)) assert.equal(glanceAtEntry(bytes.subarray(0, length)), null)
  }
  assert.equal(glanceAtEntry(writeEntry({ kind: 'revocation', device, at: 1, reason: 'hilang' })), null)
})

const plain = (value: object | null): unknown => value === null ? null : Object.fromEntries(Object.entries(value).map(([key, each]) => [key, each instanceof Uint8Array ? Buffer.from(each).toString('hex') : each as unknown]))
