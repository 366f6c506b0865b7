import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { joinPackFile, keyId, makePatch, packVersion } from '@kawal/contract/pack.ts'
import type { Pack, PackStation, SigmonConfig } from '@kawal/contract/sigmon.ts'
import { unconfigured } from './src/measuring.ts'
import { createPacks, type Packs, type PackShelf } from './src/pack.ts'
import { createTrust, sha256With, type Shelf, type Trust } from './src/trust.ts'

const sha256 = sha256With(crypto)

interface Signer { readonly key: { kid: string; x: string; y: string }; sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> }

async function signer(): Promise<Signer> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  const kid = await keyId({ x, y }, sha256)
  return { key: { kid, x, y }, sign: async (bytes) => new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, bytes)) }
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
async function jws(by: Signer, payload: unknown, header: object = { alg: 'ES256', kid: by.key.kid }): Promise<string> {
  const text = `${part(header)}.${part(payload)}`
  return `${text}.${Buffer.from(await by.sign(new TextEncoder().encode(text))).toString('base64url')}`
}
const configOf = (by: Signer, version: number, more: Partial<SigmonConfig> = {}): SigmonConfig => ({ ...unconfigured, version, issuedAt: '2029-02-13T00:00:00.000Z', validUntil: '2029-02-20T00:00:00.000Z', keys: [by.key], ...more })

/** What the platform answers by path; what is not there does not answer. */
interface Line { readonly answers: Map<string, (bearer: string | null) => Response>; readonly asked: string[]; readonly trust: Trust; readonly packs: Packs; readonly kept: Map<string, unknown>; now: number; token: string | null }

async function line(letterKey: string | null = null, kept = new Map<string, unknown>()): Promise<Line> {
  const answers: Line['answers'] = new Map()
  const asked: string[] = []
  const reach = {
    fetch: (path: string, init?: RequestInit) => {
      asked.push(path)
      const answer = answers.get(path)
      return answer === undefined ? Promise.reject(new TypeError('no answer')) : Promise.resolve(answer(new Headers(init?.headers).get('authorization')))
    },
    setTimer: () => 0, clearTimer: () => undefined,
  }
  const shelf: Shelf = { read: <T>(key: string) => Promise.resolve(kept.get(key) as T | undefined), write: (entries) => Promise.resolve(Object.entries(entries).forEach(([key, value]) => kept.set(key, value))) }
  const packShelf: PackShelf = { read: (district) => Promise.resolve(kept.get(district) as Awaited<ReturnType<PackShelf['read']>>), write: (held) => Promise.resolve(void kept.set(held.district, held)) }
  const trust = await createTrust({ reach, crypto, shelf, letterKey })
  const made: Line = { answers, asked, trust, kept, now: Date.parse('2029-02-12T00:00:00.000Z'), token: null, packs: createPacks({ reach, trust, sha256, shelf: packShelf, clock: () => made.now, token: () => made.token }) }
  return made
}
const told = (of: Line, by: Signer): void => void of.answers.set('/v1/sigmon/keys', () => Response.json({ keys: [by.key] }))
const says = (of: Line, text: string, etag = '"1"'): void => void of.answers.set('/v1/sigmon/config', () => new Response(text, { headers: { etag } }))

