import { formOf, formVersions, type Contest } from './form.ts'
import type { SignedFault } from './envelope.ts'
import type { Recap } from './record.ts'
import type { Side } from './slot.ts'
import { checkTotals, type Warning } from './totals.ts'

/** What a record must stand against to count. Configuration of the election: nothing here is known when the record is made. */
interface ContestRules {
  /** Voters of one station at most. */
  readonly ceiling: number
}
export type Contests = Readonly<Partial<Record<Contest, ContestRules>>>

/** 300 voters a station in February 2024 (PKPU 7/2022). */
export const contestDefaults: Contests = { ppwp: { ceiling: 300 }, dpr: { ceiling: 300 }, dpd: { ceiling: 300 }, dprd_provinsi: { ceiling: 300 }, dprd_kabkota: { ceiling: 300 } }

/** A device that holds the key that signed; its role says of which side its records are. */
export interface Holder { readonly device: number; readonly station: string; readonly role: Side; readonly isRevoked: boolean }

/**
 * Why a record is kept apart until somebody has looked, or what it is judged by has changed. It is in the ledger all the same.
 * The order is that of looking: of several the first is told.
 */
const quarantineReasons = [
  /** Of a later program, or none of ours: its bytes are signed, and cannot be read. */
  'record_unreadable',
  'station_unknown',
  /** Nobody enrolled the key; it may have been enrolled offline. */
  'key_unknown',
  /** The key's devices belong to other stations. */
  'key_elsewhere',
  'key_revoked',
  /** The contest is not held here. */
  'contest_unknown',
  /** Of a version that this program does not know. */
  'form_unknown',
  /** Numbers that no station can have: more than the contest's ceiling, or not as many as the form has. */
  'totals_impossible',
] as const
export type QuarantineReason = (typeof quarantineReasons)[number]

/** What mends it: a newer program, the register, enrolling the phone, another phone of the station, the contests of the server, or a correction by the paper. */
export const quarantineMends = {
  record_unreadable: 'update', form_unknown: 'update', station_unknown: 'register', key_unknown: 'enrol', key_elsewhere: 'enrol', key_revoked: 'other_phone', contest_unknown: 'configure', totals_impossible: 'paper',
} as const satisfies Readonly<Record<QuarantineReason, string>>

export type Judgement =
  | { readonly ok: true; readonly device: number; readonly side: Side }
  /** `detail` says what and where, with its numbers: for people who mend it. `side` is null where no key says it. */
  | { readonly ok: false; readonly reason: QuarantineReason; readonly detail: string; readonly side: Side | null }

interface Facts {
  readonly isStationKnown: boolean
  /** Whoever holds the key that signed. */
  readonly holders: readonly Holder[]
  readonly contests: Contests
}

/** Whether a record counts, and of which side it is. Sums that do not add up are no reason: they are warnings, which its officer was shown. */
export function judgeRecap(recap: Recap, { isStationKnown, holders, contests }: Facts): Judgement {
  const { station, contest, form: version, ballot, totals } = recap
  const here = holders.filter((holder) => holder.station === station)
  const side = sideOf(here.length === 0 ? holders : here)
  const apart = (reason: QuarantineReason, detail: string): Judgement => ({ ok: false, reason, detail, side })
  if (!isStationKnown) return apart('station_unknown', `Station ${station} is not in the register.`)
  if (holders.length === 0) return apart('key_unknown', `No phone with the key that signed is enrolled: enrol it at station ${station}.`)
  if (here.length === 0) return apart('key_elsewhere', `The phone is enrolled at ${[...new Set(holders.map((holder) => holder.station))].join(', ')}, not at ${station}: enrol it there too, if its officer works there.`)
  const device = here.find(({ isRevoked }) => !isRevoked)
  if (device === undefined) return apart('key_revoked', `The key of this phone was revoked at station ${station}.`)
  const rules = contests[contest]
  if (rules === undefined) return apart('contest_unknown', `No contest ${contest} is configured.`)
  const form = formOf(contest, ballot, version)
  if (!form.ok) return apart('form_unknown', `The form of ${contest} is of version ${version}, and ${formVersions[contest]} is the newest known here (${form.error}).`)
  const impossible = checkTotals(form.value, totals, rules.ceiling).flatMap(sayImpossible)
  return impossible.length === 0 ? { ok: true, device: device.device, side: device.role } : apart('totals_impossible', impossible.slice(0, told_max).join(' '))
}

export const judgeUnreadable = (fault: SignedFault): Judgement => ({ ok: false, reason: 'record_unreadable', side: null, detail: `${fault.code}${fault.part === 'envelope' || fault.field === null ? '' : ` (${fault.field})`}: a newer program may have made it. It is judged again when this one is brought up to date.` })

const told_max = 5

/** Null where there is no holder, or holders of both roles. */
function sideOf(holders: readonly Holder[]): Side | null {
  const [first, ...others] = holders
  return first === undefined || others.some(({ role }) => role !== first.role) ? null : first.role
}

function sayImpossible(warning: Warning): string[] {
  switch (warning.kind) {
    case 'fields': return [`${warning.found} numbers, where the form has ${warning.expected}.`]
    case 'ceiling': return [`${warning.field} is ${warning.value}, and a station has at most ${warning.limit}.`]
    default: return []
  }
}
