import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { keyId, type Signer } from '@kawal/core/recap/cose.ts'
import { signRecap } from '@kawal/core/recap/envelope.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import { connect, migrate, ownerPool } from '@kawal/server/src/adapters/postgres/database.ts'
import { openDatabase } from '@kawal/server/src/cli/database.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import { deploymentSecret, deviceToken, enrolKey, stationCode } from '@kawal/server/src/measurement/enrolment.ts'
import { loadSynthetic } from '@kawal/server/src/register/synthetic.ts'
import { presidential } from '@kawal/testkit/recaps.ts'

/** A phone as the server knows it, and the key with which it signs. */
export interface Enrolled { readonly station: string; readonly token: string; readonly publicKey: Buffer; readonly signer: Signer }
/** A phone that hands in records made before: signing is the phone's own time, not the server's. */
export interface Sender { readonly token: string; readonly records: readonly Buffer[] }

export const province = '75'

/** Enrols phones, each at a station of its own while there are as many; with the code of its station's letter. @param folder data folder that nobody uses yet */
export async function enrolPhones(folder: string, phones: number, seed: number): Promise<(Enrolled & { readonly letter: string })[]> {
  const server = await openDatabase(folder)
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const owner = ownerPool(server.ownerUrl)
    const database = connect(server.ownerUrl, server.appPassword)
    try {
      await loadSynthetic(owner, province, seed)
      const { rows } = await owner.query<{ code: string }>('SELECT code FROM station_now ORDER BY code LIMIT $1', [phones])
      const secret = await deploymentSecret(database)
      const all: (Enrolled & { readonly letter: string })[] = []
      for (let nth = 0; nth < phones; nth++) {
        const station = rows[nth % rows.length]?.code ?? ''
        const { publicKey, signer } = await keyOf()
        const enrolled = await enrolKey(database, station, publicKey, Date.now())
        if (enrolled === null) throw new Error(`station ${station} has no place for another phone`)
        all.push({ station, token: deviceToken(secret, enrolled.device), publicKey, signer, letter: stationCode(secret, station) })
      }
      return all
    } finally {
      await owner.end()
      await database.end()
    }
  } finally {
    await server.stop()
  }
}

/** Enrols phones, and has each sign its records in a chain. */
export async function makeSenders(folder: string, { phones, records_each, seed }: { readonly phones: number; readonly records_each: number; readonly seed: number }): Promise<Sender[]> {
  const senders: Sender[] = []
  for (const { station, token, signer } of await enrolPhones(folder, phones, seed)) senders.push({ token, records: await chainOf(station, signer, records_each) })
  return senders
}

/** A key as phones make it: P-256, 65 bytes. */
export async function keyOf(): Promise<{ readonly publicKey: Buffer; readonly signer: Signer }> {
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
