import { fromGeojsonVt } from '@maplibre/vt-pbf'
import { cellToBoundary, cellToLatLng, polygonToCells } from 'h3-js'
import type { CellViews, Challenge, Edition, EditionEntry } from '@kawal/contract/atlas.ts'
import type { Live, Session } from '@kawal/contract/live.ts'
import type {
  AccessPoint, AccessPoints, Campaign, CampaignStations, LadderStep, MoveRow, MovesPage, PlanRef, PositionFixes, ReadinessArea, ReadinessPage, ReadinessRow, ReadinessSummary, SitingAnswer, StationReadiness,
} from '@kawal/contract/readiness.ts'
import { keyOfCell } from '@kawal/core/geo/cells.ts'
import { rules, type Role } from '@kawal/core/organisation/rules.ts'
import { signalWord, thresholdsOn, type ReadinessClass } from '@kawal/core/readiness/readiness.ts'

/** A nation before the day, in the contract's shapes: every class, every word, moves, points, challenges. All numbers come from a hash. */
const editionId = '0a1b2c3d4e5f'
const olderEditionId = 'fedcba987654'
const hour = 3_600_000
const iso = (at: number): string => new Date(at).toISOString()
const places: [string, string, number, number, number][] = [
  ['11', 'Aceh', 4.2, 96.9, 16_046], ['12', 'Sumatera Utara', 2.2, 99.1, 45_875], ['13', 'Sumatera Barat', -0.8, 100.5, 17_569], ['14', 'Riau', 0.5, 101.8, 19_366], ['15', 'Jambi', -1.7, 102.7, 11_160],
  ['16', 'Sumatera Selatan', -3.2, 104.1, 25_985], ['17', 'Bengkulu', -3.6, 102.4, 6_219], ['18', 'Lampung', -4.9, 105.0, 25_825], ['19', 'Kepulauan Bangka Belitung', -2.5, 106.4, 4_145], ['21', 'Kepulauan Riau', 1.0, 104.4, 5_914],
  ['31', 'DKI Jakarta', -6.2, 106.8, 30_766], ['32', 'Jawa Barat', -6.9, 107.6, 140_457], ['33', 'Jawa Tengah', -7.3, 110.0, 117_299], ['34', 'DI Yogyakarta', -7.9, 110.4, 11_932], ['35', 'Jawa Timur', -7.7, 112.6, 120_666], ['36', 'Banten', -6.5, 106.1, 33_324],
  ['51', 'Bali', -8.4, 115.2, 12_809], ['52', 'Nusa Tenggara Barat', -8.7, 117.6, 16_243], ['53', 'Nusa Tenggara Timur', -8.9, 121.8, 16_746], ['61', 'Kalimantan Barat', 0.1, 111.0, 17_626], ['62', 'Kalimantan Tengah', -1.6, 113.4, 7_830],
  ['63', 'Kalimantan Selatan', -3.0, 115.4, 12_319], ['64', 'Kalimantan Timur', 0.5, 116.4, 11_441], ['65', 'Kalimantan Utara', 3.1, 116.3, 2_233], ['71', 'Sulawesi Utara', 0.9, 124.4, 8_266], ['72', 'Sulawesi Tengah', -1.4, 121.4, 9_457],
  ['73', 'Sulawesi Selatan', -4.1, 120.0, 26_357], ['74', 'Sulawesi Tenggara', -4.1, 122.2, 8_299], ['75', 'Gorontalo', 0.7, 122.4, 3_569], ['76', 'Sulawesi Barat', -2.5, 119.3, 4_073], ['81', 'Maluku', -3.6, 129.4, 5_760], ['82', 'Maluku Utara', 0.8, 127.8, 4_190],
  ['91', 'Papua', -2.7, 139.6, 3_077], ['92', 'Papua Barat', -1.5, 133.5, 1_901], ['93', 'Papua Selatan', -7.2, 139.6, 1_735], ['94', 'Papua Tengah', -3.7, 136.3, 4_182], ['95', 'Papua Pegunungan', -4.2, 139.0, 5_701], ['96', 'Papua Barat Daya', -0.9, 131.5, 2_171],
]
const regencies: [string, string, number, number, number][] = [
  ['5301', 'Kupang', -10.06, 123.86, 1_420], ['5302', 'Timor Tengah Selatan', -9.78, 124.42, 1_611], ['5305', 'Alor', -8.27, 124.7, 705], ['5306', 'Flores Timur', -8.31, 122.97, 865], ['5307', 'Sikka', -8.66, 122.2, 952],
  ['5308', 'Ende', -8.69, 121.65, 866], ['5310', 'Manggarai', -8.62, 120.43, 984], ['5311', 'Sumba Timur', -9.86, 120.25, 830], ['5315', 'Manggarai Barat', -8.64, 119.99, 791],
]
const districts: [string, string, number][] = [['531001', 'Wae Ri', 102], ['531002', 'Ruteng', 188], ['531003', 'Satar Mese', 140], ['531006', 'Cibal', 121], ['531007', 'Reok', 96], ['531010', 'Langke Rembong', 210], ['531012', 'Rahong Utara', 127]]
const operators = ['telkomsel', 'indosat', 'xlsmart']

