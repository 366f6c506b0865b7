import { runSeeds, sayRun, simulate } from './simulate.ts'

/** `node testkit/simulator/run.ts FROM [COUNT]`: one line of JSON at the end; a seed that failed is told with its history. */
const [from = '1', count = '1'] = process.argv.slice(2)
const began = process.cpuUsage()
let [seeds, happenings] = [0, 0]
const failed = await runSeeds(Number(from), Number(count), (run) => {
  seeds++
  happenings += run.history.length
  if (run.violations.length > 0) process.stderr.write(`${sayRun(run)}\n`)
})
const [first] = failed
const isAlike = first === undefined || (await simulate(first.seed)).hash === first.hash
const { user, system } = process.cpuUsage(began)
process.stdout.write(`${JSON.stringify({ seeds, violations: failed.reduce((sum, { violations }) => sum + violations.length, 0), failed: failed.map(({ seed }) => seed), replays: isAlike, happenings, cpu_s: Math.round((user + system) / 1_000) / 1_000 })}\n`)
process.exitCode = failed.length > 0 ? 1 : 0
