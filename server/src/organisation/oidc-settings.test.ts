import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { OidcRefused, readOidcSettings } from './oidc-settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'kawal-oidc-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const one = { id: 'noc', label: 'SSO NOC', issuer: 'https://sso.example/realms/noc', clientId: 'kawal', organisation: 'telkomsel' }
const read = (...providers: object[]): ReturnType<typeof readOidcSettings> => readOidcSettings(JSON.stringify({ providers }))

test('a provider as it is given, with its secret from a file', () => {
  writeFileSync(join(folder, 'secret'), 'rahasia\n')
  assert.deepEqual(read(one), [{ ...one, clientSecret: null }])
  assert.equal(read({ ...one, clientSecretFile: join(folder, 'secret') })[0]?.clientSecret, 'rahasia')
  assert.equal(read({ ...one, issuer: 'http://127.0.0.1:9000' }, { ...one, id: 'kpu', organisation: 'kpu' }).length, 2)
})

test('what does not fit says what, where, and how to mend it', () => {
  writeFileSync(join(folder, 'empty'), '\n')
  const { organisation: _, ...nobodys } = one
  for (const [given, said] of [
    ['{', /not JSON.*docs\/operating\/log-in\.md/], ['{}', /\/ lacks providers/], [JSON.stringify({ providers: [] }), /providers/], [[{ ...one, issuer: undefined }], /\/providers\/0 lacks issuer/], [[{ ...one, secret: 'x' }], /has no field secret/],
    [[{ ...one, issuer: 'sso.example' }], /issuer is no address/], [[{ ...one, issuer: 'http://sso.example' }], /give one with https/], [[{ ...one, issuer: 'http://127.0.0.1.evil.example' }], /give one with https/], [[{ ...one, issuer: 'https://sso.example?x=1' }], /query or a fragment/],
    [[{ ...one, clientSecret: 'a', clientSecretFile: 'b' }], /Leave one out/], [[{ ...one, clientSecretFile: join(folder, 'nowhere') }], /clientSecretFile cannot be read/], [[{ ...one, clientSecretFile: join(folder, 'empty') }], /is empty/],
    [[nobodys], /whose people they are/], [[{ ...nobodys, organisationClaim: 'groups' }], /whose people they are/], [[{ ...one, organisationClaim: 'groups', organisations: { a: 'kpu' } }], /Leave organisation out/], [[{ ...one, organisation: 'kawal' }], /the platform itself/],
    [[{ ...nobodys, organisationClaim: 'groups', organisations: { a: 'kawal' } }], /the platform itself/], [[{ ...nobodys, organisationClaim: 'email', organisations: { '@KPU.go.id': 'kpu' } }], /is no domain/], [[one, one], /noc is there twice/], [[{ ...one, id: 'SSO NOC' }], /\/providers\/0\/id/],
  ] as const) assert.throws(() => readOidcSettings(typeof given === 'string' ? given : JSON.stringify({ providers: given })), (error: Error) => error instanceof OidcRefused && said.test(error.message), JSON.stringify(given))
})
