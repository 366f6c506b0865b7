import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import helmet from '@fastify/helmet'
import fastify, { type FastifyInstance } from 'fastify'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import type { TicketAction, TicketCause } from '@kawal/core/ticket/ticket.ts'
import { contactOf } from '@kawal/testkit/contacts.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system, type Caller } from '../adapters/postgres/database.ts'
import { deleteContact } from '../organisation/contacts.ts'
import { linkToken, type TicketLink } from './link.ts'
import { ticketLinks } from './link-routes.ts'
import { command, getTicket, openProblemTicket, openRequest, openTicket, sweepTickets } from './tickets.ts'

const start = Date.UTC(2029, 1, 14, 2)
const secret = Buffer.alloc(32, 7)
const contacts = new Map<string, string>()
const telkomsel: Caller = { organisation: 'telkomsel', role: 'noc' }
const komdigi: Caller = { organisation: 'komdigi', role: 'duty_officer' }
const stations = Array.from({ length: 23 }, (_, index) => String(5_301_012_001_001 + index))
const causeOf = (id: string): TicketCause & { areaName: string } => ({
  id, cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: '530101', areaName: 'Semau', stations, startedAt: start - 5 * minute_ms, foundAt: start, endedAt: null,
  evidence: { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [{ cause: 'access', nats: 7.5 }], signs: [{ sign: 'silent', count: 11, of: 20 }] },
})

let kit: TestDatabase
let app: FastifyInstance
let now = start
const changed: string[] = []
const needs = () => ({ database: kit.database, clock: () => now })
before(async () => {
  kit = await withDatabase()
  for (const organisation of ['telkomsel', 'indosat', 'komdigi', 'bawaslu', 'apjii', 'kawal']) contacts.set(organisation, await contactOf(kit.database, organisation, start))
  app = fastify()
  await app.register(helmet)
  await app.register(ticketLinks({ ...needs(), changed: (id) => changed.push(id), secret, beginAct: () => Promise.resolve() }))
})
after(async () => {
  await app.close()
  await kit.close()
})

async function open(id: string, more: Partial<ReturnType<typeof causeOf>> = {}, operator = 'telkomsel'): Promise<string> {
  const opened = await openTicket(needs(), system, { ...causeOf(id), ...more }, operator)
  assert.ok(opened.ok)
  return opened.value.ticket.id
}
const linkOf = (ticket: string, more: Partial<TicketLink> = {}): string =>
  `/t/${linkToken(secret, { ticket, organisation: 'telkomsel', contact: contacts.get(more.organisation ?? 'telkomsel') ?? randomUUID(), expiresAt: now + 60 * minute_ms, ...more })}`
interface Answer { readonly status: number; readonly body: string; readonly headers: Record<string, unknown> }
async function get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const { statusCode: status, body, headers: given } = await app.inject({ method: 'GET', url, headers })
  return { status, body, headers: given }
}
async function post(url: string, fields: Record<string, string> | string, type = 'application/x-www-form-urlencoded'): Promise<Answer> {
  const { statusCode: status, body, headers } = await app.inject({ method: 'POST', url, headers: { 'content-type': type }, payload: typeof fields === 'string' ? fields : String(new URLSearchParams(fields)) })
  return { status, body, headers }
}
const versionIn = (page: string): string => /name="version" value="(\d+)"/.exec(page)?.[1] ?? 'none'
const offered = (page: string): string[] => [...page.matchAll(/name="act" value="(\w+)"/g)].map((match) => match[1] ?? '')
/** As a browser does it: the page's own version, then the redirect. */
async function press(url: string, act: string, text = ''): Promise<string> {
  const page = await get(url)
  const done = await post(url, { version: versionIn(page.body), act, text })
  assert.equal(done.status, 303, done.body)
  return (await get(`${url.split('?')[0]}${String(done.headers['location'])}`)).body
}
const ticketOf = async (id: string) => {
  const ticket = await getTicket(needs(), system, id)
  assert.ok(ticket !== null)
  return ticket
}
async function act(caller: Caller, id: string, action: TicketAction): Promise<void> {
  assert.ok((await command(needs(), caller, id, action)).ok)
}

