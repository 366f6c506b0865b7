import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fixtureLive, fixtureTurns } from '../test/fixture.ts'
import { fixtureComments } from '../test/room.ts'
import { file_bytes_max } from '@kawal/contract/file.ts'
import { fileBytesMax, isPicture } from './attach.ts'
import { chronicleOf } from './chronicle.ts'
import { countdown, csv, sizeText, timeAt, timeWib } from './format.ts'
import { applySnapshot } from './live.ts'
import { clockState, hitOf, hitStations, mergeable, missingOf, nextClock, openOf, queueOf, sharesOf, sumOf, ticketOf, topAreas, totalOf } from './queue.ts'
import { readView, writeView } from './view.ts'

const now = Date.parse('2029-02-14T07:00:00Z')
const live = fixtureLive(now)
const first = live.disturbances[0]
assert.ok(first)

type Row = (typeof live.disturbances)[number]
const minutes = (ago: number): string => new Date(now - ago * 60_000).toISOString()
const weighed = (priority: number): Row['impact'] => (first.impact === null ? null : { ...first.impact, priority })
const row = (id: string, change: Partial<Row> = {}): Row => ({ ...first, id, ...change })
const ids = (rows: readonly Row[]): string[] => rows.map((each) => each.id)

test('cards are ranked by priority, what is not weighed yet first; suspected, planned, held and past stand apart', () => {
  const queue = queueOf(live.disturbances, now)
  assert.deepEqual(ids(queue.cards), ['g-8', 'g-1', 'g-2'])
  assert.deepEqual([ids(queue.suspected), ids(queue.planned), ids(queue.past)], [['g-5'], ['g-7'], ['g-3', 'g-10', 'g-9']])
  assert.deepEqual([...queue.held].map(([holder, rows]) => [holder, ids(rows)]), [['g-1', ['g-6']]])
  assert.equal(openOf(queue), 3)
})

test('a storm adds at most ten cards in any ten minutes, the rest rolls up by cause and operator, the largest stand', () => {
  const storm = Array.from({ length: 40 }, (_, index) => row(`s-${index}`, { impact: weighed(index), foundAt: minutes(1), operator: index % 2 === 0 ? 'telkomsel' : 'indosat' }))
  const old = row('old', { impact: weighed(20.5), foundAt: minutes(60) })
  const queue = queueOf([old, ...storm], now)
  assert.deepEqual(ids(queue.cards), ['s-39', 's-38', 's-37', 's-36', 's-35', 's-34', 's-33', 's-32', 's-31', 's-30', 'old'], 'an old card is not put away by new ones')
  assert.deepEqual(queue.rolls.map((roll) => [roll.operator, roll.disturbances.length]), [['indosat', 15], ['telkomsel', 15]])
  assert.equal(openOf(queue), 41, 'nothing is lost')
  assert.ok(queueOf([old, ...storm], now, 's-0').cards.some((each) => each.id === 's-0'), 'the selected one stays a card')
  let before = 0
  for (let minute = -1; minute <= 60; minute += 1) {
    const [earlier, later] = [minute - 10, minute].map((at) => queueOf(storm, now + at * 60_000).cards.length) as [number, number]
    assert.ok(later - earlier <= 10, `${later - earlier} cards more in ten minutes`)
    assert.ok(later >= before, 'a card that stands is not taken away by time')
    before = later
  }
  assert.equal(before, 40)
})

