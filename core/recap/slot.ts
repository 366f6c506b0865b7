import { hexOf } from './bytes.ts'
import type { Contest } from './form.ts'
import type { Recap } from './record.ts'

/** Who makes records of a slot: officers of KPU (KPPS), and the supervisor of Bawaslu (Pengawas TPS), each from the same form on the wall. */
export const sides = ['officer', 'supervisor'] as const
export type Side = (typeof sides)[number]

/**
 * One contest at one station is a slot, and one form fills it. It has two sides, which never settle each other. Records of a side with the same bytes
 * are one record; one that names another of its side corrects it; two that neither corrects are a conflict, which people settle by the
 * paper. Nothing is dropped and none wins by coming later.
 */
export interface Held {
  /** SHA-256 of the signed bytes, hex: the same hash is the same record. */
  readonly hash: string
  readonly recap: Recap
  /** By whose key signed it. */
  readonly side: Side
}

export interface Slot {
  readonly station: string
  readonly contest: Contest
  /** Null for a side of which nothing is held. */
  readonly sides: Readonly<Record<Side, SlotSide | null>>
}

export interface SlotSide {
  /** `single`: one record; `corrected`: one that nothing corrects, and it corrects others; `conflict`: several that nothing corrects. */
  readonly state: 'single' | 'corrected' | 'conflict'
  /** In a conflict: whether all of them have the same totals, as when two officers recorded the same form. */
  readonly sameTotals: boolean
  /** For each record that nothing corrects: it, then what it corrects, back to the first that is held. By time of making, the latest first. */
  readonly chains: readonly (readonly Held[])[]
  /** Corrections whose corrected record is not held (`absent`), lies in another slot (`elsewhere`) or is of the other side (`other_side`): these two correct nothing. */
  readonly loose: readonly { readonly hash: string; readonly replaces: string; readonly why: 'absent' | 'elsewhere' | 'other_side' }[]
}

const slotOf = ({ recap }: Held): string => `${recap.station} ${recap.contest}`
const inOrder = (one: Held, other: Held): number => other.recap.madeAt - one.recap.madeAt || (one.hash < other.hash ? -1 : 1)

/**
 * What is shown of a set of records, whatever the order they came in and however often.
 * @param held verified and allowed at their stations: that is judged before
 * @returns slots by station and contest
 */
export function slotsOf(held: Iterable<Held>): Slot[] {
  const all = new Map<string, Held>()
  for (const each of held) if (!all.has(each.hash)) all.set(each.hash, each)
  const slots = new Map<string, Held[]>()
  for (const each of all.values()) slots.set(slotOf(each), [...(slots.get(slotOf(each)) ?? []), each])
  return [...slots].sort(([one], [other]) => (one < other ? -1 : 1)).flatMap(([, records]) => {
    const [first] = records
    if (first === undefined) return []
    const of = (side: Side): SlotSide | null => showSide(records.filter((each) => each.side === side), all)
    return [{ station: first.recap.station, contest: first.recap.contest, sides: { officer: of('officer'), supervisor: of('supervisor') } }]
  })
}

function showSide(records: readonly Held[], all: ReadonlyMap<string, Held>): SlotSide | null {
  if (records.length === 0) return null
  const corrected = new Map<string, Held>()
  const loose: SlotSide['loose'][number][] = []
  const sorted = [...records].sort(inOrder)
  for (const record of sorted) {
    if (record.recap.replaces === null) continue
    const replaces = hexOf(record.recap.replaces)
    const named = all.get(replaces)
    if (named === undefined) loose.push({ hash: record.hash, replaces, why: 'absent' })
    else if (slotOf(named) !== slotOf(record)) loose.push({ hash: record.hash, replaces, why: 'elsewhere' })
    else if (named.side !== record.side) loose.push({ hash: record.hash, replaces, why: 'other_side' })
    else corrected.set(record.hash, named)
  }
  const replaced = new Set([...corrected.values()].map(({ hash }) => hash))
  const heads = sorted.filter(({ hash }) => !replaced.has(hash))
  const chains = heads.map((head) => chainOf(head, corrected))
  // a ring cannot be signed, since each hash would cover the other; were one given, none of it is hidden
  const shown = new Set(chains.flat())
  for (const record of sorted) {
    if (shown.has(record)) continue
    const chain = chainOf(record, corrected)
    chains.push(chain)
    for (const each of chain) shown.add(each)
  }
  const totals = new Set(chains.map(([head]) => JSON.stringify(head?.recap.totals)))
  const [only] = chains.length === 1 ? chains : []
  const isCorrection = only !== undefined && (only.length > 1 || loose.some(({ hash, why }) => hash === only[0]?.hash && why === 'absent'))
  return { state: only === undefined ? 'conflict' : isCorrection ? 'corrected' : 'single', sameTotals: totals.size === 1, chains, loose }
}

function chainOf(head: Held, corrected: ReadonlyMap<string, Held>): Held[] {
  const chain = new Map<string, Held>()
  for (let each: Held | undefined = head; each !== undefined && !chain.has(each.hash); each = corrected.get(each.hash)) chain.set(each.hash, each)
  return [...chain.values()]
}
