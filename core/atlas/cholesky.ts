/**
 * A pivot that falls below this share of its diagonal belongs to a row that the ones before it already
 * explain: rounding of a few thousand operations stays under it, and a real sample stays above.
 */
const pivot_share_min = 1e-11

/**
 * Cholesky's factor L of a symmetric positive semi-definite matrix, in place: A = L L^T (Golub and Van Loan 2013,
 * algorithm 4.2.1). Rows that depend on earlier ones get the pivot 0 and take no part in a solution, so
 * a singular matrix has a defined answer.
 *
 * Rows below `size` are carried along: row r of them becomes the solution z of L z = (that row), which is what
 * prediction wants of right-hand sides.
 * @param a lower triangle by rows, `stride` numbers a row
 * @param size rows and columns of the matrix
 * @param rows `size` and the right-hand sides below
 * @returns the rank
 */
export function factor(a: Float64Array, stride: number, size: number, rows: number): number {
  let rank = 0
  for (let first = 0; first < rows; first += 4) {
    const last = Math.min(first + 4, rows)
    const left = Math.min(first, size)
    if (last - first === 4) solveFourRows(a, stride, first, left)
    else for (let i = first; i < last; i++) solveRow(a, stride, i, 0, left)
    for (let i = first; i < last; i++) {
      solveRow(a, stride, i, left, Math.min(i, size))
      if (i < size && takeRoot(a, stride, i)) rank++
    }
  }
  return rank
}

/** Row i of the factor in the columns from `from` to before `to`. */
function solveRow(a: Float64Array, stride: number, i: number, from: number, to: number): void {
  const row = i * stride
  for (let j = from; j < to; j++) {
    const other = j * stride
    const pivot = a[other + j] ?? 0
    let sum = a[row + j] ?? 0
    for (let k = 0; k < j; k++) sum -= (a[row + k] ?? 0) * (a[other + k] ?? 0)
    a[row + j] = pivot > 0 ? sum / pivot : 0
  }
}

/** Four rows at once: their sums do not wait for each other, and share what they read (twice as fast at 32 rows). */
function solveFourRows(a: Float64Array, stride: number, first: number, to: number): void {
  const r0 = first * stride
  const r1 = r0 + stride
  const r2 = r1 + stride
  const r3 = r2 + stride
  for (let j = 0; j < to; j++) {
    const other = j * stride
    const pivot = a[other + j] ?? 0
    let s0 = a[r0 + j] ?? 0
    let s1 = a[r1 + j] ?? 0
    let s2 = a[r2 + j] ?? 0
    let s3 = a[r3 + j] ?? 0
    for (let k = 0; k < j; k++) {
      const b = a[other + k] ?? 0
      s0 -= (a[r0 + k] ?? 0) * b
      s1 -= (a[r1 + k] ?? 0) * b
      s2 -= (a[r2 + k] ?? 0) * b
      s3 -= (a[r3 + k] ?? 0) * b
    }
    const inverse = pivot > 0 ? 1 / pivot : 0
    a[r0 + j] = s0 * inverse
    a[r1 + j] = s1 * inverse
    a[r2 + j] = s2 * inverse
    a[r3 + j] = s3 * inverse
  }
}

/** The diagonal of row i; 0 for a row that the earlier ones explain. */
function takeRoot(a: Float64Array, stride: number, i: number): boolean {
  const row = i * stride
  const diagonal = a[row + i] ?? 0
  let rest = diagonal
  for (let k = 0; k < i; k++) rest -= (a[row + k] ?? 0) ** 2
  const free = rest > pivot_share_min * diagonal
  a[row + i] = free ? Math.sqrt(rest) : 0
  return free
}

/** Solves L z = b in place for a factor of `factor`; `b` starts at `at`. */
export function solveLower(l: Float64Array, stride: number, size: number, b: Float64Array, at: number): void {
  for (let i = 0; i < size; i++) {
    const row = i * stride
    const pivot = l[row + i] ?? 0
    let sum = b[at + i] ?? 0
    for (let k = 0; k < i; k++) sum -= (l[row + k] ?? 0) * (b[at + k] ?? 0)
    b[at + i] = pivot > 0 ? sum / pivot : 0
  }
}

/** Solves L^T x = b in place for a factor of `factor`; rows without a pivot get 0. */
export function solveUpper(l: Float64Array, stride: number, size: number, b: Float64Array): void {
  for (let i = size - 1; i >= 0; i--) {
    const pivot = l[i * stride + i] ?? 0
    const value = pivot > 0 ? (b[i] ?? 0) / pivot : 0
    b[i] = value
    for (let k = 0; k < i; k++) b[k] = (b[k] ?? 0) - (l[i * stride + k] ?? 0) * value
  }
}
