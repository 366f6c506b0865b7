import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { fail, ok, type Result } from '../kernel/result.ts'
import { sameBytes } from '../ledger/bytes.ts'

/** What our records are made of: no tags, no `undefined`; keys of maps are integers or text. */
export type Cbor = number | bigint | boolean | null | string | Uint8Array | readonly Cbor[] | ReadonlyMap<number | string, Cbor>

/** `not_deterministic`: CBOR, but another writing of it is the one of RFC 8949, section 4.2.1. */
export type CborFault = 'too_long' | 'not_cbor' | 'not_deterministic' | 'too_deep'

const depth_max = 8

/** Deterministic CBOR: shortest forms, definite lengths, keys in the order of their bytes (RFC 8949, section 4.2.1). */
export function writeCbor(value: Cbor): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(encode(value, rfc8949EncodeOptions))
}

/**
 * The strict reader: what is read is written again, and only bytes that come out the same are taken. So every
 * value has one writing: no longer lengths, no other order of keys, no key twice, nothing behind the end, no text
 * that is not UTF-8, and no float where an integer says the same.
 */
export function readCbor(bytes: Uint8Array, bytes_max: number): Result<Cbor, CborFault> {
  if (bytes.length > bytes_max) return fail('too_long')
  try {
    const value: unknown = decode(bytes, { useMaps: true, rejectDuplicateMapKeys: true, allowIndefinite: false, allowUndefined: false })
    const depth = depthOf(value, 0)
    if (depth === null) return fail('not_cbor')
    if (depth > depth_max) return fail('too_deep')
    return sameBytes(encode(value, rfc8949EncodeOptions), bytes) ? ok(value as Cbor) : fail('not_deterministic')
  } catch {
    return fail('not_cbor')
  }
}

/** @returns null for a map whose keys are not integers or text: bytes as keys are compared by nobody */
function depthOf(value: unknown, above: number): number | null {
  const isMap = value instanceof Map
  if (!isMap && !Array.isArray(value)) return above
  if (above >= depth_max) return depth_max + 1
  if (isMap && ![...value.keys()].every((key) => typeof key === 'string' || Number.isSafeInteger(key))) return null
  let deepest = above + 1
  for (const each of value.values() as Iterable<unknown>) {
    const depth = depthOf(each, above + 1)
    if (depth === null) return null
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

export const isUint = (value: unknown, max: number, min = 0): value is number => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
export const isBytes = (value: unknown, length: number): value is Uint8Array => value instanceof Uint8Array && value.length === length
