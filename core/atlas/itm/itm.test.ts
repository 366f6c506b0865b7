import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { type ItmError, type Link, type Quantile, warning } from './inputs.ts'
import { area, pointToPoint } from './itm.ts'
import { makePath } from './path.ts'

const suite = join(import.meta.dirname, '../../../../shared/suites/itm')
const skip = existsSync(suite) ? false : `NTIA's values of the ITM are missing: ${suite} is not there`

const link: Link = { tx_m: 32, rx_m: 1.5, frequency_mhz: 1800, polarisation: 1, permittivity: 15, conductivity: 0.005, climate: 1, refractivity: 360, variability: 3 }
const median: Quantile = { kind: 'tls', time: 50, location: 50, situation: 50 }
const random = { tx: 0, rx: 0 }

function lines(file: string): string[] {
  const bytes = readFileSync(join(suite, file))
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().trim().split(/\r?\n/)
}

function rows(file: string): ((name: string) => number)[] {
  const [header = '', ...rest] = lines(file)
  const names = header.split(',')
  return rest.map((line) => {
    const values = line.split(',')
    return (name) => Number(values[names.indexOf(name)])
  })
}

/** @param suffix the official files name units, the vectors do not */
function linkOf(row: (name: string) => number, suffix: '' | '_meter'): Link {
  const height = (name: string): number => row(suffix === '' ? name : `${name}__meter`)
  return {
    tx_m: height('h_tx'), rx_m: height('h_rx'), frequency_mhz: row(suffix === '' ? 'f_mhz' : 'f__mhz'), polarisation: row('pol'), permittivity: row('epsilon'),
    conductivity: row('sigma'), climate: row('climate'), refractivity: row('N_0'), variability: row('mdvar'),
  }
}

function quantileOf(row: (name: string) => number): Quantile {
  return { kind: 'tls', time: row('time'), location: row('location'), situation: row('situation') }
}

function pfl(line: string): Float64Array {
  return Float64Array.from(line.split(',').map(Number))
}

test("NTIA's official paths, over its profiles as they stand", { skip }, () => {
  const profiles = lines('pfls.csv').map(pfl)
  const official = rows('p2p.csv')
  assert.equal(official.length, 5)
  official.forEach((row, i) => {
    const profile = profiles[i] ?? new Float64Array(2)
    const loss = pointToPoint(makePath(), linkOf(row, '_meter'), quantileOf(row), profile, 2, profile[0] ?? 0, profile[1] ?? 0)
    assert.ok(loss.ok && Math.abs(loss.value.loss_db - row('A__db')) <= 0.005 + 1e-9, `row ${i}: ${JSON.stringify(loss)}`)
  })
})

test("NTIA's official areas, printed with one decimal", { skip }, () => {
  const official = rows('area.csv')
  assert.equal(official.length, 5)
  official.forEach((row, i) => {
    const siting = { tx: row('tx_siting_criteria'), rx: row('rx_siting_criteria') }
    const loss = area(makePath(), linkOf(row, '_meter'), quantileOf(row), siting, row('d__km'), row('delta_h__meter'))
    assert.ok(loss.ok && Math.abs(loss.value.loss_db - row('A__db')) <= 0.05 + 1e-9, `row ${i}: ${JSON.stringify(loss)}`)
  })
})

test("2,000 paths as NTIA's own source computes them: loss, parts, mode and warnings", { skip }, () => {
  const path = makePath()
  const [, ...texts] = lines('p2p_vectors_2000.csv.gz')
  const vectors = rows('p2p_vectors_2000.csv.gz')
  assert.equal(vectors.length, 2000)
  vectors.forEach((row, i) => {
    const elevations_m = Float64Array.from((texts[i]?.split(',').at(-1) ?? '').trim().split(' ').map(Number))
    const loss = pointToPoint(path, linkOf(row, ''), quantileOf(row), elevations_m, 0, row('n_intervals'), row('step_m'))
    if (!loss.ok) assert.fail(`row ${i}: ${loss.error}`)
    const { value } = loss
    assert.ok(Math.abs(value.loss_db - row('A_db')) <= 1e-6 && Math.abs(value.reference_db - row('A_ref_db')) <= 1e-6 && Math.abs(value.freeSpace_db - row('A_fs_db')) <= 1e-6, `row ${i}: ${JSON.stringify(value)}`)
    assert.deepEqual([value.mode, value.warnings], [row('mode'), row('warnings')], `row ${i}`)
  })
})

