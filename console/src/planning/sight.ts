import type { Bounds, Projection } from '../map/scene.ts'

/** Web Mercator, 0 at the top of its square world. */
const heightOf = (latitude: number): number => 0.5 - Math.log(Math.tan(Math.PI / 4 + (latitude * Math.PI) / 360)) / (2 * Math.PI)
const latitudeOf = (height: number): number => (Math.atan(Math.exp((0.5 - height) * 2 * Math.PI)) * 360) / Math.PI - 90

/** The place under a point of the frame, in degrees with five decimals (about a metre). @param x,y CSS pixels */
export function placeAt(sight: Bounds, frame: Pick<Projection, 'width' | 'height'>, x: number, y: number): { longitude: number; latitude: number } {
  const [top, bottom] = [heightOf(sight.north), heightOf(sight.south)]
  const round = (value: number): number => Math.round(value * 1e5) / 1e5
  return { longitude: round(sight.west + (x / frame.width) * (sight.east - sight.west)), latitude: round(latitudeOf(top + (y / frame.height) * (bottom - top))) }
}

export interface TileAddress { readonly z: number; readonly x: number; readonly y: number }
/** Tiles of a screen: a map of 1440 x 900 has at most 15 of 512 pixels. */
const tiles_max = 24
const zoom_max = 14

/** The tiles in sight at a zoom, the world being 512 * 2^zoom pixels wide; coarser ones where they would be too many. */
export function tilesIn(sight: Bounds, zoom: number): TileAddress[] {
  for (let z = Math.min(zoom_max, Math.max(0, Math.floor(zoom))); ; z--) {
    const side = 2 ** z
    const cut = (value: number): number => Math.min(side - 1, Math.max(0, Math.floor(value)))
    const [left, right] = [cut(((sight.west + 180) / 360) * side), cut(((sight.east + 180) / 360) * side)]
    const [top, bottom] = [cut(heightOf(sight.north) * side), cut(heightOf(sight.south) * side)]
    const count = (right - left + 1) * (bottom - top + 1)
    if (count > tiles_max && z > 0) continue
    return Array.from({ length: count }, (_, at) => ({ z, x: left + (at % (right - left + 1)), y: top + Math.floor(at / (right - left + 1)) }))
  }
}

/** The corner of a tile, and one unit of it, on the frame: a map without turn or tilt is linear in tile units. */
export function tileOnFrame({ z, x, y }: TileAddress, extent: number, project: Projection['project']): { left: number; top: number; unit: number } {
  const side = 2 ** z
  const corner = (column: number, row: number): { x: number; y: number } => project((column / side) * 360 - 180, latitudeOf(row / side))
  const [from, to] = [corner(x, y), corner(x + 1, y + 1)]
  return { left: from.x, top: from.y, unit: (to.x - from.x) / extent }
}

/** Whether a point lies in a ring of x and y by turns (crossings of a ray). */
export function isInRing(ring: readonly number[], x: number, y: number): boolean {
  let inside = false
  for (let i = 0, j = ring.length - 2; i + 1 < ring.length; j = i, i += 2) {
    const [ax, ay, bx, by] = [ring[i] as number, ring[i + 1] as number, ring[j] as number, ring[j + 1] as number]
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside
  }
  return inside
}
