import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '@kawal/core/kernel/random.ts'
import { createNaive } from './naive.ts'
import { forTheServer, scoreDay, shuffled, type Confirmed, type Truth } from './score.ts'
import { atLeast, summary } from './table.ts'

const range = (from: number, count: number): Int32Array => Int32Array.from({ length: count }, (_, index) => from + index)
/** 1,000 stations of two provinces; operator 1 is in the even ones only, operator 0 everywhere. */
const presence = { operatorsAt: Uint8Array.from({ length: 1000 }, (_, station) => (station % 2 === 0 ? 3 : 1)), provinceAt: Array.from({ length: 1000 }, (_, station) => (station < 500 ? '11' : '12')) }
const fault = (more: Partial<Truth> = {}): Truth => ({ kind: 'access', operator: 0, stations: range(100, 20), provinces: [], startAt_s: 10_000, endAt_s: 13_000, grow_s: 0, lostAtFirst: 25, ...more })
const said = (more: Partial<Confirmed> = {}): Confirmed => ({ id: 'd-1', cause: 'access', operator: 0, times_s: [10_150], stations: range(100, 20), mergedInto: null, ...more })

test('a disturbance belongs to a fault by place, time and operator', () => {
  const first = (each: Confirmed) => scoreDay([fault()], [each], presence)
  assert.deepEqual(first(said()).faults, [{ kind: 'access', lost: 25, delay_min: 2.5, sinceFirst_min: 2.5, seen: true, right: true, said: 'access', iou: 1, fragments: 0 }])
  const isFound = (more: Partial<Confirmed>): [found: boolean, wrong: number] => {
    const { faults, wrong } = first(said(more))
    return [faults[0]?.delay_min !== null, wrong.length]
  }
  assert.deepEqual(isFound({ times_s: [9_880] }), [true, 0], 'two minutes early')
  assert.deepEqual(isFound({ times_s: [9_879] }), [false, 1])
  assert.deepEqual(isFound({ times_s: [13_900] }), [true, 0], 'a quarter of an hour late')
  assert.deepEqual(isFound({ times_s: [13_901] }), [false, 1])
  assert.deepEqual(isFound({ times_s: [5_000, 10_500] }), [true, 0], 'it came back')
  assert.deepEqual(isFound({ stations: range(114, 20) }), [true, 0], '6 of 20 stations lie in the fault')
  assert.deepEqual(isFound({ stations: range(115, 20) }), [false, 1])
  const grown = scoreDay([fault({ kind: 'congestion', grow_s: 200 })], [said()], presence).faults[0]
  assert.deepEqual([grown?.delay_min, grown?.sinceFirst_min], [50 / 60, 2.5], 'a fault that grows: the clock starts when half of it is there')
  assert.equal(scoreDay([fault({ kind: 'congestion', grow_s: 900 })], [said()], presence).faults[0]?.delay_min, 0, 'found before')
  assert.deepEqual(isFound({ operator: 1 }), [false, 0], 'right place and time, held against another: missed, and counted apart')
  assert.equal(first(said({ operator: 1 })).otherOwner, 1)
  assert.deepEqual(isFound({ operator: -1, cause: 'power' }), [false, 0])
  assert.deepEqual(isFound({ operator: -1, cause: 'undetermined' }), [true, 0])
  assert.equal(first(said({ cause: 'undetermined' })).faults[0]?.right, false, 'undetermined is wrong')
  assert.equal(first(said({ cause: 'backhaul' })).faults[0]?.right, false)
})

test('the overlap counts stations whose village has a device concerned; a miss counts 0', () => {
  const iou = (truth: Partial<Truth>, more: Partial<Confirmed>): number => scoreDay([fault(truth)], [said(more)], presence).faults[0]?.iou ?? NaN
  assert.equal(iou({}, { stations: range(110, 20) }), 10 / 30)
  assert.equal(iou({ operator: 1 }, { operator: 1, stations: Int32Array.from([100, 101, 102, 104]) }), 3 / 10)
  assert.equal(iou({}, { times_s: [90_000] }), 0)
})

test('the first one found counts, later ones are fragments, and what was merged is judged by what it became', () => {
  const { faults, wrong } = scoreDay([fault()], [
    said({ id: 'd-1', times_s: [10_300], stations: range(110, 10), cause: 'undetermined', mergedInto: 'd-3' }), said({ id: 'd-2', times_s: [10_600], stations: range(100, 4) }), said({ id: 'd-3', times_s: [10_400] }),
  ], presence)
  assert.deepEqual(faults, [{ kind: 'access', lost: 25, delay_min: 5, sinceFirst_min: 5, seen: true, right: true, said: 'access', iou: 1, fragments: 2 }])
  assert.equal(wrong.length, 0)
})

