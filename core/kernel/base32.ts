/** Crockford's base32 (https://www.crockford.com/base32.html): no I, L, O and U, which are mistaken for others. */
export const base32_symbols = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Bytes as symbols of 5 bits; those that are left over at the end are dropped. */
export function base32Of(bytes: Uint8Array): string {
  let [held, bits, text] = [0, 0, '']
  for (const byte of bytes) {
    held = (held << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += base32_symbols[(held >> (bits - 5)) & 31] ?? ''
    held &= (1 << bits) - 1
  }
  return text
}
