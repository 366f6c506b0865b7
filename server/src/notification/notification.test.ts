import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, test, type TestContext } from 'node:test'
import nodemailer from 'nodemailer'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import { minute_ms, second_ms } from '@kawal/core/kernel/clock.ts'
import type { TicketCause } from '@kawal/core/ticket/ticket.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system } from '../adapters/postgres/database.ts'
import { createPush, readPushKey } from '../push/push.ts'
import { readLinkToken } from '../ticket/link.ts'
import { command, getTicket, openTicket } from '../ticket/tickets.ts'
import { openNotification, type NotificationSettings } from './open.ts'
import { aboveQuote } from './replies.ts'

const start = Date.UTC(2029, 1, 14, 2)
const secret = Buffer.alloc(32, 5)
const from = 'tiket@kawal.example'
let kit: TestDatabase
let now = start
const failures: unknown[] = []
beforeEach(async () => {
  kit = await withDatabase()
  now = start
})
afterEach(() => kit.close())

const needs = () => ({ database: kit.database, clock: () => now })
const cause = (id: string, operator: string): TicketCause & { areaName: string } => ({
  id, cause: 'access', operator, severity: 'down', areaCode: '530101', areaName: 'Semau <b>', stations: ['5301012001001', '5301012001002'], startedAt: now, foundAt: now, endedAt: null,
  evidence: { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [], signs: [] },
})
async function open(id: string, operator: string): Promise<string> {
  const opened = await openTicket(needs(), system, cause(id, operator))
  assert.ok(opened.ok)
  return opened.value.ticket.id
}
const contact = (organisation: string, level: number, email: string | null, phone: string | null, language = 'id'): Promise<unknown> => kit.database.transaction(system, (client) => client.query(
  'INSERT INTO contact (id, organisation_id, name, level, email, phone, language, created_at) VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, now())', [organisation, `Piket ${level}`, level, email, phone, language]))

