import { minute_ms, type Instant } from '../kernel/clock.ts'
import { atOnce, type Steps } from '../kernel/steps.ts'
import type { PlacedAlarm, PlannedWork } from './disturbance.ts'
import { held, merge, split } from './family.ts'
import { hitPairs } from './extent.ts'
import { electionTests, forgive, intakeVerdict, isDeaf, isElectionDoubted, isElectionDown, isIntakeDoubted, isIntakeLosing, noteUsual, setAside, type ElectionTests } from './national.ts'
import { areaOf, confirm, end, flapped, follow, ongoing, openFound, stationCodes, touching, type Finding } from './ongoing.ts'
import { scan, suspicion_nats, type Candidate } from './scan.ts'
import { operatorIndex, seconds, type DetectionState, type Ongoing } from './state.ts'
import { survey } from './survey.ts'

/** A suspicion that the evidence has not borne out again for so long is taken back. */
const suspicion_s = 180
/** What an alarm of the operator's own is worth beside reports, nats. */
const alarm_nats = 4
const alarm_age_max_s = 2 * 3600
const suspects_max = 500

/**
 * Sweeps: finds what is new, follows what is known. Call it every 15 to 60 s; the state is changed in place and belongs
 * to the caller. Equal reports between equal sweeps give equal findings, in whatever order they came.
 */
export const sweep = (state: DetectionState, now: Instant): Finding[] => atOnce(sweepInSteps(state, now))

/** The same in steps of some milliseconds, for who answers others meanwhile. Nothing may change the state before the last. */
export function* sweepInSteps(state: DetectionState, now: Instant): Steps<Finding[]> {
  const now_s = seconds(now)
  state.sweeps++
  state.sweptAt_s = now_s
  yield* survey(state, now_s)
  yield
  const { findings, isBlind } = followIntake(state, now)
  // While our own intake fails nothing is known, and nobody is blamed.
  if (isBlind || isDeaf(state, now_s)) return findings
  const isDoubted = isIntakeDoubted(state, now_s)
  if (!isDoubted) noteUsual(state)
  findings.push(...followElection(state, now), ...(isDoubted ? [] : yield* findFaults(state, now)))
  yield
  for (const each of ongoing(state)) if (each.found.cause !== 'election_server' && each.found.cause !== 'ingest' && !isNew(findings, each)) findings.push(...follow(state, each, now))
  findings.push(...heed(state, now), ...split(state, now), ...merge(state, now), ...held(state), ...lapse(state, now))
  return findings
}

const isNew = (findings: readonly Finding[], each: Ongoing): boolean => findings.some(({ turn, disturbance }) => turn === 'confirmed' && disturbance.id === each.found.id)

/** Our intake works again when half of the devices that it lost have been heard; or after so long without any more, s: they went home. */
const intake = { heard_share: 0.5, calm_s: 3600 }

/**
 * Whether our own intake fails. Blind are the sweeps in which more and more falls silent, and the one in which that
 * ends: what was counted was counted before. From then on the devices that it lost are set aside until they are heard,
 * and the others are watched, as when one of several receivers stays down.
 */
function followIntake(state: DetectionState, now: Instant): { findings: Finding[]; isBlind: boolean } {
  const now_s = seconds(now)
  const open = ongoing(state).find((each) => each.found.cause === 'ingest')
  const verdict = intakeVerdict(state, now_s)
  if (open === undefined) {
    if (!verdict.failing) return { findings: [], isBlind: false }
    const each = openFound(state, { operator: -1, score: verdict.silent, threshold: 0, places: verdict.places }, now, 'ingest')
    each.slot = freeSlot(state)
    state.ongoing[each.slot] = each
    each.found = { ...each.found, stage: 'confirmed', foundAt: now, confidence: 1, evidence: { ...each.found.evidence, devicesSilent: verdict.silent } }
    return { findings: [{ turn: 'confirmed', disturbance: each.found, other: null }], isBlind: true }
  }
  if (verdict.failing || isIntakeLosing(state) || isDeaf(state, now_s)) {
    open.calmSince_s = 0
    return { findings: [], isBlind: true }
  }
  const isFirst = open.calmSince_s === 0
  open.devices = setAside(state, open.slot, now_s, isFirst)
  if (isFirst) Object.assign(open, { calmSince_s: now_s, devicesMost: open.devices })
  if (isFirst || (open.devices > intake.heard_share * open.devicesMost && now_s - open.calmSince_s < intake.calm_s)) return { findings: [], isBlind: isFirst }
  const ended = end(state, open, now)
  forgive(state, open.since_s - 60, now_s)
  return { findings: [ended], isBlind: true }
}

