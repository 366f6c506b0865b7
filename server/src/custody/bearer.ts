import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Enrolled } from '@kawal/contract/report.ts'
import { enrolmentClaim } from '@kawal/core/measurement/letter.ts'
import { writeDurably } from '../durable.ts'

/** As whom a box asks the platform: it is enrolled by a letter, as any device is, with a key that it keeps. */
export interface Bearer {
  /** @returns null where the platform did not answer. @throws EnrolmentRefused */
  token(): Promise<string | null>
  /** The token was not taken: the next is asked for. */
  refused(): void
}

/** The platform does not enrol this box: its station or its letter is another. People have to look. */
class EnrolmentRefused extends Error {}

interface BearerNeeds {
  readonly folder: string
  readonly up: string
  /** The access point's station, or the nearest: 13 digits. */
  readonly station: string
  /** 17 symbols, as `readLetterCode` gives them. */
  readonly code: string
}

const key_file = 'box-key.pem'
const answer_ms_max = 60_000

export async function createBearer({ folder, up, station, code }: BearerNeeds): Promise<Bearer> {
  const path = join(folder, key_file)
  if (!existsSync(path)) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeDurably(folder, key_file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  }
  const key = createPrivateKey(await readFile(path, 'utf8'))
  const { kty, crv, x } = createPublicKey(key).export({ format: 'jwk' })
  let held: string | null = null
  return {
    async token() {
      if (held !== null) return held
      const body = JSON.stringify({ station, code, key: { kty, crv, x }, proof: sign(null, enrolmentClaim(station, code), key).toString('base64url') })
      const answer = await fetch(`${up}/v1/devices`, { method: 'POST', headers: { 'content-type': 'application/json' }, body, redirect: 'error', signal: AbortSignal.timeout(answer_ms_max) }).catch(() => null)
      if (answer === null) return null
      const text = await answer.text()
      if (answer.status === 200 || answer.status === 201) return (held = (JSON.parse(text) as Enrolled).token)
      if (answer.status >= 500 || answer.status === 429) return null
      throw new EnrolmentRefused(`The platform does not enrol this box at station ${station} (${answer.status}): ${text.slice(0, 300)}`)
    },
    refused: () => void (held = null),
  }
}
