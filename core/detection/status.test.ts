import assert from 'node:assert/strict'
import { test } from 'node:test'
import { start, stations } from '@kawal/testkit/small-nation.ts'
import { atOnce } from '../kernel/steps.ts'
import { takeInEvidence } from './intake.ts'
import { startDetection } from './state.ts'
import { stationStatus, updateStatuses } from './status.ts'

test('what nobody reports of is unknown at every sweep: before the first report, and beside it', () => {
  const state = startDetection(stations)
  const told: string[] = []
  const look = (now: number): void => atOnce(updateStatuses(state, now, (code, operator, before, after) => told.push(`${code} ${operator} ${before} ${after}`)))
  look(start)
  assert.deepEqual(told, [])
  const [one, other] = stations.map(({ code }) => code) as [string, string]
  takeInEvidence(state, { device: 3, station: one, operator: 'telkomsel', eventAt: start, receivedAt: start, nextDueAt: start + 300_000, bits: 1 })
  look(start + 1_000)
  assert.deepEqual(told, [`${one} telkomsel unknown ok`, `${one} null unknown ok`])
  look(start + 2_000)
  assert.equal(told.length, 2)
  assert.deepEqual([stationStatus(state, one), stationStatus(state, one, 'telkomsel'), stationStatus(state, one, 'indosat'), stationStatus(state, other)], ['ok', 'ok', 'unknown', 'unknown'])
  look(start + 60 * 60_000)
  assert.deepEqual(told.slice(2), [`${one} telkomsel ok watch`, `${one} null ok watch`])
})