test("confidence and reliability: the tables of NTIA's command, printed with one decimal", { skip }, () => {
  const path = makePath()
  const printed = (file: string): number[][] => lines(`cmd_examples/${file}`).filter((line) => /^\d+(\s+\d+\.\d)+\s*$/.test(line)).map((line) => line.trim().split(/\s+/).map(Number))
  const near: Link = { ...link, tx_m: 15, rx_m: 3, climate: 5, refractivity: 301, frequency_mhz: 3500, variability: 1 }
  const profile = pfl(lines('cmd_examples/pfl.txt').join(','))
  const paths = printed('o_p2pcr_tbl.txt')
  assert.equal(paths.length, 3)
  for (const [reliability = NaN, ...losses] of paths)
    [10, 60, 90].forEach((confidence, i) => {
      const loss = pointToPoint(path, near, { kind: 'cr', confidence, reliability }, profile, 2, profile[0] ?? 0, profile[1] ?? 0)
      assert.ok(loss.ok && Math.abs(loss.value.loss_db - (losses[i] ?? NaN)) <= 0.05 + 1e-9, `${reliability}, ${confidence}: ${JSON.stringify(loss)}`)
    })
  const far: Link = { ...near, tx_m: 3, frequency_mhz: 10_000, variability: 3 }
  const areas = printed('o_areacr_tbl.txt')
  assert.equal(areas.length, 19)
  for (const [distance_km = NaN, free_db = NaN, ...losses] of areas)
    [50, 75, 90].forEach((confidence, i) => {
      const loss = area(path, far, { kind: 'cr', confidence, reliability: 90 }, random, distance_km, 0)
      assert.ok(loss.ok && Math.abs(loss.value.loss_db - (losses[i] ?? NaN)) <= 0.05 + 1e-9, `${distance_km} km, ${confidence}: ${JSON.stringify(loss)}`)
      assert.ok(loss.ok && Math.abs(loss.value.freeSpace_db - free_db) <= 0.05 + 1e-9)
    })
})

test('a workspace carries nothing from one path to the next, and a profile may lie anywhere in a buffer', () => {
  const shared = makePath()
  const elevation = fc.double({ min: 0, max: 2000, noNaN: true })
  fc.assert(fc.property(fc.array(elevation, { minLength: 2, maxLength: 300 }), fc.double({ min: 30, max: 900, noNaN: true }), fc.nat(7), (profile, spacing_m, offset) => {
    const fresh = pointToPoint(makePath(), link, median, Float64Array.from(profile), 0, profile.length - 1, spacing_m)
    const within = Float64Array.from([...new Array<number>(offset).fill(9e9), ...profile, 9e9])
    assert.deepEqual(pointToPoint(shared, link, median, within, offset, profile.length - 1, spacing_m), fresh)
    assert.ok(fresh.ok && fresh.value.loss_db > fresh.value.freeSpace_db - 3)
  }), { seed: 1, numRuns: 300 })
})

test('tilting a profile leaves its irregularity alone; raising a ridge between two masts costs', () => {
  const path = makePath()
  fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { minLength: 60, maxLength: 200 }), fc.double({ min: -2, max: 2, noNaN: true }), (profile, slope) => {
    // low masts see their horizons in the first interval, so that both profiles are read between the same points
    const irregularity = (tilt: number): number => {
      const raised = Float64Array.from(profile, (elevation, i) => elevation + 3000 + tilt * i + (i === 1 || i === profile.length - 2 ? 900 : 0))
      assert.ok(pointToPoint(path, link, median, raised, 0, raised.length - 1, 100).ok)
      return path.irregularity_m
    }
    assert.ok(Math.abs(irregularity(slope) - irregularity(0)) < 1e-6)
  }), { seed: 2, numRuns: 100 })
  const ridge = (height: number): number => {
    const profile = new Float64Array(61)
    profile[30] = height
    const loss = pointToPoint(path, link, median, profile, 0, 60, 300)
    return loss.ok ? loss.value.loss_db : NaN
  }
  assert.ok(ridge(400) > ridge(200) + 5 && ridge(200) > ridge(0) + 5)
})

