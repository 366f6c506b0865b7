import type { Cause, DisturbanceEvidence } from '../detection/disturbance.ts'
import type { Instant } from '../kernel/clock.ts'
import { fail, ok, type Result } from '../kernel/result.ts'

/** What a ticket needs of a disturbance that is confirmed: of one that is only suspected there is none. */
export interface TicketCause {
  readonly id: string
  readonly cause: Cause
  readonly operator: string | null
  readonly severity: 'down' | 'degraded'
  readonly areaCode: string
  readonly stations: readonly string[]
  readonly startedAt: Instant
  readonly foundAt: Instant
  readonly endedAt: Instant | null
  readonly evidence: DisturbanceEvidence
  /** The planned work that held it back until that overran. */
  readonly overran?: string
}

/** A disturbance that is not well, as it is measured now. */
export type Broken = Pick<TicketCause, 'id' | 'evidence'>

/**
 * What the other ticket is to this one. `mergedInto`: it covers what this one covered; `merged`: this one covers what it
 * covered; `splitFrom`, `splitInto`: what one covers was a part of the other's.
 */
export const relationTypes = ['parent', 'child', 'mergedInto', 'merged', 'splitFrom', 'splitInto'] as const
export type RelationType = (typeof relationTypes)[number]

/** What this ticket is to the other one. */
export const otherSide: Readonly<Record<RelationType, RelationType>> = {
  parent: 'child', child: 'parent', mergedInto: 'merged', merged: 'mergedInto', splitFrom: 'splitInto', splitInto: 'splitFrom',
}

export interface TicketRelation {
  readonly type: RelationType
  readonly ticket: string
  /** The other's title as it was then, where both are one operator's: what another has is not told. */
  readonly name?: string
}

/** Of a file that was attached all but what is in it. */
export interface TicketAttachment {
  readonly id: string
  readonly name: string
  readonly mimeType: string
  readonly bytes: number
  readonly description: string
  /** What it is for, in the sender's words. */
  readonly attachmentType: string
}

/** Of a ticket, what merging, splitting, relating and attaching are about. */
export interface Related {
  readonly id: string
  /** Null for an officer's problem and for a request: one word is no disturbance. */
  readonly disturbance: TicketCause | null
  /** The disturbances that it covers beside, of tickets that were merged into it. */
  readonly covers?: readonly TicketCause[]
  readonly relations?: readonly TicketRelation[]
  readonly attachments?: readonly TicketAttachment[]
}

export type RelationAction =
  | { readonly kind: 'relate'; readonly relation: TicketRelation }
  /** This ticket ends, and the other covers what it covered. */
  | { readonly kind: 'merge'; readonly into: Omit<TicketRelation, 'type'>; readonly reason: string }
  /** The other side of a merge. */
  | { readonly kind: 'cover'; readonly disturbances: readonly TicketCause[]; readonly from: Omit<TicketRelation, 'type'> }
  /** A disturbance goes out: to a ticket of its own, or where `into` is null because measurement took it back. */
  | { readonly kind: 'uncover'; readonly disturbance: string; readonly into: Omit<TicketRelation, 'type'> | null; readonly reason: string }
  | { readonly kind: 'attach'; readonly attachment: TicketAttachment }

export type RelationChange =
  | { readonly kind: 'related'; readonly relation: TicketRelation }
  | { readonly kind: 'covered'; readonly disturbances: readonly TicketCause[] }
  | { readonly kind: 'uncovered'; readonly disturbance: string; readonly reason: string }
  | { readonly kind: 'attached'; readonly attachment: TicketAttachment }

export type RelationRefusal = 'not_covered' | 'contrary' | 'too_many'

const relations_max = 50
const covers_max = 50
export const attachments_max = 20

/** All that a ticket covers, the one that it is named after first; nothing of a problem or a request. */
export const coveredBy = ({ disturbance, covers = [] }: Pick<Related, 'disturbance' | 'covers'>): readonly TicketCause[] => (disturbance === null ? [] : [disturbance, ...covers])