test('the whole life of a ticket by the form, from a link to the measured end', async () => {
  const id = await open('life')
  const url = linkOf(id, { expiresAt: start + 600 * minute_ms })
  const first = (await get(url)).body
  assert.deepEqual(offered(first), ['acknowledge', 'start', 'estimate', 'note', 'dispute'])
  for (const text of ['Status: dikirim', 'Jaringan akses Telkomsel putus', 'Semau (530101), 23 TPS', 'dan 3 TPS lagi', 'Sejak 14 Feb 2029, 09.55 WITA', 'sisa 30 menit', 'sisa 4 jam 0 menit', '<dt>Diam</dt><dd>11</dd>']) assert.ok(first.includes(text), text)
  assert.equal(first.match(/<li>53010120010\d\d<\/li>/g)?.length, 20)

  const seen = await press(url, 'acknowledge')
  assert.match(seen, /role="status" class="notice">Tersimpan: tiket sudah Anda lihat/)
  assert.deepEqual(offered(seen), ['start', 'hold', 'resolve', 'estimate', 'note', 'dispute'])
  await press(url, 'start')
  now = start + 18 * minute_ms
  const held = await press(url, 'hold', 'menunggu genset\r\nsampai siang')
  assert.deepEqual(offered(held), ['resume', 'resolve', 'estimate', 'note', 'dispute'])
  assert.match(held, /dijeda: menunggu genset\nsampai siang, sisa 12 menit/)
  now = start + 60 * minute_ms
  assert.match(await press(url, 'resume'), /sisa 12 menit, tenggat 11\.12 WITA/)
  assert.match(await press(url, 'estimate', '2029-02-14T11:40'), /Perkiraan selesai 14 Feb 2029, 11\.40 WITA/)
  assert.equal((await ticketOf(id)).expectedAt, Date.UTC(2029, 1, 14, 3, 40))
  await press(url, 'note', 'kabel putus')
  now = start + 75 * minute_ms
  assert.match((await get(url)).body, /lewat 3 menit/)
  const resolved = await press(url, 'resolve', 'kabel disambung')
  assert.match(resolved, /Pengukuran di TPS punya 5 menit untuk membenarkannya.*tidak ada yang menutup tiket dengan tangan/)
  assert.match(resolved, /dijeda: menunggu pengukuran/)
  assert.deepEqual(offered(resolved), ['note', 'dispute'])

  now = start + 77 * minute_ms
  assert.deepEqual(await sweepTickets(kit.database, now, () => ({ ...causeOf('life'), endedAt: start + 76 * minute_ms })), [id])
  const closed = (await get(url)).body
  for (const text of ['Status: ditutup oleh pengukuran', 'Terukur pulih 14 Feb 2029, 11.16 WITA', 'Dinyatakan pulih 14 Feb 2029, 11.15 WITA', 'Ditutup 14 Feb 2029, 11.17 WITA', 'terpenuhi, terlambat 4 menit', 'kabel disambung']) assert.ok(closed.includes(text), text)
  assert.ok(!/<form|<button/.test(closed))
  assert.equal((await post(url, { version: String((await ticketOf(id)).version), act: 'note', text: 'x' })).status, 409)

  const { history } = await ticketOf(id)
  assert.deepEqual(history.map((entry) => `${entry.kind} ${entry.by}`), ['opened kawal', ...['acknowledged', 'started', 'held', 'resumed', 'estimated', 'noted', 'resolved'].map((kind) => `${kind} telkomsel`), ...['restored', 'closed'].map((kind) => `${kind} kawal`)])
  assert.deepEqual(changed, Array(7).fill(id))
  now = start
})

test('to look at a link changes nothing, whatever its address asks for', async () => {
  const id = await open('looked')
  const state = async (): Promise<unknown> => (await kit.database.transaction(system, (client) => client.query('SELECT t.*, (SELECT count(*) FROM ticket_event WHERE ticket_id = t.id) AS events FROM ticket t WHERE id = $1', [id]))).rows
  const before = await state()
  for (const query of ['', '?act=acknowledge&version=1', '?said=acknowledge', '?said=constructor', '?said=a&said=b&lang=en', '?lang=xx&lang=en']) assert.equal((await get(linkOf(id) + query)).status, 200, query)
  assert.equal((await app.inject({ method: 'HEAD', url: linkOf(id) })).statusCode, 200)
  assert.deepEqual(await state(), before)
  assert.ok(!(await get(`${linkOf(id)}?said=constructor`)).body.includes('class="notice"'))
})

