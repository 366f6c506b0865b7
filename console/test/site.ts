import { createReadStream, existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Role } from '@kawal/core/organisation/rules.ts'
import { fixtureDelta, fixtureLive, fixtureSession, fixtureStation, fixtureStations, fixtureTurns } from './fixture.ts'
import { answerAlarms } from './alarms.ts'
import { answerDuty } from './duty.ts'
import { createKeys } from './keys.ts'
import { answerOversight } from './oversight.ts'
import { answerPlanning, type PlanningSite } from './planning-site.ts'
import { planningLive, planningSession } from './planning.ts'
import { answerRecaps } from './recaps.ts'
import { answerRoom, fixtureComment, type RoomSite } from './room.ts'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const kinds: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css' }

export interface Site {
  readonly address: string
  readonly asked: string[]
  /** Bodies of planned work, contacts and announcements that were sent. */
  readonly announced: string[]
  /** Sends the delta with a third disturbance to every open stream. */
  delta(): void
  /** An empty world from the next stream on: no disturbance, ticket, alarm or work. */
  empty: boolean
  /** The role reads announcements: one stands above every screen until it is read. */
  announces: boolean
  /** Who logs in is Telkomsel's NOC, with its own tickets, keys and audit. */
  operator: boolean
  /** Counts of recaps were last made long ago. */
  stale: boolean
  /** Refuses stations with a problem from now on. */
  broken: boolean
  /** Who logs in from now on; null is the duty officer of the monitoring room's tests. */
  planner: Role | null
  readonly planning: PlanningSite
  readonly keys: ReturnType<typeof createKeys>
  /** What people wrote, and whose browsers are pushed to. */
  readonly room: RoomSite
  /** Somebody writes of the first disturbance: every open stream hears of it. */
  say(text: string): void
  close(): Promise<void>
}

function json(response: ServerResponse, status: number, body: unknown): void {
  if (typeof body === 'string') response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(body)
  else response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' }).end(JSON.stringify(body))
}

function answerFile(response: ServerResponse, path: string): void {
  const file = join(dist, path === '.' ? 'index.html' : path)
  if (!existsSync(file) || !file.startsWith(dist)) return void response.writeHead(404).end()
  response.writeHead(200, { 'content-type': kinds[extname(file)] ?? 'application/octet-stream' })
  createReadStream(file).pipe(response)
}

