import type { DisturbanceTurns, LiveTicket } from '@kawal/contract/live.ts'

type TurnRow = DisturbanceTurns[number]
export type Entry =
  | { readonly kind: 'turn'; readonly at: number; readonly turn: TurnRow; /** Turns of mere extent between the entry before and this one. */ readonly folded: number }
  | { readonly kind: 'event'; readonly at: number; readonly event: LiveTicket['history'][number] }

/**
 * What happened, in order: the turns of a disturbance and the history of its ticket. Of turns in a row that
 * only say that its extent changed the last is told, with how many it stands for. At the same instant a turn
 * comes before the ticket: it is the ticket's cause.
 */
export function chronicleOf(turns: DisturbanceTurns, ticket: LiveTicket | null): Entry[] {
  const told: Entry[] = []
  let folded = 0
  turns.forEach((turn, index) => {
    if (turn.turn === 'grown' && turns[index + 1]?.turn === 'grown') {
      folded += 1
      return
    }
    told.push({ kind: 'turn', at: Date.parse(turn.at), turn, folded })
    folded = 0
  })
  const events = (ticket?.history ?? []).map((event): Entry => ({ kind: 'event', at: Date.parse(event.at), event }))
  return [...told, ...events].sort((a, b) => a.at - b.at)
}
