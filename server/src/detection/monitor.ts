import type { LiveDisturbance } from '@kawal/contract/live.ts'
import { explainStation, startDetection, stationStatus, step, type Finding, type FoundDisturbance } from '@kawal/core/detection/detector.ts'
import { judge } from '@kawal/core/measurement/judge.ts'
import type { Status } from '@kawal/core/kernel/status.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import type { KeptSample } from '../measurement/ingest.ts'

export interface MonitorStation {
  readonly code: string
  readonly village: string
  readonly latitude: number | null
  readonly longitude: number | null
  readonly voters: number | null
}

export interface MonitorNeeds {
  readonly database: Database
  readonly stations: readonly MonitorStation[]
  readonly areaName: (code: string) => string
  /** Makes ids of this run differ from those of earlier runs on the same database. */
  readonly run: string
  /** Opens the ticket of a disturbance; called again for the same one, it changes nothing. */
  readonly openTicket: (disturbance: LiveDisturbance, recipient: string) => Promise<void>
  readonly changed: (change: { disturbances: readonly string[]; stations: readonly StationChange[] }) => void
}

/** `operator` null: as everybody's devices show it; else as that operator's own do. */
export interface StationChange {
  readonly code: string
  readonly operator: string | null
  readonly before: Status
  readonly after: Status
}

/** After a restart an open disturbance has this long to be found again by measurements. */
const settle_ms = 15 * 60_000

/**
 * Runs the detector beside the ingest: what has been kept goes in, and each sweep writes what was
 * found to the database before anybody is told.
 */
export function createMonitor(needs: MonitorNeeds) {
  const state = startDetection(needs.stations)
  const places = new Map(needs.stations.map((station) => [station.code, station]))
  const statuses = new Map<string, Map<string | null, Status>>()
  const found = new Map<string, LiveDisturbance>()
  const names = new Map<string, string>()
  const before = new Map<string, LiveDisturbance>()
  let lastSweep = 0
  let settleAt = Infinity

  function feed(kept: KeptSample): void {
    const { quality, targets } = judge(kept.sample)
    step(state, {
      report: {
        device: String(kept.device.key), station: kept.device.station, operator: kept.operator ?? 'unknown',
        eventAt: kept.eventAt, receivedAt: kept.receivedAt, quality, targets, charging: kept.sample.charging,
        nextDueAt: kept.sample.nextDueAt === null ? null : Date.parse(kept.sample.nextDueAt),
      },
    }, kept.receivedAt)
  }

  /** A disturbance of an earlier run that is found again after a restart keeps its name and ticket. */
  function nameOf(disturbance: FoundDisturbance): string {
    const known = names.get(disturbance.id)
    if (known !== undefined) return known
    const hit = new Set(disturbance.stations)
    const same = [...before.values()].find((old) => old.cause === disturbance.cause && old.stations.some((code) => hit.has(code)))
    if (same !== undefined) before.delete(same.id)
    const name = same?.id ?? `${needs.run}-${disturbance.id}`
    names.set(disturbance.id, name)
    return name
  }

  function live(disturbance: FoundDisturbance): LiveDisturbance {
    const id = nameOf(disturbance)
    const at = disturbance.stations.map((code) => places.get(code)).filter((place) => place?.latitude != null)
    const mean = (pick: 'latitude' | 'longitude'): number | null =>
      at.length === 0 ? null : at.reduce((sum, place) => sum + (place?.[pick] ?? 0), 0) / at.length
    const voters = disturbance.stations.map((code) => places.get(code)?.voters ?? null)
    return {
      id, status: disturbance.endedAt === null ? 'open' : 'recovered', severity: disturbance.severity, cause: disturbance.cause,
      operator: recipient(disturbance), areaCode: disturbance.areaCode, areaName: needs.areaName(disturbance.areaCode),
      latitude: mean('latitude'), longitude: mean('longitude'), stations: disturbance.stations,
      voters: voters.includes(null) ? null : voters.reduce((sum: number, count) => sum + (count ?? 0), 0),
      startedAt: iso(found.get(id)?.startedAt ?? disturbance.startedAt), foundAt: found.get(id)?.foundAt ?? iso(disturbance.foundAt),
      endedAt: disturbance.endedAt === null ? null : iso(disturbance.endedAt),
      evidence: disturbance.evidence, ticketId: null,
    }
  }

  /**
   * Whom it concerns. A power cut hits every operator: it goes to the one that most of the hit
   * devices use, whose towers need the generators; the election server is the commission's.
   */
  function recipient(disturbance: FoundDisturbance): string | null {
    if (disturbance.operator !== null) return disturbance.operator
    if (disturbance.cause === 'election_server') return 'kpu'
    if (disturbance.cause === 'ingest') return null
    const counts = new Map<string, number>()
    for (const code of disturbance.stations)
      for (const row of explainStation(state, code, lastSweep).operators) counts.set(row.operator, (counts.get(row.operator) ?? 0) + row.devices)
    return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? null
  }

  function noteStatus({ station, operator, status }: Extract<Finding, { kind: 'station_status' }>): StationChange {
    let known = statuses.get(station)
    if (known === undefined) statuses.set(station, (known = new Map()))
    const before = known.get(operator) ?? 'unknown'
    known.set(operator, status)
    return { code: station, operator, before, after: status }
  }

  /** Open disturbances of an earlier run that this run's measurements did not confirm end here. */
  async function settle(now: number): Promise<void> {
    const rows = [...before.values()].map((row): LiveDisturbance => ({ ...row, status: 'recovered', endedAt: iso(now) }))
    before.clear()
    await save(needs.database, rows)
    for (const row of rows) found.set(row.id, row)
    needs.changed({ disturbances: rows.map((row) => row.id), stations: [] })
  }

  return {
    kept(samples: readonly KeptSample[]): void {
      for (const sample of samples) feed(sample)
    },

    async sweep(now: number): Promise<void> {
      lastSweep = now
      if (before.size > 0 && now > settleAt) await settle(now)
      const changes = new Map<string, LiveDisturbance>()
      const stations: StationChange[] = []
      for (const finding of step(state, { sweep: true }, now)) {
        if (finding.kind === 'station_status') {
          stations.push(noteStatus(finding))
        } else {
          const row = live(finding.disturbance)
          changes.set(row.id, row)
        }
      }
      await save(needs.database, [...changes.values()])
      for (const row of changes.values()) {
        found.set(row.id, row)
        if (row.status === 'open' && row.operator !== null) await needs.openTicket(row, row.operator)
      }
      needs.changed({ disturbances: [...changes.keys()], stations })
    },

    /** Takes up after a restart: what was open stays open until measurements say otherwise. */
    async resume(since: number, now: number): Promise<number> {
      const { open, reports } = await load(needs.database, since)
      for (const row of open) before.set(row.id, row)
      for (const row of open) found.set(row.id, row)
      for (const report of reports) feed(report)
      settleAt = now + settle_ms
      if (reports.length > 0) await this.sweep(now)
      return reports.length
    },

    disturbance: (id: string): LiveDisturbance | undefined => found.get(id),
    status: (station: string, operator: string | null): Status => stationStatus(state, station, operator),
    explain: (station: string, now: number, operator: string | null) => explainStation(state, station, now, operator),
    found: (): readonly LiveDisturbance[] => [...found.values()],
  }
}

