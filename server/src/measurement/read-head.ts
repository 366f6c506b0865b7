import type { Asked } from './door.ts'

/** A head of HTTP/1.1 that was read, and where the body begins. */
interface Head { readonly asked: Asked; readonly bodyFrom: number }

const request_line = Buffer.from('POST /v1/reports HTTP/1.1\r\n')
const head_end = Buffer.from('\r\n\r\n')
/** Node's own bound (`--max-http-header-size`). */
const head_bytes_max = 16_384
const [cr, lf, colon, space, tab, del] = [13, 10, 58, 32, 9, 127]

/** Bytes that a field's name may have (RFC 9110, section 5.6.2). */
const is_token = new Uint8Array(256)
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") is_token[character.charCodeAt(0)] = 1

/** Fields that mean something here; of each there may be one. Any of the second kind is for a whole parser. */
const wanted = new Map([['host', 0], ['authorization', 1], ['content-type', 2], ['content-length', 3], ['x-forwarded-for', 4], ['connection', 5]])
const foreign = new Set(['transfer-encoding', 'expect', 'upgrade', 'te', 'trailer', 'content-encoding', 'http2-settings', 'proxy-connection', 'keep-alive'])
const lengths = new Uint8Array(64)
for (const name of [...wanted.keys(), ...foreign]) lengths[name.length] = 1

/**
 * Reads the head of `POST /v1/reports` where it is as nearly all are (RFC 9112): one request line, plain fields, the
 * length of the body by Content-Length. What is odd in any way is left to Node's parser, which knows all of it:
 * nothing is read here that it would read in another way.
 * @returns the head, 'more' while it is not whole, or 'odd'
 */
export function readHead(bytes: Buffer, remote: string): Head | 'more' | 'odd' {
  const known = Math.min(request_line.length, bytes.length)
  if (bytes.compare(request_line, 0, known, 0, known) !== 0) return 'odd'
  const end = bytes.indexOf(head_end, request_line.length - 2)
  if (end < 0) return bytes.length > head_bytes_max ? 'odd' : 'more'
  if (end > head_bytes_max) return 'odd'
  const fields: (string | undefined)[] = [undefined, undefined, undefined, undefined, undefined, undefined]
  for (let at = request_line.length; at < end + 2; ) {
    const start = at
    while (is_token[bytes[at] as number] === 1) at++
    if (at === start || bytes[at] !== colon) return 'odd'
    const length = at - start
    let valueFrom = ++at
    for (let code = bytes[at] as number; code !== cr; code = bytes[++at] as number) if ((code < space && code !== tab) || code === del) return 'odd'
    if (bytes[at + 1] !== lf) return 'odd'
    if (length < lengths.length && lengths[length] === 1) {
      const name = bytes.toString('latin1', start, start + length).toLowerCase()
      if (foreign.has(name)) return 'odd'
      const place = wanted.get(name)
      if (place !== undefined) {
        if (fields[place] !== undefined) return 'odd'
        while (bytes[valueFrom] === space) valueFrom++
        fields[place] = bytes.toString('latin1', valueFrom, at)
      }
    }
    at += 2
  }
  return headOf(fields, end + head_end.length, remote)
}

function headOf([host, authorization, type, length, forwarded, connection]: readonly (string | undefined)[], bodyFrom: number, remote: string): Head | 'odd' {
  if (host === undefined || length === undefined || !/^[0-9]{1,9}$/.test(length)) return 'odd'
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return 'odd'
  if (type?.endsWith(' ') === true || authorization?.endsWith(' ') === true || authorization?.endsWith('\t') === true) return 'odd'
  return { asked: { authorization, type, length: Number(length), remote, forwarded }, bodyFrom }
}
