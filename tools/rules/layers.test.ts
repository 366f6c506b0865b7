import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTest, plant, readTree } from './files.ts'
import { readModules, type Import, type Module } from './modules.ts'

/** What each domain of the core stands on; edges are transitive. */
const core: Record<string, readonly string[]> = {
  kernel: [], organisation: ['kernel'], geo: ['kernel'], register: ['geo'], measurement: ['register'], atlas: ['measurement'], readiness: ['atlas'], siting: ['readiness'], access: ['readiness'],
  detection: ['readiness', 'measurement'], impact: ['detection', 'access'], ticket: ['impact'], notification: ['ticket'], ledger: ['kernel'], recap: ['register', 'ledger'], act: ['recap'],
}
core['rehearsal'] = Object.keys(core)

/** What each folder may import beside itself. The faces are imported by nobody but benches: one measures how the phone carries. */
const folders: Record<string, readonly string[]> = {
  core: [], contract: ['core'], server: ['core', 'contract'], sigmon: ['core', 'contract'], console: ['core', 'contract'], verify: ['core'],
  testkit: ['core', 'contract', 'server'], bench: ['core', 'contract', 'server', 'sigmon', 'testkit', 'e2e'], e2e: ['core', 'contract', 'server', 'testkit'], tools: ['testkit'], android: ['server'],
}

/**
 * Where both sides run at once, each as it is: the simulator has phones, boxes and the platform in one process. The page that verifies names a form
 * in Sigmon's words: what an officer signed and what a court reads are called the same.
 */
const inside: Record<string, readonly string[]> = { 'testkit/simulator/': ['sigmon'], 'verify/src/': ['sigmon'] }

const below = (domain: string): Set<string> => new Set([domain, ...(core[domain] ?? []).flatMap((each) => [...below(each)])])
const part = (path: string, index: number): string => path.split('/')[index] ?? ''

/** Why a file may not import another, or null where it may. */
function refusal(from: string, to: Import): string | null {
  if (to.target === '') return 'which does not exist'
  if (to.target === 'npm:typebox') return /^(contract|server)\//.test(from) ? null : 'but only contract/ and server/ know the schema library'
  if (/^(npm|node|virtual):/.test(to.target)) return null
  const [folder, other] = [part(from, 0), part(to.target, 0)]
  const allowed = folders[folder]?.concat(Object.entries(inside).flatMap(([path, more]) => (from.startsWith(path) ? more : [])))
  if (allowed === undefined) return `but ${folder}/ has no layer: give it one in tools/rules/layers.test.ts`
  if (folder !== other && !allowed.includes(other) && !(other === 'testkit' && isTest(from))) return `but ${folder}/ may import ${['itself', ...allowed].join(', ')} only`
  if (folder === 'core' && other === 'core') {
    const [domain, used] = [part(from, 1), part(to.target, 1)]
    if (!(domain in core)) return `but core/${domain}/ has no layer: give it one in tools/rules/layers.test.ts`
    if (!below(domain).has(used)) return `but core/${domain} stands on ${[...below(domain)].join(', ')} only`
  }
  return to.target.startsWith('server/src/adapters/') && folder === 'server' && !mayPick(from, to) ? 'but only app.ts and cli/ pick adapters: take the value as an argument' : null
}

/**
 * app.ts and the commands wire adapters up, and so do tests. A use case may name an adapter's types
 * (they are erased: its `Database` argument is given to it) and one value, `system`: the constant
 * caller of the server's own work, which touches no database.
 */
function mayPick(from: string, to: Import): boolean {
  if (/^server\/src\/(app\.ts$|cli\/|adapters\/)/.test(from) || isTest(from) || to.typeOnly) return true
  return to.target === 'server/src/adapters/postgres/database.ts' && to.names.join() === 'system'
}

const layers = (modules: readonly Module[]): string[] => modules.flatMap((module) => module.imports.flatMap((each) => {
  const why = refusal(module.path, each)
  return why === null ? [] : [`${module.path}:${each.line} imports ${each.specifier}, ${why}`]
}))

/** Cycles of any kind of import, `import type` included: two files that need each other are one. */
function cycles(modules: readonly Module[]): string[] {
  const edges = new Map(modules.map((module) => [module.path, module.imports.map((each) => each.target)]))
  const done = new Set<string>()
  const found: string[] = []
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push(`${[...trail.slice(trail.indexOf(path)), path].join(' -> ')}: a cycle; move what both need into a file of its own`)
    if (done.has(path) || trail.includes(path)) return
    for (const next of edges.get(path) ?? []) walk(next, [...trail, path])
    done.add(path)
  }
  for (const path of edges.keys()) walk(path, [])
  return [...new Set(found)]
}

const tree = readTree()

test('every import follows the layers, and there is no cycle', () => {
  const modules = readModules(tree)
  const resolved = modules.flatMap((module) => module.imports).filter((each) => tree.has(each.target))
  assert.ok(modules.length > 80 && resolved.length > 150, `only ${modules.length} modules and ${resolved.length} edges were seen`)
  assert.ok(modules.some((module) => module.path.endsWith('.svelte') && module.imports.length > 5), 'imports of components were seen')
  assert.deepEqual(layers(modules), [])
  assert.deepEqual(cycles(modules), [])
})

test('a planted import is found: up the core, into a face, an adapter, the schema library, nowhere, a cycle', () => {
  const found = (path: string, text: string): string => layers(readModules(plant(tree, { [path]: text }), [path])).join('\n')
  assert.match(found('core/geo/bad.ts', "import { judge } from '../measurement/judge.ts'"), /core\/geo stands on geo, kernel only/)
  assert.match(found('core/kernel/bad.ts', "import type { Live } from '@kawal/contract/live.ts'"), /core\/ may import itself only/)
  assert.match(found('testkit/bad.ts', "import { createBook } from '@kawal/sigmon/src/recap/book.ts'"), /testkit\/ may import itself, core, contract, server only/)
  assert.equal(found('testkit/simulator/good.ts', "import { createBook } from '@kawal/sigmon/src/recap/book.ts'"), '')
  assert.match(found('core/weather/bad.ts', "import '../kernel/clock.ts'"), /core\/weather\/ has no layer/)
  assert.match(found('sigmon/src/Bad.svelte', '<p>hi</p>\n<script lang="ts">\n  import App from \'../../console/src/App.svelte\'\n</script>'), /Bad\.svelte:3 .*sigmon\/ may import itself, core, contract only/)
  assert.match(found('e2e/bad.ts', "const { startFeed } = await import('@kawal/console/src/live.ts')"), /e2e\/ may import/)
  assert.match(found('server/src/ticket/bad.ts', "import { connect, type Database } from '../adapters/postgres/database.ts'"), /pick adapters/)
  assert.match(found('server/src/ticket/bad.ts', "import { withDatabase } from '@kawal/testkit/postgres.ts'"), /server\/ may import/)
  assert.match(found('console/src/bad.ts', "import { Type } from 'typebox/value'"), /schema library/)
  assert.match(found('server/src/bad.ts', "export { gone } from './gone.ts'"), /gone\.ts, which does not exist/)
  assert.equal(found('server/src/ticket/good.ts', "import { system, type Database } from '../adapters/postgres/database.ts'"), '')
  const circle = { 'core/geo/a.ts': "import type { B } from './b.ts'", 'core/geo/b.ts': "import { a } from './a.ts'" }
  assert.match(cycles(readModules(plant(tree, circle), Object.keys(circle))).join('\n'), /core\/geo\/a\.ts -> core\/geo\/b\.ts -> core\/geo\/a\.ts/)
})
