import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { between, type Life, type World } from './world.ts'

interface Ask { readonly method: string; readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly body: Buffer | null }
export interface Reply { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Buffer }

/** Whom others ask. */
export interface Host {
  readonly name: string
  /** Of the program that listens now; null: none does. */
  door: { readonly life: Life; answer(ask: Ask, cut: number | null): Promise<Reply> } | null
}

/** What lines do to requests; shares of them. */
interface Weather {
  /** Lost before it arrives. */
  lost: number
  /** Taken and answered, and the answer is lost. */
  answer_lost: number
  /** It arrives twice. */
  doubled: number
  /** The body ends somewhere before its end. */
  cut: number
  /** One way, ms at least and at most: requests overtake each other. */
  delay_ms: readonly [number, number]
}

export const fair: Weather = { lost: 0, answer_lost: 0, doubled: 0, cut: 0, delay_ms: [20, 400] }

export interface Network {
  weather: Weather
  /** Lines that carry nothing, `FROM>TO`. */
  readonly cuts: Set<string>
  /** Lines that never carry anything, whatever the weather. */
  readonly dead: Set<string>
  /** @returns what the asker sees; rejects with TypeError where no answer came, or never resolves: whoever asks has a time of his own */
  send(from: string, life: Life, to: Host, ask: Ask): Promise<Reply>
}

export function createNetwork(world: World): Network {
  const random = world.random('network')
  const delay = (): number => between(random, ...network.weather.delay_ms)

  function send(from: string, life: Life, to: Host, ask: Ask): Promise<Reply> {
    const isCut = (): boolean => network.cuts.has(`${from}>${to.name}`) || network.dead.has(`${from}>${to.name}`)
    return new Promise((resolve, reject) => {
      /** A line that breaks says so, or says nothing. */
      const fail = (): void => void (random() < 0.6 && world.later(between(random, 5, 3_000), life, () => reject(new TypeError('fetch failed'))))
      if (isCut() || random() < network.weather.lost) return fail()
      const arrive = (isFirst: boolean): void => {
        const { door } = to
        if (isCut() || door === null || door.life.isOver) return isFirst ? fail() : undefined
        const began = Math.round(world.now())
        const cut = ask.body !== null && ask.body.length > 1 && random() < network.weather.cut ? Math.floor(random() * ask.body.length) : null
        door.answer(ask, cut).then((reply) => {
          const ended = Math.round(world.now())
          if (!isFirst) return
          if (cut !== null || isCut() || random() < network.weather.answer_lost) return fail()
          world.later(delay(), life, () => {
            world.tell(from, 'answer', seen(to.name, ask, reply, began, ended))
            resolve(reply)
          })
        }, () => void (isFirst && fail()))
      }
      world.later(delay(), null, () => arrive(true))
      if (random() < network.weather.doubled) world.later(delay() * 3, null, () => arrive(false))
    })
  }

  const network: Network = { weather: fair, cuts: new Set(), dead: new Set(), send }
  return network
}

/** What an asker learns from an answer. */
function seen(to: string, { method, path, body: sent }: Ask, { status, headers, body }: Reply, began: number, ended: number): Record<string, string | number> {
  const offset = headers['upload-offset']
  const isReceipt = status < 300 && path === '/v1/recaps'
  return {
    to, method, path, status, began, ended, ...(offset === undefined ? {} : { offset: Number(offset) }), ...(isReceipt ? { hash: createHash('sha256').update(sent ?? '').digest('hex') } : {}),
    ...(isReceipt ? { text: body.toString('utf8') } : status >= 400 ? { text: body.toString('utf8').slice(0, 300) } : {}),
  }
}

/** Asks the real routes, without a socket between. */
export function doorOf(app: FastifyInstance, life: Life): NonNullable<Host['door']> {
  return {
    life,
    async answer({ method, path, headers, body }, cut) {
      const payload = body === null ? undefined : cut === null ? body : broken(body.subarray(0, cut))
      const { statusCode, headers: answered, rawPayload } = await app.inject({ method: method as 'GET', url: path, headers: { ...headers, ...(body === null ? {} : { 'content-length': String(body.length) }) }, ...(payload === undefined ? {} : { payload }) })
      return { status: statusCode, headers: Object.fromEntries(Object.entries(answered).map(([name, value]) => [name, String(value)])), body: rawPayload }
    },
  }
}

/** A body that ends before its end. */
function broken(part: Buffer): Readable {
  let isSent = part.length === 0
  return new Readable({
    read() {
      if (isSent) return void this.destroy(new Error('the line broke'))
      isSent = true
      this.push(part)
    },
  })
}

/** As `fetch` gives it. */
export const responseOf = ({ status, headers, body }: Reply): Response => new Response([204, 304].includes(status) ? null : new Uint8Array(body), { status, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'content-length' && name !== 'connection')) })

export const bodyOf = (body: unknown): Buffer | null => {
  if (body === undefined || body === null) return null
  if (typeof body === 'string') return Buffer.from(body)
  return body instanceof ArrayBuffer ? Buffer.from(body) : Buffer.from((body as Uint8Array).buffer, (body as Uint8Array).byteOffset, (body as Uint8Array).byteLength)
}
