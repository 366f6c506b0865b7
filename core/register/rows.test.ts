import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { levelOf, parentOf, parseStationCode, plainCode, stationCode } from './codes.ts'
import { recognise } from './kind.ts'
import { accessKind, calendarDate, decimal, isNetwork, parseAccess, parseIsp, parseOperator, parseRegion, parseStation, parseVenue, parseVillage, type Read } from './rows.ts'
import { zoneOf } from './zone.ts'

const from = (record: Record<string, string>): Read => (column) => record[column] ?? ''
const reasonsOf = (parsed: { issues: readonly { severity: string; reason: string }[] }): string[] => parsed.issues.map((issue) => `${issue.severity} ${issue.reason}`)

test('codes are read plainly and dotted, and nothing else', () => {
  assert.equal(plainCode('53.01.02.2003'), '5301022003')
  assert.equal(plainCode(' 5301022003 '), '5301022003')
  for (const wrong of ['', '53.1', '53,01', '5301a', '53.01.02.2003.1', '-53']) assert.equal(plainCode(wrong), null)
  assert.equal(parentOf('5301022003'), '530102')
  assert.equal(parentOf('53'), null)
  assert.equal(levelOf('53010'), null)
})

test('property: a station code is split into what it was made of', () => {
  fc.assert(fc.property(fc.integer({ min: 1e9, max: 9999999999 }), fc.integer({ min: 1, max: 999 }), (village, number) => {
    const parsed = parseStationCode(stationCode(String(village), number))
    assert.deepEqual(parsed, { village: String(village), number, special: number >= 901 })
  }))
})

test('property: decimal reads back every finite number a file can hold, with point or comma', () => {
  fc.assert(fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => value.toFixed(6)), (text) => {
    assert.equal(decimal(text), Number(text))
    assert.equal(decimal(text.replace('.', ',')), Number(text))
  }))
  for (const wrong of ['', ' ', '1.2.3', '1,234.5', 'NaN', 'Infinity', '0x10', '12abc', '-', '--1']) assert.equal(decimal(wrong), null)
})

test('property: no text in any column makes a parser throw, and a rejected row has a reason', () => {
  const record = fc.dictionary(fc.constantFrom('code', 'level', 'name', 'parent', 'lat', 'lon', 'regular', 'special_from', 'special_to', 'id', 'village', 'plmn', 'organisation', 'prefix', 'asn', 'kind', 'voters', 'valid_from', 'valid_to'),
    fc.oneof(fc.string(), fc.constantFrom('5301022003', '5301022003001', '901', '-9.5', '124', '3', '10.0.0.0/8', '51010', '2024-02-30')))
  fc.assert(fc.property(record, (fields) => {
    for (const parsed of [parseRegion, parseVillage, parseStation, parseVenue, parseOperator, parseIsp, parseAccess].map((parse) => parse(from(fields), 'file.csv')))
      assert.equal(parsed.row === null, parsed.issues.some((issue) => issue.severity === 'reject'))
  }), { numRuns: 500 })
})

test('a village with special stations and no position is taken, with both said', () => {
  const parsed = parseVillage(from({ code: '1116062021', regular: '3', special_from: '901', special_to: '903', position: 'unknown' }))
  assert.deepEqual(parsed.row, ['1116062021', null, null, 'unknown', null, null, 3, 901, 903, 'Asia/Jakarta'])
  assert.deepEqual(reasonsOf(parsed), ['warning special_stations', 'warning position_unknown'])
})

test('impossible numbers are rejected, never bent', () => {
  for (const regular of ['x', '-1', '1.5', '901', '12345678']) assert.deepEqual(reasonsOf(parseVillage(from({ code: '1116062021', regular, lat: '4', lon: '97' }))), ['reject bad_number'])
  for (const [special_from, special_to] of [['900', '901'], ['905', '903'], ['901', '1000'], ['', '903']] as const)
    assert.equal(parseVillage(from({ code: '1116062021', regular: '1', special_from, special_to })).row, null)
})

test('a position outside Indonesia is not taken and says when its numbers look swapped', () => {
  const parsed = parseVillage(from({ code: '3171011001', regular: '1', lat: '106.8', lon: '-6.2' }))
  assert.deepEqual(parsed.row?.slice(1, 3), [null, null])
  assert.match(parsed.issues[0]?.detail ?? '', /swapped/)
})

test('a region must have the level and the parent that its code says', () => {
  assert.deepEqual(parseRegion(from({ code: '5301', level: 'regency', name: 'KUPANG', parent: '53' })).row, ['5301', 'regency', 'KUPANG', '53'])
  assert.deepEqual(reasonsOf(parseRegion(from({ code: '5301', level: 'district', name: 'X', parent: '53' }))), ['reject bad_level'])
  assert.deepEqual(reasonsOf(parseRegion(from({ code: '5301', level: 'regency', name: 'X', parent: '54' }))), ['reject unknown_parent'])
})

test('dates are calendar dates; networks have no host bits', () => {
  assert.equal(calendarDate('2024-02-29'), '2024-02-29')
  for (const wrong of ['2023-02-29', '2024-13-01', '2024-1-1', '24-01-01', '']) assert.equal(calendarDate(wrong), null)
  for (const right of ['10.0.0.0/8', '0.0.0.0/0', '203.0.113.4/32', '2001:db8::/32', '::/0', '1:2:3:4:5:6:7:8/128']) assert.ok(isNetwork(right), right)
  for (const wrong of ['10.0.0.1/8', '256.0.0.0/8', '10.0.0.0/33', '10.0.0.0', '2001:db8::1/32', '::1::/64', '1:2:3/64', ':1:2:3:4:5:6:7/128']) assert.ok(!isNetwork(wrong), wrong)
})

test('files are recognised by their columns, with the name as a hint', () => {
  const kindOf = (name: string, header: string): string | undefined => recognise(name, header.split(','))?.kind
  assert.equal(kindOf('a.csv', 'code,level,name,parent'), 'region')
  assert.equal(kindOf('b.csv', 'code,lat,lon,position,area_km2,landmass_id,tps_regular,tps_special_from,tps_special_to'), 'village')
  assert.equal(kindOf('schools.csv.gz', 'npsn,name,form,status,lat,lng,village_code'), 'venue')
  assert.equal(kindOf('x.csv', 'kode kel./desa,provinsi,site id,long,lat'), 'access')
  assert.equal(kindOf('stations.csv', 'code,lat,lon,voters'), 'station')
  assert.equal(kindOf('operators.csv', 'PLMN,Organisation,valid_from,valid_to'), 'operator')
  assert.equal(kindOf('isps.csv', 'id,name'), 'isp')
  assert.equal(kindOf('notes.csv', 'id,text'), undefined)
  assert.equal(accessKind('BTS 4G'), 'bts')
  assert.equal(accessKind('SATRIA-1'), 'satellite')
  assert.equal(accessKind('Akses Internet'), 'ai')
})

test('zones follow the provinces', () => {
  assert.deepEqual(['61', '62', '63', '65', '53', '71', '81', '96', '21', '36', '40'].map((code) => zoneOf(code)), [
    'Asia/Jakarta', 'Asia/Jakarta', 'Asia/Makassar', 'Asia/Makassar', 'Asia/Makassar', 'Asia/Makassar', 'Asia/Jayapura', 'Asia/Jayapura', 'Asia/Jakarta', 'Asia/Jakarta', null,
  ])
})
