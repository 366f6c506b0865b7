import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { published, type Judge } from './published.ts'

const files = { 4: 'tmf621/TMF621_Trouble_Ticket_Management_API_v4.0.0_swagger.json', 5: 'tmf621/TMF621-Trouble_Ticket-v5.0.1.oas.yaml' } as const
type Json = Record<string, unknown>

/** What becomes of a request: nothing odd; it is cut off before or after it was done; a refusal; an error; no answer at all. */
export type Fault = 'none' | 'cut_before' | 'cut_after' | 'refused' | 'error' | 'silent'

export interface SystemOptions {
  readonly version: 4 | 5
  readonly clock: () => number
  /** What becomes of a request; asked once for each. */
  readonly fault?: (method: string, path: string) => Fault
  /** Whether the list can be asked for one external id, refuses to, or takes no notice. */
  readonly filter?: 'works' | 'refused' | 'ignored'
  /** What a list of notes in a patch does: it is the new list, or what has no known id is added. */
  readonly notes?: 'replaced' | 'added'
  /** Gives ETags, and wants them in a patch. */
  readonly etags?: boolean
  readonly hub?: boolean
  /** A ticket that is over stays over. */
  readonly reopens?: boolean
  /** Leaves out when a status changed. */
  readonly datesStatus?: boolean
  readonly auth?: { readonly header?: readonly [name: string, value: string]; readonly oauth?: { readonly client: string; readonly secret: string; readonly lasts_s: number } }
}

export interface PeerSystem {
  readonly url: string
  readonly tokenUrl: string
  /** Whether requests were held against the published files. */
  readonly isStrict: boolean
  readonly tickets: Map<string, Json>
  /** `METHOD path`, with the status that was answered; 0: none. */
  readonly log: string[]
  readonly callbacks: string[]
  /** What was wrong with requests, by the published files and otherwise. */
  readonly faults: string[]
  /** Somebody there changes a ticket; its listeners are told. */
  say(id: string, fields: { status?: string; reason?: string; note?: string; expected?: string }): Promise<void>
  /** Ends all tokens before their time. */
  endTokens(): void
  close(): Promise<void>
}

type Answer = readonly [status: number, value: unknown]

/** What such a system keeps, and how it answers for it. */
function createRecords({ version, clock, filter = 'works', notes = 'replaced', etags = false, hub = true, reopens = true, datesStatus = true }: SystemOptions) {
  const tickets = new Map<string, Json>()
  const callbacks: string[] = []
  let [made, noted, versions] = [0, 0, 0]
  const now = (): string => new Date(clock()).toISOString()
  const named = (list: unknown): Json[] => (Array.isArray(list) ? (list as Json[]).map((note) => ({ ...note, id: note['id'] ?? `n${++noted}` })) : [])
  const touch = (ticket: Json, fields: Json): void => {
    const hasMoved = fields['status'] !== undefined && fields['status'] !== ticket['status']
    Object.assign(ticket, fields, { lastUpdate: now(), '#': ++versions }, hasMoved && datesStatus ? { statusChangeDate: now() } : {})
  }

  function create(body: Json): Answer {
    const id = `INC-${++made}`
    const ticket: Json = { ...body, id, href: `/troubleTicket/${id}`, creationDate: now(), note: named(body['note']) }
    touch(ticket, { status: body['status'] ?? 'acknowledged' })
    tickets.set(id, ticket)
    return [201, ticket]
  }

  function change(ticket: Json, body: Json, match: string | undefined): Answer {
    if (etags && match !== etagOf(ticket)) return [412, { code: '412', reason: 'changed meanwhile' }]
    if (!reopens && ['closed', 'cancelled', 'rejected'].includes(String(ticket['status'])) && body['status'] !== undefined && body['status'] !== ticket['status']) return [409, { code: '409', reason: 'it is over' }]
    const there = (ticket['note'] as Json[]).map((note) => note['id'])
    const given = body['note'] === undefined ? {} : { note: notes === 'replaced' ? named(body['note']) : [...(ticket['note'] as Json[]), ...named((body['note'] as Json[]).filter((note) => note['id'] === undefined || !there.includes(note['id'])))] }
    touch(ticket, { ...body, ...given })
    return [200, ticket]
  }

  function list(query: URLSearchParams): Answer {
    const field = version === 5 ? 'externalIdentifier.id' : 'externalId'
    const asked = query.get(field)
    if (asked !== null && filter === 'refused') return [400, { code: '400', reason: `no filter ${field}` }]
    const isAsked = (ticket: Json): boolean => (version === 4 ? ticket['externalId'] === asked : (ticket['externalIdentifier'] as Json[]).some((each) => each['id'] === asked))
    const offset = Number(query.get('offset') ?? 0)
    return [200, [...tickets.values()].filter((ticket) => asked === null || filter === 'ignored' || isAsked(ticket)).slice(offset, offset + Number(query.get('limit') ?? 20)).map(shown)]
  }

  return {
    tickets, callbacks, touch, named, now,
    answer(method: string, { pathname, searchParams }: URL, body: Json, match: string | undefined): Answer {
      if (pathname === '/hub') {
        if (!hub) return [501, { code: '501', reason: 'no events here' }]
        callbacks.push(String(body['callback']))
        return [201, { id: String(callbacks.length), callback: body['callback'] }]
      }
      if (pathname === '/troubleTicket') return method === 'POST' ? create(body) : list(searchParams)
      const ticket = tickets.get(decodeURIComponent(/^\/troubleTicket\/(.+)$/.exec(pathname)?.[1] ?? ''))
      if (ticket === undefined) return [404, { code: '404', reason: 'none of ours' }]
      return method === 'PATCH' ? change(ticket, body, match) : method === 'GET' ? [200, ticket] : [405, { code: '405', reason: method }]
    },
  }
}

