import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readinessClasses, signalWords } from '@kawal/core/readiness/readiness.ts'
import { readView, writeView } from '../view.ts'
import { atlasParts, bases, listQuery, readPlanView, screens, shownValues, sorts, writePlanView, type PlanView } from './view.ts'

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { nil: null })
const digits = (count: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^[0-9]{${count}}$`))
const shown: fc.Arbitrary<PlanView> = fc.record({
  screen: maybe(fc.constantFrom(...screens.filter((screen) => screen !== 'print'))),
  area: maybe(fc.oneof(digits(2), digits(4), digits(6), digits(10))), classes: fc.subarray([...readinessClasses]), operator: maybe(fc.constantFrom('telkomsel', 'any')),
  word: maybe(fc.constantFrom(...signalWords)), basis: maybe(fc.constantFrom(...bases)), search: fc.string(), sort: fc.constantFrom(...sorts), page: maybe(fc.base64String({ minLength: 4 })),
  station: maybe(digits(13)), edition: maybe(fc.constantFrom('0123456789ab')), technology: maybe(fc.constantFrom('lte', 'fixed')), value: fc.constantFrom(...shownValues),
  cell: maybe(fc.constant('888c1a4c33fffff')), sight: maybe(fc.constantFrom([95, -11, 141, 6] as const, [122.25, 0.4, 122.5, 0.75] as const)), part: fc.constantFrom(...atlasParts), compare: maybe(fc.constant('ba9876543210')),
  decision: fc.constantFrom('all' as const, 'none' as const, 'accepted' as const, 'refused' as const), print: fc.constant(null),
}, { noNullPrototype: true })

test('what is shown goes into the address and comes back, in the address of the whole page too', () => {
  fc.assert(fc.property(shown, fc.constantFrom('id' as const, 'en' as const), fc.boolean(), (view, language, canvas) => {
    const planning = writePlanView(view)
    assert.deepEqual(readPlanView(planning), view)
    const address = writeView({ ...readView(''), room: 'planning', planning, language, canvas })
    const back = readView(address)
    assert.deepEqual(readPlanView(back.planning), view)
    assert.deepEqual([back.room, back.language, back.canvas], ['planning', language, canvas])
    assert.equal(writeView(back), address)
  }))
})

test('a sheet to print opens the planning room by its code alone; a code that is none opens nothing', () => {
  const view = readView('?cetak=7501')
  assert.equal(view.room, 'planning')
  assert.deepEqual([readPlanView(view.planning).screen, readPlanView(view.planning).print], ['print', '7501'])
  assert.equal(readPlanView('cetak=75').screen, null)
  assert.equal(readPlanView('tps=12&wilayah=1&kelas=z,e').area, null)
  for (const box of ['1,2,3', '5,0,4,1', '0,0,1,x', '0,0,1,1,1', '0,-90,1,1']) assert.equal(readPlanView(`kotak=${box}`).sight, null, box)
  assert.deepEqual(readPlanView('kelas=tanpa-data,z,e').classes, ['e', 'unknown'])
})

test('the plain view has a plain address, and a word goes to the server with its operator only', () => {
  assert.equal(writePlanView(readPlanView('')), '')
  assert.equal(listQuery(readPlanView('sinyal=lemah')).get('word'), null)
  assert.equal(listQuery(readPlanView('sinyal=lemah&operator=indosat')).toString(), 'operator=indosat&word=lemah&sort=class')
})
