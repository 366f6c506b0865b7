/** Bytes that are no package, or none that a phone would take: the sentence says what is wrong and where. */
export class Unreadable extends Error {}

/** Reads little-endian numbers and parts, one after the other; never behind the end. */
export interface Cursor {
  /** Bytes that are left. */
  left(): number
  u8(): number
  u16(): number
  u32(): number
  /** @throws Unreadable above 2^53 too: nothing here is that long */
  u64(): number
  take(length: number): Buffer
  /** A part that its length in 4 bytes stands before. */
  within(): Cursor
  /** That nothing is left: what nobody reads, nobody has signed for. */
  end(): void
}

/** @param what it is, for the sentence */
export function cursorOf(bytes: Buffer, what: string): Cursor {
  let at = 0
  const take = (length: number): Buffer => {
    if (length > bytes.length - at) throw new Unreadable(`${what} ends too early: ${length} bytes are to stand at ${at}, and ${bytes.length - at} are there.`)
    return bytes.subarray(at, (at += length))
  }
  const cursor: Cursor = {
    left: () => bytes.length - at,
    u8: () => take(1).readUInt8(),
    u16: () => take(2).readUInt16LE(),
    u32: () => take(4).readUInt32LE(),
    u64() {
      const value = Number(take(8).readBigUInt64LE())
      if (!Number.isSafeInteger(value)) throw new Unreadable(`${what} names a length of ${value} bytes.`)
      return value
    },
    take,
    within: () => cursorOf(take(cursor.u32()), what),
    end() {
      if (at < bytes.length) throw new Unreadable(`${what} has ${bytes.length - at} bytes too many.`)
    },
  }
  return cursor
}
