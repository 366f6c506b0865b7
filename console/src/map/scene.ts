import type { LiveArea, LiveDisturbance, StationRow } from '@kawal/contract/live.ts'
import { levels, type Level } from '../queue.ts'

/** Outer rings of longitude, latitude pairs. */
export interface Land { readonly own: readonly (readonly (readonly [number, number])[])[]; readonly others: readonly (readonly (readonly [number, number])[])[] }

export interface Scene {
  readonly areas: readonly LiveArea[]
  readonly stations: readonly StationRow[]
  readonly disturbances: readonly LiveDisturbance[]
  readonly selected: string | null
  readonly station: string | null
}

/** What the painter needs of a map, whoever draws the land. Pixels are CSS pixels. */
export interface Projection {
  readonly width: number
  readonly height: number
  /** Zoom as MapLibre counts it: the world is 512 * 2^zoom pixels wide. */
  readonly zoom: number
  project(longitude: number, latitude: number): { x: number; y: number }
}

export interface Bounds { readonly west: number; readonly south: number; readonly east: number; readonly north: number }

export interface Surface {
  readonly mode: 'webgl' | 'canvas'
  projection(): Projection
  bounds(): Bounds
  center(): { longitude: number; latitude: number }
  fit(bounds: Bounds): void
  zoomBy(steps: number): void
  resize(): void
  destroy(): void
}

export interface SurfaceOptions {
  readonly host: HTMLElement
  readonly label: string
  readonly onMove: () => void
  readonly onPick: (x: number, y: number) => void
}

export const stationZoom = 8
export const indonesia: Bounds = { west: 94.8, south: -11.2, east: 141.2, north: 6.2 }

/** The level whose areas are told apart at a zoom; the next coarser or finer one where the data lack it. */
export function levelAt(zoom: number, present: ReadonlySet<string>): Level | null {
  const wished = zoom < 5.5 ? 0 : zoom < 7.5 ? 1 : 2
  for (let step = 0; step < levels.length; step += 1) {
    for (const index of [wished - step, wished + step]) {
      const level = levels[index]
      if (level !== undefined && present.has(level)) return level
    }
  }
  return null
}

/** The box around everything with a position, at least half a degree wide; null when nothing has one. */
export function boundsOf(points: Iterable<{ longitude: number | null; latitude: number | null }>): Bounds | null {
  let west = Infinity, south = Infinity, east = -Infinity, north = -Infinity
  for (const { longitude, latitude } of points) {
    if (longitude === null || latitude === null) continue
    west = Math.min(west, longitude)
    east = Math.max(east, longitude)
    south = Math.min(south, latitude)
    north = Math.max(north, latitude)
  }
  if (west > east) return null
  const pad = Math.max(0.25, (east - west) * 0.06, (north - south) * 0.06)
  return { west: west - pad, south: south - pad, east: east + pad, north: north + pad }
}

/** Convex hull (Andrew's monotone chain) of points, counter-clockwise; fewer than three points come back as they are. */
export function hullOf(points: readonly { x: number; y: number }[]): { x: number; y: number }[] {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y)
  if (sorted.length < 3) return sorted
  const half = (list: readonly { x: number; y: number }[]): { x: number; y: number }[] => {
    const chain: { x: number; y: number }[] = []
    for (const point of list) {
      for (;;) {
        const a = chain.at(-2)
        const b = chain.at(-1)
        if (a === undefined || b === undefined || (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x) > 0) break
        chain.pop()
      }
      chain.push(point)
    }
    chain.pop()
    return chain
  }
  return [...half(sorted), ...half(sorted.reverse())]
}
