import { charging, fieldOf, onBattery, what } from './evidence.ts'
import { placesAround, placesBeside } from './beside.ts'
import { field, isBad, onDuty, stride, type DetectionState, type Ongoing, type Shown } from './state.ts'

/** What fell silent this long before a disturbance is thought to have begun still belongs to it, s. */
const begin_margin_s = 120
/** Nats for a place all of whose neighbours are in, against one all of whose neighbours are out. */
const neighbours_nats = 3.2
const outside_nats = 0.4
const usual_hit = 0.08
const rounds = 3
/** Batteries of towers last longer than this, s. */
const later_s = 30 * 60
/** An extent drawn too wide shows a small share, which would make it wider: no less is believed of one operator's, and of everybody's. */
const share_min = { one: 0.55, all: 0.3 }

/** Hit and well devices of one operator (-1: all) at a place since a disturbance began. */
function tallyPlace(state: DetectionState, each: Ongoing, place: number, now_s: number): { hits: number; well: number } {
  const tally = { hits: 0, well: 0 }
  visit(state, each, place, (at) => {
    const seen = seenAs(state, each, at, now_s)
    if (seen === hit) tally.hits++
    else if (seen === well) tally.well++
  })
  return tally
}

export const nothing = 0
export const hit = 1
const well = 2

/** Of the disturbance's own operator: `visit` gives the devices by their offset. */
export function visit({ nodes, first, devices }: DetectionState, { operator }: Pick<Ongoing, 'operator'>, place: number, see: (at: number) => void): void {
  for (let node = first[place] as number; node >= 0; node = nodes.sibling[node] as number) {
    if (operator >= 0 && nodes.operator[node] !== operator) continue
    for (let device = nodes.device[node] as number; device >= 0; device = devices[device * stride + field.next] as number) see(device * stride)
  }
}

export function seenAs({ devices, options: { grace_s } }: DetectionState, { slot, since_s }: Ongoing, at: number, now_s: number): number {
  const flags = devices[at + field.flags] as number
  const mine = devices[at + field.hitBy] as number
  if ((flags & onDuty) === 0 || (mine >= 0 && mine !== slot)) return nothing
  const dueAt = devices[at + field.dueAt] as number
  const lastAt = devices[at + field.lastAt] as number
  if (now_s > dueAt + grace_s) return dueAt >= since_s - begin_margin_s || mine === slot ? hit : nothing
  if ((flags & isBad) !== 0) return lastAt >= since_s - begin_margin_s ? hit : nothing
  return lastAt >= since_s + 15 ? well : nothing
}

/**
 * Decides anew which places a disturbance reaches: a place is in when its own devices and the places beside it say so.
 * A few rounds of iterated conditional modes (Besag 1986), from what was in before; it grows by a ring a round. Places
 * without a device of the operator go with their neighbours, since nobody can say there.
 */
export function redraw(state: DetectionState, each: Ongoing, now_s: number): void {
  const tallies = new Map<number, { hits: number; well: number }>()
  const tallyOf = (place: number): { hits: number; well: number } => {
    let tally = tallies.get(place)
    if (tally === undefined) tallies.set(place, (tally = tallyPlace(state, each, place, now_s)))
    return tally
  }
  for (let round = 0; round < rounds; round++) {
    const share = shareOf(each, tallyOf)
    const [nats_hit, nats_well] = [Math.log(share / usual_hit), Math.log((1 - share) / (1 - usual_hit))]
    const near = new Set(each.places)
    for (const place of each.places) for (const other of placesBeside(state, place, each.operator)) near.add(other)
    const next = [...near].filter((place) => {
      const beside = placesBeside(state, place, each.operator)
      const all = beside.length
      let inside = 0
      for (const other of beside) if (each.places.has(other)) inside++
      const { hits, well } = tallyOf(place)
      const own = hits * nats_hit + well * nats_well
      const fromNeighbours = all === 0 ? 0 : neighbours_nats * (inside / all - 0.5) - outside_nats
      return own + fromNeighbours > 0
    })
    // All evidence gone at once is the end, which is not this function's to say.
    if (next.length === 0) return
    const same = next.length === each.places.size && next.every((place) => each.places.has(place))
    each.places.clear()
    for (const place of next.sort((a, b) => a - b)) each.places.add(place)
    if (same) return
  }
}

function shareOf(each: Ongoing, tallyOf: (place: number) => { hits: number; well: number }): number {
  let [hits, all] = [0, 0]
  for (const place of each.places) {
    const tally = tallyOf(place)
    hits += tally.hits
    all += tally.hits + tally.well
  }
  return Math.min(0.95, Math.max(each.operator < 0 ? share_min.all : share_min.one, (hits + 1) / (all + 2)))
}

/** Of one that is nearly over: how silent a circle must be to be held for more than chance, and for what goes on; nats, devices, share. */
const rest = { doubt_nats: 5, nats: 10, devices_min: 5, share_min: 0.8 }

/**
 * What goes on of a disturbance that is mostly well again: the places around one of its own that are silent still, while the
 * others were heard. Those who went home meanwhile, and those not heard again yet, are silent everywhere: a circle is held
 * against the others by Kulldorff's ratio for Bernoulli's case (1997).
 * @returns null when nothing goes on; `isSure` is false while it may be chance
 */
