import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameOf, organisationOf } from './claims.ts'

const groups = { organisationClaim: 'groups', organisations: { '/noc/telkomsel': 'telkomsel', '/noc/tsel-lama': 'telkomsel', '/noc/indosat': 'indosat' } }
const domains = { organisationClaim: 'email', organisations: { 'kpu.go.id': 'kpu' } }

test('a claim names the organisation: a text, a list, two that mean the same; what is not listed is nobody\'s', () => {
  for (const [said, expected] of [
    ['/noc/telkomsel', 'telkomsel'], [['/staf', '/noc/indosat'], 'indosat'], [['/noc/telkomsel', '/noc/tsel-lama'], 'telkomsel'], [['/noc/telkomsel', '/noc/indosat'], 'several_organisations'],
    ['/NOC/telkomsel', 'no_organisation'], ['constructor', 'no_organisation'], ['__proto__', 'no_organisation'], [7, 'no_organisation'], [null, 'no_organisation'], [[], 'no_organisation'], [{ 0: '/noc/telkomsel' }, 'no_organisation'], [undefined, 'no_organisation'],
  ] as const) {
    const found = organisationOf(groups, { groups: said })
    assert.equal(found.ok ? found.value : found.error, expected, JSON.stringify(said))
  }
})

test('of an address the domain counts, as a whole and only where it is verified', () => {
  const of = (email: unknown, email_verified?: unknown): string => {
    const found = organisationOf(domains, { email, email_verified })
    return found.ok ? found.value : found.error
  }
  assert.deepEqual([of('ani@kpu.go.id', true), of('ANI@KPU.GO.ID', true), of('"a@b"@kpu.go.id', true)], ['kpu', 'kpu', 'kpu'])
  assert.deepEqual([of('ani@kpu.go.id'), of('ani@kpu.go.id', false), of('ani@kpu.go.id', 'true')], ['email_not_verified', 'email_not_verified', 'email_not_verified'])
  assert.deepEqual([of('ani@mail.kpu.go.id', true), of('ani@kpu.go.id.example', true), of('kpu.go.id@example', true), of(undefined, true)], ['no_organisation', 'no_organisation', 'no_organisation', 'no_organisation'])
})

test('a provider of one organisation vouches for all of its people', () => {
  assert.deepEqual(organisationOf({ organisation: 'telkomsel' }, {}), { ok: true, value: 'telkomsel' })
})

test('somebody is called by his name, else by what comes nearest', () => {
  assert.deepEqual([nameOf({ name: ' Ani ', sub: '1' }), nameOf({ name: '', preferred_username: 'ani', sub: '1' }), nameOf({ sub: '1' }), nameOf({ name: 'Ani', nickname: 'An', sub: '1' }, 'nickname'), nameOf({ name: 'x'.repeat(500) }).length], ['Ani', 'ani', '1', 'An', 100])
})