/** A number in [0, 1) of a text: FNV-1a. */
function chance(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32
}

export function planningSession(role: Role, now: number): Session {
  const organisation = { planner: 'kpu', noc: 'telkomsel', association: 'apjii', auditor: 'bawaslu', duty_officer: 'komdigi', helpdesk: 'helpdesk', access_operator: 'bakti', system: 'kawal' }[role]
  return {
    organisation, organisationName: organisation.toUpperCase(), role, name: 'Perencana', expiresAt: iso(now + 8 * hour),
    may: rules.filter((rule) => rule.role === role).map((rule) => `${rule.resource}:${rule.action}${rule.scope === 'own' ? ':own' : ''}`),
  }
}

/** Before the day nothing is hit; the areas have their places. */
export function planningLive(now: number): Live {
  const counts = (total: number): Live['areas'][number]['counts'] => ({ ok: 0, watch: 0, degraded: 0, down: 0, unknown: total })
  const area = (level: 'province' | 'regency') => ([code, name, latitude, longitude, stations]: (typeof places)[number]): Live['areas'][number] => ({ code, level, name, latitude, longitude, counts: counts(stations) })
  return { sequence: 1, now: iso(now), rehearsal: true, reportsPerMinute: 0, devicesOnDuty: 0, disturbances: [], tickets: [], areas: [...places.map(area('province')), ...regencies.map(area('regency'))] }
}

function planRef(now: number): PlanRef {
  return { id: 12, madeAt: iso(now - 20 * hour), validOn: '2026-11-20', edition: editionId, operators }
}

/** Shares of the classes; the farther east the worse, and one province that nobody knows. */
function classesOf(code: string, stations: number): ReadinessArea['classes'] {
  if (code.startsWith('95')) return { a: 0, b: 0, c: 0, d: 0, e: 0, unknown: stations }
  const hard = Number(code.slice(0, 2)) > 60 || code.startsWith('53') ? 0.16 : 0.03
  const part = (name: string, share: number): number => Math.round(stations * share * (0.5 + chance(`${code} ${name}`)))
  const [b, c, d, e, unknown] = [part('b', 0.14), part('c', hard), part('d', hard * 0.5), part('e', hard * 0.25), part('u', hard * 0.6)]
  return { a: Math.max(0, stations - b - c - d - e - unknown), b, c, d, e, unknown }
}
function areaOf(code: string, name: string, stations: number): ReadinessArea {
  return { code, name, stations, classes: classesOf(code, stations), voters: Math.round(stations * 249.7), checked: Math.round(stations * 0.62 * chance(`${code} checked`)), fixes: Math.round(stations * 0.4 * chance(`${code} fix`)) }
}

