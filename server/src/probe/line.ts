import { lookup } from 'node:dns/promises'
import { Agent, request, type IncomingHttpHeaders } from 'node:http'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'

/** The steps to an answer, in their order. Each is timed apart, so that the one that fails has a name. */
export type StepName = 'dns' | 'tcp' | 'tls' | 'http'

export interface Step {
  readonly step: StepName
  readonly ok: boolean
  readonly ms: number
  /** What went wrong, and where to look; of a step that went well what is worth knowing, or null. */
  readonly detail: string | null
  /** The system's own name of the error. */
  readonly code: string | null
}

interface Asked {
  readonly method: 'HEAD' | 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Within this the whole answer is there, or the request ends with the error `timeout`. */
  readonly within_ms: number
  /** Told as the answer's body arrives. */
  readonly arrived?: (bytes: number) => void
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** At most `body_bytes_max`; what came beyond was read and let go. */
  readonly body: Buffer
}

/** An open connection over which requests go one after another, and what it has cost. */
export interface Line {
  /** @throws the system's error; the connection is of no use then */
  ask(asked: Asked): Promise<Answer>
  /** Both ways, as the socket has it: TLS included, without the headers of TCP and IP. */
  bytes(): number
  isOpen(): boolean
  close(): void
}

export interface Opened {
  readonly steps: Step[]
  readonly line: Line | null
  /** Of what was opened in vain too. */
  bytes(): number
}

/** Addresses of one name that are tried: the second is mostly the other family. */
const addresses_max = 2

/**
 * Opens a connection step by step. An error is a step that failed, never a throw.
 * @param step_ms how long each step may take; TCP, for each address
 */
export async function openLine(url: URL, step_ms: number): Promise<Opened> {
  const steps: Step[] = []
  let socket: Socket | null = null
  const bytes = (): number => (socket === null ? 0 : socket.bytesRead + socket.bytesWritten)
  const failed = (): Opened => {
    socket?.destroy()
    return { steps, line: null, bytes }
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const addresses = isIP(host) !== 0 ? [host] : await step(steps, 'dns', async () => (await within(lookup(host, { all: true }), step_ms)).map((each) => each.address))
  if (addresses === null) return failed()
  const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port)
  socket = await step(steps, 'tcp', () => firstOf(addresses.slice(0, addresses_max), port, step_ms))
  if (socket === null) return failed()
  const plain = socket
  // an error after this is told by the request that it breaks
  plain.on('error', () => undefined)
  const carrier = url.protocol === 'https:' ? await step(steps, 'tls', () => secure(plain, host, step_ms)) : plain
  if (carrier === null) return failed()
  return { steps, bytes, line: { bytes, ask: asker(url, carrier), isOpen: () => !carrier.destroyed && !plain.destroyed, close: () => void carrier.destroy() } }
}

const body_bytes_max = 262_144

/** Requests over one connection that is there already: node's own agent, which is given no other. */
function asker(url: URL, carrier: Socket): Line['ask'] {
  let given = false
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  agent.createConnection = () => {
    if (given) throw Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })
    given = true
    return carrier
  }
  return ({ method, path, headers, body, within_ms, arrived }) => within(new Promise<Answer>((resolve, reject) => {
    const sent = request({ agent, host: url.hostname, method, path, headers: { host: url.host, 'user-agent': 'kawal-probe', ...headers, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }) } }, (answer) => {
      const parts: Buffer[] = []
      let kept = 0
      // nothing follows the head, and where a log-in page sends a body even so, that is no fault of the line
      if (method === 'HEAD') resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.alloc(0) })
      answer.on('data', (part: Buffer) => {
        arrived?.(part.length)
        if (kept + part.length <= body_bytes_max) parts.push(part)
        kept += part.length
      })
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) }))
      answer.once('error', reject)
      answer.once('close', () => reject(Object.assign(new Error('the answer was cut'), { code: 'ECONNRESET' })))
    })
    sent.once('error', reject)
    sent.end(body)
  }), within_ms).catch((error: unknown) => {
    carrier.destroy()
    throw error
  })
}

