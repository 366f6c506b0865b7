import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { withDatabase } from '@kawal/testkit/postgres.ts'
import { loadSynthetic } from '../register/synthetic.ts'
import { loadSyntheticPlanning } from './planning.ts'

test('a made-up province has a plan in which every class occurs, once', async (t) => {
  const kit = await withDatabase()
  const pool = new pg.Pool({ connectionString: kit.ownerUrl, max: 2 })
  t.after(async () => {
    await pool.end()
    await kit.close()
  })
  const now = Date.UTC(2028, 1, 14)
  assert.equal(await loadSyntheticPlanning(pool, '75', 1, now), false, 'without a made-up register there is nothing to make up for')
  await loadSynthetic(pool, '75', 1)
  assert.equal(await loadSyntheticPlanning(pool, '75', 1, now), true)
  assert.equal(await loadSyntheticPlanning(pool, '75', 1, now), false)
  const { rows: [plan] } = await pool.query<{ summary: { classes: Record<string, number>; moves: number } }>('SELECT summary FROM plan WHERE finished')
  for (const name of ['a', 'b', 'c', 'd', 'e']) assert.ok((plan?.summary.classes[name] ?? 0) > 0, `${name}: ${JSON.stringify(plan?.summary.classes)}`)
  assert.ok((plan?.summary.moves ?? 0) > 0, JSON.stringify(plan?.summary))
})
