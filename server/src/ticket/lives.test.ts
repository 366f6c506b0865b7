import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { hour_ms, minute_ms } from '@kawal/core/kernel/clock.ts'
import { apply, type Ticket, type TicketAction, type TicketCause, type TicketEvent, type TicketStatus } from '@kawal/core/ticket/ticket.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system, type Caller } from '../adapters/postgres/database.ts'
import { addListener } from './outbox.ts'
import { command, officerWord, openProblemTicket, openRequest, openTicket, organisationName, sweepTickets } from './tickets.ts'

/**
 * Random lives of tickets on the real database, held against a model that shares no line with the code: a table of
 * what each command makes of each status, who may give it, and what a sweep does by what was measured.
 */
const seed = 20_290_214
const lives = 200
const steps_max = 15
const time_ms_max = 120_000

type Subject = 'disturbance' | 'problem' | 'request'
type Who = 'holder' | 'other' | 'watch' | 'auditor' | 'officer'
type Verb = Exclude<TicketAction['kind'], 'open'>
interface Said { readonly who: Who; readonly action: TicketAction; readonly to?: 'other' | 'holder' | 'nobody' }
/** What is measured of the disturbance when the sweep looks. */
type World = 'bad' | 'worse' | 'well' | 'quiet' | 'retracted' | 'merged'
type Step = { readonly wait_ms: number } & ({ readonly say: Said } | { readonly sweep: World })

const anyOpen = (to: TicketStatus | 'same'): Partial<Record<TicketStatus, TicketStatus | 'same'>> =>
  Object.fromEntries((['submitted', 'acknowledged', 'inProgress', 'pending', 'resolved', 'reopened'] as const).map((status) => [status, to]))

/** Status x command -> next status; what is not here is refused. `uphold` is with a transfer; with a cancellation it ends as `cancel`. */
const table: Readonly<Partial<Record<Verb, Partial<Record<TicketStatus, TicketStatus | 'same'>>>>> = {
  acknowledge: { submitted: 'acknowledged', reopened: 'acknowledged' },
  start: { submitted: 'inProgress', acknowledged: 'inProgress', reopened: 'inProgress' },
  hold: { acknowledged: 'pending', inProgress: 'pending', reopened: 'pending' },
  resume: { pending: 'inProgress' },
  resolve: { acknowledged: 'resolved', inProgress: 'resolved', pending: 'resolved', reopened: 'resolved' },
  note: anyOpen('same'), attach: anyOpen('same'), relate: anyOpen('same'), withdraw: anyOpen('cancelled'), estimate: anyOpen('same'), dispute: anyOpen('same'), reject: anyOpen('same'),
  cancel: anyOpen('cancelled'), transfer: anyOpen('submitted'), uphold: anyOpen('submitted'),
}

/** Subject x command -> who; nobody gives what is not here. */
const speakers: Readonly<Record<Subject, Readonly<Partial<Record<Verb, readonly Who[]>>>>> = {
  disturbance: {
    acknowledge: ['holder'], start: ['holder'], hold: ['holder'], resume: ['holder'], resolve: ['holder'], estimate: ['holder'], note: ['holder', 'watch'],
    dispute: ['holder'], uphold: ['watch'], reject: ['watch'], transfer: ['watch'], cancel: ['watch'], attach: ['holder', 'watch'], relate: ['watch'],
  },
  problem: {
    acknowledge: ['holder'], start: ['holder'], hold: ['holder'], resume: ['holder'], resolve: ['holder'], estimate: ['holder'], note: ['holder', 'watch'],
    transfer: ['watch'], cancel: ['watch'], word: ['officer'], attach: ['holder', 'watch'], relate: ['watch'],
  },
  request: {
    acknowledge: ['watch'], start: ['watch'], hold: ['watch'], resume: ['watch'], resolve: ['watch'], estimate: ['watch'], note: ['holder', 'watch'],
    cancel: ['holder', 'watch'], word: ['holder'], withdraw: ['holder'], attach: ['holder', 'watch'], relate: ['watch'],
  },
}

