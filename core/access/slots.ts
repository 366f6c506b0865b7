/** Indonesian *Akses Internet*, SATRIA-1 satellite points, and BAKTI's base stations. */
export type PointKind = 'ai' | 'satellite' | 'bts'

/** What senders at a point share, and how many of them may at once. */
interface PointRates {
  readonly uplink_mbit_s: number
  /** The part of the uplink that is the election's: the village's own use and retransmissions take the rest. */
  readonly usable_share: number
  readonly senders_at_once: number
}

export interface SlotConfig {
  readonly points: Readonly<Record<PointKind, PointRates>>
  /** To come in, sign on and see the receipt. */
  readonly handling_min: number
  readonly window_min: number
  /** What one station sends: signed totals, previews and original photos. */
  readonly bytes_per_station: number
}

/**
 * Engineering defaults of ours but for two: satellite points were measured at 3 Mbit/s up (planned: about 4 shared),
 * and a station's 333 bytes of totals and three photos of 0.86 MB are measured sizes; a preview of 60 kB each is ours.
 */
export const slotDefaults: SlotConfig = {
  points: {
    ai: { uplink_mbit_s: 3, usable_share: 0.5, senders_at_once: 4 },
    satellite: { uplink_mbit_s: 3, usable_share: 0.5, senders_at_once: 4 },
    bts: { uplink_mbit_s: 10, usable_share: 0.5, senders_at_once: 12 },
  },
  handling_min: 3,
  window_min: 240,
  bytes_per_station: 333 + 3 * (60_000 + 860_000),
}

/** Whole minutes that one station's sending takes when as many send as may. */
function slotLength_min(kind: PointKind, config: SlotConfig): number {
  const { uplink_mbit_s, usable_share, senders_at_once } = config.points[kind]
  const own_bit_s = (uplink_mbit_s * 1e6 * usable_share) / senders_at_once
  return Math.ceil(config.handling_min + (config.bytes_per_station * 8) / own_bit_s / 60)
}

/** Stations that a point of this kind serves in the sending window. */
export function capacityOf(kind: PointKind, config: SlotConfig): number {
  return Math.floor(config.window_min / slotLength_min(kind, config)) * config.points[kind].senders_at_once
}

/** For each station; NaN: it has no point, or one whose uplink needs no turns. */
export interface Slots {
  /** Whole minutes after everybody left the stations. */
  readonly start_min: Float64Array
  readonly length_min: Float64Array
  /** Stations, in order, whose slot ends after the window, because they come late or many come at once. */
  readonly late: readonly number[]
}

/**
 * Turns at the points of the given kinds, so that never more send at once than may: who arrives first goes first
 * (then by station), as soon as one of the point's places is free.
 * @param point of each station, or -1
 * @param travel_min of each station
 * @param kinds of each point
 * @param shared the kinds whose uplink is so narrow that turns are needed
 */
export function giveSlots(point: Int32Array, travel_min: Float64Array, kinds: readonly PointKind[], shared: readonly PointKind[], config: SlotConfig): Slots {
  const start_min = new Float64Array(point.length).fill(NaN)
  const length_min = new Float64Array(point.length).fill(NaN)
  const arrivals = Int32Array.from(point.keys()).filter((station) => shared.includes(kinds[point[station] ?? -1] ?? 'bts') && (point[station] ?? -1) >= 0)
  arrivals.sort((a, b) => (travel_min[a] ?? 0) - (travel_min[b] ?? 0) || a - b)
  const freeAt = new Map<number, Float64Array>()
  const late: number[] = []
  for (const station of arrivals) {
    const at = point[station] ?? -1
    const kind = kinds[at] ?? 'bts'
    const length = slotLength_min(kind, config)
    const places = freeAt.get(at) ?? new Float64Array(config.points[kind].senders_at_once)
    freeAt.set(at, places)
    let soonest = 0
    for (let place = 1; place < places.length; place++) if ((places[place] ?? 0) < (places[soonest] ?? 0)) soonest = place
    const start = Math.max(Math.ceil(travel_min[station] ?? 0), places[soonest] ?? 0)
    start_min[station] = start
    length_min[station] = length
    places[soonest] = start + length
    if (start + length > config.window_min) late.push(station)
  }
  return { start_min, length_min, late: late.sort((a, b) => a - b) }
}
