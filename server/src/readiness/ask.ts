import type { FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import { Readable } from 'node:stream'
import type { TSchema } from 'typebox'
import { Type } from 'typebox'
import { scopeOf, type Resource } from '@kawal/core/organisation/rules.ts'
import type { Caller } from '../adapters/postgres/database.ts'
import { callerOf } from '../organisation/routes.ts'
import { ProblemError } from '../problem.ts'

/** Who asks, if their role may. The wall in the database would show nothing, or refuse; here it is said. */
export function callerWho(request: FastifyRequest, action: 'read' | 'write', resource: Resource): Caller {
  const caller = callerOf(request)
  if (scopeOf(caller.role, resource, action) === null) throw new ProblemError('not_allowed', `The role ${caller.role} may not ${action} what belongs to ${resource}.`)
  return caller
}

/** Options of a route that takes these parameters and no others: a filter with a slip in its name must not show everything. */
export function takes(query: Readonly<Record<string, TSchema>>): RouteShorthandOptions {
  return {
    schema: { querystring: Type.Object({ ...query }) },
    preValidation: async (request) => {
      const unknown = Object.keys(request.query as object).filter((name) => !(name in query))
      if (unknown.length > 0) throw new ProblemError('body_invalid', `There is no parameter ${unknown.join(', ')}. There are ${Object.keys(query).join(', ')}.`)
      // a list that is given whole is on its way when its first page is read: too late for an answer that says so
      const { page } = request.query as { page?: unknown }
      if (typeof page === 'string') cursorOf(page)
    },
  }
}

/** Where the next page begins: what the last row was sorted by, and its code. */
type Cursor = readonly [sorted: number, code: string]

export const cursorText = (cursor: Cursor): string => Buffer.from(JSON.stringify(cursor)).toString('base64url')

export function cursorOf(text: string | undefined): Cursor | null {
  if (text === undefined) return null
  try {
    const [sorted, code, ...more] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
    if (typeof sorted === 'number' && typeof code === 'string' && more.length === 0) return [sorted, code]
  } catch { /* said below */ }
  throw new ProblemError('body_invalid', 'page is what the page before gave as next.')
}

export const limit_default = 100
/** Rows of one query of a list that is given whole. */
const chunk_rows = 2_000

interface Listed<Row> { readonly next: string | null; readonly rows: readonly Row[] }

/** Every row of a list, page by page: a nation never lies in memory. */
export async function* everyRow<Row>(page: (after: string | undefined, limit: number) => Promise<Listed<Row>>): AsyncGenerator<Row> {
  let after: string | undefined
  do {
    const { rows, next } = await page(after, chunk_rows)
    yield* rows
    after = next ?? undefined
  } while (after !== undefined)
}

type Cell = string | number | boolean | null
export type FlatRow = Readonly<Record<string, Cell>>

/** A spreadsheet takes what begins with these for a formula; names come from files of others. */
const formula = /^[=+\-@\t\r]/
function cell(value: Cell): string {
  const text = value === null ? '' : typeof value === 'string' && formula.test(value) ? `'${value}` : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** RFC 4180 with LF. The columns are there when no row is. */
export async function* csvLines(columns: readonly string[], rows: AsyncIterable<FlatRow> | Iterable<FlatRow>): AsyncGenerator<string> {
  yield `${columns.join(',')}\n`
  let lines = ''
  for await (const row of rows) {
    lines += `${columns.map((name) => cell(row[name] ?? null)).join(',')}\n`
    if (lines.length < 65_536) continue
    yield lines
    lines = ''
  }
  if (lines !== '') yield lines
}

export function sendCsv(reply: FastifyReply, name: string, columns: readonly string[], rows: AsyncIterable<FlatRow> | Iterable<FlatRow>): FastifyReply {
  void reply.type('text/csv; charset=utf-8').header('content-disposition', `attachment; filename="${name}.csv"`)
  return reply.send(Readable.from(csvLines(columns, rows)))
}

export function wantsCsv(request: FastifyRequest): boolean {
  const { format } = request.query as { format?: string }
  if (format !== undefined) return format === 'csv'
  return (request.headers.accept ?? '').split(',').some((type) => type.trim().startsWith('text/csv'))
}
