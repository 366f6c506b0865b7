import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { rules } from '@kawal/core/organisation/rules.ts'
import { makePushKey } from '../../push/key.ts'
import { makeSigningKey } from '../../sigmon/key.ts'

/** Who asks. Set per transaction; the database's row-level security walls every row by it. */
export interface Caller {
  readonly organisation: string
  readonly role: string
}

export const system: Caller = { organisation: 'kawal', role: 'system' }

/**
 * The database as the application sees it: connected as `kawal_app`, which owns nothing.
 * `transaction` commits before it resolves (synchronous_commit is on): what it returned is on disk.
 */
export interface Database {
  readonly pool: pg.Pool
  transaction<T>(caller: Caller, work: (client: pg.PoolClient) => Promise<T>): Promise<T>
  end(): Promise<void>
}

const migrations = join(import.meta.dirname, '../../../migrations')

/** Serial dates stay numbers and big integers stay exact: int8 is parsed to a number when it is safe. */
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 out of range: ${text}`)
  return value
})

/**
 * Brings the schema up to date as its owner: numbered files, each in one transaction, never edited.
 * @returns the names of the migrations that ran
 */
export async function migrate(ownerUrl: string, appPassword: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    await client.query('SELECT pg_advisory_lock(5105)')
    await client.query(`DO $$ BEGIN CREATE ROLE kawal_app LOGIN NOINHERIT; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`)
    await client.query(`ALTER ROLE kawal_app PASSWORD ${client.escapeLiteral(appPassword)}`)
    await client.query('CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, ran_at timestamptz NOT NULL DEFAULT now())')
    const done = new Set((await client.query<{ name: string }>('SELECT name FROM migration')).rows.map((row) => row.name))
    const todo = readdirSync(migrations).filter((name) => name.endsWith('.sql') && !done.has(name)).sort()
    for (const name of todo) {
      await client.query('BEGIN')
      await client.query(readFileSync(join(migrations, name), 'utf8'))
      await client.query('INSERT INTO migration (name) VALUES ($1)', [name])
      await client.query('COMMIT')
    }
    const { rows: keys } = await client.query('SELECT FROM sigmon_key WHERE signs')
    if (keys.length === 0) {
      const { kid, private_key } = await makeSigningKey()
      await client.query('INSERT INTO sigmon_key (kid, private_key, signs, made_at) VALUES ($1, $2, true, now())', [kid, private_key])
    }
    const push = makePushKey()
    await client.query('INSERT INTO push_key (public_key, private_key, made_at) VALUES ($1, $2, now()) ON CONFLICT DO NOTHING', [push.publicKey, push.privateKey])
    await client.query('BEGIN')
    await client.query('DELETE FROM access_rule')
    await client.query(
      'INSERT INTO access_rule (role, resource, action, scope) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])',
      [rules.map((rule) => rule.role), rules.map((rule) => rule.resource), rules.map((rule) => rule.action), rules.map((rule) => rule.scope)],
    )
    await client.query('COMMIT')
    return todo
  } finally {
    await client.end()
  }
}

/**
 * A pool in which a connection may break: an idle one is replaced, and the next query reports. One that breaks in use
 * fails its query, and then says so itself once more: with nobody listening that would end the process.
 */
function poolTo(url: string, connections_max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: connections_max })
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

/** Connects as the schema's owner. */
export const ownerPool = (ownerUrl: string): pg.Pool => poolTo(ownerUrl, 2)

/** Connects as the application's role. */
export function connect(ownerUrl: string, appPassword: string, connections_max = 12): Database {
  const url = new URL(ownerUrl)
  url.username = 'kawal_app'
  url.password = appPassword
  const pool = poolTo(url.href, connections_max)
  return {
    pool,
    async transaction(caller, work) {
      const client = await pool.connect()
      try {
        await client.query('BEGIN')
        await client.query("SELECT set_config('kawal.organisation', $1, true), set_config('kawal.role', $2, true)", [caller.organisation, caller.role])
        const value = await work(client)
        await client.query('COMMIT')
        client.release()
        return value
      } catch (error) {
        await client.query('ROLLBACK').then(() => client.release(), () => client.release(true))
        throw error
      }
    },
    end: () => pool.end(),
  }
}
