import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeLand } from '../geo/land.ts'
import { checkGround, readArea, type Ground } from './claim.ts'

const square = (x: number, y: number, size = 0.1): [number, number][] => [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]
const polygon = (...rings: unknown[]): unknown => ({ type: 'Polygon', coordinates: rings })
const said = (geometry: unknown, swap = false): string => {
  const { polygons, issues } = readArea(geometry, swap)
  return [polygons === null ? 'none' : `${polygons.length} of ${polygons.map((rings) => rings.length).join('+')}`, ...issues.map(({ severity, reason }) => `${severity} ${reason}`)].join(', ')
}

test('each fault of a geometry has its reason, and what is good beside it stays', () => {
  const good = square(120, -8)
  const cases: readonly (readonly [unknown, string])[] = [
    [polygon(good), '1 of 1'],
    [polygon(good, square(120.02, -7.98, 0.02)), '1 of 2'],
    [null, 'none, reject no_geometry'],
    [{ type: 'Polygon', coordinates: [] }, 'none, reject no_geometry'],
    [{ type: 'MultiPolygon', coordinates: [] }, 'none, reject no_geometry'],
    [{ type: 'Point', coordinates: [120, -8] }, 'none, reject not_an_area'],
    [{ type: 'GeometryCollection', geometries: [polygon(good), { type: 'LineString', coordinates: good }] }, '1 of 1, warning not_an_area'],
    [polygon([[120, -8], [120.1, null], [120.1, -7.9], [120, -8]]), 'none, reject bad_coordinate'],
    [polygon([[120, -8], [120.1, '-8'], [120.1, -7.9], [120, -8]]), 'none, reject bad_coordinate'],
    [polygon([[120, -8], [120.1, -8], [120, -8]]), 'none, reject too_few_points'],
    [{ type: 'MultiPolygon', coordinates: [[good], [[[121, -8], [121.1, -8]]]] }, '1 of 1, warning too_few_points'],
    [polygon(good, [[120.02, -7.98], [120.03, -7.98]]), '1 of 1, warning too_few_points'],
    [polygon(good.slice(0, 4)), '1 of 1, warning unclosed_ring'],
    [polygon([[120, -8], [120.1, -7.9], [120.1, -8], [120, -7.9], [120, -8]]), '1 of 1, warning self_crossing'],
    [polygon(good.map(([x, y]) => [y, x])), 'none, reject swapped_axes'],
    [polygon(good.map(([x, y]) => [x * 111_000, y * 111_000])), 'none, reject not_degrees'],
    [polygon(square(10, 50)), 'none, reject outside_frame'],
    [polygon(square(141.3, -8, 0.5)), '1 of 1, warning partly_outside_frame'],
  ]
  for (const [geometry, wanted] of cases) assert.equal(said(geometry), wanted, JSON.stringify(geometry))
})

test('swapped axes are turned round when asked for, and only what is swapped', () => {
  assert.equal(said(polygon(square(120, -8).map(([x, y]) => [y, x])), true), '1 of 1, warning swapped_axes')
  assert.deepEqual(readArea(polygon(square(120, -8).map(([x, y]) => [y, x])), true).polygons, [[square(120, -8)]])
  assert.equal(said(polygon(square(120, -8)), true), '1 of 1')
})

test('an area at sea or abroad is rejected when all of it is far off, and told when most of it is', () => {
  const ground: Ground = { home: makeLand([square(120, -8, 1)]), abroad: makeLand([square(125, -8, 1)]), islands: [{ latitude: -5, longitude: 123 }] }
  const at = (...longitudes: number[]): string => {
    const issue = checkGround(ground, longitudes.map((longitude) => ({ latitude: -7.5, longitude })))
    return issue === null ? 'good' : `${issue.severity} ${issue.reason} ${issue.detail}`
  }
  assert.equal(at(120.5, 120.6), 'good')
  assert.equal(at(120.5, 123), 'good')
  assert.equal(at(120.5, 123, 123.1), 'warning mostly_off_land 67 %')
  assert.equal(at(123, 123.1), 'reject in_sea around -7.5000 123.0000')
  assert.equal(at(125.5, 125.6), 'reject abroad around -7.5000 125.5000')
  // 4 km off the coarse coast, and 2 km off a registered island
  assert.equal(at(121.036), 'warning mostly_off_land 100 %')
  assert.equal(checkGround(ground, [{ latitude: -5.01, longitude: 123.01 }])?.severity, 'warning')
  assert.equal(checkGround(ground, [{ latitude: -5.04, longitude: 123.01 }])?.reason, 'in_sea')
})
