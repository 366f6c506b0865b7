import { Type, type TSchema } from 'typebox'
import { Live, LiveDisturbance, LiveTicket, Session, StationDetail, StationRows } from './live.ts'
import { Problem, problems, type ProblemCode } from './problem.ts'
import { Hub, HubCreate, TroubleTicket, TroubleTicketCreate, TroubleTicketPatch } from './ticket.ts'
import { Enrolled, Enrolment, ReportBatch, ReportReceipt, Sample } from './report.ts'

interface Operation {
  readonly method: 'get' | 'post' | 'patch' | 'delete'
  readonly path: string
  readonly tag: 'officers' | 'console' | 'tickets' | 'operating'
  readonly summary: string
  readonly security: 'device' | 'session' | 'key' | 'none'
  readonly body?: TSchema
  /** Media type of the body, where it is not application/json. */
  readonly takes?: string
  readonly query?: Readonly<Record<string, TSchema>>
  readonly answer: readonly [number, TSchema | string]
  readonly problems: readonly ProblemCode[]
}

const Probe = Type.Object({ bytes: Type.Integer(), kbps: Type.Integer({ description: 'timed by the server' }) })
const Ping = Type.Object({ now: Type.String({ format: 'date-time' }) })
const Targets = Type.Object({ election: Type.Union([Type.String(), Type.Null()]), internet: Type.Union([Type.String(), Type.Null()]) })
const Health = Type.Object({ ok: Type.Boolean() })

const tmf = '/tmf-api/troubleTicket/v5'
const fields = Type.Optional(Type.String({ description: 'first-level attributes, with commas (TMF630)' }))
const page = {
  fields, status: Type.Optional(Type.String({ description: 'statuses of TMF621, with commas' })), lifecycle: Type.Optional(Type.String({ description: 'statuses of ours, with commas' })),
  offset: Type.Optional(Type.Integer({ minimum: 0 })), limit: Type.Optional(Type.Integer({ minimum: 0, maximum: 500 })),
}

/** Every address of the platform: its own interface, and tickets by TM Forum's TMF621 v5. */
export const operations: readonly Operation[] = [
  { method: 'post', path: '/v1/devices', tag: 'officers', summary: 'Enrol a device with the code of its station', security: 'none', body: Enrolment, answer: [201, Enrolled], problems: ['body_invalid', 'station_unknown', 'code_wrong', 'station_full', 'too_many_attempts'] },
  { method: 'post', path: '/v1/reports', tag: 'officers', summary: 'Report samples; they are on disk before the 202', security: 'device', body: ReportBatch, answer: [202, ReportReceipt], problems: ['body_invalid', 'device_unknown', 'not_allowed', 'overloaded', 'too_large', 'storage_full'] },
  { method: 'get', path: '/v1/ping', tag: 'officers', summary: 'The smallest answer, for round-trip times', security: 'none', answer: [200, Ping], problems: [] },
  { method: 'get', path: '/v1/probe/down', tag: 'officers', summary: 'Bytes to time a download with', security: 'none', query: { bytes: Type.Integer({ minimum: 1, maximum: 150_000 }) }, answer: [200, 'application/octet-stream'], problems: ['body_invalid'] },
  { method: 'post', path: '/v1/probe/up', tag: 'officers', summary: 'At most 75,000 bytes; the server times them', security: 'none', answer: [200, Probe], problems: ['too_large'] },
  { method: 'get', path: '/v1/sigmon/config', tag: 'officers', summary: 'Which targets a check probes', security: 'none', answer: [200, Targets], problems: [] },
  { method: 'get', path: '/v1/session', tag: 'console', summary: 'Who is logged in, and what they may do', security: 'session', answer: [200, Session], problems: ['session_missing'] },
  { method: 'post', path: '/v1/session', tag: 'console', summary: 'Log in with the token of a one-time link', security: 'none', body: Type.Object({ token: Type.String() }), answer: [200, Session], problems: ['link_spent'] },
  { method: 'delete', path: '/v1/session', tag: 'console', summary: 'Log out', security: 'session', answer: [204, ''], problems: [] },
  { method: 'get', path: '/v1/live', tag: 'console', summary: 'Server-sent events: a snapshot, then changed rows at most once a second', security: 'session', answer: [200, 'text/event-stream'], problems: ['session_missing'] },
  { method: 'get', path: '/v1/snapshot', tag: 'console', summary: 'What the feed begins with, once', security: 'session', answer: [200, Live], problems: ['session_missing'] },
  { method: 'get', path: '/v1/stations', tag: 'console', summary: 'Stations of an area, worst first', security: 'session', query: { area: Type.String({ pattern: '^[0-9]{2,10}$' }), bbox: Type.Optional(Type.String({ description: 'west,south,east,north in degrees' })) }, answer: [200, StationRows], problems: ['session_missing', 'body_invalid'] },
  { method: 'get', path: '/v1/stations/{code}', tag: 'console', summary: 'Why a station has its status', security: 'session', answer: [200, StationDetail], problems: ['session_missing', 'station_unknown'] },
  { method: 'get', path: '/v1/disturbances', tag: 'console', summary: 'Disturbances that you may see, newest first', security: 'session', answer: [200, Type.Array(LiveDisturbance)], problems: ['session_missing'] },
  { method: 'get', path: '/v1/disturbances/{id}', tag: 'console', summary: 'One disturbance with its evidence', security: 'session', answer: [200, LiveDisturbance], problems: ['session_missing', 'not_found'] },
  { method: 'post', path: '/v1/disturbances/{id}/ticket', tag: 'console', summary: 'Open its ticket; there is one for each cause', security: 'session', answer: [201, LiveTicket], problems: ['session_missing', 'not_found', 'not_allowed', 'state_conflict'] },
  { method: 'get', path: `${tmf}/troubleTicket`, tag: 'tickets', summary: 'Tickets that you may see, newest first', security: 'key', query: page, answer: [200, Type.Array(TroubleTicket)], problems: ['session_missing', 'body_invalid'] },
  { method: 'post', path: `${tmf}/troubleTicket`, tag: 'tickets', summary: 'Open the ticket of a disturbance', security: 'key', body: TroubleTicketCreate, answer: [201, TroubleTicket], problems: ['session_missing', 'body_invalid', 'not_found', 'not_allowed', 'state_conflict'] },
  { method: 'get', path: `${tmf}/troubleTicket/{id}`, tag: 'tickets', summary: 'One ticket', security: 'key', query: { fields }, answer: [200, TroubleTicket], problems: ['session_missing', 'not_found'] },
  { method: 'patch', path: `${tmf}/troubleTicket/{id}`, tag: 'tickets', summary: 'Acknowledge, work, pause with a reason, say resolved, estimate, note; nobody says closed', security: 'key', body: TroubleTicketPatch, takes: 'application/merge-patch+json', answer: [200, TroubleTicket], problems: ['session_missing', 'body_invalid', 'not_found', 'not_allowed', 'state_conflict', 'version_conflict'] },
  { method: 'post', path: `${tmf}/hub`, tag: 'tickets', summary: 'Have events of your tickets posted to an address', security: 'key', body: HubCreate, answer: [201, Hub], problems: ['session_missing', 'body_invalid', 'not_allowed', 'state_conflict'] },
  { method: 'get', path: `${tmf}/hub/{id}`, tag: 'tickets', summary: 'One listener', security: 'key', answer: [200, Hub], problems: ['session_missing', 'not_found'] },
  { method: 'delete', path: `${tmf}/hub/{id}`, tag: 'tickets', summary: 'Remove a listener', security: 'key', answer: [204, ''], problems: ['session_missing', 'not_found'] },
  { method: 'get', path: '/healthz', tag: 'operating', summary: 'The process answers', security: 'none', answer: [200, Health], problems: [] },
  { method: 'get', path: '/readyz', tag: 'operating', summary: 'The database answers too', security: 'none', answer: [200, Health], problems: ['not_ready'] },
  { method: 'get', path: '/metrics', tag: 'operating', summary: 'Prometheus text format', security: 'none', answer: [200, 'text/plain'], problems: [] },
]

