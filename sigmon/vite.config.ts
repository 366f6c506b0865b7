import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'

/** Writes the service worker with the names of what it keeps, and a version that follows from them. */
function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    generateBundle(_, bundle) {
      const files = ['./', ...Object.keys(bundle).filter((name) => name !== 'index.html' && !name.endsWith('.map')), 'icon.svg', 'manifest.webmanifest']
      const page = bundle['index.html']
      const version = createHash('sha256').update(JSON.stringify(files)).update(page?.type === 'asset' ? page.source : '').digest('hex').slice(0, 12)
      const source = readFileSync(join(import.meta.dirname, 'worker.js'), 'utf8').replace('__FILES__', JSON.stringify(files)).replace('__VERSION__', version)
      this.emitFile({ type: 'asset', fileName: 'worker.js', source })
    },
  }
}

export default defineConfig({
  root: import.meta.dirname,
  base: '/sigmon/',
  plugins: [svelte(), serviceWorker()],
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2020', modulePreload: { polyfill: false } },
})