test('the key of the first sight signs the configuration; what another signs is refused, and what is held stays', async () => {
  const [ours, other] = [await signer(), await signer()]
  const phone = await line()
  told(phone, ours)
  says(phone, await jws(ours, configOf(ours, 3, { intervalS: 120 })))
  assert.equal(await phone.trust.refresh(), 'changed')
  assert.equal(phone.trust.config()?.intervalS, 120)
  // From here on another key may say what it likes of itself.
  told(phone, other)
  const forged: Record<string, string> = {
    'another key': await jws(other, configOf(other, 4)), 'another key under our name': await jws(other, configOf(ours, 4), { alg: 'ES256', kid: ours.key.kid }),
    'no algorithm': `${part({ alg: 'none', kid: ours.key.kid })}.${part(configOf(ours, 4))}.`, 'an algorithm of its own': await jws(ours, configOf(ours, 4), { alg: 'HS256', kid: ours.key.kid }),
    'a critical header that is not known': await jws(ours, configOf(ours, 4), { alg: 'ES256', kid: ours.key.kid, crit: ['exp'] }),
    'a page of a portal': '<html>Masuk</html>', 'a changed payload': (await jws(ours, configOf(ours, 4))).replace(/\.[^.]+\./, `.${part(configOf(ours, 5))}.`),
    'an interval of one second': await jws(ours, configOf(ours, 4, { intervalS: 1 })), 'a fifth of a field': await jws(ours, { version: 4 }),
  }
  for (const [name, text] of Object.entries(forged)) {
    says(phone, text)
    assert.equal(await phone.trust.refresh(), 'refused', name)
    assert.equal(phone.trust.config()?.version, 3, name)
  }
})

test('a version never goes back, nor does an issue of the same; after a restart neither; a new issue renews', async () => {
  const ours = await signer()
  const phone = await line()
  told(phone, ours)
  says(phone, await jws(ours, configOf(ours, 7)))
  assert.equal(await phone.trust.refresh(), 'changed')
  const again = await line(null, phone.kept)
  for (const old of [configOf(ours, 6), configOf(ours, 7, { issuedAt: '2029-02-12T00:00:00.000Z' })]) {
    says(again, await jws(ours, old))
    assert.equal(await again.trust.refresh(), 'refused')
  }
  says(again, await jws(ours, configOf(ours, 7, { issuedAt: '2029-02-14T00:00:00.000Z', validUntil: '2029-02-21T00:00:00.000Z' })))
  assert.equal(await again.trust.refresh(), 'same')
  assert.equal(again.trust.config()?.validUntil, '2029-02-21T00:00:00.000Z')
  again.answers.set('/v1/sigmon/config', () => new Response(null, { status: 304 }))
  assert.equal(await again.trust.refresh(), 'same')
  again.answers.delete('/v1/sigmon/config')
  assert.equal(await again.trust.refresh(), 'unanswered')
  assert.equal(again.trust.config()?.version, 7)
})

test('keys follow the configuration; the letter\'s key is the only one at first sight; a key under a wrong name is none', async () => {
  const [first, second] = [await signer(), await signer()]
  const phone = await line()
  told(phone, first)
  says(phone, await jws(first, configOf(first, 1, { keys: [first.key, second.key] })))
  await phone.trust.refresh()
  says(phone, await jws(second, configOf(second, 2)))
  assert.equal(await phone.trust.refresh(), 'changed')
  says(phone, await jws(first, configOf(first, 3)))
  assert.equal(await phone.trust.refresh(), 'refused', 'the first key is not named any more')

  const letter = await line(second.key.kid)
  told(letter, first)
  says(letter, await jws(first, configOf(first, 1)))
  assert.equal(await letter.trust.refresh(), 'unanswered')
  letter.answers.set('/v1/sigmon/keys', () => Response.json({ keys: [{ ...first.key, kid: second.key.kid }] }))
  assert.equal(await letter.trust.refresh(), 'unanswered')
  letter.answers.set('/v1/sigmon/keys', () => Response.json({ keys: [first.key, second.key] }))
  says(letter, await jws(second, configOf(second, 1)))
  assert.equal(await letter.trust.refresh(), 'changed')
})

