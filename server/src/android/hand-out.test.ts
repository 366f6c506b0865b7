import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fastify from 'fastify'
import { Value } from 'typebox/value'
import { AndroidPublished } from '@kawal/contract/android.ts'
import { packageSigner, signedPackage, unsignedPackage, type MadePackage } from '@kawal/testkit/android-package.ts'
import { seedRecaps } from '@kawal/testkit/recap-phone.ts'
import { scratch } from '@kawal/testkit/scratch.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { connect, migrate } from '../adapters/postgres/database.ts'
import { audited } from '../cli/audited.ts'
import { answerProblems } from '../problem.ts'
import { readPackage } from './package.ts'
import { rangeOf } from './range.ts'
import { androidHandOut } from './routes.ts'
import { listPublished, mayFollow, publish as store } from './store.ts'

let now = Date.UTC(2029, 0, 14, 2)
const folder = scratch('android')
const at = (name: string): string => join(folder, name)
const signer = packageSigner()
const made = (versionCode: number, more: MadePackage = {}, by = signer): Buffer => signedPackage(by, { versionCode, versionName: `0.${versionCode}`, permissions: ['android.permission.INTERNET', 'android.permission.CAMERA'], ...more })

let server: TestServer
/** What another server on the same database hands out. */
let second: { readonly url: string; stop(): Promise<void> }
before(async () => {
  server = await withServer(() => now, seedRecaps, { acts: { folder: at('acts'), origin: 'kawal.example/acts', startedBy: 'root' }, publicUrl: 'https://kawal.example' })
  const database = connect(server.kit.ownerUrl, 'test')
  const app = fastify()
  answerProblems(app)
  androidHandOut({ database, publicUrl: undefined }).routes(app)
  second = { url: await app.listen({ host: '127.0.0.1', port: 0 }), stop: () => app.close().then(() => database.end()) }
})
after(async () => {
  await second.stop()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Signed once: a signature by ECDSA is another each time. */
const one = made(1)

/** The command as an operator runs it, beside the running servers. */
async function kawal(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../cli/kawal.ts'), ...args], { env: { ...process.env, DATABASE_URL: server.kit.ownerUrl } })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  // A command gives the application the password that follows from the owner's; the server of this test came with another.
  await migrate(server.kit.ownerUrl, 'test')
  return { code, out, err }
}
async function publish(bytes: Buffer, ...options: string[]): Promise<{ code: number | null; out: string; err: string }> {
  writeFileSync(at('sigmon.apk'), bytes)
  return kawal('android', 'publish', at('sigmon.apk'), ...options)
}
const asked = (path: string, headers: Record<string, string> = {}, of: { readonly url: string } = server.app): Promise<Response> => fetch(of.url + path, { headers, redirect: 'manual' })
async function turned(): Promise<void> {
  now += 3_000
  await server.app.tick(now)
  await server.app.actsIdle()
}

test('nothing is handed out until somebody publishes', async () => {
  for (const path of ['/v1/android', '/android/sigmon.apk', '/android/sigmon-1.apk', '/.well-known/assetlinks.json']) assert.deepEqual([(await asked(path)).status, ((await (await asked(path)).json()) as { code: string }).code], [404, 'not_found'], path)
  const page = await (await asked('/android/')).text()
  assert.match(page, /belum membagikan aplikasi Android[^]*href="\/sigmon\/"/)
  assert.ok(!page.includes('.apk'))
  assert.match((await kawal('android', 'list')).out, /No package was published/)
  assert.match((await kawal('verify', 'android', at('none.apk'), `${server.app.url}/acts`)).err, /none\.apk cannot be read/)
})

test('a package that may not be is refused with what is wrong, and nothing is published', async () => {
  const refused = async (bytes: Buffer, code: number, why: RegExp): Promise<void> => {
    const done = await publish(bytes)
    assert.equal(done.code, code, done.err)
    assert.match(done.err, why)
  }
  await refused(unsignedPackage(), 3, /not signed/)
  await refused(made(1, { permissions: ['android.permission.READ_PHONE_STATE'] }), 3, /is not handed out\. The package asks for android\.permission\.READ_PHONE_STATE/)
  for (const args of [['publish'], ['withdraw', 'x'], ['hide']]) assert.equal((await kawal('android', ...args)).code, 2, args.join())
  assert.match((await publish(made(1), '--dry-run')).out, /^Would publish kawal\.sinyal\.sigmon 0\.1 \(versionCode 1\)/)
  assert.equal((await asked('/v1/android')).status, 404)
})

test('a published package is at every server at once, and its hash in the log of acts', async () => {
  const done = await publish(one)
  assert.equal(done.code, 0, done.err)
  assert.match(done.out, /Published kawal\.sinyal\.sigmon 0\.1[^]*asks for {5}CAMERA, INTERNET/)
  const first = await asked('/v1/android')
  const told = await first.json() as AndroidPublished
  assert.ok(Value.Check(AndroidPublished, told))
  assert.deepEqual([told.versionCode, told.versionName, told.bytes, told.minSdk, told.leaf, told.url], [1, '0.1', one.length, 24, null, '/android/sigmon.apk'])
  assert.equal((await asked('/v1/android', { 'if-none-match': first.headers.get('etag') ?? '' })).status, 304)
  await turned()
  const later = await asked('/v1/android', { 'if-none-match': first.headers.get('etag') ?? '' }, second)
  assert.equal(later.status, 200, 'where it is in the log is news')
  const { leaf } = await later.json() as AndroidPublished
  assert.ok(leaf !== null)

  const key = (await (await asked('/acts/key')).text()).trim()
  const found = await kawal('verify', 'android', at('sigmon.apk'), `${server.app.url}/acts`, '--key', key)
  assert.equal(found.code, 0, found.err)
  assert.match(found.out, new RegExp(`SHA-256 {6}${told.sha256}[^]*It was published .*Z, entry ${leaf} of kawal\\.example/acts`))
  const rows = await server.call<{ rows: { path: string; facts: object | null; status: number }[] }>('bawaslu', 'GET', '/v1/audit')
  const act = rows.body.rows.find(({ path }) => path.startsWith('android publish'))
  assert.deepEqual([act?.status, act?.facts], [0, { sha256: told.sha256, versionCode: 1, versionName: '0.1', certificate: told.certificate, package: 'kawal.sinyal.sigmon', permissions: ['android.permission.CAMERA', 'android.permission.INTERNET'], bytes: one.length, newKey: false }])

  writeFileSync(at('other.apk'), made(1, { permissions: [] }))
  const other = await kawal('verify', 'android', at('other.apk'), `${server.app.url}/acts`, '--key', key)
  assert.deepEqual([other.code, /does not say that this file was ever published\. Do not install it/.test(other.err)], [4, true], other.err)
})

test('the file comes whole and in parts, with what browsers and phones need to take it', async () => {
  const whole = await asked('/android/sigmon.apk')
  const tag = whole.headers.get('etag') ?? ''
  assert.deepEqual(['content-type', 'content-disposition', 'accept-ranges', 'content-length', 'cache-control', 'x-content-type-options'].map((name) => whole.headers.get(name)), ['application/vnd.android.package-archive', 'attachment; filename="sigmon-1.apk"', 'bytes', String(one.length), 'no-cache', 'nosniff'])
  const body = Buffer.from(await whole.arrayBuffer())
  assert.deepEqual(body, one)
  assert.equal((await asked('/android/sigmon.apk', { 'if-none-match': tag })).status, 304)
  const part = async (headers: Record<string, string>, of: { readonly url: string } = server.app): Promise<[number, string | null, Buffer]> => {
    const answer = await asked('/android/sigmon-1.apk', headers, of)
    return [answer.status, answer.headers.get('content-range'), Buffer.from(await answer.arrayBuffer())]
  }
  // A download that broke off goes on, at another server too.
  assert.deepEqual(await part({ range: 'bytes=100-', 'if-range': tag }, second), [206, `bytes 100-${body.length - 1}/${body.length}`, body.subarray(100)])
  assert.deepEqual(await part({ range: 'bytes=0-0' }), [206, `bytes 0-0/${body.length}`, body.subarray(0, 1)])
  assert.deepEqual(await part({ range: 'bytes=-10', 'if-match': tag }), [206, `bytes ${body.length - 10}-${body.length - 1}/${body.length}`, body.subarray(-10)])
  assert.deepEqual(await part({ range: 'bytes=100-', 'if-range': '"another"' }), [200, null, body])
  assert.deepEqual((await part({ range: `bytes=${body.length}-` })).slice(0, 2), [416, `bytes */${body.length}`])
  assert.deepEqual((await part({ range: 'bytes=100-', 'if-match': '"another"' }))[0], 412)
  assert.equal((await fetch(`${server.app.url}/android/sigmon.apk`, { method: 'HEAD' })).headers.get('content-length'), String(body.length))
  for (const path of ['/android/sigmon-2.apk', '/android/sigmon-0.apk', '/android/sigmon-x.apk', '/android/sigmon-99999999999.apk', '/android/other.apk']) assert.equal((await asked(path)).status, 404, path)
})

test('ranges: what is no range is the whole', () => {
  for (const text of ['', 'bytes', 'bytes=', 'bytes=-', 'bytes=a-b', 'bytes=5-1', 'bytes=0-1,4-5', 'items=0-1', `bytes=${'9'.repeat(99)}-`]) assert.equal(rangeOf(text, 10), null, text)
  assert.deepEqual([rangeOf('bytes=0-', 10), rangeOf('bytes=3-99', 10), rangeOf('bytes=-99', 10), rangeOf('bytes=-0', 10), rangeOf('bytes=10-', 10)], [{ from: 0, to: 9 }, { from: 3, to: 9 }, { from: 0, to: 9 }, 'outside', 'outside'])
})

test('links open the app of this key; the page shows what is handed out, in both languages, and runs nothing', async () => {
  const told = await (await asked('/v1/android')).json() as AndroidPublished
  const links = await (await asked('/.well-known/assetlinks.json')).json() as { target: { sha256_cert_fingerprints: string[] } }[]
  assert.deepEqual(links, [{ relation: ['delegate_permission/common.handle_all_urls'], target: { namespace: 'android_app', package_name: 'kawal.sinyal.sigmon', sha256_cert_fingerprints: [told.certificate.toUpperCase().match(/../g)?.join(':')] } }])
  const answer = await asked('/android/')
  assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'sha256-[^']+'; img-src 'self'; /)
  const [id, en] = [await answer.text(), await (await asked('/android/?lang=en')).text()]
  for (const page of [id, en]) {
    assert.ok(!/<script|javascript:|\son\w+=|style="/i.test(page))
    for (const text of [told.sha256.match(/.{4}/g)?.join(' '), told.certificate.match(/.{4}/g)?.join(' '), `verify android sigmon-1.apk https://kawal.example/acts`, 'href="/android/sigmon-1.apk"', '<code>CAMERA</code>', `<dd>${told.leaf}.`]) assert.ok(page.includes(text ?? '?'), text)
  }
  assert.match(id, /<html lang="id">[^]*Android 7 ke atas/)
  assert.match(en, /<html lang="en">[^]*Android 7 and newer/)
  assert.equal((await asked('/android')).headers.get('location'), '/android/')
})

test('a next version: higher, by the same key, of the same name; another key only when it is said', async () => {
  const other = packageSigner()
  const [newest] = await listPublished(server.app.database)
  assert.ok(newest !== undefined)
  const why = (bytes: Buffer, isNewKey = false, before = [newest]): string => {
    const found = readPackage(bytes)
    const may = found.ok ? mayFollow(found.value, before, isNewKey) : found
    return may.ok ? may.value : may.error
  }
  assert.match(why(one), /is published already, since 20/)
  assert.equal(why(one, false, [{ ...newest, withdrawnAt: now }]), 'again')
  assert.match(why(made(1, { permissions: [] })), /versionCode 1, and 1 was published already: phones/)
  assert.match(why(made(1, { permissions: [] }), false, [{ ...newest, withdrawnAt: now }]), /1 was published already, though withdrawn since/)
  for (const isNewKey of [false, true]) assert.match(why(made(2, { application: 'kawal.sinyal.lain' }), isNewKey), /kawal\.sinyal\.sigmon was published before/)
  assert.match(why(made(2, {}, other)), /signed with another key[^]*say --new-key only if that one is lost/)
  assert.deepEqual([why(made(2, {}, other), true), why(made(2)), why(made(1), false, [])], ['new', 'new', 'new'])
  const refused = await publish(made(2, {}, other))
  assert.deepEqual([refused.code, /was not published\. The package was signed with another key/.test(refused.err)], [6, true], refused.err)
  const next = made(2)
  const { etag } = Object.fromEntries((await asked('/android/sigmon.apk')).headers)
  assert.equal((await publish(next)).code, 0)
  for (const each of [server.app, second]) assert.deepEqual(Buffer.from(await (await asked('/android/sigmon.apk', {}, each)).arrayBuffer()), next)
  assert.equal((await asked('/android/sigmon.apk', { 'if-match': etag ?? '', range: 'bytes=5-' })).status, 412, 'no file of two versions')
  assert.equal((await publish(made(3, {}, other), '--new-key')).code, 0)
  const listed = await kawal('android', 'list', '--json')
  assert.deepEqual((JSON.parse(listed.out) as { packages: { versionCode: number; handedOut: boolean }[] }).packages.map(({ versionCode, handedOut }) => [versionCode, handedOut]), [[3, true], [2, false], [1, false]])
})

test('a withdrawn version is handed out no more, the one before is again; the same file may come back, and the log tells all of it', async () => {
  const bytes = made(4, {}, signer)
  assert.equal((await publish(bytes, '--new-key')).code, 0)
  const withdrawn = await kawal('android', 'withdraw', '4')
  assert.match(withdrawn.out, /Withdrew version 4\. Version 3 is handed out then/)
  assert.deepEqual([((await (await asked('/v1/android', {}, second)).json()) as AndroidPublished).versionCode, (await asked('/android/sigmon-4.apk', {}, second)).status], [3, 404])
  assert.deepEqual([(await kawal('android', 'withdraw', '4')).code, (await kawal('android', 'withdraw', '5')).code], [6, 3])
  await turned()
  writeFileSync(at('four.apk'), bytes)
  assert.match((await kawal('verify', 'android', at('four.apk'), `${server.app.url}/acts`)).out, /It was withdrawn since, entry \d+/)
  assert.equal((await publish(bytes)).code, 0)
  await turned()
  assert.ok(!/withdrawn/.test((await kawal('verify', 'android', at('four.apk'), `${server.app.url}/acts`)).out))
  assert.equal(((await (await asked('/v1/android')).json()) as AndroidPublished).versionCode, 4)
})

test('an act that was refused published nothing: the log of it is no proof', async () => {
  const { database } = server.app
  const refused = made(9)
  writeFileSync(at('nine.apk'), refused)
  // The command writes its act, and what came of it, also where another was faster.
  const found = readPackage(refused)
  assert.ok(found.ok)
  await assert.rejects(audited({ ownerUrl: server.kit.ownerUrl, appPassword: 'test', joined: true, stop: async () => undefined }, 'android publish nine.apk', async (act) => {
    const done = await store(database, { ...found.value, versionCode: 2 }, refused, { at: now, act, isNewKey: false })
    if (!done.ok) throw new Error(done.error)
  }, { sha256: found.value.sha256, versionCode: 9 }), /versionCode 2, and 4 was published already/)
  await turned()
  assert.equal((await kawal('verify', 'android', at('nine.apk'), `${server.app.url}/acts`)).code, 4)
})

test('a flood of questions opens no flood of files: the newest stays in memory', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => new Promise<number>((resolve, reject) => get(`${server.app.url}/android/sigmon.apk`, (answer) => answer.resume().once('end', () => resolve(answer.statusCode ?? 0))).once('error', reject))))
  assert.ok(answers.every((status) => status === 200))
})
