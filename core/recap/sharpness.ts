/**
 * Whether a photo of a form can be read, before its officer leaves the paper. It is looked at in grey and small, and never refused: an
 * officer may know better, and a poor photo is better than none.
 */
interface Look {
  /** Variance of the Laplacian over that of the grey (Pech-Pacheco et al. 2000), the median over parts that have something on them; null where none has. */
  readonly sharpness: number | null
  /** Grey of the brighter parts, which on a form are paper: what nineteen of twenty pixels are darker than. 0 to 255. */
  readonly paper: number
  /** Share of pixels that are as white as there is. */
  readonly burnt: number
}
export type Doubt = 'blurred' | 'dark' | 'bright'

/** Pixels along the longer side at which a photo is looked at: sharpness depends on it. */
export const look_side_px = 1_024
const part_px = 64
/** Less is an empty part: a table, a wall, the paper's margin. */
const part_variance_min = 60
/** Engineering defaults, from drawn forms blurred by half a stroke and more (sharpness.test.ts). */
const bounds = { sharpness_min: 0.15, paper_min: 80, burnt_max: 0.75 }
const white = 252

/** @param grey row by row, 0 to 255, `width` x `height` */
export function lookAt(grey: Uint8Array | Uint8ClampedArray, width: number, height: number): Look {
  const counts = new Uint32Array(256)
  for (let at = 0; at < width * height; at++) counts[grey[at] as number] = (counts[grey[at] as number] as number) + 1
  const total = width * height
  let [below, paper, burnt] = [0, 0, 0]
  for (let value = 0; value < 256; value++) {
    if (below < 0.95 * total) paper = value
    below += counts[value] as number
    if (value >= white) burnt += counts[value] as number
  }
  const found: number[] = []
  for (let top = 1; top + part_px < height; top += part_px) for (let left = 1; left + part_px < width; left += part_px) {
    const ratio = sharpnessOf(grey, width, left, top)
    if (ratio !== null) found.push(ratio)
  }
  found.sort((a, b) => a - b)
  return { sharpness: found[found.length >> 1] ?? null, paper, burnt: total === 0 ? 0 : burnt / total }
}

/** Of one part; null where nothing is on it. */
function sharpnessOf(grey: Uint8Array | Uint8ClampedArray, width: number, left: number, top: number): number | null {
  let [sum, squares, edges, edgeSquares] = [0, 0, 0, 0]
  for (let y = top; y < top + part_px; y++)
    for (let x = left; x < left + part_px; x++) {
      const at = y * width + x
      const value = grey[at] as number
      const edge = 4 * value - (grey[at - 1] as number) - (grey[at + 1] as number) - (grey[at - width] as number) - (grey[at + width] as number)
      sum += value
      squares += value * value
      edges += edge
      edgeSquares += edge * edge
    }
  const count = part_px * part_px
  const variance = squares / count - (sum / count) ** 2
  return variance < part_variance_min ? null : (edgeSquares / count - (edges / count) ** 2) / variance
}

/** What speaks against it, for the officer to look again. A photo with nothing on it is blurred. */
export function doubtsOf({ sharpness, paper, burnt }: Look): Doubt[] {
  const doubts: Doubt[] = []
  if (sharpness === null || sharpness < bounds.sharpness_min) doubts.push('blurred')
  if (paper < bounds.paper_min) doubts.push('dark')
  if (burnt > bounds.burnt_max) doubts.push('bright')
  return doubts
}
