import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { afterEach, beforeEach, test, type TestContext } from 'node:test'
import fastify from 'fastify'
import { minute_ms, second_ms } from '@kawal/core/kernel/clock.ts'
import type { Ticket, TicketAction, TicketCause } from '@kawal/core/ticket/ticket.ts'
import { startPeerSystem, type PeerSystem, type SystemOptions } from '@kawal/testkit/peer-system.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system, type Caller } from '../adapters/postgres/database.ts'
import { openPaging } from '../notification/paging.ts'
import { emailOf } from '../notification/text.ts'
import { answerProblems } from '../problem.ts'
import { createOutbox } from '../ticket/outbox.ts'
import { command, getTicket, openTicket, sweepTickets } from '../ticket/tickets.ts'
import { createPeers, type Peers } from './peers.ts'
import { peerRoutes } from './routes.ts'
import { seal, unseal } from './seal.ts'
import { readPeerStates, writePeer, type Proof } from './store.ts'

const start = Date.UTC(2029, 1, 14, 2)
const secret = Buffer.alloc(32, 3)
const telkomsel: Caller = { organisation: 'telkomsel', role: 'noc' }
const komdigi: Caller = { organisation: 'komdigi', role: 'duty_officer' }
let kit: TestDatabase
let now = start
const failures: unknown[] = []
beforeEach(async () => {
  kit = await withDatabase()
  now = start
  failures.length = 0
})
afterEach(() => kit.close())

const needs = () => ({ database: kit.database, clock: () => now })
const evidence = { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [], signs: [] } as const
const cause = (id: string, fields: Partial<TicketCause> = {}): TicketCause & { areaName: string } => ({
  id, cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: '530101', areaName: 'Semau', stations: ['5301012001001', '5301012001002'], startedAt: start, foundAt: start, endedAt: null, evidence, ...fields,
})
async function open(id: string): Promise<string> {
  const opened = await openTicket(needs(), system, cause(id))
  assert.ok(opened.ok)
  return opened.value.ticket.id
}
async function act(caller: Caller, id: string, ...actions: TicketAction[]): Promise<void> {
  const done = await command(needs(), caller, id, actions)
  assert.ok(done.ok, done.ok ? '' : done.error)
}
const ours = async (id: string): Promise<Ticket> => (await getTicket(needs(), system, id)) as Ticket
const rows = async <Row extends object>(sql: string): Promise<Row[]> => kit.database.transaction(system, async (client) => (await client.query<Row>(sql)).rows)

interface Running { readonly system: PeerSystem; readonly peers: Peers; turn(): Promise<void>; round(): Promise<void> }
/** Telkomsel's own ticket system, and what calls it. */
async function begin(t: TestContext, options: Partial<SystemOptions> & { readonly version: 4 | 5 }, { proof = { kind: 'none' }, url, timeout_ms }: { proof?: Proof | ((system: PeerSystem) => Proof); url?: string; timeout_ms?: number } = {}): Promise<Running> {
  const there = await startPeerSystem({ clock: () => now, ...options })
  t.after(() => there.close())
  if (!there.isStrict) t.diagnostic('NOT CHECKED against the published files of TMF621: they are not here')
  await writePeer(kit.database, secret, { organisation: 'telkomsel', url: there.url, version: options.version, proof: typeof proof === 'function' ? proof(there) : proof }, now)
  const peers = peersOf(url, timeout_ms)
  const outbox = createOutbox(kit.database, peers.send)
  const turn = async (): Promise<void> => {
    await outbox.deliver(now)
    await peers.turn(now)
  }
  return {
    system: there, peers, turn,
    /** Long enough that all is looked at again. */
    async round() {
      now += 61 * second_ms
      for (let turns = 0; turns < 10; turns++) await turn()
    },
  }
}
function peersOf(url?: string, timeout_ms = 5 * second_ms): Peers {
  return createPeers({ ...needs(), changed: () => undefined, failed: (error) => failures.push(error), secret, hosts: ['127.0.0.1'], url, timeout_ms })
}
const only = ({ system: { tickets } }: Running): Record<string, unknown> & { note: { text: string; author: string }[] } => {
  assert.equal(tickets.size, 1)
  return [...tickets.values()][0] as ReturnType<typeof only>
}