export type Monitor = ReturnType<typeof createMonitor>

const iso = (at: number | string): string => new Date(at).toISOString()

async function save(database: Database, rows: readonly LiveDisturbance[]): Promise<void> {
  if (rows.length === 0) return
  await database.transaction(system, (client) =>
    client.query(
      `INSERT INTO disturbance (id, organisation_id, state, found_at, ended_at)
       SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::timestamptz[], $5::timestamptz[])
       ON CONFLICT (id) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at, organisation_id = excluded.organisation_id`,
      [rows.map((row) => row.id), rows.map((row) => row.operator ?? 'kawal'), rows.map((row) => JSON.stringify(row)), rows.map((row) => row.foundAt), rows.map((row) => row.endedAt)],
    ),
  )
}

async function load(database: Database, since: number): Promise<{ open: LiveDisturbance[]; reports: KeptSample[] }> {
  return database.transaction(system, async (client) => {
    const open = await client.query<{ state: LiveDisturbance }>('SELECT state FROM disturbance WHERE ended_at IS NULL')
    const reports = await client.query<{ id: string; key: number; station_code: string; operator_id: string | null; event_at: Date; received_at: Date; sample: KeptSample['sample'] }>(
      `SELECT device.id, device_key AS key, report.station_code, operator_id, event_at, received_at, sample
       FROM report JOIN device ON device.key = device_key WHERE received_at >= $1 ORDER BY received_at, device_key, sequence`,
      [new Date(since)],
    )
    return {
      open: open.rows.map((row) => row.state),
      reports: reports.rows.map((row) => ({
        device: { id: row.id, key: row.key, station: row.station_code }, operator: row.operator_id,
        eventAt: row.event_at.getTime(), receivedAt: row.received_at.getTime(), sample: row.sample,
      })),
    }
  })
}
