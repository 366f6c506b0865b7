import type pg from 'pg'
import { rfc3339, type Instant } from '@kawal/core/kernel/clock.ts'
import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'
import type { AndroidPublished } from '@kawal/contract/android.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import type { AndroidPackage } from './package.ts'

/** A package as it is or was handed out. */
export interface Published extends Omit<AndroidPackage, 'schemes'> {
  readonly publishedAt: Instant
  readonly withdrawnAt: Instant | null
  /** In the log of acts; null: not yet. */
  readonly leaf: number | null
}

interface Row {
  readonly version_code: number; readonly version_name: string; readonly application: string; readonly sha256: Buffer; readonly certificate: Buffer; readonly min_sdk: number; readonly target_sdk: number
  readonly permissions: readonly string[]; readonly bytes: number; readonly published_at: Date; readonly withdrawn_at: Date | null; readonly leaf: number | null
}

const columns = 'version_code, version_name, application, sha256, certificate, min_sdk, target_sdk, permissions, octet_length(content) AS bytes, published_at, withdrawn_at, audit.entry AS leaf'
const from = 'FROM android_package JOIN audit ON audit.id = act'
/** No two commands publish at once. */
const lock = "SELECT pg_advisory_xact_lock(hashtext('android_package'))"

const publishedOf = (row: Row): Published => ({
  versionCode: row.version_code, versionName: row.version_name, application: row.application, sha256: row.sha256.toString('hex'), certificate: row.certificate.toString('hex'), minSdk: row.min_sdk, targetSdk: row.target_sdk,
  permissions: row.permissions, bytes: row.bytes, publishedAt: row.published_at.getTime(), withdrawnAt: row.withdrawn_at?.getTime() ?? null, leaf: row.leaf,
})

/** What is handed out: the highest version that was not withdrawn. */
export function readPublished(database: Database): Promise<Published | null> {
  return database.transaction(system, async (client) => {
    const { rows: [row] } = await client.query<Row>(`SELECT ${columns} ${from} WHERE withdrawn_at IS NULL ORDER BY version_code DESC LIMIT 1`)
    return row === undefined ? null : publishedOf(row)
  })
}

/** All that ever was, the highest version first. */
export const listPublished = (database: Database): Promise<readonly Published[]> => database.transaction(system, listed)

async function listed(client: pg.ClientBase): Promise<readonly Published[]> {
  const { rows } = await client.query<Row>(`SELECT ${columns} ${from} ORDER BY version_code DESC`)
  return rows.map(publishedOf)
}

/** The file of a version. */
export function readContent(database: Database, versionCode: number): Promise<Buffer> {
  return database.transaction(system, async (client) => {
    const { rows: [row] } = await client.query<{ content: Buffer }>('SELECT content FROM android_package WHERE version_code = $1', [versionCode])
    if (row === undefined) throw new Error(`version ${versionCode} is gone: nobody may delete one`)
    return row.content
  })
}

/**
 * Whether a package may follow those that were published before, the highest version first.
 * @param isNewKey whoever publishes says that another key is meant
 * @returns a sentence for what phones would refuse
 */
export function mayFollow({ versionCode, sha256, application, certificate }: AndroidPackage, before: readonly Published[], isNewKey: boolean): Result<'new' | 'again', string> {
  const [newest] = before
  if (newest === undefined) return ok('new')
  const same = before.find((each) => each.sha256 === sha256)
  if (same !== undefined) return same.withdrawnAt === null ? fail(`Version ${versionCode} is published already, since ${rfc3339(same.publishedAt)}.`) : ok('again')
  if (application !== newest.application) return fail(`The package is ${application}, and ${newest.application} was published before: phones would take it for another app, and keep both. Build it with the same package name.`)
  if (versionCode <= newest.versionCode) return fail(`The package has versionCode ${versionCode}, and ${newest.versionCode} was published already${newest.withdrawnAt === null ? '' : ', though withdrawn since'}: phones take an update by a higher one alone. Raise it and build anew.`)
  if (certificate !== newest.certificate && !isNewKey) return fail(`The package was signed with another key: its certificate is ${certificate}, and that of version ${newest.versionCode} was ${newest.certificate}. Phones that have Sigmon would refuse the update, and must remove it first, with what waits in it. Sign with the same key; say --new-key only if that one is lost.`)
  return ok('new')
}

/** @param act by which it is published. @returns a sentence for what may not follow; nothing was changed then */
export function publish(database: Database, found: AndroidPackage, content: Buffer, { at, act, isNewKey }: { readonly at: Instant; readonly act: number; readonly isNewKey: boolean }): Promise<Result<'new' | 'again', string>> {
  return database.transaction(system, async (client) => {
    await client.query(lock)
    const may = mayFollow(found, await listed(client), isNewKey)
    if (!may.ok) return may
    if (may.value === 'again') await client.query('UPDATE android_package SET published_at = $2, act = $3, withdrawn_at = NULL WHERE version_code = $1', [found.versionCode, new Date(at), act])
    else {
      await client.query(
        'INSERT INTO android_package (version_code, version_name, application, sha256, certificate, min_sdk, target_sdk, permissions, content, published_at, act) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
        [found.versionCode, found.versionName, found.application, Buffer.from(found.sha256, 'hex'), Buffer.from(found.certificate, 'hex'), found.minSdk, found.targetSdk, found.permissions, content, new Date(at), act])
    }
    return may
  })
}

/** @returns whether it was handed out until now */
export function withdraw(database: Database, versionCode: number, at: Instant): Promise<boolean> {
  return database.transaction(system, async (client) => {
    await client.query(lock)
    return (await client.query('UPDATE android_package SET withdrawn_at = $2 WHERE version_code = $1 AND withdrawn_at IS NULL', [versionCode, new Date(at)])).rowCount === 1
  })
}

/** What anybody is told. */
export function toldOf({ versionCode, versionName, sha256, certificate, bytes, minSdk, publishedAt, leaf }: Published): AndroidPublished {
  return { versionCode, versionName, sha256, certificate, bytes, minSdk, publishedAt: rfc3339(publishedAt), leaf, url: '/android/sigmon.apk' }
}
