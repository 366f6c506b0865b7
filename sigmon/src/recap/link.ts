import { base64url } from '../identities.ts'
import type { Carried, KeptRecap } from './kept.ts'

/** More is no record of ours (core/recap/cose.ts). */
const chars_max = 11_000

/**
 * A record as the link that its QR holds: `https://HOST/sigmon/#rekap=RECORD&kunci=KEY`, both in base64url. Every phone's own camera opens it, and nothing
 * behind `#` goes to a server.
 */
export const linkOf = (app: string, { bytes, key }: Carried): string => `${app}#rekap=${base64url(bytes)}${key === null ? '' : `&kunci=${key}`}`

/**
 * A record's link with all that there is to verify it by but photos, which are files: `https://HOST/verify/#rekap=RECORD&kunci=KEY&bukti=PROOF&daftar=LIST`, a
 * `bukti` for each proof. What a box promised is of use until the platform has answered.
 */
export function evidenceOf(link: string, { receipt, witnessed, delivery, custody, list }: KeptRecap): string {
  const proofs = [...(receipt === null ? (custody ?? []).map((held) => held.receipt) : [witnessed?.text ?? receipt]), ...(delivery === undefined ? [] : [delivery])]
  const text = new TextEncoder()
  return [link.replace('/sigmon/#', '/verify/#'), ...proofs.map((proof) => `bukti=${base64url(text.encode(proof))}`), ...(list.length === 0 ? [] : [`daftar=${base64url(list)}`])].join('&')
}

/** @returns null for what is no such link */
export function readLink(text: string): Carried | null {
  if (text.length > chars_max || !URL.canParse(text)) return null
  const values = new URLSearchParams(new URL(text).hash.slice(1))
  const bytes = read(values.get('rekap') ?? '')
  return bytes === null ? null : { bytes, key: values.get('kunci') }
}

function read(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[\w-]+$/.test(text)) return null
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))
  } catch {
    return null
  }
}
