import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { VerifyingKeys } from '@kawal/contract/sigmon.ts'
import { ProblemError } from '../problem.ts'
import type { createConfig } from './config.ts'
import { readDeviceToken } from '../measurement/enrolment.ts'
import type { createPacks } from './packs.ts'
import type { Asks } from '../ticket/asks.ts'
import type { Signer } from './signing.ts'

interface SigmonDependencies {
  readonly secret: Buffer
  readonly signer: Signer
  readonly config: ReturnType<typeof createConfig>
  readonly packs: ReturnType<typeof createPacks>
  readonly asks: Pick<Asks, 'take'>
}

/**
 * What phones fetch. It asks for no log-in, and what counts is signed; only a device of the district learns what is
 * known of each operator there.
 */
export function sigmonRoutes(app: FastifyInstance, { secret, signer, config, packs, asks }: SigmonDependencies): void {
  app.get('/v1/sigmon/keys', (_, reply): VerifyingKeys => {
    void reply.header('cache-control', 'no-cache')
    return { keys: [...signer.keys] }
  })

  app.get('/v1/sigmon/config', async (request, reply) => {
    const { jws, etag } = await config.current()
    if (unchanged(request, reply, etag)) return reply.code(304).send()
    return reply.type('application/jose').send(jws)
  })

  app.get<{ Params: { district: string }; Querystring: { since?: string } }>('/v1/packs/:district', async (request, reply) => {
    const { district } = request.params
    if (!/^[0-9]{6}$/.test(district)) throw new ProblemError('body_invalid', 'A pack is of a district: the first 6 digits of a station\'s code.')
    const since = request.query.since ?? null
    if (since !== null && !/^[0-9a-f]{16}$/.test(since)) throw new ProblemError('body_invalid', 'since takes the version of the pack that is held: 16 hex digits.')
    const device = readDeviceToken(secret, request.headers.authorization?.replace(/^Bearer /, '') ?? '')
    const open = device?.station.startsWith(district) !== true
    void reply.header('vary', 'authorization')
    // Each opening of the app asks for its pack: an officer off duty hears here that a check is wanted.
    if (device !== null && asks.take(device.key, device.station, null)) void reply.header('kawal-check', 'wanted')
    const found = await packs.pack({ district, open }, since)
    if (found === null) throw new ProblemError('not_found', `There is no district ${district} in the register. It is the first 6 digits of the station's code.`)
    if (unchanged(request, reply, `"${found.version}"`) || since === found.version) return reply.code(304).send()
    return reply.type('application/octet-stream').send(found.file)
  })
}

/** Names what is sent by its tag, and tells whether the caller has it (RFC 9110, section 13.1.2). */
function unchanged(request: FastifyRequest, reply: FastifyReply, etag: string): boolean {
  void reply.header('etag', etag).header('cache-control', 'no-cache')
  const known = request.headers['if-none-match'] ?? ''
  return known.split(',').some((each) => each.trim().replace(/^W\//, '') === etag)
}
