import { minute_ms, second_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { DeliveryRefused } from '../ticket/outbox.ts'
import { askOutside, type OutsideAnswer } from '../ticket/webhook.ts'
import type { Peer, PeerVersion, Proof } from './store.ts'
import { isOf, readTheirs, type Theirs } from './wire.ts'

/** Why a peer does not answer as it should, in a sentence with a way out. What is not a `DeliveryRefused` is of the whole system. */
export class PeerFailure extends Error {}

const answer_bytes_max = 1024 * 1024
/** Of a list in which a ticket of ours is looked for by hand: its first and its last so many. */
const searched_max = 100
/** A token that names no end is held so long: RFC 6749 leaves it open. */
const token_ms_default = 5 * minute_ms
/** A token is not used to its very end: the request travels too. */
const token_margin_ms = 30 * second_ms
const json = 'application/json'

interface ClientNeeds {
  readonly hosts: readonly string[]
  readonly clock: () => Instant
  /** Of one request. */
  readonly timeout_ms?: number
}
export type Target = Pick<Peer, 'url' | 'version' | 'proof'>

/** Calls one TMF621 system. @throws PeerFailure when it does not answer, DeliveryRefused when it will not have this one request */
export function createClient(needs: ClientNeeds, { url, version, proof }: Target) {
  const tokens = createTokens(needs, proof)

  async function ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object, etag?: string | null): Promise<OutsideAnswer> {
    const once = async (): Promise<OutsideAnswer> => reach(`${url}${path}`, async () => askOutside(`${url}${path}`, {
      method, hosts: needs.hosts, bytes_max: answer_bytes_max, ...(needs.timeout_ms === undefined ? {} : { timeout_ms: needs.timeout_ms }),
      headers: {
        accept: json, ...await tokens.headers(), ...(etag == null ? {} : { 'if-match': etag }),
        ...(body === undefined ? {} : { 'content-type': method === 'PATCH' && version === 5 ? 'application/merge-patch+json' : json }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }))
    const first = await once()
    // A token may be ended before its time: the next one is asked for, once.
    const answer = first.status === 401 && tokens.drop() ? await once() : first
    if (answer.status >= 200 && answer.status < 300) return answer
    throw failureOf(answer, `${method} ${url}${path.replace(/\?.*$/, '')}`)
  }

  async function list(query: Readonly<Record<string, string>>): Promise<{ tickets: Theirs[]; total: number }> {
    const answer = await ask('GET', `/troubleTicket?${new URLSearchParams(query).toString()}`)
    const rows = jsonOf(answer, `${url}/troubleTicket`)
    if (!Array.isArray(rows)) throw new PeerFailure(`GET ${url}/troubleTicket gives no list: this is not TMF621. Give the address up to and without /troubleTicket.`)
    return { tickets: rows.flatMap((row) => readTheirs(row) ?? []), total: Number(answer.headers['x-total-count'] ?? rows.length) }
  }
  const one = (answer: OutsideAnswer, what: string): Theirs => {
    const theirs = readTheirs(jsonOf(answer, what), answer.headers.etag)
    if (theirs === null) throw new PeerFailure(`${what} answers without an id: this is not a ticket of TMF621.`)
    return theirs
  }

  return {
    list,
    get: async (id: string): Promise<Theirs> => one(await ask('GET', `/troubleTicket/${encodeURIComponent(id)}`), `GET ${url}/troubleTicket`),
    create: async (body: object): Promise<Theirs> => one(await ask('POST', '/troubleTicket', body), `POST ${url}/troubleTicket`),
    /** @param etag where they gave one, they refuse what was made of an older state */
    patch: async (id: string, body: object, etag: string | null): Promise<void> => void await ask('PATCH', `/troubleTicket/${encodeURIComponent(id)}`, body, etag),
    find: (externalId: string): Promise<Theirs | null> => find(list, version, externalId),
    /** @returns the id of our listener there */
    async listen(callback: string): Promise<string> {
      const made = parsed((await ask('POST', '/hub', { callback, ...(version === 5 ? { '@type': 'Hub' } : {}) })).text) as { readonly id?: unknown } | null
      if (typeof made?.id !== 'string' && typeof made?.id !== 'number') throw new PeerFailure(`POST ${url}/hub answers without an id.`)
      return String(made.id)
    },
    unlisten: async (id: string): Promise<void> => void await ask('DELETE', `/hub/${encodeURIComponent(id)}`),
  }
}
export type PeerClient = ReturnType<typeof createClient>

/**
 * The ticket of theirs that has our id. Not every system filters by it: one that refuses, or gives others too, is
 * searched in the first and the last hundred of its list.
 */
async function find(list: (query: Readonly<Record<string, string>>) => Promise<{ tickets: Theirs[]; total: number }>, version: PeerVersion, id: string): Promise<Theirs | null> {
  const limit = String(searched_max)
  const filtered = await list({ [version === 5 ? 'externalIdentifier.id' : 'externalId']: id, limit }).catch((error: unknown) => {
    if (error instanceof DeliveryRefused) return null
    throw error
  })
  const found = filtered?.tickets.find((theirs) => isOf(theirs, id))
  if (found !== undefined || filtered?.tickets.length === 0) return found ?? null
  const first = await list({ limit })
  const last = first.total > searched_max ? await list({ limit, offset: String(Math.max(0, first.total - searched_max)) }) : { tickets: [] }
  return [...first.tickets, ...last.tickets].find((theirs) => isOf(theirs, id)) ?? null
}

/** The headers that prove who we are; of OAuth 2.0 by client credentials (RFC 6749, 4.4), a token that is kept until it is nearly over. */
function createTokens(needs: ClientNeeds, proof: Proof) {
  let token: { readonly text: string; readonly until: Instant } | null = null

  async function ofOauth({ tokenUrl, client, secret }: Extract<Proof, { kind: 'oauth' }>): Promise<string> {
    if (token !== null && needs.clock() < token.until) return token.text
    const answer = await reach(tokenUrl, () => askOutside(tokenUrl, {
      method: 'POST', hosts: needs.hosts, bytes_max: answer_bytes_max, ...(needs.timeout_ms === undefined ? {} : { timeout_ms: needs.timeout_ms }), body: 'grant_type=client_credentials',
      // As 2.3.1 has it: each part is form-encoded before both are joined.
      headers: { accept: json, 'content-type': 'application/x-www-form-urlencoded', authorization: basic(encodeURIComponent(client), encodeURIComponent(secret)) },
    }))
    const given = parsed(answer.text) as { readonly access_token?: unknown; readonly expires_in?: unknown } | null
    if (answer.status !== 200 || typeof given?.access_token !== 'string') throw new PeerFailure(`${tokenUrl} gives no token (HTTP ${answer.status}). Mend --client and --secret-file.`)
    const lasts_ms = Number(given.expires_in ?? NaN) * second_ms
    token = { text: given.access_token, until: needs.clock() + Math.max(0, (Number.isFinite(lasts_ms) ? lasts_ms : token_ms_default) - token_margin_ms) }
    return token.text
  }
  return {
    async headers(): Promise<Record<string, string>> {
      switch (proof.kind) {
        case 'none': return {}
        case 'header': return { [proof.name.toLowerCase()]: proof.secret }
        case 'basic': return { authorization: basic(proof.user, proof.secret) }
        case 'oauth': return { authorization: `Bearer ${await ofOauth(proof)}` }
      }
    },
    /** @returns whether another one may be had */
    drop(): boolean {
      token = null
      return proof.kind === 'oauth'
    },
  }
}

const basic = (user: string, secret: string): string => `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function jsonOf(answer: OutsideAnswer, what: string): unknown {
  if (!answer.isWhole) throw new PeerFailure(`${what}: the answer broke off, or is longer than 1 MiB.`)
  const value = parsed(answer.text)
  if (value === null) throw new PeerFailure(`${what} answers no JSON: this is not TMF621. Mend --url.`)
  return value
}

/** What a code of the network means for who set the address. */
const ways: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name is not known (DNS). Mend the host in --url', EAI_AGAIN: 'the name cannot be looked up now (DNS)', ECONNREFUSED: 'nobody listens there. Mend the port in --url, or start the system',
  ECONNRESET: 'the connection broke', ETIMEDOUT: 'no connection in time', EHOSTUNREACH: 'no way to that host', ENETUNREACH: 'no way to that network',
}

async function reach(address: string, work: () => Promise<OutsideAnswer>): Promise<OutsideAnswer> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof PeerFailure) throw error
    const { name, message, code = '' } = error as Error & { code?: string }
    const host = new URL(address).host
    if (message === 'address not allowed') throw new PeerFailure(`${host} is neither public by https nor named: start kawal serve with --callback-hosts, or give a public https address.`)
    if (name === 'TimeoutError' || name === 'AbortError') throw new PeerFailure(`${host}: no answer in time.`)
    if (/^(CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|UNABLE_TO|SELF_SIGNED|HOSTNAME_MISMATCH|EPROTO)/.test(code)) throw new PeerFailure(`${host}: its certificate or TLS is not accepted (${code}: ${message}).`)
    throw new PeerFailure(`${host}: ${ways[code] ?? message}.`)
  }
}

/** Refusals that are of the whole system, or pass by themselves: who we are, too much, a change meanwhile. */
const ofAll: ReadonlySet<number> = new Set([401, 403, 407, 408, 412, 423, 425, 428, 429])

function failureOf({ status, text }: OutsideAnswer, what: string): Error {
  const said = parsed(text) as { readonly reason?: unknown; readonly message?: unknown; readonly detail?: unknown } | null
  const words = [said?.reason, said?.message, said?.detail].filter((word) => typeof word === 'string').join(': ').slice(0, 200)
  const sentence = `${what} answers ${status}${words === '' ? '' : ` (${words})`}`
  if (status === 401 || status === 403) return new PeerFailure(`${sentence}: who we are is not accepted. Mend the secret or the rights of our account there.`)
  if (status === 404 || status === 405 || status === 501) return new DeliveryRefused(`${sentence}: nothing of TMF621 is there, or the ticket is gone. Mend --url or --version.`)
  if (status >= 300 && status < 400) return new PeerFailure(`${sentence}: a redirect, which is not followed. Give the address that it leads to.`)
  return status >= 500 || ofAll.has(status) ? new PeerFailure(sentence) : new DeliveryRefused(sentence)
}
