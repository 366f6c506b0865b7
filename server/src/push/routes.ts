import { createPublicKey } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Compile } from 'typebox/compile'
import { PushGiven, type PushRow, type PushState, type PushTried } from '@kawal/contract/push.ts'
import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { agentLabel } from '../organisation/agent.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { bodyOf } from '../body.ts'
import { tryNotice } from '../notification/text.ts'
import { ProblemError } from '../problem.ts'
import { callerWho } from '../readiness/ask.ts'
import { callbackAllowed } from '../ticket/webhook.ts'
import type { Push } from './push.ts'
import { addSubscription, endSubscription, findSubscription, listSubscriptions, type Person } from './subscriptions.ts'

interface PushNeeds {
  readonly database: Database
  readonly clock: () => Instant
  /** Null where nobody is called. */
  readonly push: Push | null
  readonly hosts: readonly string[]
}

const path = '/v1/push'
const try_ttl_ms = minute_ms
const checkGiven = Compile(PushGiven)
const noSuch = (): ProblemError => new ProblemError('not_found', 'You have no such subscription.')

/** A person's phones and desktops that calls and announcements are pushed to. */
export function pushRoutes(app: FastifyInstance, { database, clock, push, hosts }: PushNeeds): void {
  app.get(path, async (request): Promise<PushState> => ({ publicKey: push?.publicKey ?? null, rows: await listSubscriptions(database, personOf(request, 'read')) }))
  app.post(path, async (request, reply): Promise<PushRow> => {
    const person = personOf(request, 'write')
    isThere(push)
    const given = bodyOf(checkGiven, request.body)
    if (!callbackAllowed(given.endpoint, hosts)) throw new ProblemError('body_invalid', '/endpoint: only https at a public address is pushed to. Give what the browser gave.')
    if (!isPoint(given.keys.p256dh)) throw new ProblemError('body_invalid', '/keys/p256dh is no point of P-256. Give what the browser gave.')
    const row = await addSubscription(database, person, given, agentLabel(request.headers['user-agent']) ?? 'Browser', clock())
    void reply.code(201)
    return row
  })
  app.delete<{ Params: { id: string } }>(`${path}/:id`, async (request, reply) => {
    if (!(await endSubscription(database, personOf(request, 'write'), request.params.id))) throw noSuch()
    return reply.code(204).send()
  })
  app.post<{ Params: { id: string } }>(`${path}/:id/test`, async (request): Promise<PushTried> => {
    const { organisation, staff } = personOf(request, 'write')
    const sender = isThere(push)
    const subscription = await findSubscription(database, organisation, staff, request.params.id)
    if (subscription === null) throw noSuch()
    const { outcome, error } = await sender.send(subscription, tryNotice(subscription.language), try_ttl_ms)
    // What is behind a name is not for a browser's owner to find out.
    return { outcome, error: error === null || /^HTTP \d+$/.test(error) ? error : 'no answer' }
  })
}

function isThere(push: Push | null): Push {
  if (push === null) throw new ProblemError('state_conflict', 'This server calls nobody: whoever runs it starts it with --url.')
  return push
}

/** Somebody with a session: a key has no phone. */
function personOf(request: FastifyRequest, action: 'read' | 'write'): Person {
  const caller = callerWho(request, action, 'push_subscription')
  if (request.staff === null) throw new ProblemError('not_allowed', 'Pushes are for people: log in to the console. A key cannot.')
  return { ...caller, staff: request.staff.id }
}

/** What is none would fail at every push. */
function isPoint(p256dh: string): boolean {
  const bytes = Buffer.from(p256dh, 'base64url')
  if (bytes.length !== 65 || bytes[0] !== 4) return false
  try {
    createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: bytes.subarray(1, 33).toString('base64url'), y: bytes.subarray(33).toString('base64url') }, format: 'jwk' })
    return true
  } catch {
    return false
  }
}
