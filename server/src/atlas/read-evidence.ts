import type pg from 'pg'
import { technologies, type Technology } from '@kawal/core/atlas/edition.ts'
import type { RadioSamples } from '@kawal/core/atlas/evidence.ts'
import { makeSiteColumns, type SiteColumns } from '@kawal/core/atlas/predict.ts'
import { makeRuns, type Runs } from '@kawal/core/geo/cells.ts'
import { judge, type JudgedSample } from '@kawal/core/measurement/judge.ts'
import { readClaims, readSamples, readSites } from './read-claim.ts'

/** Everything that is known of one operator's network of one technology, before it is laid on a grid. */
export interface LayerSources {
  readonly operator: string
  readonly technology: Technology
  readonly claim: { readonly runs: Runs; readonly day: number } | null
  readonly sites: { readonly columns: SiteColumns; readonly complete: boolean; readonly day: number } | null
  readonly samples: RadioSamples | null
  /** For the edition's facts. */
  readonly sources: readonly { readonly claim: number; readonly kind: string; readonly complete: boolean; readonly validFrom: string; readonly file: string; readonly sha256: string }[]
}

const day_ms = 86_400_000
/** Measurements older than this say little of today's network. */
const sample_days_max = 540

/**
 * Claims that hold on a day, lists of sites, drive tests and officers' reports, by operator and technology.
 * @param on YYYY-MM-DD
 */
export async function readEvidence(client: pg.ClientBase, on: string): Promise<LayerSources[]> {
  const layers = new Map<string, { operator: string; technology: Technology; claims: Awaited<ReturnType<typeof readClaims>> }>()
  const layer = (operator: string, technology: string) => {
    const id = `${operator} ${technology}`
    const known = layers.get(id) ?? { operator, technology: technology as Technology, claims: [] }
    layers.set(id, known)
    return known
  }
  for (const claim of await readClaims(client, on)) if (claim.organisation !== null) layer(claim.organisation, claim.technology).claims.push(claim)
  const { rows: measured } = await client.query<{ operator: string; technology: string }>('SELECT DISTINCT organisation_id AS operator, technology FROM radio_sample WHERE organisation_id IS NOT NULL')
  for (const { operator, technology } of measured) layer(operator, technology)
  const until = Date.parse(on) + day_ms
  const reports = await readReports(client, until - sample_days_max * day_ms, until)
  for (const { operator, technology } of reports) layer(operator, technology)
  const sources: LayerSources[] = []
  for (const { operator, technology, claims } of [...layers.values()].sort((a, b) => (a.operator < b.operator ? -1 : a.operator > b.operator ? 1 : technologies.indexOf(a.technology) - technologies.indexOf(b.technology)))) {
    const areas = claims.filter((claim) => claim.runs !== null)
    const list = claims.find((claim) => claim.kind === 'sites')
    const drives = await readSamples(client, operator, technology, until - sample_days_max * day_ms, until)
    sources.push({
      operator, technology,
      claim: areas.length === 0 ? null : { runs: united(areas.map((area) => area.runs as Runs)), day: Math.max(...areas.map((area) => dayOf(area.validFrom))) },
      sites: list === undefined ? null : { columns: await sitesOf(client, list.id, technology as Technology), complete: list.complete, day: dayOf(list.validFrom) },
      samples: samplesOf(drives, reports.filter((report) => report.operator === operator && report.technology === technology)),
      sources: await namesOf(client, claims.map((claim) => claim.id)),
    })
  }
  return sources
}

const dayOf = (date: string): number => Math.floor(Date.parse(date) / day_ms)

function united(sets: readonly Runs[]): Runs {
  const [first] = sets
  if (first !== undefined && sets.length === 1) return first
  const pairs: [number, number][] = []
  for (const runs of sets) for (let i = 0; i < runs.length; i += 2) pairs.push([runs[i] as number, runs[i + 1] as number])
  return makeRuns(pairs)
}

async function namesOf(client: pg.ClientBase, ids: readonly number[]): Promise<LayerSources['sources']> {
  const { rows } = await client.query<LayerSources['sources'][number]>(
    'SELECT id AS claim, kind, complete, valid_from::text AS "validFrom", file, sha256 FROM claim WHERE id = ANY ($1) ORDER BY id', [ids])
  return rows
}

