import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hour_ms, minute_ms } from '@kawal/core/kernel/clock.ts'
import { readCalendar } from './calendar.ts'
import { checkWork, tidyAreas, type Announced } from './work.ts'

const now = Date.UTC(2029, 1, 13, 2)
const work = (more: Partial<Announced> = {}): Announced => ({ title: 'Fibre', reason: 'splice', areas: ['750101'], from: now + hour_ms, to: now + 3 * hour_ms, ...more })
const reason = (given: Announced, before: Announced | null = null): string => {
  const checked = checkWork(given, (code) => code.startsWith('75'), now, before)
  return checked.ok ? '' : checked.error
}

test('work lies ahead, ends after it begins, within a week, where there are stations', () => {
  assert.equal(reason(work()), '')
  assert.match(reason(work({ to: now })), /before it begins/)
  assert.match(reason(work({ from: now - 3 * hour_ms, to: now - hour_ms })), /which is past/)
  assert.match(reason(work({ from: now - 2 * minute_ms })), /announced before it begins/)
  assert.equal(reason(work({ from: now })), '')
  assert.match(reason(work({ to: now + 170 * hour_ms })), /7 days|at most 7/)
  assert.match(reason(work({ from: now + 400 * 24 * hour_ms, to: now + 401 * 24 * hour_ms })), /a year ahead/)
  assert.match(reason(work({ areas: ['750101', '99'] })), /code 99/)
  assert.match(reason(work({ title: '  ' })), /spaces/)
})

test('work that has begun keeps its beginning and its areas: an outage does not grow into a plan', () => {
  const begun = work({ from: now - hour_ms })
  assert.equal(reason({ ...begun, to: now + 5 * hour_ms, reason: 'longer' }, begun), '')
  assert.match(reason({ ...begun, areas: ['75'] }, begun), /has begun/)
  assert.match(reason({ ...begun, from: now }, begun), /has begun/)
  assert.match(reason({ ...begun, to: now - minute_ms }, begun), /past/)
})

test('areas: each once, none within another, and the same stations as before', () => {
  fc.assert(fc.property(fc.array(fc.constantFrom('75', '7501', '750101', '7501011001', '7501011001001', '53', '530101'), { minLength: 1, maxLength: 6 }), fc.constantFrom('7501011001001', '7501019999999', '5301010000001', '5302010000001'), (areas, station) => {
    const tidy = tidyAreas(areas)
    assert.equal(areas.some((code) => station.startsWith(code)), tidy.some((code) => station.startsWith(code)))
    assert.ok(tidy.every((code) => !tidy.some((other) => other !== code && other.startsWith(code))))
  }))
})

const lines = (text: string) => {
  const read = readCalendar(text)
  assert.ok(read.ok, read.ok ? '' : read.error)
  return read.value.map(({ line, work: each, operator }) => [line, each.ok ? new Date(each.value.from).toISOString() : each.error, operator] as const)
}

test('a calendar as a spreadsheet gives it: separators, headings, local times of the areas', () => {
  const wita = [['title,from,to,areas,reason', 'A,2029-02-14 01:00,2029-02-14 03:00,750101,b'], ['Judul;Mulai;Selesai;Wilayah;Alasan', 'A;14/02/2029 01.00;14/02/2029 03.00;75.01.01, 7501011001;b'], ['reason\tareas\tto\tfrom\ttitle', 'b\t7501\t2029-02-14T03:00:00+08:00\t2029-02-13T17:00:00Z\tA']]
  for (const [head, row] of wita) assert.deepEqual(lines(`\ufeff${head}\r\n${row}\r\n`), [[2, '2029-02-13T17:00:00.000Z', null]], head)
  assert.deepEqual(lines('title,from,to,areas,reason,zone,operator\nA,2029-02-14 01:00,2029-02-14 03:00,75 31,b,WIB,xl'), [[2, '2029-02-13T18:00:00.000Z', 'xl']])
})

test('a bad line says what is wrong with it, and hides no other', () => {
  const found = lines(['title,from,to,areas,reason', 'A,2029-02-14 01:00,2029-02-14 03:00,75 31,b', 'B,soon,2029-02-14 03:00,75,b', 'C,2029-02-30 01:00,2029-02-14 03:00,75,b', 'D,2029-02-14 01:00,2029-02-14 03:00,Kupang,b', ',2029-02-14 01:00,2029-02-14 03:00,75,b', '', 'E,2029-02-14 01:00', 'F,2029-02-14 01:00,2029-02-14 03:00,75,b'].join('\n'))
  assert.deepEqual(found.map(([line]) => line), [2, 3, 4, 5, 6, 8, 9])
  for (const [at, pattern] of [/add a column zone/, /"soon" is no time/, /no time of any day/, /Kupang is no code/, /no title/, /no reason/].entries()) assert.match(found[at]?.[1] ?? '', pattern)
  assert.equal(found.at(-1)?.[1], '2029-02-13T17:00:00.000Z')
})

test('what is no calendar is refused as a whole, with what it lacks', () => {
  for (const [text, pattern] of [['', /lacks title, from/], ['title,from\nA,b', /lacks to, areas, reason/], [`title,from,to,areas,reason\n${'a,b,c,d,e\n'.repeat(1_001)}`, /More than 1000/]] as const) {
    const read = readCalendar(text)
    assert.match(read.ok ? '' : read.error, pattern)
  }
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void readCalendar(`title,from,to,areas,reason\n${text}`)))
})
