import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createBudget, dayIn, type BudgetStore, type Ledger, type Spend } from './src/check/budget.ts'

function memory(): BudgetStore & { held: Ledger | null; fails: boolean } {
  const store = {
    held: null as Ledger | null, fails: false,
    async change(apply: (held: Ledger | null) => Ledger): Promise<Ledger> {
      await Promise.resolve()
      if (store.fails) throw new Error('storage full')
      return (store.held = apply(store.held))
    },
  }
  return store
}
const rules = (daily: number, day = () => 'a', restraint: () => Exclude<Spend, 'limit'> | null = () => null) => ({ daily: () => daily, day, restraint })

test('what is reserved is off at once; settling gives the rest back; a refusal takes nothing', async () => {
  const budget = await createBudget(rules(100), memory())
  const first = await budget.reserve(80, 'small')
  assert.ok(typeof first !== 'string')
  assert.equal(budget.spent().today, 80)
  assert.equal(await budget.reserve(21, 'small'), 'limit')
  await first.settle(30)
  assert.deepEqual(budget.spent(), { today: 30, election: 30, daily: 100 })
  await assert.rejects(first.settle(1), /again/)
  const second = await budget.reserve(70, 'small')
  assert.ok(typeof second !== 'string')
  await assert.rejects(second.settle(71), /settled 71 bytes of 70/)
})

test('restraint refuses what is large, unless the officer agrees; nobody agrees beyond the limit', async () => {
  for (const why of ['saver', 'metered', 'roaming'] as const) {
    const budget = await createBudget(rules(100, () => 'a', () => why), memory())
    assert.equal(budget.refusal(10, 'large'), why)
    assert.equal(await budget.reserve(10, 'large'), why)
    assert.equal(budget.refusal(10, 'small'), null)
    assert.equal(budget.refusal(10, 'large', true), null)
    assert.equal(budget.refusal(101, 'large', true), 'limit')
    assert.ok(typeof (await budget.reserve(10, 'large', true)) !== 'string')
  }
})

test('killed between reserving and settling, the whole reservation stands; a day that comes back is found again', async () => {
  const store = memory()
  let day = 'a'
  await (await createBudget(rules(100, () => day), store)).reserve(60, 'small')
  const again = await createBudget(rules(100, () => day), store)
  assert.equal(again.spent().today, 60)
  day = 'b'
  assert.deepEqual(again.spent(), { today: 0, election: 60, daily: 100 })
  assert.ok(typeof (await again.reserve(100, 'small')) !== 'string')
  day = 'a'
  assert.equal(await again.reserve(41, 'small'), 'limit')
})

test('property: two tabs, or one where storage is full now and then, days and settlements in any order never pass the limit of a day', async () => {
  const step = fc.record({ tab: fc.integer({ min: 0, max: 1 }), bytes: fc.integer({ min: 0, max: 60 }), real: fc.double({ min: 0, max: 1, noNaN: true }), day: fc.constantFrom('a', 'b', 'c'), settle: fc.boolean(), together: fc.boolean(), fails: fc.integer({ min: 0, max: 20 }).map((drawn) => drawn === 0) })
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    const store = memory()
    let day = 'a'
    const tabs = [await createBudget(rules(100, () => day), store), await createBudget(rules(100, () => day), store)]
    const really = new Map<string, number>()
    const taken: Promise<unknown>[] = []
    const alone = steps.some((each) => each.fails)
    for (const { tab: any, bytes, real, day: next, settle, together, fails } of steps) {
      store.fails = fails
      const tab = alone ? 0 : any
      if (!together) day = next
      const on = day
      const reserved = tabs[tab]?.reserve(bytes, 'small').then(async (given) => {
        if (typeof given === 'string' || given === undefined) return
        const cost = settle ? Math.floor(bytes * real) : bytes
        really.set(on, (really.get(on) ?? 0) + cost)
        if (settle) await given.settle(cost)
      })
      if (reserved !== undefined) taken.push(reserved)
      if (!together) await Promise.all(taken)
    }
    await Promise.all(taken)
    for (const [on, cost] of really) assert.ok(cost <= 100, `${cost} bytes on day ${on}`)
  }), { numRuns: 300 })
})

test('without storage it counts in memory, as strictly', async () => {
  const store = memory()
  const budget = await createBudget(rules(100), store)
  store.fails = true
  assert.ok(typeof (await budget.reserve(90, 'small')) !== 'string')
  assert.equal(await budget.reserve(20, 'small'), 'limit')
  assert.equal(budget.spent().today, 90)
  // and what was counted meanwhile is written when there is room again
  store.fails = false
  assert.ok(typeof (await budget.reserve(5, 'small')) !== 'string')
  assert.equal(store.held?.election, 95)
  assert.equal((await createBudget(rules(100), store)).spent().today, 95)
})

test('the day is that of the station, also where the phone stands in another zone', () => {
  const noon = Date.UTC(2029, 1, 13, 16, 30)
  assert.equal(dayIn('Asia/Jakarta', noon), '2029-02-13')
  assert.equal(dayIn('Asia/Makassar', noon), '2029-02-14')
  assert.match(dayIn('Nowhere/Land', noon), /^2029-02-1[34]$/)
})
