import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Compile } from 'typebox/compile'
import { AlarmPatch, AlertGroup, type AlertReceipt } from '@kawal/contract/alarm.ts'
import { readSeverity } from '@kawal/core/detection/x733.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { scopeOf } from '@kawal/core/organisation/rules.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { answerProblems, ProblemError } from '../problem.ts'
import { readAlert, readLabelNames } from './alertmanager.ts'
import type { Footprint } from './footprint.ts'
import { handOver, type AlarmTakers } from './hand-over.ts'
import { alarmLimits, createIntake, keepIn, type AlarmLimits, type Intake } from './intake.ts'
import { addRefusals, listAlarms, readAlarm, readDetail, readRefusals, rowFilter, tmfFilter, toRow } from './list.ts'
import type { Said } from './said.ts'
import { lockAlarms } from './store.ts'
import { listTasks, readTask, runTask, taskKinds } from './tasks.ts'
import { alarmPath, mergePatch, readTmf, toTmf } from './tmf642.ts'
import { faultsOf } from '../body.ts'

export interface AlarmNeeds extends AlarmTakers {
  readonly database: Database
  readonly clock: () => Instant
  readonly caller: (request: FastifyRequest) => Caller | null
  readonly footprint: Footprint
  readonly limits?: Partial<AlarmLimits>
}

/** TMF642 stands at `alarmManagement`; the published description of v4 says `alarm`, and tools made from it ask there. */
const bases = [alarmPath.replace(/\/alarm$/, ''), '/tmf-api/alarm/v4']
const alarm_bytes_max = 64 * 1024
/** A group of 10,000 alerts of 800 bytes. */
const group_bytes_max = 8 * 1024 * 1024

const checkPatch = Compile(AlarmPatch)
const checkGroup = Compile(AlertGroup)
type Query = Record<string, unknown>

/** Alarms over TMF642 v4, over Alertmanager's webhook, and for the console. Bodies come as text: they are kept as they came. */
export async function alarmRoutes(app: FastifyInstance, needs: AlarmNeeds): Promise<void> {
  const intake = createIntake({ ...needs, limits: { ...alarmLimits, ...needs.limits } })
  app.addHook('onClose', () => intake.idle())
  await app.register(async (tmf) => {
    asText(tmf)
    answerProblems(tmf, (found) => ({ ...found, '@type': 'Error', reason: found.title, message: found.detail, status: String(found.status) }))
    for (const base of bases) {
      readingRoutes(tmf, needs, base)
      writingRoutes(tmf, needs, intake, base)
      taskRoutes(tmf, needs, intake, base)
      refusedRoutes(tmf, base)
    }
  })
  await app.register(async (own) => {
    asText(own)
    alertRoutes(own, needs, intake)
    ownRoutes(own, needs)
  })
}

function asText(app: FastifyInstance): void {
  app.addContentTypeParser(['application/json', 'application/merge-patch+json'], { parseAs: 'string' }, (_, body, done) => done(null, body))
}

function callerOf({ caller }: AlarmNeeds, request: FastifyRequest, action: 'read' | 'write'): Caller {
  const found = caller(request)
  if (found === null) throw new ProblemError('session_missing', 'Send an API key as a bearer token, or as the password of basic authentication.')
  if (scopeOf(found.role, 'alarm', action) === null) throw new ProblemError('not_allowed', `The role ${found.role} may not ${action} alarms.`)
  return found
}

function parsed(text: unknown): unknown {
  try {
    return JSON.parse(typeof text === 'string' ? text : '') as unknown
  } catch (error) {
    throw new ProblemError('body_invalid', `The body is no JSON: ${(error as Error).message.slice(0, 200)}.`)
  }
}

/** First-level attribute selection of TMF630: what is asked for, and always id and href; the conformance kit takes no more. */
function pick(resource: object, query: Query): object {
  const fields = query['fields']
  if (typeof fields !== 'string' || fields === '') return resource
  const asked = new Set([...fields.split(','), 'id', 'href'])
  return Object.fromEntries(Object.entries(resource).filter(([name]) => asked.has(name)))
}

function readingRoutes(app: FastifyInstance, needs: AlarmNeeds, base: string): void {
  app.get<{ Querystring: Query }>(`${base}/alarm`, async (request, reply) => {
    const { total, alarms } = await listAlarms(needs.database, callerOf(needs, request, 'read'), tmfFilter(request.query))
    return reply.header('x-total-count', total).header('x-result-count', alarms.length).send(alarms.map((alarm) => pick(toTmf(alarm), request.query)))
  })
  app.get<{ Params: { id: string }; Querystring: Query }>(`${base}/alarm/:id`, async (request) => {
    const caller = callerOf(needs, request, 'read')
    return pick(toTmf(await needs.database.transaction(caller, (client) => readAlarm(client, request.params.id))), request.query)
  })
}

