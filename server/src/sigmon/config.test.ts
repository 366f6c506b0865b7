import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { Compile } from 'typebox/compile'
import { SigmonConfig, VerifyingKeys } from '@kawal/contract/sigmon.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { withServer } from '@kawal/testkit/server.ts'
import { migrate } from '../adapters/postgres/database.ts'
import { createConfig } from './config.ts'
import { readSettings, settingsDefaults, SettingsRefused, type SigmonSettings } from './settings.ts'
import { readSigner } from './signing.ts'

const day_ms = 86_400_000
let kit: TestDatabase
let clock = Date.UTC(2029, 1, 1, 9)
/** What a version is at least: seconds since 2026. */
const seconds = (): number => Math.floor((clock - Date.UTC(2026, 0, 1)) / 1_000)
before(async () => {
  kit = await withDatabase()
})
after(() => kit.close())

const started = async (settings: SigmonSettings = settingsDefaults): Promise<ReturnType<typeof createConfig>> =>
  createConfig({ database: kit.database, signer: await readSigner(kit.database), settings, targets: { internet: null, election: 'https://kpu.example/ok' }, ledgerKey: null, clock: () => clock })
const payloadOf = (jws: string): SigmonConfig => JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()) as SigmonConfig
const shown = async (config: ReturnType<typeof createConfig>): Promise<[number, number, string]> => {
  const { jws, etag } = await config.current()
  const { version, intervalS } = payloadOf(jws)
  return [version, intervalS, etag]
}

test('over HTTP: a JWS that WebCrypto verifies with the published key, and a 304 for who has it', async (t) => {
  const server = await withServer(() => clock, async ({ ownerUrl }) => {
    const owner = new pg.Client({ connectionString: ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
    await owner.end()
  })
  t.after(() => server.close())
  const keys = await (await fetch(`${server.app.url}/v1/sigmon/keys`)).json() as VerifyingKeys
  assert.ok(Compile(VerifyingKeys).Check(keys))
  const answer = await fetch(`${server.app.url}/v1/sigmon/config`)
  assert.equal(answer.headers.get('content-type'), 'application/jose')
  const jws = await answer.text()
  const [header = '', payload = '', signature = ''] = jws.split('.')
  const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as Record<string, string>
  assert.deepEqual([alg, kid], ['ES256', keys.keys[0]?.kid])
  const key = await webcrypto.subtle.importKey('jwk', { kty: 'EC', crv: 'P-256', x: keys.keys[0]?.x ?? '', y: keys.keys[0]?.y ?? '' }, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
  const verified = (text: string): Promise<boolean> => webcrypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, Buffer.from(signature, 'base64url'), Buffer.from(text))
  assert.equal(await verified(`${header}.${payload}`), true)
  const forged = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('"intervalS":300', '"intervalS":30')).toString('base64url')
  assert.equal(await verified(`${header}.${forged}`), false)
  const config = payloadOf(jws)
  assert.ok(Compile(SigmonConfig).Check(config), JSON.stringify(Compile(SigmonConfig).Errors(config).slice(0, 3)))
  assert.deepEqual([config.version, config.intervalS, config.keys, Date.parse(config.validUntil) - Date.parse(config.issuedAt)], [seconds(), 300, keys.keys, 7 * day_ms])
  const again = await fetch(`${server.app.url}/v1/sigmon/config`, { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } })
  assert.deepEqual([again.status, await again.text()], [304, ''])
})

test('within a day the version rises with the content alone, and never goes back, whoever starts with what', async () => {
  const [first, other] = [await started(), await started({ ...settingsDefaults, intervalS: 600 })]
  const [one] = await shown(first)
  assert.deepEqual((await shown(await started()))[0], one, 'a restart with the same settings')
  assert.deepEqual((await shown(other)).slice(0, 2), [one + 1, 600])
  const back = await started()
  assert.deepEqual((await shown(back)).slice(0, 2), [one + 2, 300])
  const same = await Promise.all(Array.from({ length: 5 }, () => back.current()))
  assert.equal(new Set(same.map(({ jws }) => jws)).size, 1)
  for (let round = 1; round <= 10; round++) {
    const servers = await Promise.all(Array.from({ length: 5 }, () => started({ ...settingsDefaults, intervalS: 900 + round })))
    assert.deepEqual(await Promise.all(servers.map(async (server) => (await shown(server))[0])), Array.from({ length: 5 }, () => one + 2 + round), 'five servers that start at once with one new content')
  }
})

