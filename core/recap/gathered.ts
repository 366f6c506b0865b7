import type { Instant } from '../kernel/clock.ts'
import { createNumbers, grown, type Numbers } from '../kernel/numbers.ts'
import { sameBytes } from '../ledger/bytes.ts'
import type { Sha256Sync } from '../ledger/merkle.ts'
import { hash_bytes } from './bytes.ts'
import { keyIdNow } from './cose.ts'
import { entryKinds, readEntry } from './entry.ts'
import { readSignedRecap } from './envelope.ts'
import { contests, type Contest } from './form.ts'
import { glanceAt, glanceAtEntry, type Glance } from './glance.ts'
import { judgeRecap, type Contests, type QuarantineReason } from './judge.ts'
import { readPhotos, writePhotos } from './photo.ts'
import type { Recap } from './record.ts'
import type { Side } from './slot.ts'

/**
 * What an auditor holds of an election's records, taken in piece by piece and kept flat: each hash that anything names is a number, whatever is known of it stands
 * at that number. Some 75 bytes a record, so that a nation's fit a laptop. core/recap/completeness.ts says what lacks.
 */
export interface GatheredNeeds {
  readonly sha256: Sha256Sync
  /** Whether photos and their lists are shown too; nothing is said of photos without it. */
  readonly hasPhotos?: boolean
  /** 13 digits each: where records are due, in any order. */
  readonly stations: Iterable<string>
  /** Contests that are held, with what a record must stand against to count. */
  readonly contests: Contests
}

/** A line of what the receiver says it has (docs/operating/receiver.md). */
export interface Received {
  /** The name that the record was handed over by: SHA-256 of its envelope, 32 bytes. */
  readonly hash: Uint8Array
  /** SHA-256 of the bytes that it holds. */
  readonly sha256: Uint8Array
  /** `held`, or what it is to the receiver else, in its own words. */
  readonly status: string
  readonly station: string | null
  readonly contest: string | null
}

export const received_held = 'held'

/** Bits of what is known of a hash */
export const is = { logged: 1, boxed: 2, shown: 4, received: 8, altered: 16, listed: 32, delivered: 64, read: 128, photosKnown: 256 } as const
/** Somebody has it, or said something of it: such a hash has its own line where it lacks anywhere. */
export const is_seen = is.logged | is.boxed | is.shown | is.received | is.altered | is.listed | is.delivered

/** Reasons that the record itself gives, by their place; those of its key are known when all is taken in. */
export const formReasons: readonly (QuarantineReason | null)[] = [null, 'record_unreadable', 'station_unknown', 'contest_unknown', 'form_unknown', 'totals_impossible']

/** `entry` and `revoked`: places in the log; -1: it was not. */
interface Enrolled { readonly station: number; readonly side: Side; readonly entry: number; revoked: number }

export interface Gathered {
  readonly hashes: Numbers
  readonly kids: Numbers
  /** Codes as numbers, ascending. */
  readonly stations: Float64Array
  readonly due: readonly boolean[]
  readonly of: Columns
  /** By the number of the kid. */
  readonly enrolled: ReadonlyMap<number, readonly Enrolled[]>
  /** Corrections and what they correct. */
  readonly replaces: ReadonlyMap<number, number>
  /** The receiver's own words of what it does not have. */
  readonly statuses: ReadonlyMap<number, string>
  /** Which photos of which list are not held: how many. */
  readonly lacking: ReadonlyMap<number, number>
  readonly photosOf: ReadonlyMap<number, number>
  readonly names: readonly string[]
  /** What was taken in, for who reads the report. */
  readonly counts: { entries: number; records: number; enrolments: number; revocations: number; deliveries: number; boxed: number; received: number; shown: number; unreadable: number; hasReceiver: boolean; hasPhotos: boolean }
}

/** By the number of a hash. */
interface Columns {
  flags: Uint16Array
  /** Code of the station; 0: not known. */
  station: Float64Array
  /** Place of the contest, plus one. */
  contest: Uint8Array
  /** Number of its kid, plus one. */
  device: Int32Array
  sequence: Int32Array
  /** Number of the hash of the record before it, plus one. */
  previous: Int32Array
  /** Its place in the platform's log. */
  entry: Int32Array
  madeAt: Float64Array
  reason: Uint8Array
  /** Place of the name of the box or file, plus one. */
  source: Uint16Array
}

const first_rows = 1_024

