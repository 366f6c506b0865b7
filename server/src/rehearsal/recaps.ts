import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { envelope_type, list_type } from '@kawal/contract/handing-in.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { seeded, type Random } from '@kawal/core/kernel/random.ts'
import { keyId, type Signer } from '@kawal/core/recap/cose.ts'
import { signRecap } from '@kawal/core/recap/envelope.ts'
import { formOf, type Ballot, type Form } from '@kawal/core/recap/form.ts'
import { writePhotos } from '@kawal/core/recap/photo.ts'
import { checksOf, checkTotals } from '@kawal/core/recap/totals.ts'
import { system } from '../adapters/postgres/database.ts'
import type { App } from '../app.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { deviceToken, enrolKey } from '../measurement/enrolment.ts'

/** What the rehearsed day is about: three pairs, the ceiling of February 2024 (PKPU 7/2022). */
export const rehearsed_pairs = 3
export const rehearsed_ceiling = 300
const ballot: Ballot = { kind: 'candidates', candidates: rehearsed_pairs }

/** The first form is done so long after the beginning, and the last by then. */
const first_ms = 20 * minute_ms
const last_ms = 240 * minute_ms
/** Shares of stations: whose sums do not add up, whose second officer records other numbers, whose phone was given a ballot that is not held. */
const wrong_share = 0.05
const conflict_share = 0.01
const strange_share = 0.01

/** Of stations: with a supervisor who sends, with one who reads a number otherwise; and how long before or after the officers he is done at most. */
const supervised_share = 0.7
const differing_share = 0.02
const apart_ms = 30 * minute_ms

interface Due { readonly at: number; readonly station: string; readonly kind: 'sound' | 'wrong' | 'other' | 'strange' | 'supervised' | 'differing' }

/** Officers and supervisors who record their presidential form and hand it in as phones do, some of them with what goes wrong on a day. They take no photos. */
export function startRecaps({ app, stations, seed, startAt }: { readonly app: App; readonly stations: readonly { readonly code: string }[]; readonly seed: number; readonly startAt: number }) {
  const random = seeded(seed)
  // Apart from the officers' chance: a day of theirs is the same with and without supervisors.
  const other = seeded(seed + 2)
  const due = stations.flatMap(({ code }): Due[] => {
    const at = startAt + first_ms + random() * (last_ms - first_ms)
    const drawn = random()
    const kind = drawn < wrong_share ? 'wrong' : drawn > 1 - strange_share ? 'strange' : 'sound'
    const supervised = other() < supervised_share ? [{ at: at + (2 * other() - 1) * apart_ms, station: code, kind: other() < differing_share ? 'differing' as const : 'supervised' as const }] : []
    return [{ at, station: code, kind }, ...supervised, ...(random() < conflict_share ? [{ at: at + 10 * minute_ms, station: code, kind: 'other' as const }] : [])]
  }).sort((one, next) => one.at - next.at)
  const wrong = new Set(due.filter(({ kind }) => kind === 'wrong').map(({ station }) => station))
  const papers = new Map<string, readonly number[]>()
  const numbers = seeded(seed + 1)
  /** What stands on the form of a station: whoever reads it well says the same. */
  const paperOf = (station: string, form: Form): readonly number[] => {
    const known = papers.get(station) ?? totalsOf(form, numbers, wrong.has(station))
    papers.set(station, known)
    return known
  }
  const totalsFor = ({ station, kind }: Due, form: Form): readonly number[] =>
    kind === 'other' || kind === 'strange' ? totalsOf(form, numbers, false) : kind === 'differing' ? misread(form, paperOf(station, form)) : paperOf(station, form)
  let next = 0
  let earlier: ReadonlySet<string> | null = null
  return {
    /** Hands in what is done by now; what is not taken stays due. */
    async turn(now: number): Promise<void> {
      earlier ??= await recorded(app)
      for (let each = due[next]; each !== undefined && each.at <= now; each = due[++next]) {
        const one = each
        if (!earlier.has(one.station) && !(await record(app, one, (form) => totalsFor(one, form), now))) return
      }
    },
  }
}

