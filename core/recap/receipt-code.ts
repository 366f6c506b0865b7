import { base32_symbols, base32Of } from '../kernel/base32.ts'
import { fail, ok, type Result } from '../kernel/result.ts'

/**
 * A record's hash as people read it aloud and write it on paper: its first 45 bits as nine symbols of Crockford's
 * base32, and a check symbol, shown 5-5. It is looked up at a station: among all records of a nation two may share one.
 */
const data_symbols = 9
/** Longer is no code, whatever is in it. */
const text_max = 40

/** `code_form`: not ten symbols of the alphabet; `code_check`: a symbol was mistaken for another. */
type ReceiptCodeFault = 'code_form' | 'code_check'

/** @param hash SHA-256 of the signed record; of fewer than 6 bytes it is a bug and throws */
export function receiptCode(hash: Uint8Array): string {
  if (hash.length < 6) throw new RangeError(`a receipt code is made of a hash, not of ${hash.length} bytes`)
  const data = base32Of(hash.subarray(0, 6)).slice(0, data_symbols)
  const code = data + (base32_symbols[checkOf(data)] ?? '')
  return `${code.slice(0, 5)}-${code.slice(5)}`
}

/**
 * A code as somebody types it: any case, with spaces and hyphens anywhere, O for 0, I and L for 1.
 * @returns the code as `receiptCode` writes it
 */
export function readReceiptCode(text: string): Result<string, ReceiptCodeFault> {
  if (text.length > text_max) return fail('code_form')
  const code = text.replace(/[\s\-\u2010-\u2015]/g, '').replace(/[a-z]/g, (letter) => letter.toUpperCase()).replaceAll('O', '0').replace(/[IL]/g, '1')
  if (!/^[0-9A-HJKMNP-TV-Z]{10}$/.test(code)) return fail('code_form')
  return base32_symbols[checkOf(code.slice(0, data_symbols))] === code[data_symbols] ? ok(`${code.slice(0, 5)}-${code.slice(5)}`) : fail('code_check')
}

/**
 * One parity symbol of a Reed-Solomon code over GF(32) (x^5 + x^2 + 1): symbol i from the left weighs x^(9-i). The
 * weights differ and none is 0, so any one wrong symbol and any two swapped ones, neighbours or not, are seen.
 */
function checkOf(data: string): number {
  let sum = 0
  for (const symbol of data) {
    sum = (sum ^ base32_symbols.indexOf(symbol)) << 1
    if (sum & 32) sum ^= 0b100101
  }
  return sum
}
