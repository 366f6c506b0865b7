import { createServer, type IncomingMessage } from 'node:http'
import { parseArgs } from 'node:util'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { nextMove, planCrew, type CrewPlan, type CrewTicket, type Fault, type Repair } from './crew.ts'

/**
 * An operator's own system in the rehearsal: a process apart that knows nothing of ours but TMF621 over
 * HTTP. The rehearsal's driver moves it by `POST /tick`, so that a seed replays it exactly.
 */
interface OperatorSettings {
  /** Address of the platform, without a path. */
  readonly api: string
  readonly organisation: string
  readonly key: string
  readonly seed: number
}

interface Tick { readonly now: Instant; readonly faults: readonly Fault[] }
interface Action { readonly at: Instant; readonly ticket: string; readonly status: string; readonly answered: number }
interface TickAnswer { readonly repairs: Repair[]; readonly actions: Action[] }

const ticketPath = '/tmf-api/troubleTicket/v5/troubleTicket'
const page_size = 500
const pages_max = 20
/** Statuses that one ticket may pass through in one tick, when the driver's steps are long. */
const moves_max = 8
const body_bytes_max = 16 * 1024 * 1024
const answer_timeout_ms = 20_000

/** One operator: its tickets and what its crews mean to do about them. */
export function createOperator(settings: OperatorSettings) {
  const plans = new Map<string, CrewPlan>()

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(new URL(path, settings.api), {
      ...init, headers: { ...init.headers, authorization: `Bearer ${settings.key}` }, signal: AbortSignal.timeout(answer_timeout_ms),
    })
  }

  async function openTickets(): Promise<CrewTicket[]> {
    const tickets: CrewTicket[] = []
    for (let page = 0; page < pages_max; page++) {
      const response = await ask(`${ticketPath}?status=acknowledged,inProgress,pending,resolved&limit=${page_size}&offset=${page * page_size}`)
      if (!response.ok) throw new Error(`the ticket list answered ${response.status}: ${await response.text()}`)
      const found = (await response.json()) as unknown[]
      tickets.push(...found.map(crewTicket))
      if (tickets.length >= Number(response.headers.get('x-total-count')) || found.length === 0) break
    }
    return tickets.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  async function work(first: CrewTicket, tick: Tick, answer: TickAnswer): Promise<void> {
    const plan = plans.get(first.id) ?? planCrew(settings.seed, settings.organisation, first, tick.now)
    plans.set(first.id, plan)
    let ticket = first
    for (let moves = 0; moves < moves_max; moves++) {
      const move = nextMove(plan, settings.organisation, ticket, tick.faults, tick.now)
      if (move === null) return
      answer.repairs.push(...move.repairs)
      const response = await ask(`${ticketPath}/${encodeURIComponent(ticket.id)}`, {
        method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify({ '@type': 'TroubleTicket', status: move.status, ...(move.reason === '' ? {} : { statusChangeReason: move.reason }) }),
      })
      answer.actions.push({ at: tick.now, ticket: ticket.id, status: move.status, answered: response.status })
      // Refused: our picture of the ticket is old, the next tick reads it again.
      if (!response.ok) return void await response.body?.cancel()
      ticket = crewTicket(await response.json())
    }
  }

  return {
    async tick(tick: Tick): Promise<TickAnswer> {
      const answer: TickAnswer = { repairs: [], actions: [] }
      const tickets = await openTickets()
      const open = new Set(tickets.map((ticket) => ticket.id))
      for (const id of plans.keys()) if (!open.has(id)) plans.delete(id)
      for (const ticket of tickets) await work(ticket, tick, answer)
      return answer
    },
  }
}

/** Reads what the crew needs out of a TMF621 resource. @throws TypeError when it is none */
function crewTicket(resource: unknown): CrewTicket {
  const { id, troubleTicketCharacteristic } = resource as { id?: unknown; troubleTicketCharacteristic?: { name: string; value: unknown }[] }
  const value = (name: string): unknown => troubleTicketCharacteristic?.find((characteristic) => characteristic.name === name)?.value
  const lifecycle = value('lifecycle')
  const stations = value('stations')
  if (typeof id !== 'string' || typeof lifecycle !== 'string' || !Array.isArray(stations)) throw new TypeError('this is no trouble ticket of ours')
  return { id, lifecycle, cause: String(value('cause')), stations: stations.map(String), reopened: Number(value('reopened')) }
}

async function read(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > body_bytes_max) throw new RangeError('the tick is too large')
    parts.push(part)
  }
  return JSON.parse(Buffer.concat(parts).toString('utf8'))
}

/** Listens on a free loopback port and says it in one JSON line on stdout; ends with its parent. */
function main(): void {
  const { values } = parseArgs({ options: { api: { type: 'string' }, organisation: { type: 'string' }, key: { type: 'string' }, seed: { type: 'string' } } })
  const settings = {
    api: values.api ?? process.env['KAWAL_API'] ?? '', organisation: values.organisation ?? process.env['KAWAL_ORGANISATION'] ?? '',
    key: values.key ?? process.env['KAWAL_API_KEY'] ?? '', seed: Number(values.seed ?? process.env['KAWAL_SEED'] ?? 1),
  }
  if (!URL.canParse(settings.api) || settings.organisation === '' || settings.key === '' || !Number.isInteger(settings.seed)) {
    process.stderr.write('Give --api URL --organisation ID --seed N, and the key in KAWAL_API_KEY.\n')
    process.exit(2)
  }
  const operator = createOperator(settings)
  const server = createServer((request, response) => {
    const reply = (status: number, body: object): void => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.method !== 'POST' || request.url !== '/tick') return reply(404, { detail: 'there is only POST /tick' })
    read(request).then((body) => operator.tick(body as Tick)).then((answer) => reply(200, answer), (error: unknown) => reply(502, { detail: String(error) }))
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.stdout.write(`${JSON.stringify({ port: typeof address === 'object' ? address?.port : null, organisation: settings.organisation })}\n`)
  })
  // Not by `process.exit`, for which see end-now.ts: with nothing left to hear it ends by itself.
  const end = (): void => {
    server.close()
    server.closeAllConnections()
    process.stdin.destroy()
  }
  process.once('SIGTERM', end)
  // Ctrl-C in a terminal reaches every process of the group: the rehearsal ends this one when it is done.
  process.on('SIGINT', () => undefined)
  process.stdin.once('end', end).once('close', end).resume()
}

if (import.meta.main) main()
