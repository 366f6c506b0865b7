import { base64url } from '../identities.ts'
import type { Carried } from './kept.ts'

/** More is no record of ours (core/recap/cose.ts). */
const chars_max = 11_000

/**
 * A record as the link that its QR holds: `https://HOST/sigmon/#rekap=RECORD&kunci=KEY`, both in base64url. Every phone's own camera opens it, and nothing
 * behind `#` goes to a server.
 */
export const linkOf = (app: string, { bytes, key }: Carried): string => `${app}#rekap=${base64url(bytes)}${key === null ? '' : `&kunci=${key}`}`

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