/** MEF 124's diagram of states: its edges, then ours with what they are for. */
const edges: ReadonlySet<string> = new Set([
  'acknowledged inProgress', 'inProgress resolved', 'inProgress pending', 'pending inProgress', 'resolved closed', 'resolved reopened', 'reopened inProgress',
  // its assessingCancellation is a moment here: only who decides it cancels
  ...['submitted', 'acknowledged', 'inProgress', 'pending', 'resolved', 'reopened'].map((status) => `${status} cancelled`),
  // sent and not yet seen is a state of its own; a transfer leads back to it
  'submitted acknowledged', 'reopened acknowledged', ...['acknowledged', 'inProgress', 'pending', 'resolved', 'reopened'].map((status) => `${status} submitted`),
  // a short work needs no second word, and may be paused before it begins
  'acknowledged resolved', 'reopened resolved', 'acknowledged pending', 'reopened pending',
  // by measurement alone, without a word
  'submitted resolved', 'pending resolved',
])

interface Model {
  readonly subject: Subject
  status: TicketStatus
  holder: string
  isDisputed: boolean
  resolvedAt: number
  restoredAt: number | null
  /** Since when nobody could measure the last claim, and whether that was said for good; null while somebody can. */
  quietSince: number | null
  isUnverified: boolean
  world: World
  endedAt: number
}

const other = (organisation: string): string => (organisation === 'telkomsel' ? 'indosat' : 'telkomsel')
const isOver = (status: TicketStatus): boolean => status === 'closed' || status === 'cancelled'

/** What the model says of a command: the next status, or null where it is refused. It changes the model. */
function modelSays(model: Model, { who, action, to }: Said, now: number): TicketStatus | null {
  const verb = action.kind as Verb
  if (isOver(model.status) || speakers[model.subject][verb]?.includes(who) !== true) return null
  if (verb === 'word') {
    if (model.status !== 'resolved') return null
    model.status = (action as { word: string }).word === 'fixed' ? 'closed' : 'reopened'
    return model.status
  }
  const next = table[verb]?.[model.status]
  const empty = 'reason' in action && action.reason === '' && !(verb === 'uphold' && to !== undefined)
  if (next === undefined || empty) return null
  if ((verb === 'uphold' || verb === 'reject') !== model.isDisputed && ['dispute', 'uphold', 'reject', 'transfer'].includes(verb)) return null
  if (verb === 'cancel' && who === 'watch' && model.isDisputed) return null
  const moves = verb === 'transfer' || (verb === 'uphold' && to !== undefined)
  if (moves && to !== 'other') return null
  if (moves) model.holder = other(model.holder)
  if (verb === 'dispute') model.isDisputed = true
  if (verb === 'uphold' || verb === 'reject') model.isDisputed = false
  if (next !== 'same') model.status = verb === 'uphold' && to === undefined ? 'cancelled' : next
  if (verb === 'resolve') model.resolvedAt = now
  if (verb === 'resolve' || moves) Object.assign(model, { quietSince: null, isUnverified: false })
  return model.status
}

/** What a sweep makes of it: MEF's buyer is our measurement; a word that nobody gives lapses. */
function modelSweeps(model: Model, world: World, now: number): void {
  if (isOver(model.status)) return
  if (model.subject !== 'disturbance') {
    if (model.status === 'resolved' && now - model.resolvedAt >= 48 * hour_ms) model.status = 'closed'
    return
  }
  if (world === 'retracted' || world === 'merged') model.status = 'cancelled'
  else if (world === 'well') {
    if (model.world !== 'well') model.endedAt = now
    model.restoredAt ??= model.endedAt
    if (model.status === 'resolved' || now - model.restoredAt >= 15 * minute_ms) model.status = 'closed'
  } else {
    model.restoredAt = null
    if (world === 'quiet') modelWaits(model, now)
    else if (model.status === 'resolved' && (model.quietSince !== null || now - model.resolvedAt >= 5 * minute_ms)) Object.assign(model, { status: 'reopened', quietSince: null, isUnverified: false })
  }
  model.world = world
}

