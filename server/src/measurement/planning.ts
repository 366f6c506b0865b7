import type { Sample } from '@kawal/contract/report.ts'
import { bad, fieldOf, good } from '@kawal/core/detection/evidence.ts'
import { hour_ms } from '@kawal/core/kernel/clock.ts'
import type { PlanningRow } from '../journal/journal.ts'
import type { Way } from '../journal/segment.ts'

/**
 * Planning reads each device's newest word from before the day, in rows. So of one device a row is kept where something
 * changes: another hour, another quality, radio values for the first time in the hour. The journal has all the rest.
 * @param mark what was kept of the device last: an hour, whether with radio values, the quality; 0 is nothing
 * @returns the new mark; 0 where no row is needed
 */
export function planningMark(mark: number, receivedAt: number, bits: number, hasRadio: boolean): number {
  const quality = fieldOf(bits, 'quality')
  if (quality !== good && quality !== bad && !hasRadio) return 0
  const hour = Math.floor(receivedAt / hour_ms) >>> 0
  const sameHour = mark >>> 3 === hour
  const radio = hasRadio || (sameHour && (mark & 4) !== 0) ? 4 : 0
  const next = ((hour << 3) | radio | quality) >>> 0
  return next === mark ? 0 : next
}

export function planningRow(entry: { readonly device: number; readonly receivedAt: number }, station: string, way: Way, sample: Sample): PlanningRow {
  return {
    device: entry.device, sequence: sample.sequence, station, eventAt: Date.parse(sample.eventAt), receivedAt: entry.receivedAt,
    operator: way.operator, sim: way.sim, network: way.network, offset_ms: way.offset_ms, sample: JSON.stringify(sample),
  }
}