test('each input that is out of range is named, in the order of version 1.4', () => {
  const flat = new Float64Array(50)
  const wrong = (change: Partial<Link>, quantile: Quantile = median): ItmError | null => {
    const loss = pointToPoint(makePath(), { ...link, ...change }, quantile, flat, 0, 49, 100)
    return loss.ok ? null : loss.error
  }
  const inputs: [Partial<Link>, ItmError][] = [
    [{ tx_m: 0.4, rx_m: 4000 }, 'tx_height'], [{ rx_m: 3001 }, 'rx_height'], [{ climate: 8 }, 'climate'], [{ refractivity: 249 }, 'refractivity'],
    [{ frequency_mhz: 19.9 }, 'frequency'], [{ polarisation: 2 }, 'polarisation'], [{ permittivity: 0.9 }, 'permittivity'], [{ conductivity: 0 }, 'conductivity'],
    [{ variability: 14 }, 'variability'], [{ variability: 34 }, 'variability'], [{ frequency_mhz: NaN }, 'frequency'],
  ]
  for (const [change, error] of inputs) assert.equal(wrong(change), error)
  assert.equal(wrong({}), null)
  for (const variability of [0, 3, 10, 13, 20, 23, 30, 33]) assert.equal(wrong({ variability }), null)
  assert.equal(wrong({}, { kind: 'tls', time: 100, location: 100, situation: 0 }), 'situation')
  assert.equal(wrong({}, { kind: 'tls', time: 100, location: 100, situation: 50 }), 'time')
  assert.equal(wrong({}, { kind: 'tls', time: 50, location: 100, situation: 50 }), 'location')
  assert.equal(wrong({}, { kind: 'cr', confidence: 0, reliability: 0 }), 'confidence')
  assert.equal(wrong({}, { kind: 'cr', confidence: 50, reliability: 0 }), 'reliability')
  const nowhere = pointToPoint(makePath(), link, median, flat, 0, 49, 0)
  assert.deepEqual(nowhere, { ok: false, error: 'distance' })
  const places: [number, number, { tx: number; rx: number }, ItmError][] = [[0, 10, random, 'distance'], [10, -1, random, 'irregularity'], [10, 10, { tx: 3, rx: 0 }, 'tx_siting'], [10, 10, { tx: 0, rx: 3 }, 'rx_siting']]
  for (const [distance_km, irregularity_m, siting, error] of places) assert.deepEqual(area(makePath(), link, median, siting, distance_km, irregularity_m), { ok: false, error })
})

test('what is derived from the inputs can be out of range too', () => {
  const at = (height_m: number, change: Partial<Link>): unknown => pointToPoint(makePath(), { ...link, ...change }, median, new Float64Array(50).fill(height_m), 0, 49, 200)
  assert.deepEqual(at(9000, {}), { ok: false, error: 'surface_refractivity_small' })
  assert.deepEqual(at(-2000, {}), { ok: false, error: 'surface_refractivity_large' })
  // without polarisable ground the impedance is the root of an imaginary number: as imaginary as real
  assert.deepEqual(at(0, { permittivity: 1, conductivity: 0.2, polarisation: 0 }), { ok: false, error: 'ground_impedance' })
})

test('warnings that no vector has', () => {
  const bits = (distance_km: number, change: Partial<Link>, quantile: Quantile = median): number => {
    const loss = area(makePath(), { ...link, ...change }, quantile, random, distance_km, 0)
    return loss.ok ? loss.value.warnings : NaN
  }
  assert.equal(bits(10, {}), 0)
  assert.equal(bits(10, { tx_m: 0.7 }), warning.txHeight)
  assert.equal(bits(10, { rx_m: 0.7 }), warning.rxHeight)
  assert.equal(bits(10, { frequency_mhz: 12_000 }), warning.frequency)
  assert.equal(bits(1500, {}), warning.distanceBig)
  assert.equal(bits(2500, {}), warning.distanceBig | warning.distanceTooBig)
  assert.equal(bits(0.1, {}), warning.distanceSmall | warning.distanceTooSmall)
  assert.equal(bits(0.5, {}), warning.distanceTooSmall)
  assert.equal(bits(10, {}, { kind: 'tls', time: 99.95, location: 50, situation: 50 }), warning.variabilities)
})
