import type { Ring } from './land.ts'

/** The borders of an area as edges x1, y1, x2, y2 in degrees; what lies behind an odd number of them is inside. */
export interface Polygon {
  readonly edges: Float64Array
  readonly south: number
  readonly north: number
  readonly west: number
  readonly east: number
}

/** @param rings the outer ring, its holes, and any more: closed or not, turning either way */
export function makePolygon(rings: readonly Ring[]): Polygon {
  let room = 0
  for (const ring of rings) room += ring.length
  const edges = new Float64Array(room * 4)
  let south = Infinity
  let north = -Infinity
  let west = Infinity
  let east = -Infinity
  let at = 0
  for (const ring of rings) {
    const last = ring.at(-1)
    if (last === undefined) continue
    let [x1, y1] = last
    for (const point of ring) {
      const x2 = point[0]
      const y2 = point[1]
      if (x1 !== x2 || y1 !== y2) {
        edges[at] = x1
        edges[at + 1] = y1
        edges[at + 2] = x2
        edges[at + 3] = y2
        at += 4
      }
      south = Math.min(south, y2)
      north = Math.max(north, y2)
      west = Math.min(west, x2)
      east = Math.max(east, x2)
      x1 = x2
      y1 = y2
    }
  }
  return { edges: edges.subarray(0, at), south, north, west, east }
}

/** On which side of the edge at e a point lies; the one expression that every test here decides by. */
function side(edges: Float64Array, e: number, y: number, x: number): boolean {
  const x1 = edges[e] as number
  const y1 = edges[e + 1] as number
  return ((edges[e + 2] as number) - x1) * (y - y1) > ((edges[e + 3] as number) - y1) * (x - x1)
}

/** Whether a position is inside by the even-odd rule: every edge, so for a few positions only. */
export function inside({ edges }: Polygon, latitude: number, longitude: number): boolean {
  let within = false
  for (let e = 0; e < edges.length; e += 4) {
    const y1 = edges[e + 1] as number
    const y2 = edges[e + 3] as number
    if (y1 > latitude !== y2 > latitude && side(edges, e, latitude, longitude) === y2 > y1) within = !within
  }
  return within
}

/**
 * The edges, of those listed, that come within a distance of a position.
 * @param among places of edges in `polygon.edges`, the first `count` of them
 * @param within_deg of a great circle; the plane is flat here, which holds for a few degrees
 * @param into takes the places; it may not be `among`
 * @returns how many they are
 */
export function gatherEdges({ edges }: Polygon, among: Int32Array, count: number, latitude: number, longitude: number, within_deg: number, into: Int32Array): number {
  const shrink = Math.cos((latitude * Math.PI) / 180)
  const within = within_deg * within_deg
  let found = 0
  for (let i = 0; i < count; i++) {
    const e = among[i] as number
    const y1 = (edges[e + 1] as number) - latitude
    const y2 = (edges[e + 3] as number) - latitude
    if ((y1 > within_deg && y2 > within_deg) || (y1 < -within_deg && y2 < -within_deg)) continue
    const x1 = ((edges[e] as number) - longitude) * shrink
    const x2 = ((edges[e + 2] as number) - longitude) * shrink
    if ((x1 > within_deg && x2 > within_deg) || (x1 < -within_deg && x2 < -within_deg)) continue
    const dx = x2 - x1
    const dy = y2 - y1
    const along = -(x1 * dx + y1 * dy)
    const length = dx * dx + dy * dy
    const share = along <= 0 ? 0 : along >= length ? 1 : along / length
    const x = x1 + share * dx
    const y = y1 + share * dy
    if (x * x + y * y <= within) into[found++] = e
  }
  return found
}

/**
 * Whether an odd number of borders lies between two positions: along the first one's latitude, then along
 * the second one's longitude. The listed edges must hold all that come as near to the first as the second is.
 */
