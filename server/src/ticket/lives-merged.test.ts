import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { hour_ms, minute_ms } from '@kawal/core/kernel/clock.ts'
import { coveredBy, otherSide } from '@kawal/core/ticket/relation.ts'
import { apply, type Ticket, type TicketAction, type TicketCause, type TicketEvent, type TicketStatus } from '@kawal/core/ticket/ticket.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system, type Caller } from '../adapters/postgres/database.ts'
import { linkTickets, mergeTickets, splitTicket } from './relations.ts'
import { command, openTicket, sweepTickets } from './tickets.ts'

/**
 * Random lives of four disturbances, whose tickets are merged, split, linked, worked on and measured, on the real database,
 * held against a model that shares no line with the code. What must hold after each step: a disturbance is covered by one
 * ticket, unless a person cancelled it or measurement took it back; a ticket closes when all that it covers was measured well.
 */
const seed = 20_290_214
const lives = 200
const steps_max = 16
const time_ms_max = 120_000
const disturbances = 4

/** What is measured of a disturbance; `quiet`: nobody is left to measure. */
type World = 'bad' | 'well' | 'quiet' | 'gone'
type Who = 'holder' | 'watch'
type Step = { readonly wait_ms: number } & (
  | { readonly merge: readonly [from: number, into: number]; readonly who: Who }
  | { readonly split: readonly [from: number, disturbance: number]; readonly who: Who }
  | { readonly link: readonly [one: number, other: number]; readonly who: Who }
  | { readonly say: TicketAction; readonly of: number; readonly who: Who }
  | { readonly sweep: readonly World[] }
)

interface ModelTicket { readonly id: string; status: TicketStatus; covers: number[]; isDisputed: boolean; resolvedAt: number; restoredAt: number | null; quietSince: number | null; isUnverified: boolean }
interface Model { readonly run: string; readonly tickets: ModelTicket[]; readonly worlds: World[]; readonly endedAt: number[]; readonly cancelled: number[] }

const unsaid = { isDisputed: false, resolvedAt: 0, restoredAt: null, quietSince: null, isUnverified: false } as const
const isOver = ({ status }: ModelTicket): boolean => status === 'closed' || status === 'cancelled'
const isFree = (ticket: ModelTicket): boolean => ['submitted', 'acknowledged', 'inProgress', 'pending', 'reopened'].includes(ticket.status) && !ticket.isDisputed

/** The steps name tickets by their number; of those that there are not yet, the first is meant. */
const placeOf = (model: Model, index: number): number => (index < model.tickets.length ? index : 0)
const at = (model: Model, index: number): ModelTicket => model.tickets[placeOf(model, index)] as ModelTicket
/** Links go one way only, by the numbers of tickets, so that none is both parent and child. */
const isForward = (model: Model, [one, other]: readonly [number, number]): boolean => placeOf(model, one) < placeOf(model, other)

function end(model: Model, ticket: ModelTicket): void {
  ticket.status = 'cancelled'
  ticket.covers = []
  const own = Number(/d(\d)/.exec(ticket.id)?.[1])
  model.cancelled[own] = (model.cancelled[own] ?? 0) + 1
}

/** What the model says of a step of a person: whether it is taken. It changes the model. */
function modelSays(model: Model, step: Exclude<Step, { sweep: unknown }>, now: number): boolean {
  if ('merge' in step) {
    const [from, into] = step.merge.map((index) => at(model, index)) as [ModelTicket, ModelTicket]
    if (step.who !== 'watch' || from === into || !isFree(from) || !isFree(into)) return false
    into.covers.push(...from.covers)
    into.restoredAt = null
    end(model, from)
    return true
  }
  if ('split' in step) {
    const [from, disturbance] = [at(model, step.split[0]), step.split[1]]
    if (step.who !== 'watch' || isOver(from) || from.isDisputed || !from.covers.slice(1).includes(disturbance)) return false
    from.covers = from.covers.filter((each) => each !== disturbance)
    model.tickets.push({ id: `TT-${model.run}d${disturbance}-${(model.cancelled[disturbance] ?? 0) + 1}`, status: 'submitted', covers: [disturbance], ...unsaid })
    return true
  }
  if ('link' in step) {
    const [one, other] = step.link.map((index) => at(model, index)) as [ModelTicket, ModelTicket]
    return step.who === 'watch' && isForward(model, step.link) && !isOver(one) && !isOver(other)
  }
  return modelTold(model, at(model, step.of), step, now)
}

