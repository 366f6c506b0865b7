import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableOf, verdictMatrix } from './verdict-matrix.ts'

test('every fault below the browser is named: what to do, whose it is, and why, within ten seconds', { timeout: 180_000 }, async (t) => {
  const judged = await verdictMatrix()
  t.diagnostic(`\n${tableOf(judged)}`)
  assert.deepEqual(judged.filter((row) => row.wrong), [])
  // the one mistake that must never be made
  assert.deepEqual(judged.filter((row) => row.name.startsWith('election server') && /operator|access_point|phone/.test(row.got)), [])
})
