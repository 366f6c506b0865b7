import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { around, morning, phones, type Deed, type Phone, type Told } from '@kawal/testkit/small-nation.ts'
import { seeded } from '../kernel/random.ts'
import { atOnce } from '../kernel/steps.ts'
import { orderNodes, orderPairs, type DetectionState } from './state.ts'
import { stationStatus } from './status.ts'

const [west, east] = [around(3, 4, 12), around(12, 7, 9)]
/** Two outages, one of everybody; some go home. */
function deeds(phone: Phone, at: number, chance: number): Deed {
  const minute = (at - 1_800_000_000_000) / 60_000
  if (minute < 25) return 'good'
  if (minute < 45 && west.has(phone.station) && phone.operator === 'telkomsel') return chance < 0.9 ? null : 'slow'
  if (minute > 30 && minute < 50 && east.has(phone.station)) return chance < 0.7 ? null : 'unplugged'
  return chance < 0.01 ? 'goodbye' : 'good'
}

/** Numbers of operators and ids are given in the order in which things are first met; within a sweep findings are a set. */
const told = (findings: readonly Told[]): string[] => findings.map(({ at, turn, other, disturbance: { id: _, parent, ...rest } }) => JSON.stringify([at, turn, other !== null, parent !== null, rest])).sort()
const shuffled = <T>(items: readonly T[], random: () => number): T[] => items.map((item) => ({ item, key: random() })).sort((a, b) => a.key - b.key).map(({ item }) => item)
const day = (ways: Parameters<typeof morning>[0]): string[] => told(morning(ways).until(60, deeds))
const straight = day({})

test('something is found, so that what follows says something', () => {
  assert.ok(straight.some((each) => each.includes('"confirmed"')) && straight.some((each) => each.includes('"ended"')))
})

test('the order of reports between two sweeps changes nothing, nor that in which devices and operators are first heard', () => {
  fc.assert(fc.property(fc.integer(), (seed) => {
    const random = seeded(seed)
    assert.deepEqual(day({ arrange: (reports) => shuffled(reports, random) }), straight)
  }), { numRuns: 8 })
})

test('the numbers of devices do not matter', () => {
  fc.assert(fc.property(fc.integer(), (seed) => {
    const numbers = shuffled(phones.map(({ device }) => 2 * device), seeded(seed))
    assert.deepEqual(day({ number: (device) => numbers[device] ?? NaN }), straight)
  }), { numRuns: 8 })
})

test('putting nodes and pairs into order changes no finding and no status', () => {
  const statuses = ({ stations, operators, ...rest }: DetectionState): string[] => stations.map(({ code }) => [null, ...operators.toSorted()].map((operator) => stationStatus({ stations, operators, ...rest }, code, operator)).join(' '))
  const at40 = (before: (state: DetectionState) => void): [string[], string[]] => {
    const run = morning({ before })
    return [told(run.until(40, deeds)), statuses(run.state)]
  }
  const plain = at40(() => undefined)
  assert.ok(plain[1].some((each) => /down/.test(each)) && new Set(plain[1]).size > 4)
  let turn = 0
  assert.deepEqual(at40((state) => {
    if (turn++ % 3 === 0) orderNodes(state)
    if (turn % 4 === 0) atOnce(orderPairs(state))
  }), plain)
})
