import type { WitnessedLog, WitnessRow } from '@kawal/contract/witness.ts'
import { answerComparison } from './comparison.ts'
import { fixtureCompleteness, fixtureGaps } from './completeness.ts'

/** A ledger as it shows itself: the forms are right, and nothing is signed, since a page verifies nothing here. */
const signature = (name: string, id: number, bytes: number): string => `— ${name} ${Buffer.concat([Buffer.from([0, 0, 0, id]), Buffer.alloc(bytes, id)]).toString('base64')}\n`
const key = `kawal.example/ledger+00000001+${Buffer.concat([Buffer.from([1]), Buffer.alloc(32, 7)]).toString('base64')}`
const checkpoint = `kawal.example/ledger\n820161\n${Buffer.alloc(32, 9).toString('base64')}\n\n${signature('kawal.example/ledger', 1, 64)}${signature('saksi.example/bawaslu', 2, 72)}`

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

const line = (minute: number, what: string, detail: string, more: object = {}): object => ({ at: new Date(Date.UTC(2029, 1, 14, 3, minute)).toISOString(), what, about: 'g-1', organisation: null, name: null, detail, entry: null, ...more })
const knowledge = { disturbances: ['g-1'], tickets: ['TT-g-1'], rows: [
  line(0, 'measured', 'suspected'), line(1, 'measured', 'confirmed'), line(1, 'ticket', 'opened', { about: 'TT-g-1', organisation: 'kawal' }), line(2, 'told', '1', { about: 'TT-g-1', organisation: 'telkomsel', name: 'Piket <b>NOC</b>' }), line(3, 'delivered', 'email', { organisation: 'telkomsel', name: 'Piket <b>NOC</b>' }),
  line(4, 'undelivered', 'sms', { organisation: 'telkomsel', name: 'Piket dua' }), line(5, 'sent', 'TroubleTicketCreateEvent', { organisation: 'telkomsel' }), line(9, 'acted', 'changeTicket', { organisation: 'telkomsel', name: 'Petugas malam', entry: 1207 }), line(9, 'ticket', 'acknowledged', { organisation: 'telkomsel' }), line(30, 'said', 'genset jalan', { organisation: 'telkomsel', name: 'Rina' }), line(40, 'measured', 'ended'),
] }

/** What oversight asks for; null for what it does not. */
export function answerOversight(url: URL, site: { readonly empty: boolean }): { status: number; body: unknown } | null {
  const { pathname, searchParams } = url
  const { empty } = site
  switch (pathname) {
    case '/v1/knowledge': return { status: 200, body: knowledge }
    case '/v1/ledger/witnesses': return { status: 200, body: { now: iso(0), logs: [empty ? { ...log, policy: null, witnessed: null, witnesses: [] } : log] } }
    case '/v1/recaps/completeness': return { status: 200, body: fixtureCompleteness(Date.now(), searchParams, empty) }
    case '/v1/recaps/completeness/gaps': return { status: 200, body: fixtureGaps(Date.now(), searchParams, empty) }
  }
  const [, of, file] = /^\/(ledger|acts)\/(key|checkpoint)$/.exec(pathname) ?? []
  if (of === undefined) return answerComparison(url, site)
  if (empty) return { status: 503, body: { status: 503, code: 'not_ready', title: 'Not ready', detail: 'This server keeps no ledger, and takes no recaps.' } }
  const body = file === 'key' ? `${key}\n` : checkpoint
  return { status: 200, body: of === 'ledger' ? body : body.replaceAll('/ledger', '/acts').replace('820161', '4711') }
}
