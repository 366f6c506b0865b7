/** A source of numbers in [0, 1), replayed exactly by its seed. */
export type Random = () => number

/**
 * sfc32 (Chris Doty-Humphrey, PractRand): small, fast and passes PractRand; the state is 128 bits.
 * @param seed any 32-bit integer; equal seeds give equal sequences on every platform
 */
export function seeded(seed: number): Random {
  let a = 0x9e3779b9 | 0
  let b = 0x243f6a88 | 0
  let c = seed | 0
  let counter = 1
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum | 0
    return (sum >>> 0) / 4294967296
  }
  for (let i = 0; i < 12; i++) next()
  return next
}

/** FNV-1a, 32 bits: one stable seed a name, so that streams of a simulation do not disturb each other. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