for (const version of [4, 5] as const)
  test(`TMF621 v${version}: the life of a ticket in both systems, each thing once`, async (t) => {
    const run = await begin(t, { version, notes: version === 4 ? 'replaced' : 'added', etags: version === 5 })
    const id = await open('life')
    await run.turn()
    const theirs = only(run)
    assert.equal(version === 4 ? theirs['externalId'] : (theirs['externalIdentifier'] as { id: string }[])[0]?.id, id)
    assert.match(JSON.stringify(theirs), version === 4 ? /Bukti: dari 20 HP, 11 diam/ : /"devicesSilent":11/)
    await run.round()
    assert.equal((await ours(id)).status, 'submitted', 'what a system answers by itself is no word of a person')

    const say = (fields: Parameters<PeerSystem['say']>[1]): Promise<void> => (now += second_ms, run.system.say('INC-1', fields)).then(() => run.round())
    await say({ status: 'inProgress', note: 'Tim berangkat', expected: '2029-02-14T03:00:00Z' })
    let ticket = await ours(id)
    assert.deepEqual([ticket.status, ticket.notes.map(({ by, text }) => [by, text]), ticket.expectedAt], ['inProgress', [['telkomsel', 'Tim berangkat']], Date.UTC(2029, 1, 14, 3)])
    await say({ status: version === 4 ? 'held' : 'pending', reason: 'Menunggu genset' })
    ticket = await ours(id)
    assert.deepEqual([ticket.status, ticket.statusHistory.at(-1)?.reason], ['pending', 'Menunggu genset'])
    await act(komdigi, id, { kind: 'note', text: 'Formulir menunggu di 2 TPS' })
    await act(telkomsel, id, { kind: 'note', text: 'Dari tautan' })
    await run.turn()
    await run.round()
    assert.deepEqual(theirs.note.map(({ text }) => text.replace(/^\[.*?\] /, '')), ['Tim berangkat', 'Formulir menunggu di 2 TPS', 'Dari tautan'])
    assert.equal((await ours(id)).notes.length, 3)

    await say({ status: 'resolved' })
    assert.equal((await ours(id)).status, 'resolved')
    now += 6 * minute_ms
    await sweepTickets(kit.database, now, () => cause('life'))
    assert.equal((await ours(id)).status, 'reopened')
    await run.turn()
    assert.deepEqual([theirs['status'], theirs['statusChangeReason']], ['inProgress', 'Belum terukur pulih: dari 20 HP, 11 diam, 5 buruk, 4 baik'])
    await run.round()
    assert.equal((await ours(id)).status, 'reopened', 'our own word is no word of theirs')
    await say({ status: 'resolved' })
    await sweepTickets(kit.database, now, () => cause('life', { endedAt: now }))
    await run.turn()
    await run.round()
    assert.deepEqual([(await ours(id)).status, theirs['status'], theirs['statusChangeReason']], ['closed', 'closed', 'Terukur pulih'])
    assert.deepEqual(run.system.faults, [], 'every request is as the published file has it')
    const acts = await rows<{ path: string; status: number }>("SELECT path, status FROM audit JOIN audit_outcome ON audit_id = audit.id WHERE method = 'PEER' AND audit.organisation_id = 'telkomsel' AND role = 'noc' AND subject = 'TT-life' ORDER BY audit.id")
    assert.deepEqual(acts.map(({ path, status }) => `${path} ${status}`), ['inProgress 200', 'expectedResolutionDate 200', 'note 200', version === 4 ? 'held 200' : 'pending 200', 'resolved 200', 'resolved 200'])
    const asked = run.system.log.length
    await run.round()
    assert.equal(run.system.log.length, asked, 'what is over is not asked for any more')
    assert.deepEqual(failures, [])
  })

