import { constants, createHash, createPrivateKey, createPublicKey, sign, X509Certificate, type KeyObject } from 'node:crypto'
import { makeCertificate } from './certificate.ts'
import { makeZip } from './zip.ts'

/** Who signs: key and certificate, and by which algorithms of the scheme. */
interface PackageSigner { readonly key: KeyObject; readonly certificate: Buffer; readonly algorithms: readonly number[] }

export interface MadePackage {
  readonly application?: string
  readonly versionCode?: number
  readonly versionName?: string
  readonly minSdk?: number
  readonly targetSdk?: number
  readonly permissions?: readonly string[]
  readonly debuggable?: boolean
  /** What else is in it. */
  readonly files?: Readonly<Record<string, Buffer>>
  /** Texts of the manifest in UTF-8, as some builders write them. */
  readonly isUtf8?: boolean
}

const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8])
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}
const join = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts)
/** A part with its length before it. */
const part = (...parts: readonly Buffer[]): Buffer => join(u32(join(...parts).length), ...parts)

export function packageSigner(rsa_bits?: number, algorithms: readonly number[] = [rsa_bits === undefined ? 0x0201 : 0x0103]): PackageSigner {
  const { cert, key } = makeCertificate(rsa_bits)
  return { key: createPrivateKey(key), certificate: new X509Certificate(cert).raw, algorithms }
}

/** An unsigned package as small as there can be: what Android wants is a manifest and a program. */
export const unsignedPackage = (made: MadePackage = {}): Buffer => makeZip({ 'AndroidManifest.xml': writeManifest(made), 'classes.dex': Buffer.from('dex\n035\0'), ...made.files })

export const signedPackage = (signer: PackageSigner, made: MadePackage = {}, schemes: readonly ('v2' | 'v3')[] = ['v2', 'v3']): Buffer => signPackage(unsignedPackage(made), schemes.map((scheme) => ({ scheme, signer })))

/** What a signature can be planted wrong with. */
interface Signing { readonly scheme: 'v2' | 'v3'; readonly signer: PackageSigner; readonly certificate?: Buffer }

/** Puts a signing block before the directory of a zip (APK Signature Scheme v2 and v3). @param padding of zeros, as apksigner fills a page */
export function signPackage(unsigned: Buffer, signings: readonly Signing[], padding = 64): Buffer {
  const endAt = unsigned.length - 22
  const directoryAt = unsigned.readUInt32LE(endAt + 16)
  const [files, directory, end] = [unsigned.subarray(0, directoryAt), unsigned.subarray(directoryAt, endAt), Buffer.from(unsigned.subarray(endAt))]
  const hasV3 = signings.some(({ scheme }) => scheme === 'v3')
  const values = signings.map(({ scheme, signer, certificate }): readonly [number, Buffer] => [scheme === 'v2' ? 0x7109_871a : 0xf053_68c0, part(part(signerOf(scheme, certificate === undefined ? signer : { ...signer, certificate }, [files, directory, end], hasV3)))])
  const pairs = [...values, [0x4272_6577, Buffer.alloc(padding)] as const].map(([id, value]) => join(u32(value.length + 4), u32(0), u32(id), value))
  const length = join(u32(pairs.reduce((sum, each) => sum + each.length, 24)), u32(0))
  const block = join(length, ...pairs, length, Buffer.from('APK Sig Block 42', 'latin1'))
  end.writeUInt32LE(directoryAt + block.length, 16)
  return join(files, block, directory, end)
}

function signerOf(scheme: 'v2' | 'v3', { key, certificate, algorithms }: PackageSigner, sections: readonly Buffer[], hasV3: boolean): Buffer {
  const range = scheme === 'v3' ? join(u32(24), u32(0x7fff_ffff)) : Buffer.alloc(0)
  const digests = algorithms.map((id) => part(u32(id), part(contentDigest(hashOf(id), sections))))
  const attributes = scheme === 'v2' && hasV3 ? part(part(u32(0xbeef_f00d), u32(3))) : part()
  const data = join(part(...digests), part(part(certificate)), range, attributes, scheme === 'v2' ? u32(0) : Buffer.alloc(0))
  const signatures = algorithms.map((id) => part(u32(id), part(sign(hashOf(id), data, id <= 0x0102 ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: id === 0x0101 ? 32 : 64 } : key))))
  return join(part(data), range, part(...signatures), part(createPublicKey(key).export({ type: 'spki', format: 'der' })))
}

