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

/** Keeps a new device of a station; it is on disk when this resolves. */
export async function enrol(database: Database, station: string, now: number): Promise<Device> {
  return database.transaction(system, async (client) => {
    const id = randomUUID()
    const { rows } = await client.query<{ key: number }>(
      'INSERT INTO device (id, station_code, enrolled_at) VALUES ($1, $2, $3) RETURNING key',
      [id, station, new Date(now)],
    )
    const [row] = rows
    if (row === undefined) throw new Error('INSERT ... RETURNING gives a row')
    return { id, key: row.key, station }
  })
}
