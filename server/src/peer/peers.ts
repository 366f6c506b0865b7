import { createHmac, timingSafeEqual } from 'node:crypto'
import type { TroubleTicketEvent } from '@kawal/contract/ticket.ts'
import { hour_ms, minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { DeliveryRefused } from '../ticket/outbox.ts'
import type { Send } from '../ticket/webhook.ts'
import { createClient, PeerFailure, type PeerClient } from './client.ts'
import { keepListener, organisationOf, peerFailed, peerHeard, peerSucceeded, readPeers, readPeerTicket, ticketRefused, ticketsOf, type Peer } from './store.ts'
import { syncTicket, type SyncNeeds } from './sync.ts'

interface PeerNeeds extends SyncNeeds {
  /** The deployment's. */
  readonly secret: Buffer
  /** Hosts that may be called though they are private, or without TLS. */
  readonly hosts: readonly string[]
  /** Where our server is found: peers post their events there. Without it they are asked alone. */
  readonly url?: string | undefined
  /** Of one request. */
  readonly timeout_ms?: number
}

/** So often all open tickets of a peer are looked at: one that posts events, and one that does not. */
const [round_ms, round_heard_ms] = [minute_ms, 10 * minute_ms]
/** A peer that would not have our listener is asked again. */
const listening_retry_ms = hour_ms
/** Tickets that events named, of a peer: more of them wait for its next round. */
const hints_max = 1_000

export const eventsPath = '/v1/peers/events'

/** What stands in the address that a peer posts to: whose it is, and a proof that we gave it. */
function eventToken(deployment: Buffer, organisation: string): string {
  return `${organisation}.${createHmac('sha256', deployment).update(`peer events ${organisation}`).digest('hex')}`
}

/** @returns the organisation; null for a token that we never gave */
export function readEventToken(deployment: Buffer, token: string): string | null {
  const organisation = token.slice(0, Math.max(0, token.lastIndexOf('.')))
  const [given, right] = [Buffer.from(token), Buffer.from(eventToken(deployment, organisation))]
  return given.length === right.length && timingSafeEqual(given, right) ? organisation : null
}

interface Round { peer: Peer; nextAt: Instant; readonly queue: string[]; readonly hints: Set<string> }

/**
 * Keeps tickets in organisations' own systems as ours are, and ours as they say. What changes here comes by the outbox
 * (`send`), what changes there by their events and by looking (`turn`). One request at a time to each peer, all peers side by
 * side. Of several processes one alone may run it: the one that runs the outbox.
 */
export function createPeers(needs: PeerNeeds) {
  const { database, clock, secret } = needs
  /** What is being done with a peer; the next thing waits for it. */
  const busy = new Map<string, Promise<unknown>>()
  const clients = new Map<string, { readonly of: string; readonly client: PeerClient }>()
  const rounds = new Map<string, Round>()
  let rereadAt = -Infinity

  function alone<T>(organisation: string, work: () => Promise<T>): Promise<T> {
    const done = (busy.get(organisation) ?? Promise.resolve()).then(work, work)
    const settled: Promise<unknown> = done.catch(() => undefined).finally(() => {
      if (busy.get(organisation) === settled) busy.delete(organisation)
    })
    busy.set(organisation, settled)
    return done
  }

  /** Made anew when its address or proof changes: a token of the one before is none of this one. */
  function clientOf(peer: Peer): PeerClient {
    const of = JSON.stringify([peer.url, peer.version, peer.proof])
    const known = clients.get(peer.organisation)
    if (known?.of === of) return known.client
    const client = createClient({ hosts: needs.hosts, clock, ...(needs.timeout_ms === undefined ? {} : { timeout_ms: needs.timeout_ms }) }, peer)
    clients.set(peer.organisation, { of, client })
    return client
  }

  /** @param atLeast what they know of already is not looked at again */
  function sync(organisation: string, ticket: string, atLeast: number): Promise<void> {
    return alone(organisation, async () => {
      const [peer] = await readPeers(database, secret, organisation)
      if (peer === undefined || (await readPeerTicket(database, organisation, ticket)).version >= atLeast) return
      try {
        await syncTicket(needs, peer, clientOf(peer), ticket)
        await peerSucceeded(database, organisation, clock())
      } catch (error) {
        if (error instanceof PeerFailure) await peerFailed(database, organisation, error.message, clock())
        else if (error instanceof DeliveryRefused) await ticketRefused(database, organisation, ticket, error.message, clock())
        throw error
      }
    })
  }

  /** What did not work is written down with the peer; anything else is a fault of ours. */
  const expected = (error: unknown): void => {
    if (!(error instanceof PeerFailure || error instanceof DeliveryRefused)) needs.failed(error)
  }

  async function listen(peer: Peer, now: Instant): Promise<void> {
    const callback = needs.url === undefined ? null : `${needs.url}${eventsPath}/${eventToken(secret, peer.organisation)}`
    if (callback === null || peer.callback === callback || (peer.listeningAskedAt !== null && now < peer.listeningAskedAt + listening_retry_ms)) return
    const listener = await clientOf(peer).listen(callback).catch((error: unknown) => (expected(error), null))
    await keepListener(database, peer.organisation, listener, callback, now)
  }

  async function reread(now: Instant): Promise<void> {
    rereadAt = now + round_ms
    const peers = await readPeers(database, secret)
    for (const peer of peers) {
      const round = rounds.get(peer.organisation)
      if (round === undefined) rounds.set(peer.organisation, { peer, nextAt: now, queue: [], hints: new Set() })
      else round.peer = peer
    }
    for (const organisation of rounds.keys()) if (!peers.some((peer) => peer.organisation === organisation)) rounds.delete(organisation)
  }

  /** One ticket of a peer: what an event named, or the next of its round. */
  async function look({ peer, queue, hints }: Round, isRound: boolean, now: Instant): Promise<void> {
    const { organisation } = peer
    if (isRound) {
      await alone(organisation, () => listen(peer, now))
      queue.splice(0, queue.length, ...await ticketsOf(database, organisation))
    }
    const [hint] = hints
    if (hint !== undefined) hints.delete(hint)
    const ticket = hint ?? queue.shift()
    // Whoever does not answer for one ticket is left alone until the next round.
    if (ticket !== undefined) await sync(organisation, ticket, Infinity).catch((error: unknown) => (error instanceof PeerFailure && queue.splice(0), expected(error)))
  }

  return {
    /** For the outbox: an event of ours says that a ticket is to be looked at. */
    send: (async ({ callback, body }) => {
      const { eventId, event } = body as TroubleTicketEvent
      await sync(organisationOf(callback), event.troubleTicket.id, Number(eventId.slice(eventId.lastIndexOf('.') + 1)))
      return 204
    }) satisfies Send,
    /** A peer posted an event. It is a hint to look, and no more: what stands in it is not believed. */
    async heard(organisation: string, theirId: string | null): Promise<void> {
      const ticket = await peerHeard(database, organisation, theirId, clock())
      const hints = rounds.get(organisation)?.hints
      if (ticket !== null && hints !== undefined && hints.size < hints_max) hints.add(ticket)
    },
    /** Looks at the next ticket of each peer that is not being asked. Resolves when all that it began is done. */
    async turn(now: Instant): Promise<void> {
      if (now >= rereadAt) await reread(now)
      const idle = [...rounds.values()].filter(({ peer }) => !busy.has(peer.organisation))
      await Promise.all(idle.map((round) => {
        const isRound = now >= round.nextAt
        if (!isRound && round.hints.size === 0 && round.queue.length === 0) return undefined
        const { heardAt, listener } = round.peer
        if (isRound) round.nextAt = now + (listener !== null && heardAt !== null && heardAt > now - round_heard_ms ? round_heard_ms : round_ms)
        return look(round, isRound, now)
      }))
    },
  }
}
export type Peers = ReturnType<typeof createPeers>
