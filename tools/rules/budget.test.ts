import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { root } from './files.ts'

/** Sigmon opens on a slow network: 60 KiB of script, gzipped. The console's budget is in console/console.test.ts. */
const bytes_max = 60 * 1024

/** The scripts that the page names and all that these import at once, and their size as sent. */
function initial(dist: string): { scripts: Set<string>; bytes: number } {
  const html = readFileSync(join(dist, 'index.html'), 'utf8')
  const scripts = new Set([...html.matchAll(/(?:src|href)="\/?(?:sigmon\/)?([^"]+\.js)"/g)].map((match) => join(dist, match[1] ?? '')))
  for (const script of scripts) for (const [, next] of readFileSync(script, 'utf8').matchAll(/\b(?:from|import)\s*["'](\.[^"']+)["']/g)) scripts.add(join(dirname(script), next ?? ''))
  return { scripts, bytes: [...scripts].reduce((sum, script) => sum + gzipSync(readFileSync(script)).length, 0) }
}

function overBudget(dist: string): string[] {
  const { scripts, bytes } = initial(dist)
  if (scripts.size === 0) return [`${dist}/index.html names no script`]
  return bytes > bytes_max ? [`${dist} opens with ${bytes} bytes of script, gzipped; at most ${bytes_max}: load later what the first screen does not need`] : []
}

test(`the initial script of sigmon is at most ${bytes_max} bytes gzipped`, () => {
  const dist = join(root, 'sigmon/dist')
  assert.ok(existsSync(dist), 'sigmon/dist is missing: node tools/setup.mjs builds it')
  assert.deepEqual(overBudget(dist), [])
  assert.ok(initial(dist).bytes > 5_000, 'the script was seen')
})

test('a planted large import of the first script is found, one that is loaded later is not', () => {
  const dist = mkdtempSync(join(tmpdir(), 'kawal-budget-'))
  try {
    mkdirSync(join(dist, 'assets'))
    writeFileSync(join(dist, 'index.html'), '<script type="module" crossorigin src="/sigmon/assets/a.js"></script>')
    writeFileSync(join(dist, 'assets/b.js'), `export default "${randomBytes(100_000).toString('hex')}"`)
    writeFileSync(join(dist, 'assets/a.js'), 'const b=()=>import("./b.js");')
    assert.deepEqual(overBudget(dist), [])
    writeFileSync(join(dist, 'assets/c.js'), 'export{default}from"./b.js";')
    writeFileSync(join(dist, 'assets/a.js'), 'import{b}from"./c.js";')
    assert.match(overBudget(dist).join(), /at most 61440/)
    writeFileSync(join(dist, 'index.html'), '<p>nothing</p>')
    assert.match(overBudget(dist).join(), /names no script/)
  } finally {
    rmSync(dist, { recursive: true })
  }
})