export function planningSummary(level: ReadinessSummary['level'], area: string | null, now: number): ReadinessSummary {
  const all = level === 'province' ? places.map(([code, name, , , stations]) => areaOf(code, name, stations))
    : level === 'regency' ? regencies.map(([code, name, , , stations]) => areaOf(code, name, stations)) : districts.map(([code, name, stations]) => areaOf(code, name, stations))
  const found = all.filter((each) => area === null || each.code.startsWith(area) || area.startsWith(each.code))
  const areas = found.length > 0 ? found : places.filter(([code]) => code === area).map(([code, name, , , stations]) => areaOf(`${code}01`, `${name} 1`, stations))
  const total = areas.reduce((sum, each) => {
    for (const name of Object.keys(sum.classes) as ReadinessClass[]) sum.classes[name] += each.classes[name]
    return { ...sum, stations: sum.stations + each.stations, checked: sum.checked + each.checked, fixes: sum.fixes + each.fixes, voters: sum.voters + (each.voters ?? 0) }
  }, { stations: 0, classes: { a: 0, b: 0, c: 0, d: 0, e: 0, unknown: 0 }, voters: 0, checked: 0, fixes: 0 })
  const { unknown } = total.classes
  return { plan: planRef(now), level, countedAt: iso(now), areas, total: { ...total, unknownReasons: unknown === 0 ? {} : { partly_known: Math.round(unknown * 0.3), no_evidence: unknown - Math.round(unknown * 0.3) } } }
}

const villages: [string, string, string][] = [['5310022003', 'Wae Belang', 'Ruteng'], ['5310022004', 'Cumbi', 'Ruteng'], ['5310032007', 'Ulu Wae', 'Satar Mese'], ['5310012002', 'Golo Mendo', 'Wae Ri'], ['5310072001', 'Bajak', 'Reok']]
const reasonOf: Readonly<Record<ReadinessClass, string>> = { a: 'two_usable', b: 'one_usable', c: 'perhaps', d: 'blank_with_point', e: 'blank_no_point', unknown: 'partly_known' }
const order: readonly ReadinessClass[] = ['e', 'd', 'unknown', 'c', 'b', 'a']

function readinessRow(at: number): ReadinessRow {
  const [village, name, district] = villages[at % villages.length] ?? ['5310022003', 'Wae Belang', 'Ruteng']
  const station = `${village}${String(Math.floor(at / villages.length) + 1).padStart(3, '0')}`
  const of = order[Math.floor((at * 6) / 60) % 6] ?? 'a'
  const thresholds = thresholdsOn('2026-11-20')
  const top = { a: 0.97, b: 0.93, c: 0.62, d: 0.12, e: 0.05, unknown: 0.2 }[of]
  const row = operators.map((operator, place) => {
    const usable = (of === 'unknown' && place > 0) || (of === 'c' && place === 2) ? null : Math.round(200 * Math.max(0, top - place * (of === 'a' ? 0.04 : 0.3) + chance(`${station} ${operator}`) * 0.03)) / 200
    return { operator, usable, weak: usable === null ? null : Math.min(1, usable + 0.02), word: signalWord(usable, thresholds) }
  })
  return {
    station, village: name, district, regency: 'Manggarai', province: 'Nusa Tenggara Timur', latitude: -8.6 + chance(`${station}y`) * 0.05, longitude: 120.45 + chance(`${station}x`) * 0.06,
    positionGrade: at % 3 === 0 ? 'fix' : 'village', voters: at % 7 === 0 ? null : 180 + (at % 120), class: of, reason: reasonOf[of], basis: at % 3 === 0 ? 'fix' : 'village', cells: at % 3 === 0 ? 1 : 14, operators: row,
    best: of === 'a' || of === 'b' || of === 'c' ? 'telkomsel' : null, second: of === 'a' ? 'indosat' : null,
    access: of === 'd' ? { id: 'ai-1', name: 'Kantor Desa Wae Belang', kind: 'ai', latitude: -8.62, longitude: 120.47, working: at % 4 !== 1, distanceKm: 3.4, travelMin: 17, slotStartMin: 40, slotMin: 2 } : null,
    accessReason: of === 'e' ? (at % 2 === 0 ? 'no_point_in_reach' : 'capacity') : null,
    move: of === 'e' || of === 'd' ? { venue: `v-${at}`, venueName: 'SD Inpres Wae Belang', gain: 0.61, classAfter: 'b', walkKm: 0.9, decision: null } : null,
  }
}
const allRows: readonly ReadinessRow[] = Array.from({ length: 60 }, (_, at) => readinessRow(at))

