/**
 * The best assignment of rows (stations) to columns (venues) that hold several rows each; a row may also keep its own place, which is worth
 * nothing. Exact: rows are added one by one along shortest augmenting paths with prices (successive shortest paths: Edmonds and Karp 1972,
 * Tomizawa 1971; row by row as Jonker and Volgenant 1987), at most about rows x columns x (rows + columns) steps.
 * Equal assignments are told apart by the order of rows and columns alone, so the same input gives the same answer.
 * @param worth rows x columns, row by row; whole numbers, so that sums are exact; a row may take a column only where it is above 0
 * @param capacity rows that each column holds
 * @returns the column of each row, -1 for its own place
 */
export function assign(worth: Float64Array, rows: number, columns: number, capacity: Int32Array): Int32Array {
  const column_of = new Int32Array(rows).fill(-1)
  const held = new Int32Array(columns)
  /** What a row has to beat to get into a column: 0 while there is room. */
  const price = new Float64Array(columns)
  /** What a row has beyond the price it pays. */
  const profit = new Float64Array(rows)
  const loss = new Float64Array(columns)
  const taker = new Int32Array(columns)
  const settled = new Uint8Array(columns)
  for (let root = 0; root < rows; root++) {
    loss.fill(Infinity)
    settled.fill(0)
    let best = 0
    for (let c = 0; c < columns; c++) if ((worth[root * columns + c] ?? 0) > 0) best = Math.max(best, (worth[root * columns + c] ?? 0) - (price[c] ?? 0))
    profit[root] = best
    relax(worth, columns, price, settled, loss, taker, root, 0, best)
    // The cheapest way out so far: a row that goes back to its own place.
    let leaver = root
    let total = best
    let end = -1
    while (end < 0) {
      let next = -1
      for (let c = 0; c < columns; c++) if (settled[c] === 0 && (loss[c] ?? 0) < (next < 0 ? Infinity : (loss[next] ?? 0))) next = c
      if (next < 0 || (loss[next] ?? 0) > total) break
      const so_far = loss[next] ?? 0
      if ((held[next] ?? 0) < (capacity[next] ?? 0)) {
        end = next
        total = so_far
        break
      }
      settled[next] = 1
      for (let r = 0; r < root; r++) {
        if (column_of[r] !== next) continue
        if (so_far + (profit[r] ?? 0) < total) {
          total = so_far + (profit[r] ?? 0)
          leaver = r
        }
        relax(worth, columns, price, settled, loss, taker, r, so_far, profit[r] ?? 0)
      }
    }
    for (let c = 0; c < columns; c++) if (settled[c] === 1 && (loss[c] ?? 0) < total) price[c] = (price[c] ?? 0) + total - (loss[c] ?? 0)
    if (end >= 0) held[end] = (held[end] ?? 0) + 1
    else {
      end = column_of[leaver] ?? -1
      column_of[leaver] = -1
    }
    while (end >= 0) {
      const row = taker[end] ?? 0
      const left = column_of[row] ?? -1
      column_of[row] = end
      end = left
    }
    for (let r = 0; r <= root; r++) {
      const c = column_of[r] ?? -1
      profit[r] = c < 0 ? 0 : (worth[r * columns + c] ?? 0) - (price[c] ?? 0)
    }
  }
  return column_of
}

/** What is lost, all along the path, when this row leaves where it is for each column. */
function relax(worth: Float64Array, columns: number, price: Float64Array, settled: Uint8Array, loss: Float64Array, taker: Int32Array, row: number, so_far: number, profit: number): void {
  for (let c = 0; c < columns; c++) {
    const own = worth[row * columns + c] ?? 0
    if (own <= 0 || settled[c] === 1) continue
    const lost = so_far + profit - own + (price[c] ?? 0)
    if (lost >= (loss[c] ?? 0)) continue
    loss[c] = lost
    taker[c] = row
  }
}
