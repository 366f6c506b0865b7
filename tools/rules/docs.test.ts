import assert from 'node:assert/strict'
import { matchesGlob, posix } from 'node:path'
import { test } from 'node:test'
import { eachMatch, plant, readTree, type Tree } from './files.ts'

/** Folders that are made, and so are not in the tree. */
const made = ['node_modules/', 'dist/', 'console/dist/', 'sigmon/dist/', 'verify/dist/', '.kawal/']
const isShared = (path: string): boolean => /^(\.\.\/)+shared(\/|$)/.test(path)

/** Whether a path names a file or folder, from the root or from where it is written; `*`, `{a,b}` and NAME stand for names. */
function exists(tree: Tree, folders: ReadonlySet<string>, from: string, path: string): boolean {
  if (isShared(path) || made.includes(path)) return true
  return [path, posix.join(posix.dirname(from), path)].map((each) => each.replace(/\/$/, '')).some((each) => {
    if (folders.has(each) || (!path.endsWith('/') && tree.has(each))) return true
    const glob = each.replace(/<[^>]+>|\b[A-Z]{3,}\b/g, '*')
    return glob.search(/[*{]/) >= 0 && [...tree.keys(), ...folders].some((known) => matchesGlob(known, glob))
  })
}

/** Code of a document: spans, fenced blocks and indented ones, with everything else blanked out so that lines stay. */
const codeOf = (text: string): string => {
  const blank = (part: string): string => part.replace(/[^\n]/g, ' ')
  let end = 0
  let code = ''
  for (const match of text.matchAll(/^```[\s\S]*?^```|`[^`\n]+`|^ {4}.+$/gm)) {
    code += blank(text.slice(end, match.index)) + match[0].replaceAll('`', ' ')
    end = match.index + match[0].length
  }
  return code + blank(text.slice(end))
}

const slug = (heading: string): string => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').trim().replaceAll(' ', '-')
const anchors = (text: string): string[] => [...text.matchAll(/^#+ (.+)$/gm)].map((match) => slug(match[1] ?? ''))

/** What documents, and comments that point to documents, name and the project does not have. */
function broken(tree: Tree): { found: string[]; documents: number; names: number } {
  const folders = new Set([...tree.keys()].flatMap((path) => path.split('/').slice(0, -1).map((_, index, all) => all.slice(0, index + 1).join('/'))))
  const base = new Set([...tree.keys()].map((path) => posix.basename(path)))
  const { scripts = {} } = JSON.parse(tree.get('package.json') ?? '{}') as { scripts?: Record<string, string> }
  const commands = new Set([...tree].filter(([path]) => /^server\/src\/cli\/(kawal|org-commands|verify-commands)\.ts$/.test(path)).flatMap(([, text]) => [...text.matchAll(/\bprogram\s*\.command\('([a-z-]+)/g)]).map((match) => match[1]))
  const found: string[] = []
  let names = 0
  const check = (path: string, text: string, pattern: RegExp, isThere: (name: string) => boolean, what: string, counts: (name: string) => boolean = () => true): void =>
    eachMatch(text, pattern, (match, line) => {
      const name = match[1] ?? match[2] ?? ''
      if (!counts(name)) return
      names++
      if (!isThere(name)) found.push(`${path}:${line} ${name}: ${what}`)
    })
  const documents = [...tree].filter(([path]) => path.endsWith('.md'))
  for (const [path, text] of documents) {
    const code = codeOf(text)
    const leads = (link: string): boolean => {
      const [to = '', anchor] = link.split('#')
      const target = to === '' ? path : posix.join(posix.dirname(path), to)
      return isShared(to) || (to !== '' && folders.has(target.replace(/\/$/, ''))) || (tree.has(target) && (anchor === undefined || anchors(tree.get(target) ?? '').includes(anchor)))
    }
    check(path, text, /\]\((?!\w+:)([^)\s]+)[^)]*\)|<img[^>]* src="(?!\w+:)([^"]+)"/g, leads, 'this link leads nowhere')
    const word = /(?<![^\s(='"])((?:\.{1,2}\/)*[\w@.*{<][\w@.,*{}<>-]*(?:\/[\w@.,*{}<>-]+)*\/?)(?=[\s)'":;,]|$)/gm
    const looksLikePath = (name: string): boolean => name.includes('/') && (/\/$|\.(ts|svelte|mjs|js|md|sql|json|css|html|png|yml)$/.test(name) || folders.has(name.split('/')[0] ?? ''))
    check(path, code, word, (name) => exists(tree, folders, path, name), 'there is no such path', looksLikePath)
    check(path, code, word, (name) => base.has(name), 'there is no file of that name', (name) => /^[\w.-]*[a-z][\w.-]*\.(ts|svelte|mjs|sql|md)$/.test(name))
    check(path, text, /\bnpm run (?:-\S+ )*([a-z][\w:-]*)/g, (name) => name in scripts, 'package.json has no such script')
    check(path, text, /\bnpm run (?:-\S+ )*bench -- ([a-z][\w-]*)/g, (name) => tree.has(`bench/${name}.ts`), 'there is no such bench')
    check(path, code, /(?:(?<![\w./@-])kawal|cli\/kawal\.ts)(?: --)?(?: --(?:data|json)(?: [./]\S+)?)* ([a-z][a-z-]*)/g, (name) => commands.has(name), 'kawal has no such command')
  }
  for (const [path, text] of tree) if (/\.(ts|svelte|mjs|js|sql|css)$/.test(path) && !path.startsWith('tools/rules/'))
    check(path, text, /(?<![\w./])((?:\.{1,2}\/)*\w[\w-]*(?:\/[\w.-]+)*\.md)\b/g, (name) => exists(tree, folders, path, name), 'there is no such document')
  return { found: [...new Set(found)], documents: documents.length, names }
}

const tree = readTree()

test('what documents and comments name is there: links, pictures, paths, scripts, benches, commands', () => {
  const { found, documents, names } = broken(tree)
  assert.ok(documents > 0 && names > 50, `only ${documents} documents and ${names} names were seen`)
  assert.deepEqual(found, [])
})

test('planted broken links, paths, scripts, benches and commands are found', () => {
  const text = [
    '[a](gone.md) ![b](pictures/gone.png) <img alt="" src="gone.png"> [c](../core/kernel/clock.ts) [d](https://example.org/x.md) [e](#top) [f](#gone)', '# Top', 'see `core/gone.ts`, `gone/`, `server/`, `bench/NAME.ts`, `core/*/clock.ts`, `application/json`, `/v1/reports`',
    'run `npm run gone` or `npm test -- core/ticket`', '```', 'npm run -s bench -- gone', 'kawal serve && kawal --data ./x gone', '```', '    kawal import register ../shared/data/register', '    node_modules/', 'the `gone.ts` and `clock.ts`',
  ].join('\n')
  const { found } = broken(plant(tree, { 'docs/bad.md': text, 'core/kernel/bad.ts': '// see spec/gone.md and ../shared/design/style.md' }))
  const planted = found.filter((line) => /bad\.(md|ts):/.test(line)).map((line) => line.replace(/^(docs|core\/kernel)\//, '').replace(/: .*/, ''))
  assert.deepEqual(planted, [
    'bad.md:1 gone.md', 'bad.md:1 pictures/gone.png', 'bad.md:1 gone.png', 'bad.md:1 #gone', 'bad.md:3 core/gone.ts', 'bad.md:3 gone/', 'bad.md:11 gone.ts', 'bad.md:4 gone', 'bad.md:6 gone', 'bad.md:7 gone', 'bad.ts:1 spec/gone.md'])
})
