import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeLand } from '../geo/land.ts'
import { checkPositions } from './plausible.ts'
import { syntheticRegister, type NamedRegion } from './synthetic.ts'

const home = makeLand([[[120, -9], [121, -9], [121, -8], [120, -8]]])
const abroad = makeLand([[[122, -9], [123, -9], [123, -8], [122, -8]]])
const cluster = (regency: string, latitude: number, longitude: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ code: `${regency}01200${i}`, latitude: latitude + i * 0.01, longitude }))

test('each oddity of a position is found, once, and nothing else', () => {
  const villages = [
    ...cluster('5301', -8.6, 120.2, 4), ...cluster('5302', -8.6, 120.8, 4),
    { code: '5301029001', latitude: -8.595, longitude: 120.805 },
    { code: '5301029002', latitude: -8.5, longitude: 121.5 },
    { code: '5301029006', latitude: -8.51, longitude: 121.31 },
    { code: '5302029003', latitude: -8.5, longitude: 122.5 },
    { code: '5302029004', latitude: -8.6, longitude: 120.8 },
    { code: '5302029005', latitude: -8.5, longitude: 121.02 },
  ]
  const found = [...checkPositions(villages, home, abroad, [{ latitude: -8.5, longitude: 121.3 }])].map(({ village, issue }) => `${village.code} ${issue.reason}`)
  assert.deepEqual(found.sort(), [
    '5301029001 position_other_regency', '5301029002 position_in_sea', '5302012000 position_shared', '5302029003 position_abroad', '5302029004 position_shared',
  ].sort())
})

test('a made-up register replays from its seed, and one more village moves no other', () => {
  const names: NamedRegion[] = [
    { code: '53', level: 'province', name: 'P' }, { code: '5301', level: 'regency', name: 'R' }, { code: '530101', level: 'district', name: 'D' },
    { code: '5301012001', level: 'village', name: 'A' }, { code: '5301012002', level: 'village', name: 'B' },
  ]
  const extent = { latitude: -9, longitude: 124, radius_km: 50 }
  const dry = ({ latitude }: { latitude: number }): boolean => latitude < -8.9
  const made = syntheticRegister(names, extent, dry, 7)
  assert.deepEqual(syntheticRegister([...names].reverse(), extent, dry, 7), made)
  assert.notDeepEqual(syntheticRegister(names, extent, dry, 8).stations, made.stations)
  const more = syntheticRegister([...names, { code: '5301012000', level: 'village', name: 'C' }], extent, dry, 7)
  assert.deepEqual(more.stations.filter((station) => station.village !== '5301012000'), made.stations)
  for (const station of made.stations) assert.ok(dry(station) && station.voters <= 300)
})
