import { compact_type, encodeBatch } from '@kawal/contract/compact.ts'
import type { Sample } from '@kawal/contract/report.ts'
import { mix, sims, type Phones } from './phones.ts'

/** What a request carries: one phone's samples, numbered from `first`, the newest of `eventAt`. Times in ms since 1970. */
export interface Load {
  readonly key: number
  readonly first: number
  readonly samples: number
  readonly eventAt: number
  readonly due_ms: number
}

/** How reports are written: the compact form and JSON for us, lines of the Influx protocol for the peer. */
export type Form = 'compact' | 'json' | 'lines'

/** Between the samples of one request: a probe that measures each 15 s and sends every 5 minutes. */
export const apart_ms = 15_000
/** Looks of a sample of one SIM; of 64 one is bad. */
const looks = 64
/** Stand-ins that are found in what the encoder made, and written over. */
const station_mark = 9_876_543_210_123
const sent_mark = 1_899_999_999_999
const event_mark = 1_888_888_888_000
const due_mark = 70_001
const plmns = [...new Set(sims)]
/** Source addresses, as many as operators' shared ones may be. */
const addresses = 4_096

/** Bytes of a request behind its token, and where in them what differs stands. */
interface Template { readonly bytes: Buffer; readonly station: number; readonly sent: number; readonly events: Int32Array; readonly dues: Int32Array; readonly address: number }

/**
 * Writes requests from templates: the real encoder makes one for each look and number, and only the token, the
 * station, the address and the times are written anew, so that the load costs its machine little.
 */
export function createRequests(phones: Phones, form: Form): (load: Load, into: Buffer, now: number) => number {
  const start = Buffer.from(`POST ${form === 'lines' ? '/write?precision=ms' : '/v1/reports'} HTTP/1.1\r\nhost: kawal.example\r\nauthorization: Bearer `)
  const templates = new Map<number, Template>()
  const templateOf = ({ key, first, samples }: Load): Template => {
    const sim = plmns.indexOf(sims[phones.simOf(key)] ?? '51010')
    const look = mix(key + first) % looks
    const place = ((first * 32 + samples) * plmns.length + sim) * looks + look
    let known = templates.get(place)
    if (known === undefined) templates.set(place, (known = form === 'compact' ? compact(sim, look, first, samples) : form === 'json' ? json(sim, look, first, samples) : lines(sim, look, first, samples)))
    return known
  }
  const write = form === 'compact' ? writeCompact : form === 'json' ? writeJson : writeLines
  return (load, into, now) => {
    const template = templateOf(load)
    start.copy(into)
    const at = phones.writeToken(load.key, into, start.length)
    template.bytes.copy(into, at)
    const address = mix(load.key) % addresses
    digits(into, at + template.address, 3, 100 + (address & 127))
    digits(into, at + template.address + 4, 3, 100 + (address >> 7))
    write(template, load, phones, into, at, now)
    return at + template.bytes.length
  }
}

function writeCompact(template: Template, load: Load, phones: Phones, into: Buffer, at: number, now: number): void {
  wide(into, at + template.station, Number(phones.stationOf(load.key)))
  wide(into, at + template.sent, now)
  for (let i = 0; i < load.samples; i++) {
    wide(into, at + (template.events[i] as number), load.eventAt - (load.samples - 1 - i) * apart_ms)
    into.writeUInt32BE(load.due_ms, at + (template.dues[i] as number))
  }
}

function writeJson(template: Template, load: Load, phones: Phones, into: Buffer, at: number, now: number): void {
  into.write(phones.stationOf(load.key), at + template.station, 'latin1')
  into.write(new Date(now).toISOString(), at + template.sent, 'latin1')
  for (let i = 0; i < load.samples; i++) {
    const eventAt = load.eventAt - (load.samples - 1 - i) * apart_ms
    into.write(new Date(eventAt).toISOString(), at + (template.events[i] as number), 'latin1')
    into.write(new Date(eventAt + load.due_ms).toISOString(), at + (template.dues[i] as number), 'latin1')
  }
}

/** A line knows its province as a tag, and the phone as a number. */
function writeLines(template: Template, load: Load, phones: Phones, into: Buffer, at: number): void {
  const province = phones.stationOf(load.key).slice(0, 2)
  for (let i = 0; i < load.samples; i++) {
    const line = at + (template.events[i] as number)
    into.write(province, line, 'latin1')
    digits(into, line + line_device, 7, load.key)
    digits(into, at + (template.dues[i] as number), 13, load.eventAt - (load.samples - 1 - i) * apart_ms)
  }
}

/** A whole number over 2^32 in CBOR: eight bytes behind the initial byte (RFC 8949, section 3). */
function wide(into: Buffer, at: number, value: number): void {
  into.writeUInt32BE(Math.floor(value / 4_294_967_296), at)
  into.writeUInt32BE(value >>> 0, at + 4)
}

function digits(into: Buffer, at: number, count: number, value: number): void {
  for (let digit = count - 1, rest = value; digit >= 0; digit--, rest = Math.floor(rest / 10)) into[at + digit] = 48 + (rest % 10)
}

/** As a proxy in front hands it on that ended TLS. */
const head = (type: string, length: number): string =>
  `\r\nuser-agent: Mozilla/5.0 (Linux; Android 10; K) Chrome/126.0 Mobile\r\ncontent-type: ${type}\r\nx-forwarded-for: 103.101.100.100\r\nx-forwarded-proto: https\r\ncontent-length: ${length}\r\n\r\n`

