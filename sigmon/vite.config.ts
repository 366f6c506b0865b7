import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { build, defineConfig, type Plugin } from 'vite'
import { icons } from './icons.ts'

/**
 * Writes the service worker, when all else is there, with the hash of each file that it keeps; its version
 * follows from these. What is compressed beside a file is another form of it.
 */
export function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    async writeBundle({ dir }) {
      if (dir === undefined) throw new Error('the build has a folder')
      const names = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1).replaceAll('\\', '/'))
      const kept = names.filter((name) => !/(^worker\.js|\.map|\.br|\.gz)$|^\./.test(name)).sort()
      const files = kept.map((name) => [name === 'index.html' ? './' : name, `sha256-${createHash('sha256').update(readFileSync(join(dir, name))).digest('base64')}`])
      const version = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 12)
      // What stands before the part ends without a semicolon, and would be called.
      const parts: Readonly<Record<string, string>> = { __FILES__: JSON.stringify(files), __VERSION__: version, '/* __SYNC__ */': `;${await backgroundSync()}` }
      const source = readFileSync(join(import.meta.dirname, 'worker.js'), 'utf8').replace(/__FILES__|__VERSION__|\/\* __SYNC__ \*\//g, (name) => parts[name] ?? name)
      writeFileSync(join(dir, 'worker.js'), source)
    },
  }
}

/** What the worker sends with when no page is on screen: a script of its own, since a worker of 2021 loads no modules. */
async function backgroundSync(): Promise<string> {
  const entry = join(import.meta.dirname, 'src/queue/sync.ts')
  const built = await build({ configFile: false, logLevel: 'error', build: { write: false, target: 'es2020', lib: { entry, formats: ['iife'], name: 'sync' } } })
  const [result] = Array.isArray(built) ? built : [built]
  if (result === undefined || !('output' in result)) throw new Error('src/queue/sync.ts was not built')
  return result.output[0].code
}

/** The build that lies in the Android package (`--mode android`): the shell's script stands first in the page, and is kept with the rest. */
function shell(): Plugin {
  return {
    name: 'shell',
    transformIndexHtml: () => [{ tag: 'script', attrs: { src: '/sigmon/shell.js' }, injectTo: 'head-prepend' }],
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'shell.js', source: readFileSync(join(import.meta.dirname, '../android/web/shell.js')) })
    },
  }
}

export default defineConfig(({ mode }) => ({
  root: import.meta.dirname,
  base: '/sigmon/',
  plugins: [svelte(), icons(), ...(mode === 'android' ? [shell()] : []), serviceWorker()],
  build: { outDir: mode === 'android' ? '../android/build/assets/sigmon' : 'dist', emptyOutDir: true, target: 'es2020', modulePreload: { polyfill: false } },
}))
