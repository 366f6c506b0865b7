import { createHash } from 'node:crypto'
import type { Characteristic, TmfStatus } from '@kawal/contract/ticket.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Ticket } from '@kawal/core/ticket/ticket.ts'
import { toTmf } from '../ticket/tmf621.ts'
import type { PeerVersion } from './store.ts'

/** A ticket as a peer has it, as far as anything is made of it. */
export interface Theirs {
  readonly id: string
  /** A word of TMF621 where it is one: `In Progress` and `inProgress` are the same. */
  readonly status: string
  /** The status with its instant: tells one saying of it from the next. */
  readonly mark: string
  readonly reason: string
  readonly expectedAt: Instant | null
  /** In their order, each as long as ours may be. `key` is their id, or a hash of what stands there. */
  readonly notes: readonly { readonly key: string; readonly text: string }[]
  readonly raw: Readonly<Record<string, unknown>>
  readonly etag: string | null
}

const [id_chars_max, status_chars_max, text_chars_max] = [200, 40, 2_000] as const
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url')
/** What PostgreSQL can keep: no U+0000, no half of a surrogate pair. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value.replaceAll('\0', '').toWellFormed() : typeof value === 'number' ? String(value) : '')
const cut = (value: unknown): string => textOf(value).trim().slice(0, text_chars_max).toWellFormed().trim()
const objectsOf = (value: unknown): Readonly<Record<string, unknown>>[] => (Array.isArray(value) ? value.filter((each): each is Record<string, unknown> => typeof each === 'object' && each !== null) : [])
const instantOf = (value: unknown): Instant | null => {
  const at = Date.parse(textOf(value))
  return Number.isFinite(at) ? at : null
}

/** @returns null for what has no id that can be kept: it is no ticket */
export function readTheirs(value: unknown, etag: string | null = null): Theirs | null {
  if (typeof value !== 'object' || value === null) return null
  const raw = value as Readonly<Record<string, unknown>>
  const id = textOf(raw['id'])
  if (id === '' || id.length > id_chars_max) return null
  const status = textOf(raw['status']).slice(0, status_chars_max).replaceAll(/[ _-](\w)/g, (_, letter: string) => letter.toUpperCase()).replace(/^./, (first) => first.toLowerCase())
  return {
    id, status, mark: `${status} ${instantOf(raw['statusChangeDate']) ?? ''}`, reason: cut(raw['statusChangeReason']), expectedAt: instantOf(raw['expectedResolutionDate']),
    notes: objectsOf(raw['note']).flatMap((note) => {
      const [text, noteId] = [cut(note['text']), textOf(note['id'])]
      return text === '' ? [] : [{ key: noteId === '' || noteId.length > id_chars_max ? hash(`${noteId} ${textOf(note['date'])} ${text}`) : noteId, text }]
    }),
    raw, etag,
  }
}

/** Whether it is the ticket that we have under this id. */
export function isOf({ raw }: Theirs, id: string): boolean {
  return raw['externalId'] === id || objectsOf(raw['externalIdentifier']).some((each) => each['id'] === id)
}

/** Of our own clocks and statuses; what they are there is theirs to say. */
const ours: ReadonlySet<string> = new Set(['lifecycle', 'restoreClock', 'repairClock'])
/** Codes of stations in a text. */
const stations_max = 50

/** What is said of the fault, and said again when it changes: version 4 has no characteristics, so there the description holds the evidence. */
export function factsOf(ticket: Ticket, version: PeerVersion, now: Instant): Readonly<Record<string, unknown>> {
  const { description, severity, priority, expectedResolutionDate, troubleTicketCharacteristic } = toTmf(ticket, now)
  const shared = { severity, priority, ...(expectedResolutionDate === undefined ? {} : { expectedResolutionDate }) }
  return version === 5
    ? { description, ...shared, troubleTicketCharacteristic: troubleTicketCharacteristic.filter(({ name }) => !ours.has(name)) }
    : { description: [description, ...evidenceOf(ticket)].join('\n'), ...shared }
}

