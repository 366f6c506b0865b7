import type { CommentRow } from '@kawal/contract/comment.ts'
import type { DisturbanceTurns, LiveTicket } from '@kawal/contract/live.ts'

type TurnRow = DisturbanceTurns[number]
export type Entry =
  | { readonly kind: 'turn'; readonly at: number; readonly turn: TurnRow; /** Turns of mere extent between the entry before and this one. */ readonly folded: number }
  | { readonly kind: 'event'; readonly at: number; readonly event: LiveTicket['history'][number] }
  | { readonly kind: 'comment'; readonly at: number; readonly comment: CommentRow }

/**
 * What happened, in order: the turns of a disturbance, the history of its ticket, and what people said. Of turns in a row
 * that only say that its extent changed the last is told, with how many it stands for. At the same instant a turn
 * comes before the ticket: it is the ticket's cause; and people speak last.
 */
export function chronicleOf(turns: DisturbanceTurns, ticket: LiveTicket | null, comments: readonly CommentRow[]): Entry[] {
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
  const said = comments.map((comment): Entry => ({ kind: 'comment', at: Date.parse(comment.at), comment }))
  return [...told, ...events, ...said].sort((a, b) => a.at - b.at)
}
