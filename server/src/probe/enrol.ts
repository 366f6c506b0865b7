import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { enrolmentClaim } from '@kawal/core/measurement/letter.ts'
import type { Enrolled, Enrolment } from '@kawal/contract/report.ts'
import { CommandFailure, exits } from '../cli/exits.ts'
import { basePath } from './check.ts'
import type { Line } from './line.ts'
import { writeWhole } from './store.ts'

type Enrolling =
  | { readonly outcome: 'enrolled'; readonly device: string; readonly token: string }
  /** Trying again cannot help. */
  | { readonly outcome: 'refused'; readonly detail: string }
  | { readonly outcome: 'later'; readonly detail: string; readonly after_s: number | null }

/** The probe's own key, P-256: with it, enrolling again is the same device. Made once, readable by its owner only. */
export function deviceKey(folder: string): KeyObject {
  const file = join(folder, 'device-key.pem')
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    writeWhole(folder, 'device-key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
  }
  try {
    return createPrivateKey(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new CommandFailure(exits.rejected, `${file} is no private key that can be read: ${(error as Error).message}. Move the folder away and start again: the probe enrols anew.`)
  }
}

/** @param code 17 symbols, as `readLetterCode` gives them */
export async function enrol(url: URL, line: Line, station: string, code: string, key: KeyObject): Promise<Enrolling> {
  const { x, y } = createPublicKey(key).export({ format: 'jwk' }) as { x: string; y: string }
  const proof = sign('sha256', enrolmentClaim(station, code), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
  const body: Enrolment = { station, code, key: { kty: 'EC', crv: 'P-256', x, y }, proof }
  try {
    const answer = await line.ask({ method: 'POST', path: `${basePath(url)}/v1/devices`, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), within_ms: 15_000 })
    const said = JSON.parse(answer.body.toString('utf8')) as Partial<Enrolled> & { title?: string; detail?: string }
    if ((answer.status === 200 || answer.status === 201) && typeof said.device === 'string' && typeof said.token === 'string') return { outcome: 'enrolled', device: said.device, token: said.token }
    const detail = said.detail ?? said.title ?? `HTTP ${answer.status}`
    if (answer.status === 429 || answer.status >= 500) return { outcome: 'later', detail, after_s: Number(answer.headers['retry-after']) || null }
    return { outcome: 'refused', detail }
  } catch (error) {
    return { outcome: 'later', detail: (error as Error).message, after_s: null }
  }
}
