import type { FastifyInstance, FastifyReply } from 'fastify'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { readTilePath } from '@kawal/core/ledger/tiles.ts'
import { ProblemError } from '../problem.ts'
import type { Ledger } from './ledger.ts'

/** What never changes: a tile of a size is the same for ever. */
const immutable = 'public, max-age=31536000, immutable'
/** A page of anybody's may check the log. */
const anybody = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' }
const sendText = (reply: FastifyReply, text: string): FastifyReply => reply.headers({ 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache', ...anybody }).send(text)

/** The log for whoever wants to check it, as C2SP tlog-tiles has it (spec/ledger.md). Nobody is asked who he is. */
export function ledgerRoutes(app: FastifyInstance, ledger: () => Ledger, prefix: '/ledger' | '/acts' = '/ledger'): void {
  app.get(`${prefix}/checkpoint`, (_, reply) => sendText(reply, ledger().checkpoint()))
  app.get(`${prefix}/key`, (_, reply) => sendText(reply, `${formatVerifierKey(ledger().key)}\n`))
  app.get<{ Params: { '*': string } }>(`${prefix}/tile/*`, async (request, reply) => {
    const tile = readTilePath(`tile/${request.params['*']}`)
    const bytes = tile === null ? null : await ledger().tile(tile)
    if (bytes === null) throw new ProblemError('not_found', `The ledger has ${ledger().size()} entries and no such tile. spec/ledger.md says how tiles are addressed.`)
    return reply.headers({ 'content-type': 'application/octet-stream', 'cache-control': immutable, ...anybody }).send(Buffer.from(bytes))
  })
}
