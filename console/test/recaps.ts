import type { BoxRows, RecapConflicts, RecapCounts, RecapOverview, StuckRecap, StuckRecaps } from '@kawal/contract/recap-overview.ts'

/** Recaps of a day under way: three zones, two provinces, a village with its stations; what is stuck, what conflicts, two boxes. */
const minute = 60_000
const iso = (at: number): string => new Date(at).toISOString()
const none: RecapCounts = { expected: 0, due: 0, overdue: 0, recorded: 0, delivered: 0, photosWhole: 0, conflicts: 0, quarantine: {} }

const provinces: readonly (readonly [code: string, name: string, zone: string, stations: number, counts: Partial<RecapCounts>])[] = [
  ['31', 'DKI Jakarta', 'Asia/Jakarta', 30_766, { due: 0, recorded: 210, delivered: 90, photosWhole: 12 }],
  ['53', 'Nusa Tenggara Timur', 'Asia/Makassar', 16_746, { due: 83_730, recorded: 61_204, delivered: 55_031, photosWhole: 20_411, conflicts: 41, quarantine: { key_unknown: 37, totals_impossible: 4 } }],
  ['94', 'Papua Tengah', 'Asia/Jayapura', 5_101, { due: 25_505, overdue: 25_505, recorded: 3_011, delivered: 2_870, photosWhole: 122 }],
]

function fixtureOverview(now: number, query: URLSearchParams, { empty, stale }: Options): RecapOverview {
  const area = query.get('area') ?? ''
  const contest = query.get('contest')
  const rows = area.length === 10
    ? [1, 2, 3].map((each) => ({ code: `${area}00${each}`, name: `${area}00${each}`, zone: 'Asia/Makassar', stations: 1, ...none, expected: 5, due: 5, recorded: each === 3 ? 0 : 6 - 2 * each, delivered: each === 1 ? 4 : 0, conflicts: each === 2 ? 1 : 0, quarantine: each === 2 ? { key_unknown: 1 } : {} }))
    : provinces.map(([code, name, zone, stations, counts]) => ({ code: area === '' ? code : `${area}${code}${area.length === 6 ? '01' : ''}`, name: area === '' ? name : `Bagian ${name}`, zone, stations, ...none, expected: 5 * stations, ...counts }))
  const sum = (name: 'expected' | 'due' | 'overdue' | 'recorded' | 'delivered' | 'photosWhole' | 'conflicts'): number => rows.reduce((all, row) => all + (row[name] ?? 0), 0)
  const total = { expected: sum('expected'), due: sum('due'), overdue: sum('overdue'), recorded: sum('recorded'), delivered: sum('delivered'), photosWhole: sum('photosWhole'), conflicts: sum('conflicts'), quarantine: { key_unknown: 37, totals_impossible: 4 } }
  return {
    now: iso(now), asOf: empty ? null : iso(now - (stale ? 12 * minute : 4_000)), receiver: !empty, area: { code: area, name: area === '' ? '' : `Wilayah ${area}` }, above: area.length > 2 ? [{ code: '53', name: 'Nusa Tenggara Timur' }] : [], contest, day: empty ? null : '2029-02-14', stations: rows.reduce((all, row) => all + row.stations, 0),
    total: empty ? { ...none, due: null, overdue: null } : total, contests: ['ppwp', 'dpr', 'dpd', 'dprd_provinsi', 'dprd_kabkota'].map((each) => ({ contest: each, ...none })),
    zones: empty ? [] : rows.slice(0, area.length === 10 ? 1 : 3).map(({ code: _code, name: _name, ...row }) => ({ ...row, countingFrom: '2029-02-14T05:00:00.000Z', resultsDueAt: '2029-02-14T12:00:00.000Z' })), rows: empty ? [] : rows, unplaced: empty ? {} : { station_unknown: 3 },
  }
}

