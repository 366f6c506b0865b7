import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Missing } from './missing.ts'

/** What a bench file exports as `run`: its figures under fixed keys, and whether every goal holds. */
interface Outcome {
  readonly ok: boolean
  readonly figures: Readonly<Record<string, number>>
  readonly seed: number
}

const [name = '', ...flags] = process.argv.slice(2)
const path = join(import.meta.dirname, `${name}.ts`)
const { values, wrong } = read(flags)

function read(flags: readonly string[]): { values: { json?: boolean; peer?: boolean; days?: string; seed?: string }; wrong: string | null } {
  try {
    const { values } = parseArgs({ args: [...flags], options: { json: { type: 'boolean' }, peer: { type: 'boolean' }, days: { type: 'string' }, seed: { type: 'string' } } })
    if (values.seed !== undefined && !/^\d{1,9}$/.test(values.seed)) return { values, wrong: `--seed ${values.seed}: it takes a whole number` }
    return { values, wrong: values.days === undefined || /^[1-9]\d{0,2}$/.test(values.days) ? null : `--days ${values.days}: it takes 1 to 999` }
  } catch (error) {
    return { values: {}, wrong: (error as Error).message }
  }
}

if (!/^[a-z-]+$/.test(name) || name === 'run' || name === 'missing' || !existsSync(path)) {
  process.stderr.write(`There is no bench ${name}. Usage: npm run -s bench -- NAME [--json] [--peer] [--days N] [--seed N]\n`)
  process.exitCode = 2
} else if (wrong !== null) {
  process.stderr.write(`A bench knows --json, --peer, --days N and --seed N. ${wrong}\n`)
  process.exitCode = 2
} else {
  try {
    const bench = (await import(path)) as { run(options: { peer: boolean; days?: number; seed?: number }): Promise<Outcome> }
    const { ok, figures, seed } = await bench.run({ peer: values.peer === true, ...(values.days === undefined ? {} : { days: Number(values.days) }), ...(values.seed === undefined ? {} : { seed: Number(values.seed) }) })
    if (values.json !== true) for (const [key, value] of Object.entries(figures)) process.stdout.write(`${key.padEnd(36)}${value}\n`)
    process.stdout.write(JSON.stringify({ bench: name, ok, figures, seed }) + '\n')
    process.exitCode = ok ? 0 : 4
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 5
  }
}
