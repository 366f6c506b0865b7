import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium as playwright, type Browser, type BrowserContext } from 'playwright-core'
import { chromiumCommand } from './browser.ts'

/** Chromium sometimes dies of itself (a fault in its own thread pool) before it has opened anything: that is not what is tried here. */
const starts_max = 3
const start_ms_max = 30_000

/** A browser with a profile of its own on disk, which can be killed as a phone without power is. */
export interface Phone {
  context(): BrowserContext
  /** Ends it with SIGKILL, all its processes at once. */
  kill(): Promise<void>
  /** Starts it once more on what is on its disk. */
  start(): Promise<void>
  close(): Promise<void>
}

/** How a browser is started. `libraries`: a folder of shared libraries that it needs beside the system's. */
export interface BrowserCommand { readonly path: string; readonly args: readonly string[]; readonly libraries?: string }

export async function openPhone(command?: BrowserCommand): Promise<Phone> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-phone-'))
  const { path, args, libraries }: BrowserCommand = command ?? (await chromiumCommand())
  let child: ChildProcess | null = null
  let browser: Browser | null = null
  const phone: Phone = {
    context() {
      const context = browser?.contexts()[0]
      if (context === undefined) throw new Error('the phone is off')
      return context
    },
    async start() {
      for (let left = starts_max; ; left--) {
        // A process group of its own: a browser is many processes, and a phone without power stops all.
        child = spawn(path, [...args, `--user-data-dir=${folder}`, '--remote-debugging-port=0', 'about:blank'], {
          stdio: ['ignore', 'ignore', 'pipe'], detached: true, env: { ...process.env, ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }) },
        })
        const address = await addressOf(child).catch((error: unknown) => {
          if (left <= 1 || child?.signalCode == null) throw error
          return null
        })
        if (address === null) continue
        browser = await playwright.connectOverCDP(address)
        return
      }
    },
    async kill() {
      const { pid, exitCode, signalCode } = child ?? {}
      // It may have ended by itself: what went wrong then is told by whoever used it.
      if (pid === undefined || exitCode !== null || signalCode !== null) return
      const ended = new Promise((resolve) => child?.once('exit', resolve))
      process.kill(-pid, 'SIGKILL')
      await ended
      await browser?.close().catch(() => undefined)
    },
    async close() {
      await phone.kill()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  await phone.start().catch(async (error: unknown) => {
    await phone.close()
    throw error
  })
  return phone
}

/** Where it listens: Chromium tells it, of 2021 as of today. Rejects with the last that it said instead. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let told = ''
    const fail = (why: string): void => reject(new Error(`Chromium did not start (${why}): ${told.slice(-400)}`))
    const timer = setTimeout(() => fail('too slow'), start_ms_max)
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code) => fail(`it ended with ${code}`))
    child.stderr?.on('data', (text: Buffer) => {
      told = (told + text.toString()).slice(-4_000)
      const [, address] = /DevTools listening on (ws:\S+)/.exec(told) ?? []
      if (address === undefined) return
      clearTimeout(timer)
      resolve(address)
    })
  })
}

/** Builds the engine's page of Sigmon; another `version` is another build. */
export function buildEngine(version: string): string {
  const root = join(import.meta.dirname, '..')
  const folder = mkdtempSync(join(tmpdir(), 'kawal-engine-'))
  const done = spawnSync(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', 'sigmon/test', '--config', 'sigmon/test/vite.config.ts', '--outDir', folder, '--logLevel', 'error'], {
    cwd: root, encoding: 'utf8', env: { ...process.env, VERSION: version },
  })
  if (done.status !== 0) throw new Error(`the engine could not be built: ${done.stdout}${done.stderr}`)
  return folder
}
