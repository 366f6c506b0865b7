import { degree_km, type Position } from './distance.ts'

/** Rings of [longitude, latitude] in degrees; holes are rings too, the even-odd rule sorts them out. */
export type Ring = readonly (readonly [number, number])[]

/**
 * Land as edges binned into latitude bands and square cells, for two questions: is a position on it,
 * and if not, is its shore within a tolerance.
 */
export interface Land {
  readonly edges: Float64Array
  readonly bands: ReadonlyMap<number, Int32Array>
  readonly cells: ReadonlyMap<number, Int32Array>
}

const band_deg = 0.05
const cell_deg = 0.1

function cellOf(longitude: number, latitude: number): number {
  return Math.floor((latitude + 90) / cell_deg) * 4096 + Math.floor((longitude + 180) / cell_deg)
}

/** @param rings all rings of the land, of any number of polygons */
export function makeLand(rings: readonly Ring[]): Land {
  const edges: number[] = []
  const bands = new Map<number, number[]>()
  const cells = new Map<number, number[]>()
  const put = (bins: Map<number, number[]>, key: number, edge: number): void => {
    const bin = bins.get(key)
    if (bin === undefined) bins.set(key, [edge])
    else if (bin.at(-1) !== edge) bin.push(edge)
  }
  for (const ring of rings) {
    for (let i = 0; i < ring.length; i++) {
      const [x1, y1] = ring[i] ?? [0, 0]
      const [x2, y2] = ring[(i + 1) % ring.length] ?? [0, 0]
      if (x1 === x2 && y1 === y2) continue
      const edge = edges.length
      edges.push(x1, y1, x2, y2)
      for (let band = Math.floor(Math.min(y1, y2) / band_deg); band <= Math.floor(Math.max(y1, y2) / band_deg); band++) put(bands, band, edge)
      const steps = Math.ceil(Math.max(Math.abs(x2 - x1), Math.abs(y2 - y1)) / (cell_deg / 2)) + 1
      for (let step = 0; step <= steps; step++) put(cells, cellOf(x1 + ((x2 - x1) * step) / steps, y1 + ((y2 - y1) * step) / steps), edge)
    }
  }
  const freeze = (bins: Map<number, number[]>): Map<number, Int32Array> => new Map([...bins].map(([key, bin]) => [key, Int32Array.from(bin)]))
  return { edges: Float64Array.from(edges), bands: freeze(bands), cells: freeze(cells) }
}

/** Whether the position is inside an odd number of rings. */
export function onLand(land: Land, position: Position): boolean {
  const { latitude: y, longitude: x } = position
  let inside = false
  for (const e of land.bands.get(Math.floor(y / band_deg)) ?? []) {
    const y1 = land.edges[e + 1] ?? 0
    const y2 = land.edges[e + 3] ?? 0
    if (y1 > y === y2 > y) continue
    const x1 = land.edges[e] ?? 0
    const x2 = land.edges[e + 2] ?? 0
    if (x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside
  }
  return inside
}

/**
 * Distance to the nearest shore in km, looked for in the 3 x 3 cells (about 11 km each) around.
 * @returns Infinity when no shore is there
 */
export function shoreDistance_km(land: Land, position: Position): number {
  const scale = Math.cos((position.latitude * Math.PI) / 180)
  let best = Infinity
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      for (const e of land.cells.get(cellOf(position.longitude + dx * cell_deg, position.latitude + dy * cell_deg)) ?? []) {
        const x1 = ((land.edges[e] ?? 0) - position.longitude) * scale
        const y1 = (land.edges[e + 1] ?? 0) - position.latitude
        const dxe = ((land.edges[e + 2] ?? 0) - position.longitude) * scale - x1
        const dye = (land.edges[e + 3] ?? 0) - position.latitude - y1
        const along = Math.max(0, Math.min(1, -(x1 * dxe + y1 * dye) / (dxe * dxe + dye * dye)))
        best = Math.min(best, Math.hypot(x1 + along * dxe, y1 + along * dye))
      }
    }
  }
  return best * degree_km
}
