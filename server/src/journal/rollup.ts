import { bad, charging, fieldOf, good, onBattery } from '@kawal/core/detection/evidence.ts'
import type { Columns } from './segment.ts'

/**
 * Counts of reports by station, operator and five minutes of their event times, while they pass. A cell is one of those,
 * in 40 bytes of one array, found by hashing: a report touches one line of memory. Cells are drained when the five
 * minutes are over, or when there are too many; what comes afterwards makes a new cell, and readers add up.
 */
export const window_ms = 300_000
const cell_words = 10
/** Words of a cell: window, low word of the station, its high 12 bits and the operator; two counts of 16 bits each; medians in ms, two a word. */
const word = { window: 0, station: 1, place: 2, reports: 3, bad: 4, battery: 5, rtts: 6 } as const
/** Round trips that a cell holds; of more, a fair choice. */
const rtts_max = 8
const count_max = 0xffff
const high_word = 4_294_967_296
const station_bits = 12
const operators_max = 500_000 // of 20 bits
const fill_share = 0.75
const first_cells = 4_096

/** One cell; the object is used again for the next. */
export interface Cell { since: number; station: number; operator: number; reports: number; good: number; bad: number; charging: number; onBattery: number; rtts: number; readonly rtt: Uint16Array }

/** Cells that are taken out of the counting, to be written. */
export interface Drained {
  readonly count: number
  /** Places of cells, in use or not. */
  readonly places: number
  /** Operators by their number in the cells. */
  readonly operators: readonly (string | null)[]
  isUsed(place: number): boolean
  /** The window's beginning, ms since 1970. */
  sinceOf(place: number): number
  /** Regency and operator in one number: what one row holds of a window. */
  groupOf(place: number): number
  read(place: number, into: Cell): void
  /** Gives the memory back for counting. */
  release(): void
}

const isUsed = (cells: Int32Array, at: number): boolean => ((cells[at + word.reports] as number) & count_max) !== 0

/** @param cells_max beyond three quarters of it `isFull` asks for a drain; beyond one and a half of it nothing more is counted, and `lost` says so */
export function createRollup({ cells_max = 1_048_576 } = {}) {
  let cells = new Int32Array(first_cells * cell_words)
  let spare: Int32Array<ArrayBuffer> | null = null
  let used = 0
  let lost = 0
  let operators: (string | null)[] = []
  let numbers = new Map<string | null, number>()

  const operatorNumber = (operator: string | null): number => {
    let number = numbers.get(operator)
    if (number === undefined && operators.length >= operators_max) number = numbers.get(null)
    if (number === undefined) numbers.set(operator, (number = operators.push(operator) - 1))
    return number
  }

  function add(eventAt: number, station: number, operator: number, bits: number, rtt: number): void {
    if (used >= fill_share * (cells.length / cell_words)) {
      if (cells.length / cell_words >= 2 * cells_max) return void lost++
      cells = enlarged(cells)
    }
    // a phone's clock that was corrected to before 1970 counts there: PostgreSQL has no name for it
    const window = Math.max(0, Math.floor(eventAt / window_ms))
    const high = Math.floor(station / high_word)
    const low = (station - high * high_word) | 0
    const place = (operator << station_bits) | high
    const at = find(cells, window, low, place)
    if (!isUsed(cells, at)) {
      used++
      cells[at] = window
      cells[at + word.station] = low
      cells[at + word.place] = place
    }
    const quality = fieldOf(bits, 'quality')
    const power = fieldOf(bits, 'charging')
    cells[at + word.reports] = (cells[at + word.reports] as number) + 1 + (quality === good ? 0x10000 : 0)
    cells[at + word.bad] = (cells[at + word.bad] as number) + (quality === bad ? 1 : 0) + (power === charging ? 0x10000 : 0)
    cells[at + word.battery] = (cells[at + word.battery] as number) + (power === onBattery ? 1 : 0) + (rtt > 0 ? 0x10000 : 0)
    if (rtt > 0) keepRtt(cells, at, rtt)
  }

  return {
    /** Counts the reports of `columns` from the `from`th on. */
    addAll(columns: Columns, from = 0): void {
      const { eventAt, station, bits, rtt, way } = columns
      const wayOperators = columns.ways.map(({ operator }) => operatorNumber(operator))
      for (let i = from; i < columns.count; i++) add(eventAt[i] as number, station[i] as number, wayOperators[way[i] as number] as number, bits[i] as number, rtt[i] as number)
    },
    isFull: (): boolean => used >= fill_share * cells_max,
    /** No drain may be waited for any longer: nothing more should be counted before one, or soon it is `lost`. */
    isCrowded: (): boolean => used >= cells_max,
    used: (): number => used,
    /** Reports that were not counted for want of room: their segments must be read again. */
    lost: (): number => lost,
    /** Takes all cells out. */
    drain(): Drained {
      const taken = cells
      const drained: Drained = {
        count: used, places: taken.length / cell_words, operators,
        isUsed: (place) => isUsed(taken, place * cell_words),
        sinceOf: (place) => (taken[place * cell_words] as number) * window_ms,
        groupOf: (place) => groupOf(taken, place * cell_words),
        read: (place, into) => readCell(taken, place * cell_words, into),
        release: () => void (spare = taken.fill(0)),
      }
      cells = spare ?? new Int32Array(Math.min(taken.length, first_cells * cell_words))
      spare = null
      used = 0
      operators = []
      numbers = new Map()
      return drained
    },
  }
}

