import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { connect, migrate, type Database } from '@kawal/server/src/adapters/postgres/database.ts'
import { startEmbedded, type EmbeddedPostgres } from '@kawal/server/src/adapters/postgres/embedded.ts'

export interface TestDatabase {
  readonly database: Database
  /** Connection string of the schema's owner. */
  readonly ownerUrl: string
  close(): Promise<void>
}

let shared: Promise<EmbeddedPostgres> | undefined
let users = 0
let made = 0
let folder = ''

/** A fresh, migrated database on a real PostgreSQL, which the test's process starts once. */
export async function withDatabase(): Promise<TestDatabase> {
  users++
  const name = `test_${++made}_${process.pid}`
  folder ||= mkdtempSync(join(tmpdir(), 'kawal-test-'))
  shared ??= startEmbedded(folder, ['shared_buffers=64MB'])
  const server = await shared
  const admin = new pg.Client({ connectionString: server.ownerUrl })
  await admin.connect()
  await admin.query(`CREATE DATABASE ${name}`)
  await admin.end()
  const url = new URL(server.ownerUrl)
  url.pathname = `/${name}`
  await migrate(url.href, 'test')
  const database = connect(url.href, 'test')
  let open = true
  return {
    database,
    ownerUrl: url.href,
    async close() {
      if (!open) return
      open = false
      await database.end()
      if (--users > 0) return
      shared = undefined
      await untilAlone(server.ownerUrl)
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
      folder = ''
    },
  }
}

/**
 * A pool says that it has ended before its connections are closed: a server that stops meanwhile tells them so, and a
 * pool that nobody listens to any more throws it. Bounded: a test that leaves a connection open shall still end.
 */
async function untilAlone(ownerUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: ownerUrl })
  admin.on('error', () => undefined)
  await admin.connect()
  for (let tries = 0; tries < 1_000; tries++) {
    const { rows } = await admin.query<{ others: number }>("SELECT count(*)::int AS others FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
    if (rows[0]?.others === 0) break
  }
  await admin.end()
}
