import type { DisturbanceTurns, Live, LiveDelta, Session, StationDetail, StationRows } from '@kawal/contract/live.ts'

/** A small rehearsal in East Nusa Tenggara: every status, every kind of clock, disturbances of every stage. */
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

type Row = Live['disturbances'][number]
type Terms = NonNullable<Row['impact']>['terms']

const evidence: Row['evidence'] = {
  devicesExpected: 14, devicesSilent: 12, devicesBad: 1, devicesGood: 1, witnessesGood: 9, score: 8.3, threshold: 6, rule: 'promises-1',
  causes: [{ cause: 'backhaul', nats: 9.1 }, { cause: 'access', nats: 7.2 }, { cause: 'power', nats: 1.4 }],
  signs: [{ sign: 'operators_hit', count: 1, of: 3 }, { sign: 'getting_through', count: 1, of: 13 }, { sign: 'radio_strong', count: 4, of: 5 }, { sign: 'chargers_off', count: 0, of: 3 }, { sign: 'alarm', count: 1, of: 1 }],
}

const pointsOf = (rows: readonly [term: string, value: number, weight: number][]): Terms => rows.map(([term, value, weight]) => ({ term, value, weight, points: value * weight }))

/** Of so many stations, as the server weighs them. */
function impactOf(now: number, stations: number, voters: number | null, factor: [string, number][] = []): Row['impact'] {
  const terms = pointsOf([
    ['stations_without_alternative', Math.floor(stations / 4), 10], ['stations_alternative_unknown', Math.floor(stations / 8), 6], ['stations_with_alternative', stations - Math.floor(stations / 4) - Math.floor(stations / 8), 2],
    ...(voters === null ? [['stations_voters_unknown', stations, 0.5] as [string, number, number]] : [['voters_thousand', voters / 1000, 2] as [string, number, number]]),
    ['urgency', Math.round(stations * 12) / 100, 10],
  ])
  let priority = terms.reduce((sum, each) => sum + each.points, 0)
  for (const [term, weight] of factor) {
    terms.push({ term, value: priority, weight, points: priority * weight })
    priority *= 1 + weight
  }
  const left = 95
  return {
    priority, voters, withoutAlternative: Math.floor(stations / 4) + Math.floor(stations / 8), unsentRecaps: null, deadlineAt: iso(now + left * minute), deadlineName: 'recaps_due', minutesToDeadline: left, terms,
  }
}

type Given = Pick<Row, 'id' | 'stage' | 'cause' | 'operator' | 'areaCode' | 'areaName' | 'latitude' | 'longitude' | 'stations'> & { began: number; found: number | null; ended?: number; voters?: number | null } & Partial<Row>

/** @param given `began`, `found` and `ended` in minutes before now */
function disturbance(now: number, { began, found, ended, voters = null, ...given }: Given): Row {
  const taken: [string, number][] = [...(given.severity === 'degraded' ? [['degraded', -0.4] as [string, number]] : []), ...(given.stage === 'suspected' || given.stage === 'recovering' ? [[given.stage, -0.5] as [string, number]] : given.stage === 'ended' || given.stage === 'retracted' ? [[given.stage, -1] as [string, number]] : [])]
  return {
    severity: 'down', confidence: 0.87, startedAt: iso(now - began * minute), suspectedAt: iso(now - (began - 2) * minute), foundAt: found === null ? null : iso(now - found * minute), endedAt: ended === undefined ? null : iso(now - ended * minute),
    parent: null, plannedWork: null, alarms: [], evidence, impact: impactOf(now, given.stations.length, voters, taken), ticketId: null, ...given,
  }
}

