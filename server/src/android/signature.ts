import { constants, createHash, createPublicKey, verify, X509Certificate } from 'node:crypto'
import { cursorOf, Unreadable, type Cursor } from './cursor.ts'
import type { Zip } from './zip.ts'

/**
 * Signatures over a whole package: Android's APK Signature Schemes v2 and v3 (source.android.com/docs/security/features/apksigning). Phones of Android 7 and 8 verify v2,
 * later ones v3 where it is there. Stricter than phones are: one signer, the same for both, every byte of the block read, every signature verified.
 */
interface Signed {
  /** SHA-256 of the certificate, hex: whose package it is. */
  readonly certificate: string
  readonly schemes: readonly ('v2' | 'v3')[]
  /** Where the block begins: files end before it. */
  readonly blockAt: number
}

interface Algorithm { readonly hash: 'sha256' | 'sha512'; readonly key: 'rsa' | 'ec'; readonly salt_bytes?: number }

/** By their ids in the block. DSA and fs-verity's are not among them: no builder of ours makes them. */
const algorithms: Readonly<Record<number, Algorithm>> = {
  0x0101: { hash: 'sha256', key: 'rsa', salt_bytes: 32 }, 0x0102: { hash: 'sha512', key: 'rsa', salt_bytes: 64 }, 0x0103: { hash: 'sha256', key: 'rsa' }, 0x0104: { hash: 'sha512', key: 'rsa' },
  0x0201: { hash: 'sha256', key: 'ec' }, 0x0202: { hash: 'sha512', key: 'ec' },
}
const [v2, v3, padding] = [0x7109_871a, 0xf053_68c0, 0x4272_6577]
const names: Readonly<Record<number, string>> = { [v2]: 'v2', [v3]: 'v3', 0x1b93_ad61: 'v3.1 (a changed key)' }
/** In a v2 signer: that v3 was there, which somebody may have taken out; the spec's protection against stripping. */
const stripped_attribute = 0xbeef_f00d
const magic = Buffer.from('APK Sig Block 42', 'latin1')
const rsa_bits_min = 2_048
const chunk_bytes = 1_048_576
const signers_max = 1
const algorithms_max = 6

/** @throws Unreadable for a package that is unsigned, or whose signature does not hold */
export function verifySigned(bytes: Buffer, { directoryAt, endAt }: Zip): Signed {
  const { blockAt, parts } = readBlock(bytes, directoryAt)
  const second = parts.get(v2)
  const third = parts.get(v3)
  if (second === undefined) throw new Unreadable('The package has no signature of scheme v2, by which phones of Android 7 and 8 know it. Sign it with apksigner, v2 and v3.')
  const digest = createDigest(bytes, blockAt, directoryAt, endAt)
  const signed = verifyScheme(second, 'v2', digest)
  if (signed.wantsV3 && third === undefined) throw new Unreadable('The package was signed by scheme v3 too, and that signature was taken out of it.')
  if (third === undefined) return { certificate: signed.certificate, schemes: ['v2'], blockAt }
  if (verifyScheme(third, 'v3', digest).certificate !== signed.certificate) throw new Unreadable('Schemes v2 and v3 name two certificates: phones of different ages would take it for two different apps. Sign it with one key.')
  return { certificate: signed.certificate, schemes: ['v2', 'v3'], blockAt }
}

/** The block before the directory: pairs of an id and a value, with its length on both sides. */
function readBlock(bytes: Buffer, directoryAt: number): { readonly blockAt: number; readonly parts: ReadonlyMap<number, Buffer> } {
  if (directoryAt < 32 || !bytes.subarray(directoryAt - 16, directoryAt).equals(magic)) throw new Unreadable('The package is not signed: it has no APK Signing Block before its directory. Sign it with apksigner.')
  const length = cursorOf(bytes.subarray(directoryAt - 24), 'The signing block').u64()
  const blockAt = directoryAt - length - 8
  if (length < 24 || blockAt < 0 || cursorOf(bytes.subarray(blockAt), 'The signing block').u64() !== length) throw new Unreadable('The signing block is broken: its two lengths differ.')
  const pairs = cursorOf(bytes.subarray(blockAt + 8, directoryAt - 24), 'The signing block')
  const parts = new Map<number, Buffer>()
  while (pairs.left() > 0) {
    const pair = cursorOf(pairs.take(pairs.u64()), 'A part of the signing block')
    const id = pair.u32()
    const value = pair.take(pair.left())
    const isKnown = id === v2 || id === v3 || (id === padding && value.every((byte) => byte === 0))
    if (!isKnown || parts.has(id)) throw new Unreadable(`The signing block holds ${isKnown ? 'a part twice' : `a part that is not taken here`}: ${names[id] ?? `0x${id.toString(16)}`}. Sign with one key, v2 and v3 alone.`)
    parts.set(id, value)
  }
  return { blockAt, parts }
}

type Digest = (hash: Algorithm['hash']) => Buffer

/** Of everything but the block itself: chunks of 1 MB, each hashed with its length, then all together. */
function createDigest(bytes: Buffer, blockAt: number, directoryAt: number, endAt: number): Digest {
  const end = Buffer.from(bytes.subarray(endAt))
  // As if the block were not there: where the directory began when the package was signed.
  end.writeUInt32LE(blockAt, 16)
  const chunks = [bytes.subarray(0, blockAt), bytes.subarray(directoryAt, endAt), end].flatMap((part) => Array.from({ length: Math.ceil(part.length / chunk_bytes) }, (_, nth) => part.subarray(nth * chunk_bytes, (nth + 1) * chunk_bytes)))
  const counted = (mark: number, count: number): Buffer => {
    const head = Buffer.alloc(5)
    head.writeUInt8(mark)
    head.writeUInt32LE(count, 1)
    return head
  }
  return (hash) => {
    const of = (...parts: readonly Buffer[]): Buffer => createHash(hash).update(Buffer.concat(parts)).digest()
    return of(counted(0x5a, chunks.length), ...chunks.map((chunk) => of(counted(0xa5, chunk.length), chunk)))
  }
}

