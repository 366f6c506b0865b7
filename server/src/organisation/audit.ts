import { isIP } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { deedOf, factsOf } from '@kawal/core/act/deed.ts'
import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { ofPhones } from '../connections.ts'
import { reads } from './routes.ts'
import { reason_chars_max, writeAct, writeOutcome, writeRefusal, type Act, type Actor, type Begun, type Outcome } from './audit-store.ts'

/** Writes down that somebody acts; what follows must not run where this rejects. Once a request: its outcome is written by itself. */
export type BeginAct = (request: FastifyRequest, actor: Actor, more?: { readonly subject?: string; readonly reason?: string }) => Promise<void>

declare module 'fastify' {
  interface FastifyInstance {
    /** For routes that find out themselves who acts: a log-in, a ticket's link. */
    beginAct: BeginAct
  }
  interface FastifyRequest {
    /** What was written down of this request: nothing, that it began, or all. */
    act: Begun | 'whole' | null
  }
}

/** Alarms and groups of alerts come in bulk, and are kept message by message as they came (`alarm_turn`, `alarm_refusal`): a row here would say the same again. */
const alarms = /^\/tmf-api\/(alarmManagement|alarm)\/v4\/alarm(\/:id)?$|^\/v1\/alarms\/alertmanager$/
/** Whoever comes here is known by what he brings, which the route itself looks into; who was logged in before does not count. */
const namesItself: ReadonlySet<string> = new Set(['POST /t/*', 'POST /v1/session', 'POST /v1/session/passkey', 'POST /v1/session/provider'])
/** Where a refusal says that somebody tried what is not his. */
const refusals: ReadonlySet<number> = new Set([401, 403])
/** Attempts of strangers that are written down in a minute; of more, how many there were. Whoever floods the door shall not fill the disk. */
const strangers_max = 60
const stranger: Actor = { organisation: system.organisation, role: 'nobody' }

/**
 * Every action of staff, of an organisation's own systems and of ticket links is written down before it runs, and what
 * came of it before it is answered. What cannot be written down is not done. Phones have no part in it: what they send
 * is a report, and kept as that.
 */
export function auditActions(app: FastifyInstance, database: Database, clock: () => Instant): void {
  const beginAct: BeginAct = async (request, actor, more = {}) => {
    request.act = await writeAct(database, actOf(request, actor, clock(), more))
  }
  const settle = createSettle(database, clock)
  app.addHook('onRoute', ({ method, url }) => mustHaveWord([method].flat(), url))
  app.decorateRequest('act', null)
  app.decorate('beginAct', beginAct)
  // By callbacks: what is not written down costs a comparison.
  app.addHook('preHandler', (request, _, done) => {
    if (reads.has(request.method) || request.caller === null || isOfPhones(request) || isAlarm(request) || namesItself.has(`${request.method} ${request.routeOptions.url}`)) return done()
    beginAct(request, actorOf(request)).then(() => done(), done)
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    if (reads.has(request.method) || isOfPhones(request)) return done(null, payload)
    settle(request, reply, payload).then(() => done(null, payload), (error: unknown) => {
      // It is done, and whoever asked shall know: that its outcome is missing tells the rest.
      request.log.error(error, 'what came of an action could not be written into the audit')
      done(null, payload)
    })
  })
}

/** What a route does must have a word: an act without one would be in the public log without a meaning. */
function mustHaveWord(methods: readonly string[], url: string): void {
  const mute = methods.find((method) => !reads.has(method) && !ofPhones.test(url) && deedOf({ method, path: url }) === 'other')
  if (mute !== undefined) throw new Error(`${mute} ${url} changes something and has no word: give it one in core/act/deed.ts, with what everybody may know of it, and a line in docs/operating/acts.md.`)
}

const isOfPhones = ({ routeOptions: { url } }: FastifyRequest): boolean => url !== undefined && ofPhones.test(url)
const isAlarm = ({ routeOptions: { url } }: FastifyRequest): boolean => url !== undefined && alarms.test(url)