test('nothing that comes from data is markup: names, reasons, notes, and what was typed', async () => {
  const evil = `</title></textarea><script>alert(1)</script><img src=x onerror='a'>"&amp;`
  const id = await open('evil', { areaName: evil, areaCode: `5"${evil}`, stations: [evil] })
  await act(telkomsel, id, { kind: 'acknowledge' })
  await act(telkomsel, id, { kind: 'hold', reason: evil })
  await act(komdigi, id, { kind: 'note', text: evil })
  const pages = [await get(linkOf(id)), await post(linkOf(id), { version: '1', act: 'note', text: evil }), await post(linkOf(id), { version: '1', act: 'estimate', text: `"><script>` }), await get(`${linkOf(id)}?said=${encodeURIComponent(evil)}&lang=${encodeURIComponent(evil)}`)]
  for (const { body } of pages) {
    assert.ok(!/<script|<img|<\/title><\/textarea>/i.test(body))
    assert.equal(body.match(/<\/textarea>/g)?.length, body.match(/<textarea/g)?.length)
    assert.ok(body.includes('&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&#39;a&#39;&gt;&quot;&amp;amp;'))
  }
  assert.match(pages[2]?.body ?? '', /value="&quot;&gt;&lt;script&gt;"/)
  const request = await openRequest(needs(), telkomsel, { description: evil, severity: evil, ticketType: evil, externalId: null }, [evil])
  assert.ok(request.ok)
  const asked = (await get(linkOf(request.value.id))).body
  assert.ok(!/<script|<img/i.test(asked) && asked.includes('&lt;script&gt;'))
})

test('what was decided on an older page is not done, and what was typed is not lost', async () => {
  const id = await open('stale')
  const url = linkOf(id)
  await act(telkomsel, id, { kind: 'start' })
  const stale = versionIn((await get(url)).body)
  await act(komdigi, id, { kind: 'note', text: 'mohon segera' })
  const tried = await post(url, { version: stale, act: 'hold', text: 'menunggu kapal' })
  assert.equal(tried.status, 412)
  assert.match(tried.body, /class="notice">Belum tersimpan: tiket ini berubah/)
  assert.match(tried.body, /<textarea id="hold"[^>]*>\nmenunggu kapal<\/textarea>/)
  assert.equal((await ticketOf(id)).status, 'inProgress')
  assert.equal((await post(url, { version: versionIn(tried.body), act: 'hold', text: 'menunggu kapal' })).status, 303, 'the page that told of it has the new version')

  assert.match(tried.body, /<b>catatan<\/b>, 10\.00 WITA, Kementerian Komunikasi dan Digital \(PMT\)<pre>mohon segera<\/pre>/)
  const gone = await post(url, { version: stale, act: 'hold', text: 'menunggu kapal lagi' })
  assert.match(gone.body, /<textarea id="note"[^>]*>\nmenunggu kapal lagi<\/textarea>/, 'the form is no longer there')
  await act(komdigi, id, { kind: 'cancel', reason: 'bukan gangguan' })
  const over = await post(url, { version: stale, act: 'note', text: 'sudah di lokasi' })
  assert.equal(over.status, 412)
  assert.match(over.body, /<h2>Yang Anda tulis:<\/h2><pre>sudah di lokasi<\/pre>/)
  assert.ok(!/<form|<button/.test(over.body))
  for (const version of ['', 'x', '1e99', '-1']) assert.equal((await post(url, { version, act: 'note', text: 'a' })).status, 412, version)
  assert.equal((await post(url, { version: stale, act: 'estimate', text: 'besok' })).status, 412)
})