export function createGathered({ sha256, stations: codes, contests: rules, hasPhotos = false }: GatheredNeeds) {
  const hashes = createNumbers(hash_bytes)
  const kids = createNumbers(8)
  const stations = Float64Array.from(new Set(codes), Number).sort()
  const { of, rowOf, mark } = createRows(hashes)
  const [replaces, statuses, photosOf] = [new Map<number, number>(), new Map<number, string>(), new Map<number, number>()]
  const names: string[] = []
  const counts: Gathered['counts'] = { entries: 0, records: 0, enrolments: 0, revocations: 0, deliveries: 0, boxed: 0, received: 0, shown: 0, unreadable: 0, hasReceiver: false, hasPhotos }
  const keys = createKeys(kids, sha256)
  const photos = createPhotos((list) => {
    const row = rowOf(sha256(list))
    mark(row, is.photosKnown)
    return row
  }, hasPhotos)

  /** The row of a record's bytes; what they say is read once, whoever shows them. */
  function take(envelope: Uint8Array, bit: number): number {
    const row = rowOf(sha256(envelope))
    const isRead = ((of.flags[row] ?? 0) & is.read) !== 0
    mark(row, bit | is.read)
    if (isRead) return row
    // What the receiver has is not judged by its form, and not read to the last bit: a nation's records would take minutes.
    const glance = ((of.flags[row] ?? 0) & is.received) === 0 ? null : glanceAt(envelope)
    if (glance !== null) note(row, glance)
    else judge(row, envelope)
    return row
  }
  function judge(row: number, envelope: Uint8Array): void {
    const read = readSignedRecap(envelope)
    if (!read.ok) {
      of.reason[row] = 1
      counts.unreadable++
      return
    }
    const { recap, envelope: { kid } } = read.value
    note(row, { ...recap, kid, station: Number(recap.station) })
    of.reason[row] = formReasons.indexOf(formReason(recap, stationAt(stations, Number(recap.station)) !== -1, rules))
  }
  function note(row: number, { kid, station, contest, sequence, madeAt, previous, replaces: replaced, photos: list }: Glance): void {
    of.device[row] = kids.numberOf(kid) + 1
    of.station[row] = station
    of.contest[row] = contests.indexOf(contest) + 1
    of.sequence[row] = sequence
    of.madeAt[row] = madeAt
    // another hash may make the columns grow: it is found before it is written
    const before = previous === null ? 0 : rowOf(previous) + 1
    of.previous[row] = before
    if (replaced !== null) replaces.set(row, rowOf(replaced))
    if (hasPhotos) photosOf.set(row, rowOf(list))
    of.reason[row] = stationAt(stations, station) === -1 ? formReasons.indexOf('station_unknown') : 0
  }
  function sourceOf(name: string): number {
    if (!names.includes(name)) names.push(name)
    return names.indexOf(name) + 1
  }

  return {
    gathered: {
      hashes, kids, stations, due: contests.map((contest) => rules[contest] !== undefined), of, enrolled: keys.enrolled, replaces, statuses, lacking: photos.lacking, photosOf, names, counts,
    } as Gathered,
    /** What the receiver says it has: before everything else, so that less has to be judged. */
    received({ hash, sha256: held, status, station, contest }: Received): void {
      counts.hasReceiver = true
      counts.received++
      const row = rowOf(hash)
      if (status === received_held) mark(row, sameBytes(hash, held) ? is.received : is.altered)
      else {
        mark(row, is.listed)
        statuses.set(row, status.slice(0, 100))
      }
      if (station === null || ((of.flags[row] ?? 0) & is.read) !== 0) return
      of.station[row] = Number(station)
      of.contest[row] = contests.indexOf(contest as Contest) + 1
    },
    /** An entry of the platform's log, in its order. */
    entry(index: number, bytes: Uint8Array): void {
      counts.entries++
      const { kind, parts: [first, second, third] } = glanceAtEntry(bytes) ?? { kind: 0, parts: [] }
      if (kind === entryKinds.recap && first instanceof Uint8Array) {
        counts.records++
        const row = take(first, is.logged)
        of.entry[row] = index
      } else if ((kind === entryKinds.enrolment || kind === entryKinds.supervision) && first instanceof Uint8Array && typeof second === 'number' && third instanceof Uint8Array) {
        counts.enrolments++
        keys.enrol(first, second, third, kind === entryKinds.supervision ? 'supervisor' : 'officer', index)
      } else if (kind === entryKinds.delivery && first instanceof Uint8Array) {
        counts.deliveries++
        mark(rowOf(first), is.delivered)
      } else if (keys.revoke(bytes, index)) counts.revocations++
    },
    /** An entry of the log of a box: what it took in custody. */
    custody(box: string, bytes: Uint8Array): void {
      const { kind, parts: [envelope] } = glanceAtEntry(bytes) ?? { kind: 0, parts: [] }
      if (kind !== entryKinds.recap || !(envelope instanceof Uint8Array)) return
      counts.boxed++
      const row = take(envelope, is.boxed)
      of.source[row] ||= sourceOf(box)
    },
    /** A record that somebody shows: a file, a code that was read from a phone. */
    shown(name: string, envelope: Uint8Array): void {
      counts.shown++
      const row = take(envelope, is.shown)
      of.source[row] ||= sourceOf(name)
    },
    /** A photo that is held: all of them before the first list. */
    photo: photos.hold,
    /** @returns false for bytes that are no list of photos */
    photoList: photos.list,
  }
}