/** Nobody measured: it is not guessed which way. */
function modelWaits(model: Model, now: number): void {
  if (model.status !== 'resolved') return
  if (model.quietSince === null) {
    if (now - model.resolvedAt >= 5 * minute_ms) model.quietSince = now
  } else if (now - model.quietSince >= 10 * minute_ms) model.isUnverified = true
}


const attach: TicketAction = { kind: 'attach', attachment: { id: 'a', name: 'foto.jpg', mimeType: 'image/jpeg', bytes: 5, description: '', attachmentType: '' } }
const relate: TicketAction = { kind: 'relate', relation: { type: 'parent', ticket: 'TT-wider' } }
const texts = fc.constantFrom('power', 'antenna', '')
const ticketVerbs: readonly fc.Arbitrary<Omit<Said, 'who'>>[] = [
  ...(['acknowledge', 'start', 'start', 'resume', 'resolve', 'resolve'] as const).map((kind) => fc.constant({ action: { kind } })),
  texts.map((reason) => ({ action: { kind: 'hold', reason } })),
  fc.constant({ action: { kind: 'note', text: 'crew on the way' } }),
  fc.constantFrom<Omit<Said, 'who'>>({ action: attach }, { action: relate }),
  fc.constant({ action: { kind: 'withdraw' } }),
  fc.constant({ action: { kind: 'estimate', expectedAt: 0 } }),
  texts.map((reason) => ({ action: { kind: 'cancel', reason } })),
  fc.constantFrom('fixed', 'still').map((word) => ({ action: { kind: 'word', word } }) as Omit<Said, 'who'>),
  fc.constantFrom('power', 'not_ours', 'access_point', 'election_server').map((dispute) => ({ action: { kind: 'dispute', dispute, text: 'not us' } }) as Omit<Said, 'who'>),
  texts.map((reason) => ({ action: { kind: 'reject', reason } })),
  fc.tuple(texts, fc.constantFrom('other', 'other', 'holder', 'nobody', undefined)).map(([reason, to]) => ({ action: { kind: 'uphold', reason, to: null }, ...(to === undefined ? {} : { to }) })),
  fc.constantFrom('other', 'other', 'holder', 'nobody').map((to) => ({ action: { kind: 'transfer', operator: '', operatorName: '' }, to }) as Omit<Said, 'who'>),
  // what only measurement says, in a person's mouth
  ...(['lapse', 'warn'] as const).map((kind) => fc.constant({ action: { kind } })),
  fc.constant({ action: { kind: 'confirm', recoveredAt: 0 } }),
]
const who = fc.constantFrom<Who>('holder', 'holder', 'holder', 'watch', 'watch', 'other', 'auditor', 'officer')
const waits = fc.constantFrom(0, minute_ms, 3 * minute_ms, 5 * minute_ms, 16 * minute_ms, 49 * hour_ms)
const step = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(waits, who, fc.oneof(...ticketVerbs)).map(([wait_ms, speaker, said]): Step => ({ wait_ms, say: { who: speaker, ...said } })) },
  { weight: 1, arbitrary: fc.tuple(waits, fc.constantFrom<World>('bad', 'bad', 'bad', 'worse', 'worse', 'quiet', 'quiet', 'quiet', 'well', 'well', 'well', 'well', 'well', 'retracted', 'merged')).map(([wait_ms, sweep]): Step => ({ wait_ms, sweep })) },
)
/** Work as it mostly goes, whoever does it: what one random step after the other seldom comes to. */
const ending = fc.oneof(
  fc.constantFrom<World>('bad', 'well', 'quiet').map((sweep) => ({ sweep })),
  fc.tuple(fc.constantFrom<Who>('holder', 'officer'), fc.constantFrom('fixed', 'still')).map(([speaker, word]) => ({ say: { who: speaker, action: { kind: 'word', word } as const } })),
)
const work = fc.tuple(fc.constantFrom<Who>('holder', 'watch'), waits, ending).map(([speaker, wait_ms, end]): Step[] => [
  { wait_ms: minute_ms, say: { who: speaker, action: { kind: 'start' } } }, { wait_ms: minute_ms, say: { who: speaker, action: { kind: 'resolve' } } }, { wait_ms, ...end },
])
const silence = fc.tuple(waits, waits, fc.constantFrom<World>('bad', 'well', 'quiet')).map(([first_ms, then_ms, end]): Step[] => [
  ...[{ kind: 'start' } as const, { kind: 'resolve' } as const].map((action): Step => ({ wait_ms: minute_ms, say: { who: 'holder', action } })),
  { wait_ms: 5 * minute_ms + first_ms, sweep: 'quiet' }, { wait_ms: 10 * minute_ms + then_ms, sweep: 'quiet' }, { wait_ms: minute_ms, sweep: end },
])
const pause = fc.tuple(fc.constantFrom<Who>('holder', 'watch'), waits).map(([speaker, wait_ms]): Step[] => [
  ...[{ kind: 'start' } as const, { kind: 'hold', reason: 'power' } as const].map((action) => ({ wait_ms: minute_ms, say: { who: speaker, action } })), { wait_ms, say: { who: speaker, action: { kind: 'resume' } } },
])
const claim = fc.tuple(waits, fc.constantFrom<Omit<Said, 'who'>>(
  { action: { kind: 'uphold', reason: '', to: null }, to: 'other' }, { action: { kind: 'uphold', reason: 'so it is', to: null } }, { action: { kind: 'reject', reason: 'chargers stayed on' } },
)).map(([wait_ms, answer]): Step[] => [{ wait_ms: 0, say: { who: 'holder', action: { kind: 'dispute', dispute: 'power', text: 'not us' } } }, { wait_ms, say: { who: 'watch', ...answer } }])
/** What is done beside the work: it changes no status but the first. */
const aside = fc.constantFrom<Who>('holder', 'watch').map((speaker): Step[] => [
  ...([{ kind: 'acknowledge' }, { kind: 'estimate', expectedAt: 0 }, attach] as const).map((action) => ({ wait_ms: 0, say: { who: speaker, action } })), { wait_ms: 0, say: { who: 'watch', action: relate } },
])
const move = waits.map((wait_ms): Step[] => [{ wait_ms, say: { who: 'watch', action: { kind: 'transfer', operator: '', operatorName: '' }, to: 'other' } }])
const life = fc.tuple(
  fc.constantFrom<Subject>('disturbance', 'disturbance', 'disturbance', 'problem', 'request'),
  fc.array(fc.oneof({ weight: 8, arbitrary: step.map((each) => [each]) }, { weight: 2, arbitrary: work }, { weight: 1, arbitrary: claim }, { weight: 1, arbitrary: pause }, { weight: 1, arbitrary: silence }, { weight: 1, arbitrary: aside }, { weight: 1, arbitrary: move }), { minLength: 5, maxLength: steps_max, size: 'max' }).map((chunks) => chunks.flat().slice(0, steps_max)),
)

