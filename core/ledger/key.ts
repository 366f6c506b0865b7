import { fail, ok, type Result } from '../kernel/result.ts'
import { base64Of, joinBytes, readBase64, utf8Of } from './bytes.ts'
import type { Sha256Sync } from './merkle.ts'
import { idBytes, idOf, isKeyName } from './note.ts'

/**
 * Keys of signed notes as text (https://c2sp.org/signed-note, *Verifier keys*; of signers as golang.org/x/mod/sumdb/note
 * writes them). Both kinds are Ed25519: `ed25519` signs the text, `cosignature` what a witness says of it and when.
 */
const algorithms = { ed25519: 0x01, cosignature: 0x04 } as const
export type KeyAlgorithm = keyof typeof algorithms

export interface VerifierKey {
  readonly name: string
  readonly id: number
  readonly algorithm: KeyAlgorithm
  /** 32 bytes (RFC 8032). */
  readonly publicKey: Uint8Array<ArrayBuffer>
}

export interface SignerKey {
  readonly name: string
  readonly id: number
  readonly algorithm: KeyAlgorithm
  /** 32 bytes: the private key of RFC 8032. */
  readonly seed: Uint8Array<ArrayBuffer>
}

/** `key_form`: not three parts between plus signs; `key_length`: not 32 bytes; `key_id`: not the id of this key. */
type KeyFault = 'key_form' | 'key_name' | 'key_algorithm' | 'key_length' | 'key_id'

const key_bytes = 32
const signer_prefix = 'PRIVATE+KEY+'

/** @param publicKey 32 bytes */
export function verifierKey(name: string, algorithm: KeyAlgorithm, publicKey: Uint8Array, sha256: Sha256Sync): Result<VerifierKey, KeyFault> {
  if (!isKeyName(name)) return fail('key_name')
  if (publicKey.length !== key_bytes) return fail('key_length')
  const id = idOf(sha256(joinBytes([utf8Of(`${name}\n`), Uint8Array.of(algorithms[algorithm]), publicKey])))
  return ok({ name, id, algorithm, publicKey: Uint8Array.from(publicKey) })
}

/** A *vkey*: `NAME+ID+KEY`, the id as 8 digits of hex in lower case. */
export function readVerifierKey(text: string, sha256: Sha256Sync): Result<VerifierKey, KeyFault> {
  const read = readKey(text)
  if (!read.ok) return read
  const key = verifierKey(read.value.name, read.value.algorithm, read.value.bytes, sha256)
  return key.ok && key.value.id !== read.value.id ? fail('key_id') : key
}

export function formatVerifierKey({ name, id, algorithm, publicKey }: VerifierKey): string {
  return `${name}+${hexOf(id)}+${base64Of(joinBytes([Uint8Array.of(algorithms[algorithm]), publicKey]))}`
}

/**
 * `PRIVATE+KEY+NAME+ID+KEY`.
 * @param publicKeyOf the public key of a seed; of a text that is no key it is not asked
 */
export async function readSignerKey(text: string, sha256: Sha256Sync, publicKeyOf: (seed: Uint8Array<ArrayBuffer>) => Uint8Array | Promise<Uint8Array>): Promise<Result<SignerKey, KeyFault>> {
  if (!text.startsWith(signer_prefix)) return fail('key_form')
  const read = readKey(text.slice(signer_prefix.length))
  if (!read.ok) return read
  const { name, id, algorithm, bytes } = read.value
  const key = verifierKey(name, algorithm, await publicKeyOf(bytes), sha256)
  if (!key.ok) return key
  return key.value.id === id ? ok({ name, id, algorithm, seed: bytes }) : fail('key_id')
}

export function formatSignerKey({ name, id, algorithm, seed }: SignerKey): string {
  return `${signer_prefix}${name}+${hexOf(id)}+${base64Of(joinBytes([Uint8Array.of(algorithms[algorithm]), seed]))}`
}

const hexOf = (id: number): string => Array.from(idBytes(id), (byte) => byte.toString(16).padStart(2, '0')).join('')

function readKey(text: string): Result<{ name: string; id: number; algorithm: KeyAlgorithm; bytes: Uint8Array<ArrayBuffer> }, KeyFault> {
  // base64 has plus signs of its own
  const [, name = '', id = '', base64 = ''] = /^([^+]*)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? []
  const bytes = readBase64(base64)
  if (id === '' || bytes === null) return fail('key_form')
  if (!isKeyName(name)) return fail('key_name')
  const algorithm = (Object.keys(algorithms) as KeyAlgorithm[]).find((each) => algorithms[each] === bytes[0])
  if (algorithm === undefined) return fail('key_algorithm')
  return bytes.length === 1 + key_bytes ? ok({ name, id: Number.parseInt(id, 16), algorithm, bytes: bytes.slice(1) }) : fail('key_length')
}
