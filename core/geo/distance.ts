/** A position in degrees, WGS 84. */
export interface Position {
  readonly latitude: number
  readonly longitude: number
}

/** IUGG mean radius. */
const earthRadius_km = 6371.0088
export const degree_km = (Math.PI / 180) * earthRadius_km

/** Great-circle distance in km (haversine on the mean sphere: within 0.6 % of the ellipsoid). */
export function distance_km(a: Position, b: Position): number {
  const radians = Math.PI / 180
  const dLat = (b.latitude - a.latitude) * radians
  const dLon = (b.longitude - a.longitude) * radians
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(a.latitude * radians) * Math.cos(b.latitude * radians) * Math.sin(dLon / 2) ** 2
  return 2 * earthRadius_km * Math.asin(Math.min(1, Math.sqrt(h)))
}

/** Initial bearing of the great circle from a to b, degrees clockwise from north, 0 to 360. */
export function bearing_deg(a: Position, b: Position): number {
  const radians = Math.PI / 180
  const dLon = (b.longitude - a.longitude) * radians
  const y = Math.sin(dLon) * Math.cos(b.latitude * radians)
  const x = Math.cos(a.latitude * radians) * Math.sin(b.latitude * radians) - Math.sin(a.latitude * radians) * Math.cos(b.latitude * radians) * Math.cos(dLon)
  return (Math.atan2(y, x) / radians + 360) % 360
}

/** The frame that holds all of Indonesia with a margin: outside it a position is a slip, not a place. */
export const indonesia = { south: -11.5, north: 6.5, west: 94.5, east: 141.5 } as const

export function insideIndonesiasFrame(position: Position): boolean {
  return (
    position.latitude >= indonesia.south && position.latitude <= indonesia.north &&
    position.longitude >= indonesia.west && position.longitude <= indonesia.east
  )
}
