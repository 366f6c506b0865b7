import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fullPack, largestDistrict, type District } from '@kawal/testkit/district.ts'

const pack_bytes_max = 300_000

/** Where the real register is not there: 15 villages of 100 stations. */
const madeUp = (): District => ({
  district: '320101', stations: 1_500, regions: ['code,level,name,parent', '32,province,JAWA BARAT,', '3201,regency,BOGOR,32', '320101,district,CIBINONG,3201', ...Array.from({ length: 15 }, (_, at) => `3201012${String(at + 1).padStart(3, '0')},village,DESA KE ${at + 1},320101`)].join('\n'),
  villages: ['code,lat,lon,position,area_km2,landmass_id,tps_regular,tps_special_from,tps_special_to', ...Array.from({ length: 15 }, (_, at) => `3201012${String(at + 1).padStart(3, '0')},${-6.4 - at / 100},${106.8 + at / 100},inside,5.1,1,100,,`)].join('\n'),
})

test('the pack of the largest real district, with every column full, is at most 300 KB', async (t) => {
  const district = largestDistrict() ?? madeUp()
  const { bytes, json_bytes, pack, took_ms } = await fullPack(district)
  assert.deepEqual([Object.keys(pack.stations).length, Object.keys(pack.access).length], [district.stations, 400])
  assert.ok(bytes < pack_bytes_max, `${bytes} bytes`)
  t.diagnostic(`${district.district}: ${district.stations} stations, 400 access points: ${bytes} bytes of ${json_bytes}, built in ${took_ms} ms`)
})
