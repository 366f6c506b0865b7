import type { Instant } from '@kawal/core/kernel/clock.ts'
import { isOver, type Ticket } from '@kawal/core/ticket/ticket.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { writeAct, writeOutcome } from '../organisation/audit-store.ts'
import { DeliveryRefused } from '../ticket/outbox.ts'
import { command, getTicket } from '../ticket/tickets.ts'
import { PeerFailure, type PeerClient } from './client.ts'
import { blank, readPeerTicket, writePeerTicket, type Memory, type Peer } from './store.ts'
import { changedFacts, creationOf, factsHash, factsOf, withNotes, type Theirs } from './wire.ts'
import { absorb, hearing, statusTold, wordsOf, type Told, type Word } from './words.ts'

export interface SyncNeeds {
  readonly database: Database
  readonly clock: () => Instant
  /** Told of a ticket that a peer's word changed, after the commit. */
  readonly changed: (ticket: string) => void
  readonly failed: (error: unknown) => void
}

/** What an act of theirs came to, as HTTP says it. */
const [acted, unfit] = [200, 409]
/** A ticket that changes under each of so many looks is left for the next turn. */
const looks_max = 3

/**
 * Brings our ticket and theirs together: first what they say is done here, then what they lack is told there. It looks at
 * how both stand, not at what happened: done twice, or cut off anywhere, it comes to the same. One at a time for a ticket.
 * @throws PeerFailure, DeliveryRefused: what was done until then stands
 */
export async function syncTicket(needs: SyncNeeds, peer: Peer, client: PeerClient, id: string): Promise<void> {
  const { database, clock } = needs
  const { organisation } = peer
  const kept = await readPeerTicket(database, organisation, id)
  const ticket = await getTicket(needs, system, id)
  if (ticket === null) return
  let { theirId, memory } = kept
  let theirs: Theirs
  const keep = (memory: Memory, version: number): Promise<void> => writePeerTicket(database, organisation, id, { theirId, version, memory })
  if (theirId === null) {
    // A request is their own word: they have it where they asked.
    if (ticket.operator !== organisation || isOver(ticket) || ticket.request !== undefined) return
    const begun = await begin(peer, client, ticket, clock())
    ;({ theirs, memory } = begun)
    theirId = theirs.id
    await keep(memory, 0)
  } else theirs = await client.get(theirId)
  memory = absorb(memory, theirs)
  const now = ticket.operator === organisation ? await take(needs, peer, ticket, theirs, memory) : ticket
  memory = hearing(memory, theirs)
  await keep(memory, kept.version)
  await keep(await tell(peer, client, now, theirs, memory, clock(), (before) => keep(before, kept.version)), now.version)
}

/** Finds the ticket that an earlier attempt made, whose answer was lost, or makes it. A status that it begins with is nobody's word. */
async function begin(peer: Peer, client: PeerClient, ticket: Ticket, now: Instant): Promise<{ theirs: Theirs; memory: Memory }> {
  const found = await client.find(ticket.id)
  const made = found ?? await client.create(creationOf(ticket, peer.version, now))
  const theirs = await client.get(made.id)
  const isFirst = theirs.status === 'acknowledged' || theirs.status === '' || (found === null && made.status === theirs.status)
  const facts = found === null ? factsHash(factsOf(ticket, peer.version, now)) : ''
  return { theirs, memory: { ...blank, heard: { ...blank.heard, status: isFirst ? theirs.mark : '' }, told: { ...blank.told, facts } } }
}

/** Does what they said, each word once, as the organisation's own act. @returns the ticket after it */
async function take(needs: SyncNeeds, peer: Peer, ticket: Ticket, theirs: Theirs, memory: Memory): Promise<Ticket> {
  let now = ticket
  for (let looks = 0; looks < looks_max; looks++) {
    const words = wordsOf(peer.url, now, theirs, memory)
    let isStale = false
    for (const word of words) {
      const said = await say(needs, peer, now, word)
      if (said === null) isStale = true
      else now = said
      if (isStale) break
    }
    if (!isStale) return now
    now = await getTicket(needs, system, ticket.id) ?? now
  }
  throw new PeerFailure(`${ticket.id} changes too fast to be compared.`)
}

