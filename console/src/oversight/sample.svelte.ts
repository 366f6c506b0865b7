import { envelope_type } from '@kawal/contract/handing-in.ts'
import type { AuditorKeyRow, SampleDetail, SampleGiven, SampleRows, SampleScope, SampleSlot } from '@kawal/contract/sample.ts'
import { room } from '../room.svelte.ts'
import { asked, call, json, type Answer } from '../server.ts'
import { sampleEn } from '../words/sample-en.ts'
import { sampleId, type SampleWords } from '../words/sample-id.ts'

export const sampleWords = (): SampleWords => (room.view.language === 'en' ? sampleEn : sampleId)

const path = '/v1/audits'
const slotPath = (id: string, station: string, contest: string): string => [path, id, 'slots', station, contest].map(encodeURI).join('/')

export const sampleServer = {
  scope: (areas: readonly string[]): Promise<Answer<SampleScope>> => call(`${path}/scope${asked({ areas: areas.length === 0 ? null : areas.join(',') })}`),
  start: (given: SampleGiven): Promise<Answer<SampleDetail>> => call(path, json(given), 60_000),
  list: (signal: AbortSignal): Promise<Answer<SampleRows>> => call(path, { signal }),
  detail: (id: string, signal: AbortSignal): Promise<Answer<SampleDetail>> => call(`${path}/${encodeURIComponent(id)}`, { signal }),
  slot: (id: string, station: string, contest: string, totals: boolean, signal?: AbortSignal): Promise<Answer<SampleSlot>> => call(`${slotPath(id, station, contest)}${asked({ totals: totals ? 'true' : null })}`, signal === undefined ? {} : { signal }),
  enrol: (publicKey: string): Promise<Answer<AuditorKeyRow>> => call(`${path}/keys`, json({ publicKey })),
  hand: (id: string, finding: Uint8Array<ArrayBuffer>): Promise<Answer<null>> => call(`${path}/${encodeURIComponent(id)}/findings`, { method: 'POST', headers: { 'content-type': envelope_type }, body: finding }),
}
export const csvOf = (id: string): string => `${path}/${encodeURIComponent(id)}?format=csv`
export const rosterFile = `${path}/roster`
export const photoOf = ({ sha256, size }: { readonly sha256: string; readonly size: number }): string => `${path}/photos/${sha256}-${size}`

/** What is looked at: the list, a new draw, one draw, or one slot of it; as the address has it under `butir`. */
type Sight = { readonly kind: 'list' } | { readonly kind: 'start' } | { readonly kind: 'draw'; readonly id: string } | { readonly kind: 'slot'; readonly id: string; readonly station: string; readonly contest: string }

export function sightOf(item: string | null): Sight {
  const [id = '', station, contest] = (item ?? '').split('/')
  if (item === 'mulai') return { kind: 'start' }
  if (!/^[0-9a-f]{64}$/.test(id)) return { kind: 'list' }
  return station === undefined || contest === undefined ? { kind: 'draw', id } : { kind: 'slot', id, station, contest }
}

export function openSight(sight: Sight): void {
  const item = sight.kind === 'list' ? null : sight.kind === 'start' ? 'mulai' : sight.kind === 'draw' ? sight.id : `${sight.id}/${sight.station}/${sight.contest}`
  room.go({ filters: { ...room.view.filters, item } }, true)
}

/** Beside the words of a result. */
export const marks: Readonly<Record<string, string>> = { agrees: '=', differs: '≠', unreadable: '?', photo_absent: '∅', no_record: '×' }

/** Somebody of Bawaslu who may draw and sign. */
export const mayAudit = (): boolean => room.session !== null && room.session !== 'loading' && room.may('sample:write', room.session.organisation)
