import type { WitnessedLog, WitnessRow } from '@kawal/contract/witness.ts'

import { platformGapKinds, type GapCounts, type RecapCompleteness, type RecapGap, type RecapGaps } from '@kawal/contract/completeness.ts'

import { answerComparison } from './comparison.ts'

/** A ledger as it shows itself: the forms are right, and nothing is signed, since a page verifies nothing here. */
const signature = (name: string, id: number, bytes: number): string => `— ${name} ${Buffer.concat([Buffer.from([0, 0, 0, id]), Buffer.alloc(bytes, id)]).toString('base64')}\n`
const key = `kawal.example/ledger+00000001+${Buffer.concat([Buffer.from([1]), Buffer.alloc(32, 7)]).toString('base64')}`
const checkpoint = `kawal.example/ledger\n820161\n${Buffer.alloc(32, 9).toString('base64')}\n\n${signature('kawal.example/ledger', 1, 64)}${signature('saksi.example/bawaslu', 2, 72)}`

const line = (minute: number, what: string, detail: string, more: object = {}): object => ({ at: new Date(Date.UTC(2029, 1, 14, 3, minute)).toISOString(), what, about: 'g-1', organisation: null, name: null, detail, entry: null, ...more })
const knowledge = { disturbances: ['g-1'], tickets: ['TT-g-1'], rows: [
  line(0, 'measured', 'suspected'), line(1, 'measured', 'confirmed'), line(1, 'ticket', 'opened', { about: 'TT-g-1', organisation: 'kawal' }), line(2, 'told', '1', { about: 'TT-g-1', organisation: 'telkomsel', name: 'Piket <b>NOC</b>' }), line(3, 'delivered', 'email', { organisation: 'telkomsel', name: 'Piket <b>NOC</b>' }),
  line(4, 'undelivered', 'sms', { organisation: 'telkomsel', name: 'Piket dua' }), line(5, 'sent', 'TroubleTicketCreateEvent', { organisation: 'telkomsel' }), line(9, 'acted', 'changeTicket', { organisation: 'telkomsel', name: 'Petugas malam', entry: 1207 }), line(9, 'ticket', 'acknowledged', { organisation: 'telkomsel' }), line(30, 'said', 'genset jalan', { organisation: 'telkomsel', name: 'Rina' }), line(40, 'measured', 'ended'),
] }

const iso = (before_s: number): string => new Date(Date.UTC(2029, 1, 14, 9) - before_s * 1000).toISOString()
const witnessKey = (name: string, id: number): string => `saksi.${name}.example/kawal+0000000${id}+${Buffer.concat([Buffer.from([4]), Buffer.alloc(32, id)]).toString('base64')}`
const witnessOf = (name: string, id: number, more: Partial<WitnessRow>): WitnessRow => ({ name, key: witnessKey(name, id), url: `https://saksi.${name}.example`, size: 820_161, behind: 0, cosignedAt: iso(4), askedAt: iso(4), error: null, ...more })
/** One that sees the log, one that is down, one that was never reached, and one that has seen another history. */
const log: WitnessedLog = {
  origin: 'kawal.example/ledger', key, size: 820_161, policy: `log ${key}\nwitness bawaslu ${witnessKey('bawaslu', 2)}\nwitness kampus ${witnessKey('kampus', 3)}\nwitness media ${witnessKey('media', 4)}\nwitness pemantau ${witnessKey('pemantau', 5)}\ngroup dua 2 bawaslu kampus media pemantau\nquorum dua\n`,
  witnessed: { size: 819_700, at: iso(620) },
  witnesses: [
    witnessOf('bawaslu', 2, {}), witnessOf('kampus', 3, { size: 819_700, behind: 461, cosignedAt: iso(620), error: { code: 'unreachable', since: iso(610), detail: 'connect ECONNREFUSED 192.0.2.7:443' } }),
    witnessOf('media', 4, { size: null, behind: null, cosignedAt: null, askedAt: null }), witnessOf('pemantau', 5, { size: 810_000, behind: 10_161, cosignedAt: iso(8_000), error: { code: 'fork', since: iso(7_900), detail: '422: The proof does not show that this log begins with what was cosigned before: it is not cosigned.' } }),
  ],
}

