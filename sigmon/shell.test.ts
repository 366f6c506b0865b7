import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Duty } from './src/duty.ts'
import type { Block } from './src/queue/queue.ts'
import { createHandedDuty, type HandedDuty, type Order } from './src/shell/duty.ts'
import { readAbout, readDuty, readPermissions } from './src/shell/read.ts'

const now = 1_865_728_512_000
type Given = Readonly<Record<string, unknown>>
const example = (name: string): Given => (JSON.parse(readFileSync(join(import.meta.dirname, '../spec/shell', `${name}.json`), 'utf8')) as { given: Given }).given
const off = example('duty-off')
const { sequence: _, ...ordered } = example('order')

/** The shell as the contract has it; `answers` takes the place of what it says. */
function phone(kept: Given = {}) {
  const store = new Map(Object.entries(kept))
  let state: Given = off
  let last = 400
  let blockTo = 0
  const asked: string[] = []
  const timers: (() => void)[] = []
  const made = {
    store, asked, timers, orders: [] as (Order & { readonly sequence: Block })[], answers: null as ((what: string) => unknown) | null, order: ordered as unknown as Order | null, identity: 'one', enrolledAgain: 0,
    say: (given: Given) => (state = given), own: { on: false, goodbyes: 0 },
    duty: null as unknown as HandedDuty,
  }
  const ask = async (what: string, given?: object): Promise<unknown> => {
    asked.push(what)
    if (made.answers !== null) return made.answers(what)
    if (what === 'duty.start') {
      const order = given as Order & { readonly sequence: Block }
      made.orders.push(order)
      blockTo = order.sequence.to
      state = { ...example('duty-on'), station: order.station, sequence: { next: order.sequence.from, to: blockTo }, nextDueAt: now + 200_000 }
    }
    if (what === 'duty.stop') state = { ...state, on: false, since: null, nextDueAt: null, station: null, sequence: null }
    return state
  }
  const own: Duty = {
    state: () => ({ on: made.own.on, since: made.own.on ? now : null, nextDueAt: null, awake: false, canStayAwake: false }), promise: () => (made.own.on ? now + 1 : null),
    start: async () => void (made.own.on = true),
    end: async () => {
      if (made.own.on) made.own.goodbyes++
      made.own.on = false
    },
    keepAwake: async () => undefined, hide: () => undefined, show: async () => undefined, resume: async () => undefined, stop: () => undefined,
  }
  return {
    made,
    async open(): Promise<HandedDuty> {
      made.duty = await createHandedDuty({
        env: { shell: { ask, told: () => undefined }, clock: () => now, setTimer: (work) => timers.push(work), clearTimer: () => undefined },
        store: { read: <T>(key: string) => Promise.resolve(store.get(key) as T | undefined), write: (entries: Given) => Promise.resolve(Object.entries(entries).forEach(([key, value]) => store.set(key, value))) },
        own, order: () => made.order, identity: () => made.identity, refused: () => made.enrolledAgain++, changed: () => undefined,
        setAside: (count) => Promise.resolve({ from: last + 1, to: (last += count) }),
      })
      return made.duty
    },
  }
}

