import { onMount } from 'svelte'
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

/** Asks while a component lives: at once, when the question changes, and again each `every_ms`. @returns the answer, and how to ask out of turn */
export function asking<Query, Value>(query: () => Query, call: (query: Query, signal: AbortSignal) => Promise<Answer<Value>>, every_ms: number): { readonly loaded: Loaded<Value>; ask(): void } {
  const loaded = new Loaded<Value>()
  const ask = (): void => {
    const wanted = query()
    void loaded.ask((signal) => call(wanted, signal))
  }
  $effect(() => {
    void query()
    ask()
  })
  onMount(() => {
    const timer = setInterval(ask, every_ms)
    return () => {
      clearInterval(timer)
      loaded.stop()
    }
  })
  return { loaded, ask }
}