function writingRoutes(app: FastifyInstance, needs: AlarmNeeds, intake: Intake, base: string): void {
  app.post<{ Querystring: Query }>(`${base}/alarm`, { bodyLimit: alarm_bytes_max }, async (request, reply) => {
    const caller = callerOf(needs, request, 'write')
    intake.admit(caller.organisation, 1)
    const message = String(request.body ?? '')
    const now = needs.clock()
    const read = readTmf(parsed(message), message, now)
    if (!read.ok) {
      await addRefusals(needs.database, caller, 'tmf642', [{ reason: read.error, message }], now)
      throw new ProblemError('body_invalid', `${read.error}.`)
    }
    const [outcome] = await intake.take(caller, [read.value])
    if (outcome === undefined) throw new Error('one message has one outcome')
    return reply.code(201).header('location', `${alarmPath}/${outcome.alarm.id}`).send(pick(toTmf(outcome.alarm), request.query))
  })

  app.patch<{ Params: { id: string }; Querystring: Query }>(`${base}/alarm/:id`, { bodyLimit: alarm_bytes_max }, async (request) => {
    const caller = callerOf(needs, request, 'write')
    intake.admit(caller.organisation, 1)
    const message = String(request.body ?? '')
    const patch = parsed(message)
    return pick(toTmf(await intake.alone(() => patchAlarm(needs, caller, request.params.id, patch, message))), request.query)
  })
}

/** What a patch may not change: which alarm it is, and when it began. */
const fixed = ['id', 'href', 'externalAlarmId', 'alarmRaisedTime', 'sourceSystemId'] as const

async function patchAlarm(needs: AlarmNeeds, caller: Caller, id: string, patch: unknown, message: string): Promise<Parameters<typeof toTmf>[0]> {
  if (!checkPatch.Check(patch)) throw new ProblemError('body_invalid', `${faultsOf(checkPatch, patch)}.`)
  const now = needs.clock()
  const { alarm, told } = await needs.database.transaction(caller, async (client) => {
    await lockAlarms(client, caller.organisation)
    const current = await readAlarm(client, id)
    const before = toTmf(current) as Readonly<Record<string, unknown>>
    for (const name of fixed) if (name in patch && (patch as Record<string, unknown>)[name] !== before[name]) throw new ProblemError('body_invalid', `${name} cannot be changed: it says which alarm this is. Post another alarm.`)
    const whole = mergePatch({ ...before, alarmChangedTime: new Date(Math.max(now, current.changedAt)).toISOString() }, patch)
    const read = readTmf(whole, message, now)
    if (!read.ok) throw new ProblemError('body_invalid', `${read.error}.`)
    // X.733: a clear is the end of that alarm; it is raised anew by whoever raises it
    const { perceivedSeverity, state } = patch as { perceivedSeverity?: string; state?: string }
    if (current.clearedAt !== null && [perceivedSeverity, state].some((word) => word !== undefined && readSeverity(word) !== 'cleared')) throw new ProblemError('state_conflict', 'This alarm is cleared. Raise it anew with POST and the same externalAlarmId.')
    const said: Said = { ...read.value, source: current.source, externalId: current.externalId }
    const { outcomes, touched } = await keepIn(client, needs.footprint, caller.organisation, [said], now)
    return { alarm: outcomes[0]?.alarm ?? current, told: touched }
  })
  for (const each of told) handOver(needs, each, needs.footprint, now)
  return alarm
}

function taskRoutes(app: FastifyInstance, needs: AlarmNeeds, intake: Intake, base: string): void {
  for (const kind of taskKinds) {
    app.post<{ Querystring: Query }>(`${base}/${kind}`, { bodyLimit: alarm_bytes_max }, async (request, reply) => {
      const caller = callerOf(needs, request, 'write')
      intake.admit(caller.organisation, 1)
      const given = parsed(request.body)
      const task = await intake.alone(() => runTask(needs, caller, kind, given))
      return reply.code(201).header('location', (task as { href: string }).href).send(pick(task, request.query))
    })
    app.get<{ Querystring: Query }>(`${base}/${kind}`, async (request, reply) => {
      const { fields, ...rest } = request.query
      const { offset, limit } = tmfFilter(rest)
      const { total, tasks } = await listTasks(needs, callerOf(needs, request, 'read'), kind, offset, limit)
      return reply.header('x-total-count', total).header('x-result-count', tasks.length).send(tasks.map((task) => pick(task, { fields })))
    })
    app.get<{ Params: { id: string }; Querystring: Query }>(`${base}/${kind}/:id`, async (request) =>
      pick(await readTask(needs, callerOf(needs, request, 'read'), kind, request.params.id), request.query))
  }
}

