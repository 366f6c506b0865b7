import type { Position } from '@kawal/core/geo/distance.ts'

export interface Fix extends Position {
  readonly accuracy_m: number
}

export type PositionFault = 'denied' | 'unavailable' | 'timeout' | 'missing'

/** The codes of GeolocationPositionError; the browser's own sentences are English, and say nothing to do. */
const faults: Readonly<Record<number, PositionFault>> = { 1: 'denied', 2: 'unavailable', 3: 'timeout' }
const fix_ms_max = 30_000

/** Follows where the phone is until stopped. It asks for permission: call it from a tap, beside the reason. */
export function followPosition(found: (fix: Fix) => void, failed: (fault: PositionFault) => void): () => void {
  if (!('geolocation' in navigator)) {
    failed('missing')
    return () => undefined
  }
  const id = navigator.geolocation.watchPosition(
    ({ coords }) => found({ latitude: coords.latitude, longitude: coords.longitude, accuracy_m: Math.round(coords.accuracy) }),
    (error) => failed(faults[error.code] ?? 'unavailable'),
    { enableHighAccuracy: true, timeout: fix_ms_max, maximumAge: 5_000 },
  )
  return () => navigator.geolocation.clearWatch(id)
}
