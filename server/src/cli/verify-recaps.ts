import { once } from 'node:events'
import { createReadStream, createWriteStream, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse } from 'csv-parse'
import { rfc3339 } from '@kawal/core/kernel/clock.ts'
import { plainCode } from '@kawal/core/register/codes.ts'
import { createCompleteness, gapKinds, type Completeness, type Gap, type GapKind, type Mend } from '@kawal/core/recap/completeness.ts'
import { contests, type Contest } from '@kawal/core/recap/form.ts'
import { contestDefaults, type Contests } from '@kawal/core/recap/judge.ts'
import { receiptCode } from '@kawal/core/recap/receipt-code.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { csvLines, type FlatRow } from '../readiness/ask.ts'
import { readReceiverList, ReceiverListWrong } from '../recap/receiver-list.ts'
import { CommandFailure, exits } from './exits.ts'
import type { Options } from './options.ts'
import { readLog } from './read-log.ts'

/** Told on the screen; all of them stand in the CSV. */
const shown_max = 50
const columns = ['kind', 'mend', 'station', 'contest', 'hash', 'code', 'device', 'sequence', 'until', 'detail', 'madeAt', 'entry', 'words']

/** What a line means, as whoever mends it reads it (docs/operating/completeness.md has more of each). */
const kindWords: Readonly<Record<GapKind, string>> = {
  unlogged: 'the receiver has it, and it is in no log: it came by another way',
  altered: 'the receiver holds other bytes under its name',
  lost: 'the receiver answered for it, and does not have it',
  answer_alone: 'the log has an answer for it, and not the record',
  uncountable: 'the receiver has it, though it cannot count',
  custody: 'a box has it, and the log does not',
  shown: 'somebody shows it, and the log does not have it',
  missing: 'it was made, and nobody has it',
  branch: 'two records of one phone with one number: a copied or restored phone',
  chain: 'it does not follow its phone’s record before it',
  quarantine: 'in the log, and does not count',
  undelivered: 'it counts, and the receiver does not have it',
  unanswered: 'the receiver has it, and the log has no answer for it',
  photos: 'its photos, or their list, are not held',
  empty: 'due, and nobody has any record',
}
const mendWords: Readonly<Record<Mend, string>> = {
  inquiry: 'ask: nobody can mend it without knowing what happened', receiver: 'KPU’s receiver', platform: 'the platform’s operators', box: 'whoever keeps the box: connect it to a network', carrier: 'whoever shows it: hand it in',
  officer: 'the station’s officer, on the phone that made it', update: 'a newer program on the server', register: 'a newer register', enrol: 'enrol the phone at the station', other_phone: 'another phone of the station, from the paper',
  configure: 'the contests of the server', paper: 'people, by the paper',
}

/** `kawal verify recaps`: what lacks between what was due and what the receiver has, from files and logs that an auditor holds himself. */
export async function verifyRecaps(options: Options): Promise<void> {
  const { log, roster } = options
  if (log === undefined || roster === undefined) throw new CommandFailure(exits.usage, 'kawal verify recaps --log WHERE --key KEY --roster STATIONS.csv [--receiver FILE] [--box "KEY WHERE"]... [--record FILE]... [--csv FILE]')
  const rules = contestsOf(options['contests'])
  const report = createCompleteness({ sha256, stations: await stationsOf(roster), contests: rules, hasPhotos: options['photos'] !== undefined })
  if (options['receiver'] !== undefined) await takeReceiver(report, options['receiver'])
  if (options['photos'] !== undefined) takePhotos(report, options['photos'])
  const logs = [await readLog(log, options['key'], report.entry)]
  for (const box of linesOf(options['box'])) {
    const [, key, where] = /^(?:(\S+) +)?(\S+)$/.exec(box.trim()) ?? []
    if (where === undefined) throw new CommandFailure(exits.usage, `--box takes "KEY WHERE", or WHERE alone, not ${box}.`)
    logs.push(await readLog(where, key, (_, entry) => report.custody(where, entry)))
  }
  for (const path of linesOf(options['record'])) report.shown(basename(path), bytesOf(path))
  const found = await tell(report, options)
  if (options['json'] === undefined) for (const { origin, isKeyOwn } of logs) if (isKeyOwn) process.stdout.write(`The key of ${origin} came from the log itself. Hold it against the one that you were given, or name that one.\n`)
  if (found > 0) throw new CommandFailure(exits.found, `${found} gaps.${options['csv'] === undefined ? ' --csv FILE writes all of them.' : ''}`)
}

const linesOf = (option: string | undefined): string[] => (option ?? '').split('\n').filter((line) => line !== '')

/** `ppwp,dpr:300`: contests that are held, each with its ceiling of voters a station where it differs. */
function contestsOf(option: string | undefined): Contests {
  if (option === undefined) return contestDefaults
  return Object.fromEntries(option.split(',').map((text) => {
    const [name = '', ceiling] = text.trim().split(':')
    if (!contests.includes(name as Contest) || (ceiling !== undefined && !/^[1-9]\d{0,5}$/.test(ceiling))) throw new CommandFailure(exits.usage, `--contests takes ${contests.join(', ')} with commas, each with :CEILING where it is not the default, not ${text}.`)
    return [name, ceiling === undefined ? contestDefaults[name as Contest] ?? { ceiling: 300 } : { ceiling: Number(ceiling) }]
  }))
}

