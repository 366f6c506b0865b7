import type { FastifyInstance, FastifyRequest } from 'fastify'
import type pg from 'pg'
import { Compile } from 'typebox/compile'
import { PlannedWorkCreate, PlannedWorkPatch, plannedWorkStates, type PlannedWorkReceipt } from '@kawal/contract/planned-work.ts'
import type { PlannedWork } from '@kawal/core/detection/disturbance.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { scopeOf } from '@kawal/core/organisation/rules.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import type { Footprint } from '../alarm/footprint.ts'
import { ProblemError } from '../problem.ts'
import { readCalendar } from './calendar.ts'
import { addWork, changeWork, listWork, lockWork, overlapping, readDetail, readWork, toPlanned, toRow, type WorkFilter, type WorkRecord } from './store.ts'
import { checkWork, readTime, tidyAreas, type Announced } from './work.ts'
import { bodyOf } from '../body.ts'

interface PlannedWorkNeeds {
  readonly database: Database
  readonly clock: () => Instant
  readonly caller: (request: FastifyRequest) => Caller | null
  readonly footprint: Footprint
  /** Told after the commit: work that was announced or changed, and work that counts no more. */
  readonly planned: (work: PlannedWork) => void
  readonly withdrawn: (id: string) => void
}

const path = '/v1/planned-work'
const calendar_bytes_max = 1024 * 1024
const limit_default = 50
const limit_max = 500
const checkCreate = Compile(PlannedWorkCreate)
const checkPatch = Compile(PlannedWorkPatch)
const filters = ['operator', 'state', 'area', 'offset', 'limit'] as const

/** Work that operators announce: one at a time, or a calendar in CSV. */
export async function plannedWorkRoutes(app: FastifyInstance, needs: PlannedWorkNeeds): Promise<void> {
  await app.register(async (own) => {
    own.addContentTypeParser(['text/csv', 'application/csv'], { parseAs: 'string', bodyLimit: calendar_bytes_max }, (_, body, done) => done(null, body))
    own.addContentTypeParser('application/merge-patch+json', { parseAs: 'string' }, own.getDefaultJsonParser('error', 'error'))
    readingRoutes(own, needs)
    own.post(path, { bodyLimit: calendar_bytes_max }, async (request, reply) => {
      const caller = callerOf(needs, request, 'write')
      if (typeof request.body === 'string') return announceCalendar(needs, caller, request.body)
      const { status, work } = await announceOne(needs, caller, bodyOf(checkCreate, request.body))
      return reply.code(status === 'added' ? 201 : 200).header('location', `${path}/${work.id}`).send(toRow(work, needs.clock()))
    })
    changingRoutes(own, needs)
  })
}

function callerOf(needs: PlannedWorkNeeds, request: FastifyRequest, action: 'read' | 'write'): Caller {
  const caller = needs.caller(request)
  if (caller === null) throw new ProblemError('session_missing', 'Open your log-in link, or send an API key as a bearer token.')
  if (scopeOf(caller.role, 'planned_work', action) === null) throw new ProblemError('not_allowed', `The role ${caller.role} may not ${action} planned work.`)
  return caller
}

function readingRoutes(app: FastifyInstance, needs: PlannedWorkNeeds): void {
  app.get<{ Querystring: Record<string, unknown> }>(path, async (request) => listWork(needs.database, callerOf(needs, request, 'read'), filterOf(request.query), needs.clock()))
  app.get<{ Params: { id: string } }>(`${path}/:id`, async (request) => readDetail(needs.database, callerOf(needs, request, 'read'), request.params.id, needs.clock()))
}

