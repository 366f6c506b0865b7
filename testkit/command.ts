import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { copyData } from './postgres.ts'
import { scratch } from './scratch.ts'

interface Ended { readonly code: number | null; readonly out: string; readonly err: string }

const program = join(import.meta.dirname, '../server/src/cli/kawal.ts')

/** The commands as people call them, each a process, in a folder that goes with the test file. */
export function commandsIn(name: string) {
  const folder = scratch(name)
  after(() => rmSync(folder, { recursive: true, force: true }))
  copyData(join(folder, '.kawal'))
  const kawal = (...args: string[]): Promise<Ended> => {
    const child = spawn(process.execPath, [program, ...args], { cwd: folder, env: { ...process.env, LOG_LEVEL: 'error' } })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })))
  }
  /** What it prints with `--json`; anything but the exit code 0 fails the test. */
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, out, err } = await kawal(...args, '--json')
    assert.equal(code, 0, err)
    return JSON.parse(out) as T
  }
  return { folder, program, kawal, json }
}
