import { platformGapKinds, type GapCounts, type RecapCompleteness, type RecapGap, type RecapGaps } from '@kawal/contract/completeness.ts'

const minute = 60_000
const iso = (at: number): string => new Date(at).toISOString()
const none: GapCounts = { custody: 0, missing: 0, branch: 0, quarantine: 0, undelivered: 0, photos: 0, empty: 0 }
const provinces: readonly (readonly [code: string, name: string, gaps: Partial<GapCounts>])[] = [
  ['31', 'DKI Jakarta', { undelivered: 120, photos: 198 }], ['53', 'Nusa Tenggara Timur', { custody: 3, missing: 2, branch: 1, quarantine: 41, undelivered: 6_173, photos: 40_793, empty: 22_526 }], ['94', 'Papua Tengah', { empty: 22_494, photos: 2_889 }],
]

/** What lacks of a day under way: three provinces, and a line of each kind. */
export function fixtureCompleteness(now: number, query: URLSearchParams, isEmpty: boolean): RecapCompleteness {
  const area = query.get('area') ?? ''
  const rows = isEmpty || area.length === 10 ? [] : provinces.map(([code, name, gaps]) => ({ ...none, ...gaps, code: area === '' ? code : `${area}${code}`, name: area === '' ? name : `Bagian ${name}` }))
  const total = rows.reduce((sum, row) => Object.fromEntries(platformGapKinds.map((kind) => [kind, (sum[kind] ?? 0) + (row[kind] ?? 0)])) as unknown as GapCounts, none)
  return {
    now: iso(now), countedAt: iso(now - 4_000), linkedAt: iso(now - 4_000), area: { code: area, name: area === '' ? '' : `Wilayah ${area}` }, above: area.length > 2 ? [{ code: '53', name: 'Nusa Tenggara Timur' }] : [],
    compared: { day: '2029-02-14', due: isEmpty ? 0 : 109_235, recorded: isEmpty ? 0 : 64_425, delivered: isEmpty ? 0 : 58_132, entries: isEmpty ? 0 : 141_330, boxes: isEmpty ? 0 : 41, receiver: !isEmpty }, total, rows,
  }
}

export function fixtureGaps(now: number, query: URLSearchParams, isEmpty: boolean): RecapGaps {
  const kind = (query.get('kind') ?? 'quarantine') as RecapGap['kind']
  const row = (nth: number, change: Partial<RecapGap>): RecapGap => ({
    kind, mend: 'officer', station: `53100120010${10 + nth}`, contest: null, hash: String(nth).padStart(64, 'b'), code: 'BJXHB-WMFM6', phone: null, sequence: null, until: null, detail: null, records: null, since: iso(now - (12 + nth) * minute), ...change,
  })
  const rows: Readonly<Record<RecapGap['kind'], RecapGap[]>> = {
    custody: [row(1, { mend: 'box', hash: null, code: null, detail: 'kotak-5310072003004/ledger', records: 3 })],
    missing: [row(2, { phone: '9f31c0a4be72d816', sequence: 2, until: 2, detail: '4'.repeat(64) }), row(3, { phone: '07aa4410c3b5e9f2', sequence: 3, until: 5, detail: '7'.repeat(64) })],
    branch: [row(4, { mend: 'paper', phone: 'c41d77e08a52f603', sequence: 4, detail: 'a'.repeat(64) })],
    quarantine: [row(5, { mend: 'enrol', contest: 'ppwp', detail: 'key_unknown' }), row(6, { mend: 'update', station: null, detail: 'record_unreadable' })],
    undelivered: [row(7, { mend: 'receiver', contest: 'dpr' })], photos: [row(8, { contest: 'dpd' })], empty: [row(9, { contest: 'dpr', hash: null, code: null, since: null }), row(9, { contest: 'dpd', hash: null, code: null, since: null })],
  }
  return { now: iso(now), kind, next: kind === 'empty' && !isEmpty ? 'WzAsIjUzIl0' : null, rows: isEmpty ? [] : rows[kind] }
}
