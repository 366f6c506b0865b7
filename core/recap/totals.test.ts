import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { contests, formOf, isOfParties, withReserve, type Ballot, type Check } from './form.ts'
import { checksOf, checkTotals, slipsOf, type Totals } from './totals.ts'
import { ballotOf, mustForm, pairs, soundTotals } from '@kawal/testkit/recaps.ts'

const runs = { numRuns: 500, seed: 20290214 }
const ceiling = 300
const form = mustForm('ppwp', pairs)
/** The sound form with some fields otherwise. */
const totals = (change: Readonly<Record<string, number | null>> = {}): Totals => form.fields.map((field, at) => (field in change ? (change[field] ?? null) : (soundTotals[at] ?? null)))
const kinds = (change: Readonly<Record<string, number | null>>): string[] => checkTotals(form, totals(change), ceiling).map((warning) => `${warning.kind} ${'field' in warning ? warning.field : ''}`)
const parties: Ballot = { kind: 'parties', parties: [{ number: 1, candidates: 2 }, { number: 4, candidates: 0 }] }

test('a presidential form has these fields, in this order', () => {
  assert.deepEqual(form.fields, [
    'voters_dpt_male', 'voters_dpt_female', 'voters_dpt', 'present_dpt_male', 'present_dpt_female', 'present_dpt', 'present_dptb_male', 'present_dptb_female', 'present_dptb', 'present_dpk_male', 'present_dpk_female', 'present_dpk',
    'present_male', 'present_female', 'present', 'ballots_received', 'ballots_used', 'ballots_returned', 'ballots_unused', 'disabled_male', 'disabled_female', 'disabled', 'votes_1', 'votes_2', 'votes_3', 'valid', 'invalid', 'votes',
  ])
})

test('a form of parties has votes for each party alone, each candidate, and their sum', () => {
  const found = mustForm('dpr', parties)
  assert.deepEqual(found.fields.slice(22), ['votes_p1_alone', 'votes_p1_1', 'votes_p1_2', 'votes_p1', 'votes_p4_alone', 'votes_p4', 'valid', 'invalid', 'votes'])
  const votes: Totals = found.fields.map((field) => ({ votes_p1_alone: 10, votes_p1_1: 20, votes_p1_2: 30, votes_p1: 61, votes_p4_alone: 5, votes_p4: 5, valid: 65, invalid: 1, votes: 66 })[field] ?? null)
  assert.deepEqual(checkTotals(found, votes, ceiling).filter(({ kind }) => kind !== 'missing').map((warning) => ({ ...warning, check: 0 })), [
    { kind: 'sum', check: 0, parts: ['votes_p1_alone', 'votes_p1_1', 'votes_p1_2'], sum: 60, field: 'votes_p1', value: 61 }, { kind: 'sum', check: 0, parts: ['votes_p1', 'votes_p4'], sum: 66, field: 'valid', value: 65 },
  ])
})

test('the places of checks that a record names do not move', () => {
  const shown = (check: Check): string => (check.kind === 'sum' ? `${check.parts.join(' + ')} = ${check.total}` : check.kind === 'same' ? `${check.field} = ${check.other}` : check.kind === 'above' ? `${check.field} <= ${check.of}${check.reserve ? ' + 2 %' : ''}` : `${check.field} <= ceiling${check.reserve ? ' + 2 %' : ''}`)
  assert.deepEqual(form.checks.slice(0, 21).map(shown), [
    'voters_dpt_male + voters_dpt_female = voters_dpt', 'present_dpt_male + present_dpt_female = present_dpt', 'present_dptb_male + present_dptb_female = present_dptb', 'present_dpk_male + present_dpk_female = present_dpk', 'present_male + present_female = present', 'disabled_male + disabled_female = disabled',
    'present_dpt_male + present_dptb_male + present_dpk_male = present_male', 'present_dpt_female + present_dptb_female + present_dpk_female = present_female', 'present_dpt + present_dptb + present_dpk = present', 'ballots_used + ballots_returned + ballots_unused = ballots_received',
    'votes_1 + votes_2 + votes_3 = valid', 'valid + invalid = votes', 'ballots_used = present', 'votes = ballots_used',
    'present_dpt_male <= voters_dpt_male', 'present_dpt_female <= voters_dpt_female', 'present_dpt <= voters_dpt', 'disabled_male <= present_male', 'disabled_female <= present_female', 'disabled <= present', 'ballots_received <= voters_dpt + 2 %',
  ])
  assert.deepEqual(form.checks.slice(21).map(shown), form.fields.map((field) => `${field} <= ceiling${/^(voters|present)_dpt(_|$)/.test(field) ? '' : ' + 2 %'}`))
  assert.ok(form.checks.some((check) => shown(check) === 'present_dptb <= ceiling + 2 %'))
})

