import { fail, ok, type Result } from '../kernel/result.ts'
import { sameBytes } from './bytes.ts'
import { hash_bytes, nodeHash, type Sha256Sync } from './merkle.ts'

/**
 * Verification of proofs by the algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2. It shares nothing with what makes
 * the proofs (`core/ledger/merkle.ts`) but the hash of a node.
 */

/** `tree_size`: no size of a tree with leaves; `proof_length`: hashes too few or too many; `hash_length`: one that has not 32 bytes. */
export type InclusionFault = 'tree_size' | 'index_beyond' | 'hash_length' | 'proof_length' | 'root_other'
/** `tree_size`: no size, or an older tree that is empty; `sizes_reversed`: the older tree is the larger one. */
type ConsistencyFault = 'tree_size' | 'sizes_reversed' | 'hash_length' | 'proof_length' | 'older_root_other' | 'root_other'

interface Inclusion { readonly index: number; readonly size: number; readonly leaf: Uint8Array; readonly root: Uint8Array }
interface Consistency { readonly older: number; readonly olderRoot: Uint8Array; readonly size: number; readonly root: Uint8Array }

const isHash = (bytes: Uint8Array): boolean => bytes.length === hash_bytes
const half = (value: number): number => Math.floor(value / 2)
const isOdd = (value: number): boolean => value % 2 === 1

/** Whether the leaf hash is the one at `index` of the tree of `size` leaves with this root. */
export function verifyInclusion({ index, size, leaf, root }: Inclusion, proof: readonly Uint8Array[], sha256: Sha256Sync): Result<true, InclusionFault> {
  if (!Number.isSafeInteger(size) || size < 1) return fail('tree_size')
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) return fail('index_beyond')
  if (![leaf, root, ...proof].every(isHash)) return fail('hash_length')
  let [at, last, hash] = [index, size - 1, leaf]
  for (const beside of proof) {
    if (last === 0) return fail('proof_length')
    if (isOdd(at) || at === last) {
      hash = nodeHash(beside, hash, sha256)
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)]
    } else hash = nodeHash(hash, beside, sha256)
    ;[at, last] = [half(at), half(last)]
  }
  if (last !== 0) return fail('proof_length')
  return sameBytes(hash, root) ? ok(true) : fail('root_other')
}

/**
 * Whether the tree of `size` leaves begins with the older one. Of equal sizes the roots are compared as they are.
 * An older tree without leaves is refused: it is the beginning of any, so nothing was shown.
 */
export function verifyConsistency({ older, olderRoot, size, root }: Consistency, proof: readonly Uint8Array[], sha256: Sha256Sync): Result<true, ConsistencyFault> {
  if (!Number.isSafeInteger(older) || !Number.isSafeInteger(size) || older < 1 || size < 0) return fail('tree_size')
  if (older > size) return fail('sizes_reversed')
  if (older === size) {
    if (proof.length > 0) return fail('proof_length')
    return sameBytes(olderRoot, root) ? ok(true) : fail('root_other')
  }
  if (![olderRoot, root, ...proof].every(isHash)) return fail('hash_length')
  let [at, last] = [older - 1, size - 1]
  while (isOdd(at)) [at, last] = [half(at), half(last)]
  // an older tree that is complete is a node of the newer one, and its root need not be sent
  const [first, ...others] = at === 0 ? [olderRoot, ...proof] : proof
  if (first === undefined) return fail('proof_length')
  let [older_hash, hash] = [first, first]
  for (const beside of others) {
    if (last === 0) return fail('proof_length')
    if (isOdd(at) || at === last) {
      ;[older_hash, hash] = [nodeHash(beside, older_hash, sha256), nodeHash(beside, hash, sha256)]
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)]
    } else hash = nodeHash(hash, beside, sha256)
    ;[at, last] = [half(at), half(last)]
  }
  if (last !== 0) return fail('proof_length')
  if (!sameBytes(older_hash, olderRoot)) return fail('older_root_other')
  return sameBytes(hash, root) ? ok(true) : fail('root_other')
}
