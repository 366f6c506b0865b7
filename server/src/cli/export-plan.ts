import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { connect, migrate, system } from '../adapters/postgres/database.ts'
import { pointRows } from '../access/routes.ts'
import { pointColumns } from '../access/points.ts'
import { ProblemError } from '../problem.ts'
import { csvLines, type FlatRow } from '../readiness/ask.ts'
import { planOf } from '../readiness/plans.ts'
import { readinessColumns } from '../readiness/read.ts'
import { readinessRows } from '../readiness/routes.ts'
import { moveColumns } from '../siting/moves.ts'
import { moveRows } from '../siting/routes.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'

export const planKinds = ['readiness', 'moves', 'access'] as const
type PlanKind = (typeof planKinds)[number]

async function* jsonLines(kind: string, rows: AsyncIterable<FlatRow>): AsyncGenerator<string> {
  yield `{"${kind}":[`
  let before = '\n'
  for await (const row of rows) {
    yield `${before}${JSON.stringify(row)}`
    before = ',\n'
  }
  yield '\n]}\n'
}

async function* counted(rows: AsyncIterable<FlatRow>, count: { rows: number }): AsyncGenerator<FlatRow> {
  for await (const row of rows) {
    count.rows++
    yield row
  }
}

/** Rows of the newest plan, piece by piece: CSV with a header, or one JSON object with --json. */
export async function exportPlan(kind: PlanKind, options: Record<string, string | undefined>): Promise<void> {
  const { area } = options
  if (area !== undefined && !/^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10})$/.test(area)) throw new CommandFailure(exits.usage, `--area takes the code of a province, regency, district or village, not ${area}.`)
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword)
    try {
      const plan = await database.transaction(system, (client) => planOf(client)).catch((error: unknown) => {
        throw error instanceof ProblemError ? new CommandFailure(exits.rejected, error.message) : error
      })
      const filter = area === undefined ? {} : { area }
      const lists: Record<PlanKind, () => { columns: readonly string[]; rows: AsyncIterable<FlatRow> }> = {
        readiness: () => ({ columns: readinessColumns(plan.operators), rows: readinessRows(database, system, plan, filter) }),
        moves: () => ({ columns: moveColumns, rows: moveRows(database, system, plan, filter) }),
        access: () => ({ columns: pointColumns, rows: pointRows(database, system, plan, filter) }),
      }
      const list = lists[kind]()
      const count = { rows: 0 }
      const rows = counted(list.rows, count)
      await pipeline(Readable.from(options['json'] === undefined ? csvLines(list.columns, rows) : jsonLines(kind, rows)), process.stdout, { end: false }).catch((error: Error & { code?: string }) => {
        // a reader that has seen enough
        if (error.code !== 'EPIPE') throw error
      })
      process.stderr.write(`${count.rows} rows of plan ${plan.id}\n`)
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
  }
}
