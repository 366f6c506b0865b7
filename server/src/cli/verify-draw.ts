import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readBundle } from '@kawal/core/ledger/bundle.ts'
import { sameBytes } from '@kawal/core/ledger/bytes.ts'
import { readCheckpoint, type Checkpoint } from '@kawal/core/ledger/checkpoint.ts'
import type { VerifierKey } from '@kawal/core/ledger/key.ts'
import { appendLeaf, emptyFrontier, leafHash, rootOf } from '@kawal/core/ledger/merkle.ts'
import { readNote } from '@kawal/core/ledger/note.ts'
import { verifyNote } from '@kawal/core/ledger/signature.ts'
import { tilePath, tile_width } from '@kawal/core/ledger/tiles.ts'
import { rfc3339 } from '@kawal/core/kernel/clock.ts'
import { readSignedRecap } from '@kawal/core/recap/envelope.ts'
import { readEntry } from '@kawal/core/recap/entry.ts'
import { sha256, verifyEd25519 } from '../ledger/cryptography.ts'
import { checkDraws, checkFindings, outcomeOf, type CheckedDraw, type CheckedFinding, type CheckProblem, type DrawProblem, type Sampled, type SlotRecord } from '../sample/check.ts'
import { CommandFailure, exits } from './exits.ts'
import type { Options } from './options.ts'

type Read = (path: string) => Promise<Uint8Array>
const open_shown_max = 20

/**
 * `kawal verify draw WHERE --roster FILE`: repeats every drawing of a log from its seed, and holds every finding against its auditor's key, its draw and its
 * record. Nothing is asked but the log's bytes, from an address or a folder, and the codes of the stations.
 */
export async function verifyDraw(where: string, options: Options, keyOf: (text: string) => VerifierKey): Promise<void> {
  const { roster, json } = options
  if (roster === undefined) throw new CommandFailure(exits.usage, 'Name the roster with --roster: a file with one code of a station a line, as GET /v1/audits/roster gives it; several with commas.')
  const rosters = roster.split(',').map(readRoster)
  const read = readerOf(where)
  const given = options['key']
  const key = keyOf(given ?? text(await read('key')).trim())
  const signed = await checkpointOf(text(await read('checkpoint')), key)
  const sampled = await collect(read, signed)
  const { roots, records } = await lookBack(read, sampled)
  const draws = checkDraws(sampled, rosters, (size) => roots.get(size) ?? null)
  const findings = await checkFindings(sampled, draws, (station, contest) => records.get(`${station} ${contest}`) ?? [])
  if (draws.some(({ problems }) => problems.length > 0) || findings.some(({ problem }) => problem !== null)) process.exitCode = exits.found
  process.stdout.write(json === undefined ? [`${key.name}: ${signed.size} entries, ${draws.length} draws, ${findings.length} findings.\n`, ...draws.map((draw) => sayDraw(draw, findings)), ...findings.flatMap(sayFinding),
    ...(given === undefined ? ['The key came from the log itself. Hold it against the one that you were given, or name that one with --key.\n'] : [])].join('') : `${JSON.stringify(asJson(key.name, signed.size, draws, findings, given !== undefined))}\n`)
}

const broken = (sentence: string): CommandFailure => new CommandFailure(exits.found, sentence)
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

/** The first 13 digits of each line; a heading has none. */
function readRoster(path: string): string[] {
  if (!existsSync(path)) throw new CommandFailure(exits.rejected, `${path} is not there.`)
  const codes = new Set(readFileSync(path, 'utf8').split('\n').flatMap((line) => /(?<![0-9])[0-9]{13}(?![0-9])/.exec(line)?.[0] ?? []))
  if (codes.size === 0) throw new CommandFailure(exits.rejected, `${path} holds no code of a station (13 digits).`)
  return [...codes].sort()
}

