import type { Instant } from '../kernel/clock.ts'
import { fail, ok, type Result } from '../kernel/result.ts'
import { hash_bytes } from './bytes.ts'
import { isBytes, isUint, readCbor, writeCbor, type Cbor, type CborFault } from './cbor.ts'
import { seed_digits_max, seed_digits_min, strataFault, type Stratum } from './draw.ts'
import { contests, type Contest } from './form.ts'

/**
 * What the ledger holds (spec/recap.md, *Entries*): a list in deterministic CBOR whose first place says of what kind it is. Whoever
 * holds a record can write its entry, and so verify a receipt of it without asking.
 */
export type Entry =
  /** The signed bytes as they came. A correction is a record too. */
  | { readonly kind: 'recap'; readonly envelope: Uint8Array }
  /** A device's key counts at a station from here on. */
  | { readonly kind: 'enrolment'; readonly device: Uint8Array; readonly station: string; readonly publicKey: Uint8Array; readonly at: Instant }
  /** It counts no more. */
  | { readonly kind: 'revocation'; readonly device: Uint8Array; readonly at: Instant; readonly reason: string }
  /** What the receiver answered when a record was handed over: SHA-256 of the answer, which is kept beside. */
  | { readonly kind: 'delivery'; readonly recap: Uint8Array; readonly status: number; readonly answer: Uint8Array; readonly at: Instant }
  /** A supervisor's key counts at a station from here on: an auditor tells it from an officer's by the log alone. */
  | { readonly kind: 'supervision'; readonly device: Uint8Array; readonly station: string; readonly publicKey: Uint8Array; readonly at: Instant }
  | DrawEntry
  /** What an auditor signed (spec/sample.md), as it came. */
  | { readonly kind: 'finding'; readonly envelope: Uint8Array }
  | AuditorEntry

/** Stations were drawn by a seed that was thrown in public, over the beginning of this log: from then on nobody can draw unseen. */
export interface DrawEntry {
  readonly kind: 'draw'
  /** Digits alone. */
  readonly seed: string
  /** Where and when it was thrown, and before whom. It is not part of the drawing. */
  readonly occasion: string
  /** Hash of the roster that was drawn from (`rosterHash`). */
  readonly roster: Uint8Array
  /** The log as it was when the seed was thrown: what came later is not what was drawn over. */
  readonly size: number
  readonly root: Uint8Array
  readonly contests: readonly Contest[]
  readonly strata: readonly Stratum[]
  /** Whose audit it is, and who entered it. */
  readonly organisation: string
  readonly by: string
  readonly at: Instant
}

/** An auditor's key signs findings from here on; with `isEnrolled` false no more. */
export interface AuditorEntry { readonly kind: 'auditor'; readonly publicKey: Uint8Array; readonly isEnrolled: boolean; readonly organisation: string; readonly by: string; readonly at: Instant }

/** `kind_unknown`: of a later program; it stays an entry all the same. */
type EntryFault = CborFault | 'kind_unknown' | 'entry_form'

/** Added at the end, never moved. */
export const entryKinds = { recap: 1, enrolment: 2, revocation: 3, delivery: 4, supervision: 5, draw: 6, finding: 7, auditor: 8 } as const
export const entryKind = ({ kind }: Entry): number => entryKinds[kind]

const device_bytes = 16
const reason_chars_max = 200
export const occasion_chars_max = 500
const name_chars_max = 200
const status_max = 599
/** The year 9999, as reports have it. */
const instant_max = 253_402_300_799_999
const entry_bytes_max = 65_535

/** @throws {RangeError} for what no reader would take: a bug */
export function writeEntry(entry: Entry): Uint8Array<ArrayBuffer> {
  const bytes = writeCbor([entryKinds[entry.kind], ...partsOf(entry)])
  const read = readEntry(bytes)
  if (!read.ok) throw new RangeError(`this is no entry: ${read.error}`)
  return bytes
}

function partsOf(entry: Entry): Cbor[] {
  switch (entry.kind) {
    case 'recap': return [entry.envelope]
    case 'enrolment':
    case 'supervision': return [entry.device, Number(entry.station), entry.publicKey, entry.at]
    case 'revocation': return [entry.device, entry.at, entry.reason]
    case 'delivery': return [entry.recap, entry.status, entry.answer, entry.at]
    case 'draw': return [entry.seed, entry.occasion, entry.roster, entry.size, entry.root, entry.contests.map((contest) => contests.indexOf(contest)), entry.strata.map(({ area, draw }) => [area, draw]), entry.organisation, entry.by, entry.at]
    case 'finding': return [entry.envelope]
    case 'auditor': return [entry.publicKey, entry.isEnrolled, entry.organisation, entry.by, entry.at]
  }
}

