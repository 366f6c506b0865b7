import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { system, type Database } from '../adapters/postgres/database.ts'
import { addApiKey, revokeKeys } from '../organisation/sessions.ts'

/** A fault as the operator's own network knows it. */
interface KnownFault {
  readonly stations: readonly string[]
  readonly operator: string | null
  readonly active: boolean
}

export interface OperatorTick {
  /** `by` is the organisation whose crew ended the fault. */
  readonly repairs: readonly { readonly stations: readonly string[]; readonly by: string; readonly at: number }[]
  /** What each operator said of its tickets, and the HTTP status that it was answered with. */
  readonly actions: readonly { readonly ticket: string; readonly status: string; readonly answered: number; readonly by: string }[]
}

/** The operators' side: one process each, which speaks TMF621 over HTTP as their own systems would. */
interface Operators {
  tick(now: number, faults: readonly KnownFault[]): Promise<OperatorTick>
  stop(): Promise<void>
}

const program = join(import.meta.dirname, 'operator.ts')

export async function startOperators(api: string, database: Database, organisations: readonly string[], seed: number, now: number): Promise<Operators> {
  const running = await Promise.all(
    organisations.map(async (organisation) => {
      // those of the rehearsal before this one, in the same folder
      await database.transaction(system, (client) => revokeKeys(client, organisation, now))
      const key = await addApiKey(database, organisation, now)
      return startOperator(api, organisation, key, seed)
    }),
  )
  return {
    async tick(at, faults) {
      const answers: OperatorTick[] = []
      // One after the other: the order of their answers is part of what a seed replays.
      for (const [index, operator] of running.entries()) {
        const { repairs, actions } = await operator.tick(at, faults)
        answers.push({ repairs: repairs.map((repair) => ({ ...repair, by: organisations[index] as string })), actions: actions.map((action) => ({ ...action, by: organisations[index] as string })) })
      }
      return { repairs: answers.flatMap((answer) => answer.repairs), actions: answers.flatMap((answer) => answer.actions) }
    },
    async stop() {
      await Promise.all(running.map((operator) => operator.stop()))
    },
  }
}

async function startOperator(api: string, organisation: string, key: string, seed: number) {
  const child = spawn(process.execPath, [program, '--api', api, '--organisation', organisation, '--seed', String(seed)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, KAWAL_API_KEY: key },
  })
  const port = await firstPort(child, organisation)
  return {
    async tick(now: number, faults: readonly KnownFault[]): Promise<OperatorTick> {
      const answer = await fetch(`http://127.0.0.1:${port}/tick`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ now, faults }) })
      if (!answer.ok) throw new Error(`the operator process of ${organisation} answered ${answer.status}: ${await answer.text()}`)
      return (await answer.json()) as OperatorTick
    },
    async stop(): Promise<void> {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    },
  }
}

function firstPort(child: ChildProcess, organisation: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the operator process of ${organisation} ended (${code}) before it listened`)))
    if (child.stdout === null) throw new Error('stdout is a pipe')
    createInterface(child.stdout).once('line', (line) => resolve((JSON.parse(line) as { port: number }).port))
  })
}
