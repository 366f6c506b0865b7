import { execFile } from 'node:child_process'
import { globSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { makeData } from '@kawal/testkit/postgres.ts'
import { scratchOfRun } from '@kawal/testkit/scratch.ts'

/** `npm test [-- PART]`: the type checks, then every test; PART picks the files whose path holds it. */
const root = join(import.meta.dirname, '..')
const part = process.argv[2] ?? ''
/** No test takes longer, and all of them together no longer than this: what hangs must fail, by its name. */
const timeout_ms = 6 * 60_000
const all_ms = 20 * 60_000
/**
 * These hold what a browser measures against a rate or a time that is given, or want a load to be real within moments:
 * they run first, with a processor each.
 */
const measures = /\b(accuracy|ndt7|verdict|budget|durability)\.test\.ts$/
/** A minute and a half each, most of it waiting: they begin first, or a processor would wait for their end. */
const longest = /\b(e2e\/loop|durability)\.test\.ts$/
/** Of a check that finds a fault in every file. */
const output_bytes_max = 64 * 1024 * 1024

let passed = 0
let failed = 0
let skipped = 0

// What every test's process would make again: its programs without their types, and a first database.
const folder = scratchOfRun()
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
process.env['NODE_COMPILE_CACHE'] = join(folder, 'programs')
await makeData(join(folder, 'data')).catch((error: unknown) => process.stdout.write(`Each test makes its own first database: none could be made for all. ${String(error)}\n`))

const bin = (name: string): string => join(root, 'node_modules', '.bin', name)
const checks: readonly (readonly [string, string, readonly string[]])[] = [
  ['types of the core', bin('tsc'), ['-p', 'core']],
  ['types', bin('tsc'), ['-p', '.']],
  ['types of the browser tests', bin('tsc'), ['-p', 'e2e']],
  ['types of the console', bin('svelte-check'), ['--workspace', 'console', '--fail-on-warnings', '--output', 'human']],
  ['types of sigmon', bin('svelte-check'), ['--workspace', 'sigmon', '--fail-on-warnings', '--output', 'human']],
  ['types of verify', bin('svelte-check'), ['--workspace', 'verify', '--fail-on-warnings', '--output', 'human']],
]
const left = part === '' ? [...checks] : []
async function checkTypes(): Promise<void> {
  for (let check = left.shift(); check !== undefined; check = left.shift()) {
    const [name, command, args] = check
    const fault = await new Promise<string | null>((resolve) => execFile(command, args, { cwd: root, maxBuffer: output_bytes_max }, (error, out, errors) => resolve(error === null ? null : out + errors || String(error))))
    process.stdout.write(`${fault === null ? 'ok   ' : 'FAIL '} ${name}\n${fault ?? ''}`)
    if (fault === null) passed++
    else failed++
  }
}
await Promise.all([checkTypes(), checkTypes()])

const files = globSync('{android,bench,console,contract,core,e2e,server,sigmon,testkit,tools,verify}/**/*.test.ts', { cwd: root, exclude: (name) => name.includes('node_modules') || name.includes('dist') })
  .filter((file) => file.includes(part)).sort((one, other) => Number(longest.test(other)) - Number(longest.test(one)) || (one < other ? -1 : 1)).map((file) => join(root, file))
const isFile = (name: string): boolean => files.some((file) => name === file || name === relative(root, file))
const ends = AbortSignal.timeout(all_ms)

async function runFiles(some: readonly string[], concurrency: number): Promise<void> {
  if (some.length === 0) return
  const stream = run({ files: some, concurrency, timeout: timeout_ms, cwd: root, signal: ends, execArgv: ['--import', join(import.meta.dirname, 'end-of-file.ts')] })
  stream.on('test:pass', (event) => {
    if (event.details.type === 'suite' || isFile(event.name)) return
    if (event.skip !== undefined || event.todo !== undefined) skipped++
    else passed++
  })
  stream.on('test:fail', (event) => {
    if (event.details.type !== 'suite') failed++
  })
  stream.compose(spec()).pipe(process.stdout, { end: false })
  await new Promise((resolve) => stream.on('end', () => setImmediate(resolve)))
}
const [measured, others] = parted(files, (file) => measures.test(file))
const [browsers, rest] = parted(others, (file) => /^(console|e2e|sigmon)\//.test(relative(root, file)))
const [simulations, short] = parted(rest, (file) => file.includes('simulator'))
await runFiles(measured, availableParallelism())
// A page with two others beside it waits for longer than its test does; simulations give way to it (testkit/simulator/give-way.ts), and take what it leaves of the processors.
await Promise.all([runFiles(browsers, availableParallelism()), runFiles(simulations, 1)])
// These wait for a database more than for a processor.
await runFiles(short, availableParallelism() + 1)

if (passed + failed === 0) process.stdout.write(`No test matches ${part}.\n`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)

function parted<T>(all: readonly T[], isFirst: (each: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((each) => !isFirst(each))]
}
