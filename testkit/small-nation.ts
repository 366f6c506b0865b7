import { sweep } from '@kawal/core/detection/detector.ts'
import type { FoundDisturbance, Turn } from '@kawal/core/detection/disturbance.ts'
import { bad, cellular, charging, good, onBattery, reached, strong, unreached, what } from '@kawal/core/detection/evidence.ts'
import { takeIn } from '@kawal/core/detection/intake.ts'
import type { Finding } from '@kawal/core/detection/ongoing.ts'
import type { DetectionStation } from '@kawal/core/detection/places.ts'
import { operatorIndex, seconds, startDetection, type DetectionOptions, type DetectionState } from '@kawal/core/detection/state.ts'
import { updateStatuses } from '@kawal/core/detection/status.ts'
import { atOnce } from '@kawal/core/kernel/steps.ts'
import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { hash32, seeded } from '@kawal/core/kernel/random.ts'

export const start = 1_800_000_000_000
const promise_s = 300
const sweep_ms = 30_000
const villages_wide = 16
const villages_high = 12
const stations_a_village = 3

/** 192 villages of three stations, 2 km apart in a grid, in twelve regencies of two provinces. */
export const stations: readonly DetectionStation[] = Array.from({ length: villages_wide * villages_high }, (_, index) => {
  const [column, row] = [index % villages_wide, Math.floor(index / villages_wide)]
  const regency = 1 + 2 * (row >> 2) + (column % 8 >> 2)
  const village = `${column < villages_wide / 2 ? '71' : '75'}0${regency}0${1 + (row % 4 >> 1)}${1000 + index}`
  return Array.from({ length: stations_a_village }, (_unused, number) => ({ code: `${village}00${number + 1}`, village, latitude: 0.5 + 0.02 * row + 0.003 * number, longitude: 122 + 0.02 * column + 0.003 * (number % 2) }))
}).flat()

export interface Phone {
  readonly device: number
  readonly station: string
  readonly operator: string
  readonly isCharging: boolean
}

/** What a report that is made says; one that nobody hears is null. `goodbye` makes no promise. */
export type Deed = 'good' | 'slow' | 'lossy' | 'unplugged' | 'no_election' | 'goodbye' | 'lost_goodbye' | null
type Deeds = (phone: Phone, at: Instant, chance: number) => Deed

const shares = [['telkomsel', 0.5], ['xlsmart', 0.77], ['indosat', 1]] as const

/** Two to seven phones a station. */
export const phones: readonly Phone[] = stations.flatMap(({ code }) => {
  const random = seeded(hash32(code))
  return Array.from({ length: 2 + Math.floor(6 * random()) }, () => {
    const draw = random()
    return { station: code, operator: shares.find(([, share]) => draw < share)?.[0] ?? 'indosat', isCharging: random() < 0.3 }
  })
}).map((phone, device) => ({ ...phone, device }))

/** Stations of the villages nearest to one of them (column and row of the grid). */
export function around(column: number, row: number, villages: number): ReadonlySet<string> {
  const far = ({ village }: DetectionStation): number => {
    const index = Number(village.slice(6)) - 1000
    return ((index % villages_wide) - column) ** 2 + (Math.floor(index / villages_wide) - row) ** 2
  }
  return new Set(stations.toSorted((a, b) => far(a) - far(b) || (a.code < b.code ? -1 : 1)).slice(0, villages * stations_a_village).map(({ code }) => code))
}

function bitsOf(phone: Phone, deed: Deed, isTest: boolean): number {
  const isBad = deed === 'slow' || deed === 'lossy'
  return ((isBad ? bad : good) << what.quality) | (reached << what.internet) | (isTest || deed === 'no_election' ? (deed === 'no_election' ? unreached : reached) << what.election : 0)
    | ((phone.isCharging && deed !== 'unplugged' ? charging : onBattery) << what.charging) | (strong << what.radio) | (Number(deed === 'slow') << what.slow) | (Number(deed === 'lossy') << what.lossy) | (cellular << what.way)
}

