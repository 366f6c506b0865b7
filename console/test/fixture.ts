import type { Live, LiveDelta, Session, StationDetail, StationRows } from '@kawal/contract/live.ts'

/** A small rehearsal in East Nusa Tenggara: every status, every kind of clock, two open causes and one that recovered. */
const minute = 60_000
const iso = (at: number): string => new Date(at).toISOString()

const regencies: [string, string, number, number][] = [
  ['5301', 'Kupang', -10.06, 123.86], ['5302', 'Timor Tengah Selatan', -9.78, 124.42], ['5303', 'Timor Tengah Utara', -9.37, 124.58],
  ['5304', 'Belu', -9.16, 124.9], ['5305', 'Alor', -8.27, 124.7], ['5306', 'Flores Timur', -8.31, 122.97], ['5307', 'Sikka', -8.66, 122.2],
  ['5308', 'Ende', -8.69, 121.65], ['5310', 'Manggarai', -8.62, 120.43], ['5311', 'Sumba Timur', -9.86, 120.25], ['5315', 'Manggarai Barat', -8.64, 119.99],
]

const counted = (ok: number, watch: number, degraded: number, down: number, unknown: number): Live['areas'][number]['counts'] => ({ ok, watch, degraded, down, unknown })

function areas(): Live['areas'] {
  const own = regencies.map(([code, name, latitude, longitude], index): Live['areas'][number] => ({
    code, level: 'regency', name, latitude, longitude,
    counts: index === 8 ? counted(212, 18, 41, 96, 30) : index === 4 ? counted(130, 6, 0, 12, 9) : counted(300 + index * 37, index * 2, index % 3, 0, 5 + index * 3),
  }))
  const sum = counted(0, 0, 0, 0, 0)
  for (const { counts } of own) for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += counts[key]
  return [{ code: '53', level: 'province', name: 'Nusa Tenggara Timur', latitude: -8.9, longitude: 121.8, counts: sum }, ...own]
}