interface Mail { readonly to: string; readonly mail: Email }
/** Somebody's mail server. @param refuses addresses that it has no room for */
async function mailServer(t: TestContext, refuses: () => boolean = () => false): Promise<{ smtp: string; got: Mail[] }> {
  const got: Mail[] = []
  const server = new SMTPServer({
    authOptional: true, disabledCommands: ['AUTH', 'STARTTLS'], onRcptTo: (_, __, done) => done(refuses() ? Object.assign(new Error('no room'), { responseCode: 452 }) : null),
    onData(stream, { envelope }, done) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part)).on('end', () => void PostalMime.parse(Buffer.concat(parts)).then((mail) => {
        got.push({ to: envelope.rcptTo.map(({ address }) => address).join(), mail })
        done()
      }))
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { smtp: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`, got }
}

/** Stopped before its database is closed: what a test leaves running ends with the hooks of that test, which come first. */
async function begin(t: TestContext, settings: Partial<NotificationSettings>) {
  const push = createPush({ ...needs(), key: await readPushKey(kit.database), contact: 'https://kawal.example', hosts: [] })
  const notification = await openNotification({ ...needs(), secret, push, settings: { url: 'https://kawal.example', ...settings }, changed: () => undefined, failed: (error) => failures.push(error) })
  let stopped: Promise<void> | null = null
  const stop = (): Promise<void> => (stopped ??= notification.stop())
  t.after(stop)
  return {
    ...notification, stop,
    /** Second by second until then. */
    async until(at: number): Promise<void> {
      for (; now <= at; now += second_ms) await notification.turn(now)
    },
  }
}

test('a ticket calls level by level until somebody acknowledges; each is told by mail, and that it is over', async (t) => {
  for (const [level, language] of [[1, 'id'], [2, 'en']] as const) await contact('telkomsel', level, `level${level}@noc.example`, null, language)
  await contact('komdigi', 1, 'pmt@kominfo.example', null)
  const { smtp, got } = await mailServer(t)
  const notification = await begin(t, { mail: { smtp, from } })
  const id = await open('one', 'telkomsel')
  notification.changed(id)
  await notification.until(start + 12 * minute_ms)
  assert.deepEqual(got.map(({ to }) => to), ['level1@noc.example', 'level2@noc.example'])
  const [first, second] = got.map(({ mail }) => mail) as [Email, Email]
  assert.equal(first.subject, '[TT-one] menunggu konfirmasi: layanan terputus, Semau <b>, 2 TPS')
  assert.equal(second.subject, '[TT-one] waits to be acknowledged: service lost, Semau <b>, 2 polling stations')
  assert.deepEqual([first.inReplyTo, second.inReplyTo], ['<TT-one@kawal.example>', '<TT-one@kawal.example>'])
  const token = /https:\/\/kawal\.example\/t\/(\S+)/.exec(first.text ?? '')?.[1] ?? ''
  assert.deepEqual([readLinkToken(secret, token, now)?.ticket, readLinkToken(secret, token, now)?.organisation], [id, 'telkomsel'])
  assert.ok((await command(needs(), { organisation: 'telkomsel', role: 'noc' }, id, { kind: 'acknowledge' })).ok)
  notification.changed(id)
  await notification.until(start + 45 * minute_ms)
  assert.deepEqual(got.slice(2, 4).map(({ to, mail }) => `${to} ${mail.subject?.split(':')[0]}`).sort(), ['level1@noc.example [TT-one] sudah ditangani', 'level2@noc.example [TT-one] taken up'])
  assert.deepEqual(got.slice(4).map(({ to, mail }) => `${to} ${mail.subject?.split(':')[0]}`).sort(), ['level1@noc.example [TT-one] lewat waktu', 'pmt@kominfo.example [TT-one] lewat waktu'])
  assert.deepEqual(failures, [])
})

test('after a start nobody is told twice, and an organisation without contacts is the monitoring centre\'s at once', async (t) => {
  await contact('komdigi', 1, 'pmt@kominfo.example', null)
  const { smtp, got } = await mailServer(t)
  const first = await begin(t, { mail: { smtp, from } })
  const id = await open('two', 'indosat')
  first.changed(id)
  await first.until(now + 10 * second_ms)
  assert.deepEqual(got.map(({ to, mail }) => [to, mail.subject?.includes('TT-two')]), [['pmt@kominfo.example', true]])
  assert.match(got[0]?.mail.text ?? '', /Penanggung jawab: Indosat Ooredoo Hutchison\.\n[^]*Sejak 14 Feb 2029[^]*WITA/)
  await first.stop()
  const again = await begin(t, { mail: { smtp, from } })
  await again.until(now + 5 * minute_ms)
  assert.equal(got.length, 1)
  assert.ok((await command(needs(), { organisation: 'indosat', role: 'noc' }, id, { kind: 'acknowledge' })).ok)
  await again.stop()
  // What ended while nobody ran is told by the next.
  await (await begin(t, { mail: { smtp, from } })).until(now + 2 * minute_ms)
  assert.deepEqual(got.slice(1).map(({ mail }) => mail.subject?.split(':')[0]), ['[TT-two] sudah ditangani'])
})

test('a mail server that takes nothing is asked for ten minutes, and then the telephone has its turn', async (t) => {
  await contact('xl', 1, 'piket@xl.example', '+628110000001')
  const { smtp, got } = await mailServer(t, () => true)
  const sms: { at: number; to: string; text: string; id: string }[] = []
  const gateway = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (part: string) => (text += part)).on('end', () => {
      sms.push({ at: now, ...JSON.parse(text) as { to: string; text: string; id: string } })
      response.writeHead(202).end()
    })
  })
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  t.after(() => (gateway.closeAllConnections(), gateway.close()))
  const notification = await begin(t, { mail: { smtp, from }, sms: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/send` })
  const [began, id] = [now, await open('three', 'xl')]
  notification.changed(id)
  await notification.until(began + 9.9 * minute_ms)
  assert.deepEqual([got.length, sms.length], [0, 0])
  await notification.until(began + 11 * minute_ms)
  assert.equal(sms.length, 1)
  assert.equal(sms[0]?.to, '+628110000001')
  assert.match(sms[0]?.text ?? '', /^KAWAL TT-three: layanan terputus, Semau <b>, 2 TPS; menunggu konfirmasi https:\/\/kawal\.example\/t\/\S+$/)
})