function readerOf(where: string): Read {
  if (!/^https?:\/\//.test(where)) return (path) => Promise.resolve(fileIn(where, path))
  const base = where.replace(/\/+$/, '')
  return async (path) => {
    const answer = await fetch(`${base}/${path}`).catch((error: unknown) => {
      throw new CommandFailure(exits.missing, `${base} does not answer: ${(error as Error).message}.`)
    })
    if (!answer.ok) throw new CommandFailure(exits.missing, `${base}/${path} answered ${answer.status}.`)
    return new Uint8Array(await answer.arrayBuffer())
  }
}

function fileIn(folder: string, path: string): Uint8Array {
  if (!existsSync(join(folder, path))) throw new CommandFailure(exits.missing, `${join(folder, path)} is not there.`)
  return readFileSync(join(folder, path))
}

async function checkpointOf(note: string, key: VerifierKey): Promise<Checkpoint> {
  const read = readNote(note)
  const checkpoint = read.ok ? readCheckpoint(read.value.text) : read
  if (!read.ok || !checkpoint.ok) throw broken(`The checkpoint cannot be read (${checkpoint.ok ? 'note' : checkpoint.error}).`)
  if (!(await verifyNote(read.value, [key], verifyEd25519)).ok || checkpoint.value.origin !== key.name) throw broken(`The checkpoint of ${checkpoint.value.origin} is not signed by ${key.name}.`)
  return checkpoint.value
}

/** Entries of the log in order; the last bundle may be asked for in the width of the checkpoint. */
async function* entriesOf(read: Read, upTo: number, size: number): AsyncGenerator<{ readonly index: number; readonly bytes: Uint8Array }> {
  for (let first = 0; first < upTo; first += tile_width) {
    const width = Math.min(tile_width, size - first)
    const path = tilePath({ level: 'entries', index: first / tile_width, width })
    const entries = readBundle(await read(path))
    if (!entries.ok || entries.value.length < width) throw broken(`${path} does not hold the ${width} entries from ${first} on.`)
    for (const [at, bytes] of entries.value.slice(0, Math.min(width, upTo - first)).entries()) yield { index: first + at, bytes }
  }
}

/** Holds every entry against the checkpoint, and keeps what is of samples. */
async function collect(read: Read, { size, root }: Checkpoint): Promise<Sampled & { readonly size: number }> {
  const found = { draws: [] as Sampled['draws'][number][], findings: [] as Sampled['findings'][number][], auditors: [] as Sampled['auditors'][number][], size }
  let frontier = emptyFrontier
  for await (const { index, bytes } of entriesOf(read, size, size)) {
    frontier = appendLeaf(frontier, leafHash(bytes, sha256), sha256)
    // An entry is a list of which the first place is a small number: what is of no sample is not read.
    if (bytes[1] !== 6 && bytes[1] !== 7 && bytes[1] !== 8) continue
    const entry = readEntry(bytes)
    if (!entry.ok) continue
    if (entry.value.kind === 'draw') found.draws.push({ index, id: Buffer.from(sha256(bytes)).toString('hex'), draw: entry.value })
    if (entry.value.kind === 'finding') found.findings.push({ index, envelope: entry.value.envelope })
    if (entry.value.kind === 'auditor') found.auditors.push({ index, auditor: entry.value })
  }
  if (!sameBytes(rootOf(frontier, sha256), root)) throw broken(`The ${size} entries are not those of the checkpoint: their root is another.`)
  return found
}

/** A second look, at what draws are over: its roots, and the records of slots that findings name. */
async function lookBack(read: Read, { draws, findings, size }: Sampled & { readonly size: number }): Promise<{ readonly roots: Map<number, Uint8Array>; readonly records: Map<string, SlotRecord[]> }> {
  const wanted = new Set(draws.map(({ draw }) => draw.size))
  const roots = new Map<number, Uint8Array>()
  const records = new Map<string, SlotRecord[]>()
  let frontier = emptyFrontier
  if (wanted.has(0)) roots.set(0, rootOf(frontier, sha256))
  for await (const { index, bytes } of entriesOf(read, Math.min(size, Math.max(0, ...wanted)), size)) {
    frontier = appendLeaf(frontier, leafHash(bytes, sha256), sha256)
    if (wanted.has(index + 1)) roots.set(index + 1, rootOf(frontier, sha256))
    if (bytes[1] !== 1 || findings.length === 0) continue
    const entry = readEntry(bytes)
    const record = entry.ok && entry.value.kind === 'recap' ? readSignedRecap(entry.value.envelope) : null
    if (!entry.ok || entry.value.kind !== 'recap' || record?.ok !== true) continue
    const slot = `${record.value.recap.station} ${record.value.recap.contest}`
    records.set(slot, [...(records.get(slot) ?? []), { index, hash: Buffer.from(sha256(entry.value.envelope)).toString('hex'), recap: record.value.recap }])
  }
  return { roots, records }
}

const drawProblems: Readonly<Record<DrawProblem, string>> = {
  size_beyond: 'it names more entries than the log had when it was drawn', root_other: 'it names a tree that this log never had', roster_other: 'it names a roster that was not given: the drawing cannot be repeated, and which stations it drew is not known',
}
const findingProblems: Readonly<Record<CheckProblem, string>> = {
  finding_unreadable: 'it cannot be read', key_unknown: 'no auditor had enrolled its key', key_withdrawn: 'its key had been withdrawn', signature_wrong: 'the key that it names did not sign it', draw_unknown: 'it names no draw that was there before',
  station_not_drawn: 'its station was not drawn', contest_other: 'the draw is not over its contest', record_other: 'the record that it names is none of this slot that was there before the draw', record_there: 'it says that there was no record, and there was one',
  readings_beyond: 'it read a number that the form does not have', readings_few: 'it says agrees, and not all was read that must be', result_other: 'its result is not what its numbers say',
}

function sayDraw(checked: CheckedDraw, findings: readonly CheckedFinding[]): string {
  const { index, draw, problems, stations, after } = checked
  const { results, open } = outcomeOf(checked, findings)
  const compared = Object.entries(results).map(([result, many]) => `${many} ${result}`).join(', ')
  return [
    `Draw at entry ${index}: ${draw.organisation}, ${draw.by}, ${rfc3339(draw.at)}; seed ${draw.seed}; over the first ${draw.size} entries. ${draw.occasion}`,
    stations === null ? null : `  drawn again the same: ${stations.length} stations, ${stations.length * draw.contests.length} slots; ${compared === '' ? 'nothing compared' : compared}; ${open.length} open`,
    ...open.slice(0, open_shown_max).map((slot) => `  open    ${slot}`), open.length > open_shown_max ? `  and ${open.length - open_shown_max} more; --json has all` : null,
    after.length === 0 ? null : `  told    drawn again: entr${after.length === 1 ? 'y' : 'ies'} ${after.join(', ')} drew over the same area and contest before`,
    ...problems.map((problem) => `  WRONG   ${drawProblems[problem]}`),
  ].filter((line) => line !== null).map((line) => `${line}\n`).join('')
}

const sayFinding = ({ index, finding, problem }: CheckedFinding): string[] => (problem === null ? [] : [`WRONG   finding at entry ${index}${finding === null ? '' : ` (${finding.station} ${finding.contest})`}: ${findingProblems[problem]}\n`])

function asJson(origin: string, size: number, draws: readonly CheckedDraw[], findings: readonly CheckedFinding[], keyGiven: boolean): object {
  return {
    origin, size, keyGiven,
    draws: draws.map((checked) => ({ entry: checked.index, id: checked.id, seed: checked.draw.seed, size: checked.draw.size, contests: checked.draw.contests, strata: checked.draw.strata, stations: checked.stations, ...outcomeOf(checked, findings), after: checked.after, problems: checked.problems })),
    findings: findings.map(({ index, kid, finding, problem }) => ({ entry: index, kid, station: finding?.station ?? null, contest: finding?.contest ?? null, result: finding?.result ?? null, problem })),
  }
}
