import { fail, ok, type Result } from '../kernel/result.ts'
import type { Instant } from '../kernel/clock.ts'
import { parseStationCode } from '../register/codes.ts'
import { hash_bytes } from './bytes.ts'
import { isBytes, isUint, readCbor, writeCbor, type Cbor, type CborFault } from './cbor.ts'
import { ceiling_max, contests, fields_max, isBallot, isOfParties, type Ballot, type Contest } from './form.ts'
import { count_max, type Totals } from './totals.ts'

/**
 * What an officer's phone records of one form at one station, and signs: the payload of an envelope (spec/recap.md).
 * The paper stays what counts. A record is written once; its bytes are kept as they came.
 */
export interface Recap {
  /** 13 digits. */
  readonly station: string
  readonly contest: Contest
  /** Version of the contest's form: it says what the totals and the checks are. */
  readonly form: number
  readonly ballot: Ballot
  /** Voters of one station at most, as the checks were made with it. */
  readonly ceiling: number
  readonly totals: Totals
  /** Places of the form's checks that did not hold when it was signed, ascending: the officer was shown them. */
  readonly warned: readonly number[]
  /** The one hash over the list of photos. */
  readonly photos: Uint8Array
  /** By the phone's own clock. */
  readonly madeAt: Instant
  /** Server's clock less the phone's, when the two last met; null: never. */
  readonly clockOffset_ms: number | null
  /** The device's own count of records, from 1. */
  readonly sequence: number
  /** SHA-256 of the device's record before this one; null for the first. */
  readonly previous: Uint8Array | null
  /** SHA-256 of the record that this one corrects; null for none. */
  readonly replaces: Uint8Array | null
  /** SHA-256 of the program that made it. */
  readonly build: Uint8Array
  /** Where the phone was when it signed; null: not allowed, or not known. */
  readonly place: Place | null
  /** Fields that a later program wrote, by their keys: kept, not understood. */
  readonly later: ReadonlyMap<number, Cbor>
}

/** Degrees (WGS 84), in steps of 0.00001, about a metre; m. */
interface Place { readonly latitude: number; readonly longitude: number; readonly accuracy_m: number }

type RecapFault =
  | CborFault
  /** Not a map with integer keys. */
  | 'not_recap'
  | 'version_unknown'
  /** A key below zero that we do not know: whoever wrote it says that the rest means something else without it. */
  | 'critical_unknown'
  | 'contest_unknown'
  | 'field_missing'
  | 'field_invalid'

export interface RecapProblem {
  readonly code: RecapFault
  /** The field or key, where one is at fault. */
  readonly field: string | null
}

const record_version = 1
/** A ballot of 24 parties with 12 candidates each makes some 1,400. */
export const record_bytes_max = 4_096
const sequence_max = 2_147_483_647
/** The year 9999, as reports have it. */
const instant_max = 253_402_300_799_999
/** A century, ms: a phone that lost its clock is in 1970. */
const offset_max = 3_155_760_000_000
const accuracy_max = 1_000_000
const degree_steps = 100_000
const later_max = 16

/** Keys of a record's map. */
export const recapKeys = { version: 0, station: 1, contest: 2, form: 3, ballot: 4, ceiling: 5, totals: 6, warned: 7, photos: 8, madeAt: 9, clockOffset: 10, sequence: 11, previous: 12, replaces: 13, build: 14, place: 15 } as const
type Field = keyof typeof recapKeys
const known = new Set<number>(Object.values(recapKeys))

/** @throws {RangeError} for a record out of its bounds: a bug, since whoever fills in a form is held to them before */
export function writeRecap(recap: Recap): Uint8Array<ArrayBuffer> {
  const { place } = recap
  const fields: readonly (readonly [Field, Cbor | null])[] = [
    ['version', record_version], ['station', Number(recap.station)], ['contest', contests.indexOf(recap.contest)], ['form', recap.form], ['ballot', ballotRow(recap.ballot)],
    ['ceiling', recap.ceiling], ['totals', recap.totals], ['warned', recap.warned], ['photos', recap.photos], ['madeAt', recap.madeAt], ['clockOffset', recap.clockOffset_ms],
    ['sequence', recap.sequence], ['previous', recap.previous], ['replaces', recap.replaces], ['build', recap.build],
    ['place', place === null ? null : [steps(place.latitude), steps(place.longitude), place.accuracy_m]],
  ]
  if ([...recap.later.keys()].some((key) => known.has(key))) throw new RangeError('a later field has the key of one that is known')
  const bytes = writeCbor(new Map<number, Cbor>([...fields.flatMap(([field, value]): [number, Cbor][] => (value === null ? [] : [[recapKeys[field], value]])), ...recap.later]))
  const read = readRecap(bytes)
  if (!read.ok) throw new RangeError(`this is no record: ${read.error.code} ${read.error.field ?? ''}`)
  // fewer digits would come back as those of another station
  if (read.value.station !== recap.station) throw new RangeError(`this is no record: field_invalid station`)
  return bytes
}

const steps = (degrees: number): number => Math.round(degrees * degree_steps) + 0
const ballotRow = (ballot: Ballot): Cbor => (ballot.kind === 'candidates' ? ballot.candidates : ballot.parties.flatMap(({ number, candidates }) => [number, candidates]))

/**
 * Strict: what it takes, `writeRecap` writes again to the last bit. It does not know the form: a list of totals that is
 * too long for it is a warning (`checkTotals`), not a fault.
 */