/** @returns null where the ticket changed meanwhile, and is to be looked at anew */
async function say(needs: SyncNeeds, { caller }: Peer, ticket: Ticket, { once, what, actions, reason }: Word): Promise<Ticket | null> {
  const { database, clock, changed, failed } = needs
  const begun = await writeAct(database, { at: clock(), actor: caller, address: null, method: 'PEER', path: what, subject: ticket.id, reason, request: null })
  const said = await command(needs, caller, ticket.id, actions, ticket.version, once)
  await writeOutcome(database, begun, { at: clock(), status: said.ok ? acted : unfit, made: null }).catch(failed)
  if (said.ok) {
    changed(ticket.id)
    return said.value
  }
  // What does not fit any more is no fault: the ticket went on.
  return said.error === 'version_conflict' ? null : ticket
}

/**
 * Tells them what they lack: the status where it is not theirs, notes of others, what is measured.
 * @param keep writes down that a status is on its way, before it is: its lost answer is then not taken for their word
 * @returns what is to be remembered
 */
async function tell({ organisation, version }: Peer, client: PeerClient, ticket: Ticket, theirs: Theirs, memory: Memory, now: Instant, keep: (memory: Memory) => Promise<void>): Promise<Memory> {
  const isTheirs = ticket.operator === organisation
  const status = statusTold(ticket, organisation, theirs, memory, now)
  // What became of a ticket that somebody else has now is not theirs to know.
  const facts = isTheirs ? factsOf(ticket, version, now) : {}
  const hash = isTheirs ? factsHash(facts) : memory.told.facts
  const notes = isTheirs ? ticket.notes.filter(({ id, by, text }) => Number(id) > memory.told.note && !(by === organisation && theirs.notes.some((note) => note.text === text))) : []
  const told = { ...memory, told: { status: status.key, facts: hash, note: Math.max(memory.told.note, ...(isTheirs ? ticket.notes : []).map(({ id }) => Number(id))) } }
  const said = notes.map(({ id, by, at, text }) => ({ id, author: by, at, text }))
  const rest = { ...(hash === memory.told.facts ? {} : changedFacts(facts, theirs)), ...listed(withNotes(ticket.id, theirs, said, version)) }
  if (status.status === null) {
    if (Object.keys(rest).length > 0) await client.patch(theirs.id, { '@type': 'TroubleTicket', ...rest }, theirs.etag)
    return { ...told, telling: null }
  }
  await keep({ ...memory, telling: status.status })
  const isTaken = await tellStatus(client, ticket, theirs, rest, { ...status, status: status.status }, { said, version, now })
  // What stands there now and was not told is a word of theirs, for the next look.
  return { ...(isTaken ? absorb({ ...told, telling: status.status }, await client.get(theirs.id)) : told), telling: null }
}

const listed = (note: readonly object[]): { note?: readonly object[] } => (note.length === 0 ? {} : { note })

/** A system whose ticket cannot go there from where it is hears of it by a note. @returns whether it took the status */
async function tellStatus(
  client: PeerClient, ticket: Ticket, theirs: Theirs, rest: object, { key, status, reason }: Told & { readonly status: string },
  { said, version, now }: { readonly said: Parameters<typeof withNotes>[2]; readonly version: Peer['version']; readonly now: Instant },
): Promise<boolean> {
  const body = { '@type': 'TroubleTicket', ...rest }
  try {
    await client.patch(theirs.id, { ...body, status, ...(reason === '' ? {} : { statusChangeReason: reason }) }, theirs.etag)
    return true
  } catch (error) {
    if (!(error instanceof DeliveryRefused)) throw error
    const instead = { id: `status ${key.trim()}`, author: 'Kawal Sinyal', at: now, text: [status, reason].filter(Boolean).join(': ') }
    const note = withNotes(ticket.id, theirs, [...said, instead], version)
    if (note.length > 0) await client.patch(theirs.id, { ...body, note }, theirs.etag)
    return false
  }
}
