import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from '../kernel/random.ts'
import { doubtsOf, lookAt } from './sharpness.ts'

const [width, height] = [1_024, 724]

/** A form as a camera sees it from above: lines of digits of strokes three pixels wide, a table's rules, empty margins, noise of the sensor. */
function form(paper: number, ink: number, seed: number): Float64Array {
  const random = seeded(seed)
  const grey = new Float64Array(width * height).fill(paper)
  const draw = (x: number, y: number, wide: number, high: number): void => {
    for (let row = y; row < Math.min(height, y + high); row++) for (let column = x; column < Math.min(width, x + wide); column++) grey[row * width + column] = ink
  }
  for (let y = 60; y < height - 60; y += 28) {
    draw(80, y + 24, width - 160, 2)
    for (let x = 100; x < width - 120; x += 14) {
      const strokes = Math.floor(random() * 128)
      if (random() < 0.3) continue
      ;[[0, 0, 8, 3], [0, 8, 8, 3], [0, 16, 8, 3], [0, 0, 3, 9], [6, 0, 3, 9], [0, 9, 3, 9], [6, 9, 3, 9]].forEach(([dx = 0, dy = 0, wide = 0, high = 0], bit) => {
        if (strokes & (1 << bit)) draw(x + dx, y + dy, wide, high)
      })
    }
  }
  for (let at = 0; at < grey.length; at++) grey[at] = (grey[at] as number) + 4 * (random() + random() - 1)
  return grey
}

/** A lens out of focus, or a hand that shook: a box of so many pixels, twice. */
function blurred(grey: Float64Array, radius: number): Float64Array {
  let from = grey
  for (let pass = 0; pass < 2 && radius > 0; pass++) for (const step of [1, width]) {
    const to = new Float64Array(from.length)
    for (let at = 0; at < from.length; at++) {
      let sum = 0
      for (let off = -radius; off <= radius; off++) sum += from[Math.min(from.length - 1, Math.max(0, at + off * step))] as number
      to[at] = sum / (2 * radius + 1)
    }
    from = to
  }
  return from
}

const look = (grey: Float64Array): ReturnType<typeof lookAt> => lookAt(Uint8ClampedArray.from(grey), width, height)

test('a sharp form is taken, in good light and in poor, of strong ink and of pale', () => {
  for (const [paper, ink] of [[225, 40], [225, 130], [140, 30], [110, 60]] as const) for (const seed of [1, 2, 3]) {
    const seen = look(form(paper, ink, seed))
    assert.deepEqual(doubtsOf(seen), [], `${paper} ${ink} ${JSON.stringify(seen)}`)
  }
})

test('blurred by a stroke and more it is doubted, whatever the light', () => {
  for (const [paper, ink] of [[225, 40], [225, 130], [140, 30]] as const) {
    const seen = [0, 2, 4, 7].map((radius) => look(blurred(form(paper, ink, 4), radius)).sharpness ?? 0)
    assert.ok(seen.slice(1).every((sharpness) => sharpness < 0.1 * (seen[0] ?? 0)), JSON.stringify(seen))
    assert.deepEqual(seen.map((sharpness) => doubtsOf({ sharpness, paper, burnt: 0 }).length), [0, 1, 1, 1], JSON.stringify(seen))
  }
})

test('too dark, too bright, and nothing on it', () => {
  assert.deepEqual(doubtsOf(look(form(60, 15, 5))), ['dark'])
  assert.ok(doubtsOf(look(form(300, 250, 6))).includes('bright'))
  assert.ok(doubtsOf(look(new Float64Array(width * height).fill(200))).includes('blurred'))
  assert.deepEqual(doubtsOf(lookAt(new Uint8Array(0), 0, 0)), ['blurred', 'dark'])
})
