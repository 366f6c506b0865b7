import { createHash } from 'node:crypto'
import type { TmfStatus } from '@kawal/contract/ticket.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { isDisputed } from '@kawal/core/ticket/dispute.ts'
import { isOver, type Ticket, type TicketAction } from '@kawal/core/ticket/ticket.ts'
import type { Memory } from './store.ts'
import { isOurNote, statusOf, type Theirs } from './wire.ts'

/** Of one look: who writes more notes at once is heard with his newest. */
const notes_max = 50
/** Where a reason is required and none was given. */
const unsaid = 'tanpa keterangan'

/** Something that they said and we have not heard yet. `once` names it: heard again, it does nothing. */
export interface Word { readonly once: string; readonly what: string; readonly actions: readonly TicketAction[]; readonly reason: string | null }

/**
 * What a peer has said since it was last heard, in the organisation's own name.
 * @param url of the system: another one may give the same ids
 */
export function wordsOf(url: string, ticket: Ticket, theirs: Theirs, { heard }: Memory): Word[] {
  const words: Word[] = []
  const onceOf = (...parts: readonly (string | number)[]): string => `peer ${createHash('sha256').update(JSON.stringify([url, ticket.id, theirs.id, ...parts])).digest('base64url')}`
  const notes = newNotes(ticket, theirs, heard.notes)
  if (theirs.mark !== heard.status) {
    const reason = theirs.reason || (notes.at(-1)?.text ?? '')
    const actions = actionsOf(ticket, theirs.status, reason)
    if (actions.length > 0) words.push({ once: onceOf('status', heard.changes, theirs.mark), what: theirs.status, actions, reason: reason || null })
  }
  const { expectedAt } = theirs
  if (expectedAt !== null && expectedAt !== heard.expectedAt && expectedAt !== ticket.expectedAt && !isOver(ticket))
    words.push({ once: onceOf('expected', expectedAt, heard.expectedAt ?? 0), what: 'expectedResolutionDate', actions: [{ kind: 'estimate', expectedAt }], reason: null })
  if (!isOver(ticket)) for (const { key, text } of notes) words.push({ once: onceOf('note', key), what: 'note', actions: [{ kind: 'note', text }], reason: null })
  return words
}

const newNotes = ({ id }: Ticket, { notes }: Theirs, heard: readonly string[]): Theirs['notes'] => notes.filter(({ key, text }) => !heard.includes(key) && !isOurNote(id, text)).slice(-notes_max)

/** The memory once all of it was heard. */
export function hearing({ heard, ...memory }: Memory, { mark, expectedAt, notes }: Theirs): Memory {
  return { ...memory, heard: { status: mark, changes: heard.changes + (mark === heard.status ? 0 : 1), expectedAt, notes: notes.map(({ key }) => key) } }
}

/** A status that was on its way to them and stands there now is no word of theirs. */
export function absorb(memory: Memory, { status, mark }: Theirs): Memory {
  return memory.telling === null || memory.telling !== status ? memory : { ...memory, telling: null, heard: { ...memory.heard, status: mark } }
}

/** What a status of theirs asks of our ticket, as it stands. Nobody closes or cancels it but measurement and the monitoring centre: for who works on it these are claims. */
function actionsOf(ticket: Ticket, status: string, reason: string): TicketAction[] {
  if (isOver(ticket)) return []
  const first: TicketAction[] = ticket.status === 'submitted' ? [{ kind: 'acknowledge' }] : []
  const isWorking = ticket.status !== 'resolved' && ticket.status !== 'pending'
  switch (status) {
    case 'acknowledged': return ticket.status === 'submitted' || ticket.status === 'reopened' ? [{ kind: 'acknowledge' }] : []
    case 'inProgress': return ticket.status === 'pending' ? [{ kind: 'resume' }] : isWorking && ticket.status !== 'inProgress' ? [{ kind: 'start' }] : []
    case 'pending': case 'held': return isWorking ? [...first, { kind: 'hold', reason: reason || unsaid }] : []
    case 'resolved': case 'closed': return ticket.status === 'resolved' ? [] : [...first, { kind: 'resolve', text: reason }]
    case 'rejected': case 'cancelled':
      if (ticket.disturbance === null) return [{ kind: 'note', text: reason || unsaid }]
      return isDisputed(ticket) ? [] : [{ kind: 'dispute', dispute: 'not_ours', text: reason || unsaid }]
    default: return []
  }
}

/** A status that they are to have. `key` names it: told once, it is not told again. */
export interface Told { readonly key: string; readonly status: TmfStatus | null; readonly reason: string }

const over: ReadonlySet<string> = new Set(['closed', 'cancelled', 'rejected'])
/** Words that mean the same for us: what is theirs to choose between. */
function isSame(theirs: string, wanted: TmfStatus): boolean {
  if (theirs === wanted) return true
  if (wanted === 'closed' || wanted === 'cancelled') return over.has(theirs)
  return (wanted === 'pending' && theirs === 'held') || (wanted === 'resolved' && theirs === 'closed')
}

/** What of our ticket's status they are to be told; a `status` of null: they have it. */
export function statusTold(ticket: Ticket, organisation: string, theirs: Theirs, { told }: Memory, now: Instant): Told {
  const last = ticket.statusHistory.at(-1)
  const isTheirs = ticket.operator === organisation
  // A claim that is open is answered first: until then its word stands there.
  if (isTheirs && isDisputed(ticket) && !isOver(ticket)) return { key: told.status, status: null, reason: '' }
  const key = isTheirs ? `${ticket.status} ${last?.at ?? 0} ${ticket.dispute?.answer?.at ?? ''}` : `gone ${ticket.holders?.length ?? 0}`
  if (key === told.status) return { key, status: null, reason: '' }
  const wanted = !isTheirs ? 'cancelled' : ticket.status === 'submitted' && !over.has(theirs.status) ? null : statusOf(ticket, now)
  return { key, status: wanted === null || isSame(theirs.status, wanted) ? null : wanted, reason: isTheirs ? reasonOf(ticket) : `Dialihkan ke ${ticket.operatorName}` }
}

function reasonOf({ status, statusHistory, disturbance, dispute }: Ticket): string {
  const reason = statusHistory.at(-1)?.reason ?? ''
  const counts = disturbance?.evidence
  if (status === 'closed') return disturbance === null ? 'Dinyatakan beres' : 'Terukur pulih'
  if (status === 'reopened') return counts === undefined ? 'Belum beres' : `Belum terukur pulih: dari ${counts.devicesExpected} HP, ${counts.devicesSilent} diam, ${counts.devicesBad} buruk, ${counts.devicesGood} baik`
  if (status === 'cancelled') return reason === 'retracted' ? 'Dicabut: menurut pengukuran ternyata tidak ada gangguan' : reason.replace(/^merged /, 'Bagian dari gangguan ')
  return dispute?.answer?.word === 'rejected' && statusHistory.every(({ at }) => at <= (dispute.answer?.at ?? 0)) ? dispute.answer.reason : reason
}
