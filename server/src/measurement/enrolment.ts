import { createHmac, createPublicKey, hash, randomUUID, timingSafeEqual, verify, type KeyObject } from 'node:crypto'
import type pg from 'pg'
import type { DeviceKey } from '@kawal/contract/report.ts'
import { letterCodeOf } from '@kawal/core/measurement/letter.ts'
import type { Side } from '@kawal/core/recap/slot.ts'
import { system, type Database } from '../adapters/postgres/database.ts'

/** A device as its token names it. `key` is its short name inside the database. */
export interface Device {
  readonly id: string
  readonly key: number
  readonly station: string
}

export async function deploymentSecret(database: Database): Promise<Buffer> {
  const { rows } = await database.pool.query<{ secret: Buffer }>('SELECT secret FROM deployment')
  const [row] = rows
  if (row === undefined) throw new Error('a migrated database has a deployment secret')
  return row.secret
}

/**
 * The code in a station's letter of officers or of its supervisor, as `letterCodeOf` gives it: 80 bits of an HMAC and a check symbol. The role is in what is
 * hashed: whoever knows the one code knows nothing of the other, and which was given says the role.
 */
export function stationCode(secret: Buffer, station: string, role: Side = 'officer'): string {
  return letterCodeOf(createHmac('sha256', secret).update(`${role === 'officer' ? 'station' : role} ${station}`).digest().subarray(0, 10))
}

/** A token that proves its own device: no look-up for each report. */
export function deviceToken(secret: Buffer, device: Device): string {
  const named = `${device.id}.${device.key}.${device.station}`
  return `${named}.${createHmac('sha256', secret).update(`device ${named}`).digest('base64url')}`
}

/** @returns null when the token is not one of ours */
export function readDeviceToken(secret: Buffer, token: string): Device | null {
  return tokenReader(secret)(token)
}

/** HMAC's block and inner and outer pads with SHA-256 (RFC 2104; FIPS 198-1). */
const block_bytes = 64
const inner_pad = 0x36
const outer_pad = 0x5c
const digest_bytes = 32
const named_bytes_max = 200

/**
 * Reads tokens with the key's pads made once: a fourth of the time that `createHmac` takes for one. Digests are taken as
 * text: as buffers of their own each would be memory outside V8's heap, which at 19,200 a second had V8 mark for 5 ms
 * in each of the calls of a garbage collection, 100 ms in a row.
 */
export function tokenReader(secret: Buffer): (token: string) => Device | null {
  const key = secret.length > block_bytes ? hash('sha256', secret, 'buffer') : secret
  const padded = (pad: number, room: number): Buffer => {
    const bytes = Buffer.alloc(block_bytes + room)
    for (let i = 0; i < block_bytes; i++) bytes[i] = (key[i] ?? 0) ^ pad
    return bytes
  }
  const inner = padded(inner_pad, named_bytes_max)
  const outer = padded(outer_pad, digest_bytes)
  const right = Buffer.alloc(digest_bytes)
  return (token) => {
    const end = token.lastIndexOf('.')
    const named = token.slice(0, end)
    const [id, number, station] = named.split('.')
    if (end < 0 || end > named_bytes_max / 4 * 3 || id === undefined || number === undefined || station === undefined) return null
    const given = Buffer.from(token.slice(end + 1), 'base64url')
    const length = inner.write(`device ${named}`, block_bytes, 'utf8')
    outer.write(hash('sha256', inner.subarray(0, block_bytes + length), 'binary'), block_bytes, 'binary')
    right.write(hash('sha256', outer, 'binary'), 'binary')
    return given.length === right.length && timingSafeEqual(given, right) ? { id, key: Number(number), station } : null
  }
}

/** Seven officers a station, and one supervisor (Law 7/2017, article 90) with somebody who stands in for him, each of whom may lose a phone twice. */
export const role_devices_max: Readonly<Record<Side, number>> = { officer: 21, supervisor: 6 }
const enrol_lock = 5107