/** What the standard has and a receiver does not need, with the way that leads to the same end. */
const notOffered: readonly (readonly ['DELETE' | 'POST' | 'GET', string, string])[] = [
  ['DELETE', 'alarm/:id', 'Alarms are a record, and none is deleted. Clear it: PATCH with perceivedSeverity "cleared".'],
  ...(['groupAlarms', 'unGroupAlarms'] as const).flatMap((kind): (readonly ['POST' | 'GET', string, string])[] => [
    ['POST', kind, 'Alarms are grouped here by measurement. Send what you know as parentAlarm and correlatedAlarm of the alarm.'],
    ['GET', kind, 'Alarms are grouped here by measurement: there are no such tasks.'],
  ]),
  ['POST', 'hub', 'This side receives alarms and sends none out. Events of tickets have a hub: /tmf-api/troubleTicket/v5/hub.'],
  ['DELETE', 'hub/:id', 'There are no listeners of alarms here.'],
  ['POST', 'listener/:event', 'Post the alarm itself, not its event: POST alarm.'],
]

function refusedRoutes(app: FastifyInstance, base: string): void {
  for (const [method, path, why] of notOffered)
    app.route({
      method, url: `${base}/${path}`,
      handler: (_, reply) => {
        void reply.header('allow', path.startsWith('alarm') ? 'GET, PATCH' : '')
        throw new ProblemError('not_offered', why)
      },
    })
}

function alertRoutes(app: FastifyInstance, needs: AlarmNeeds, intake: Intake): void {
  app.post<{ Querystring: Query }>('/v1/alarms/alertmanager', { bodyLimit: group_bytes_max }, async (request): Promise<AlertReceipt> => {
    const caller = callerOf(needs, request, 'write')
    const names = readLabelNames(request.query)
    if (!names.ok) throw new ProblemError('body_invalid', names.error)
    const group = parsed(request.body)
    if (!checkGroup.Check(group)) throw new ProblemError('body_invalid', `${faultsOf(checkGroup, group)}. This address takes Alertmanager's webhook, version 4.`)
    admitGroup(intake, caller, group.alerts.length)
    const now = needs.clock()
    const said: Said[] = []
    const refused: AlertReceipt['refused'] = []
    const refusals: { reason: string; message: string }[] = []
    group.alerts.forEach((alert, at) => {
      const read = readAlert(alert, names.value, now)
      if (read.ok) return void said.push(read.value)
      const { fingerprint } = (typeof alert === 'object' && alert !== null ? alert : {}) as { fingerprint?: unknown }
      refused.push({ place: at + 1, fingerprint: typeof fingerprint === 'string' ? fingerprint.slice(0, 64) : null, reason: read.error })
      refusals.push({ reason: read.error, message: JSON.stringify(alert) })
    })
    const truncated = group.truncatedAlerts ?? 0
    if (truncated > 0) refusals.push({ reason: `Alertmanager left ${truncated} alerts out of a group: set max_alerts of the webhook to 0, or group by more labels`, message: JSON.stringify({ groupKey: group.groupKey, truncatedAlerts: truncated }) })
    const outcomes = await intake.take(caller, said)
    await addRefusals(needs.database, caller, 'alertmanager', refusals, now)
    // an answer of 200 is all that Alertmanager looks at: where nothing was understood, its log shall say so
    if (refused.length > 0 && said.length === 0) throw new ProblemError('body_invalid', `No alert of the group could be understood. ${refused.slice(0, 3).map((each) => `${each.place}: ${each.reason}`).join('; ')}.`)
    const kept = outcomes.filter((outcome) => outcome.kind !== null).length
    return { kept, unchanged: outcomes.length - kept, truncated, refused }
  })
}

/** Alertmanager's webhook gives a message up on any answer of 4xx, 429 too, and tries again on 5xx alone. */
function admitGroup(intake: Intake, caller: Caller, alerts: number): void {
  try {
    intake.admit(caller.organisation, alerts)
  } catch (error) {
    if (error instanceof ProblemError && error.code === 'too_many_alarms') throw new ProblemError('alarms_wait', error.message, error.retryAfterS)
    throw error
  }
}

function ownRoutes(app: FastifyInstance, needs: AlarmNeeds): void {
  app.get<{ Querystring: Query }>('/v1/alarms', async (request) => {
    const { total, alarms } = await listAlarms(needs.database, callerOf(needs, request, 'read'), rowFilter(request.query))
    return { total, rows: alarms.map(toRow) }
  })
  app.get('/v1/alarms/refused', async (request) => readRefusals(needs.database, callerOf(needs, request, 'read')))
  app.get<{ Params: { id: string } }>('/v1/alarms/:id', async (request) => readDetail(needs.database, callerOf(needs, request, 'read'), request.params.id))
}
