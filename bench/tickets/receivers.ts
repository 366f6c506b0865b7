import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Delivery { readonly eventId: string; readonly lifecycle: string; readonly ticket: string }

/** How a receiver is: well, not listening (the connection is refused), or taking everything in and never answering. */
type Health = 'well' | 'dead' | 'mute'

/**
 * What organisations listen with: one server for those that are well, and one for each that is not. Every delivery that
 * was answered 2xx is kept, repetitions too.
 * @param heard called with each
 */
export async function startReceivers(heard: (delivery: Delivery) => void) {
  const got = new Map<string, number>()
  const held = new Set<ServerResponse>()
  const servers: { server: Server; health: Health }[] = []

  async function listen(health: Health): Promise<{ port: number; set: (health: Health) => Promise<void> }> {
    const own = { health, server: null as unknown as Server }
    own.server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
        if (own.health === 'mute') return void held.add(response)
        const { eventId, event } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { eventId: string; event: { troubleTicket: { id: string; troubleTicketCharacteristic: { name: string; value: unknown }[] } } }
        got.set(eventId, (got.get(eventId) ?? 0) + 1)
        response.writeHead(204).end()
        heard({ eventId, ticket: event.troubleTicket.id, lifecycle: String(event.troubleTicket.troubleTicketCharacteristic.find(({ name }) => name === 'lifecycle')?.value) })
      })
    })
    servers.push(own)
    await new Promise<void>((resolve) => own.server.listen(0, '127.0.0.1', resolve))
    const { port } = own.server.address() as AddressInfo
    const close = (): Promise<void> => new Promise((resolve) => {
      own.server.close(() => resolve())
      own.server.closeAllConnections()
    })
    if (health === 'dead') await close()
    return {
      port,
      async set(to) {
        if (own.health === 'dead' && to !== 'dead') await new Promise<void>((resolve) => own.server.listen(port, '127.0.0.1', resolve))
        if (own.health !== 'dead' && to === 'dead') await close()
        own.health = to
      },
    }
  }

  return {
    listen,
    /** How often each event was delivered, by its id. */
    got: (): ReadonlyMap<string, number> => got,
    async stop(): Promise<void> {
      for (const response of held) response.destroy()
      for (const { server, health } of servers) if (health !== 'dead') await new Promise<void>((resolve) => (server.close(() => resolve()), server.closeAllConnections()))
    },
  }
}
