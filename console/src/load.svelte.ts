import type { Answer } from './server.ts'

/** An answer that is asked for again when what it depends on changes; the newest question wins. */
export class Loaded<Value> {
  answer: Answer<Value> | null = $state.raw(null)
  busy = $state(false)
  #asking: AbortController | null = null

  async ask(call: (signal: AbortSignal) => Promise<Answer<Value>>): Promise<void> {
    this.#asking?.abort()
    const mine = new AbortController()
    this.#asking = mine
    this.busy = true
    const got = await call(mine.signal)
    if (mine.signal.aborted) return
    this.answer = got
    this.busy = false
  }

  stop(): void {
    this.#asking?.abort()
  }
}
