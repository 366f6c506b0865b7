import { hour_ms, minute_ms } from '@kawal/core/kernel/clock.ts'
import { dutyDay, dutyDefaults } from '@kawal/core/rehearsal/duty.ts'
import { dutyLoad } from '@kawal/core/rehearsal/duty-load.ts'

const devices = 1_000_000
const seed = 6
const startAt = 1_800_000_000_000
const phones = 2_000

/** `npm run -s bench -- duty`: a million phones through two hours with and without spreading, and what days of duty cost and lose. */
export async function run(): Promise<{ ok: boolean; figures: Record<string, number>; seed: number }> {
  const load = dutyLoad({ seed, devices })
  const plain = dutyLoad({ seed, devices, plain: true })
  const days = Array.from({ length: phones }, (_, index) => dutyDay({
    ...dutyDefaults, seed: seed * 1_000_000 + index, startAt, queue_max: 100,
    outages: index % 4 === 0 ? [{ from: startAt, to: startAt + 12 * hour_ms }] : index % 4 === 1 ? [{ from: startAt + 2 * hour_ms, to: startAt + 2 * hour_ms + 90 * minute_ms }] : [],
  }))
  const sum = (pick: (day: (typeof days)[number]) => number): number => days.reduce((total, day) => total + pick(day), 0)
  const figures = {
    devices, requests: load.requests, mean_per_s: load.mean_per_s, start_peak: load.start_peak, quiet_peak: load.quiet_peak, network_peak: load.network_peak, config_peak: load.config_peak,
    restart_peak: load.restart_peak, knock_peak: load.knock_peak, plain_quiet_peak: plain.quiet_peak, plain_network_peak: plain.network_peak, plain_restart_peak: plain.restart_peak,
    days: phones, samples_per_day: sum((day) => day.made.length) / phones, requests_per_day: sum((day) => day.batches.length) / phones, thinned: sum((day) => day.thinned.length),
    lost: sum((day) => {
      const held = new Set([...day.held, ...day.thinned])
      return day.made.filter((entry) => !held.has(entry.sample.sequence)).length
    }),
  }
  const peaks = [load.start_peak, load.network_peak, load.config_peak, load.restart_peak, load.knock_peak]
  return { ok: load.quiet_peak <= 1.3 && peaks.every((peak) => peak <= 2) && figures.lost === 0, figures, seed }
}
