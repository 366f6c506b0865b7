import type { Draft, Way } from '../journal/segment.ts'

/** A way with its place in the draft that it was last used in. */
interface KnownWay extends Way { draft: Draft | null; drafted: number; place: number }

const remembered_max = 10_000

/**
 * Whose network a report came over. Who carries it: the declared SIM on a cellular line, the source network on any
 * other. A web page cannot tell which it is on: then the network is believed where it is known. Both are kept.
 * @param operatorOfSim PLMN code and instant to organisation id; null when the code is not known
 */
export function createWays(operatorOfSim: (plmn: string, at: number) => string | null) {
  // By source network, then by the SIM's operator, then by what the access makes of them: objects that were made before.
  let known = new Map<string | null, Map<string | null, (KnownWay | undefined)[]>>()
  let count = 0

  function make(network: string | null, sim: string | null, kind: number, offset_ms: number): KnownWay {
    const operator = kind === 0 ? (sim ?? network) : kind === 1 ? (network ?? sim) : network
    return { operator, sim, network, offset_ms, draft: null, drafted: 0, place: 0 }
  }
  function find(network: string | null, sim: string | null, kind: number): KnownWay {
    let bySim = known.get(network)
    if (bySim === undefined) known.set(network, (bySim = new Map()))
    let ways = bySim.get(sim)
    if (ways === undefined) bySim.set(sim, (ways = [undefined, undefined, undefined]))
    let way = ways[kind]
    if (way !== undefined) return way
    if (++count > remembered_max) {
      known = new Map()
      count = 0
    }
    return (ways[kind] = way = make(network, sim, kind, 0))
  }
  return {
    /** @param at by the phone's clock: operators merge and codes change hands */
    wayOf(plmn: string | null, access: string, network: string | null, offset_ms: number, at: number): KnownWay {
      // An unknown operator is kept under its code, never dropped.
      const sim = plmn === null ? null : (operatorOfSim(plmn, at) ?? `plmn-${plmn}`)
      const kind = access === 'cellular' || access === 'none' ? 0 : access === 'unknown' ? 1 : 2
      return offset_ms === 0 ? find(network, sim, kind) : make(network, sim, kind, offset_ms)
    },
    /** The way's place among a draft's ways, which it joins. */
    placeIn(draft: Draft, way: KnownWay): number {
      if (way.draft === draft && way.drafted === draft.number) return way.place
      way.draft = draft
      way.drafted = draft.number
      return (way.place = draft.ways.push(way) - 1)
    },
  }
}
