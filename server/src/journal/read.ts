import { decodeSample } from '@kawal/contract/compact.ts'
import type { Sample } from '@kawal/contract/report.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { decodeSegment, type Segment } from './segment.ts'

/** What is read of the journal: all of it where nothing is given. Instants in ms since 1970, of arrival, from `from` and before `to`. */
interface Range {
  /** Segments after this one. */
  readonly after?: number
  readonly from?: number
  readonly to?: number
  /** Of the commit, for whole partitions. */
  readonly sealedFrom?: number
  readonly sealedTo?: number
}

/** One report as it was taken in. Instants in ms since 1970. */
export interface StoredReport {
  readonly device: number
  readonly sequence: number
  /** 13 digits. */
  readonly station: string
  /** By the phone's clock moved by `offset_ms`; the sample has the phone's own. */
  readonly eventAt: number
  readonly receivedAt: number
  readonly operator: string | null
  readonly sim: string | null
  readonly network: string | null
  readonly offset_ms: number
  readonly sample: Sample
}

/** A page is read in a transaction of its own, so that no reader holds up whoever lets an old partition go. */
const page_segments = 64
/** A segment is sealed a little after its reports came, and clocks are set. */
const slack_ms = 3_600_000
const longest_ms = 8_640_000_000_000_000

/** Segments in the order of their commits, as they were before the first is asked for or come meanwhile. At national size some 4 million reports a second. */
export async function* readSegments(database: Database, { after = 0, from = -longest_ms, to = longest_ms, sealedFrom = from - slack_ms, sealedTo = to + slack_ms }: Range = {}): AsyncGenerator<Segment> {
  const instants = [from, to, sealedFrom, sealedTo].map((at) => new Date(Math.max(-62_135_596_800_000, Math.min(253_402_300_799_999, at))).toISOString())
  for (let last = after; ; ) {
    const { rows } = await database.transaction(system, (client) => client.query<{ id: number; bytes: Buffer }>(
      `SELECT id, bytes FROM segment WHERE id > $1 AND received_to >= $2 AND received_from < $3 AND sealed_at >= $4 AND sealed_at < $5 ORDER BY id LIMIT ${page_segments}`, [last, ...instants]))
    for (const { id, bytes } of rows) yield decodeSegment(id, bytes)
    if (rows.length < page_segments) return
    last = (rows.at(-1) as { id: number }).id
  }
}

/** The reports one by one, with their samples, in the order of the commits. For people and tests; whoever counts millions reads segments. */
export async function* readReports(database: Database, wanted: Range & { readonly station?: string; readonly device?: number } = {}): AsyncGenerator<StoredReport> {
  const { from = -Infinity, to = Infinity, station, device } = wanted
  const digits = station === undefined ? null : Number(station)
  for await (const segment of readSegments(database, wanted)) {
    let samples: Uint8Array[] | null = null
    for (let i = 0; i < segment.count; i++) {
      const receivedAt = segment.receivedAt[i] as number
      if (receivedAt < from || receivedAt >= to || (digits !== null && segment.station[i] !== digits) || (device !== undefined && segment.device[i] !== device)) continue
      samples ??= segment.samples()
      yield reportAt(segment, i, samples[i] as Uint8Array)
    }
  }
}

function reportAt(segment: Segment, i: number, bytes: Uint8Array): StoredReport {
  const sample = decodeSample(bytes)
  const way = segment.ways[segment.way[i] as number]
  if (sample === null || way === undefined) throw new RangeError(`segment ${segment.id}: report ${i} is no sample in the compact form`)
  return {
    device: segment.device[i] as number, sequence: segment.sequence[i] as number, station: String(segment.station[i]).padStart(13, '0'), eventAt: segment.eventAt[i] as number, receivedAt: segment.receivedAt[i] as number,
    operator: way.operator, sim: way.sim, network: way.network, offset_ms: way.offset_ms, sample,
  }
}
