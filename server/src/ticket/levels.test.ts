import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { contestOn, impactDefaults } from '@kawal/core/impact/defaults.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import type { Ticket, TicketCause } from '@kawal/core/ticket/ticket.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system, type Caller } from '../adapters/postgres/database.ts'
import { createImpact } from '../impact/impact.ts'
import { listLevels, writeLevel } from './levels.ts'
import { command, openTicket } from './tickets.ts'

const morning = Date.parse('2029-02-14T02:00:00Z')
const telkomsel: Caller = { organisation: 'telkomsel', role: 'noc' }
const komdigi: Caller = { organisation: 'komdigi', role: 'duty_officer' }
const [jakarta, kupang, merauke] = ['3171011001001', '5301012001001', '9401012001001'] as const
const evidence = { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [], signs: [] } as const
const causeOf = (id: string, more: Partial<TicketCause> = {}): TicketCause => ({
  id, cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: '530101', stations: [kupang], startedAt: morning, foundAt: morning, endedAt: null, evidence, ...more,
})

let kit: TestDatabase
let owner: pg.Client
let now = morning
let number = 0
before(async () => {
  kit = await withDatabase()
  owner = new pg.Client({ connectionString: kit.ownerUrl })
  await owner.connect()
})
after(async () => {
  await owner.end()
  await kit.close()
})
const give = (organisation: string, severity: 'down' | 'degraded', restoreMinutes: number, repairMinutes: number): Promise<void> => writeLevel(owner, { organisation, severity, restoreMinutes, repairMinutes })
const minutesOf = (ticket: Ticket): number[] => ticket.clocks.map(({ budget_ms }) => budget_ms / minute_ms)
const needs = (resultsDueAt?: (stations: readonly string[], now: number) => number | null) => ({ database: kit.database, clock: () => now, ...(resultsDueAt === undefined ? {} : { resultsDueAt }) })
async function open(more: Partial<TicketCause> = {}, caller = system, resultsDueAt?: (stations: readonly string[], now: number) => number | null): Promise<Ticket> {
  const opened = await openTicket(needs(resultsDueAt), caller, causeOf(`level${++number}`, more))
  assert.ok(opened.ok)
  return opened.value.ticket
}

test('its own level, else everybody\'s, else the core\'s; by severity, for tickets that open from then on', async () => {
  const first = await open()
  assert.deepEqual([minutesOf(first), minutesOf(await open({ severity: 'degraded' }))], [[30, 240], [60, 480]])
  await give('kawal', 'down', 25, 200)
  await give('telkomsel', 'down', 20, 180)
  assert.deepEqual([minutesOf(await open()), minutesOf(await open({}, telkomsel)), minutesOf(await open({ severity: 'degraded' }))], [[20, 180], [20, 180], [60, 480]])
  assert.deepEqual(minutesOf(await open({ operator: 'indosat' })), [25, 200])
  assert.deepEqual(minutesOf(await open({ operator: 'indosat' }, { organisation: 'indosat', role: 'noc' })), [25, 200], 'everybody may read everybody\'s')
  await give('telkomsel', 'down', 15, 15)
  assert.deepEqual(minutesOf(await open()), [15, 15], 'given anew')
  const noted = await command(needs(), telkomsel, first.id, { kind: 'note', text: 'x' })
  assert.deepEqual(noted.ok && minutesOf(noted.value), [30, 240], 'what is open keeps what it began with')
  assert.deepEqual((await listLevels(kit.database)).map((row) => `${row.organisation} ${row.severity} ${row.restoreMinutes} ${row.repairMinutes}`), ['kawal degraded 60 480', 'kawal down 25 200', 'telkomsel down 15 15'])
})

