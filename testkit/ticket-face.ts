import assert from 'node:assert/strict'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import type { TicketCause } from '@kawal/core/ticket/ticket.ts'
import type { TroubleTicket } from '@kawal/contract/ticket.ts'
import { system, type Caller } from '@kawal/server/src/adapters/postgres/database.ts'
import { answerProblems } from '@kawal/server/src/problem.ts'
import { attachmentRoutes } from '@kawal/server/src/ticket/attachment-routes.ts'
import { ticketRoutes } from '@kawal/server/src/ticket/routes.ts'
import { openTicket } from '@kawal/server/src/ticket/tickets.ts'
import { withDatabase, type TestDatabase } from './postgres.ts'
import { published, type Judge } from './published.ts'

export const faceStart = Date.UTC(2029, 1, 14, 2)
export const ticketAddress = '/tmf-api/troubleTicket/v5/troubleTicket'
export const hubAddress = '/tmf-api/troubleTicket/v5/hub'

/** A disturbance of two stations of Semau. */
export const faceCause = (id: string, operator = 'telkomsel', kind: TicketCause['cause'] = 'access'): TicketCause & { areaName: string } => ({
  id, cause: kind, operator, severity: 'down', areaCode: '530101', areaName: 'Semau', stations: ['5301012001001', '5301012001002'],
  startedAt: faceStart - 5 * minute_ms, foundAt: faceStart, endedAt: null,
  evidence: { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [{ cause: 'access', nats: 7.5 }], signs: [{ sign: 'silent', count: 11, of: 20 }] },
})

interface Answer { readonly status: number; readonly body: TroubleTicket & TroubleTicket[] & { code: string; detail: string; reason: string }; readonly headers: Record<string, unknown> }
export interface TicketFace {
  readonly kit: TestDatabase
  readonly app: FastifyInstance
  /** What the server's clock shows; a test moves it. */
  now: number
  readonly callers: Record<string, Caller>
  /** Tickets that live views were told of, in order. */
  readonly changed: string[]
  /** Whether the published file is here. Without it nothing is judged. */
  readonly isJudged: boolean
  /** @param as an organisation, who is taken at its word */
  call(as: string, method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, body?: object, headers?: Record<string, string>): Promise<Answer>
  patch(as: string, id: string, fields: object, headers?: Record<string, string>): Promise<Answer>
  open(id: string, operator?: string, kind?: TicketCause['cause']): Promise<string>
  close(): Promise<void>
}

const bodies: Readonly<Record<string, string>> = { [`POST ${ticketAddress}`]: 'TroubleTicket_FVO', [`PATCH ${ticketAddress}/:id`]: 'TroubleTicket_MVO', [`POST ${hubAddress}`]: 'Hub_FVO' }

/** What is wrong by the standard with one request and its answer. A body that was refused for its form or size need not be right. */
export function faultsOf(judge: Judge, request: Pick<FastifyRequest, 'method' | 'body'> & { readonly routeOptions: { readonly url?: string | undefined } }, status: number, payload: unknown): string[] {
  const { url } = request.routeOptions
  if (url === undefined || !(url.startsWith(ticketAddress) || url.startsWith(hubAddress))) return []
  const asked = bodies[`${request.method} ${url}`]
  const sent = asked === undefined || status === 400 || status === 413 ? [] : judge(asked, request.body)
  if (typeof payload !== 'string' || payload === '') return sent
  const answered: unknown = JSON.parse(payload)
  if (status >= 400) {
    // RFC 9457 has a number as status, and wins: the rest is theirs.
    const { type: _, title: __, detail: ___, status: ____, ...error } = answered as Record<string, unknown>
    return [...sent, ...judge('Error', error)]
  }
  // The secret is of Standard Webhooks, once, in the answer that makes a hub.
  const { secret: _, ...hub } = answered as Record<string, unknown>
  if (url.startsWith(hubAddress)) return [...sent, ...judge('Hub', hub)]
  return [...sent, ...(Array.isArray(answered) ? answered : [answered]).flatMap((ticket) => judge('TroubleTicket', ticket))]
}

/** TMF621 over a real database, without the rest of the server. Every request, answer and event is judged by the published file where it is here. */
export async function withTicketFace(): Promise<TicketFace> {
  const kit = await withDatabase()
  const app = fastify()
  answerProblems(app)
  const judge = published('tmf621/TMF621-Trouble_Ticket-v5.0.1.oas.yaml')
  const faults: string[] = []
  let judged = 0
  if (judge !== null) app.addHook('onSend', (request: FastifyRequest, reply: FastifyReply, payload: unknown, done) => {
    faults.push(...faultsOf(judge, request, reply.statusCode, payload))
    done(null, payload)
  })
  async function judgeEvents(): Promise<void> {
    const { rows } = await kit.database.transaction(system, (client) => client.query<{ id: number; body: { eventType: string } }>('SELECT id, body FROM hub_delivery WHERE id > $1 ORDER BY id', [judged]))
    judged = rows.at(-1)?.id ?? judged
    if (judge !== null) for (const { body } of rows) faults.push(...judge(body.eventType, body))
    assert.deepEqual(faults.splice(0), [], 'not as the standard has it')
  }
  const face: TicketFace = {
    kit, app, now: faceStart, changed: [], isJudged: judge !== null,
    callers: {
      telkomsel: { organisation: 'telkomsel', role: 'noc' }, indosat: { organisation: 'indosat', role: 'noc' }, komdigi: { organisation: 'komdigi', role: 'duty_officer' },
      bawaslu: { organisation: 'bawaslu', role: 'auditor' }, kpu: { organisation: 'kpu', role: 'planner' },
    },
    async call(as, method, url, body, headers = {}) {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
      const answer = await app.inject({
        method, url, headers: { authorization: `Bearer ${as}`, ...(body === undefined ? {} : { 'content-type': type }), ...headers },
        ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
      })
      await judgeEvents()
      return { status: answer.statusCode, body: answer.body === '' ? null : JSON.parse(answer.body), headers: answer.headers }
    },
    patch: (as, id, fields, headers) => face.call(as, 'PATCH', `${ticketAddress}/${id}`, { '@type': 'TroubleTicket', ...fields }, headers),
    async open(id, operator, kind) {
      const opened = await openTicket({ database: kit.database, clock: () => face.now }, system, faceCause(id, operator, kind))
      assert.ok(opened.ok)
      return opened.value.ticket.id
    },
    async close() {
      await judgeEvents()
      await app.close()
      await kit.close()
    },
  }
  const caller = (request: FastifyRequest): Caller | null => face.callers[(request.headers.authorization ?? '').replace('Bearer ', '')] ?? null
  const needs = { database: kit.database, clock: () => face.now, changed: (id: string) => void face.changed.push(id), callbackHosts: ['127.0.0.1'], secret: Buffer.alloc(32, 7), caller }
  await app.register(ticketRoutes(needs))
  attachmentRoutes(app, needs)
  return face
}
