import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { availableParallelism } from 'node:os'

/** What came of some seeds of the simulator. `failed`: those in which a rule did not hold. */
interface Simulated {
  readonly seeds: number
  readonly violations: number
  readonly failed: readonly number[]
  /** Whether a seed that failed did so in the same way again; true where none did. */
  readonly replays: boolean
  readonly cpu_s: number
}

/** What the report of what lacks made of planted losses: lines that are not so, and losses that it does not name. */
export interface Losses { readonly seeds: number; readonly kinds: Readonly<Record<string, number>>; readonly untrue: number; readonly unsaid: number; readonly cpu_s: number }

const file = '../../testkit/simulator/run.ts'
const losses_file = '../../testkit/simulator/run-losses.ts'

/** Runs seeds `from` to before `from + count`, on all cores, in processes of their own. What failed is told on stderr, with its end. */
export async function runSimulator(from: number, count: number): Promise<Simulated> {
  const found = await inParts<Simulated>(file, from, count)
  return {
    seeds: found.reduce((sum, { seeds }) => sum + seeds, 0), violations: found.reduce((sum, { violations }) => sum + violations, 0), failed: found.flatMap(({ failed }) => failed), replays: found.every(({ replays }) => replays),
    cpu_s: found.reduce((sum, { cpu_s }) => sum + cpu_s, 0),
  }
}

export const runLosses = (from: number, count: number): Promise<Losses[]> => inParts<Losses>(losses_file, from, count)

/** What a script of the simulator says of its share of the seeds, which are split over all cores. */
function inParts<T>(script: string, from: number, count: number): Promise<T[]> {
  const parts = Math.max(1, Math.min(count, availableParallelism()))
  const sizes = Array.from({ length: parts }, (_, nth) => Math.floor(count / parts) + (nth < count % parts ? 1 : 0))
  return Promise.all(sizes.map((size, nth) => part<T>(script, from + sizes.slice(0, nth).reduce((sum, each) => sum + each, 0), size)))
}

function part<T>(script: string, from: number, count: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, script), String(from), String(count)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (piece: Buffer) => (text += String(piece)))
    child.on('error', reject).on('close', (code) => {
      const line = text.trimEnd().split('\n').at(-1) ?? ''
      if (line.startsWith('{')) resolve(JSON.parse(line) as T)
      else reject(new Error(`the simulator ended with ${code} at seeds ${from} to ${from + count - 1}, and said nothing`))
    })
  })
}