const freeSlot = (state: DetectionState): number => (state.ongoing.includes(null) ? state.ongoing.indexOf(null) : state.ongoing.length)

/** The internet answers and the election server does not: it is the server, and no operator is blamed. */
function followElection(state: DetectionState, now: Instant): Finding[] {
  const known = ongoing(state).some((each) => each.found.cause === 'election_server')
  if (!known && !isElectionDoubted(state)) return []
  const tests = electionTests(state, seconds(now))
  const down = [...tests.values()].filter(isElectionDown)
  const open = ongoing(state).find((each) => each.found.cause === 'election_server')
  const total = sumTests(down.length > 0 ? down : tests.values())
  const evidence = { devicesExpected: total.tested, devicesSilent: 0, devicesBad: total.failed, devicesGood: total.tested - total.failed, witnessesGood: 0 }
  if (open === undefined) {
    if (down.length === 0 && !isElectionDown(total)) return []
    const each = openFound(state, { operator: -1, score: total.failed, threshold: 0, places: [...total.places].sort((a, b) => a - b) }, now, 'election_server')
    each.slot = freeSlot(state)
    state.ongoing[each.slot] = each
    const stations = stationCodes(state, each.places)
    each.found = { ...each.found, stage: 'confirmed', foundAt: now, confidence: 1, stations, areaCode: '', startedAt: now - 2 * minute_ms, evidence: { ...each.found.evidence, ...evidence } }
    return [{ turn: 'confirmed', disturbance: each.found, other: null }]
  }
  const before = open.found
  open.found = { ...before, evidence: { ...before.evidence, ...evidence } }
  if (down.length > 0 || total.failed >= 0.2 * total.tested) {
    open.calmSince_s = 0
    const size = open.places.size
    for (const { places } of down) for (const place of places) open.places.add(place)
    if (open.places.size > size) open.found = { ...open.found, stations: stationCodes(state, open.places) }
    return before.evidence.devicesBad === evidence.devicesBad && open.places.size === size ? [] : [{ turn: null, disturbance: open.found, other: null }]
  }
  if (open.calmSince_s !== 0) return [end(state, open, now)]
  open.calmSince_s = seconds(now)
  return []
}

function sumTests(each: Iterable<ElectionTests>): ElectionTests {
  const total = { tested: 0, failed: 0, operators: 0, places: new Set<number>() }
  for (const { tested, failed, operators, places } of each) {
    total.tested += tested
    total.failed += failed
    total.operators = Math.max(total.operators, operators)
    for (const place of places) total.places.add(place)
  }
  return total
}

function* findFaults(state: DetectionState, now: Instant): Steps<Finding[]> {
  const findings: Finding[] = []
  for (const candidate of yield* scan(state, suspicion_nats + alarm_nats)) {
    if (!isOfSeveral(state, candidate)) continue
    const alarms = alarmsAt(state, candidate, now)
    const excess = candidate.score - candidate.threshold + (alarms.length > 0 ? alarm_nats : 0)
    if (excess < -suspicion_nats) continue
    const near = touching(state, candidate, now)
    if (near !== null) {
      if (excess >= 0) for (const place of candidate.places) near.places.add(place)
      continue
    }
    if (excess < 0) findings.push(...suspect(state, candidate, now))
    else findings.push(...confirmed(state, candidate, alarms, now))
  }
  return findings
}

/** What is hit at one station alone may be one letter's doing, or one officer's: it takes a second. */
function isOfSeveral(state: DetectionState, { operator, places }: Candidate): boolean {
  const seen = new Set<number>()
  for (const place of places) {
    for (const pair of hitPairs(state, place, operator)) seen.add(state.pairs.station[pair] as number)
    if (seen.size >= 2) return true
  }
  return false
}

