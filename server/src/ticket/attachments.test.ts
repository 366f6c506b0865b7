import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { file_bytes_max } from '@kawal/contract/file.ts'
import { attachments_max } from '@kawal/core/ticket/relation.ts'
import { hubAddress, ticketAddress, withTicketFace, type TicketFace } from '@kawal/testkit/ticket-face.ts'
import { system } from '../adapters/postgres/database.ts'
import { getTicket } from './tickets.ts'
import { toLive } from './tmf621.ts'

let face: TicketFace
before(async () => {
  face = await withTicketFace()
})
after(() => face.close())

const png = Buffer.from('89504e470d0a1a0a', 'hex')
const photo = (name = 'menara.png', content: Buffer = png): object => ({ '@type': 'Attachment', name, mimeType: 'image/png', attachmentType: 'photo', description: 'the mast at noon', content: content.toString('base64') })
const attach = (as: string, id: string, ...attachment: object[]) => face.patch(as, id, { attachment })
const get = (as: string, url: string) => face.app.inject({ url, headers: { authorization: `Bearer ${as}` } })

test('a file is attached, shown with its size and address, and read by whoever may see the ticket', async () => {
  const id = await face.open('file')
  const listener = (await face.call('telkomsel', 'POST', hubAddress, { '@type': 'Hub', callback: 'http://127.0.0.1:9/' })).body
  const { status, body } = await attach('telkomsel', id, photo())
  assert.equal(status, 200, body.detail)
  const [first] = body.attachment
  assert.ok(first !== undefined)
  assert.deepEqual([first.name, first.mimeType, first.size, first.description, first.attachmentType], ['menara.png', 'image/png', { amount: 8, units: 'byte' }, 'the mast at noon', 'photo'])
  assert.equal(first.url, `/v1/tickets/${id}/attachments/${first.id}`)
  for (const as of ['telkomsel', 'komdigi', 'bawaslu']) {
    const file = await get(as, first.url)
    assert.deepEqual([file.statusCode, file.headers['content-type'], file.rawPayload], [200, 'image/png', png], as)
  }
  for (const as of ['indosat', 'kpu']) assert.equal((await get(as, first.url)).statusCode, 404, as)
  assert.equal((await get('nobody', first.url)).statusCode, 401)
  assert.equal((await get('telkomsel', `/v1/tickets/${await face.open('another')}/attachments/${first.id}`)).statusCode, 404, 'it belongs to its ticket')
  assert.equal((await get('telkomsel', `/v1/tickets/${id}/attachments/none`)).statusCode, 404)
  // Neither the ticket nor its events carry what is in it.
  const { rows } = await face.kit.database.transaction(system, (client) => client.query<{ text: string }>(
    `SELECT state::text AS text FROM ticket WHERE id = $1 UNION ALL SELECT event::text FROM ticket_event WHERE ticket_id = $1 UNION ALL SELECT body::text FROM hub_delivery WHERE hub_id = $2`, [id, listener.id]))
  assert.ok(rows.length >= 4 && rows.every(({ text }) => !text.includes(png.toString('base64'))))
  const ticket = await getTicket({ database: face.kit.database, clock: () => face.now }, system, id)
  assert.ok(ticket !== null)
  assert.deepEqual(toLive(ticket, face.now).history.at(-1)?.attachment, { name: 'menara.png', bytes: 8, url: first.url })
})

test('a patch gives the whole list: what is there by its id is left alone, what is new is added, both sides alike', async () => {
  const id = await face.open('list')
  const first = (await attach('telkomsel', id, photo('one.png'))).body
  const both = (await attach('komdigi', id, ...first.attachment, photo('two.png'))).body
  assert.deepEqual(both.attachment.map(({ name }) => name), ['one.png', 'two.png'])
  assert.deepEqual(both.attachment[0], first.attachment[0])
  assert.equal((await attach('telkomsel', id, ...both.attachment)).headers['etag'], `"3"`, 'nothing new is no event')
  assert.equal((await attach('bawaslu', id, photo())).status, 403)
  assert.equal((await attach('indosat', id, photo())).status, 404)
})

