import { advanceDay, makeDay, type Emit } from './nation-day.ts'
import { makeHappenings, type WorldFault } from './nation-faults.ts'
import { makeGround, worldOperators, type WorldPlace } from './nation-ground.ts'

/** What spec/device-model.md leaves open. */
export interface WorldOptions {
  readonly seed: number
  /** Seconds since 1970 of 07:00 WIB of the day. */
  readonly startAt_s: number
  readonly hours: number
  /** Of seven officers a station, those with the app on duty. */
  readonly onDutyShare: number
  /** Of promises, those broken without any fault. */
  readonly brokenShare: number
  /** Faults of networks and power; fewer fit where the places are few. */
  readonly faults: number
  /** Failures of the election server, and of our own intake. */
  readonly serverFailures: number
  readonly ingestFailures: number
  /** Times that the officers of a few near villages leave together; a fraction is a chance of one more. */
  readonly crowds: number
}

export interface World {
  readonly operators: readonly string[]
  readonly devices: number
  /** By device: the index of its station, numbered place by place in the order of the places. */
  readonly station: Int32Array
  /** By device: index in `operators`. */
  readonly operator: Uint8Array
  /** By place, of its stations: stationStart[p] to stationStart[p + 1]. */
  readonly stationStart: Int32Array
  /** The truth, by start; their counts grow while the world runs. */
  readonly faults: readonly WorldFault[]
  /**
   * Lets time pass, and tells everything that reaches the server after the last call up to `now_s`, in order of
   * arrival. Whole seconds since 1970; `dueAt_s` 0 is goodbye; `bits` as in core/detection/evidence.ts.
   */
  advance(now_s: number, emit: Emit): void
}

export const worldDefaults: Omit<WorldOptions, 'seed' | 'startAt_s'> = { hours: 17, onDutyShare: 0.2, brokenShare: 0.06, faults: 150, serverFailures: 4, ingestFailures: 2, crowds: 60 }

/** One day of the nation, or of some of its places, as spec/device-model.md has it. Nothing but the arguments decides. */
export function makeWorld(places: readonly WorldPlace[], options: WorldOptions): World {
  const ground = makeGround(places, options.seed, options.onDutyShare)
  const happenings = makeHappenings(ground, options)
  const day = makeDay(ground, happenings, options)
  return {
    operators: worldOperators, devices: ground.devices, station: ground.station, operator: ground.operator, stationStart: ground.stationStart, faults: happenings.faults,
    advance: (now_s, emit) => advanceDay(day, now_s - options.startAt_s, emit),
  }
}
