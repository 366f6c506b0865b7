import { join } from 'node:path'
import { defineConfig } from 'vite'
import { serviceWorker } from '../vite.config.ts'

/** The engine alone on a page, built and kept offline as the app is. `VERSION` makes builds that differ. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/sigmon/',
  publicDir: join(import.meta.dirname, '../public'),
  plugins: [serviceWorker()],
  define: { __VERSION__: JSON.stringify(process.env['VERSION'] ?? 'a') },
  build: { emptyOutDir: true, rollupOptions: { input: join(import.meta.dirname, 'index.html') }, target: 'es2020', modulePreload: { polyfill: false } },
})
