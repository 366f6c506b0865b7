import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'

const kinds: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.svg': 'image/svg+xml', '.webmanifest': 'application/manifest+json', '.css': 'text/css', '.png': 'image/png' }

const after_ms_max = 30_000

export interface Front {
  readonly origin: string
  /** The folder of the app; a change of it is a new version put up. Without one the server's own is passed on. */
  serve(folder: string): void
  /** `down`: no connection is answered. `lose`: requests pass, their answers do not. `slow`: answers come late. */
  set(mode: 'pass' | 'down' | 'lose' | 'slow'): void
  /** Answers in the server's place where it gives an answer; `nth` counts the requests of that path since this was set. */
  script(answers: (path: string, nth: number, type: string) => { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string } | null): void
  /** Batches of reports that the server has answered, whatever became of the answer. */
  batches(): number
  /** Resolves when so many more batches were answered. */
  after(batches: number): Promise<void>
  close(): Promise<void>
}

/** What stands before the server on the day: files from a folder, the rest passed on, and faults when a test wants them. */
export async function startFront(to: string): Promise<Front> {
  let folder = ''
  let mode: Parameters<Front['set']>[0] = 'pass'
  let count = 0
  let script: Parameters<Front['script']>[0] = () => null
  const asked = new Map<string, number>()
  const waiting: { at: number; resolve: () => void }[] = []
  const server = createServer((incoming, outgoing) => {
    if (mode === 'down') return void incoming.socket.destroy()
    const path = new URL(incoming.url ?? '/', 'http://front').pathname
    const nth = (asked.get(path) ?? 0) + 1
    asked.set(path, nth)
    const scripted = script(path, nth, incoming.headers['content-type'] ?? '')
    if (scripted !== null) {
      incoming.resume()
      return void outgoing.writeHead(scripted.status, scripted.headers ?? {}).end(scripted.body ?? '')
    }
    if (folder !== '' && path.startsWith('/sigmon/')) return sendFile(outgoing, folder, path.slice('/sigmon/'.length))
    pass(incoming, outgoing, to, (answer) => {
      if (path === '/v1/reports') count++
      for (const each of waiting.filter(({ at }) => at <= count)) each.resolve()
      if (mode === 'lose' || mode === 'down') return void incoming.socket.destroy()
      setTimeout(answer, mode === 'slow' ? 60 : 0)
    })
  })
  // WebSockets of the full test: the bytes as they come.
  server.on('upgrade', (incoming, socket, head) => {
    const onward = connect({ host: '127.0.0.1', port: Number(new URL(to).port) })
    const lines = incoming.rawHeaders.flatMap((name, index, all) => (index % 2 === 0 ? [`${name}: ${all[index + 1]}`] : []))
    onward.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    onward.write(head)
    for (const [one, other] of [[socket, onward], [onward, socket]] as const) one.on('error', () => other.destroy()).on('close', () => other.destroy()).pipe(other)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (next) => void (folder = next),
    set(next) {
      mode = next
      if (next === 'down') server.closeAllConnections()
    },
    script(next) {
      script = next
      asked.clear()
    },
    batches: () => count,
    after: (batches) => new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${batches} batches came within ${after_ms_max} ms`)), after_ms_max)
      waiting.push({ at: count + batches, resolve: () => resolve(clearTimeout(timer)) })
    }),
    close: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

function sendFile(outgoing: ServerResponse, folder: string, path: string): void {
  const file = join(folder, normalize(`/${path === '' ? 'index.html' : path}`))
  if (!existsSync(file) || !statSync(file).isFile()) return void outgoing.writeHead(404).end()
  outgoing.writeHead(200, { 'content-type': kinds[extname(file)] ?? 'application/octet-stream', 'cache-control': 'no-cache' })
  createReadStream(file).pipe(outgoing)
}

function pass(incoming: IncomingMessage, outgoing: ServerResponse, to: string, answered: (answer: () => void) => void): void {
  const onward = request(new URL(incoming.url ?? '/', to), { method: incoming.method ?? 'GET', headers: incoming.headers }, (answer) => {
    const chunks: Buffer[] = []
    answer.on('data', (chunk: Buffer) => chunks.push(chunk))
    answer.on('end', () => answered(() => outgoing.writeHead(answer.statusCode ?? 502, answer.headers).end(Buffer.concat(chunks))))
  })
  onward.on('error', () => incoming.socket.destroy())
  incoming.pipe(onward)
}
