import { BlockList, isIP } from 'node:net'
import type { Database } from '../adapters/postgres/database.ts'

/** The table of networks is imported by another process: it is read again when it is older. */
const stale_ms = 10 * 60_000
const v4_bits = 32n
const v6_bits = 128n

interface Boundaries { readonly starts: readonly bigint[]; readonly owners: readonly (string | null)[] }

/** Source address to organisation by the most special of the networks that hold it; the address is not kept. */
interface Networks {
  /** @returns null where none is known, and for what is no address */
  operatorOf(address: string): string | null
  /** Resolves when a reading that is under way has ended. */
  idle(): Promise<void>
}

/** Reads the imported table of networks into memory, and again now and then. */
export async function openNetworks(database: Database, clock: () => number, failed: (error: unknown) => void): Promise<Networks> {
  let found = await readNetworks(database)
  let readAt = clock()
  let reading: Promise<void> | null = null
  const refresh = (): void => {
    readAt = clock()
    reading ??= readNetworks(database).then((fresh) => void (found = fresh), failed).finally(() => (reading = null))
  }
  return {
    operatorOf(address) {
      if (Math.abs(clock() - readAt) > stale_ms) refresh()
      return found(address)
    },
    idle: async () => (reading ?? undefined),
  }
}

async function readNetworks(database: Database): Promise<(address: string) => string | null> {
  const { rows } = await database.pool.query<{ prefix: string; organisation_id: string }>(
    'SELECT prefix::text, organisation_id FROM network WHERE valid_from <= now() AND (valid_to IS NULL OR valid_to > now()) ORDER BY prefix, valid_from')
  return lookUp(rows.map(({ prefix, organisation_id }) => ({ prefix, organisation: organisation_id })))
}

/** @param networks prefixes as `10.0.0.0/8`; of two equal ones the later holds */
export function lookUp(networks: readonly { readonly prefix: string; readonly organisation: string }[]): (address: string) => string | null {
  const of = (family: 4 | 6): Boundaries => flatten(networks.filter(({ prefix }) => isIP(prefix.split('/')[0] ?? '') === family), family === 4 ? v4_bits : v6_bits)
  const v6 = of(6)
  const { starts, owners } = of(4)
  const v4 = { starts: Float64Array.from(starts, Number), owners }
  return (text) => {
    const plain = v4Of(text.startsWith('::ffff:') ? text.slice(7) : text)
    if (plain >= 0) return v4.owners[below(v4.starts, plain)] ?? null
    return v6.starts.length === 0 || isIP(text) !== 6 ? null : (v6.owners[below(v6.starts, v6Of(text))] ?? null)
  }
}

/** The last place whose start is not above `value`; -1 below all. */
function below<T extends bigint | number>(starts: { readonly length: number; readonly [place: number]: T }, value: T): number {
  let [low, high] = [0, starts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((starts[middle] as T) <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Prefixes lie within each other or apart: laid flat, from each start on one owner holds. */
function flatten(networks: readonly { readonly prefix: string; readonly organisation: string }[], bits: bigint): Boundaries {
  const spans = networks.map(({ prefix, organisation }, order) => {
    const [address, length] = prefix.split('/') as [string, string | undefined]
    const size = 1n << (bits - BigInt(length ?? bits))
    const from = (bits === v4_bits ? BigInt(v4Of(address)) : v6Of(address)) & ~(size - 1n)
    return { from, to: from + size, organisation, order }
  }).sort((a, b) => (a.from === b.from ? (a.to === b.to ? a.order - b.order : a.to > b.to ? -1 : 1) : a.from < b.from ? -1 : 1))
  const starts: bigint[] = []
  const owners: (string | null)[] = []
  const mark = (at: bigint, owner: string | null): void => {
    if (starts.at(-1) === at) owners[owners.length - 1] = owner
    else if (owners.at(-1) !== owner) {
      starts.push(at)
      owners.push(owner)
    }
  }
  const open: typeof spans = []
  const closeUntil = (at: bigint): void => {
    for (let top = open.at(-1); top !== undefined && top.to <= at; top = open.at(-1)) {
      open.pop()
      mark(top.to, open.at(-1)?.organisation ?? null)
    }
  }
  for (const span of spans) {
    closeUntil(span.from)
    open.push(span)
    mark(span.from, span.organisation)
  }
  closeUntil(1n << bits)
  return { starts, owners }
}

/** -1 for what is no address of four decimal numbers. */
function v4Of(text: string): number {
  let [value, part, digits, dots] = [0, 0, 0, 0]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 46 && digits > 0 && dots < 3) {
      value = value * 256 + part
      ;[part, digits] = [0, 0]
      dots++
    } else if (code >= 48 && code <= 57 && digits < 3) {
      part = part * 10 + code - 48
      digits++
      if (part > 255) return -1
    } else return -1
  }
  return dots === 3 && digits > 0 ? value * 256 + part : -1
}

/** Of an address that `isIP` knows (RFC 4291, section 2.2). */
function v6Of(text: string): bigint {
  const bare = text.split('%')[0] ?? ''
  const mixed = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(bare)
  const v4 = mixed === null ? 0 : v4Of(mixed[2] ?? '')
  const hex = mixed === null ? bare : `${mixed[1]}${(v4 >>> 16).toString(16)}:${(v4 & 0xffff).toString(16)}`
  const [before, after] = hex.split('::') as [string, string | undefined]
  const groups = (part: string | undefined): string[] => (part ?? '').split(':').filter((group) => group !== '')
  const [first, last] = [groups(before), groups(after)]
  const all = after === undefined ? first : [...first, ...Array.from({ length: 8 - first.length - last.length }, () => '0'), ...last]
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
}

/** Names that stand for ranges, as the web server's own setting has them. */
const named: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.1/8', '::1/128'], linklocal: ['169.254.0.0/16', 'fe80::/10'], uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}
const remembered_max = 1_000

/**
 * Who asks, where proxies stand in front: from the connection's address back along X-Forwarded-For to the first that is
 * no trusted proxy.
 * @param trustProxy addresses, ranges as `10.0.0.0/8`, or loopback, linklocal, uniquelocal
 */
export function addressReader(trustProxy: readonly string[]): (remote: string, forwarded: string | string[] | undefined) => string {
  const list = new BlockList()
  for (const range of trustProxy.flatMap((each) => named[each] ?? [each])) {
    const [address, length] = range.split('/') as [string, string | undefined]
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (length === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(length), family)
  }
  let remembered = new Map<string, boolean>()
  const isTrusted = (text: string): boolean => {
    const known = remembered.get(text)
    if (known !== undefined) return known
    if (remembered.size >= remembered_max) remembered = new Map()
    const address = text.startsWith('::ffff:') ? text.slice(7) : text
    const family = isIP(address)
    const trusted = family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
    remembered.set(text, trusted)
    return trusted
  }
  return (remote, forwarded) => {
    if (trustProxy.length === 0 || forwarded === undefined || !isTrusted(remote)) return remote
    const chain = String(forwarded).split(',')
    for (let at = chain.length - 1; at >= 0; at--) {
      const address = (chain[at] as string).trim()
      if (at === 0 || !isTrusted(address)) return address
    }
    return remote
  }
}
