import type { LiveDisturbance } from '@kawal/contract/live.ts'
import { adopt, forgive, hitDevices, step, type Finding } from '@kawal/core/detection/detector.ts'
import { startDetection, type DetectionState, type FoundDisturbance } from '@kawal/core/detection/state.ts'
import { explainStation, stationStatus } from '@kawal/core/detection/status.ts'
import { judge } from '@kawal/core/measurement/judge.ts'
import type { Status } from '@kawal/core/kernel/status.ts'
import type { Database } from '../adapters/postgres/database.ts'
import type { KeptSample } from '../measurement/ingest.ts'
import { readOpen, saveDisturbances, type KeptDisturbance } from './store.ts'

export interface MonitorStation {
  readonly code: string
  readonly village: string
  readonly latitude: number | null
  readonly longitude: number | null
  readonly voters: number | null
}

interface MonitorNeeds {
  readonly database: Database
  readonly stations: readonly MonitorStation[]
  /** Organisations that a disturbance can concern; any other operator's devices are pooled as unknown. */
  readonly organisations: ReadonlySet<string>
  readonly areaName: (code: string) => string
  /** Makes ids of this run differ from those of earlier runs on the same database. */
  readonly run: string
  readonly interval_ms: number
  /** Opens the ticket of a disturbance; called again for the same one, it changes nothing. */
  readonly openTicket: (disturbance: LiveDisturbance, recipient: string) => Promise<void>
  readonly changed: (change: { disturbances: readonly string[]; stations: readonly StationChange[] }) => void
  /** Told of what went wrong with one disturbance, while the others go on. */
  readonly failed: (error: unknown) => void
}

/** `operator` null: as everybody's devices show it; else as that operator's own do. */
export interface StationChange {
  readonly code: string
  readonly operator: string | null
  readonly before: Status
  readonly after: Status
}

const unknown = 'unknown'

/**
 * Runs the detector beside the ingest: what has been kept goes in, and each sweep writes what was
 * found to the database before anybody is told.
 */
export function createMonitor(needs: MonitorNeeds) {
  const state = startDetection(needs.stations)
  const describe = describer(needs, state)
  const statuses = new Map<string, Map<string | null, Status>>()
  const found = new Map<string, LiveDisturbance>()
  // What could not be written yet: kept for the next sweep, told to nobody before.
  const unsaved = new Map<string, KeptDisturbance>()
  let untold: StationChange[] = []
  const ticketed = new Set<string>()

  function feed(kept: KeptSample): void {
    const { quality, targets } = judge(kept.sample)
    const operator = kept.operator !== null && needs.organisations.has(kept.operator) ? kept.operator : unknown
    const { device, eventAt, receivedAt, dueAt, sample } = kept
    step(state, { report: { device: String(device.key), station: device.station, operator, eventAt, receivedAt, quality, targets, charging: sample.charging, nextDueAt: dueAt } }, receivedAt)
  }

  function note(finding: Finding, now: number): void {
    if (finding.kind !== 'station_status') {
      const row = describe(finding.disturbance, found.get(describe.nameOf(finding.disturbance.id)), now)
      found.set(row.id, row)
      unsaved.set(row.id, { row, devices: hitDevices(state, finding.disturbance.id) })
      return
    }
    const known = statuses.get(finding.station) ?? new Map<string | null, Status>()
    statuses.set(finding.station, known)
    untold.push({ code: finding.station, operator: finding.operator, before: known.get(finding.operator) ?? 'unknown', after: finding.status })
    known.set(finding.operator, finding.status)
  }

  /** For what is open and has none: also where it failed before. */
  async function openTickets(): Promise<void> {
    for (const row of found.values())
      if (row.status === 'open' && row.operator !== null && !ticketed.has(row.id)) await needs.openTicket(row, row.operator).then(() => ticketed.add(row.id), needs.failed)
  }

  async function sweep(now: number): Promise<void> {
    for (const finding of step(state, { sweep: true }, now)) note(finding, now)
    const saved = [...unsaved.values()]
    await saveDisturbances(needs.database, saved)
    unsaved.clear()
    const stations = untold
    untold = []
    needs.changed({ disturbances: saved.map(({ row }) => row.id), stations })
    await openTickets()
  }

  return {
    kept(samples: readonly KeptSample[]): void {
      for (const sample of samples) feed(sample)
    },
    sweep,
    /** Takes up after a restart: what was open stays open until measurements say otherwise. */
    async resume(since: number, now: number): Promise<number> {
      const { open, reports } = await readOpen(needs.database, since)
      for (const { row, devices } of open) {
        found.set(row.id, row)
        describe.keepName(row.id)
        adopt(state, { ...row, startedAt: Date.parse(row.startedAt), foundAt: Date.parse(row.foundAt), endedAt: null, stations: [...row.stations] }, devices)
      }
      for (const report of reports) feed(report)
      forgive(state, state.heardAt, now, needs.interval_ms)
      if (reports.length + open.length > 0) await sweep(now)
      return reports.length
    },
    disturbance: (id: string): LiveDisturbance | undefined => found.get(id),
    status: (station: string, operator: string | null): Status => stationStatus(state, station, operator),
    explain: (station: string, now: number, operator: string | null) => explainStation(state, station, now, operator),
    found: (): readonly LiveDisturbance[] => [...found.values()],
  }
}

