import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { envelope_type } from '@kawal/contract/handing-in.ts'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { commandsIn } from '@kawal/testkit/command.ts'
import { noteKey } from '@kawal/testkit/ed25519.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { recapPhone, seedRecaps } from '@kawal/testkit/recap-phone.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { writeFiles, writtenLog } from '@kawal/testkit/written-log.ts'
import { deviceToken, enrolKey } from '../measurement/enrolment.ts'

const now = Date.UTC(2029, 1, 14, 9)
const [station = ''] = planned.stations
let server: TestServer
const { folder, kawal } = commandsIn('verify')
let token = ''
let phone: Awaited<ReturnType<typeof recapPhone>>
const at = (name: string): string => join(folder, name)

before(async () => {
  server = await withServer(() => now, seedRecaps)
  phone = await recapPhone(station)
  const enrolled = await enrolKey(server.app.database, station, phone.publicKey, now)
  assert.ok(enrolled !== null)
  token = deviceToken(server.app.secret, enrolled.device)
})
after(() => server.close())

async function send(): Promise<{ record: Buffer; receipt: string }> {
  const record = await phone.record()
  const answer = await fetch(`${server.app.url}/v1/recaps`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': envelope_type }, body: record })
  return { record, receipt: await answer.text() }
}

const ledger = (): string => `${server.app.url}/ledger`
const vkey = async (): Promise<string> => (await (await fetch(`${ledger()}/key`)).text()).trim()

test('a log is what its key signed; it goes on from what was seen before', async () => {
  for (let nth = 0; nth < 3; nth++) await send()
  const first = await kawal('verify', 'log', ledger(), '--state', at('seen'))
  assert.equal(first.code, 0, first.err)
  assert.match(first.out, /kawal\.example\/ledger: \d+ entries are those that its key signed, and every tile is\.\n(.*\n)* {2}recap +3\n/)
  assert.match(first.out, /The key came from the log itself/)
  await send()
  const second = await kawal('verify', 'log', `${ledger()}/`, '--state', at('seen'), '--key', await vkey(), '--json')
  const { counts, consistentWith, keyGiven } = JSON.parse(second.out) as { counts: { recap: number }; consistentWith: number; keyGiven: boolean }
  assert.deepEqual([counts.recap, consistentWith >= 3, keyGiven], [4, true, true])
})

/** The log behind somebody who changes what he hands on. */
async function behind(change: (path: string, bytes: Buffer) => Buffer): Promise<{ url: string; server: Server }> {
  const between = createServer((request, response) => {
    void fetch(`${server.app.url}${request.url}`).then(async (answer) => response.writeHead(answer.status).end(change(request.url ?? '', Buffer.from(await answer.arrayBuffer()))))
  })
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(between.address() as AddressInfo).port}/ledger`, server: between }
}

test('a changed entry, a changed root, a log that went back, and another key are each found', async () => {
  await send()
  const seen = at('newest')
  assert.equal((await kawal('verify', 'log', ledger(), '--state', seen)).code, 0)
  const cases: readonly (readonly [RegExp, (path: string, bytes: Buffer) => Buffer, readonly string[]])[] = [
    [/tile\/entries\/000\.p\/\d+ is not what the checkpoint says/, (path, bytes) => (path.includes('/entries/') ? Buffer.from(bytes.map((byte, place) => (place === 60 ? byte ^ 1 : byte))) : bytes), []],
    [/not one that is believed \(log_signature_wrong/, (path, bytes) => (path.endsWith('checkpoint') ? Buffer.from(bytes.toString().replace(/\n\d+\n/, '\n1\n')) : bytes), []],
    [/ends within an entry/, (path, bytes) => (path.includes('/entries/') ? bytes.subarray(0, bytes.length - 1) : bytes), []],
  ]
  for (const [said, change] of cases) {
    const between = await behind(change)
    const { code, err } = await kawal('verify', 'log', between.url)
    between.server.close()
    assert.equal(code, 4)
    assert.match(err, said)
  }
  const key = (await vkey()).replace(/\+[^+]+\+.*/, '+00000000+AAAA')
  assert.match((await kawal('verify', 'log', ledger(), '--key', key)).err, /is no key of a log/)
  assert.match((await kawal('verify', 'log', 'http://127.0.0.1:1/ledger')).err, /does not answer/)
  assert.deepEqual([(await kawal('verify', 'ledger', 'x')).code, (await kawal('verify', 'log', at('nowhere'))).code], [2, 5])
  assert.ok(readFileSync(join(seen, 'checkpoint'), 'utf8').startsWith('kawal.example/ledger\n'))
  assert.match((await kawal('verify', 'log', ledger(), '--state', join(seen, 'checkpoint'))).err, /--state takes a folder/)
})

test('who follows a log that went back is told with exit code 4; each witness that is named must have signed', async () => {
  const [witness, other] = ['saksi.example', 'lain.example'].map((name) => noteKey(name, 'cosignature'))
  assert.ok(witness !== undefined && other !== undefined)
  const voices = { log: noteKey('kawal.example/ledger'), witnesses: [witness], at_s: 1_865_000_000 }
  const [before, later] = await writtenLog(Array.from({ length: 20 }, (_, nth) => Buffer.of(nth)), [10, 20], voices)
  assert.ok(before !== undefined && later !== undefined)
  for (const [name, { files }] of [['before', before], ['later', later]] as const) writeFiles(at(name), files)
  const cosigned = await kawal('verify', 'log', at('later'), '--state', at('followed'), '--witnesses', formatVerifierKey(witness.key))
  assert.match(cosigned.out, /20 entries are those .*\n(.*\n)* {2}witness {5}saksi\.example, 2029-02-05T/)
  const followed = await kawal('verify', 'log', at('before'), '--state', at('followed'), '--follow', '--json')
  const { alarm, evidence } = JSON.parse(followed.out) as { alarm: string; evidence: string }
  assert.deepEqual([followed.code, alarm, readFileSync(evidence, 'utf8').includes(before.note)], [4, 'rolled_back', true])
  assert.match((await kawal('verify', 'log', at('later'), '--witnesses', `${formatVerifierKey(witness.key)},${formatVerifierKey(other.key)}`)).err, /not one that is believed \(witnesses_few/)
})

test('a receipt and a record, as two files: proved, or what is wrong', async () => {
  const { record, receipt } = await send()
  writeFileSync(at('record'), record)
  writeFileSync(at('receipt'), receipt)
  const good = await kawal('verify', 'receipt', at('receipt'), at('record'), '--key', await vkey())
  assert.equal(good.code, 0, good.err)
  assert.match(good.out, /The record [0-9A-Z]{5}-[0-9A-Z]{5} is entry \d+ of the log/)
  const other = await send()
  writeFileSync(at('other'), other.record)
  const bad = await kawal('verify', 'receipt', at('receipt'), at('other'), '--key', await vkey())
  assert.deepEqual([bad.code, /root_other/.test(bad.err)], [4, true])
  assert.equal((await kawal('verify', 'receipt', at('receipt'), at('record'))).code, 2)
  assert.equal((await kawal('verify', 'receipt', at('none'), at('record'), '--key', await vkey())).code, 3)
})
