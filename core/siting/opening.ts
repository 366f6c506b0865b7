import { assign } from './assignment.ts'

interface Opened {
  /** The column of each row, -1 for its own place. */
  readonly column_of: Int32Array
  /** What the assignment is worth, what opening costs taken off. */
  readonly value: number
  /** No assignment can be worth more; equal to `value` where this one is proven to be a best one. */
  readonly bound: number
}

const open = 1
const closed = 2

/** A part of the search: columns held open or closed, and what its parent could be worth at most. */
interface Branch { readonly state: Uint8Array; readonly bound: number }

/**
 * The best assignment where the first row in a column costs something: capacitated facility location, NP-hard in general.
 * Branch and bound: an undecided column's cost is spread over the rows it can hold, which makes the rest an assignment and its worth a bound
 * (as Efroymson and Ray 1966, Operations Research 14(3)); the column whose cost is least paid for is opened or closed next.
 * Exact in one assignment where nothing costs; else exact unless `branches_max` are used up, and then `bound` says how much may be missing.
 * @param worth as for `assign`, whole numbers
 * @param opening whole cost of each column's first row, 0 for a column that is in use already
 */
export function assignOpening(worth: Float64Array, rows: number, columns: number, capacity: Int32Array, opening: Float64Array, branches_max: number): Opened {
  let best: { readonly column_of: Int32Array; readonly value: number } = { column_of: new Int32Array(rows).fill(-1), value: 0 }
  const share = shares(worth, rows, columns, capacity, opening)
  const reduced = new Float64Array(rows * columns)
  const branches: Branch[] = [{ state: new Uint8Array(columns), bound: Infinity }]
  for (let used = 0; used < branches_max; used++) {
    const branch = branches.pop()
    if (branch === undefined) break
    if (branch.bound <= best.value) continue
    reduce(worth, reduced, branch.state, share)
    const column_of = assign(reduced, rows, columns, capacity)
    const { value, bound, least_paid } = judge(worth, reduced, columns, column_of, branch.state, share, opening)
    if (value > best.value) best = { column_of, value }
    if (bound <= best.value) continue
    for (const decision of [closed, open]) {
      const state = branch.state.slice()
      state[least_paid] = decision
      branches.push({ state, bound })
    }
  }
  return { ...best, bound: branches.reduce((most, branch) => Math.max(most, branch.bound), best.value) }
}

/** The least that a row in an undecided column has to pay of its opening: rounded down, it stays a bound and whole. */
function shares(worth: Float64Array, rows: number, columns: number, capacity: Int32Array, opening: Float64Array): Float64Array {
  const share = new Float64Array(columns)
  for (let c = 0; c < columns; c++) {
    let wanted = 0
    for (let r = 0; r < rows; r++) if ((worth[r * columns + c] ?? 0) > 0) wanted++
    share[c] = Math.floor((opening[c] ?? 0) / Math.max(1, Math.min(wanted, capacity[c] ?? 0)))
  }
  return share
}

function reduce(worth: Float64Array, reduced: Float64Array, state: Uint8Array, share: Float64Array): void {
  const columns = state.length
  for (let cell = 0; cell < worth.length; cell++) {
    const c = cell % columns
    reduced[cell] = state[c] === closed ? 0 : (worth[cell] ?? 0) - (state[c] === open ? 0 : (share[c] ?? 0))
  }
}

function judge(worth: Float64Array, reduced: Float64Array, columns: number, column_of: Int32Array, state: Uint8Array, share: Float64Array, opening: Float64Array): { value: number; bound: number; least_paid: number } {
  const held = new Int32Array(columns)
  let value = 0
  let bound = 0
  for (let r = 0; r < column_of.length; r++) {
    const c = column_of[r] ?? -1
    if (c < 0) continue
    held[c] = (held[c] ?? 0) + 1
    value += worth[r * columns + c] ?? 0
    bound += reduced[r * columns + c] ?? 0
  }
  let least_paid = -1
  let unpaid_max = 0
  for (let c = 0; c < columns; c++) {
    const cost = opening[c] ?? 0
    if (state[c] === open) bound -= cost
    if ((held[c] ?? 0) === 0) continue
    value -= cost
    const unpaid = cost - (held[c] ?? 0) * (share[c] ?? 0)
    if (state[c] === open || unpaid <= unpaid_max) continue
    unpaid_max = unpaid
    least_paid = c
  }
  return { value, bound, least_paid }
}
