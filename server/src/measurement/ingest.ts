import { decodeSample } from '@kawal/contract/compact.ts'
import type { ReportReceipt } from '@kawal/contract/report.ts'
import { evidenceBits } from '@kawal/core/detection/bits.ts'
import { medianRtt } from '@kawal/core/measurement/judge.ts'
import { openKeeper, type Group, type KeeperNeeds } from '../journal/keeper.ts'
import { addEntry, type Entry } from '../journal/segment.ts'
import { outcome, type Outcome } from '../journal/sequences.ts'
import { ProblemError } from '../problem.ts'
import type { Asks } from '../ticket/asks.ts'
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
  /** Who is asked to check now; nobody is without it. */
  readonly asks?: Pick<Asks, 'isAt' | 'take'>
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
/** One request may bring so many. */
export const request_samples_max = 500
/** Made once: under overload it is said more often than anything else. */
export const overloaded = new ProblemError('overloaded', 'Keep the reports and send them again after the pause given in Retry-After.', pause_s)

/**
 * Takes reports in: what is there already, what is new, what cannot be told. A receipt is given only after its group
 * commit is on disk.
 * @throws ProblemError state_conflict where another server takes reports into the same database
 */
export async function openIngest(options: IngestOptions) {
  const keeper = await openKeeper(options)
  const ways = createWays(options.operatorOfSim)
  const entry: Entry = { device: 0, sequence: 0, station: 0, eventAt: 0, receivedAt: 0, dueAt: 0, bits: 0, rtt: 0 }
  const waiting = createWaiting()

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
      if (waiting.samples() + size > waiting_samples_max || waiting.isFull(device.station, size))
        return answer(null, overloaded)
      let group: Group
      try {
        group = keeper.open(batch.count)
      } catch (error) {
        return answer(null, error)
      }
      waiting.add(group, device.station, size)
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
      const last = batch.samples[batch.count - 1]
      // Who says goodbye is not asked. The batch is used again before it is settled.
      const operator = options.asks?.isAt(device.station) === true && batch.count > 0 && last !== undefined && last.promise_ms >= 0
        ? ways.wayOf(last.sim, last.access, submission.networkOperator, offset_ms, last.eventAt).operator
        : undefined
      for (const { code, detail, raw } of quarantined) group.quarantined.push({ device: device.key, receivedAt: arrival.receivedAt, code, detail, ...quarantineText(raw) })
      group.settled.push((error) => {
        waiting.settle(group)
        if (error !== null) return answer(null, error)
        for (const { code } of quarantined) options.quarantined?.(code)
        answer({ accepted, duplicates, quarantined: quarantined.map(({ index, code, detail }) => ({ index, code, detail })), nextIntervalS: options.interval_s(options.clock() - receivedAt), ...(operator !== undefined && options.asks?.take(device.key, device.station, operator) === true ? { checkWanted: true } : {}) }, null)
      })
      keeper.added(size)
    },
    /** Whether the next request may find no room: it need not be read to be turned away. */
    isCrowded: (): boolean => waiting.samples() + request_samples_max > waiting_samples_max,
    /** Samples that are not on disk yet. */
    waiting: waiting.samples,
    idle: (): Promise<void> => keeper.idle(),
    /** Resolves when nothing waits and the counts are on disk; then the database may be closed. */
    stop: (): Promise<void> => keeper.stop(),
  }
}

/**
 * How many samples wait for the disk, in all and of a station. They are listed with their group, and forgotten with it;
 * counted by station only while more wait than one station may have waiting: a map that took and gave up entries with
 * every report would cost a twentieth of it, and of a map each older table holds the next, with every station's text that
 * was in it, until the next whole garbage collection.
 */
function createWaiting() {
  const groups: { readonly group: Group; readonly stations: string[]; readonly sizes: number[] }[] = []
  let samples = 0
  let counts: Map<string, number> | null = null

  function change({ stations, sizes }: (typeof groups)[number], sign: 1 | -1, to: Map<string, number>): void {
    for (let i = 0; i < stations.length; i++) {
      const station = stations[i] as string
      const left = (to.get(station) ?? 0) + sign * (sizes[i] as number)
      // Else a long crowd would leave every station of the nation in it.
      if (left > 0) to.set(station, left)
      else to.delete(station)
    }
  }
  return {
    samples: (): number => samples,
    /** Whether a station would have too many waiting with so many more. */
    isFull(station: string, more: number): boolean {
      if (samples + more <= station_samples_max) return false
      if (counts === null) {
        counts = new Map()
        for (const each of groups) change(each, 1, counts)
      }
      return (counts.get(station) ?? 0) + more > station_samples_max
    },
    add(group: Group, station: string, size: number): void {
      let last = groups.at(-1)
      if (last?.group !== group) groups.push((last = { group, stations: [], sizes: [] }))
      last.stations.push(station)
      last.sizes.push(size)
      samples += size
      counts?.set(station, (counts.get(station) ?? 0) + size)
    },
    settle(group: Group): void {
      const at = groups.findIndex((each) => each.group === group)
      if (at < 0) return
      const [gone] = groups.splice(at, 1) as [(typeof groups)[number]]
      samples -= gone.sizes.reduce((sum, size) => sum + size, 0)
      if (samples <= station_samples_max) counts = null
      else if (counts !== null) change(gone, -1, counts)
    },
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
