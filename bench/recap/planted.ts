import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

/** One mistake that somebody could make, and the test that has to see it. */
interface Bug {
  readonly name: string
  readonly file: string
  /** Stands in the file once; replaced by `bug`. */
  readonly right: string
  readonly bug: string
  readonly guard: Guard
}
/** A test by its file and a part of its name. */
interface Guard { readonly file: string; readonly test: string }

const photos = 'server/src/recap/photos.test.ts'
const ledger = 'server/src/ledger/ledger.test.ts'

const bugs: readonly Bug[] = [
  {
    name: 'acknowledged before fsync', file: 'server/src/recap/photo-store.ts', right: '      await file.sync()\n', bug: '      setImmediate(() => void file.sync().catch(() => undefined))\n',
    guard: { file: 'server/src/recap/disk.test.ts', test: 'what is answered for was synced' },
  },
  { name: 'relaxed durability', file: 'server/src/adapters/postgres/embedded.ts', right: "'synchronous_commit=on'", bug: "'synchronous_commit=off'", guard: { file: 'server/src/adapters/postgres/embedded.test.ts', test: 'a commit is on disk' } },
  { name: 'the same record twice', file: 'server/src/ledger/ledger.ts', right: '        if (placed.has(entry.name)) continue\n', bug: '', guard: { file: ledger, test: '64 times the same at once' } },
  { name: 'offset one too far', file: 'server/src/recap/photo-routes.ts', right: "reply.code(204).header('upload-offset', offset)", bug: "reply.code(204).header('upload-offset', offset + 1)", guard: { file: photos, test: 'cut at 60 offsets' } },
  {
    name: 'work after the lock is released', file: 'server/src/recap/photo-store.ts', right: 'if (offset === photo.size) await finish(photo, hash)\n', bug: 'if (offset === photo.size) setImmediate(() => void finish(photo, hash).catch(() => undefined))\n',
    guard: { file: photos, test: 'other bytes than the hash names' },
  },
  {
    name: 'sent before the answer', file: 'sigmon/src/recap/desk.ts', right: "  const file = await book.photo(id)\n  if (file === undefined) return 'aside'\n", bug: "  const file = await book.photo(id)\n  if (file === undefined) return 'aside'\n  await desk.sent(kept, id, to)\n",
    guard: { file: 'bench/recap/phone.test.ts', test: 'nothing is marked as sent' },
  },
  { name: "order by the phone's clock", file: 'server/src/recap/deliveries.ts', right: 'ORDER BY entry LIMIT', bug: 'ORDER BY made_at LIMIT', guard: { file: 'server/src/recap/forwarder.test.ts', test: 'in their order' } },
  {
    name: 'receipt before the entry is in a signed tree', file: 'server/src/ledger/ledger.ts', right: 'if (edge.size > newest.size) newest = await show(await treeNow())',
    bug: 'if (edge.size > newest.size) void treeNow().then(show).then((shown) => (newest = shown), () => undefined)', guard: { file: ledger, test: 'nothing is answered for what was not signed' },
  },
  { name: 'a name before the whole is there', file: 'server/src/recap/photo-store.ts', right: '`${nameOf(photo)}.part`', bug: 'nameOf(photo)', guard: { file: photos, test: 'two at once' } },
  { name: 'a partial tile one too narrow', file: 'server/src/ledger/ledger.ts', right: 'as Uint8Array).subarray(0, tile.width * 32)', bug: 'as Uint8Array).subarray(0, (tile.width - 1) * 32)', guard: { file: ledger, test: 'tiles and bundles are those' } },
]

const root = join(import.meta.dirname, '../..')
const copied = ['bench', 'contract', 'core', 'server', 'sigmon', 'testkit']
const guard_ms_max = 120_000

/**
 * Plants each bug in a copy of the program and runs its guard there, which has to fail; unplanted it has to pass.
 * @returns how many were caught
 * @throws Error where the code has moved and a bug cannot be planted, or a guard fails by itself
 */
export async function catchPlanted(say: (text: string) => void): Promise<number> {
  const copy = mkdtempSync(join(tmpdir(), 'kawal-planted-'))
  try {
    copyProgram(copy)
    const sound = new Set<string>()
    let caught = 0
    for (const { name, file, right, bug, guard } of bugs) {
      const path = join(copy, file)
      const source = readFileSync(path, 'utf8')
      if (source.split(right).length !== 2) throw new Error(`${name}: what is to be replaced stands in ${file} ${source.split(right).length - 1} times: plant it anew`)
      const key = `${guard.file} ${guard.test}`
      if (!sound.has(key) && (await run(copy, guard)) !== 'passes') throw new Error(`${key} does not pass without a bug`)
      sound.add(key)
      writeFileSync(path, source.replace(right, () => bug))
      const seen = await run(copy, guard)
      writeFileSync(path, source)
      if (seen === 'fails') caught++
      say(`planted: ${name}: ${seen === 'fails' ? 'caught' : `NOT CAUGHT (${guard.test} ${seen})`}`)
    }
    return caught
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** The sources as files of their own; packages by links, the workspaces' own to the copy. */
function copyProgram(to: string): void {
  const isSource = (path: string): boolean => !['node_modules', 'dist'].includes(basename(path))
  for (const folder of copied) cpSync(join(root, folder), join(to, folder), { recursive: true, filter: isSource })
  cpSync(join(root, 'package.json'), join(to, 'package.json'))
  mkdirSync(join(to, 'node_modules/@kawal'), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules'))) if (name !== '@kawal' && name !== '.bin') symlinkSync(join(root, 'node_modules', name), join(to, 'node_modules', name))
  for (const folder of copied) if (folder !== 'bench') symlinkSync(join(to, folder), join(to, 'node_modules/@kawal', folder))
}

/** `fails` only where the guard itself says so: a program that does not even start catches nothing. */
function run(folder: string, { file, test }: Guard): Promise<'passes' | 'fails' | 'is not there or does not end'> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--test-reporter=tap', `--test-name-pattern=${test}`, file], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
    const late = setTimeout(() => child.kill('SIGINT'), guard_ms_max)
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece))
    child.once('close', () => {
      clearTimeout(late)
      const verdict = new RegExp(`^(not ok|ok) \\d+ - .*${test}(?!.*# SKIP)`, 'm').exec(text)?.[1]
      resolve(verdict === 'ok' ? 'passes' : verdict === 'not ok' ? 'fails' : 'is not there or does not end')
    })
  })
}
