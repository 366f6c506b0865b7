import { readActEntry, type ActEntry } from '@kawal/core/act/entry.ts'
import { rfc3339 } from '@kawal/core/kernel/clock.ts'
import { describe, givenPackage } from './android.ts'
import { CommandFailure, exits } from './exits.ts'
import { givenFile } from './given.ts'
import type { Options } from './options.ts'
import { readLog } from './read-log.ts'

type Act = Extract<ActEntry, { kind: 'act' }>

/** `kawal verify android FILE WHERE`: whether a package is sound, and in which act of the log it was published. Every entry of the log is held against what its key signed. */
export async function verifyAndroid(path: string, where: string, options: Options): Promise<void> {
  const found = givenPackage(path, givenFile(path))
  const log = where.replace(/\/+$/, '')
  /** Acts about this very file, by the index of their entries. */
  const acts = new Map<number, Act>()
  const published: number[] = []
  let withdrawn: number | null = null
  const { origin, size, isKeyOwn } = await readLog(log, options['key'], (index, bytes) => {
    const entry = readActEntry(bytes)
    if (!entry.ok) throw new CommandFailure(exits.found, `Entry ${index} of ${log} is none of acts (${entry.error}). The log of acts is at /acts, as https://kawal.example/acts.`)
    if (entry.value.kind === 'act') {
      if (/^(publish|withdraw)Android$/.test(entry.value.deed) && entry.value.facts?.['sha256'] === found.sha256) acts.set(index, entry.value)
      return
    }
    // An act counts by what came of it: a command that was refused published nothing.
    const act = acts.get(entry.value.act)
    if (act === undefined || entry.value.status !== 0) return
    if (act.deed === 'publishAndroid') published.push(entry.value.act)
    withdrawn = act.deed === 'withdrawAndroid' ? entry.value.act : null
  })
  const last = published.at(-1)
  const told = { ...found, log: origin, entries: size, entry: last ?? null, publishedAt: last === undefined ? null : rfc3339((acts.get(last) as Act).at), withdrawnBy: withdrawn }
  if (options['json'] !== undefined) process.stdout.write(`${JSON.stringify(told)}\n`)
  else {
    process.stdout.write(describe(found))
    if (isKeyOwn) process.stderr.write(`The key came from the log itself. Name it with --key, as you were given it: ${origin}.\n`)
    if (last !== undefined) process.stdout.write(`It was published ${told.publishedAt}, entry ${last} of ${origin}, which has ${size}.${withdrawn === null ? '' : ` It was withdrawn since, entry ${withdrawn as number}.`}\n`)
  }
  if (last === undefined) throw new CommandFailure(exits.found, `${path} is signed, and ${origin} (${size} entries) does not say that this file was ever published. Do not install it.`)
}
