import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { CommentRow, CommentRows } from '@kawal/contract/comment.ts'
import { file_bytes_max } from '@kawal/contract/file.ts'
import type { LiveDelta, LiveDisturbance } from '@kawal/contract/live.ts'
import { withServer, type Asked, type TestServer } from '@kawal/testkit/server.ts'
import { system } from '../adapters/postgres/database.ts'
import { addApiKey, addStaff, loginToken } from '../organisation/sessions.ts'

const start = Date.UTC(2029, 1, 14, 2)
let now = start
let server: TestServer

const rowOf = (id: string, operator: string | null): LiveDisturbance => ({
  id, stage: 'confirmed', severity: 'down', cause: 'access', confidence: 0.9, operator, areaCode: '5301', areaName: 'Kupang', latitude: null, longitude: null, stations: ['5301012001001'],
  startedAt: '2029-02-14T01:00:00.000Z', suspectedAt: '2029-02-14T01:01:00.000Z', foundAt: '2029-02-14T01:02:00.000Z', endedAt: null, parent: null, plannedWork: null, alarms: [], impact: null, ticketId: null,
  evidence: { devicesExpected: 9, devicesSilent: 9, devicesBad: 0, devicesGood: 0, witnessesGood: 0, score: 20, threshold: 10, rule: 'likelihood-2', causes: [], signs: [] },
})
const concerns = (id: string, operator: string): Promise<unknown> => server.app.database.transaction(system, (client) => client.query('UPDATE disturbance SET organisation_id = $2 WHERE id = $1', [id, operator]))

