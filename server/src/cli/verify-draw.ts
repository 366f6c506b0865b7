import { existsSync, readFileSync } from 'node:fs'
import { rfc3339 } from '@kawal/core/kernel/clock.ts'
import { emptyFrontier, rootOf } from '@kawal/core/ledger/merkle.ts'
import { readSignedRecap } from '@kawal/core/recap/envelope.ts'
import { entryKinds, readEntry } from '@kawal/core/recap/entry.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { checkDraws, checkFindings, outcomeOf, type CheckedDraw, type CheckedFinding, type CheckProblem, type DrawProblem, type Sampled, type SlotRecord } from '../sample/check.ts'
import { CommandFailure, exits } from './exits.ts'
import type { Options } from './options.ts'
import { readLog } from './read-log.ts'

const open_shown_max = 20

/**
 * `kawal verify draw WHERE --roster FILE`: repeats every drawing of a log from its seed, and holds every finding against its auditor's key, its draw and its
 * record. Nothing is asked but the log's bytes, from an address or a folder, and the codes of the stations.
 */
export async function verifyDraw(where: string, options: Options): Promise<void> {
  const { roster, json } = options
  if (roster === undefined) throw new CommandFailure(exits.usage, 'Name the roster with --roster: a file with one code of a station a line, as GET /v1/audits/roster gives it; several with commas.')
  const rosters = roster.split(',').map(readRoster)
  const given = options['key']
  const sampled = await collect(where, given)
  const { roots, records } = await lookBack(where, given, sampled)
  const draws = checkDraws(sampled, rosters, (size) => roots.get(size) ?? null)
  const findings = await checkFindings(sampled, draws, (station, contest) => records.get(`${station} ${contest}`) ?? [])
  if (draws.some(({ problems }) => problems.length > 0) || findings.some(({ problem }) => problem !== null)) process.exitCode = exits.found
  process.stdout.write(json === undefined ? [`${sampled.origin}: ${sampled.size} entries, ${draws.length} draws, ${findings.length} findings.\n`, ...draws.map((draw) => sayDraw(draw, findings)), ...findings.flatMap(sayFinding),
    ...(given === undefined ? ['The key came from the log itself. Hold it against the one that you were given, or name that one with --key.\n'] : [])].join('') : `${JSON.stringify(asJson(sampled.origin, sampled.size, draws, findings, given !== undefined))}\n`)
}

/** The first 13 digits of each line; a heading has none. */
function readRoster(path: string): string[] {
  if (!existsSync(path)) throw new CommandFailure(exits.rejected, `${path} is not there.`)
  const codes = new Set(readFileSync(path, 'utf8').split('\n').flatMap((line) => /(?<![0-9])[0-9]{13}(?![0-9])/.exec(line)?.[0] ?? []))
  if (codes.size === 0) throw new CommandFailure(exits.rejected, `${path} holds no code of a station (13 digits).`)
  return [...codes].sort()
}

/** Holds every entry against the checkpoint, and keeps what is of samples. */
async function collect(where: string, key: string | undefined): Promise<Sampled & Awaited<ReturnType<typeof readLog>>> {
  const found = { draws: [] as Sampled['draws'][number][], findings: [] as Sampled['findings'][number][], auditors: [] as Sampled['auditors'][number][] }
  const read = await readLog(where, key, (index, bytes) => {
    // An entry is a list of which the first place is a small number: what is of no sample is not read.
    if (bytes[1] !== entryKinds.draw && bytes[1] !== entryKinds.finding && bytes[1] !== entryKinds.auditor) return
    const entry = readEntry(bytes)
    if (!entry.ok) return
    if (entry.value.kind === 'draw') found.draws.push({ index, id: Buffer.from(sha256(bytes)).toString('hex'), draw: entry.value })
    if (entry.value.kind === 'finding') found.findings.push({ index, envelope: entry.value.envelope })
    if (entry.value.kind === 'auditor') found.auditors.push({ index, auditor: entry.value })
  })
  return { ...found, ...read }
}

/** A second look, at what draws are over: its roots, and the records of slots that are drawn. */
async function lookBack(where: string, key: string | undefined, { draws, findings }: Sampled): Promise<{ readonly roots: Map<number, Uint8Array>; readonly records: Map<string, SlotRecord[]> }> {
  const wanted = new Set(draws.map(({ draw }) => draw.size))
  const roots = new Map<number, Uint8Array>()
  const records = new Map<string, SlotRecord[]>()
  if (wanted.size === 0) return { roots, records }
  const end = Math.max(...wanted)
  if (wanted.has(0)) roots.set(0, rootOf(emptyFrontier, sha256))
  await readLog(where, key, (index, bytes, rootNow) => {
    if (wanted.has(index + 1)) roots.set(index + 1, rootNow())
    if (index >= end || bytes[1] !== entryKinds.recap || findings.length === 0) return
    const entry = readEntry(bytes)
    const record = entry.ok && entry.value.kind === 'recap' ? readSignedRecap(entry.value.envelope) : null
    if (!entry.ok || entry.value.kind !== 'recap' || record?.ok !== true) return
    const slot = `${record.value.recap.station} ${record.value.recap.contest}`
    records.set(slot, [...(records.get(slot) ?? []), { index, hash: Buffer.from(sha256(entry.value.envelope)).toString('hex'), recap: record.value.recap }])
  })
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
