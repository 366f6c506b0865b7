import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { envelope_type, list_type } from '@kawal/contract/handing-in.ts'
import type { AuditorKeyRow, SampleDetail, SampleGiven, SampleRows, SampleScope, SampleSlot } from '@kawal/contract/sample.ts'
import { readVerifierKey } from '@kawal/core/ledger/key.ts'
import { logAlone } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { drawFrom } from '@kawal/core/recap/draw.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { placesToRead, signFinding, type Finding } from '@kawal/core/recap/finding.ts'
import { writePhotos } from '@kawal/core/recap/photo.ts'
import { auditorKey, personOf } from '@kawal/testkit/auditor.ts'
import { commandsIn } from '@kawal/testkit/command.ts'
import type { CookieClient } from '@kawal/testkit/cookie-client.ts'
import { recapPhone, seedRecaps, type RecapPhone } from '@kawal/testkit/recap-phone.ts'
import { mustForm, pairs, soundTotals } from '@kawal/testkit/recaps.ts'
import { withServer, type Asked, type TestServer } from '@kawal/testkit/server.ts'
import { sha256, verifyEd25519 } from '../ledger/cryptography.ts'
import { deviceToken, enrolKey } from '../measurement/enrolment.ts'

let now = Date.UTC(2029, 1, 15, 2)
let server: TestServer
let [one, two]: CookieClient[] = []
const { folder, kawal } = commandsIn('draw')
const [key, otherKey, strangeKey] = await Promise.all([auditorKey(), auditorKey(), auditorKey()])
const seed = '20237331128159211123'
const hashOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
const jpeg = Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), randomBytes(4_000)])
const page = Buffer.from('<html><script>alert(1)</script></html>')
let phone: RecapPhone
let token = ''
/** Codes of all eight stations, as the server gives them. */
let roster: string[] = []
let [far, empty] = ['', '']

const client = (who: CookieClient | undefined): CookieClient => who ?? assert.fail('nobody is logged in')
const asOne = <Body = { code: string; detail: string }>(method: string, path: string, body?: unknown) => client(one).call<Body>(method, path, body)