test('a request is made with its files', async () => {
  const { status, body } = await face.call('telkomsel', 'POST', ticketAddress, { '@type': 'TroubleTicket', description: 'a list', severity: 'minor', ticketType: 'data', attachment: [photo('daftar.csv'), photo('peta.png')] })
  assert.deepEqual([status, body.attachment.map(({ name }) => name)], [201, ['daftar.csv', 'peta.png']])
  assert.equal((await get('telkomsel', body.attachment[1]?.url ?? '')).statusCode, 200)
  assert.equal((await get('indosat', body.attachment[1]?.url ?? '')).statusCode, 404)
})

test('refused with what is wrong and where: no content, no base64, too large, too many; and nothing of it is kept', async () => {
  const id = await face.open('refused')
  const answers = [
    await attach('telkomsel', id, photo(), { '@type': 'Attachment', name: 'a', mimeType: 'image/png', url: 'https://elsewhere.example/a.png' }),
    await attach('telkomsel', id, { ...photo(), content: 'not base64!' }),
    await attach('telkomsel', id, { ...photo(), mimeType: 'picture' }),
    await attach('telkomsel', id, { ...photo(), '@type': 'AttachmentRef', id: 'x' }),
  ]
  assert.deepEqual(answers.map(({ status }) => status), [400, 400, 400, 400])
  assert.match(answers[0]?.body.detail ?? '', /^\/attachment\/1: .*Nothing is fetched/)
  const large = await attach('telkomsel', id, photo('large.png', Buffer.alloc(file_bytes_max)))
  assert.equal(large.status, 200, large.body.detail)
  const over = await attach('telkomsel', id, photo('over.png', Buffer.alloc(file_bytes_max + 1)))
  assert.deepEqual([over.status, over.body.code], [400, 'body_invalid'])
  assert.equal((await attach('telkomsel', id, photo('a.png', Buffer.alloc(4_000_000)), photo('b.png', Buffer.alloc(4_000_000)))).status, 413, 'one request carries one large file')
  assert.equal((await attach('telkomsel', id, ...Array.from({ length: attachments_max }, (_, index) => photo(`${index}.png`)))).status, 409, 'with the one that is there they are too many')
  const { rows } = await face.kit.database.transaction(system, (client) => client.query('SELECT name FROM ticket_attachment WHERE ticket_id = $1', [id]))
  assert.deepEqual(rows, [{ name: 'large.png' }])
  assert.equal((await attach('telkomsel', id, ...Array.from({ length: attachments_max - 1 }, (_, index) => photo(`${index}.png`)))).status, 200)
})

test('a file goes with its ticket to whoever it is transferred to, and nobody else changes or deletes one', async () => {
  const id = await face.open('moved')
  const [first] = (await attach('telkomsel', id, photo())).body.attachment
  const moved = await face.patch('komdigi', id, { relatedParty: [{ '@type': 'RelatedPartyRefOrPartyRoleRef', role: 'operator', partyOrPartyRole: { '@type': 'PartyRef', id: 'indosat' } }] })
  assert.equal(moved.status, 200, moved.body.detail)
  assert.deepEqual([(await get('indosat', first?.url ?? '')).statusCode, (await get('telkomsel', first?.url ?? '')).statusCode], [200, 404])
  const tried = (sql: string): Promise<string> => face.kit.database.transaction(system, (client) => client.query(sql, [first?.id])).then(() => 'done', (error: unknown) => String(error))
  for (const sql of ["UPDATE ticket_attachment SET name = 'x' WHERE id = $1", 'DELETE FROM ticket_attachment WHERE id = $1']) assert.match(await tried(sql), /permission denied/)
  const other = face.kit.database.transaction({ organisation: 'telkomsel', role: 'noc' }, (client) => client.query("INSERT INTO ticket_attachment VALUES (gen_random_uuid(), $1, 'telkomsel', now(), 'x', 'image/png', '', '\\x00')", [id]))
  await assert.rejects(other, /row-level security/)
})