test('a platform with new keys is told of after three times, and only a letter that names the key it signs with makes the phone take them', async () => {
  const [ours, fresh, spare] = [await signer(), await signer(), await signer()]
  const phone = await line()
  told(phone, ours)
  says(phone, await jws(ours, configOf(ours, 7, { intervalS: 120 })))
  await phone.trust.refresh()
  // Set up anew: its own keys, and versions from one on.
  told(phone, fresh)
  says(phone, await jws(fresh, configOf(fresh, 1, { intervalS: 60 })))
  const seen: boolean[] = []
  for (let time = 0; time < 4; time++) {
    assert.equal(await phone.trust.refresh(), 'refused')
    seen.push(phone.trust.keysChanged())
  }
  assert.deepEqual([seen, phone.trust.config()?.intervalS], [[false, false, true, true], 120])
  assert.equal((await line(null, phone.kept)).trust.keysChanged(), true, 'a restart does not forget it')

  phone.trust.expect(ours.key.kid)
  assert.equal(await phone.trust.refresh(), 'refused', 'an old letter changes nothing')
  phone.answers.set('/v1/sigmon/keys', () => Response.json({ keys: [fresh.key, spare.key] }))
  phone.trust.expect(spare.key.kid)
  assert.equal(await phone.trust.refresh(), 'refused', 'nor does one that names a key which is only offered')
  says(phone, await jws(ours, configOf(ours, 8)))
  assert.equal(await phone.trust.refresh(), 'changed', 'the first is pinned still')

  says(phone, await jws(fresh, configOf(fresh, 1, { intervalS: 60 })))
  phone.trust.expect(fresh.key.kid)
  await phone.trust.refresh()
  assert.deepEqual([phone.trust.config()?.intervalS, phone.trust.keysChanged()], [60, false])
  const again = await line(ours.key.kid, phone.kept)
  for (const [path, answer] of phone.answers) again.answers.set(path, answer)
  await again.trust.refresh()
  assert.equal(again.trust.config()?.intervalS, 60, 'the link of an old letter is opened once more')
})

test('no new keys are told of for a portal, for one signature under our own name, or for keys that do not agree', async () => {
  const [ours, other] = [await signer(), await signer()]
  const phone = await line()
  told(phone, ours)
  says(phone, await jws(ours, configOf(ours, 7)))
  await phone.trust.refresh()
  const cases = ['<html>Masuk</html>', await jws(other, configOf(ours, 8), { alg: 'ES256', kid: ours.key.kid }), await jws(other, configOf(other, 8))]
  for (const text of cases) {
    says(phone, text)
    for (let time = 0; time < 5; time++) await phone.trust.refresh()
    assert.equal(phone.trust.keysChanged(), false, text.slice(0, 40))
  }
})

const station = (verifier: string, more: Partial<Record<number, unknown>> = {}): PackStation =>
  Object.assign([61_000, 12_290_000, 'fix', 'd', 'ltu', 0, null, verifier, 'AI-2', 30, 10, 62_000, 12_290_000, 1, 'fedcba'], more) as unknown as PackStation
const pack = (madeAt: string, more: Partial<Pack> = {}): Pack => ({
  district: '750101', madeAt,
  head: { name: 'Paguyaman', regency: 'Boalemo', province: 'Gorontalo', zone: 'Asia/Makassar', edition: null, editionOn: null, plan: 1, operators: [['telkomsel', 'Telkomsel'], ['indosat', 'Indosat'], ['xlsmart', 'XLSmart']], helpLines: [{ name: 'PPK', kind: 'tel', number: '+62811' }], forms: [] },
  villages: { 2001: ['Mustika', 60_000, 12_290_000] }, stations: { 2001001: station('abcdef'), 2001002: station('012345', { 0: null, 1: null, 2: null }) },
  access: { 'AI-1': ['ai', 'SD Negeri', 61_000, 12_291_000, true, null, 'buka 06.00', 4], 'AI-2': ['ai', 'Kantor desa', 61_000, 12_300_000, null, null, '', null], 'SAT-1': ['satellite', 'Puskesmas', 261_000, 12_290_000, false, null, '', 4] },
  ...more,
})
async function file(by: Signer, kind: 'pack' | 'delta', content: unknown): Promise<Uint8Array<ArrayBuffer>> {
  const body = new Uint8Array(gzipSync(JSON.stringify(content)))
  return joinPackFile({ kind, kid: by.key.kid, signature: await by.sign(body), body })
}
async function prepared(): Promise<{ ours: Signer; phone: Line; first: Pack; path: string }> {
  const ours = await signer()
  const phone = await line()
  told(phone, ours)
  says(phone, await jws(ours, configOf(ours, 1)))
  await phone.trust.refresh()
  const first = pack('2029-02-10T00:00:00.000Z')
  const bytes = await file(ours, 'pack', first)
  phone.answers.set('/v1/packs/750101', () => new Response(bytes))
  assert.equal(await phone.packs.fetch('750101'), 'changed')
  return { ours, phone, first, path: `/v1/packs/750101?since=${await packVersion(first, sha256)}` }
}

