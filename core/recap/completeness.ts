import type { Instant } from '../kernel/clock.ts'
import { hexOf } from './bytes.ts'
import { contests, type Contest } from './form.ts'
import { codeOf, createGathered, formReasons, instantOf, is, is_seen, stationAt, type Gathered, type GatheredNeeds } from './gathered.ts'
import { quarantineMends, type QuarantineReason } from './judge.ts'

/**
 * What lacks between what was due and what the receiver has, from what an auditor holds himself (docs/operating/completeness.md): each gap is one line, at the
 * place where a record's way ends, with what is known of it and who can mend it.
 */
export interface Gap {
  readonly kind: GapKind
  readonly mend: Mend
  /** Null: nobody knows. */
  readonly station: string | null
  readonly contest: Contest | null
  /** Of the record, hex; null where only its number is known, or none is. */
  readonly hash: string | null
  /** `kid` of the key, hex. */
  readonly device: string | null
  /** The device's own count; of several missing ones the first. */
  readonly sequence: number | null
  /** The last of several missing ones. */
  readonly until: number | null
  /** The box or file that has it, the reason why it does not count, what the receiver says of it, or another record's hash. */
  readonly detail: string | null
  /** By the phone's own clock. */
  readonly madeAt: Instant | null
  /** Its place in the platform's log. */
  readonly entry: number | null
}

/** The worst first: of one record only the first that holds is told. */
export const gapKinds = [
  /** The receiver has a record that is in no log: it came by another way. */
  'unlogged',
  /** The receiver holds other bytes under a record's name. */
  'altered',
  /** The receiver answered for it, the log has the answer, and the receiver does not have it. */
  'lost',
  /** The log has the receiver's answer for a record that it does not hold. */
  'answer_alone',
  /** The receiver has it, though by the log's own enrolments and the list of stations it cannot count. */
  'uncountable',
  /** A box took it in custody, and it is not in the log. */
  'custody',
  /** Somebody shows it, and it is not in the log. */
  'shown',
  /** Other records of its device prove that it was made, and nobody has it. */
  'missing',
  /** One device made two records with one number: a phone that was copied, or restored from a copy. */
  'branch',
  /** It names as the one before it what is not its device's record before it. */
  'chain',
  /** In the log, and it does not count. */
  'quarantine',
  /** It counts, and the receiver does not have it, nor ever said so. */
  'undelivered',
  /** The receiver has it, and the log does not have its answer. */
  'unanswered',
  /** Its photos, or the list of them, are not held. */
  'photos',
  /** A contest at a station of which nobody has any record. */
  'empty',
] as const
export type GapKind = (typeof gapKinds)[number]

/** Who can mend it. `inquiry`: nobody by himself, people have to ask what happened. */
const mends = ['inquiry', 'receiver', 'platform', 'box', 'carrier', 'officer', 'update', 'register', 'enrol', 'other_phone', 'configure', 'paper'] as const
export type Mend = (typeof mends)[number]

const mendOf: Readonly<Record<Exclude<GapKind, 'quarantine'>, Mend>> = {
  unlogged: 'inquiry', altered: 'receiver', lost: 'receiver', answer_alone: 'platform', uncountable: 'inquiry', custody: 'box', shown: 'carrier', missing: 'officer', branch: 'paper', chain: 'inquiry',
  undelivered: 'receiver', unanswered: 'platform', photos: 'officer', empty: 'officer',
}

export interface Completeness extends Omit<ReturnType<typeof createGathered>, 'gathered'> {
  readonly counts: Gathered['counts']
  /** Contests times stations. */
  readonly due: number
  /** All that lacks, in the order of the kinds but for what is told of devices; to be asked when all was taken in. */
  gaps(): Generator<Gap>
}

/** Takes in the receiver's list first, then photos, the platform's log in its order, boxes, and what else is shown. */
export function createCompleteness(needs: GatheredNeeds): Completeness {
  const { gathered, ...take } = createGathered(needs)
  return {
    ...take, counts: gathered.counts, due: gathered.stations.length * gathered.due.filter(Boolean).length,
    *gaps() {
      // hashes that are told to be missing
      const told = new Set<number>()
      yield* ofRecords(gathered)
      yield* ofDevices(gathered, told)
      yield* ofCorrections(gathered, told)
      yield* ofSlots(gathered)
    },
  }
}

/** What a line says of a record that only Bawaslu's copy is. */
const supervisors = 'supervisor'
const none = { station: null, contest: null, hash: null, device: null, sequence: null, until: null, detail: null, madeAt: null, entry: null }