before(async () => {
  server = await withServer(() => now, async ({ database, ownerUrl }) => {
    const owner = new pg.Client({ connectionString: ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
    await owner.end()
    for (const [id, operator] of [['d-1', 'telkomsel'], ['d-2', 'telkomsel'], ['d-3', 'telkomsel']] as const)
      await database.transaction(system, (client) => client.query('INSERT INTO disturbance (id, organisation_id, state, found_at) VALUES ($1, $2, $3, $4)', [id, operator, JSON.stringify(rowOf(id, operator)), new Date(start)]))
  })
})
after(() => server.close())

const write = (as: Asked | { token: string }, id: string, body: object) => server.call<CommentRow & { code: string; detail: string }>(as, 'POST', `/v1/disturbances/${id}/comments`, body)
const list = async (as: Asked, id = 'd-1'): Promise<CommentRow[]> => (await server.call<CommentRows>(as, 'GET', `/v1/disturbances/${id}/comments`)).body.rows
const file = (bytes: Buffer, name = 'foto.jpg', mimeType = 'image/jpeg') => ({ name, mimeType, content: bytes.toString('base64') })

test('whoever sees a disturbance reads what was said of it and says something; Bawaslu only reads', async () => {
  const made = await write('telkomsel', 'd-1', { text: '  Genset <b>jalan</b>,\nteknisi di lokasi  ' })
  assert.equal(made.status, 201, made.text)
  const { id, name, ...rest } = made.body
  assert.deepEqual(rest, { at: new Date(start).toISOString(), organisation: 'telkomsel', organisationName: 'Telkomsel', text: 'Genset <b>jalan</b>,\nteknisi di lokasi', file: null })
  assert.match(`${id} ${name}`, /^\d+ k-[0-9a-f]{10}$/)
  now += 60_000
  assert.equal((await write('komdigi', 'd-1', { text: 'Diterima' })).status, 201)
  assert.equal((await write('kpu', 'd-1', { text: 'TPS 1 menunda kirim' })).status, 201)
  assert.equal((await write('dinas', 'd-1', { text: 'Petugas bertanya' })).status, 201)
  for (const who of ['telkomsel', 'komdigi', 'kpu', 'dinas', 'bawaslu'] as const) assert.deepEqual((await list(who)).map(({ organisation }) => organisation), ['telkomsel', 'komdigi', 'kpu', 'dinas'], who)
  assert.deepEqual([(await write('bawaslu', 'd-1', { text: 'x' })).status, (await write({ token: 'none' }, 'd-1', { text: 'x' })).status], [403, 401])
})

test('a person signs with his name', async () => {
  const { app } = server
  const token = await loginToken(app.database, await addStaff(app.database, 'telkomsel', 'Rina, NOC'), now)
  const answer = await fetch(`${app.url}/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token }) })
  const cookie = (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
  const made = await fetch(`${app.url}/v1/disturbances/d-2/comments`, { method: 'POST', headers: { cookie, 'content-type': 'application/json' }, body: JSON.stringify({ text: 'Siap' }) })
  assert.equal(((await made.json()) as CommentRow).name, 'Rina, NOC')
})

test('whose it is may change while it goes on: who has it now sees all that was said, who had it nothing', async () => {
  await concerns('d-1', 'bakti')
  assert.equal((await list('bakti')).length, 4)
  const before = await server.call<{ code: string }>('telkomsel', 'GET', '/v1/disturbances/d-1/comments')
  assert.deepEqual([before.status, before.body.code], [404, 'not_found'])
  assert.equal((await write('telkomsel', 'd-1', { text: 'masih kami' })).status, 404)
  // The wall says so too, not the route alone.
  const wall = (organisation: string, role: string) => server.app.database.transaction({ organisation, role }, (client) => client.query('SELECT FROM comment WHERE disturbance_id = $1', ['d-1']))
  assert.deepEqual([(await wall('telkomsel', 'noc')).rowCount, (await wall('bakti', 'access_operator')).rowCount], [0, 4])
  const insert = (organisation: string, by: string): Promise<unknown> => server.app.database.transaction({ organisation, role: 'noc' }, (client) => client.query("INSERT INTO comment (disturbance_id, organisation_id, name, at, body) VALUES ('d-1', $1, 'x', now(), 'x')", [by]))
  for (const [organisation, by] of [['telkomsel', 'telkomsel'], ['bakti', 'telkomsel']] as const) await assert.rejects(insert(organisation, by), { code: '42501' }, `${organisation} as ${by}`)
  await concerns('d-1', 'telkomsel')
})

test('nothing is changed or taken back', async () => {
  for (const text of ['DELETE FROM comment', "UPDATE comment SET body = 'x'"]) await assert.rejects(server.app.database.transaction(system, (client) => client.query(text)), { code: '42501' }, text)
})

test('a photo comes back byte for byte and inline, anything that could run is saved; to strangers there is none', async () => {
  const bytes = Buffer.alloc(file_bytes_max, 7)
  const made = await write('telkomsel', 'd-2', { file: file(bytes, '../../menara\u202e.jpg') })
  assert.equal(made.status, 201, made.text.slice(0, 300))
  assert.deepEqual([made.body.text, made.body.file], ['', { name: 'menara.jpg', mimeType: 'image/jpeg', bytes: file_bytes_max }])
  const at = `/v1/disturbances/d-2/comments/${made.body.id}/file`
  const get = (token: string, path = at): Promise<Response> => fetch(server.app.url + path, { headers: { authorization: `Bearer ${token}` } })
  const key = await keyOf('komdigi')
  const answer = await get(key)
  assert.deepEqual([answer.status, answer.headers.get('content-type'), answer.headers.get('content-disposition')], [200, 'image/jpeg', "inline; filename*=UTF-8''menara.jpg"])
  assert.equal(createHash('sha256').update(Buffer.from(await answer.arrayBuffer())).digest('hex'), createHash('sha256').update(bytes).digest('hex'))
  const page = await write('telkomsel', 'd-2', { text: 'catatan', file: file(Buffer.from('<script>1</script>'), 'a.html', 'text/html') })
  const saved = await get(key, `/v1/disturbances/d-2/comments/${page.body.id}/file`)
  assert.deepEqual([saved.headers.get('content-type'), saved.headers.get('content-disposition')?.split(';')[0], saved.headers.get('content-security-policy')], ['application/octet-stream', 'attachment', "default-src 'none'; sandbox"])
  for (const [path, status] of [[at.replace('d-2', 'd-1'), 404], [at.replace(/\d+\/file/, '0/file'), 404], [at.replace(/\d+\/file/, 'x/file'), 404]] as const) assert.equal((await get(key, path)).status, status, path)
  assert.equal((await get(await keyOf('indosat'))).status, 404)
  assert.equal((await get('none')).status, 401)
})

const keys = new Map<string, string>()
async function keyOf(organisation: string): Promise<string> {
  const key = keys.get(organisation) ?? await addApiKey(server.app.database, organisation, now)
  keys.set(organisation, key)
  return key
}

test('what cannot be kept is refused with what is wrong', async () => {
  const wrong: [object, number, RegExp][] = [
    [{}, 400, /neither text nor file/], [{ text: ' \n ' }, 400, /neither text nor file/], [{ text: 'x'.repeat(2_001) }, 400, /text/], [{ text: '\u{1F4F7}'.repeat(1_001) }, 400, /at most 2000/], [{ text: 'a', more: 1 }, 400, /no field more/],
    [{ file: file(Buffer.alloc(0)) }, 400, /content/], [{ file: { ...file(Buffer.of(1)), content: 'not base64!' } }, 400, /no base64/], [{ file: { ...file(Buffer.of(1)), content: 'QUJ' } }, 400, /no base64/], [{ file: { ...file(Buffer.of(1)), content: 'QU==QQ==' } }, 400, /no base64/], [{ file: file(Buffer.alloc(file_bytes_max + 1)) }, 400, /5242880/],
    [{ file: file(Buffer.alloc(file_bytes_max + 200_000)) }, 413, /smaller/], [{ text: 'nol \0' }, 400, /U\+0000/],
  ]
  for (const [body, status, said] of wrong) {
    const answer = await write('telkomsel', 'd-3', body)
    assert.deepEqual([answer.status, said.test(answer.text)], [status, true], answer.text.slice(0, 200))
  }
  assert.deepEqual(await list('telkomsel', 'd-3'), [])
  assert.equal((await write('telkomsel', 'd-9', { text: 'x' })).status, 404)
})

test('a disturbance has 500 comments at most, 100 of them with a file, whoever writes at once', async () => {
  const fill = (count: number, bytes: string | null): Promise<unknown> => server.app.database.transaction({ organisation: 'telkomsel', role: 'noc' }, (client) => client.query(
    `INSERT INTO comment (disturbance_id, organisation_id, name, at, body, file_name, file_type, file_sha256, file_content)
     SELECT 'd-3', 'telkomsel', 'x', now(), 'x', $2::text, $2, convert_to($2, 'UTF8'), convert_to($2, 'UTF8') FROM generate_series(1, $1::int)`, [count, bytes]))
  await fill(99, 'x')
  const tries = await Promise.all(Array.from({ length: 4 }, () => write('telkomsel', 'd-3', { file: file(Buffer.of(1)) })))
  assert.deepEqual(tries.map(({ status }) => status).sort(), [201, 409, 409, 409])
  await fill(398, null)
  const more = await Promise.all(Array.from({ length: 4 }, () => write('komdigi', 'd-3', { text: 'x' })))
  assert.deepEqual(more.map(({ status }) => status).sort(), [201, 201, 409, 409])
  assert.equal((await list('telkomsel', 'd-3')).length, 500)
})

test('consoles that see the disturbance hear of a new comment without a reload, the others nothing', async () => {
  const streams = await Promise.all((['komdigi', 'telkomsel', 'indosat'] as const).map(async (who) => ({ who, next: await listen(await keyOf(who)) })))
  const count = (await list('komdigi', 'd-2')).length
  await write('komdigi', 'd-2', { text: 'baru' })
  for (const { who, next } of streams) {
    const told: LiveDisturbance[] = []
    // A delta a second comes in any case; the one that tells of it is among the next few.
    for (let deltas = 0; deltas < 4 && !told.some(({ id, comments }) => id === 'd-2' && comments === count + 1); deltas++) told.push(...((await next()).disturbances ?? []))
    if (who === 'indosat') assert.deepEqual(told, [])
    else assert.equal(told.findLast(({ id }) => id === 'd-2')?.comments, count + 1, who)
  }
})

/** The deltas of the live feed as they come. */
async function listen(token: string): Promise<() => Promise<LiveDelta>> {
  const stop = new AbortController()
  after(() => stop.abort())
  const answer = await fetch(`${server.app.url}/v1/live`, { headers: { authorization: `Bearer ${token}` }, signal: stop.signal })
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const next = async (): Promise<LiveDelta> => {
    while (!text.includes('\n\n')) text += (await reader?.read())?.value ?? '\n\n'
    const [event = ''] = text.split('\n\n')
    text = text.slice(event.length + 2)
    return JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? '{}') as LiveDelta
  }
  await next()
  return next
}