function assemble(type: string, body: Buffer, find: (body: Buffer, start: number) => Omit<Template, 'bytes' | 'address'>): Template {
  const before = Buffer.from(head(type, body.length))
  return { bytes: Buffer.concat([before, body]), address: before.indexOf('103.101.') + '103.101.'.length, ...find(body, before.length) }
}

const marks = (samples: number): number[] => Array.from({ length: samples }, (_, i) => i)
const wideOf = (value: number): Buffer => {
  const bytes = Buffer.alloc(9, 0x1b)
  wide(bytes, 1, value)
  return bytes
}

function found(bytes: Buffer, part: Buffer | string): number {
  const at = bytes.indexOf(part)
  if (at < 0 || bytes.indexOf(part, at + 1) >= 0) throw new Error('a stand-in is there once')
  return at
}

function batchOf(sim: number, look: number, first: number, samples: number) {
  return { station: String(station_mark), sentAt: new Date(sent_mark).toISOString(), samples: marks(samples).map((i) => sampleOf(sim, look + i, first + i, event_mark + i * 1000, due_mark + i)) }
}

function compact(sim: number, look: number, first: number, samples: number): Template {
  const body = Buffer.from(encodeBatch(batchOf(sim, look, first, samples)))
  return assemble(compact_type, body, (_, start) => ({
    station: start + found(body, wideOf(station_mark)) + 1, sent: start + found(body, wideOf(sent_mark)) + 1,
    events: Int32Array.from(marks(samples), (i) => start + found(body, wideOf(event_mark + i * 1000)) + 1),
    dues: Int32Array.from(marks(samples), (i) => start + found(body, Buffer.of(0x1a, 0, 1, (due_mark + i) >> 8 & 255, (due_mark + i) & 255)) + 1),
  }))
}

function json(sim: number, look: number, first: number, samples: number): Template {
  const body = Buffer.from(JSON.stringify(batchOf(sim, look, first, samples)))
  const instant = (at: number): string => new Date(at).toISOString()
  return assemble('application/json', body, (_, start) => ({
    station: start + found(body, String(station_mark)), sent: start + found(body, instant(sent_mark)),
    events: Int32Array.from(marks(samples), (i) => start + found(body, `"eventAt":"${instant(event_mark + i * 1000)}`) + '"eventAt":"'.length),
    dues: Int32Array.from(marks(samples), (i) => start + found(body, `"nextDueAt":"${instant(event_mark + i * 1000 + due_mark + i)}`) + '"nextDueAt":"'.length),
  }))
}

const operators = ['telkomsel', 'indosat', 'indosat', 'xlsmart', 'xlsmart']
const line_device = '00 device='.length

/** The same samples as lines of eight fields. What tells series apart is operator and province, about 900 of them: fewer series cost the peer less, one for each phone three to four times as much. */
function lines(sim: number, look: number, first: number, samples: number): Template {
  const text = marks(samples).map((i) => {
    const sample = sampleOf(sim, look + i, first + i, event_mark, due_mark)
    const rtt = sample.rttMs[0] ?? 0
    return `report,operator=${operators[sim] ?? 'telkomsel'},province=00 device=0000000i,sequence=${first + i}i,rtt_ms=${rtt},timeouts=${sample.timeouts}i,rsrp_dbm=${sample.radio?.rsrpDbm ?? -90},probes=${sample.rttMs.length}i,charging=${sample.charging === true ? 1 : 0}i,internet=${sample.reach.internet === 'ok' ? 1 : 0}i ${event_mark}\n`
  })
  const starts = text.map((_, i) => text.slice(0, i).join('').length)
  return assemble('text/plain', Buffer.from(text.join('')), (_, start) => ({
    station: 0, sent: 0,
    events: Int32Array.from(marks(samples), (i) => start + (starts[i] as number) + (text[i] as string).indexOf('province=') + 'province='.length),
    dues: Int32Array.from(marks(samples), (i) => start + (starts[i] as number) + (text[i] as string).lastIndexOf(' ') + 1),
  }))
}

/** A routine report of a phone on duty: a few pings, radio values from one in three, a full check's throughput from one in sixteen. */
function sampleOf(sim: number, look: number, sequence: number, eventAt: number, due_ms: number): Sample {
  const chance = (what: number, of: number): boolean => mix(look * 977 + what) % of === 0
  const bad = look % looks === 7
  const rtt = 25 + (mix(look * 31) % 900) / 10
  const tested = chance(3, 3) ? 'ok' : 'untested'
  return {
    sequence, eventAt: new Date(eventAt).toISOString(), sim: plmns[sim] ?? '51010', access: chance(1, 12) ? 'wifi' : 'cellular', accessPoint: null, technology: chance(2, 10) ? 'umts' : 'lte',
    radio: chance(4, 3) ? { source: 'android', ageMs: 400 + look * 13, rsrpDbm: -85 - (look % 25), rsrqDb: -11, sinrDb: null } : null,
    rttMs: bad ? [] : [rtt, rtt + 3.1, rtt + 0.7, rtt + 12.4].slice(0, 2 + (look % 3)), timeouts: bad ? 5 : 0,
    downKbps: chance(5, 16) ? 3_000 + look * 17 : null, upKbps: chance(5, 16) ? 900 + look * 3 : null,
    reach: { internet: bad ? 'timeout' : 'ok', election: bad ? 'timeout' : tested, platform: 'ok' }, charging: chance(6, 3) ? null : chance(7, 4), nextDueAt: new Date(eventAt + due_ms).toISOString(),
  }
}
