import { degree_km } from './distance.ts'

/**
 * A kd-tree (Bentley 1975) over unit vectors, balanced and implicit: a range of places is a leaf, or has
 * its median in its middle and the two halves beside it. A chord grows with its great circle, so what is
 * nearest in space is nearest on the sphere, across the date line and the poles too.
 */
interface NearestTree {
  /** x, y, z of each place, in the tree's order. */
  readonly vectors: Float64Array
  /** The number that the maker's columns gave the point at each place. */
  readonly points: Int32Array
  /** For the middle of each range: the axis that parts its halves. */
  readonly axes: Uint8Array
}

/** For each query `k` slots, nearest first; a slot without a point holds -1 and Infinity. */
interface Nearest { readonly index: Int32Array; readonly distance_km: Float64Array }

/** Four to sixteen are equally quick on 4,663 points and 815,796 queries around villages; two is slower. */
const leaf_places_max = 8
/** Halving an Int32Array's length ends before this, and each level leaves at most one half to come back to. */
const depth_max = 32
/** Chords of unit vectors are exact to some 1e-16; 1e-12 is 6 micrometres on the ground. */
const rounding = 1e-12
const radian = Math.PI / 180

/**
 * @param latitudes degrees
 * @param longitudes degrees, as many
 * @param members the points that may be found (say, the working ones); all when left out
 */
export function makeNearestTree(latitudes: Float64Array, longitudes: Float64Array, members?: Int32Array): NearestTree {
  if (latitudes.length !== longitudes.length) throw new Error(`${latitudes.length} latitudes and ${longitudes.length} longitudes`)
  const points = members === undefined ? Int32Array.from(latitudes, (_, point) => point) : Int32Array.from(members)
  const vectors = new Float64Array(points.length * 3)
  points.forEach((point, place) => writeVector(vectors, place * 3, latitudes[point] ?? NaN, longitudes[point] ?? NaN))
  const tree: NearestTree = { vectors, points, axes: new Uint8Array(points.length) }
  const open = [0, points.length - 1]
  for (let right = open.pop(), left = open.pop(); right !== undefined && left !== undefined; right = open.pop(), left = open.pop()) {
    if (right - left < leaf_places_max) continue
    const middle = (left + right) >> 1
    const axis = widestAxis(vectors, left, right)
    tree.axes[middle] = axis
    select(tree, left, right, middle, axis)
    open.push(left, middle - 1, middle + 1, right)
  }
  return tree
}

function writeVector(vectors: Float64Array, at: number, latitude: number, longitude: number): void {
  const across = Math.cos(latitude * radian)
  vectors[at] = across * Math.cos(longitude * radian)
  vectors[at + 1] = across * Math.sin(longitude * radian)
  vectors[at + 2] = Math.sin(latitude * radian)
}

function widestAxis(vectors: Float64Array, left: number, right: number): number {
  let [widest, widest_extent] = [0, -1]
  for (let axis = 0; axis < 3; axis++) {
    let [low, high] = [Infinity, -Infinity]
    for (let place = left; place <= right; place++) {
      const value = vectors[place * 3 + axis] ?? 0
      if (value < low) low = value
      if (value > high) high = value
    }
    if (high - low > widest_extent) [widest, widest_extent] = [axis, high - low]
  }
  return widest
}

/** Hoare's selection: `middle` gets the place it would have if the range were sorted along the axis. */
function select(tree: NearestTree, left: number, right: number, middle: number, axis: number): void {
  const { vectors } = tree
  while (left < right) {
    const pivot = vectors[((left + right) >> 1) * 3 + axis] ?? 0
    let [low, high] = [left, right]
    while (low <= high) {
      while ((vectors[low * 3 + axis] ?? 0) < pivot) low++
      while ((vectors[high * 3 + axis] ?? 0) > pivot) high--
      if (low <= high) swap(tree, low++, high--)
    }
    if (middle <= high) right = high
    else if (middle >= low) left = low
    else return
  }
}

function swap({ vectors, points }: NearestTree, a: number, b: number): void {
  for (let axis = 0; axis < 3; axis++) {
    const value = vectors[a * 3 + axis] ?? 0
    vectors[a * 3 + axis] = vectors[b * 3 + axis] ?? 0
    vectors[b * 3 + axis] = value
  }
  const point = points[a] ?? 0
  points[a] = points[b] ?? 0
  points[b] = point
}

/** What one search leaves for the next and never allocates again. */
interface Search {
  /** Where was searched last, as a unit vector. */
  readonly query: Float64Array
  /** Halves still to be looked at: left, right, and the square of the chord to the plane before them. */
  readonly ranges: Int32Array
  readonly gaps: Float64Array
  /** The found ones, nearest first: places in the tree and squares of chords. */
  readonly places: Int32Array
  readonly chords: Float64Array
}

/**
 * The nearest point of each query, by exact chord; of equally near ones the one with the lowest number.
 * Queries that follow each other in space are quicker: each starts from the search before it.
 * @param latitudes degrees, one a query
 * @returns point numbers (-1: the tree is empty) and great-circle distances in km on the mean sphere
 */
