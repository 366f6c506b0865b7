import { Worker } from 'node:worker_threads'
import type { Grid } from '@kawal/core/atlas/edition.ts'
import { outOfReach, type PredictConfig, type SiteColumns } from '@kawal/core/atlas/predict.ts'
import type { Terrain } from '@kawal/core/geo/terrain.ts'

/** What a thread is handed: a share of the cells, and sites and terrain that all share. */
export interface PredictTask {
  readonly sites: SiteColumns
  readonly cells: Float64Array
  readonly resolution: number
  readonly terrain: Terrain
  readonly config: PredictConfig
}

/** Cells go out in parcels, since some shares of a nation have all the sites. */
const parcels_a_thread = 8

/**
 * Predicts a grid in threads of its own, cut into parcels of neighbours.
 * @param threads how many at a time; the result does not depend on it
 */
export async function predictGrid(grid: Grid, sites: SiteColumns, terrain: Terrain, config: PredictConfig, threads: number, progress: (share: number) => void): Promise<{ level_dbm: Float32Array; usable: Uint8Array }> {
  const count = grid.cells.length
  const level_dbm = new Float32Array(count).fill(NaN)
  const usable = new Uint8Array(count).fill(outOfReach)
  if (count === 0 || sites.latitude.length === 0) return { level_dbm, usable }
  const size = Math.max(1, Math.ceil(count / (threads * parcels_a_thread)))
  let next = 0
  let done = 0
  const work = async (): Promise<void> => {
    while (next < count) {
      const from = next
      const cells = grid.cells.slice(from, Math.min(count, from + size))
      next = from + cells.length
      const found = await inThread({ sites, cells, resolution: grid.resolution, terrain, config })
      level_dbm.set(found.level_dbm, from)
      usable.set(found.usable, from)
      done += cells.length
      progress(done / count)
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, threads) }, work))
  return { level_dbm, usable }
}

function inThread(task: PredictTask): Promise<{ level_dbm: Float32Array; usable: Uint8Array }> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./prediction-thread.ts', import.meta.url), { workerData: task })
    worker.once('message', (found: { level_dbm: Float32Array; usable: Uint8Array }) => resolve(found))
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`a thread of the prediction ended with ${code}`)))
  })
}