const codes = (village: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${village}${String(index + 1).padStart(3, '0')}`)

/** @param now server's clock, ms */
export function fixtureLive(now: number, sequence = 1): Live {
  const evidence = { devicesExpected: 14, devicesSilent: 12, devicesBad: 1, devicesGood: 1, witnessesGood: 9, score: 8.3, threshold: 6, rule: 'operator-area-1' }
  return {
    sequence, now: iso(now), rehearsal: true, reportsPerMinute: 5213, devicesOnDuty: 8034, areas: areas(),
    disturbances: [
      { id: 'g-1', status: 'open', severity: 'down', cause: 'operator', operator: 'telkomsel', areaCode: '5310', areaName: 'Manggarai', latitude: -8.6, longitude: 120.45,
        stations: codes('5310102003', 96), voters: 22_410, startedAt: iso(now - 41 * minute), foundAt: iso(now - 37 * minute), endedAt: null, evidence, ticketId: 't-1' },
      { id: 'g-2', status: 'open', severity: 'down', cause: 'power', operator: 'telkomsel', areaCode: '530502', areaName: 'Alor Barat Daya', latitude: -8.3, longitude: 124.5,
        stations: codes('5305022001', 12), voters: null, startedAt: iso(now - 12 * minute), foundAt: iso(now - 9 * minute), endedAt: null, evidence: { ...evidence, rule: 'power-1' }, ticketId: null },
      { id: 'g-3', status: 'recovered', severity: 'degraded', cause: 'congestion', operator: 'indosat', areaCode: '5301', areaName: 'Kupang', latitude: -10.06, longitude: 123.86,
        stations: codes('5301012001', 9), voters: 2_100, startedAt: iso(now - 122 * minute), foundAt: iso(now - 117 * minute), endedAt: iso(now - 20 * minute), evidence, ticketId: 't-3' },
    ],
    tickets: [
      { id: 't-1', disturbanceId: 'g-1', problem: null, status: 'inProgress', operator: 'telkomsel', operatorName: 'Telkomsel', title: 'Telkomsel, Manggarai', stationCount: 96, openedAt: iso(now - 37 * minute), reopened: 1,
        clocks: [
          { name: 'restore', state: 'at_risk', dueAt: iso(now + 8 * minute), pausedReason: null },
          { name: 'repair', state: 'paused', dueAt: iso(now + 600 * minute), pausedReason: 'Kapal belum dapat berlayar' },
        ],
        history: [
          { at: iso(now - 37 * minute), by: 'kawal', kind: 'opened', text: '', counts: null, clock: null },
          { at: iso(now - 34 * minute), by: 'telkomsel', kind: 'acknowledged', text: '', counts: null, clock: null },
          { at: iso(now - 25 * minute), by: 'telkomsel', kind: 'resolved', text: 'Catu daya cadangan dinyalakan', counts: null, clock: null },
          { at: iso(now - 22 * minute), by: 'kawal', kind: 'reopened', text: '', counts: { expected: 96, silent: 88, bad: 0, good: 8 }, clock: null },
        ] },
      { id: 'LP-000017', disturbanceId: null, problem: { kind: 'signal', text: 'Tidak ada sinyal\ndi balai desa <b>sejak pagi</b>', station: '5310102003004', areaName: 'Wae Mbeleng, Ruteng' }, status: 'reopened',
        operator: 'komdigi', operatorName: 'Kementerian Komunikasi dan Digital (PMT)', title: 'Laporan petugas (sinyal)', stationCount: 1, openedAt: iso(now - 55 * minute), reopened: 1, clocks: [],
        history: [
          { at: iso(now - 55 * minute), by: 'officer', kind: 'opened', text: 'Tidak ada sinyal', counts: null, clock: null },
          { at: iso(now - 30 * minute), by: 'komdigi', kind: 'resolved', text: 'Antena diarahkan', counts: null, clock: null },
          { at: iso(now - 5 * minute), by: 'officer', kind: 'reopened', text: '', counts: null, clock: null },
        ] },
      { id: 't-3', disturbanceId: 'g-3', problem: null, status: 'closed', operator: 'indosat', operatorName: 'Indosat Ooredoo Hutchison', title: 'Indosat, Kupang', stationCount: 9, openedAt: iso(now - 117 * minute), reopened: 0,
        clocks: [{ name: 'restore', state: 'met', dueAt: iso(now - 10 * minute), pausedReason: null }], history: [{ at: iso(now - 20 * minute), by: 'kawal', kind: 'closed', text: '', counts: null, clock: null }] },
    ],
  }
}

/** A third disturbance, as it comes over the wire. */
export function fixtureDelta(now: number, sequence: number): LiveDelta {
  const [first] = fixtureLive(now).disturbances
  if (first === undefined) throw new Error('the fixture has disturbances')
  return { sequence, now: iso(now), disturbances: [{ ...first, id: 'g-4', operator: 'xlsmart', areaCode: '5308', areaName: 'Ende', latitude: -8.69, longitude: 121.65, stations: codes('5308012001', 30), ticketId: null }] }
}

const statusNames = ['down', 'degraded', 'watch', 'unknown', 'ok', 'ok', 'ok'] as const
export function fixtureStations(now: number): StationRows {
  const stations = codes('5310102003', 140).map((code, index): StationRows['stations'][number] => ({
    code, latitude: -8.6 + Math.sin(index * 2.4) * 0.02 * Math.sqrt(index), longitude: 120.45 + Math.cos(index * 2.4) * 0.02 * Math.sqrt(index),
    positionGrade: index % 3 === 0 ? 'fix' : 'village', status: index < 40 ? 'down' : statusNames[index % 7] ?? 'ok', disturbanceId: index < 40 ? 'g-1' : null,
  }))
  return { now: iso(now), total: 397, stations }
}

export function fixtureStation(code: string, now: number): StationDetail {
  return {
    code, village: 'Wae Ri', district: 'Ruteng', regency: 'Manggarai', province: 'Nusa Tenggara Timur', zone: 'Asia/Makassar', status: 'down', rule: 'silent-2: dua janji laporan lewat',
    operators: [
      { operator: 'telkomsel', status: 'down', devices: 2, silent: 2, bad: 0, lastReportAt: iso(now - 41 * minute) },
      { operator: 'indosat', status: 'ok', devices: 1, silent: 0, bad: 0, lastReportAt: iso(now - minute) },
    ],
  }
}

/** @param now server's clock, ms */
export function fixtureSession(now: number): Session {
  return { organisation: 'komdigi', organisationName: 'Komdigi', role: 'duty', name: 'Petugas jaga', expiresAt: iso(now + 480 * minute), may: ['live:read', 'ticket:write'] }
}
