import type { AlarmRow } from '@kawal/contract/alarm.ts'
import type { AnnouncementGiven, AnnouncementReceipts, AnnouncementRow, AnnouncementRows } from '@kawal/contract/announcement.ts'
import type { AuditRows } from '@kawal/contract/audit.ts'
import type { Knowledge } from '@kawal/contract/knowledge.ts'
import type { CommentGiven, CommentRow, CommentRows } from '@kawal/contract/comment.ts'
import type { ContactCompleteness, ContactGiven, ContactRow } from '@kawal/contract/contact.ts'
import type { LogInWays, PasskeyAssertion, PasskeyCreated, PasskeyRow, Passkeys, ProviderAddress, SessionRow } from '@kawal/contract/log-in.ts'
import type { KeyMade, KeyRow, KeyScope } from '@kawal/contract/key.ts'
import type { PushGiven, PushRow, PushState, PushTried } from '@kawal/contract/push.ts'
import type { TrackRecords } from '@kawal/contract/ticket.ts'
import type { PlannedWorkCreate, PlannedWorkReceipt, PlannedWorkRow } from '@kawal/contract/planned-work.ts'
import type { DisturbanceTurns, Session, StationDetail, StationRows } from '@kawal/contract/live.ts'

/** An application/problem+json answer, or a network that did not answer (code `unreachable`). */
export interface Problem { readonly status: number; readonly code: string; readonly title: string; readonly detail: string }
export type Answer<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly problem: Problem }

const timeoutMs = 15_000
/** A photo over a narrow line; the server waits no longer for a request (server/src/connections.ts). */
const uploadMs = 120_000

export async function call<Value>(path: string, init: RequestInit = {}, withinMs = timeoutMs): Promise<Answer<Value>> {
  try {
    const signal = init.signal == null ? AbortSignal.timeout(withinMs) : AbortSignal.any([init.signal, AbortSignal.timeout(withinMs)])
    const response = await fetch(path, { ...init, credentials: 'same-origin', signal })
    const text = await response.text()
    const type = response.headers.get('content-type') ?? ''
    const body: unknown = text !== '' && type.includes('json') ? JSON.parse(text) : null
    if (response.ok) return { ok: true, value: body as Value }
    const said = (body ?? {}) as Partial<Problem>
    return { ok: false, problem: { status: response.status, code: said.code ?? `http_${response.status}`, title: said.title ?? response.statusText, detail: said.detail ?? '' } }
  } catch (error) {
    return { ok: false, problem: { status: 0, code: 'unreachable', title: '', detail: error instanceof Error ? error.message : '' } }
  }
}

export const json = (body: unknown): RequestInit => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

/** A list as the server pages it: the rows asked for, and how many there are. */
interface Rows<Row> { readonly total: number; readonly rows: readonly Row[] }
/** A question as the end of an address. */
export const asked = (query: Readonly<Record<string, string | null>>): string => {
  const text = new URLSearchParams(Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== null)).toString()
  return text === '' ? '' : `?${text}`
}

const commentsOf = (disturbance: string): string => `/v1/disturbances/${encodeURIComponent(disturbance)}/comments`
/** Where the file of a comment is. */
export const commentFile = (disturbance: string, comment: string): string => `${commentsOf(disturbance)}/${encodeURIComponent(comment)}/file`

