import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixtureLive } from '../test/fixture.ts'
import { countdown, csv, timeAt, timeWib } from './format.ts'
import { applySnapshot } from './live.ts'
import { clockState, hitOf, nextClock, queueOf, sumOf, topAreas, totalOf } from './queue.ts'
import { readView, writeView } from './view.ts'

const now = Date.parse('2029-02-14T07:00:00Z')
const live = fixtureLive(now)
const first = live.disturbances[0]
assert.ok(first)

test('the queue ranks by stations; a storm adds ten cards in ten minutes and rolls the rest up', () => {
  const storm = Array.from({ length: 40 }, (_, index) => ({ ...first, id: `s-${index}`, stations: first.stations.slice(0, index + 1), foundAt: new Date(now - 60_000).toISOString() }))
  const queue = queueOf([...live.disturbances, ...storm], now)
  assert.deepEqual(queue.cards.map((row) => row.id), ['g-1', 's-39', 's-38', 's-37', 's-36', 's-35', 's-34', 's-33', 's-32', 's-31', 's-30'])
  const rolled = queue.rolls.reduce((sum, roll) => sum + roll.disturbances.length, 0)
  assert.equal(queue.cards.length + rolled, 42, 'nothing open is lost')
  assert.ok(queueOf(storm, now, 's-0').cards.some((row) => row.id === 's-0'), 'the selected one stays a card')
  assert.deepEqual(queue.recovered.map((row) => row.id), ['g-3'])
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
  const address = '?area=53&gangguan=g-1&tiket=t-1&tps=5310102003001&bahasa=en&dinding=1&tampil=tabel&urut=name&peta=kanvas'
  assert.equal(writeView(readView(address)), address)
  assert.equal(writeView(readView('?masuk=rahasia')), '', 'a token never stays in the address')
})
