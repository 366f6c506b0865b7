import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fastify from 'fastify'
import pg from 'pg'
import pino from 'pino'
import type { AuditRow, AuditRows } from '@kawal/contract/audit.ts'
import type { Knowledge } from '@kawal/contract/knowledge.ts'
import { operations } from '@kawal/contract/openapi.ts'
import { canonicalJson } from '@kawal/contract/pack.ts'
import type { SigmonConfig } from '@kawal/contract/sigmon.ts'
import { readActEntry, type ActEntry } from '@kawal/core/act/entry.ts'
import { deedOf } from '@kawal/core/act/deed.ts'
import { readBundle } from '@kawal/core/ledger/bundle.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { commandsIn } from '@kawal/testkit/command.ts'
import { planned, seedPlan } from '@kawal/testkit/plan.ts'
import { scratch } from '@kawal/testkit/scratch.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { system } from '../adapters/postgres/database.ts'
import { ofPhones } from '../connections.ts'
import { auditActions } from '../organisation/audit.ts'
import { answerProblems } from '../problem.ts'
import { openTicket } from '../ticket/tickets.ts'
import { openActs } from './open.ts'
import { startFacts, writeStart } from './started.ts'

const start = Date.UTC(2029, 1, 14, 2)
const piket = { name: 'Budi Santoso', level: 1, email: 'budi@telkomsel.example', phone: '08110000001' }
const station = planned.stations[0] ?? ''
const { folder, kawal } = commandsIn('acts')
const at = (name: string): string => join(folder, name)
/** It is written to until the server has ended. */
const signer = scratch('acts-signer')

