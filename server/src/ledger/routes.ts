import type { FastifyInstance, FastifyReply } from 'fastify'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { readTilePath } from '@kawal/core/ledger/tiles.ts'
import { ProblemError } from '../problem.ts'
import type { Ledger } from './ledger.ts'
import type { Witnessing } from './witnessing.ts'

/** What never changes: a tile of a size is the same for ever. */
const immutable = 'public, max-age=31536000, immutable'
/** Witnesses are asked once a second. */
const witnessed_pause_s = 2
/** A page of anybody's may check the log. */
const anybody = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' }
const sendText = (reply: FastifyReply, text: string): FastifyReply => reply.headers({ 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache', ...anybody }).send(text)

/**
 * The log for whoever wants to check it, as C2SP tlog-tiles has it (spec/ledger.md). Nobody is asked who he is.
 * @param witnessing where witnesses are asked
 */
export function ledgerRoutes(app: FastifyInstance, ledger: () => Ledger, { prefix = '/ledger', witnessing = null }: { readonly prefix?: '/ledger' | '/acts'; readonly witnessing?: Witnessing | null } = {}): void {
  app.get(`${prefix}/checkpoint`, (_, reply) => sendText(reply, witnessing?.checkpoint() ?? ledger().checkpoint()))
  app.get(`${prefix}/witnessed`, (_, reply) => {
    if (witnessing === null) throw new ProblemError('not_found', `No witnesses are asked here: ${prefix}/checkpoint is all there is.`)
    const newest = witnessing.newest()
    if (newest === null) throw new ProblemError('not_ready', 'No checkpoint was seen by a quorum of witnesses yet. Ask again in a few seconds.', witnessed_pause_s)
    return sendText(reply, newest.note)
  })
  app.get(`${prefix}/key`, (_, reply) => sendText(reply, `${formatVerifierKey(ledger().key)}
`))
  app.get<{ Params: { '*': string } }>(`${prefix}/tile/*`, async (request, reply) => {
    const tile = readTilePath(`tile/${request.params['*']}`)
    const bytes = tile === null ? null : await ledger().tile(tile)
    if (bytes === null) throw new ProblemError('not_found', `The ledger has ${ledger().size()} entries and no such tile. spec/ledger.md says how tiles are addressed.`)
    return reply.headers({ 'content-type': 'application/octet-stream', 'cache-control': immutable, ...anybody }).send(Buffer.from(bytes))
  })
}
