import { decode, encode } from 'cborg'
import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'
import type { ReportBatch, ReportReceipt, Sample } from './report.ts'

/**
 * Reports in a form that costs a phone little: deterministic CBOR (RFC 8949, section 4.2.1) in which each field
 * has its place, so that no name travels. The places and the orders of words are published in spec/report.md:
 * words are added at the end, never moved. Without the schema library, since phones carry this file.
 */
export const form_version = 1
export const access = ['cellular', 'wifi', 'wired', 'none', 'unknown'] as const
export const technologies = ['gsm', 'umts', 'lte', 'nr'] as const
export const reaches = ['ok', 'timeout', 'offline', 'portal', 'http_error', 'wrong_clock', 'untested'] as const
/** One digit a target, in this order; room for words to come. */
const reach_base = 10

export const compact_type = 'application/cbor'
/** As many as a `ReportBatch` has: no more are looked at one by one. */
export const rows_max = 500
const form = `[${form_version}, station, sentAt in ms or null, [[sequence, eventAt in ms, ...], ...]] in CBOR`

interface ReadBatch { readonly station: string; readonly sentAt?: string; readonly samples: readonly unknown[] }

/** @param batch samples as the contract has them; a fraction of a millisecond and of a tenth of a round-trip time is rounded away */
export function encodeBatch(batch: Omit<ReportBatch, 'samples'> & { readonly samples: readonly Sample[] }): Uint8Array {
  return encode([form_version, Number(batch.station), batch.sentAt === undefined ? null : Date.parse(batch.sentAt), batch.samples.map(sampleRow)])
}

function sampleRow(sample: Sample): unknown[] {
  const { radio, reach } = sample
  const eventAt = Date.parse(sample.eventAt)
  return [
    sample.sequence, eventAt, sample.sim, access.indexOf(sample.access), sample.accessPoint, sample.technology === null ? null : technologies.indexOf(sample.technology),
    radio === null ? null : [radio.source, radio.ageMs, radio.rsrpDbm ?? null, radio.rsrqDb ?? null, radio.sinrDb ?? null, radio.rssiDbm ?? null, ...(radio.bars === undefined ? [] : [radio.bars])],
    sample.rttMs.map((rtt) => Math.max(1, Math.round(rtt * 10))), sample.timeouts, sample.downKbps, sample.upKbps,
    [reach.internet, reach.election, reach.platform].reduce((number, word) => number * reach_base + reaches.indexOf(word), 0),
    sample.charging, sample.nextDueAt === null ? null : Date.parse(sample.nextDueAt) - eventAt,
  ]
}

/**
 * @returns the batch as JSON would have brought it. A row that is no sample comes as it is, for quarantine.
 * The error says what was expected and what is there.
 */
export function decodeBatch(bytes: Uint8Array): Result<ReadBatch, string> {
  const read = readCbor(bytes)
  if (!read.ok) return read
  const body = read.value
  if (!Array.isArray(body) || body.length !== 4) return fail(`Expected ${form}.`)
  const [version, station, sentAt, rows] = body as unknown[]
  if (version !== form_version) return fail(`Expected form ${form_version} first, got ${shown(version)}: ${form}.`)
  if (!isInstant(station) || station > 9_999_999_999_999) return fail(`Expected the 13 digits of the station as an integer in the second place, got ${shown(station)}.`)
  if (sentAt !== null && !isInstant(sentAt)) return fail(`Expected sentAt in ms since 1970, or null, in the third place, got ${shown(sentAt)}.`)
  if (!Array.isArray(rows) || rows.length > rows_max) return fail(`Expected a list of at most ${rows_max} samples in the fourth place, got ${Array.isArray(rows) ? rows.length : shown(rows)}.`)
  return ok({ station: String(station).padStart(13, '0'), ...(sentAt === null ? {} : { sentAt: instant(sentAt) }), samples: rows.map((row: unknown) => readRow(row) ?? plain(row, 0)) })
}

/** One sample as it is kept: a row of a batch by itself. @returns null for bytes that are no such row */
export function decodeSample(bytes: Uint8Array): Sample | null {
  const read = readCbor(bytes)
  return read.ok ? (readRow(read.value) as Sample | null) : null
}

