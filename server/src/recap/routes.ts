import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { cose_type, key_header, list_type } from '@kawal/contract/handing-in.ts'
import type { RecapState, StationRecaps } from '@kawal/contract/recap.ts'
import { signed_bytes_max } from '@kawal/core/recap/cose.ts'
import { formatProof, readProof } from '@kawal/core/ledger/proof.ts'
import type { Contests } from '@kawal/core/recap/judge.ts'
import { list_bytes_max } from '@kawal/core/recap/photo.ts'
import type { Database } from '../adapters/postgres/database.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { SignerRefused } from '../ledger/signer.ts'
import type { Witnessing } from '../ledger/witnessing.ts'
import { ProblemError } from '../problem.ts'
import { callerWho } from '../readiness/ask.ts'
import type { Intake } from './intake.ts'
import { keepList, type PhotoLists } from './photos.ts'
import { readStation } from './station.ts'

interface RecapNeeds {
  readonly lists: PhotoLists
  /** What became of a record, by its hash; null where it was never handed in. */
  readonly stateOf: (hash: string) => Promise<RecapState | null>
  /** The receiver's answer as an entry of the ledger; null: none is there yet. */
  readonly deliveryOf: (hash: string) => Promise<{ readonly index: number; readonly bytes: Uint8Array } | null>
  /** Who asks: the key of his device, or null where nobody is asked who he is. @throws ProblemError for whom nothing is done */
  readonly admit: (request: FastifyRequest) => number | null
  readonly clock: () => number
  /** @throws ProblemError where it does not go on */
  readonly ledger: () => Ledger
  /** Where witnesses are asked. */
  readonly witnessing?: Witnessing | null
  readonly intake: Intake
  /** Told when something new was taken in. */
  readonly taken: () => void
}

const receipt_type = 'text/plain; charset=utf-8'
/** Witnesses are asked once a second. */
const witnessed_pause_s = 2

/** Records come in as they were signed, from whoever carries them; the answer is the receipt (spec/ledger.md). */
export function recapRoutes(app: FastifyInstance, { lists, stateOf, deliveryOf, admit, clock, ledger, witnessing = null, intake, taken }: RecapNeeds): void {
  app.addContentTypeParser(cose_type, { parseAs: 'buffer', bodyLimit: signed_bytes_max }, (_, body, parsed) => parsed(null, body))
  app.addContentTypeParser(list_type, { parseAs: 'buffer', bodyLimit: list_bytes_max }, (_, body, parsed) => parsed(null, body))

  const readState = async (hash: string): Promise<RecapState> => {
    const state = isHash(hash) ? await stateOf(hash) : null
    if (state === null) throw new ProblemError('not_found', 'No record with this hash was handed in here: send it.')
    return state
  }

  app.post('/v1/recaps', async (request, reply) => {
    const carrier = admit(request)
    if (!Buffer.isBuffer(request.body)) throw new ProblemError('body_invalid', `Send the signed record as it is, as ${cose_type}; cose-type="cose-sign1".`)
    const { hash, isNew, receipt } = await intake.take({ bytes: request.body, carrier, key: keyOf(request) }).catch(sayRefused)
    if (isNew) taken()
    return reply.code(isNew ? 201 : 200).headers({ 'content-type': receipt_type, location: `/v1/recaps/${hash}` }).send(receipt)
  })

  app.put<{ Params: { hash: string } }>('/v1/recaps/:hash/photos', async (request, reply) => {
    admit(request)
    if (!Buffer.isBuffer(request.body)) throw new ProblemError('body_invalid', `Send the list of photos as it was hashed, as ${list_type}.`)
    if (!isHash(request.params.hash)) throw new ProblemError('not_found', 'A record is named by its hash, 64 digits of hex.')
    await keepList(lists, Buffer.from(request.params.hash, 'hex'), request.body, clock())
    return reply.code(204).send()
  })

  app.get<{ Params: { hash: string } }>('/v1/recaps/:hash', async (request): Promise<RecapState> => {
    admit(request)
    return readState(request.params.hash)
  })

  app.get<{ Params: { hash: string } }>('/v1/recaps/:hash/receipt', async (request, reply): Promise<FastifyReply> => {
    admit(request)
    const { entry } = await readState(request.params.hash)
    const receipt = await ledger().receipt(entry)
    if (receipt === null) throw new ProblemError('not_ready', 'The record is kept, and no signed checkpoint holds it yet. Ask again in a few seconds.')
    return reply.header('content-type', receipt_type).send(receipt)
  })

  app.get<{ Params: { hash: string } }>('/v1/recaps/:hash/witnessed', async (request, reply): Promise<FastifyReply> => {
    admit(request)
    const { entry } = await readState(request.params.hash)
    if (witnessing === null) throw new ProblemError('not_found', 'No witnesses are asked here: the receipt at /receipt is all there is.')
    const receipt = await witnessing.receipt(entry)
    if (receipt === null) throw new ProblemError('not_ready', 'The record is in the ledger, and no checkpoint with it was seen by a quorum of witnesses yet. Ask again in a few seconds.', witnessed_pause_s)
    return reply.header('content-type', receipt_type).send(receipt)
  })

  app.get<{ Params: { hash: string } }>('/v1/recaps/:hash/delivery', async (request, reply): Promise<FastifyReply> => {
    admit(request)
    await readState(request.params.hash)
    const entry = await deliveryOf(request.params.hash)
    const proof = entry === null ? null : await ledger().receipt(entry.index)
    const read = proof === null ? null : readProof(proof)
    if (entry === null || read?.ok !== true) throw new ProblemError('not_ready', 'The receiver has not taken the record yet, or no signed checkpoint holds its answer. Ask again later.')
    return reply.header('content-type', receipt_type).send(formatProof({ ...read.value, extra: entry.bytes }))
  })
}

/** What was handed in of a station, for those who may read it. */
export function stationRecapRoute(app: FastifyInstance, { database, contests }: { readonly database: Database; readonly contests: Contests }): void {
  app.get<{ Params: { code: string } }>('/v1/stations/:code/recaps', (request): Promise<StationRecaps> => {
    const caller = callerWho(request, 'read', 'recap')
    if (!/^[0-9]{13}$/.test(request.params.code)) throw new ProblemError('not_found', 'A station has a code of 13 digits.')
    return readStation(database, caller, request.params.code, contests)
  })
}

/** A ledger that does not go on takes nothing in: phones keep what they have. */
function sayRefused(error: unknown): never {
  if (error instanceof SignerRefused) throw new ProblemError('not_ready', 'The ledger is stopped until people have looked at it. Keep the record: it is sent again by itself.')
  throw error
}

function keyOf(request: FastifyRequest): Buffer | null {
  const text = request.headers[key_header]
  if (text === undefined) return null
  const key = Buffer.from(String(text), 'base64url')
  const isKey = key.toString('base64url') === text && (key.length === 32 || (key.length === 65 && key[0] === 4))
  if (!isKey) throw new ProblemError('body_invalid', `The header ${key_header} holds no public key: 32 bytes of Ed25519, or 65 of P-256 from 4 on, in base64url without padding.`)
  return key
}

const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)
