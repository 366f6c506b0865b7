import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { eachMatch, readTree, type Tree } from './files.ts'

/** In pieces, so that this file is clean of them itself. */
const folders = ['wo' + 'rk', 'ro' + 'ot', 'ho' + 'me']
const names = ['cl' + 'aude', 'anth' + 'ropic', 'chat' + 'gpt', 'cop' + 'ilot']
const traces: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`(?<![\\w.~-])/(${folders.join('|')})/`, 'g'), 'is a path of one machine: make it relative'],
  [new RegExp(`\\b(${names.join('|')})\\b`, 'gi'), 'is about how the text came about, which is no part of the project'],
  [new RegExp(`\\b${'A' + 'I'} (agent|assistant)s?\\b`, 'gi'), 'is about how the text came about, which is no part of the project'],
]

/** Paths of the machine and words of the workplace. `../shared` is the folder of reference data and may be named. */
function left(tree: Tree): string[] {
  const found: string[] = []
  for (const [path, text] of tree) for (const [pattern, why] of traces) eachMatch(`${path}\n${text}`, pattern, (match, line) => found.push(`${path}:${line - 1} ${match[0]} ${why}`))
  return found
}

test('no file tells where or how it was written', () => {
  const tree = readTree()
  assert.ok(tree.size > 150, `only ${tree.size} files were seen`)
  assert.deepEqual(left(tree), [])
})

test('planted traces are found, in a folder without Git too', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-self-'))
  try {
    for (const name of ['docs', 'node_modules']) mkdirSync(join(folder, name))
    writeFileSync(join(folder, 'docs/a.md'), `fine: ../shared/data, https://example.org/${folders[2]}/\nlook in /${folders[0]}/main\n`)
    writeFileSync(join(folder, 'docs/b.ts'), `// asked ${names[0]?.toUpperCase()}\n// and an ${'a' + 'i'} assistant`)
    writeFileSync(join(folder, 'node_modules/c.js'), `/${folders[1]}/`)
    assert.deepEqual(left(readTree(folder)).map((line) => line.split(' ')[0]), ['docs/a.md:2', 'docs/b.ts:1', 'docs/b.ts:2'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
