import assert from 'node:assert/strict'
import { test } from 'node:test'
import { presidential } from '@kawal/testkit/recaps.ts'
import { contestDefaults, judgeRecap, judgeUnreadable, type Holder, type Judgement } from './judge.ts'
import type { Recap } from './record.ts'

const here: Holder = { device: 7, station: presidential.station, role: 'officer', isRevoked: false }
const facts = { isStationKnown: true, holders: [here], contests: contestDefaults }
const reasonOf = (judgement: Judgement): string => (judgement.ok ? 'counts' : judgement.reason)
const judged = (recap: Partial<Recap>, more: Partial<Parameters<typeof judgeRecap>[1]> = {}): Judgement => judgeRecap({ ...presidential, ...recap }, { ...facts, ...more })

test('a sound record counts, for the device of its station that holds the key', () => {
  assert.deepEqual(judged({}), { ok: true, device: 7, side: 'officer' })
  assert.deepEqual(judged({}, { holders: [{ ...here, device: 3, station: '7571011001001' }, { ...here, device: 5, isRevoked: true }, here] }), { ok: true, device: 7, side: 'officer' })
})

test('the role of the key says of which side a record is, also in quarantine; where no key says it, nobody does', () => {
  const supervisor: Holder = { ...here, device: 9, role: 'supervisor' }
  const sideOf = (...holders: readonly Holder[]): string | null => judged({}, { holders }).side
  assert.deepEqual(judged({}, { holders: [supervisor] }), { ok: true, device: 9, side: 'supervisor' })
  // a phone that is an officer's elsewhere is a supervisor's here
  assert.equal(sideOf({ ...here, station: '7571011001004' }, supervisor), 'supervisor')
  assert.equal(sideOf({ ...supervisor, isRevoked: true }), 'supervisor')
  assert.equal(sideOf({ ...supervisor, station: '7571011001004' }), 'supervisor')
  assert.equal(sideOf({ ...supervisor, station: '7571011001004' }, { ...here, station: '7571011001005' }), null)
  assert.equal(sideOf(), null)
  assert.equal(judgeUnreadable({ part: 'record', code: 'version_unknown', field: 'version' }).side, null)
})

test('each reason by itself, and the first of several', () => {
  assert.equal(reasonOf(judged({}, { isStationKnown: false, holders: [] })), 'station_unknown')
  assert.equal(reasonOf(judged({}, { holders: [] })), 'key_unknown')
  assert.equal(reasonOf(judged({}, { holders: [{ ...here, station: '7571011001004' }] })), 'key_elsewhere')
  assert.equal(reasonOf(judged({}, { holders: [{ ...here, isRevoked: true }] })), 'key_revoked')
  assert.equal(reasonOf(judged({}, { contests: { dpr: { ceiling: 300 } } })), 'contest_unknown')
  assert.equal(reasonOf(judged({ form: 2 })), 'form_unknown')
  assert.equal(reasonOf(judgeUnreadable({ part: 'record', code: 'version_unknown', field: 'version' })), 'record_unreadable')
})

test('105 that was read as 905 is impossible and says what and how many; a sum that is wrong is a warning, and counts', () => {
  const totals = [...presidential.totals]
  totals[22] = 905
  const judgement = judged({ totals })
  assert.equal(reasonOf(judgement), 'totals_impossible')
  assert.match(judgement.ok ? '' : judgement.detail, /votes_1 is 905, and a station has at most 306\./)
  totals[22] = 129
  assert.equal(reasonOf(judged({ totals })), 'counts')
  assert.equal(reasonOf(judged({ totals: totals.slice(1) })), 'totals_impossible')
  assert.equal(reasonOf(judged({ totals: totals.map((value, at) => (at === 0 ? null : value)) })), 'counts')
})
