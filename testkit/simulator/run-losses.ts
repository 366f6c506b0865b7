import { lossesOf } from './losses.ts'
import { sparse } from './plan.ts'
import { simulate } from './simulate.ts'

/** `node testkit/simulator/run-losses.ts FROM [COUNT]`: seeds with planted losses, and what the report of what lacks made of them; one line of JSON at the end. */
const [from = '1', count = '1'] = process.argv.slice(2)
const began = process.cpuUsage()
const kinds: Record<string, number> = {}
let [untrue, unsaid] = [0, 0]
for (let seed = Number(from); seed < Number(from) + Number(count); seed++) {
  const { gaps: { said, wanted } } = await simulate(seed, lossesOf(), sparse)
  const wrong = [...said.filter((line) => !wanted.includes(line)).map((line) => `says ${line}, which is not so`), ...wanted.filter((line) => !said.includes(line)).map((line) => `does not say ${line}`)]
  untrue += said.filter((line) => !wanted.includes(line)).length
  unsaid += wanted.filter((line) => !said.includes(line)).length
  for (const line of wanted) kinds[line.split(' ')[0] ?? ''] = (kinds[line.split(' ')[0] ?? ''] ?? 0) + 1
  for (const line of wrong.slice(0, 10)) process.stderr.write(`seed ${seed} ${line}\n`)
}
const { user, system } = process.cpuUsage(began)
process.stdout.write(`${JSON.stringify({ seeds: Number(count), kinds, untrue, unsaid, cpu_s: Math.round((user + system) / 1_000) / 1_000 })}\n`)
