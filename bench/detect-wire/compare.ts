import { isDeepStrictEqual } from 'node:util'
import type { LiveDisturbance } from '@kawal/contract/live.ts'
import type { FoundDisturbance } from '@kawal/core/detection/disturbance.ts'
import type { Finding } from '@kawal/core/detection/ongoing.ts'
import type { ReplayedTurn } from '@kawal/server/src/detection/replay.ts'

interface Event { readonly id: string; readonly number: number; readonly at: number; readonly turn: string; readonly state: Readonly<Record<string, unknown>> }

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())
/** The run's mark stands in front of detection's own id. */
const own = (id: string): string => id.replace(/^[^-]+-(?=d-)/, '')

/**
 * Holds what was found in process against what the server found of the same reports.
 * @param run the mark of the server's run
 */
export function createComparison(run: string, rowOf: (id: string) => LiveDisturbance | undefined) {
  const events: Event[] = []
  const numbers = new Map<string, number>()
  const confirmed = new Set<string>()
  const apart: string[] = []

  return {
    /** What one sweep found in process, when the server has swept too: events for later, and the stations at once. @param now ms since 1970 */
    note(findings: readonly Finding[], now: number): void {
      for (const { turn, disturbance, other } of findings) {
        if (turn === null) continue
        const number = (numbers.get(disturbance.id) ?? 0) + 1
        numbers.set(disturbance.id, number)
        const isFirst = disturbance.foundAt !== null && !confirmed.has(disturbance.id)
        if (isFirst) confirmed.add(disturbance.id)
        events.push({ id: disturbance.id, number, at: now, turn, state: JSON.parse(JSON.stringify(wordsOf(disturbance, other, isFirst))) as Event['state'] })
      }
      for (const disturbance of new Map(findings.map((each) => [each.disturbance.id, each.disturbance])).values()) {
        const row = rowOf(`${run}-${disturbance.id}`)
        if (!isDeepStrictEqual(row?.stations, [...disturbance.stations])) apart.push(`${iso(now)} ${disturbance.id}: other stations`)
      }
    },
    count: (): number => events.length,
    /** @param recorded what the server wrote @returns what differs, a sentence each */
    against(recorded: readonly ReplayedTurn[]): string[] {
      const nameOf = ({ id, number }: { id: string; number: number }): string => `${own(id)} ${number}`
      const theirs = new Map(recorded.map((turn) => [nameOf(turn), turn]))
      const missing = events.flatMap((event): string[] => {
        const their = theirs.get(nameOf(event))
        theirs.delete(nameOf(event))
        if (their === undefined) return [`${iso(event.at)} ${nameOf(event)} ${event.turn}: not over HTTP`]
        const fields = [...(event.at === their.at ? [] : ['at']), ...(event.turn === their.turn ? [] : ['turn']), ...Object.keys(event.state).filter((name) => !isDeepStrictEqual(event.state[name], plain(name, their.state[name])))]
        return fields.length === 0 ? [] : [`${iso(event.at)} ${nameOf(event)} ${event.turn}: ${fields.map((name) => `${name} ${JSON.stringify(event.state[name])} over HTTP ${JSON.stringify(their.state[name])}`).join(', ')}`]
      })
      return [...apart, ...missing, ...[...theirs.values()].map((turn) => `${iso(turn.at)} ${nameOf(turn)} ${turn.turn}: over HTTP only`)]
    },
  }
}

export type Comparison = ReturnType<typeof createComparison>

const plain = (name: string, value: unknown): unknown => ((name === 'parent' || name === 'other') && typeof value === 'string' ? own(value) : value)

/** What is comparable of a finding: whom it concerns is settled, and told, when it is confirmed. */
function wordsOf(found: FoundDisturbance, other: string | null, isFirst: boolean): Record<string, unknown> {
  const { stage, severity, cause, confidence, areaCode, stations, suspectedAt, endedAt, parent, plannedWork, alarms, evidence, operator } = found
  return {
    stage, severity, cause, confidence, areaCode, stations: stations.length, suspectedAt: iso(suspectedAt), endedAt: iso(endedAt), parent, plannedWork, alarms, evidence, other,
    ...(isFirst && operator !== null && operator !== 'unknown' && cause !== 'election_server' && cause !== 'ingest' ? { operator } : {}),
  }
}
