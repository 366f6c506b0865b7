import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chunk_bytes, nextPiece, nextStep, piece_bytes_first, type Unsent, type UnsentPhoto } from './sending.ts'

const record = (hash: string, more: Partial<Unsent> = {}): Unsent => ({ hash, madeAt: 1, isLogged: true, isListKept: true, photos: [], ...more })
const photo = (id: string, kind: UnsentPhoto['kind'], size_bytes: number, offset = 0): UnsentPhoto => ({ id, kind, size_bytes, offset })

test('records, the oldest first; then lists; then previews; then originals, of which what has least left', () => {
  const one = record('a', { madeAt: 2, isLogged: false, isListKept: false, photos: [photo('big', 'original', 900_000), photo('small', 'preview', 150_000)] })
  const other = record('b', { madeAt: 1, isLogged: false, isListKept: false, photos: [photo('half', 'original', 800_000, 700_000)] })
  assert.deepEqual(nextStep([one, other], true), { kind: 'record', hash: 'b' })
  assert.deepEqual(nextStep([one, { ...other, isLogged: true }], true), { kind: 'record', hash: 'a' })
  const logged = [{ ...one, isLogged: true }, { ...other, isLogged: true }]
  assert.deepEqual(nextStep(logged, false), { kind: 'list', hash: 'b' })
  const listed = logged.map((each) => ({ ...each, isListKept: true }))
  assert.equal(nextStep(listed, false), null, 'photos wait for their time')
  assert.deepEqual(nextStep(listed, true), { kind: 'photo', hash: 'a', id: 'small', from: 0, to: 150_000 })
  const sent = listed.map((each) => ({ ...each, photos: each.photos.filter(({ kind }) => kind === 'original') }))
  assert.deepEqual(nextStep(sent, true), { kind: 'photo', hash: 'b', id: 'half', from: 700_000, to: 800_000 })
  assert.equal(nextStep([], true), null)
})

const unsents = fc.array(fc.record({
  madeAt: fc.nat(5), isLogged: fc.boolean(), isListKept: fc.boolean(),
  photos: fc.array(fc.record({ kind: fc.constantFrom('preview', 'original'), size_bytes: fc.integer({ min: 1, max: 3_000_000 }) }), { maxLength: 4 }),
}), { maxLength: 5 })

test('step by step everything goes out, in as few requests as it has pieces, and what is signed on the way goes next', () => {
  fc.assert(fc.property(unsents, fc.nat(20), (given, late) => {
    let waiting: Unsent[] = given.map((each, at) => ({ ...each, hash: `r${at}`, photos: each.photos.map((of, nth) => ({ ...of, id: `p${at}.${nth}`, offset: 0 })) }))
    const pieces = waiting.reduce((sum, { isLogged, isListKept, photos }) => sum + Number(!isLogged) + Number(!isListKept) + photos.reduce((all, { size_bytes }) => all + Math.ceil(size_bytes / chunk_bytes), 0), 0)
    let steps = 0
    for (let step = nextStep(waiting, true); step !== null; step = nextStep(waiting, true)) {
      const { hash } = step
      if (steps++ === late) {
        const fresh: Unsent = { hash: 'late', madeAt: 9, isLogged: false, isListKept: true, photos: [] }
        assert.equal(nextStep([...waiting, fresh], true)?.kind, 'record')
      }
      const made = step
      waiting = waiting.map((each) => {
        if (each.hash !== hash) return each
        if (made.kind === 'record') return { ...each, isLogged: true }
        if (made.kind === 'list') return { ...each, isListKept: true }
        return { ...each, photos: each.photos.map((of) => (of.id === made.id ? { ...of, offset: made.to } : of)).filter(({ size_bytes, offset }) => offset < size_bytes) }
      })
      assert.ok(steps <= pieces)
    }
    assert.equal(steps, pieces)
    assert.ok(waiting.every(({ isLogged, isListKept, photos }) => isLogged && isListKept && photos.length === 0))
  }))
})

test('pieces take as long as a record may wait: small on a slow line, large on a fast one, and nothing is learned of an end or a clock that was set', () => {
  /** On a line of so many bytes a second, and 600 ms. */
  const settled = (bytes_per_s: number): number => {
    let piece = piece_bytes_first
    for (let nth = 0; nth < 20; nth++) piece = nextPiece(piece, piece, 600 + (1000 * piece) / bytes_per_s)
    return piece
  }
  assert.equal(settled(1_000_000), chunk_bytes)
  // A twentieth of 1 Mbit/s.
  assert.equal(settled(6_250), 16_384)
  const half = settled(62_500)
  assert.ok(Math.abs(600 + (1000 * half) / 62_500 - 2_500) < 100, `${half}`)
  assert.equal(nextPiece(200_000, 900, 700), 200_000)
  assert.equal(nextPiece(200_000, 200_000, -5_000), 200_000)
  assert.equal(nextPiece(200_000, 0, Infinity), 16_384)
})
