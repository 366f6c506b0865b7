/** Exit codes, the same for every command. */
export const exits = { ok: 0, fault: 1, usage: 2, rejected: 3, found: 4, missing: 5, refused: 6, interrupted: 130 } as const

/** An expected failure of a command: a sentence and a way out, no stack. */
export class CommandFailure extends Error {
  readonly exit: number
  constructor(exit: (typeof exits)[keyof typeof exits], sentence: string) {
    super(sentence)
    this.exit = exit
  }
}

/** Tells a failure in plain words where we know it, with the stack where it is a fault of ours. */
export async function fail(error: unknown): Promise<void> {
  const { StartFailure } = await import('../adapters/postgres/embedded.ts')
  if (error instanceof CommandFailure) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = error.exit
  } else if (error instanceof StartFailure) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = exits.missing
  } else if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    const { port } = error as Error & { port?: number }
    process.stderr.write(`Port ${port} is taken by another program. Stop it, or choose another port with --port.\n`)
    process.exitCode = exits.missing
  } else {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exitCode = exits.fault
  }
}
