import assert from 'node:assert/strict'
import { test } from 'node:test'
import ts from 'typescript'
import { isTest, plant, readTree } from './files.ts'
import { lineOf, readModules, type Module } from './modules.ts'

/** Clocks, chance, locale, the network and the process reach the core as arguments or not at all. */
const banned = new Set([
  'Date', 'Intl', 'process', 'console', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'performance', 'globalThis', 'crypto', 'navigator',
  'Math.random', 'toLocaleString', 'toLocaleDateString', 'toLocaleTimeString', 'toLocaleUpperCase', 'toLocaleLowerCase', 'localeCompare',
])
const packages = ['npm:@noble/hashes', 'npm:cborg', 'npm:h3-js']

const isCore = (module: Module): boolean => module.path.startsWith('core/') && !isTest(module.path)

/** Reads the syntax tree, so that comments and strings do not count. */
function impurities(modules: readonly Module[]): string[] {
  const found: string[] = []
  for (const { path, source, imports } of modules.filter(isCore)) {
    for (const { target, specifier, line } of imports)
      if (/^(npm|node|virtual):/.test(target) && !packages.includes(target)) found.push(`${path}:${line} imports ${specifier}: the core runs anywhere; take it as an argument`)
    const visit = (node: ts.Node): void => {
      const name = ts.isPropertyAccessExpression(node) && node.expression.getText(source) === 'Math' ? node.getText(source) : ts.isIdentifier(node) && !isKey(node) ? node.text : ''
      if (banned.has(name)) found.push(`${path}:${lineOf(source, node)} uses ${name}: what differs from run to run is an argument in the core`)
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  return found
}

/** `report.process` and `{ process: 1 }` name a field, not the global; a method of text that knows the locale does not escape so. */
function isKey(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node && !/locale/i.test(node.text)
  return (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodSignature(parent) || ts.isMethodDeclaration(parent)) && parent.name === node
}

const tree = readTree()

test('the core has no clock, no chance, no locale, no input or output', () => {
  const modules = readModules(tree)
  assert.ok(modules.filter(isCore).length > 20, 'the core was seen')
  assert.deepEqual(impurities(modules), [])
})

test('a planted impurity is found, a comment, a string or a field of that name is not', () => {
  const found = (text: string): string => impurities(readModules(plant(new Map(), { 'core/kernel/bad.ts': text }))).join('\n')
  assert.match(found('export const now = (): number =>\n  Date.now()'), /bad\.ts:2 uses Date/)
  assert.match(found('export const chance = Math.random'), /uses Math\.random/)
  assert.match(found('export const sorted = (a: string, b: string) => a.localeCompare(b)'), /uses localeCompare/)
  assert.match(found('export let at: Date'), /uses Date/)
  assert.match(found("import { join } from 'node:path'"), /imports node:path/)
  assert.match(found("import pg from 'pg'"), /imports pg/)
  assert.equal(found("import { sha256 } from '@noble/hashes/sha2.js'\n// Date.now()\nexport const a = { process: 'Math.random' }.process"), '')
})
