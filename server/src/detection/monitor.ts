import type { LiveDisturbance, LiveImpact } from '@kawal/contract/live.ts'
import { clearAlarm, raiseAlarm, announceWork, sweepInSteps, withdrawWork } from '@kawal/core/detection/detector.ts'
import { isOngoing, type PlacedAlarm, type PlannedWork } from '@kawal/core/detection/disturbance.ts'
import { forgive } from '@kawal/core/detection/national.ts'
import type { Finding } from '@kawal/core/detection/ongoing.ts'
import { countStations, whoCanLook, type StationCount } from '@kawal/core/detection/measured.ts'
import { adopt, hitDevices } from '@kawal/core/detection/resume.ts'
import { seconds, startDetection, type DetectionState } from '@kawal/core/detection/state.ts'
import { explainStation, stationStatus, updateStatuses } from '@kawal/core/detection/status.ts'
import type { Status } from '@kawal/core/kernel/status.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { readSegments } from '../journal/read.ts'
import { copyOf, type Columns } from '../journal/segment.ts'
import { describer, type MonitorStation } from './describe.ts'
import { createSlices } from './slices.ts'
import { keep, readOngoing, type DetectionInput, type KeptDisturbance, type KeptTurn } from './store.ts'
import { createTaker } from './take.ts'

interface MonitorNeeds {
  readonly database: Database
  readonly clock: () => number
  readonly stations: readonly MonitorStation[]
  /** Organisations that a disturbance can concern; any other operator's devices are pooled as unknown. */
  readonly organisations: ReadonlySet<string>
  readonly areaName: (code: string) => string
  /** Makes ids of this run differ from those of earlier runs on the same database. */
  readonly run: string
  /** Opens the ticket of a disturbance; called again for the same one, it changes nothing. */
  readonly openTicket: (disturbance: LiveDisturbance, recipient: string) => Promise<void>
  /** What it does to the election, of those ongoing; null where that is not worked out. */
  readonly impacts: (rows: readonly LiveDisturbance[], stations: readonly StationChange[]) => Promise<ReadonlyMap<string, LiveImpact>>
  readonly changed: (change: { disturbances: readonly string[]; stations: readonly StationChange[] }) => Promise<void>
  /** Told of what went wrong with one disturbance, while the others go on. */
  readonly failed: (error: unknown) => void
  /** A slice of a sweep lasts at least so long, ms: see slices.ts. */
  readonly slice_ms?: number
}
const slice_ms_default = 4

/** `operator` null: as everybody's devices show it; else as that operator's own do. */
export interface StationChange {
  readonly code: string
  readonly operator: string | null
  readonly before: Status
  readonly after: Status
}

/** Ended ones stay in memory for the console this long. */
const shown_ms = 6 * 3_600_000

const blank = (): { disturbances: Map<string, KeptDisturbance>; turns: KeptTurn[]; inputs: DetectionInput[] } => ({ disturbances: new Map(), turns: [], inputs: [] })

/**
 * Runs the detector beside the ingest: what has been kept goes in, and each sweep writes what was
 * found to the database before anybody is told.
 */
