const head_end = Buffer.from('\r\n\r\n')
const length_header = Buffer.from('ength: ')

/** The status of an answer of HTTP/1.1 (RFC 9112, section 4): three digits at the tenth byte. */
export const statusOf = (bytes: Buffer): number => ((bytes[9] ?? 0) - 48) * 100 + ((bytes[10] ?? 0) - 48) * 10 + ((bytes[11] ?? 0) - 48)

/** Where the body begins; -1 while the head is not whole. */
export function bodyStart(bytes: Buffer): number {
  const at = bytes.indexOf(head_end)
  return at < 0 ? -1 : at + head_end.length
}

/**
 * @returns the bytes of the whole answer; 0 while its head is not whole
 * @throws RangeError for a body of unknown length
 */
export function answerLength(bytes: Buffer): number {
  const start = bodyStart(bytes)
  if (start < 0) return 0
  if (statusOf(bytes) === 204) return start
  // from behind its first letter that servers write in either case; no other header of an answer ends like it
  const at = bytes.indexOf(length_header)
  if (at < 0 || at > start) throw new RangeError(`an answer without Content-Length: ${bytes.toString('latin1', 0, 300)}`)
  let length = 0
  for (let digit = at + length_header.length; (bytes[digit] ?? 0) >= 48 && (bytes[digit] ?? 0) <= 57; digit++) length = length * 10 + (bytes[digit] as number) - 48
  return start + length
}
