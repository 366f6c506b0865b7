import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from './browser.ts'

let browser: Browser
before(async () => void (browser = await launchBrowser()))
after(() => browser.close())

test('shell.js: what is asked before the port waits for it, answers and faults find who asked, states are told, and a new port takes the place of the old', { timeout: 60_000 }, async () => {
  const page = await browser.newPage()
  await page.addScriptTag({ path: join(import.meta.dirname, '../android/web/shell.js') })
  const seen = await page.evaluate(async () => {
    interface Shell { kawalShell: { version: number; ask(what: string, given?: object): Promise<unknown>; told(what: string, run: (is: unknown) => void): void }; kawalRadio: { version: number; read(): Promise<unknown> } }
    const { kawalShell, kawalRadio } = globalThis as unknown as Shell
    const asked: string[] = []
    const told: unknown[] = []
    kawalShell.told('duty', (is) => told.push(is))
    /** Plays the native side: one port a load. */
    const open = (answer: (id: number, ask: string) => object | null): MessagePort => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = ({ data }: MessageEvent) => {
        asked.push(data as string)
        const { id, ask } = JSON.parse(data as string) as { id: number; ask: string }
        const given = answer(id, ask)
        if (given !== null) port1.postMessage(JSON.stringify({ id, ...given }))
      }
      dispatchEvent(new MessageEvent('message', { data: 'kawal-shell', ports: [port2] }))
      return port1
    }
    const early = kawalRadio.read()
    open((_, ask) => (ask === 'hang' ? null : ask === 'fly' ? { fault: 'This shell does not know the ask fly.' } : { is: { ask } }))
    const radio = await early
    const fault = await kawalShell.ask('fly').catch((error: unknown) => (error as Error).message)
    const hanging = kawalShell.ask('hang', { a: 1 })
    await kawalShell.ask('about')
    const next = open((_, ask) => ({ is: { again: ask } }))
    const again = await hanging
    next.postMessage(JSON.stringify({ told: 'duty', is: { on: true } }))
    next.postMessage(JSON.stringify({ told: 'weather', is: {} }))
    next.postMessage(JSON.stringify({ id: 999, is: {} }))
    await kawalShell.ask('about')
    return { asked, told, radio, fault, again, versions: [kawalShell.version, kawalRadio.version] }
  })
  assert.deepEqual(seen, {
    asked: ['{"id":1,"ask":"read"}', '{"id":2,"ask":"fly"}', '{"id":3,"ask":"hang","with":{"a":1}}', '{"id":4,"ask":"about"}', '{"id":3,"ask":"hang","with":{"a":1}}', '{"id":5,"ask":"about"}'],
    told: [{ on: true }], radio: { ask: 'read' }, fault: 'This shell does not know the ask fly.', again: { again: 'hang' }, versions: [1, 1],
  })
})
