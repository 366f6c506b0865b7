import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { encode } from 'uqr'
import { build } from 'vite'

const kinds: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

export interface Stage {
  readonly address: string
  close(): void
}

/** The dark squares of a QR as rows of 0 and 1, to be drawn by a page. */
export const squaresOf = (text: string): number[][] => encode(text, { border: 4 }).data.map((row) => row.map(Number))

/** Builds the stage as Sigmon itself is built, and serves it. */
export async function openStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-stage-'))
  const input = join(import.meta.dirname, 'stage.html')
  await build({
    configFile: false, root: import.meta.dirname, base: './', logLevel: 'error', plugins: [svelte({ configFile: false })],
    build: { outDir: folder, emptyOutDir: true, target: 'es2020', modulePreload: { polyfill: false }, rolldownOptions: { input } },
  })
  const server = createServer((request, response) => {
    const file = join(folder, new URL(request.url ?? '/', 'http://localhost').pathname)
    if (!file.startsWith(folder) || !existsSync(file)) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': kinds[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/stage.html`,
    close() {
      server.close()
      server.closeAllConnections()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
