/**
 * Numbers for byte strings of one width, from 0 on in the order in which they first came: millions of hashes in flat memory, each once. Their first bytes
 * are taken as they are for a place in the table, so they are to be hashes or drawn by chance.
 */
export interface Numbers {
  /** The number of these bytes, a new one where they are new. @throws RangeError for another width: a bug */
  numberOf(bytes: Uint8Array): number
  /** -1: they never came. */
  find(bytes: Uint8Array): number
  bytesOf(number: number): Uint8Array
  count(): number
}

const first_count = 1_024

export function createNumbers(width: number): Numbers {
  if (width < 8) throw new RangeError(`byte strings of ${width} bytes have no 8 to take a place from`)
  let held = new Uint8Array(first_count * width)
  // Each place holds a number plus one, and 0 where it is free; at most half of them are taken.
  let places = new Int32Array(first_count * 2)
  let count = 0

  const isAt = (number: number, bytes: Uint8Array): boolean => {
    for (let at = 0, from = number * width; at < width; at++) if (held[from + at] !== bytes[at]) return false
    return true
  }
  /** Where these bytes are, or would be. */
  function placeOf(bytes: Uint8Array, isNew: boolean): number {
    const mask = places.length - 1
    let place = mixed(bytes) & mask
    for (let number = places[place] ?? 0; number !== 0; number = places[place] ?? 0) {
      if (!isNew && isAt(number - 1, bytes)) break
      place = (place + 1) & mask
    }
    return place
  }
  function grow(): void {
    held = grown(held, count * 2 * width)
    places = new Int32Array(places.length * 2)
    for (let number = 0; number < count; number++) places[placeOf(held.subarray(number * width, (number + 1) * width), true)] = number + 1
  }
  const checked = (bytes: Uint8Array): Uint8Array => {
    if (bytes.length !== width) throw new RangeError(`${bytes.length} bytes, where all have ${width}`)
    return bytes
  }
  return {
    numberOf(bytes) {
      const place = placeOf(checked(bytes), false)
      const known = places[place] ?? 0
      if (known !== 0) return known - 1
      held.set(bytes, count * width)
      places[place] = ++count
      if (count * 2 >= places.length) grow()
      return count - 1
    },
    find: (bytes) => (places[placeOf(checked(bytes), false)] ?? 0) - 1,
    bytesOf: (number) => held.slice(number * width, (number + 1) * width),
    count: () => count,
  }
}

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0
const wordAt = (bytes: Uint8Array, at: number): number => byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24)
const mixed = (bytes: Uint8Array): number => Math.imul(wordAt(bytes, 0) ^ Math.imul(wordAt(bytes, 4), 0x9e3779b1), 0x85ebca6b) >>> 1

type Flat = Uint8Array | Uint16Array | Int32Array | Float64Array

/** The same with room for so many; what is new is 0. */
export function grown<Column extends Flat>(column: Column, length: number): Column {
  if (column.length >= length) return column
  const larger = new (column.constructor as new (length: number) => Column)(length)
  larger.set(column)
  return larger
}
