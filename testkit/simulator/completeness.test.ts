import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lossesOf } from './losses.ts'
import { sparse } from './plan.ts'
import { simulate } from './simulate.ts'
import './give-way.ts'

/** Every kind of loss that is planted; those that need a phone with three records are in one seed of two. */
const kinds = ['altered', 'branch', 'custody', 'empty', 'lost', 'missing', 'quarantine', 'shown', 'unanswered', 'undelivered', 'unlogged']

test('losses planted between phone, box, log and receiver are each named by what an auditor downloads, and nothing else is; seeds without them are in simulator.test.ts', async () => {
  const found = new Set<string>()
  for (const seed of [1, 2]) {
    const { gaps: { said, wanted } } = await simulate(seed, lossesOf(), sparse)
    assert.deepEqual(said, wanted, `seed ${seed}`)
    for (const line of said) found.add(line.split(' ')[0] ?? '')
  }
  assert.deepEqual([...found].sort(), kinds)
})
