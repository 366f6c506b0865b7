/** How an officer gets from the station to a point; a station's class is its number in this list. */
const travelClasses = ['road', 'track', 'foot'] as const

export interface TravelConfig {
  /** Ways are longer than the great circle by this factor. */
  readonly detour_factor: number
  readonly speed_km_h: Readonly<Record<(typeof travelClasses)[number], number>>
  /** Added where station and point are not known to be on one landmass. */
  readonly ferry_min: number
}

/** Engineering defaults of ours, on no survey: a centre that knows its ways and boats sets its own. */
export const travelDefaults: TravelConfig = { detour_factor: 1.4, speed_km_h: { road: 30, track: 12, foot: 4 }, ferry_min: 90 }

/**
 * Travel time in whole seconds, so that sums of them are exact.
 * @param travelClass number in `travelClasses`
 * @param landmasses ids of the two ends; -1, not known, counts as water between: nobody is promised a way that may not be there
 */
export function travel_s(distance_km: number, travelClass: number, landmasses: readonly [number, number], config: TravelConfig): number {
  const name = travelClasses[travelClass]
  if (name === undefined) throw new Error(`there is no travel class ${travelClass}`)
  const crossing = landmasses[0] === -1 || landmasses[0] !== landmasses[1]
  return Math.round(((distance_km * config.detour_factor) / config.speed_km_h[name]) * 3600 + (crossing ? config.ferry_min * 60 : 0))
}