function filterOf(query: Readonly<Record<string, unknown>>): WorkFilter {
  const unknown = Object.keys(query).filter((name) => !(filters as readonly string[]).includes(name))
  if (unknown.length > 0) throw new ProblemError('body_invalid', `There is no filter ${unknown.join(', ').slice(0, 200)}. There are ${filters.join(', ')}.`)
  const text = (name: (typeof filters)[number]): string | null => (typeof query[name] === 'string' ? query[name] : null)
  const whole = (name: 'offset' | 'limit', missing: number): number => {
    const value = text(name)
    if (value !== null && !/^[0-9]{1,9}$/.test(value)) throw new ProblemError('body_invalid', `${name} is a whole number from 0, not ${value}.`)
    return value === null ? missing : Number(value)
  }
  const state = plannedWorkStates.find((each) => each === text('state')) ?? null
  if (text('state') !== null && text('state') !== 'all' && state === null) throw new ProblemError('body_invalid', `state is one of ${plannedWorkStates.join(', ')}, all, not ${text('state')}.`)
  const area = text('area')
  if (area !== null && !/^[0-9]{2,13}$/.test(area)) throw new ProblemError('body_invalid', `area is a code of 2 to 13 digits, not ${area}.`)
  return { operator: text('operator'), state, area, offset: whole('offset', 0), limit: Math.min(limit_max, whole('limit', limit_default)) }
}

/** Whose work it is: an operator's own, or the one that the monitoring centre names. */
async function operatorOf(needs: PlannedWorkNeeds, caller: Caller, named: string | null): Promise<string> {
  if (scopeOf(caller.role, 'planned_work', 'write') === 'own') {
    if (named !== null && named !== caller.organisation) throw new ProblemError('not_allowed', `Your organisation is ${caller.organisation}, and announces no work of ${named}.`)
    return caller.organisation
  }
  if (named === null) throw new ProblemError('body_invalid', 'Say whose work it is: operator.')
  const { rows } = await needs.database.pool.query("SELECT FROM organisation WHERE id = $1 AND kind IN ('operator', 'isp', 'bakti')", [named])
  if (rows.length === 0) throw new ProblemError('body_invalid', `There is no operator ${named}.`)
  return named
}

type Taken = { readonly status: 'added' | 'known'; readonly work: WorkRecord }

/** Within a transaction that holds the operator's lock. @throws ProblemError with what is wrong */
async function announce(client: pg.PoolClient, needs: PlannedWorkNeeds, caller: Caller, operator: string, work: Announced, now: Instant): Promise<Taken> {
  const other = await overlapping(client, operator, work, null)
  // the same calendar, pasted again
  if (other !== null && other.title === work.title && other.reason === work.reason && other.from === work.from && other.to === work.to && other.areas.join() === work.areas.join()) return { status: 'known', work: other }
  const checked = checkWork(work, (code) => needs.footprint.inArea(code).length > 0, now)
  if (!checked.ok) throw new ProblemError('body_invalid', `${checked.error}.`)
  if (other !== null) throw new ProblemError('state_conflict', overlaps(other))
  return { status: 'added', work: await addWork(client, caller, operator, work, now) }
}

const overlaps = (other: WorkRecord): string =>
  `It overlaps work ${other.id} ("${other.title}", ${new Date(other.from).toISOString()} to ${new Date(other.to).toISOString()}, ${other.areas.slice(0, 3).join(' ')}) of the same operator. Change or withdraw that one.`

async function announceOne(needs: PlannedWorkNeeds, caller: Caller, body: PlannedWorkCreate): Promise<Taken> {
  const operator = await operatorOf(needs, caller, body.operator ?? null)
  const now = needs.clock()
  const work = { title: body.title, reason: body.reason, areas: tidyAreas(body.areas), from: instantOf('from', body.from), to: instantOf('to', body.to) }
  const taken = await needs.database.transaction(caller, async (client) => {
    await lockWork(client, operator)
    return announce(client, needs, caller, operator, work, now)
  })
  if (taken.status === 'added') needs.planned(toPlanned(taken.work))
  return taken
}

function instantOf(name: string, text: string): Instant {
  const at = readTime(name, text)
  if (!at.ok) throw new ProblemError('body_invalid', `${at.error}.`)
  return at.value
}

