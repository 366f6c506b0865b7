/** A part of a file, both ends included. */
interface Part { readonly from: number; readonly to: number }

/**
 * What a `Range` asks for (RFC 9110, section 14.2).
 * @returns null for the whole file, which is a good answer to several parts at once and to what nobody understands
 */
export function rangeOf(asked: string, bytes: number): Part | 'outside' | null {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(asked.replaceAll(' ', '')) ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return null
  if (first === '') return Number(last) === 0 ? 'outside' : { from: Math.max(0, bytes - Number(last)), to: bytes - 1 }
  if (last !== '' && Number(last) < Number(first)) return null
  return Number(first) >= bytes ? 'outside' : { from: Number(first), to: last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1) }
}
