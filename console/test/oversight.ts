/** A ledger as it shows itself: the forms are right, and nothing is signed, since a page verifies nothing here. */
const signature = (name: string, id: number, bytes: number): string => `— ${name} ${Buffer.concat([Buffer.from([0, 0, 0, id]), Buffer.alloc(bytes, id)]).toString('base64')}\n`
const key = `kawal.example/ledger+00000001+${Buffer.concat([Buffer.from([1]), Buffer.alloc(32, 7)]).toString('base64')}`
const checkpoint = `kawal.example/ledger\n820161\n${Buffer.alloc(32, 9).toString('base64')}\n\n${signature('kawal.example/ledger', 1, 64)}${signature('saksi.example/bawaslu', 2, 72)}`

const line = (minute: number, what: string, detail: string, more: object = {}): object => ({ at: new Date(Date.UTC(2029, 1, 14, 3, minute)).toISOString(), what, about: 'g-1', organisation: null, name: null, detail, entry: null, ...more })
const knowledge = { disturbances: ['g-1'], tickets: ['TT-g-1'], rows: [
  line(0, 'measured', 'suspected'), line(1, 'measured', 'confirmed'), line(1, 'ticket', 'opened', { about: 'TT-g-1', organisation: 'kawal' }), line(2, 'told', '1', { about: 'TT-g-1', organisation: 'telkomsel', name: 'Piket <b>NOC</b>' }), line(3, 'delivered', 'email', { organisation: 'telkomsel', name: 'Piket <b>NOC</b>' }),
  line(4, 'undelivered', 'sms', { organisation: 'telkomsel', name: 'Piket dua' }), line(5, 'sent', 'TroubleTicketCreateEvent', { organisation: 'telkomsel' }), line(9, 'acted', 'changeTicket', { organisation: 'telkomsel', name: 'Petugas malam', entry: 1207 }), line(9, 'ticket', 'acknowledged', { organisation: 'telkomsel' }), line(30, 'said', 'genset jalan', { organisation: 'telkomsel', name: 'Rina' }), line(40, 'measured', 'ended'),
] }

/** What oversight asks for; null for what it does not. */
export function answerOversight({ pathname }: URL, { empty }: { readonly empty: boolean }): { status: number; body: unknown } | null {
  const acts = /^\/acts\/(key|checkpoint)$/.exec(pathname)?.[1]
  if (acts !== undefined && !empty) return { status: 200, body: (acts === 'key' ? `${key}\n` : checkpoint).replaceAll('/ledger', '/acts').replace('820161', '4711') }
  if (pathname === '/v1/knowledge') return { status: 200, body: knowledge }
  const ledger = /^\/(?:ledger|acts)\/(key|checkpoint)$/.exec(pathname)?.[1]
  if (ledger !== undefined) return empty ? { status: 503, body: { status: 503, code: 'not_ready', title: 'Not ready', detail: 'This server keeps no ledger, and takes no recaps.' } } : { status: 200, body: ledger === 'key' ? `${key}\n` : checkpoint }
  return null
}