test('they say that it is not theirs: a dispute, answered by the centre; a ticket that goes elsewhere is cancelled there, and no more is told', async (t) => {
  const run = await begin(t, { version: 5 })
  const id = await open('dispute')
  await run.turn()
  const theirs = only(run)
  await run.system.say('INC-1', { status: 'rejected', reason: 'Listrik PLN padam' })
  await run.round()
  let { dispute } = await ours(id)
  assert.deepEqual([dispute?.kind, dispute?.text, dispute?.by, dispute?.answer], ['not_ours', 'Listrik PLN padam', 'telkomsel', null])
  assert.equal(theirs['status'], 'rejected', 'until it is answered their word stands')
  now += second_ms
  await act(komdigi, id, { kind: 'reject', reason: 'HP operator lain di tempat yang sama baik' })
  await run.turn()
  assert.deepEqual([theirs['status'], theirs['statusChangeReason']], ['acknowledged', 'HP operator lain di tempat yang sama baik'])
  await run.round()
  assert.equal((await ours(id)).status, 'submitted')
  now += second_ms
  await act(komdigi, id, { kind: 'transfer', operator: 'indosat', operatorName: 'Indosat' })
  await run.turn()
  assert.deepEqual([theirs['status'], theirs['statusChangeReason']], ['cancelled', 'Dialihkan ke Indosat'])
  now += second_ms
  await act(komdigi, id, { kind: 'note', text: 'hanya untuk Indosat' })
  await run.round()
  assert.ok(!JSON.stringify(theirs).includes('hanya untuk Indosat'))
  ;({ dispute } = await ours(id))
  assert.equal(dispute?.answer?.word, 'rejected')
  assert.deepEqual([run.system.faults, failures], [[], []])
})

for (const [what, options] of [['filters', {}], ['refuses the filter', { filter: 'refused' }], ['takes no notice of the filter', { filter: 'ignored' }]] as const)
  for (const fault of ['cut_after', 'cut_before', 'error', 'silent'] as const)
    test(`the first answer is lost (${fault}), at a system that ${what}: one ticket there`, async (t) => {
      let lost = 0
      const run = await begin(t, { version: 4, ...options, fault: (method, path) => (method === 'POST' && path === '/troubleTicket' && lost++ === 0 ? fault : 'none') }, { timeout_ms: 300 })
      for (let n = 0; n < 3; n++) run.system.tickets.set(`OLD-${n}`, { id: `OLD-${n}`, status: 'closed', note: [], externalId: `${n}` })
      const id = await open('lost')
      await run.turn()
      await run.round()
      await run.round()
      assert.deepEqual([...run.system.tickets.values()].filter((ticket) => ticket['externalId'] === id).length, 1)
      assert.ok(lost >= 1)
      assert.deepEqual((await rows<{ n: number }>('SELECT count(*)::int AS n FROM hub_delivery WHERE delivered_at IS NULL'))[0]?.n, 0)
      assert.deepEqual(failures, [])
    })

for (const notes of ['replaced', 'added'] as const)
  test(`the answer to a patch is lost, notes ${notes}: they have it once, and our status is no word of theirs`, async (t) => {
    let lost = 0
    const run = await begin(t, { version: 5, notes, fault: (method) => (method === 'PATCH' && lost++ === 0 ? 'cut_after' : 'none') })
    const id = await open('patched')
    await act(telkomsel, id, { kind: 'start' }, { kind: 'resolve' })
    await run.turn()
    lost = 0
    now += 6 * minute_ms
    await act(komdigi, id, { kind: 'note', text: 'Belum pulih di dua TPS' })
    await sweepTickets(kit.database, now, () => cause('patched'))
    await run.turn()
    await run.round()
    await run.round()
    const theirs = only(run)
    assert.ok(lost >= 1)
    assert.deepEqual([theirs['status'], theirs.note.map(({ text }) => text)], ['inProgress', ['[TT-patched.5] Belum pulih di dua TPS']])
    assert.deepEqual([(await ours(id)).status, (await ours(id)).notes.length], ['reopened', 1])
  })