let now = start
let server: TestServer
let owner: pg.Client
let key = ''
before(async () => {
  server = await withServer(() => now, async ({ ownerUrl }) => {
    owner = new pg.Client({ connectionString: ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
    await seedPlan(ownerUrl)
  }, { acts: { folder: join(signer, 'acts'), origin: 'kawal.example/acts', startedBy: 'root' } })
  key = (await (await fetch(`${server.app.url}/acts/key`)).text()).trim()
})
after(async () => {
  await owner.end()
  await server.close()
  rmSync(signer, { recursive: true, force: true })
})

/** Takes what was done into the log. */
async function turned(): Promise<void> {
  now += 3_000
  await server.app.tick(now)
  await server.app.actsIdle()
}
async function entries(): Promise<(ActEntry & { readonly index: number })[]> {
  const note = await (await fetch(`${server.app.url}/acts/checkpoint`)).text()
  const size = Number(note.split('\n')[1])
  const found: (ActEntry & { index: number })[] = []
  for (let first = 0; first < size; first += 256) {
    const width = Math.min(256, size - first)
    const bundle = readBundle(new Uint8Array(await (await fetch(`${server.app.url}/acts/tile/entries/${String(first / 256).padStart(3, '0')}${width < 256 ? `.p/${width}` : ''}`)).arrayBuffer()))
    assert.ok(bundle.ok)
    for (const bytes of bundle.value.slice(0, width)) {
      const read = readActEntry(bytes)
      assert.ok(read.ok, read.ok ? '' : read.error)
      found.push({ ...read.value, index: found.length })
    }
  }
  return found
}
const rows = async (query = ''): Promise<AuditRow[]> => (await server.call<AuditRows>('bawaslu', 'GET', `/v1/audit?limit=1000${query}`)).body.rows.toReversed()
const newest = async (): Promise<AuditRow> => (await rows()).at(-1) as AuditRow

test('an act and what came of it are entries: everybody sees who did what, and nobody a name or an address', async () => {
  const { body } = await server.call<{ id: string }>('telkomsel', 'POST', '/v1/contacts', piket)
  const work = { title: 'Ganti baterai', from: new Date(now + 60 * minute_ms).toISOString(), to: new Date(now + 90 * minute_ms).toISOString(), areas: [station], reason: 'atas permintaan Budi Santoso' }
  const made = await server.call<{ id: string }>('telkomsel', 'POST', '/v1/planned-work', work)
  assert.equal(made.status, 201, made.text)
  assert.equal((await server.call('telkomsel', 'DELETE', `/v1/contacts/${body.id}`)).status, 204)
  await turned()
  const logged = await entries()
  const of = (deed: string): Extract<ActEntry, { kind: 'act' }> & { index: number } => logged.find((each) => each.kind === 'act' && each.deed === deed) as never
  const { id: _, commitment, index, at: when, ...plan } = of('planWork')
  assert.equal(commitment.length, 32)
  assert.deepEqual({ ...plan, when }, { kind: 'act', organisation: 'telkomsel', role: 'noc', deed: 'planWork', method: 'POST', path: '/v1/planned-work', subject: null, facts: { from: work.from, to: work.to, areas: [station] }, when: start })
  const came = logged.find((each) => each.kind === 'outcome' && each.act === index)
  assert.ok(came?.kind === 'outcome' && came.status === 201 && came.made === made.body.id && came.index > index)
  const removed = of('removeContact')
  assert.deepEqual([removed.path, removed.subject, removed.facts], ['/v1/contacts/:id', null, null])
  const told = JSON.stringify(logged)
  for (const secret of ['Budi', '127.0.0.1', body.id, 'baterai']) assert.ok(!told.includes(secret), secret)
  const row = (await rows()).find((each) => each.path === '/v1/planned-work')
  assert.deepEqual([row?.entry, row?.outcomeEntry, row?.facts], [index, came.index, plan.facts])
})

test('the first act is that the server starts, and with what', async () => {
  const [first] = await entries()
  assert.ok(first?.kind === 'act' && first.deed === 'startServer' && first.facts !== null)
  const { facts } = first
  assert.deepEqual([facts['sigmon.intervalS'], facts['impact.weights.urgency'] !== undefined, facts['province'], facts['changed'], facts['fullTests.tests_max']], [300, true, null, null, null])
  assert.match(String(facts['settings']), /^sha256:[0-9a-f]{64}$/)
  assert.match(String(facts['code.detection']), /^[0-9a-f]{64}$/)
})

test('a proof shows an act offline to whoever it is shown to; another row, another entry, another key do not pass', async () => {
  const reason = 'pindah karena banjir'
  await server.call('kpu', 'POST', `/v1/stations/${station}/position`, { latitude: 0.6, longitude: 122.9, reason })
  const row = await newest()
  assert.equal((await server.call('bawaslu', 'GET', `/v1/audit/${row.id}/proof`)).body.code, 'not_ready')
  await turned()
  for (const part of ['act', 'outcome']) {
    const proof = await server.call('bawaslu', 'GET', `/v1/audit/${row.id}/proof?of=${part}`)
    assert.equal(proof.status, 200, proof.text)
    writeFileSync(at(part), proof.text)
  }
  const good = await kawal('verify', 'act', at('act'), at('outcome'), '--key', key)
  assert.equal(good.code, 0, good.err)
  assert.match(good.out, new RegExp(`Act ${row.id} is entry \\d+ of the log, .* kpu \\(planner\\), k-[0-9a-f]{10}, from 127\\.0\\.0\\.1: givePosition, POST /v1/stations/${station}/position`))
  assert.match(good.out, new RegExp(`What came of act ${row.id} .* status ${row.status}`))
  assert.equal((await server.call('kpu', 'GET', `/v1/audit/${row.id}/proof`)).status, 200, 'its own')
  assert.equal((await server.call('telkomsel', 'GET', `/v1/audit/${row.id}/proof`)).status, 404, 'not another\'s')
  for (const id of ['0', '999999', 'x', '1e3']) assert.equal((await server.call('bawaslu', 'GET', `/v1/audit/${id}/proof`)).status, 404)

  await owner.query('UPDATE audit SET address = $2 WHERE id = $1', [row.id, '10.0.0.9'])
  writeFileSync(at('forged'), (await server.call('bawaslu', 'GET', `/v1/audit/${row.id}/proof`)).text)
  const forged = await kawal('verify', 'act', at('forged'), '--key', key)
  assert.deepEqual([forged.code, /commitment_other/.test(forged.err)], [4, true], forged.err)
  await owner.query('UPDATE audit SET address = $2 WHERE id = $1', [row.id, '127.0.0.1'])
  const ledgerKey = (await (await fetch(`${server.app.url}/ledger/key`)).text()).trim()
  assert.match((await kawal('verify', 'act', at('act'), '--key', ledgerKey)).err, /origin_other/)
})

test('the audit is held against the log: rewritten, taken out, put in behind it, another outcome; a copy as CSV and as JSON', async () => {
  for (const as of ['bakti', 'dinas', 'telkomsel'] as const) await server.call(as, 'POST', '/v1/contacts', piket)
  await server.call('telkomsel', 'POST', '/v1/planned-work', { title: 'x', from: new Date(now + 60 * minute_ms).toISOString(), to: new Date(now + 90 * minute_ms).toISOString(), areas: [station], reason: '=SUM(A1), "malam"\nlagi' })
  // In base64 it begins with a plus, which a spreadsheet file marks.
  await owner.query("UPDATE audit SET salt = '\\xf8'::bytea || substring(salt FROM 2) WHERE entry IS NULL")
  await turned()
  const copy = async (): Promise<void> => {
    writeFileSync(at('audit.json'), (await server.call('bawaslu', 'GET', '/v1/audit?limit=1000')).text)
    writeFileSync(at('audit.csv'), (await server.call('bawaslu', 'GET', '/v1/audit', undefined, 'text/csv')).text)
  }
  const found = async (file: string): Promise<string[]> => {
    const { code, out, err } = await kawal('verify', 'acts', `${server.app.url}/acts`, at(file), '--key', key)
    const lines = out.trimEnd().split('\n')
    assert.equal(code, lines.length > 1 ? 4 : 0, err)
    return lines.slice(0, -1)
  }
  await copy()
  assert.deepEqual([await found('audit.json'), await found('audit.csv')], [[], []])

  const [first, second, third, fourth] = (await rows()).filter((row) => row.organisation !== 'kawal').slice(-4) as [AuditRow, AuditRow, AuditRow, AuditRow]
  await owner.query('UPDATE audit SET name = $2 WHERE id = $1', [first.id, 'orang lain'])
  await owner.query('DELETE FROM audit_outcome WHERE audit_id = ANY($1)', [[second.id, third.id]])
  await owner.query('DELETE FROM audit WHERE id = $1', [second.id])
  await owner.query('UPDATE audit_outcome SET status = 403 WHERE audit_id = $1', [fourth.id])
  await owner.query("INSERT INTO audit (at, organisation_id, role, method, path) VALUES ($1, 'bakti', 'access_operator', 'POST', '/v1/contacts')", [new Date(start - minute_ms)])
  await copy()
  const differences = await found('audit.csv')
  assert.deepEqual(await found('audit.json'), differences)
  const { length } = differences
  const about = (row: AuditRow): string => differences.filter((each) => new RegExp(`act ${row.id}\\b`, 'i').test(each)).join()
  assert.match(about(first), /the row was rewritten/)
  assert.match(about(second), /the audit has no row of it: it was taken out/)
  assert.match(about(third), /the audit has no outcome of it: it was taken out/)
  assert.match(about(fourth), /\(status 403\) is not that of entry \d+ \(status \d+\): it was rewritten/)
  assert.match(differences.join(), /was put in behind the log/)
  assert.equal(length, 5)
})

test('every address that changes something is an act with a word; what phones send is known by name', async () => {
  const writing = operations.filter(({ method }) => !['get', 'head'].includes(method))
  const asked = writing.filter(({ security }) => security === 'session' || security === 'key')
  assert.ok(asked.length > 40, `${asked.length} addresses`)
  const missing: string[] = []
  for (const { method, path } of asked) {
    now += 1_000
    const before = (await newest()).id
    await server.call('komdigi', method.toUpperCase() as 'POST', path.replaceAll(/\{[a-z]+\}/g, '1'), method === 'delete' ? undefined : {})
    const row = await newest()
    // A group or an alarm of who may send some is kept as it came.
    if (row.id === before || deedOf(row) === 'other') missing.push(`${method} ${path}`)
  }
  assert.deepEqual(missing, [])
  const others = writing.filter(({ security }) => security !== 'session' && security !== 'key').filter(({ path }) => !ofPhones.test(path))
  assert.deepEqual([...new Set(others.map(({ method, path }) => deedOf({ method: method.toUpperCase(), path: path.replaceAll(/\{[a-z]+\}/g, 'x') })))].sort(), ['handIn', 'hint', 'logIn', 'logOut'].filter((deed) => others.some(({ method, path }) => deedOf({ method: method.toUpperCase(), path }) === deed)))
})

test('what cannot be written down is not done, at every address; alarms are kept as they come', async () => {
  const writing = operations.filter(({ method, security }) => !['get', 'head'].includes(method) && (security === 'session' || security === 'key'))
  await owner.query('REVOKE INSERT ON audit FROM kawal_app')
  const others: string[] = []
  try {
    for (const { method, path } of writing) {
      const { status } = await server.call('komdigi', method.toUpperCase() as 'POST', path.replaceAll(/\{[a-z]+\}/g, '1'), method === 'delete' ? undefined : {})
      if (status !== 500) others.push(`${method} ${path} ${status}`)
    }
  } finally {
    await owner.query('GRANT INSERT ON audit TO kawal_app')
  }
  assert.deepEqual(others.filter((each) => !/\/alarm( |\/\{id\} )|alertmanager/.test(each)), [])
})

test('a route without a word does not start', () => {
  const app = fastify()
  app.decorateRequest('caller', null)
  auditActions(app, server.app.database, () => now)
  app.get('/v1/areas/slow', () => ({}))
  app.post('/v1/keys', () => ({}))
  assert.throws(() => app.post('/v1/areas/:code/slow', () => ({})), /POST \/v1\/areas\/:code\/slow changes something and has no word: give it one in core\/act\/deed\.ts/)
  assert.throws(() => app.route({ method: ['GET', 'PUT'], url: '/v1/areas/slow2', handler: () => ({}) }), /PUT \/v1\/areas\/slow2/)
})

test('what phones are told is an act, once a version, with what anybody can hold it against', async () => {
  const jws = await (await fetch(`${server.app.url}/v1/sigmon/config`)).text()
  const { version, issuedAt: _, validUntil: __, ...content } = JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()) as SigmonConfig
  await fetch(`${server.app.url}/v1/sigmon/config`)
  await turned()
  const told = (await entries()).filter((each) => each.kind === 'act' && each.deed === 'configurePhones')
  assert.equal(told.length, 1)
  assert.deepEqual(told[0]?.kind === 'act' ? [told[0].facts?.['version'], told[0].facts?.['intervalS'], told[0].facts?.['content']] : [], [version, 300, `sha256:${createHash('sha256').update(canonicalJson(content)).digest('hex')}`])
})

test('a server that starts with other settings says which', async () => {
  await writeStart(server.app.database, now, startFacts({ rehearsal: true, interval_s: 900, province: '75' }), 'root')
  await turned()
  const [last] = (await entries()).filter((each) => each.kind === 'act' && each.deed === 'startServer').slice(-1)
  assert.ok(last?.kind === 'act')
  assert.deepEqual((last.facts?.['changed'] as string[]).filter((each) => !each.startsWith('code.')), ['interval_s: 300 -> 900', 'province: null -> 75', 'recaps.contests.dpd.ceiling: 300 -> nothing', 'recaps.contests.dpr.ceiling: 300 -> nothing', 'recaps.contests.dprd_kabkota.ceiling: 300 -> nothing', 'recaps.contests.dprd_provinsi.ceiling: 300 -> nothing', 'recaps.contests.ppwp.ceiling: 300 -> nothing'])
})

test('who knew what when: measured, told, answered, acted, each as far as the reader may see it', async () => {
  const measured = new Date(now)
  await owner.query("INSERT INTO disturbance VALUES ('g-known', 'telkomsel', '{}', $1, NULL)", [measured])
  await owner.query("INSERT INTO disturbance_turn VALUES ('g-known', 1, 'telkomsel', $1, 'suspected', '{}'), ('g-known', 2, 'telkomsel', $1, 'grown', '{}'), ('g-known', 3, 'telkomsel', $2, 'confirmed', '{}')", [measured, new Date(now + 30_000)])
  const cause = {
    id: 'g-known', cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: station.slice(0, 6), areaName: 'Paguyaman', stations: [station], startedAt: now, foundAt: now, endedAt: null,
    evidence: { devicesExpected: 4, devicesSilent: 4, devicesBad: 0, devicesGood: 0, witnessesGood: 4, score: 9, threshold: 6, rule: 'silence', causes: [], signs: [] },
  } as unknown as Parameters<typeof openTicket>[2]
  now += minute_ms
  const opened = await openTicket({ database: server.app.database, clock: () => now }, system, cause, 'telkomsel')
  assert.ok(opened.ok)
  const { id: ticket } = opened.value.ticket
  await owner.query("WITH told AS (INSERT INTO notice (organisation_id, call, group_key, alerts, at) VALUES ('telkomsel', '1', 'g', $1, $2) RETURNING id) INSERT INTO message (organisation_id, notice_id, contact_id, name, language, channels, channel_since, next_attempt_at, delivered_at) SELECT 'telkomsel', id, gen_random_uuid(), 'Piket', 'id', '[{\"kind\":\"email\",\"address\":\"a\"}]', $2, $2, $3 FROM told", [JSON.stringify([{ labels: { ticket } }, { labels: { ticket } }]), new Date(now + 1_000), new Date(now + 2_000)])
  now += minute_ms
  const patched = await server.call('telkomsel', 'PATCH', `/tmf-api/troubleTicket/v5/troubleTicket/${ticket}`, { '@type': 'TroubleTicket', status: 'acknowledged' })
  assert.equal(patched.status, 200, patched.text)
  now += minute_ms
  assert.equal((await server.call('komdigi', 'POST', '/v1/disturbances/g-known/comments', { text: 'dipantau' })).status, 201)
  await turned()
  const lines = async (as: 'bawaslu' | 'kpu', about: string): Promise<string[]> => (await server.call<Knowledge>(as, 'GET', `/v1/knowledge?about=${about}`)).body.rows.map((row) => `${row.what} ${row.detail} ${row.organisation ?? '-'}`)
  const all = await lines('bawaslu', 'g-known')
  assert.deepEqual(all, ['measured suspected -', 'measured confirmed -', 'ticket opened kawal', 'told 1 telkomsel', 'delivered email telkomsel', 'ticket acknowledged telkomsel', 'acted changeTicket telkomsel', 'said dipantau komdigi', 'acted comment komdigi'])
  assert.deepEqual(await lines('bawaslu', ticket), all)
  const closed = (await rows()).find((row) => row.subject === ticket)
  assert.deepEqual([closed?.facts, closed?.entry === null], [{ status: 'acknowledged' }, false], 'a status that somebody gave is in the log')
  assert.deepEqual(await lines('kpu', 'g-known'), ['measured suspected -', 'measured confirmed -', 'said dipantau komdigi'])
  assert.deepEqual([(await server.call('apjii', 'GET', '/v1/knowledge?about=g-known')).status, (await server.call('bawaslu', 'GET', '/v1/knowledge?about=nothing')).status, (await server.call('bawaslu', 'GET', '/v1/knowledge')).status], [404, 404, 400])
  const csv = await server.call('bawaslu', 'GET', `/v1/knowledge?about=${ticket}&from=${new Date(now - minute_ms).toISOString()}`, undefined, 'text/csv')
  assert.match(csv.text, /^at,what,about,organisation,name,detail,entry\n/)
})

test('where the key of the log is gone nothing is signed, and everything else goes on', async () => {
  const stopped = await openActs({ clock: () => now, log: pino({ level: 'silent' }), rehearsal: true, acts: { folder: at('elsewhere'), origin: 'kawal.example/acts', startedBy: null } }, server.app.database, [])
  const app = fastify()
  answerProblems(app)
  stopped.routes(app)
  await stopped.turn()
  const answer = await app.inject('/acts/checkpoint')
  assert.deepEqual([answer.statusCode, (answer.json() as { code: string }).code], [503, 'not_ready'])
  assert.equal((await newest()).path, 'serve')
})
