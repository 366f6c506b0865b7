import { runSimulator } from './recap/simulator.ts'

const first_seed = 1
const seeds = 500

/**
 * `npm run -s bench -- simulate`: 500 seeds of the simulator (docs/decisions/0048-simulator.md); with `--seed N` that one alone, which tells its history where a rule does not hold.
 */
export async function run({ seed }: { readonly seed?: number }): Promise<{ ok: boolean; figures: Record<string, number>; seed: number }> {
  const { violations, failed, replays, cpu_s, ...found } = await runSimulator(seed ?? first_seed, seed === undefined ? seeds : 1)
  return { ok: violations === 0, figures: { simulator_seeds: found.seeds, simulator_violations: violations, failed: failed.length, replay_identical: replays ? 1 : 0, cpu_s_per_seed: Math.round((cpu_s / found.seeds) * 1_000) / 1_000 }, seed: seed ?? first_seed }
}
