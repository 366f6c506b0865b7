import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import pg from 'pg'
import type { ContactCompleteness, ContactRow, ContactRows } from '@kawal/contract/contact.ts'
import { withServer, type Asked, type TestServer } from '@kawal/testkit/server.ts'
import { addApiKey } from './sessions.ts'

const now = Date.UTC(2029, 1, 14, 2)
const path = '/v1/contacts'
const piket = { name: 'Piket NOC', level: 1, email: 'noc@telkomsel.example', phone: '08110000001' }

let server: TestServer
let owner: pg.Client
let indosat: { readonly token: string }
before(async () => {
  server = await withServer(() => now, async ({ ownerUrl }) => {
    owner = new pg.Client({ connectionString: ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas'), ('maju-net', 'isp', 'PT Maju Net')")
  })
  indosat = { token: await addApiKey(server.app.database, 'indosat', now) }
})
after(async () => {
  await owner.end()
  await server.close()
})
beforeEach(() => owner.query('TRUNCATE contact'))

type As = Asked | { readonly token: string }
type Told = ContactRow & { code: string; detail: string }
const add = async (as: As, more: object = {}): Promise<{ status: number; body: Told }> => server.call<Told>(as, 'POST', path, { ...piket, ...more })
const list = async (as: As, query = ''): Promise<ContactRows> => {
  const { status, body } = await server.call<ContactRows>(as, 'GET', path + query)
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

test('an organisation adds, changes and deletes its own contacts', async () => {
  const { status, body } = await add('telkomsel')
  assert.equal(status, 201, JSON.stringify(body))
  assert.deepEqual(body, { id: body.id, organisation: 'telkomsel', name: 'Piket NOC', level: 1, email: 'noc@telkomsel.example', phone: '+628110000001', language: 'id', createdAt: new Date(now).toISOString() })
  const put = await server.call<Told>('telkomsel', 'PUT', `${path}/${body.id}`, { name: 'Kepala NOC', level: 2, phone: '+6221 555 0100', language: 'en' })
  assert.deepEqual([put.status, put.body], [200, { ...body, name: 'Kepala NOC', level: 2, email: null, phone: '+62215550100', language: 'en' }])
  assert.deepEqual(await list('telkomsel'), { total: 1, rows: [put.body] })
  assert.deepEqual((await server.call('telkomsel', 'DELETE', `${path}/${body.id}`)).status, 204)
  assert.equal((await server.call('telkomsel', 'DELETE', `${path}/${body.id}`)).status, 404)
  assert.deepEqual(await list('telkomsel'), { total: 0, rows: [] })
})

test('the wall: own contacts, or all for the monitoring centre, APJII and Bawaslu; nobody writes those of others', async () => {
  const writers: As[] = ['telkomsel', indosat, 'bakti', 'kpu', 'dinas', 'komdigi']
  for (const as of writers) assert.equal((await add(as)).status, 201)
  const all = ['bakti', 'dinas', 'indosat', 'komdigi', 'kpu', 'telkomsel']
  const seen = async (as: As, query = ''): Promise<string[]> => (await list(as, query)).rows.map((row) => row.organisation)
  for (const as of ['komdigi', 'apjii', 'bawaslu'] as const) assert.deepEqual(await seen(as), all, as)
  for (const as of ['telkomsel', 'bakti', 'kpu', 'dinas'] as const) assert.deepEqual(await seen(as), [as], as)
  assert.deepEqual([await seen('apjii', '?organisation=indosat'), await seen('telkomsel', '?organisation=indosat')], [['indosat'], []])
  const { rows } = await list('komdigi')
  const of = (organisation: string): string => rows.find((row) => row.organisation === organisation)?.id ?? ''
  for (const [as, status] of [['telkomsel', 404], ['bakti', 404], ['kpu', 404], ['dinas', 404], ['komdigi', 403], ['apjii', 403], ['bawaslu', 403], [{ token: 'nobody' }, 401]] as const) {
    assert.equal((await server.call(as, 'PUT', `${path}/${of('indosat')}`, { ...piket, name: 'Lain' })).status, status, JSON.stringify(as))
    assert.equal((await server.call(as, 'DELETE', `${path}/${of('indosat')}`)).status, status, JSON.stringify(as))
  }
  for (const [as, status] of [['apjii', 403], ['bawaslu', 403], [{ token: 'nobody' }, 401]] as const) assert.equal((await add(as)).status, status)
  assert.equal((await server.call('komdigi', 'PUT', `${path}/${of('komdigi')}`, { ...piket, name: 'Piket PMT' })).status, 200)
  assert.deepEqual((await list(indosat)).rows.map((row) => row.name), ['Piket NOC'])
  for (const id of ['x', '1', randomUUID(), `${of('telkomsel')}x`, '%00']) assert.equal((await server.call('telkomsel', 'PUT', `${path}/${id}`, piket)).status, 404, id)
  await assert.rejects(server.app.database.transaction({ organisation: 'telkomsel', role: 'noc' }, (client) => client.query("UPDATE contact SET organisation_id = 'indosat'")), /permission denied/)
})

test('what cannot be is refused with what is wrong and how to mend it', async () => {
  for (const [more, detail] of [
    [{ name: ' ' }, /\/name: a contact has no name\. Mend it: /], [{ name: 'a\0' }, /\/name/], [{ name: 'x'.repeat(101) }, /\/name/], [{ level: 6 }, /\/level/], [{ level: 1.5 }, /\/level/], [{ level: '1' }, /\/level/],
    [{ email: 'noc' }, /no e-mail address/], [{ phone: '8110000001' }, /write \+628110000001/], [{ email: null, phone: null }, /neither an e-mail nor a phone/], [{ language: 'jv' }, /\/language/], [{ organisation: 'indosat' }, /no field organisation/],
  ] as const) {
    const { status, body } = await add('telkomsel', more)
    assert.deepEqual([status, body.code], [400, 'body_invalid'], JSON.stringify([more, body]))
    assert.match(body.detail, detail)
  }
  for (const query of ['?organization=telkomsel', '?organisation=T', '?limit=501', '?limit=x', '?offset=-1', '?organisation=a&organisation=b']) assert.equal((await server.call('komdigi', 'GET', path + query)).status, 400, query)
  assert.equal((await list('telkomsel')).total, 0)
})

test('a person stands once on a level', async () => {
  const first = await add('telkomsel')
  const again = await add('telkomsel', { name: 'piket noc' })
  assert.deepEqual([again.status, again.body.code], [409, 'state_conflict'])
  assert.match(again.body.detail, /on level 1 already/)
  const second = await add('telkomsel', { level: 2 })
  assert.equal(second.status, 201)
  assert.equal((await server.call('telkomsel', 'PUT', `${path}/${second.body.id}`, piket)).status, 409)
  assert.equal((await server.call('telkomsel', 'PUT', `${path}/${first.body.id}`, { ...piket, phone: null })).status, 200)
  assert.equal((await add(indosat)).status, 201)
})

test('of sixty that come at once, fifty get in; pages and order', async () => {
  const answers = await Promise.all(Array.from({ length: 60 }, (_, nth) => add('telkomsel', { name: `Piket ${String(nth).padStart(2, '0')}`, level: 1 + (nth % 5) })))
  assert.deepEqual([201, 409].map((status) => answers.filter((answer) => answer.status === status).length), [50, 10])
  const page = await list('telkomsel', '?limit=20&offset=40')
  assert.deepEqual([page.total, page.rows.length], [50, 10])
  const { rows } = await list('telkomsel')
  assert.deepEqual(rows, rows.toSorted((a, b) => a.level - b.level || (a.name < b.name ? -1 : 1)))
  assert.equal((await list('telkomsel', '?limit=0')).rows.length, 0)
})

test('completeness: of every operator, ISP and BAKTI for who reads all; else of the own organisation', async () => {
  await add('telkomsel')
  await add('telkomsel', { name: 'Kepala NOC', level: 2 })
  await add(indosat, { level: 2, phone: null })
  const { body } = await server.call<ContactCompleteness>('apjii', 'GET', `${path}/completeness`)
  assert.deepEqual(body.rows.map((row) => [row.organisation, row.contacts, row.lacks]), [
    ['bakti', 0, ['no_contact']], ['indosat', 1, ['no_first_level', 'one_person_only', 'no_phone']], ['maju-net', 0, ['no_contact']], ['smartfren', 0, ['no_contact']], ['telkomsel', 2, []], ['xl', 0, ['no_contact']], ['xlsmart', 0, ['no_contact']]])
  assert.deepEqual(body.counts, { organisations: 7, complete: 1, no_contact: 5, no_first_level: 1, one_person_only: 1, no_phone: 1 })
  assert.deepEqual(body.rows[2], { organisation: 'maju-net', name: 'PT Maju Net', kind: 'isp', contacts: 0, lacks: ['no_contact'] })
  for (const as of ['komdigi', 'bawaslu'] as const) assert.deepEqual((await server.call<ContactCompleteness>(as, 'GET', `${path}/completeness`)).body, body, as)
  assert.deepEqual((await server.call<ContactCompleteness>(indosat, 'GET', `${path}/completeness`)).body.rows.map((row) => row.organisation), ['indosat'])
  assert.deepEqual((await server.call<ContactCompleteness>('dinas', 'GET', `${path}/completeness`)).body.rows.map((row) => row.organisation), ['dinas'])
  assert.equal((await server.call({ token: 'nobody' }, 'GET', `${path}/completeness`)).status, 401)
})