test('a pack tells, without a network, the code of a letter, the own station, and the nearest points', async () => {
  const { phone } = await prepared()
  const away = await line(null, phone.kept)
  assert.equal(await away.packs.open('750101'), true)
  assert.deepEqual(away.asked, [])
  const { packs } = away
  assert.deepEqual([packs.verifiersOf('7501012001001'), packs.verifiersOf('7501012001009'), packs.verifiersOf('7502012001001')], [{ officer: 'abcdef', supervisor: 'fedcba' }, 'station_unknown', null])
  assert.deepEqual(packs.stationOf('7501012001001'), { code: '7501012001001', village: 'Mustika', district: 'Paguyaman', regency: 'Boalemo', province: 'Gorontalo', zone: 'Asia/Makassar', latitude: 0.61, longitude: 122.9 })
  const own = packs.own('7501012001001')
  assert.deepEqual(own?.operators.map(({ word }) => word), ['lemah', 'tidak_ada', 'tanpa_data'])
  assert.deepEqual([own?.best, own?.second, own?.better?.operator], ['Telkomsel', null, 'Indosat'])
  assert.ok(Math.abs((own?.better?.distance_km ?? 0) - 1.112) < 0.001 && own?.better?.bearing_deg === 0)

  const [near, assigned, far] = packs.nearest(null, '7501012001001', 5)
  assert.deepEqual([near?.id, near?.walk_min, near?.assigned], ['AI-1', 22, null], '1.11 km x 1.3 at 4 km/h')
  assert.deepEqual([assigned?.id, assigned?.assigned], ['AI-2', { from_min: 30, for_min: 10 }])
  assert.deepEqual([far?.id, far?.walk_min, far?.working], ['SAT-1', null, false])
  assert.equal(packs.nearest(null, '7501012001002', 1)[0]?.id, 'AI-1', 'a station without a position is where its village is')
  assert.equal(packs.nearest({ latitude: 2.6, longitude: 122.9 }, null, 1)[0]?.id, 'SAT-1')
})

test('a change is applied; one that does not lead where it says brings the whole pack', async () => {
  const { ours, phone, first, path } = await prepared()
  const next = pack('2029-02-11T00:00:00.000Z', { access: { 'AI-1': ['ai', 'SD Negeri', 61_000, 12_291_000, false, '2029-02-11T00:00:00.000Z', 'rusak', 4] } })
  const content = ({ madeAt: _, ...rest }: Pack): object => rest
  const delta = { district: '750101', from: await packVersion(first, sha256), to: await packVersion(next, sha256), madeAt: next.madeAt, patch: makePatch(content(first), content(next)) }
  const bytes = await file(ours, 'delta', delta)
  phone.answers.set(path, () => new Response(bytes))
  assert.equal(await phone.packs.fetch('750101'), 'changed')
  assert.deepEqual(phone.packs.nearest(null, '7501012001001', 5).map(({ id, working }) => [id, working]), [['AI-1', false]])

  const third = pack('2029-02-12T00:00:00.000Z', { villages: {} })
  const wrong = await file(ours, 'delta', { ...delta, from: delta.to, to: await packVersion(third, sha256), madeAt: third.madeAt, patch: { villages: { 2001: ['Lain', null, null] } } })
  const whole = await file(ours, 'pack', third)
  phone.answers.set(`/v1/packs/750101?since=${delta.to}`, () => new Response(wrong))
  phone.answers.set('/v1/packs/750101', () => new Response(whole))
  assert.equal(await phone.packs.fetch('750101'), 'changed')
  assert.equal(phone.packs.state(0)?.version, await packVersion(third, sha256))
})

