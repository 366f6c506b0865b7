import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../kernel/random.ts'
import { onSphere, scanLocations_max, scanRetrospective, type ScanLocations, type ScanOptions } from './kulldorff.ts'

const options = (more: Partial<ScanOptions> = {}): ScanOptions => ({ share_max: 0.5, cases_min: 2, replications: 0, random: seeded(1), clump: 1, ...more })

/** Up to 40 locations on a coarse lattice (so that many are equally far, or at one spot), some without any population. */
function made(seed: number): { locations: ScanLocations; options: ScanOptions } {
  const random = seeded(seed)
  const count = 1 + Math.floor(random() * 40)
  const column = (of: () => number): Float64Array => Float64Array.from({ length: count }, of)
  const side = 2 + Math.floor(random() * 8)
  const population = column(() => (random() < 0.1 ? 0 : 1 + Math.floor(random() * 50)))
  const [rate, weights] = [0.02 + 0.3 * random(), column(() => 1 + Math.floor(random() * 3))]
  const locations = {
    axes: [column(() => Math.floor(random() * side)), column(() => Math.floor(random() * side))], population, expected: population.map((each, at) => each * (weights[at] ?? 1)),
    cases: Int32Array.from(population, (each) => (each === 0 ? 0 : Math.floor(2 * random() * each * rate + (random() < 0.1 ? 5 : 0)))),
  }
  return { locations, options: options({ share_max: [0.1, 0.5, 1][Math.floor(random() * 3)] ?? 0.5, cases_min: 1 + Math.floor(random() * 3) }) }
}

/** The definition as it is written: every radius around every centre, every location asked whether it lies within. */
function slowly({ axes: [x, y], population, expected, cases }: ScanLocations, { share_max, cases_min }: ScanOptions): { llr: number; members: number[] }[] {
  const all = [...cases.keys()]
  const sum = (column: Float64Array | Int32Array | undefined, members: readonly number[]): number => members.reduce((sum, at) => sum + (column?.[at] ?? 0), 0)
  const [total, people, likely] = [sum(cases, all), sum(population, all), sum(expected, all)]
  const away = (a: number, b: number): number => Math.hypot((x?.[a] ?? 0) - (x?.[b] ?? 0), (y?.[a] ?? 0) - (y?.[b] ?? 0))
  const best = all.flatMap((centre) => {
    const circles = [...new Set(all.map((at) => away(centre, at)))].sort((a, b) => a - b).flatMap((radius) => {
      const members = all.filter((at) => away(centre, at) <= radius)
      const [k, e] = [sum(cases, members), (sum(expected, members) * total) / likely]
      if (sum(population, members) > share_max * people || k < cases_min || k <= e + 1e-9) return []
      return [{ members, llr: k * Math.log(k / e) + (k < total ? (total - k) * Math.log((total - k) / (total - e)) : 0) }]
    })
    return circles.length === 0 ? [] : [circles.reduce((a, b) => (b.llr > a.llr + 1e-9 ? b : a))]
  })
  const found: typeof best = []
  // Of equally strong centres the first goes first, though rounding may say otherwise.
  while (best.length > 0) {
    const strongest = Math.max(...best.map(({ llr }) => llr))
    const [next] = best.splice(best.findIndex(({ llr }) => llr >= strongest - 1e-9), 1)
    if (next !== undefined && !found.some(({ members }) => members.some((at) => next.members.includes(at)))) found.push(next)
  }
  return found
}

const sorted = (members: Int32Array | readonly number[]): number[] => [...members].sort((a, b) => a - b)

test('property: the clusters are those of the definition, one radius after the other', () => {
  let clusters = 0
  fc.assert(fc.property(fc.integer(), (seed) => {
    const { locations, options } = made(seed)
    const found = scanRetrospective(locations, options).clusters
    clusters += found.length
    assert.deepEqual(found.map(({ llr }) => llr.toFixed(6)), slowly(locations, options).map(({ llr }) => llr.toFixed(6)))
    for (const [at, { members }] of slowly(locations, options).entries()) assert.deepEqual(sorted(found[at]?.members ?? []), members)
  }), { numRuns: 500 })
  assert.ok(clusters > 500, `only ${clusters} clusters were seen`)
})

/** A town of 12 by 12 locations with 20 people each. */
function town(cases: (at: number) => number): ScanLocations {
  const axes = [0, 1].map((axis) => Float64Array.from({ length: 144 }, (_, at) => (axis === 0 ? at % 12 : Math.floor(at / 12)) + 0.01 * Math.sin(at * (3 + axis))))
  const population = new Float64Array(144).fill(20)
  return { axes, population, expected: population, cases: Int32Array.from({ length: 144 }, (_, at) => cases(at)) }
}

/** 432 cases by chance alone, in clumps. */
function byChance(seed: number, clump: number): ScanLocations {
  const random = seeded(seed)
  const cases = new Int32Array(144)
  for (let left = 432; left > 0; left -= clump) {
    const at = Math.floor(random() * 144)
    cases[at] = (cases[at] ?? 0) + clump
  }
  return town((at) => cases[at] ?? 0)
}

test('p is the share of days by chance alone that look as bad; where cases come in clumps, only with the clumps measured', () => {
  const days = 150
  const alarms = (clump: number, assumed: number | null): number => Array.from({ length: days }, (_, day) =>
    scanRetrospective(byChance(day, clump), options({ replications: 99, random: seeded(1000 + day), clump: assumed })).clusters[0]?.p ?? 1).filter((p) => p <= 0.1).length / days
  // 0.1 of 150 has a standard deviation of 0.024
  const plain = alarms(1, 1)
  assert.ok(plain > 0.02 && plain < 0.18, `${plain} of the days by chance`)
  assert.ok(alarms(6, 1) > 0.9, 'clumps that are taken for chance are found everywhere')
  const measured = alarms(6, null)
  assert.ok(measured > 0.02 && measured < 0.18, `${measured} of the days by chance in clumps`)
})

