import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { scratch } from '@kawal/testkit/scratch.ts'

interface Rehearsal {
  readonly console: string
  readonly sigmon: string
  readonly origin: string
  /** Milliseconds from the start of the program to the printed addresses. */
  readonly ready_ms: number
  /** What the program has told so far. */
  readonly told: () => string
  stop(): Promise<number | null>
}

const program = join(import.meta.dirname, '../server/src/cli/kawal.ts')

/** A data folder with the registers of `directory` imported, as a person would do it. */
export function importRegister(directory: string): string {
  const folder = scratch('e2e')
  const done = spawnSync(process.execPath, [program, 'import', 'register', directory, '--data', folder, '--rejects', folder], { stdio: ['ignore', 'ignore', 'inherit'] })
  if (done.status !== 0) throw new Error(`the import ended with ${done.status}`)
  return folder
}

/** Starts `kawal rehearse --show` as a person would, and waits for its addresses. The folder is removed at the end. */
export async function startRehearsal(args: readonly string[] = [], folder = scratch('e2e')): Promise<Rehearsal> {
  const port = await freePort()
  const began = Date.now()
  const child = spawn(process.execPath, [program, 'rehearse', '--show', '--data', folder, '--port', String(port), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let told = ''
  const addresses = new Map<string, string>()
  const ready = new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the rehearsal ended (${code}) before it was ready:\n${told}`)))
    for (const stream of [child.stdout, child.stderr])
      createInterface(stream).on('line', (line) => {
        told += line + '\n'
        const [, name, url] = /^\s+(Console|Sigmon|API)\s+(http\S+)/.exec(line) ?? []
        if (name !== undefined && url !== undefined) addresses.set(name, url)
        if (addresses.size === 3) resolve()
      })
  })
  await ready
  return {
    console: addresses.get('Console') ?? '', sigmon: addresses.get('Sigmon') ?? '', origin: `http://127.0.0.1:${port}`, ready_ms: Date.now() - began,
    told: () => told, stop: () => stop(child, folder),
  }
}

async function stop(child: ChildProcess, folder: string): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  if (child.exitCode === null) {
    child.kill('SIGINT')
    await ended
  }
  rmSync(folder, { recursive: true, force: true })
  return child.exitCode
}
