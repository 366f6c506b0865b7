import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { answerLength, bodyStart, statusOf } from '../ingest/answer.ts'

/** One kept connection: a request under way at most. */
interface Line { readonly socket: Socket; written: number; owed: number; held: Buffer }

/** CBOR of a list of four, and of an empty one. */
const [list_of_four, empty_list] = [0x84, 0x80]
const turns_max = 100_000

/**
 * Kept connections to a server in this process. A request is sent at an instant of the server's clock, and the clock may
 * go on once the server has read it; the answer comes with the commit, later.
 */
export async function openLines(port: number, count: number) {
  // The server's ends, by the port of ours: what they have read tells that a request is there.
  const ends = new Map<number, Socket>()
  const accepted = (message: unknown): void => {
    const { socket } = message as { socket: Socket }
    if (socket.localPort === port && socket.remotePort !== undefined) ends.set(socket.remotePort, socket)
  }
  subscribe('net.server.socket', accepted)
  const free: Line[] = []
  let underWay: Line[] = []
  let owed = 0
  let answers = 0
  let failure: Error | null = null

  function read(line: Line, chunk: Buffer): void {
    const bytes = line.held.length === 0 ? chunk : Buffer.concat([line.held, chunk])
    if (answerLength(bytes) !== bytes.length) {
      line.held = bytes
      return
    }
    line.held = Buffer.alloc(0)
    const body = bytes.subarray(bodyStart(bytes))
    if (statusOf(bytes) !== 202 || body[0] !== list_of_four || body[1] !== line.owed || body[2] !== 0 || body[3] !== empty_list) failure ??= new Error(`a report was not accepted: ${bytes.toString('latin1', 0, 600)}`)
    line.owed = 0
    owed--
    answers++
    free.push(line)
  }
  function open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      const line: Line = { socket, written: 0, owed: 0, held: Buffer.alloc(0) }
      socket.on('data', (chunk: Buffer) => read(line, chunk))
      socket.on('error', (error) => (failure ??= error))
      socket.once('error', reject)
      socket.once('connect', () => {
        free.push(line)
        resolve()
      })
    })
  }
  async function until(isDone: () => boolean, what: string): Promise<void> {
    for (let turns = 0; !isDone(); turns++) {
      if (failure !== null) throw failure
      if (turns > turns_max) throw new Error(`the server has not ${what}: ${owed} requests without an answer`)
      await nextTurn()
    }
    if (failure !== null) throw failure
  }
  const hasCome = ({ socket, written }: Line): boolean => (ends.get(socket.localPort ?? 0)?.bytesRead ?? 0) >= written

  for (let index = 0; index < count; index++) await open()
  return {
    /** @param samples 1 to 23 */
    async send(request: Buffer, samples: number): Promise<void> {
      if (free.length === 0) await until(() => free.length > 0, 'answered any')
      const line = free.shift() as Line
      line.owed = samples
      line.written += request.length
      owed++
      line.socket.write(request)
      underWay.push(line)
    },
    /** Resolves when the server has read everything that was sent. */
    async come(): Promise<void> {
      await until(() => (underWay = underWay.filter((line) => !hasCome(line))).length === 0, 'read what was sent')
    },
    /** Resolves when every request has its answer. */
    async answered(): Promise<void> {
      await until(() => owed === 0, 'answered')
    },
    answers: (): number => answers,
    close(): void {
      unsubscribe('net.server.socket', accepted)
      for (const { socket } of free) socket.destroy()
    },
  }
}
