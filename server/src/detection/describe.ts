import type { LiveDisturbance } from '@kawal/contract/live.ts'
import type { FoundDisturbance } from '@kawal/core/detection/disturbance.ts'
import type { Finding } from '@kawal/core/detection/ongoing.ts'
import type { DetectionState } from '@kawal/core/detection/state.ts'
import { explainStation } from '@kawal/core/detection/status.ts'
import { unknown } from './take.ts'

export interface MonitorStation {
  readonly code: string
  readonly village: string
  readonly latitude: number | null
  readonly longitude: number | null
  readonly voters: number | null
}

interface DescribeNeeds {
  readonly stations: readonly MonitorStation[]
  readonly areaName: (code: string) => string
  /** Makes ids of this run differ from those of earlier runs on the same database. */
  readonly run: string
}

const iso = (at: number): string => new Date(at).toISOString()
/** Of a disturbance of half a nation so many stations tell well enough who is used most. */
const asked_max = 2_000

/** Puts what the detector found into the words of the live view. */
export function describer(needs: DescribeNeeds, state: DetectionState) {
  const places = new Map(needs.stations.map((station) => [station.code, station]))
  const kept = new Set<string>()
  /** Ids of an earlier run that were taken up stay; those of this run get its mark. */
  const nameOf = (id: string): string => (kept.has(id) ? id : `${needs.run}-${id}`)
  const middles = new Map<string, { stations: readonly string[]; latitude: number | null; longitude: number | null; voters: number | null }>()

  /**
   * Whom it concerns. A power cut hits every operator: it goes to the one that most of the hit
   * devices use, whose towers need the generators; the election server is the commission's.
   */
  function recipient({ operator, cause, stations }: FoundDisturbance, now: number): string | null {
    if (cause === 'election_server') return 'kpu'
    if (cause === 'ingest') return null
    if (operator !== null) return operator === unknown ? null : operator
    const counts = new Map<string, number>()
    for (const code of stations.slice(0, asked_max))
      for (const row of explainStation(state, code, now).operators) if (row.operator !== unknown) counts.set(row.operator, (counts.get(row.operator) ?? 0) + row.devices)
    return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? null
  }

  /** Worked out again only when its stations have changed. */
  function middleOf({ id, stations }: FoundDisturbance): { latitude: number | null; longitude: number | null; voters: number | null } {
    const known = middles.get(id)
    if (known?.stations === stations) return known
    const at = stations.flatMap((code) => places.get(code) ?? []).filter((place) => place.latitude !== null)
    const mean = (pick: 'latitude' | 'longitude'): number | null => (at.length === 0 ? null : at.reduce((sum, place) => sum + (place[pick] ?? 0), 0) / at.length)
    let voters: number | null = 0
    for (const code of stations) {
      const count: number | null = places.get(code)?.voters ?? null
      voters = voters === null || count === null ? null : voters + count
    }
    const found = { stations, latitude: mean('latitude'), longitude: mean('longitude'), voters }
    middles.set(id, found)
    return found
  }

  const describe = (found: FoundDisturbance, known: LiveDisturbance | undefined, now: number): LiveDisturbance => {
    const { latitude, longitude } = middleOf(found)
    const name = (id: string | null): string | null => (id === null || id === '' ? null : nameOf(id))
    // Whose it is does not change once it is confirmed: the ticket is already with them.
    const isSettled = known !== undefined && known.foundAt !== null
    return {
      id: nameOf(found.id), stage: found.stage, severity: found.severity, cause: found.cause, confidence: found.confidence,
      operator: isSettled ? known.operator : recipient(found, now), isEverybody: found.isEverybody, areaCode: found.areaCode, areaName: found.areaCode === '' ? 'Indonesia' : needs.areaName(found.areaCode),
      latitude, longitude, stations: [...found.stations], startedAt: known?.startedAt ?? iso(found.startedAt), suspectedAt: iso(found.suspectedAt),
      foundAt: found.foundAt === null ? null : (known?.foundAt ?? iso(found.foundAt)), endedAt: found.endedAt === null ? null : iso(found.endedAt),
      parent: name(found.parent), plannedWork: found.plannedWork, alarms: [...found.alarms],
      evidence: { ...found.evidence, causes: [...found.evidence.causes], signs: [...found.evidence.signs] }, impact: null, ticketId: null,
    }
  }
  /** What a finding makes of the row that was known, and the name of the other that it is about: of alarms and planned work it is as it is. */
  const after = ({ turn, disturbance, other }: Finding, known: LiveDisturbance | undefined, now: number): { row: LiveDisturbance; about: string | null } => {
    const isOurs = other !== null && turn !== 'alarm' && other !== disturbance.plannedWork && other !== known?.plannedWork
    const hasOverrun = turn === 'released' && other !== null && !isOurs && (state.plannedWork.get(other)?.to ?? Infinity) < now
    const overran = hasOverrun ? other : known?.overran
    return { row: { ...describe(disturbance, known, now), impact: known?.impact ?? null, ...(overran === undefined ? {} : { overran }) }, about: isOurs ? nameOf(other) : other }
  }
  return { nameOf, after, keepName: (id: string): void => void kept.add(id), forget: (id: string): void => void middles.delete(id) }
}