/** What `follow` begins goes on by itself. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

test('duty is handed over with a block of its own; the page makes no reports, says no goodbye, and promises what the shell does', async () => {
  const { made, open } = phone()
  const duty = await open()
  await duty.start()
  assert.deepEqual(made.orders.map(({ sequence }) => sequence), [{ from: 401, to: 10_400 }])
  assert.deepEqual([duty.state().on, duty.state().nextDueAt, made.own.on, duty.waits()], [true, now + 200_000, false, false])
  assert.equal(duty.promise(), now + 200_000)
  made.say({ ...example('duty-on'), nextDueAt: now - 5_000 })
  await duty.show()
  assert.equal(duty.promise(), now + 30_000, 'a report that is being made')
  made.say({ ...example('duty-on'), nextDueAt: now - 600_000 })
  await duty.show()
  assert.equal(duty.promise(), null, 'nothing is promised that another broke already')
  await duty.end()
  assert.deepEqual([duty.state().on, duty.over(), made.asked.at(-1), made.store.get('handed')], [false, null, 'duty.stop', null])
})

test('before the platform has confirmed the phone the page reports itself, and hands over with a goodbye once it has', async () => {
  const { made, open } = phone()
  const { order } = made
  made.order = null
  const duty = await open()
  await duty.start()
  duty.follow()
  assert.deepEqual([made.own.on, duty.waits(), made.asked], [true, true, []])
  made.order = order
  duty.follow()
  await settled()
  assert.deepEqual([made.own.on, made.own.goodbyes, duty.waits(), duty.state().on, made.orders.length], [false, 1, false, true, 1])
})

test('what changes gives a new order in the same block, once; another station ends the duty of the old one and has numbers of its own', async () => {
  const { made, open } = phone()
  const duty = await open()
  await duty.start()
  const change = async (part: Partial<Order>): Promise<void> => {
    made.order = { ...(made.order as Order), ...part }
    duty.follow()
    duty.follow()
    await settled()
  }
  const { budget, config } = made.order as Order
  await change({ sim: '51010' })
  await change({ accessPoint: 'ai-1' })
  await change({ language: 'en' })
  await change({ budget: { ...budget, spentBytes: budget.spentBytes + 1_000 } })
  assert.equal(made.orders.length, 4, 'a ping is not worth an order')
  await change({ budget: { ...budget, spentBytes: budget.spentBytes + 300_000 } })
  await change({ budget: { ...budget, dailyBytes: 1_000_000 } })
  await change({ config: { ...config, version: config.version + 1 } })
  assert.deepEqual(made.orders.map(({ sequence }) => sequence.from), Array.from({ length: 7 }, () => 401))
  await change({ token: 'renewed' })
  assert.deepEqual(made.orders.at(-1)?.sequence, { from: 10_401, to: 20_400 }, 'another token of the same device: the shell counts by token')
  made.identity = 'two'
  await change({ station: '7571011001004', token: 'other' })
  assert.deepEqual([made.asked.slice(-2), made.orders.at(-1)?.sequence, made.orders.at(-1)?.station], [['duty.stop', 'duty.start'], { from: 20_401, to: 30_400 }, '7571011001004'])
})

test('a page that starts while the shell is on duty takes it over; what the shell ended or lost is noticed', async () => {
  const { made, open } = phone()
  made.say(example('duty-on'))
  const duty = await open()
  await duty.resume()
  assert.deepEqual([duty.state().on, duty.state().since, duty.said()?.gap, made.own.on], [true, example('duty-on')['since'], 'location_off', false])
  duty.follow()
  await settled()
  assert.deepEqual(made.orders.map(({ sequence }) => sequence), [{ from: 401, to: 10_400 }], 'the page remembers no block: the shell is given one')
  await duty.take({ ...example('duty-on'), on: false, since: null, nextDueAt: null })
  assert.deepEqual([duty.state().on, duty.over()], [false, 'ended'])
  await duty.start()
  made.say(off)
  await duty.show()
  assert.deepEqual([duty.state().on, duty.over()], [false, 'lost'])
  await duty.start()
  assert.equal(duty.over(), null)
})

test('a shell that is on duty and does not say with which numbers is given new ones', async () => {
  const { made, open } = phone()
  made.say({ ...example('duty-on'), sequence: null })
  const duty = await open()
  await duty.resume()
  duty.follow()
  await settled()
  assert.deepEqual(made.orders.map(({ sequence }) => sequence), [{ from: 401, to: 10_400 }])
})

test('numbers that are used up are given anew; a token that is refused is asked for anew, once', async () => {
  const { made, open } = phone()
  const duty = await open()
  await duty.start()
  await duty.take({ ...example('duty-on'), held: 'block' })
  await duty.take({ ...example('duty-on'), held: 'block' })
  assert.deepEqual(made.orders.map(({ sequence }) => sequence.from), [401, 10_401], 'once for each block')
  await duty.take({ ...example('duty-on'), held: 'token' })
  await duty.take({ ...example('duty-on'), held: 'token' })
  assert.equal(made.enrolledAgain, 1)
})

for (const [name, answers] of [
  ['rejects', () => { throw new Error('Tidak dikenal.') }], ['gives nonsense', () => ({ on: 'yes', counts: 7 })], ['gives nothing', () => undefined], ['does not begin', () => off],
] as const)
  test(`a shell that ${name} leaves duty to the page, and says why`, async () => {
    const { made, open } = phone()
    made.answers = answers
    const duty = await open()
    await duty.resume()
    await duty.start()
    assert.deepEqual([made.own.on, duty.state().on, duty.waits()], [true, true, false])
    assert.ok((duty.fault() ?? '').length > 0)
    duty.follow()
    await settled()
    await duty.end()
    assert.deepEqual([made.own.on, duty.state().on], [false, false])
  })

test('a shell that hangs is waited for no longer than its time, and one that answered late is on duty all the same', async () => {
  const { made, open } = phone()
  const duty = await open()
  made.answers = (what) => (what === 'duty.start' ? new Promise(() => undefined) : { ...example('duty-on'), sequence: { next: 401, to: 10_400 } })
  const started = duty.start()
  await settled()
  for (const each of made.timers.splice(0)) each()
  await started
  assert.deepEqual([duty.state().on, made.own.on], [true, false])
})

test('examples are read; whatever a shell says nothing throws, and what is read can be shown', () => {
  for (const file of readdirSync(join(import.meta.dirname, '../spec/shell'))) {
    const given = example(file.replace('.json', ''))
    if (file.startsWith('duty')) {
      const state = readDuty(given)
      assert.deepEqual([state?.on, state?.held, state?.full, state?.gap, state?.counts, state?.newest.length, state?.sequence], [given['on'], given['held'], given['full'] === true, given['gap'], given['counts'], (given['newest'] as unknown[]).length, given['sequence']])
    } else if (file.startsWith('permissions')) assert.deepEqual(readPermissions(given), given)
    else if (file.startsWith('about')) assert.deepEqual(readAbout(given), given)
  }
  const odd = fc.oneof(fc.anything(), fc.constantFrom(null, -1, 1e300, Number.NaN, '', 'x'))
  fc.assert(fc.property(fc.record({ on: fc.boolean(), since: odd, nextDueAt: odd, counts: odd, sequence: odd, newest: fc.oneof(odd, fc.array(fc.record({ sample: odd, state: fc.constantFrom('sent', 'x'), sentAt: odd }))), sending: odd, bytesToday: odd, day: odd, held: odd }, { requiredKeys: ['on'] }), odd, (given, any) => {
    for (const read of [readDuty, readPermissions, readAbout]) read(any)
    const state = readDuty(given)
    assert.ok(state !== null && Number.isInteger(state.counts.waiting) && Number.isInteger(state.bytesToday))
    for (const at of [state.since, state.nextDueAt, state.sending?.retryAt]) if (at != null) new Date(at).toISOString()
    for (const { sequence, sample } of state.newest) assert.ok(sequence > 0 && Date.parse(sample.eventAt) !== 0)
  }), { seed: 11, numRuns: 400 })
})