function actorOf({ caller, staff, key }: FastifyRequest): Actor {
  return { ...(caller ?? stranger), staff: staff?.id ?? null, name: staff?.name ?? null, key: key?.id ?? null }
}

function actOf(request: FastifyRequest, actor: Actor, at: Instant, { subject, reason }: { readonly subject?: string; readonly reason?: string }): Act {
  const { id, code } = (request.params ?? {}) as { readonly id?: string; readonly code?: string }
  const named = subject ?? id ?? code
  const path = pathOf(request)
  return {
    at, actor, address: addressOf(request.ip), method: request.method, path, subject: named === undefined ? null : withoutKeys(named), reason: reason ?? reasonIn(request.body), request: request.id, facts: factsOf(request.method, path, request.body),
  }
}

/** Without the zone of a link-local address; a front may name what is no address. */
function addressOf(ip: string): string | null {
  const address = ip.replace(/%.*$/, '')
  return isIP(address) === 0 ? null : address
}

/** Somebody may send a key where its id belongs. */
const withoutKeys = (text: string): string => text.replace(/kawal-key-[\w-]*/g, 'kawal-key-')

/** What follows in a ticket's link is its proof. */
function pathOf({ url, routeOptions }: FastifyRequest): string {
  const path = url.replace(/^https?:\/\/[^/]*/i, '').replace(/\?.*$/s, '')
  return routeOptions.url === '/t/*' || path.startsWith('/t/') ? '/t/' : withoutKeys(path)
}

/** Why, in the words of whoever acts. Notes stay where they were written. */
function reasonIn(body: unknown): string | null {
  if (typeof body !== 'object' || body === null) return null
  const { statusChangeReason, reason, answer, remark } = body as Readonly<Record<string, unknown>>
  const found = [statusChangeReason, reason, answer, remark].find((each) => typeof each === 'string')
  return typeof found === 'string' ? found.slice(0, reason_chars_max) : null
}

function createSettle(database: Database, clock: () => Instant): (request: FastifyRequest, reply: FastifyReply, payload: unknown) => Promise<void> {
  const admit = createStrangers(clock)
  return async (request, reply, payload) => {
    const { act, caller } = request
    if (act === 'whole') return
    request.act = 'whole'
    const outcome: Outcome = { at: clock(), status: reply.statusCode, made: madeIn(reply.statusCode, payload) }
    if (act !== null) return writeOutcome(database, act, outcome)
    if (caller !== null) {
      if (!isAlarm(request) || refusals.has(outcome.status)) await writeRefusal(database, actOf(request, actorOf(request), outcome.at, {}), outcome)
      return
    }
    // A link that is none of ours answers 404.
    const { url } = request.routeOptions
    if (url === undefined || !(refusals.has(outcome.status) || (url === '/t/*' && outcome.status === 404))) return
    const missed = admit()
    if (missed !== null) await writeRefusal(database, actOf(request, stranger, outcome.at, missed === 0 ? {} : { reason: `${missed} more attempts of strangers were not written down before this one` }), outcome)
  }
}

/** @returns how many attempts were passed over since the last that was written down; null where this one is passed over too */
function createStrangers(clock: () => Instant): () => number | null {
  let [since, written, missed] = [-Infinity, 0, 0]
  return () => {
    const now = clock()
    if (now - since >= minute_ms) [since, written] = [now, 0]
    if (written >= strangers_max) {
      missed++
      return null
    }
    written++
    const before = missed
    missed = 0
    return before
  }
}

/** The id of what was made, in an answer of 201. */
function madeIn(status: number, payload: unknown): string | null {
  if (status !== 201 || typeof payload !== 'string') return null
  try {
    const { id } = JSON.parse(payload) as { readonly id?: unknown }
    return typeof id === 'string' || typeof id === 'number' ? String(id) : null
  } catch {
    return null
  }
}
