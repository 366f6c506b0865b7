import type { FastifyInstance } from 'fastify'
import { timingSafeEqual } from 'node:crypto'
import { Enrolment, type Enrolled } from '@kawal/contract/report.ts'
import { enrolmentClaim, readLetterCode, type LetterFault } from '@kawal/core/measurement/letter.ts'
import { sides, type Side } from '@kawal/core/recap/slot.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { letterRoutes } from '../sigmon/letter-routes.ts'
import { Attempts } from './attempts.ts'
import { deviceToken, enrol, enrolKey, provesKey, readPhoneKey, role_devices_max, stationCode, type PhoneKey } from './enrolment.ts'

interface EnrolmentDependencies {
  readonly database: Database
  readonly secret: Buffer
  readonly clock: () => number
  readonly stationOf: (code: string) => Promise<Enrolled['station'] | null>
  /** Officers' devices that may enrol at one station; without it the default. */
  readonly stationDevices_max?: number | undefined
  /** Where people find the server: links in supervisors' letters begin with it. */
  readonly publicUrl?: string | undefined
}

/**
 * Wrong codes within ten minutes: of one address for one station, of one address for all, and of all for
 * one station. A whole village may share an address behind its operator's translation.
 */
const wrong_codes_max = { here: 20, address: 1_000, station: 200 }

export function enrolmentRoutes(app: FastifyInstance, needs: EnrolmentDependencies): void {
  const wrong = new Attempts()
  letterRoutes(app, needs)

  app.post<{ Body: Enrolment }>('/v1/devices', { schema: { body: Enrolment } }, async (request, reply): Promise<Enrolled> => {
    const { station: code } = request.body
    const given = readLetterCode(request.body.code)
    if (!given.ok) throw new ProblemError('code_wrong', codeFaults[given.error])
    const guesses = { here: `${request.ip} ${code}`, address: request.ip, station: code }
    refuseGuessing(wrong, guesses, needs.clock())
    const station = await needs.stationOf(code)
    if (station === null) throw new ProblemError('station_unknown', `${code} is not in the register. The code has 13 digits: village, then the number of the station.`)
    const role = roleOf(needs.secret, code, given.value)
    if (role === null) {
      for (const key of Object.values(guesses)) wrong.failed(key, needs.clock())
      throw new ProblemError('code_wrong', `Read the code in the appointment letter of station ${code} again.`)
    }
    const key = provenKey(request.body, enrolmentClaim(code, given.value))
    const max = role === 'officer' ? (needs.stationDevices_max ?? role_devices_max[role]) : role_devices_max[role]
    const enrolled = await (key === null ? enrol(needs.database, code, needs.clock(), max, role).then((device) => (device === null ? null : { device, known: false, role })) : enrolKey(needs.database, code, key.bytes, needs.clock(), max, role))
    if (enrolled === null) throw new ProblemError('station_full', `Station ${code} has ${max} devices ${role === 'officer' ? 'of officers' : 'of its supervisor'} already. Ask ${role === 'officer' ? 'the helpdesk of your district' : 'Bawaslu'}.`)
    const { device, known } = enrolled
    if (enrolled.role !== role) throw new ProblemError('role_other', `This phone is enrolled at station ${code} with ${enrolled.role === 'officer' ? "its officers' letter, and sends for KPU. Its supervisor" : "its supervisor's letter, and sends for Bawaslu. Its officers"} send${enrolled.role === 'officer' ? 's' : ''} from another phone.`)
    void reply.code(known ? 200 : 201)
    return { device: device.id, token: deviceToken(needs.secret, device), station, role }
  })
}

/** Whose letter a code is of. Both are compared, whichever it is. @returns null for neither */
function roleOf(secret: Buffer, station: string, code: string): Side | null {
  const [officer, supervisor] = sides.map((role) => timingSafeEqual(Buffer.from(code), Buffer.from(stationCode(secret, station, role))))
  return officer === true ? 'officer' : supervisor === true ? 'supervisor' : null
}

const codeFaults: Readonly<Record<LetterFault, string>> = {
  code_form: 'A code has 17 symbols, as XXXX-XXXX-XXXX-XXXX-X. Type it as the appointment letter shows it.',
  code_check: 'A symbol of the code was mistyped: its last one, the check, does not fit. Read it in the appointment letter again.',
}

/** @returns null when the phone has no key of its own */
function provenKey({ key, proof }: Enrolment, claim: Uint8Array): PhoneKey | null {
  if (key === undefined && proof === undefined) return null
  if (key === undefined || proof === undefined) throw new ProblemError('body_invalid', 'key and proof come together: send both, or neither.')
  const read = readPhoneKey(key)
  if (read === null) throw new ProblemError('proof_wrong', 'The key is no point of its curve. Send a public key as JWK: EC with P-256, x and y, or OKP with Ed25519 and x, each 32 bytes in base64url.')
  if (!provesKey(read, claim, proof)) throw new ProblemError('proof_wrong', 'Sign the text "kawal-enrol STATION CODE" with the key, the code as 17 symbols without hyphens: ES256 as r and s, or Ed25519, 64 bytes in base64url.')
  return read
}

/** Of 80 bits a pack tells 24: what is left is no use to a guesser who gets so few tries. */
function refuseGuessing(wrong: Attempts, guesses: Readonly<Record<keyof typeof wrong_codes_max, string>>, now: number): void {
  const waits = (['here', 'address', 'station'] as const).map((scope) => wrong.wait_s(guesses[scope], wrong_codes_max[scope], now))
  const wait_s = Math.max(...waits)
  if (wait_s > 0) throw new ProblemError('too_many_attempts', 'Too many wrong codes. Wait, then read the code in the appointment letter again.', wait_s)
}