export function planningRows(query: URLSearchParams, now: number): ReadinessPage {
  const classes = query.get('class')?.split(',')
  const rows = allRows.filter((row) => (classes === undefined || classes.includes(row.class)) && row.station.startsWith(query.get('area') ?? '')
    && (query.get('operator') === null || query.get('word') !== null || row.best === query.get('operator')) && (query.get('basis') === null || row.basis === query.get('basis'))
    && (query.get('word') === null || row.operators.some((one) => one.operator === query.get('operator') && one.word === query.get('word')))
    && (query.get('q') === null || `${row.station} ${row.village} ${row.district}`.toLowerCase().includes((query.get('q') ?? '').toLowerCase())))
  const from = Number(query.get('page') ?? 0)
  const limit = Number(query.get('limit') ?? 25)
  return { plan: planRef(now), total: rows.length, next: from + limit < rows.length ? String(from + limit) : null, rows: rows.slice(from, from + limit) }
}

const ladder = (of: ReadinessClass): LadderStep[] => [
  of === 'e' || of === 'd' ? { kind: 'other_operator', available: false, parameters: {} } : { kind: 'other_operator', available: true, operator: 'indosat', parameters: { usable: 0.64 } },
  { kind: 'better_spot', available: true, operator: 'telkomsel', distanceKm: 0.7, bearingDeg: 42, latitude: -8.595, longitude: 120.49, place: '888c1a4c33fffff', parameters: { usable: 0.93 } },
  { kind: 'village_wifi', available: false, parameters: {} },
  of === 'd' ? { kind: 'access_point', available: true, distanceKm: 3.4, bearingDeg: 215, latitude: -8.62, longitude: 120.47, place: 'Kantor Desa Wae Belang', parameters: { id: 'ai-1', travelMin: 17 } } : { kind: 'access_point', available: false, parameters: {} },
  { kind: 'covered_place', available: true, operator: 'telkomsel', distanceKm: 6.2, bearingDeg: 301, latitude: -8.56, longitude: 120.42, place: '888c1a4c35fffff', parameters: { usable: 0.98 } },
  { kind: 'offline', available: true, parameters: {} },
]

export function planningStation(code: string, now: number): StationReadiness {
  const row = allRows.find((each) => each.station === code) ?? null
  const { village, district, regency, province } = row ?? { village: 'Wae Belang', district: 'Ruteng', regency: 'Manggarai', province: 'Nusa Tenggara Timur' }
  const evidence = operators.flatMap((operator) => (['gsm', 'lte'] as const).map((technology): StationReadiness['evidence'][number] => {
    const own = row?.operators.find((each) => each.operator === operator)
    return { operator, technology, usable: own?.usable ?? null, claimed: operator === 'xlsmart' ? null : 1, predicted: own?.usable ?? null, measured: operator === 'telkomsel' ? own?.usable ?? null : null, samples: operator === 'telkomsel' ? 41 : 0, newestOn: operator === 'telkomsel' ? '2026-11-12' : null, contradicted: operator === 'telkomsel' && row?.class === 'e', challenged: false }
  }))
  return {
    plan: planRef(now), row, station: code, village, district, regency, province, voters: row?.voters ?? null,
    position: row === null ? null : { latitude: row.latitude ?? 0, longitude: row.longitude ?? 0, grade: row.positionGrade ?? 'village', since: '2026-09-01' },
    history: [{ latitude: row?.latitude ?? null, longitude: row?.longitude ?? null, grade: row?.positionGrade ?? null, validFrom: '2026-09-01', validTo: null }, { latitude: null, longitude: null, grade: null, validFrom: '2026-07-01', validTo: '2026-09-01' }],
    neighbours: allRows.filter((each) => each.station.startsWith(code.slice(0, 10)) && each.station !== code).map((each) => ({ station: each.station, class: each.class })),
    edition: { id: editionId, name: 'November 2026', validOn: '2026-11-15' }, evidence, ladder: ladder(row?.class ?? 'a'), decisions: [],
    fixes: [{ id: 'f-1', station: code, village, district, regency, province, latitude: -8.61, longitude: 120.47, accuracyM: 240, source: 'officer', status: 'open', remark: '', givenAt: iso(now - 30 * hour), decidedAt: null, validFrom: null, insideVillage: true, distanceKm: 1.2 }],
    checks: row?.class === 'e' ? [] : [{ operator: 'telkomsel', lastAt: iso(now - 50 * hour) }, { operator: null, lastAt: iso(now - 90 * hour) }], remindedAt: iso(now - 70 * hour),
  }
}
export const neighbourPlaces = (): { code: string; latitude: number | null; longitude: number | null; positionGrade: 'fix' | 'venue' | 'village' | null }[] =>
  allRows.map(({ station, latitude, longitude, positionGrade }) => ({ code: station, latitude, longitude, positionGrade }))

