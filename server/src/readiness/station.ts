import type pg from 'pg'
import type { DecisionView, LadderStep, StationReadiness } from '@kawal/contract/readiness.ts'
import { nothing } from '@kawal/core/atlas/edition.ts'
import type { Runs } from '@kawal/core/geo/cells.ts'
import type { Position } from '@kawal/core/geo/distance.ts'
import { makeShares } from '@kawal/core/readiness/assess.ts'
import { ladderOf, type LadderStep as CoreStep } from '@kawal/core/readiness/ladder.ts'
import { decodeRuns } from '../atlas/runs-codec.ts'
import { ProblemError } from '../problem.ts'
import { readFixes } from '../register/positions.ts'
import { findPlan, refOf, type Plan } from './plans.ts'
import { evidenceAt, type PresentEdition } from './present.ts'
import { placeColumns, placeOf, readRows } from './read.ts'

interface Version { latitude: number | null; longitude: number | null; grade: 'fix' | 'venue' | 'village' | null; voters: number | null; valid_from: string; valid_to: string | null; now: boolean }

/** The page of one station. @throws ProblemError station_unknown */
export async function readStation(client: pg.ClientBase, code: string, edition: PresentEdition | null): Promise<StationReadiness> {
  const { rows: versions } = await client.query<Version>(
    `SELECT latitude, longitude, position_grade AS grade, voters, valid_from::text, valid_to::text,
            valid_from <= current_date AND (valid_to IS NULL OR valid_to > current_date) AS now
     FROM station WHERE code = $1 ORDER BY station.valid_from DESC`, [code])
  const present = versions.find((version) => version.now)
  if (present === undefined) throw new ProblemError('station_unknown', `${code} is not in the register. The code has 13 digits: village, then the number of the station.`)
  const { rows: [names] } = await client.query<Parameters<typeof placeOf>[0]>(`SELECT $1::text AS station, ${placeColumns('$1::text')}`, [code])
  const plan = await findPlan(client)
  const row = plan === null ? null : ((await readRows(client, plan, { area: code, limit: 1 })).rows[0] ?? null)
  const area = await areaOf(client, code.slice(0, 10))
  const { latitude, longitude, grade } = present
  const position = latitude === null || longitude === null || grade === null ? null : { latitude, longitude, grade, since: sinceWhen(versions, present) }
  const close = position === null || position.grade === 'village' ? null : position
  const evidence = edition === null ? [] : evidenceAt(edition.atlas, close, area)
  const known = names === undefined ? { station: code, village: '', district: '', regency: '', province: '' } : placeOf(names)
  return {
    plan: plan === null ? null : refOf(plan), row, ...known, voters: present.voters, position,
    history: versions.map((version) => ({ latitude: version.latitude, longitude: version.longitude, grade: version.grade, validFrom: version.valid_from, validTo: version.valid_to })),
    neighbours: plan === null ? [] : await neighboursOf(client, plan, code),
    edition: edition === null ? null : { id: edition.id, name: edition.name, validOn: edition.validOn }, evidence,
    ladder: plan === null || row === null || edition === null ? [] : ladder(plan, row, edition, position, evidence),
    decisions: await decisionsOf(client, code), fixes: (await readFixes(client, { station: code })).rows, ...await seen(client, code),
  }
}

/** Since when it stands there: versions before may differ in other things. */
function sinceWhen(versions: readonly Version[], present: Version): string {
  let { valid_from: since } = present
  for (const earlier of versions.slice(versions.indexOf(present) + 1)) {
    if (earlier.latitude !== present.latitude || earlier.longitude !== present.longitude || earlier.grade !== present.grade || earlier.valid_to !== since) break
    since = earlier.valid_from
  }
  return since
}

async function areaOf(client: pg.ClientBase, village: string): Promise<Runs | null> {
  const { rows } = await client.query<{ runs: Buffer }>('SELECT runs FROM village_area WHERE code = $1 AND valid_to IS NULL', [village])
  return rows[0] === undefined ? null : decodeRuns(rows[0].runs)
}

async function neighboursOf(client: pg.ClientBase, plan: Plan, code: string): Promise<StationReadiness['neighbours']> {
  const village = code.slice(0, 10)
  const { rows } = await client.query<StationReadiness['neighbours'][number]>(
    `SELECT station_code AS station, class FROM readiness WHERE plan_id = $1 AND station_code >= $2 AND station_code < $2 || ':' AND station_code <> $3 ORDER BY station_code`, [plan.id, village, code])
  return rows
}

