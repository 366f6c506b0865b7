import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'
import { isTest, plant, readTree, type Tree } from './files.ts'
import { readModules, type Module } from './modules.ts'

/** Exports whose only use is in tests, and which their own file does not need either. Each says why it stays. */
const for_tests: Record<string, string> = {
  'core/ledger/growth.ts emptyEdge': 'where a log begins: tests write whole logs down from there',
  'core/ledger/signature.ts cosignText': 'what a witness signs: receipts of tests have some',
  'core/recap/receipt-code.ts readReceiptCode': 'a code as somebody types it: that codes are told apart is tested by it',
  'core/detection/intake.ts takeInEvidence': 'the same as takeIn in words: what simulated officers report is fed by it',
  'core/geo/terrain.ts elevationAt_m': 'one look at what profile reads along a line: it shows the terrain that was read',
}
/** Exports that a tool takes by their name alone. */
const by_convention = /^(bench\/[a-z-]+\.ts run|(console|sigmon|verify)\/(test\/)?vite\.config\.ts default)$/
/** What tests stand on: it may be used by tests alone. */
const isForTests = (path: string): boolean => isTest(path) || /^(testkit|e2e|(console|sigmon)\/test|tools)\//.test(path)
/** Benches, found by name by bench/run.ts; what Vite takes by name; declarations of modules that Vite makes. */
const isEntry = (path: string): boolean => /^bench\/[a-z-]+\.ts$|^(console|sigmon|verify)\/(vite\.config\.ts|index\.html)$|\.d\.ts$/.test(path)

/** Files that an import, a string (spawned or read by path) or a page's script leads to, from the entry points. */
function reached(tree: Tree, modules: readonly Module[], entries: readonly string[]): Set<string> {
  // the rules name files that they judge: that is no use of them
  const edges = new Map(modules.map(({ path, imports, strings }) => [path, [
    ...imports.map((each) => each.target), ...[...(path.startsWith('tools/rules/') ? [] : strings)].flatMap((text) => [posix.join(posix.dirname(path), text), text])]]))
  for (const [path, text] of tree) if (path.endsWith('.html')) edges.set(path, [...text.matchAll(/src="\/?([^"]+)"/g)].map((match) => posix.join(posix.dirname(path), match[1] ?? '')))
  const seen = new Set(entries)
  for (const path of seen) for (const next of edges.get(path) ?? []) if (edges.has(next)) seen.add(next)
  return seen
}

function deadFiles(tree: Tree, modules: readonly Module[]): string[] {
  const { scripts = {}, bin = {} } = JSON.parse(tree.get('package.json') ?? '{}') as { scripts?: Record<string, string>; bin?: Record<string, string> }
  const named = [...Object.values(bin), ...Object.values(scripts).flatMap((script) => script.split(/\s+/))].filter((word) => tree.has(word))
  const run = reached(tree, modules, [...named, ...[...tree.keys()].filter(isEntry)])
  const tested = reached(tree, modules, [...run, ...[...tree.keys()].filter(isTest)])
  return modules.flatMap(({ path }) => {
    if (!tested.has(path)) return [`${path} is reached from no command, page, bench or test: remove it`]
    return run.has(path) || isForTests(path) ? [] : [`${path} is reached from tests alone: use it or remove it`]
  })
}

function deadExports(modules: readonly Module[]): string[] {
  const users = new Map<string, { by: string; names: readonly string[]; text: string }[]>()
  for (const { path, source, imports } of modules) for (const { target, names } of imports)
    if (target !== path) users.set(target, [...(users.get(target) ?? []), { by: path, names, text: source.text }])
  return modules.filter(({ path }) => !isTest(path) && !path.endsWith('.d.ts')).flatMap(({ path, source, exports }) => exports.flatMap(({ name, line }) => {
    const key = `${path} ${name}`
    // a module taken whole uses the names that its taker writes
    const by = (users.get(path) ?? []).filter((user) => user.names.includes(name) || (user.names.includes('*') && new RegExp(`\\b${name}\\b`).test(user.text))).map((user) => user.by)
    if (by_convention.test(key) || by.some((user) => isForTests(path) || !isForTests(user))) return []
    const own = uses(source, name) > exports.filter((each) => each.name === name).length
    if (by.length === 0) return [`${path}:${line} exports ${name}, which no other file uses: ${own ? 'drop the word export' : 'remove it'}`]
    return own || key in for_tests ? [] : [`${path}:${line} ${name} is used by tests alone: remove it, or list it in tools/rules/dead.test.ts with the reason`]
  }))
}

function uses(source: ts.SourceFile, name: string): number {
  let count = 0
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node.text === name) count++
    ts.forEachChild(node, visit)
  }
  visit(source)
  return count
}

const tree = readTree()
const modules = readModules(tree)

test('every file is reached from an entry point', () => {
  assert.ok(modules.length > 80, 'the modules were seen')
  assert.deepEqual(deadFiles(tree, modules), [])
})

test('every export is used by another file', () => {
  assert.ok(modules.reduce((sum, each) => sum + each.exports.length, 0) > 200, 'the exports were seen')
  assert.deepEqual(deadExports(modules), [])
  for (const key of Object.keys(for_tests)) assert.ok(modules.some(({ path, exports }) => exports.some(({ name }) => key === `${path} ${name}`)), `${key} is gone: take it off the list`)
})

test('planted dead files and exports are found', () => {
  const files = { 'core/kernel/dead.ts': 'export const dead = 1', 'core/kernel/tested.ts': 'export const one = 1\nexport type Two = 2', 'core/kernel/tested.test.ts': "import { one } from './tested.ts'" }
  const planted = plant(tree, files)
  const files_found = deadFiles(planted, readModules(planted)).join('\n')
  assert.match(files_found, /dead\.ts is reached from no command/)
  assert.match(files_found, /tested\.ts is reached from tests alone/)
  const exports_found = deadExports(readModules(planted)).join('\n')
  assert.match(exports_found, /dead\.ts:1 exports dead, which no other file uses: remove it/)
  assert.match(exports_found, /tested\.ts:1 one is used by tests alone/)
  assert.match(exports_found, /tested\.ts:2 exports Two/)
})