function confirmed(state: DetectionState, candidate: Candidate, alarms: readonly string[], now: Instant): Finding[] {
  const back = flapped(state, candidate, now)
  const suspected = suspectAt(state, candidate)
  if (suspected !== undefined) state.suspects = state.suspects.filter((each) => each !== suspected)
  const each = back ?? (suspected === undefined ? openFound(state, candidate, now) : Object.assign(openFound(state, candidate, now), { found: suspected.found }))
  if (back === null && suspected !== undefined) each.found = { ...each.found, startedAt: each.since_s * 1000, operator: state.operators[candidate.operator] ?? null, isEverybody: candidate.operator < 0 }
  const known = new Set(each.found.alarms)
  each.found = { ...each.found, alarms: [...new Set([...known, ...alarms])].sort() }
  const found = confirm(state, each, candidate, now)
  return [back === null ? found : { ...found, turn: 'relapsed' as const }, ...alarms.filter((id) => !known.has(id)).map((id) => ({ turn: 'alarm' as const, disturbance: each.found, other: id }))]
}

const suspectAt = (state: DetectionState, { operator, places }: Pick<Candidate, 'operator' | 'places'>): Ongoing | undefined =>
  state.suspects.find((each) => (each.operator === operator || each.operator < 0 || operator < 0) && places.some((place) => each.places.has(place)))

function suspect(state: DetectionState, candidate: Candidate, now: Instant): Finding[] {
  const known = suspectAt(state, candidate)
  if (known !== undefined) {
    known.seenAt_s = seconds(now)
    return []
  }
  if (state.suspects.length >= suspects_max) return []
  const each = openFound(state, candidate, now)
  const stations = stationCodes(state, each.places)
  each.found = { ...each.found, stations, areaCode: areaOf(stations) }
  state.suspects.push(each)
  return [{ turn: 'suspected', disturbance: each.found, other: null }]
}

/** Suspicions that lapsed. */
function lapse(state: DetectionState, now: Instant): Finding[] {
  const lapsed = state.suspects.filter((each) => seconds(now) - each.seenAt_s > suspicion_s)
  if (lapsed.length === 0) return []
  state.suspects = state.suspects.filter((each) => !lapsed.includes(each))
  return lapsed.map((each) => end(state, each, now, 'retracted'))
}

function alarmsAt(state: DetectionState, { operator, places }: Pick<Candidate, 'operator' | 'places'>, now: Instant): string[] {
  return [...state.alarms.values()].filter((each) => (operator < 0 || each.operator === operator) && each.alarm.severity !== 'warning' && each.alarm.severity !== 'indeterminate' && seconds(now) - seconds(each.alarm.raisedAt) <= alarm_age_max_s && places.some((place) => each.places.has(place))).map((each) => each.alarm.id).sort()
}

/** Alarms that came after it was found stand beside its reports too. */
function heed(state: DetectionState, now: Instant): Finding[] {
  if (state.alarms.size === 0) return []
  return ongoing(state).filter((each) => each.found.cause !== 'ingest' && each.found.cause !== 'election_server').flatMap((each) => {
    const news = alarmsAt(state, { operator: each.operator, places: [...each.places] }, now).filter((id) => !each.found.alarms.includes(id))
    if (news.length === 0) return []
    each.found = { ...each.found, alarms: [...each.found.alarms, ...news].sort() }
    return news.map((id) => ({ turn: 'alarm' as const, disturbance: each.found, other: id }))
  })
}

/** An alarm of an operator's own system: evidence beside the reports, from the next sweep on. */
export function raiseAlarm(state: DetectionState, alarm: PlacedAlarm): void {
  const places = new Set(alarm.stations.flatMap((code) => state.stationIndex.get(code) ?? []).map((station) => state.places.of[station] as number))
  state.alarms.set(alarm.id, { alarm, places, operator: operatorIndex(state, alarm.operator) })
}

export const clearAlarm = (state: DetectionState, id: string): void => void state.alarms.delete(id)

export const announceWork = (state: DetectionState, work: PlannedWork): void => void state.plannedWork.set(work.id, work)

export const withdrawWork = (state: DetectionState, id: string): void => void state.plannedWork.delete(id)
