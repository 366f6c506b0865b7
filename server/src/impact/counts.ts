import { setImmediate as othersTurn } from 'node:timers/promises'
import type { LiveDisturbance } from '@kawal/contract/live.ts'
import { tally, type Tally } from '@kawal/core/impact/impact.ts'
import { isDoubtful, type Fault } from '@kawal/core/impact/ways.ts'
import { rowsOf, type Facts } from './facts.ts'

export type ImpactRow = Pick<LiveDisturbance, 'id' | 'stage' | 'severity' | 'cause' | 'operator' | 'stations'>

interface CountNeeds {
  readonly facts: Facts
  readonly faultOf: (row: ImpactRow) => Fault
  readonly recaps: () => Int16Array | null
}

interface Known {
  /** As it was told last, to see what changed. */
  readonly stations: readonly string[]
  readonly rows: Int32Array
  /** Chunks that its stations lie in. */
  readonly chunks: readonly number[]
  readonly fault: Fault
  readonly doubtful: boolean
  counts: Tally | null
  /** The turn at which it was counted. */
  countedAt: number
}

/** So many stations are looked at in one go, about 20 ms, before whatever else waits has its turn. */
const stations_at_once = 1_000_000
/** What changed is remembered by so many neighbouring stations (by code) together: 4,096. */
const chunk_shift = 12

/**
 * The counts of everything that is ongoing, kept until something changes at its own stations. Time alone changes
 * none. Each disturbance takes 4 bytes a station.
 */
export function createCounts({ facts, faultOf, recaps }: CountNeeds) {
  const known = new Map<string, Known>()
  const stations = facts.codes.length
  const changedAt = new Uint32Array((stations >> chunk_shift) + 1)
  let turn = 1

  /** Takes up what a row says; true where its stations have to be marked anew. */
  function take(row: ImpactRow): boolean {
    const held = known.get(row.id)
    const [fault, doubtful] = [faultOf(row), isDoubtful(row.stage)]
    const same = held !== undefined && sameCodes(held.stations, row.stations)
    if (same && held.doubtful === doubtful && sameFault(held.fault, fault)) return false
    const rows = same ? held.rows : rowsOf(facts.codes, row.stations)
    known.set(row.id, { stations: row.stations, rows, chunks: same ? held.chunks : chunksOf(rows), fault, doubtful, counts: null, countedAt: 0 })
    return true
  }

  /** Marks the stations of everything that is ongoing, and notes where that changed something. */
  function mark(): void {
    const [hit, doubt] = [new Int32Array(stations), new Int32Array(stations)]
    for (const { rows, fault: { marks }, doubtful } of known.values()) {
      const column = doubtful ? doubt : hit
      if (marks === 0) continue
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i] as number
        if (row >= 0) column[row] = (column[row] as number) | marks
      }
    }
    const before = facts.ways
    turn++
    for (let row = 0; row < stations; row++) if (hit[row] !== before.hit[row] || doubt[row] !== before.doubt[row]) changedAt[row >> chunk_shift] = turn
    facts.ways = { ...before, hit, doubt }
  }

  return {
    /** Tells that what is known of these rows of the register changed; of all when none are given. */
    changed(rows?: readonly number[]): void {
      turn++
      if (rows === undefined) changedAt.fill(turn)
      else for (const row of rows) changedAt[row >> chunk_shift] = turn
    },

    /** Takes these as everything that is ongoing, and gives each one's counts in turn. */
    async each(rows: readonly ImpactRow[], found: (row: ImpactRow, counts: Tally) => void): Promise<void> {
      const ids = new Set(rows.map((row) => row.id))
      let changed = false
      for (const id of known.keys()) if (!ids.has(id)) changed = known.delete(id)
      await inPieces(rows, (row) => {
        changed = take(row) || changed
      })
      if (changed) mark()
      await inPieces(rows, (row) => {
        const held = known.get(row.id)
        if (held === undefined) return
        const unsent = recaps()
        // recaps are sent all the time: where they are counted, everything is
        if (held.counts === null || held.counts.recaps !== null || unsent !== null || held.chunks.some((chunk) => (changedAt[chunk] as number) > held.countedAt)) {
          held.counts = tally(held.rows, held.fault, facts, unsent)
          held.countedAt = turn
        }
        found(row, held.counts)
      })
    },

    /** Of one disturbance, not remembered. */
    once: (row: ImpactRow): Tally => tally(rowsOf(facts.codes, row.stations), faultOf(row), facts, recaps()),
  }
}

async function inPieces(rows: readonly ImpactRow[], work: (row: ImpactRow) => void): Promise<void> {
  let looked = 0
  for (const row of rows) {
    work(row)
    looked += row.stations.length
    if (looked < stations_at_once) continue
    looked = 0
    await othersTurn()
  }
}

function chunksOf(rows: Int32Array): number[] {
  const chunks = new Set<number>()
  let last = -1
  for (let i = 0; i < rows.length; i++) {
    const chunk = (rows[i] as number) >> chunk_shift
    if (chunk !== last && chunk >= 0) chunks.add(chunk)
    last = chunk
  }
  return [...chunks]
}

const sameFault = (a: Fault, b: Fault): boolean => a.own === b.own && a.marks === b.marks && a.total === b.total
const sameCodes = (a: readonly string[], b: readonly string[]): boolean => a === b || (a.length === b.length && a.every((code, at) => code === b[at]))