test('a ballot that is none, or of another contest, makes no form; each contest has one', () => {
  fc.assert(fc.property(fc.constantFrom(...contests).chain((contest) => ballotOf(contest).map((ballot) => ({ contest, ballot }))), ({ contest, ballot }) => {
    const made = mustForm(contest, ballot)
    assert.equal(new Set(made.fields).size, made.fields.length)
    const named = made.checks.flatMap((check) => (check.kind === 'sum' ? [...check.parts, check.total] : check.kind === 'same' ? [check.field, check.other] : check.kind === 'above' ? [check.field, check.of] : [check.field]))
    assert.deepEqual(new Set(named), new Set(made.fields), 'each field stands in a check, and no check in a field that is not there')
    const other = contests.find((each) => isOfParties(each) !== isOfParties(contest)) ?? 'dpd'
    assert.deepEqual(formOf(other, ballot), { ok: false, error: 'ballot_other' })
  }), runs)
  assert.deepEqual(formOf('ppwp', pairs, 2), { ok: false, error: 'version_unknown' })
  const bad: Ballot[] = [{ kind: 'parties', parties: [] }, { kind: 'parties', parties: [{ number: 4, candidates: 1 }, { number: 4, candidates: 1 }] }, { kind: 'parties', parties: [{ number: 0, candidates: 1 }] }, { kind: 'parties', parties: Array.from({ length: 40 }, (_, at) => ({ number: at + 1, candidates: 30 })) }]
  for (const ballot of bad) assert.deepEqual(formOf('dpr', ballot), { ok: false, error: 'ballot_invalid' })
  for (const candidates of [0, 101, 1.5]) assert.deepEqual(formOf('dpd', { kind: 'candidates', candidates }), { ok: false, error: 'ballot_invalid' })
})

test('a sound form has no warning', () => {
  assert.deepEqual(checkTotals(form, totals(), ceiling), [])
  assert.deepEqual(slipsOf(form, totals(), ceiling), [])
})

test('each kind of warning names its fields and both numbers', () => {
  const warned = (change: Readonly<Record<string, number | null>>, field: string): unknown => checkTotals(form, totals(change), ceiling).find((warning) => 'field' in warning && warning.field === field)
  assert.deepEqual(warned({ invalid: 7 }, 'votes'), { kind: 'sum', check: 11, parts: ['valid', 'invalid'], sum: 239, field: 'votes', value: 238 })
  assert.deepEqual(warned({ ballots_used: 237, ballots_unused: 39 }, 'ballots_used'), { kind: 'same', check: 12, field: 'ballots_used', value: 237, other: 'present', otherValue: 238 })
  assert.deepEqual(warned({ ballots_received: 279, ballots_unused: 39 }, 'ballots_received'), { kind: 'above', check: 20, field: 'ballots_received', value: 279, of: 'voters_dpt', limit: 278 })
  assert.deepEqual(warned({ votes_1: 307 }, 'votes_1'), { kind: 'ceiling', check: 43, field: 'votes_1', value: 307, limit: 306 })
  assert.deepEqual(warned({ disabled: null }, 'disabled'), { kind: 'missing', field: 'disabled' })
  assert.deepEqual(checkTotals(form, soundTotals.slice(1), ceiling), [{ kind: 'fields', expected: 28, found: 27 }])
  assert.deepEqual(kinds({ disabled: null }), ['missing disabled'], 'what is not filled in is not added up')
  assert.deepEqual(checksOf(checkTotals(form, totals({ votes_1: 307, disabled: null }), ceiling)), [10, 43])
})

