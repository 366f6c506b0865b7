import { hash32 } from '@kawal/core/kernel/random.ts'
import type { WatchedStation } from '../register/lookup.ts'

/** At most `count` stations, neighbours of each other: a rehearsal of an area, not of a sample. */
export function nearest(all: readonly WatchedStation[], count: number): WatchedStation[] {
  const placed = all.filter((station) => station.latitude !== null && station.longitude !== null)
  if (placed.length <= count) return placed
  const centre = placed[hash32('centre') % placed.length] as WatchedStation
  const far = (station: WatchedStation): number => ((station.latitude ?? 0) - (centre.latitude ?? 0)) ** 2 + ((station.longitude ?? 0) - (centre.longitude ?? 0)) ** 2
  const byCode = (a: WatchedStation, b: WatchedStation): number => (a.code < b.code ? -1 : 1)
  return [...placed].sort((a, b) => far(a) - far(b) || byCode(a, b)).slice(0, count).sort(byCode)
}