test('the size of clumps is measured beside a cluster too, and the cluster is found for all that', () => {
  const clumps = [1, 3, 6].map((clump) => {
    const chance = byChance(7, clump).cases
    const { clusters, clump: measured } = scanRetrospective(town((at) => (chance[at] ?? 0) + (at % 12 < 3 && at < 36 ? 18 : 0)), options({ replications: 999, random: seeded(3), clump: null }))
    assert.deepEqual([clusters[0]?.p, sorted(clusters[0]?.members ?? [])], [0.001, [0, 1, 2, 12, 13, 14, 24, 25, 26]], `clumps of ${clump}`)
    return measured / clump
  })
  assert.ok(clumps.every((share) => share > 0.7 && share < 1.4), String(clumps))
})

test('what a cluster says of itself; nothing is drawn where nothing is expected', () => {
  const x = Float64Array.from([0, 1, 10, 11, 20, 21])
  const [population, expected] = [Float64Array.from([100, 100, 100, 100, 0, 0]), Float64Array.from([2, 2, 2, 2, 0, 0])]
  const { clusters: [found, ...others] } = scanRetrospective({ axes: [x, x.map(() => 0)], population, expected, cases: Int32Array.from([12, 8, 2, 2, 0, 0]) }, options({ replications: 999 }))
  assert.deepEqual(others, [])
  const { p, relativeRisk, ...rest } = found ?? {}
  assert.deepEqual({ ...rest, members: sorted(found?.members ?? []) }, {
    centre: 0, members: [0, 1], radius: 1, population: 200, cases: 20, expected: 12, llr: 20 * Math.log(20 / 12) + 4 * Math.log(4 / 12) })
  // 20 of 24 or more at one end of the road: 0.0015 of coins
  assert.ok(Math.abs((relativeRisk ?? 0) - 5) < 1e-12 && (p ?? 0) >= 0.001 && (p ?? 1) < 0.006, String(p))
  const { clusters: [all] } = scanRetrospective({ axes: [x], population, expected, cases: Int32Array.from([12, 8, 0, 0, 0, 0]) }, options())
  assert.deepEqual([all?.relativeRisk, all?.p], [Infinity, null])
  assert.deepEqual(scanRetrospective({ axes: [x], population, expected, cases: new Int32Array(6) }, options({ replications: 9 })).clusters, [])
})

test('on the sphere a degree of longitude is shorter than one of latitude', () => {
  const axes = onSphere(Float64Array.from([60, 60, 61.5, 0, 0]), Float64Array.from([179, -179, 179, 0, 90]))
  const { clusters } = scanRetrospective({ axes, population: new Float64Array(5).fill(1), expected: new Float64Array(5).fill(1), cases: Int32Array.from([9, 9, 9, 0, 0]) }, options({ share_max: 0.4 }))
  assert.deepEqual(clusters.map(({ members }) => [...members]), [[0, 1]])
})

test('what cannot be a count is a bug, and is said', () => {
  const of = (more: Partial<ScanLocations>): (() => unknown) => () => scanRetrospective({ ...town(() => 3), ...more }, options())
  assert.throws(of({ expected: new Float64Array(3) }), /a column of 3 beside 144 counts/)
  assert.throws(of({ population: new Float64Array(144).fill(NaN) }), /without a position, population or expectation/)
  assert.throws(of({ expected: new Float64Array(144) }), /location 0: 3 cases, 0 expected/)
  assert.throws(of({ cases: new Int32Array(scanLocations_max + 1) }), /more than 10000: join near ones/)
})

/** Every way in which `left` cases can fall on the locations, with its probability. */
function* outcomes(shares: readonly number[], left: number): Generator<{ cases: number[]; chance: number }> {
  const [share = 0, ...rest] = shares
  if (rest.length === 0) yield { cases: [left], chance: share ** left }
  else for (let [here, ways] = [0, 1]; here <= left; ways = (ways * (left - here)) / (here + 1), here++)
    for (const { cases, chance } of outcomes(rest, left - here)) yield { cases: [here, ...cases], chance: ways * share ** here * chance }
}

test('p is that of all outcomes there are, weighed by their probability: unequal expectations, two at one spot, none at one', () => {
  const axes = [Float64Array.from([0, 3, 3, 7, 12]), new Float64Array(5)]
  const population = Float64Array.from([30, 5, 45, 0, 60])
  const limits = options({ share_max: 0.6, replications: 20_000 })
  const strength = (cases: Iterable<number>): number => slowly({ axes, population, expected: population, cases: Int32Array.from(cases) }, limits)[0]?.llr ?? 0
  const all = [...outcomes([...population].map((each) => each / 140), 7)].map(({ cases, chance }) => ({ strength: strength(cases), chance }))
  for (const cases of [[0, 3, 3, 0, 1], [3, 1, 1, 0, 2], [4, 0, 1, 0, 2], [0, 2, 2, 0, 3]]) {
    const p = scanRetrospective({ axes, population, expected: population, cases: Int32Array.from(cases) }, limits).clusters[0]?.p ?? 0
    const exact = all.reduce((sum, each) => sum + (each.strength > strength(cases) - 1e-9 ? each.chance : 0), 0)
    assert.ok(exact > 0.01 && exact < 0.99, `${exact} is worth comparing`)
    // four standard deviations of 20,000 drawings
    assert.ok(Math.abs(p - exact) < 4 * Math.sqrt((exact * (1 - exact)) / 20_000), `${p} for ${exact}`)
  }
})
