import { decodeSample } from '@kawal/contract/compact.ts'
import type { ReportReceipt } from '@kawal/contract/report.ts'
import { evidenceBits } from '@kawal/core/detection/bits.ts'
import { medianRtt } from '@kawal/core/measurement/judge.ts'
import { openKeeper, type Group, type KeeperNeeds } from '../journal/keeper.ts'
import { addEntry, type Entry } from '../journal/segment.ts'
import { outcome, type Outcome } from '../journal/sequences.ts'
import { ProblemError } from '../problem.ts'
import type { Device } from './enrolment.ts'
import type { Measured, MeasuredBatch } from './measured.ts'
import { planningMark, planningRow } from './planning.ts'
import { clockOffset, quarantineText, type Arrival, type Quarantined } from './sort.ts'
import { createWays } from './ways.ts'

interface IngestOptions extends KeeperNeeds {
  /** PLMN code and instant to organisation id; null when the code is not known. */
  readonly operatorOfSim: (plmn: string, at: number) => string | null
  /** Called after the commit for each sample that went to quarantine. */
  readonly quarantined?: (code: string) => void
  /** How often a device shall report from now on, s, by how long its samples waited for the disk, ms. */
  readonly interval_s: (waited_ms: number) => number
}

/** One batch that was read: its good samples, what must go to quarantine, and where it came from. */
interface Submission {
  readonly device: Device
  readonly batch: MeasuredBatch
  readonly quarantined: Quarantined[]
  readonly arrival: Arrival
  readonly networkOperator: string | null
}

const waiting_samples_max = 50_000
/** Of one station: whoever holds one letter shall not fill the queue, and so stop or slow everybody else's reports. Seven phones send 500 each at most. */
const station_samples_max = 5_000
const pause_s = 30

/**
 * Takes reports in: what is there already, what is new, what cannot be told. A receipt is given only after its group
 * commit is on disk.
 * @throws ProblemError state_conflict where another server takes reports into the same database
 */
export async function openIngest(options: IngestOptions) {
  const keeper = await openKeeper(options)
  const ways = createWays(options.operatorOfSim)
  const entry: Entry = { device: 0, sequence: 0, station: 0, eventAt: 0, receivedAt: 0, dueAt: 0, bits: 0, rtt: 0 }
  let waiting = 0
  const waitingOf = new Map<string, number>()
  const count = (station: string, samples: number): void => {
    waiting += samples
    const left = (waitingOf.get(station) ?? 0) + samples
    if (left > 0) waitingOf.set(station, left)
    else waitingOf.delete(station)
  }

  /** Takes one good sample in; what it comes to. */
  function take(group: Group, { device, batch, networkOperator }: Submission, sample: Measured, offset_ms: number): Outcome {
    const sequences = keeper.sequences()
    const found = sequences.add(device.key, sample.sequence, sample.eventAt, group.id)
    if (found !== outcome.fresh) return found
    const way = ways.wayOf(sample.sim, sample.access, networkOperator, offset_ms, sample.eventAt)
    entry.sequence = sample.sequence
    entry.eventAt = sample.eventAt + offset_ms
    entry.dueAt = sample.promise_ms < 0 ? 0 : entry.eventAt + sample.promise_ms
    entry.bits = evidenceBits(sample, way.operator)
    const rtt = medianRtt(sample.rttMs)
    entry.rtt = rtt === null ? 0 : Math.max(1, Math.round(rtt))
    addEntry(group.draft, entry, ways.placeIn(group.draft, way), batch.bytes, sample.from, sample.to)
    const hasRadio = sample.radio !== null && (sample.radio.rsrpDbm !== null || sample.radio.rssiDbm !== null)
    const mark = planningMark(sequences.markOf(device.key), entry.receivedAt, entry.bits, hasRadio)
    if (mark !== 0 && keeper.hasPlanningRoom()) {
      sequences.setMark(device.key, mark)
      const whole = decodeSample(batch.bytes.subarray(sample.from, sample.to))
      if (whole !== null) keeper.plan(planningRow(entry, device.station, way, whole))
    }
    return found
  }

  return {
    /** @param answer called once: with the receipt when everything is on disk, or with what went wrong. The batch may be used again at once */
    submit(submission: Submission, answer: (receipt: ReportReceipt | null, error: unknown) => void): void {
      const { device, batch, arrival, quarantined } = submission
      const size = batch.count + quarantined.length
      if (waiting + size > waiting_samples_max || (waitingOf.get(device.station) ?? 0) + size > station_samples_max)
        return answer(null, new ProblemError('overloaded', 'Keep the reports and send them again after the pause given in Retry-After.', pause_s))
      let group: Group
      try {
        group = keeper.open(batch.count)
      } catch (error) {
        return answer(null, error)
      }
      count(device.station, size)
      const offset_ms = clockOffset(arrival)
      const { receivedAt } = arrival
      entry.device = device.key
      entry.station = Number(device.station)
      entry.receivedAt = arrival.receivedAt
      let [accepted, duplicates] = [0, 0]
      for (let i = 0; i < batch.count; i++) {
        const sample = batch.samples[i] as Measured
        const found = take(group, submission, sample, offset_ms)
        if (found === outcome.fresh) accepted++
        else if (found === outcome.duplicate) duplicates++
        else quarantined.push(unkept(found, sample, batch))
      }
      for (const { code, detail, raw } of quarantined) group.quarantined.push({ device: device.key, receivedAt: arrival.receivedAt, code, detail, ...quarantineText(raw) })
      group.settled.push((error) => {
        count(device.station, -size)
        if (error !== null) return answer(null, error)
        for (const { code } of quarantined) options.quarantined?.(code)
        answer({ accepted, duplicates, quarantined: quarantined.map(({ index, code, detail }) => ({ index, code, detail })), nextIntervalS: options.interval_s(options.clock() - receivedAt) }, null)
      })
      keeper.added(size)
    },
    /** Samples that are not on disk yet. */
    waiting: (): number => waiting,
    idle: (): Promise<void> => keeper.idle(),
    /** Resolves when nothing waits and the counts are on disk; then the database may be closed. */
    stop: (): Promise<void> => keeper.stop(),
  }
}

export type Ingest = Awaited<ReturnType<typeof openIngest>>

/** A good sample whose number says that it cannot be told from another must not vanish as a duplicate. */
function unkept(found: Outcome, sample: Measured, batch: MeasuredBatch): Quarantined {
  const raw = decodeSample(batch.bytes.subarray(sample.from, sample.to))
  const { index, sequence } = sample
  return found === outcome.reused
    ? { index, code: 'sequence_reused', detail: `sequence ${sequence} was sent before, and this sample is newer than all of this device: it lost its count`, raw }
    : { index, code: 'sequence_old', detail: `sequence ${sequence} lies below what is remembered of this device: whether it was sent before cannot be told`, raw }
}