test('our process is killed between their answer and writing it down: one ticket there', async (t) => {
  let child: ReturnType<typeof spawn> | null = null
  const run = await begin(t, {
    version: 5,
    fault: (method, path) => {
      if (child === null || method !== 'POST' || path !== '/troubleTicket') return 'none'
      child.kill('SIGKILL')
      return 'cut_after'
    },
  })
  const id = await open('killed')
  const file = (name: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, name)).href)
  const program = `
    const { connect } = await import(${file('../adapters/postgres/database.ts')})
    const { createOutbox } = await import(${file('../ticket/outbox.ts')})
    const { createPeers } = await import(${file('peers.ts')})
    const database = connect(process.env.OWNER_URL, 'test')
    const peers = createPeers({ database, clock: () => ${now}, changed() {}, failed() {}, secret: Buffer.alloc(32, 3), hosts: ['127.0.0.1'] })
    await createOutbox(database, peers.send).deliver(${now})`
  child = spawn(process.execPath, ['--input-type=module', '-e', program], { env: { ...process.env, OWNER_URL: kit.ownerUrl }, stdio: 'inherit' })
  const [, signal] = await once(child, 'exit') as [number | null, string | null]
  child = null
  assert.equal(signal, 'SIGKILL')
  assert.equal(run.system.tickets.size, 1, 'they had taken it')
  await run.round()
  assert.equal((only(run)['externalIdentifier'] as { id: string }[])[0]?.id, id)
  assert.deepEqual((await rows<{ their_id: string }>('SELECT their_id FROM peer_ticket')).map((row) => row.their_id), ['INC-1'])
})

test('a system that does not reopen hears by a note, once; and what it says later is taken', async (t) => {
  const run = await begin(t, { version: 4, reopens: false })
  const id = await open('final')
  await run.turn()
  const theirs = only(run)
  now += second_ms
  await run.system.say('INC-1', { status: 'closed', reason: 'Selesai' })
  await run.round()
  assert.equal((await ours(id)).status, 'resolved', 'closed is their claim')
  now += 6 * minute_ms
  await sweepTickets(kit.database, now, () => cause('final'))
  await run.turn()
  await run.round()
  assert.deepEqual([theirs['status'], theirs.note.length], ['closed', 1])
  assert.match(theirs.note[0]?.text ?? '', /^\[TT-final\.status reopened \d+\] inProgress: Belum terukur pulih/)
  await run.system.say('INC-1', { note: 'Dikerjakan lagi' })
  await run.round()
  assert.deepEqual((await ours(id)).notes.map(({ text }) => text), ['Dikerjakan lagi'])
})

test('a ticket that they refuse holds up no other, and gets there when they take it', async (t) => {
  let refuses = true
  const run = await begin(t, { version: 5, fault: (method) => (method === 'POST' && refuses ? 'refused' : 'none') })
  const [first] = [await open('first'), await open('second')]
  await run.turn()
  assert.equal(run.system.tickets.size, 0)
  assert.deepEqual((await readPeerStates(kit.database, secret, null)).map(({ refused, waiting, lastError, failingSince }) => [refused, waiting, failingSince, lastError?.includes('answers 400 (not this one)')]), [[2, 0, null, true]])
  refuses = false
  await run.round()
  assert.equal(run.system.tickets.size, 2)
  assert.ok([...run.system.tickets.values()].some((ticket) => (ticket['externalIdentifier'] as { id: string }[])[0]?.id === first))
  assert.deepEqual((await readPeerStates(kit.database, secret, 'telkomsel')).map(({ refused, tickets, lastError }) => [refused, tickets, lastError]), [[0, 2, null]])
})

test('one ticket of theirs is not two of ours', async (t) => {
  const run = await begin(t, { version: 4, filter: 'ignored' })
  await open('one')
  await run.turn()
  const theirs = only(run)
  theirs['externalIdentifier'] = [{ id: 'TT-two' }]
  await open('two')
  await run.turn()
  const [state] = await readPeerStates(kit.database, secret, null)
  assert.deepEqual([state?.tickets, state?.refused, state?.failingSince], [1, 1, null])
  assert.match(state?.lastError ?? '', /INC-1 there is another ticket of ours already/)
})