export function readEntry(bytes: Uint8Array): Result<Entry, EntryFault> {
  const read = readCbor(bytes, entry_bytes_max)
  if (!read.ok) return read
  if (!Array.isArray(read.value)) return fail('entry_form')
  const [kind, ...parts] = read.value as readonly Cbor[]
  if (!isUint(kind, 1_000, 1)) return fail('entry_form')
  const reader = Object.values(entryKinds).includes(kind as never) ? readers[kind as (typeof entryKinds)[keyof typeof entryKinds]] : null
  if (reader === null) return fail('kind_unknown')
  const entry = reader(parts)
  return entry === null ? fail('entry_form') : ok(entry)
}

type Reader = (parts: readonly Cbor[]) => Entry | null
const readers: Readonly<Record<(typeof entryKinds)[keyof typeof entryKinds], Reader>> = {
  1: ([envelope, ...rest]) => (envelope instanceof Uint8Array && rest.length === 0 ? { kind: 'recap', envelope } : null),
  2: (parts) => readKey('enrolment', parts),
  3: ([device, at, reason, ...rest]) =>
    isBytes(device, device_bytes) && isUint(at, instant_max) && typeof reason === 'string' && reason.length <= reason_chars_max && rest.length === 0 ? { kind: 'revocation', device, at, reason } : null,
  4: ([recap, status, answer, at, ...rest]) =>
    isBytes(recap, hash_bytes) && isUint(status, status_max, 100) && isBytes(answer, hash_bytes) && isUint(at, instant_max) && rest.length === 0 ? { kind: 'delivery', recap, status, answer, at } : null,
  5: (parts) => readKey('supervision', parts),
  6: readDraw,
  7: ([envelope, ...rest]) => (envelope instanceof Uint8Array && rest.length === 0 ? { kind: 'finding', envelope } : null),
  8: ([publicKey, isEnrolled, organisation, by, at, ...rest]) =>
    (isBytes(publicKey, 32) || isBytes(publicKey, 65)) && typeof isEnrolled === 'boolean' && isText(organisation, name_chars_max, 1) && isText(by, name_chars_max) && isUint(at, instant_max) && rest.length === 0
      ? { kind: 'auditor', publicKey, isEnrolled, organisation, by, at } : null,
}

const isText = (value: Cbor | undefined, max: number, min = 0): value is string => typeof value === 'string' && value.length >= min && value.length <= max

function readDraw([seed, occasion, roster, size, root, contestPlaces, strataRows, organisation, by, at, ...rest]: readonly Cbor[]): DrawEntry | null {
  if (!isText(seed, seed_digits_max, seed_digits_min) || !/^[0-9]+$/.test(seed) || !isText(occasion, occasion_chars_max) || !isBytes(roster, hash_bytes) || !isUint(size, Number.MAX_SAFE_INTEGER) || !isBytes(root, hash_bytes)) return null
  if (!isText(organisation, name_chars_max, 1) || !isText(by, name_chars_max) || !isUint(at, instant_max) || rest.length > 0) return null
  const [drawn, strata] = [contestsOf(contestPlaces), strataOf(strataRows)]
  return drawn === null || strata === null ? null : { kind: 'draw', seed, occasion, roster, size, root, contests: drawn, strata, organisation, by, at }
}

/** Ascending, each once. */
function contestsOf(places: Cbor | undefined): Contest[] | null {
  if (!Array.isArray(places) || places.length === 0) return null
  const given = places as readonly number[]
  return given.every((place, at) => isUint(place, contests.length - 1, (given[at - 1] ?? -1) + 1)) ? given.map((place) => contests[place] as Contest) : null
}

function strataOf(rows: Cbor | undefined): Stratum[] | null {
  if (!Array.isArray(rows)) return null
  const strata = (rows as readonly Cbor[]).map((row): Stratum => {
    const [area, draw, ...rest] = Array.isArray(row) ? (row as readonly Cbor[]) : []
    return typeof area === 'string' && isUint(draw, Number.MAX_SAFE_INTEGER) && rest.length === 0 ? { area, draw } : { area: '', draw: 0 }
  })
  return strataFault(strata) === null ? strata : null
}

function readKey(kind: 'enrolment' | 'supervision', [device, station, publicKey, at, ...rest]: readonly Cbor[]): Entry | null {
  return isBytes(device, device_bytes) && isUint(station, 9_999_999_999_999) && (isBytes(publicKey, 32) || isBytes(publicKey, 65)) && isUint(at, instant_max) && rest.length === 0
    ? { kind, device, station: String(station).padStart(13, '0'), publicKey, at } : null
}
