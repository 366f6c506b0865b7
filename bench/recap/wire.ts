import { connect } from 'node:net'
import { envelope_type } from '@kawal/contract/handing-in.ts'

/** Requests of HTTP/1.1 as bytes on a connection of their own: what is cut where is said to the byte. */

interface Heard { readonly status: number; readonly headers: ReadonlyMap<string, string>; readonly text: string; readonly bytes: number }

export function requestOf(method: string, path: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, 'host: kawal.example', 'connection: close', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), `content-length: ${body.length}`]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body])
}

export const recapRequest = (token: string, record: Buffer): Buffer => requestOf('POST', '/v1/recaps', { authorization: `Bearer ${token}`, 'content-type': envelope_type }, record)

/** @returns null where the line broke before the whole answer was here */
export function exchange(port: number, request: Buffer): Promise<Heard | null> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    const socket = connect(port, '127.0.0.1')
    socket.on('data', (piece: Buffer) => void pieces.push(piece)).on('error', () => undefined).on('close', () => resolve(heardIn(Buffer.concat(pieces))))
    socket.write(request)
  })
}

function heardIn(bytes: Buffer): Heard | null {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return null
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
  const body = bytes.subarray(end + 4)
  const status = Number(first.split(' ')[1])
  return body.length < Number(headers.get('content-length') ?? 0) ? null : { status, headers, text: body.toString(), bytes: bytes.length }
}

/** Works `count` times, so many beside each other; each lane does one after the other. */
export async function inLanes(lanes: number, count: number, work: (nth: number, lane: number) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(Array.from({ length: lanes }, async (_, lane) => {
    while (next < count) await work(next++, lane)
  }))
}
