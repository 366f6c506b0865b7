import type { ComparedSlots, RecapComparison, RecapSlot } from '@kawal/contract/comparison.ts'
import { asked, call, json, type Answer } from '../server.ts'

type Query = Readonly<Record<string, string | null>>
export type Kind = ComparedSlots['kind'] | 'neither'

/** In the order in which they are shown; the shape stands beside the word. */
export const shapes: Readonly<Record<Kind, string>> = { agree: '=', differ: '≠', officer_only: '◧', supervisor_only: '◨', conflict: '!', quarantine: '?', neither: '∅' }
/** Those that have a list: of which nothing is here there is nothing to show. */
export const listed = ['differ', 'officer_only', 'supervisor_only', 'conflict', 'quarantine', 'agree'] as const satisfies readonly Kind[]

/** What the address names of this part: one slot, or the kind that is listed; the first kind where it names neither. */
export function itemOf(item: string | null): { readonly slot: { readonly station: string; readonly contest: string } | null; readonly kind: (typeof listed)[number] } {
  const [, station, contest] = /^(\d{13})-([a-z_]+)$/.exec(item ?? '') ?? []
  return { slot: station === undefined || contest === undefined ? null : { station, contest }, kind: listed.find((each) => each === item) ?? 'differ' }
}
export const slotItem = (station: string, contest: string): string => `${station}-${contest}`

export const comparisonServer = {
  counts: (query: Query, signal: AbortSignal): Promise<Answer<RecapComparison>> => call(`/v1/recaps/comparison${asked(query)}`, { signal }),
  slots: (query: Query, signal: AbortSignal): Promise<Answer<ComparedSlots>> => call(`/v1/recaps/comparison/slots${asked(query)}`, { signal }),
  slot: ({ station, contest }: { readonly station: string; readonly contest: string }, signal: AbortSignal): Promise<Answer<RecapSlot>> => call(`/v1/recaps/slots/${station}/${contest}`, { signal }),
}
export const countsCsv = (query: Query): string => `/v1/recaps/comparison${asked({ ...query, format: 'csv' })}`
export const slotsCsv = (query: Query): string => `/v1/recaps/comparison/slots${asked({ ...query, format: 'csv' })}`

/** Letters of an area's supervisors as a file; null and why where there is none. */
export async function takeLetters(area: string): Promise<{ readonly file: Blob | null; readonly detail: string }> {
  try {
    const answer = await fetch('/v1/supervisor-letters', { method: 'POST', ...json({ area }) })
    return answer.ok ? { file: await answer.blob(), detail: '' } : { file: null, detail: ((await answer.json()) as { detail?: string }).detail ?? String(answer.status) }
  } catch (error) {
    return { file: null, detail: error instanceof Error ? error.message : '' }
  }
}
