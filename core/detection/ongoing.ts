import type { Instant } from '../kernel/clock.ts'
import { judgeCause } from './cause.ts'
import { isOngoing, type Cause, type FoundDisturbance, type Stage, type Turn } from './disturbance.ts'
import { beganAt, claim, goesOn, redraw, release } from './extent.ts'
import { placesBeside } from './beside.ts'
import { countStations, isWell, silence_says_s, weigh } from './measured.ts'
import type { Candidate } from './scan.ts'
import { noSigns, seconds, type DetectionState, type Ongoing, type Shown } from './state.ts'
import { rule } from './status.ts'

/** A turn of a disturbance, or (`turn` null) its counts as they are now. */
export interface Finding { readonly turn: Turn | null; readonly disturbance: FoundDisturbance; readonly other: string | null }

/** Of the devices that it held at most, so many left say that it recovers, relapses, has ended. */
const left = { recovering: 0.7, relapsed: 0.85, ended: 0.35 }
/** Some officers go home while it lasts, and are never heard well: then the rest decides, after so long a calm. */
const tail = { calm_s: 900, left: 0.65 }
/** By then whoever is well again has been heard: the longest interval, and what a phone is late, s. */
const heard_s = 600
/** What comes again at the same place within this time is the same disturbance. */
const flapping_s = 15 * 60
const grown_told = 1.2
/** By then all devices that what comes at once reaches have reported. */
const early_s = 6 * 60

/** Opens a disturbance that the evidence, or an alarm, asks for; suspected ones hold no device. */
export function openFound(state: DetectionState, candidate: Pick<Candidate, 'operator' | 'score' | 'threshold' | 'places'>, now: Instant, cause: Cause = 'undetermined'): Ongoing {
  const now_s = seconds(now)
  const since_s = beganAt(state, candidate.places, candidate.operator, now_s)
  return {
    slot: -1, operator: candidate.operator, places: new Set(candidate.places), since_s, seenAt_s: now_s, calmSince_s: 0, apartSince_s: 0, devices: 0, devicesMost: 0, early: -1, stationsTold: 0, mark: -1, signs: noSigns(), peak: null, peakPlaces: [],
    found: {
      id: `d-${String(state.nextId++).padStart(6, '0')}`, stage: 'suspected', cause, confidence: 0, operator: state.operators[candidate.operator] ?? null, isEverybody: candidate.operator < 0,
      severity: cause === 'election_server' ? 'degraded' : 'down', areaCode: '', stations: [], startedAt: since_s * 1000, suspectedAt: now, foundAt: null, endedAt: null, parent: null, plannedWork: null, alarms: [],
      evidence: { devicesExpected: 0, devicesSilent: 0, devicesBad: 0, devicesGood: 0, witnessesGood: 0, score: round(candidate.score), threshold: candidate.threshold, rule, causes: [], signs: [] },
    },
  }
}

/** From now on its devices are its own. */
export function confirm(state: DetectionState, each: Ongoing, candidate: Pick<Candidate, 'score' | 'threshold' | 'places'>, now: Instant): Finding {
  const free = state.ongoing.indexOf(null)
  each.slot = free < 0 ? state.ongoing.length : free
  state.ongoing[each.slot] = each
  for (const place of candidate.places) each.places.add(place)
  redraw(state, each, seconds(now))
  each.found = { ...each.found, stage: 'confirmed', foundAt: each.found.foundAt ?? now, evidence: { ...each.found.evidence, score: round(candidate.score), threshold: candidate.threshold } }
  refresh(state, each, now, claim(state, each, seconds(now)))
  each.stationsTold = each.found.stations.length
  return { turn: 'confirmed', disturbance: each.found, other: null }
}

