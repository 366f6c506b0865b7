import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import pg from 'pg'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { openRows } from '../register/read-file.ts'
import { invite } from './invite.ts'
import { readInvitation, type Invited } from './invite-file.ts'
import { logIn, readApiKey, readSession } from './sessions.ts'

const now = Date.UTC(2029, 0, 10, 2)
const folder = mkdtempSync(join(tmpdir(), 'kawal-invite-'))
let kit: TestDatabase
let owner: pg.Client
before(async () => {
  kit = await withDatabase()
  owner = new pg.Client({ connectionString: kit.ownerUrl })
  await owner.connect()
})
after(async () => {
  await owner.end()
  await kit.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => owner.query("TRUNCATE contact, login_link, session, api_key, passkey, push_subscription, staff, draw, drawn, auditor_key; DELETE FROM organisation WHERE kind = 'isp'"))

const header = 'organisation,name,kind,contact,email,phone,level'
const read = async (text: string) => {
  const path = join(folder, 'list.csv')
  writeFileSync(path, text)
  return readInvitation(await openRows(path))
}
const taken = async (text: string): Promise<{ organisations: readonly Invited[]; rejected: string[]; rows: number }> => {
  const result = await read(text)
  assert.ok(result.ok, JSON.stringify(result))
  return { ...result.value, rejected: result.value.rejected.map(({ line, wrong, mend }) => `${line} ${wrong}; ${mend}`) }
}
const inviteAll = async (text: string, more: object = {}) => {
  const { organisations } = await taken(text)
  const outcomes = []
  for (const each of organisations) outcomes.push(await invite(owner, each, { keys: false, dryRun: false, now, ...more }))
  return outcomes
}
const count = async (table: string): Promise<number> => (await owner.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`)).rows[0]?.n ?? 0

test('columns in any order and case, a BOM, CRLF, semicolons, tabs, empty rows, no column kind', async () => {
  const rows = [['maju-net', 'PT Maju Net', 'Piket NOC', 'noc@maju.example', '08110000001', '1'], ['', '', '', '', '', ''], ['maju-net', 'PT Maju Net', 'Kepala NOC', '', "'+628110000002", '2']]
  const head = ['Organisation', 'NAME', 'contact', 'Email', 'phone', 'level ']
  for (const mark of [',', ';', '\t']) {
    const { organisations, rejected, rows: n } = await taken(`\uFEFF${[head, ...rows].map((row) => row.toReversed().join(mark)).join('\r\n')}\r\n`)
    assert.deepEqual([n, rejected], [2, []])
    assert.deepEqual(organisations.map(({ id, name, kind, contacts }) => [id, name, kind, contacts.map(({ line, contact }) => [line, contact.name, contact.email, contact.phone, contact.level])]), [
      ['maju-net', 'PT Maju Net', null, [[2, 'Piket NOC', 'noc@maju.example', '+628110000001', 1], [4, 'Kepala NOC', null, '+628110000002', 2]]]])
  }
})

test('a header that lacks a column, has one that nobody knows or one twice, is told with the list of those expected', async () => {
  for (const [text, pattern] of [
    ['', /lacks the column "organisation", "name", "contact"/], ['organisation,name,contact,email,phone', /lacks the column "level"\. .*organisation, name, kind, contact, email, phone, level; kind may be left out/],
    [`${header},fax`, /unknown column "fax"/], [`${header},Email`, /twice the column "email"/], ['organisasi;nama', /lacks .* and it has the unknown column "organisasi", "nama"/],
  ] as const) {
    const result = await read(`${text}\nx\n`)
    assert.ok(!result.ok)
    assert.match(result.error, pattern)
  }
  const long = await read(`${header}\n${'maju-net,PT Maju Net,,Piket,,08110000001,1\n'.repeat(20_001)}`)
  assert.ok(!long.ok && /more than 20000 rows/.test(long.error))
})

test('a bad row is rejected with its line, what is wrong and how to mend it, and takes no other with it', async () => {
  const lines: readonly (readonly [string, RegExp | null])[] = [
    ['maju-net,PT Maju Net,isp,Piket NOC,noc@maju.example,08110000001,1', null], ['Maju Net,PT Maju Net,,Piket,,08110000001,1', /no id of an organisation; take up to 64 lower-case/], ['laut-net,,,Piket,,08110000001,1', /name of the organisation is empty/],
    ['laut-net,PT Laut Net,ministry,Piket,,08110000001,1', /"ministry" is no kind that is invited; write isp, operator/], ['laut-net,PT Laut Net,,,,08110000001,1', /a contact has no name/], ['laut-net,PT Laut Net,,Piket,noc,,1', /no e-mail address/],
    ['laut-net,PT Laut Net,,Piket,,8110000001,1', /write \+628110000001/], ['laut-net,PT Laut Net,,Piket,,08110000001,', /level is no whole number/], ['laut-net,PT Laut Net,,Piket,,08110000001,1e0', /level is no whole number/], ['laut-net,PT Laut Net,,Piket,,,1', /neither an e-mail nor a phone/],
    ['laut-net,PT Laut Net,,Piket,,08110000001', /cannot be read as CSV; 6 columns for 7/], ['laut-net,"PT Laut Net,,Piket,,08110000001,1', /cannot be read as CSV; a quote is left open/],
    ['maju-net,PT Maju,isp,Kepala NOC,,08110000002,2', /called "PT Maju Net" in line 2, and otherwise here/], ['maju-net,PT Maju Net,operator,Kepala NOC,,08110000002,2', /of kind isp in line 2, and operator here/], ['maju-net,PT Maju Net,isp,piket noc,,08110000002,1', /on level 1 of maju-net in line 2 already/],
    ['laut-net,PT Laut\ufffd Net,,Piket,,08110000001,1', /CSV UTF-8/], ['maju-net,PT Maju Net,,Kepala NOC,,08110000002,2', null], ['laut-net,PT Laut Net,,Piket NOC,,08110000003,1', null],
  ]
  const { organisations, rejected, rows } = await taken(`${header}\n${lines.map(([line]) => line).join('\n')}`)
  assert.deepEqual([rows, organisations.map(({ id, contacts }) => [id, contacts.length])], [lines.length, [['maju-net', 2], ['laut-net', 1]]])
  const bad = lines.flatMap(([, pattern], at) => (pattern === null ? [] : [{ line: at + 2, pattern }]))
  assert.deepEqual(rejected.map((text) => Number(text.split(' ')[0])), bad.map(({ line }) => line))
  for (const [at, { pattern }] of bad.entries()) assert.match(rejected[at] ?? '', pattern)
  const many = await taken(`${header}\n${Array.from({ length: 51 }, (_, nth) => `maju-net,PT Maju Net,,Piket ${nth},,08110000001,1`).join('\n')}`)
  assert.match(many.rejected.join(), /^52 maju-net has 50 contacts in the rows above/)
})

test('a new organisation gets its contacts, one link for whoever is told first, and a key where one is wanted', async () => {
  const text = `${header}\nmaju-net,PT Maju Net,,Kepala NOC,,08110000002,2\nmaju-net,PT Maju Net,,Piket NOC,noc@maju.example,,1`
  const [outcome] = await inviteAll(text, { keys: true })
  assert.deepEqual([outcome?.organisation, outcome?.added, outcome?.contacts, outcome?.rejected], ['maju-net', true, { added: 2, known: 0, kept: 0 }, []])
  const { session } = await logIn(kit.database, outcome?.token ?? '', now)
  const staff = (await readSession(kit.database, session, now))?.session
  assert.deepEqual([staff?.organisation, staff?.organisationName, staff?.role, staff?.name], ['maju-net', 'PT Maju Net', 'noc', 'Piket NOC'])
  assert.deepEqual((await readApiKey(kit.database, outcome?.key ?? ''))?.caller, { organisation: 'maju-net', role: 'noc' })
  assert.deepEqual([await count('login_link'), await count('api_key'), await count('contact')], [1, 1, 2])
})

test('again it changes nothing; what is missing goes in, what differs is kept, and no second link is made', async () => {
  const first = `${header}\nmaju-net,PT Maju Net,,Piket NOC,noc@maju.example,08110000001,1`
  await inviteAll(first)
  const [again] = await inviteAll(first, { keys: true })
  assert.deepEqual(again, { organisation: 'maju-net', added: false, contacts: { added: 0, known: 1, kept: 0 }, token: null, key: null, rejected: [] })
  const [more] = await inviteAll(`${header}\nmaju-net,PT Maju,,piket noc,,08110000009,1\nmaju-net,PT Maju,,Kepala NOC,,08110000002,2`)
  assert.deepEqual([more?.added, more?.token, more?.contacts], [false, null, { added: 1, known: 0, kept: 1 }])
  assert.deepEqual([await count('login_link'), await count('staff'), await count('api_key')], [1, 1, 0])
  const { rows } = await owner.query("SELECT o.name, c.name AS contact, phone FROM organisation o JOIN contact c ON organisation_id = o.id ORDER BY level")
  assert.deepEqual(rows, [{ name: 'PT Maju Net', contact: 'Piket NOC', phone: '+628110000001' }, { name: 'PT Maju Net', contact: 'Kepala NOC', phone: '+628110000002' }])
})

test('an organisation of another kind, the platform itself, and one that is full', async () => {
  const reasons = async (line: string): Promise<string> => (await inviteAll(`${header}\n${line}`))[0]?.rejected.map(({ line: at, wrong }) => `${at} ${wrong}`).join() ?? ''
  assert.equal(await reasons('telkomsel,Telkomsel,isp,Piket,,08110000001,1'), '2 telkomsel is there already as operator, not isp')
  assert.equal(await reasons('kawal,Kawal,,Piket,,08110000001,1'), '2 kawal is the platform itself')
  assert.equal(await count('contact'), 0)
  assert.equal(await reasons('telkomsel,Telkomsel,,Piket,,08110000001,1'), '')
  await owner.query("INSERT INTO contact SELECT gen_random_uuid(), 'telkomsel', 'Piket ' || n, 1, NULL, '+628110000001', 'id', now() FROM generate_series(2, 50) AS n")
  assert.equal(await reasons('telkomsel,Telkomsel,,Piket 51,,08110000001,1'), '2 telkomsel has 50 contacts already')
  assert.equal(await count('contact'), 50)
})

test('a dry run says the same and leaves nothing; an organisation is there whole or not at all', async () => {
  const text = `${header}\nmaju-net,PT Maju Net,,Piket NOC,,08110000001,1`
  const before = await count('organisation')
  const [dry] = await inviteAll(text, { dryRun: true, keys: true })
  assert.deepEqual([dry?.added, dry?.contacts.added, dry?.token, dry?.key], [true, 1, null, null])
  assert.deepEqual([await count('organisation'), await count('contact'), await count('login_link'), await count('staff')], [before, 0, 0, 0])
  await owner.query("ALTER TABLE login_link ADD CONSTRAINT planted CHECK (organisation_id <> 'maju-net')")
  await assert.rejects(inviteAll(text), /planted/)
  await owner.query('ALTER TABLE login_link DROP CONSTRAINT planted')
  assert.deepEqual([await count('organisation'), await count('contact'), await count('staff')], [before, 0, 0])
  assert.equal((await inviteAll(text))[0]?.added, true)
})
