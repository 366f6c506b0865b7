import { userInfo } from 'node:os'
import type { Facts } from '@kawal/core/act/deed.ts'
import { connect, system } from '../adapters/postgres/database.ts'
import { writeAct, writeOutcome } from '../organisation/audit-store.ts'
import type { OpenDatabase } from './database.ts'
import { exitOf, exits } from './exits.ts'
import type { Options } from './options.ts'

/** The options among those asked for that were given, as they are typed. Of what a name may hold none is a secret. */
export const typed = (options: Options, names: readonly string[]): string => names.flatMap((name) => (options[name] === undefined ? [] : [` --${name} ${options[name]}`])).join('')

/**
 * Does what a command changes, between what the audit says of it before and after: the command is the platform's own act,
 * with the user of the machine and its exit code. The schema must be there. What cannot be written down is not done.
 * @param command as it was typed, without secrets
 * @param work takes the id of its act
 * @param facts what everybody may know of it beside
 */
export async function audited<T>(server: OpenDatabase, command: string, work: (act: number) => Promise<T>, facts: Facts | null = null): Promise<T> {
  const database = connect(server.ownerUrl, server.appPassword, 1)
  try {
    const begun = await writeAct(database, { at: Date.now(), actor: { ...system, name: userName() }, address: null, method: 'CLI', path: command, subject: null, reason: null, request: null, facts })
    const ended = (status: number): Promise<void> => writeOutcome(database, begun, { at: Date.now(), status, made: null })
      .catch((error: unknown) => void process.stderr.write(`What came of this command could not be written into the audit: ${String(error)}\n`))
    try {
      const value = await work(begun.id)
      await ended(Number(process.exitCode ?? exits.ok))
      return value
    } catch (error) {
      await ended(await exitOf(error))
      throw error
    }
  } finally {
    await database.end()
  }
}

/** In some containers the user of a process has no name. */
export function userName(): string | null {
  try {
    return userInfo().username
  } catch {
    return null
  }
}
