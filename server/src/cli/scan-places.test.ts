import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from '@kawal/core/kernel/random.ts'
import { scanRetrospective } from '@kawal/core/detection/kulldorff.ts'
import { placesOf, type Rollup } from './scan-places.ts'

/** 30 villages of 10 stations in a row, each 0.01 degrees on; the first two stations of a village share a building. */
const stations = Array.from({ length: 300 }, (_, at) => ({ code: `5301${String(1 + Math.floor(at / 100)).padStart(2, '0')}${String(2000 + (Math.floor(at / 10) % 10))}${String(1 + (at % 10)).padStart(3, '0')}`, at }))
const positions = new Map(stations.map(({ code, at }) => [code, { latitude: -10, longitude: 123 + 0.01 * (at % 10 === 1 ? at - 1 : at) }]))
const rollups = (of: (at: number) => readonly Omit<Rollup, 'station'>[]): Rollup[] => stations.flatMap(({ code, at }) => of(at).map((row) => ({ station: code, ...row })))
const limits = (places_max: number) => ({ places_max, districts_max: 3 })
const options = { share_max: 0.25, cases_min: 2, replications: 99, random: seeded(1), clump: 1 }

test('an operator that is poor everywhere makes no cluster where its phones are many, and a place that is poorer than its operators does', () => {
  const mixed = (extra: number): Rollup[] => rollups((at) => [{ operator: 'good', reports: at < 60 ? 20 : 100, bad: at < 60 ? 0 : 1 }, { operator: 'poor', reports: at < 60 ? 100 : 20, bad: (at < 60 ? 20 : 4) + (at >= 200 && at < 220 ? extra : 0) }])
  const scan = (rows: Rollup[]): ReturnType<typeof scanRetrospective>['clusters'] => scanRetrospective(placesOf(rows, positions, limits(300))?.locations ?? assert.fail(), options).clusters
  assert.ok((scan(mixed(0))[0]?.p ?? 1) > 0.05, 'everywhere as its operators are')
  const places = placesOf(mixed(8), positions, limits(300))
  const [found] = scanRetrospective(places?.locations ?? assert.fail(), options).clusters
  assert.equal(found?.p, 0.01)
  const codes = new Set([...(found?.members ?? [])].flatMap((member) => places?.places[member]?.rows.map(({ station }) => station) ?? []))
  assert.deepEqual([...codes].sort(), stations.slice(200, 220).map(({ code }) => code))
})

test('places are where stations stand, then villages, then districts; what has no position is counted apart', () => {
  const rows = rollups((at) => [{ operator: '', reports: 10, bad: at % 3 }])
  const lost = [{ station: '5301010000001', operator: 'x', reports: 7, bad: 7 }, { station: '5301010000002', operator: 'x', reports: 5, bad: 0 }]
  const grains = [[300, 'position', 270], [269, 'village', 30], [29, 'district', 3]] as const
  for (const [most, grain, count] of grains) {
    const found = placesOf([...rows, ...lost], new Map([...positions, ['5301010000001', null]]), limits(most))
    assert.deepEqual([found?.grain, found?.places.length, found?.unplaced], [grain, count, lost])
    const sum = (column: Float64Array | Int32Array | undefined): number => [...(column ?? [])].reduce((total, each) => total + each, 0)
    assert.deepEqual([sum(found?.locations.population), sum(found?.locations.cases), Math.round(sum(found?.locations.expected))], [3000, 300, 300])
  }
  assert.equal(placesOf(rows, positions, { places_max: 269, districts_max: 2 })?.grain, 'village')
  assert.equal(placesOf(rows, positions, { places_max: 29, districts_max: 2 }), null)
  assert.equal(placesOf([], positions, limits(2))?.places.length, 0)
  const [first] = placesOf(rows, positions, limits(29))?.places ?? []
  assert.ok(first !== undefined && Math.abs(first.longitude - 123.494) < 1e-9 && Math.abs(first.latitude + 10) < 1e-9, JSON.stringify(first?.longitude))
})
