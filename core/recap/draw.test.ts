import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { hexOf } from './bytes.ts'
import { drawFrom, isSameScope, populationOf, readSeed, rosterHash, strataFault, ticketText, type Stratum } from './draw.ts'
import { sha256 } from '@kawal/testkit/recaps.ts'

const runs = { numRuns: 100, seed: 20290214 }
const seed = '20237331128159211123'
const codesOf = (village: string, many: number): string[] => Array.from({ length: many }, (_, at) => village + String(at + 1).padStart(3, '0'))
const roster = ['1101012001', '1101012002', '1102012001', '7501012001'].flatMap((village) => codesOf(village, 40))
const stationsOf = (strata: readonly Stratum[], from = roster, by = seed): string[] => drawFrom(by, from, strata, sha256).map(({ station }) => station)

test('a shell draws the same: sha256sum, sort, head', () => {
  const shell = (codes: readonly string[], draw: number): string[] => execFileSync('sh', ['-c', `while read code; do printf '%s %s\\n' "$(printf '%s,%s' "$0" "$code" | sha256sum | cut -c1-64)" "$code"; done | LC_ALL=C sort | head -n "$1"`, seed, String(draw)], { input: `${codes.join('\n')}\n`, encoding: 'utf8' }).trim().split('\n')
  const some = roster.slice(0, 60)
  assert.deepEqual(drawFrom(seed, some, [{ area: '', draw: 7 }], sha256).map(({ station, ticket }) => `${ticketText(ticket)} ${station}`), shell(some, 7))
  assert.deepEqual(stationsOf([{ area: '1101', draw: 3 }, { area: '7501', draw: 4 }]), [['1101', 3], ['7501', 4]].flatMap(([area, draw]) => shell(roster.filter((code) => code.startsWith(area as string)), draw as number)).map((line) => line.slice(65)))
  assert.equal(hexOf(rosterHash(roster, sha256)), execFileSync('sh', ['-c', 'sha256sum | cut -c1-64'], { input: roster.map((code) => `${code}\n`).join(''), encoding: 'utf8' }).trim())
})

test('drawing more adds to what was drawn; stations that come or go move no other; the order of nothing matters', () => {
  fc.assert(fc.property(fc.stringMatching(/^[0-9]{20}$/), fc.integer({ min: 1, max: 150 }), fc.integer({ min: 0, max: 60 }), fc.subarray(roster, { minLength: 1 }), (by, draw, more, some) => {
    const [few, many] = [stationsOf([{ area: '', draw }], roster, by), stationsOf([{ area: '', draw: draw + more }], roster, by)]
    assert.deepEqual(many.slice(0, few.length), few)
    const left = new Set(some)
    // of those that are left, the ones that were drawn are drawn first
    assert.deepEqual(stationsOf([{ area: '', draw: some.length }], some, by).slice(0, few.filter((code) => left.has(code)).length), few.filter((code) => left.has(code)))
  }), runs)
})

test('a large roster is drawn as a slow twin draws it, whatever is kept on the way', () => {
  const large = Array.from({ length: 30 }, (_, at) => `75010120${String(at).padStart(2, '0')}`).flatMap((village) => codesOf(village, 100))
  const slow = large.map((station) => [ticketText(sha256(Buffer.from(`${seed},${station}`))), station]).sort().map(([, station]) => station)
  for (const draw of [1, 50, 700, 3_000, 5_000]) assert.deepEqual(stationsOf([{ area: '', draw }], large), slow.slice(0, draw))
})

test('every station is drawn as often as any other: 2,000 throws, 1 of 20 each, by chi-squared', () => {
  const few = roster.slice(0, 20)
  const counts = new Map(few.map((code) => [code, 0]))
  for (let nth = 0; nth < 2_000; nth++) for (const code of stationsOf([{ area: '', draw: 1 }], few, String(nth).padStart(20, '7'))) counts.set(code, (counts.get(code) ?? 0) + 1)
  const chi = [...counts.values()].reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0)
  // 19 degrees of freedom: above 43.8 once in a thousand
  assert.ok(chi < 43.8, `chi-squared is ${chi}`)
})

test('a seed is digits of dice; strata do not overlap; areas are counted', () => {
  const faultOf = (text: string): string => {
    const read = readSeed(text)
    return read.ok ? read.value : read.error
  }
  assert.equal(faultOf(' 20237 33112\n81592 11123 '), seed)
  assert.deepEqual(['2023733112815921112', '2023733112815921112x', '2'.repeat(20), '12'.repeat(10), `${'1234567890'.repeat(10)}1`, ''].map(faultOf), ['seed_short', 'seed_form', 'seed_alike', 'seed_alike', 'seed_long', 'seed_short'])
  assert.equal(strataFault([{ area: '1101', draw: 1 }, { area: '1102', draw: 1 }, { area: '12', draw: 9_998 }]), null)
  for (const [strata, fault] of [[[], 'strata_form'], [[{ area: '1', draw: 1 }], 'strata_form'], [[{ area: '11', draw: 1.5 }], 'strata_form'], [[{ area: '11', draw: 10_001 }], 'strata_form'], [[{ area: '11', draw: 1 }, { area: '1101', draw: 1 }], 'strata_order'], [[{ area: '11', draw: 1 }, { area: '11', draw: 1 }], 'strata_order'], [[{ area: '', draw: 1 }, { area: '11', draw: 1 }], 'strata_order']] as const)
    assert.equal(strataFault(strata), fault)
  assert.deepEqual(['', '11', '1101', '1101012002', '99', '75'].map((area) => populationOf(roster, area)), [160, 120, 80, 40, 0, 40])
  assert.equal(stationsOf([{ area: '1102', draw: 50 }]).length, 40)
})

test('two draws ask the same where they share a contest and an area', () => {
  const scope = (contests: string[], ...areas: string[]) => ({ contests, strata: areas.map((area) => ({ area, draw: 1 })) })
  assert.ok(isSameScope(scope(['ppwp'], '11', '12'), scope(['ppwp', 'dpd'], '1201')))
  assert.ok(isSameScope(scope(['ppwp'], ''), scope(['ppwp'], '1201')))
  assert.ok(!isSameScope(scope(['ppwp'], '11'), scope(['dpd'], '11')))
  assert.ok(!isSameScope(scope(['ppwp'], '11'), scope(['ppwp'], '12', '75')))
})