const etagOf = (ticket: Json): string => `"${String(ticket['#'])}"`
const shown = ({ '#': _, ...ticket }: Json): Json => ticket

/** Who may come in. */
function createDoor({ clock, auth = {} }: SystemOptions) {
  const tokens = new Map<string, number>()
  let given = 0
  return {
    knows(headers: IncomingMessage['headers']): boolean {
      if (auth.header !== undefined) return headers[auth.header[0]] === auth.header[1]
      return auth.oauth === undefined || (tokens.get((headers.authorization ?? '').replace('Bearer ', '')) ?? 0) > clock()
    },
    token(headers: IncomingMessage['headers'], text: string): Answer {
      const { client = '', secret = '', lasts_s = 0 } = auth.oauth ?? {}
      if (text !== 'grant_type=client_credentials' || headers.authorization !== `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}`) return [401, { error: 'invalid_client' }]
      const token = `token-${++given}`
      tokens.set(token, clock() + lasts_s * 1000)
      return [200, { access_token: token, token_type: 'Bearer', expires_in: lasts_s }]
    },
    end: (): void => tokens.clear(),
  }
}

/** A small ticket system that speaks TMF621 as it was published, and has the faults that real ones have. */
export async function startPeerSystem(options: SystemOptions): Promise<PeerSystem> {
  const { fault = () => 'none', etags = false } = options
  const judge = published(files[options.version])
  const [records, door] = [createRecords(options), createDoor(options)]
  const log: string[] = []
  const faults: string[] = []

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [method, url] = [request.method ?? '', new URL(request.url ?? '/', 'http://x')]
    let text = ''
    for await (const part of request.setEncoding('utf8') as AsyncIterable<string>) text += part
    const what = `${method} ${url.pathname}`
    const became = fault(method, url.pathname)
    const end = ([status, value]: Answer, headers: Record<string, string> = {}): void => {
      log.push(`${what} ${status}`)
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
    }
    const cut = (): void => {
      log.push(`${what} 0`)
      if (became !== 'silent') request.socket.destroy()
    }
    if (became === 'silent' || became === 'cut_before') return cut()
    if (became === 'error') return end([500, { code: '500', reason: 'try again' }])
    if (url.pathname === '/token') return end(door.token(request.headers, text))
    if (became === 'refused') return end([400, { code: '400', reason: 'not this one' }])
    if (!door.knows(request.headers)) return end([401, { code: '401', reason: 'who are you' }])
    const body = text === '' ? {} : JSON.parse(text) as Json
    for (const wrong of judge === null ? [] : wrongIn(judge, options.version, method, url.pathname, body)) faults.push(`${what}: ${wrong}`)
    const [status, value] = records.answer(method, url, body, request.headers['if-match'])
    if (became === 'cut_after') return cut()
    const isTicket = typeof value === 'object' && value !== null && '#' in value
    end([status, isTicket ? shown(value as Json) : value], { ...(isTicket && etags ? { etag: etagOf(value as Json) } : {}), ...(Array.isArray(value) ? { 'x-total-count': String(records.tickets.size) } : {}) })
  }

  const server = createServer((request, response) => void take(request, response).catch((error: unknown) => {
    faults.push(String(error))
    response.destroy()
  }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: origin, tokenUrl: `${origin}/token`, isStrict: judge !== null, tickets: records.tickets, log, callbacks: records.callbacks, faults, endTokens: door.end,
    say: (id, said) => say(records, id, said),
    close: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

async function say({ tickets, callbacks, touch, named, now }: ReturnType<typeof createRecords>, id: string, { status, reason, note, expected }: Parameters<PeerSystem['say']>[1]): Promise<void> {
  const ticket = tickets.get(id)
  if (ticket === undefined) throw new RangeError(`there is no ${id}`)
  touch(ticket, {
    ...(status === undefined ? {} : { status, statusChangeReason: reason ?? '' }), ...(expected === undefined ? {} : { expectedResolutionDate: expected }),
    ...(note === undefined ? {} : { note: [...(ticket['note'] as Json[]), ...named([{ '@type': 'Note', author: 'NOC', date: now(), text: note }])] }),
  })
  const event = { eventId: `${id}.${String(ticket['#'])}`, eventTime: now(), eventType: 'TroubleTicketStatusChangeEvent', '@type': 'TroubleTicketStatusChangeEvent', event: { troubleTicket: shown(ticket) } }
  for (const callback of callbacks) await fetch(callback, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(event) }).catch(() => undefined)
}

const bodies = { 4: { POST: 'TroubleTicket_Create', PATCH: 'TroubleTicket_Update', hub: 'EventSubscriptionInput' }, 5: { POST: 'TroubleTicket_FVO', PATCH: 'TroubleTicket_MVO', hub: 'Hub_FVO' } } as const

/** What is wrong with a request's body by the published file. */
function wrongIn(judge: Judge, version: 4 | 5, method: string, path: string, body: Json): string[] {
  if (method !== 'POST' && method !== 'PATCH') return []
  return judge(path === '/hub' ? bodies[version].hub : bodies[version][method], body)
}