function disturbances(now: number): Row[] {
  return [
    disturbance(now, { id: 'g-1', stage: 'confirmed', cause: 'backhaul', operator: 'telkomsel', areaCode: '5310', areaName: 'Manggarai', latitude: -8.6, longitude: 120.45, stations: codes('5310102003', 96), voters: 22_410, began: 41, found: 37, alarms: ['TSEL-884213'], ticketId: 't-1' }),
    disturbance(now, {
      id: 'g-2', stage: 'confirmed', cause: 'power', operator: 'telkomsel', areaCode: '530502', areaName: 'Alor Barat Daya', latitude: -8.3, longitude: 124.5, stations: codes('5305022001', 12), began: 12, found: 9, confidence: 0.96,
      evidence: { ...evidence, causes: [{ cause: 'power', nats: 8.8 }, { cause: 'access', nats: 3.1 }], signs: [{ sign: 'operators_hit', count: 3, of: 3 }, { sign: 'chargers_off', count: 5, of: 6 }] },
    }),
    disturbance(now, { id: 'g-3', stage: 'ended', severity: 'degraded', cause: 'congestion', operator: 'indosat', areaCode: '5301', areaName: 'Kupang', latitude: -10.06, longitude: 123.86, stations: codes('5301012001', 9), voters: 2_100, began: 122, found: 117, ended: 20, ticketId: 't-3' }),
    disturbance(now, { id: 'g-5', stage: 'suspected', cause: 'access', operator: 'xlsmart', areaCode: '530702', areaName: 'Alok Timur', latitude: -8.66, longitude: 122.2, stations: codes('5307022001', 7), began: 4, found: null, confidence: 0.58, evidence: { ...evidence, devicesExpected: 9, devicesSilent: 5, devicesBad: 0, devicesGood: 4, witnessesGood: 6, score: 4.1 } }),
    disturbance(now, { id: 'g-6', stage: 'confirmed', cause: 'access', operator: 'telkomsel', areaCode: '531004', areaName: 'Reok', latitude: -8.33, longitude: 120.5, stations: codes('5310042001', 14), began: 39, found: 35, parent: 'g-1' }),
    disturbance(now, { id: 'g-7', stage: 'confirmed', cause: 'access', operator: 'indosat', areaCode: '531102', areaName: 'Umalulu', latitude: -9.86, longitude: 120.6, stations: codes('5311022001', 11), began: 30, found: 27, plannedWork: 'PT-0007' }),
    disturbance(now, {
      id: 'g-8', stage: 'recovering', severity: 'degraded', cause: 'undetermined', operator: 'indosat', areaCode: '530201', areaName: 'Molo Utara', latitude: -9.7, longitude: 124.3, stations: codes('5302012001', 21), voters: 5_030, began: 66, found: 62, confidence: 0.44, impact: null,
      evidence: { ...evidence, witnessesGood: 0, causes: [{ cause: 'access', nats: 5.2 }, { cause: 'backhaul', nats: 5 }, { cause: 'power', nats: 4.7 }], signs: [{ sign: 'silent', count: 12, of: 14 }] },
    }),
    disturbance(now, { id: 'g-10', stage: 'ended', cause: 'access', operator: 'telkomsel', areaCode: '531008', areaName: 'Cibal', latitude: -8.5, longitude: 120.5, stations: codes('5310082001', 5), began: 40, found: 36, ended: 30, parent: 'g-1' }),
    disturbance(now, { id: 'g-9', stage: 'retracted', cause: 'access', operator: 'telkomsel', areaCode: '530801', areaName: 'Nangapanda', latitude: -8.75, longitude: 121.5, stations: codes('5308012003', 6), began: 75, found: null, ended: 60 }),
  ]
}

/** @param id of the disturbance; what is not in the fixture has no turns */
export function fixtureTurns(id: string, now: number): DisturbanceTurns {
  if (id !== 'g-1') return []
  const turn = (number: number, ago: number, name: DisturbanceTurns[number]['turn'], silent: number, stations: number, more: Partial<DisturbanceTurns[number]> = {}): DisturbanceTurns[number] => ({
    number, at: iso(now - ago * minute), turn: name, stage: number === 1 ? 'suspected' : 'confirmed', cause: 'access', confidence: 0.52, stations, silent, bad: 1, good: 1, score: 2 + silent / 2, threshold: 6, other: null, ...more,
  })
  return [
    turn(1, 39, 'suspected', 5, 31), turn(2, 37, 'confirmed', 9, 60), turn(3, 36.5, 'grown', 10, 72), turn(4, 36, 'grown', 11, 88), turn(5, 35.5, 'grown', 12, 96),
    turn(6, 33, 'alarm', 12, 96, { other: 'TSEL-884213' }), turn(7, 33, 'attributed', 12, 96, { cause: 'backhaul', confidence: 0.87 }), turn(8, 30, 'recovering', 7, 96, { stage: 'recovering', cause: 'backhaul', confidence: 0.87 }), turn(9, 28, 'relapsed', 12, 96, { cause: 'backhaul', confidence: 0.87 }),
  ]
}

