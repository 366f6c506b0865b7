/**
 * The Merkle tree of RFC 6962, section 2.1 (RFC 9162, section 2.1, is the same), over SHA-256: hashes, heads and proofs.
 * Sizes and indices are integers below 2^53, so nothing here shifts bits: JavaScript's shifts end at 32.
 */

/** SHA-256, given by whoever asks; 32 bytes. Synchronous: millions of hashes cannot each be waited for. */
export type Sha256Sync = (bytes: Uint8Array) => Uint8Array
/** The hash of the complete subtree over the leaves from `index * 2^level` to before `(index + 1) * 2^level`; level 0 are leaf hashes. */
export type HashAt = (level: number, index: number) => Uint8Array
/** A complete subtree. */
interface TreeNode { readonly level: number; readonly index: number }
/** Leaves from `start` to before `end` that are one subtree of a tree; at the tree's right edge it need not be complete. */
export interface Span { readonly start: number; readonly end: number }
/** The complete subtrees that a tree consists of, largest first: all that appending needs. One for each 1 of the size in binary. */
interface Frontier { readonly size: number; readonly hashes: readonly Uint8Array[] }

export const hash_bytes = 32

/** A leaf's hash, and below a node's, are made by the million: their bytes are put together by hand. */
export function leafHash(entry: Uint8Array, sha256: Sha256Sync): Uint8Array {
  const bytes = new Uint8Array(1 + entry.length)
  bytes.set(entry, 1)
  return sha256(bytes)
}

export function nodeHash(left: Uint8Array, right: Uint8Array, sha256: Sha256Sync): Uint8Array {
  const bytes = new Uint8Array(1 + left.length + right.length)
  bytes[0] = 1
  bytes.set(left, 1)
  bytes.set(right, 1 + left.length)
  return sha256(bytes)
}

export const emptyFrontier: Frontier = { size: 0, hashes: [] }

/** One leaf more: O(log n). */
export function appendLeaf({ size, hashes }: Frontier, leaf: Uint8Array, sha256: Sha256Sync): Frontier {
  if (!Number.isSafeInteger(size + 1)) throw new RangeError(`a tree of ${size} leaves is full`)
  const grown = [...hashes]
  let last = leaf
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) last = nodeHash(grown.pop() ?? last, last, sha256)
  return { size: size + 1, hashes: [...grown, last] }
}

/** A frontier from what is kept of its tree. */
export function frontierOf(size: number, hashAt: HashAt): Frontier {
  return { size, hashes: spanNodes({ start: 0, end: checked(size) }).map(({ level, index }) => hashAt(level, index)) }
}

/** The tree head; of the empty tree SHA-256 of nothing. */
export function rootOf({ hashes }: Frontier, sha256: Sha256Sync): Uint8Array {
  return hashes.length === 0 ? sha256(new Uint8Array()) : hashes.reduceRight((right, left) => nodeHash(left, right, sha256))
}

/** The complete subtrees of a span, from left to right, each smaller than the one before. */
export function spanNodes({ start, end }: Span): TreeNode[] {
  const nodes: TreeNode[] = []
  for (let from = start; from < end;) {
    let [level, leaves] = [0, 1]
    while (leaves * 2 <= end - from) [level, leaves] = [level + 1, leaves * 2]
    nodes.push({ level, index: from / leaves })
    from += leaves
  }
  return nodes
}

/**
 * What an inclusion proof is made of (RFC 6962, section 2.1.1), from the leaf's sibling to the root's child.
 * @throws RangeError where the tree has no such leaf
 */
export function inclusionSpans(index: number, size: number): Span[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= checked(size)) throw new RangeError(`a tree of ${size} leaves has no leaf ${index}`)
  const spans: Span[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    spans.push(index < middle ? { start: middle, end } : { start, end: middle })
    if (index < middle) end = middle
    else start = middle
  }
  return spans.reverse()
}

/**
 * What a proof is made of that a tree of `older` leaves is the beginning of one of `size` (RFC 6962, section 2.1.2).
 * @throws RangeError unless 0 < older <= size: an empty tree is the beginning of any, and there is nothing to prove
 */
export function consistencySpans(older: number, size: number): Span[] {
  if (!Number.isSafeInteger(older) || older < 1 || older > checked(size)) throw new RangeError(`a tree of ${size} leaves does not begin with one of ${older} to prove`)
  const spans: Span[] = []
  let [start, end] = [0, size]
  while (end !== older) {
    const middle = start + splitOf(end - start)
    spans.push(older <= middle ? { start: middle, end } : { start, end: middle })
    if (older <= middle) end = middle
    else start = middle
  }
  // the older tree itself is known to whoever verifies
  return (start === 0 ? spans : [...spans, { start, end }]).reverse()
}

/** The hashes of a proof, in order. */
export function hashesOf(spans: readonly Span[], hashAt: HashAt, sha256: Sha256Sync): Uint8Array[] {
  return spans.map((span) => spanNodes(span).map(({ level, index }) => hashAt(level, index)).reduceRight((right, left) => nodeHash(left, right, sha256)))
}

/** The largest power of two below `leaves`, which is 2 or more. */
function splitOf(leaves: number): number {
  let split = 1
  while (split * 2 < leaves) split *= 2
  return split
}

function checked(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`${size} is no size of a tree`)
  return size
}