test('whatever holds whatever, each ongoing disturbance is shown exactly once', () => {
  const any = fc.array(fc.record({ parent: fc.option(fc.nat(12)), stage: fc.constantFrom('suspected', 'confirmed', 'recovering', 'ended', 'retracted'), planned: fc.boolean(), weight: fc.option(fc.nat(50)), ago: fc.nat(30) }), { maxLength: 13 })
  fc.assert(fc.property(any, (given) => {
    const rows = given.map(({ parent, stage, planned, weight, ago }, index) => row(`r-${index}`, {
      stage, parent: parent === null ? null : `r-${parent}`, plannedWork: planned ? 'PT-1' : null, impact: weight === null ? null : weighed(weight), foundAt: stage === 'suspected' ? null : minutes(ago) }))
    const queue = queueOf(rows, now)
    const shown = [...queue.cards, ...queue.rolls.flatMap((roll) => roll.disturbances), ...queue.suspected, ...queue.planned, ...[...queue.held.values()].flat(), ...queue.past]
    assert.deepEqual(ids(shown).sort(), ids(rows).sort())
    for (const holder of queue.held.keys()) assert.ok(![...queue.held.values()].flat().some((each) => each.id === holder), 'what holds is not held itself')
    assert.deepEqual(ids(queueOf(rows.toReversed(), now).cards), ids(queue.cards), 'the order that they come in does not matter')
  }))
})

test('stations hit are those of what is confirmed, each once, within the area', () => {
  const overlapping = [row('a', { stations: ['5301012001001', '5301012001002'] }), row('b', { stations: ['5301012001002', '5302012001001'], stage: 'recovering' }), row('c', { stations: ['5399012001001'], stage: 'suspected', foundAt: null }), row('d', { stations: ['5388012001001'], stage: 'ended' })]
  assert.deepEqual([hitStations(overlapping, null), hitStations(overlapping, '5301'), hitStations(overlapping, '94')], [3, 2, 0])
})

test('causes are told by their share of the likelihood; an undetermined one says what is missing', () => {
  const shares = sharesOf([{ cause: 'access', nats: Math.log(1) }, { cause: 'backhaul', nats: Math.log(3) }])
  assert.deepEqual(shares.map((each) => [each.cause, Math.round(each.share * 100)]), [['backhaul', 75], ['access', 25]])
  assert.deepEqual(sharesOf([]), [])
  assert.ok(Math.abs(sharesOf([{ cause: 'power', nats: 5_000 }, { cause: 'core', nats: 4_990 }]).reduce((sum, each) => sum + each.share, 0) - 1) < 1e-9, 'large scores do not overflow')
  const evidence = { ...first.evidence, witnessesGood: 0, signs: [{ sign: 'chargers_off', count: 0, of: 4 }, { sign: 'radio_strong', count: 0, of: 0 }] }
  assert.deepEqual(missingOf(evidence), ['radio', 'reports', 'witnesses', 'alarm'])
  assert.deepEqual(missingOf({ ...evidence, causes: [{ cause: 'power', nats: 2 }], signs: [{ sign: 'getting_through', count: 0, of: 3 }], witnessesGood: 2 }), ['chargers', 'alarm'], 'only what would tell these causes apart')
})

test('what happened is told in order: turns of mere extent are folded, a turn stands before the ticket that it caused, and people speak in between', () => {
  const ticket = live.tickets[0]
  assert.ok(ticket)
  const entries = chronicleOf(fixtureTurns('g-1', now), ticket, fixtureComments('g-1', now))
  const told = entries.map((entry) => (entry.kind === 'turn' ? `${entry.turn.turn}${entry.folded > 0 ? `+${entry.folded}` : ''}` : entry.kind === 'event' ? `ticket ${entry.event.kind}` : `said by ${entry.comment.organisation}`))
  assert.deepEqual(told, ['suspected', 'confirmed', 'ticket opened', 'grown+2', 'ticket acknowledged', 'said by telkomsel', 'alarm', 'attributed', 'recovering', 'relapsed', 'said by telkomsel', 'ticket resolved', 'ticket reopened', 'said by isp-satu'])
  assert.deepEqual(chronicleOf([], null, []), [])
})

test('what may be attached is what the server takes, and what is shown is told in size', () => {
  assert.equal(fileBytesMax, file_bytes_max)
  assert.deepEqual([12, 34_500, 3_440_000].map((bytes) => sizeText(bytes, 'id')), ['1 KB', '35 KB', '3,4 MB'])
  assert.deepEqual(['image/jpeg', 'image/png', 'image/svg+xml', 'application/pdf'].map(isPicture), [true, true, false, false])
})