export type Monitor = ReturnType<typeof createMonitor>

const iso = (at: number): string => new Date(at).toISOString()

/** Puts what the detector found into the words of the live view. */
function describer(needs: MonitorNeeds, state: DetectionState) {
  const places = new Map(needs.stations.map((station) => [station.code, station]))
  const kept = new Set<string>()
  /** Ids of an earlier run that were taken up stay; those of this run get its mark. */
  const nameOf = (id: string): string => (kept.has(id) ? id : `${needs.run}-${id}`)

  /**
   * Whom it concerns. A power cut hits every operator: it goes to the one that most of the hit
   * devices use, whose towers need the generators; the election server is the commission's.
   */
  function recipient(disturbance: FoundDisturbance, now: number): string | null {
    if (disturbance.operator !== null) return disturbance.operator === unknown ? null : disturbance.operator
    if (disturbance.cause === 'election_server') return 'kpu'
    if (disturbance.cause === 'ingest') return null
    const counts = new Map<string, number>()
    for (const code of disturbance.stations)
      for (const row of explainStation(state, code, now).operators) if (row.operator !== unknown) counts.set(row.operator, (counts.get(row.operator) ?? 0) + row.devices)
    return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? null
  }

  const describe = (disturbance: FoundDisturbance, known: LiveDisturbance | undefined, now: number): LiveDisturbance => {
    const at = disturbance.stations.flatMap((code) => places.get(code) ?? []).filter((place) => place.latitude !== null)
    const mean = (pick: 'latitude' | 'longitude'): number | null => (at.length === 0 ? null : at.reduce((sum, place) => sum + (place[pick] ?? 0), 0) / at.length)
    const voters = disturbance.stations.map((code) => places.get(code)?.voters ?? null)
    return {
      id: nameOf(disturbance.id), status: disturbance.endedAt === null ? 'open' : 'recovered', severity: disturbance.severity, cause: disturbance.cause,
      // Whose it is does not change while it lasts: the ticket is already with them.
      operator: known === undefined ? recipient(disturbance, now) : known.operator, areaCode: disturbance.areaCode, areaName: needs.areaName(disturbance.areaCode),
      latitude: mean('latitude'), longitude: mean('longitude'), stations: disturbance.stations,
      voters: voters.includes(null) ? null : voters.reduce((sum: number, count) => sum + (count ?? 0), 0),
      startedAt: known?.startedAt ?? iso(disturbance.startedAt), foundAt: known?.foundAt ?? iso(disturbance.foundAt),
      endedAt: disturbance.endedAt === null ? null : iso(disturbance.endedAt),
      evidence: disturbance.evidence, ticketId: null,
    }
  }
  return Object.assign(describe, { nameOf, keepName: (id: string) => void kept.add(id) })
}
