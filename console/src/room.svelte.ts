import type { LiveArea, LiveDisturbance, LiveTicket, Session } from '@kawal/contract/live.ts'
import type { Cause } from '@kawal/core/detection/disturbance.ts'
import { silentAfterMs, startFeed, type LiveState } from './live.ts'
import { isIn, isTold, queueOf, reportedOf, requestedOf, restMax, ticketOf, topAreas, type Queue } from './queue.ts'
import { operatorName } from './format.ts'
import { forget } from './push.ts'
import { server, type Answer, type Problem } from './server.ts'
import { readView, writeView, type RoomName, type View } from './view.ts'
import { en } from './words/en.ts'
import { id, type Words } from './words/id.ts'

/** The address that somebody left for a provider, so that he comes back to it. */
const leftAt = 'kawal-left-at'

/** What the whole screen shares: the session, the live data, the view and the second hand. */
class Room {
  view: View = $state.raw(readView(location.search))
  session: Session | null | 'loading' = $state.raw('loading')
  problem: Problem | null = $state.raw(null)
  ended = $state(false)
  live: LiveState | null = $state.raw(null)
  heardAt = $state(Date.now())
  tickedAt = $state(Date.now())
  announced = $state('')
  help = $state(false)
  /** The person's own page is open. */
  account = $state(false)
  /** He came by a link, which works once: a passkey is offered. */
  offered = $state(false)
  rollsOpen = $state(false)
  asked: ReadonlySet<string> = $state.raw(new Set<string>())
  ticketProblem: Problem | null = $state.raw(null)

  words: Words = $derived(this.view.language === 'en' ? en : id)
  /** Server's clock, ms. */
  now: number = $derived(this.tickedAt + (this.live?.offsetMs ?? 0))
  silentMs: number = $derived(Math.max(0, this.tickedAt - this.heardAt))
  silent: boolean = $derived(this.silentMs >= silentAfterMs)
  /** The areas the totals are of: the selected one, else the coarsest there are. */
  ownAreas: LiveArea[] = $derived.by(() => {
    const areas = this.live?.areas ?? new Map<string, LiveArea>()
    const own = this.view.area === null ? undefined : areas.get(this.view.area)
    return own === undefined ? topAreas(areas) : [own]
  })
  disturbances: LiveDisturbance[] = $derived.by(() => {
    const { area } = this.view
    const rows = [...(this.live?.disturbances.values() ?? [])]
    return area === null ? rows : rows.filter((row) => isIn(row, area))
  })
  selectedId: string | null = $derived(
    this.view.disturbance ?? (this.view.ticket === null ? null : this.live?.tickets.get(this.view.ticket)?.disturbanceId ?? null),
  )
  queue: Queue = $derived.by(() => {
    const minute = Math.floor(this.now / 60_000) * 60_000
    const queue = queueOf(this.disturbances, minute, this.selectedId)
    if (!this.rollsOpen) return queue
    return { ...queue, cards: [...queue.cards, ...queue.rolls.flatMap((roll) => roll.disturbances)], rolls: [] }
  })
  /** What j and k go along: the cards, then what is suspected. */
  listed: readonly LiveDisturbance[] = $derived([...this.queue.cards, ...this.queue.suspected.slice(0, restMax)])
  selected: LiveDisturbance | null = $derived(this.selectedId === null ? null : this.live?.disturbances.get(this.selectedId) ?? null)

  reported: { rows: LiveTicket[]; total: number } = $derived(this.live === null ? { rows: [], total: 0 } : reportedOf(this.live, this.view.area))
  requested: { rows: LiveTicket[]; total: number } = $derived(this.live === null ? { rows: [], total: 0 } : requestedOf(this.live))
  /** The selected ticket where it is of an officer's problem or a request: it has no disturbance to be shown with. */
  toldTicket: LiveTicket | null = $derived.by(() => {
    const ticket = this.view.ticket === null ? undefined : this.live?.tickets.get(this.view.ticket)
    return ticket === undefined || (ticket.problem === null && ticket.request === null) ? null : ticket
  })

  /** Which rooms the role may enter; there is a switch where there are two. */
  rooms: readonly RoomName[] = $derived.by(() => (this.mayPlan() ? ['monitoring', 'planning'] : ['monitoring']))
  /** A planner lands on planning, everybody else on monitoring; an address that shows something of a room opens that room. */
  inRoom: RoomName = $derived.by(() => {
    if (!this.rooms.includes('planning') && this.view.room === null) return 'monitoring'
    if (this.view.room !== null) return this.view.room
    const { disturbance, ticket, station, wall } = this.view
    const role = this.session === null || this.session === 'loading' ? '' : this.session.role
    return role === 'planner' && disturbance === null && ticket === null && station === null && !wall ? 'planning' : 'monitoring'
  })

  #feed: ReturnType<typeof startFeed> | null = null

  /** Replaces the address; opening something where nothing was open adds a step, so that Back closes it. @param step adds one too */
  go(change: Partial<View>, step = false): void {
    const before = this.view
    this.view = { ...before, ...change }
    const opens = step || (before.disturbance === null && this.view.disturbance !== null) || (before.station === null && this.view.station !== null) || (before.ticket === null && this.view.ticket !== null)
    const address = `${location.pathname}${writeView(this.view)}`
    if (opens) history.pushState(null, '', address)
    else history.replaceState(null, '', address)
  }