/** The words of a disturbance from its places and devices. */
function refresh(state: DetectionState, each: Ongoing, now: Instant, shown: Shown): void {
  if (each.devices >= each.devicesMost || each.peak === null) Object.assign(each, { peak: shown, peakPlaces: [...each.places] })
  each.devicesMost = Math.max(each.devicesMost, each.devices)
  const age_s = seconds(now) - each.since_s
  if (age_s >= early_s && age_s < early_s + 90 && each.early < 0) each.early = each.devices
  if (each.found.stage !== 'recovering') settleOperator(state, each, shown)
  const stations = stationsOf(state, each)
  const judged = judgeCause(state, each, each.peak ?? shown)
  each.found = {
    ...each.found, stations, areaCode: areaOf(stations), cause: judged.cause, confidence: judged.confidence, operator: state.operators[each.operator] ?? null, isEverybody: each.operator < 0,
    severity: (each.peak ?? shown).bad > (each.peak ?? shown).silent ? 'degraded' : 'down',
    evidence: { ...each.found.evidence, devicesExpected: shown.expected, devicesSilent: shown.silent, devicesBad: shown.bad, devicesGood: shown.good, witnessesGood: shown.othersGood, causes: judged.causes, signs: judged.signs },
  }
  each.seenAt_s = seconds(now)
}

/** Whose it is, by who is hit: the others at its places join in, or turn out to be well. */
function settleOperator(state: DetectionState, each: Ongoing, shown: Shown): void {
  if (each.operator >= 0) {
    if (shown.othersHit >= 4 && shown.othersHit > shown.othersGood && shown.othersHit >= 0.25 * (shown.silent + shown.bad)) each.operator = -1
    return
  }
  const rows = [...shown.byOperator].sort((a, b) => b[1].hits - a[1].hits || ((state.operators[a[0]] ?? '') < (state.operators[b[0]] ?? '') ? -1 : 1))
  const most = rows[0]
  const rest = rows.slice(1).reduce((sum, [, { hits, all }]) => ({ hits: sum.hits + hits, all: sum.all + all }), { hits: 0, all: 0 })
  // The others' hit are then no more than those who rest.
  if (most !== undefined && most[1].hits >= 5 && most[1].hits >= 0.3 * most[1].all && rest.all >= 5 && rest.hits / rest.all <= Math.min(0.22, (0.45 * most[1].hits) / most[1].all)) each.operator = most[0]
}

/** Codes of its stations; the same list as before where its places are. */
function stationsOf(state: DetectionState, each: Ongoing): readonly string[] {
  let mark = each.places.size
  for (const place of each.places) mark = (mark + Math.imul(place + 1, 2_654_435_761)) | 0
  if (mark === each.mark) return each.found.stations
  each.mark = mark
  return stationCodes(state, each.places)
}

/** Codes of the stations of these places, sorted: by ticks on their ranks, since a whole nation's are listed in each sweep in which more places miss the election server. */
export function stationCodes({ stations, places: { start, members, order, rank } }: DetectionState, of: Iterable<number>): string[] {
  let [least, most] = [order.length, -1]
  const each = [...of]
  for (const place of each)
    for (let at = start[place] as number; at < (start[place + 1] as number); at++) {
      const here = rank[members[at] as number] as number
      if (here < least) least = here
      if (here > most) most = here
    }
  const isThere = new Uint8Array(Math.max(0, most - least + 1))
  for (const place of each) for (let at = start[place] as number; at < (start[place + 1] as number); at++) isThere[(rank[members[at] as number] as number) - least] = 1
  const codes: string[] = []
  isThere.forEach((there, at) => void (there === 1 && codes.push(stations[order[least + at] as number]?.code ?? '')))
  return codes
}

/** The smallest administrative area that holds them all; '' when they share no province. @param codes sorted */
export function areaOf(codes: readonly string[]): string {
  const [first, last] = [codes[0] ?? '', codes.at(-1) ?? '']
  return first.slice(0, [10, 6, 4, 2].find((each) => first.slice(0, each) === last.slice(0, each)) ?? 0)
}