interface Signer { readonly data: Buffer; readonly signatures: ReadonlyMap<number, Buffer>; readonly publicKey: Buffer }

function verifyScheme(value: Buffer, scheme: 'v2' | 'v3', digest: Digest): { readonly certificate: string; readonly wantsV3: boolean } {
  const whole = cursorOf(value, `The signature ${scheme}`)
  const signers = whole.within()
  whole.end()
  const found = listed(signers, signers_max, `signers of ${scheme}`, (each) => each)
  const [signer] = found
  if (signer === undefined) throw new Unreadable(`The signature ${scheme} names no signer.`)
  const range = (cursor: Cursor): string => (scheme === 'v3' ? `${cursor.u32()} to ${cursor.u32()}` : '')
  const data = signer.take(signer.u32())
  const outer = range(signer)
  const signatures = byAlgorithm(signer.within(), `signatures of ${scheme}`)
  const publicKey = signer.take(signer.u32())
  signer.end()
  verifySignatures({ data, signatures, publicKey }, scheme)
  // From here on the bytes are those that the key signed.
  const signed = cursorOf(data, `What ${scheme} signed`)
  const digests = byAlgorithm(signed.within(), `digests of ${scheme}`)
  const [certificate] = listed(signed.within(), 8, 'certificates', (each) => each.take(each.left()))
  if (range(signed) !== outer) throw new Unreadable('The signature v3 is for other versions of Android than it says outside.')
  const wantsV3 = listed(signed.within(), 16, 'attributes', (each) => each.u32() === stripped_attribute && each.left() === 4 && each.u32() === 3 ? 'v3' : (each.take(each.left()), '')).includes('v3')
  // Some builders leave four bytes of nothing behind the attributes of v2.
  if (signed.left() === 4 && signed.u32() !== 0) throw new Unreadable(`What ${scheme} signed has bytes too many.`)
  signed.end()
  if ([...digests.keys()].join() !== [...signatures.keys()].join()) throw new Unreadable(`The signature ${scheme} has digests and signatures by different algorithms.`)
  for (const [id, expected] of digests) if (!digest(algorithmOf(id, scheme).hash).equals(expected)) throw new Unreadable(`The package is not what was signed (${scheme}): something in it was changed since. Build and sign it anew.`)
  return { certificate: fingerprint(certificate, publicKey, scheme), wantsV3 }
}

function verifySignatures({ data, signatures, publicKey }: Signer, scheme: string): void {
  const key = attempt(() => createPublicKey({ key: publicKey, format: 'der', type: 'spki' }), `The public key of ${scheme} cannot be read.`)
  if (signatures.size === 0) throw new Unreadable(`The signature ${scheme} holds no signature.`)
  if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < rsa_bits_min) throw new Unreadable(`The key has ${key.asymmetricKeyDetails?.modulusLength ?? 0} bits: RSA needs ${rsa_bits_min} at least.`)
  for (const [id, signature] of signatures) {
    const { hash, key: kind, salt_bytes } = algorithmOf(id, scheme)
    const asked = salt_bytes === undefined ? { key } : { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: salt_bytes }
    const isGood = key.asymmetricKeyType === kind && attempt(() => verify(hash, data, asked, signature), `A signature of ${scheme} cannot be read.`)
    if (!isGood) throw new Unreadable(`The signature ${scheme} does not hold: it is not by the key that it names.`)
  }
}

/** The certificate is only a name for the key: it must be of this one, byte for byte, since a point can be written in several ways. */
function fingerprint(certificate: Buffer | undefined, publicKey: Buffer, scheme: string): string {
  if (certificate === undefined) throw new Unreadable(`The signature ${scheme} names no certificate.`)
  const read = attempt(() => new X509Certificate(certificate), `The certificate of ${scheme} cannot be read.`)
  const named = attempt(() => read.publicKey.export({ type: 'spki', format: 'der' }), `The certificate of ${scheme} cannot be read.`)
  if (!read.raw.equals(certificate) || !named.equals(publicKey)) throw new Unreadable(`The certificate of ${scheme} is of another key than the one that signed.`)
  return createHash('sha256').update(certificate).digest('hex')
}

function byAlgorithm(cursor: Cursor, what: string): ReadonlyMap<number, Buffer> {
  const pairs = listed(cursor, algorithms_max, what, (each) => {
    const pair = [each.u32(), each.take(each.u32())] as const
    each.end()
    return pair
  })
  const found = new Map(pairs)
  if (found.size < pairs.length) throw new Unreadable(`The same algorithm stands twice among ${what}.`)
  return found
}

/** Parts with their lengths before them. */
function listed<T>(cursor: Cursor, max: number, what: string, read: (each: Cursor) => T): readonly T[] {
  const found: T[] = []
  while (cursor.left() > 0) {
    if (found.length === max) throw new Unreadable(`There are more than ${max} ${what}: one key signs a package here.`)
    found.push(read(cursor.within()))
  }
  return found
}

function algorithmOf(id: number, scheme: string): Algorithm {
  const found = algorithms[id]
  if (found === undefined) throw new Unreadable(`The signature ${scheme} is by algorithm 0x${id.toString(16)}: RSA and ECDSA with SHA-256 or SHA-512 are taken.`)
  return found
}

function attempt<T>(work: () => T, otherwise: string): T {
  try {
    return work()
  } catch {
    throw new Unreadable(otherwise)
  }
}
