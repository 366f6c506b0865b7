import type { RecapConflicts, RecapOverview, StuckRecap, StuckRecaps, BoxRows } from '@kawal/contract/recap-overview.ts'
import { room } from '../room.svelte.ts'
import { asked, call, type Answer } from '../server.ts'
import { recapsEn } from '../words/recaps-en.ts'
import { recapsId, type RecapsWords } from '../words/recaps-id.ts'

type Query = Readonly<Record<string, string | null>>

export const recapsWords = (): RecapsWords => (room.view.language === 'en' ? recapsEn : recapsId)

/** What the list shows, as the address has it under `keadaan`; the areas without it. */
export type Section = 'areas' | 'stuck' | 'conflicts' | 'boxes'
export const kinds: readonly StuckRecap['kind'][] = ['quarantine', 'delivery', 'photos']
export const sectionOf = (state: string | null): Section => (state === 'conflicts' || state === 'boxes' ? state : kinds.some((kind) => kind === state) ? 'stuck' : 'areas')

export const recapsServer = {
  overview: (query: Query, signal: AbortSignal): Promise<Answer<RecapOverview>> => call(`/v1/recaps/overview${asked(query)}`, { signal }),
  stuck: (query: Query, signal: AbortSignal): Promise<Answer<StuckRecaps>> => call(`/v1/recaps/stuck${asked(query)}`, { signal }),
  conflicts: (query: Query, signal: AbortSignal): Promise<Answer<RecapConflicts>> => call(`/v1/recaps/conflicts${asked(query)}`, { signal }),
  boxes: (query: Query, signal: AbortSignal): Promise<Answer<BoxRows>> => call(`/v1/boxes${asked(query)}`, { signal }),
}
export const csvOf = (path: string, query: Query): string => `/v1/recaps/${path}${asked({ ...query, format: 'csv' })}`

/** A field of a form in words. */
export function fieldLabel(field: string): string {
  const words = recapsWords()
  const [, party, candidate] = /^votes_p([0-9]+)(?:_([0-9]+|alone))?$/.exec(field) ?? []
  if (party !== undefined) return candidate === undefined ? words.partyVotes(party) : candidate === 'alone' ? words.partyAlone(party) : words.partyCandidate(party, candidate)
  const [, single] = /^votes_([0-9]+)$/.exec(field) ?? []
  if (single !== undefined) return words.candidateVotes(single)
  const [, stem = field, gender] = /^(.*?)_(male|female)$/.exec(field) ?? []
  const name = words.fieldNames[stem] ?? stem.replaceAll('_', ' ')
  return gender === undefined ? name : `${name}, ${gender === 'male' ? words.men : words.women}`
}
