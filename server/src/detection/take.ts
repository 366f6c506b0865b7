import { takeIn } from '@kawal/core/detection/intake.ts'
import { heardFrom, operatorIndex, type DetectionState } from '@kawal/core/detection/state.ts'
import type { Columns, Way } from '../journal/segment.ts'

/** The operator under which devices are pooled whose own is no organisation here. */
export const unknown = 'unknown'

/**
 * Gives detection what was kept, live or read back. A report from a station that is not watched says only that the intake
 * works.
 * @param organisations those that a disturbance can concern
 */
export function createTaker(state: DetectionState, organisations: ReadonlySet<string>): (reports: Columns) => void {
  const codes = Float64Array.from(state.stations, ({ code }) => Number(code))
  const stations = new Map(Array.from(codes, (code, index) => [code, index]))
  /** Nearly always where it was: a look into a map of a nation costs a twentieth of all that a report costs. */
  const indexOf = (device: number, code: number): number | undefined => {
    const last = heardFrom(state, device)
    return codes[last] === code ? last : stations.get(code)
  }
  const numberOf = (way: Way | undefined): number => operatorIndex(state, way?.operator != null && organisations.has(way.operator) ? way.operator : unknown)
  return (reports) => {
    const operators = reports.ways.map(numberOf)
    for (let i = 0; i < reports.count; i++) {
      const receivedAt_s = Math.floor((reports.receivedAt[i] as number) / 1000)
      const station = indexOf(reports.device[i] as number, reports.station[i] as number)
      if (station === undefined) {
        if (receivedAt_s > state.heardAt_s) state.heardAt_s = receivedAt_s
        continue
      }
      takeIn(state, reports.device[i] as number, station, operators[reports.way[i] as number] as number, Math.floor((reports.eventAt[i] as number) / 1000), receivedAt_s, Math.floor((reports.dueAt[i] as number) / 1000), reports.bits[i] as number)
    }
  }
}