const allMoves: readonly MoveRow[] = allRows.filter((row) => row.move !== null).map((row, at) => ({
  station: row.station, village: row.village, district: row.district, regency: row.regency, province: row.province, voters: row.voters, venue: row.move?.venue ?? '', venueName: row.move?.venueName ?? '', venueKind: 'sekolah',
  latitude: -8.6, longitude: 120.46, gain: 0.3 + (at % 6) / 10, classBefore: row.class, classAfter: at % 5 === 0 ? 'a' : 'b', walkKm: 0.4 + (at % 9) / 5, walkGrade: row.positionGrade === 'fix' ? 'fix' : 'village', cost: 0.05 + (at % 9) / 50,
  decision: at < 3 ? { venue: row.move?.venue ?? '', decision: at === 2 ? 'refused' : 'accepted', validFrom: '2026-11-18', decidedAt: '2026-11-10T03:00:00Z', decidedBy: 'kpu', note: '' } : null,
}))
export function planningMoves(query: URLSearchParams, now: number): MovesPage {
  const wanted = query.get('decision')
  const rows = allMoves.filter((row) => row.station.startsWith(query.get('area') ?? '') && (wanted === null || (row.decision?.decision ?? 'open') === wanted))
  return { plan: planRef(now), total: rows.length, next: null, rows }
}
export function planningWhatIf(area: string, walkKmMax: number): SitingAnswer {
  const kept = allMoves.filter((row) => row.station.startsWith(area) && (row.walkKm ?? 0) <= walkKmMax)
  const moves = kept.map((row, at) => (at === 1 ? { ...row, venue: 'v-other', venueName: 'Balai Desa Cumbi' } : row))
  return {
    area, edition: editionId, moves, kept: { 'already good': 812, 'too far': allMoves.length - kept.length, 'nothing known': 66 },
    totals: { stations: 984, weak: 106, accepted: 2, proposed: moves.length, proposedByVillage: 8, venuesOpened: 3, gain: 7.4, proven: true },
  }
}

export function planningPoints(now: number): AccessPoints {
  const rows = Array.from({ length: 4 }, (_, at): AccessPoint => ({
    id: `ai-${at + 1}`, kind: at === 3 ? 'bts' : at === 2 ? 'satellite' : 'ai', name: ['Kantor Desa Wae Belang', 'Puskesmas Cumbi', 'SMPN 2 Satar Mese', 'BTS Golo Mendo'][at] ?? '', latitude: -8.62, longitude: 120.47, villageCode: '5310022003',
    village: 'Wae Belang', district: 'Ruteng', regency: 'Manggarai', province: 'Nusa Tenggara Timur', organisation: 'bakti', source: 'Daftar BAKTI Oktober 2026', working: at === 1 ? null : at !== 2, uplinkMbps: 2, note: '', saidAt: at === 1 ? null : iso(now - 100 * hour),
    stations: 12 - at * 3, voters: 2_400, busyMin: 60, lastSlotEndMin: 95,
  }))
  return { plan: planRef(now), total: rows.length, next: null, rows }
}

