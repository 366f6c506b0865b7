import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'
import { icons } from './icons.ts'

/**
 * Writes the service worker, when all else is there, with the hash of each file that it keeps; its version
 * follows from these. What is compressed beside a file is another form of it.
 */
export function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    writeBundle({ dir }) {
      if (dir === undefined) throw new Error('the build has a folder')
      const names = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1).replaceAll('\\', '/'))
      const kept = names.filter((name) => !/(^worker\.js|\.map|\.br|\.gz)$|^\./.test(name)).sort()
      const files = kept.map((name) => [name === 'index.html' ? './' : name, `sha256-${createHash('sha256').update(readFileSync(join(dir, name))).digest('base64')}`])
      const version = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 12)
      const source = readFileSync(join(import.meta.dirname, 'worker.js'), 'utf8').replace('__FILES__', JSON.stringify(files)).replace('__VERSION__', version)
      writeFileSync(join(dir, 'worker.js'), source)
    },
  }
}

export default defineConfig({
  root: import.meta.dirname,
  base: '/sigmon/',
  plugins: [svelte(), icons(), serviceWorker()],
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2020', modulePreload: { polyfill: false } },
})