/** @returns null for what has not the form of a row; whether the values are right is judged later, as for JSON */
function readRow(row: unknown): object | null {
  if (!Array.isArray(row) || row.length !== 14) return null
  const [sequence, eventAt, sim, how, accessPoint, technology, radio, rtts, timeouts, downKbps, upKbps, reach, charging, due] = row as unknown[]
  if (!isInstant(eventAt) || !(due === null || (Number.isSafeInteger(due) && isInstant(eventAt + (due as number))))) return null
  if (!Array.isArray(rtts) || !rtts.every(Number.isSafeInteger) || !Number.isInteger(reach)) return null
  const digits = String(reach).padStart(3, '0')
  const words = [wordAt(access, how), technology === null ? null : wordAt(technologies, technology), ...(digits.length === 3 ? Array.from(digits, (digit) => reaches[Number(digit)]) : [undefined])]
  if (words.includes(undefined)) return null
  const values = radio === null ? null : readRadio(radio)
  if (values === undefined) return null
  return plain({
    sequence, eventAt: instant(eventAt), sim, access: words[0], accessPoint, technology: words[1], radio: values, rttMs: (rtts as number[]).map((tenths) => tenths / 10), timeouts, downKbps, upKbps,
    reach: { internet: words[2], election: words[3], platform: words[4] }, charging, nextDueAt: due === null ? null : instant(eventAt + (due as number)),
  }, 0) as object
}

/** By a number alone: any other key would be looked up as text, which a map on the wire can make fail. */
const wordAt = (words: readonly string[], place: unknown): string | undefined => (typeof place === 'number' ? words[place] : undefined)

function readRadio(radio: unknown): object | undefined {
  if (!Array.isArray(radio) || radio.length < 6 || radio.length > 7) return undefined
  const [source, ageMs, rsrpDbm, rsrqDb, sinrDb, rssiDbm, bars] = radio as unknown[]
  return { source, ageMs, rsrpDbm, rsrqDb, sinrDb, rssiDbm, ...(radio.length === 7 ? { bars } : {}) }
}

export function encodeReceipt(receipt: ReportReceipt): Uint8Array {
  return encode([receipt.accepted, receipt.duplicates, receipt.quarantined.map(({ index, code, detail }) => [index, code, detail]), receipt.nextIntervalS, ...(receipt.checkWanted === true ? [true] : [])])
}

export function decodeReceipt(bytes: Uint8Array): Result<ReportReceipt, string> {
  const read = readCbor(bytes)
  if (!read.ok) return read
  const [accepted, duplicates, rows, nextIntervalS, checkWanted] = Array.isArray(read.value) ? (read.value as unknown[]) : []
  const count = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
  const row = (value: unknown): value is [number, string, string] => Array.isArray(value) && count(value[0]) && typeof value[1] === 'string' && typeof value[2] === 'string'
  if (!count(accepted) || !count(duplicates) || !count(nextIntervalS) || !Array.isArray(rows) || !rows.every(row)) return fail('Expected [accepted, duplicates, [[index, code, detail], ...], nextIntervalS] in CBOR, and true behind it where a check is wanted.')
  return ok({ accepted, duplicates, quarantined: rows.map(([index, code, detail]) => ({ index, code, detail })), nextIntervalS, ...(checkWanted === true ? { checkWanted } : {}) })
}

function readCbor(bytes: Uint8Array): Result<unknown, string> {
  try {
    return ok(decode(bytes))
  } catch (error) {
    return fail(`Expected ${form}, got bytes that are not (${error instanceof Error ? error.message : String(error)}).`)
  }
}

/** JavaScript knows instants to 8.64e15 ms; the years above 9999 have no RFC 3339. */
const isInstant = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 253_402_300_799_999
const instant = (at: number): string => new Date(at).toISOString()
const shown = (value: unknown): string => (Array.isArray(value) ? 'a list' : value !== null && typeof value === 'object' ? 'a map or bytes' : String(value).slice(0, 40))

/** Quarantine keeps JSON: what CBOR alone can hold is written as text. Deeper than a sample can be, the text says that it was deep. */
function plain(value: unknown, depth: number): unknown {
  if (depth > 8) return '(nested deeper than a sample)'
  if (value instanceof Uint8Array) return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) return String(value)
  if (Array.isArray(value)) return value.map((each) => plain(each, depth + 1))
  if (value === undefined || value === null || typeof value !== 'object') return value ?? null
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each, depth + 1)]))
}