test('OAuth 2.0: a token is kept, one that is ended or over is replaced, a wrong secret is said', async (t) => {
  const oauth = { client: 'kawal', secret: 's e', lasts_s: 3600 }
  const run = await begin(t, { version: 5, auth: { oauth: { ...oauth, secret: encodeURIComponent(oauth.secret) } } }, { proof: (there) => ({ kind: 'oauth', tokenUrl: there.tokenUrl, client: oauth.client, secret: oauth.secret }) })
  const tokens = (): number => run.system.log.filter((line) => line === 'POST /token 200').length
  await open('token')
  await run.turn()
  await run.round()
  assert.deepEqual([run.system.tickets.size, tokens()], [1, 1])
  run.system.endTokens()
  await run.round()
  assert.equal(tokens(), 2)
  now += 3600 * second_ms
  await run.round()
  assert.equal(tokens(), 3)
  assert.equal(run.system.log.filter((line) => line.endsWith('401')).length, 1, 'one that is nearly over is not tried')
  await writePeer(kit.database, secret, { organisation: 'telkomsel', url: run.system.url, version: 5, proof: { kind: 'oauth', tokenUrl: run.system.tokenUrl, client: 'kawal', secret: 'wrong' } }, now)
  await run.round()
  assert.match((await readPeerStates(kit.database, secret, 'telkomsel'))[0]?.lastError ?? '', /\/token gives no token \(HTTP 401\)/)
})

test('a secret is kept sealed: for this deployment and this organisation, and whole', async (t) => {
  const run = await begin(t, { version: 4, auth: { header: ['x-api-key', 'rahasia-sekali'] } }, { proof: { kind: 'header', name: 'X-API-Key', secret: 'rahasia-sekali' } })
  await open('sealed')
  await run.turn()
  assert.equal(run.system.tickets.size, 1)
  const [row] = await rows<{ proof: Buffer; text: string }>('SELECT proof, encode(proof, \'escape\') AS text FROM peer')
  assert.ok(row !== undefined && !row.text.includes('rahasia'))
  assert.ok(!JSON.stringify(await readPeerStates(kit.database, secret, null)).includes('rahasia'))
  assert.match(unseal(secret, 'telkomsel', row.proof), /rahasia-sekali/)
  assert.throws(() => unseal(secret, 'indosat', row.proof))
  assert.throws(() => unseal(Buffer.alloc(32, 4), 'telkomsel', row.proof))
  assert.throws(() => unseal(secret, 'telkomsel', Buffer.from(row.proof.map((byte, at) => (at === 20 ? byte ^ 1 : byte)))))
  assert.notDeepEqual(seal(secret, 'telkomsel', 'a'), seal(secret, 'telkomsel', 'a'))
})

/** Where peers post their events. */
async function withEvents(t: TestContext): Promise<{ url: string; heard: (peers: Peers) => void }> {
  const app = fastify({ forceCloseConnections: true })
  answerProblems(app)
  let peers: Peers | null = null
  peerRoutes(app, { secret, peers: { heard: (organisation, id) => (peers as Peers).heard(organisation, id) } })
  t.after(() => app.close())
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), heard: (running) => (peers = running) }
}

