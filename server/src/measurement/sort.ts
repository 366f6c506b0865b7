import { createHash } from 'node:crypto'
import { Compile } from 'typebox/compile'
import { Sample } from '@kawal/contract/report.ts'
import { radioFault } from '@kawal/core/measurement/validate.ts'
import { addSample, row_bytes_max, type MeasuredBatch, type SampleTimes } from './measured.ts'

/** A sample that cannot be kept as one, with its place in the batch. */
export interface Quarantined { readonly index: number; readonly code: string; readonly detail: string; readonly raw: unknown }

/** When a batch came in, and when the phone says that it sent it. ms since 1970. */
export interface Arrival { readonly receivedAt: number; readonly sentAt: number | null }

/** Quarantine keeps what nests no deeper than this as it came. */
const depth_max = 64
const clock_ahead_ms_max = 10 * 60_000
const promise_ms_max = 24 * 3_600_000
/** A clock this near is right, and the difference is the way: not corrected. */
const clock_near_ms = 30_000
const checkSample = Compile(Sample)

/** What a phone's clock is behind; added to its times, so that one with a wrong clock is heard all the same. */
export function clockOffset({ receivedAt, sentAt }: Arrival): number {
  const offset = sentAt === null ? 0 : receivedAt - sentAt
  return Math.abs(offset) > clock_near_ms ? offset : 0
}

export const isClockAhead = (eventAt: number, offset_ms: number, receivedAt: number): boolean => eventAt + offset_ms - receivedAt > clock_ahead_ms_max

/** Parts the good, which go to `batch`, from the bad; a bad sample never holds up the good ones beside it. */
export function sort(samples: readonly unknown[], arrival: Arrival, batch: MeasuredBatch): Quarantined[] {
  const offset_ms = clockOffset(arrival)
  const quarantined: Quarantined[] = []
  batch.count = 0
  batch.bytes = Buffer.allocUnsafe(samples.length * row_bytes_max)
  let at = 0
  samples.forEach((raw, index) => {
    if (!checkSample.Check(raw)) {
      const [first] = checkSample.Errors(raw)
      return void quarantined.push({ index, code: 'sample_invalid', detail: `${first?.instancePath || 'sample'} ${first?.message ?? 'is not valid'}`, raw })
    }
    const times = { eventAt: Date.parse(raw.eventAt), dueAt: raw.nextDueAt === null ? null : Date.parse(raw.nextDueAt) }
    const fault = faultOf(raw, times, arrival.receivedAt, offset_ms)
    if (fault === null) at = addSample(batch, raw, times, index, at)
    else quarantined.push({ index, ...fault, raw })
  })
  return quarantined
}

/** What is wrong with a sample that has the form of one. */
function faultOf(sample: Sample, { eventAt, dueAt }: SampleTimes, receivedAt: number, offset_ms: number): { code: string; detail: string } | null {
  const { radio } = sample
  if (isBroken(sample.accessPoint)) return { code: 'sample_invalid', detail: 'accessPoint holds U+0000 or half a surrogate pair' }
  if (radio !== null && isBroken(radio.source)) return { code: 'sample_invalid', detail: 'radio.source holds U+0000 or half a surrogate pair' }
  // A leap second has the form of a time and is no instant here; before 1970 there was no phone.
  if (!(eventAt >= 0)) return { code: 'sample_invalid', detail: `eventAt ${sample.eventAt} is no instant since 1970` }
  if (dueAt !== null && !(dueAt >= 0)) return { code: 'sample_invalid', detail: `nextDueAt ${sample.nextDueAt} is no instant since 1970` }
  const radioWrong = radio === null ? null : radioFault(sample.technology, radio)
  if (radioWrong !== null) return { code: 'radio_out_of_range', detail: radioWrong }
  if (dueAt !== null && !(dueAt - eventAt >= 0 && dueAt - eventAt <= promise_ms_max)) return { code: 'promise_invalid', detail: `nextDueAt ${sample.nextDueAt} lies before eventAt, or more than a day after it` }
  if (isClockAhead(eventAt, offset_ms, receivedAt)) return { code: 'clock_ahead', detail: `eventAt ${sample.eventAt} is more than 10 minutes ahead of the server; set the phone's clock` }
  return null
}

const isBroken = (text: string | null): boolean => text !== null && (text.includes('\0') || !text.isWellFormed())

/** What quarantine keeps of anything that came: its text, and the hash that tells it from others of its device. */
export function quarantineText(raw: unknown): { readonly text: string; readonly sha256: Buffer } {
  const text = textOf(raw)
  // PostgreSQL's jsonb holds neither U+0000 nor half a surrogate pair; the hash is of the text as it came.
  return { text: text.replace(/\\u(?:0000|d[89a-f][0-9a-f]{2})/g, '\\ufffd'), sha256: createHash('sha256').update(text).digest() }
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