/** @returns whether the planning room's fixture had an answer */
async function answeredPlanning(site: Site, request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> {
  if (site.planner === null) return false
  site.planning.role = site.planner
  const reply = await answerPlanning(site.planning, request, url)
  if (reply === null) return false
  if (reply.bytes === undefined) json(response, reply.status, reply.body)
  else response.writeHead(200, { 'content-type': 'application/vnd.mapbox-vector-tile' }).end(reply.bytes)
  return true
}

/** @returns whether the lists beside the map had an answer */
async function answeredLists(site: Site, request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> {
  if (!/^\/v1\/(alarms|planned-work|contacts|track-record|announcements|keys|audit)/.test(url.pathname)) return false
  let text = ''
  for await (const chunk of request) text += String(chunk)
  if (request.method === 'POST') site.announced.push(text)
  const reply = site.keys(url.pathname, request.method ?? 'GET', url.searchParams, text, site.empty) ?? answerAlarms(url.pathname, request.method ?? 'GET', url.searchParams, text, site.empty) ?? answerDuty(url.pathname, request.method ?? 'GET', text, site.empty)
  if (reply !== null) json(response, reply.status, reply.body)
  return reply !== null
}
/** @returns whether comments and pushes had an answer */
async function answeredRoom(site: Site, request: IncomingMessage, response: ServerResponse, { pathname }: URL): Promise<boolean> {
  if (!/^\/v1\/(push|disturbances\/[^/]+\/comments)/.test(pathname)) return false
  let text = ''
  for await (const chunk of request) text += String(chunk)
  const reply = answerRoom(site.room, pathname, request.method ?? 'GET', text)
  if (reply === null) return false
  if (reply.bytes === undefined) json(response, reply.status, reply.body)
  else response.writeHead(200, { 'content-type': reply.type ?? '' }).end(reply.bytes)
  return true
}
const ofNoc = ['disturbance:read:own', 'ticket:read:own', 'ticket:write:own', 'api_key:read:own', 'api_key:write:own', 'audit:read:own']
const sessionOf = (site: Site): unknown => (site.operator ? { ...fixtureSession(Date.now()), organisation: 'telkomsel', organisationName: 'Telkomsel', role: 'noc', may: ofNoc } : site.planner === null ? fixtureSession(Date.now(), site.announces ? ['announcement:read', 'announcement:write:own', 'audit:read'] : []) : planningSession(site.planner, Date.now()))

/** How every site begins. */
const fresh = { empty: false, announces: false, operator: false, stale: false, broken: false, planner: null }

/** The built console, and the few answers it asks of a server, from the fixture. A session starts with the token `benar`. */
export async function openSite(): Promise<Site> {
  if (!existsSync(join(dist, 'index.html'))) throw new Error('console/dist is missing: build it first with `npx vite build console`')
  const streams = new Set<ServerResponse>()
  let sequence = 1
  const event = (name: string, body: unknown): string => `event: ${name}\ndata: ${JSON.stringify(body)}\n\n`
  const tell = (delta: object): void => streams.forEach((stream) => void stream.write(event('delta', delta)))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const { pathname } = url
    const known = (request.headers.cookie ?? '').includes('sesi=1')
    if (pathname.startsWith('/console/')) return answerFile(response, normalize(pathname.slice(9)))
    site.asked.push(`${request.method ?? ''} ${pathname}`)
    if (pathname === '/v1/session' && request.method === 'POST') {
      let text = ''
      for await (const chunk of request) text += String(chunk)
      if (!text.includes('"benar"')) return json(response, 401, { status: 401, code: 'login_link_unknown', title: 'Unknown link', detail: '' })
      response.setHeader('set-cookie', 'sesi=1; Path=/; HttpOnly; SameSite=Strict')
      return json(response, 200, sessionOf(site))
    }
    if (!known) return json(response, 401, { status: 401, code: 'not_logged_in', title: 'No session', detail: '' })
    if (pathname === '/v1/session') return json(response, 200, sessionOf(site))
    if (pathname === '/v1/live') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      const live = site.planner === null ? fixtureLive(Date.now(), sequence) : planningLive(Date.now())
      response.write(event('snapshot', site.empty ? { ...live, disturbances: [], tickets: [] } : live))
      streams.add(response)
      request.on('close', () => streams.delete(response))
      return
    }
    if (await answeredPlanning(site, request, response, url)) return
    if (pathname === '/v1/stations') {
      if (site.broken) return json(response, 503, { status: 503, code: 'database_away', title: 'Database away', detail: 'try again' })
      return json(response, 200, fixtureStations(Date.now()))
    }
    if (pathname.startsWith('/v1/stations/')) return json(response, 200, fixtureStation(pathname.slice(13), Date.now()))
    const [, of] = /^\/v1\/disturbances\/([^/]+)\/turns$/.exec(pathname) ?? []
    if (of !== undefined) return json(response, 200, fixtureTurns(of, Date.now()))
    const recaps = answerRecaps(url, { empty: site.empty, stale: site.stale }) ?? answerOversight(url, site)
    if (recaps !== null) return json(response, recaps.status, recaps.body)
    if (await answeredLists(site, request, response, url)) return
    if (await answeredRoom(site, request, response, url)) return
    if (request.method === 'POST') return json(response, 201, {})
    if (request.method === 'PATCH') return json(response, 200, {})
    json(response, 404, { status: 404, code: 'not_found', title: 'Not found', detail: pathname })
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const site: Site = {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/console/`,
    asked: [],
    announced: [],
    ...fresh,
    planning: { role: 'planner', bare: false, stored: [] },
    keys: createKeys(),
    room: { comments: [], subscriptions: [], offHere: false, full: false },
    delta: () => tell(fixtureDelta(Date.now(), ++sequence)),
    say(text) {
      site.room.comments.push(fixtureComment(site.room, text))
      const [row] = fixtureLive(Date.now()).disturbances
      tell({ sequence: ++sequence, now: new Date().toISOString(), disturbances: [{ ...row, comments: site.room.comments.length + 3 }] })
    },
    close: () => new Promise((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    }),
  }
  return site
}
