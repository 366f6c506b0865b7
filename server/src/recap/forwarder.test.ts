import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { envelope_type } from '@kawal/contract/handing-in.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { readBundle } from '@kawal/core/ledger/bundle.ts'
import { readEntry } from '@kawal/core/recap/entry.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { recapPhone, seedRecaps, type RecapPhone } from '@kawal/testkit/recap-phone.ts'
import { presidential } from '@kawal/testkit/recaps.ts'
import { startReceiver, type Receiver } from '@kawal/testkit/receiver.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { deviceToken, enrolKey } from '../measurement/enrolment.ts'
import { pauseOf } from './forwarder.ts'

let now = Date.UTC(2029, 1, 14, 9)
const [station = ''] = planned.stations
let server: TestServer
let receiver: Receiver
let phone: RecapPhone
let token = ''

before(async () => {
  receiver = await startReceiver('rahasia')
  server = await withServer(() => now, seedRecaps, { recaps: { receiver: { url: receiver.url, token: 'rahasia' } } })
  phone = await recapPhone(station)
  const enrolled = await enrolKey(server.app.database, station, phone.publicKey, now)
  assert.ok(enrolled !== null)
  token = deviceToken(server.app.secret, enrolled.device)
})
after(async () => {
  await server.close()
  await receiver.close()
})
beforeEach(() => {
  receiver.fault = () => 'none'
})

async function send(more: Parameters<RecapPhone['record']>[0] = {}): Promise<string> {
  const bytes = await phone.record(more)
  const answer = await fetch(`${server.app.url}/v1/recaps`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': envelope_type }, body: bytes })
  assert.equal(answer.status, 201)
  return createHash('sha256').update(bytes).digest('hex')
}

async function pass(minutes: number): Promise<void> {
  now += minutes * minute_ms
  await server.app.tick(now)
  await server.app.recapsIdle()
}
const held = (): string[] => receiver.held().map(({ hash }) => hash)

test('each record that counts comes to the receiver once, in their order, and its answer goes into the ledger', async () => {
  // By the phone's clock the last was made first.
  const sent = [await send({ madeAt: now }), await send({ madeAt: now - minute_ms }), await send({ madeAt: now - 2 * minute_ms })]
  await pass(2)
  assert.deepEqual(held(), sent)
  await pass(2)
  await pass(2)
  const size = Number((await (await fetch(`${server.app.url}/ledger/checkpoint`)).text()).split('\n')[1])
  const bundle = readBundle(new Uint8Array(await (await fetch(`${server.app.url}/ledger/tile/entries/000.p/${size}`)).arrayBuffer()))
  assert.ok(bundle.ok)
  const answered = bundle.value.flatMap((bytes) => {
    const entry = readEntry(bytes)
    return entry.ok && entry.value.kind === 'delivery' ? [entry.value] : []
  })
  assert.deepEqual(answered.map(({ recap }) => Buffer.from(recap).toString('hex')).sort(), [...sent].sort())
  assert.deepEqual(answered.map(({ status }) => status), [201, 201, 201])
})

test('what is in quarantine is not handed over', async () => {
  const totals = [...presidential.totals]
  totals[22] = 905
  const hash = await send({ totals })
  await pass(2)
  assert.ok(!held().includes(hash))
})

test('a lost answer is asked for again: the receiver holds the record once', async () => {
  const lost = new Set<string>()
  receiver.fault = (hash) => (lost.has(hash) ? 'none' : (lost.add(hash), 'lost'))
  const sent = [await send(), await send()]
  for (let turn = 0; turn < 10; turn++) await pass(2)
  for (const hash of sent) assert.equal(held().filter((each) => each === hash).length, 1)
})

test('a receiver that is dead for three hours is asked ever less often, and gets everything when it is back', async () => {
  receiver.fault = () => 'dead'
  const before = receiver.asked()
  const sent: string[] = []
  for (let minute = 0; minute < 180; minute++) {
    if (minute % 20 === 0) sent.push(await send())
    await pass(1)
  }
  const asked = receiver.asked() - before
  assert.ok(asked > 10 && asked < 60, `asked ${asked} times`)
  receiver.fault = () => 'none'
  await pass(11)
  await pass(1)
  assert.deepEqual(sent.filter((hash) => !held().includes(hash)), [])
})

test('busy with Retry-After: not asked before; one that is refused holds up no other, and is asked again in an hour', async () => {
  receiver.fault = () => 'busy'
  const first = await send()
  await pass(2)
  const asked = receiver.asked()
  await pass(0.5)
  assert.equal(receiver.asked(), asked)
  receiver.fault = (hash) => (hash === first ? 'refuse' : 'none')
  await pass(2)
  const second = await send()
  await pass(2)
  assert.ok(held().includes(second) && !held().includes(first))
  receiver.fault = () => 'none'
  await pass(30)
  assert.ok(!held().includes(first))
  await pass(35)
  assert.ok(held().includes(first))
})

test('at random, for a day: everything once, nothing else', async () => {
  const random = seeded(5)
  receiver.fault = () => (['none', 'none', 'dead', 'busy', 'lost'] as const)[Math.floor(random() * 5)] ?? 'none'
  const sent: string[] = []
  for (let turn = 0; turn < 60; turn++) {
    for (let nth = 0; nth < random() * 4; nth++) sent.push(await send())
    await pass(3)
  }
  receiver.fault = () => 'none'
  for (let turn = 0; turn < 4; turn++) await pass(15)
  const all = held()
  assert.deepEqual(sent.filter((hash) => !all.includes(hash)), [])
  assert.equal(new Set(all).size, all.length)
})

test('Retry-After in seconds, as a date, and as nonsense', () => {
  assert.equal(pauseOf('120', 0), 120_000)
  assert.equal(pauseOf(new Date(90_000).toUTCString(), 0), 90_000)
  assert.equal(pauseOf('soon', 0), null)
  assert.equal(pauseOf(null, 0), null)
  assert.equal(pauseOf('999999999', 0), 3_600_000)
  assert.equal(pauseOf(new Date(0).toUTCString(), 60_000), 0)
})