interface Report { readonly phone: Phone; readonly eventAt_s: number; readonly receivedAt_s: number; readonly dueAt_s: number; readonly bits: number }
interface Ways {
  /** Puts the reports that came between two sweeps into another order. */
  readonly arrange?: (reports: Report[]) => Report[]
  /** The number by which detection knows a device. */
  readonly number?: (device: number) => number
  readonly before?: (state: DetectionState, now: Instant) => void
  readonly options?: Partial<DetectionOptions>
  readonly seed?: number
  /** Minutes from the start at which it begins. */
  readonly from?: number
}

export interface Told extends Finding { readonly at: Instant }

/** A morning of all phones; every twentieth promise is kept some minutes late. What a phone does at each of its times is given, by the minute. */
export function morning(ways: Ways = {}) {
  const state = startDetection(stations, ways.options)
  const seed = ways.seed ?? 1
  const numberOf = ways.number ?? ((device: number) => device)
  const rows = phones.map((phone) => ({ phone, random: seeded(hash32(`${seed} phone ${phone.device}`)), nextAt_s: 0, count: 0, isGone: false }))
  let now = start + (ways.from ?? 0) * minute_ms
  for (const row of rows) row.nextAt_s = seconds(now) + Math.floor(promise_s * row.random())
  const told: Told[] = []

  /** What a phone does at its next time. */
  function act(row: (typeof rows)[number], deeds: Deeds, reports: Report[]): void {
    const at_s = row.nextAt_s
    const chance = row.random()
    const late = row.random() < 0.05 ? 60 + Math.floor(480 * row.random()) : Math.floor(8 * row.random())
    const deed = deeds(row.phone, at_s * 1000, chance)
    row.nextAt_s = at_s + promise_s + late
    row.count++
    row.isGone = deed === 'goodbye' || deed === 'lost_goodbye'
    if (deed === null || deed === 'lost_goodbye') return
    reports.push({ phone: row.phone, eventAt_s: at_s, receivedAt_s: at_s + 1, dueAt_s: deed === 'goodbye' ? 0 : at_s + promise_s, bits: bitsOf(row.phone, deed, (row.count + row.phone.device) % 3 === 0) })
  }

  return {
    state, told,
    now: (): Instant => now,
    /** Lets minutes pass, up to one counted from the start. @returns what was told meanwhile */
    until(minute: number, deeds: Deeds = () => 'good'): Told[] {
      const found: Told[] = []
      while (now < start + minute * minute_ms) {
        now += sweep_ms
        const reports: Report[] = []
        for (const row of rows) while (!row.isGone && row.nextAt_s + 1 <= seconds(now)) act(row, deeds, reports)
        for (const each of ways.arrange?.(reports) ?? reports) take(each)
        ways.before?.(state, now)
        found.push(...sweep(state, now).map((each) => ({ ...each, at: now })))
        atOnce(updateStatuses(state, now, () => undefined))
      }
      told.push(...found)
      return found
    },
    /** What a phone sends late: made at one time, heard now. */
    late(phone: Phone, eventAt: Instant, deed: Deed): void {
      take({ phone, eventAt_s: seconds(eventAt), receivedAt_s: seconds(now), dueAt_s: seconds(now) + promise_s, bits: bitsOf(phone, deed, false) })
    },
  }

  function take({ phone, eventAt_s, receivedAt_s, dueAt_s, bits }: Report): void {
    takeIn(state, numberOf(phone.device), state.stationIndex.get(phone.station) ?? NaN, operatorIndex(state, phone.operator), eventAt_s, receivedAt_s, dueAt_s, bits)
  }
}

export type Morning = ReturnType<typeof morning>

/** Those that were confirmed, as they were told of last. */
export function confirmed(told: readonly Told[]): FoundDisturbance[] {
  return [...new Map(told.map(({ disturbance }) => [disturbance.id, disturbance])).values()].filter(({ foundAt }) => foundAt !== null)
}

export const turnsOf = (told: readonly Told[], id: string): (Turn | null)[] => told.filter(({ turn, disturbance }) => turn !== null && disturbance.id === id).map(({ turn }) => turn)

/** Stations of both over those of either. */
export function overlap(a: Iterable<string>, b: Iterable<string>): number {
  const [one, other] = [new Set(a), new Set(b)]
  const both = [...one].filter((code) => other.has(code)).length
  return both / (one.size + other.size - both)
}
