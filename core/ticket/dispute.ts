import type { DisturbanceEvidence } from '../detection/disturbance.ts'
import type { Instant } from '../kernel/clock.ts'
import { defaultBudgets, meet, read, startClock, type ClockName, type ClockReading, type TicketClock } from './clock.ts'

/** Whose fault an operator says it is: of the mains; nobody's that he knows of, for his network is well; of who owns the access point; of the election server. */
export const disputeKinds = ['power', 'not_ours', 'access_point', 'election_server'] as const
export type DisputeKind = (typeof disputeKinds)[number]

/** An operator's word that a ticket is not his, and ours beside it. */
export interface TicketDispute {
  readonly kind: DisputeKind
  readonly text: string
  /** The organisation that disputes. */
  readonly by: string
  readonly since: Instant
  /** What was measured of the disturbance at that instant. */
  readonly evidence: DisturbanceEvidence
  /** The monitoring centre's; null while it is open. */
  readonly answer: { readonly word: 'upheld' | 'rejected'; readonly reason: string; readonly by: string; readonly at: Instant } | null
}

/** An organisation that had a ticket and has it no more, for its track record. */
interface Holder {
  readonly operator: string
  readonly operatorName: string
  readonly from: Instant
  readonly until: Instant
  /** As they stood when it was taken from him, whatever he claimed; none of an officer's problem. */
  readonly clocks: readonly ClockReading[]
  /** His dispute was upheld: none of this time is held against him. */
  readonly excused: boolean
}

/** Of a ticket, what disputes and transfers are about. */
export interface Held {
  readonly operator: string
  readonly operatorName: string
  readonly openedAt: Instant
  readonly restoredAt: Instant | null
  readonly clocks: readonly [restore: TicketClock, repair: TicketClock] | readonly []
  /** The last one. */
  readonly dispute?: TicketDispute
  /** Who had it before; who has it now is not among them. */
  readonly holders?: readonly Holder[]
}

/** To whom a ticket goes. */
export interface Recipient {
  readonly operator: string
  /** Empty: there is no such organisation. */
  readonly operatorName: string
  /** How long he has, ms; of a disturbance's ticket. The defaults without it. */
  readonly budgets?: Readonly<Record<ClockName, number>>
}

export const isDisputed = ({ dispute }: Held): boolean => dispute !== undefined && dispute.answer === null

/** The dispute with its answer; nothing where there was none. */
export function answered({ dispute }: Held, answer: NonNullable<TicketDispute['answer']>): { dispute?: TicketDispute } {
  return dispute === undefined ? {} : { dispute: { ...dispute, answer } }
}

const holders_max = 200

/**
 * A ticket's part that changes when it goes to somebody else. The clocks of a disturbance's begin anew: what is measured
 * well already is met at once, and runs for who has it now should it fail again.
 */
export function handedOver(ticket: Held, to: Recipient, severity: 'down' | 'degraded' | null, at: Instant): Required<Pick<Held, 'operator' | 'operatorName' | 'clocks' | 'holders'>> {
  const from = ticket.holders?.at(-1)?.until ?? ticket.openedAt
  const { dispute } = ticket
  const left: Holder = {
    operator: ticket.operator, operatorName: ticket.operatorName, from, until: at, clocks: ticket.clocks.map((clock) => read(clock, at)),
    excused: dispute?.answer?.word === 'upheld' && dispute.by === ticket.operator && dispute.since >= from,
  }
  return { operator: to.operator, operatorName: to.operatorName, holders: [...(ticket.holders ?? []), left].slice(-holders_max), clocks: severity === null ? [] : begun(to.budgets ?? defaultBudgets[severity], ticket.restoredAt !== null, at) }
}

function begun(budgets: Readonly<Record<ClockName, number>>, isWell: boolean, at: Instant): Held['clocks'] {
  const restore = startClock('restore', budgets.restore, at)
  return [isWell ? meet(restore, at) : restore, startClock('repair', budgets.repair, at)]
}
