import type { AnnouncementRow } from '@kawal/contract/announcement.ts'
import type { ContactCompleteness, ContactRow } from '@kawal/contract/contact.ts'
import type { TrackRecords } from '@kawal/contract/ticket.ts'

const minute = 60_000

const contacts: ContactRow[] = ([
  ['telkomsel', 1, 'Piket NOC', '+628110000001', 'piket@telkomsel.example'], ['telkomsel', 2, 'Kepala NOC', '+628110000002', null], ['indosat', 1, 'Meja gangguan 24 jam', null, 'noc@indosat.example'], ['komdigi', 1, 'Petugas jaga PMT', '+628110000009', 'pmt@komdigi.example'],
] as const).map(([organisation, level, name, phone, email], i) => ({ id: `00000000-0000-4000-8000-00000000000${i}`, organisation, level, name, phone, email, language: 'id', createdAt: '2029-02-01T00:00:00.000Z' }))

const completeness: ContactCompleteness = {
  counts: { organisations: 3, complete: 1, no_contact: 1, no_first_level: 0, one_person_only: 1, no_phone: 1 },
  rows: [
    { organisation: 'telkomsel', name: 'Telkomsel', kind: 'operator', contacts: 2, lacks: [] }, { organisation: 'indosat', name: 'Indosat Ooredoo Hutchison', kind: 'operator', contacts: 1, lacks: ['one_person_only', 'no_phone'] },
    { organisation: 'isp-satu', name: 'ISP Satu', kind: 'isp', contacts: 0, lacks: ['no_contact'] },
  ],
}

const spread = (count: number, median: number | null, p90: number | null) => ({ count, median_ms: median === null ? null : median * minute, p90_ms: p90 === null ? null : p90 * minute })
const record: TrackRecords = {
  from: null, to: '2029-02-14T04:00:00.000Z',
  rows: [
    { operator: 'indosat', operatorName: 'Indosat Ooredoo Hutchison', tickets: 14, open: 3, closed: 10, cancelled: 1, acknowledge: spread(13, 4, 11), restore: spread(10, 38, 95), repair: spread(10, 150, 420), late: 5, clocks: 26, claims: 12, verified: 9, unverified: 2, transferred: 2, disputes: 3, upheld: 1 },
    { operator: 'telkomsel', operatorName: 'Telkomsel', tickets: 1_240, open: 1_240, closed: 0, cancelled: 0, acknowledge: spread(0, null, null), restore: spread(0, null, null), repair: spread(0, null, null), late: 0, clocks: 2_480, claims: 0, verified: 0, unverified: 0, transferred: 0, disputes: 0, upheld: 0 },
  ],
}

const announcement = (id: string, change: Partial<AnnouncementRow>): AnnouncementRow => ({
  id, by: 'kpu', byName: 'Komisi Pemilihan Umum', title: 'Rekapitulasi diperpanjang sampai 22.00', text: 'Batas kirim di NTT bergeser dua jam.\nJaga jaringan sampai <b>pukul 22.00 WITA</b>.', audience: ['operator', 'isp', 'komdigi'], mustAcknowledge: true,
  at: '2029-02-14T03:00:00.000Z', until: '2029-02-15T03:00:00.000Z', acknowledgedAt: null, receipts: null, ...change,
})
const read = new Set<string>()
const announcements = (): AnnouncementRow[] => [
  announcement('2', { by: 'komdigi', byName: 'Kementerian Komunikasi dan Digital (PMT)', title: 'Rapat koordinasi 20.00 WIB', text: 'Tautan menyusul.', audience: ['all'], receipts: { acknowledged: 2, addressed: 11 } }),
  announcement('1', { acknowledgedAt: read.has('1') ? '2029-02-14T03:05:00.000Z' : null }),
]

/** Duty contacts, announcements and track records as the server gives them; a contact without an address is refused, as there. */
export function answerDuty(path: string, method: string, body: string, bare: boolean): { status: number; body: unknown } | null {
  if (path === '/v1/track-record') return { status: 200, body: bare ? { ...record, rows: [] } : record }
  if (path === '/v1/contacts/completeness') return { status: 200, body: bare ? { counts: completeness.counts, rows: [] } : completeness }
  if (path === '/v1/contacts' && method === 'GET') return { status: 200, body: bare ? { total: 0, rows: [] } : { total: contacts.length, rows: contacts } }
  if (path === '/v1/contacts' && method === 'POST') return body.includes('0812') ? { status: 201, body: {} } : { status: 400, body: { status: 400, code: 'body_invalid', title: 'The request is not as it should be', detail: '/phone: that is no telephone number. Mend it: write it as +62...' } }
  if (path === '/v1/announcements' && method === 'GET') return { status: 200, body: { rows: bare ? [] : announcements() } }
  if (path === '/v1/announcements' && method === 'POST') return { status: 201, body: announcement('3', {}) }
  if (path === '/v1/announcements/2/receipts') return { status: 200, body: { rows: [{ organisation: 'indosat', name: 'Indosat Ooredoo Hutchison', acknowledgedAt: null, acknowledgedBy: null }, { organisation: 'telkomsel', name: 'Telkomsel', acknowledgedAt: '2029-02-14T03:10:00.000Z', acknowledgedBy: 'Piket NOC' }] } }
  const [, acknowledged] = /^\/v1\/announcements\/(\d+)\/acknowledge$/.exec(path) ?? []
  if (acknowledged !== undefined) {
    read.add(acknowledged)
    return { status: 200, body: announcement(acknowledged, {}) }
  }
  return method === 'DELETE' && path.startsWith('/v1/contacts/') ? { status: 204, body: null } : null
}