test('a pack that is forged, broken, of another district or older than the one held is refused', async () => {
  const { ours, phone, first, path } = await prepared()
  const other = await signer()
  const newer = pack('2029-02-12T00:00:00.000Z', { villages: {} })
  const good = await file(ours, 'pack', newer)
  const flipped = good.slice()
  flipped[good.length - 9] = (flipped[good.length - 9] ?? 0) ^ 1
  const cases: Record<string, Uint8Array<ArrayBuffer>> = {
    'another key': await file(other, 'pack', newer), 'one bit': flipped, 'cut short': good.slice(0, -20), 'a page': new TextEncoder().encode('<html>'.repeat(30)),
    'another district': await file(ours, 'pack', { ...newer, district: '750102' }), older: await file(ours, 'pack', pack('2029-02-01T00:00:00.000Z', { villages: {} })), 'no pack': await file(ours, 'pack', { district: '750101' }),
  }
  for (const [name, bytes] of Object.entries(cases)) {
    for (const at of [path, '/v1/packs/750101']) phone.answers.set(at, () => new Response(bytes))
    assert.equal(await phone.packs.fetch('750101'), 'refused', name)
    assert.equal(phone.packs.state(0)?.version, await packVersion(first, sha256), name)
  }
})

test('the open pack says nothing of operators; with a token the whole one comes, whenever each was made; words that are missing are said to be', async () => {
  const { ours, phone } = await prepared()
  const bare = { 4: '', 5: null, 6: null, 13: null }
  const open = pack('2029-02-12T00:00:00.000Z', { stations: { 2001001: station('abcdef', bare), 2001002: station('012345', { ...bare, 0: null, 1: null, 2: null }) } })
  const whole = pack('2029-02-11T00:00:00.000Z')
  const [openFile, wholeFile] = [await file(ours, 'pack', open), await file(ours, 'pack', whole)]
  const officer = await line(null, new Map([...phone.kept].filter(([name]) => name !== '750101')))
  const serve = (bearer: string | null): Response => new Response(bearer === 'Bearer t' ? wholeFile : openFile)
  officer.answers.set('/v1/packs/750101', serve)
  officer.answers.set(`/v1/packs/750101?since=${await packVersion(open, sha256)}`, serve)
  assert.equal(await officer.packs.fetch('750101'), 'changed')
  const own = officer.packs.own('7501012001001')
  assert.deepEqual([own?.open, own?.operators.map(({ word }) => word), own?.best, own?.readiness], [true, ['tanpa_data', 'tanpa_data', 'tanpa_data'], null, 'd'])
  officer.token = 't'
  assert.equal(await officer.packs.fetch('750101'), 'changed', 'the whole one is older, and no step back')
  const known = officer.packs.own('7501012001001')
  assert.deepEqual([known?.open, known?.best], [false, 'Telkomsel'])
  const old = await file(ours, 'pack', pack('2029-02-10T12:00:00.000Z', { villages: {} }))
  for (const path of ['/v1/packs/750101', `/v1/packs/750101?since=${await packVersion(whole, sha256)}`]) officer.answers.set(path, () => new Response(old))
  assert.equal(await officer.packs.fetch('750101'), 'refused', 'of its own kind it is')
})

test('a pack is old a week after the platform last said that it is the present one', async () => {
  const { phone, path } = await prepared()
  const stale = (days: number): boolean | undefined => phone.packs.state(phone.now + days * 86_400_000)?.stale
  assert.deepEqual([stale(6), stale(8)], [false, true])
  phone.now += 8 * 86_400_000
  assert.equal(await phone.packs.fetch('750101'), 'unanswered')
  assert.equal(stale(0), true)
  phone.answers.set(path, () => new Response(null, { status: 304 }))
  assert.equal(await phone.packs.fetch('750101'), 'same')
  assert.equal(stale(6), false)
  assert.equal((await line(null, phone.kept).then(async (away) => (await away.packs.open('750101'), away.packs.state(phone.now))))?.stale, false)
})