/** The first vote with its last digit read otherwise. */
const misread = (form: Form, paper: readonly number[]): readonly number[] => paper.map((value, at) => (form.fields[at] === 'votes_1' ? value - (value % 10) + ((value + 3) % 10) : value))

/** Of an earlier rehearsal on the same data: recorded again they would all be conflicts. */
async function recorded(app: App): Promise<ReadonlySet<string>> {
  const { rows } = await app.database.transaction(system, (client) => client.query<{ code: string }>('SELECT DISTINCT station_code AS code FROM recap WHERE station_code IS NOT NULL'))
  return new Set(rows.map(({ code }) => code))
}

/** @returns whether it was taken */
async function record(app: App, { station, kind }: Due, totalsFor: (form: Form) => readonly number[], now: number): Promise<boolean> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
  const enrolled = await enrolKey(app.database, station, raw, now, Infinity, kind === 'supervised' || kind === 'differing' ? 'supervisor' : 'officer')
  if (enrolled === null) return false
  const signer: Signer = { algorithm: 'EdDSA', kid: await keyId('EdDSA', raw, sha256), sign: (message) => Promise.resolve(Uint8Array.from(sign(null, message, privateKey))) }
  const own: Ballot = kind === 'strange' ? { kind: 'candidates', candidates: rehearsed_pairs + 1 } : ballot
  const form = formOf('ppwp', own)
  if (!form.ok) throw new Error(form.error)
  const totals = totalsFor(form.value)
  const list = writePhotos([])
  const bytes = await signRecap({
    station, contest: 'ppwp', form: form.value.version, ballot: own, ceiling: rehearsed_ceiling, totals, warned: checksOf(checkTotals(form.value, totals, rehearsed_ceiling)), photos: sha256(list), madeAt: now, clockOffset_ms: 0,
    sequence: 1, previous: null, replaces: null, build: new Uint8Array(32), place: null, later: new Map(),
  }, signer)
  const authorization = `Bearer ${deviceToken(app.secret, enrolled.device)}`
  const answer = await fetch(`${app.url}/v1/recaps`, { method: 'POST', headers: { authorization, 'content-type': envelope_type }, body: bytes })
  await answer.arrayBuffer()
  if (answer.status !== 201) return false
  await fetch(`${app.url}/v1/recaps/${Buffer.from(sha256(bytes)).toString('hex')}/photos`, { method: 'PUT', headers: { authorization, 'content-type': list_type }, body: list })
  return true
}

/** Numbers on which every check holds; with a slip, the votes of the first pair are misread by ten. */
function totalsOf({ fields }: Form, random: Random, withSlip: boolean): number[] {
  const upTo = (max: number): number => Math.floor(random() * (max + 1))
  const values: Record<string, number> = {}
  const people = (name: string, male: number, female: number): number => {
    Object.assign(values, { [`${name}_male`]: male, [`${name}_female`]: female, [name]: male + female })
    return male + female
  }
  const [men, women] = [90 + upTo(50), 90 + upTo(50)]
  const voters = people('voters_dpt', men, women)
  const [came_men, came_women] = [men - upTo(30), women - upTo(30)]
  people('present_dpt', came_men, came_women)
  people('present_dptb', 1, 1)
  people('present_dpk', 0, 1)
  const present = people('present', came_men + 1, came_women + 2)
  people('disabled', upTo(2), upTo(2))
  const received = Math.max(present, Math.ceil(voters * 1.02))
  Object.assign(values, { ballots_received: received, ballots_used: present, ballots_returned: 0, ballots_unused: received - present })
  const invalid = upTo(6)
  const votes = fields.filter((field) => field.startsWith('votes_'))
  let left = present - invalid
  votes.forEach((field, at) => {
    values[field] = at === votes.length - 1 ? left : Math.floor(left * random())
    left -= values[field]
  })
  Object.assign(values, { valid: present - invalid, invalid, votes: present })
  if (withSlip) values[votes[0] ?? ''] = (values[votes[0] ?? ''] ?? 0) + 10
  return fields.map((field) => values[field] ?? 0)
}

/** A receiver that takes everything, as docs/operating/receiver.md describes one; what it took is forgotten with it. */
export async function startReceiver(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ received: request.headers['idempotency-key'] })))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}
