import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foundFrom, missChance, sampleFor } from './sample-size.ts'

const choose = (of: number, many: number): bigint => {
  let ways = many > of ? 0n : 1n
  for (let at = 0; at < many && ways > 0n; at++) ways = (ways * BigInt(of - at)) / BigInt(at + 1)
  return ways
}
/** In whole numbers: not found once in twenty at most. */
const isFound = (population: number, wrong: number, drawn: number): boolean => 20n * choose(population - wrong, drawn) <= choose(population, drawn)
const first = (max: number, holds: (value: number) => boolean): number => Array.from({ length: max }, (_, at) => at + 1).find(holds) ?? max

test('sizes are the exact ones of every small population, ties included', () => {
  for (let population = 1; population <= 40; population++) {
    for (let wrong = 1; wrong <= population; wrong++) assert.equal(sampleFor(population, wrong), first(population, (drawn) => isFound(population, wrong, drawn)), `${population} ${wrong}`)
    for (let drawn = 1; drawn <= population; drawn++) assert.equal(foundFrom(population, drawn), first(population, (wrong) => isFound(population, wrong, drawn)), `${population} from ${drawn}`)
  }
})

test('the chance is the fraction that it says, also of the nation; nothing drawn finds nothing', () => {
  for (const [population, wrong, drawn] of [[820_161, 8_202, 298], [10_000, 3, 9_000], [500, 250, 250]] as const) {
    const [scale, exact] = [10n ** 18n, choose(population - wrong, Math.min(drawn, population - wrong))]
    if (population <= 10_000) assert.ok(Math.abs(missChance(population, wrong, drawn) - Number((exact * scale) / choose(population, drawn)) / 1e18) < 1e-9)
  }
  // one in a hundred and one in a thousand of the nation's stations, and all but one: by whole numbers elsewhere
  assert.deepEqual([[820_161, 8_202], [820_161, 820], [4_000, 40], [549, 5], [820_161, 1]].map(([population = 0, wrong = 0]) => sampleFor(population, wrong)), [299, 2_990, 288, 247, 779_153])
  assert.deepEqual([missChance(820_161, 8_202, 299) <= 0.05, missChance(820_161, 8_202, 298) <= 0.05], [true, false])
  assert.deepEqual([foundFrom(100, 0), foundFrom(0, 5), foundFrom(100, 200)], [null, null, 1])
})
