import { createCipheriv, createDecipheriv, createHmac, createHash, randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'

/** What was begun in a browser, and what it must come back with. */
type Ceremony =
  | { readonly kind: 'passkey_log_in'; readonly challenge: string }
  | { readonly kind: 'passkey_new'; readonly challenge: string; readonly staff: string }
  | { readonly kind: 'provider'; readonly provider: string; readonly redirect: string; readonly state: string; readonly nonce: string; readonly verifier: string }
type Kind = Ceremony['kind']

export interface Ceremonies {
  /** Seals it into a cookie of this browser; the one begun before is forgotten. */
  begin(request: FastifyRequest, reply: FastifyReply, ceremony: Ceremony): void
  /**
   * Takes it out of the cookie, once, whatever comes of it.
   * @throws ProblemError ceremony_over where there is none of this kind, its time is over, or it was ended before
   */
  end<K extends Kind>(request: FastifyRequest, reply: FastifyReply, kind: K): Promise<Extract<Ceremony, { readonly kind: K }>>
}

export const ceremony_ms = 5 * minute_ms
const cookie_name = 'kawal_ceremony'
const algorithm = 'aes-256-gcm'
const nonce_bytes = 12
const tag_bytes = 16

/** A key of its own: what is sealed here can be nothing else's proof, nor the other way round. */
const keyOf = (deployment: Buffer): Buffer => createHmac('sha256', deployment).update('log-in ceremony').digest()

/**
 * Log-ins and new passkeys that were begun. They lie with the browser, which can neither read nor change them, so that
 * whoever begins many fills nothing here; kept is only which of them came back, until their time is over.
 */
export function createCeremonies({ database, secret, clock }: { readonly database: Database; readonly secret: Buffer; readonly clock: () => Instant }): Ceremonies {
  const key = keyOf(secret)
  return {
    begin(request, reply, ceremony) {
      const sealed = seal(key, { ...ceremony, until: clock() + ceremony_ms })
      void reply.setCookie(cookie_name, sealed, { path: '/v1', httpOnly: true, sameSite: 'strict', secure: request.protocol === 'https', maxAge: ceremony_ms / 1_000 })
    },
    async end(request, reply, kind) {
      void reply.clearCookie(cookie_name, { path: '/v1' })
      const bytes = Buffer.from(request.cookies[cookie_name] ?? '', 'base64url')
      const ceremony = unseal(key, bytes) as (Ceremony & { readonly until: Instant }) | null
      const now = clock()
      if (ceremony === null || ceremony.kind !== kind || now >= ceremony.until || !(await spend(database, bytes, ceremony.until, now)))
        throw new ProblemError('ceremony_over', 'It was begun in another browser or more than 5 minutes ago, or it was ended already. Begin again.')
      return ceremony as unknown as Extract<Ceremony, { readonly kind: typeof kind }>
    },
  }
}

/** The database decides: of two who bring the same, one gets in. */
function spend(database: Database, bytes: Buffer, until: Instant, now: Instant): Promise<boolean> {
  return database.transaction(system, async (client) => {
    await client.query('DELETE FROM ceremony_spent WHERE until <= $1', [new Date(now)])
    const { rowCount } = await client.query('INSERT INTO ceremony_spent (sha256, until) VALUES ($1, $2) ON CONFLICT DO NOTHING', [createHash('sha256').update(bytes).digest(), new Date(until)])
    return rowCount === 1
  })
}

function seal(key: Buffer, value: object): string {
  const nonce = randomBytes(nonce_bytes)
  const cipher = createCipheriv(algorithm, key, nonce)
  const sealed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')
}

/** @returns null for what was not sealed with this key */
function unseal(key: Buffer, bytes: Buffer): unknown {
  if (bytes.length <= nonce_bytes + tag_bytes) return null
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonce_bytes), { authTagLength: tag_bytes }).setAuthTag(bytes.subarray(nonce_bytes, nonce_bytes + tag_bytes))
  try {
    return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(nonce_bytes + tag_bytes)), decipher.final()]).toString('utf8'))
  } catch {
    return null
  }
}