export function planningCampaign(level: Campaign['level'], area: string | null, now: number, reminded: boolean): Campaign {
  const of = (code: string, name: string, stations: number): Campaign['areas'][number] => {
    const { checked, fixes } = areaOf(code, name, stations)
    return {
      code, name, stations, checked, operators: { telkomsel: Math.round(checked * 0.8), indosat: Math.round(checked * 0.4), unknown: Math.round(checked * 0.1) }, lastCheckAt: checked === 0 ? null : iso(now - hour * (1 + 40 * chance(code))), fixes, movesAccepted: Math.round(stations * 0.01),
      reminded: reminded ? stations - checked : Math.round((stations - checked) * 0.3), notReminded: reminded ? 0 : stations - checked - Math.round((stations - checked) * 0.3),
    }
  }
  const list = level === 'province' ? places : level === 'regency' ? regencies : districts.map(([code, name, stations]): (typeof places)[number] => [code, name, 0, 0, stations])
  const areas = list.filter(([code]) => area === null || code.startsWith(area)).map(([code, name, , , stations]) => of(code, name, stations))
  const total = areas.reduce<Campaign['total']>((sum, each) => ({
    stations: sum.stations + each.stations, checked: sum.checked + each.checked, fixes: sum.fixes + each.fixes, movesAccepted: sum.movesAccepted + each.movesAccepted, reminded: sum.reminded + each.reminded, notReminded: sum.notReminded + each.notReminded,
    operators: { telkomsel: (sum.operators['telkomsel'] ?? 0) + (each.operators['telkomsel'] ?? 0), indosat: (sum.operators['indosat'] ?? 0) + (each.operators['indosat'] ?? 0) }, lastCheckAt: iso(now - hour),
  }), { stations: 0, checked: 0, operators: {}, lastCheckAt: null, fixes: 0, movesAccepted: 0, reminded: 0, notReminded: 0 })
  return { since: iso(now - 30 * 24 * hour), countedAt: iso(now), level, total, areas }
}
export function planningUnchecked(area: string | null, now: number): CampaignStations {
  const rows = allRows.filter((row) => row.station.startsWith(area ?? '')).slice(0, 20).map(({ station, village, district, regency, province, class: of, positionGrade }, at) => ({ station, village, district, regency, province, class: at === 4 ? null : of, positionGrade, checkedAt: null, operators: [], remindedAt: at % 3 === 0 ? iso(now - 60 * hour) : null }))
  return { since: iso(now - 30 * 24 * hour), total: 312, next: '20', rows }
}
export function planningFixes(now: number, decided: ReadonlySet<string>): PositionFixes {
  const rows = allRows.slice(0, 3).map(({ station, village, district, regency, province }, at): PositionFixes['rows'][number] => ({
    id: `f-${at}`, station, village, district, regency, province, latitude: -8.61 + at / 100, longitude: 120.47, accuracyM: at === 1 ? null : 180 + at * 60, source: 'officer', status: 'open', remark: at === 0 ? 'pindah ke balai desa' : '', givenAt: iso(now - (20 + at) * hour), decidedAt: null, validFrom: null, insideVillage: at === 2 ? null : at === 0, distanceKm: 2.4 + at,
  })).filter((row) => !decided.has(row.id))
  return { total: rows.length, rows }
}

