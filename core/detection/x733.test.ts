import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { readAlarmType, readProbableCause, readSeverity } from './x733.ts'

const subset = join(import.meta.dirname, '../../../shared/suites/standards/x733/x733-subset.json')
interface Subset {
  readonly perceivedSeverity: readonly string[]
  readonly eventType: Readonly<Record<string, number>>
  readonly probableCause: Readonly<Record<string, number>>
  readonly suggested_mapping: Readonly<Record<string, readonly [string, string]>>
}

/** One name in every writing that is met in the field. */
const writings = (name: string): string[] => {
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').split(' ')
  return [name, name.toUpperCase(), words.join(' '), words.join('-').toLowerCase(), words.join('_').toUpperCase(), ` ${words.join(' ')} `]
}

test('the published numbers and names lead to each other, in any writing', { skip: existsSync(subset) ? false : `${subset} is not here` }, () => {
  const known = JSON.parse(readFileSync(subset, 'utf8')) as Subset
  for (const [name, number] of Object.entries(known.probableCause)) {
    for (const text of [...writings(name), String(number)]) assert.equal(readProbableCause(text)?.number, number, `${text} of ${name}`)
  }
  for (const [name, number] of Object.entries(known.eventType)) for (const text of [...writings(name), String(number)]) assert.equal(readAlarmType(text), name, text)
  for (const severity of known.perceivedSeverity) for (const text of writings(severity)) assert.equal(readSeverity(text), severity)
  // what the suite suggests for each cause of ours, read the other way round
  const wanted: readonly (readonly [RegExp, string])[] = [[/^outage\/access/, 'access'], [/^outage\/backhaul/, 'backhaul'], [/^outage\/core/, 'core'], [/^power/, 'power'], [/^congestion/, 'congestion'], [/^degradation/, 'degradation']]
  let seen = 0
  for (const [what, [, cause]] of Object.entries(known.suggested_mapping)) {
    const ours = wanted.find(([pattern]) => pattern.test(what))?.[1]
    if (ours === undefined) continue
    seen++
    assert.equal(readProbableCause(cause)?.suggests, ours, what)
  }
  assert.ok(seen >= 7, 'the mapping was seen')
})

test('what no standard has speaks for nothing, and what only a third party knows is never suggested', () => {
  for (const text of ['', 'SiteDown', '9999', '0', '-5', '__proto__', 'toString', 'constructor', 'lossOfSignals']) assert.equal(readProbableCause(text), null, text)
  for (const text of ['', 'banana', '0', '7', '__proto__', 'toString']) assert.equal(readSeverity(text), null, text)
  for (const text of ['', '0', '12', 'alarm', 'toString']) assert.equal(readAlarmType(text), null, text)
  for (let number = 0; number < 1_100; number++) assert.ok(!['election_server', 'ingest', 'access_point', 'undetermined'].includes(readProbableCause(String(number))?.suggests ?? ''), String(number))
})

test('duplicates of X.733, misspelt names of the published list, our own words', () => {
  assert.deepEqual([readProbableCause('congestion-x733')?.number, readProbableCause('Congestion')?.number], [507, 202])
  assert.equal(readProbableCause('responseTimeExecessive')?.name, 'responseTimeExcessive')
  assert.deepEqual(readProbableCause('115')?.name, 'rectifierHighVoltage')
  assert.deepEqual(readProbableCause('Backhaul'), { number: null, name: 'backhaul', suggests: 'backhaul' })
  assert.equal(readProbableCause('power')?.suggests, 'power')
  assert.equal(readAlarmType('environmental'), 'environmentalAlarm')
  assert.deepEqual([readSeverity('page'), readSeverity('info'), readSeverity('3'), readSeverity('RESOLVED')], ['critical', 'indeterminate', 'critical', 'cleared'])
})

test('no text makes a reader fail', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    readSeverity(text)
    readProbableCause(text)
    readAlarmType(text)
  }))
})
