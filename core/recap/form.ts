import { fail, ok, type Result } from '../kernel/result.ts'

/**
 * The forms C.Hasil as data: which numbers stand on a form, in which order, and what must hold between them.
 *
 * Engineering defaults: fields and checks follow the sections of the C.Hasil forms of 2024 (voters on the list
 * and voters present on DPT, DPTb and DPK, each by gender; ballots; voters with a disability; votes; valid,
 * invalid, all) as we know them, not a schema of KPU, which has published none that we found. A form that differs is a new
 * version with its own lists: an old version is never edited, since a record's numbers are read by it.
 */

/** Their places are on the wire: added at the end, never moved. President; three houses; the regions' council. */
export const contests = ['ppwp', 'dpr', 'dpd', 'dprd_provinsi', 'dprd_kabkota'] as const
export type Contest = (typeof contests)[number]

/** The newest version of each contest's form. */
export const formVersions: Readonly<Record<Contest, number>> = { ppwp: 1, dpr: 1, dpd: 1, dprd_provinsi: 1, dprd_kabkota: 1 }

/** Who can be voted for: a number of pairs or candidates (`ppwp`, `dpd`), or parties with a number of candidates each. It differs by district. */
export type Ballot =
  | { readonly kind: 'candidates'; readonly candidates: number }
  | { readonly kind: 'parties'; readonly parties: readonly Party[] }
interface Party { readonly number: number; readonly candidates: number }

/** Bounds of what is read. In 2024: 3 pairs, 24 parties at most (local ones of Aceh included), 12 seats a district. */
const candidates_max = 100
const parties_max = 40
const party_number_max = 99
const party_candidates_max = 30
export const fields_max = 1_000
/** Voters of one station at most: 300 in February 2024, 600 in the regional elections of November 2024. Configuration of the contest. */
export const ceiling_max = 100_000

export const isOfParties = (contest: Contest): boolean => contest !== 'ppwp' && contest !== 'dpd'

/** Spare ballots of a station: 2 % of its list, rounded up (Law 7/2017 on elections, as applied in 2024). */
const reserve_percent = 2
export const withReserve = (voters: number): number => voters + Math.ceil((voters * reserve_percent) / 100)

/** What must hold. Names are of fields; a check with a field that is not filled in is not made. */
export type Check =
  /** The parts add up to the total. */
  | { readonly kind: 'sum'; readonly parts: readonly string[]; readonly total: string }
  | { readonly kind: 'same'; readonly field: string; readonly other: string }
  /** Not above another field; `reserve`: not above that field with the spare ballots. */
  | { readonly kind: 'above'; readonly field: string; readonly of: string; readonly reserve: boolean }
  /** Not above the contest's ceiling of voters a station; `reserve`: with the spare ballots. */
  | { readonly kind: 'ceiling'; readonly field: string; readonly reserve: boolean }

export interface Form {
  readonly contest: Contest
  readonly version: number
  readonly ballot: Ballot
  /** Each once; a record's totals stand in this order. */
  readonly fields: readonly string[]
  /** A record names the checks that did not hold by their places here. */
  readonly checks: readonly Check[]
}

/** `ballot_other`: a ballot of parties for a contest of candidates, or the other way round. `ballot_invalid`: out of bounds, or parties not in ascending order. */
type FormFault = 'version_unknown' | 'ballot_other' | 'ballot_invalid'

/** @param version one that this program knows: 1 to `formVersions[contest]` */
export function formOf(contest: Contest, ballot: Ballot, version = formVersions[contest]): Result<Form, FormFault> {
  if (version !== 1) return fail('version_unknown')
  if (isOfParties(contest) !== (ballot.kind === 'parties')) return fail('ballot_other')
  if (!isBallot(ballot)) return fail('ballot_invalid')
  const votes = ballot.kind === 'parties' ? partyVotes(ballot.parties) : candidateVotes(ballot.candidates)
  const fields = [...head, ...votes.fields, 'valid', 'invalid', 'votes']
  if (fields.length > fields_max) return fail('ballot_invalid')
  const checks = [...sums, ...votes.sums, { kind: 'sum', parts: ['valid', 'invalid'], total: 'votes' } as const, ...relations, ...fields.map(ceilingOf)]
  return ok({ contest, version, ballot, fields, checks })
}