/** What is known of a record, as a line. */
function lineOf({ hashes, kids, of }: Gathered, row: number, kind: GapKind, detail: string | null, mend: Mend = kind === 'quarantine' ? 'update' : mendOf[kind]): Gap {
  const [device, flags] = [of.device[row] ?? 0, of.flags[row] ?? 0]
  return {
    ...none, kind, mend, detail, hash: hexOf(hashes.bytesOf(row)), station: (of.station[row] ?? 0) === 0 ? null : codeOf(of.station[row] ?? 0),
    contest: contests[(of.contest[row] ?? 0) - 1] ?? null, device: device === 0 ? null : hexOf(kids.bytesOf(device - 1)), sequence: (of.sequence[row] ?? 0) === 0 ? null : of.sequence[row] ?? null,
    madeAt: instantOf(of.madeAt[row] ?? 0), entry: (flags & is.logged) === 0 ? null : of.entry[row] ?? null,
  }
}

/** Each hash by itself: where its way ends. Of what was corrected nobody waits for the photos. */
function* ofRecords(gathered: Gathered): Generator<Gap> {
  const { hashes, replaces } = gathered
  const replaced = new Set(replaces.values())
  for (let row = 0; row < hashes.count(); row++) {
    const gap = recordGap(gathered, row)
    if (gap !== null && !(gap.kind === 'photos' && replaced.has(row))) yield gap
  }
}

function recordGap(gathered: Gathered, row: number): Gap | null {
  const { of, names, statuses, counts } = gathered
  const flags = of.flags[row] ?? 0
  const has = (bits: number): boolean => (flags & bits) !== 0
  const line = (kind: GapKind, detail: string | null = null, mend?: Mend): Gap => lineOf(gathered, row, kind, detail, mend)
  const isSupervisors = isOfSupervisor(gathered, row)
  if (!has(is.logged)) {
    const where = names[(of.source[row] ?? 0) - 1] ?? null
    return has(is.received | is.altered | is.listed) ? line('unlogged', statuses.get(row) ?? where) : has(is.delivered) ? line('answer_alone', where) : has(is.boxed) ? line('custody', where) : has(is.shown) ? line('shown', where) : null
  }
  if (has(is.altered) && !has(is.received)) return line('altered')
  if (has(is.delivered) && counts.hasReceiver && !has(is.received)) return line('lost', statuses.get(row) ?? null)
  const reason = reasonOf(gathered, row, has(is.received | is.delivered))
  if (has(is.received) || (has(is.delivered) && !counts.hasReceiver)) {
    if (reason !== null || isSupervisors) return line('uncountable', reason ?? supervisors, reason === 'record_unreadable' ? 'update' : undefined)
    return has(is.delivered) ? photoGap(gathered, row) : line('unanswered')
  }
  if (reason === null && isSupervisors) return photoGap(gathered, row)
  return reason === null ? line('undelivered', statuses.get(row) ?? null) : line('quarantine', reason, quarantineMends[reason])
}

/**
 * Why a record does not count, by what the log itself says, in the order of core/recap/judge.ts. A record that the receiver has is held only against
 * what nobody can argue about: the key, as it was enrolled when the record came, and the stations.
 */
function reasonOf({ of, enrolled, stations }: Gathered, row: number, isTaken: boolean): QuarantineReason | null {
  const form = formReasons[of.reason[row] ?? 0] ?? null
  if (form === 'record_unreadable' || form === 'station_unknown') return form
  const [device, station] = [of.device[row] ?? 0, of.station[row] ?? 0]
  if (device === 0 || stationAt(stations, station) === -1) return 'record_unreadable'
  const holders = enrolled.get(device - 1) ?? []
  if (holders.length === 0) return 'key_unknown'
  const here = holders.filter((holder) => holder.station === station)
  if (here.length === 0) return 'key_elsewhere'
  const entry = of.entry[row] ?? 0
  if (here.every(({ revoked }) => revoked !== -1 && (!isTaken || revoked < entry))) return 'key_revoked'
  return isTaken ? null : form
}

/** Of a key that the log enrolled for Bawaslu's copy at the record's station: it is no record that is due, and none that the receiver gets. */
function isOfSupervisor({ of, enrolled }: Gathered, row: number): boolean {
  const here = (enrolled.get((of.device[row] ?? 0) - 1) ?? []).filter(({ station }) => station === (of.station[row] ?? 0))
  return here.length > 0 && here.every(({ side }) => side === 'supervisor')
}

function photoGap(gathered: Gathered, row: number): Gap | null {
  const { counts, photosOf, of, lacking } = gathered
  const list = photosOf.get(row)
  if (!counts.hasPhotos || list === undefined) return null
  if (((of.flags[list] ?? 0) & is.photosKnown) === 0) return lineOf(gathered, row, 'photos', 'list')
  return lacking.has(list) ? lineOf(gathered, row, 'photos', String(lacking.get(list))) : null
}