/** What a carrier's power is more than a resource element's, in dB: 600 subcarriers of LTE in 10 MHz, 612 of NR in 20 MHz (3GPP TS 36.101, 38.101-1). */
const carrier_db: Readonly<Partial<Record<Technology, number>>> = { lte: 10 * Math.log10(600), nr: 10 * Math.log10(612) }

async function sitesOf(client: pg.ClientBase, claim: number, technology: Technology): Promise<SiteColumns> {
  const read = await readSites(client, claim)
  const sites = makeSiteColumns(read.count)
  sites.latitude.set(read.latitude)
  sites.longitude.set(read.longitude)
  sites.height_m.set(read.height_m)
  sites.frequency_mhz.set(read.frequency_mhz)
  sites.eirp_dbm.set(read.eirp_dbm.map((eirp) => eirp - (carrier_db[technology] ?? 0)))
  sites.azimuth_deg.set(read.azimuth_deg)
  sites.beamwidth_deg.set(read.beamwidth_deg)
  return sites
}

interface StationReport { readonly operator: string; readonly technology: Technology; readonly device: number; readonly day: number; readonly usable: number; readonly level_dbm: number; readonly latitude: number; readonly longitude: number }

/**
 * Each device's newest word over a mobile network, from stations whose place is known closely. A browser
 * cannot tell its technology: then it was 4G, which is what carries data in Indonesia.
 */
async function readReports(client: pg.ClientBase, since: number, until: number): Promise<StationReport[]> {
  const { rows } = await client.query<{ operator: string; device: number; at: Date; latitude: number; longitude: number; sample: JudgedSample & { technology: Technology | null; radio: { rsrpDbm?: number | null; rssiDbm?: number | null } | null } }>(
    `SELECT DISTINCT ON (device_key, operator_id) operator_id AS operator, device_key AS device, event_at AS at, s.latitude, s.longitude, sample
     FROM report JOIN station_now s ON s.code = station_code
     WHERE operator_id IS NOT NULL AND event_at > $1 AND event_at <= $2 AND sample->>'access' = 'cellular' AND s.position_grade IN ('fix', 'venue')
     ORDER BY device_key, operator_id, event_at DESC`, [new Date(since), new Date(until)])
  return rows.flatMap(({ operator, device, at, latitude, longitude, sample }) => {
    const { quality } = judge(sample)
    const level = sample.radio?.rsrpDbm ?? sample.radio?.rssiDbm ?? NaN
    if (quality === 'unknown' && Number.isNaN(level)) return []
    return [{ operator, technology: sample.technology ?? ('lte' as const), device, day: Math.floor(at.getTime() / day_ms), usable: quality === 'unknown' ? 255 : Number(quality === 'good'), level_dbm: level, latitude, longitude }]
  })
}

function samplesOf(drives: Awaited<ReturnType<typeof readSamples>>, reports: readonly StationReport[]): RadioSamples | null {
  const count = drives.count + reports.length
  if (count === 0) return null
  const samples: RadioSamples = {
    latitude: new Float64Array(count), longitude: new Float64Array(count), device: new Int32Array(count), usable: new Uint8Array(count), level_dbm: new Float32Array(count), day: new Uint16Array(count),
  }
  const { rsrp_dbm, rssi_dbm } = drives
  // devices of the two kinds are different phones; all samples of nobody known are one: more cannot be proved
  const nobody = drives.device.reduce((most, device) => Math.max(most, device), -1) + 1
  for (let i = 0; i < drives.count; i++) {
    const device = drives.device[i] as number
    samples.latitude[i] = drives.latitude[i] as number
    samples.longitude[i] = drives.longitude[i] as number
    samples.device[i] = device >= 0 ? device : nobody
    samples.usable[i] = drives.usable[i] === -1 ? 255 : (drives.usable[i] as number)
    samples.level_dbm[i] = Number.isNaN(rsrp_dbm[i] as number) ? (rssi_dbm[i] as number) : (rsrp_dbm[i] as number)
    samples.day[i] = Math.floor((drives.at[i] as number) / day_ms)
  }
  reports.forEach((report, at) => {
    const i = drives.count + at
    samples.latitude[i] = report.latitude
    samples.longitude[i] = report.longitude
    samples.device[i] = nobody + 1 + report.device
    samples.usable[i] = report.usable
    samples.level_dbm[i] = report.level_dbm
    samples.day[i] = report.day
  })
  return samples
}
