import { createHash } from 'node:crypto'
import { Compile } from 'typebox/compile'
import type { PoolClient } from 'pg'
import { Sample, type ReportReceipt } from '@kawal/contract/report.ts'
import { radioFault } from '@kawal/core/measurement/validate.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import type { Device } from './enrolment.ts'

/** A sample that is on disk and was not there before. */
export interface KeptSample {
  readonly device: Device
  readonly operator: string | null
  readonly eventAt: number
  readonly receivedAt: number
  /** The promise by the server's clock; null is goodbye. */
  readonly dueAt: number | null
  readonly sample: Sample
}

/** When a batch came in, and when the phone says that it sent it. */
interface Arrival { readonly receivedAt: number; readonly sentAt: string | null }

interface IngestOptions {
  readonly database: Database
  /** PLMN code and instant to organisation id; null when the code is not known. */
  readonly operatorOfSim: (plmn: string, at: number) => string | null
  /** Called after the commit, in commit order, with what is new. */
  readonly kept: (samples: readonly KeptSample[]) => void
  /** Called after the commit for each sample that went to quarantine. */
  readonly quarantined?: (code: string) => void
  /** How often a device shall report from now on, by how many samples wait. */
  readonly interval_s: (waiting: number) => number
}

interface Waiting {
  readonly device: Device
  readonly receivedAt: number
  /** What the phone's clock is behind; added to its times. */
  readonly offset_ms: number
  readonly networkOperator: string | null
  readonly good: { readonly index: number; readonly sample: Sample; readonly eventAt: number }[]
  readonly quarantined: { index: number; code: string; detail: string; raw: unknown }[]
  readonly resolve: (receipt: ReportReceipt) => void
  readonly reject: (error: unknown) => void
}

const waiting_samples_max = 50_000
/** Of one station: whoever holds one letter shall not fill the queue, and so stop or slow everybody else's reports. Seven phones send 500 each at most. */
const station_samples_max = 5_000
const commit_samples_max = 4_000
/** Quarantine keeps what nests no deeper than this as it came. */
const depth_max = 64
const clock_ahead_ms_max = 10 * 60_000
const promise_ms_max = 24 * 3_600_000
const checkSample = Compile(Sample)

/**
 * Takes reports in by group commit: what arrives while one transaction is being written to disk
 * goes into the next. A receipt is given only after its transaction is on disk.
 */
export function createIngest(options: IngestOptions): {
  submit(device: Device, samples: readonly unknown[], arrival: Arrival, networkOperator: string | null): Promise<ReportReceipt>
  /** Samples that are not on disk yet. */
  waiting(): number
  idle(): Promise<void>
} {
  let queue: Waiting[] = []
  let waiting = 0
  const waitingOf = new Map<string, number>()
  const count = (station: string, samples: number): void => {
    waiting += samples
    const left = (waitingOf.get(station) ?? 0) + samples
    if (left > 0) waitingOf.set(station, left)
    else waitingOf.delete(station)
  }
  let running: Promise<void> | null = null

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const group: Waiting[] = []
      const sizes: number[] = []
      let size = 0
      while (queue.length > group.length && size < commit_samples_max) {
        const next = queue[group.length]
        if (next === undefined) break
        group.push(next)
        sizes.push(next.good.length + next.quarantined.length)
        size += sizes.at(-1) ?? 0
      }
      queue = queue.slice(group.length)
      await commit(options, group, options.interval_s(waiting)).catch((error: unknown) => group.forEach((one) => one.reject(error)))
      group.forEach((one, at) => count(one.device.station, -(sizes[at] ?? 0)))
    }
    running = null
  }

  return {
    submit(device, samples, arrival, networkOperator) {
      if (waiting + samples.length > waiting_samples_max || (waitingOf.get(device.station) ?? 0) + samples.length > station_samples_max)
        return Promise.reject(new ProblemError('overloaded', 'Keep the reports and send them again after the pause given in Retry-After.', 30))
      count(device.station, samples.length)
      return new Promise((resolve, reject) => {
        const { receivedAt } = arrival
        const offset_ms = clockOffset(arrival)
        queue.push({ device, receivedAt, offset_ms, networkOperator, ...sort(samples, receivedAt, offset_ms), resolve, reject })
        running ??= drain()
      })
    },
    waiting: () => waiting,
    idle: () => running ?? Promise.resolve(),
  }
}

/** A clock this near is right, and the difference is the way: not corrected. */
const clock_near_ms = 30_000

/** A phone with a wrong clock is heard all the same: its times are moved by what it is off. */
function clockOffset({ receivedAt, sentAt }: Arrival): number {
  const offset = sentAt === null ? 0 : receivedAt - Date.parse(sentAt)
  return Math.abs(offset) > clock_near_ms ? offset : 0
}

