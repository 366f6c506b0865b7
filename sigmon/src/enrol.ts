import type { Enrolled } from '@kawal/contract/report.ts'
import { enrolmentClaim, letterVerifier, readLetterCode } from '@kawal/core/measurement/letter.ts'
import type { Side } from '@kawal/core/recap/slot.ts'
import { zoneOf } from '@kawal/core/register/zone.ts'
import type { Environment } from './environment.ts'
import { base64url, phoneKey, signBytes, type Identities, type Identity } from './identities.ts'
import type { Packs } from './pack.ts'
import { json, problemOf, read, request, retryAfter_ms } from './request.ts'
import type { EnrolFault } from './session.ts'
import { isFull, type Store } from './store.ts'
import { sha256With } from './trust.ts'

export type Answered =
  | { readonly is: 'confirmed'; readonly identity: Identity }
  /** The server will not have it: the letter has to be looked at again. */
  | { readonly is: 'refused'; readonly why: string }
  | { readonly is: 'unanswered'; readonly status: number; readonly wait_ms: number }

const asked_ms_max = 8_000

export interface Enrolment {
  /** @returns what is wrong, or null: the identity works from now on, confirmed or not */
  enrol(station: string, code: string): Promise<EnrolFault | null>
  /** Asks the server for a token: the first time, or again with the same key, which gives the same device. */
  confirm(identity: Identity): Promise<Answered>
}

interface Needs {
  readonly env: Pick<Environment, 'crypto' | 'storage' | 'clock' | 'fetch' | 'setTimer' | 'clearTimer'>
  readonly store: Store
  readonly identities: Identities
  readonly packs: Pick<Packs, 'stationOf' | 'verifiersOf'>
  /** One that was made without a network counts from now on. */
  readonly confirmed: (identity: Identity) => void
}

export function createEnrolment({ env, store, identities, packs, confirmed }: Needs): Enrolment {
  const sha256 = sha256With(env.crypto)

  async function ask(identity: Identity, ms?: number): Promise<Answered> {
    if (identity.code === null) return { is: 'refused', why: 'code_wrong' }
    const key = await phoneKey(env.crypto, store)
    if (key === null) return { is: 'unanswered', status: 0, wait_ms: 0 }
    const { code: station } = identity.station
    const proof = base64url(await signBytes(env.crypto, key.pair, enrolmentClaim(station, identity.code)))
    const answer = await request(env, '/v1/devices', json({ station, code: identity.code, key: key.jwk, proof }), ms)
    if (answer === null) return { is: 'unanswered', status: 0, wait_ms: 0 }
    if (answer.status === 200 || answer.status === 201) {
      const enrolled = await read<Enrolled>(answer)
      if (typeof enrolled?.token !== 'string') return { is: 'unanswered', status: 0, wait_ms: 0 }
      return { is: 'confirmed', identity: { ...identity, station: enrolled.station, device: enrolled.device, token: enrolled.token, role: enrolled.role, refusal: null } }
    }
    // What the officer can mend is told; all else is tried again.
    const { code, detail } = await problemOf(answer)
    if (code === 'code_wrong' || code === 'station_unknown' || code === 'role_other') return { is: 'refused', why: code }
    if (answer.status === 400 || code === 'station_full' || code === 'proof_wrong') return { is: 'refused', why: code === 'station_full' ? code : detail }
    return { is: 'unanswered', status: answer.status, wait_ms: retryAfter_ms(answer, env.clock()) }
  }

  async function check(station: string, typed: string): Promise<{ readonly code: string; readonly role: Side | null } | EnrolFault> {
    if (!/^[0-9]{13}$/.test(station)) return 'station_form'
    const code = readLetterCode(typed)
    if (!code.ok) return code.error
    const verifiers = packs.verifiersOf(station)
    if (verifiers === 'station_unknown') return verifiers
    const own = await letterVerifier(station, code.value, sha256)
    const role = verifiers === null ? null : own === verifiers.officer ? 'officer' : own === verifiers.supervisor ? 'supervisor' : 'code_wrong'
    if (role === 'code_wrong') return role
    if (role !== null && identities.all().some((each) => each.station.code === station && each.token !== null && (each.role ?? 'officer') !== role)) return 'role_other'
    try {
      return (await phoneKey(env.crypto, store)) === null ? 'key_unusable' : { code: code.value, role }
    } catch (error) {
      if (isFull(error)) return 'storage'
      throw error
    }
  }

  return {
    async confirm(identity) {
      const answered = await ask(identity)
      if (answered.is === 'confirmed') {
        await identities.put(answered.identity)
        confirmed(answered.identity)
      }
      if (answered.is === 'refused') await identities.put({ ...identity, token: null, refusal: answered.why })
      return answered
    },
    async enrol(typedStation, typedCode) {
      const station = typedStation.replace(/\D/g, '')
      const checked = await check(station, typedCode)
      if (typeof checked === 'string') return checked
      const next: Identity = { id: idFor(identities.current(), station, env), station: packs.stationOf(station) ?? bare(station), code: checked.code, role: checked.role, device: null, token: null, refusal: null }
      // Nobody is kept waiting for a network that does not answer: the identity works without.
      const answered = await ask(next, asked_ms_max)
      if (answered.is === 'refused' && (answered.why === 'code_wrong' || answered.why === 'station_unknown' || answered.why === 'role_other')) return answered.why
      try {
        await identities.put(answered.is === 'confirmed' ? answered.identity : { ...next, refusal: answered.is === 'refused' ? answered.why : null })
      } catch (error) {
        if (isFull(error)) return 'storage'
        throw error
      }
      void env.storage?.persist().catch(() => false)
      return null
    },
  }
}

/**
 * The same station keeps its identity. One that the server refused was a slip of the pen: the corrected one
 * takes its place, with what was measured meanwhile. Any other station is another identity, and what waits
 * for the old one goes out under the old one.
 */
function idFor(before: Identity | null, station: string, env: Pick<Environment, 'crypto'>): string {
  const neverConfirmed = before !== null && before.device === null && before.refusal !== null
  if (before !== null && (before.station.code === station || neverConfirmed)) return before.id
  return Array.from(env.crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** What is known of a station without a pack and without a network: its number. */
const bare = (code: string): Enrolled['station'] => ({ code, village: '', district: '', regency: '', province: '', zone: zoneOf(code) ?? 'Asia/Jakarta', latitude: null, longitude: null })
