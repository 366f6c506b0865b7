import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fitBlend, predictBlend, probabilityAbove, type Survey } from '@kawal/core/atlas/blend.ts'
import { blocksOf, foldsOf, partFold } from '@kawal/core/atlas/crossval.ts'
import { krige, weighInverseDistance } from '@kawal/core/atlas/kriging.ts'
import { degree_km } from '@kawal/core/geo/distance.ts'
import { Missing } from './missing.ts'

const suites = join(import.meta.dirname, '../../shared/suites')
const seeds = 10
const folds = 5
const block_km = 0.3
const trees = 80
/** Where the forecast probability is compared with what came: near the middle of all values. */
const threshold_db = 130

type Table = (column: string) => Float64Array

/** A table of numbers; quotes are taken off, what is no number is NaN. */
function readTable(path: string, keep: (line: string) => boolean = () => true): Table {
  if (!existsSync(path)) throw new Missing(`A suite is missing: ${path} is not there.`)
  const [header = '', ...lines] = readFileSync(path, 'utf8').replaceAll('"', '').trim().split(/\r?\n/)
  const names = header.split(',')
  const rows = lines.filter(keep).map((line) => line.split(','))
  return (column) => {
    const at = names.indexOf(column)
    if (at < 0) throw new Error(`${path} has no column ${column}`)
    return Float64Array.from(rows, (row) => Number(row[at]))
  }
}

const farthest = (found: Float64Array, expected: Float64Array): number => found.reduce((most, each, i) => Math.max(most, Math.abs(each - (expected[i] ?? NaN))), 0)

/** Largest absolute error against R gstat 2.1-0: log(zinc) of meuse, means from 4.8 to 7.5, variances from 0.06 to 0.5. */
function krigingError(): number {
  const meuse = readTable(join(suites, 'kriging/meuse.csv'))
  const grid = readTable(join(suites, 'kriging/meuse_grid_expected.csv'))
  const targets = { x: grid('x'), y: grid('y'), covariates: [grid('dist').map(Math.sqrt)] }
  const samples = { x: meuse('x'), y: meuse('y'), value: meuse('zinc').map(Math.log) }
  const spherical = { shape: 'spherical', nugget: 0.05, sill: 0.59, range: 897 } as const
  const ordinary = krige(samples, targets, spherical)
  const local = krige(samples, targets, spherical, { neighbours_max: 16 })
  const universal = krige({ ...samples, covariates: [meuse('dist').map(Math.sqrt)] }, targets, { shape: 'exponential', nugget: 0.05, sill: 0.2, range: 300 })
  return Math.max(
    farthest(ordinary.mean, grid('ok')), farthest(ordinary.variance, grid('ok_var')), farthest(local.mean, grid('ok16')), farthest(local.variance, grid('ok16_var')),
    farthest(universal.mean, grid('uk')), farthest(universal.variance, grid('uk_var')), farthest(weighInverseDistance(samples, targets), grid('idw2')),
  )
}

/**
 * The sites' own file is not needed, and its longitudes lost a digit: the points bring their geometry to the site with them.
 * One site's azimuth is wrong, so sine and cosine let its points say where it looks.
 */
const sites = ['BTS_01', 'BTS_02', 'BTS_03', 'BTS_04']
/** The corner that blocks are counted from, south-west of all points. */
const corner = { latitude: -8.09, longitude: -34.91 }
const radians = Math.PI / 180

/** One site's points: position, elevation, geometry to the site and the file's own terms of these; no measured loss is a feature. */
function readSurvey(site: string): Survey {
  const table = readTable(join(suites, 'pathloss/measurements.csv'), (line) => line.endsWith(site))
  const x_km = table('lon').map((each) => (each - corner.longitude) * degree_km * Math.cos(corner.latitude * radians))
  const y_km = table('lat').map((each) => (each - corner.latitude) * degree_km)
  const sine = table('horAngle').map((each) => Math.sin(each * radians))
  const cosine = table('horAngle').map((each) => Math.cos(each * radians))
  return {
    x_km, y_km, value_db: table('PLreal'),
    trend: [table('dist').map(Math.log10), table('attHor'), sine, cosine],
    features: [x_km, y_km, table('elev'), table('dist'), table('horAngle'), sine, cosine, table('vertAngle'), table('PLhata'), table('attHor'), table('attVer')],
  }
}

interface Validation {
  readonly rmse_db: number
  /** Share of points in their 90 % interval. */
  readonly inside: number
  /** Share of points above the threshold, as forecast and as measured. */
  readonly forecast: number
  readonly seen: number
}

/** Each fold is predicted by what the others taught. */
function validate(survey: Survey, foldOf: Uint8Array, seed: number): Validation {
  let squares = 0
  let within = 0
  let forecast = 0
  let seen = 0
  for (let fold = 0; fold < folds; fold++) {
    const { inside, outside } = partFold(foldOf, fold)
    const blend = fitBlend(survey, outside, { seed, block_km, trees })
    const { mean_db, sd_db, low_db, high_db } = predictBlend(blend, survey, inside)
    inside.forEach((row, at) => {
      const value = survey.value_db[row] ?? 0
      squares += (value - (mean_db[at] ?? 0)) ** 2
      within += Number(value >= (low_db[at] ?? 0) && value <= (high_db[at] ?? 0))
      forecast += probabilityAbove(blend, mean_db[at] ?? 0, sd_db[at] ?? 0, threshold_db)
      seen += Number(value > threshold_db)
    })
  }
  const points = foldOf.length
  return { rmse_db: Math.sqrt(squares / points), inside: within / points, forecast: forecast / points, seen: seen / points }
}

const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length
const rounded = (value: number): number => Math.round(value * 1000) / 1000

/** Kriging against R gstat, and the fusion on four measured GSM sites of Recife, held out in whole 300 m blocks, then in random folds. */
export async function run(): Promise<{ ok: boolean; figures: Record<string, number>; seed: number }> {
  const kriging_error_max = krigingError()
  const blocked: number[] = []
  const scattered: number[] = []
  const inside: number[] = []
  for (const site of sites) {
    const survey = readSurvey(site)
    const blocks = blocksOf(survey.x_km, survey.y_km, block_km)
    for (let seed = 1; seed <= seeds; seed++) {
      const block = validate(survey, foldsOf(blocks, folds, seed), seed)
      const scatter = validate(survey, foldsOf(blocks.map((_, i) => i), folds, seed), seed)
      blocked.push(block.rmse_db)
      inside.push(block.inside)
      scattered.push(scatter.rmse_db)
      process.stderr.write(`${site} seed ${seed}: blocks ${block.rmse_db.toFixed(2)} dB (${(100 * block.inside).toFixed(1)} % inside; over ${threshold_db} dB: ${(100 * block.forecast).toFixed(1)} % forecast, ${(100 * block.seen).toFixed(1)} % seen), random ${scatter.rmse_db.toFixed(2)} dB\n`)
    }
  }
  const figures = { rmse_db_block_300m: rounded(mean(blocked)), rmse_db_random: rounded(mean(scattered)), interval_90_share: rounded(mean(inside)), kriging_error_max }
  const ok = figures.rmse_db_block_300m <= 6.7 && figures.interval_90_share >= 0.85 && figures.interval_90_share <= 0.95 && kriging_error_max <= 1e-6
  return { ok, figures, seed: 1 }
}
