import { chmodSync, constants, cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { connect, migrate, type Database } from '@kawal/server/src/adapters/postgres/database.ts'
import { startEmbedded, type EmbeddedPostgres } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { scratch } from './scratch.ts'

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
let creating: Promise<void> = Promise.resolve()

/**
 * Of a server whose data nobody reads after it has ended, so that it need not be on disk when a transaction is answered;
 * nothing else about it differs. Whatever a test starts as a command, and what is killed in server/src/durability.test.ts,
 * has the settings of production.
 */
const thrown_away = ['shared_buffers=64MB', 'fsync=off', 'full_page_writes=off']

/** Where `npm test` keeps a data folder with the schema in it: to copy one takes a fifth of the time of making it. */
const template = 'KAWAL_TEST_DATA'

/** Makes a data folder with the schema in it, for `copyData`. */
export async function makeData(to: string): Promise<void> {
  const server = await startEmbedded(to)
  await migrate(server.ownerUrl, 'test')
  await server.stop()
  process.env[template] = to
}

/** A data folder as a first start leaves it, where this run of the tests has one to copy; else nothing, and the first start makes it. @returns whether it has */
export function copyData(to: string): boolean {
  const from = process.env[template]
  if (from === undefined) return false
  cpSync(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE })
  chmodSync(join(to, 'database'), 0o700) // a copy has the rights that new folders have, and PostgreSQL starts on no such
  return true
}

/** A server with the schema in its first database, of which each database of a test is a copy. */
async function start(): Promise<EmbeddedPostgres> {
  const isMade = copyData(folder)
  const server = await startEmbedded(folder, thrown_away)
  if (!isMade) await migrate(server.ownerUrl, 'test')
  return server
}

/** A fresh, migrated database on a real PostgreSQL, which the test's process starts once. */
export async function withDatabase(): Promise<TestDatabase> {
  users++
  const name = `test_${++made}_${process.pid}`
  folder ||= scratch('test')
  shared ??= start()
  const server = await shared
  // One at a time: what is copied must be in nobody else's use.
  const created = creating.then(() => create(server.ownerUrl, name))
  creating = created.catch(() => undefined)
  await created
  const url = new URL(server.ownerUrl)
  url.pathname = `/${name}`
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

async function create(ownerUrl: string, name: string): Promise<void> {
  const admin = new pg.Client({ connectionString: ownerUrl })
  await admin.connect()
  await admin.query(`CREATE DATABASE ${name} TEMPLATE postgres STRATEGY file_copy`)
  await admin.end()
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
