import { setTimeout as pause } from 'node:timers/promises'
import type { LiveDisturbance, LiveTicket } from '@kawal/contract/live.ts'
import { startOfficers } from '@kawal/core/rehearsal/officers.ts'
import { score, type Score } from '@kawal/core/rehearsal/score.ts'
import type { Script } from '@kawal/core/rehearsal/script.ts'
import { isOngoing } from '@kawal/core/detection/disturbance.ts'
import { hash32 } from '@kawal/core/kernel/random.ts'
import { defaultVerification } from '@kawal/core/ticket/verification.ts'
import type { App } from '../app.ts'
import type { SteppedClock } from './clock.ts'
import { startPhones } from './officers.ts'
import { startOperators, type OperatorTick } from './operators.ts'

interface RehearsalNeeds {
  readonly app: App
  readonly clock: SteppedClock
  readonly script: Script
  readonly stations: readonly { code: string; village: string; latitude: number | null; longitude: number | null }[]
  readonly seed: number
  readonly devicesPerStation: number
  /** How much faster than the wall clock; 0 is as fast as it goes. */
  readonly speed: number
  readonly readTickets: () => Promise<LiveTicket[]>
  readonly told: (line: string) => void
  readonly progress: (share: number) => void
  readonly stopped: () => boolean
  /** What else happens in it, before what is found is looked at. */
  readonly beside?: (now: number) => Promise<void>
  /** Told the result when the day is over; the officers then go on at the wall clock's pace until stopped. */
  readonly over?: (result: RehearsalResult) => void
}

export interface RehearsalResult {
  readonly score: Score
  readonly reports: { accepted: number; duplicates: number; quarantined: number }
  readonly tickets: number
  readonly closedByMeasurement: number
  readonly stillOpen: number
  readonly reopened: number
  /** Words `resolved` that were not true by the script, then and for as long as measurement had to find out. */
  readonly falseClaims: readonly Pick<Claim, 'ticket' | 'at'>[]
  /** A hash over all that was found and decided, relative to the start: equal seeds give equal digests. */
  readonly digest: number
}

interface Claim { readonly ticket: string; readonly at: number; readonly by: string; readonly stations: readonly string[] }

/** A word is false where so many of its ticket's stations are down still. */
const false_share = 0.5
const tick_ms = 15_000
const sweep_ms = 30_000
/** After the script's end the rest is repaired, verified and closed; it does not take longer than this. */
const rest_ms = 3 * 3_600_000

/**
 * Runs a script on the real interface, in lockstep: the clock stands still while the phones'
 * reports of a tick arrive, so that what is found depends on the seed alone and not on the machine.
 */
export async function runRehearsal(needs: RehearsalNeeds): Promise<RehearsalResult> {
  const { script, clock, app } = needs
  const officers = startOfficers(script, needs.stations, { seed: needs.seed, devicesPerStation: needs.devicesPerStation })
  const organisations = ['telkomsel', 'indosat', 'xlsmart', 'kpu']
  const operators = await startOperators(app.url, app.database, organisations, needs.seed, clock())
  const phones = startPhones(app.url, app.secret)
  const reports = { accepted: 0, duplicates: 0, quarantined: 0 }
  const repaired = new Map<string, number>()
  const claims: Claim[] = []
  const teller = createTeller(needs)
  let result: RehearsalResult | null = null
  let due = Date.now()
  try {
    for (let now = script.startAt; !needs.stopped(); now += tick_ms) {
      const speed = result === null ? needs.speed : 1
      due = speed > 0 ? Math.max(due + tick_ms / speed, Date.now() - tick_ms) : Date.now()
      await untilDue(due, needs.stopped)
      clock.set(now)
      const sent = await phones.send(officers.advance(now), now)
      reports.accepted += sent.accepted
      reports.duplicates += sent.duplicates
      reports.quarantined += sent.quarantined
      if (now % sweep_ms !== 0) continue
      await needs.beside?.(now)
      await app.sweep(now)
      const active = script.disturbances.filter((each) => each.startAt <= now && !repaired.has(each.id))
      const { repairs, actions } = await operators.tick(now, active.map((each) => ({ stations: each.stations, operator: each.operator, active: true })))
      for (const repair of repairs) repairFault(script, officers, repaired, repair)
      for (const each of script.disturbances) if (each.repairAt !== null && each.repairAt <= now && !repaired.has(each.id)) repaired.set(each.id, each.repairAt)
      const tickets = await needs.readTickets()
      for (const { ticket, status, answered, by } of actions) {
        const disturbance = tickets.find(({ id }) => id === ticket)?.disturbanceId ?? null
        if (status === 'resolved' && answered < 300 && disturbance !== null) claims.push({ ticket, at: now, by, stations: app.monitor.disturbance(disturbance)?.stations ?? [] })
      }
      teller.tell(now, app.monitor.found(), tickets)
      if (result !== null) continue
      needs.progress(Math.min(1, (now - script.startAt) / (script.endAt - script.startAt)))
      const calm = app.monitor.found().every((row) => row.foundAt === null || !isOngoing(row.stage)) && tickets.every((ticket) => ticket.status === 'closed' || ticket.status === 'cancelled')
      if (now < script.endAt || (!calm && now < script.endAt + rest_ms)) continue
      result = await conclude(needs, reports, repaired, claims)
      if (needs.over === undefined) break
      needs.over(result)
    }
  } finally {
    await phones.stop()
    await operators.stop()
  }
  return result ?? conclude(needs, reports, repaired, claims)
}

