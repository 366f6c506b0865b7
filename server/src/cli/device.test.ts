import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { envelope_type } from '@kawal/contract/handing-in.ts'
import type { RecapState } from '@kawal/contract/recap.ts'
import { readBundle } from '@kawal/core/ledger/bundle.ts'
import { readEntry } from '@kawal/core/recap/entry.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { recapPhone, seedRecaps } from '@kawal/testkit/recap-phone.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { system } from '../adapters/postgres/database.ts'
import { deviceToken, enrol, enrolKey } from '../measurement/enrolment.ts'

let now = Date.UTC(2029, 1, 14, 9)
const [station = ''] = planned.stations
let server: TestServer
before(async () => {
  server = await withServer(() => now, seedRecaps)
})
after(() => server.close())

/** The command as an operator runs it, beside the running server. */
function kawal(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'kawal.ts'), 'device', 'revoke', ...args], { env: { ...process.env, DATABASE_URL: server.kit.ownerUrl } })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })))
}

test('a revoked device: what it signs later waits in quarantine with the reason, what counted stays, and the ledger says so once', async (t) => {
  const phone = await recapPhone(station)
  const enrolled = await enrolKey(server.app.database, station, phone.publicKey, now)
  assert.ok(enrolled !== null)
  const { id } = enrolled.device
  const token = deviceToken(server.app.secret, enrolled.device)
  const send = async (): Promise<RecapState> => {
    const answer = await fetch(`${server.app.url}/v1/recaps`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': envelope_type }, body: new Uint8Array(await phone.record()) })
    assert.equal(answer.status, 201)
    await pass()
    return (await server.call<RecapState>({ token }, 'GET', answer.headers.get('location') ?? '')).body
  }
  const pass = async (): Promise<void> => {
    now += 60_000
    await server.app.tick(now)
    await server.app.recapsIdle()
  }
  const before = await send()
  assert.equal(before.state, 'counts')
  const dry = await kawal(id, '--reason', 'HP hilang', '--dry-run', '--json')
  assert.deepEqual([dry.code, JSON.parse(dry.out)], [0, { device: id, station, recordsThatCount: 1, revoked: false }], dry.err)
  assert.equal((await send()).state, 'counts', 'a dry run revokes nothing')
  const done = await kawal(id, '--reason', 'HP hilang')
  assert.equal(done.code, 0, done.err)
  assert.match(done.out, new RegExp(`Revoked device ${id} of station ${station}\\. 2 records`))
  const later = await send()
  assert.deepEqual([later.state, later.reason], ['quarantine', 'key_revoked'])
  assert.equal((await server.call<RecapState>({ token }, 'GET', `/v1/recaps/${before.hash}`)).body.state, 'counts')
  await pass()
  const size = Number((await (await fetch(`${server.app.url}/ledger/checkpoint`)).text()).split('\n')[1])
  const bundle = readBundle(new Uint8Array(await (await fetch(`${server.app.url}/ledger/tile/entries/000.p/${size}`)).arrayBuffer()))
  assert.ok(bundle.ok)
  const revoked = bundle.value.flatMap((bytes) => {
    const entry = readEntry(bytes)
    return entry.ok && entry.value.kind === 'revocation' ? [entry.value] : []
  })
  assert.deepEqual(revoked.map(({ device, reason }) => [Buffer.from(device).toString('hex'), reason]), [[id.replaceAll('-', ''), 'HP hilang']])

  await t.test('one that is revoked, unknown, without a key, or named wrongly is refused, and says why', async () => {
    const keyless = await enrol(server.app.database, station, now)
    for (const [args, code, sentence] of [
      [[id, '--reason', 'x'], 6, /was revoked already, .*: HP hilang/], [[randomUUID(), '--reason', 'x'], 3, /There is no device/], [[keyless?.id ?? '', '--reason', 'x'], 3, /has no key of its own/],
      [['7', '--reason', 'x'], 2, /named by its id/], [[id], 2, /--reason/], [[id, '--reason', 'x'.repeat(201)], 2, /1 to 200/],
    ] as const) {
      const answer = await kawal(...args)
      assert.equal(answer.code, code, answer.err)
      assert.match(answer.err, sentence)
    }
    const { rows } = await server.app.database.transaction(system, (client) => client.query<{ path: string; status: number }>("SELECT path, status FROM audit JOIN audit_outcome ON audit_outcome.audit_id = audit.id WHERE method = 'CLI' ORDER BY audit.id"))
    assert.deepEqual(rows.slice(0, 2).map(({ path, status }) => [path, status]), [[`device revoke ${id} --reason HP hilang`, 0], [`device revoke ${id} --reason x`, 6]])
  })
})
