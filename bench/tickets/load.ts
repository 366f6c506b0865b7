import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { seeded } from '@kawal/core/kernel/random.ts'
import type { World } from './world.ts'

const sockets = 128
/** The next moves from a lifecycle, in TMF621's words: what an operator's crews do. Of `resolved` measurement has the next word. */
const moves: Readonly<Record<string, readonly string[]>> = {
  submitted: ['acknowledged'], reopened: ['acknowledged'], acknowledged: ['inProgress', 'inProgress', 'pending'], inProgress: [...Array<string>(9).fill('pending'), 'resolved'], pending: ['inProgress'],
}
const retry_ms = 100
const answer_ms_max = 30_000
/** A server that does not come back leaves what was asked without an answer. */
const give_up_ms = 180_000

/** What came of a stretch. Latencies in ms from when each transition was due. */
interface Transitions { readonly asked: number; readonly latency: number[]; readonly refused: number; readonly retried: number }

/**
 * Organisations' systems that move their tickets by TMF621, by a schedule (open loop: what is answered late does not
 * hold up what is due). A transition without an answer is asked again until it has one: each is the same when it is
 * asked twice.
 */
export function createLoad(world: World, seed: number) {
  const random = seeded(seed)
  const keys = new Map(world.organisations.map(({ id, key }) => [id, key]))
  const lifecycles = new Map(world.tickets.map(({ id }) => [id, 'submitted']))
  const busy = new Set<string>()
  const acknowledged = new Map<string, Set<number>>()
  let agent = new Agent({ keepAlive: true, maxSockets: sockets })
  let port = 0

  /** @returns the status and the ETag's version, or null where the connection broke */
  function patch(ticket: string, organisation: string, status: string): Promise<{ code: number; version: number; body: string } | null> {
    const body = JSON.stringify({ '@type': 'TroubleTicket', status, statusChangeReason: 'bench' })
    return new Promise((resolve) => {
      const asked = request({
        agent, host: '127.0.0.1', port, method: 'PATCH', path: `/tmf-api/troubleTicket/v5/troubleTicket/${ticket}`, timeout: answer_ms_max,
        headers: { authorization: `Bearer ${keys.get(organisation)}`, 'content-type': 'application/merge-patch+json', 'content-length': Buffer.byteLength(body) },
      }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part: string) => (text += part)).on('end', () => resolve({ code: answer.statusCode ?? 0, version: Number(/"(\d+)"/.exec(answer.headers.etag ?? '')?.[1]), body: text })).on('error', () => resolve(null))
      })
      asked.on('error', () => resolve(null)).on('timeout', () => asked.destroy())
      asked.end(body)
    })
  }

  /** Any ticket that nobody is moving and that an operator may move. */
  function draw(): { id: string; organisation: string; to: string } | null {
    for (let tries = 0; tries < 1_000; tries++) {
      const ticket = world.tickets[Math.floor(random() * world.tickets.length)] as World['tickets'][number]
      const next = moves[lifecycles.get(ticket.id) ?? '']
      if (busy.has(ticket.id) || next === undefined) continue
      return { ...ticket, to: next[Math.floor(random() * next.length)] as string }
    }
    return null
  }

  async function move({ id, organisation, to }: NonNullable<ReturnType<typeof draw>>, dueAt: number, into: { asked: number; latency: number[]; refused: number; retried: number }): Promise<void> {
    busy.add(id)
    into.asked++
    try {
      for (;;) {
        const answer = await patch(id, organisation, to)
        if (answer === null || answer.code >= 500) {
          if (answer !== null) process.stderr.write(`${answer.code} ${answer.body.slice(0, 200)}\n`)
          into.retried++
          if (performance.now() - dueAt > give_up_ms) return
          await pause(retry_ms)
          continue
        }
        into.latency.push(performance.now() - dueAt)
        if (answer.code !== 200) {
          into.refused++
          return
        }
        lifecycles.set(id, to)
        acknowledged.set(id, (acknowledged.get(id) ?? new Set()).add(answer.version))
        return
      }
    } finally {
      busy.delete(id)
    }
  }

  return {
    connect(to: number): void {
      agent.destroy()
      agent = new Agent({ keepAlive: true, maxSockets: sockets })
      port = to
    },
    /** A ticket was moved by somebody else. */
    heard: (ticket: string, lifecycle: string): void => void (busy.has(ticket) || lifecycles.set(ticket, lifecycle)),
    async run(rate_per_s: number, seconds: number): Promise<Transitions> {
      const into = { asked: 0, latency: [] as number[], refused: 0, retried: 0 }
      const moving = new Set<Promise<void>>()
      const began = performance.now()
      const total = rate_per_s * seconds
      for (let sent = 0; sent < total;) {
        const due = Math.min(total, Math.floor(((performance.now() - began) * rate_per_s) / 1000))
        for (; sent < due; sent++) {
          const drawn = draw()
          if (drawn === null) throw new Error('no ticket is left that an operator may move')
          const moved = move(drawn, began + (sent * 1000) / rate_per_s, into).finally(() => moving.delete(moved))
          moving.add(moved)
        }
        await pause(1)
      }
      await Promise.all(moving)
      return into
    },
    /** Versions of tickets that an organisation was answered 200 with. */
    acknowledged: (): ReadonlyMap<string, ReadonlySet<number>> => acknowledged,
    stop: (): void => agent.destroy(),
  }
}