const layers: EditionEntry['layers'] = [{ operator: 'indosat', technology: 'lte' }, { operator: 'telkomsel', technology: 'gsm' }, { operator: 'telkomsel', technology: 'lte' }, { operator: 'xlsmart', technology: 'lte' }]
const seen = (own: string | null): EditionEntry['layers'] => layers.filter((layer) => own === null || layer.operator === own)
export function planningEditions(now: number, own: string | null): EditionEntry[] {
  const cells = { national: 2_601_220, fine: 1_204_331 }
  return [
    { id: editionId, sha256: editionId.padEnd(64, '0'), name: 'November 2026', validOn: '2026-11-15', publishedAt: iso(now - 200 * hour), layers: seen(own), cells },
    { id: olderEditionId, sha256: olderEditionId.padEnd(64, '0'), name: 'Oktober 2026', validOn: '2026-10-15', publishedAt: iso(now - 900 * hour), layers: seen(own), cells },
  ]
}
export function planningEdition(id: string, now: number, own: string | null): Edition {
  const one = planningEditions(now, own).find((each) => each.id === id)
  const facts = {
    weights: { claimed: 0.6, predicted: 0.7 }, terrain: { folder: 'srtm', files: 144, left_out: 0 }, villages_by_disc: 312, accepted_challenges: 1,
    layers: seen(own).map(({ operator, technology }, at) => ({
      operator, technology, sources: [{ claim: at + 1, kind: 'polygon', complete: true, validFrom: '2026-11-01', file: `klaim-${operator}-${technology}.gpkg`, sha256: 'c'.repeat(64) }], sites: 8_120 - at * 900, samples: 41_220 - at * 9_000,
      record: at === 3 ? null : { claimed_cells: 1_204_331, tested_cells: 4_120 - at * 700, contradicted_cells: 1_280, over_claim_rate: 0.31 + at * 0.04, over_claim_low: 0.28 + at * 0.04, over_claim_high: 0.34 + at * 0.04, reliability: 0.69 - at * 0.04 },
      validation: { block_km: 5, levels: 9_120, rmse_db: 7.42, interval_90_share: 0.903, tries: 2_410, brier: 0.14 }, cells: { known: 2_301_220, usable: 1_904_551, contradicted: 30_112, measured: 210_330 },
    })),
  }
  return {
    id, sha256: one?.sha256 ?? '', publishedAt: one?.publishedAt ?? iso(now), layers: seen(own), whole: own === null,
    header: { format: 1, name: one?.name ?? '', validOn: one?.validOn ?? '2026-11-15', facts, columns: Array.from({ length: 58 }, (_, at) => ({ name: `national.${at}`, operator: null, technology: null, rows: 2_601_220, sha256: ''.padEnd(64, 'a') })) },
  }
}

/** A field that is smooth over some 40 km. */
const field = (latitude: number, longitude: number, salt: number): number => 0.5 + 0.5 * Math.sin(latitude * 9 + salt) * Math.cos(longitude * 7 + salt * 2)
function valuesAt(latitude: number, longitude: number, operator: string): { usable: number | null; claimed: number; measured: number | null; contradicted: boolean } {
  const usable = Math.min(1, field(latitude, longitude, operator.length) * 1.25)
  const isMeasured = field(latitude, longitude, 11) > 0.7
  return { usable: field(latitude, longitude, 5) < 0.12 ? null : Math.round(usable * 200) / 200, claimed: usable > 0.25 ? 1 : 0, measured: isMeasured ? Math.round(usable * 200) / 200 : null, contradicted: isMeasured && usable > 0.25 && usable < 0.4 }
}
export function planningCell(cell: string, own: string | null): CellViews {
  const [latitude, longitude] = cellToLatLng(cell)
  return {
    edition: editionId, cell, resolution: Number(cell[1]), latitude, longitude,
    layers: seen(own).map((layer) => {
      const { usable, claimed, measured, contradicted } = valuesAt(latitude, longitude, layer.operator)
      return { ...layer, usable, claimed: layer.operator === 'xlsmart' ? null : claimed, predicted: usable, measured, samples: measured === null ? 0 : 37, date: measured === null ? null : '2026-11-12', source: measured === null ? 'predicted' : 'measured', contradicted, challenged: false }
    }),
  }
}