/** Looks again at an ongoing one: its extent, its counts, and whether it recovers. */
export function follow(state: DetectionState, each: Ongoing, now: Instant): Finding[] {
  const now_s = seconds(now)
  const before = each.found
  // Within a larger one it would grow to that one's extent, and end with it.
  if (before.stage === 'confirmed' && before.parent === null) redraw(state, each, now_s)
  refresh(state, each, now, claim(state, each, now_s))
  const stage = measuredStage(state, each, now_s)
  if (stage === 'ended') {
    // An operator's core is too wide for a look at each place; what is held back ends with what holds it.
    const rest = before.cause === 'core' || before.parent !== null ? null : goesOn(state, each, now_s)
    if (rest === null || (!rest.isSure && now_s - each.calmSince_s >= heard_s)) return [end(state, each, now)]
    if (rest.isSure) {
      narrow(state, each, rest.places, now)
      each.stationsTold = each.found.stations.length
      return [{ turn: 'grown', disturbance: each.found, other: null }]
    }
    each.found = { ...each.found, stage: 'recovering' }
    return isSame(before, each.found) ? [] : [{ turn: null, disturbance: each.found, other: null }]
  }
  // While it recovers it is what it was at its largest.
  if (stage === 'recovering' && before.stage === 'confirmed') {
    each.places = new Set(each.peakPlaces)
    refresh(state, each, now, claim(state, each, now_s))
  }
  each.found = { ...each.found, stage }
  const turns: Turn[] = []
  if (stage !== before.stage) turns.push(stage === 'recovering' ? 'recovering' : 'relapsed')
  if (each.found.stations.length >= grown_told * each.stationsTold && each.found.stations !== before.stations) turns.push('grown')
  if (each.found.cause !== before.cause || each.found.operator !== before.operator) turns.push('attributed')
  if (turns.includes('grown')) each.stationsTold = each.found.stations.length
  if (turns.length > 0) return turns.map((turn) => ({ turn, disturbance: each.found, other: null }))
  return isSame(before, each.found) ? [] : [{ turn: null, disturbance: each.found, other: null }]
}

/** Only these places are left of it: it goes on as confirmed, and what it held elsewhere is free. */
export function narrow(state: DetectionState, each: Ongoing, places: Iterable<number>, now: Instant): void {
  release(state, each)
  Object.assign(each, { places: new Set(places), devicesMost: 0, peak: null, peakPlaces: [], calmSince_s: 0, apartSince_s: 0 })
  each.found = { ...each.found, stage: 'confirmed' }
  refresh(state, each, now, claim(state, each, seconds(now)))
}

/**
 * Its next stage, as far as somebody measured it: nobody left to report is no end. Where those that it holds have been silent
 * for so long that it says nothing any more, the others decide.
 */
function measuredStage(state: DetectionState, each: Ongoing, now_s: number): Stage {
  const wasCalm = each.calmSince_s !== 0
  const stage = nextStage(each, now_s)
  const isOld = now_s - each.since_s > silence_says_s
  if (stage !== 'ended' && (!isOld || each.found.evidence.devicesGood === 0)) return stage
  // At its largest: what is well has left its extent by now.
  const counts = countStations(state, { ...each, places: new Set(each.peakPlaces) }, each.since_s, now_s)
  const { says, good, bad, silent } = weigh(counts, each.devicesMost)
  if (stage === 'ended') {
    if (!isRetraction(each) && !isWell(counts, each.devicesMost)) return 'recovering'
    each.found = { ...each.found, evidence: { ...each.found.evidence, devicesExpected: good + bad + silent, devicesGood: good, devicesBad: bad, devicesSilent: silent } }
    return 'ended'
  }
  if (says !== 'well') return stage
  // Two sweeps in a row, never one.
  if (each.calmSince_s === 0) each.calmSince_s = now_s
  return wasCalm ? 'ended' : 'recovering'
}