async function send(more: Parameters<RecapPhone['record']>[0] = {}): Promise<Buffer> {
  const bytes = await phone.record(more)
  assert.equal((await fetch(`${server.app.url}/v1/recaps`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': envelope_type }, body: new Uint8Array(bytes) })).status, 201)
  await pass()
  return bytes
}
async function pass(): Promise<void> {
  now += 10_000
  await server.app.tick(now)
  await server.app.recapsIdle()
}
async function given(more: Partial<SampleGiven> = {}): Promise<SampleGiven> {
  const { roster: { hash }, checkpoint } = (await asOne<SampleScope>('GET', '/v1/audits/scope')).body
  return { seed, occasion: 'Gorontalo, 15 Februari 2029, dua saksi', contests: ['ppwp'], strata: [{ area: '', draw: 8 }], roster: hash, checkpoint, ...more }
}
async function hand(finding: Uint8Array, draw: string, who: CookieClient = client(one)): Promise<{ status: number; text: string; code: string }> {
  const answer = await fetch(`${server.app.url}/v1/audits/${draw}/findings`, { method: 'POST', headers: { 'content-type': envelope_type, cookie: [...who.cookies].map(([name, value]) => `${name}=${value}`).join('; ') }, body: new Uint8Array(finding) })
  const text = await answer.text()
  return { status: answer.status, text, code: answer.ok ? '' : (JSON.parse(text) as { code: string }).code }
}

before(async () => {
  server = await withServer(() => now, async (kit) => {
    await seedRecaps(kit)
    const owner = new pg.Client({ connectionString: kit.ownerUrl })
    await owner.connect()
    await owner.query("UPDATE organisation SET area_code = '7502' WHERE id = 'dinas'")
    await owner.end()
  })
  ;[one, two] = [await personOf(server, 'bawaslu', 'Pengawas 1', now), await personOf(server, 'bawaslu', 'Pengawas 2', now)]
  roster = (await (await client(one).send('GET', '/v1/audits/roster')).text()).trim().split('\n')
  ;[far = '', empty = ''] = [roster[0], roster[1]]
  phone = await recapPhone(far)
  const enrolled = await enrolKey(server.app.database, far, phone.publicKey, now)
  assert.ok(enrolled !== null)
  token = deviceToken(server.app.secret, enrolled.device)
})
after(() => server.close())

const totals = [...soundTotals]
const allRead = (from: readonly number[] = totals): Finding['readings'] => placesToRead(mustForm('ppwp', pairs)).map((place) => [place, from[place] ?? null] as const)
let record: Buffer
let draw: SampleDetail
const finding = (more: Partial<Finding> = {}): Finding => ({ draw: Buffer.from(draw.id, 'hex'), station: far, contest: 'ppwp', record: hashOf(record), result: 'agrees', readings: allRead(), remark: '', at: now, ...more })

test('a draw is what its seed gives, stands in the log before the answer, and cannot be made from another register or an invented log', async () => {
  const list = writePhotos([{ page: 1, shot: 1, kind: 'preview', size_bytes: jpeg.length, sha256: hashOf(jpeg) }, { page: 2, shot: 1, kind: 'preview', size_bytes: page.length, sha256: hashOf(page) }, { page: 3, shot: 1, kind: 'preview', size_bytes: 5, sha256: hashOf(Buffer.from('later')) }])
  record = await send({ totals, photos: hashOf(list) })
  const headers = { authorization: `Bearer ${token}` }
  assert.equal((await fetch(`${server.app.url}/v1/recaps/${hashOf(record).toString('hex')}/photos`, { method: 'PUT', headers: { ...headers, 'content-type': list_type }, body: new Uint8Array(list) })).status, 204)
  for (const photo of [jpeg, page]) assert.equal((await fetch(`${server.app.url}/v1/photos/${hashOf(photo).toString('hex')}-${photo.length}`, { method: 'PATCH', headers: { ...headers, 'tus-resumable': '1.0.0', 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }, body: new Uint8Array(photo) })).status, 204)
  const good = await given()
  for (const [change, code] of [[{ seed: '1234' }, 'body_invalid'], [{ seed: '7'.repeat(20) }, 'body_invalid'], [{ occasion: ' ' }, 'body_invalid'], [{ contests: ['dpx'] }, 'body_invalid'], [{ strata: [{ area: '75', draw: 1 }, { area: '7501', draw: 1 }] }, 'body_invalid'], [{ strata: [{ area: '99', draw: 1 }] }, 'body_invalid'], [{ roster: '0'.repeat(64) }, 'state_conflict'], [{ checkpoint: { size: good.checkpoint.size, root: '0'.repeat(64) } }, 'state_conflict'], [{ checkpoint: { ...good.checkpoint, size: 900 } }, 'state_conflict']] as const)
    assert.equal((await asOne('POST', '/v1/audits', { ...good, ...change })).body.code, code, JSON.stringify(change))
  const { status, body } = await asOne<SampleDetail>('POST', '/v1/audits', good)
  assert.equal(status, 201)
  draw = body
  assert.deepEqual(body.rows.map(({ station }) => station), drawFrom(seed, roster, [{ area: '', draw: 8 }], sha256).map(({ station }) => station))
  assert.deepEqual([body.stations, body.slots, body.open, body.after, body.by, body.checkpoint], [8, 8, 8, [], 'Pengawas 1', good.checkpoint])
  const kept = Buffer.from(await (await fetch(`${server.app.url}/ledger/tile/entries/000.p/${body.entry + 1}`)).arrayBuffer())
  assert.ok(kept.includes(Buffer.from(seed)), 'whoever reads the log finds the seed')
})

test('who may: Bawaslu draws and signs, as people; KPU and the ministry read; nobody else', async () => {
  for (const as of ['kpu', 'komdigi', 'bawaslu'] as const) {
    assert.equal((await server.call<SampleRows>(as, 'GET', '/v1/audits')).body.rows.length, 1, as)
    assert.equal((await server.call(as, 'POST', '/v1/audits', await given())).body.code, 'not_allowed', as)
  }
  for (const as of ['telkomsel', 'bakti', 'apjii', 'dinas'] as Asked[]) for (const path of ['', '/scope', '/roster', '/keys', `/${draw.id}`, `/${draw.id}/slots/${far}/ppwp`]) assert.equal((await server.call(as, 'GET', `/v1/audits${path}`)).status, 403, `${as} ${path}`)
  const kpu = await personOf(server, 'kpu', 'Perencana', now)
  assert.equal((await kpu.call('POST', '/v1/audits', await given())).body.code, 'not_allowed')
  assert.equal((await kpu.call('POST', '/v1/audits/keys', { publicKey: strangeKey.publicKey })).body.code, 'not_allowed')
  assert.equal((await asOne('GET', `/v1/audits/${'0'.repeat(64)}`)).status, 404)
})

test('what is compared is shown without its numbers until they are asked for; a photo is shown as what it is', async () => {
  const slot = async (more = ''): Promise<SampleSlot> => (await asOne<SampleSlot>('GET', `/v1/audits/${draw.id}/slots/${far}/ppwp${more}`)).body
  const [blind, open] = [await slot(), await slot('?totals=true')]
  assert.deepEqual([blind.records.map(({ totals: shown, device, replaced }) => [shown, device, replaced]), open.records[0]?.totals, blind.later], [[[null, 1, false]], totals, 0])
  assert.deepEqual(blind.records[0]?.photos?.map(({ kept }) => kept), [true, true, false])
  assert.deepEqual([(await asOne('GET', `/v1/audits/${draw.id}/slots/${far}/dpd`)).status, (await asOne('GET', `/v1/audits/${draw.id}/slots/9999999999999/ppwp`)).status], [404, 404])
  const photo = (bytes: Buffer, size = bytes.length): string => `/v1/audits/photos/${hashOf(bytes).toString('hex')}-${size}`
  const shown = await client(one).send('GET', photo(jpeg))
  assert.deepEqual([shown.status, shown.headers.get('content-type'), shown.headers.get('content-disposition')?.slice(0, 6), shown.headers.get('content-security-policy')], [200, 'image/jpeg', 'inline', "default-src 'none'; sandbox"])
  assert.ok(Buffer.from(await shown.arrayBuffer()).equals(jpeg))
  const saved = await client(one).send('GET', photo(page))
  assert.deepEqual([saved.headers.get('content-type'), saved.headers.get('content-disposition')?.slice(0, 10), saved.headers.get('x-content-type-options')], ['application/octet-stream', 'attachment', 'nosniff'])
  assert.deepEqual([(await client(one).send('GET', photo(Buffer.from('later'), 5))).status, (await client(one).send('GET', photo(jpeg, 7))).status, (await client(one).send('GET', '/v1/audits/photos/..%2f..%2fetc')).status], [503, 404, 404])
  // a helpdesk sees recaps of its own area, and the photos of no other
  assert.deepEqual([(await server.call('kpu', 'GET', photo(jpeg))).status, (await server.call('dinas', 'GET', photo(jpeg))).status, (await server.call('telkomsel', 'GET', photo(jpeg))).status], [200, 404, 403])
})

test('a finding is in the log before its answer, once; whoever has it proves it with the key of the log alone', async () => {
  assert.equal((await hand(await signFinding(finding(), key.signer), draw.id)).code, 'key_missing')
  for (const [who, each] of [[one, key], [two, otherKey]] as const) {
    const { status, body } = await client(who).call<AuditorKeyRow>('POST', '/v1/audits/keys', { publicKey: each.publicKey })
    assert.deepEqual([status, body.kid, body.mine, body.entry !== null], [201, each.kid, true, true])
    assert.equal((await client(who).call('POST', '/v1/audits/keys', { publicKey: each.publicKey })).status, 200)
  }
  assert.equal((await asOne('POST', '/v1/audits/keys', { publicKey: otherKey.publicKey })).body.code, 'state_conflict')
  const signed = await signFinding(finding(), key.signer)
  const [first, again] = [await hand(signed, draw.id), await hand(signed, draw.id)]
  assert.deepEqual([first.status, again.status, again.text === first.text], [201, 200, true])
  const vkey = readVerifierKey((await (await fetch(`${server.app.url}/ledger/key`)).text()).trim(), sha256)
  assert.ok(vkey.ok)
  assert.ok((await verifyReceipt(writeEntry({ kind: 'finding', envelope: signed }), first.text, logAlone(vkey.value), { sha256, verify: verifyEd25519 })).ok)
  const detail = (await asOne<SampleDetail>('GET', `/v1/audits/${draw.id}`)).body
  assert.deepEqual([detail.results, detail.open], [{ agrees: 1 }, 7])
})

test('forged findings are refused: another key, another draw, another person, another station, a record of later, a result that its numbers do not give', async () => {
  const later = await send({ replaces: hashOf(record), totals })
  const changed = allRead().map(([place, value], at) => [place, at === 0 ? 1 : value] as const)
  const other = (await asOne<SampleDetail>('POST', '/v1/audits', await given({ seed: '98765432109876543210', strata: [{ area: '', draw: 1 }] }))).body
  assert.deepEqual(other.after, [String(draw.entry)])
  const undrawn = roster.find((code) => code !== other.rows[0]?.station) ?? ''
  const signed = (more: Partial<Finding>, by = key.signer): Promise<Uint8Array> => signFinding(finding(more), by)
  const cases: readonly (readonly [string, Promise<Uint8Array> | Uint8Array, string, CookieClient?])[] = [
    ['key_missing', signed({}, strangeKey.signer), draw.id], ['signature_wrong', signed({}, { ...strangeKey.signer, kid: key.signer.kid }), draw.id], ['not_allowed', signed({ remark: 'x' }), draw.id, client(two)],
    ['state_conflict', signed({ remark: 'x' }), other.id], ['state_conflict', signed({ draw: Buffer.from(other.id, 'hex'), station: undrawn }), other.id], ['state_conflict', signed({ contest: 'dpd' }), draw.id],
    ['state_conflict', signed({ record: hashOf(later) }), draw.id], ['not_found', signed({ record: Buffer.alloc(32) }), draw.id], ['state_conflict', signed({ station: empty }), draw.id],
    ['state_conflict', signed({ result: 'no_record', record: null, readings: [] }), draw.id], ['body_invalid', signed({ readings: changed }), draw.id], ['body_invalid', signed({ result: 'differs' }), draw.id], ['body_invalid', signed({ readings: allRead().slice(1) }), draw.id],
    ['finding_unreadable', record, draw.id], ['finding_unreadable', Buffer.from('x'), draw.id],
  ]
  for (const [code, bytes, id, who] of cases) assert.equal((await hand(await bytes, id, who)).code, code)
  const tampered = Uint8Array.from(await signed({ remark: 'abc' }))
  tampered[tampered.length - 80] = (tampered[tampered.length - 80] ?? 0) ^ 1
  assert.ok(['signature_wrong', 'finding_unreadable'].includes((await hand(tampered, draw.id)).code))
  assert.deepEqual((await asOne<SampleRows>('GET', '/v1/audits')).body.rows.map(({ open }) => open), [1, 7], 'nothing of it counts')
})

test('of one key the last counts, of several the gravest; a key that was withdrawn signs no more; CSV has a line each', async () => {
  const changed = allRead().map(([place, value], at) => [place, at === 0 ? 1 : value] as const)
  assert.equal((await hand(await signFinding(finding({ result: 'differs', readings: changed, remark: 'angka 1' }), otherKey.signer), draw.id, client(two))).status, 201)
  assert.equal((await hand(await signFinding(finding({ station: empty, result: 'no_record', record: null, readings: [] }), otherKey.signer), draw.id, client(two))).status, 201)
  assert.equal((await hand(await signFinding(finding({ result: 'unreadable', readings: [] }), key.signer), draw.id)).status, 201)
  const detail = (await asOne<SampleDetail>('GET', `/v1/audits/${draw.id}`)).body
  const slot = detail.rows.find(({ station }) => station === far)?.contests[0]
  assert.deepEqual([detail.results, slot?.result, slot?.findings.map(({ result, counts, differs, by }) => [result, counts, differs.join(), by])], [{ differs: 1, no_record: 1 }, 'differs', [['agrees', false, '', 'Pengawas 1'], ['differs', true, 'votes_1', 'Pengawas 2'], ['unreadable', true, '', 'Pengawas 1']]])
  const csv = await (await client(one).send('GET', `/v1/audits/${draw.id}?format=csv`)).text()
  assert.match(csv, /^nth,station,place[^\n]*\n/)
  assert.equal(csv.trim().split('\n').length, 1 + 3 + 1 + 6)
  assert.equal((await client(two).call('DELETE', `/v1/audits/keys/${otherKey.kid}`)).status, 204)
  assert.deepEqual([(await hand(await signFinding(finding({ remark: 'lagi' }), otherKey.signer), draw.id, client(two))).code, (await client(two).call('POST', '/v1/audits/keys', { publicKey: otherKey.publicKey })).body.code, (await client(two).call('DELETE', `/v1/audits/keys/${otherKey.kid}`)).status], ['signature_wrong', 'state_conflict', 404])
})

test('kawal verify draw repeats the drawings and holds every finding: all is sound, or it says what is not', async () => {
  const [file, less] = [join(folder, 'tps.csv'), join(folder, 'other.csv')]
  writeFileSync(file, `kode,nama\n${[...roster].reverse().map((code) => `${code},"TPS, satu"`).join('\n')}\n`)
  writeFileSync(less, roster.slice(1).join('\n'))
  const verify = (...args: string[]) => kawal('verify', 'draw', `${server.app.url}/ledger`, ...args)
  const good = await verify('--roster', file)
  assert.equal(good.code, 0, good.err + good.out)
  assert.match(good.out, /2 draws, 4 findings\.\nDraw at entry \d+: bawaslu, Pengawas 1, .*seed 20237331128159211123.*\n {2}drawn again the same: 8 stations, 8 slots; 1 differs, 1 no_record; 6 open\n {2}open {4}\d{13} ppwp\n/)
  assert.match(good.out, /told {4}drawn again: entry \d+ drew over the same area and contest before/)
  const [other, none] = [await verify('--roster', less, '--json'), await verify()]
  assert.deepEqual([other.code, (JSON.parse(other.out) as { draws: { problems: string[] }[] }).draws.map(({ problems }) => problems), none.code], [4, [['roster_other'], ['roster_other']], 2])
  // somebody with the database writes past the program: the log has it, and so it is seen
  const owner = new pg.Client({ connectionString: server.kit.ownerUrl })
  await owner.connect()
  await owner.query("SELECT set_config('kawal.role', 'system', false)")
  await owner.query("INSERT INTO auditor_key (public_key, kid, organisation_id, staff_id, name, enrolled_at, entry) SELECT $1, $2, 'bawaslu', id, 'x', $3, 0 FROM staff WHERE name = 'Pengawas 1'", [Buffer.from(strangeKey.publicKey, 'base64url'), Buffer.from(strangeKey.kid, 'hex'), new Date(now)])
  await owner.query("UPDATE drawn SET station_code = '7501099999001' WHERE draw = decode($1, 'hex') AND station_code = $2", [draw.id, empty])
  await owner.end()
  assert.equal((await hand(await signFinding(finding({ remark: 'y' }), strangeKey.signer), draw.id)).status, 201)
  assert.equal((await hand(await signFinding(finding({ station: '7501099999001', record: null, result: 'no_record', readings: [] }), key.signer), draw.id)).status, 201)
  const forged = await verify('--roster', file)
  assert.equal(forged.code, 4)
  assert.match(forged.out, /WRONG {3}finding at entry \d+ \(\d{13} ppwp\): no auditor had enrolled its key\nWRONG {3}finding at entry \d+ \(7501099999001 ppwp\): its station was not drawn\n/)
})
