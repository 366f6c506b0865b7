import { drawFrom, isSameScope, rosterHash } from '@kawal/core/recap/draw.ts'
import { sameBytes } from '@kawal/core/ledger/bytes.ts'
import { keyId, type Envelope } from '@kawal/core/recap/cose.ts'
import type { AuditorEntry, DrawEntry } from '@kawal/core/recap/entry.ts'
import { lastOfEach, readSignedFinding, weighFinding, type Finding, type FindingProblem, type FindingResult } from '@kawal/core/recap/finding.ts'
import { formOf } from '@kawal/core/recap/form.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { algorithmOf, createSignatures } from '../recap/keys.ts'

/** What a log says of audits by sample, each with its place. */
export interface Sampled {
  readonly draws: readonly { readonly index: number; readonly id: string; readonly draw: DrawEntry }[]
  readonly findings: readonly { readonly index: number; readonly envelope: Uint8Array }[]
  readonly auditors: readonly { readonly index: number; readonly auditor: AuditorEntry }[]
}
export interface SlotRecord { readonly index: number; readonly hash: string; readonly recap: Recap }

/** `size_beyond`: it names more entries than there were; `root_other`: others than the log has; `roster_other`: the roster that is given is not the one that it names. */
export type DrawProblem = 'size_beyond' | 'root_other' | 'roster_other'
export type CheckProblem =
  | 'finding_unreadable' | 'key_unknown' | 'key_withdrawn' | 'signature_wrong' | 'draw_unknown' | 'station_not_drawn' | 'contest_other'
  /** No record of the slot that was there before the draw. */
  | 'record_other'
  /** It says that there is none, and there is. */
  | 'record_there'
  | FindingProblem

export interface CheckedDraw {
  readonly index: number
  readonly id: string
  readonly draw: DrawEntry
  readonly problems: readonly DrawProblem[]
  /** What the seed draws from the roster; null where that roster was not given. */
  readonly stations: readonly string[] | null
  /** Entries of earlier draws that share an area and a contest. */
  readonly after: readonly number[]
}

/** Repeats every drawing. @param rosters codes of all stations, ascending; any that draws may name @param rootAt of so many entries of the log */
export function checkDraws({ draws }: Pick<Sampled, 'draws'>, rosters: readonly (readonly string[])[], rootAt: (size: number) => Uint8Array | null): CheckedDraw[] {
  const hashes = rosters.map((roster) => ({ roster, hash: rosterHash(roster, sha256) }))
  return draws.map(({ index, id, draw }) => {
    const roster = hashes.find(({ hash }) => sameBytes(hash, draw.roster))?.roster ?? null
    const root = draw.size > index ? null : rootAt(draw.size)
    const problems: DrawProblem[] = [...(draw.size > index ? ['size_beyond' as const] : root === null || !sameBytes(root, draw.root) ? ['root_other' as const] : []), ...(roster === null ? ['roster_other' as const] : [])]
    return {
      index, id, draw, problems, stations: roster === null ? null : drawFrom(draw.seed, roster, draw.strata, sha256).map(({ station }) => station),
      after: draws.filter((other) => other.index < index && isSameScope(other.draw, draw)).map((other) => other.index),
    }
  })
}

export interface CheckedFinding { readonly index: number; readonly kid: string; readonly finding: Finding | null; readonly problem: CheckProblem | null }

/** Holds each finding against its key, its draw and its record. @param recordsOf records of a slot, as the log has them */
export async function checkFindings({ findings, auditors }: Pick<Sampled, 'findings' | 'auditors'>, draws: readonly CheckedDraw[], recordsOf: (station: string, contest: string) => readonly SlotRecord[]): Promise<CheckedFinding[]> {
  const keys = await Promise.all(auditors.map(async ({ index, auditor }) => ({ index, auditor, kid: hex(await keyId(algorithmOf(auditor.publicKey), auditor.publicKey, sha256)) })))
  const signatures = createSignatures()
  const checked: CheckedFinding[] = []
  for (const { index, envelope: bytes } of findings) {
    const read = readSignedFinding(bytes)
    if (!read.ok) {
      checked.push({ index, kid: '', finding: null, problem: 'finding_unreadable' })
      continue
    }
    const { envelope, finding } = read.value
    const kid = hex(envelope.kid)
    const said = keys.filter((key) => key.kid === kid && key.index < index)
    const signer = await signerOf(envelope, hex(sha256(bytes)), said.map(({ auditor }) => auditor), signatures)
    const problem = said.length === 0 ? 'key_unknown' : signer === null ? 'signature_wrong' : !signer.isEnrolled ? 'key_withdrawn' : problemOf(finding, draws.filter((draw) => draw.index < index), recordsOf)
    checked.push({ index, kid, finding, problem })
  }
  return checked
}

/** The last that was said of the key that signed. */
async function signerOf(envelope: Envelope, hash: string, said: readonly AuditorEntry[], signatures: ReturnType<typeof createSignatures>): Promise<AuditorEntry | null> {
  for (const auditor of [...said].reverse()) if (await signatures.isSignedBy(envelope, hash, auditor.publicKey)) return auditor
  return null
}

function problemOf(finding: Finding, draws: readonly CheckedDraw[], recordsOf: (station: string, contest: string) => readonly SlotRecord[]): CheckProblem | null {
  const drawn = draws.find(({ id }) => id === hex(finding.draw))
  if (drawn === undefined) return 'draw_unknown'
  // Whose roster was not given cannot be repeated, which is said of the draw.
  if (drawn.stations !== null && !drawn.stations.includes(finding.station)) return 'station_not_drawn'
  if (!drawn.draw.contests.includes(finding.contest)) return 'contest_other'
  const records = recordsOf(finding.station, finding.contest).filter(({ index }) => index < drawn.draw.size)
  if (finding.record === null) return records.length === 0 ? null : 'record_there'
  const record = records.find(({ hash }) => hash === hex(finding.record as Uint8Array))
  if (record === undefined) return drawn.stations === null ? null : 'record_other'
  const form = formOf(record.recap.contest, record.recap.ballot, record.recap.form)
  return form.ok ? weighFinding(finding, form.value, record.recap.totals) : null
}

/** What came of a draw: slots by result, and those that nobody compared. Findings with a problem do not count. */
export function outcomeOf({ id, draw, stations }: CheckedDraw, findings: readonly CheckedFinding[]): { readonly results: Readonly<Partial<Record<FindingResult, number>>>; readonly open: readonly string[] } {
  const sound = findings.flatMap(({ kid, finding, problem }) => (finding !== null && problem === null && hex(finding.draw) === id ? [{ kid, finding }] : []))
  const results: Partial<Record<FindingResult, number>> = {}
  const open: string[] = []
  for (const station of stations ?? []) for (const contest of draw.contests) {
    const { result } = lastOfEach(sound.filter(({ finding }) => finding.station === station && finding.contest === contest).map(({ kid, finding }) => ({ kid, result: finding.result })))
    if (result === null) open.push(`${station} ${contest}`)
    else results[result] = (results[result] ?? 0) + 1
  }
  return { results, open }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
