import type { FindingRow, SampleDetail, SampleRow } from '@kawal/contract/sample.ts'
import { isSameScope, ticketText, type Drawn } from '@kawal/core/recap/draw.ts'
import { lastOfEach } from '@kawal/core/recap/finding.ts'
import type { FlatRow } from '../readiness/ask.ts'
import type { KeptDraw } from './draws.ts'
import type { KeptFinding } from './findings.ts'

type Names = ReadonlyMap<string, string>
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const slotOf = (station: string, contest: string): string => `${station} ${contest}`

/** A draw with what was found. @param all every draw, whichever order */
export function showRow({ id, entry, draw, stations }: KeptDraw, all: readonly KeptDraw[], findings: readonly KeptFinding[]): SampleRow {
  const results: Record<string, number> = {}
  for (const slot of Map.groupBy(findings, ({ finding }) => slotOf(finding.station, finding.contest)).values()) {
    const { result } = gravest(slot)
    if (result !== null) results[result] = (results[result] ?? 0) + 1
  }
  const slots = stations * draw.contests.length
  return {
    id, entry, at: new Date(draw.at).toISOString(), organisation: draw.organisation, by: draw.by, seed: draw.seed, occasion: draw.occasion, contests: [...draw.contests], strata: draw.strata.map((stratum) => ({ ...stratum })),
    roster: hex(draw.roster), checkpoint: { size: draw.size, root: hex(draw.root) }, stations, slots, results, open: slots - Object.values(results).reduce((sum, many) => sum + many, 0),
    after: all.filter((other) => other.entry < entry && isSameScope(other.draw, draw)).map((other) => String(other.entry)),
  }
}

export function showDetail(row: SampleRow, drawn: readonly Drawn[], findings: readonly KeptFinding[], names: { readonly people: Names; readonly areas: Names }, now: number): SampleDetail {
  const bySlot = Map.groupBy(findings, ({ finding }) => slotOf(finding.station, finding.contest))
  return {
    ...row, now: new Date(now).toISOString(),
    rows: drawn.map(({ station, area, ticket }, at) => ({
      nth: at + 1, station, place: placeOf(station, names.areas), area, ticket: ticketText(ticket),
      contests: row.contests.map((contest) => {
        const found = bySlot.get(slotOf(station, contest)) ?? []
        return { contest, result: gravest(found).result, findings: showFindings(found, names.people) }
      }),
    })),
  }
}

export function showFindings(found: readonly KeptFinding[], people: Names): FindingRow[] {
  const { counting } = gravest(found)
  const last = new Set(counting.map(({ entry }) => entry))
  return found.map(({ entry, receivedAt, kid, finding: { result, record, remark }, differs }) => ({
    entry, receivedAt: receivedAt.toISOString(), result, record: record === null ? null : hex(record), differs: [...differs], remark, by: people.get(kid) ?? kid, kid, counts: last.has(entry),
  }))
}

/** Village, district, regency. */
export const placeOf = (station: string, areas: Names): string => [10, 6, 4].map((digits) => areas.get(station.slice(0, digits)) ?? '').filter((name) => name !== '').join(', ')

const gravest = (found: readonly KeptFinding[]) => lastOfEach(found.map(({ entry, kid, finding: { result } }) => ({ entry, kid, result })))

export const detailColumns = ['nth', 'station', 'place', 'area', 'ticket', 'contest', 'result', 'entry', 'receivedAt', 'found', 'counts', 'record', 'differs', 'by', 'kid', 'remark']

/** A line a finding; a slot that nobody compared has one too. */
export function* detailLines({ rows }: SampleDetail): Generator<FlatRow> {
  for (const { contests, ...station } of rows) for (const { contest, result, findings } of contests) {
    const slot = { ...station, contest, result }
    if (findings.length === 0) yield slot
    for (const { differs, result: found, ...finding } of findings) yield { ...slot, ...finding, found, differs: differs.join(' ') }
  }
}
