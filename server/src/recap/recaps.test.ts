import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { envelope_type, key_header } from '@kawal/contract/handing-in.ts'
import type { RecapState } from '@kawal/contract/recap.ts'
import { readBundle } from '@kawal/core/ledger/bundle.ts'
import { readVerifierKey } from '@kawal/core/ledger/key.ts'
import { logAlone } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { readEntry, writeEntry } from '@kawal/core/recap/entry.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { recapPhone, seedRecaps, type RecapPhone } from '@kawal/testkit/recap-phone.ts'
import { presidential } from '@kawal/testkit/recaps.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { sha256, verifyEd25519 } from '../ledger/cryptography.ts'
import { deviceToken, enrolKey } from '../measurement/enrolment.ts'

let now = Date.UTC(2029, 1, 14, 9)
const [station = '', elsewhere = ''] = planned.stations
let server: TestServer

before(async () => {
  server = await withServer(() => now, seedRecaps)
})
after(() => server.close())

interface Enrolled { readonly phone: RecapPhone; readonly token: string }

async function enrolled(at = station, algorithm?: 'ES256' | 'EdDSA', phone?: RecapPhone): Promise<Enrolled> {
  const its = phone ?? await recapPhone(at, algorithm)
  const device = await enrolKey(server.app.database, at, its.publicKey, now, Infinity)
  assert.ok(device !== null)
  return { phone: its, token: deviceToken(server.app.secret, device.device) }
}

interface Answer { readonly status: number; readonly text: string; readonly hash: string; readonly code: string }

async function send(token: string, bytes: Buffer, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const answer = await fetch(`${server.app.url}/v1/recaps`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': envelope_type, ...headers }, body: bytes })
  const text = await answer.text()
  return { status: answer.status, text, hash: (answer.headers.get('location') ?? '').slice('/v1/recaps/'.length), code: answer.ok ? '' : (JSON.parse(text) as { code: string }).code }
}

const stateOf = async (token: string, hash: string): Promise<RecapState> => (await server.call<RecapState>({ token }, 'GET', `/v1/recaps/${hash}`)).body

const entries = async (): Promise<number> =>
  server.app.database.transaction({ organisation: 'kawal', role: 'system' }, async (client) => (await client.query<{ n: number }>('SELECT count(*)::int AS n FROM ledger_entry WHERE kind = 1')).rows[0]?.n ?? -1)

/** Judged by turns as the clock says, never by waiting. */
async function judged(): Promise<void> {
  now += 2 * minute_ms
  await server.app.tick(now)
  await server.app.recapsIdle()
}

async function trust() {
  const key = readVerifierKey((await (await fetch(`${server.app.url}/ledger/key`)).text()).trim(), sha256)
  assert.ok(key.ok)
  return logAlone(key.value)
}
const verify = async (bytes: Buffer, receipt: string) => verifyReceipt(writeEntry({ kind: 'recap', envelope: bytes }), receipt, await trust(), { sha256, verify: verifyEd25519 })

test('a record is in the ledger before it is answered: its receipt verifies offline, and is the same whenever it is asked for', async () => {
  for (const algorithm of ['ES256', 'EdDSA'] as const) {
    const { phone, token } = await enrolled(station, algorithm)
    const bytes = await phone.record()
    const first = await send(token, bytes)
    assert.equal(first.status, 201)
    assert.ok((await verify(bytes, first.text)).ok)
    assert.equal((await verify(await phone.record(), first.text)).ok, false)
    const again = await send(token, bytes)
    assert.deepEqual([again.status, again.text, again.hash], [200, first.text, first.hash])
    assert.equal((await server.call({ token }, 'GET', `/v1/recaps/${first.hash}/receipt`)).text, first.text)
    await judged()
    assert.deepEqual((await stateOf(token, first.hash)).state, 'counts')
  }
})

test('64 identical posts at once: one entry, and all have its receipt', async () => {
  const { phone, token } = await enrolled()
  for (let round = 0; round < 5; round++) {
    const bytes = await phone.record()
    const answers = await Promise.all(Array.from({ length: 64 }, () => send(token, bytes)))
    assert.equal(answers.filter(({ status }) => status === 201).length, 1)
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1)
  }
})

test('any phone may carry the record of another; nobody hands in what no key signed', async () => {
  const { phone } = await enrolled()
  const { token: carrier } = await enrolled(elsewhere)
  const bytes = await phone.record()
  assert.equal((await send(carrier, bytes)).status, 201)
  const changed = Buffer.from(await phone.record())
  changed[100] = (changed[100] ?? 0) ^ 1
  assert.deepEqual([(await send(carrier, changed)).status, (await send(carrier, changed)).code], [403, 'signature_wrong'])
  assert.equal((await send(carrier, Buffer.from('a text'))).code, 'recap_unreadable')
  assert.equal((await send(carrier, Buffer.alloc(8_193))).code, 'too_large')
  assert.equal((await send('nobody', bytes)).code, 'device_unknown')
  assert.equal((await send(carrier, bytes, { 'content-type': 'application/json' })).code, 'body_invalid')
})