test('whoever a ticket is transferred to has his own level', async () => {
  const ticket = await open()
  await give('indosat', 'down', 40, 400)
  const moved = await command(needs(), komdigi, ticket.id, { kind: 'transfer', operator: 'indosat', operatorName: 'Indosat' })
  assert.deepEqual(moved.ok && minutesOf(moved.value), [40, 400])
  assert.ok((await command(needs(), { organisation: 'indosat', role: 'noc' }, ticket.id, { kind: 'dispute', dispute: 'not_ours', text: 'x' })).ok)
  const upheld = await command(needs(), komdigi, ticket.id, { kind: 'uphold', reason: '', to: { operator: 'telkomsel', operatorName: 'Telkomsel' } })
  assert.deepEqual(upheld.ok && minutesOf(upheld.value), [15, 15])
})

test('no level that makes no sense is kept, no other reads what was agreed, and the application writes none', async () => {
  for (const [restore, repair] of [[4, 100], [10_081, 20_000], [20, 19], [20, 43_201]] as const) await assert.rejects(give('xl', 'down', restore, repair), { code: '23514' })
  await assert.rejects(give('nobody', 'down', 20, 180), { code: '23503' })
  await assert.rejects(owner.query("INSERT INTO service_level VALUES ('xl', 'broken', 20, 180)"), { code: '23514' })
  const seenBy = async (caller: Caller): Promise<string[]> => [...new Set((await kit.database.transaction(caller, (client) => client.query<{ organisation_id: string }>('SELECT organisation_id FROM service_level ORDER BY 1'))).rows.map((row) => row.organisation_id))]
  assert.deepEqual([await seenBy(telkomsel), await seenBy({ organisation: 'xl', role: 'noc' }), await seenBy(komdigi)], [['kawal', 'telkomsel'], ['kawal'], ['indosat', 'kawal', 'telkomsel']])
  for (const sql of ["INSERT INTO service_level VALUES ('xl', 'down', 20, 180)", 'UPDATE service_level SET restore_minutes = 5', 'DELETE FROM service_level'])
    await assert.rejects(kit.database.transaction(system, (client) => client.query(sql)), { code: '42501' })
})

test('service is back half an hour before results are due at the first of its stations, in their own zones', async () => {
  const places = [{ code: jakarta, zone: 'Asia/Jakarta', voters: 250 }, { code: kupang, zone: 'Asia/Makassar', voters: 250 }, { code: merauke, zone: 'Asia/Jayapura', voters: 250 }]
  const impact = createImpact({ database: kit.database, stations: places, clock: () => now, settings: { ...impactDefaults, contests: [contestOn('2029-02-14', 'a test')] }, recaps: () => null })
  const restoreOf = async (at: string, stations: readonly string[]): Promise<number | undefined> => {
    now = Date.parse(at)
    return minutesOf(await open({ operator: 'xl', stations }, system, impact.resultsDueAt))[0]
  }
  await give('xl', 'down', 600, 700)
  assert.deepEqual([await restoreOf('2029-02-14T05:00:00Z', [jakarta]), await restoreOf('2029-02-14T05:00:00Z', [kupang]), await restoreOf('2029-02-14T05:00:00Z', [merauke])], [450, 390, 330])
  assert.equal(await restoreOf('2029-02-14T05:00:00Z', [jakarta, merauke, kupang]), 330)
  assert.equal(await restoreOf('2029-02-14T10:59:00Z', [merauke]), 5)
  assert.equal(await restoreOf('2029-02-14T11:00:00Z', [merauke]), 600, 'over: the next is due at noon of the next day')
  assert.equal(await restoreOf('2029-02-14T05:00:00Z', ['7501011001001']), 600, 'a station that is not watched has no deadline')
  assert.equal(await restoreOf('2029-02-15T06:00:00Z', [jakarta, kupang, merauke]), 600, 'all is over')
  now = Date.parse('2029-02-14T10:00:00Z')
  const ticket = await open({ operator: 'xl', stations: [merauke] }, system, impact.resultsDueAt)
  now += 20 * minute_ms
  const moved = await command(needs(impact.resultsDueAt), komdigi, ticket.id, { kind: 'transfer', operator: 'smartfren', operatorName: 'Smartfren' })
  assert.deepEqual([minutesOf(ticket), moved.ok && minutesOf(moved.value)], [[30, 700], [10, 200]])
})