test('their events: asked for once, looked at at once, and believed in nothing', async (t) => {
  const events = await withEvents(t)
  const run = await begin(t, { version: 5 }, { url: events.url })
  events.heard(run.peers)
  const id = await open('event')
  await run.turn()
  await run.round()
  assert.equal(run.system.callbacks.length, 1)
  const [callback = ''] = run.system.callbacks
  assert.match(callback, /\/v1\/peers\/events\/telkomsel\.[0-9a-f]{64}$/)
  await run.system.say('INC-1', { status: 'inProgress' })
  await run.turn()
  assert.equal((await ours(id)).status, 'inProgress', 'without waiting for the next round')
  const post = (address: string, body: unknown): Promise<number> => fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }).then(({ status }) => status)
  const forged = { eventType: 'TroubleTicketResolvedEvent', event: { troubleTicket: { id: 'INC-1', status: 'resolved' } } }
  assert.equal(await post(callback, forged), 204)
  await run.turn()
  assert.equal((await ours(id)).status, 'inProgress', 'they are asked themselves')
  for (const body of [null, [], 'x', { event: null }, { event: { troubleTicket: { id: 7 } } }, { event: { troubleTicket: { id: 'none\0' } } }]) assert.equal(await post(callback, body), 204)
  for (const address of [callback.slice(0, -1), callback.replace('telkomsel', 'indosat'), callback.replace(/[^/]+$/, 'x'), callback.replace(/.$/, 'g')]) assert.equal(await post(address, forged), 404)
  assert.equal((await readPeerStates(kit.database, secret, null))[0]?.events, 'listened')
  await run.round()
  const asked = run.system.log.length
  await run.round()
  assert.equal(run.system.log.length, asked, 'whoever posts events is asked less often')
  now += 10 * minute_ms
  await run.round()
  assert.ok(run.system.log.length > asked, 'and asked again when he falls silent')
  assert.deepEqual(failures, [])
})

test('a system without events is asked every minute, and once an hour for events', async (t) => {
  const run = await begin(t, { version: 5, hub: false }, { url: 'http://127.0.0.1:9' })
  await open('polled')
  await run.turn()
  const asked = (what: string): number => run.system.log.filter((line) => line.startsWith(what)).length
  const looked = asked('GET /troubleTicket/')
  for (let minutes = 0; minutes < 5; minutes++) await run.round()
  assert.deepEqual([asked('GET /troubleTicket/') - looked, asked('POST /hub')], [5, 1])
  now += 60 * minute_ms
  await run.round()
  assert.equal(asked('POST /hub'), 2)
})

test('a dead system holds up nobody; after ten minutes its people and the centre are called, and the call says why', async (t) => {
  for (const [organisation, email] of [['telkomsel', 'noc@telkomsel.example'], ['komdigi', 'pmt@kominfo.example']])
    await kit.database.transaction(system, (client) => client.query('INSERT INTO contact (id, organisation_id, name, level, email, created_at) VALUES (gen_random_uuid(), $1, $1, 1, $2, now())', [organisation, email]))
  let dead = true
  const run = await begin(t, { version: 5, fault: () => (dead ? 'cut_before' : 'none') })
  const got: string[] = []
  const paging = await openPaging({ ...needs(), failed: (error) => failures.push(error), deliver: { email: async (message, to) => void got.push(`${to} ${[...new Set(message.alerts.map(({ labels, endsAt }) => `${labels['reason']}${endsAt === null ? '' : ' over'}`))].join()}`) } })
  const id = await open('dead')
  paging.changed(id)
  const until = async (at: number): Promise<void> => {
    for (; now <= at; now += 5 * second_ms) {
      await run.turn()
      await paging.turn(now)
    }
  }
  await until(start + 9.5 * minute_ms)
  assert.deepEqual(got, ['noc@telkomsel.example waiting'])
  await until(start + 12.5 * minute_ms)
  assert.deepEqual(got.filter((line) => line.endsWith('unreached')).sort(), ['noc@telkomsel.example unreached', 'pmt@kominfo.example unreached'])
  const told = { ticket: await ours(id), place: 0, isOver: false, link: 'https://kawal.example/t/x', reason: 'unreached' } as const
  assert.match(emailOf(told, { name: 'a', language: 'id', organisation: 'komdigi' }).subject, /sistem tiket lembaga tidak menjawab/)
  assert.match(emailOf(told, { name: 'a', language: 'en', organisation: 'komdigi' }).text, /ticket system does not answer/)
  dead = false
  now += 11 * minute_ms
  await run.round()
  assert.equal(run.system.tickets.size, 1)
  assert.equal((await readPeerStates(kit.database, secret, null))[0]?.failingSince, null)
  await paging.idle()
  assert.deepEqual(failures, [])
})
