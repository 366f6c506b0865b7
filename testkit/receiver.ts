import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the receiver does with a request: its ordinary work, or a fault of its own. */
type ReceiverFault =
  | 'none'
  /** It breaks the connection before it has looked. */
  | 'dead'
  /** 503 with Retry-After. */
  | 'busy'
  /** It keeps the record, and its answer is lost on the way. */
  | 'lost'
  /** 422: it will not have this one. */
  | 'refuse'

interface Line { readonly hash: string; readonly envelope: string; readonly at: string }

export interface Receiver {
  readonly url: string
  /** Asked for each request, with the record's hash. */
  fault: (hash: string) => ReceiverFault
  /** What it holds, from its own file: one line a record that it took. */
  held(): Line[]
  /** What it says it has, for who compares (docs/operating/receiver.md): an object a line, with the bytes that it holds. */
  list(): string
  /** Requests that reached it. */
  readonly asked: () => number
  close(): Promise<void>
}

/**
 * A receiver as docs/operating/receiver.md describes it: it keeps each record in a file of its own, on disk before it answers, and answers the same key
 * with the same answer for ever.
 */
export async function startReceiver(token: string | null = null): Promise<Receiver> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-receiver-'))
  const file = join(folder, 'records.jsonl')
  const read = (): Line[] => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Line) : [])
  const known = new Map<string, Line>()
  let asked = 0

  function take(hash: string, envelope: Buffer): Line {
    const before = known.get(hash)
    if (before !== undefined) return before
    const line: Line = { hash, envelope: envelope.toString('base64'), at: new Date().toISOString() }
    const handle = openSync(file, 'a')
    writeSync(handle, `${JSON.stringify(line)}\n`)
    fsyncSync(handle)
    closeSync(handle)
    known.set(hash, line)
    return line
  }

  function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    asked++
    const end = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void => void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
    const hash = createHash('sha256').update(body).digest('hex')
    const fault = receiver.fault(hash)
    if (fault === 'dead') return void request.socket.destroy()
    if (fault === 'busy') return end(503, { error: 'busy' }, { 'retry-after': '60' })
    if (fault === 'refuse') return end(422, { error: 'refused' })
    if (token !== null && request.headers.authorization !== `Bearer ${token}`) return end(401, { error: 'token' })
    if (request.headers['idempotency-key'] !== `"${hash}"`) return end(400, { error: 'the key is not the hash of the record' })
    const { at } = take(hash, body)
    if (fault === 'lost') return void request.socket.destroy()
    end(201, { received: hash, at })
  }

  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece)).on('end', () => answer(request, response, Buffer.concat(pieces))).on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/records`, fault: () => 'none', held: read, list: () => read().map(({ hash, envelope, at }) => `${JSON.stringify({ hash, status: 'held', record: envelope, at })}\n`).join(''), asked: () => asked,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return receiver
}