function fixtureStuck(now: number, query: URLSearchParams, bare: boolean): StuckRecaps {
  const kind = (query.get('kind') ?? 'quarantine') as StuckRecap['kind']
  const row = (at: number, change: Partial<StuckRecap>): StuckRecap => ({ kind, hash: String(at).padStart(64, '0'), code: 'BJXHB-WMFM6', station: `53100120010${10 + at}`, contest: 'ppwp', madeAt: iso(now - 50 * minute), since: iso(now - (45 - at) * minute), side: 'officer', reason: null, detail: null, mend: 'receiver', tries: 0, nextTryAt: null, photosKept: null, photosListed: null, ...change })
  const rows: Readonly<Record<StuckRecap['kind'], StuckRecap[]>> = {
    quarantine: [row(1, { reason: 'key_unknown', detail: 'No phone with the key that signed is enrolled: enrol it at station 5310012001011.', mend: 'enrol' }), row(2, { reason: 'totals_impossible', detail: 'votes is 905, and a station has at most 300.', mend: 'paper', contest: 'dpd' }), row(3, { station: null, contest: null, madeAt: null, reason: 'record_unreadable', detail: 'version_unknown: a newer program may have made it.', mend: 'update' })],
    delivery: [row(4, { tries: 3, nextTryAt: iso(now + 20 * minute) }), row(5, {})], photos: [row(6, { mend: 'officer' }), row(7, { mend: 'officer', photosKept: 2, photosListed: 6 })],
  }
  const page = query.get('page')
  return { now: iso(now), kind, receiver: true, after_min: kind === 'photos' ? 60 : 10, next: kind === 'quarantine' && page === null ? 'WzEsIiJd' : null, rows: bare ? [] : page === null ? rows[kind] : [row(9, { reason: 'key_revoked', detail: 'The key of this phone was revoked.', mend: 'other_phone' })] }
}

function fixtureConflicts(now: number, bare: boolean): RecapConflicts {
  const record = (device: number, votes: number): RecapConflicts['rows'][number]['records'][number] => ({ hash: String(device).padStart(64, '0'), code: 'BJXHB-WMFM6', madeAt: iso(now - device * 9 * minute), receivedAt: iso(now - device * 8 * minute), device, totals: { voters_dpt: 280, present: 231, votes_1: votes, votes_2: 88, votes_3: 33, valid: votes + 121, invalid: 5, votes: votes + 126 } })
  return { now: iso(now), asOf: iso(now), next: null, rows: bare ? [] : [{ station: '5310012001011', contest: 'ppwp', sameTotals: false, records: [record(1, 105), record(2, 150)] }, { station: '5310012001012', contest: 'dpd', sameTotals: true, records: [record(1, 105), record(3, 105)] }] }
}

function fixtureBoxes(now: number, bare: boolean): BoxRows {
  const box = { origin: 'kotak-5310072003004/ledger', key: 'k', entries: 212, records: 3, lists: 4, photoBytes: 84_200_000, oldestAt: iso(now - 95 * minute), clockOff_ms: 400 }
  return {
    now: iso(now), stale_min: 15,
    rows: bare ? [] : [{ ...box, device: 7, station: '5310072003004', place: 'Wae Ri, Ruteng, Manggarai', accessPoint: { id: 'AI-1', name: 'Kantor Desa Wae Ri' }, toldAt: iso(now - 47 * minute), clockOff_ms: -190_000, isStale: true }, { ...box, device: 9, station: '5310072003007', place: 'Bea Kakor, Ruteng, Manggarai', accessPoint: null, records: 0, lists: 0, photoBytes: 0, oldestAt: null, toldAt: iso(now - 2 * minute), isStale: false }],
  }
}

interface Options { readonly empty: boolean; readonly stale: boolean }

export function answerRecaps({ pathname, searchParams }: URL, options: Options): { status: number; body: unknown } | null {
  const now = Date.now()
  switch (pathname) {
    case '/v1/recaps/overview': return { status: 200, body: fixtureOverview(now, searchParams, options) }
    case '/v1/recaps/stuck': return { status: 200, body: fixtureStuck(now, searchParams, options.empty) }
    case '/v1/recaps/conflicts': return { status: 200, body: fixtureConflicts(now, options.empty) }
    case '/v1/boxes': return { status: 200, body: fixtureBoxes(now, options.empty) }
    default: return null
  }
}