export function nearestAll(tree: NearestTree, latitudes: Float64Array, longitudes: Float64Array): Nearest {
  return nearestSome(tree, latitudes, longitudes, 1)
}

/** As `nearestAll` with the `k` nearest points of each query: slot `query * k + rank`. */
export function nearestSome(tree: NearestTree, latitudes: Float64Array, longitudes: Float64Array, k: number): Nearest {
  if (latitudes.length !== longitudes.length) throw new Error(`${latitudes.length} latitudes and ${longitudes.length} longitudes`)
  if (!Number.isInteger(k) || k < 1) throw new Error(`the ${k} nearest points are no search`)
  const index = new Int32Array(latitudes.length * k)
  const distance_km = new Float64Array(latitudes.length * k)
  // One more than asked for, whose lead tells how far away the answer holds.
  const wanted = k === 1 ? 2 : k
  const search: Search = {
    query: new Float64Array(3).fill(NaN), ranges: new Int32Array(2 * depth_max), gaps: new Float64Array(depth_max),
    places: new Int32Array(wanted).fill(-1), chords: new Float64Array(wanted).fill(Infinity),
  }
  const vector = new Float64Array(3)
  for (let at = 0; at < latitudes.length; at++) {
    writeVector(vector, 0, latitudes[at] ?? NaN, longitudes[at] ?? NaN)
    const moved = Math.sqrt(chordSquared(vector, 0, search.query))
    const holds = k === 1 && 2 * moved + rounding < Math.sqrt(search.chords[1] ?? 0) - Math.sqrt(search.chords[0] ?? 0)
    if (!holds) searchFrom(tree, search, vector, moved)
    for (let rank = 0; rank < k; rank++) {
      const place = search.places[rank] ?? -1
      index[at * k + rank] = place < 0 ? -1 : (tree.points[place] ?? -1)
      distance_km[at * k + rank] = place < 0 ? Infinity : arc_km(holds ? chordSquared(tree.vectors, place * 3, vector) : (search.chords[rank] ?? 0))
    }
  }
  return { index, distance_km }
}

function chordSquared(vectors: Float64Array, at: number, query: Float64Array): number {
  const dx = (vectors[at] ?? 0) - (query[0] ?? 0)
  const dy = (vectors[at + 1] ?? 0) - (query[1] ?? 0)
  const dz = (vectors[at + 2] ?? 0) - (query[2] ?? 0)
  return dx * dx + dy * dy + dz * dz
}

function arc_km(chord_squared: number): number {
  return (2 * Math.asin(Math.min(1, Math.sqrt(chord_squared) / 2)) / radian) * degree_km
}

/**
 * By the triangle inequality the k-th nearest is no farther than the k-th of the last search plus the way from
 * there. A half is passed over only when its plane lies strictly farther than the k-th found: rounding is
 * monotone, so the computed square of one offset never exceeds the computed sum of squares behind it, and ties
 * survive.
 */
function searchFrom(tree: NearestTree, search: Search, vector: Float64Array, moved: number): void {
  const { vectors, points, axes } = tree
  const { query, ranges, gaps, places, chords } = search
  const reach = Math.sqrt(chords.at(-1) ?? Infinity) + moved + rounding
  query.set(vector)
  places.fill(-1)
  // NaN: there was no last search.
  chords.fill(reach >= 0 ? reach * reach : Infinity)
  const worst = chords.length - 1
  ranges[0] = 0
  ranges[1] = points.length - 1
  gaps[0] = 0
  for (let depth = 1; depth > 0;) {
    depth--
    if ((gaps[depth] ?? 0) > (chords[worst] ?? 0)) continue
    let left = ranges[2 * depth] ?? 0
    let right = ranges[2 * depth + 1] ?? 0
    while (left <= right) {
      const leaf = right - left < leaf_places_max
      const middle = (left + right) >> 1
      const last = leaf ? right : middle
      for (let place = leaf ? left : middle; place <= last; place++) {
        const chord = chordSquared(vectors, place * 3, query)
        if (chord <= (chords[worst] ?? 0)) offer(points, places, chords, place, chord)
      }
      if (leaf) break
      const axis = axes[middle] ?? 0
      const offset = (query[axis] ?? 0) - (vectors[middle * 3 + axis] ?? 0)
      ranges[2 * depth] = offset < 0 ? middle + 1 : left
      ranges[2 * depth + 1] = offset < 0 ? right : middle - 1
      gaps[depth++] = offset * offset
      if (offset < 0) right = middle - 1
      else left = middle + 1
    }
  }
}

/** Puts a place among the found ones, in order, where it is near enough. */
function offer(points: Int32Array, places: Int32Array, chords: Float64Array, place: number, chord: number): void {
  const point = points[place] ?? 0
  let rank = chords.length
  for (; rank > 0; rank--) {
    const before = chords[rank - 1] ?? 0
    const other = places[rank - 1] ?? -1
    if (chord > before || (chord === before && other >= 0 && point > (points[other] ?? 0))) break
    if (rank === chords.length) continue
    chords[rank] = before
    places[rank] = other
  }
  if (rank === chords.length) return
  chords[rank] = chord
  places[rank] = place
}
