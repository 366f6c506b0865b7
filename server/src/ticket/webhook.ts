import { createHmac } from 'node:crypto'
import { lookup } from 'node:dns'
import { request as overHttp, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { request as overHttps } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { second_ms, type Instant } from '@kawal/core/kernel/clock.ts'

/** One event on its way to a listener. */
export interface Post {
  readonly callback: string
  /** The same for every attempt: a receiver tells a repetition by it. */
  readonly id: string
  readonly body: unknown
  /** What the listener's secret is made from, with the deployment's. */
  readonly listener: string
  readonly at: Instant
}
/** Resolves to the HTTP status, rejects when there was no answer in time. */
export type Send = (post: Post) => Promise<number>

export const send_timeout_ms = 5 * second_ms
/** Enough of an answer to know that it came; the rest is not read. */
const answer_bytes_max = 64 * 1024

/** Where nobody's public service is: IANA's special-purpose registries (RFC 6890), and what carries an address of version 4 inside. */
const special = new BlockList()
for (const [net, bits] of [['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24], ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 3]] as const) special.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [['2001::', 23], ['2001:db8::', 32], ['2002::', 16], ['3fff::', 20]] as const) special.addSubnet(net, bits, 'ipv6')
const globalUnicast = new BlockList()
globalUnicast.addSubnet('2000::', 3, 'ipv6')

/** Whether an address is one of the public Internet. */
export function isPublic(address: string): boolean {
  const family = isIP(address)
  return family === 4 ? !special.check(address, 'ipv4') : family === 6 && globalUnicast.check(address, 'ipv6') && !special.check(address, 'ipv6')
}

/**
 * Whether events may be sent to this address, as far as its text tells: https to anything public, or what the
 * installation names. What a name stands for is judged when it is connected to.
 * @param hosts named by the installation: private ones, and such without TLS
 */
export function callbackAllowed(callback: string, hosts: readonly string[]): boolean {
  if (!URL.canParse(callback)) return false
  const { protocol, hostname, username, password } = new URL(callback)
  if ((protocol !== 'http:' && protocol !== 'https:') || username !== '' || password !== '') return false
  if (isNamed(hostname, hosts)) return true
  const address = hostname.replace(/^\[|\]$/g, '')
  return protocol === 'https:' && (isIP(address) === 0 ? hostname.includes('.') : isPublic(address))
}

const isNamed = (hostname: string, hosts: readonly string[]): boolean => hosts.some((host) => host.toLowerCase() === hostname)

/** The addresses that are connected to are those that were judged: a name that answers otherwise a moment later gains nothing. */
export const publicOnly: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return done(error, [])
    const refused = addresses.find(({ address }) => !isPublic(address))
    if (refused !== undefined) return done(new Error(`${hostname} is ${refused.address}: not a public address`), [])
    if (options.all === true) return done(null, addresses)
    const [first] = addresses
    return first === undefined ? done(new Error(`${hostname} has no address`), []) : done(null, first.address, first.family)
  })
}

/** Standard Webhooks: what a listener checks signatures with, after `whsec_` in base64. Kept nowhere. */
export const webhookSecret = (deployment: Buffer, listener: string): Buffer => createHmac('sha256', deployment).update(`webhook ${listener}`).digest()

/** The headers of Standard Webhooks (v1: HMAC-SHA256 over id, second and body). */
function signature(secret: Buffer, { id, at }: Pick<Post, 'id' | 'at'>, body: string): Record<string, string> {
  const timestamp = String(Math.floor(at / second_ms))
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}` }
}

/** A request to a system that is somebody else's. */
interface Ask {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
  /** Named by the installation: see `callbackAllowed`. */
  readonly hosts: readonly string[]
  /** More of an answer is not read. */
  readonly bytes_max: number
  readonly timeout_ms?: number
}
/** @property isWhole false: the connection broke before its end, or it is longer than was to be read */
export interface OutsideAnswer { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string; readonly isWhole: boolean }

/**
 * Asks over HTTP with a time limit. No redirect is followed: the address was judged, not what it points to.
 * Rejects when there was no answer in time, and where the address is not allowed.
 */
export function askOutside(address: string, { method, headers = {}, body, hosts, bytes_max, timeout_ms = send_timeout_ms }: Ask): Promise<OutsideAnswer> {
  return new Promise((resolve, reject) => {
    if (!callbackAllowed(address, hosts)) throw new Error('address not allowed')
    const url = new URL(address)
    const request = (url.protocol === 'https:' ? overHttps : overHttp)(url, {
      method, agent: false, signal: AbortSignal.timeout(timeout_ms), ...(isNamed(url.hostname, hosts) ? {} : { lookup: publicOnly }),
      headers: { ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
    }, (answer) => {
      const parts: Buffer[] = []
      let bytes = 0
      answer.on('data', (part: Buffer) => ((bytes += part.length) > bytes_max ? answer.destroy() : parts.push(part)))
        .on('close', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(parts).toString('utf8'), isWhole: answer.complete && bytes <= bytes_max }))
    })
    request.on('error', reject).end(body)
  })
}

/** Posts to where somebody outside wants it. @param hosts see `callbackAllowed` @returns the HTTP status; rejects as `askOutside` does */
export const postTo = (address: string, hosts: readonly string[], headers: OutgoingHttpHeaders, body: string | Buffer): Promise<number> =>
  askOutside(address, { method: 'POST', headers, body, hosts, bytes_max: answer_bytes_max }).then(({ status }) => status)

/** Posts events, signed. */
export function createSend({ secret, hosts }: { readonly secret: Buffer; readonly hosts: readonly string[] }): Send {
  return async (post) => {
    const body = JSON.stringify(post.body)
    const headers = { 'content-type': 'application/json', ...signature(webhookSecret(secret, post.listener), post, body) }
    return postTo(post.callback, hosts, headers, body)
  }
}