test('stations are counted once, at the coarsest level, those without data included', () => {
  const state = applySnapshot(live, now)
  const sum = sumOf(topAreas(state.areas))
  assert.equal(totalOf(sum), live.areas.filter((area) => area.level === 'regency').reduce((all, area) => all + totalOf(area.counts), 0))
  assert.ok(sum.unknown > 0)
  assert.equal(hitOf(sum), sum.down + sum.degraded)
})

test('a clock is overdue from the second it runs out; paused clocks do not run', () => {
  const state = applySnapshot(live, now)
  const next = nextClock(state, now)
  assert.equal(next?.clock.name, 'restore')
  assert.equal(clockState(next.clock, now), 'at_risk')
  assert.equal(clockState(next.clock, Date.parse(next.clock.dueAt)), 'overdue')
  assert.equal(countdown(-249_000), '-0:04:09')
})

test('times tell the place and WIB; CSV defuses formulas; the address round-trips', () => {
  assert.equal(timeWib(now), '14.00.00 WIB')
  assert.equal(timeAt(now, '5310'), '15.00 WITA (14.00 WIB)')
  assert.equal(timeAt(now, '9471'), '16.00 WIT (14.00 WIB)')
  assert.equal(csv(['a'], [['=1+1'], ['x, "y"']]), '\ufeffa\r\n\'=1+1\r\n"x, ""y"""\r\n')
  const address = '?area=53&gangguan=g-1&tiket=t-1&tps=5310102003001&bahasa=en&dinding=1&tampil=alarm&urut=name&keadaan=active&keparahan=major&operator=telkomsel&peta=kanvas'
  assert.equal(writeView(readView(address)), address)
  assert.equal(writeView(readView('?masuk=rahasia')), '', 'a token never stays in the address')
})

test('a disturbance is told with the ticket that stands for it, also one that its own was merged into', () => {
  const [ticket] = live.tickets
  assert.ok(ticket !== undefined)
  const told = (tickets: readonly Partial<typeof ticket>[], ticketId: string | null): string | null =>
    ticketOf(applySnapshot({ ...live, tickets: tickets.map((each) => ({ ...ticket, covers: [], ...each })) }, now), row('d', { ticketId }))?.id ?? null
  const [own, other] = [{ id: 'TT-d', disturbanceId: 'd' }, { id: 'TT-b', disturbanceId: 'b' }]
  assert.equal(told([other, own], null), 'TT-d')
  assert.equal(told([{ ...own, status: 'cancelled' }, { ...other, covers: ['d'] }], 'TT-d'), 'TT-b', 'merged')
  assert.equal(told([{ ...own, status: 'cancelled' }, other, { id: 'TT-d-2', disturbanceId: 'd' }], 'TT-b'), 'TT-d-2', 'split again, as the older news of the disturbance does not know')
  assert.equal(told([{ ...own, status: 'cancelled' }], 'TT-d'), 'TT-d', 'a false alarm')
  assert.equal(told([other], null), null)
})

test('a ticket may be merged into another of the same operator, while neither is disputed or being measured', () => {
  const [ticket] = live.tickets
  assert.ok(ticket !== undefined)
  const free = { ...ticket, status: 'inProgress', dispute: null, operator: 'telkomsel' } as const
  const tickets = [{ ...free, id: 'a' }, { ...free, id: 'b' }, { ...free, id: 'c', operator: 'indosat' }, { ...free, id: 'd', status: 'resolved' as const }, { ...free, id: 'e', dispute: { ...ticket.dispute, answer: null } as typeof ticket.dispute }, { ...free, id: 'f', disturbanceId: null }, { ...free, id: 'g', status: 'closed' as const }]
  const state = applySnapshot({ ...live, tickets }, now)
  assert.deepEqual(tickets.map((each) => mergeable(state, each).map(({ id }) => id)), [['b'], ['a'], [], [], [], [], []])
})
