import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import pg from 'pg'
import type { DeviceKey, Enrolment } from '@kawal/contract/report.ts'
import { enrolmentClaim } from '@kawal/core/measurement/letter.ts'
import { keyId, type Algorithm, type Signer } from '@kawal/core/recap/cose.ts'
import { signRecap } from '@kawal/core/recap/envelope.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import { seedPlan } from './plan.ts'
import { presidential, sha256 } from './recaps.ts'

/** The planned nation, with every organisation that `withServer` asks as. */
export async function seedRecaps({ ownerUrl }: { readonly ownerUrl: string }): Promise<void> {
  await seedPlan(ownerUrl)
  const owner = new pg.Client({ connectionString: ownerUrl })
  await owner.connect()
  await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
  await owner.end()
}

/** A phone that records recaps: its key, and the count and chain of its records. */
export interface RecapPhone {
  /** 32 bytes of Ed25519, or 65 of P-256. */
  readonly publicKey: Buffer
  /** By which its records name its key. */
  readonly kid: Uint8Array
  /** What it enrols with, at a station and by a letter's code (17 symbols). */
  enrolment(station: string, code: string): Enrolment
  /** The next record of this phone, signed: presidential and sound where nothing else is said. */
  record(more?: Partial<Recap>): Promise<Buffer>
}

/** @param kid the name of another's key, for a phone that lies */
export async function recapPhone(station: string, algorithm: Algorithm = 'ES256', kid?: Uint8Array): Promise<RecapPhone> {
  const { publicKey, privateKey } = algorithm === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y } = publicKey.export({ format: 'jwk' })
  const raw = Buffer.concat(y === undefined ? [Buffer.from(x, 'base64url')] : [Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  const signer: Signer = {
    algorithm, kid: kid ?? await keyId(algorithm, raw, sha256),
    sign: (message) => Promise.resolve(algorithm === 'EdDSA' ? sign(null, message, privateKey) : sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' })),
  }
  let [sequence, previous]: [number, Uint8Array | null] = [0, null]
  return {
    publicKey: raw, kid: signer.kid,
    enrolment: (at, code) => ({ station: at, code, key: publicKey.export({ format: 'jwk' }) as DeviceKey, proof: sign(algorithm === 'EdDSA' ? null : 'sha256', enrolmentClaim(at, code), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url') }),
    async record(more = {}) {
      const bytes = Buffer.from(await signRecap({ ...presidential, station, photos: randomBytes(32), sequence: ++sequence, previous, ...more }, signer))
      previous = sha256(bytes)
      return bytes
    },
  }
}
