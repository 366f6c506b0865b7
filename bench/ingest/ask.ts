import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { LoadPlan } from './load.ts'
import type { Ask, Run } from './generator.ts'

export interface Generator {
  phones(given: { readonly stationsFile: string; readonly secret: string; readonly count: number; readonly connections: number }): Promise<void>
  /** Opens all connections to a port of loopback; those of before are closed. */
  connect(port: number): Promise<void>
  run(load: LoadPlan, pace: { readonly rate_per_s: number | null; readonly seconds: number; readonly keepAcks?: boolean }): Promise<Run>
  finish(seconds: number): Promise<Run>
  acks(): Promise<Uint32Array>
  /** It ends with the connection to it. */
  end(): void
}

/** Starts the generator in a process of its own. What it is asked, it answers in turn; an answer that never comes since it ended is an error. */
export function startGenerator(): Generator {
  const child = fork(join(import.meta.dirname, 'generator.ts'), { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const ask = (question: Ask): Promise<unknown> => new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the generator ended (${code})`))
    if (child.exitCode !== null) return ended(child.exitCode)
    child.once('exit', ended)
    child.once('message', ({ value }: { value: unknown }) => {
      child.off('exit', ended)
      resolve(value)
    })
    child.send(question)
  })
  return {
    phones: (given) => ask({ ask: 'phones', ...given }) as Promise<void>,
    connect: (port) => ask({ ask: 'connect', port }) as Promise<void>,
    run: (load, { keepAcks = false, ...pace }) => ask({ ask: 'run', load, ...pace, keepAcks }) as Promise<Run>,
    finish: (seconds) => ask({ ask: 'finish', seconds }) as Promise<Run>,
    acks: () => ask({ ask: 'acks' }) as Promise<Uint32Array>,
    end() {
      if (child.connected) child.disconnect()
    },
  }
}
