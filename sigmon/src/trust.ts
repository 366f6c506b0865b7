import { keyId } from '@kawal/contract/pack.ts'
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
  /** The key that the letter's QR names; null: what is seen first is pinned (trust at first sight, over TLS). */
  readonly letterKey: string | null
}

export interface Trust {
  config(): SigmonConfig | null
  /** Those that are trusted now: the shell verifies with them too. */
  keys(): readonly Key[]
  /** Whose signature counts is pinned before. @returns false when there is no such key, or it does not fit */
  verify(kid: string, signature: Uint8Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>): Promise<boolean>
  /** Fetches keys where none are pinned, then the configuration. @returns `changed`, `same`, `refused` (forged, rolled back, not understood) or `unanswered` */
  refresh(): Promise<'changed' | 'same' | 'refused' | 'unanswered'>
  /** The key that a letter names, looked at by the next `refresh`; see `follow`. */
  expect(kid: string): void
  /** The platform has signed with keys unknown here, and they agree with each other: it was set up anew, or is not the one. */
  keysChanged(): boolean
}

interface HeldConfig { readonly config: SigmonConfig; readonly etag: string | null }
/** Configurations in a row that an unknown key signed. */
interface Strange { readonly times: number; readonly changed: boolean }
const known: Strange = { times: 0, changed: false }
/** One may come from a portal or a server in the middle of its set-up; the officer is told after so many. */
const strange_times = 3

export async function createTrust({ reach, crypto, shelf, letterKey }: Needs): Promise<Trust> {
  let keys = (await shelf.read<readonly Key[]>('keys')) ?? []
  let held = (await shelf.read<HeldConfig>('config')) ?? null
  let strange = (await shelf.read<Strange>('strange')) ?? known
  let named = letterKey

  /** What the platform says of its keys; null when it does not answer. */
  async function offered(): Promise<Key[] | null> {
    const answer = await request(reach, '/v1/sigmon/keys')
    return answer?.status === 200 ? sound((await read<Partial<VerifyingKeys>>(answer))?.keys, crypto) : null
  }

  async function pin(): Promise<boolean> {
    if (keys.length > 0) return true
    const wanted = ((await offered()) ?? []).filter((key) => named === null || key.kid === named)
    if (wanted.length === 0) return false
    await shelf.write({ keys: wanted })
    keys = wanted
    return true
  }

  /**
   * A platform that lost its keys cannot be told from one that only says so, so nothing is pinned anew but what a
   * letter on paper names; and not even that while the platform signs with another one: an old letter changes nothing.
   */
  async function follow(): Promise<void> {
    if (named === null || keys.some((key) => key.kid === named)) return
    const [found, answer] = [await offered(), await request(reach, '/v1/sigmon/config')]
    if (found === null || answer?.status !== 200) return
    const fresh = found.filter((key) => key.kid === named)
    named = null
    const config = await opened(await answer.text(), fresh)
    if (config !== null) await take(config, answer, fresh)
  }

  /** A portal's page and a forgery under a known name are none of it: what counts is another name, time after time. */
  async function meetStranger(jws: string): Promise<void> {
    const kid = kidOf(jws)
    if (kid === null || keys.some((key) => key.kid === kid)) return
    const times = Math.min(strange_times, strange.times + 1)
    const found = times < strange_times ? null : await offered()
    strange = { times, changed: strange.changed || (found !== null && (await opened(jws, found)) !== null) }
    await shelf.write({ strange })
  }

  async function recognise(): Promise<void> {
    if (strange.times === 0) return
    strange = known
    await shelf.write({ strange })
  }

  async function take(config: SigmonConfig, answer: Response, signers: readonly Key[]): Promise<void> {
    const trusted = await sound(config.keys, crypto)
    held = { config, etag: answer.headers.get('etag') }
    keys = trusted.length > 0 ? trusted : signers
    await shelf.write({ config: held, keys })
    await recognise()
  }

  async function verify(kid: string, signature: Uint8Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>, by = keys): Promise<boolean> {
    const key = by.find((each) => each.kid === kid)
    if (key === undefined || signature.length !== 64) return false
    try {
      const imported = await crypto.subtle.importKey('jwk', { kty: 'EC', crv: 'P-256', x: key.x, y: key.y }, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
      return await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, imported, signature, bytes)
    } catch {
      return false
    }
  }

  /** JWS in compact form (RFC 7515, 3.1), ES256. The algorithm is ours to say, not the header's. */
  async function opened(jws: string, by: readonly Key[]): Promise<SigmonConfig | null> {
    const parts = jws.trim().split('.')
    const [header, payload, signature] = parts
    if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined) return null
    const about = parse(header) as { alg?: unknown; kid?: unknown; crit?: unknown } | null
    const bytes = fromBase64url(signature)
    if (about?.alg !== 'ES256' || about.crit !== undefined || typeof about.kid !== 'string' || bytes === null) return null
    if (!(await verify(about.kid, bytes, new TextEncoder().encode(`${header}.${payload}`), by))) return null
    return configOf(parse(payload))
  }

  return {
    config: () => held?.config ?? null,
    keys: () => keys,
    keysChanged: () => strange.changed,
    expect: (kid) => void (named = kid),
    verify,
    async refresh() {
      if (!(await pin())) return 'unanswered'
      await follow()
      const answer = await request(reach, '/v1/sigmon/config', held?.etag == null ? {} : { headers: { 'if-none-match': held.etag } })
      if (answer === null || answer.status >= 400) return 'unanswered'
      if (answer.status !== 200) return 'same'
      const jws = await answer.text()
      const config = await opened(jws, keys)
      if (config === null) await meetStranger(jws)
      if (config === null || (held !== null && isOlder(config, held.config))) return 'refused'
      const changed = config.version !== held?.config.version
      await take(config, answer, keys)
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
    if (typeof kid === 'string' && typeof x === 'string' && typeof y === 'string' && kid === (await keyId({ x, y }, sha256With(crypto)))) found.push({ kid, x, y })
  }
  return found
}

/** The `kid` in the header of what may be a JWS. */
function kidOf(jws: string): string | null {
  const [header = '', , signature] = jws.trim().split('.')
  const about = signature === undefined ? null : (parse(header) as { kid?: unknown } | null)
  return typeof about?.kid === 'string' ? about.kid : null
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
    within(probes.routine, 1, 10), within(probes.check, 3, 20), within(probes.timeoutMs, 500, 30_000), within(probes.reachEvery, 1, 1_000), isText(targets.internet), isText(targets.election), isText(config.ledgerKey ?? null), isText(config.ledgerPolicy ?? null),
    within(config.fullTestShare, 0, 1), within(budget.dailyBytes, 0, Infinity), within(budget.checkDownBytes, 0, 150_000), within(budget.checkUpBytes, 0, 75_000), within(budget.fullTestBytes, 0, Infinity),
  ]
  return sound.every(Boolean) ? config : null
}