export function createMonitor(needs: MonitorNeeds) {
  const state = startDetection(needs.stations)
  const take = createTaker(state, needs.organisations)
  const describe = describer(needs, state)
  const found = new Map<string, LiveDisturbance>()
  const turnsOf = new Map<string, number>()
  // What could not be written yet: kept for the next sweep, told to nobody before.
  let unsaved = blank()
  const untold: StationChange[] = []
  const ticketed = new Set<string>()
  let segment = 0
  let lag_ms = 0
  const slices = createSlices(needs.slice_ms ?? slice_ms_default, needs.failed)

  function note(finding: Finding, now: number): void {
    const { turn, disturbance } = finding
    const id = describe.nameOf(disturbance.id)
    const { row, about } = describe.after(finding, found.get(id), now)
    found.set(id, row)
    unsaved.disturbances.set(id, { row, devices: isOngoing(row.stage) ? hitDevices(state, disturbance.id) : [] })
    if (turn === null) return
    const number = (turnsOf.get(id) ?? 0) + 1
    turnsOf.set(id, number)
    unsaved.turns.push({ row, number, at: now, turn, other: about })
  }

  const isOwed = (row: LiveDisturbance): boolean => row.operator !== null && row.foundAt !== null && isOngoing(row.stage) && row.parent === null && row.plannedWork === null && !ticketed.has(row.id)

  /** For what is confirmed, not held back and has none: also where it failed before. */
  async function openTickets(): Promise<void> {
    for (const row of found.values())
      if (isOwed(row)) await needs.openTicket(row, row.operator as string).then(() => ticketed.add(row.id), needs.failed)
  }

  /** Re-ranked as the day moves; whose priority moved is told. */
  async function rank(): Promise<string[]> {
    const rows = [...found.values()].filter((row) => isOngoing(row.stage))
    const impacts = await needs.impacts(rows, untold)
    return rows.flatMap((row) => {
      const impact = impacts.get(row.id) ?? null
      if (JSON.stringify(impact) === JSON.stringify(row.impact)) return []
      found.set(row.id, { ...row, impact })
      const waiting = unsaved.disturbances.get(row.id)
      if (waiting !== undefined) unsaved.disturbances.set(row.id, { ...waiting, row: { ...row, impact } })
      return impact?.priority === row.impact?.priority ? [] : [row.id]
    })
  }

  /** Never two at once. What comes meanwhile is judged by the next. */
  async function sweep(now: number): Promise<void> {
    await slices.work(async (inSlices) => {
      for (const finding of await inSlices(sweepInSteps(state, now))) note(finding, now)
      unsaved.inputs.push({ kind: 'sweep', at: now, segment, body: null })
      await inSlices(updateStatuses(state, now, (code, operator, before, after) => untold.push({ code, operator, before, after })))
    })
    const moved = await rank().catch((error: unknown) => (needs.failed(error), [] as string[]))
    const saving = unsaved
    unsaved = blank()
    await keep(needs.database, needs.run, { ...saving, disturbances: [...saving.disturbances.values()] }).catch((error: unknown) => {
      // What came meanwhile comes behind it.
      unsaved = { disturbances: new Map([...saving.disturbances, ...unsaved.disturbances]), turns: [...saving.turns, ...unsaved.turns], inputs: [...saving.inputs, ...unsaved.inputs] }
      throw error
    })
    const stations = untold.splice(0)
    await needs.changed({ disturbances: [...new Set([...saving.disturbances.keys(), ...moved])], stations })
    await openTickets()
    for (const [id, row] of found) if (row.endedAt !== null && now - Date.parse(row.endedAt) > shown_ms) for (const map of [found, turnsOf]) map.delete(id)
  }

  return {
    /** What was kept, after its commit and in the order of commits. @param id of the segment that holds it */
    kept(reports: Columns, id: number): void {
      const own = slices.isBusy() ? copyOf(reports) : reports
      slices.change(() => {
        take(own)
        segment = id
        if (own.count > 0) lag_ms = Math.max(lag_ms, needs.clock() - (own.receivedAt[0] as number))
      })
    },
    sweep,
    ...verifying(state, needs.clock, describe.nameOf, found),
    ...otherInputs(state, (change, each) => slices.change(() => {
      change()
      unsaved.inputs.push(each)
    })),
    /** Takes up after a restart: what was ongoing stays so until measurements say otherwise. @returns reports read again */
    async resume(since: number, now: number): Promise<number> {
      const open = await readOngoing(needs.database)
      for (const { row, devices, turns } of open) {
        found.set(row.id, row)
        turnsOf.set(row.id, turns)
        describe.keepName(row.id)
        const { startedAt, suspectedAt, foundAt } = row
        adopt(state, { ...row, isEverybody: row.isEverybody ?? false, startedAt: Date.parse(startedAt), suspectedAt: Date.parse(suspectedAt), foundAt: foundAt === null ? null : Date.parse(foundAt), endedAt: null }, devices)
      }
      let reports = 0
      for await (const each of readSegments(needs.database, { from: since })) {
        take(each)
        segment = each.id
        reports += each.count
      }
      if (state.heardAt_s > 0) forgive(state, state.heardAt_s, seconds(now))
      unsaved.inputs.push({ kind: 'start', at: now, segment, body: null })
      if (reports + open.length > 0) await sweep(now)
      return reports
    },
    disturbance: (id: string): LiveDisturbance | undefined => found.get(id),
    status: (station: string, operator: string | null): Status => stationStatus(state, station, operator),
    explain: (station: string, now: number, operator: string | null) => explainStation(state, station, now, operator),
    found: (): readonly LiveDisturbance[] => [...found.values()],
    /** The longest that a report waited from its arrival until detection had it, since this was last asked, s. */
    lag_s(): number {
      const most = lag_ms / 1000
      lag_ms = 0
      return most
    },
    devicesOnDuty: (): number => state.devicesOnDuty,
    impact: (id: string): LiveImpact | null => found.get(id)?.impact ?? null,
  }
}

/** What a claim that a disturbance is over is verified by. */
function verifying(state: DetectionState, clock: () => number, nameOf: (id: string) => string, found: ReadonlyMap<string, LiveDisturbance>) {
  return {
    /** Its devices, station by station, by good reports since an instant; null of one that is not of devices, or not ongoing. */
    measure(id: string, since: number): StationCount[] | null {
      const each = state.ongoing.find((open) => open !== null && nameOf(open.found.id) === id) ?? null
      return each === null || each.found.cause === 'election_server' ? null : countStations(state, each, seconds(since), seconds(clock()))
    },
    /** Stations whose officers can look at it, and with whose SIM; null: any. */
    whoCanLook(id: string, stations: readonly string[]): { stations: string[]; operator: string | null } {
      const row = found.get(id)
      const operator = row === undefined || row.isEverybody === true ? null : row.operator
      return { stations: whoCanLook(state, stations, operator, seconds(clock())), operator }
    },
  }
}

/** What operators' systems and people say: for the next sweep, and for the record. @param put makes a change, and keeps it */
function otherInputs(state: DetectionState, put: (change: () => void, kept: DetectionInput) => void) {
  return {
    alarm: (alarm: PlacedAlarm, now: number): void => put(() => raiseAlarm(state, alarm), { kind: 'alarm', at: now, segment: null, body: alarm }),
    alarmCleared: (id: string, now: number): void => put(() => clearAlarm(state, id), { kind: 'alarm_cleared', at: now, segment: null, body: { id } }),
    work: (work: PlannedWork, now: number): void => put(() => announceWork(state, work), { kind: 'work', at: now, segment: null, body: work }),
    workWithdrawn: (id: string, now: number): void => put(() => withdrawWork(state, id), { kind: 'work_withdrawn', at: now, segment: null, body: { id } }),
  }
}

export type Monitor = ReturnType<typeof createMonitor>
