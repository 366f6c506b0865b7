import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { audit, createHistory, type Found, type History } from './history.ts'
import { openKit, type Kit } from './kit.ts'
import { otherVersions, wrongClocks } from './said-faults.ts'

let kit: Kit
before(async () => (kit = await openKit()))
after(() => kit.close())

const check = async (history: History, twice: readonly string[] = []): Promise<Found> => {
  const held = kit.receiver.held()
  return audit(history, { url: kit.url(), token: kit.token, held: [...held, ...held.filter(({ hash }) => twice.includes(hash))] })
}

test('phones whose clocks are wrong by hours, decades or always: each record counts and is handed over; and the checker sees what is not so', { timeout: 60_000 }, async () => {
  const history = createHistory()
  await wrongClocks(kit, history)
  await kit.settle()
  assert.deepEqual(await check(history), { lost: 0, doubled: 0, why: [] })
  const [[hash, told] = assert.fail('nothing was sent')] = history.records
  const [[id, offset] = assert.fail('no photo was sent')] = history.photos
  assert.equal((await check(history, [hash])).doubled, 1, 'the receiver holds one twice')
  history.kept(id, offset + 1)
  assert.equal((await check(history)).lost, 1, 'a byte of a photo that was acknowledged')
  history.photos.set(id, offset)
  history.sent(Buffer.from(await (await kit.enrol()).record()))
  assert.equal((await check(history)).lost, 1, 'one that was never acknowledged')
  told.receipts.add([...told.receipts].join('').replace('index ', 'index 9'))
  const { lost, doubled } = await check(history)
  assert.ok(lost > 1 && doubled === 1, 'a second receipt, which does not hold')
})

test('programs of different age: nothing is lost, and what an old server does not know waits for a new one', { timeout: 60_000 }, async () => {
  const history = createHistory()
  await otherVersions(kit, history)
  await kit.settle()
  assert.deepEqual(await check(history), { lost: 0, doubled: 0, why: [] })
})