/** Parts the good from the bad; a bad sample never holds up the good ones beside it. */
function sort(samples: readonly unknown[], receivedAt: number, offset_ms: number): Pick<Waiting, 'good' | 'quarantined'> {
  const good: Waiting['good'] = []
  const quarantined: Waiting['quarantined'] = []
  samples.forEach((raw, index) => {
    const fault = faultOf(raw, receivedAt, offset_ms)
    if (fault === null) {
      const sample = raw as Sample
      good.push({ index, sample, eventAt: Date.parse(sample.eventAt) })
    } else quarantined.push({ index, ...fault, raw })
  })
  return { good, quarantined }
}

function faultOf(raw: unknown, receivedAt: number, offset_ms: number): { code: string; detail: string } | null {
  if (!checkSample.Check(raw)) {
    const [first] = checkSample.Errors(raw)
    return { code: 'sample_invalid', detail: `${first?.instancePath || 'sample'} ${first?.message ?? 'is not valid'}` }
  }
  const unkept = unkeepable(raw)
  if (unkept !== null) return { code: 'sample_invalid', detail: unkept }
  if (raw.radio !== null) {
    const fault = radioFault(raw.technology, raw.radio)
    if (fault !== null) return { code: 'radio_out_of_range', detail: fault }
  }
  if (raw.nextDueAt !== null && !(Date.parse(raw.nextDueAt) - Date.parse(raw.eventAt) >= 0 && Date.parse(raw.nextDueAt) - Date.parse(raw.eventAt) <= promise_ms_max))
    return { code: 'promise_invalid', detail: `nextDueAt ${raw.nextDueAt} lies before eventAt, or more than a day after it` }
  if (Date.parse(raw.eventAt) + offset_ms - receivedAt > clock_ahead_ms_max)
    return { code: 'clock_ahead', detail: `eventAt ${raw.eventAt} is more than 10 minutes ahead of the server; set the phone's clock` }
  return null
}

/**
 * What has the form of a sample and still cannot be written: it would fail the whole transaction, and
 * with it the reports of everybody else in the group.
 */
function unkeepable(sample: Sample): string | null {
  const texts = { accessPoint: sample.accessPoint, 'radio.source': sample.radio?.source ?? null }
  for (const [name, text] of Object.entries(texts))
    if (text !== null && (text.includes('\0') || !text.isWellFormed())) return `${name} holds U+0000 or half a surrogate pair`
  const times = { eventAt: sample.eventAt, nextDueAt: sample.nextDueAt }
  // A leap second has the form of a time and is no instant here; before 1970 there was no phone.
  for (const [name, text] of Object.entries(times))
    if (text !== null && !(Date.parse(text) >= 0)) return `${name} ${text} is no instant since 1970`
  return null
}

/** The text of anything that came. Of what nests too deep to be written, only that is kept. */
function textOf(raw: unknown): string {
  if (isShallow(raw)) return JSON.stringify(raw) ?? 'null'
  return JSON.stringify(`nested deeper than ${depth_max}`)
}

/** Level by level, not by recursion: a body may nest deeper than the stack reaches. */
function isShallow(raw: unknown): boolean {
  let level: unknown[] = [raw]
  for (let depth = 0; depth <= depth_max; depth++) {
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []))
    if (level.length === 0) return true
  }
  return false
}

async function commit(options: IngestOptions, group: readonly Waiting[], interval_s: number): Promise<void> {
  const kept: KeptSample[] = []
  const receipts = await options.database.transaction(system, async (client) => {
    const news = await insertReports(options, client, group, kept)
    await insertQuarantine(client, group)
    return group.map((one, at): ReportReceipt => ({
      accepted: news[at] ?? 0,
      duplicates: one.good.length - (news[at] ?? 0),
      quarantined: one.quarantined.map(({ index, code, detail }) => ({ index, code, detail })),
      nextIntervalS: interval_s,
    }))
  })
  options.kept(kept)
  for (const one of group) for (const { code } of one.quarantined) options.quarantined?.(code)
  group.forEach((one, at) => one.resolve(receipts[at] as ReportReceipt))
}