/** Whether a ballot is within the bounds; parties ascend by their number, so that a ballot has one writing. */
export function isBallot(ballot: Ballot): boolean {
  const within = (value: number, min: number, max: number): boolean => Number.isSafeInteger(value) && value >= min && value <= max
  if (ballot.kind === 'candidates') return within(ballot.candidates, 1, candidates_max)
  const { parties } = ballot
  return within(parties.length, 1, parties_max) && parties.every(({ number, candidates }, at) =>
    within(number, (parties[at - 1]?.number ?? 0) + 1, party_number_max) && within(candidates, 0, party_candidates_max))
}

const byGender = (name: string): string[] => [`${name}_male`, `${name}_female`, name]
const people = ['voters_dpt', 'present_dpt', 'present_dptb', 'present_dpk', 'present', 'disabled'] as const
const ballots = ['ballots_received', 'ballots_used', 'ballots_returned', 'ballots_unused']
/** The fields before the votes, on every form: voters of the list, voters present by list, ballots, voters with a disability. */
const head: readonly string[] = [...people.slice(0, 5).flatMap(byGender), ...ballots, ...byGender('disabled')]

const genderSum = (name: string): Check => ({ kind: 'sum', parts: [`${name}_male`, `${name}_female`], total: name })
const listSum = (ending: string): Check => ({ kind: 'sum', parts: [`present_dpt${ending}`, `present_dptb${ending}`, `present_dpk${ending}`], total: `present${ending}` })
const sums: readonly Check[] = [
  ...people.map(genderSum), ...['_male', '_female', ''].map(listSum),
  { kind: 'sum', parts: ['ballots_used', 'ballots_returned', 'ballots_unused'], total: 'ballots_received' },
]

const notAbove = (field: string, of: string, reserve = false): Check => ({ kind: 'above', field, of, reserve })
const relations: readonly Check[] = [
  { kind: 'same', field: 'ballots_used', other: 'present' },
  { kind: 'same', field: 'votes', other: 'ballots_used' },
  ...['_male', '_female', ''].map((ending) => notAbove(`present_dpt${ending}`, `voters_dpt${ending}`)),
  ...['_male', '_female', ''].map((ending) => notAbove(`disabled${ending}`, `present${ending}`)),
  notAbove('ballots_received', 'voters_dpt', true),
]

/** Who stands on the list is at most the ceiling; those present of all lists, ballots and votes may use the spare ballots too. */
const ceilingOf = (field: string): Check => ({ kind: 'ceiling', field, reserve: !/^(voters|present)_dpt(_|$)/.test(field) })

interface Votes { readonly fields: readonly string[]; readonly sums: readonly Check[] }

function candidateVotes(candidates: number): Votes {
  const fields = Array.from({ length: candidates }, (_, at) => `votes_${at + 1}`)
  return { fields, sums: [{ kind: 'sum', parts: fields, total: 'valid' }] }
}

/** For each party: votes for it alone, for each candidate, and their sum, as the form has them. */
function partyVotes(parties: readonly Party[]): Votes {
  const each = parties.map(({ number, candidates }) => ({ parts: [`votes_p${number}_alone`, ...Array.from({ length: candidates }, (_, at) => `votes_p${number}_${at + 1}`)], total: `votes_p${number}` }))
  return {
    fields: each.flatMap(({ parts, total }) => [...parts, total]),
    sums: [...each.map(({ parts, total }): Check => ({ kind: 'sum', parts, total })), { kind: 'sum', parts: each.map(({ total }) => total), total: 'valid' }],
  }
}
