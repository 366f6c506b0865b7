import { server, type Problem } from './server.ts'

/** What somebody types for a ticket and sends, and what came of it. @param ticket id of the ticket */
export function createSaying(ticket: () => string) {
  let text = $state('')
  let busy = $state(false)
  let refused: Problem | null = $state.raw(null)
  return {
    get text(): string { return text },
    set text(value: string) { text = value },
    get isEmpty(): boolean { return text.trim() === '' },
    get busy(): boolean { return busy },
    get refused(): Problem | null { return refused },
    /** @param fields of the ticket's patch; a text that they hold is taken out when it has gone */
    async say(fields: object): Promise<void> {
      busy = true
      const sent = text
      const answer = await server.patchTicket(ticket(), fields)
      busy = false
      refused = answer.ok ? null : answer.problem
      // What was typed meanwhile was not sent.
      if (answer.ok && text === sent) text = ''
    },
  }
}