/** Inserts the good samples; the primary key decides what is new. Returns the new ones per batch. */
async function insertReports(options: IngestOptions, client: PoolClient, group: readonly Waiting[], kept: KeptSample[]): Promise<number[]> {
  const news = group.map(() => 0)
  const rows = group.flatMap((one, at) => one.good.map((each) => ({ one, at, each, ...operators(options, one, each.sample, each.eventAt) })))
  if (rows.length === 0) return news
  const { rows: inserted } = await client.query<{ device_key: number; sequence: number }>(
    `INSERT INTO report (device_key, sequence, station_code, event_at, received_at, operator_id, sim_operator_id, network_operator_id, sample, clock_offset_ms)
     SELECT * FROM unnest($1::int[], $2::int[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::jsonb[], $10::bigint[])
     ON CONFLICT (device_key, sequence) DO NOTHING
     RETURNING device_key, sequence`,
    [
      rows.map((row) => row.one.device.key),
      rows.map((row) => row.each.sample.sequence),
      rows.map((row) => row.one.device.station),
      rows.map((row) => new Date(row.each.eventAt).toISOString()),
      rows.map((row) => new Date(row.one.receivedAt).toISOString()),
      rows.map((row) => row.operator),
      rows.map((row) => row.sim),
      rows.map((row) => row.one.networkOperator),
      rows.map((row) => JSON.stringify(row.each.sample)),
      rows.map((row) => row.one.offset_ms),
    ],
  )
  const fresh = new Set(inserted.map((row) => `${row.device_key}.${row.sequence}`))
  const again: typeof rows = []
  for (const row of rows) {
    // Deleting makes the second of two equal samples in one group a duplicate.
    if (!fresh.delete(`${row.one.device.key}.${row.each.sample.sequence}`)) {
      again.push(row)
      continue
    }
    news[row.at] = (news[row.at] ?? 0) + 1
    const { sample } = row.each
    kept.push({
      device: row.one.device, operator: row.operator, eventAt: row.each.eventAt + row.one.offset_ms, receivedAt: row.one.receivedAt,
      dueAt: sample.nextDueAt === null ? null : Date.parse(sample.nextDueAt) + row.one.offset_ms, sample,
    })
  }
  if (again.length > 0) await quarantineReused(client, again)
  return news
}

/**
 * The same sequence with another event time is not the same report: a phone lost its counter.
 * It must not vanish as a duplicate, so it goes to quarantine.
 */
async function quarantineReused(client: PoolClient, again: readonly { one: Waiting; each: Waiting['good'][number] }[]): Promise<void> {
  const { rows } = await client.query<{ device_key: number; sequence: number; event_at: Date }>(
    `SELECT device_key, sequence, event_at FROM report
     WHERE (device_key, sequence) IN (SELECT * FROM unnest($1::int[], $2::int[]))`,
    [again.map((row) => row.one.device.key), again.map((row) => row.each.sample.sequence)],
  )
  const stored = new Map(rows.map((row) => [`${row.device_key}.${row.sequence}`, row.event_at.getTime()]))
  for (const { one, each } of again) {
    if (stored.get(`${one.device.key}.${each.sample.sequence}`) === each.eventAt) continue
    one.good.splice(one.good.indexOf(each), 1)
    one.quarantined.push({ index: each.index, code: 'sequence_reused', detail: `sequence ${each.sample.sequence} was sent before with another event time`, raw: each.sample })
  }
}

async function insertQuarantine(client: PoolClient, group: readonly Waiting[]): Promise<void> {
  const rows = group.flatMap((one) => one.quarantined.map((each) => ({ one, each, text: textOf(each.raw) })))
  if (rows.length === 0) return
  await client.query(
    `INSERT INTO quarantine (device_key, received_at, code, detail, sample_sha256, sample)
     SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::text[], $4::text[], $5::bytea[], $6::jsonb[])
     ON CONFLICT (device_key, sample_sha256) DO NOTHING`,
    [
      rows.map((row) => row.one.device.key),
      rows.map((row) => new Date(row.one.receivedAt).toISOString()),
      rows.map((row) => row.each.code),
      rows.map((row) => row.each.detail),
      rows.map((row) => createHash('sha256').update(row.text).digest()),
      // PostgreSQL's jsonb holds neither U+0000 nor half a surrogate pair; the hash is of the text as it came.
      rows.map((row) => row.text.replace(/\\u(?:0000|d[89a-f][0-9a-f]{2})/g, '\\ufffd')),
    ],
  )
}

/**
 * Who carries a report: the declared SIM on a cellular line, the source network on any other. A web page
 * cannot tell which it is on: then the network is believed where it is known. Both are kept.
 */
function operators(options: IngestOptions, one: Waiting, sample: Sample, at: number): { sim: string | null; operator: string | null } {
  // An unknown operator is kept under its code, never dropped.
  const sim = sample.sim === null ? null : (options.operatorOfSim(sample.sim, at) ?? `plmn-${sample.sim}`)
  switch (sample.access) {
    case 'cellular': case 'none': return { sim, operator: sim ?? one.networkOperator }
    case 'unknown': return { sim, operator: one.networkOperator ?? sim }
    default: return { sim, operator: one.networkOperator }
  }
}
