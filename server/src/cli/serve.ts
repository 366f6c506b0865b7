import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import pino from 'pino'
import { writeStop } from '../act/started.ts'
import { isQuorum } from '@kawal/core/ledger/policy.ts'
import { startApp } from '../app.ts'
import { ImpactRefused, readImpactSettings } from '../impact/settings.ts'
import { OidcRefused, readOidcSettings, type ProviderSettings } from '../organisation/oidc-settings.ts'
import type { RecapSettings } from '../recap/open.ts'
import { readSettings, SettingsRefused, type SigmonSettings } from '../sigmon/settings.ts'
import { userName } from './audited.ts'
import { openDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import { listenOn, untilStopped } from './listen.ts'
import { notificationOf } from './notification-options.ts'
import { portOption, urlOption, type Options } from './options.ts'
import { policyFile } from './policy-file.ts'

/** Detection sweeps this often. */
const sweep_ms = 30_000
/** Clocks, verifications and deliveries are looked at this often: a clock is late by at most a second, and detection does not hold it up. */
const tick_ms = 250

/** Serves until it is told to stop (SIGINT or SIGTERM). */
export async function serve(options: Options): Promise<void> {
  const role = options['role'] ?? 'platform'
  if (role === 'custody') return (await import('./serve-box.ts')).serveBox(options)
  if (role !== 'platform') throw new CommandFailure(exits.usage, `--role is platform or custody, not ${role}.`)
  collectGarbageAside()
  const { host, tls } = listenOn(options)
  const port = portOption(options)
  const sigmon = sigmonSettings(options['sigmon'])
  const impact = impactSettings(options['impact'])
  const publicUrl = urlOption(options)
  const notification = notificationOf(options)
  const oidc = oidcSettings(options['oidc'], publicUrl)
  const [receiver, witnesses] = [receiverOf(options['receiver']), witnessesOf(options['witnessPolicy'])]
  const log = pino({ level: process.env['LOG_LEVEL'] ?? 'info' }, pino.destination(2))
  const data = options['data'] ?? '.kawal'
  const host_name = hostNameOf(publicUrl)
  const database = await openDatabase(data)
  const app = await startApp({
    ownerUrl: database.ownerUrl, appPassword: database.appPassword, clock: Date.now, host, port, log, rehearsal: false,
    ...(options['province'] === undefined ? {} : { province: options['province'] }), ...(tls === undefined ? {} : { tls }),
    targets: { election: options['election'] ?? null, internet: options['internet'] ?? null },
    ...(sigmon === undefined ? {} : { sigmon }), ...(impact === undefined ? {} : { impact }), ...(notification === undefined ? {} : { notification }),
    ...(publicUrl === undefined ? {} : { publicUrl }), ...(oidc === undefined ? {} : { oidc }),
    recaps: { folder: resolve(options['ledger'] ?? join(data, 'ledger')), photos: resolve(data, 'photos'), origin: `${host_name}/ledger`, ...receiver, ...witnesses },
    acts: { folder: resolve(options['acts'] ?? join(data, 'acts')), origin: `${host_name}/acts`, startedBy: userName(), ...witnesses },
    callbackHosts: listOf(options['callbackHosts']), ...(options['trustProxy'] === undefined ? {} : { trustProxy: listOf(options['trustProxy']) }),
  }).catch(async (error: unknown) => {
    await database.stop()
    throw error
  })
  process.stdout.write(options['json'] === undefined
    ? `Konsol  ${app.url}/console/\nSigmon  ${app.url}/sigmon/\nAPI     ${app.url}/docs\n${app.stationCount.toLocaleString('id-ID')} TPS. A log-in link: npm run -s kawal -- org link komdigi. Ctrl-C stops.\n`
    : JSON.stringify({ url: app.url, stations: app.stationCount }) + '\n')
  await untilStopped([{ every_ms: sweep_ms, turn: () => app.sweep(Date.now()) }, { every_ms: tick_ms, turn: () => app.tick(Date.now()) }], (error) => log.error(error))
  await writeStop(app.database, Date.now(), userName()).catch((error: unknown) => log.error(error, 'that the server ends could not be written into the audit'))
  await app.stop()
  await database.stop()
}

/**
 * How V8 collects garbage while a nation reports. Measured at 19,200 requests a second; nothing else about them matters.
 * - What one place in the code makes goes into the old generation at once when most of it lived long for a while, and
 *   never any other way again. The first seconds, when answers are late, are such a while: from then on each request's
 *   head, body and buffer stayed until the next whole collection.
 * - 64 MB of buffers, which are outside the heap, began such a collection every 6 s, and then each buffer that was made
 *   waited 5 to 10 ms for a piece of it: 100 to 300 ms in which nobody was answered. They count as part of all memory instead.
 * - All memory may grow by a quarter between two collections: V8's own choice would be up to four times.
 */
const collectGarbageAside = (): void => ['--no-allocation-site-pretenuring', '--external-memory-accounted-in-global-limit', '--heap-growing-percent=25'].forEach(setFlagsFromString)

/** What a new ledger and a new log of acts are named after, for ever. Where nobody says at which address people find them, what nobody else has. */
const hostNameOf = (publicUrl: string | undefined): string => (publicUrl === undefined ? `kawal-${randomBytes(8).toString('hex')}.invalid` : new URL(publicUrl).host)

/** The token stays out of the list of processes. */
function receiverOf(url: string | undefined): Pick<RecapSettings, 'receiver'> {
  if (url === undefined) return {}
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw new CommandFailure(exits.usage, `--receiver takes an address, as https://terima.kpu.example/records, not ${url}.`)
  const token = process.env['KAWAL_RECEIVER_TOKEN']
  return { receiver: { url, ...(token === undefined ? {} : { token }) } }
}

/** Read before anything starts: what is wrong is said with its line. */
function witnessesOf(path: string | undefined): Pick<RecapSettings, 'witnesses'> {
  if (path === undefined) return {}
  const policy = policyFile(path, '--witness-policy')
  const asked = policy.witnesses.filter(({ url }) => url !== null).map(({ name }) => name)
  if (policy.quorum === null) throw new CommandFailure(exits.rejected, `--witness-policy ${path}: quorum none asks for no witness. Name the quorum, or leave --witness-policy out.`)
  if (!isQuorum(policy, new Set(asked))) throw new CommandFailure(exits.rejected, `--witness-policy ${path}: the witnesses that have an address (${asked.join(', ') || 'none'}) are no quorum, so no checkpoint would ever have one. Write the address of each behind its key.`)
  return { witnesses: policy }
}

const listOf = (text: string | undefined): string[] => (text ?? '').split(',').map((each) => each.trim()).filter(Boolean)

function sigmonSettings(path: string | undefined): SigmonSettings | undefined {
  if (path === undefined) return undefined
  try {
    return readSettings(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new CommandFailure(exits.rejected, error instanceof SettingsRefused ? `--sigmon ${path}: ${error.message}` : `--sigmon ${path} cannot be read: ${(error as Error).message}`)
  }
}

function impactSettings(path: string | undefined): ReturnType<typeof readImpactSettings> | undefined {
  if (path === undefined) return undefined
  try {
    return readImpactSettings(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new CommandFailure(exits.rejected, error instanceof ImpactRefused ? `--impact ${path}: ${error.message}` : `--impact ${path} cannot be read: ${(error as Error).message}`)
  }
}

function oidcSettings(path: string | undefined, publicUrl: string | undefined): ProviderSettings[] | undefined {
  if (path === undefined) return undefined
  if (publicUrl === undefined) throw new CommandFailure(exits.usage, 'A provider sends people back to one address: say with --url where they find the server, as https://kawal.example.')
  try {
    return readOidcSettings(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new CommandFailure(exits.rejected, error instanceof OidcRefused ? `--oidc ${path}: ${error.message}` : `--oidc ${path} cannot be read: ${(error as Error).message}`)
  }
}