/** @param now server's clock, ms */
export function fixtureLive(now: number, sequence = 1): Live {
  return {
    sequence, now: iso(now), rehearsal: true, reportsPerMinute: 5213, devicesOnDuty: 8034, areas: areas(), disturbances: disturbances(now),
    tickets: [
      { id: 't-1', disturbanceId: 'g-1', covers: [], relations: [], problem: null, request: null,
        dispute: { kind: 'power', text: 'Genset habis bahan bakar <b>sejak subuh</b>', by: 'telkomsel', since: iso(now - 10 * minute), counts: { expected: 96, silent: 88, bad: 0, good: 8 }, answer: null }, status: 'inProgress', operator: 'telkomsel', operatorName: 'Telkomsel', title: 'Telkomsel, Manggarai', stationCount: 96, openedAt: iso(now - 37 * minute), reopened: 1,
        verification: { state: 'refused', claimedAt: iso(now - 25 * minute), since: iso(now - 22 * minute), good: 8, bad: 0, silent: 88, broken: [{ station: '5310102003004', good: 0, bad: 0, silent: 4 }] },
        clocks: [
          { name: 'restore', state: 'at_risk', dueAt: iso(now + 8 * minute), pausedReason: null },
          { name: 'repair', state: 'paused', dueAt: iso(now + 600 * minute), pausedReason: 'Kapal belum dapat berlayar' },
        ],
        history: [
          { at: iso(now - 37 * minute), by: 'kawal', kind: 'opened', text: '', counts: null, clock: null, dispute: null },
          { at: iso(now - 34 * minute), by: 'telkomsel', kind: 'acknowledged', text: '', counts: null, clock: null, dispute: null },
          { at: iso(now - 25 * minute), by: 'telkomsel', kind: 'resolved', text: 'Catu daya cadangan dinyalakan', counts: null, clock: null, dispute: null },
          { at: iso(now - 22 * minute), by: 'kawal', kind: 'reopened', text: '', counts: { expected: 96, silent: 88, bad: 0, good: 8 }, clock: null, dispute: null },
        ] },
      { id: 'LP-000017', disturbanceId: null, covers: [], relations: [], problem: { kind: 'signal', text: 'Tidak ada sinyal\ndi balai desa <b>sejak pagi</b>', station: '5310102003004', areaName: 'Wae Mbeleng, Ruteng' }, request: null, dispute: null, status: 'reopened',
        operator: 'komdigi', operatorName: 'Kementerian Komunikasi dan Digital (PMT)', title: 'Laporan petugas (sinyal)', stationCount: 1, openedAt: iso(now - 55 * minute), reopened: 1, clocks: [],
        history: [
          { at: iso(now - 55 * minute), by: 'officer', kind: 'opened', text: 'Tidak ada sinyal', counts: null, clock: null, dispute: null },
          { at: iso(now - 30 * minute), by: 'komdigi', kind: 'resolved', text: 'Antena diarahkan', counts: null, clock: null, dispute: null },
          { at: iso(now - 5 * minute), by: 'officer', kind: 'reopened', text: '', counts: null, clock: null, dispute: null },
        ] },
      { id: 'PM-000004', disturbanceId: null, covers: [], relations: [], problem: null, request: { description: 'Daftar TPS pada tiket TT-g-1 tidak cocok dengan data kami', severity: 'High', ticketType: 'data', externalId: 'TSEL-8812' }, dispute: null, status: 'resolved',
        operator: 'telkomsel', operatorName: 'Telkomsel', title: 'Permintaan Telkomsel: data', stationCount: 0, openedAt: iso(now - 80 * minute), reopened: 0, clocks: [],
        history: [
          { at: iso(now - 80 * minute), by: 'telkomsel', kind: 'opened', text: 'Daftar TPS pada tiket TT-g-1 tidak cocok dengan data kami', counts: null, clock: null, dispute: null },
          { at: iso(now - 20 * minute), by: 'komdigi', kind: 'resolved', text: 'Daftar diperbarui', counts: null, clock: null, dispute: null },
        ] },
      { id: 't-3', disturbanceId: 'g-3', covers: [], relations: [], problem: null, request: null, dispute: null, status: 'closed', operator: 'indosat', operatorName: 'Indosat Ooredoo Hutchison', title: 'Indosat, Kupang', stationCount: 9, openedAt: iso(now - 117 * minute), reopened: 0,
        clocks: [{ name: 'restore', state: 'met', dueAt: iso(now - 10 * minute), pausedReason: null }], history: [{ at: iso(now - 20 * minute), by: 'kawal', kind: 'closed', text: '', counts: null, clock: null, dispute: null }] },
    ],
  }
}

/** One disturbance more, as it comes over the wire. */
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
export function fixtureSession(now: number, more: readonly string[] = []): Session {
  return { organisation: 'komdigi', organisationName: 'Komdigi', role: 'duty', name: 'Petugas jaga', expiresAt: iso(now + 480 * minute), may: ['live:read', 'ticket:read', 'ticket:write', 'recap:read', 'alarm:read', 'planned_work:read', 'planned_work:write', 'contact:read', 'contact:write:own', 'comment:read', 'comment:write', 'push_subscription:read:own', 'push_subscription:write:own', ...more] }
}
