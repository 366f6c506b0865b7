import { access, reaches, technologies } from '@kawal/contract/compact.ts'
import type { Sample } from '@kawal/contract/report.ts'
import type { TellingSample } from '@kawal/core/detection/bits.ts'

/** A sample that was read and found good. Objects are used again: tens of thousands pass a second. */
export interface Measured extends TellingSample {
  /** Its place in the batch. */
  index: number
  sequence: number
  /** By the phone's clock, ms since 1970. */
  eventAt: number
  /** The promise, ms after `eventAt`; -1 is goodbye. */
  promise_ms: number
  sim: string | null
  access: string
  accessPoint: string | null
  technology: string | null
  radio: { rsrpDbm: number | null; rssiDbm: number | null } | null
  readonly levels: { rsrpDbm: number | null; rssiDbm: number | null }
  rttMs: number[]
  timeouts: number
  readonly reach: { internet: string; election: string; platform: string }
  charging: boolean | null
  /** Where the sample stands in the compact form: from here to there of the batch's bytes. */
  from: number
  to: number
}

/** Good samples of one batch: the first `count` of `samples`, and the bytes they stand in. Holds until the next is read. */
export interface MeasuredBatch { count: number; readonly samples: Measured[]; bytes: Buffer }

export const makeBatch = (): MeasuredBatch => ({ count: 0, samples: [], bytes: Buffer.alloc(0) })

/** The place for the next sample; it counts when `count` is raised. */
export function nextSample(batch: MeasuredBatch): Measured {
  return (batch.samples[batch.count] ??= {
    index: 0, sequence: 0, eventAt: 0, promise_ms: -1, sim: null, access: 'unknown', accessPoint: null, technology: null, radio: null, levels: { rsrpDbm: null, rssiDbm: null }, rttMs: [], timeouts: 0,
    reach: { internet: 'untested', election: 'untested', platform: 'untested' }, charging: null, from: 0, to: 0,
  })
}

/** A sample of the contract takes less; texts are bounded by it. */
export const row_bytes_max = 1_024
const two_32 = 4_294_967_296

/** A sample's instants, read; ms since 1970. */
export interface SampleTimes { readonly eventAt: number; readonly dueAt: number | null }

/**
 * Adds a valid sample to a batch and writes it in the compact form behind what is there, into `batch.bytes`, which has
 * `row_bytes_max` left. A fraction of a ms, and of a tenth of a round trip, is rounded away, as phones do.
 */
export function addSample(batch: MeasuredBatch, sample: Sample, { eventAt, dueAt }: SampleTimes, index: number, at: number): number {
  const into = nextSample(batch)
  into.index = index
  into.sequence = sample.sequence
  into.eventAt = eventAt
  into.promise_ms = dueAt === null ? -1 : dueAt - eventAt
  into.sim = sample.sim
  into.access = sample.access
  into.accessPoint = sample.accessPoint
  into.technology = sample.technology
  into.radio = sample.radio === null ? null : into.levels
  into.levels.rsrpDbm = sample.radio?.rsrpDbm ?? null
  into.levels.rssiDbm = sample.radio?.rssiDbm ?? null
  into.rttMs.length = 0
  for (const rtt of sample.rttMs) into.rttMs.push(rtt)
  into.timeouts = sample.timeouts
  into.reach.internet = sample.reach.internet
  into.reach.election = sample.reach.election
  into.reach.platform = sample.reach.platform
  into.charging = sample.charging
  into.from = at
  into.to = writeRow(batch.bytes, at, sample, eventAt, into.promise_ms)
  batch.count++
  return into.to
}

/** CBOR's major types (RFC 8949, section 3.1) in the upper three bits of an initial byte. */
const major = { whole: 0x00, negative: 0x20, text: 0x60, list: 0x80 } as const
const simple = { no: 0xf4, yes: 0xf5, nothing: 0xf6, double: 0xfb } as const

function writeRow(bytes: Buffer, from: number, sample: Sample, eventAt: number, promise_ms: number): number {
  const { radio } = sample
  let at = writeHead(bytes, from, major.list, 14)
  at = writeHead(bytes, at, major.whole, sample.sequence)
  at = writeHead(bytes, at, major.whole, eventAt)
  at = writeText(bytes, at, sample.sim)
  at = writeHead(bytes, at, major.whole, access.indexOf(sample.access))
  at = writeText(bytes, at, sample.accessPoint)
  at = sample.technology === null ? writeByte(bytes, at, simple.nothing) : writeHead(bytes, at, major.whole, technologies.indexOf(sample.technology))
  if (radio === null) at = writeByte(bytes, at, simple.nothing)
  else {
    at = writeHead(bytes, at, major.list, radio.bars === undefined ? 6 : 7)
    at = writeText(bytes, at, radio.source)
    at = writeHead(bytes, at, major.whole, radio.ageMs)
    for (const value of [radio.rsrpDbm, radio.rsrqDb, radio.sinrDb, radio.rssiDbm]) at = writeNumber(bytes, at, value ?? null)
    if (radio.bars !== undefined) at = writeHead(bytes, at, major.whole, radio.bars)
  }
  at = writeHead(bytes, at, major.list, sample.rttMs.length)
  for (const rtt of sample.rttMs) at = writeHead(bytes, at, major.whole, Math.max(1, Math.round(rtt * 10)))
  at = writeHead(bytes, at, major.whole, sample.timeouts)
  at = writeNumber(bytes, at, sample.downKbps)
  at = writeNumber(bytes, at, sample.upKbps)
  at = writeHead(bytes, at, major.whole, 100 * reaches.indexOf(sample.reach.internet) + 10 * reaches.indexOf(sample.reach.election) + reaches.indexOf(sample.reach.platform))
  at = writeByte(bytes, at, sample.charging === null ? simple.nothing : sample.charging ? simple.yes : simple.no)
  return promise_ms < 0 ? writeByte(bytes, at, simple.nothing) : writeHead(bytes, at, major.whole, promise_ms)
}

function writeByte(bytes: Buffer, at: number, value: number): number {
  bytes[at] = value
  return at + 1
}

function writeHead(bytes: Buffer, at: number, type: number, value: number): number {
  if (value < 24) return writeByte(bytes, at, type | value)
  if (value < 0x100) return writeByte(bytes, writeByte(bytes, at, type | 24), value)
  if (value < 0x1_0000) return bytes.writeUInt16BE(value, writeByte(bytes, at, type | 25))
  if (value < two_32) return bytes.writeUInt32BE(value, writeByte(bytes, at, type | 26))
  const low = bytes.writeUInt32BE(Math.floor(value / two_32), writeByte(bytes, at, type | 27))
  return bytes.writeUInt32BE(value % two_32, low)
}

function writeText(bytes: Buffer, at: number, text: string | null): number {
  if (text === null) return writeByte(bytes, at, simple.nothing)
  const start = writeHead(bytes, at, major.text, Buffer.byteLength(text))
  return start + bytes.write(text, start, 'utf8')
}

function writeNumber(bytes: Buffer, at: number, value: number | null): number {
  if (value === null) return writeByte(bytes, at, simple.nothing)
  if (!Number.isSafeInteger(value)) return bytes.writeDoubleBE(value, writeByte(bytes, at, simple.double))
  return value < 0 ? writeHead(bytes, at, major.negative, -1 - value) : writeHead(bytes, at, major.whole, value)
}