/** Records by device and number: numbers that nobody has, numbers that were given twice, and what does not follow. */
function* ofDevices(gathered: Gathered, told: Set<number>): Generator<Gap> {
  const { of, hashes } = gathered
  let count = 0
  const rows = new Int32Array(hashes.count())
  for (let row = 0; row < rows.length; row++) if ((of.sequence[row] ?? 0) > 0) rows[count++] = row
  const sorted = rows.subarray(0, count).sort((one, other) => (of.device[one] ?? 0) - (of.device[other] ?? 0) || (of.sequence[one] ?? 0) - (of.sequence[other] ?? 0) || one - other)
  for (let from = 0; from < count;) {
    let to = from + 1
    while (to < count && of.device[sorted[to] ?? 0] === of.device[sorted[from] ?? 0]) to++
    yield* ofDevice(gathered, sorted.subarray(from, to), told)
    from = to
  }
}

/** @param rows of one device, by number */
function* ofDevice(gathered: Gathered, rows: Int32Array, told: Set<number>): Generator<Gap> {
  const { of, hashes } = gathered
  const numberOf = (row: number): number => of.sequence[row] ?? 0
  let isBranched = false
  let known = 0
  for (let from = 0; from < rows.length;) {
    const number = numberOf(rows[from] ?? 0)
    let to = from + 1
    while (to < rows.length && numberOf(rows[to] ?? 0) === number) to++
    const same = rows.subarray(from, to)
    let gapFrom = known + 1
    for (const row of same) {
      const previous = (of.previous[row] ?? 0) - 1
      const line = (until: number, named: number | null): Gap => {
        const { station, device } = lineOf(gathered, row, 'missing', null)
        const hash = named === null ? null : hexOf(hashes.bytesOf(named))
        return { ...none, kind: 'missing', mend: 'officer', station, device, hash, sequence: Math.min(gapFrom, until), until, detail: hexOf(hashes.bytesOf(row)) }
      }
      const isThere = previous === -1 || ((of.flags[previous] ?? 0) & is_seen) !== 0
      if (!isThere && !told.has(previous)) {
        told.add(previous)
        yield line(number - 1, previous)
      } else if (isThere && previous !== -1 && numberOf(previous) !== 0 && (numberOf(previous) !== number - 1 || of.device[previous] !== of.device[row])) yield lineOf(gathered, row, 'chain', hexOf(hashes.bytesOf(previous)))
      else if (isThere && gapFrom < number - 1) yield line(number - 2, null)
      // what lacks before this number is told; another record of it may still name another before it
      gapFrom = number - 1
    }
    // behind a branch each copy counts on: it is told where they part
    if (same.length > 1 && !isBranched) {
      isBranched = true
      const [first = 0, other = 0] = same
      yield { ...lineOf(gathered, first, 'branch', hexOf(hashes.bytesOf(other))), madeAt: null }
    }
    known = number
    from = to
  }
}

/** What a correction corrects, where nobody has it and no device's numbers told of it. */
function* ofCorrections(gathered: Gathered, told: Set<number>): Generator<Gap> {
  const { of, hashes, replaces } = gathered
  for (const [row, replaced] of replaces) {
    if (((of.flags[replaced] ?? 0) & is_seen) !== 0 || told.has(replaced)) continue
    told.add(replaced)
    const { station, contest } = lineOf(gathered, row, 'missing', null)
    yield { ...none, kind: 'missing', mend: 'officer', station, contest, hash: hexOf(hashes.bytesOf(replaced)), detail: hexOf(hashes.bytesOf(row)) }
  }
}

/** Due, and none anywhere: by station, then contest. Where a supervisor's copy is all there is, that is said. */
function* ofSlots(gathered: Gathered): Generator<Gap> {
  const { stations, due, of, hashes } = gathered
  const slots = new Uint8Array(stations.length * contests.length)
  for (let row = 0; row < hashes.count(); row++) {
    const [at, contest] = [(of.contest[row] ?? 0) === 0 ? -1 : stationAt(stations, of.station[row] ?? 0), (of.contest[row] ?? 0) - 1]
    if (at !== -1) slots[at * contests.length + contest] = (slots[at * contests.length + contest] ?? 0) | (isOfSupervisor(gathered, row) ? 2 : 1)
  }
  for (let at = 0; at < stations.length; at++)
    for (const [nth, contest] of contests.entries()) {
      const held = slots[at * contests.length + nth] ?? 0
      if (due[nth] === true && (held & 1) === 0) yield { ...none, kind: 'empty', mend: 'officer', station: codeOf(stations[at] ?? 0), contest, detail: held === 0 ? null : supervisors }
    }
}
