import assert from 'node:assert/strict'
import { test } from 'node:test'
import { centreOf, keyAt, resolution_national as resolution } from '../geo/cells.ts'
import { distance_km } from '../geo/distance.ts'
import { profile, type Raster, type Terrain } from '../geo/terrain.ts'
import { seeded } from '../kernel/random.ts'
import { sectorGain_db } from './antenna.ts'
import { pointToPoint } from './itm/itm.ts'
import { makePath } from './itm/path.ts'
import { makeSiteColumns, outOfReach, predict, type PredictConfig, predictDefaults, type SiteColumns } from './predict.ts'

/** Hills of some hundred metres a few kilometres apart, over one degree, 463 m a sample. */
function hills(): Raster {
  const side = 241
  const samples_m = new Int16Array(side * side)
  for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) samples_m[y * side + x] = Math.round(400 + 250 * Math.sin(x / 4) * Math.cos(y / 5) + 120 * Math.sin((x + 2 * y) / 9))
  return {
    projection: 'geographic', registration: 'node', west: 110, north: -7, tilesEast: 1, tilesSouth: 1, columns: 1, rows: 1, starts: Int32Array.of(0),
    widths: Int32Array.of(side), heights: Int32Array.of(side), samples_m, unknown: -32768, resolution_m: 463,
  }
}

function cellsAround(south: number, west: number, span_deg: number): Float64Array {
  const keys = new Set<number>()
  for (let y = 0; y < span_deg; y += 0.004) for (let x = 0; x < span_deg; x += 0.004) keys.add(keyAt(south + y, west + x, resolution))
  return Float64Array.from(keys).sort()
}

function scattered(count: number, seed: number): SiteColumns {
  const random = seeded(seed)
  const sites = makeSiteColumns(count)
  for (let i = 0; i < count; i++) {
    sites.latitude[i] = -7.9 + 0.6 * random()
    sites.longitude[i] = 110.1 + 0.6 * random()
    if (i % 3 === 0) sites.azimuth_deg[i] = 360 * random()
    if (i % 4 === 0) sites.eirp_dbm[i] = 20 + 15 * random()
    if (i % 5 === 0) sites.range_km[i] = 2 + 12 * random()
    if (i % 7 === 0) sites.height_m[i] = 10 + 60 * random()
  }
  return sites
}

/** Phi by Simpson's rule. */
function phi(z: number): number {
  if (z < -8) return 0
  const steps = 2000
  let sum = 0
  for (let i = 0; i <= steps; i++) sum += Math.exp(-0.5 * (-8 + ((z + 8) * i) / steps) ** 2) * (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2)
  return Math.min(1, (sum * (z + 8)) / steps / 3 / Math.sqrt(2 * Math.PI))
}

/** Every row against every cell, nothing skipped. */
function slow(sites: SiteColumns, cells: Float64Array, terrain: Terrain, config: PredictConfig): { level_dbm: number; half: number }[] {
  const path = makePath()
  const or = (value: number | undefined, otherwise: number): number => (value === undefined || Number.isNaN(value) ? otherwise : value)
  return [...cells].map((key) => {
    const place = centreOf(key, resolution)
    let level_dbm = NaN
    sites.latitude.forEach((latitude, i) => {
      const site = { latitude, longitude: sites.longitude[i] ?? NaN }
      const away_km = distance_km(site, place)
      if (away_km > or(sites.range_km[i], config.range_km)) return
      const intervals = Math.min(Math.max(Math.ceil(Math.max(away_km, 0.1) / 0.463), 4), config.intervals_max)
      const elevations_m = new Float64Array(intervals + 1)
      profile(terrain, site.latitude, site.longitude, place.latitude, place.longitude, intervals, elevations_m, 0)
      const link = { ...config, tx_m: or(sites.height_m[i], config.height_m), rx_m: config.receiver_m, variability: 3 }
      const loss = pointToPoint(path, link, { kind: 'tls', time: 50, location: 50, situation: 50 }, elevations_m, 0, intervals, (Math.max(away_km, 0.1) * 1000) / intervals)
      if (!loss.ok) assert.fail(loss.error)
      const east = (place.longitude - site.longitude) * Math.cos((place.latitude * Math.PI) / 180)
      const bearing = (Math.atan2(east, place.latitude - site.latitude) * 180) / Math.PI
      const fall = (Math.atan2((elevations_m[0] ?? 0) + link.tx_m - (elevations_m[intervals] ?? 0) - link.rx_m, away_km * 1000) * 180) / Math.PI
      const gain = sectorGain_db({ azimuth_deg: sites.azimuth_deg[i] ?? NaN, beamwidth_deg: 70, tilt_deg: config.tilt_deg }, bearing, fall)
      const here = or(sites.eirp_dbm[i], config.eirp_dbm) + gain - loss.value.loss_db - config.losses_db
      if (!(here <= level_dbm)) level_dbm = here
    })
    return { level_dbm, half: Number.isNaN(level_dbm) ? outOfReach : Math.round(200 * phi((level_dbm - config.threshold_dbm) / config.sigma_db)) }
  })
}