/** Waits in short steps, so that Ctrl-C is heard at once. */
async function untilDue(due: number, stopped: () => boolean): Promise<void> {
  for (let left = due - Date.now(); left > 0 && !stopped(); left = due - Date.now()) await pause(Math.min(left, 200))
}

/** An operator mends its own network and brings power to it; the election server is the commission's. */
const concerns = ({ kind, operator }: Script['disturbances'][number], by: string): boolean => (kind === 'election_server' ? by === 'kpu' : by !== 'kpu' && (operator === null || operator === by))

/** By the script alone: what detection or the ticket made of it is not asked. */
function isFalse(script: Script, repaired: ReadonlyMap<string, number>, { at, by, stations }: Claim): boolean {
  const down = new Set(script.disturbances.filter((fault) => concerns(fault, by) && fault.startAt <= at && (repaired.get(fault.id) ?? Infinity) > at + defaultVerification.verify_ms + sweep_ms).flatMap((fault) => fault.stations))
  return stations.length > 0 && stations.filter((code) => down.has(code)).length >= false_share * stations.length
}

/** The operator repaired: the faults that hit its ticket's stations end in the simulated network. */
function repairFault(script: Script, officers: ReturnType<typeof startOfficers>, repaired: Map<string, number>, repair: OperatorTick['repairs'][number]): void {
  const mended = new Set(repair.stations)
  for (const each of script.disturbances) {
    if (!concerns(each, repair.by) || each.startAt > repair.at || repaired.has(each.id) || !each.stations.some((code) => mended.has(code))) continue
    officers.repair(each.id, repair.at)
    repaired.set(each.id, repair.at)
  }
}

async function conclude(needs: RehearsalNeeds, reports: RehearsalResult['reports'], repaired: ReadonlyMap<string, number>, claims: readonly Claim[]): Promise<RehearsalResult> {
  const found = needs.app.monitor.found()
  const tickets = await needs.readTickets()
  const relative = (at: string | null): number => (at === null ? -1 : Date.parse(at) - needs.script.startAt)
  const facts = [
    ...found.map((row) => [row.cause, row.operator, row.areaCode, row.stations.join(' '), relative(row.foundAt), relative(row.endedAt)].join('|')),
    ...tickets.map((ticket) => [ticket.operator, ticket.status, ticket.reopened, ...ticket.history.map((entry) => `${relative(entry.at)} ${entry.kind}`)].join('|')),
  ].sort()
  // What is found long after a repair belongs to no fault.
  const truth = { ...needs.script, disturbances: needs.script.disturbances.map((fault) => ({ ...fault, repairAt: repaired.get(fault.id) ?? fault.repairAt })) }
  return {
    score: score(truth, found.map((row) => ({ cause: row.cause, operator: row.operator, stations: row.stations, foundAt: row.foundAt === null ? null : Date.parse(row.foundAt) }))),
    reports, tickets: tickets.length,
    closedByMeasurement: tickets.filter((ticket) => ticket.status === 'closed').length,
    stillOpen: tickets.filter((ticket) => ticket.status !== 'closed' && ticket.status !== 'cancelled').length,
    reopened: tickets.reduce((sum, ticket) => sum + ticket.reopened, 0),
    falseClaims: claims.filter((claim) => isFalse(needs.script, repaired, claim)).map(({ ticket, at }) => ({ ticket, at })),
    digest: hash32(facts.join('\n')),
  }
}

/** Tells each turn of events once, as a duty officer would write it down. */
function createTeller(needs: Pick<RehearsalNeeds, 'told' | 'script'>) {
  const seen = new Map<string, string>()
  const minutes = (now: number): string => {
    const total = Math.round((now - needs.script.startAt) / 60_000)
    return `${String(Math.floor(total / 60)).padStart(2, '0')}:${String(total % 60).padStart(2, '0')}`
  }
  const begun = new Set<string>()
  return {
    tell(now: number, found: readonly LiveDisturbance[], tickets: readonly LiveTicket[]): void {
      for (const fault of needs.script.disturbances)
        if (fault.startAt <= now && !begun.has(fault.id)) {
          begun.add(fault.id)
          needs.told(`${minutes(now)}  (script)     ${fault.kind} fault at ${fault.stations.length} stations${fault.operator === null ? '' : ` of ${fault.operator}`}; nobody is told`)
        }
      for (const row of found) {
        if (row.foundAt === null || row.stage === 'recovering' || seen.get(row.id) === row.stage) continue
        seen.set(row.id, row.stage)
        needs.told(row.stage === 'confirmed'
          ? `${minutes(now)}  found        ${row.cause} ${row.operator ?? ''} in ${row.areaName}: ${row.stations.length} stations, ${row.evidence.devicesSilent} devices silent, ${row.evidence.devicesBad} bad`
          : `${minutes(now)}  recovered    ${row.cause} ${row.operator ?? ''} in ${row.areaName}, by measurement`)
      }
      for (const ticket of tickets) {
        const key = `${ticket.status} ${ticket.reopened}`
        const known = seen.get(ticket.id)
        if (known === key) continue
        seen.set(ticket.id, key)
        // The operator takes it up again within the same tick: without this line nobody would see why.
        if (known !== undefined && Number(known.split(' ')[1]) < ticket.reopened && ticket.status !== 'reopened') needs.told(`${minutes(now)}  ticket       ${ticket.id} ${ticket.operatorName}: reopened, not measured well`)
        needs.told(`${minutes(now)}  ticket       ${ticket.id} ${ticket.operatorName}: ${ticket.status}`)
      }
    },
  }
}