export type Rollup = ReturnType<typeof createRollup>

function find(cells: Int32Array, window: number, low: number, place: number): number {
  const mask = cells.length / cell_words - 1
  for (let slot = hash(window, low, place) & mask; ; slot = (slot + 1) & mask) {
    const at = slot * cell_words
    const counted = (cells[at + word.reports] as number) & count_max
    // A cell whose count is full is passed by: the next of the same name goes on.
    if (counted === 0 || (counted < count_max && cells[at + word.station] === low && cells[at] === window && cells[at + word.place] === place)) return at
  }
}

function enlarged(cells: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(cells.length * 2)
  for (let at = 0; at < cells.length; at += cell_words) {
    if (!isUsed(cells, at)) continue
    const to = find(larger, cells[at] as number, cells[at + word.station] as number, cells[at + word.place] as number)
    for (let i = 0; i < cell_words; i++) larger[to + i] = cells[at + i] as number
  }
  return larger
}

/** The finaliser of MurmurHash3 over three words (A. Appleby, public domain). */
function hash(one: number, two: number, three: number): number {
  let bits = Math.imul(one, 0x9e3779b1) ^ two ^ Math.imul(three, 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/** Of more than eight, each has about the same chance to be among those that are kept. */
function keepRtt(cells: Int32Array, at: number, rtt: number): void {
  const seen = (cells[at + word.battery] as number) >>> 16
  const place = seen <= rtts_max ? seen - 1 : hash(seen, at, rtt) % seen
  if (place >= rtts_max) return
  const half = at + word.rtts + (place >> 1)
  const shift = (place & 1) * 16
  cells[half] = ((cells[half] as number) & ~(count_max << shift)) | (rtt << shift)
}

const highOf = (place: number): number => place & ((1 << station_bits) - 1)
const stationOf = (cells: Int32Array, at: number): number => highOf(cells[at + word.place] as number) * high_word + ((cells[at + word.station] as number) >>> 0)

/** Regencies are the first four of a station's 13 digits. */
const regency_unit = 1_000_000_000
const operator_unit = 2 ** 20

const groupOf = (cells: Int32Array, at: number): number => Math.floor(stationOf(cells, at) / regency_unit) * operator_unit + ((cells[at + word.place] as number) >>> station_bits)

function readCell(cells: Int32Array, at: number, into: Cell): void {
  const [reports, badWord, battery] = [cells[at + word.reports] as number, cells[at + word.bad] as number, cells[at + word.battery] as number]
  into.since = (cells[at] as number) * window_ms
  into.station = stationOf(cells, at)
  into.operator = (cells[at + word.place] as number) >>> station_bits
  into.reports = reports & count_max
  into.good = reports >>> 16
  into.bad = badWord & count_max
  into.charging = badWord >>> 16
  into.onBattery = battery & count_max
  into.rtts = Math.min(rtts_max, battery >>> 16)
  for (let i = 0; i < into.rtts; i++) into.rtt[i] = ((cells[at + word.rtts + (i >> 1)] as number) >>> ((i & 1) * 16)) & count_max
}

/** A cell to read into. */
export const blankCell = (): Cell => ({ since: 0, station: 0, operator: 0, reports: 0, good: 0, bad: 0, charging: 0, onBattery: 0, rtts: 0, rtt: new Uint16Array(rtts_max) })
