import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offlineMatrix } from './offline-matrix.ts'

test('whatever happens to the phone or to the network, each kept check arrives once', { timeout: 240_000 }, async () => {
  const rows = await offlineMatrix(process.env['OFFLINE_ROW'])
  for (const { name, kept, arrived, lost, doubled } of rows) console.error(`${name.padEnd(32)} kept ${kept}, arrived ${arrived}, lost ${lost}, doubled ${doubled}`)
  assert.ok(rows.length >= 1 && rows.every((row) => row.kept > 50))
  assert.deepEqual(rows.filter((row) => row.lost > 0 || row.doubled > 0), [])
})
