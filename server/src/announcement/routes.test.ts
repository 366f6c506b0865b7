import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import { hour_ms } from '@kawal/core/kernel/clock.ts'
import type { AnnouncementReceipts, AnnouncementRow, AnnouncementRows } from '@kawal/contract/announcement.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import type { Caller } from '../adapters/postgres/database.ts'
import { answerProblems } from '../problem.ts'
import { announcementRoutes } from './routes.ts'

const start = Date.UTC(2029, 1, 14, 2)
const callers: Readonly<Record<string, Caller>> = {
  komdigi: { organisation: 'komdigi', role: 'duty_officer' }, apjii: { organisation: 'apjii', role: 'association' }, bawaslu: { organisation: 'bawaslu', role: 'auditor' },
  telkomsel: { organisation: 'telkomsel', role: 'noc' }, indosat: { organisation: 'indosat', role: 'noc' }, bakti: { organisation: 'bakti', role: 'access_operator' },
}
let kit: TestDatabase
let app: FastifyInstance
let now = start
before(async () => {
  kit = await withDatabase()
  app = fastify()
  app.decorateRequest('caller', null)
  app.decorateRequest('session', null)
  app.addHook('onRequest', async (request) => {
    const who = String(request.headers['x-who'])
    Object.assign(request, { caller: callers[who] ?? null, session: callers[who] === undefined ? null : { name: `Piket ${who}` } })
  })
  answerProblems(app)
  announcementRoutes(app, { database: kit.database, clock: () => now, announced: () => undefined })
})
after(async () => {
  await app.close()
  await kit.close()
})

async function ask<Body = AnnouncementRow & { code: string; detail: string }>(who: string, method: 'GET' | 'POST', path = '', payload?: object): Promise<{ status: number; body: Body }> {
  const answer = await app.inject({ method, url: `/v1/announcements${path}`, headers: { 'x-who': who }, ...(payload === undefined ? {} : { payload }) })
  return { status: answer.statusCode, body: answer.json() }
}
const given = (change: object = {}): object => ({ title: 'Rapat', text: 'Pukul 20.00 WIB', audience: ['operator'], until: new Date(start + hour_ms).toISOString(), ...change })
const titles = async (who: string): Promise<string[]> => (await ask<AnnouncementRows>(who, 'GET')).body.rows.map(({ title }) => title)

test('those who are addressed see it and say once that they read it; who announced sees who has', async () => {
  const made = await ask('komdigi', 'POST', '', given())
  assert.deepEqual([made.status, made.body.by, made.body.mustAcknowledge, made.body.receipts], [201, 'komdigi', true, { acknowledged: 0, addressed: 5 }])
  assert.deepEqual([await titles('telkomsel'), await titles('bakti'), await titles('bawaslu')], [['Rapat'], [], ['Rapat']])
  now += 60_000
  const read = await ask('telkomsel', 'POST', `/${made.body.id}/acknowledge`)
  assert.deepEqual([read.status, read.body.acknowledgedAt, read.body.receipts], [200, new Date(now).toISOString(), null])
  now += 60_000
  assert.equal((await ask('telkomsel', 'POST', `/${made.body.id}/acknowledge`)).body.acknowledgedAt, new Date(now - 60_000).toISOString())
  assert.deepEqual([(await ask('bakti', 'POST', `/${made.body.id}/acknowledge`)).status, (await ask('telkomsel', 'POST', '/999/acknowledge')).status, (await ask('telkomsel', 'POST', '/x/acknowledge')).status], [404, 404, 404])
  const { rows } = (await ask<AnnouncementReceipts>('komdigi', 'GET', `/${made.body.id}/receipts`)).body
  assert.deepEqual(rows.map(({ organisation, acknowledgedBy }) => [organisation, acknowledgedBy]).toSorted(), [['indosat', null], ['smartfren', null], ['telkomsel', 'Piket telkomsel'], ['xl', null], ['xlsmart', null]])
  assert.equal((await ask('indosat', 'GET', `/${made.body.id}/receipts`)).status, 404)
  assert.equal((await ask<AnnouncementReceipts>('bawaslu', 'GET', `/${made.body.id}/receipts`)).body.rows.length, 5)
})

test('who may announce, and to whom; a name that is nobody\'s is told', async () => {
  const own = await ask('apjii', 'POST', '', given({ title: 'Dari APJII', audience: ['indosat'] }))
  assert.equal(own.status, 201, own.body.detail)
  assert.deepEqual([(await titles('indosat'))[0], (await titles('telkomsel'))[0], (await titles('apjii'))[0]], ['Dari APJII', 'Rapat', 'Dari APJII'])
  assert.deepEqual([(await ask('telkomsel', 'POST', '', given())).status, (await ask('bawaslu', 'POST', '', given())).status, (await ask('nobody', 'GET')).status], [403, 403, 401])
  const slip = await ask('komdigi', 'POST', '', given({ audience: ['operators', 'telkomsel'] }))
  assert.deepEqual([slip.status, slip.body.detail.split('.')[0]], [400, 'There is no organisation and no kind operators'])
  for (const wrong of [{ until: new Date(now - 1).toISOString() }, { title: '' }, { audience: [] }, { text: 'x'.repeat(4_001) }, { extra: 1 }]) assert.equal((await ask('komdigi', 'POST', '', given(wrong))).status, 400, JSON.stringify(wrong).slice(0, 60))
})

test('when its time is over it is gone from every screen, and stays in the database', async () => {
  now = start + hour_ms
  assert.deepEqual(await titles('telkomsel'), [])
  await assert.rejects(kit.database.transaction({ organisation: 'kawal', role: 'system' }, (client) => client.query('DELETE FROM announcement')), { code: '42501' })
})
