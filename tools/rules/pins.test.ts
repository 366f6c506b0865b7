import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { plant, readTree, root, type Tree } from './files.ts'

interface Locked {
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly dev?: boolean
  readonly optional?: boolean
}

const permissive = new Set(['MIT', 'MIT-0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0', 'CC0-1.0', 'Unlicense', 'Zlib', 'Python-2.0', 'PostgreSQL'])
/** Licences that are none of these, package by package, and why they may stay. */
const excepted: Record<string, RegExp> = {
  // file-level copyleft: Vite's tool for style sheets, used unchanged, and nothing of it is in what we build or serve
  // and what signs and seals web push, in a package of its own that is used unchanged
  'MPL-2.0': /^(lightningcss(-[a-z0-9-]+)?|web-push)$/,
  // GDAL for what operators hand over, in a package of its own that anybody may exchange: used unchanged, and not
  // in what browsers load. The LGPL is not the GPL: a program that uses such a library keeps its own licence.
  'LGPL-2.1-or-later': /^gdal3\.js$/,
}

/** Versions are exact; the lock binds every package to its bytes and to no host. */
function loose(tree: Tree): string[] {
  const found: string[] = []
  for (const [path, text] of tree) {
    if (!/(^|\/)package\.json$/.test(path)) continue
    const manifest = JSON.parse(text) as Record<string, Record<string, string> | undefined>
    for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies', 'overrides'])
      for (const [name, version] of Object.entries(manifest[kind] ?? {})) if (!/^(npm:@?[\w./-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) found.push(`${path}: ${name} is ${version}: name one exact version`)
  }
  for (const [path, { resolved, integrity, link }] of locked(tree)) {
    if (resolved !== undefined && /:\/\/|^git|^file:/.test(resolved)) found.push(`package-lock.json: ${path} comes from ${resolved}: run npm with omit-lockfile-registry-resolved`)
    if (link !== true && integrity === undefined) found.push(`package-lock.json: ${path} has no integrity`)
  }
  return found
}

const locked = (tree: Tree): [string, Locked][] =>
  Object.entries((JSON.parse(tree.get('package-lock.json') ?? '{"packages":{}}') as { packages: Record<string, Locked> }).packages).filter(([path]) => path.includes('node_modules/'))

/** `(MIT OR GPL-3.0)` may be taken as MIT; with AND every one counts. */
const isPermissive = (licence: string): boolean =>
  licence.replace(/[()]/g, '').split(' OR ').some((choice) => choice.split(' AND ').every((each) => permissive.has(each.trim())))

function licences(tree: Tree, read: (path: string) => string | null): { found: string[]; seen: number } {
  const found: string[] = []
  let seen = 0
  for (const [path, { link, dev, optional }] of locked(tree)) {
    if (link === true || dev === true) continue
    const text = read(`${path}/package.json`)
    if (text === null && optional === true) continue
    const { license, licenses } = JSON.parse(text ?? '{}') as { license?: string | string[] | { type: string }; licenses?: { type: string }[] }
    // Manifests of old list what may be chosen from.
    const licence = typeof license === 'string' ? license : Array.isArray(license) ? license.join(' OR ') : (license?.type ?? licenses?.map((each) => each.type).join(' OR ') ?? 'not named')
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    seen++
    if (!isPermissive(licence) && excepted[licence]?.test(name) !== true) found.push(`${path}: its licence is ${licence}, which may not be passed on with ours: find another package`)
  }
  return { found, seen }
}

const tree = readTree()
const installed = (path: string): string | null => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : null)

test('versions are exact, and the lock binds each package to its bytes and to no host', () => {
  assert.ok(locked(tree).length > 200, 'the lock was seen')
  assert.deepEqual(loose(tree), [])
})

test('what the product stands on has permissive licences', () => {
  const { found, seen } = licences(tree, installed)
  assert.ok(seen > 150, `only ${seen} packages were seen: npm ci installs them`)
  assert.deepEqual(found, [])
})

test('planted ranges, hosts, missing sums and licences are found', () => {
  const planted = plant(new Map(), {
    'server/package.json': '{"dependencies":{"a":"^1.0.0","b":"1.2.3-beta.4"},"devDependencies":{"c":"latest"}}',
    'package-lock.json': JSON.stringify({ packages: { '': {}, 'node_modules/a': { resolved: 'https://registry.example/a.tgz', integrity: 'x' }, 'node_modules/b': {}, 'node_modules/@kawal/core': { resolved: 'core', link: true } } }),
  })
  assert.deepEqual(loose(planted).map((line) => line.split(': ').slice(0, 2).join(': ')), [
    'server/package.json: a is ^1.0.0', 'server/package.json: c is latest', 'package-lock.json: node_modules/a comes from https://registry.example/a.tgz', 'package-lock.json: node_modules/b has no integrity'])
  const found = (licence: unknown): number => licences(planted, (path) => JSON.stringify(path.includes('/a/') ? { license: licence } : { license: 'MIT' })).found.length
  for (const licence of ['GPL-3.0-or-later', 'AGPL-3.0', 'SSPL-1.0', 'LGPL-2.1', 'MIT AND GPL-2.0', 'MPL-2.0', undefined]) assert.equal(found(licence), 1, String(licence))
  for (const licence of ['MIT', '(MIT OR GPL-2.0)', 'MIT AND ISC', { type: 'ISC' }]) assert.equal(found(licence), 0, JSON.stringify(licence))
})
