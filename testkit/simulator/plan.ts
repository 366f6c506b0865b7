import { hour_ms, minute_ms } from '@kawal/core/kernel/clock.ts'
import type { Contests } from '@kawal/core/recap/judge.ts'
import type { Filled, Shot } from '@kawal/sigmon/src/recap/kept.ts'
import { pairs, soundTotals } from '../recaps.ts'
import type { Host } from './network.ts'
import type { Deed, PhonePlan } from './phone.ts'
import { between, type World } from './world.ts'

/** What one seed is: who signs what when. What goes wrong beside is drawn by testkit/simulator/faults.ts. */

export interface Size { readonly phones: number; readonly boxes: number; readonly stations: number }
/** Of one run. */
export const full: Size = { phones: 200, boxes: 5, stations: 70 }
/** The same with stations that nobody recorded, and many with one phone alone. */
export const sparse: Size = { ...full, stations: 150 }

/** After this nothing goes wrong any more. */
export const faults_ms = 1.5 * hour_ms
/** All that waited has arrived this long after: a sender tries again within 10 minutes, a receiver that refused is asked again in an hour. */
export const drain_ms = 1.5 * hour_ms
/** True time at the beginning. */
export const epoch = Date.UTC(2029, 1, 14, 9)

/** Not held here: `dpd`. */
export const contests: Contests = { ppwp: { ceiling: 300 } }

export const stationOf = (nth: number): string => `7571011001${String(nth + 1).padStart(3, '0')}`
const nowhere = '9999999999001'

export function drawPhones(world: World, size: Size, boxes: readonly { readonly host: Host; readonly key: string }[]): PhonePlan[] {
  const random = world.random('plan')
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
  const chance = (share: number): boolean => random() < share

  function shots(): Shot[] {
    if (!chance(0.35)) return []
    return Array.from({ length: chance(0.4) ? 2 : 1 }, (_, at) => ({ page: 1, shot: 1, kind: at === 0 ? 'preview' as const : 'original' as const, bytes: Uint8Array.from({ length: Math.floor(between(random, 60, 900)) }, () => Math.floor(random() * 256)).buffer }))
  }
  function filled(station: string, more: Partial<Filled> = {}): Filled {
    return { station, contest: 'ppwp', ballot: pairs, ceiling: 300, totals: soundTotals.map((total, at) => (at === 2 ? Math.floor(random() * 300) : total)), shots: shots(), replaces: null, place: null, ...more }
  }
  function deed(at: number, station: string, nth: number): Deed {
    const kind = random()
    if (kind < 0.02) return { at, is: 'damaged' }
    if (kind < 0.04) return { at, is: 'later' }
    if (kind < 0.055) return { at, is: 'record', filled: filled(nowhere), corrects: false, expects: 'station_unknown' }
    if (kind < 0.07) return { at, is: 'record', filled: filled(stationOf((Number(station.slice(10)) + 1) % size.stations)), corrects: false, expects: 'key_elsewhere' }
    if (kind < 0.085) return { at, is: 'record', filled: filled(station, { contest: 'dpd' }), corrects: false, expects: 'contest_unknown' }
    if (kind < 0.1) return { at, is: 'record', filled: filled(station, { totals: soundTotals.map(() => 999_999) }), corrects: false, expects: 'totals_impossible' }
    return { at, is: 'record', filled: filled(station), corrects: nth > 0 && chance(0.5), expects: 'counts' }
  }

  return Array.from({ length: size.phones }, (_, nth): PhonePlan => {
    const station = stationOf(Math.floor(random() * size.stations))
    const count = chance(0.15) ? 2 + Math.floor(random() * 2) : 1
    const times = Array.from({ length: count }, () => between(random, minute_ms, faults_ms * 0.9)).sort((one, other) => one - other)
    const box = chance(0.5) ? pick(boxes) : null
    const isStranger = box !== null && chance(0.06)
    return {
      name: `phone ${nth}`, station, deeds: times.map((at, which) => deed(at, station, which)), clock_off: drawClock(random), isOld: chance(0.06), isStranger, isEnrolled: !isStranger && chance(0.6),
      box: box?.host ?? null, keyKnownAt: chance(0.1) ? faults_ms : 0,
    }
  })
}

/** Most are right within seconds; some by hours, some have lost theirs, some are far ahead. */
function drawClock(random: () => number): number {
  const kind = random()
  if (kind < 0.7) return between(random, -2_000, 2_000)
  if (kind < 0.9) return between(random, -12 * hour_ms, 12 * hour_ms)
  return kind < 0.95 ? -epoch + between(random, 0, hour_ms) : Date.UTC(2038, 0, 19, 3, 14) - epoch
}
