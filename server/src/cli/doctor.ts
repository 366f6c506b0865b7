import { spawnSync } from 'node:child_process'
import { existsSync, statfsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { createServer } from 'node:net'
import { joinDatabase } from './database.ts'
import { exits } from './exits.ts'

interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

/** Looks at everything a start needs, and says how to mend what is missing. */
export async function doctor(options: Record<string, string | undefined>): Promise<void> {
  const folder = resolve(options['data'] ?? '.kawal')
  const faces = join(import.meta.dirname, '../../..')
  const checks: Check[] = [
    { name: 'node', ok: Number(process.versions.node.split('.')[0]) >= 24, detail: `${process.versions.node}; 24 comes with the project: start with npm` },
    disk(folder),
    await port(5105),
    ...['console', 'sigmon'].map((face) => ({ name: face, ok: existsSync(join(faces, face, 'dist', 'index.html')), detail: 'built by npm start, npm test and npm run kawal' })),
    ...(process.getuid?.() === 0 ? [{ name: 'unshare', ok: spawnSync('unshare', ['--user', 'true']).status === 0, detail: 'lets the database run when root starts it; else start as an ordinary user' }] : []),
  ]
  try {
    const database = await joinDatabase(options['data'])
    await database.stop()
    checks.push({ name: 'database', ok: true, detail: 'starts and stops' })
  } catch (error) {
    checks.push({ name: 'database', ok: false, detail: (error as Error).message })
  }
  if (options['json'] === undefined) for (const check of checks) process.stdout.write(`${check.ok ? 'ok  ' : 'MEND'}  ${check.name.padEnd(10)}${check.detail}\n`)
  else process.stdout.write(JSON.stringify({ checks }) + '\n')
  if (checks.some((check) => !check.ok)) process.exitCode = exits.found
}

function disk(folder: string): Check {
  let existing = folder
  while (!existsSync(existing)) existing = dirname(existing)
  const room = statfsSync(existing)
  const free_mb = Math.floor((room.bavail * room.bsize) / 1_048_576)
  return { name: 'disk', ok: free_mb >= 2048, detail: `${free_mb} MB free for ${folder}; the national register takes about 1 GB` }
}

async function port(number: number): Promise<Check> {
  const server = createServer()
  const free = await new Promise<boolean>((resolve) => server.once('error', () => resolve(false)).listen(number, '127.0.0.1', () => resolve(true)))
  if (free) await new Promise((resolve) => server.close(resolve))
  return { name: 'port', ok: free, detail: free ? `${number} is free` : `${number} is taken; choose another with --port` }
}