function evidenceOf({ disturbance }: Ticket): string[] {
  if (disturbance === null) return []
  const { evidence, stations } = disturbance
  const more = stations.length - stations_max
  return [
    `Bukti: dari ${evidence.devicesExpected} HP, ${evidence.devicesSilent} diam, ${evidence.devicesBad} buruk, ${evidence.devicesGood} baik; ${evidence.witnessesGood} saksi baik dari operator lain.`,
    `TPS: ${stations.slice(0, stations_max).join(', ')}${more > 0 ? `, dan ${more} lainnya` : ''}`,
  ]
}

export const factsHash = (facts: Readonly<Record<string, unknown>>): string => hash(JSON.stringify(facts))

/** Our ticket as it is created there, with our id as the external one. */
export function creationOf(ticket: Ticket, version: PeerVersion, now: Instant): object {
  const { name, ticketType, requestedResolutionDate, relatedEntity, relatedParty } = toTmf(ticket, now)
  const shared = { '@type': 'TroubleTicket', name, ticketType, ...factsOf(ticket, version, now), ...(requestedResolutionDate === undefined ? {} : { requestedResolutionDate }) }
  return version === 5
    ? { ...shared, externalIdentifier: [{ '@type': 'ExternalIdentifier', id: ticket.id, owner: 'Kawal Sinyal', externalIdentifierType: 'troubleTicket' }], relatedEntity, relatedParty }
    : {
      ...shared, externalId: ticket.id,
      relatedEntity: relatedEntity.map(({ role, entity: { id, name: called, '@referredType': type = 'Entity' } }) => ({ id, role, ...(called === undefined ? {} : { name: called }), '@referredType': type })),
      relatedParty: relatedParty.map(({ role, partyOrPartyRole: { id, name: called, '@referredType': type = 'Organization' } }) => ({ id, role, ...(called === undefined ? {} : { name: called }), '@referredType': type })),
    }
}

/** Of the facts, those that they have otherwise; their own characteristics stay beside ours, since a patch replaces the list. */
export function changedFacts(facts: Readonly<Record<string, unknown>>, { raw, expectedAt }: Theirs): Record<string, unknown> {
  const changed: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(facts)) {
    if (name === 'troubleTicketCharacteristic') {
      const [told, theirs] = [value as readonly Characteristic[], objectsOf(raw[name])]
      const isThere = ({ name: called, value: said }: Characteristic): boolean => theirs.some((each) => each['name'] === called && JSON.stringify(each['value']) === JSON.stringify(said))
      if (!told.every(isThere)) changed[name] = [...theirs.filter((each) => !told.some(({ name: called }) => called === each['name'])), ...told]
    } else if (name === 'expectedResolutionDate' ? instantOf(value) !== expectedAt : raw[name] !== value) changed[name] = value
  }
  return changed
}

/** A note of ours is told by how it begins, also when the answer to it was lost and their system gave it another id. */
const markOf = (ticket: string, id: string): string => `[${ticket}.${id}]`
export const isOurNote = (ticket: string, text: string): boolean => text.startsWith(`[${ticket}.`)

interface Said { readonly id: string; readonly author: string; readonly at: Instant; readonly text: string }

/** Their notes, as they stand there, and these of ours behind them. */
export function withNotes(ticket: string, { raw, notes }: Theirs, said: readonly Said[], version: PeerVersion): object[] {
  const added = said.filter(({ id }) => !notes.some(({ text }) => text.startsWith(markOf(ticket, id))))
  return added.length === 0 ? [] : [...objectsOf(raw['note']), ...added.map(({ id, author, at, text }) => ({ ...(version === 5 ? { '@type': 'Note' } : {}), author, date: new Date(at).toISOString(), text: `${markOf(ticket, id)} ${text}` }))]
}

/** What a status of ours is in the words of TMF621. */
export const statusOf = (ticket: Ticket, now: Instant): TmfStatus => toTmf(ticket, now).status
