import { createHmac, timingSafeEqual } from 'node:crypto'
import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'

export type Direction = 'download' | 'upload'
interface Tokens { readonly tokens: Readonly<Record<Direction, string>>; readonly bytes_max: number }
interface Slot {
  readonly bytes_max: number
  release(): void
}
/** `tests`: as many run as may. `reports`: reports wait, and go first. */
type Full = 'tests' | 'reports'
export type Refused = Full | 'token_missing' | 'token_wrong' | 'token_spent' | 'token_late'

interface AdmissionOptions {
  readonly secret: Buffer
  readonly clock: () => number
  /** 16 random bytes. */
  readonly nonce: () => Buffer
  /** Both directions count. */
  readonly tests_max: number
  /** Each way. */
  readonly bytes_max: number
  readonly reportsWait: () => boolean
}

const token_ms = 60_000
/** Below this there is nothing to measure. */
const bytes_min = 30_000
const spent_max = 100_000

/**
 * Who may run a full test. A token is for one direction, one use and a minute, and says how many bytes. It is signed,
 * so that nothing is kept of those that are never used. A place is taken when a test begins, not when it is asked for:
 * nobody can hold places by asking.
 */
export function createAdmission(options: AdmissionOptions) {
  const { secret, clock } = options
  const spent = new Map<string, number>()
  let running = 0
  // What was spent is not known after a restart: neither are the tokens of before.
  const run = options.nonce().toString('base64url')
  const sign = (named: string): Buffer => createHmac('sha256', secret).update(`ndt7 ${run} ${named}`).digest()
  const token = (direction: Direction, bytes: number, until: number): string => {
    const named = `${direction}.${bytes}.${until}.${options.nonce().toString('base64url')}`
    return `${named}.${sign(named).toString('base64url')}`
  }
  const full = (): Full | null => (options.reportsWait() ? 'reports' : running >= options.tests_max ? 'tests' : null)
  function forget(now: number): void {
    for (const [nonce, until] of spent) if (until < now) spent.delete(nonce)
  }
  return {
    full,
    running: () => running,
    /** @param wanted_bytes each way; the deployment's own limit where that is less, or nothing is said */
    locate(wanted_bytes?: number): Result<Tokens, Full> {
      const no = full()
      if (no !== null) return fail(no)
      const bytes_max = Math.max(bytes_min, Math.min(wanted_bytes ?? options.bytes_max, options.bytes_max))
      const until = clock() + token_ms
      return ok({ tokens: { download: token('download', bytes_max, until), upload: token('upload', bytes_max, until) }, bytes_max })
    },
    /** Takes a place, which must be given back. */
    admit(direction: Direction, given: string | null): Result<Slot, Refused> {
      if (given === null || given === '') return fail('token_missing')
      const end = given.lastIndexOf('.')
      const named = given.slice(0, Math.max(0, end))
      const [of, bytes, until, nonce] = named.split('.')
      const mark = Buffer.from(given.slice(end + 1), 'base64url')
      const right = sign(named)
      if (mark.length !== right.length || !timingSafeEqual(mark, right) || of !== direction || nonce === undefined) return fail('token_wrong')
      const now = clock()
      if (Number(until) < now) return fail('token_late')
      forget(now)
      if (spent.has(nonce)) return fail('token_spent')
      const no = spent.size >= spent_max ? 'tests' : full()
      if (no !== null) return fail(no)
      spent.set(nonce, Number(until))
      running++
      let held = true
      return ok({
        bytes_max: Number(bytes),
        release() {
          if (held) running--
          held = false
        },
      })
    },
  }
}

export type Admission = ReturnType<typeof createAdmission>
