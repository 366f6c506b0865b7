import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import type { BrowserCommand } from './phone.ts'

const flags = ['--headless', '--no-sandbox', '--no-zygote', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--no-default-browser-check', '--hide-scrollbars', '--window-size=360,640']
const tar_block = 512

/** Chromium 92, of July 2021, out of an npm package: its files are compressed there. */
export function unpackOldEngine(): BrowserCommand & { remove(): void } {
  const bin = join(dirname(createRequire(import.meta.url).resolve('chromium-2021/package.json')), 'bin')
  const folder = mkdtempSync(join(tmpdir(), 'kawal-2021-'))
  const path = join(folder, 'chromium')
  writeFileSync(path, brotliDecompressSync(readFileSync(join(bin, 'chromium.br'))))
  chmodSync(path, 0o755)
  untar(brotliDecompressSync(readFileSync(join(bin, 'aws.tar.br'))), folder)
  return { path, args: flags, libraries: join(folder, 'lib'), remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) }
}

/** The regular files of a ustar archive (POSIX.1-1988): name at 0, size in octal at 124, kind at 156. */
function untar(archive: Buffer, folder: string): void {
  const text = (at: number, length: number): string => archive.toString('latin1', at, at + length).replace(/\0.*$/s, '')
  for (let at = 0; at + tar_block <= archive.length; ) {
    const size = Number.parseInt(text(at + 124, 12).trim() || '0', 8)
    const [name, kind] = [text(at, 100), text(at + 156, 1)]
    const body = at + tar_block
    at = body + Math.ceil(size / tar_block) * tar_block
    if (name === '' || !/^0?$/.test(kind) || name.split('/').includes('..')) continue
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), archive.subarray(body, body + size))
  }
}