function nextStage(each: Ongoing, now_s: number): Stage {
  const share = each.devices / Math.max(1, each.devicesMost)
  const { devicesGood, devicesExpected } = each.found.evidence
  if (share > left.relapsed || (each.found.stage === 'confirmed' && share > left.recovering)) {
    each.calmSince_s = 0
    return 'confirmed'
  }
  const isBack = devicesGood >= 0.5 * devicesExpected
  if (each.calmSince_s === 0) each.calmSince_s = now_s
  // Two sweeps in a row, never one.
  else if (isBack && (share <= left.ended || (share <= tail.left && now_s - each.calmSince_s >= tail.calm_s))) return 'ended'
  return each.devices === 0 ? 'ended' : 'recovering'
}

const isSame = (a: FoundDisturbance, b: FoundDisturbance): boolean =>
  a.stations === b.stations && a.evidence.devicesSilent === b.evidence.devicesSilent && a.evidence.devicesBad === b.evidence.devicesBad && a.evidence.devicesGood === b.evidence.devicesGood && a.evidence.witnessesGood === b.evidence.witnessesGood && a.confidence === b.confidence

/** What came late says that its devices had been well all the while. */
const isRetraction = ({ signs: { lateGood, lateBad }, devicesMost, found: { cause } }: Ongoing): boolean => lateGood > lateBad && lateGood >= 0.3 * devicesMost && cause !== 'ingest'

/** Measured well; or retracted, when what came late says that its devices had been well all the while. Its parent is from now on what it was merged into, and not what held it back. */
export function end(state: DetectionState, each: Ongoing, now: Instant, turn: 'ended' | 'retracted' | 'merged' = 'ended', other: string | null = null): Finding {
  const told = turn === 'ended' && isRetraction(each) ? 'retracted' : turn
  if (each.slot >= 0) {
    release(state, each)
    state.ongoing[each.slot] = null
  }
  each.found = { ...each.found, stage: told === 'retracted' ? 'retracted' : 'ended', endedAt: now, parent: other }
  if (told === 'ended' && each.found.cause !== 'ingest' && each.found.cause !== 'election_server') state.recent.push(each)
  state.recent = state.recent.filter((ended) => seconds(now) - seconds(ended.found.endedAt ?? 0) <= flapping_s)
  return { turn: told, disturbance: each.found, other }
}

/** What ended lately at this place and is back. */
export function flapped(state: DetectionState, candidate: Pick<Candidate, 'operator' | 'places'>, now: Instant): Ongoing | null {
  const back = state.recent.find((each) => each.operator === candidate.operator && seconds(now) - seconds(each.found.endedAt ?? 0) <= flapping_s && candidate.places.filter((place) => each.places.has(place)).length >= 0.5 * Math.min(each.places.size, candidate.places.length))
  if (back === undefined) return null
  state.recent = state.recent.filter((each) => each !== back)
  Object.assign(back, { calmSince_s: 0, devicesMost: 0, signs: noSigns(), peak: null, peakPlaces: [] })
  back.found = { ...back.found, endedAt: null }
  return back
}

/** A candidate beside an ongoing one is of the same fault for so long, s; then it is another. */
const spreading_s = 15 * 60

/** An ongoing one that a candidate belongs to: the same operator's (or everybody's), at its places, or beside them while it spreads. */
export function touching(state: DetectionState, candidate: Pick<Candidate, 'operator' | 'places'>, now: Instant): Ongoing | null {
  for (const each of state.ongoing) {
    if (each === null || each.found.cause === 'election_server' || each.found.cause === 'ingest' || (each.operator >= 0 && each.operator !== candidate.operator)) continue
    const shared = candidate.places.filter((place) => each.places.has(place)).length
    if (shared >= 0.3 * candidate.places.length) return each
    if (seconds(now) - each.since_s <= spreading_s && (shared > 0 || candidate.places.some((place) => placesBeside(state, place, each.operator).some((other) => each.places.has(other))))) return each
  }
  return null
}

export const ongoing = (state: DetectionState): Ongoing[] => state.ongoing.filter((each): each is Ongoing => each !== null && isOngoing(each.found.stage))

const round = (value: number): number => Math.round(value * 10) / 10
