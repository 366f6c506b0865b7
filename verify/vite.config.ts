import { createHash } from 'node:crypto'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'

/**
 * One file with everything in it: it is kept on a stick, opened without a network, and has one hash. Its policy names its own script and style by their
 * hashes, so that nothing else runs in it, and nothing leaves it.
 */
function oneFile(): Plugin {
  return {
    name: 'one-file',
    enforce: 'post',
    generateBundle: {
      // Behind what Vite itself does to the program last.
      order: 'post',
      handler(_, bundle) {
        const page = bundle['index.html']
        if (page?.type !== 'asset') throw new Error('the build has a page')
        const policy = { __SCRIPT__: '', __STYLE__: '' }
        const put = (name: string, tag: RegExp, element: string, part: keyof typeof policy): void => {
          const file = bundle[name]
          // What would end the element, or begin a comment in it, may stand in a string of the program.
          const text = String(file?.type === 'chunk' ? file.code : file?.source).replace(/<(?=\/script|!--)/gi, '\\x3c').trim()
          const [found] = tag.exec(String(page.source)) ?? []
          if (found === undefined) throw new Error(`the page does not name ${name}`)
          page.source = String(page.source).replace(found, '').replace(element === 'script' ? '</body>' : '</head>', () => `<${element}${element === 'script' ? ' type="module"' : ''}>${text}</${element}>\n  ${element === 'script' ? '</body>' : '</head>'}`)
          policy[part] = `'sha256-${createHash('sha256').update(text).digest('base64')}'`
          delete bundle[name]
        }
        for (const name of Object.keys(bundle)) {
          if (name.endsWith('.js')) put(name, /\s*<script type="module"[^>]*src="[^"]+"[^>]*><\/script>/, 'script', '__SCRIPT__')
          else if (name.endsWith('.css')) put(name, /\s*<link rel="stylesheet"[^>]*>/, 'style', '__STYLE__')
        }
        page.source = String(page.source).replace(/__SCRIPT__|__STYLE__/g, (name) => policy[name as keyof typeof policy])
        if (Object.keys(bundle).length > 1 || policy.__SCRIPT__ === '' || policy.__STYLE__ === '') throw new Error(`the page is more than one file: ${Object.keys(bundle).join(', ')}`)
      },
    },
  }
}

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [svelte(), oneFile()],
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2020', modulePreload: false, cssCodeSplit: false, assetsInlineLimit: 0, rolldownOptions: { output: { codeSplitting: false } } },
})
