import type { Live, LiveArea, LiveDelta, LiveDisturbance, LiveTicket } from '@kawal/contract/live.ts'

/** The live view as the screen holds it: rows by key, so that a delta replaces whole rows. */
export interface LiveState {
  readonly sequence: number
  /** Server's clock minus this machine's, ms, at the newest message. */
  readonly offsetMs: number
  /** Server's clock of the newest message, ms. */
  readonly asOf: number
  readonly rehearsal: boolean
  readonly areas: ReadonlyMap<string, LiveArea>
  readonly disturbances: ReadonlyMap<string, LiveDisturbance>
  readonly tickets: ReadonlyMap<string, LiveTicket>
  readonly reportsPerMinute: number
  readonly devicesOnDuty: number
}

function merged<Row>(rows: ReadonlyMap<string, Row>, changed: readonly Row[] | undefined, key: (row: Row) => string): ReadonlyMap<string, Row> {
  if (changed === undefined || changed.length === 0) return rows
  const next = new Map(rows)
  for (const row of changed) next.set(key(row), row)
  return next
}

/** @param receivedAt this machine's clock, ms */
export function applySnapshot(snapshot: Live, receivedAt: number): LiveState {
  const asOf = Date.parse(snapshot.now)
  return {
    sequence: snapshot.sequence,
    asOf,
    offsetMs: asOf - receivedAt,
    rehearsal: snapshot.rehearsal,
    areas: new Map(snapshot.areas.map((row) => [row.code, row])),
    disturbances: new Map(snapshot.disturbances.map((row) => [row.id, row])),
    tickets: new Map(snapshot.tickets.map((row) => [row.id, row])),
    reportsPerMinute: snapshot.reportsPerMinute,
    devicesOnDuty: snapshot.devicesOnDuty,
  }
}

/** Changed rows replace whole rows. A delta not newer than the state changes nothing. */
export function applyDelta(state: LiveState, delta: LiveDelta, receivedAt: number): LiveState {
  if (delta.sequence !== undefined && delta.sequence <= state.sequence) return state
  const asOf = delta.now === undefined ? state.asOf : Date.parse(delta.now)
  return {
    sequence: delta.sequence ?? state.sequence,
    asOf,
    offsetMs: delta.now === undefined ? state.offsetMs : asOf - receivedAt,
    rehearsal: delta.rehearsal ?? state.rehearsal,
    areas: merged(state.areas, delta.areas, (row) => row.code),
    disturbances: merged(state.disturbances, delta.disturbances, (row) => row.id),
    tickets: merged(state.tickets, delta.tickets, (row) => row.id),
    reportsPerMinute: delta.reportsPerMinute ?? state.reportsPerMinute,
    devicesOnDuty: delta.devicesOnDuty ?? state.devicesOnDuty,
  }
}

/** What this module needs of an EventSource. */
export interface Stream {
  addEventListener(name: string, listener: (event: { data?: string }) => void): void
  readonly readyState: number
  close(): void
}

interface FeedOptions {
  readonly open: () => Stream
  readonly clock: () => number
  readonly onState: (state: LiveState) => void
  /** The server refused the stream (a session that ended looks like this). */
  readonly onRefused: () => void
}

export const silentAfterMs = 30_000
const closed = 2
const resyncEveryMs = 60_000

/**
 * One stream at a time: a snapshot, then deltas. `tick` (call it each second) opens a new stream
 * when nothing was heard for 30 s or the stream was closed; a hole in the sequence asks for a new
 * snapshot, at most once a minute, since a server that drops to the latest leaves holes by design.
 */
export function startFeed(options: FeedOptions): { tick(): void; heardAt(): number; stop(): void } {
  let state: LiveState | null = null
  let heardAt = options.clock()
  let openedAt = 0
  let resyncedAt = 0
  let stream: Stream | null = null

  function connect(): void {
    stream?.close()
    openedAt = options.clock()
    const mine = options.open()
    stream = mine
    const listen = (name: string, read: (data: string) => void): void => {
      mine.addEventListener(name, (event) => {
        if (stream !== mine || event.data === undefined) return
        heardAt = options.clock()
        read(event.data)
      })
    }
    listen('snapshot', (data) => {
      state = applySnapshot(JSON.parse(data) as Live, heardAt)
      options.onState(state)
    })
    listen('delta', (data) => {
      const delta = JSON.parse(data) as LiveDelta
      if (state === null) return
      const hole = delta.sequence !== undefined && delta.sequence > state.sequence + 1
      state = applyDelta(state, delta, heardAt)
      options.onState(state)
      if (hole && heardAt - resyncedAt > resyncEveryMs) {
        resyncedAt = heardAt
        connect()
      }
    })
    mine.addEventListener('error', () => {
      if (stream === mine && mine.readyState === closed) options.onRefused()
    })
  }

  connect()
  return {
    tick() {
      const now = options.clock()
      const dead = stream?.readyState === closed && now - openedAt > 5_000
      if (dead || (now - heardAt > silentAfterMs && now - openedAt > silentAfterMs)) connect()
    },
    heardAt: () => heardAt,
    stop() {
      stream?.close()
      stream = null
    },
  }
}