test('what is skipped changes no cell: a twin that tries every row against every cell, over hills', () => {
  const terrain = [hills()]
  const config = { ...predictDefaults('lte'), mast_km: 0 }
  const cells = cellsAround(-7.7, 110.2, 0.16)
  const sites = scattered(40, 11)
  const fast = predict(sites, cells, resolution, terrain, config)
  const twin = slow(sites, cells, terrain, config)
  assert.ok(cells.length > 300)
  let settled = 0
  twin.forEach(({ level_dbm, half }, i) => {
    const usable = fast.usable[i] ?? NaN
    assert.ok(Math.abs(usable - half) <= 1, `${i}: ${usable} and ${half}`)
    if (half < 200) assert.ok(Math.abs((fast.level_dbm[i] ?? NaN) - level_dbm) < 0.1 || (Number.isNaN(level_dbm) && Number.isNaN(fast.level_dbm[i])), `${i}: ${fast.level_dbm[i]} and ${level_dbm}`)
    else settled++
  })
  const spread = new Set(twin.map(({ half }) => half))
  assert.ok(spread.size > 50 && settled > 0 && settled < cells.length / 2, `${spread.size} values, ${settled} settled`)
})

test('a mast reaches as far as its range, whichever squares lie between; beyond it nothing is claimed', () => {
  const sites = makeSiteColumns(60)
  const random = seeded(21)
  for (let i = 0; i < 60; i++) {
    sites.latitude[i] = -8 + 2 * random()
    sites.longitude[i] = 110 + 2 * random()
    sites.range_km[i] = i % 2 === 0 ? 4 : 15
  }
  const cells = cellsAround(-8.3, 109.7, 2.6).filter((_, i) => i % 17 === 0)
  const { usable, level_dbm, skipped } = predict(sites, cells, resolution, [], predictDefaults('lte'))
  assert.equal(skipped, 0)
  let reached = 0
  cells.forEach((key, i) => {
    const place = centreOf(key, resolution)
    // by how much the nearest edge of a range is passed, in km; within 20 m of it anything goes
    let inside_km = -Infinity
    sites.latitude.forEach((latitude, s) => (inside_km = Math.max(inside_km, (sites.range_km[s] ?? 0) - distance_km(place, { latitude, longitude: sites.longitude[s] ?? NaN }))))
    if (Math.abs(inside_km) > 0.02) assert.equal(usable[i] === outOfReach, inside_km < 0, `${inside_km} km`)
    assert.equal(Number.isNaN(level_dbm[i]), usable[i] === outOfReach)
    if (inside_km > 0) reached++
  })
  assert.ok(reached > 500 && reached < cells.length - 500, `${reached} of ${cells.length}`)
})

test('rows within a mast are one path with several antennas; the strongest antenna of a direction serves', () => {
  const cells = cellsAround(-7.53, 110.47, 0.06)
  const config = predictDefaults('lte')
  const three = makeSiteColumns(4)
  three.latitude.set([-7.5, -7.5003, -7.5002, -7.5])
  three.longitude.set([110.5, 110.5002, 110.4999, 110.5])
  three.azimuth_deg.set([0, 120, 240, 0])
  three.eirp_dbm.set([30, 30, 30, 10])
  const one = makeSiteColumns(1)
  one.latitude.set([-7.5])
  one.longitude.set([110.5])
  one.eirp_dbm.set([30])
  const sectored = predict(three, cells, resolution, [hills()], config)
  const round = predict(one, cells, resolution, [hills()], config)
  let least = 0
  cells.forEach((_, i) => {
    const worse = (round.level_dbm[i] ?? NaN) - (sectored.level_dbm[i] ?? NaN)
    // between two of three sectors, 60 degrees off, 8.8 dB of the pattern are missing; vertically at most 20
    assert.ok(worse > -1e-4 && worse < 25, `${worse}`)
    least = Math.max(least, worse)
  })
  assert.ok(least > 6, `${least}`)
})

