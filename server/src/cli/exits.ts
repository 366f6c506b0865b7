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
  const known = await knownFailure(error)
  process.stderr.write(`${known?.[1] ?? (error instanceof Error ? (error.stack ?? error.message) : String(error))}\n`)
  process.exitCode = known?.[0] ?? exits.fault
}

/** The exit code of a command that fails by this. */
export const exitOf = async (error: unknown): Promise<number> => (await knownFailure(error))?.[0] ?? exits.fault

async function knownFailure(error: unknown): Promise<readonly [number, string] | null> {
  const { StartFailure } = await import('../adapters/postgres/embedded.ts')
  const { ProblemError } = await import('../problem.ts')
  return error instanceof CommandFailure ? [error.exit, error.message]
    : error instanceof StartFailure ? [exits.missing, error.message]
    : error instanceof ProblemError ? [error.code === 'state_conflict' ? exits.refused : exits.rejected, error.message]
    : systemFailure(error)
}

/** What the system or the database refuses for reasons outside this program, with a way out. */
function systemFailure(error: unknown): readonly [number, string] | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  const { code, port, address, path } = error as Error & { code: unknown; port?: number; address?: string; path?: string }
  switch (code) {
    case 'EADDRINUSE': return [exits.missing, `Port ${port} is taken by another program. Stop it, or choose another port with --port.`]
    case 'EADDRNOTAVAIL': return [exits.usage, `This machine has no address ${address}. Choose one of its own with --host.`]
    case 'EACCES': return [exits.missing, path === undefined ? `Port ${port} is not allowed for this user. Choose one above 1023 with --port.` : `${path} may not be read or written by this user. Mend its rights, or give another folder with --data.`]
    case 'ENOSPC': case '53100': return [exits.missing, 'The disk is full. Nothing that was acknowledged is lost; free some room, then start again.']
    case 'ECONNREFUSED': return [exits.missing, `No database answers at ${address ?? 'the address'}:${port ?? ''}. Start it, or mend DATABASE_URL.`]
    case '28P01': case '28000': return [exits.missing, `The database refuses the log-in: ${error.message}. Mend DATABASE_URL.`]
    case '42501': return [exits.missing, `The database refuses: ${error.message}. DATABASE_URL must name a role that may create tables and roles.`]
    default: return null
  }
}
