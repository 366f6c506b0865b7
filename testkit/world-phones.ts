import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { Sample } from '@kawal/contract/report.ts'
import { accessPoint, bad, cellular, charging, fieldOf, fixed, reached, strong, unreached, what } from '@kawal/core/detection/evidence.ts'
import { worldOperators } from '@kawal/core/rehearsal/nation-ground.ts'
import type { World } from '@kawal/core/rehearsal/nation.ts'
import { deviceToken } from '@kawal/server/src/measurement/enrolment.ts'

/** The world's phones as real ones: each with a token, a SIM or a network, and samples that say what its bits say. */

/** PLMN codes from 2025 on; of `other` one that nobody has, of access points none. */
const sims: Readonly<Record<string, string | null>> = { telkomsel: '51010', indosat: '51001', xlsmart: '51011', other: '51099', bakti: null }
/** Whose address block is whose (RFC 5737 has none so large: these are private). */
const blocks: Readonly<Record<string, string>> = { telkomsel: '10.1.0.0/16', indosat: '10.2.0.0/16', xlsmart: '10.3.0.0/16', bakti: '10.5.0.0/16' }
const addresses: Readonly<Record<string, string>> = { telkomsel: '10.1.0.1', indosat: '10.2.0.1', xlsmart: '10.3.0.1', other: '10.4.0.1', bakti: '10.5.0.1' }
const strong_dbm = -95
const weak_dbm = -120

/** The address that a proxy in front names for a phone on its operator's network. */
export const addressOf = (operator: string): string => addresses[operator] ?? ''

/** The operator as detection names it: a code that nobody has is pooled. */
export const detectedOperator = (operator: string): string => (operator === 'other' ? 'unknown' : operator)

/** Tells the server whose address blocks are whose; before it starts. */
export async function importBlocks(owner: pg.Pool): Promise<void> {
  for (const [organisation, prefix] of Object.entries(blocks)) await owner.query("INSERT INTO network (prefix, organisation_id, valid_from) VALUES ($1, $2, '2024-01-01')", [prefix, organisation])
}

/**
 * Enrols every device of a world, so that its key in the database is its number there and one more.
 * @param codes of the world's stations, by their numbers
 * @returns tokens by device
 */
export async function enrolWorld(owner: pg.Pool, secret: Buffer, world: World, codes: readonly string[]): Promise<string[]> {
  const stations = Array.from(world.station, (station) => codes[station] ?? '')
  const ids = stations.map(() => randomUUID())
  const numbers = new Map<string, number>()
  const places = stations.map((code) => {
    const number = (numbers.get(code) ?? 0) + 1
    numbers.set(code, number)
    return number
  })
  await owner.query(
    `INSERT INTO device (id, key, station_code, number, enrolled_at) OVERRIDING SYSTEM VALUE
     SELECT id, place, code, number, '2024-01-01' FROM unnest($1::uuid[], $2::text[], $3::int[]) WITH ORDINALITY AS _ (id, code, number, place)`, [ids, stations, places])
  await owner.query("SELECT setval(pg_get_serial_sequence('device', 'key'), $1)", [Math.max(1, stations.length)])
  return stations.map((station, device) => deviceToken(secret, { id: ids[device] as string, key: device + 1, station }))
}

/** A report of the world; whole seconds since 1970, `dueAt_s` 0 is goodbye. */
export interface WorldReport { readonly sequence: number; readonly operator: number; readonly eventAt_s: number; readonly dueAt_s: number; readonly bits: number }

/** The inverse of `evidenceBits`: a sample from which the server makes these bits again. */
export function sampleOf({ sequence, operator, eventAt_s, dueAt_s, bits }: WorldReport): Sample {
  const way = fieldOf(bits, 'way')
  const radio = fieldOf(bits, 'radio')
  const power = fieldOf(bits, 'charging')
  return {
    sequence, eventAt: instant(eventAt_s), sim: sims[worldOperators[operator] ?? ''] ?? null, accessPoint: way === accessPoint ? 'AI-1' : null,
    access: way === cellular ? 'cellular' : way === fixed || way === accessPoint ? 'wifi' : 'unknown', technology: radio === 0 ? null : 'lte',
    radio: radio === 0 ? null : { source: 'modem', ageMs: 0, rsrpDbm: radio === strong ? strong_dbm : weak_dbm, rsrqDb: null, sinrDb: null, rssiDbm: null },
    ...tripsOf(bits), downKbps: null, upKbps: null, reach: { internet: reachOf(fieldOf(bits, 'internet')), election: reachOf(fieldOf(bits, 'election')), platform: 'untested' },
    charging: power === 0 ? null : power === charging, nextDueAt: dueAt_s === 0 ? null : instant(dueAt_s),
  }
}

const instant = (at_s: number): string => new Date(at_s * 1000).toISOString()
const reachOf = (field: number): Sample['reach']['internet'] => (field === reached ? 'ok' : field === unreached ? 'timeout' : 'untested')

/** Probes that say slow, lossy, both or neither; none where nothing was measured, or nothing could be. */
function tripsOf(bits: number): Pick<Sample, 'rttMs' | 'timeouts'> {
  const [isSlow, isLossy] = [((bits >> what.slow) & 1) === 1, ((bits >> what.lossy) & 1) === 1]
  if (fieldOf(bits, 'quality') === 0 || (fieldOf(bits, 'quality') === bad && !isSlow && !isLossy)) return { rttMs: [], timeouts: 0 }
  return { rttMs: isSlow ? [1500, 1500, 1500] : [50, 50, 50], timeouts: isLossy ? 2 : 0 }
}