test('the ceiling is that of the contest: 300 and its spare ballots, or another', () => {
  assert.deepEqual([withReserve(300), withReserve(600), withReserve(271), withReserve(50), withReserve(0)], [306, 612, 277, 51, 0])
  const crowded = totals({ voters_dpt: 301 })
  const above = (max: number): number => checkTotals(form, crowded, max).filter(({ kind }) => kind === 'ceiling').length
  assert.deepEqual([above(300), above(301), above(600)], [1, 0, 0])
})

test('105 read as 905: the field is found, and what it was', () => {
  const right = { votes_1: 105, votes_2: 94 }
  assert.deepEqual(checkTotals(form, totals(right), ceiling), [])
  const read = totals({ ...right, votes_1: 905 })
  assert.deepEqual(checkTotals(form, read, ceiling).map(({ kind }) => kind), ['sum', 'ceiling'])
  assert.deepEqual(slipsOf(form, read, ceiling), [{ field: 'votes_1', value: 905, meant: 105 }])
})

test('where several readings fit no guess is made, and where several fields may be wrong each is named', () => {
  // the ceiling alone knows it: 005, 105 and 205 would all do
  assert.deepEqual(slipsOf(form, form.fields.map((field) => (field === 'votes_1' ? 905 : null)), ceiling), [])
  // one vote too many: it may be any of the three, and not their sum, which fits the rest
  assert.deepEqual(slipsOf(form, totals({ votes_1: 129 }), ceiling).map(({ field, meant }) => `${field} ${meant}`), ['votes_1 128', 'votes_2 70', 'votes_3 32'])
})

test('any one digit wrong on a sound form is a warning, and what it was is among the hints', () => {
  const seen = { warned: 0, found: 0, all: 0 }
  fc.assert(fc.property(fc.nat(form.fields.length - 1), fc.nat(2), fc.nat(9), (place, box, digit) => {
    const value = soundTotals[place] ?? 0
    const digits = String(value).padStart(3, '0')
    const wrong = Number(digits.slice(0, box) + String(digit) + digits.slice(box + 1))
    if (wrong === value) return
    const read = soundTotals.map((each, at) => (at === place ? wrong : each))
    seen.all++
    const warnings = checkTotals(form, read, ceiling)
    if (warnings.length > 0) seen.warned++
    const slips = slipsOf(form, read, ceiling)
    if (slips.some(({ field, meant }) => field === form.fields[place] && meant === value)) seen.found++
    for (const { field, meant } of slips) assert.ok(checkTotals(form, read.map((each, at) => (form.fields[at] === field ? meant : each)), ceiling).length < warnings.length, 'what a hint says makes it better')
  }), runs)
  assert.ok(seen.warned === seen.all && seen.found === seen.all, JSON.stringify(seen))
})

test('whatever the numbers, there is an answer, and the same one', () => {
  fc.assert(fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 999_999 })), { minLength: 27, maxLength: 29 }), (numbers) => {
    const warnings = checkTotals(form, numbers, ceiling)
    assert.deepEqual(warnings, checkTotals(form, [...numbers], ceiling))
    const places = checksOf(warnings)
    assert.ok(places.every((each, at) => at === 0 || each > (places[at - 1] ?? -1)), 'a record takes them as they come')
    slipsOf(form, numbers, ceiling)
  }), runs)
})