async function decisionsOf(client: pg.ClientBase, code: string): Promise<DecisionView[]> {
  const { rows } = await client.query<Omit<DecisionView, 'decidedAt'> & { decided_at: Date }>(
    `SELECT venue_id AS venue, decision, valid_from::text AS "validFrom", decided_at, decided_by AS "decidedBy", note FROM siting_decision WHERE station_code = $1 ORDER BY id DESC LIMIT 100`, [code])
  return rows.map(({ decided_at, ...decision }) => ({ ...decision, decidedAt: decided_at.toISOString() }))
}

async function seen(client: pg.ClientBase, code: string): Promise<Pick<StationReadiness, 'checks' | 'remindedAt'>> {
  const { rows } = await client.query<{ operator: string; last_at: Date }>('SELECT operator_id AS operator, last_at FROM station_check WHERE station_code = $1 ORDER BY last_at DESC', [code])
  const reminded = await client.query<{ at: Date | null }>('SELECT max(reminded_at) AS at FROM reminder WHERE station_code = $1', [code])
  return { checks: rows.map(({ operator, last_at }) => ({ operator: operator === '' ? null : operator, lastAt: last_at.toISOString() })), remindedAt: reminded.rows[0]?.at?.toISOString() ?? null }
}

const stepsOf = (shares: readonly (number | null)[]): number[] => shares.map((share) => (share === null ? nothing : Math.round(share * 200)))

function ladder(plan: Plan, row: NonNullable<StationReadiness['row']>, edition: PresentEdition, position: Position | null, evidence: StationReadiness['evidence']): LadderStep[] {
  const shares = makeShares(plan.operators.length)
  shares.strong.set(stepsOf(row.operators.map((each) => each.usable)))
  shares.weak.set(stepsOf(row.operators.map((each) => each.weak)))
  const fixed = evidence.flatMap((each) => (each.technology === 'fixed' && each.usable !== null ? [each.usable] : []))
  const { access } = row
  const point = access === null || access.latitude === null || access.longitude === null || access.working === false
    ? null : { id: access.id, position: { latitude: access.latitude, longitude: access.longitude }, travel_min: access.travelMin }
  const steps = ladderOf({
    position, shares, carried: plan.operators.indexOf(row.best ?? ''), fixed: fixed.length === 0 ? null : Math.max(...fixed), point,
    grid: edition.atlas.national, reach: edition.looker(plan.operators).national, thresholds: plan.config.thresholds,
  })
  return steps.map((step) => wire(step, plan.operators, access?.name))
}

/** Values that a sentence of the screen takes; those that are not known are left out. */
function parameters(values: Readonly<Record<string, string | number | null | undefined>>): Record<string, string | number> {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === null || value === undefined ? [] : [[name, value]])))
}

function wire(step: CoreStep, operators: readonly string[], pointName: string | undefined): LadderStep {
  const { kind, available } = step
  switch (step.kind) {
    case 'other_operator': {
      const operator = operators[step.operator ?? -1]
      return { kind, available, ...(operator === undefined ? {} : { operator }), parameters: parameters({ usable: step.usable }) }
    }
    case 'better_spot': case 'covered_place': {
      if (step.place === null) return { kind, available, parameters: {} }
      const { position, distance_km, bearing_deg, cell, usable } = step.place
      const operator = operators[step.place.operator]
      return { kind, available, ...(operator === undefined ? {} : { operator }), distanceKm: distance_km, bearingDeg: bearing_deg, ...position, place: cell, parameters: { usable } }
    }
    case 'village_wifi': return { kind, available, parameters: parameters({ usable: step.usable }) }
    case 'access_point': {
      if (step.point === null) return { kind, available, parameters: {} }
      return {
        kind, available, ...step.point.position, place: pointName ?? step.point.id, ...(step.distance_km === null ? {} : { distanceKm: step.distance_km }), ...(step.bearing_deg === null ? {} : { bearingDeg: step.bearing_deg }),
        parameters: parameters({ id: step.point.id, travelMin: step.point.travel_min }),
      }
    }
    case 'offline': return { kind, available, parameters: {} }
  }
}
