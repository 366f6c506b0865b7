import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { linkToken, readLinkToken, type TicketLink } from './link.ts'

const secret = Buffer.alloc(32, 7)
const now = Date.UTC(2029, 1, 14, 2)
const link: TicketLink = { ticket: 'TT-2k3x9-17', organisation: 'telkomsel', contact: '0f8fad5b-d9cb-469f-a165-70867728950e', expiresAt: now + 1_000 }

test('a link is read as it was made, up to the second of its expiry, and fits into an SMS', () => {
  const token = linkToken(secret, link)
  assert.match(token, /^[A-Za-z0-9_-]+$/)
  assert.ok(token.length < 90, `${token.length} characters`)
  assert.deepEqual(readLinkToken(secret, token, now), link)
  assert.deepEqual(readLinkToken(secret, linkToken(secret, { ...link, expiresAt: now + 1_999 }), now), link)
  assert.notEqual(readLinkToken(secret, token, now + 999), null)
  assert.equal(readLinkToken(secret, token, now + 1_000), null)
  assert.equal(readLinkToken(Buffer.alloc(32, 8), token, now), null)
})

const name = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }).filter((text) => Buffer.byteLength(text) < 256)
const links = fc.record({ ticket: name, organisation: name, contact: fc.uuid(), expiresAt: fc.integer({ min: 1, max: 2 ** 32 - 1 }).map((second) => second * 1_000) }, { noNullPrototype: true })

test('whatever the names, a link comes back whole; with one bit changed it is none', () => {
  fc.assert(fc.property(links, fc.nat(), (made, bit) => {
    const token = linkToken(secret, made)
    assert.deepEqual(readLinkToken(secret, token, made.expiresAt - 1), made)
    const bytes = Buffer.from(token, 'base64url')
    const at = bit % (bytes.length * 8)
    bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7))
    assert.equal(readLinkToken(secret, bytes.toString('base64url'), 0), null)
  }))
})

test('bytes that nobody signed are no link, nor is one written in a second way', () => {
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 900 }), fc.uint8Array({ maxLength: 700 }).map((bytes) => Buffer.from(bytes).toString('base64url'))), (text) => {
    assert.equal(readLinkToken(secret, text, 0), null)
  }))
  const token = linkToken(secret, link)
  for (const other of [`${token}=`, `${token}.`, ` ${token}`, token.slice(0, 20), '', 'A'.repeat(1_000_000)]) assert.equal(readLinkToken(secret, other, now), null)
})

test('what the deployment secret signs elsewhere opens nothing here', () => {
  const said = Buffer.from(linkToken(secret, link), 'base64url').subarray(16)
  const mark = createHmac('sha256', secret).update(said).digest().subarray(0, 16)
  assert.equal(readLinkToken(secret, Buffer.concat([mark, said]).toString('base64url'), now), null)
})

test('a link that could not be read back is not made', () => {
  for (const wrong of [{ contact: 'ab' }, { contact: link.contact.replaceAll('-', '') }, { contact: `${link.contact}0` }, { ticket: '' }, { organisation: 'x'.repeat(256) }, { expiresAt: 2 ** 32 * 1_000 }, { expiresAt: -1_000 }])
    assert.throws(() => linkToken(secret, { ...link, ...wrong }), RangeError, JSON.stringify(wrong))
})