test('a reply is a note of who was told, once; what is no reply is refused', async (t) => {
  await contact('telkomsel', 1, 'level1@noc.example', null)
  const { smtp, got } = await mailServer(t)
  const notification = await begin(t, { mail: { smtp, from, replies: { host: '127.0.0.1', port: 0 } } })
  const id = await open('four', 'telkomsel')
  notification.changed(id)
  await notification.until(now + 10 * second_ms)
  const told = got.find(({ mail }) => mail.subject?.includes('TT-four'))?.mail
  const to = told?.replyTo?.[0]?.address ?? ''
  assert.ok(to.split('@')[0]!.length <= 64, to)
  const outside = nodemailer.createTransport({ host: '127.0.0.1', port: notification.repliesPort ?? 0, tls: { rejectUnauthorized: false } })
  t.after(() => outside.close())
  const reply = { from: 'level1@noc.example', to, subject: `Re: ${told?.subject}`, messageId: '<abc@noc.example>', text: `Genset sedang dikirim.\r\n\r\nPada Rab, 14 Feb 2029 pukul 09.00 Kawal Sinyal\r\n<${to}> menulis:\r\n> ${told?.text}` }
  for (let times = 0; times < 2; times++) await outside.sendMail(reply)
  const notes = async (): Promise<unknown> => (await getTicket(needs(), system, id))?.notes.map(({ by, text }) => [by, text])
  assert.deepEqual(await notes(), [['telkomsel', 'Genset sedang dikirim.']])
  // A machine's answer says nothing.
  await outside.sendMail({ ...reply, messageId: '<away@noc.example>', headers: { 'Auto-Submitted': 'auto-replied' } })
  assert.deepEqual(await notes(), [['telkomsel', 'Genset sedang dikirim.']])
  await assert.rejects(outside.sendMail({ ...reply, to: to.replace(/.@/, (end) => (end === '0@' ? '1@' : '0@')) }), /Only replies/)
  await assert.rejects(outside.sendMail({ ...reply, to: from }), /Only replies/)
  await assert.rejects(outside.sendMail({ ...reply, messageId: '<long@noc.example>', text: 'x'.repeat(3_000) }), /2,000 characters/)
  await assert.rejects(outside.sendMail({ ...reply, messageId: '<none@noc.example>', text: '> quoted' }), /no text above/)
  assert.ok((await command(needs(), { organisation: 'komdigi', role: 'duty_officer' }, id, { kind: 'cancel', reason: 'exercise' })).ok)
  await assert.rejects(outside.sendMail({ ...reply, messageId: '<late@noc.example>' }), /is over/)
  const { rows: acts } = await kit.database.transaction({ organisation: 'bawaslu', role: 'auditor' }, (client) => client.query<{ act: string }>(
    `SELECT concat_ws(' ', audit.organisation_id, role, method, subject, status, link_contact = contact.id) AS act FROM audit JOIN audit_outcome ON audit_id = audit.id JOIN contact ON contact.organisation_id = audit.organisation_id ORDER BY audit.id`))
  assert.deepEqual(acts.map(({ act }) => act), [250, 250, 550, 550].map((status) => `telkomsel noc MAIL ${id} ${status} t`))
  assert.deepEqual(failures, [])
})

test('what is above the quoted mail', () => {
  assert.equal(aboveQuote('ok\n\nOn Wed, 14 Feb 2029 at 09:00, Kawal <a@b>\nwrote:\n> x'), 'ok')
  assert.equal(aboveQuote('siap\r\n-- \r\nPiket'), 'siap')
  assert.equal(aboveQuote('siap\n-----Original Message-----\nFrom: a'), 'siap')
  assert.equal(aboveQuote('On it.\nTwo lines'), 'On it.\nTwo lines')
  assert.equal(aboveQuote('> all'), '')
})