export function goesOn(state: DetectionState, each: Ongoing, now_s: number): { readonly isSure: boolean; readonly places: ReadonlySet<number> } | null {
  const tallies = new Map([...each.places].map((place) => [place, tallyPlace(state, each, place, now_s)]))
  let [allHits, all] = [0, 0]
  for (const { hits, well } of tallies.values()) {
    allHits += hits
    all += hits + well
  }
  let [best, places] = [rest.doubt_nats, new Set<number>()]
  for (const [centre, own] of tallies) {
    if (own.hits === 0) continue
    let [hits, count] = [0, 0]
    const around = placesAround(state, centre)
    for (let rank = 0; rank < around.length; rank++) {
      const tally = tallies.get(around[rank] as number)
      if (tally === undefined) continue
      hits += tally.hits
      count += tally.hits + tally.well
      if (tally.hits === 0 || hits < rest.devices_min || hits < rest.share_min * count || count === all) continue
      const nats = bernoulli(hits, count) + bernoulli(allHits - hits, all - count) - bernoulli(allHits, all)
      if (nats > best) [best, places] = [nats, new Set(around.subarray(0, rank + 1).filter((place) => tallies.has(place)))]
    }
  }
  return places.size === 0 ? null : { isSure: best >= rest.nats, places }
}

/** The logarithm of the likelihood of so many of so many, at the likeliest share. */
const bernoulli = (hits: number, count: number): number => (hits === 0 || hits === count ? 0 : hits * Math.log(hits / count) + (count - hits) * Math.log(1 - hits / count))

/** Takes the devices that are hit at its places for its own, lets those go that were heard well again, and counts what all of them show. */
export function claim(state: DetectionState, each: Ongoing, now_s: number): Shown {
  const shown: Shown = { expected: 0, silent: 0, bad: 0, good: 0, slow: 0, lossy: 0, byPoint: 0, othersGood: 0, othersHit: 0, unplugged: 0, plugged: 0, later: 0, byOperator: new Map() }
  const { devices, nodes, options: { grace_s } } = state
  each.devices = 0
  for (const place of each.places)
    for (let node = state.first[place] as number; node >= 0; node = nodes.sibling[node] as number) {
      const operator = nodes.operator[node] as number
      for (let device = nodes.device[node] as number; device >= 0; device = devices[device * stride + field.next] as number) {
        const at = device * stride
        const seen = seenAs(state, each, at, now_s)
        noteChargers(state, each, at, shown)
        if (each.operator >= 0 && operator !== each.operator) {
          if (seen === hit) shown.othersHit++
          else if (seen === well) shown.othersGood++
          continue
        }
        if (devices[at + field.hitBy] === each.slot && seen !== hit) devices[at + field.hitBy] = -1
        if (seen === nothing) continue
        shown.expected++
        const of = shown.byOperator.get(operator) ?? { hits: 0, all: 0 }
        shown.byOperator.set(operator, of)
        of.all++
        if (seen === well) {
          shown.good++
          continue
        }
        of.hits++
        devices[at + field.hitBy] = each.slot
        each.devices++
        const flags = devices[at + field.flags] as number
        shown.byPoint += Number(fieldOf(flags, 'way') === 3)
        const dueAt = devices[at + field.dueAt] as number
        if (now_s > dueAt + grace_s) {
          shown.silent++
          shown.later += Number(dueAt > each.since_s + later_s)
        } else {
          shown.bad++
          shown.slow += (flags >> what.slow) & 1
          shown.lossy += (flags >> what.lossy) & 1
        }
      }
    }
  return shown
}

function noteChargers({ devices }: DetectionState, { since_s }: Ongoing, at: number, shown: Shown): void {
  const unpluggedAt = devices[at + field.unpluggedAt] as number
  const flags = devices[at + field.flags] as number
  if ((devices[at + field.lastAt] as number) < since_s + 15) return
  if (fieldOf(flags, 'charging') === onBattery && unpluggedAt >= since_s - begin_margin_s) shown.unplugged++
  else if (fieldOf(flags, 'charging') === charging) shown.plugged++
}

/** Devices that it holds at a place. */
export function heldAt(state: DetectionState, each: Ongoing, place: number): number {
  let held = 0
  visit(state, each, place, (at) => (held += Number(state.devices[at + field.hitBy] === each.slot)))
  return held
}

/** Lets go of every device that it holds; those that are silent still are free to be found again. */
export function release(state: DetectionState, each: Ongoing): void {
  for (let at = 0; at < state.deviceCount * stride; at += stride) if (state.devices[at + field.hitBy] === each.slot) state.devices[at + field.hitBy] = -1
  each.devices = 0
}

/** Stations, as pairs with their operator, at which a device of a place is silent or bad now. */
export function hitPairs(state: DetectionState, place: number, operator: number): Set<number> {
  const found = new Set<number>()
  const now_s = state.sweptAt_s
  visit(state, { operator } as Ongoing, place, (at) => {
    const flags = state.devices[at + field.flags] as number
    if ((flags & onDuty) !== 0 && (state.devices[at + field.hitBy] as number) < 0 && (now_s > (state.devices[at + field.dueAt] as number) + state.options.grace_s || (flags & isBad) !== 0)) found.add(state.devices[at + field.pair] as number)
  })
  return found
}

/**
 * When it began: of what is hit, the first fifth's promise or bad report; not the first, which may have been one
 * phone's rest.
 */
export function beganAt(state: DetectionState, places: readonly number[], operator: number, now_s: number): number {
  const signs: number[] = []
  const { devices, options: { grace_s } } = state
  for (const place of places)
    visit(state, { operator } as Ongoing, place, (at) => {
      const flags = devices[at + field.flags] as number
      if ((flags & onDuty) === 0 || (devices[at + field.hitBy] as number) >= 0) return
      const dueAt = devices[at + field.dueAt] as number
      if (now_s > dueAt + grace_s) {
        if (now_s - dueAt <= 600 + grace_s) signs.push(dueAt)
      } else if ((flags & isBad) !== 0 && now_s - (devices[at + field.lastAt] as number) <= 600) signs.push(devices[at + field.lastAt] as number)
    })
  signs.sort((a, b) => a - b)
  return signs[Math.floor(signs.length / 5)] ?? now_s
}
