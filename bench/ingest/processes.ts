import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A server under test: a process, and where there is one its database's. */
export interface Running {
  readonly port: number
  readonly cpu: () => Cpu
  readonly rss_mb: () => number
  /** `alone` leaves the database's processes; else they go in the same moment. */
  kill(alone: boolean): Promise<void>
  stop(): Promise<void>
}

/** Seconds of user and system time since the start. */
interface Cpu { readonly server_s: number; readonly database_s: number }

/** USER_HZ: 100 on every Linux that Node runs on (man 7 time). */
const ticks_per_s = 100
const start_ms_max = 180_000
const stop_ms_max = 60_000

/** The fields of /proc/PID/stat behind the name, which may hold anything (man 5 proc): state is the first. */
function fieldsOf(id: number): string[] | null {
  try {
    return readFileSync(`/proc/${id}/stat`, 'utf8').replace(/^.*\) /s, '').trimEnd().split(' ')
  } catch {
    return null
  }
}

/** User and system time of a process and of its ended children that it has waited for, in seconds. */
function ownCpu_s(id: number): number {
  return (fieldsOf(id)?.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) ?? 0) / ticks_per_s
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((id) => Number(fieldsOf(id)?.[1]) === parent)
}

/** A child that ends is in its parent's time as soon as it was waited for: nothing is counted twice, nothing falls out. */
const familyCpu_s = (parent: number): number => childrenOf(parent).reduce((sum, id) => sum + ownCpu_s(id), ownCpu_s(parent))

const rssOf_mb = (id: number): number => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]) / 1024

/** `kawal serve` as it is run: a process of its own, with its database, behind a proxy that ends TLS. @throws Error when it is not ready in 3 minutes */
export async function serve(folder: string, port: number, options: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Running> {
  const program = join(import.meta.dirname, '../../server/src/cli/kawal.ts')
  const child = spawn(process.execPath, [program, '--data', folder, '--json', 'serve', '--port', String(port), '--trust-proxy', '127.0.0.1', ...options], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, LOG_LEVEL: 'warn', ...env, DATABASE_URL: undefined } })
  await firstLine(child)
  const id = child.pid as number
  const postmaster = Number(readFileSync(join(folder, 'database', 'postmaster.pid'), 'utf8').split('\n')[0])
  return {
    port,
    cpu: () => ({ server_s: ownCpu_s(id), database_s: familyCpu_s(postmaster) }),
    rss_mb: () => rssOf_mb(id),
    async kill(alone) {
      const doomed = alone ? [id] : [id, postmaster, ...childrenOf(postmaster)]
      for (const each of doomed) endNow(each)
      await ended(child)
    },
    stop: () => stopped(child),
  }
}

/** Any other server, ready when `isReady` says so. */
export async function startPeer(path: string, args: readonly string[], port: number, isReady: () => Promise<boolean>): Promise<Running> {
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const id = child.pid as number
  for (let tries = 0; !(await isReady()); tries++) {
    if (tries === 100 || child.exitCode !== null) throw new Error(`${path} is not ready after ${tries / 10} s`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return { port, cpu: () => ({ server_s: ownCpu_s(id), database_s: 0 }), rss_mb: () => rssOf_mb(id), kill: () => stopped(child), stop: () => stopped(child) }
}

function endNow(id: number): void {
  try {
    process.kill(id, 'SIGKILL')
  } catch (error) {
    // gone already: its parent's death took it along
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

const ended = (child: ChildProcess): Promise<void> => new Promise((resolve) => (child.exitCode !== null || child.signalCode !== null ? resolve() : child.once('exit', () => resolve())))

async function stopped(child: ChildProcess): Promise<void> {
  child.kill('SIGINT')
  const late = setTimeout(() => child.kill('SIGKILL'), stop_ms_max)
  await ended(child)
  clearTimeout(late)
}

function firstLine(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGINT')
      reject(new Error(`the server is not ready after ${start_ms_max / 1000} s`))
    }, start_ms_max)
    child.once('exit', (code) => {
      clearTimeout(late)
      reject(new Error(`the server ended (${code}) before it was ready`))
    })
    if (child.stdout !== null) createInterface(child.stdout).once('line', () => {
      clearTimeout(late)
      resolve()
    })
  })
}
