import { createHash } from 'node:crypto'
import type { Host, Reply } from './network.ts'
import { between, type World } from './world.ts'

/** What it does with a request: its ordinary work, or a fault of its own. */
type Mood = 'well' | 'dead' | 'odd'
export interface Receiver {
  readonly host: Host
  mood: Mood
  /** Hashes of what it holds, as it would say it to an auditor (docs/operating/receiver.md). */
  held(): string[]
}

/** The receiver as docs/operating/receiver.md has it: each record in its store before it answers, and to the same key the same answer for ever. It tells what it took, which is its store. */
export function createReceiver(world: World): Receiver {
  const random = world.random('receiver')
  const held = new Map<string, string>()
  const life = { isOver: false }
  const json = (status: number, value: unknown, headers: Record<string, string> = {}): Reply => ({ status, headers: { 'content-type': 'application/json', ...headers }, body: Buffer.from(JSON.stringify(value)) })
  const wait = (): Promise<null> => new Promise((resolve) => void world.later(between(random, 1, 50), null, () => resolve(null)))

  const receiver: Receiver = {
    mood: 'well', held: () => [...held.keys()],
    host: { name: 'receiver', door: { life, async answer({ headers, body }) {
      await wait()
      if (receiver.mood === 'dead') throw new TypeError('fetch failed')
      const chance = receiver.mood === 'odd' ? random() : 1
      if (chance < 0.1) return json(503, { error: 'busy' }, { 'retry-after': '60' })
      if (chance < 0.15) return json(422, { error: 'refused' })
      const hash = createHash('sha256').update(body ?? '').digest('hex')
      if (headers['idempotency-key'] !== `"${hash}"`) return json(400, { error: 'the key is not the hash of the record' })
      if (!held.has(hash)) {
        held.set(hash, JSON.stringify({ received: hash, nth: held.size }))
        world.tell('receiver', 'took', { hash })
      }
      await wait()
      if (chance < 0.25) throw new TypeError('fetch failed')
      return { status: 201, headers: { 'content-type': 'application/json' }, body: Buffer.from(held.get(hash) ?? '') }
    } } },
  }
  return receiver
}
