import fastify, { type FastifyInstance } from 'fastify'
import pg from 'pg'
import type { PlacedAlarm, PlannedWork } from '@kawal/core/detection/disturbance.ts'
import type { Caller } from '@kawal/server/src/adapters/postgres/database.ts'
import { createFootprint } from '@kawal/server/src/alarm/footprint.ts'
import { alarmRoutes, type AlarmNeeds } from '@kawal/server/src/alarm/routes.ts'
import { plannedWorkRoutes } from '@kawal/server/src/planned-work/routes.ts'
import { answerProblems } from '@kawal/server/src/problem.ts'
import { withDatabase, type TestDatabase } from './postgres.ts'

/** Two villages of Gorontalo, one of Kupang; stations 1 km apart along the equator's north. */
export const alarmStations = ['7501011001', '7501011002', '5301012001'].flatMap((village, at) =>
  Array.from({ length: 4 }, (_, number) => ({ code: `${village}${String(number + 1).padStart(3, '0')}`, latitude: at === 2 ? -10 : 0.5, longitude: at === 2 ? 123.5 : 123 + at * 0.2 + number * 0.009 }))).toSorted((a, b) => (a.code < b.code ? -1 : 1))

const callers: Readonly<Record<string, Caller>> = {
  telkomsel: { organisation: 'telkomsel', role: 'noc' }, indosat: { organisation: 'indosat', role: 'noc' }, bakti: { organisation: 'bakti', role: 'access_operator' },
  komdigi: { organisation: 'komdigi', role: 'duty_officer' }, bawaslu: { organisation: 'bawaslu', role: 'auditor' }, kpu: { organisation: 'kpu', role: 'planner' },
}

interface Answered { readonly status: number; readonly body: unknown; readonly headers: Readonly<Record<string, unknown>> }
export interface AlarmBench {
  readonly kit: TestDatabase
  readonly app: FastifyInstance
  /** What the server's clock shows; a test moves it. */
  now: number
  /** What detection was told, in order. */
  readonly told: { readonly placed: PlacedAlarm[]; readonly cleared: { readonly id: string; readonly at: number }[]; readonly planned: PlannedWork[]; readonly withdrawn: string[] }
  /** @param as an organisation, who is taken at its word; a body that is text goes as it is */
  call(as: string, method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown, type?: string): Promise<Answered>
  owner<Row extends object = object>(sql: string, values?: unknown[]): Promise<Row[]>
  /** Begins work while nobody can write to a table, lets go once so many transactions wait, and gives what came of it: they truly meet. */
  meeting<T>(table: string, waiting: number, work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Alarms and planned work over a real database, without the rest of the server. */
export async function withAlarms(now: number, limits?: AlarmNeeds['limits']): Promise<AlarmBench> {
  const kit = await withDatabase()
  const app = fastify({ forceCloseConnections: true })
  answerProblems(app)
  const told: AlarmBench['told'] = { placed: [], cleared: [], planned: [], withdrawn: [] }
  const caller: AlarmNeeds['caller'] = (request) => callers[(request.headers.authorization ?? '').replace('Bearer ', '')] ?? null
  const bench: AlarmBench = {
    kit, app, now, told,
    async call(as, method, path, body, type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json') {
      const payload = body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }
      const answer = await app.inject({ method, url: path, headers: { authorization: `Bearer ${as}`, ...(body === undefined ? {} : { 'content-type': type }) }, ...payload })
      return { status: answer.statusCode, body: answer.body === '' ? null : JSON.parse(answer.body), headers: answer.headers }
    },
    async owner<Row extends object>(sql: string, values: unknown[] = []) {
      const owner = new pg.Client({ connectionString: kit.ownerUrl })
      await owner.connect()
      try {
        return (await owner.query<Row>(sql, values)).rows
      } finally {
        await owner.end()
      }
    },
    async meeting(table, waiting, work) {
      const owner = new pg.Client({ connectionString: kit.ownerUrl })
      await owner.connect()
      try {
        await owner.query(`BEGIN; LOCK TABLE ${table} IN EXCLUSIVE MODE`)
        const done = work()
        const count = async (): Promise<number> => (await owner.query<{ n: number }>("SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")).rows[0]?.n ?? 0
        for (let tries = 0; tries < 20_000 && await count() < waiting; tries++);
        await owner.query('COMMIT')
        return await done
      } finally {
        await owner.end()
      }
    },
    async close() {
      await app.close()
      await kit.close()
    },
  }
  const shared = { database: kit.database, clock: () => bench.now, caller, footprint: createFootprint(alarmStations) }
  await alarmRoutes(app, { ...shared, ...(limits === undefined ? {} : { limits }), placed: (alarm) => told.placed.push(alarm), cleared: (id, at) => told.cleared.push({ id, at }) })
  await plannedWorkRoutes(app, { ...shared, planned: (work) => told.planned.push(work), withdrawn: (id) => told.withdrawn.push(id) })
  return bench
}