/** @param well ids of the disturbances that were measured well; without it nothing is said of any but the ticket's own */
export const isAllWell = (ticket: Related, well: readonly string[] | undefined): boolean =>
  well === undefined ? coveredBy(ticket).length < 2 : coveredBy(ticket).every(({ id }) => well.includes(id))

/** What such a command makes of a ticket; a relation that is there already makes nothing. */
export function relationChanges(ticket: Related, action: RelationAction): Result<(RelationChange | { readonly kind: 'cancelled'; readonly reason: string })[], RelationRefusal> {
  switch (action.kind) {
    case 'relate': return relate(ticket, action.relation)
    case 'merge': {
      const related = relate(ticket, { type: 'mergedInto', ...action.into })
      return related.ok ? ok([...related.value, { kind: 'cancelled', reason: action.reason.trim() || `merged ${action.into.ticket}` }]) : related
    }
    case 'cover': {
      const { disturbances, from } = action
      const related = relate(ticket, { type: 'merged', ...from })
      if (coveredBy(ticket).length + disturbances.length > covers_max) return fail('too_many')
      return related.ok ? ok([{ kind: 'covered', disturbances }, ...related.value]) : related
    }
    case 'uncover': return uncover(ticket, action)
    case 'attach': return (ticket.attachments ?? []).length >= attachments_max ? fail('too_many') : ok([{ kind: 'attached', attachment: action.attachment }])
  }
}

function relate(ticket: Related, relation: TicketRelation): Result<RelationChange[], RelationRefusal> {
  const relations = ticket.relations ?? []
  const has = (type: RelationType): boolean => relations.some((each) => each.ticket === relation.ticket && each.type === type)
  if (has(relation.type)) return ok([])
  // No ticket is its own relation, and none both the parent and the child of another.
  if (relation.ticket === ticket.id || ((relation.type === 'parent' || relation.type === 'child') && has(otherSide[relation.type]))) return fail('contrary')
  return relations.length >= relations_max ? fail('too_many') : ok([{ kind: 'related', relation }])
}

/** What a ticket was opened for stays in it, unless measurement took it back; something always stays. */
function uncover(ticket: Related, { disturbance, into, reason }: Extract<RelationAction, { kind: 'uncover' }>): Result<RelationChange[], RelationRefusal> {
  const may = into === null ? coveredBy(ticket) : ticket.covers ?? []
  if (coveredBy(ticket).length < 2 || !may.some(({ id }) => id === disturbance)) return fail('not_covered')
  const change = { kind: 'uncovered', disturbance, reason } as const
  if (into === null) return ok([change])
  const related = relate(ticket, { type: 'splitInto', ...into })
  return related.ok ? ok([change, ...related.value]) : related
}

/** The part of a ticket that such a change is of, after it. */
export function related(ticket: Related, change: RelationChange): Partial<Related> {
  switch (change.kind) {
    case 'related': return { relations: [...(ticket.relations ?? []), change.relation] }
    case 'covered': return { covers: [...(ticket.covers ?? []), ...change.disturbances] }
    case 'uncovered': {
      const [first = null, ...covers] = coveredBy(ticket).filter(({ id }) => id !== change.disturbance)
      return { disturbance: first, covers }
    }
    case 'attached': return { attachments: [...(ticket.attachments ?? []), change.attachment] }
  }
}

/** All that a ticket covers, with some of it changed. */
export function eachCause(ticket: Related, change: (cause: TicketCause) => TicketCause): Pick<Related, 'disturbance' | 'covers'> {
  const [first = null, ...covers] = coveredBy(ticket).map(change)
  return { disturbance: first, ...(ticket.covers === undefined ? {} : { covers }) }
}

/** What an entry of the history is about, beside its words. */
export interface About {
  readonly relation?: TicketRelation
  readonly attachment?: TicketAttachment
  /** Of a ticket that covers several: those that went in or out, or that are still broken. */
  readonly disturbances?: readonly string[]
}

export function aboutOf(change: RelationChange): About {
  switch (change.kind) {
    case 'related': return { relation: change.relation }
    case 'covered': return { disturbances: change.disturbances.map(({ id }) => id) }
    case 'uncovered': return { disturbances: [change.disturbance] }
    case 'attached': return { attachment: change.attachment }
  }
}