export function bordersBetween({ edges }: Polygon, among: Int32Array, count: number, latitude: number, longitude: number, latitude2: number, longitude2: number): boolean {
  let odd = false
  for (let i = 0; i < count; i++) {
    const e = among[i] as number
    const corner = side(edges, e, latitude, longitude2)
    if ((edges[e + 1] as number) > latitude !== (edges[e + 3] as number) > latitude && side(edges, e, latitude, longitude) !== corner) odd = !odd
    if ((edges[e] as number) > longitude2 !== (edges[e + 2] as number) > longitude2 && side(edges, e, latitude2, longitude2) !== corner) odd = !odd
  }
  return odd
}

/**
 * Where two edges of a ring cross, other than at their ends: longitude and latitude of a point on one of
 * them; null for a ring that does not cross itself. Edges in the order of their south ends, each held
 * against those that begin before it ends.
 */
export function crossingOf(ring: Ring): readonly [number, number] | null {
  const { edges } = makePolygon([ring])
  const count = edges.length / 4
  const order = new Int32Array(count)
  for (let i = 0; i < count; i++) order[i] = i * 4
  const south = (e: number): number => Math.min(edges[e + 1] as number, edges[e + 3] as number)
  order.sort((a, b) => south(a) - south(b))
  for (let i = 0; i < count; i++) {
    const e = order[i] as number
    const north = Math.max(edges[e + 1] as number, edges[e + 3] as number)
    for (let j = i + 1; j < count; j++) {
      const f = order[j] as number
      if (south(f) > north) break
      if (cross(edges, e, f)) return [edges[e] as number, edges[e + 1] as number]
    }
  }
  return null
}

/** Whether two edges cross inside both; edges that share an end, touch or lie on each other do not. */
function cross(edges: Float64Array, e: number, f: number): boolean {
  const ax = edges[e] as number
  const ay = edges[e + 1] as number
  const bx = edges[e + 2] as number
  const by = edges[e + 3] as number
  const cx = edges[f] as number
  const cy = edges[f + 1] as number
  const dx = edges[f + 2] as number
  const dy = edges[f + 3] as number
  if (Math.max(ax, bx) < Math.min(cx, dx) || Math.max(cx, dx) < Math.min(ax, bx)) return false
  const c = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
  const d = (bx - ax) * (dy - ay) - (by - ay) * (dx - ax)
  if (c * d >= 0) return false
  const a = (dx - cx) * (ay - cy) - (dy - cy) * (ax - cx)
  const b = (dx - cx) * (by - cy) - (dy - cy) * (bx - cx)
  return a * b < 0
}

/**
 * The centroid of an outer ring and its holes, whichever way they turn (the shoelace formula), and twice
 * their area in square degrees as its weight. For rings without an area, the mean of their points.
 */
export function centroidOf(rings: readonly Ring[]): { latitude: number; longitude: number; weight: number } {
  const x0 = rings[0]?.[0]?.[0] ?? 0
  const y0 = rings[0]?.[0]?.[1] ?? 0
  let sum = 0
  let x = 0
  let y = 0
  rings.forEach((ring, hole) => {
    let area = 0
    let rx = 0
    let ry = 0
    for (let i = 0; i < ring.length; i++) {
      const a = ring[i] ?? [0, 0]
      const b = ring[(i + 1) % ring.length] ?? [0, 0]
      const twice = (a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0)
      area += twice
      rx += (a[0] + b[0] - 2 * x0) * twice
      ry += (a[1] + b[1] - 2 * y0) * twice
    }
    // whichever way they turn: the outer ring counts, a hole takes away
    const sign = area > 0 === (hole === 0) ? 1 : -1
    sum += sign * area
    x += sign * rx
    y += sign * ry
  })
  if (sum > 0) return { latitude: y0 + y / (3 * sum), longitude: x0 + x / (3 * sum), weight: sum }
  const points = rings.flat()
  const mean = (axis: 0 | 1): number => points.reduce((total, point) => total + point[axis], 0) / Math.max(1, points.length)
  return { latitude: mean(1), longitude: mean(0), weight: 0 }
}