/** Line by line: a bad one is refused with its reason, and the good ones beside it are announced. */
async function announceCalendar(needs: PlannedWorkNeeds, caller: Caller, text: string): Promise<PlannedWorkReceipt> {
  const lines = readCalendar(text)
  if (!lines.ok) throw new ProblemError('body_invalid', `${lines.error}.`)
  const now = needs.clock()
  const added: WorkRecord[] = []
  const rows: PlannedWorkReceipt['rows'] = []
  await needs.database.transaction(caller, async (client) => {
    for (const { line, work, operator: named } of lines.value) {
      const read = work.ok ? { from: new Date(work.value.from).toISOString(), to: new Date(work.value.to).toISOString() } : { from: null, to: null }
      const taken = work.ok ? await tried(async () => {
        const operator = await operatorOf(needs, caller, named)
        await lockWork(client, operator)
        return announce(client, needs, caller, operator, work.value, now)
      }) : work.error
      if (typeof taken === 'string') rows.push({ line, status: 'refused', id: null, ...read, reason: taken })
      else {
        if (taken.status === 'added') added.push(taken.work)
        rows.push({ line, status: taken.status, id: String(taken.work.id), ...read, reason: null })
      }
    }
  })
  for (const work of added) needs.planned(toPlanned(work))
  const count = (status: (typeof rows)[number]['status']): number => rows.filter((row) => row.status === status).length
  return { added: count('added'), known: count('known'), refused: count('refused'), rows }
}

/** What it gives, or the sentence that refuses it. What the database refuses is no line's fault. */
async function tried(work: () => Promise<Taken>): Promise<Taken | string> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ProblemError) return error.message
    throw error
  }
}

function changingRoutes(app: FastifyInstance, needs: PlannedWorkNeeds): void {
  app.patch<{ Params: { id: string } }>(`${path}/:id`, async (request, reply) => {
    const caller = callerOf(needs, request, 'write')
    const body = bodyOf(checkPatch, request.body)
    const now = needs.clock()
    const changed = await needs.database.transaction(caller, async (client) => {
      const before = await open(client, request, now)
      await lockWork(client, before.operator)
      const { title = before.title, reason = before.reason } = body
      const work = {
        ...before, title, reason, areas: body.areas === undefined ? before.areas : tidyAreas(body.areas),
        from: body.from === undefined ? before.from : instantOf('from', body.from), to: body.to === undefined ? before.to : instantOf('to', body.to),
      }
      const checked = checkWork(work, (code) => needs.footprint.inArea(code).length > 0, now, before)
      if (!checked.ok) throw new ProblemError(before.from <= now ? 'state_conflict' : 'body_invalid', `${checked.error}.`)
      const other = await overlapping(client, before.operator, work, before.id)
      if (other !== null) throw new ProblemError('state_conflict', overlaps(other))
      return changeWork(client, caller, work, 'changed', now)
    })
    needs.planned(toPlanned(changed))
    return reply.header('etag', `"${changed.version}"`).send(toRow(changed, now))
  })

  app.delete<{ Params: { id: string } }>(`${path}/:id`, async (request, reply) => {
    const caller = callerOf(needs, request, 'write')
    const now = needs.clock()
    const gone = await needs.database.transaction(caller, async (client) => changeWork(client, caller, { ...await open(client, request, now), withdrawnAt: now }, 'withdrawn', now))
    needs.withdrawn(String(gone.id))
    return reply.code(204).send()
  })
}

/** Work that can still be changed, held until the transaction ends; If-Match names the version that was read. */
async function open(client: pg.PoolClient, request: FastifyRequest<{ Params: { id: string } }>, now: Instant): Promise<WorkRecord> {
  const work = await readWork(client, request.params.id, true)
  const match = request.headers['if-match']
  if (match !== undefined && match.trim() !== '*' && Number(match.replace(/^W\/|"/g, '')) !== work.version) throw new ProblemError('version_conflict', 'The work changed since you read it. Read it again, then decide.')
  if (work.withdrawnAt !== null) throw new ProblemError('state_conflict', 'This work was withdrawn. Announce it anew.')
  if (work.to <= now) throw new ProblemError('state_conflict', 'This work is over: it stays as it was.')
  return work
}