export const server = {
  session: (): Promise<Answer<Session>> => call('/v1/session'),
  logIn: (token: string): Promise<Answer<unknown>> => call('/v1/session', json({ token })),
  logOut: (): Promise<Answer<unknown>> => call('/v1/session', { method: 'DELETE' }),
  ways: (): Promise<Answer<LogInWays>> => call('/v1/session/ways'),
  passkeyOptions: (): Promise<Answer<object>> => call('/v1/session/passkey/options', { method: 'POST' }),
  logInByPasskey: (assertion: PasskeyAssertion): Promise<Answer<unknown>> => call('/v1/session/passkey', json(assertion)),
  /** Where to log in at a provider. */
  provider: (id: string): Promise<Answer<ProviderAddress>> => call(`/v1/session/provider/${encodeURIComponent(id)}`, { method: 'POST' }),
  /** @param query what the provider sent the browser back with */
  logInByProvider: (query: string): Promise<Answer<unknown>> => call('/v1/session/provider', json({ query })),
  sessions: (): Promise<Answer<readonly SessionRow[]>> => call('/v1/sessions'),
  endSession: (id: string): Promise<Answer<unknown>> => call(`/v1/sessions/${encodeURIComponent(id)}`, { method: 'DELETE' }),
  passkeys: (): Promise<Answer<Passkeys>> => call('/v1/passkeys'),
  newPasskeyOptions: (): Promise<Answer<object>> => call('/v1/passkeys/options', { method: 'POST' }),
  addPasskey: (name: string, credential: PasskeyCreated): Promise<Answer<PasskeyRow>> => call('/v1/passkeys', json({ name, credential })),
  renamePasskey: (id: string, name: string): Promise<Answer<PasskeyRow>> => call(`/v1/passkeys/${encodeURIComponent(id)}`, { ...json({ name }), method: 'PATCH' }),
  removePasskey: (id: string): Promise<Answer<unknown>> => call(`/v1/passkeys/${encodeURIComponent(id)}`, { method: 'DELETE' }),
  /** @param bbox west,south,east,north in degrees */
  stations: (area: string, bbox: string | null, signal: AbortSignal): Promise<Answer<StationRows>> =>
    call(`/v1/stations?area=${encodeURIComponent(area)}${bbox === null ? '' : `&bbox=${bbox}`}`, { signal }),
  station: (code: string): Promise<Answer<StationDetail>> => call(`/v1/stations/${encodeURIComponent(code)}`),
  /** TMF621's merge patch: what the organisation that has the ticket says of it. */
  patchTicket: (ticket: string, fields: object): Promise<Answer<unknown>> =>
    call(`/tmf-api/troubleTicket/v5/troubleTicket/${encodeURIComponent(ticket)}`, { ...json({ '@type': 'TroubleTicket', ...fields }), method: 'PATCH' }),
  turns: (disturbance: string, signal: AbortSignal): Promise<Answer<DisturbanceTurns>> => call(`/v1/disturbances/${encodeURIComponent(disturbance)}/turns`, { signal }),
  alarms: (query: Readonly<Record<string, string | null>>, signal: AbortSignal): Promise<Answer<Rows<AlarmRow>>> => call(`/v1/alarms${asked(query)}`, { signal }),
  works: (query: Readonly<Record<string, string | null>>, signal: AbortSignal): Promise<Answer<Rows<PlannedWorkRow>>> => call(`/v1/planned-work${asked(query)}`, { signal }),
  announce: (work: PlannedWorkCreate): Promise<Answer<PlannedWorkRow>> => call('/v1/planned-work', json(work)),
  /** A pasted calendar: each line is kept or refused by itself. */
  announceAll: (csv: string): Promise<Answer<PlannedWorkReceipt>> => call('/v1/planned-work', { method: 'POST', headers: { 'content-type': 'text/csv' }, body: csv }),
  withdraw: (work: string): Promise<Answer<unknown>> => call(`/v1/planned-work/${encodeURIComponent(work)}`, { method: 'DELETE' }),
  contacts: (query: Readonly<Record<string, string | null>>, signal: AbortSignal): Promise<Answer<Rows<ContactRow>>> => call(`/v1/contacts${asked(query)}`, { signal }),
  completeness: (signal: AbortSignal): Promise<Answer<ContactCompleteness>> => call('/v1/contacts/completeness', { signal }),
  addContact: (contact: ContactGiven): Promise<Answer<ContactRow>> => call('/v1/contacts', json(contact)),
  removeContact: (contact: string): Promise<Answer<unknown>> => call(`/v1/contacts/${encodeURIComponent(contact)}`, { method: 'DELETE' }),
  trackRecord: (query: Readonly<Record<string, string | null>>, signal: AbortSignal): Promise<Answer<TrackRecords>> => call(`/v1/track-record${asked(query)}`, { signal }),
  announcements: (signal: AbortSignal): Promise<Answer<AnnouncementRows>> => call('/v1/announcements', { signal }),
  announceTo: (announcement: AnnouncementGiven): Promise<Answer<AnnouncementRow>> => call('/v1/announcements', json(announcement)),
  acknowledgeAnnouncement: (id: string): Promise<Answer<AnnouncementRow>> => call(`/v1/announcements/${encodeURIComponent(id)}/acknowledge`, json({})),
  receipts: (id: string): Promise<Answer<AnnouncementReceipts>> => call(`/v1/announcements/${encodeURIComponent(id)}/receipts`),
  keys: (signal: AbortSignal): Promise<Answer<readonly KeyRow[]>> => call('/v1/keys', { signal }),
  makeKey: (scope: KeyScope): Promise<Answer<KeyMade>> => call('/v1/keys', json({ scope })),
  revokeKey: (id: string): Promise<Answer<unknown>> => call(`/v1/keys/${encodeURIComponent(id)}`, { method: 'DELETE' }),
  audit: (query: Readonly<Record<string, string | null>>, signal: AbortSignal): Promise<Answer<AuditRows>> => call(`/v1/audit${asked(query)}`, { signal }),
  knowledge: (query: Readonly<Record<string, string | null>>, signal: AbortSignal): Promise<Answer<Knowledge>> => call(`/v1/knowledge${asked(query)}`, { signal }),
  openTicket: (disturbance: string): Promise<Answer<unknown>> => call(`/v1/disturbances/${encodeURIComponent(disturbance)}/ticket`, json({})),
  comments: (disturbance: string, signal: AbortSignal): Promise<Answer<CommentRows>> => call(commentsOf(disturbance), { signal }),
  comment: (disturbance: string, comment: CommentGiven): Promise<Answer<CommentRow>> => call(commentsOf(disturbance), json(comment), uploadMs),
  push: (signal?: AbortSignal): Promise<Answer<PushState>> => call('/v1/push', signal === undefined ? {} : { signal }),
  subscribe: (subscription: PushGiven): Promise<Answer<PushRow>> => call('/v1/push', json(subscription)),
  unsubscribe: (id: string): Promise<Answer<unknown>> => call(`/v1/push/${encodeURIComponent(id)}`, { method: 'DELETE' }),
  tryPush: (id: string): Promise<Answer<PushTried>> => call(`/v1/push/${encodeURIComponent(id)}/test`, json({})),
}