test('what the day without any word of the election server has too was not for the server', () => {
  const asked: number[] = []
  const [same, alone, later] = [said(), said({ id: 'd-2', stations: range(600, 20) }), said({ id: 'd-3', stations: range(700, 20), times_s: [10_150, 10_900] })]
  const without = (until_s: number): Confirmed[] => (asked.push(until_s), [said({ id: 'other', operator: -1, stations: range(119, 3) }), said({ stations: range(700, 20), times_s: [10_150] })])
  assert.deepEqual(forTheServer([same, alone, later], without).map(({ id }) => id), ['d-2', 'd-3'])
  assert.deepEqual(asked, [10_900])
  assert.deepEqual(forTheServer([], () => assert.fail('nothing to ask for')), [])
})

test('servers are found by their cause, and operators blamed for them are counted', () => {
  const server = fault({ kind: 'election_server', operator: -1, stations: new Int32Array(0), provinces: ['11'], lostAtFirst: 0 })
  const score = (...confirmed: Confirmed[]) => scoreDay([server, fault({ stations: range(300, 20) })], confirmed, presence)
  assert.equal(score(said({ cause: 'election_server', operator: -1, stations: range(0, 1000) })).servers[0]?.right, true)
  assert.equal(score(said({ cause: 'election_server', operator: -1 })).blamed.length, 0)
  assert.equal(score(said()).blamed.length, 1)
  assert.equal(score(said({ stations: range(300, 20) })).blamed.length, 0, 'it is about a fault of its own')
  assert.equal(score(said({ stations: range(600, 20) })).blamed.length, 0, 'elsewhere')
  assert.equal(score(said({ times_s: [50_000] })).blamed.length, 0, 'at another time')
  assert.equal(score(said({ operator: -1, cause: 'power' })).blamed.length, 0, 'no operator')
  assert.equal(score(said({ cause: 'ingest', operator: -1 })).wrong.length, 1, 'our own intake did not fail')
})

test('a perfect detector scores 1 on the truth and next to nothing on shuffled truth', () => {
  fc.assert(fc.property(fc.integer(), (seed) => {
    const random = seeded(seed)
    const wide = { operatorsAt: new Uint8Array(100_000).fill(31), provinceAt: new Array<string>(100_000).fill('11') }
    const truth = Array.from({ length: 100 }, (_, index) => {
      const startAt_s = Math.floor(random() * 50_000)
      return fault({ operator: Math.floor(random() * 4), stations: range(1000 * index, 5 + Math.floor(random() * 300)), startAt_s, endAt_s: startAt_s + 1_200 + Math.floor(random() * 8_000) })
    })
    const confirmed = truth.map((each, index) => said({ id: `d-${index}`, operator: each.operator, stations: each.stations, times_s: [each.startAt_s + 60] }))
    const [ours, control] = [scoreDay(truth, confirmed, wide), scoreDay(shuffled(truth, 100_000, 0, 61_200, random), confirmed, wide)]
    assert.deepEqual([summary(ours.faults).recall, summary(ours.faults).iou, summary(ours.faults).attribution, ours.wrong.length], [1, 1, 1, 0])
    assert.ok(summary(control.faults).recall <= 0.05, `${summary(control.faults).recall}`)
  }), { numRuns: 20, seed: 1 })
})

test('figures are taken of what is there, and of nothing they are NaN', () => {
  const rows = [5, 12, 20].map((lost) => ({ kind: 'access', lost, delay_min: lost === 5 ? null : lost / 4, seen: lost > 5, right: lost === 20, said: 'access', iou: lost === 5 ? 0 : 0.6, fragments: 0, sinceFirst_min: null }))
  assert.deepEqual(summary(rows), { faults: 3, recall: 2 / 3, median_min: 5, p90_min: 5, iou: 0.39999999999999997, attribution: 0.5 })
  assert.deepEqual(atLeast(rows, 10, 20).map(({ lost }) => lost), [12])
  assert.ok(Number.isNaN(summary([]).recall))
})

test('the naive detector tells once when half of a district is gone for an operator', () => {
  const naive = createNaive(Int32Array.from({ length: 20 }, (_, station) => Math.floor(station / 10)), 2)
  for (let turn = 1; turn <= 14; turn++) {
    for (let station = 0; station < 20; station++) for (let operator = 0; operator < 2; operator++) for (let report = 0; report < 3; report++) if (!(station < 10 && operator === 1 && turn >= 10 && turn < 13 && report > 0)) naive.note(station, operator)
    naive.turn(turn * 300)
  }
  assert.deepEqual(naive.told(), [{ id: 'n-0', cause: 'undetermined', operator: 1, times_s: [3000], mergedInto: null, stations: range(0, 10) }])
})