const schemas = { TroubleTicket, TroubleTicketCreate, TroubleTicketPatch, Hub, HubCreate, Sample, ReportBatch, ReportReceipt, Enrolment, Enrolled, Live, LiveDisturbance, LiveTicket, Session, StationRows, StationDetail, Problem }

function reference(schema: TSchema): unknown {
  const name = Object.entries(schemas).find(([, each]) => each === schema)?.[0]
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
  return Type.IsArray(schema) ? { ...schema, items: reference(schema.items) } : schema
}

function parameters(operation: Operation): unknown[] {
  const inPath = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  const inQuery = Object.entries(operation.query ?? {}).map(([name, schema]) => ({ name, in: 'query', required: !Type.IsOptional(schema), schema }))
  return [...inPath, ...inQuery]
}

function answers(operation: Operation): Record<string, unknown> {
  const [status, answer] = operation.answer
  const content = answer === '' ? {} : typeof answer === 'string' ? { content: { [answer]: { schema: { type: 'string' } } } } : { content: { 'application/json': { schema: reference(answer) } } }
  const result: Record<string, unknown> = { [status]: { description: operation.summary, ...content } }
  for (const code of operation.problems) {
    const of = String(problems[code][0])
    const earlier = (result[of] as { description: string } | undefined)?.description
    result[of] = { description: earlier === undefined ? `${code}: ${problems[code][1]}` : `${earlier}; ${code}: ${problems[code][1]}`, content: { 'application/problem+json': { schema: reference(Problem) } } }
  }
  return result
}

/** The OpenAPI 3.1 document, made from the operations above. */
export function openapi(): object {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of operations) {
    ;(paths[operation.path] ??= {})[operation.method] = {
      operationId: `${operation.method}${operation.path.replace(/[/{}-]+(\w)/g, (_, letter: string) => letter.toUpperCase()).replace(/[^A-Za-z0-9]/g, '')}`,
      tags: [operation.tag],
      summary: operation.summary,
      // Who may log in may also come with a key of their organisation, and the other way round.
      security: operation.security === 'none' ? [] : operation.security === 'device' ? [{ device: [] }] : [{ session: [] }, { key: [] }],
      parameters: parameters(operation),
      ...(operation.body === undefined ? {} : { requestBody: { required: true, content: { [operation.takes ?? 'application/json']: { schema: reference(operation.body) } } } }),
      responses: answers(operation),
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Kawal Sinyal', version: '1', description: 'Reports of officers in, disturbances and tickets out. Tickets follow TM Forum TMF621 v5.', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        device: { type: 'http', scheme: 'bearer', description: 'the token of POST /v1/devices' },
        key: { type: 'http', scheme: 'bearer', description: 'an API key of an organisation: kawal org key' },
        session: { type: 'apiKey', in: 'cookie', name: 'kawal_session' },
      },
    },
  }
}