const evidence = { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [], signs: [] } as const
const nobody = { ...evidence, devicesExpected: 0, devicesSilent: 0, devicesBad: 0, devicesGood: 0 }
let kit: TestDatabase
let now = Date.UTC(2029, 1, 14, 2)
let number = 0
const needs = () => ({ database: kit.database, clock: () => now })
before(async () => {
  kit = await withDatabase()
  for (const organisation of ['telkomsel', 'indosat']) await addListener(kit.database, { organisation, role: 'noc' }, 'http://127.0.0.1:9/', null, now)
})
after(() => kit.close())

const watch: Caller = { organisation: 'komdigi', role: 'duty_officer' }
const callerOf = (speaker: Who, { holder }: Model): Caller =>
  speaker === 'watch' ? watch : speaker === 'auditor' ? { organisation: 'bawaslu', role: 'auditor' } : { organisation: speaker === 'holder' ? holder : other(holder), role: 'noc' }

const causeOf = (id: string, { world, endedAt }: Model): TicketCause & { takenBack: string | null } => ({
  id, cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: '530101', startedAt: now, foundAt: now, evidence: world === 'quiet' ? nobody : evidence,
  stations: world === 'worse' ? ['5301012001001', '5301012001002', '5301012001003'] : ['5301012001001', '5301012001002'],
  endedAt: world === 'bad' || world === 'worse' || world === 'quiet' ? null : endedAt, takenBack: world === 'retracted' ? 'retracted' : world === 'merged' ? 'merged older' : null,
})