  async start(): Promise<void> {
    const query = new URLSearchParams(location.search)
    const token = query.get('masuk')
    // What a provider sends somebody back with (OpenID Connect Core 1.0, sections 3.1.2.5 and 3.1.2.6).
    const answer = query.has('state') && (query.has('code') || query.has('error')) ? location.search.slice(1) : null
    if (answer !== null) this.view = readView(sessionStorage.getItem(leftAt) ?? '')
    if (token !== null || answer !== null) {
      history.replaceState(null, '', `${location.pathname}${writeView(this.view)}`)
      await (token !== null ? this.logIn(token) : this.enter(server.logInByProvider(answer ?? '')))
      if (this.session !== 'loading') return
    }
    await this.#readSession()
  }

  async logIn(token: string): Promise<void> {
    this.offered = await this.enter(server.logIn(token))
  }

  /** @returns whether somebody was let in */
  async enter(asked: Promise<Answer<unknown>>): Promise<boolean> {
    const answer = await asked
    if (!answer.ok) {
      this.problem = answer.problem
      const standing = await server.session()
      if (standing.ok) this.problem = null
      else this.session = null
      return false
    }
    this.problem = null
    await this.#readSession()
    return true
  }

  leaveFor(url: string): void {
    sessionStorage.setItem(leftAt, writeView(this.view))
    location.assign(url)
  }

  async #readSession(): Promise<void> {
    const answer = await server.session()
    if (answer.ok) {
      this.session = answer.value
      // Who is there for one area begins with it; the address may name another.
      if (this.view.area === null && answer.value.area !== undefined) this.view = { ...this.view, area: answer.value.area }
      this.ended = false
      this.#listen()
      return
    }
    if (answer.problem.status !== 401 && answer.problem.status !== 403) this.problem = answer.problem
    this.session = null
  }

  async logOut(): Promise<void> {
    await forget().catch(() => undefined)
    await server.logOut()
    this.#feed?.stop()
    this.#feed = null
    this.session = null
    this.live = null
    this.account = false
    this.offered = false
  }

  #listen(): void {
    this.#feed?.stop()
    this.heardAt = Date.now()
    this.#feed = startFeed({
      open: () => new EventSource('/v1/live') as unknown as ReturnType<Parameters<typeof startFeed>[0]['open']>,
      clock: () => Date.now(),
      onState: (state) => this.#take(state),
      onRefused: () => void this.#checkRefusal(),
    })
  }

  async #checkRefusal(): Promise<void> {
    const answer = await server.session()
    if (answer.ok || answer.problem.status !== 401) return
    this.#feed?.stop()
    this.#feed = null
    this.ended = true
    this.session = null
  }

  #take(state: LiveState): void {
    const before = this.live
    this.live = state
    if (before === null || before.disturbances === state.disturbances) return
    const wasTold = (id: string): boolean => {
      const row = before.disturbances.get(id)
      return row !== undefined && row.foundAt !== null
    }
    const fresh = [...state.disturbances.values()].filter((row) => isTold(row) && row.parent === null && row.plannedWork === null && !wasTold(row.id))
    if (fresh.length > 0) this.announced = fresh.slice(0, 3).map((row) => this.words.newDisturbance(this.causeOf(row), row.areaName, String(row.stations.length))).join('. ')
  }

  /** Once a second. */
  tick(): void {
    this.tickedAt = Date.now()
    if (this.#feed === null) return
    this.#feed.tick()
    this.heardAt = this.#feed.heardAt()
  }

  causeOf(row: { cause: Cause; operator: string | null; severity: string }): string {
    return this.words.cause(row.cause, row.operator === null ? null : operatorName(row.operator), row.severity)
  }

  /** @param owner organisation whose thing it is: some may only do it with their own */
  may(permission: string, owner: string | null): boolean {
    if (this.session === null || this.session === 'loading') return false
    return this.session.may.includes(permission) || (owner === this.session.organisation && this.session.may.includes(`${permission}:own`))
  }

  /** Whether the role may read a resource, be it all of it or its organisation's own. */
  reads(resource: string): boolean {
    return this.session !== null && this.session !== 'loading' && this.session.may.some((permission) => permission === `${resource}:read` || permission === `${resource}:read:own`)
  }

  /** Whether there is anything of planning that the role may read. */
  mayPlan(): boolean {
    if (this.session === null || this.session === 'loading') return false
    return this.session.may.some((permission) => /^(plan|atlas|challenge):read/.test(permission))
  }

  /** A ticket is of what is confirmed and stands for itself. */
  mayTicket(row: LiveDisturbance): boolean {
    return row.operator !== null && row.foundAt !== null && row.stage !== 'retracted' && row.parent === null && row.plannedWork === null && this.may('ticket:write', row.operator)
  }

  async openTicket(row: LiveDisturbance): Promise<void> {
    if (this.live === null || !this.mayTicket(row) || ticketOf(this.live, row) !== null || this.asked.has(row.id)) return
    this.ticketProblem = null
    this.asked = new Set([...this.asked, row.id])
    const answer = await server.openTicket(row.id)
    if (answer.ok) return
    this.ticketProblem = answer.problem
    this.asked = new Set([...this.asked].filter((other) => other !== row.id))
  }

  /** Moves the selection along the queue. @param by 1 or -1 */
  move(by: number): void {
    const { listed } = this
    if (listed.length === 0) return
    const at = listed.findIndex((row) => row.id === this.selectedId)
    const next = listed[at < 0 ? (by > 0 ? 0 : listed.length - 1) : Math.min(listed.length - 1, Math.max(0, at + by))]
    if (next !== undefined) this.go({ disturbance: next.id, ticket: null, station: null })
  }
}

export const room = new Room()
