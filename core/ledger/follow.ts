import type { Instant } from '../kernel/clock.ts'
import { sameBytes } from './bytes.ts'
import type { Head, HeadFault } from './head.ts'
import { consistencySpans, type Sha256Sync, type Span } from './merkle.ts'
import { verifyConsistency } from './verify.ts'

/**
 * Following a log: what somebody who looks now and then knows of it, and what he must cry out about. Whoever looks fetches; here
 * is what it comes to.
 */
export interface Following {
  /** The newest checkpoint, which all that were seen before are the beginning of; null before the first. */
  readonly head: Head | null
  /** When a signed checkpoint last came. */
  readonly heard_at: Instant
  /** When one last came that was newer: larger, or seen by a witness later. */
  readonly moved_at: Instant
  /** A silence is told once. */
  readonly silence: Silence | null
}

/** `unanswered`: no signed checkpoint came; `still`: one came, and always the same. */
type Silence = 'unanswered' | 'still'

/** What came of a look. */
export type Sighting =
  /** @param proof the hashes of `proofSpans`; null where the log does not give them */
  | { readonly kind: 'head'; readonly at: Instant; readonly head: Head; readonly proof: readonly Uint8Array[] | null }
  /** A checkpoint that its log's key did not sign, or too few witnesses. */
  | { readonly kind: 'unsigned'; readonly at: Instant; readonly fault: HeadFault }
  | { readonly kind: 'nothing'; readonly at: Instant }

/**
 * `forked`: two trees of one size were signed; `inconsistent`: one was signed that does not begin with the other, as far as the log can
 * prove; `rolled_back`: one was shown that is smaller than what was seen before, and no other history as far as it can be told.
 */
export type Alarm =
  | { readonly code: 'forked' | 'inconsistent' | 'rolled_back'; readonly at: Instant; readonly seen: Head; readonly shown: Head }
  | { readonly code: 'unsigned'; readonly at: Instant; readonly fault: HeadFault }
  | { readonly code: Silence; readonly at: Instant; readonly since: Instant }

interface FollowSettings {
  /** What is a silence, ms; Infinity for none. */
  readonly silence_ms: number
  readonly sha256: Sha256Sync
}

/** @param head what was seen before; its time counts from now on */
export const beginning = (head: Head | null, at: Instant): Following => ({ head, heard_at: at, moved_at: at, silence: null })

/** What must be asked of the log to hold a checkpoint against the newest: the spans of a tree of `size`. None where nothing is to be proved. */
export function proofSpans({ head }: Following, shown: Head): { readonly size: number; readonly spans: readonly Span[] } {
  const sizes = [head?.checkpoint.size ?? 0, shown.checkpoint.size] as const
  const [older, size] = [Math.min(...sizes), Math.max(...sizes)]
  return { size, spans: older === 0 || older === size ? [] : consistencySpans(older, size) }
}

/** One look. A checkpoint that was cried out about is not taken up: what is followed stays the history that was seen first. */
export function step(state: Following, seen: Sighting, settings: FollowSettings): { readonly state: Following; readonly alarms: readonly Alarm[] } {
  const { at } = seen
  if (seen.kind === 'head') {
    const code = broken(state.head, seen.head, seen.proof, settings.sha256)
    if (code !== null) return { state, alarms: [{ code, at, seen: state.head ?? seen.head, shown: seen.head }] }
    const isNewer = state.head === null || seen.head.checkpoint.size > state.head.checkpoint.size || cosignedAt(seen.head) > cosignedAt(state.head)
    return quiet({ head: isNewer ? seen.head : state.head, heard_at: at, moved_at: isNewer ? at : state.moved_at, silence: isNewer ? null : state.silence }, at, settings)
  }
  const silent = quiet(state, at, settings)
  return seen.kind === 'nothing' ? silent : { ...silent, alarms: [{ code: 'unsigned', at, fault: seen.fault }, ...silent.alarms] }
}

/** Why the two are not of one history that goes on; null where they are. */
function broken(seen: Head | null, shown: Head, proof: readonly Uint8Array[] | null, sha256: Sha256Sync): 'forked' | 'inconsistent' | 'rolled_back' | null {
  const [before, now] = [seen?.checkpoint ?? null, shown.checkpoint]
  // the empty tree is the beginning of any, and has one root
  if ([before, now].some((each) => each?.size === 0 && !sameBytes(each.root, sha256(new Uint8Array())))) return 'forked'
  if (before === null) return null
  if (before.size === now.size) return sameBytes(before.root, now.root) ? null : 'forked'
  const [older, newer] = before.size < now.size ? [before, now] : [now, before]
  // a log that was put back from a copy has no tiles of the newer tree, and went back all the same
  if (older === now && proof === null) return 'rolled_back'
  const isOne = older.size === 0 || (proof !== null && verifyConsistency({ older: older.size, olderRoot: older.root, size: newer.size, root: newer.root }, proof, sha256).ok)
  return !isOne ? 'inconsistent' : older === now ? 'rolled_back' : null
}

function quiet(state: Following, at: Instant, { silence_ms }: FollowSettings): { readonly state: Following; readonly alarms: readonly Alarm[] } {
  const silence = at - state.heard_at >= silence_ms ? 'unanswered' : at - state.moved_at >= silence_ms ? 'still' : null
  const since = silence === 'unanswered' ? state.heard_at : state.moved_at
  return { state: { ...state, silence }, alarms: silence === null || silence === state.silence ? [] : [{ code: silence, at, since }] }
}

const cosignedAt = ({ witnesses }: Head): number => Math.max(0, ...witnesses.map(({ at_s }) => at_s))