test('a phone that nobody enrolled: its key comes beside, the record is kept apart, and counts when it is enrolled', async () => {
  const { token: carrier } = await enrolled(elsewhere)
  const phone = await recapPhone(station)
  const bytes = await phone.record()
  assert.equal((await send(carrier, bytes)).code, 'key_missing')
  assert.equal((await send(carrier, bytes, { [key_header]: 'AAAA' })).code, 'body_invalid')
  assert.equal((await send(carrier, bytes, { [key_header]: (await recapPhone(station)).publicKey.toString('base64url') })).code, 'signature_wrong')
  const { status, hash } = await send(carrier, bytes, { [key_header]: phone.publicKey.toString('base64url') })
  assert.equal(status, 201)
  await judged()
  const waiting = await stateOf(carrier, hash)
  assert.deepEqual([waiting.state, waiting.reason], ['quarantine', 'key_unknown'])
  await enrolled(station, undefined, phone)
  await judged()
  assert.equal((await stateOf(carrier, hash)).state, 'counts')
})

test('who signs under the name of another key is refused, whatever key comes beside', async () => {
  const { phone, token } = await enrolled()
  const liar = await recapPhone(station, 'ES256', phone.kid)
  const record = await liar.record()
  assert.equal((await send(token, record)).code, 'signature_wrong')
  assert.equal((await send(token, record, { [key_header]: liar.publicKey.toString('base64url') })).code, 'signature_wrong')
})

test('whatever it says is kept first: each reason of quarantine, and no record behind it waits', async () => {
  const { phone, token } = await enrolled()
  const totals = [...presidential.totals]
  totals[22] = 905
  const sent = new Map<string, string>()
  for (const [name, more] of [['station_unknown', { station: '9999999999001' }], ['key_elsewhere', { station: elsewhere }], ['form_unknown', { form: 9 }], ['totals_impossible', { totals }], ['counts', {}]] as const) {
    const { status, hash } = await send(token, await phone.record(more))
    assert.equal(status, 201, name)
    sent.set(name, hash)
  }
  await judged()
  for (const [name, hash] of sent) {
    const { state, reason, detail } = await stateOf(token, hash)
    assert.deepEqual([state, reason], name === 'counts' ? ['counts', null] : ['quarantine', name])
    assert.equal(detail === null, name === 'counts')
  }
})

test('who was enrolled stands in the log, once, with his key', async () => {
  const { phone } = await enrolled()
  await judged()
  await judged()
  const size = Number((await (await fetch(`${server.app.url}/ledger/checkpoint`)).text()).split('\n')[1])
  const entries: Uint8Array[] = []
  for (let from = 0; from < size; from += 256) {
    const width = Math.min(256, size - from)
    const answer = await fetch(`${server.app.url}/ledger/tile/entries/${String(from / 256).padStart(3, '0')}${width === 256 ? '' : `.p/${width}`}`)
    assert.match(answer.headers.get('cache-control') ?? '', /immutable/)
    const bundle = readBundle(new Uint8Array(await answer.arrayBuffer()))
    assert.ok(bundle.ok)
    entries.push(...bundle.value)
  }
  const mine = entries.flatMap((bytes) => {
    const entry = readEntry(bytes)
    return entry.ok && entry.value.kind === 'enrolment' && phone.publicKey.equals(entry.value.publicKey) ? [entry.value] : []
  })
  assert.equal(mine.length, 1)
  assert.equal(mine[0]?.station, station)
})

/** Sends so many bytes of a request, waits for so many of the answer, and breaks the line. */
function cut(request: Buffer, sent: number, heard: number): Promise<number> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(server.app.url)
    const socket = connect(Number(port), hostname)
    let got = 0
    socket.on('error', () => undefined).on('close', () => resolve(got))
    socket.on('data', (bytes) => {
      got += bytes.length
      if (got >= heard) socket.destroy()
    })
    socket.write(request.subarray(0, sent), () => {
      if (heard === 0) socket.destroy()
    })
  })
}

test('the line is cut at every byte of a request, and of an answer: sent again, each is there once with its receipt', { timeout: 120_000 }, async () => {
  const { phone, token } = await enrolled()
  const requestOf = (bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from(`POST /v1/recaps HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nContent-Type: ${envelope_type}\r\nContent-Length: ${bytes.length}\r\n\r\n`), bytes])
  const whole = requestOf(await phone.record())
  const answer_bytes = await cut(whole, whole.length, Infinity)
  assert.ok(answer_bytes > 500, `an answer has ${answer_bytes} bytes`)
  const before = await entries()
  const cuts = [...Array.from({ length: whole.length + 8 }, (_, sent) => ({ sent, heard: 0 })), ...Array.from({ length: answer_bytes }, (_, at) => ({ sent: Infinity, heard: at + 1 }))]
  for (let from = 0; from < cuts.length; from += 64) {
    const records: { readonly bytes: Buffer; readonly at: (typeof cuts)[number] }[] = []
    for (const at of cuts.slice(from, from + 64)) records.push({ bytes: await phone.record(), at })
    await Promise.all(records.map(async ({ bytes, at: { sent, heard } }) => {
      const request = requestOf(bytes)
      await cut(request, Math.min(sent, request.length), heard)
      const again = await send(token, bytes)
      assert.ok([200, 201].includes(again.status))
      assert.ok((await verify(bytes, again.text)).ok, `cut after ${sent} and ${heard}`)
    }))
  }
  assert.equal(await entries() - before, cuts.length)
})

test('what is not there says so', async () => {
  const { token } = await enrolled()
  for (const hash of ['x', '0'.repeat(64), randomUUID()]) assert.equal((await server.call({ token }, 'GET', `/v1/recaps/${hash}`)).status, 404)
  assert.equal((await server.call({ token: 'nobody' }, 'GET', `/v1/recaps/${'0'.repeat(64)}`)).status, 401)
  for (const tile of ['0/999', '0/000.p/0', 'entries/x', '9/000']) assert.equal((await fetch(`${server.app.url}/ledger/tile/${tile}`)).status, 404)
})