const hashOf = (id: number): 'sha256' | 'sha512' => ([0x0102, 0x0104, 0x0202].includes(id) ? 'sha512' : 'sha256')

/** One byte after the other: slow and obvious. */
function contentDigest(hash: 'sha256' | 'sha512', sections: readonly Buffer[]): Buffer {
  const digests: Buffer[] = []
  for (const section of sections) for (let at = 0; at < section.length; at += 1_048_576) {
    const chunk = section.subarray(at, at + 1_048_576)
    digests.push(createHash(hash).update(Buffer.from([0xa5])).update(u32(chunk.length)).update(chunk).digest())
  }
  return createHash(hash).update(Buffer.from([0x5a])).update(u32(digests.length)).update(join(...digests)).digest()
}

const android = 'http://schemas.android.com/apk/res/android'
/** Attributes and their numbers, which come first among the texts. */
const numbered = { name: 0x0101_0003, debuggable: 0x0101_000f, minSdkVersion: 0x0101_020c, versionCode: 0x0101_021b, versionName: 0x0101_021c, targetSdkVersion: 0x0101_0270 } as const

/** The manifest as aapt2 writes it: texts, numbers of attributes, elements. */
export function writeManifest({ application = 'kawal.sinyal.sigmon', versionCode = 1, versionName = '1.0', minSdk = 24, targetSdk = 37, permissions = ['android.permission.INTERNET'], debuggable = false, isUtf8 = false }: MadePackage = {}): Buffer {
  const texts: string[] = Object.keys(numbered)
  const text = (wanted: string): number => (texts.includes(wanted) ? texts.indexOf(wanted) : texts.push(wanted) - 1)
  const chunk = (type: number, head: Buffer, body: Buffer): Buffer => join(u16(type), u16(head.length + 8), u32(head.length + 8 + body.length), head, body)
  const place = join(u32(1), u32(0xffff_ffff))
  const attribute = (name: string, value: string | number | boolean): Buffer => join(
    u32(name in numbered ? text(android) : 0xffff_ffff), u32(text(name)), u32(typeof value === 'string' ? text(value) : 0xffff_ffff), u16(8), Buffer.from([0, typeof value === 'string' ? 0x03 : typeof value === 'number' ? 0x10 : 0x12]), u32(typeof value === 'string' ? text(value) : typeof value === 'number' ? value : value ? 0xffff_ffff : 0))
  const begin = (name: string, attributes: Readonly<Record<string, string | number | boolean>> = {}): Buffer => chunk(0x0102, place, join(u32(0xffff_ffff), u32(text(name)), u16(20), u16(20), u16(Object.keys(attributes).length), u16(0), u16(0), u16(0), ...Object.entries(attributes).map(([key, value]) => attribute(key, value))))
  const end = (name: string): Buffer => chunk(0x0103, place, join(u32(0xffff_ffff), u32(text(name))))
  const elements = join(
    begin('manifest', { versionCode, versionName, package: application }), begin('uses-sdk', { minSdkVersion: minSdk, targetSdkVersion: targetSdk }), end('uses-sdk'),
    ...permissions.map((name) => join(begin('uses-permission', { name }), end('uses-permission'))), begin('application', debuggable ? { debuggable } : {}), end('application'), end('manifest'))
  const encoded = texts.map((each) => (isUtf8 ? join(Buffer.from([each.length, Buffer.byteLength(each)]), Buffer.from(each), Buffer.alloc(1)) : join(u16(each.length), Buffer.from(each, 'utf16le'), u16(0))))
  const offsets = encoded.map((_, nth) => u32(encoded.slice(0, nth).reduce((sum, each) => sum + each.length, 0)))
  const strings = join(...encoded)
  const filled = join(strings, Buffer.alloc((4 - strings.length % 4) % 4))
  const pool = chunk(0x0001, join(u32(texts.length), u32(0), u32(isUtf8 ? 0x100 : 0), u32(28 + 4 * texts.length), u32(0)), join(...offsets, filled))
  return chunk(0x0003, Buffer.alloc(0), join(pool, chunk(0x0180, Buffer.alloc(0), join(...Object.values(numbered).map(u32))), elements))
}
