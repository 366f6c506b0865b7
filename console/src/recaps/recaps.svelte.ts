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
