import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'
import { base32Of } from '@kawal/core/kernel/base32.ts'
import type { Sha256 } from '@kawal/core/measurement/letter.ts'
import type { Pack, PackDelta, VerifyingKeys } from './sigmon.ts'

/** What both ends do with packs (spec/sigmon.md). Phones load this file: it knows no schema library. */

type Json = null | boolean | number | string | readonly Json[] | JsonObject
interface JsonObject { readonly [name: string]: Json }

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Keys sorted, no spaces, numbers as ECMAScript writes them: RFC 8785 (JCS). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name])}`).join(',')}}`
}

/**
 * A member of an object under any name, `__proto__` too, which is only a name in JSON: plain assignment would
 * change the object's prototype instead.
 */
function put(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
}

/** JSON merge patch (RFC 7396, section 2). Neither argument is changed. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const merged: Record<string, unknown> = {}
  if (isObject(target)) for (const name of Object.keys(target)) put(merged, name, target[name])
  for (const name of Object.keys(patch)) {
    if (patch[name] === null) delete merged[name]
    else put(merged, name, mergePatch(own(merged, name), patch[name]))
  }
  return merged
}

const own = (object: Readonly<Record<string, unknown>>, name: string): unknown => (Object.prototype.hasOwnProperty.call(object, name) ? object[name] : undefined)

/**
 * The merge patch that makes `to` of `from`.
 * @returns null when there is none: a merge patch cannot set a member to null (RFC 7396, section 1)
 */
export function makePatch(from: unknown, to: unknown): Record<string, unknown> | null {
  if (!isObject(from) || !isObject(to)) return null
  const patch: Record<string, unknown> = {}
  for (const name of Object.keys(from)) if (own(to, name) === undefined) put(patch, name, null)
  for (const name of Object.keys(to)) {
    const [before, after] = [own(from, name), to[name]]
    if (canonicalJson(before ?? null) === canonicalJson(after) && before !== undefined) continue
    if (after === null) return null
    const change = isObject(after) ? makePatch(isObject(before) ? before : {}, after) : after
    if (change === null) return null
    put(patch, name, change)
  }
  return patch
}

/** The first 16 hex digits of SHA-256 over the canonical JSON without `madeAt`: equal content has one version, whenever it was made. */
export async function packVersion(pack: Pack, sha256: Sha256): Promise<string> {
  const { madeAt: _, ...content } = pack
  const digest = await sha256(new TextEncoder().encode(canonicalJson(content)))
  return Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * The pack that a delta makes of the one that is held. `pack_other`: the delta is not for this pack;
 * `pack_wrong`: what came out is not the version it names. In both cases the whole pack is to be fetched.
 */
export async function applyPack(held: Pack, delta: PackDelta, sha256: Sha256): Promise<Result<Pack, 'pack_other' | 'pack_wrong'>> {
  if (delta.district !== held.district || delta.from !== (await packVersion(held, sha256))) return fail('pack_other')
  const { madeAt: _, ...content } = held
  // the version is of the content of a pack that was published: what has it has a pack's form
  const made = { ...(mergePatch(content, delta.patch) as Omit<Pack, 'madeAt'>), madeAt: delta.madeAt }
  return (await packVersion(made, sha256)) === delta.to ? ok(made) : fail('pack_wrong')
}

/**
 * The `kid` of a key: the first 80 bits of its thumbprint (RFC 7638, SHA-256) in Crockford's base32. A phone to which
 * the letter's QR named a `kid` takes a key only if this is it.
 */
export async function keyId(key: Pick<VerifyingKeys['keys'][number], 'x' | 'y'>, sha256: Sha256): Promise<string> {
  const thumbprint = await sha256(new TextEncoder().encode(`{"crv":"P-256","kty":"EC","x":"${key.x}","y":"${key.y}"}`))
  return base32Of(thumbprint.subarray(0, 10)).toLowerCase()
}

const magics = { KSP1: 'pack', KSD1: 'delta' } as const
const [kid_at, signature_at, body_at] = [4, 20, 84]

interface PackFile {
  readonly kind: 'pack' | 'delta'
  /** Which key signed it. */
  readonly kid: string
  /** ECDSA P-256 with SHA-256, r and s, over `body` as it stands here. */
  readonly signature: Uint8Array<ArrayBuffer>
  /** Gzipped JSON of a `Pack` or a `PackDelta`; to be read after its signature has been verified. */
  readonly body: Uint8Array<ArrayBuffer>
}

/** @returns null when it is no file of a pack: a portal's page, an answer cut short */
export function splitPackFile(bytes: Uint8Array<ArrayBuffer>): PackFile | null {
  const text = (from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to))
  const magic = text(0, kid_at)
  if (bytes.length <= body_at || (magic !== 'KSP1' && magic !== 'KSD1')) return null
  return { kind: magics[magic], kid: text(kid_at, signature_at), signature: bytes.slice(signature_at, body_at), body: bytes.slice(body_at) }
}

export function joinPackFile({ kind, kid, signature, body }: PackFile): Uint8Array<ArrayBuffer> {
  if (kid.length !== signature_at - kid_at || signature.length !== body_at - signature_at) throw new RangeError('a file of a pack has 16 characters of kid and 64 bytes of signature')
  const file = new Uint8Array(body_at + body.length)
  file.set(Uint8Array.from((kind === 'pack' ? 'KSP1' : 'KSD1') + kid, (letter) => letter.charCodeAt(0)))
  file.set(signature, signature_at)
  file.set(body, body_at)
  return file
}