/** Photos that are held, and lists of which some are not. @param known of a list: its row */
function createPhotos(known: (list: Uint8Array) => number, isAsked: boolean) {
  const held = createNumbers(hash_bytes)
  const lacking = new Map<number, number>()
  function list(bytes: Uint8Array): boolean {
    const read = readPhotos(bytes)
    if (!read.ok) return false
    const row = known(bytes)
    const lacks = read.value.filter(({ sha256 }) => held.find(sha256) === -1).length
    if (lacks > 0) lacking.set(row, lacks)
    return true
  }
  // nobody has to show the list of a record without photos
  if (isAsked) list(writePhotos([]))
  return { lacking, list, hold: (sha256: Uint8Array): void => void held.numberOf(sha256) }
}

/** The columns, and the row of a hash in them. */
function createRows(hashes: Numbers) {
  let rows = first_rows
  const of: Columns = {
    flags: new Uint16Array(rows), station: new Float64Array(rows), contest: new Uint8Array(rows), device: new Int32Array(rows), sequence: new Int32Array(rows),
    previous: new Int32Array(rows), entry: new Int32Array(rows), madeAt: new Float64Array(rows), reason: new Uint8Array(rows), source: new Uint16Array(rows),
  }
  return {
    of,
    rowOf(hash: Uint8Array): number {
      const row = hashes.numberOf(hash)
      if (row < rows) return row
      rows *= 2
      for (const name of Object.keys(of) as (keyof Columns)[]) of[name] = grown(of[name], rows) as never
      return row
    },
    mark: (row: number, bits: number): void => void (of.flags[row] = (of.flags[row] ?? 0) | bits),
  }
}

/** The place of a station among those that are due; -1: it is none of them. */
export function stationAt(stations: Float64Array, code: number): number {
  let [low, high] = [0, stations.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((stations[middle] ?? 0) < code) low = middle + 1
    else high = middle
  }
  return stations[low] === code ? low : -1
}

export const codeOf = (station: number): string => String(station).padStart(13, '0')
export const instantOf = (made: number): Instant | null => (made === 0 ? null : made)

/** As if its key were enrolled here: what is wrong with the record itself. */
function formReason(recap: Recap, isStationKnown: boolean, contests: Contests): QuarantineReason | null {
  const judged = judgeRecap(recap, { isStationKnown, holders: [{ device: 0, station: recap.station, role: 'officer', isRevoked: false }], contests })
  return judged.ok ? null : judged.reason
}

/** Keys that the log enrolled, and when it revoked them. */
function createKeys(kids: Numbers, sha256: Sha256Sync) {
  const enrolled = new Map<number, Enrolled[]>()
  const devices = createNumbers(16)
  const byDevice: Enrolled[] = []
  return {
    enrolled,
    enrol(device: Uint8Array, station: number, publicKey: Uint8Array, side: Side, entry: number): void {
      const kid = kids.numberOf(keyIdNow(publicKey, sha256))
      const made: Enrolled = { station, side, entry, revoked: -1 }
      byDevice[devices.numberOf(device)] = made
      const known = enrolled.get(kid)
      if (known === undefined) enrolled.set(kid, [made])
      else known.push(made)
    },
    /** @returns false for an entry that is no revocation */
    revoke(bytes: Uint8Array, entry: number): boolean {
      const read = readEntry(bytes)
      if (!read.ok || read.value.kind !== 'revocation') return false
      const known = byDevice[devices.find(read.value.device)]
      if (known !== undefined && known.revoked === -1) known.revoked = entry
      return true
    },
  }
}