test('each day it is issued anew under a higher version; its tag is the same after a restart', async () => {
  const config = await started({ ...settingsDefaults, spreadS: 5 })
  const [version, , etag] = await shown(config)
  clock += 3_600_000
  assert.equal((await shown(await started({ ...settingsDefaults, spreadS: 5 })))[2], etag)
  clock += day_ms
  const [next, , tag] = await shown(config)
  assert.deepEqual([next, tag === etag, (await shown(await started({ ...settingsDefaults, spreadS: 5 })))[2] === tag], [seconds(), false, true])
  assert.ok(next > version)
  const { issuedAt, validUntil } = payloadOf((await config.current()).jws)
  assert.ok(Date.parse(issuedAt) <= clock && Date.parse(validUntil) > clock + 6 * day_ms)
})

test('a database restored from an older copy issues higher versions than phones hold: at the next change, or the next day', async () => {
  const settings = (spreadS: number): SigmonSettings => ({ ...settingsDefaults, spreadS })
  await shown(await started(settings(300)))
  const copy = (await kit.database.pool.query<{ version: number }>('SELECT max(version) AS version FROM sigmon_config')).rows[0]?.version ?? 0
  const restore = async (): Promise<void> => {
    const owner = new pg.Client({ connectionString: kit.ownerUrl })
    await owner.connect()
    await owner.query('DELETE FROM sigmon_config WHERE version > $1', [copy]).finally(() => owner.end())
  }
  let held = 0
  for (let changes = 1; changes <= 40; changes++) {
    clock += 60_000
    held = (await shown(await started(settings(300 + changes))))[0]
  }
  await restore()
  clock += 60_000
  assert.ok((await shown(await started(settings(7))))[0] > held, 'another content than the copy has')
  await restore()
  assert.equal((await shown(await started(settings(300))))[0], copy, 'the content of the copy cannot be told from what was issued before')
  clock += day_ms
  assert.ok((await shown(await started(settings(300))))[0] > held)
})

test('under load phones are asked to report less often, in steps and up to an hour; afterwards as before', async () => {
  const config = await started()
  const [version] = await shown(config)
  const intervals: number[] = []
  for (const load of [1.9, 2, 3.7, 7, 100, 1, 0]) {
    config.steer(load)
    intervals.push((await shown(config))[1])
  }
  assert.deepEqual(intervals, [300, 600, 600, 1200, 2400, 300, 300])
  assert.equal((await shown(config))[0], version + 4)
})

test('settings replace the defaults one by one; what is wrong is told with its field and what it takes', () => {
  const settings = readSettings('{"intervalS": 120, "probes": {"routine": 2}, "helpLines": [{"name": "KPU Boalemo", "kind": "whatsapp", "number": "+62435123456"}], "forms": [{"contest": "ppwp", "version": "1", "title": "Presiden", "votersMax": 300, "pages": 3}]}')
  assert.deepEqual([settings.intervalS, settings.probes, settings.budget.dailyBytes, settings.forms[0]?.pages], [120, { ...settingsDefaults.probes, routine: 2 }, 5_000_000, 3])
  const refusals: [string, RegExp][] = [
    ['{', /not JSON/], ['[]', /one JSON object/], ['{"interval": 5}', /no setting interval\. There are: intervalS, /], ['{"probes": {"rutin": 2}}', /no setting probes\.rutin\. In probes there are: routine, /],
    ['{"intervalS": 5}', /intervalS .*: 5\. It takes integer from 30 to 3600 \(how often/], ['{"budget": {"checkUpBytes": 80000}}', /budget\.checkUpBytes .*80000.* to 75000/],
    ['{"helpLines": [{"name": "a", "kind": "fax", "number": "123"}]}', /helpLines\.0\.kind .*out of tel, sms, whatsapp/], ['{"helpLines": [{"name": "a", "kind": "tel", "number": "call me"}]}', /helpLines\.0\.number .*of the form/],
    ['{"probes": 3}', /probes .*: 3\. It takes object with routine, check/], ['{"targets": {}}', /--election/], ['{"forms": [{}]}', /forms\.0 .*contest/],
  ]
  for (const [text, wanted] of refusals) assert.throws(() => readSettings(text), (error) => error instanceof SettingsRefused && wanted.test(error.message), `${text} -> ${String(wanted)}: ${(() => { try { return JSON.stringify(readSettings(text)) } catch (error) { return (error as Error).message } })()}`)
})

test('migrating again makes no second key, and two at once agree on one', async () => {
  const keys = async (): Promise<string[]> => (await kit.database.pool.query<{ kid: string }>('SELECT kid FROM sigmon_key')).rows.map((row) => row.kid)
  const before = await keys()
  await Promise.all([migrate(kit.ownerUrl, 'test'), migrate(kit.ownerUrl, 'test')])
  assert.deepEqual([before.length, await keys()], [1, before])
  await assert.rejects(kit.database.pool.query("INSERT INTO sigmon_key VALUES ('0000000000000000', '', false, now())"), /permission denied/)
})
