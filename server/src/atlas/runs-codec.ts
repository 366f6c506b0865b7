import type { Runs } from '@kawal/core/geo/cells.ts'

/**
 * Runs of fine keys as bytes: a version, then for each run the gap since the last one's end and its length,
 * as LEB128 (DWARF 5, 7.6). Neighbours are near in keys, so that most numbers take one or two bytes.
 */
const version = 1

/** A key has 34 bits: it and every gap fit five groups of seven. */
const groups_max = 5

export function encodeRuns(runs: Runs): Buffer {
  const bytes = Buffer.allocUnsafe(1 + runs.length * groups_max)
  bytes[0] = version
  let at = 1
  let before = 0
  for (let i = 0; i < runs.length; i++) {
    const key = runs[i] as number
    let rest = key - before
    before = key
    // keys have more than 32 bits: no bit operators
    while (rest >= 128) {
      bytes[at++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    bytes[at++] = rest
  }
  return Buffer.from(bytes.subarray(0, at))
}

/** @throws RangeError when the bytes are not what encodeRuns writes */
export function decodeRuns(bytes: Uint8Array): Runs {
  if (bytes[0] !== version) throw new RangeError(`runs of version ${bytes[0] ?? 'none'} cannot be read`)
  let numbers = 0
  for (let at = 1; at < bytes.length; at++) if ((bytes[at] as number) < 128) numbers++
  if (numbers % 2 !== 0 || (bytes.length > 1 && (bytes[bytes.length - 1] as number) >= 128)) throw new RangeError('runs are cut off')
  const runs = new Float64Array(numbers)
  let key = 0
  let value = 0
  let unit = 1
  let i = 0
  for (let at = 1; at < bytes.length; at++) {
    const byte = bytes[at] as number
    value += (byte % 128) * unit
    unit *= 128
    if (byte >= 128) continue
    if (value === 0 && i > 0) throw new RangeError('runs touch, or one is empty')
    key += value
    runs[i++] = key
    value = 0
    unit = 1
  }
  return runs
}
