import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Missing } from './missing.ts'

/** What a bench file exports as `run`: its figures under fixed keys, and whether every goal holds. */
interface Outcome {
  readonly ok: boolean
  readonly figures: Readonly<Record<string, number>>
  readonly seed: number
}

const [name = '', ...flags] = process.argv.slice(2)
const path = join(import.meta.dirname, `${name}.ts`)
const known = ['--json', '--peer']
const wrong = flags.find((flag) => !known.includes(flag))

if (!/^[a-z-]+$/.test(name) || name === 'run' || name === 'missing' || !existsSync(path)) {
  process.stderr.write(`There is no bench ${name}. Usage: npm run -s bench -- NAME [--json] [--peer]\n`)
  process.exitCode = 2
} else if (wrong !== undefined) {
  process.stderr.write(`A bench knows --json and --peer, not ${wrong}.\n`)
  process.exitCode = 2
} else {
  try {
    const bench = (await import(path)) as { run(options: { peer: boolean }): Promise<Outcome> }
    const { ok, figures, seed } = await bench.run({ peer: flags.includes('--peer') })
    if (!flags.includes('--json')) for (const [key, value] of Object.entries(figures)) process.stdout.write(`${key.padEnd(36)}${value}\n`)
    process.stdout.write(JSON.stringify({ bench: name, ok, figures, seed }) + '\n')
    process.exitCode = ok ? 0 : 4
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 5
  }
}
