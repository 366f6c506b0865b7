import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSeeds, sayRun, simulate } from './simulate.ts'
import './give-way.ts'

test('a seed is the same each time: what happened, to the last answer; another seed is another run', async () => {
  const [one, again, other] = [await simulate(1), await simulate(1), await simulate(2)]
  assert.equal(again.hash, one.hash)
  assert.deepEqual(again.history, one.history)
  assert.notEqual(other.hash, one.hash)
  for (const run of [one, other]) assert.deepEqual(run.violations, [], sayRun(run))
  const happened = new Set(one.history.map(({ what }) => what))
  for (const what of ['signed', 'answer', 'took', 'killed', 'power', 'battery', 'closed', 'quiet', 'start', 'checkpoint']) assert.ok(happened.has(what), `${what} happened`)
})

// 12 in all: seeds 1 and 2 are run above, and 500 by the bench (bench/recap).
for (const [from, to] of [[3, 7], [8, 12]] as const) test(`200 phones, 5 boxes, the platform, the receiver and the network: seeds ${from} to ${to}`, async () => {
  const failed = await runSeeds(from, to - from + 1)
  assert.equal(failed.length, 0, failed.map(sayRun).join('\n'))
})
