import type { Sample } from '@kawal/contract/report.ts'
import type { Measured, Reach } from './verdict.ts'

/** A full check costs about this; said before it starts. */
export const check_kbytes = 155
const probes = 5
const probe_ms_max = 4_000
const down_bytes = 100_000
const up_bytes = 50_000
export const steps = probes + 3

export interface Check extends Measured {
  readonly downKbps: number | null
}

/** Measures; `progress` counts the steps done. Without `full` it leaves throughput out (a few kB). */
export async function check(full: boolean, progress: (done: number) => void): Promise<Check> {
  const rttMs: number[] = []
  let timeouts = 0
  let done = 0
  for (let probe = 0; probe < probes; probe++) {
    const rtt = await time('/v1/ping')
    if (rtt === null) timeouts++
    else rttMs.push(rtt)
    progress(++done)
    if (timeouts > 2 && rttMs.length === 0) break // nobody answers: the rest would only cost the battery
  }
  const platform: Reach = rttMs.length > 0 ? 'ok' : navigator.onLine ? 'timeout' : 'offline'
  const targets = platform === 'ok' ? await readTargets() : { election: null, internet: null }
  const [internet, election] = await Promise.all([reach(targets.internet), reach(targets.election)])
  progress(probes + 1)
  const downKbps = full && platform === 'ok' ? await down() : null
  progress(probes + 2)
  const upKbps = full && platform === 'ok' ? await up() : null
  progress(steps)
  return { rttMs, timeouts, downKbps, upKbps, reach: { internet, election, platform } }
}

async function time(path: string): Promise<number | null> {
  const began = performance.now()
  try {
    await (await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(probe_ms_max) })).text()
    return Math.max(0.1, Math.round((performance.now() - began) * 10) / 10)
  } catch {
    return null
  }
}

async function readTargets(): Promise<{ election: string | null; internet: string | null }> {
  try {
    return (await (await fetch('/v1/sigmon/config', { signal: AbortSignal.timeout(probe_ms_max) })).json()) as { election: string | null; internet: string | null }
  } catch {
    return { election: null, internet: null }
  }
}

/** Another origin's answer cannot be read, only that there was one. */
async function reach(target: string | null): Promise<Reach> {
  if (target === null) return 'untested'
  try {
    await fetch(target, { mode: 'no-cors', cache: 'no-store', signal: AbortSignal.timeout(probe_ms_max) })
    return 'ok'
  } catch {
    return navigator.onLine ? 'timeout' : 'offline'
  }
}

async function down(): Promise<number | null> {
  const began = performance.now()
  try {
    const bytes = (await (await fetch(`/v1/probe/down?bytes=${down_bytes}`, { cache: 'no-store', signal: AbortSignal.timeout(probe_ms_max) })).arrayBuffer()).byteLength
    return Math.round((bytes * 8) / (performance.now() - began))
  } catch {
    return null
  }
}

async function up(): Promise<number | null> {
  try {
    const answer = await fetch('/v1/probe/up', { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: new Uint8Array(up_bytes), signal: AbortSignal.timeout(probe_ms_max) })
    return ((await answer.json()) as { kbps: number }).kbps
  } catch {
    return null
  }
}

/** A page cannot read radio values or the operator: those it leaves unknown. */
export function sampleOf(done: Check, sim: string | null, now: number, nextDueAt: number | null): Omit<Sample, 'sequence'> {
  return {
    eventAt: new Date(now).toISOString(), sim, access: navigator.onLine ? 'unknown' : 'none', accessPoint: null, technology: null, radio: null,
    rttMs: [...done.rttMs], timeouts: done.timeouts, downKbps: done.downKbps, upKbps: done.upKbps, reach: { ...done.reach }, charging: null,
    nextDueAt: nextDueAt === null ? null : new Date(nextDueAt).toISOString(),
  }
}
