import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contestOn, impactDefaults } from '@kawal/core/impact/defaults.ts'
import { ImpactRefused, readImpactSettings } from './settings.ts'

const refused = (given: unknown): string => {
  try {
    readImpactSettings(typeof given === 'string' ? given : JSON.stringify(given))
  } catch (error) {
    assert.ok(error instanceof ImpactRefused, String(error))
    return error.message
  }
  return assert.fail('it was taken')
}
const contest = contestOn('2029-02-14', 'a test')
const [deadline] = contest.deadlines

test('the defaults pass their own check; weights replace one by one, contests as a whole', () => {
  assert.deepEqual(readImpactSettings('{}'), impactDefaults)
  assert.deepEqual(readImpactSettings(JSON.stringify(impactDefaults)), impactDefaults)
  const found = readImpactSettings(JSON.stringify({ weights: { urgency: 20 }, contests: [{ ...contest, late: [{ day: '2029-02-24', areas: ['332108'] }] }] }))
  assert.deepEqual([found.weights.urgency, found.weights.voters_thousand, found.contests.map((each) => each.day)], [20, 2, ['2029-02-14']])
  assert.deepEqual(readImpactSettings('{"contests": []}').contests, [])
})

test('what cannot be used says where, what and how to mend it', () => {
  assert.match(refused('{"weights"'), /It is not JSON.*docs\/operating\/impact\.md/)
  assert.match(refused('[]'), /one JSON object/)
  assert.match(refused({ weight: {} }), /There is no setting weight\. There are: weights, contests\./)
  assert.match(refused({ weights: { urgent: 1 } }), /There is no setting weights\.urgent\. In weights there are: stations_without_alternative, /)
  assert.match(refused({ weights: { urgency: -1 } }), /weights\.urgency .*: -1\. It takes points a station .*: 0 to 1,000,000, two decimals at most\./)
  assert.match(refused({ weights: { suspected: 0.5 } }), /weights\.suspected .*: 0\.5\. It takes share taken off .* -1 to 0/)
  assert.match(refused({ weights: { urgency: 'high' } }), /weights\.urgency must be number: "high"/)
  assert.match(refused({ weights: 5 }), /weights must be object: 5\. It takes object with stations_without/)
  assert.match(refused({ weights: { stations_without_alternative: 1 } }), /stations_without_alternative is 1, less than 6 of weights\.stations_alternative_unknown.*at least as large/)
  assert.match(refused({ weights: { urgency: 0.125 } }), /weights\.urgency has more than two decimals: 0\.125/)
  assert.deepEqual([0.07, 0.29, 1.1, 4.35].map((urgency) => readImpactSettings(JSON.stringify({ weights: { urgency } })).weights.urgency), [0.07, 0.29, 1.1, 4.35])
  assert.match(refused({ contests: [{ ...contest, day: '2029-02-30' }] }), /contests\.0\.day is no day of the calendar: "2029-02-30"/)
  assert.match(refused({ contests: [{ ...contest, day: '14-02-2029' }] }), /contests\.0\.day .*"14-02-2029"\. It takes YYYY-MM-DD/)
  assert.match(refused({ contests: [{ ...contest, deadlines: [{ ...deadline, at: '25:00' }] }] }), /contests\.0\.deadlines\.0\.at .*"25:00"\. It takes HH:MM/)
  assert.match(refused({ contests: [{ ...contest, deadlines: [{ ...deadline, citation: undefined }] }] }), /contests\.0\.deadlines\.0\.citation is missing\. citation takes where it is from/)
  assert.match(refused({ contests: [{ ...contest, deadlines: [deadline, deadline] }] }), /has voting_starts twice/)
  assert.match(refused({ contests: [{ ...contest, late: [{ day: '2029-02-24', areas: ['332'] }] }] }), /late\.0\.areas\.0 .*"332"\. It takes code of an area/)
  assert.match(refused({ contests: [{ ...contest, late: [{ day: '2029-02-24', areas: ['33'] }, { day: '2029-02-25', areas: ['33'] }] }] }), /names the area 33 twice/)
  assert.match(refused({ contests: [{ ...contest, late: [{ day: '2029-02-13', areas: ['33'] }] }] }), /late\.0\.day is before the contest's own/)
  assert.match(refused({ contests: [contest, contest] }), /the day 2029-02-14 twice/)
  assert.equal(refused({ weights: { a: 1 }, contests: [{}] }).split('\n').length, 2, 'several at once, a line each')
})
