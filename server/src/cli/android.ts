import type { Facts } from '@kawal/core/act/deed.ts'
import { rfc3339 } from '@kawal/core/kernel/clock.ts'
import { connect, migrate, type Database } from '../adapters/postgres/database.ts'
import { readPackage, refusal, type AndroidPackage } from '../android/package.ts'
import { listPublished, mayFollow, publish, withdraw, type Published } from '../android/store.ts'
import { audited } from './audited.ts'
import { joinDatabase, type OpenDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import { givenFile } from './given.ts'
import type { Options } from './options.ts'

/** `kawal android publish FILE | list | withdraw VERSIONCODE`: in the database, so that every server on it hands out the same from then on. */
export async function androidAction(action: string, given: string | undefined, options: Options): Promise<void> {
  switch (action) {
    case 'publish': return publishFile(given ?? '', options)
    case 'list': return onDatabase(options, async (database) => tellAll(await listPublished(database), options))
    case 'withdraw': return withdrawVersion(given ?? '', options)
    default: throw new CommandFailure(exits.usage, `kawal android knows publish, list and withdraw, not ${action}.`)
  }
}

async function publishFile(path: string, options: Options): Promise<void> {
  if (path === '') throw new CommandFailure(exits.usage, 'Name the package: kawal android publish sigmon.apk. docs/operating/android-publish.md says what it must be.')
  const bytes = givenFile(path)
  const found = givenPackage(path, bytes)
  const refused = refusal(found)
  if (refused !== null) throw new CommandFailure(exits.rejected, `${path} is not handed out. ${refused}`)
  const isNewKey = options['newKey'] !== undefined
  await onDatabase(options, async (database, server) => {
    const refuse = (sentence: string): CommandFailure => new CommandFailure(exits.refused, `${path} was not published. ${sentence}`)
    const may = mayFollow(found, await listPublished(database), isNewKey)
    if (!may.ok) throw refuse(may.error)
    if (options['dryRun'] === undefined) {
      await audited(server, `android publish ${path}`, async (act) => {
        const done = await publish(database, found, bytes, { at: Date.now(), act, isNewKey })
        if (!done.ok) throw refuse(done.error)
      }, publishFacts(found, isNewKey))
    }
    const { marks: _, ...told } = found
    if (options['json'] !== undefined) return void process.stdout.write(`${JSON.stringify({ ...told, published: options['dryRun'] === undefined })}\n`)
    process.stdout.write(options['dryRun'] === undefined ? `Published ${describe(found)}It is at /android/ of every server on this database, and its hash goes into the log of acts within seconds.\n` : `Would publish ${describe(found)}Nothing was changed.\n`)
  })
}

/** @throws CommandFailure that says what is wrong with the package */
export function givenPackage(path: string, bytes: Buffer): Extract<ReturnType<typeof readPackage>, { ok: true }>['value'] {
  const found = readPackage(bytes)
  if (!found.ok) throw new CommandFailure(exits.rejected, `${path} is not taken. ${found.error}`)
  return found.value
}

/** What a package is, for people: a line each. */
export function describe({ application, versionName, versionCode, bytes, minSdk, targetSdk, sha256, certificate, schemes, permissions }: AndroidPackage): string {
  return `${application} ${versionName} (versionCode ${versionCode}), ${bytes} bytes, for API ${minSdk} on, made for ${targetSdk}, signed by ${schemes.join(' and ')}.
  SHA-256      ${sha256}
  certificate  ${certificate}
  asks for     ${permissions.length === 0 ? 'nothing' : permissions.map((each) => each.replace(/^android\.permission\./, '')).join(', ')}
`
}

const publishFacts = ({ sha256, versionCode, versionName, certificate, application, permissions, bytes }: AndroidPackage, newKey: boolean): Facts => ({ sha256, versionCode, versionName, certificate, package: application, permissions, bytes, newKey })

async function withdrawVersion(given: string, options: Options): Promise<void> {
  if (!/^[1-9][0-9]{0,8}$/.test(given)) throw new CommandFailure(exits.usage, `Name the versionCode to withdraw, as kawal android list shows it, not ${given === '' ? 'nothing' : given}.`)
  await onDatabase(options, async (database, server) => {
    const all = await listPublished(database)
    const found = all.find(({ versionCode }) => versionCode === Number(given))
    if (found === undefined) throw new CommandFailure(exits.rejected, `Version ${given} was never published here. See kawal android list.`)
    if (found.withdrawnAt !== null) throw new CommandFailure(exits.refused, `Version ${given} was withdrawn already, ${rfc3339(found.withdrawnAt)}.`)
    if (options['dryRun'] === undefined) {
      const facts: Facts = { sha256: found.sha256, versionCode: found.versionCode, versionName: found.versionName }
      await audited(server, `android withdraw ${given}`, async () => {
        if (!await withdraw(database, found.versionCode, Date.now())) throw new CommandFailure(exits.refused, `Version ${given} was withdrawn by somebody else in this moment.`)
      }, facts)
    }
    const next = all.find((each) => each.withdrawnAt === null && each !== found)
    if (options['json'] !== undefined) return void process.stdout.write(`${JSON.stringify({ versionCode: found.versionCode, withdrawn: options['dryRun'] === undefined, next: next?.versionCode ?? null })}\n`)
    process.stdout.write(`${options['dryRun'] === undefined ? 'Withdrew' : 'Would withdraw'} version ${given}. ${next === undefined ? 'Nothing is handed out then: /android/ points to the app in the browser.' : `Version ${next.versionCode} is handed out then.`} Phones that have it keep it until a higher one is published.\n`)
  })
}

function tellAll(all: readonly Published[], options: Options): void {
  const present = all.find(({ withdrawnAt }) => withdrawnAt === null)
  if (options['json'] !== undefined) return void process.stdout.write(`${JSON.stringify({ packages: all.map((each) => ({ ...each, publishedAt: rfc3339(each.publishedAt), withdrawnAt: each.withdrawnAt === null ? null : rfc3339(each.withdrawnAt), handedOut: each === present })) })}\n`)
  if (all.length === 0) process.stdout.write('No package was published here. kawal android publish FILE.apk does.\n')
  for (const each of all) process.stdout.write(`${each.versionCode}  ${each.versionName}  ${each === present ? 'handed out' : each.withdrawnAt === null ? 'was before' : `withdrawn ${rfc3339(each.withdrawnAt)}`}  since ${rfc3339(each.publishedAt)}  entry ${each.leaf ?? 'not yet'} of the log of acts  ${each.sha256}\n`)
}

async function onDatabase(options: Options, work: (database: Database, server: OpenDatabase) => Promise<void>): Promise<void> {
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword, 1)
    try {
      await work(database, server)
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
  }
}
