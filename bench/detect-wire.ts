import { Worker } from 'node:worker_threads'
import type { WirePlan, WireResult } from './detect-wire/day.ts'
import { readRegister } from './detect/register.ts'

const days_default = 2
const workers = 2
const first_seed = 2029_101
const first_day_s = Date.UTC(2029, 1, 14) / 1000
const day_s = 86_400
const events_min = 20

/**
 * `npm run -s bench -- detect-wire`: two days of the province with the fewest stations, device by device through the
 * HTTP interface in the compact form, and the same days in process: the same disturbances, event for event. What is
 * stored is then replayed, and must give them once more.
 */
export async function run({ days = days_default }: { days?: number }): Promise<{ ok: boolean; figures: Record<string, number>; seed: number }> {
  const province = smallestProvince()
  const waiting = Array.from({ length: days }, (_, day): WirePlan => ({ seed: first_seed + day, province, startAt_s: first_day_s + day * day_s }))
  const results: WireResult[] = []
  await Promise.all(Array.from({ length: workers }, async () => {
    for (let plan = waiting.shift(); plan !== undefined; plan = waiting.shift()) {
      const result = await inThread(plan)
      results.push(result)
      process.stderr.write(`seed ${plan.seed} done: province ${province}, ${result.devices} devices, ${result.reports} reports, faults of ${result.kinds.join(', ')}, ${result.inProcess} events in process, ${result.overHttp} over HTTP, ${result.replayed} replayed in ${result.replay_s.toFixed(1)} s\n`)
      for (const text of result.told) process.stderr.write(`seed ${plan.seed}: ${text}\n`)
    }
  }))
  const sum = (pick: (each: WireResult) => number): number => results.reduce((total, each) => total + pick(each), 0)
  const figures = {
    days: results.length, devices: Math.max(...results.map(({ devices }) => devices)), reports: sum(({ reports }) => reports), events_in_process: sum(({ inProcess }) => inProcess), events_over_http: sum(({ overHttp }) => overHttp),
    mismatches: sum(({ mismatches }) => mismatches), events_replayed: sum(({ replayed }) => replayed), replay_mismatches: sum(({ replayMismatches }) => replayMismatches),
  }
  const { events_in_process: found, events_over_http: overHttp, mismatches, replay_mismatches: apart } = figures
  return { ok: results.length >= days_default && found >= events_min && found === overHttp && mismatches === 0 && apart === 0, figures, seed: first_seed }
}

/** The code of the province with the fewest stations. */
function smallestProvince(): string {
  const counts = new Map<string, number>()
  for (const { code, stations } of readRegister([]).places) counts.set(code.slice(0, 2), (counts.get(code.slice(0, 2)) ?? 0) + stations)
  return [...counts].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? ''
}

function inThread(plan: WirePlan): Promise<WireResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('detect-wire/worker.ts', import.meta.url), { workerData: plan })
    worker.on('message', ({ text, result }: { text?: string; result?: WireResult }) => {
      if (text !== undefined) process.stderr.write(`${text}\n`)
      if (result !== undefined) resolve(result)
    })
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`the thread of seed ${plan.seed} ended with ${code} and no result`)))
  })
}
