import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alarmStations } from '@kawal/testkit/alarms.ts'
import { createFootprint } from './footprint.ts'
import { cellNames, place, radius_m, type Known } from './place.ts'
import type { Mention } from './said.ts'

const footprint = createFootprint(alarmStations)
const nothing: Mention = { codes: [], cell: null, site: null, object: null, points: [], technology: null }
const sectors = [25_601, 25_602, 25_603].map((cell) => ({ technology: 'lte' as const, area: 7, cell, latitude: 0.5, longitude: 123, range_m: null }))
const known: Known = {
  cells: [...sectors, { technology: 'gsm', area: 9, cell: 4_711, latitude: 0.5, longitude: 123.2, range_m: 1_200 }],
  points: new Map([['ai-1', { id: 'ai-1', latitude: null, longitude: null, village: '7501011002' }], ['sat-1', { id: 'sat-1', latitude: 0.5, longitude: 123, village: null }]]),
}
const of = (mention: Partial<Mention>, registers = known) => place({ ...nothing, ...mention }, registers, footprint)

test('codes: stations before all else, the most exact area of several, none that no station has', () => {
  assert.deepEqual([of({ codes: ['7501011001002', '75'], cell: '9-4711' }).placedBy, of({ codes: ['7501011001002', '75'] }).stations], ['station', 1])
  assert.deepEqual(of({ codes: ['75', '750101', '7501011002', '53'] }).areas, ['53', '7501011002'])
  assert.equal(of({ codes: ['75'] }).stations, 8)
  assert.deepEqual([of({ codes: ['99'] }).unplacedReason, of({ codes: ['7501011009001'] }).unplacedReason, of({}).unplacedReason], ['code_unknown', 'code_unknown', 'nothing_named'])
})

test('cells and sites: one point a mast, the list\'s own range within bounds', () => {
  const cell = of({ cell: '51010-9-4711', codes: ['53'] })
  assert.deepEqual([cell.placedBy, cell.points], ['cell', [{ latitude: 0.5, longitude: 123.2, radiusM: 1_200 }]])
  assert.equal(cell.stations, 2)
  assert.deepEqual(of({ site: '100' }).points, [{ latitude: 0.5, longitude: 123, radiusM: radius_m.lte }])
  assert.deepEqual(of({ cell: '100-2' }).placedBy, 'cell', 'an eNodeB and its sector')
  const far = of({ cell: '4711' }, { ...known, cells: [{ technology: 'gsm', area: null, cell: 4_711, latitude: 0.5, longitude: 123, range_m: 90_000 }, { technology: 'gsm', area: null, cell: 4_711, latitude: 0.6, longitude: 123, range_m: 3 }] })
  assert.deepEqual(far.points.map((point) => point.radiusM), [2 * radius_m.gsm, 500])
})

test('a name that may mean two things, or that everybody uses, places nothing', () => {
  const both: Known = { ...known, cells: [...known.cells, { technology: 'gsm', area: 1, cell: 100, latitude: -2, longitude: 120, range_m: null }] }
  assert.equal(of({ cell: '100', site: '100' }, both).unplacedReason, 'ambiguous')
  assert.equal(of({ cell: '100', site: '100', technology: 'lte' }, both).placedBy, 'site')
  const everywhere = Array.from({ length: 17 }, (_, at) => ({ technology: 'gsm' as const, area: at, cell: 1, latitude: at / 10, longitude: 120, range_m: null }))
  assert.equal(of({ cell: '1' }, { ...known, cells: everywhere }).unplacedReason, 'ambiguous')
  assert.equal(of({ cell: '3-1' }, { ...known, cells: everywhere }).placedBy, 'cell')
  assert.deepEqual([of({ cell: '77' }).unplacedReason, of({ site: 'KPG-77' }).unplacedReason], ['cell_unknown', 'site_unknown'])
})

test('a name of letters is no cell, whatever number it ends in', () => {
  for (const text of ['KPG-4711', 'site 4711', '0x1267', '', '-', '1-2-3', '1-2-3-4-5', '123456789012']) assert.deepEqual(cellNames(text), [], text)
  assert.deepEqual(cellNames('510-10-4711'), [{ area: null, cell: 4_711 }])
  assert.deepEqual(cellNames('51010-4711'), [{ area: null, cell: 4_711 }])
  assert.deepEqual(cellNames('510-10-9-4711'), [{ area: 9, cell: 4_711 }])
})

test('points and access points', () => {
  assert.deepEqual(of({ points: [{ latitude: 0.5, longitude: 123, radius_m: null }], technology: 'nr' }).points[0]?.radiusM, radius_m.nr)
  assert.equal(of({ points: [{ latitude: 0.5, longitude: 123, radius_m: 1_500 }], codes: ['53'] }).stations, 2)
  assert.deepEqual([of({ object: 'ai-1' }).areas, of({ object: 'sat-1' }).stations], [['7501011002'], 3])
  assert.deepEqual([of({ points: [{ latitude: -60, longitude: 0, radius_m: null }] }).placedBy, of({ points: [{ latitude: -60, longitude: 0, radius_m: null }] }).stations], ['point', 0])
})
