/** Bytes, and the two ways in which the formats of a ledger write them as text. */

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}

/**
 * A text in UTF-8. The core has no TextEncoder, which is of the browser and of Node.
 * @throws URIError for half a surrogate pair, which no reader of this folder lets through
 */
export function utf8Of(text: string): Uint8Array<ArrayBuffer> {
  const bytes = encodeURIComponent(text).replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Uint8Array.from(bytes, (letter) => letter.charCodeAt(0))
}

const symbols = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** RFC 4648, section 4, with padding. */
export function base64Of(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const [first = 0, second = 0, third = 0] = bytes.subarray(at, at + 3)
    const held = (first << 16) | (second << 8) | third
    for (const shift of [18, 12, 6, 0]) text += symbols[(held >> shift) & 63] ?? ''
  }
  const padding = (3 - (bytes.length % 3)) % 3
  return text.slice(0, text.length - padding) + '='.repeat(padding)
}

/** @returns null for what `base64Of` does not write: other symbols, no padding, or bits beyond the last byte (RFC 4648, section 3.5) */
export function readBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null
  const bytes = new Uint8Array(Math.floor((text.replace(/=+$/, '').length * 3) / 4))
  let [held, bits, at] = [0, 0, 0]
  for (const symbol of text.replace(/=+$/, '')) {
    held = ((held << 6) | symbols.indexOf(symbol)) & 0xfff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (held >> bits) & 255
  }
  return base64Of(bytes) === text ? bytes : null
}
