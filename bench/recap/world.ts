import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import pg from 'pg'
import { keyId, type Signer } from '@kawal/core/recap/cose.ts'
import { signRecap } from '@kawal/core/recap/envelope.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import { connect, migrate } from '@kawal/server/src/adapters/postgres/database.ts'
import { openDatabase } from '@kawal/server/src/cli/database.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import { deploymentSecret, deviceToken, enrolKey } from '@kawal/server/src/measurement/enrolment.ts'
import { loadSynthetic } from '@kawal/server/src/register/synthetic.ts'
import { presidential } from '@kawal/testkit/recaps.ts'

/** A phone that hands in records made before: signing is the phone's own time, not the server's. */
export interface Sender { readonly token: string; readonly records: readonly Buffer[] }

const province = '75'

/** Enrols phones, and has each sign its records in a chain. */
export async function makeSenders(folder: string, { phones, records_each, seed }: { readonly phones: number; readonly records_each: number; readonly seed: number }): Promise<Sender[]> {
  const server = await openDatabase(folder)
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const owner = new pg.Pool({ connectionString: server.ownerUrl, max: 2 })
    const database = connect(server.ownerUrl, server.appPassword)
    try {
      await loadSynthetic(owner, province, seed)
      const { rows } = await owner.query<{ code: string }>('SELECT code FROM station_now ORDER BY code LIMIT $1', [phones])
      const secret = await deploymentSecret(database)
      const senders: Sender[] = []
      for (let nth = 0; nth < phones; nth++) {
        const station = rows[nth % rows.length]?.code ?? ''
        const { publicKey, signer } = await keyOf()
        const enrolled = await enrolKey(database, station, publicKey, Date.now())
        if (enrolled === null) throw new Error(`station ${station} has no place for another phone`)
        senders.push({ token: deviceToken(secret, enrolled.device), records: await chainOf(station, signer, records_each) })
      }
      return senders
    } finally {
      await owner.end()
      await database.end()
    }
  } finally {
    await server.stop()
  }
}

async function keyOf(): Promise<{ readonly publicKey: Buffer; readonly signer: Signer }> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const raw = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  return { publicKey: raw, signer: { algorithm: 'ES256', kid: await keyId('ES256', raw, sha256), sign: (message) => Promise.resolve(sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' })) } }
}

async function chainOf(station: string, signer: Signer, count: number): Promise<Buffer[]> {
  const records: Buffer[] = []
  let previous: Recap['previous'] = null
  for (let sequence = 1; sequence <= count; sequence++) {
    const record = Buffer.from(await signRecap({ ...presidential, station, photos: randomBytes(32), sequence, previous }, signer))
    records.push(record)
    previous = sha256(record)
  }
  return records
}