test('antennas of different heights, frequencies or ranges on one place stay apart', () => {
  const cells = cellsAround(-7.6, 110.4, 0.2)
  const config = predictDefaults('lte')
  const levels = (height_m: readonly number[], frequency_mhz: readonly number[], range_km: readonly number[]): Float32Array => {
    const sites = makeSiteColumns(height_m.length)
    sites.latitude.fill(-7.5)
    sites.longitude.fill(110.5)
    sites.height_m.set(height_m)
    sites.frequency_mhz.set(frequency_mhz)
    sites.range_km.set(range_km)
    return predict(sites, cells, resolution, [hills()], config).level_dbm
  }
  for (const [height_m, frequency_mhz, range_km] of [[[10, 70], [1800, 1800], [9, 9]], [[32, 32], [2300, 900], [9, 9]], [[32, 32], [1800, 1800], [3, 9]]] as const) {
    const together = levels(height_m, frequency_mhz, range_km)
    const [a, b] = [0, 1].map((i) => levels([height_m[i] ?? 0], [frequency_mhz[i] ?? 0], [range_km[i] ?? 0]))
    const better = together.map((_, i) => (Number.isNaN(a?.[i]) ? (b?.[i] ?? NaN) : Number.isNaN(b?.[i]) ? (a?.[i] ?? NaN) : Math.max(a?.[i] ?? NaN, b?.[i] ?? NaN)))
    const settled_dbm = config.threshold_dbm + 2.8 * config.sigma_db
    together.forEach((level, i) => assert.ok(Object.is(level, better[i]) || level > settled_dbm, `${level} and ${better[i]}`))
  }
})

test('rows that the model cannot take are counted and change nothing, and cells can be split at will', () => {
  const sites = scattered(12, 5)
  const dirty = scattered(15, 5)
  for (const name of Object.keys(sites) as (keyof SiteColumns)[]) dirty[name].set(sites[name])
  dirty.latitude.set([NaN, -7.6, -7.6], 12)
  dirty.longitude.set([110.3, 110.3, 110.3], 12)
  dirty.height_m.set([NaN, 0.1, NaN], 12)
  dirty.frequency_mhz.set([NaN, NaN, 60_000], 12)
  const cells = cellsAround(-7.7, 110.2, 0.1)
  const config = predictDefaults('lte')
  const clean = predict(sites, cells, resolution, [hills()], config)
  const whole = predict(dirty, cells, resolution, [hills()], config)
  assert.equal(clean.skipped, 0)
  assert.equal(whole.skipped, 3)
  assert.deepEqual(whole.usable, clean.usable)
  const half = cells.length >> 1
  const parts = [cells.subarray(0, half), cells.subarray(half)].map((part) => predict(sites, part, resolution, [hills()], config))
  assert.deepEqual(Float32Array.from(parts.flatMap((part) => [...part.level_dbm])), clean.level_dbm)
  const nobody = predict(makeSiteColumns(0), cells, resolution, [], config)
  assert.ok(nobody.usable.every((value) => value === outOfReach))
})

test('more loss, a higher threshold or a ridge in between never help', () => {
  const sites = scattered(10, 8)
  const cells = cellsAround(-7.7, 110.2, 0.1)
  const config = predictDefaults('lte')
  const base = predict(sites, cells, resolution, [hills()], config).usable
  for (const worse of [{ ...config, losses_db: 25 }, { ...config, threshold_dbm: -100 }, { ...config, eirp_dbm: 20 }]) {
    const { usable } = predict(sites, cells, resolution, [hills()], worse)
    assert.ok(usable.every((value, i) => value === outOfReach || value <= (base[i] ?? 0)))
    assert.ok(usable.some((value, i) => value < (base[i] ?? 0)))
  }
  const shares: number[] = []
  predict(sites, cells, resolution, [], config, (share) => shares.push(share))
  assert.deepEqual(shares, [0, 1])
  // GSM is heard farther than LTE from the same mast
  assert.ok(predictDefaults('gsm').range_km > predictDefaults('lte').range_km && predictDefaults('lte').range_km > predictDefaults('nr').range_km)
})
