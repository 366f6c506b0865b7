import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSample } from './sample.ts'
import type { Technology } from './edition.ts'
import { parseSite } from './site.ts'

const good = { radio: 'LTE', mcc: '510', net: '1', area: '499', cell: '14091', unit: '0', lon: '114.0266', lat: '-8.3022', range: '2095', samples: '22', updated: '1737785281' }
const site = (changes: Record<string, string>, asked: Technology | null = null, swap = false): ReturnType<typeof parseSite> => parseSite((column) => ({ ...good, ...changes })[column as keyof typeof good] ?? '', asked, swap)
const saidOf = (read: { issues: readonly { severity: string; reason: string; detail: string }[] }): string => read.issues.map(({ severity, reason, detail }) => `${severity} ${reason} ${detail}`).join(', ')

test("a row of OpenCelliD's is read: operator code with two digits, the day from seconds", () => {
  const { site: read, issues } = site({})
  assert.deepEqual(issues, [])
  assert.deepEqual([read?.technology, read?.plmn, read?.updated_on, read?.latitude, read?.longitude], ['lte', '51001', '2025-01-25', -8.3022, 114.0266])
  assert.deepEqual([read?.numbers.cell, read?.numbers.range, read?.numbers.height_m], [14091, 2095, null])
})

test('each fault of a row of sites has its reason', () => {
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{ radio: 'CDMA' }, 'reject unknown_technology CDMA'], [{ radio: '' }, 'reject unknown_technology '], [{ lat: '' }, 'reject bad_position  114.0266'],
    [{ lat: '114.0266', lon: '-8.3022' }, 'reject swapped_axes 114.0266 -8.3022: mend the columns, or import with --swap-axes'],
    [{ lat: '9080000', lon: '250000' }, 'reject not_degrees 9080000 250000'], [{ lat: '51', lon: '7' }, 'reject outside_frame 51 7'],
    [{ azimuth_deg: '400' }, 'warning bad_number azimuth_deg 400'], [{ height_m: '-3' }, 'warning bad_number height_m -3'], [{ cell: '1.5' }, 'warning bad_number cell 1.5'],
    [{ updated: '2024-02-30' }, 'warning bad_date 2024-02-30'], [{ net: 'x' }, 'warning bad_number operator code 5100x'], [{ height_m: '42', updated: '2024-02-29' }, ''],
  ]
  for (const [changes, wanted] of cases) assert.equal(saidOf(site(changes)), wanted, JSON.stringify(changes))
  assert.equal(saidOf(site({}, 'gsm')), 'reject other_technology LTE')
  assert.equal(site({ radio: '' }, 'gsm').site?.technology, 'gsm')
  assert.deepEqual([site({ lat: '114.0266', lon: '-8.3022' }, null, true).site?.latitude, site({ lat: '114.0266', lon: '-8.3022' }, null, true).site?.longitude], [-8.3022, 114.0266])
})

const measured = { operator: '51010', technology: '4G', lat: '-7.5', lon: '110.1', at: '2024-02-14T13:00:00+07:00', device: 'a', rsrp_dbm: '-101.5', rssi_dbm: '', usable: '1' }
const sample = (changes: Record<string, string>): ReturnType<typeof parseSample> => parseSample((column) => ({ ...measured, ...changes })[column as keyof typeof measured] ?? '')

test('a sample is read, and each fault of one has its reason; nothing is clamped', () => {
  assert.deepEqual(sample({}).sample, { operator: '51010', technology: 'lte', latitude: -7.5, longitude: 110.1, at: measured.at, device: 'a', rsrp_dbm: -101.5, rssi_dbm: null, usable: true })
  assert.equal(sample({ rsrp_dbm: '', usable: 'tidak' }).sample?.usable, false)
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{ technology: 'fixed' }, 'reject unknown_technology fixed'], [{ lat: '99' }, 'reject not_degrees 99 110.1'],
    [{ at: '2024-02-14 13:00' }, 'reject bad_date 2024-02-14 13:00: write an ISO time with its offset'], [{ at: '2024-02-30T13:00:00Z' }, 'reject bad_date 2024-02-30T13:00:00Z: write an ISO time with its offset'],
    [{ at: '2024-02-14T25:00:00Z' }, 'reject bad_date 2024-02-14T25:00:00Z: write an ISO time with its offset'], [{ rsrp_dbm: 'x' }, 'reject bad_number x'],
    [{ rsrp_dbm: '-200' }, 'reject bad_radio rsrpDbm -200 is outside -140..-43 of lte'], [{ rsrp_dbm: '7' }, 'reject bad_radio rsrpDbm 7 is outside -140..-43 of lte'],
    [{ technology: 'gsm', rsrp_dbm: '', rssi_dbm: '-20' }, 'reject bad_radio rssiDbm -20 is outside -113..-51 of gsm'],
    [{ rsrp_dbm: 'null', usable: '' }, 'reject no_value '], [{ usable: 'perhaps' }, 'warning bad_number usable perhaps'],
  ]
  for (const [changes, wanted] of cases) assert.equal(saidOf(sample(changes)), wanted, JSON.stringify(changes))
})
