import { Value } from 'typebox/value'
import { RadioReading } from '@kawal/contract/radio.ts'
import type { RadioReading as Read } from '@kawal/core/measurement/radio-reading.ts'
import type { ProbeCheck } from './run.ts'
import type { TargetResult } from './target.ts'

/** One check as one object: named fields only, and nothing of the token or the code. */
export function asJson({ sample, check, verdict, reading, radio, radioTrouble, bytes, spent, sent, waiting, sending }: ProbeCheck): object {
  const target = ({ reach, failed, status, steps }: TargetResult): object => ({ reach, failed, status, steps: steps.map(({ step, ok, ms, detail }) => ({ step, ok, ms, detail })) })
  const { median_ms, p95_ms, jitter_ms } = check.roundTrips
  return {
    at: sample.eventAt, sequence: sample.sequence, advice: verdict.advice, blame: verdict.blame, sentence: verdict.sentence,
    targets: { internet: target(check.targets.internet), election: target(check.targets.election), platform: target(check.targets.platform) }, electionFromPlatform: check.electionFromPlatform,
    rttMs: sample.rttMs, rttMedianMs: median_ms, rttP95Ms: p95_ms, jitterMs: jitter_ms, timeouts: check.timeouts, downKbps: check.downKbps, upKbps: check.upKbps, clockOffsetMs: check.clockOffset_ms,
    access: sample.access, sim: sample.sim, technology: sample.technology, radio: sample.radio, radioDropped: radio?.dropped ?? [], radioTrouble, reading: reading === null ? null : published(reading),
    measured: check.means, bytes, bytesToday: spent.bytes, nextDueAt: sample.nextDueAt, sent, waiting, sending,
  }
}

/** As spec/radio-bridge.md has it: a reading of ours that is not of that form is a fault of ours. */
function published(reading: Read): RadioReading {
  const given: RadioReading = { ...reading, slots: reading.slots.map((slot) => ({ ...slot, cells: slot.cells.map((cell) => ({ ...cell, censored: { ...cell.censored } as Record<string, 'below' | 'above'>, invalid: [...cell.invalid] })) })) }
  if (!Value.Check(RadioReading, given)) throw new Error(`a reading is not of its form: ${JSON.stringify(given)}`)
  return given
}

/** The same for somebody who stands beside the box. */
export function asText({ sample, check, verdict, radio, radioTrouble, bytes, spent, sent, waiting, sending }: ProbeCheck, daily_bytes: number): string {
  const { median_ms, p95_ms, jitter_ms } = check.roundTrips
  const lines = [
    `${sample.eventAt}  ${verdict.advice}: ${verdict.sentence}`,
    ...(['internet', 'election', 'platform'] as const).filter((name) => check.targets[name].reach !== 'untested').map((name) => `  ${name.padEnd(11)}${targetLine(check.targets[name])}`),
    ...(median_ms === null ? [] : [`  round trip ${median_ms} ms median, ${p95_ms} ms 95th percentile${jitter_ms === null ? '' : `, jitter ${jitter_ms} ms (RFC 3550)`}; ${check.rttMs.length} answered, ${check.timeouts} timed out`]),
    ...(check.downKbps === null && check.upKbps === null ? [] : [`  throughput ${rate(check.downKbps)} down, ${rate(check.upKbps)} up`]),
    ...radioLines(radio, sample.radio?.ageMs ?? null, radioTrouble),
    `  report     #${sample.sequence} ${sent ? 'sent' : 'kept'}${waiting > 0 ? `; ${waiting} waiting` : ''}${sending === null ? '' : ` (${sending})`}`,
    `  data       ${kb(bytes)} kB; today ${(spent.bytes / 1e6).toFixed(2)} of ${daily_bytes / 1e6} MB`,
  ]
  return `${lines.join('\n')}\n`
}

function targetLine({ reach, steps }: TargetResult): string {
  return `${reach.padEnd(11)} ${steps.map(({ step, ok, ms, detail }) => (ok ? `${step} ${ms} ms` : `${step} FAILS after ${ms} ms: ${detail ?? ''}`)).join(', ')}`
}

function radioLines(radio: ProbeCheck['radio'], age_ms: number | null, trouble: string | null): string[] {
  if (radio === null) return trouble === null ? [] : [`  radio      ${trouble}`]
  const values = radio.radio === null ? [] : ([['RSRP', radio.radio.rsrpDbm, 'dBm'], ['RSRQ', radio.radio.rsrqDb, 'dB'], ['SINR', radio.radio.sinrDb, 'dB'], [radio.technology === 'umts' ? 'RSCP' : 'RSSI', radio.radio.rssiDbm, 'dBm']] as const).flatMap(([name, value, unit]) => (value === null ? [] : [`${name} ${value} ${unit}`]))
  const dropped = radio.dropped.map(({ name, value, why }) => `${name} ${value} (${why.replaceAll('_', ' ')})`)
  if (values.length === 0 && dropped.length === 0) return trouble === null && radio.technology === null ? [] : [`  radio      ${radio.technology ?? ''} ${trouble ?? 'no values'}`]
  return [`  radio      ${[radio.technology ?? 'unknown', ...values].join(', ')}${age_ms === null ? '' : `; ${Math.round(age_ms / 1_000)} s old`}`, ...(dropped.length === 0 ? [] : [`             left out: ${dropped.join(', ')}`])]
}

const rate = (kbps: number | null): string => (kbps === null ? 'not measured' : `${kbps} kbit/s`)
const kb = (bytes: number): string => (bytes / 1_000).toFixed(1)
