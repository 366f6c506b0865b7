import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

/** Every file of the project by its path from the root; a binary file has an empty text. A rule takes one, so that a test can plant. */
export type Tree = ReadonlyMap<string, string>

/** What Git tracks or would track; without Git (an unpacked archive) everything but what is built or installed. */
export function readTree(folder = root): Tree {
  const git = spawnSync('git', ['ls-files', '-coz', '--exclude-standard'], { cwd: folder, encoding: 'utf8' })
  const listed = git.status === 0 ? git.stdout.split('\0').filter((path) => path !== '') : []
  const tree = new Map<string, string>()
  for (const path of (listed.length > 0 ? listed : walk(folder, '')).sort()) {
    // a file that Git knows and somebody has just removed, and a link into another folder
    if (statSync(join(folder, path), { throwIfNoEntry: false })?.isFile() !== true) continue
    const text = readFileSync(join(folder, path), 'utf8')
    tree.set(path, text.includes('\0') ? '' : text)
  }
  return tree
}

function walk(folder: string, under: string): string[] {
  const skipped = ['node_modules', 'dist', '.git', '.kawal']
  return readdirSync(join(folder, under), { withFileTypes: true }).filter((entry) => !skipped.includes(entry.name)).flatMap((entry) => {
    const path = under === '' ? entry.name : `${under}/${entry.name}`
    return entry.isDirectory() ? walk(folder, path) : [path]
  })
}

export const isTest = (path: string): boolean => path.endsWith('.test.ts')

/** The tree with files added or replaced: a planted violation. */
export const plant = (tree: Tree, files: Record<string, string>): Tree => new Map([...tree, ...Object.entries(files)])

/** Calls `found` with each match and the line (from 1) it begins on. */
export function eachMatch(text: string, pattern: RegExp, found: (match: RegExpExecArray, line: number) => void): void {
  for (const match of text.matchAll(pattern)) found(match, text.slice(0, match.index).split('\n').length)
}