/** What oversight asks for; null for what it does not. */
export function answerOversight({ pathname, searchParams }url: URL, site: { readonly empty: boolean }): { status: number; body: unknown } | null {
  const acts{ pathname } = url
  const { empty } = site
  const comparison = answerComparison(url, site)
  if (comparison !== null) return comparison
  const ledger = /^\/acts\/(key|checkpoint)$/.exec(pathname)?.[1]
  if (acts !== undefined && !empty) return { status: 200, body: (acts === 'key' ? `${key}\n` : checkpoint).replaceAll('/ledger', '/acts').replace('820161', '4711') }
  if (pathname === '/v1/knowledge') return { status: 200, body: knowledge }
  const ledger = /^\/(?:ledger|acts)\/(key|checkpoint)$/.exec(pathname)?.[1]
  if (ledger !== undefined) return empty ? { status: 503, body: { status: 503, code: 'not_ready', title: 'Not ready', detail: 'This server keeps no ledger, and takes no recaps.' } } : { status: 200, body: ledger === 'key' ? `${key}\n` : checkpoint }
  if (pathname === '/v1/ledger/witnesses') return { status: 200, body: empty ? { now: iso(0), logs: [{ ...log, policy: null, witnessed: null, witnesses: [] }] } : { now: iso(0), logs: [log] } }
  if (pathname === '/v1/recaps/completeness') return { status: 200, body: fixtureCompleteness(Date.now(), searchParams, empty) }
  if (pathname === '/v1/recaps/completeness/gaps') return { status: 200, body: fixtureGaps(Date.now(), searchParams, empty) }
  return null
}

const minute = 60_000
const iso = (at: number): string => new Date(at).toISOString()
const none: GapCounts = { custody: 0, missing: 0, branch: 0, quarantine: 0, undelivered: 0, photos: 0, empty: 0 }
const provinces: readonly (readonly [code: string, name: string, gaps: Partial<GapCounts>])[] = [
  ['31', 'DKI Jakarta', { undelivered: 120, photos: 198 }], ['53', 'Nusa Tenggara Timur', { custody: 3, missing: 2, branch: 1, quarantine: 41, undelivered: 6_173, photos: 40_793, empty: 22_526 }], ['94', 'Papua Tengah', { empty: 22_494, photos: 2_889 }],
]

function fixtureCompleteness(now: number, query: URLSearchParams, isEmpty: boolean): RecapCompleteness {
  const area = query.get('area') ?? ''
  const rows = isEmpty || area.length === 10 ? [] : provinces.map(([code, name, gaps]) => ({ ...none, ...gaps, code: area === '' ? code : `${area}${code}`, name: area === '' ? name : `Bagian ${name}` }))
  const total = rows.reduce((sum, row) => Object.fromEntries(platformGapKinds.map((kind) => [kind, (sum[kind] ?? 0) + (row[kind] ?? 0)])) as unknown as GapCounts, none)
  return {
    now: iso(now), countedAt: iso(now - 4_000), linkedAt: iso(now - 4_000), area: { code: area, name: area === '' ? '' : `Wilayah ${area}` }, above: area.length > 2 ? [{ code: '53', name: 'Nusa Tenggara Timur' }] : [],
    compared: { day: '2029-02-14', due: isEmpty ? 0 : 109_235, recorded: isEmpty ? 0 : 64_425, delivered: isEmpty ? 0 : 58_132, entries: isEmpty ? 0 : 141_330, boxes: isEmpty ? 0 : 41, receiver: !isEmpty }, total, rows,
  }
}

function fixtureGaps(now: number, query: URLSearchParams, isEmpty: boolean): RecapGaps {
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