/** A tile as the server draws it: hexagons of a resolution that fits the zoom, around the places above. */
export function planningTile(operator: string, z: number, x: number, y: number): Uint8Array {
  const side = 2 ** z
  const latitudeOf = (row: number): number => (Math.atan(Math.sinh(Math.PI * (1 - (2 * row) / side))) * 180) / Math.PI
  const [west, east, north, south] = [(x / side) * 360 - 180, ((x + 1) / side) * 360 - 180, latitudeOf(y), latitudeOf(y + 1)]
  const resolution = [4, 4, 4, 4, 4, 5, 5, 6, 7, 7][z] ?? 8
  const onLand = (latitude: number, longitude: number): boolean => [...places, ...regencies].some(([, , lat, lon]) => Math.hypot(lat - latitude, lon - longitude) < 1.1)
  const mercator = (latitude: number): number => (1 - Math.asinh(Math.tan((latitude * Math.PI) / 180)) / Math.PI) / 2
  const features = polygonToCells([[south, west], [north, west], [north, east], [south, east]], resolution).flatMap((cell) => {
    const [latitude, longitude] = cellToLatLng(cell)
    if (!onLand(latitude, longitude)) return []
    const { usable, claimed, measured, contradicted } = valuesAt(latitude, longitude, operator)
    const ring = cellToBoundary(cell).map(([lat, lon]): [number, number] => [Math.round((((lon + 180) / 360) * side - x) * 4096), Math.round((mercator(lat) * side - y) * 4096)])
    const tags = { resolution, source: measured === null ? 'predicted' : 'measured', known: usable === null ? 0 : 1, claimed, day: 20_769, ...(usable === null ? {} : { usable }), ...(measured === null ? {} : { measured, samples: 37 }), ...(contradicted ? { contradicted: 1 } : {}) }
    return [{ id: keyOfCell(cell, resolution), type: 3, geometry: [ring], tags }]
  })
  return features.length === 0 ? new Uint8Array(0) : fromGeojsonVt({ cells: { features } } as unknown as Parameters<typeof fromGeojsonVt>[0], { version: 2, extent: 4096 })
}

export const planningDifference = (): unknown => ({
  from: olderEditionId, to: editionId, operator: 'telkomsel', technology: 'lte', counts: { became_known: 412, became_unknown: 0, gained: 96, lost: 31, moved: 204, same: 2_600_477 }, truncated: false,
  cells: ['888c1a4c33fffff', '888c1a4c35fffff', '888c1a4c37fffff'].map((cell, at) => ({ cell, kind: ['lost', 'gained', 'became_known'][at], before: [0.8, 0.3, null][at], after: [0.2, 0.9, 0.6][at] })),
})
export function planningChallenges(now: number): Challenge[] {
  const base = { edition: editionId, operator: 'telkomsel', technology: 'lte' as const, station: null, says: 'not_covered' as const }
  return [
    { ...base, id: '11111111-1111-4111-8111-111111111111', organisation: 'bawaslu', cell: '888c1a4c33fffff', evidence: 'Tiga ponsel dicoba 12 November 2026 pukul 10.00, tidak satu pun mendapat data.', status: 'open', openedAt: iso(now - 90 * hour), decidedAt: null, decidedBy: null, answer: null },
    { ...base, id: '22222222-2222-4222-8222-222222222222', organisation: 'kpu', cell: null, station: '5310022003001', evidence: 'Laporan Sigmon selama dua pekan: unggah gagal.', status: 'accepted', openedAt: iso(now - 300 * hour), decidedAt: iso(now - 200 * hour), decidedBy: 'komdigi', answer: 'Diterima, ukuran lapangan sejalan.' },
    { ...base, id: '33333333-3333-4333-8333-333333333333', organisation: 'telkomsel', says: 'covered', cell: '888c1a4c35fffff', evidence: 'Pemancar baru menyala sejak 3 November 2026.', status: 'refused', openedAt: iso(now - 250 * hour), decidedAt: iso(now - 190 * hour), decidedBy: 'komdigi', answer: 'Belum ada ukuran yang menunjukkannya.' },
  ]
}