export function readRecap(bytes: Uint8Array): Result<Recap, RecapProblem> {
  const read = readCbor(bytes, record_bytes_max)
  if (!read.ok) return fail({ code: read.error, field: null })
  if (!(read.value instanceof Map)) return fail({ code: 'not_recap', field: null })
  const map = read.value as ReadonlyMap<unknown, Cbor>
  const later = new Map<number, Cbor>()
  for (const [key, value] of map) {
    if (typeof key !== 'number') return fail({ code: 'not_recap', field: String(key).slice(0, 40) })
    if (key < 0) return fail({ code: 'critical_unknown', field: String(key) })
    if (!known.has(key)) later.set(key, value)
  }
  if (map.get(recapKeys.version) !== record_version) return fail({ code: 'version_unknown', field: 'version' })
  const place = map.get(recapKeys.contest)
  if (isUint(place, 1_000) && place >= contests.length) return fail({ code: 'contest_unknown', field: 'contest' })
  if (later.size > later_max) return fail({ code: 'field_invalid', field: 'later' })
  return readFields((field) => map.get(recapKeys[field]), later)
}

/** Reads field by field; the first that is missing or wrong is named. */
function readFields(at: (field: Field) => Cbor | undefined, later: ReadonlyMap<number, Cbor>): Result<Recap, RecapProblem> {
  let problem: RecapProblem | null = null
  const wrong = (field: Field, code: RecapFault): void => void (problem ??= { code, field })
  const take = <T extends Cbor, U extends T>(field: Field, isRight: (value: Cbor) => value is U, instead: U): U => {
    const value = at(field)
    if (value !== undefined && isRight(value)) return value
    wrong(field, value === undefined ? 'field_missing' : 'field_invalid')
    return instead
  }
  const number = (field: Field, max: number, min = 0): number => take(field, (value): value is number => isUint(value, max, min), 0)
  const bytes = (field: Field, length: number): Uint8Array => take(field, (value): value is Uint8Array => isBytes(value, length), new Uint8Array())
  const optional = <T>(field: Field, read: () => T): T | null => (at(field) === undefined ? null : read())

  const contest = contests[number('contest', contests.length - 1)] ?? 'ppwp'
  const ballot = readBallot(contest, at('ballot'))
  if (ballot === null) wrong('ballot', at('ballot') === undefined ? 'field_missing' : 'field_invalid')
  const place = optional('place', () => readPlace(at('place')) ?? wrong('place', 'field_invalid'))
  const station = String(number('station', 9_999_999_999_999)).padStart(13, '0')
  if (parseStationCode(station) === null) wrong('station', 'field_invalid')
  const recap: Recap = {
    station, contest, form: number('form', 255, 1), ballot: ballot ?? { kind: 'candidates', candidates: 1 }, ceiling: number('ceiling', ceiling_max, 1),
    totals: take('totals', isTotals, []), warned: take('warned', isPlaces, []), photos: bytes('photos', hash_bytes), madeAt: number('madeAt', instant_max),
    clockOffset_ms: optional('clockOffset', () => number('clockOffset', offset_max, -offset_max)), sequence: number('sequence', sequence_max, 1),
    previous: optional('previous', () => bytes('previous', hash_bytes)), replaces: optional('replaces', () => bytes('replaces', hash_bytes)),
    build: bytes('build', hash_bytes), place: place ?? null, later,
  }
  // the first record of a device has none before it, each later one has
  if ((recap.sequence === 1) !== (recap.previous === null)) wrong('previous', recap.previous === null ? 'field_missing' : 'field_invalid')
  return problem === null ? ok(recap) : fail(problem)
}

const isTotals = (value: Cbor): value is (number | null)[] => Array.isArray(value) && value.length <= fields_max && value.every((each) => each === null || isUint(each, count_max))
const isPlaces = (value: Cbor): value is number[] => Array.isArray(value) && value.length <= 2 * fields_max && value.every((each: Cbor, at) => isUint(each, 2 * fields_max, at === 0 ? 0 : Number(value[at - 1]) + 1))

/** @returns null for what is no ballot of this contest */
function readBallot(contest: Contest, value: Cbor | undefined): Ballot | null {
  const ballot: Ballot | null = isOfParties(contest) ? partiesOf(value) : typeof value === 'number' ? { kind: 'candidates', candidates: value } : null
  return ballot !== null && isBallot(ballot) ? ballot : null
}

function partiesOf(value: Cbor | undefined): Ballot | null {
  if (!Array.isArray(value) || value.length % 2 !== 0 || !value.every((each) => typeof each === 'number')) return null
  const numbers = value as readonly number[]
  return { kind: 'parties', parties: numbers.flatMap((number, at) => (at % 2 === 0 ? [{ number, candidates: numbers[at + 1] ?? 0 }] : [])) }
}

function readPlace(value: Cbor | undefined): Place | null {
  if (!Array.isArray(value) || value.length !== 3) return null
  const [latitude, longitude, accuracy_m] = value as readonly Cbor[]
  if (!isUint(latitude, 90 * degree_steps, -90 * degree_steps) || !isUint(longitude, 180 * degree_steps, -180 * degree_steps) || !isUint(accuracy_m, accuracy_max)) return null
  return { latitude: latitude / degree_steps, longitude: longitude / degree_steps, accuracy_m }
}
