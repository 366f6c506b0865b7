import { base32_symbols, base32Of } from '../kernel/base32.ts'
import { fail, ok, type Result } from '../kernel/result.ts'

/**
 * The code of a station's appointment letter: 16 symbols of Crockford's base32 and a check symbol
 * (https://www.crockford.com/base32.html), shown 4-4-4-4-C. It is read aloud, written by hand and typed on
 * cheap phones, hence letters that are not mistaken for each other and a symbol that tells a slip at once.
 */
const check_symbols = `${base32_symbols}*~$=U`
const symbols_count = 16

export type LetterFault = 'code_form' | 'code_check'
/** SHA-256, given by whoever asks: a browser's is asynchronous. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>

/**
 * @param bytes 10 bytes, 80 bits
 * @returns 17 symbols without hyphens: the form that is hashed, signed and compared
 */
export function letterCodeOf(bytes: Uint8Array): string {
  if (bytes.length !== 10) throw new RangeError(`a letter's code is made of 10 bytes, not ${bytes.length}`)
  const code = base32Of(bytes)
  return code + checkSymbol(code)
}

/** Crockford's: the number modulo 37, a prime above 32: any one wrong symbol and any two swapped ones are seen. */
function checkSymbol(code: string): string {
  let rest = 0
  for (const symbol of code) rest = (rest * 32 + base32_symbols.indexOf(symbol)) % 37
  return check_symbols[rest] ?? ''
}

/**
 * What somebody typed or scanned as 17 symbols: any case, with or without hyphens and spaces, O for 0, I and L for 1.
 * `code_form`: not 17 symbols of the alphabet; `code_check`: a symbol was mistaken for another.
 */
export function readLetterCode(text: string): Result<string, LetterFault> {
  const code = text.toUpperCase().replace(/[\s\-\u2010-\u2015]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
  if (!/^[0-9A-HJKMNP-TV-Z]{16}[0-9A-HJKMNP-Z*~$=]$/.test(code)) return fail('code_form')
  return checkSymbol(code.slice(0, symbols_count)) === code[symbols_count] ? ok(code) : fail('code_check')
}

/** As it is printed: 4-4-4-4-C. */
export function formatLetterCode(code: string): string {
  return code.replace(/(.{4})(?=.)/g, '$1-')
}

/**
 * What a pack carries of a station's code, so that a phone without a network can tell a wrong one: the first
 * 24 bits of SHA-256 over `kawal-code STATION CODE`, in hex. A wrong code passes 1 time in 16.7 million; of
 * the code's 80 bits 56 stay unknown to whoever reads the pack, and the server answers few guesses.
 * @param code 17 symbols, as `readLetterCode` gives them
 */
export async function letterVerifier(station: string, code: string, sha256: Sha256): Promise<string> {
  const digest = await sha256(asciiBytes(`kawal-code ${station} ${code}`))
  return Array.from(digest.subarray(0, 3), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** What a phone signs to show that it holds the key it enrols with. */
export function enrolmentClaim(station: string, code: string): Uint8Array<ArrayBuffer> {
  return asciiBytes(`kawal-enrol ${station} ${code}`)
}

const asciiBytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
