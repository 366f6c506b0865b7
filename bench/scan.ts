import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { scanRetrospective, type ScanLocations } from '@kawal/core/detection/kulldorff.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { Missing } from './missing.ts'

const suite = join(import.meta.dirname, '../../shared/suites/satscan')
const seed = 1

interface Listed { readonly members: readonly number[]; readonly population: number; readonly cases: number; readonly llr: number; readonly p: number }

function read(file: string): string {
  const path = join(suite, file)
  if (!existsSync(path)) throw new Missing(`SaTScan's analysis of New York is missing: ${path} is not there.`)
  return readFileSync(path, 'utf8').replaceAll('\r', '')
}

/** A column of a file whose lines begin with a location's number, in the order of the numbers. */
function column(file: string, at: number): Float64Array {
  const rows = read(file).trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number))
  if (rows.some((row, index) => row[0] !== index + 1 || !Number.isFinite(row[at]))) throw new Error(`${file}: a line that is not read`)
  return Float64Array.from(rows, (row) => row[at] ?? NaN)
}

/** The clusters as SaTScan printed them; its first location is the centre. */
function listed(text: string): Listed[] {
  const value = (part: string, name: string): number => Number(new RegExp(`${name}\\.*: ([\\d.]+)`).exec(part)?.[1])
  return text.split(/^\d+\.Location IDs included\.: /m).slice(1).map((part) => ({
    members: (part.split('Coordinates')[0] ?? '').split(',').map(Number),
    population: value(part, 'Population'), cases: value(part, 'Number of cases'), llr: value(part, 'Log likelihood ratio'), p: value(part, 'P-value'),
  }))
}

/**
 * Kulldorff's scan against SaTScan 9.6: leukaemia in upstate New York, at most 10 % of the population a cluster.
 * `clusters` counts those found in the same order with the same centre, members, population and cases. SaTScan lists
 * what was stronger than the weakest of its 999 drawings, and so do we; after its seventh that depends on the seed.
 */
export function run(): Promise<{ ok: boolean; figures: Record<string, number>; seed: number }> {
  const output = read('satscan_ny_out.txt')
  const share_max = Number(/Maximum Spatial Cluster Size : (\d+) percent/.exec(output)?.[1]) / 100
  const population = column('satscan_ny_pop.txt', 2)
  const locations: ScanLocations = {
    axes: [column('satscan_ny_coords.txt', 1), column('satscan_ny_coords.txt', 2)], population, expected: population, cases: Int32Array.from(column('satscan_ny_cases.txt', 1)),
  }
  const theirs = listed(output)
  const started = performance.now()
  const ours = scanRetrospective(locations, { share_max, cases_min: 2, replications: 999, random: seeded(seed), clump: 1 }).clusters
  const seconds = (performance.now() - started) / 1000
  const isSame = (rank: number): boolean => {
    const [found, wanted] = [ours[rank], theirs[rank]]
    // ours and theirs stand in the order of their distance from the centre
    return found !== undefined && wanted !== undefined && found.population === wanted.population && found.cases === wanted.cases &&
      [...found.members].map((at) => at + 1).join() === wanted.members.join()
  }
  const differences = (of: (rank: number, wanted: Listed) => number): number => Math.max(...theirs.map((wanted, rank) => of(rank, wanted)))
  const figures = {
    listed: theirs.length, clusters: theirs.filter((_, rank) => isSame(rank)).length,
    llr_error_max: differences((rank, { llr }) => Math.abs((ours[rank]?.llr ?? Infinity) - llr)), p_difference_max: differences((rank, { p }) => Math.abs((ours[rank]?.p ?? Infinity) - p)),
    further_clusters: ours.length - theirs.length, further_llr_max: ours[theirs.length]?.llr ?? 0, seconds_of_999_drawings: seconds,
  }
  // two ranks among 999 differ by chance with a standard deviation of at most 0.023
  const ok = figures.listed === 7 && figures.clusters === 7 && figures.llr_error_max <= 5e-7 && figures.p_difference_max <= 0.08 && figures.further_llr_max < 3
  return Promise.resolve({ ok, figures, seed })
}
