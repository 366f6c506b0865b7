import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Missing } from '../missing.ts'
import { runDay } from './day.ts'
import { readRegister } from './register.ts'
import { tableOf } from './table.ts'

const province = '65'
function why(): string | false {
  try {
    readRegister([province])
    return false
  } catch (error) {
    if (error instanceof Missing) return error.message
    throw error
  }
}

test('stations of the register are found by their codes, special ones too', { skip: why() }, () => {
  const { places, stations, numberOf } = readRegister([])
  assert.deepEqual([places.length, stations.length], [83_731, 820_161])
  for (let station = 0; station < stations.length; station += 7) assert.equal(numberOf(stations[station]?.code ?? ''), station)
  const special = stations.findIndex(({ code }) => code.slice(10) >= '901')
  assert.ok(special > 0 && numberOf(stations[special]?.code ?? '') === special)
  assert.throws(() => numberOf('0000000000001'), /no village/)
})

test('a day of one province is scored, told in words, and crosses threads; the same again is the same', { skip: why() }, () => {
  const plan = { seed: 5, provinces: [province], hours: 4, faults: 12, serverFailures: 1, ingestFailures: 1 }
  const words: string[] = []
  const result = runDay(plan, (text) => void words.push(text))
  assert.equal(words.length, 4)
  assert.ok(result.devices > 2_000 && result.reports > 50_000 && result.detector_s > 0 && result.all_s > result.detector_s)
  assert.deepEqual([result.ours.faults.length, result.naive.faults.length, result.control.faults.length, result.ours.servers.length], [result.told.length, result.told.length, result.told.length, 2])
  assert.ok(result.told.length >= 6 && result.told.every((text) => /^\d\d:\d\d:\d\d-.* lost \d+/.test(text)), result.told.join('\n'))
  assert.equal(result.wrong.length, result.ours.wrong.length)
  assert.deepEqual(structuredClone(result), result)
  const again = runDay(plan, () => undefined)
  assert.deepEqual([again.ours, again.naive, again.control, again.reports], [result.ours, result.naive, result.control, result.reports])
  assert.match(tableOf([result], ({ ours }) => ours), /election_server/)
})
