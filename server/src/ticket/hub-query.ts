import { ticketEventTypes } from '@kawal/contract/ticket.ts'
import { ProblemError } from '../problem.ts'

/** What a listener may ask for: the kind of event, and fields of the ticket in it, as they are named there. */
const fields = ['status', 'severity', 'ticketType', 'priority', 'id'].map((name) => `event.troubleTicket.${name}`)
const values_max = 50

/**
 * Reads the query of a hub (TMF630): names and values as in an address, values with commas or by naming them again. An event
 * is told where each name has one of its values.
 * @returns null for a query that leaves nothing out
 * @throws ProblemError body_invalid for a name or a kind of event that there is not
 */
export function hubFilter(query: string | null): Record<string, string[]> | null {
  const filter: Record<string, string[]> = {}
  for (const [name, text] of new URLSearchParams((query ?? '').replace(/^\?/, ''))) {
    if (name !== 'eventType' && !fields.includes(name)) throw new ProblemError('body_invalid', `A hub's query has no ${name}. It has eventType, ${fields.join(', ')}.`)
    const values = text.split(',').filter((value) => value !== '')
    const wrong = name === 'eventType' ? values.filter((value) => !ticketEventTypes.some((type) => type === value)) : []
    if (wrong.length > 0) throw new ProblemError('body_invalid', `There is no event ${wrong.join(', ')}. There are ${ticketEventTypes.join(', ')}.`)
    filter[name] = [...(filter[name] ?? []), ...values]
    if (filter[name].length > values_max) throw new ProblemError('body_invalid', `A hub's query names at most ${values_max} values of ${name}.`)
  }
  return Object.keys(filter).length === 0 ? null : filter
}
