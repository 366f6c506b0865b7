import { request, type Reaching } from '../request.ts'
import type { Book } from './book.ts'
import type { seenBy } from './receipt.ts'

interface WitnessNeeds {
  readonly env: Reaching & { readonly clock: () => number }
  readonly book: Pick<Book, 'all' | 'change'>
  /** Of the signed configuration; null: no witnesses are asked. */
  readonly ledgerPolicy: () => string | null
  readonly seenBy: typeof seenBy
  /** It is worth while to ask again after so long, ms. */
  readonly soon: (wait_ms: number) => void
}

/** A quorum is whole within seconds; then ever more rarely, as what became of a record is asked for. */
const first_ms = 5_000
const longest_ms = 5 * 60_000

/**
 * Fetches for each logged record the proof that a quorum of witnesses has seen the ledger with it, and keeps it where it
 * holds by the policy. Nothing waits for it: a record is as safe without.
 */
export function createWitnessed({ env, book, ledgerPolicy, seenBy: seen, soon }: WitnessNeeds) {
  let [askedAt, wait_ms] = [-Infinity, 0]
  const after = (ms: number): void => {
    ;[askedAt, wait_ms] = [env.clock(), ms]
    // A timer of minutes is another's: the next report, the next look.
    if (ms < longest_ms) soon(ms)
  }
  return {
    /** A record was logged: witnesses see it with the next checkpoint. */
    logged(): void {
      if (ledgerPolicy() !== null) after(first_ms)
    },
    /** @returns whether anything new is kept */
    async ask(headers: Readonly<Record<string, string>>): Promise<boolean> {
      const policy = ledgerPolicy()
      if (policy === null || Math.abs(env.clock() - askedAt) < wait_ms) return false
      let [isAwaited, isChanged] = [false, false]
      for (const { hash, bytes, receipt, witnessed } of await book.all()) {
        if (receipt === null || witnessed !== undefined) continue
        const answer = await request(env, `/v1/recaps/${hash}/witnessed`, { headers })
        if (answer === null) return isChanged
        const text = answer.status === 200 ? await answer.text() : ''
        const by = text === '' ? null : await seen(bytes, text, policy)
        if (by === null) isAwaited = true
        else {
          await book.change(hash, { witnessed: { text, by } })
          isChanged = true
        }
      }
      if (isAwaited) after(Math.min(longest_ms, wait_ms === 0 ? first_ms : wait_ms * 3))
      return isChanged
    },
  }
}