/** Opens the ticket of a life. @returns its id */
async function begin(model: Model): Promise<string> {
  const name = `life${++number}`
  if (model.subject === 'disturbance') {
    const opened = await openTicket(needs(), system, causeOf(name, model))
    return opened.ok ? opened.value.ticket.id : ''
  }
  if (model.subject === 'request') {
    const opened = await openRequest(needs(), { organisation: 'telkomsel', role: 'noc' }, { description: 'a list is wrong', severity: 'major', ticketType: 'data', externalId: null }, [])
    return opened.ok ? opened.value.id : ''
  }
  const problem = { kind: 'signal', text: 'no bars', station: '5301012001001', accessPoint: null, givenAt: now } as const
  return (await kit.database.transaction(system, (client) => openProblemTicket(client, problem, { id: `LP-${name}`, operator: 'telkomsel', operatorName: 'Telkomsel', areaName: 'Kupang' }, now))).id
}

/** Gives the command as the speaker would. @returns whether it was taken */
async function speak(id: string, model: Model, { who: speaker, action, to }: Said): Promise<boolean> {
  if (speaker === 'officer') {
    // An officer has one word and no other way in.
    if (action.kind !== 'word') return false
    return (await kit.database.transaction(system, (client) => officerWord(client, id, action.word, now))).ok
  }
  const recipient = to === undefined ? null : to === 'nobody' ? 'nobody' : to === 'other' ? other(model.holder) : model.holder
  const party = recipient === null ? null : { operator: recipient, operatorName: await organisationName(kit.database, recipient) }
  const whole: TicketAction = action.kind === 'transfer' && party !== null ? { ...action, ...party } : action.kind === 'uphold' ? { ...action, to: party } : action
  return (await command(needs(), callerOf(speaker, model), id, whole)).ok
}

interface Kept { readonly state: Ticket; readonly status: TicketStatus; readonly organisation_id: string; readonly events: TicketEvent[]; readonly versions: number[]; readonly delivered: string[] }
async function read(id: string): Promise<Kept> {
  const { rows: [row] } = await kit.database.transaction(system, (client) => client.query<Kept>(
    `SELECT state, status, organisation_id,
       (SELECT jsonb_agg(event ORDER BY version) FROM ticket_event WHERE ticket_id = $1) AS events,
       (SELECT array_agg(version ORDER BY version) FROM ticket_event WHERE ticket_id = $1) AS versions,
       ARRAY(SELECT organisation_id || ' ' || (body->>'eventId') FROM hub_delivery WHERE ticket_id = $1 ORDER BY id) AS delivered
     FROM ticket WHERE id = $1`, [id]))
  assert.ok(row !== undefined)
  return row
}

/** All that must hold of a ticket after each step. @param told deliveries that there must be, each once */
function hold(id: string, { state, status, organisation_id, events, versions, delivered }: Kept, model: Model, told: readonly string[]): void {
  assert.deepEqual([state.status, status, state.operator, organisation_id], [model.status, model.status, model.holder, model.holder], id)
  assert.equal(state.dispute !== undefined && state.dispute.answer === null && model.subject === 'disturbance', model.isDisputed)
  for (const [index, { status: to }] of state.statusHistory.entries()) {
    const from = state.statusHistory[index - 1]?.status
    if (from !== undefined) assert.ok(edges.has(`${from} ${to}`), `${id}: ${from} to ${to} is no edge of the diagram`)
  }
  if (state.status === 'closed' && model.subject === 'disturbance') {
    assert.equal(model.world, 'well', 'closed though the last measurement was not well')
    assert.ok(state.history.findLast(({ kind }) => kind === 'closed')?.evidence, 'closed without its evidence')
  }
  const verification = state.status === 'resolved' && model.subject === 'disturbance' ? state.verification?.state ?? null : null
  if (state.status === 'resolved' && model.subject === 'disturbance') assert.equal(verification, model.isUnverified ? 'unverified' : model.quietSince !== null ? 'asked' : null)
  if (verification !== null) assert.ok(state.clocks.every(({ metAt, runningSince }) => metAt !== null || runningSince === null), 'a clock runs while nobody can measure')
  assert.deepEqual(versions, Array.from({ length: state.version }, (_, index) => index + 1), 'the log has a gap')
  assert.deepEqual(JSON.parse(JSON.stringify(events.reduce<Ticket | null>(apply, null))), state, 'the log replays to another ticket')
  assert.deepEqual(delivered.toSorted(), told.toSorted())
}

