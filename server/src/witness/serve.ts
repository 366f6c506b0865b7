import fastify, { LogController, type FastifyInstance, type FastifyReply } from 'fastify'
import type { Logger } from 'pino'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { refusalStatus, type Refusal } from '@kawal/core/ledger/witness.ts'
import { boundConnections, protocol } from '../connections.ts'
import { endNow } from '../end-now.ts'
import { Attempts } from '../measurement/attempts.ts'
import { openWitness, type Answer, type Witness } from './witness.ts'

interface WitnessOptions extends Omit<Parameters<typeof openWitness>[0], 'fatal'> {
  readonly log: Logger
  readonly host: string
  readonly port: number
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer }
  /** Addresses of the proxies in front that name the caller. */
  readonly trustProxy?: readonly string[]
  /** Refused requests of one address in ten minutes; 300 without it. */
  readonly refusals_max?: number
}

export interface RunningWitness {
  readonly url: string
  /** `NAME+ID+KEY`: what the log's policy names it by. */
  readonly key: string
  readonly origins: readonly string[]
  stop(): Promise<void>
}

/** 63 hashes, and a checkpoint with a dozen signatures that withstand quantum computers. */
const body_bytes_max = 100_000
/** A log asks once a second, and is refused when somebody changed something. */
const refusals_max = 300

const sentences: Readonly<Record<Refusal | 'too_many', string>> = {
  malformed: 'This is no request to add a checkpoint: old SIZE, the hashes of the proof in base64, an empty line, the signed checkpoint (https://c2sp.org/tlog-witness).',
  older_above: 'The old size is above that of the checkpoint: a log does not shrink.',
  unsigned: 'No key that is known of this log signed the checkpoint, or its signature does not hold.',
  origin_unknown: 'This log is not watched here. Give the key of the log to whoever runs the witness.',
  other_size: '',
  root_other: 'A tree of this size has another root: the log has two histories, and this one is not cosigned.',
  proof_wrong: 'The proof does not show that this log begins with what was cosigned before: it is not cosigned.',
  too_many: 'Too many requests at once. Ask again in a second.',
}

/** A witness over HTTP, as https://c2sp.org/tlog-witness has it. Both prefixes are its address. */
export async function startWitness({ log, host, port, tls, trustProxy, refusals_max: most = refusals_max, ...needs }: WitnessOptions): Promise<RunningWitness> {
  const witness = await openWitness({ ...needs, fatal(error) {
    log.fatal(error)
    endNow()
  } })
  const app = fastify({ loggerInstance: log as never, logController: new LogController({ disableRequestLogging: true }), bodyLimit: body_bytes_max, forceCloseConnections: true, ...(trustProxy === undefined ? {} : { trustProxy: [...trustProxy] }), ...protocol(tls) }) as unknown as FastifyInstance
  boundConnections(app)
  witnessRoutes(app, witness, needs.clock, most)
  const url = await app.listen({ host, port })
  return { url, key: formatVerifierKey(witness.key), origins: witness.origins, stop: () => app.close() }
}

const sendText = (reply: FastifyReply, status: number, text: string): FastifyReply => reply.code(status).type('text/plain; charset=utf-8').send(text)

function witnessRoutes(app: FastifyInstance, witness: Witness, clock: () => number, refused_max: number): void {
  const attempts = new Attempts()
  // Whatever its type is called: the specification names none.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, parsed) => parsed(null, body))
  app.setNotFoundHandler((_, reply) => sendText(reply, 404, 'POST /add-checkpoint, or GET /HASH/checkpoint (https://c2sp.org/tlog-witness).\n'))
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) request.log.error(error)
    return sendText(reply, status, status >= 500 ? `Nothing was cosigned. Reference: ${request.id}\n` : `${error.message}.\n`)
  })

  app.post('/add-checkpoint', async (request, reply) => {
    const wait_s = attempts.wait_s(request.ip, refused_max, clock())
    if (wait_s > 0) return sendText(reply.header('retry-after', wait_s), 429, 'Too many requests of this address were refused.\n')
    const body = textOf(request.body)
    const answer: Answer = body === null ? { refused: 'malformed', size: 0 } : await witness.addCheckpoint(body)
    if (answer.refused === null) return sendText(reply, 200, answer.lines)
    if (answer.refused === 'too_many') return sendText(reply.header('retry-after', 1), 503, `${sentences.too_many}\n`)
    // It has the log's signature, and was merely late.
    if (answer.refused === 'other_size') return reply.code(409).header('content-type', 'text/x.tlog.size').send(`${answer.size}\n`)
    attempts.failed(request.ip, clock())
    return sendText(reply, refusalStatus[answer.refused], `${sentences[answer.refused]}\n`)
  })

  app.get<{ Params: { hash: string } }>('/:hash/checkpoint', async (request, reply) => {
    const note = await witness.checkpoint(request.params.hash)
    if (note === null) return sendText(reply, 404, 'Nothing of such a log was cosigned here.\n')
    return sendText(reply.headers({ 'cache-control': 'no-cache', 'access-control-allow-origin': '*' }), 200, note)
  })
}

function textOf(body: unknown): string | null {
  if (!Buffer.isBuffer(body)) return null
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    return null
  }
}
