import type { FastifyInstance } from 'fastify'
import { actRowBytes, outcomeRowBytes, writeOpened } from '@kawal/core/act/entry.ts'
import { formatProof, readProof } from '@kawal/core/ledger/proof.ts'
import { proofQuery } from '@kawal/contract/audit.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { findAct } from '../organisation/audit-store.ts'
import { ProblemError } from '../problem.ts'
import { callerWho, takes } from '../readiness/ask.ts'

interface ProofNeeds { readonly database: Database; readonly ledger: () => Ledger }
type Part = 'act' | 'outcome'

/**
 * That the log of acts holds an act, or what came of it: a tlog-proof whose extra is the entry, the salt and the whole row. It is for who may read
 * the row, and whoever has it can show it to anybody (`kawal verify act`).
 */
export function proofRoute(app: FastifyInstance, { database, ledger }: ProofNeeds): void {
  app.get<{ Params: { id: string }; Querystring: { of?: Part } }>('/v1/audit/:id/proof', takes(proofQuery), async (request, reply) => {
    const caller = callerWho(request, 'read', 'audit')
    const { of = 'act' } = request.query
    const id = /^[1-9][0-9]{0,14}$/.test(request.params.id) ? Number(request.params.id) : 0
    const found = id === 0 ? null : await findAct(database, caller, id)
    if (found === null) throw new ProblemError('not_found', `The audit has no act ${request.params.id.slice(0, 20)} that you may read.`)
    const { act, outcome } = found
    const placed = of === 'act' ? act : outcome
    if (placed === null) throw new ProblemError('not_found', `Nobody wrote down what came of act ${id}.`)
    if (placed.entry === null || act.entry === null) throw new ProblemError('not_ready', `Act ${id} is not in the log yet: it is within seconds. Ask again.`)
    const receipt = await ledger().receipt(placed.entry)
    if (receipt === null) throw new ProblemError('not_ready', `The log has not shown entry ${placed.entry} yet. Ask again.`)
    const row = of === 'act' || outcome === null ? actRowBytes(act.row) : outcomeRowBytes(outcome.row)
    const proof = readProof(receipt)
    if (!proof.ok) throw new Error(`the log made no proof: ${proof.error}`)
    return reply.headers({ 'content-type': 'text/plain; charset=utf-8', 'content-disposition': `attachment; filename="act-${id}${of === 'act' ? '' : '-outcome'}.tlog-proof"` }).send(formatProof({ ...proof.value, extra: writeOpened({ entry: await entryAt(database, placed.entry), salt: placed.salt, row }) }))
  })
}

/** As it was written: a later program may say the same in other words. */
async function entryAt(database: Database, index: number): Promise<Uint8Array> {
  const { rows: [found] } = await database.transaction(system, (client) => client.query<{ bytes: Buffer }>('SELECT bytes FROM act_log_entry WHERE index = $1', [index]))
  if (found === undefined) throw new Error(`the log of acts lacks entry ${index}`)
  return found.bytes
}
