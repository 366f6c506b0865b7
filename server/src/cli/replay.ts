import { calendarDate } from '@kawal/core/register/rows.ts'
import { connect, migrate, type Database } from '../adapters/postgres/database.ts'
import { firstDifference, readRecordedTurns, RecordIncomplete, replay, type ReplayDifference, type ReplayedTurn } from '../detection/replay.ts'
import { loadMonitorStations, loadNames, loadOrganisations } from '../register/lookup.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import type { Options } from './options.ts'

const day_ms = 86_400_000
const window_ms_max = 7 * day_ms

interface Asked { readonly from: number; readonly to: number; readonly province: string | undefined }

/** `kawal replay`: what detection did over a time, made again from the stored reports; with `--check` held against what was written then. */
export async function replayAction(options: Options): Promise<void> {
  const asked = askedBy(options)
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword)
    try {
      await show(database, asked, options)
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
  }
}

function askedBy(options: Options): Asked {
  const [from, to] = ['from', 'to'].map((name) => instantOption(options, name)) as [number, number]
  if (to <= from) throw new CommandFailure(exits.usage, `--to ${options['to']} is not after --from ${options['from']}.`)
  if (to - from > window_ms_max) throw new CommandFailure(exits.usage, 'A replay shows 7 days at most: ask for them one after the other.')
  const { province } = options
  if (province !== undefined && !/^\d{2}$/.test(province)) throw new CommandFailure(exits.usage, `--province takes the two digits of a province's code, not ${province}.`)
  return { from, to, province }
}

/** @throws CommandFailure for anything but a date and a time of day with their offset: elections have three zones */
function instantOption(options: Options, name: string): number {
  const given = options[name] ?? ''
  const at = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(given) && calendarDate(given.slice(0, 10)) !== null ? Date.parse(given) : NaN
  if (Number.isNaN(at)) throw new CommandFailure(exits.usage, `--${name} takes an instant with its offset, as 2029-02-14T14:00+07:00, not ${given === '' ? 'nothing' : given}.`)
  return at
}

async function show(database: Database, { from, to, province }: Asked, options: Options): Promise<void> {
  const [asJson, checks] = [options['json'] !== undefined, options['check'] !== undefined]
  const [stations, organisations, names] = await Promise.all([loadMonitorStations(database, province), loadOrganisations(database), loadNames(database, province)])
  if (stations.length === 0) throw new CommandFailure(exits.rejected, province === undefined ? 'There is no register here: import one first.' : `The register has no station in province ${province}.`)
  const told = (remark: string): void => void process.stderr.write(`${remark}\n`)
  const turns: ReplayedTurn[] = []
  try {
    for await (const turn of replay(database, { stations, organisations, areaName: (code) => names.get(code) ?? code, from, to, told })) {
      turns.push(turn)
      if (!asJson) process.stdout.write(`${line(turn)}\n`)
    }
  } catch (error) {
    if (error instanceof RecordIncomplete) throw new CommandFailure(exits.rejected, error.message)
    throw error
  }
  const recorded = checks ? await readRecordedTurns(database, from, to) : null
  const difference = recorded === null ? null : firstDifference(turns, recorded)
  if (difference !== null) process.exitCode = exits.found
  if (asJson) {
    const check = recorded === null ? null : { recorded: recorded.length, same: difference === null, first: difference }
    return void process.stdout.write(`${JSON.stringify({ from: iso(from), to: iso(to), province: province ?? null, turns: turns.map(({ at, ...turn }) => ({ at: iso(at), ...turn })), check })}\n`)
  }
  if (turns.length === 0) told('Nothing happened in this time, or no server ran.')
  if (recorded !== null) process.stdout.write(difference === null ? `The same as was written at the time: ${recorded.length} turns.\n` : `${wordsOf(difference)}\n`)
}

const iso = (at: number): string => new Date(at).toISOString()

function line({ at, id, turn, state }: ReplayedTurn): string {
  const { cause, operator, stations, areaCode, areaName, confidence, other } = state as { cause: string; operator: string | null; stations: number; areaCode: string; areaName: string; confidence: number; other: string | null }
  const place = areaCode === '' ? 'several provinces' : `${areaCode} ${areaName}`
  return `${iso(at)}  ${turn.padEnd(10)}  ${id}  ${cause}${operator === null ? '' : ` of ${operator}`} (${Math.round(confidence * 100)} %), ${stations} stations in ${place}${other === null ? '' : `, ${other}`}`
}

/** The first turn that is not as it was written. */
function wordsOf({ replayed, recorded, fields }: ReplayDifference): string {
  if (replayed === null) return `The first difference: the record has a turn that the replay has not.\nrecord  ${recorded === null ? '' : line(recorded)}`
  if (recorded === null) return `The first difference: the replay has a turn that the record has not.\nreplay  ${line(replayed)}`
  const values = ({ turn, state }: ReplayedTurn): string => JSON.stringify(Object.fromEntries(fields.map((name) => [name, name === 'turn' ? turn : state[name]])))
  return `The first difference, in ${fields.join(', ')}:\nrecord  ${line(recorded)}\n        ${values(recorded)}\nreplay  ${line(replayed)}\n        ${values(replayed)}`
}