test('a link that is over, forged, or of somebody else opens nothing and does nothing', async () => {
  const id = await open('walls')
  const forged = `/t/${linkToken(Buffer.alloc(32, 8), { ticket: id, organisation: 'telkomsel', contact: contacts.get('telkomsel') ?? '', expiresAt: now + minute_ms })}`
  const links = [
    linkOf(id, { expiresAt: now }), forged, `${linkOf(id)}A`, '/t/', `/t/${'A'.repeat(5_000)}`, '/t/%00%ff', linkOf(id, { organisation: 'indosat' }), linkOf(id, { organisation: 'nobody' }), linkOf('TT-none'),
    // who sees every ticket does not answer for whom it was sent to; nor is there a link in measurement's name
    linkOf(id, { organisation: 'komdigi' }), linkOf(id, { organisation: 'bawaslu' }), linkOf(id, { organisation: 'kawal' }), linkOf(await open('ours', {}, 'kawal'), { organisation: 'kawal' }),
  ]
  for (const url of links) {
    const looked = await get(url)
    const said = await post(url, { version: '1', act: 'acknowledge' })
    if (url !== '/t/%00%ff') assert.deepEqual([looked.status, said.status], [404, 404], url)
    for (const { body } of [looked, said]) assert.ok(!/Semau|Telkomsel|at \w+ \(/.test(body))
  }
  assert.match((await get(forged)).body, /<h1>Tautan tidak berlaku<\/h1>/)
  assert.equal((await ticketOf(id)).version, 1)
})

test('the link of what was transferred to somebody else opens nothing any more, theirs does', async () => {
  const problem = { kind: 'signal', text: 'tidak ada sinyal', station: '9401012001001', accessPoint: null, givenAt: start } as const
  await kit.database.transaction(system, (client) => openProblemTicket(client, problem, { id: 'LP-900001', operator: 'telkomsel', operatorName: 'Telkomsel', areaName: 'Merauke' }, now))
  const page = (await get(linkOf('LP-900001'))).body
  for (const text of ['Laporan petugas: sinyal', 'TPS 9401012001001, Merauke', 'tidak ada sinyal', 'waktu WIT<', 'petugas KPPS']) assert.ok(page.includes(text), text)
  assert.ok(!/<progress|Perangkat yang ditunggu/.test(page))
  await press(linkOf('LP-900001'), 'start')
  assert.match(await press(linkOf('LP-900001'), 'resolve'), /kabar petugas yang melapor, atau 48 jam/)
  await act(komdigi, 'LP-900001', { kind: 'transfer', operator: 'indosat', operatorName: 'Indosat' })
  assert.deepEqual([(await get(linkOf('LP-900001'))).status, (await post(linkOf('LP-900001'), { version: '5', act: 'note', text: 'x' })).status], [404, 404])
  assert.equal((await get(linkOf('LP-900001', { organisation: 'indosat' }))).status, 200)
})

test('of a request who asked may add notes and has the last word; who only reads is told so', async () => {
  const request = await openRequest(needs(), telkomsel, { description: 'daftar TPS salah', severity: 'major', ticketType: 'data', externalId: null }, [])
  assert.ok(request.ok)
  const { id } = request.value
  assert.deepEqual(offered((await get(linkOf(id))).body), ['note'])
  await act(komdigi, id, { kind: 'start' })
  await act(komdigi, id, { kind: 'resolve' })
  assert.deepEqual(offered((await get(linkOf(id))).body), ['fixed', 'still', 'note'])
  await press(linkOf(id), 'still')
  assert.equal((await ticketOf(id)).status, 'reopened')

  const theirs = linkOf(await open('read', {}, 'apjii'), { organisation: 'apjii' })
  const { body } = await get(theirs)
  assert.deepEqual([offered(body), body.includes('dapat membaca tiket ini, tidak menjawabnya')], [[], true])
  assert.equal((await post(theirs, { version: '1', act: 'acknowledge' })).status, 403)
})

test('Bahasa Indonesia, unless English is asked for first; a link to the other', async () => {
  const url = linkOf(await open('words'))
  const languageOf = async (query: string, header?: string): Promise<unknown> => /<html lang="(\w+)">/.exec((await get(url + query, header === undefined ? {} : { 'accept-language': header })).body)?.[1]
  for (const [header, language] of [[undefined, 'id'], ['', 'id'], ['fr', 'id'], ['en', 'en'], ['en-GB,en;q=0.9', 'en'], ['id,en;q=0.9', 'id'], ['en;q=0.5, id;q=0.8', 'id'], ['in-ID,en;q=0.9', 'id'], ['en;q=0', 'id'], ['id;q=0.1 , en ;q=0.2', 'en'], [';;,=q', 'id']] as const) assert.equal(await languageOf('', header), language, header)
  assert.deepEqual([await languageOf('?lang=en'), await languageOf('?lang=id', 'en'), await languageOf('?lang=xx', 'en')], ['en', 'id', 'en'])
  const english = (await get(`${url}?lang=en`)).body
  for (const text of ['Status: submitted', 'Telkomsel access network down', 'Since 14 Feb 2029, 09:55 WITA', '30 min left', 'href="?lang=id" hreflang="id" lang="id">Bahasa Indonesia', 'action="?lang=en"']) assert.ok(english.includes(text), text)
  const done = await post(`${url}?lang=en`, { version: '1', act: 'acknowledge' })
  assert.deepEqual([done.status, done.headers['location']], [303, '?said=acknowledge&lang=en'])
  assert.match((await get(`${url}${String(done.headers['location'])}`)).body, /Kept: you have seen the ticket/)
})

test('what is no form of the page is told on a page: too large, another kind, empty, strange, a text that is wrong', async () => {
  const id = await open('forms')
  const url = linkOf(id)
  const told = async (answer: Promise<Answer>): Promise<[number, string]> => {
    const { status, body, headers } = await answer
    assert.match(String(headers['content-type']), /^text\/html/)
    assert.ok(!/FST_|Error|at \w+ \(|node_modules/.test(body), body)
    return [status, /<h1>(.*)<\/h1>/.exec(body)?.[1] ?? '']
  }
  assert.deepEqual(await told(post(url, `version=1&act=note&text=${'a'.repeat(20_000)}`)), [413, 'Kiriman terlalu besar'])
  assert.deepEqual(await told(post(url, '{"act":"note"}', 'application/json')), [415, 'Kiriman tidak dikenal'])
  assert.deepEqual(await told(post(url, 'act=note', 'text/plain')), [415, 'Kiriman tidak dikenal'])
  assert.deepEqual(await told(app.inject({ method: 'POST', url }).then(({ statusCode: status, body, headers }) => ({ status, body, headers }))), [400, 'Kiriman tidak dikenal'])
  for (const body of ['', '%%%&&==', 'version=1', 'version=1&act=close', 'version=1&act=constructor']) assert.deepEqual(await told(post(url, body)), [400, 'Kiriman tidak dikenal'], body)
  const notice = async (fields: Record<string, string>): Promise<[number, string]> => {
    const { status, body } = await post(url, { version: '1', ...fields })
    return [status, /class="notice">([^<]*)/.exec(body)?.[1] ?? '']
  }
  assert.match(String(await notice({ act: 'note', text: ' \n' })), /^400,.*tulislah teksnya/)
  assert.match(String(await notice({ act: 'note', text: 'a'.repeat(2_001) })), /^400,.*2\.000 huruf/)
  assert.match(String(await notice({ act: 'resume' })), /^409,.*status tiket sekarang/)
  for (const text of ['', 'besok', '2029-02-14T09:59', '2029-13-40T10:00', '2029-02-14T10:00']) assert.match(String(await notice({ act: 'estimate', text })), /^400,.*yang akan datang/, text)
  assert.equal((await ticketOf(id)).version, 1)
  const long = `${'語'.repeat(1_998)}\0\r\nx`
  assert.equal((await post(url, { version: '1', act: 'note', text: long })).status, 303, 'the longest text of any script')
  assert.equal((await ticketOf(id)).notes[0]?.text, `${'語'.repeat(1_998)}\nx`)
  assert.equal((await post(url, { version: '2', act: 'estimate', text: '2029-02-14 10.01' })).status, 303)
})

test('the fault of a database is told without its words', async () => {
  const broken = fastify()
  const failing = { ...kit.database, transaction: () => Promise.reject(new Error('password of kawal_app')) }
  await broken.register(ticketLinks({ database: failing, clock: () => now, changed: () => undefined, beginAct: () => Promise.resolve(), secret }))
  const { statusCode, body } = await broken.inject({ method: 'GET', url: linkOf('TT-x') })
  assert.deepEqual([statusCode, /Kesalahan di pihak kami/.test(body), /password/.test(body)], [500, true, false])
  await broken.close()
})

test('every page loads nothing, runs nothing, is kept and found by nobody, and is light', async () => {
  const url = linkOf(await open('light'))
  for (const { body, headers } of [await get(url), await get('/t/x'), await post(url, 'x', 'text/plain'), await post(url, { version: '7', act: 'note', text: 'x' })]) {
    const hashed = createHash('sha256').update(/<style>([^]*)<\/style>/.exec(body)?.[1] ?? '').digest('base64')
    assert.equal(headers['content-security-policy'], `default-src 'none'; style-src 'sha256-${hashed}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`)
    assert.deepEqual([headers['referrer-policy'], headers['cache-control'], headers['x-robots-tag']], ['no-referrer', 'no-store', 'noindex'])
    assert.ok(!/<script|<link|<img|\bstyle=|\bon\w+=|https?:/.test(body))
    assert.ok(Buffer.byteLength(body) < 20_000, `${Buffer.byteLength(body)} bytes`)
  }
  const { body } = await get(url)
  for (const [, id] of body.matchAll(/<(?:textarea|input|select) id="([\w-]+)"/g)) assert.ok(body.includes(`<label for="${id}">`), id)
})

test('a link opens nothing once whoever it was sent to is a contact no more', async () => {
  const id = await open('withdrawn')
  const gone = await contactOf(kit.database, 'telkomsel', now)
  const link = linkOf(id, { contact: gone })
  assert.equal((await get(link)).status, 200)
  await deleteContact(kit.database, telkomsel, gone)
  assert.equal((await get(link)).status, 404)
  assert.equal((await post(link, { act: 'acknowledge', version: '1' })).status, 404)
  assert.equal((await ticketOf(id)).status, 'submitted')
  assert.equal((await get(linkOf(id))).status, 200, 'others\' links go on')
})
