import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withDatabase } from '@kawal/testkit/postgres.ts'
import { ownerPool } from './database.ts'

test('a connection that breaks, idle or in use, fails its query at most', async () => {
  const kit = await withDatabase()
  const [pool, other] = [ownerPool(kit.ownerUrl), ownerPool(kit.ownerUrl)]
  const breakIt = async (): Promise<number> => (await other.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query ~ 'to break'")).rowCount ?? 0
  try {
    await pool.query('SELECT 1 /* to break */')
    assert.equal(await breakIt(), 1)
    while (pool.totalCount > 0) await other.query('SELECT 1')
    assert.equal((await pool.query<{ two: number }>('SELECT 2 AS two')).rows[0]?.two, 2)

    const used = pool.query('SELECT pg_sleep(60) /* to break */').then(() => null, (error: unknown) => error)
    for (let tries = 0; tries < 2_000 && (await breakIt()) === 0; tries++);
    assert.match(String(await used), /terminat/)
    assert.equal((await pool.query<{ two: number }>('SELECT 2 AS two')).rows[0]?.two, 2)
  } finally {
    await Promise.all([pool.end(), other.end()])
    await kit.close()
  }
})
