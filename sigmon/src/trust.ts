import type { SigmonConfig, VerifyingKeys } from '@kawal/contract/sigmon.ts'
import type { Sha256 } from '@kawal/core/measurement/letter.ts'
import { read, request, type Reaching } from './request.ts'

type Key = VerifyingKeys['keys'][number]

export const sha256With = (crypto: Crypto): Sha256 => async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)))

/** Where keys and configuration are kept; the phone's own store does it. */
export interface Shelf {
  read<T>(key: string): Promise<T | undefined>
  write(entries: Readonly<Record<string, unknown>>): Promise<void>
}

interface Needs {
  readonly reach: Reaching
  readonly crypto: Crypto
  readonly shelf: Shelf
  /** The key that the letter's QR names; null: the first that is seen is pinned (trust at first sight, over TLS). */
  readonly letterKey: string | null
}

export interface Trust {
  config(): SigmonConfig | null
  /** Whose signature counts is pinned before. @returns false when there is no such key, or it does not fit */
  verify(kid: string, signature: Uint8Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>): Promise<boolean>
  /** Fetches keys where none are pinned, then the configuration. @returns `changed`, `same`, `refused` (forged, rolled back, not understood) or `unanswered` */
  refresh(): Promise<'changed' | 'same' | 'refused' | 'unanswered'>
}

interface HeldConfig { readonly config: SigmonConfig; readonly etag: string | null }

export async function createTrust({ reach, crypto, shelf, letterKey }: Needs): Promise<Trust> {
  let keys = (await shelf.read<readonly Key[]>('keys')) ?? []
  let held = (await shelf.read<HeldConfig>('config')) ?? null

  async function pin(): Promise<boolean> {
    if (keys.length > 0) return true
    const answer = await request(reach, '/v1/sigmon/keys')
    if (answer?.status !== 200) return false
    const found = await sound((await read<Partial<VerifyingKeys>>(answer))?.keys, crypto)
    const wanted = letterKey === null ? found : found.filter((key) => key.kid === letterKey)
    if (wanted.length === 0) return false
    await shelf.write({ keys: wanted })
    keys = wanted
    return true
  }

  async function verify(kid: string, signature: Uint8Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const key = keys.find((each) => each.kid === kid)
    if (key === undefined || signature.length !== 64) return false
    try {
      const imported = await crypto.subtle.importKey('jwk', { kty: 'EC', crv: 'P-256', x: key.x, y: key.y }, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
      return await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, imported, signature, bytes)
    } catch {
      return false
    }
  }

  /** JWS in compact form (RFC 7515, 3.1), ES256. The algorithm is ours to say, not the header's. */
  async function opened(jws: string): Promise<SigmonConfig | null> {
    const parts = jws.trim().split('.')
    const [header, payload, signature] = parts
    if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined) return null
    const named = parse(header) as { alg?: unknown; kid?: unknown; crit?: unknown } | null
    const bytes = fromBase64url(signature)
    if (named?.alg !== 'ES256' || named.crit !== undefined || typeof named.kid !== 'string' || bytes === null) return null
    if (!(await verify(named.kid, bytes, new TextEncoder().encode(`${header}.${payload}`)))) return null
    return configOf(parse(payload))
  }

  return {
    config: () => held?.config ?? null,
    verify,
    async refresh() {
      if (!(await pin())) return 'unanswered'
      const answer = await request(reach, '/v1/sigmon/config', held?.etag == null ? {} : { headers: { 'if-none-match': held.etag } })
      if (answer === null || answer.status >= 400) return 'unanswered'
      if (answer.status !== 200) return 'same'
      const config = await opened(await answer.text())
      if (config === null || (held !== null && isOlder(config, held.config))) return 'refused'
      const changed = config.version !== held?.config.version
      const trusted = await sound(config.keys, crypto)
      held = { config, etag: answer.headers.get('etag') }
      if (trusted.length > 0) keys = trusted
      await shelf.write({ config: held, keys })
      return changed ? 'changed' : 'same'
    },
  }
}

/** A version never goes back, and neither does an issue of the same version: an old one played again is refused. */
const isOlder = (config: SigmonConfig, held: SigmonConfig): boolean =>
  config.version < held.version || (config.version === held.version && Date.parse(config.issuedAt) < Date.parse(held.issuedAt))

/** Keys whose name is their own thumbprint (RFC 7638): a key under another's name is none. */
async function sound(keys: unknown, crypto: Crypto): Promise<Key[]> {
  const found: Key[] = []
  for (const key of Array.isArray(keys) ? (keys.slice(0, 8) as Partial<Key>[]) : []) {
    const { kid, x, y } = key
    if (typeof kid === 'string' && typeof x === 'string' && typeof y === 'string' && kid === (await kidOf(x, y, crypto))) found.push({ kid, x, y })
  }
  return found
}

const symbols = '0123456789abcdefghjkmnpqrstvwxyz'

/** First 80 bits of the thumbprint, in Crockford's base32. */
async function kidOf(x: string, y: string, crypto: Crypto): Promise<string> {
  const digest = await sha256With(crypto)(new TextEncoder().encode(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`))
  let [held, bits, kid] = [0, 0, '']
  for (const byte of digest.subarray(0, 10)) {
    held = (held << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) kid += symbols[(held >> (bits - 5)) & 31] ?? ''
    held &= (1 << bits) - 1
  }
  return kid
}

function fromBase64url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))
  } catch {
    return null
  }
}

function parse(part: string): unknown {
  const bytes = fromBase64url(part)
  try {
    return bytes === null ? null : (JSON.parse(new TextDecoder().decode(bytes)) as unknown)
  } catch {
    return null
  }
}

const within = (value: unknown, low: number, high: number): boolean => typeof value === 'number' && value >= low && value <= high
const isText = (value: unknown): boolean => value === null || typeof value === 'string'

/**
 * What the phone would come to harm by is held against contract/sigmon.ts here, without the schema library: a
 * signed slip must not let a million phones report each second.
 */
function configOf(value: unknown): SigmonConfig | null {
  const config = value as SigmonConfig | null
  if (typeof config !== 'object' || config === null) return null
  const { probes, budget, targets } = config
  if (typeof probes !== 'object' || typeof budget !== 'object' || typeof targets !== 'object') return null
  const sound = [
    Number.isInteger(config.version) && config.version >= 1, !Number.isNaN(Date.parse(config.issuedAt)), !Number.isNaN(Date.parse(config.validUntil)),
    Array.isArray(config.keys), Array.isArray(config.helpLines), within(config.intervalS, 30, 3_600), within(config.jitterShare, 0, 0.5), within(config.spreadS, 0, 900),
    within(probes.routine, 1, 10), within(probes.check, 3, 20), within(probes.timeoutMs, 500, 30_000), within(probes.reachEvery, 1, 1_000), isText(targets.internet), isText(targets.election),
    within(config.fullTestShare, 0, 1), within(budget.dailyBytes, 0, Infinity), within(budget.checkDownBytes, 0, 150_000), within(budget.checkUpBytes, 0, 75_000), within(budget.fullTestBytes, 0, Infinity),
  ]
  return sound.every(Boolean) ? config : null
}