function modelTold(model: Model, ticket: ModelTicket, { say, who }: Extract<Step, { say: unknown }>, now: number): boolean {
  if (isOver(ticket)) return false
  const { status } = ticket
  const one = (speaker: Who, allowed: boolean, then: () => void): boolean => who === speaker && allowed && (then(), true)
  switch (say.kind) {
    case 'start': return one('holder', ['submitted', 'acknowledged', 'reopened'].includes(status), () => (ticket.status = 'inProgress'))
    case 'resolve': return one('holder', ['acknowledged', 'inProgress', 'pending', 'reopened'].includes(status), () => Object.assign(ticket, { status: 'resolved', resolvedAt: now, quietSince: null, isUnverified: false }))
    case 'dispute': return one('holder', !ticket.isDisputed, () => (ticket.isDisputed = true))
    case 'reject': return one('watch', ticket.isDisputed, () => (ticket.isDisputed = false))
    case 'cancel': return one('watch', !ticket.isDisputed, () => end(model, ticket))
    default: return true
  }
}

/** What a sweep makes of them. */
function modelSweeps(model: Model, worlds: readonly World[], now: number): void {
  worlds.forEach((world, index) => {
    // What was taken back stays so.
    if (model.worlds[index] === 'gone') return
    if (world === 'well' && model.worlds[index] !== 'well') model.endedAt[index] = now
    model.worlds[index] = world
  })
  for (const ticket of model.tickets) {
    if (isOver(ticket)) continue
    const left = ticket.covers.filter((each) => model.worlds[each] !== 'gone')
    if (left.length === 0) {
      end(model, ticket)
      continue
    }
    ticket.covers = left
    if (left.some((each) => model.worlds[each] === 'bad')) {
      ticket.restoredAt = null
      if (ticket.status === 'resolved' && (ticket.quietSince !== null || now - ticket.resolvedAt >= 5 * minute_ms)) Object.assign(ticket, { status: 'reopened', quietSince: null, isUnverified: false })
      continue
    }
    if (left.some((each) => model.worlds[each] === 'quiet')) {
      modelWaits(ticket, now)
      continue
    }
    ticket.restoredAt ??= Math.max(...left.map((each) => model.endedAt[each] ?? 0))
    if (ticket.status === 'resolved' || now - ticket.restoredAt >= 15 * minute_ms) ticket.status = 'closed'
  }
}

/** Of one of them nobody can tell: it is not guessed, whatever is measured of the others. */
function modelWaits(ticket: ModelTicket, now: number): void {
  ticket.restoredAt = null
  if (ticket.status !== 'resolved') return
  if (ticket.quietSince === null) {
    if (now - ticket.resolvedAt >= 5 * minute_ms) ticket.quietSince = now
  } else if (now - ticket.quietSince >= 10 * minute_ms) ticket.isUnverified = true
}

const number = fc.nat(disturbances)
const who = fc.constantFrom<Who>('watch', 'watch', 'watch', 'holder')
const waits = fc.constantFrom(0, minute_ms, 3 * minute_ms, 6 * minute_ms, 16 * minute_ms)
const attachment = { id: 'a', name: 'foto.jpg', mimeType: 'image/jpeg', bytes: 5, description: '', attachmentType: '' }
const said = fc.constantFrom<readonly [TicketAction, Who]>(
  [{ kind: 'start' }, 'holder'], [{ kind: 'start' }, 'holder'], [{ kind: 'resolve' }, 'holder'], [{ kind: 'resolve' }, 'holder'], [{ kind: 'resolve' }, 'holder'], [{ kind: 'dispute', dispute: 'power', text: 'the mains' }, 'holder'],
  [{ kind: 'reject', reason: 'chargers stayed on' }, 'watch'], [{ kind: 'reject', reason: 'chargers stayed on' }, 'watch'], [{ kind: 'cancel', reason: 'exercise' }, 'watch'], [{ kind: 'attach', attachment }, 'holder'], [{ kind: 'attach', attachment }, 'watch'],
)
const worlds = fc.array(fc.constantFrom<World>('bad', 'bad', 'quiet', 'quiet', 'well', 'well', 'well', 'well', 'well', 'gone'), { minLength: disturbances, maxLength: disturbances })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(waits, fc.tuple(number, number), who).map(([wait_ms, merge, speaker]): Step => ({ wait_ms, merge, who: speaker })) },
  { weight: 3, arbitrary: fc.tuple(waits, fc.tuple(number, fc.nat(disturbances - 1)), who).map(([wait_ms, split, speaker]): Step => ({ wait_ms, split, who: speaker })) },
  { weight: 1, arbitrary: fc.tuple(waits, fc.tuple(number, number), who).map(([wait_ms, link, speaker]): Step => ({ wait_ms, link, who: speaker })) },
  { weight: 5, arbitrary: fc.tuple(waits, said, number).map(([wait_ms, [say, speaker], of]): Step => ({ wait_ms, say, of, who: speaker })) },
  { weight: 4, arbitrary: fc.tuple(waits, worlds).map(([wait_ms, sweep]): Step => ({ wait_ms, sweep })) },
)
/** A claim that nobody measures, mostly of what covers several: what one random step after the other seldom comes to. */
const silence = fc.tuple(fc.constantFrom(0, 1), fc.constantFrom<World>('bad', 'well', 'well'), fc.constantFrom<World>('quiet', 'well'), fc.boolean()).map(([into, end, first, isMerged]): Step[] => [
  ...(isMerged ? [{ wait_ms: 0, merge: [1 - into, into], who: 'watch' } as const] : []),
  ...[{ kind: 'start' } as const, { kind: 'resolve' } as const].map((say) => ({ wait_ms: minute_ms, say, of: into, who: 'holder' } as const)),
  ...([[6, first], [11, 'quiet'], [1, end]] as const).map(([minutes, world]): Step => ({ wait_ms: minutes * minute_ms, sweep: Array.from({ length: disturbances }, (_, each) => (each === into && minutes > 1 ? 'quiet' : world)) })),
])
const lifeSteps = fc.array(fc.oneof({ weight: 12, arbitrary: step.map((each) => [each]) }, { weight: 1, arbitrary: silence }), { minLength: 6, maxLength: steps_max, size: 'max' }).map((chunks) => chunks.flat().slice(0, steps_max))

