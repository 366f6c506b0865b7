import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { hash32, seeded } from '@kawal/core/kernel/random.ts'

/** What a simulated operator reads of one of its tickets over TMF621. */
export interface CrewTicket {
  readonly id: string
  readonly lifecycle: string
  readonly cause: string
  readonly stations: readonly string[]
  readonly reopened: number
}

/** A fault as the operator's own network knows it; `operator` null is everybody's, a power cut. */
export interface Fault {
  readonly ticketHint?: string
  readonly stations: readonly string[]
  readonly operator: string | null
  readonly active: boolean
}

export interface Repair { readonly stations: readonly string[]; readonly operator: string | null; readonly at: Instant }

/** One status the operator sets, and the faults that its crew ended just before. */
interface Move { readonly status: string; readonly reason: string; readonly repairs: readonly Repair[] }

const premature_share = 0.2
const resolve_again_ms = 2 * minute_ms
const really_repair_ms = 5 * minute_ms

/** When a crew does what with a ticket, drawn from the seed when it first sees it. */
export interface CrewPlan {
  readonly acknowledgeAt: Instant
  readonly startAt: Instant
  readonly repairAt: Instant
  /** When it says resolved though nothing is repaired; null for an honest one. */
  readonly prematureAt: Instant | null
  repaired: boolean
  /** When it answers the last reopening, by how often the ticket was reopened. */
  answer: { readonly reopened: number; readonly at: Instant } | null
}

/**
 * Acknowledges after 1-3 minutes, starts 1-2 later, repairs 8-20 later; about one in five says resolved
 * before the repair. The ticket's id is no part of the seed: a replay may name tickets differently.
 */
export function planCrew(seed: number, organisation: string, ticket: CrewTicket, now: Instant): CrewPlan {
  const random = seeded(hash32([seed, organisation, ticket.cause, ...ticket.stations].join(' ')))
  const between = (low: number, high: number): number => Math.round((low + random() * (high - low)) * minute_ms)
  const acknowledgeAt = now + between(1, 3)
  const startAt = acknowledgeAt + between(1, 2)
  const repairAt = startAt + between(8, 20)
  const early = startAt + between(2, 4)
  return { acknowledgeAt, startAt, repairAt, prematureAt: random() < premature_share && ticket.cause !== 'power' ? early : null, repaired: false, answer: null }
}

/** What the crew does now with a ticket; null when it waits. Changes the plan when it repairs. */
export function nextMove(plan: CrewPlan, organisation: string, ticket: CrewTicket, faults: readonly Fault[], now: Instant): Move | null {
  const say = (status: string, reason = '', repairs: readonly Repair[] = []): Move => ({ status, reason, repairs })
  switch (ticket.lifecycle) {
    case 'submitted': return now >= plan.acknowledgeAt ? say('acknowledged') : null
    case 'acknowledged': return now >= plan.startAt ? say('inProgress') : null
    case 'reopened': return say('inProgress')
    case 'pending': return now >= plan.repairAt || mine(organisation, ticket, faults).length === 0 ? say('inProgress') : null
    case 'inProgress': break
    default: return null
  }
  const open = mine(organisation, ticket, faults)
  // A power cut is not the crew's to mend: it waits for the power, or for the generator that it sends.
  if (ticket.cause === 'power' && open.length > 0 && now < plan.repairAt) return say('pending', 'power')
  if (ticket.reopened === 0 && plan.prematureAt !== null && !plan.repaired) return now >= plan.prematureAt ? say('resolved', 'remote reset') : null
  if (ticket.reopened > 0 && plan.answer?.reopened !== ticket.reopened)
    plan.answer = { reopened: ticket.reopened, at: now + (plan.repaired ? resolve_again_ms : really_repair_ms) }
  if (now < (plan.answer?.at ?? plan.repairAt)) return null
  plan.repaired = true
  return say('resolved', 'repaired on site', open.map((fault) => ({ stations: fault.stations, operator: fault.operator, at: now })))
}

function mine(organisation: string, ticket: CrewTicket, faults: readonly Fault[]): Fault[] {
  const hit = new Set(ticket.stations)
  return faults.filter((fault) =>
    fault.active && (fault.operator === null || fault.operator === organisation)
    && (fault.ticketHint === ticket.id || fault.stations.some((station) => hit.has(station))))
}
