import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { formatCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { verifierKey, type KeyAlgorithm, type VerifierKey } from '@kawal/core/ledger/key.ts'
import { appendLeaf, emptyFrontier, hashesOf, inclusionSpans, leafHash, nodeHash, rootOf } from '@kawal/core/ledger/merkle.ts'
import { formatNote } from '@kawal/core/ledger/note.ts'
import { formatProof } from '@kawal/core/ledger/proof.ts'
import { cosignText, signText, type Ed25519Sign } from '@kawal/core/ledger/signature.ts'
import { sha256 } from './recaps.ts'

/** A log or a witness of tests: its key, and what signs by it. */
interface Signing { readonly key: VerifierKey; readonly sign: Ed25519Sign }

export function signing(name: string, algorithm: KeyAlgorithm = 'ed25519'): Signing {
  const { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync('ed25519')
  const key = verifierKey(name, algorithm, Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'), sha256)
  if (!key.ok) throw new Error(key.error)
  return { key: key.value, sign: (message) => sign(null, message, privateKey) }
}

/** @param at_s when the witnesses say that they looked, s since 1970 */
export async function checkpointOf(entries: readonly Uint8Array[], log: Signing, witnesses: readonly Signing[] = [], at_s = 1_800_000_000): Promise<string> {
  const tree = entries.reduce((grown, entry) => appendLeaf(grown, leafHash(entry, sha256), sha256), emptyFrontier)
  const text = formatCheckpoint({ origin: log.key.name, size: entries.length, root: rootOf(tree, sha256), extensions: [] })
  return formatNote({ text, signatures: [await signText(text, log.key, log.sign), ...(await Promise.all(witnesses.map(({ key, sign: by }) => cosignText(text, key, at_s, by))))] })
}

/** A tlog-proof that one of these entries is in the log that they make. */
export async function proofOf(entries: readonly Uint8Array[], index: number, log: Signing, { witnesses = [], hasExtra = false }: { readonly witnesses?: readonly Signing[]; readonly hasExtra?: boolean } = {}): Promise<string> {
  const leaves = entries.map((entry) => leafHash(entry, sha256))
  const hashAt = (level: number, at: number): Uint8Array => (level === 0 ? (leaves[at] as Uint8Array) : nodeHash(hashAt(level - 1, 2 * at), hashAt(level - 1, 2 * at + 1), sha256))
  return formatProof({ index, hashes: hashesOf(inclusionSpans(index, entries.length), hashAt, sha256), extra: hasExtra ? (entries[index] as Uint8Array) : null, checkpoint: await checkpointOf(entries, log, witnesses) })
}
