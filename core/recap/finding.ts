import type { Instant } from '../kernel/clock.ts'
import { fail, ok, type Result } from '../kernel/result.ts'
import { hash_bytes } from './bytes.ts'
import { isBytes, isUint, readCbor, writeCbor, type Cbor, type CborFault } from './cbor.ts'
import { readEnvelope, signed_bytes_max, signEnvelope, type Envelope, type EnvelopeFault, type Signer } from './cose.ts'
import { contests, fields_max, type Contest, type Form } from './form.ts'
import { count_max, type Totals } from './totals.ts'

/**
 * What an auditor found when he held the photo of a drawn station against its record (spec/sample.md): what he read himself, number by
 * number, and what came of it. He signs it with a key of his own.
 */

/** Places are on the wire. */
export const results = ['agrees', 'differs', 'unreadable', 'photo_absent', 'no_record'] as const
export type FindingResult = (typeof results)[number]

/** A field of the form by its place, and what stands there on the photo; null: nothing is filled in. */
export type Reading = readonly [place: number, value: number | null]

export interface Finding {
  /** SHA-256 of the draw's entry: it names the seed, the roster and the log that was drawn over. */
  readonly draw: Uint8Array
  readonly station: string
  readonly contest: Contest
  /** The record that was compared, by its hash; null for `no_record` alone. */
  readonly record: Uint8Array | null
  readonly result: FindingResult
  /** What was read, ascending by place: of `agrees` and `differs` some, of the others none. */
  readonly readings: readonly Reading[]
  /** Everybody may read it. */
  readonly remark: string
  /** By the clock of the auditor's machine. */
  readonly at: Instant
}

type FindingFault = CborFault | 'version_unknown' | 'finding_form'
type SignedFindingFault = EnvelopeFault | FindingFault

/** The `typ` of its envelope (RFC 9596): a finding is no record of a recap, and no record a finding. */
export const finding_typ = 'application/vnd.kawal.finding+cose'
const version = 1
export const remark_chars_max = 200
const instant_max = 253_402_300_799_999

/** @throws {RangeError} for what no reader would take: a bug */
function writeFinding({ draw, station, contest, record, result, readings, remark, at }: Finding): Uint8Array<ArrayBuffer> {
  const bytes = writeCbor([version, draw, Number(station), contests.indexOf(contest), record, results.indexOf(result), readings.map(([place, value]) => [place, value]), remark, at])
  const read = readFinding(bytes)
  if (!read.ok) throw new RangeError(`this is no finding: ${read.error}`)
  return bytes
}

function readFinding(bytes: Uint8Array): Result<Finding, FindingFault> {
  const read = readCbor(bytes, signed_bytes_max)
  if (!read.ok) return read
  if (!Array.isArray(read.value)) return fail('finding_form')
  const [given, draw, station, contestAt, record, resultAt, readings, remark, at, ...rest] = read.value as readonly Cbor[]
  if (given !== version) return fail('version_unknown')
  const contest = isUint(contestAt, contests.length - 1) ? contests[contestAt] : undefined
  const result = isUint(resultAt, results.length - 1) ? results[resultAt] : undefined
  if (!isBytes(draw, hash_bytes) || !isUint(station, 9_999_999_999_999) || contest === undefined || result === undefined || !(record === null || isBytes(record, hash_bytes))) return fail('finding_form')
  if (!areReadings(readings) || typeof remark !== 'string' || remark.length > remark_chars_max || !isUint(at, instant_max) || rest.length > 0) return fail('finding_form')
  if ((record === null) !== (result === 'no_record') || (readings.length > 0) !== (result === 'agrees' || result === 'differs')) return fail('finding_form')
  return ok({ draw, station: String(station).padStart(13, '0'), contest, record, result, readings, remark, at })
}

function areReadings(value: Cbor | undefined): value is readonly [number, number | null][] {
  if (!Array.isArray(value) || value.length > fields_max) return false
  let last = -1
  for (const each of value as readonly Cbor[]) {
    if (!Array.isArray(each) || each.length !== 2) return false
    const [place, read] = each as readonly Cbor[]
    if (!isUint(place, fields_max - 1) || place <= last || !(read === null || isUint(read, count_max))) return false
    last = place
  }
  return true
}

export const signFinding = (finding: Finding, signer: Signer): Promise<Uint8Array<ArrayBuffer>> => signEnvelope(writeFinding(finding), signer, finding_typ)

/** Reads without verifying, as `readSignedRecap` does. */
export function readSignedFinding(bytes: Uint8Array): Result<{ readonly envelope: Envelope; readonly finding: Finding }, SignedFindingFault> {
  const envelope = readEnvelope(bytes, finding_typ)
  if (!envelope.ok) return envelope
  const finding = readFinding(envelope.value.payload)
  return finding.ok ? ok({ envelope: envelope.value, finding: finding.value }) : finding
}

/** What has to be read before anybody may say that a form agrees: the votes of each pair, candidate or party, and the sums below them. */
export const placesToRead = ({ fields }: Pick<Form, 'fields'>): number[] => fields.flatMap((field, at) => (/^(votes_p?[0-9]+|valid|invalid|votes)$/.test(field) ? [at] : []))

/** Places at which the photo and the record have something else. */
export const differencesOf = (totals: Totals, readings: readonly Reading[]): number[] => readings.flatMap(([place, value]) => (value === (totals[place] ?? null) ? [] : [place]))

/**
 * `readings_beyond`: a place that the form does not have; `readings_few`: it is said to agree and not all that must be was read; `result_other`: it is said to
 * agree where a number differs, or to differ where none does.
 */
export type FindingProblem = 'readings_beyond' | 'readings_few' | 'result_other'

/** Whether what was read is what the finding says of this record. @returns null where it is, and for findings that compare nothing */
export function weighFinding({ result, readings }: Pick<Finding, 'result' | 'readings'>, form: Pick<Form, 'fields'>, totals: Totals): FindingProblem | null {
  if (result !== 'agrees' && result !== 'differs') return null
  if (readings.some(([place]) => place >= form.fields.length)) return 'readings_beyond'
  const read = new Set(readings.map(([place]) => place))
  if (result === 'agrees' && placesToRead(form).some((place) => !read.has(place))) return 'readings_few'
  return (differencesOf(totals, readings).length > 0) === (result === 'differs') ? null : 'result_other'
}

/** The gravest first. */
const gravity: readonly FindingResult[] = ['differs', 'no_record', 'photo_absent', 'unreadable', 'agrees']

/** Of findings of one slot in the ledger's order: the last of each key, and the gravest of these; null where there is none. */
export function lastOfEach<T extends { readonly kid: string; readonly result: FindingResult }>(findings: readonly T[]): { readonly counting: readonly T[]; readonly result: FindingResult | null } {
  const counting = [...new Map(findings.map((each) => [each.kid, each])).values()]
  return { counting, result: gravity.find((result) => counting.some((each) => each.result === result)) ?? null }
}
