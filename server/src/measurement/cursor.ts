const two_32 = 4_294_967_296
const nothing = 0xf6
/** Texts of digits are few: made once, found by value and length. */
const sims = new Map<number, string>()
const sims_max = 100_000

/** Reads plain values of CBOR (RFC 8949), one after the other, without looking back: at anything else it is `odd` for good, and so is all behind the end. */
export function createCursor() {
  let bytes: Buffer = Buffer.alloc(0)
  let at = 0
  let odd = false

  /** Behind the end nothing is read any more, and everything there is odd. */
  function spoil(): void {
    odd = true
    at = bytes.length
  }
  /** An unsigned integer. */
  function whole(): number {
    const initial = bytes[at++] as number
    if (initial < 24) return initial
    let value = NaN
    if (initial === 24) value = bytes[at] as number
    else if (initial === 25) value = ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
    else if (initial === 26) value = at + 4 <= bytes.length ? bytes.readUInt32BE(at) : NaN
    else if (initial === 27) value = at + 8 <= bytes.length ? bytes.readUInt32BE(at) * two_32 + bytes.readUInt32BE(at + 4) : NaN
    at += 1 << (initial - 24)
    if (!(value <= Number.MAX_SAFE_INTEGER) || at > bytes.length) spoil()
    return value
  }
  /** A number, or null. */
  function numberOrNull(): number | null {
    const initial = bytes[at] as number
    if (initial === nothing) {
      at++
      return null
    }
    if (initial < 0x20) return whole()
    if (initial < 0x40) return negative()
    return fraction()
  }
  function negative(): number {
    const short = (bytes[at++] as number) - 0x20
    if (short < 24) return -1 - short
    if (short === 24 && at < bytes.length) return -1 - (bytes[at++] as number)
    spoil()
    return NaN
  }
  /** Of two, four or eight bytes (RFC 8949, section 3.3). */
  function fraction(): number {
    const width = 1 << ((bytes[at++] as number) - 0xf8)
    let value = NaN
    if (at + width <= bytes.length) {
      if (width === 8) value = bytes.readDoubleBE(at)
      else if (width === 4) value = bytes.readFloatBE(at)
      else if (width === 2) value = halfFloat(bytes.readUInt16BE(at))
    }
    at += width
    if (!Number.isFinite(value)) spoil()
    return value
  }
  /** Five or six digits, or null. */
  function sim(): string | null {
    const initial = bytes[at++] as number
    if (initial === nothing) return null
    const length = initial - 0x60
    if (length !== 5 && length !== 6) spoil()
    if (odd) return null
    let value = length
    for (let i = 0; i < length; i++) {
      const digit = (bytes[at + i] as number) - 48
      if (!(digit >= 0 && digit <= 9)) odd = true
      value = value * 10 + digit
    }
    at += length
    if (odd) return null
    let known = sims.get(value)
    if (known === undefined && sims.size >= sims_max) sims.clear()
    if (known === undefined) sims.set(value, (known = bytes.toString('latin1', at - length, at)))
    return known
  }
  /** Plain printable text of at most `max` characters, or null. */
  function text(max: number): string | null {
    const initial = bytes[at++] as number
    if (initial === nothing) return null
    const length = initial === 0x78 ? (bytes[at++] as number) : initial < 0x78 ? initial - 0x60 : NaN
    if (!(length >= 0 && length <= max && at + length <= bytes.length)) {
      spoil()
      return null
    }
    for (let i = at; i < at + length; i++) if ((bytes[i] as number) < 32 || (bytes[i] as number) > 126) odd = true
    at += length
    return bytes.toString('latin1', at - length, at)
  }

  return {
    begin(all: Buffer): void {
      bytes = all
      at = 0
      odd = false
    },
    whole, numberOrNull, sim, text, spoil,
    byte: (): number => bytes[at++] as number,
    /** Goes past a null, where one is next. */
    isNull(): boolean {
      if (bytes[at] !== nothing) return false
      at++
      return true
    },
    at: (): number => at,
    isOdd: (): boolean => odd,
    isAtEnd: (): boolean => at === bytes.length,
  }
}

function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  const size = exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? NaN : (1024 + fraction) * 2 ** (exponent - 25)
  return bits & 0x8000 ? -size : size
}