const evidence = { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [], signs: [] } as const
const nobody = { ...evidence, devicesExpected: 0, devicesSilent: 0, devicesBad: 0, devicesGood: 0 }
let kit: TestDatabase
let now = Date.UTC(2029, 1, 14, 2)
let life = 0
const needs = () => ({ database: kit.database, clock: () => now })
before(async () => {
  kit = await withDatabase()
})
after(() => kit.close())

const callers: Readonly<Record<Who, Caller>> = { watch: { organisation: 'komdigi', role: 'duty_officer' }, holder: { organisation: 'telkomsel', role: 'noc' } }
const causeOf = ({ run, worlds: now_as, endedAt }: Model, index: number): TicketCause & { takenBack: string | null } => ({
  id: `${run}d${index}`, cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: '530101', startedAt: 0, foundAt: 0, evidence: now_as[index] === 'quiet' ? nobody : evidence, stations: [`530101200100${index + 1}`],
  endedAt: now_as[index] === 'bad' || now_as[index] === 'quiet' ? null : endedAt[index] ?? 0, takenBack: now_as[index] === 'gone' ? 'retracted' : null,
})

interface Kept { readonly state: Ticket; readonly events: TicketEvent[]; readonly covers: string[] }
async function read({ run }: Model): Promise<Map<string, Kept>> {
  const { rows } = await kit.database.transaction(system, (client) => client.query<Kept>(
    `SELECT state, (SELECT jsonb_agg(event ORDER BY version) FROM ticket_event WHERE ticket_id = ticket.id) AS events, ARRAY(SELECT disturbance_id FROM ticket_cover WHERE ticket_id = ticket.id) AS covers
     FROM ticket WHERE id LIKE $1`, [`TT-${run}d%`]))
  return new Map(rows.map((row) => [row.state.id, row]))
}

async function doStep(model: Model, step: Exclude<Step, { sweep: unknown }>, kept: ReadonlyMap<string, Kept>): Promise<boolean> {
  const version = (ticket: ModelTicket): number => kept.get(ticket.id)?.state.version ?? 0
  const caller = callers[step.who]
  if ('say' in step) return (await command(needs(), caller, at(model, step.of).id, step.say)).ok
  const from = at(model, ('merge' in step ? step.merge : 'split' in step ? step.split : step.link)[0])
  if ('merge' in step) return (await mergeTickets(needs(), caller, from.id, at(model, step.merge[1]).id, '', version(from))).ok
  if ('split' in step) return (await splitTicket(needs(), caller, from.id, `${model.run}d${step.split[1]}`, '', version(from))).ok
  return isForward(model, step.link) && (await linkTickets(needs(), caller, from.id, [{ type: 'child', ticket: at(model, step.link[1]).id }], version(from))).ok
}

