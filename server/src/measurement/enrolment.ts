import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import { system, type Database } from '../adapters/postgres/database.ts'

/** A device as its token names it. `key` is its short name inside the database. */
export interface Device {
  readonly id: string
  readonly key: number
  readonly station: string
}

const base32 = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789'

export async function deploymentSecret(database: Database): Promise<Buffer> {
  const { rows } = await database.pool.query<{ secret: Buffer }>('SELECT secret FROM deployment')
  const [row] = rows
  if (row === undefined) throw new Error('a migrated database has a deployment secret')
  return row.secret
}

/** The code in a station's appointment letter: 8 characters without 0, O, 1, I and L, 39 bits. */
export function stationCode(secret: Buffer, station: string): string {
  const digest = createHmac('sha256', secret).update(`station ${station}`).digest()
  return Array.from(digest.subarray(0, 8), (byte) => base32[byte % base32.length]).join('')
}

/** A token that proves its own device: no look-up for each report. */
export function deviceToken(secret: Buffer, device: Device): string {
  const named = `${device.id}.${device.key}.${device.station}`
  return `${named}.${createHmac('sha256', secret).update(`device ${named}`).digest('base64url')}`
}

/** @returns null when the token is not one of ours */
export function readDeviceToken(secret: Buffer, token: string): Device | null {
  const end = token.lastIndexOf('.')
  const named = token.slice(0, end)
  const [id, key, station] = named.split('.')
  if (end < 0 || id === undefined || key === undefined || station === undefined) return null
  const given = Buffer.from(token.slice(end + 1), 'base64url')
  const right = createHmac('sha256', secret).update(`device ${named}`).digest()
  if (given.length !== right.length || !timingSafeEqual(given, right)) return null
  return { id, key: Number(key), station }
}

/** Seven officers a station, each of whom may lose a phone twice. */
export const station_devices_max = 21
const enrol_lock = 5107

/**
 * Keeps a new device of a station; it is on disk when this resolves.
 * @returns null when the station has `max` devices already
 */
export async function enrol(database: Database, station: string, now: number, max = station_devices_max): Promise<Device | null> {
  const id = randomUUID()
  return database.transaction(system, async (client) => {
    // Those of one station take turns, so that each sees the numbers before it; the constraint has the last word.
    await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [enrol_lock, station])
    const { rows } = await client.query<{ key: number }>(
      `INSERT INTO device (id, station_code, number, enrolled_at)
       SELECT $1, $2, coalesce(max(number), 0) + 1, $3 FROM device WHERE station_code = $2 HAVING coalesce(max(number), 0) < $4 RETURNING key`,
      [id, station, new Date(now), Math.min(max, 2_147_483_647)],
    )
    return rows[0] === undefined ? null : { id, key: rows[0].key, station }
  })
}
