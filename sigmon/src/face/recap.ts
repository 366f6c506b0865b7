import type { PackForm } from '@kawal/contract/sigmon.ts'
import { contests, type Ballot, type Contest, type Form } from '@kawal/core/recap/form.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import type { Side } from '@kawal/core/recap/slot.ts'
import type { Warning } from '@kawal/core/recap/totals.ts'
import type { KeptRecap } from '../recap/kept.ts'
import { recapEn } from '../words/recap-en.ts'
import { recapId, type RecapWords } from '../words/recap-id.ts'
import { put, type Language } from './format.ts'

export const recapWords = (language: Language): RecapWords => (language === 'id' ? recapId : recapEn)

/** So many of a record's hash name it in an address. */
export const hash_chars = 40

/** A record as the screens have it; `recap` is null where this version cannot read its own bytes. */
export interface ShownRecap {
  readonly kept: KeptRecap
  readonly code: string
  readonly recap: Recap | null
}

export const codeOf = (hash: string, code: (hash: Uint8Array) => string): string => code(Uint8Array.from(hash.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)))
type Stage = 'phone' | 'custody' | 'sent' | 'witnessed' | 'kpu'
/** A record that no box has ever had skips that stage. */
/** Whose a record is: as the server said, else as this phone is enrolled. */
export const isOfSupervisor = ({ said, carriedFor }: KeptRecap, role: Side | undefined): boolean => (said?.side ?? (carriedFor === undefined ? role : null)) === 'supervisor'
export const stagesOf = ({ custody, receipt, witnessed, said }: KeptRecap): readonly Stage[] => ['phone', ...((custody ?? []).length > 0 ? ['custody' as const] : []), ...(receipt === null ? [] : ['sent' as const]), ...(witnessed === undefined ? [] : ['witnessed' as const]), ...(said?.deliveredAt == null ? [] : ['kpu' as const])]
export const stageOf = (kept: KeptRecap): Stage => stagesOf(kept).at(-1) ?? 'phone'

/** A form that can be filled in: its contest and its ballot are known. */
export interface KnownForm {
  readonly contest: Contest
  readonly title: string
  readonly ballot: Ballot
  readonly ceiling: number
  readonly pages: number
}

/** Voters of one station in February 2024 (PKPU 7/2022), where the form does not say. */
const ceiling_usual = 300

export function formsOf(forms: readonly PackForm[]): KnownForm[] {
  return forms.flatMap(({ contest: name, title, ballot, votersMax, pages }) => {
    const contest = contests.find((each) => each === name)
    if (contest === undefined || ballot === undefined) return []
    const own: Ballot = typeof ballot === 'number' ? { kind: 'candidates', candidates: ballot } : { kind: 'parties', parties: ballot.flatMap((number, at) => (at % 2 === 0 ? [{ number, candidates: ballot[at + 1] ?? 0 }] : [])) }
    return [{ contest, title, ballot: own, ceiling: votersMax ?? ceiling_usual, pages }]
  })
}

/** The sections of a form as the paper has them, each with its fields. */
interface Section { readonly name: 'voters' | 'present' | 'ballots' | 'disabled' | 'votes' | 'sums'; readonly fields: readonly string[] }

const sectionOf = (field: string): Section['name'] =>
  field.startsWith('voters_') ? 'voters' : field.startsWith('present') ? 'present' : field.startsWith('ballots_') ? 'ballots' : field.startsWith('disabled') ? 'disabled' : field.startsWith('votes_') ? 'votes' : 'sums'

export function sectionsOf({ fields }: Form): Section[] {
  const sections: { name: Section['name']; fields: string[] }[] = []
  for (const field of fields) {
    const name = sectionOf(field)
    if (sections.at(-1)?.name === name) sections.at(-1)?.fields.push(field)
    else sections.push({ name, fields: [field] })
  }
  return sections
}

/** What a field is called on the form. */
export function fieldName(r: RecapWords, contest: Contest, field: string): string {
  const [, party, candidate] = /^votes_p(\d+)(?:_(\w+))?$/.exec(field) ?? []
  if (party !== undefined) return candidate === undefined ? put(r.partyAll, { p: party }) : candidate === 'alone' ? put(r.partyAlone, { p: party }) : put(r.partyCandidate, { p: party, n: candidate })
  const [, number] = /^votes_(\d+)$/.exec(field) ?? []
  if (number !== undefined) return put(contest === 'ppwp' ? r.pair : r.candidate, { n: number })
  const [, list = '', gender] = /^(voters_dpt|present|present_dpt|present_dptb|present_dpk|disabled)(?:_(male|female))?$/.exec(field) ?? []
  if (list !== '') return put(gender === 'male' ? r.male : gender === 'female' ? r.female : r.both, { list: r.list[list] ?? list })
  return r.field[field] ?? field
}

/** A warning as a sentence, and the field beside which it is said; null for what is missing, which is counted together. */
export function warningText(r: RecapWords, contest: Contest, warning: Warning): { readonly field: string; readonly text: string } | null {
  const name = (field: string): string => fieldName(r, contest, field)
  switch (warning.kind) {
    case 'fields':
    case 'missing': return null
    case 'sum': return { field: warning.field, text: put(r.warning['sum'] ?? '', { parts: warning.parts.map(name).join(r.plus), sum: warning.sum, field: name(warning.field), value: warning.value }) }
    case 'same': return { field: warning.field, text: put(r.warning['same'] ?? '', { field: name(warning.field), value: warning.value, other: name(warning.other), otherValue: warning.otherValue }) }
    case 'above': return { field: warning.field, text: put(r.warning['above'] ?? '', { field: name(warning.field), value: warning.value, of: name(warning.of), limit: warning.limit }) }
    case 'ceiling': return { field: warning.field, text: put(r.warning['ceiling'] ?? '', { field: name(warning.field), value: warning.value, limit: warning.limit }) }
  }
}