/** A phone's public key: what a signature is held against, and its bytes as they are kept. */
export interface PhoneKey {
  readonly key: KeyObject
  /** P-256: the uncompressed point of SEC 1, section 2.3.3 (65 bytes); Ed25519: RFC 8032 (32 bytes). */
  readonly bytes: Buffer
}

/** @returns null when it is no point of its curve, or one written in a second way */
export function readPhoneKey(jwk: DeviceKey): PhoneKey | null {
  const parts = jwk.kty === 'EC' && jwk.crv === 'P-256' ? [jwk.x, jwk.y] : jwk.kty === 'OKP' && jwk.crv === 'Ed25519' && jwk.y === undefined ? [jwk.x] : []
  const decoded = parts.map((part) => Buffer.from(part ?? '', 'base64url'))
  // one key has one text and one row of bytes: else the same key would be two devices
  if (decoded.length === 0 || decoded.some((part, at) => part.length !== 32 || part.toString('base64url') !== parts[at])) return null
  try {
    return { key: createPublicKey({ key: { ...jwk }, format: 'jwk' }), bytes: Buffer.concat([...(jwk.kty === 'EC' ? [Buffer.of(4)] : []), ...decoded]) }
  } catch {
    return null
  }
}

/** ES256 with r and s as they are (RFC 7518, section 3.4), or Ed25519 (RFC 8032). */
export function provesKey({ key }: PhoneKey, claim: Uint8Array, proof: string): boolean {
  const signature = Buffer.from(proof, 'base64url')
  if (signature.length !== 64) return false
  return key.asymmetricKeyType === 'ec' ? verify('sha256', claim, { key, dsaEncoding: 'ieee-p1363' }, signature) : verify(null, claim, key, signature)
}

/**
 * Keeps a new device of a station; it is on disk when this resolves.
 * @returns null when the station has `max` devices of the role already
 */
export function enrol(database: Database, station: string, now: number, max?: number, role: Side = 'officer'): Promise<Device | null> {
  return atStation(database, station, (client) => keep(client, station, null, now, role, max ?? role_devices_max[role]))
}

interface EnrolledKey {
  readonly device: Device
  readonly known: boolean
  /** As it was enrolled, which need not be what was asked: at one station a key has one role. */
  readonly role: Side
}

/** As `enrol`, but a key that the station knows is the device that it was: an answer that was lost costs no place. */
export function enrolKey(database: Database, station: string, key: Buffer, now: number, max?: number, role: Side = 'officer'): Promise<EnrolledKey | null> {
  return atStation(database, station, async (client) => {
    const { rows: [held] } = await client.query<{ id: string; key: number; role: Side }>('SELECT id, key, role FROM device WHERE station_code = $1 AND public_key = $2', [station, key])
    if (held !== undefined) return { device: { id: held.id, key: held.key, station }, known: true, role: held.role }
    const device = await keep(client, station, key, now, role, max ?? role_devices_max[role])
    return device === null ? null : { device, known: false, role }
  })
}

/** Those of one station take turns, so that each sees the numbers and keys before it; the constraints have the last word. */
function atStation<T>(database: Database, station: string, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  return database.transaction(system, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [enrol_lock, station])
    return work(client)
  })
}

async function keep(client: pg.ClientBase, station: string, key: Buffer | null, now: number, role: Side, max: number): Promise<Device | null> {
  const id = randomUUID()
  const { rows } = await client.query<{ key: number }>(
    `INSERT INTO device (id, station_code, number, enrolled_at, public_key, role)
     SELECT $1, $2, coalesce(max(number), 0) + 1, $3, $5, $6 FROM device WHERE station_code = $2 HAVING count(*) FILTER (WHERE role = $6) < $4 RETURNING key`,
    [id, station, new Date(now), Math.min(max, 2_147_483_647), key, role],
  )
  return rows[0] === undefined ? null : { id, key: rows[0].key, station }
}
