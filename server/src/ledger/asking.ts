import { formatVerifierKey, type VerifierKey } from '@kawal/core/ledger/key.ts'
import { readNote, type NoteSignature } from '@kawal/core/ledger/note.ts'
import { verifyNote } from '@kawal/core/ledger/signature.ts'
import { formatAsked, readCosignatures, readSize } from '@kawal/core/ledger/witness.ts'
import { backOff_ms } from '@kawal/core/recap/back-off.ts'
import { verifyEd25519 } from './cryptography.ts'
import type { Ledger, Shown } from './ledger.ts'

/**
 * Why a witness did not cosign. `ahead`: it has seen more than the log has; `fork`: it has seen another history. Both say that the
 * log is not what it was.
 */
type WitnessErrorCode = 'unreachable' | 'timeout' | 'unknown_log' | 'overloaded' | 'answer_wrong' | 'signature_wrong' | 'ahead' | 'fork'

interface WitnessError {
  readonly code: WitnessErrorCode
  /** When it began to fail in this way, ms. */
  readonly since: number
  readonly detail: string
}

/** A witness as the log knows it. */
export interface WitnessState {
  /** In the policy. */
  readonly name: string
  readonly key: string
  readonly url: string
  /** Entries that it has seen, as it said last; null: it has not said. */
  readonly size: number | null
  /** When it cosigned last, ms; null: not since the log's server started. */
  readonly cosignedAt: number | null
  readonly askedAt: number | null
  readonly error: WitnessError | null
}

interface AskingNeeds {
  readonly name: string
  readonly key: VerifierKey
  readonly url: string
  readonly ledger: Pick<Ledger, 'size' | 'consistency'>
  readonly clock: () => number
  readonly fetch: typeof fetch
}

export type Asking = ReturnType<typeof createAsking>

class Unanswered extends Error {
  readonly code: WitnessErrorCode
  constructor(code: WitnessErrorCode, detail: string) {
    super(detail)
    this.code = code
  }
}

const answer_ms_max = 5_000
const answer_bytes_max = 65_536
/** One that failed is asked again within this. */
const pause_ms_max = 60_000
/** Of a log that does not grow it is asked this often, so that a dead one is known. */
const refresh_ms = 60_000
/** A size that it has forgotten, then the one that it said. */
const tries_max = 3

/** Asks one witness, and remembers how it does. */
export function createAsking({ name, key, url, ledger, clock, fetch: reach }: AskingNeeds) {
  let [size, cosignedAt, askedAt]: [number | null, number | null, number | null] = [null, null, null]
  let error: WitnessError | null = null
  let [failures, notBefore, isBusy] = [0, -Infinity, false]

  async function cosign({ size: wanted, note }: Shown): Promise<NoteSignature | null> {
    for (let tries = 0; tries < tries_max; tries++) {
      const older = size ?? 0
      const { status, body } = await post(reach, url, formatAsked({ older, proof: older === 0 || older === wanted ? [] : await ledger.consistency(older, wanted), note }))
      if (status === 200) {
        const cosignature = await held(note, body, key)
        size = wanted
        return cosignature
      }
      const known = status === 409 ? readSize(body) : null
      // Some answer so to a root that is another.
      if (known === null) throw new Unanswered(status === 409 && older === wanted ? 'fork' : codeOf(status), `${status}: ${body.slice(0, 200).trim()}`)
      if (known > ledger.size()) throw new Unanswered('ahead', `it has seen ${known} entries, and the log has ${ledger.size()}`)
      size = known
      // Somebody showed it a newer one: that is asked for next.
      if (known > wanted) return null
    }
    throw new Unanswered('answer_wrong', 'it names a size, and does not take a proof from there')
  }

  return {
    name,
    /** Whether it is to be asked about a tree of this size. @param isHeld whether its cosignature of it is here */
    isDue: (wanted: number, isHeld: boolean): boolean => !isBusy && wanted > 0 && clock() >= notBefore && (!isHeld || clock() - (askedAt ?? -Infinity) >= refresh_ms),
    /** @returns its cosignature; null where it gave none, and why is in its state */
    async ask(shown: Shown): Promise<NoteSignature | null> {
      ;[isBusy, askedAt] = [true, clock()]
      try {
        const cosignature = await cosign(shown)
        ;[error, failures] = [null, 0]
        if (cosignature !== null) cosignedAt = clock()
        return cosignature
      } catch (thrown) {
        if (!(thrown instanceof Unanswered)) throw thrown
        error = { code: thrown.code, since: error?.code === thrown.code ? error.since : clock(), detail: thrown.message }
        notBefore = clock() + Math.min(pause_ms_max, backOff_ms(failures++))
        return null
      } finally {
        isBusy = false
      }
    },
    state: (): WitnessState => ({ name, key: formatVerifierKey(key), url, size, cosignedAt, askedAt, error }),
  }
}

const codeOf = (status: number): WitnessErrorCode =>
  status === 422 ? 'fork' : status === 403 || status === 404 ? 'unknown_log' : status === 429 || status === 503 ? 'overloaded' : status >= 500 ? 'unreachable' : 'answer_wrong'

async function post(reach: typeof fetch, url: string, body: string): Promise<{ readonly status: number; readonly body: string }> {
  try {
    const answer = await reach(`${url}/add-checkpoint`, { method: 'POST', body, headers: { 'content-type': 'text/plain; charset=utf-8' }, redirect: 'error', signal: AbortSignal.timeout(answer_ms_max) })
    return { status: answer.status, body: await textOf(answer) }
  } catch (error) {
    if (error instanceof Unanswered) throw error
    const why = error as Error & { cause?: Error }
    throw new Unanswered(why.name === 'TimeoutError' ? 'timeout' : 'unreachable', why.cause?.message ?? why.message)
  }
}

/** Whoever is asked may answer without end. */
async function textOf(answer: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of answer.body ?? []) {
    parts.push(part as Uint8Array)
    if ((bytes += (part as Uint8Array).length) > answer_bytes_max) throw new Unanswered('answer_wrong', `its answer has over ${answer_bytes_max} bytes`)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** What the witness that is meant answered, if it holds. Signatures of other keys are passed over. */
async function held(note: string, lines: string, key: VerifierKey): Promise<NoteSignature> {
  const read = readNote(note)
  const signatures = read.ok ? readCosignatures(lines, read.value.text) : read
  if (!read.ok || !signatures.ok) throw new Unanswered('answer_wrong', 'its answer is no line of a signature')
  const mine = signatures.value.filter(({ name, id }) => name === key.name && id === key.id).slice(0, 1)
  const signed = await verifyNote({ text: read.value.text, signatures: mine }, [key], verifyEd25519)
  const [cosignature] = mine
  // The time 0 is said by who makes no statement of time.
  if (cosignature === undefined || !signed.ok || (signed.value[0]?.at_s ?? 0) === 0) throw new Unanswered('signature_wrong', `its answer is not signed by ${key.name}`)
  return cosignature
}