/** All that must hold after each step. */
function hold(model: Model, kept: ReadonlyMap<string, Kept>, what: string): void {
  assert.deepEqual([...kept.keys()].toSorted(), model.tickets.map(({ id }) => id).toSorted(), what)
  for (const ticket of model.tickets) {
    const { state, events, covers } = kept.get(ticket.id) as Kept
    const ids = ticket.covers.map((each) => `${model.run}d${each}`)
    assert.deepEqual([state.status, covers.toSorted()], [ticket.status, ids.toSorted()], `${what}: ${ticket.id}`)
    if (state.status !== 'cancelled') assert.deepEqual(coveredBy(state).map(({ id }) => id), ids, what)
    if (state.status === 'resolved') assert.equal(state.verification?.state ?? null, ticket.isUnverified ? 'unverified' : ticket.quietSince !== null ? 'asked' : null, `${what}: ${ticket.id}`)
    assert.deepEqual(JSON.parse(JSON.stringify(events.reduce<Ticket | null>(apply, null))), state, `${what}: the log replays to another ticket`)
    for (const { type, ticket: other } of state.relations ?? []) {
      const back = kept.get(other)?.state.relations ?? []
      assert.ok(back.some((each) => each.type === otherSide[type] && each.ticket === ticket.id), `${what}: ${ticket.id} ${type} ${other} has no other side`)
    }
  }
  const covered = [...kept.values()].flatMap(({ covers }) => covers)
  assert.equal(new Set(covered).size, covered.length, `${what}: two tickets cover one disturbance`)
}

test(`${lives} random lives of tickets that are merged and split: nothing closes unmeasured, and nothing is left uncovered`, async () => {
  const seen = new Set<string>()
  await fc.assert(fc.asyncProperty(lifeSteps, async (steps) => {
    now += hour_ms
    const run = `m${++life}x`
    const model: Model = { run, worlds: Array.from({ length: disturbances }, () => 'bad'), endedAt: [], cancelled: [], tickets: Array.from({ length: disturbances }, (_, index) => ({ id: `TT-${run}d${index}`, status: 'submitted', covers: [index], ...unsaid })) }
    for (let index = 0; index < disturbances; index++) assert.ok((await openTicket(needs(), system, causeOf(model, index))).ok)
    let kept = await read(model)
    /** Whom a person let go: its ticket was cancelled. */
    const dropped = new Set<number>()
    for (const each of steps) {
      now += each.wait_ms
      const what = `${run} ${JSON.stringify(each)}`
      if ('sweep' in each) {
        const open = model.tickets.filter((ticket) => !isOver(ticket))
        const unverified = open.filter((ticket) => ticket.status === 'resolved' && ticket.isUnverified)
        modelSweeps(model, each.sweep, now)
        await sweepTickets(kit.database, now, (id) => (id.startsWith(`${run}d`) ? causeOf(model, Number(id.at(-1))) : null))
        for (const ticket of open) if (isOver(ticket)) seen.add(`swept ${ticket.status} ${ticket.covers.length > 1 ? 'several' : 'one'}`)
        for (const ticket of open) if (ticket.status === 'resolved' && ticket.isUnverified) seen.add(`swept unverified ${ticket.covers.length > 1 ? 'several' : 'one'}`)
        for (const ticket of unverified) if (ticket.status !== 'resolved') seen.add(`unverified, then ${ticket.status}`)
        for (const ticket of open) if (ticket.status === 'closed') assert.ok(ticket.covers.every((index) => model.worlds[index] === 'well'), `${what}: closed with something not well`)
      } else {
        const letGo = 'say' in each && each.say.kind === 'cancel' ? [...at(model, each.of).covers] : []
        // It is done first: the model's tickets are named as they stood.
        const taken = await doStep(model, each, kept)
        assert.equal(taken, modelSays(model, each, now), `${what}: ${JSON.stringify(model.tickets)}`)
        if (taken) letGo.forEach((index) => dropped.add(index))
        seen.add(`${'say' in each ? each.say.kind : 'merge' in each ? 'merge' : 'split' in each ? 'split' : 'link'} ${taken ? 'taken' : 'refused'}`)
      }
      kept = await read(model)
      hold(model, kept, what)
      const covered = new Set(model.tickets.flatMap(({ covers }) => covers))
      for (let index = 0; index < disturbances; index++) if (model.worlds[index] !== 'gone' && !dropped.has(index)) assert.ok(covered.has(index), `${what}: nothing covers d${index}`)
    }
    // Whatever is left open ends here: the next life's sweeps look at its own tickets alone.
    for (const ticket of model.tickets) for (const action of [{ kind: 'reject', reason: 'end' }, { kind: 'cancel', reason: 'end' }] as const) await command(needs(), callers.watch, ticket.id, action)
  }), { numRuns: lives, seed, interruptAfterTimeLimit: time_ms_max, markInterruptAsFailure: true })
  const wanted = ['merge taken', 'merge refused', 'split taken', 'split refused', 'link taken', 'attach taken', 'swept closed several', 'swept closed one', 'swept unverified one', 'swept unverified several', 'unverified, then closed', 'unverified, then reopened', 'swept cancelled one', 'dispute taken', 'cancel refused']
  assert.deepEqual(wanted.filter((each) => !seen.has(each)), [])
})