test(`${lives} random lives go as the table says, along the diagram, with a whole log and each event told once`, async () => {
  const seen = new Set<string>()
  await fc.assert(fc.asyncProperty(life, async ([subject, steps]) => {
    now += hour_ms
    const model: Model = { subject, status: 'submitted', holder: 'telkomsel', isDisputed: false, resolvedAt: 0, restoredAt: null, quietSince: null, isUnverified: false, world: 'bad', endedAt: 0 }
    const id = await begin(model)
    let version = 1
    const told = [`telkomsel ${id}.1`]
    hold(id, await read(id), model, told)
    // Whatever is left open ends here: the next life's sweeps look at its own ticket alone.
    const whole: readonly Step[] = [...steps, { wait_ms: 0, say: { who: 'watch', action: { kind: 'reject', reason: 'end' } } }, { wait_ms: 0, say: { who: 'watch', action: { kind: 'cancel', reason: 'end' } } }]
    for (const each of whole) {
      now += each.wait_ms
      const [from, holder] = [model.status, model.holder]
      if ('say' in each) {
        const taken = await speak(id, { ...model }, each.say)
        const next = modelSays(model, each.say, now)
        assert.equal(taken, next !== null, `${id} ${from}: ${JSON.stringify(each.say)}`)
        seen.add(`${subject} ${each.say.action.kind} ${taken ? 'taken' : 'refused'}`)
      } else {
        const wasUnverified = model.isUnverified && model.status === 'resolved'
        modelSweeps(model, each.sweep, now)
        const name = id.replace('TT-', '')
        await sweepTickets(kit.database, now, (asked) => (asked === name ? causeOf(name, { ...model, world: each.sweep }) : null))
        if (model.status !== from) seen.add(`${subject} swept ${model.status}`)
        if (model.isUnverified) seen.add(`${subject} swept unverified`)
        if (wasUnverified && model.status !== 'resolved') seen.add(`${subject} unverified, then ${model.status}`)
      }
      const kept = await read(id)
      if (kept.state.version > version) for (const organisation of new Set([holder, model.holder])) told.push(`${organisation} ${id}.${kept.state.version}`)
      else assert.equal(model.status, from, 'a status changed without an event')
      // Of a request who asked is asked back, beside what changed.
      if (model.subject === 'request' && 'say' in each && ['hold', 'resolve'].includes(each.say.action.kind) && kept.state.version > version) told.push(`${holder} ${id}.${kept.state.version}.asked`)
      version = kept.state.version
      hold(id, kept, model, told)
    }
  }), { numRuns: lives, seed, interruptAfterTimeLimit: time_ms_max, markInterruptAsFailure: true })
  // A table that no life walks through proves nothing.
  const swept = ['disturbance swept closed', 'disturbance swept reopened', 'disturbance swept cancelled', 'disturbance swept unverified', 'disturbance unverified, then closed', 'disturbance unverified, then reopened', 'problem swept closed', 'request swept closed', 'disturbance confirm refused']
  const wanted = [...Object.entries(speakers).flatMap(([subject, verbs]) => Object.keys(verbs).map((verb) => `${subject} ${verb} taken`)), ...swept]
  assert.deepEqual(wanted.filter((each) => !seen.has(each)), [])
})