/** Times one step and names its failure. @returns null when it failed */
export async function step<T>(steps: Step[], name: StepName, work: () => Promise<T>, told: (value: T) => string | null = () => null): Promise<T | null> {
  const began = performance.now()
  const ms = (): number => Math.round((performance.now() - began) * 10) / 10
  try {
    const value = await work()
    steps.push({ step: name, ok: true, ms: ms(), detail: told(value), code: null })
    return value
  } catch (error) {
    const code = codeOf(error)
    steps.push({ step: name, ok: false, ms: ms(), detail: sentences[code] ?? unnamed(name, error), code })
    return null
  }
}

/** Tries one address after the other, each within its time. */
async function firstOf(addresses: readonly string[], port: number, ms: number): Promise<Socket> {
  let last: unknown = new Error('the name has no address')
  for (const address of addresses) {
    const socket = connect({ host: address, port, noDelay: true })
    try {
      await within(new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject)), ms)
      return socket
    } catch (error) {
      socket.on('error', () => undefined).destroy()
      last = error
    }
  }
  throw last
}

async function secure(socket: Socket, host: string, ms: number): Promise<TLSSocket> {
  const secured = connectTls({ socket, ALPNProtocols: ['http/1.1'], ...(isIP(host) === 0 ? { servername: host } : { host }) })
  const closed = new Promise<never>((_, reject) => socket.once('close', () => reject(Object.assign(new Error('closed in the middle'), { code: 'ECONNRESET' }))))
  try {
    await within(Promise.race([new Promise<void>((resolve, reject) => secured.once('secureConnect', resolve).once('error', reject)), closed]), ms)
  } catch (error) {
    secured.on('error', () => undefined).destroy()
    throw error
  }
  closed.catch(() => undefined)
  return secured.on('error', () => undefined)
}

/** @throws the error `timeout` when the work takes longer; the work itself may go on and is not waited for */
export async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  work.catch(() => undefined)
  try {
    return await Promise.race([work, new Promise<never>((_, reject) => (timer = setTimeout(() => reject(Object.assign(new Error('no answer in time'), { code: 'timeout' })), ms)))])
  } finally {
    clearTimeout(timer)
  }
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : 'unknown'
}

/** What the errors of a connection mean to somebody who stands beside the box. */
const sentences: Readonly<Record<string, string>> = {
  timeout: 'no answer in time',
  ENOTFOUND: 'the name is not known: misspelt, or the name server of this network does not give it out',
  EAI_AGAIN: 'no name server answers: no network, or its DNS is down',
  ECONNREFUSED: 'the machine answers and refuses: nothing listens on that port',
  EHOSTUNREACH: 'no way to that machine',
  ENETUNREACH: 'this machine has no way out: no route',
  ETIMEDOUT: 'no answer in time',
  ECONNRESET: 'the connection was cut in the middle',
  EPIPE: 'the connection was cut in the middle',
  CERT_HAS_EXPIRED: "the server's certificate has expired, or this machine's clock is ahead",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet: this machine's clock is behind",
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another name: something in between answers, or the server is set up wrongly',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is signed by nobody known: something in between answers, or NODE_EXTRA_CA_CERTS is missing',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate is signed by nobody known: something in between answers, or NODE_EXTRA_CA_CERTS is missing',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate is signed by nobody known: its chain is not sent, or NODE_EXTRA_CA_CERTS is missing',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what answers does not speak TLS: a wrong port, or something in between',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'what answers does not speak TLS: a wrong port, or something in between',
}

function unnamed(name: StepName, error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 160) ?? ''
  if (/^HPE_/.test(codeOf(error))) return 'what answers does not speak HTTP: a wrong port, or something in between'
  return text === '' ? `${name} failed` : text
}