/** Codes of stations, of the column `code` or `station`, or of the only one. */
async function stationsOf(path: string): Promise<string[]> {
  const codes: string[] = []
  let [at, nth] = [-1, 0]
  try {
    const rows = parse({ bom: true, relax_column_count: true, skip_empty_lines: true })
    createReadStream(path).on('error', (error) => rows.destroy(error)).pipe(rows)
    for await (const row of rows as AsyncIterable<readonly string[]>) {
      nth++
      if (at === -1) {
        at = Math.max(0, row.findIndex((cell) => ['code', 'station'].includes(cell.trim().toLowerCase())))
        if (plainCode(row[at] ?? '') === null) continue
      }
      const code = plainCode(row[at] ?? '')
      if (code?.length !== 13) throw new CommandFailure(exits.rejected, `${path}, row ${nth}: ${(row[at] ?? '').slice(0, 40)} is no code of a station, which has 13 digits.`)
      codes.push(code)
    }
  } catch (error) {
    throw error instanceof CommandFailure ? error : new CommandFailure(exits.rejected, `${path} cannot be read: ${(error as Error).message}`)
  }
  return codes
}

async function takeReceiver(report: Completeness, path: string): Promise<void> {
  try {
    for await (const line of readReceiverList(path)) report.received(line)
    report.counts.hasReceiver = true
  } catch (error) {
    throw new CommandFailure(exits.rejected, error instanceof ReceiverListWrong ? error.message : `${path} cannot be read: ${(error as Error).message}`)
  }
}

/** A folder with photos by their names (HASH-SIZE, as the platform keeps them), and lists of photos as they were handed in. */
function takePhotos(report: Completeness, folder: string): void {
  const names = readdirSync(folder)
  for (const name of names) if (/^[0-9a-f]{64}-\d+$/.test(name)) report.photo(Buffer.from(name.slice(0, 64), 'hex'))
  for (const name of names) if (name.endsWith('.cbor') && !report.photoList(bytesOf(join(folder, name)))) process.stderr.write(`${join(folder, name)} is no list of photos.\n`)
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new CommandFailure(exits.rejected, `${path} cannot be read: ${(error as Error).message}`)
  }
}

const rowOf = (gap: Gap): FlatRow => ({
  ...gap, code: gap.hash === null ? null : receiptCode(Buffer.from(gap.hash, 'hex')), madeAt: gap.madeAt === null ? null : rfc3339(gap.madeAt), words: `${kindWords[gap.kind]}; ${mendWords[gap.mend]}`,
})

/** Writes all of them where that is wanted, and says the first. @returns how many there are */
async function tell(report: Completeness, options: Options): Promise<number> {
  const counts = new Map<GapKind, number>()
  const empty = new Map<string, number>()
  const first: Gap[] = []
  const each = function* (): Generator<FlatRow> {
    for (const gap of report.gaps()) {
      counts.set(gap.kind, (counts.get(gap.kind) ?? 0) + 1)
      if (gap.kind === 'empty') empty.set(gap.station?.slice(0, 2) ?? '', (empty.get(gap.station?.slice(0, 2) ?? '') ?? 0) + 1)
      else if (first.length < shown_max) first.push(gap)
      yield rowOf(gap)
    }
  }
  if (options['csv'] === undefined) for (const _ of each());
  else await writeTo(options['csv'], csvLines(columns, each()))
  const found = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const summary = { due: report.due, ...report.counts, gaps: Object.fromEntries(gapKinds.map((kind) => [kind, counts.get(kind) ?? 0])), emptyByProvince: Object.fromEntries([...empty].sort()) }
  if (options['json'] === undefined) say(report, counts, empty, first)
  else process.stdout.write(`${JSON.stringify({ ...summary, lines: first })}\n`)
  return found
}

async function writeTo(path: string, lines: AsyncIterable<string>): Promise<void> {
  const file = createWriteStream(path)
  const ended = once(file, 'close')
  for await (const text of lines) if (!file.write(text)) await once(file, 'drain')
  file.end()
  await ended
}

function say(report: Completeness, counts: ReadonlyMap<GapKind, number>, empty: ReadonlyMap<string, number>, first: readonly Gap[]): void {
  const { entries, records, enrolments, revocations, deliveries, boxed, received, shown, hasReceiver } = report.counts
  const out = (text: string): void => void process.stdout.write(`${text}\n`)
  out(`Due: ${report.due} contests at stations. In the log: ${entries} entries, of them ${records} records, ${enrolments} enrolments, ${revocations} revocations, ${deliveries} answers of the receiver.`)
  out(`In boxes: ${boxed}. Shown: ${shown}. ${hasReceiver ? `The receiver's list: ${received}.` : 'No list of the receiver was given: its answers in the log are taken for what it has.'}`)
  for (const kind of gapKinds) if (counts.has(kind)) out(`  ${kind.padEnd(13)}${String(counts.get(kind)).padStart(9)}  ${kindWords[kind]}`)
  if (counts.size === 0) out('Nothing lacks.')
  for (const gap of first) out(lineOf(gap))
  const rest = [...counts].reduce((sum, [kind, count]) => sum + (kind === 'empty' ? 0 : count), 0) - first.length
  if (rest > 0) out(`and ${rest} more.`)
  if (empty.size > 0) out(`Empty by province: ${[...empty].sort().map(([province, count]) => `${province} ${count}`).join(', ')}.`)
}

function lineOf({ kind, mend, station, contest, hash, device, sequence, until, detail, madeAt }: Gap): string {
  const numbers = sequence === null ? '' : ` number ${sequence}${until === null || until === sequence ? '' : ` to ${until}`}`
  const parts = [
    [station, contest].filter((part) => part !== null).join(' '), device === null ? '' : `phone ${device}${numbers}`, hash === null ? '' : `record ${receiptCode(Buffer.from(hash, 'hex'))} ${hash.slice(0, 16)}`,
    detail ?? '', madeAt === null ? '' : `made ${rfc3339(madeAt)}`,
  ]
  return `${kind}: ${parts.filter((part) => part !== '').join(', ')}. Mended by: ${mendWords[mend]}.`
}
