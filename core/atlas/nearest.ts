const leaf_points = 8

/**
 * Positions in a balanced k-d tree (Bentley 1975) that is nothing but a permutation: the middle of each stretch parts
 * it, alternately by x and by y, as in kdbush.
 */
interface Nearest {
  readonly x: Float64Array
  readonly y: Float64Array
  readonly ids: Int32Array
}

export function indexPositions(x: Float64Array, y: Float64Array): Nearest {
  const ids = Int32Array.from(x, (_, id) => id)
  const part = (left: number, right: number, along: Float64Array, across: Float64Array): void => {
    if (right - left <= leaf_points) return
    const middle = (left + right) >> 1
    select(ids, along, left, right, middle)
    part(left, middle - 1, across, along)
    part(middle + 1, right, across, along)
  }
  part(0, ids.length - 1, x, y)
  return { x, y, ids }
}

/** Hoare's selection: afterwards `ids[middle]` is where a full sort by `along` would put it. */
function select(ids: Int32Array, along: Float64Array, left: number, right: number, middle: number): void {
  while (right > left) {
    const pivot = along[ids[middle] ?? 0] ?? 0
    let low = left
    let high = right
    while (low <= high) {
      while ((along[ids[low] ?? 0] ?? 0) < pivot) low++
      while ((along[ids[high] ?? 0] ?? 0) > pivot) high--
      if (low > high) break
      const id = ids[low] ?? 0
      ids[low++] = ids[high] ?? 0
      ids[high--] = id
    }
    if (high < middle) left = low
    if (low > middle) right = high
  }
}

/** Room for the answers of `nearest`, and the stretches still to be looked at (a balanced tree of 2^31 is 31 deep). */
interface Found {
  readonly ids: Int32Array
  readonly squared: Float64Array
  readonly stack: Float64Array
}

export function makeFound(most: number): Found {
  return { ids: new Int32Array(most), squared: new Float64Array(most), stack: new Float64Array(4 * 64) }
}

/**
 * The nearest positions, as many as `found` has room for, nearest first; of equally near ones those with lower ids.
 * @param except an id that is passed over, -1 for none
 * @returns how many there are
 */
export function nearest({ x, y, ids }: Nearest, toX: number, toY: number, found: Found, except = -1): number {
  const { stack } = found
  let count = 0
  let top = push(stack, 0, 0, ids.length - 1, 0, 0)
  while (top > 0) {
    top -= 4
    const left = stack[top] ?? 0
    const right = stack[top + 1] ?? 0
    const byY = stack[top + 2] ?? 0
    if (count === found.ids.length && (stack[top + 3] ?? 0) > (found.squared[count - 1] ?? 0)) continue
    if (right - left <= leaf_points) {
      for (let at = left; at <= right; at++) count = offer(found, count, x, y, ids[at] ?? 0, toX, toY, except)
      continue
    }
    const middle = (left + right) >> 1
    const id = ids[middle] ?? 0
    count = offer(found, count, x, y, id, toX, toY, except)
    const beyond = byY === 1 ? toY - (y[id] ?? 0) : toX - (x[id] ?? 0)
    // the near side lies on top, so that it is looked at first and shortens the far one
    if (beyond < 0) {
      top = push(stack, top, middle + 1, right, 1 - byY, beyond * beyond)
      top = push(stack, top, left, middle - 1, 1 - byY, 0)
    } else {
      top = push(stack, top, left, middle - 1, 1 - byY, beyond * beyond)
      top = push(stack, top, middle + 1, right, 1 - byY, 0)
    }
  }
  return count
}

function push(stack: Float64Array, top: number, left: number, right: number, byY: number, squared: number): number {
  stack[top] = left
  stack[top + 1] = right
  stack[top + 2] = byY
  stack[top + 3] = squared
  return top + 4
}

function offer(found: Found, count: number, x: Float64Array, y: Float64Array, id: number, toX: number, toY: number, except: number): number {
  if (id === except) return count
  const dx = toX - (x[id] ?? 0)
  const dy = toY - (y[id] ?? 0)
  const squared = dx * dx + dy * dy
  const full = count === found.ids.length
  if (full && !isNearer(squared, id, found.squared[count - 1] ?? 0, found.ids[count - 1] ?? 0)) return count
  let at = full ? count - 1 : count
  while (at > 0 && isNearer(squared, id, found.squared[at - 1] ?? 0, found.ids[at - 1] ?? 0)) {
    found.squared[at] = found.squared[at - 1] ?? 0
    found.ids[at] = found.ids[at - 1] ?? 0
    at--
  }
  found.squared[at] = squared
  found.ids[at] = id
  return full ? count : count + 1
}

const isNearer = (squared: number, id: number, thanSquared: number, thanId: number): boolean => squared < thanSquared || (squared === thanSquared && id < thanId)
