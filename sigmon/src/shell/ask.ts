import type { Environment } from '../environment.ts'

/** The answer, or a sentence that says why there is none. */
type Answered = { readonly is: unknown } | { readonly fault: string }

/** A shell that hangs must not hold up a screen. */
export const ask_ms_max = 6_000
/** What the officer answers: he reads first. */
export const officer_ms_max = 10 * 60_000

/** Asks the shell, and never rejects. */
export function askShell(env: Pick<Environment, 'shell' | 'setTimer' | 'clearTimer'>, what: string, given?: object, ms = ask_ms_max): Promise<Answered> {
  return new Promise((resolve) => {
    const timer = env.setTimer(() => resolve({ fault: `${what}: no answer within ${Math.round(ms / 1000)} s` }), ms)
    const done = (answered: Answered): void => {
      env.clearTimer(timer)
      resolve(answered)
    }
    const failed = (error: unknown): void => done({ fault: (error instanceof Error ? error.message : String(error)).slice(0, 200) })
    try {
      Promise.resolve(env.shell?.ask(what, given)).then((is) => done({ is }), failed)
    } catch (error) {
      failed(error)
    }
  })
}
