import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { makeSimplex, optimise, provesOptimum, type Network } from '@kawal/core/access/network-simplex.ts'
import { Missing } from './missing.ts'

const suite = join(import.meta.dirname, '../../shared/suites/mcf')
const rounds = 3
const peerProgram = 'dimacs-solver'
/** The goal, for the instance that is as large as the nation's blank spots. */
const goal = { instance: 'national_blank_l', native_ratio_max: 2 } as const

/** The DIMACS format of minimum-cost flow problems (First DIMACS Implementation Challenge, 1990): lines p, n, a; no lower bounds here. */
function parse(text: Buffer): Network {
  let at = 0
  const number = (): number => {
    while (text[at] === 0x20) at++
    const negative = text[at] === 0x2d
    if (negative) at++
    let value = 0
    for (let digit = text[at] ?? 0; digit >= 0x30; digit = text[++at] ?? 0) value = value * 10 + digit - 0x30
    return negative ? -value : value
  }
  const empty = (nodes: number, arcs: number): Network =>
    ({ nodes, supply: new Float64Array(nodes), source: new Int32Array(arcs), target: new Int32Array(arcs), capacity: new Float64Array(arcs), cost: new Float64Array(arcs) })
  let network = empty(0, 0)
  let arc = 0
  while (at < text.length) {
    const kind = String.fromCharCode(text[at++] ?? 0)
    if (kind === 'p') {
      at = text.indexOf(' min ', at) + 5
      network = empty(number(), number())
    } else if (kind === 'n') network.supply[number() - 1] = number()
    else if (kind === 'a') {
      network.source[arc] = number() - 1
      network.target[arc] = number() - 1
      if (number() !== 0) throw new Error(`arc ${arc + 1} has a lower bound`)
      network.capacity[arc] = number()
      network.cost[arc++] = number()
    }
    const end = text.indexOf(0x0a, at)
    at = end < 0 ? text.length : end + 1
  }
  if (arc !== network.source.length) throw new Error(`${arc} arcs where ${network.source.length} were announced`)
  return network
}

/** Seconds to build the first basis and pivot to the end; parsing, and the proof after it, are apart. */
function solveOnce(network: Network, optimum: number): { seconds: number; equal: boolean } {
  const started = performance.now()
  const made = makeSimplex(network)
  if (!made.ok) throw new Error(`the network is ${made.error}`)
  const result = optimise(made.value, 100 * network.source.length)
  const seconds = (performance.now() - started) / 1000
  const equal = result.ok && result.value.cost === optimum && provesOptimum(network, made.value.flow.subarray(0, network.source.length), made.value.potential)
  return { seconds, equal }
}

/** What LEMON's program says that its network simplex alone took, in seconds; reading and set-up are apart there too. */
function solveByPeer(file: string, optimum: number): number {
  const { stderr, stdout, error } = spawnSync(peerProgram, ['-long', file], { encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (error !== undefined) throw new Missing(`The peer ${peerProgram} is missing: it is in the Debian package liblemon-utils.`)
  const report = stderr + stdout
  const seconds = Number(/Run NetworkSimplex:.*real: ([\d.e-]+)s/.exec(report)?.[1])
  if (!(seconds > 0) || Number(/Min flow cost: (-?\d+)/.exec(report)?.[1]) !== optimum) throw new Error(`${peerProgram} did not report time and optimum:\n${stderr}`)
  return seconds
}

/** Minimum-cost flows whose optima are known: the same cost, proven by potentials, and the time beside LEMON's network simplex. */
export async function run({ peer }: { peer: boolean }): Promise<{ ok: boolean; figures: Record<string, number>; seed: number }> {
  if (!existsSync(join(suite, 'EXPECTED.csv'))) throw new Missing(`The suite of flows is missing: ${suite} is not there.`)
  if (peer && spawnSync(peerProgram, ['--help']).error !== undefined) throw new Missing(`The peer ${peerProgram} is missing: it is in the Debian package liblemon-utils.`)
  const [head = '', ...rows] = readFileSync(join(suite, 'EXPECTED.csv'), 'utf8').trim().split('\n')
  const optimumAt = head.split(',').indexOf('optimum_cost')
  const folder = mkdtempSync(join(tmpdir(), 'kawal-flow-'))
  const figures: Record<string, number> = { instances: rows.length }
  let ok = rows.length > 0
  try {
    for (const row of rows) {
      const cells = row.split(',')
      const [name = '', optimum] = [cells[0], Number(cells[optimumAt])]
      const text = gunzipSync(readFileSync(join(suite, `${name}.min.gz`)))
      const file = join(folder, `${name}.min`)
      if (peer) writeFileSync(file, text)
      const network = parse(text)
      let [own_s, peer_s, equal] = [Infinity, Infinity, true]
      // Turn by turn, so that a busy moment of the machine is shared; the best of each counts.
      for (let round = 0; round < rounds; round++) {
        const solved = solveOnce(network, optimum)
        own_s = Math.min(own_s, solved.seconds)
        equal &&= solved.equal
        if (peer) peer_s = Math.min(peer_s, solveByPeer(file, optimum))
      }
      process.stderr.write(`${name}: ${own_s.toFixed(3)} s${peer ? `, ${peerProgram} ${peer_s.toFixed(3)} s` : ''}\n`)
      figures[`${name}_optimum_equal`] = Number(equal)
      figures[`${name}_seconds`] = Math.round(own_s * 1e4) / 1e4
      if (peer) figures[`${name}_native_ratio`] = Math.round((own_s / peer_s) * 100) / 100
      ok &&= equal && !(peer && name === goal.instance && own_s / peer_s > goal.native_ratio_max)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return { ok, figures, seed: 0 }
}
