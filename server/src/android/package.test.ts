import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { seeded } from '@kawal/core/kernel/random.ts'
import { packageSigner, signedPackage, signPackage, unsignedPackage, writeManifest, type MadePackage } from '@kawal/testkit/android-package.ts'
import { makeZip } from '@kawal/testkit/zip.ts'
import { package_bytes_max, readPackage, refusal } from './package.ts'
import { permissionPurposes } from './permissions.ts'

const signer = packageSigner()
const fault = (bytes: Buffer): string => {
  const read = readPackage(bytes)
  return read.ok ? 'taken' : read.error
}
const read = (bytes: Buffer): Extract<ReturnType<typeof readPackage>, { ok: true }>['value'] => {
  const found = readPackage(bytes)
  assert.ok(found.ok, found.ok ? '' : found.error)
  return found.value
}

test('a package tells what it is, and who signed it', () => {
  const bytes = signedPackage(signer, { versionCode: 42, versionName: '1.4.2', permissions: ['android.permission.INTERNET', 'android.permission.CAMERA', 'android.permission.INTERNET'] })
  const found = read(bytes)
  assert.deepEqual(found, {
    application: 'kawal.sinyal.sigmon', versionCode: 42, versionName: '1.4.2', minSdk: 24, targetSdk: 37, permissions: ['android.permission.CAMERA', 'android.permission.INTERNET'], marks: [], schemes: ['v2', 'v3'], bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'), certificate: createHash('sha256').update(signer.certificate).digest('hex'),
  })
  assert.equal(refusal(found), null)
  assert.deepEqual(read(signedPackage(signer, { isUtf8: true, versionName: '1.4.2' })).versionName, '1.4.2')
  assert.deepEqual(read(signedPackage(signer, {}, ['v2'])).schemes, ['v2'])
  // Several chunks of a megabyte need a file that is too large here: the digest is held against apksigner's below.
})

test('each algorithm of the schemes that is taken, and several at once', () => {
  const rsa = packageSigner(2_048)
  for (const algorithms of [[0x0101], [0x0102], [0x0103], [0x0104], [0x0103, 0x0104]]) assert.equal(fault(signedPackage({ ...rsa, algorithms })), 'taken', String(algorithms))
  for (const algorithms of [[0x0201], [0x0202], [0x0202, 0x0201]]) assert.equal(fault(signedPackage({ ...signer, algorithms })), 'taken', String(algorithms))
  assert.match(fault(signedPackage({ ...signer, algorithms: [0x0421] })), /by algorithm 0x421: RSA and ECDSA/)
  assert.match(fault(signedPackage({ ...signer, algorithms: [0x0103] })), /does not hold/)
  assert.match(fault(signedPackage(packageSigner(1_024))), /1024 bits: RSA needs 2048/)
  assert.match(fault(signedPackage({ ...signer, algorithms: [] })), /holds no signature/)
})

test('what is no package, not signed or signed otherwise is refused with what is wrong', () => {
  const whole = signedPackage(signer)
  const other = packageSigner()
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.alloc(0), /no Android package/], [Buffer.from('<!doctype html>'.repeat(9)), /no Android package/], [whole.subarray(0, whole.length - 1), /was it cut off|no whole/i], [Buffer.concat([whole, Buffer.from('x')]), /no whole Android package/],
    [unsignedPackage(), /not signed: it has no APK Signing Block/], [makeZip({ a: Buffer.from('a') }), /not signed/], [signPackage(unsignedPackage(), []), /no signature of scheme v2/], [signedPackage(signer, {}, ['v3']), /no signature of scheme v2/],
    [signPackage(unsignedPackage(), [{ scheme: 'v2', signer }, { scheme: 'v3', signer: other }]), /two certificates/], [signPackage(unsignedPackage(), [{ scheme: 'v2', signer, certificate: other.certificate }]), /of another key than the one that signed/],
    [signPackage(unsignedPackage(), [{ scheme: 'v2', signer }, { scheme: 'v2', signer }]), /a part twice/], [signPackage(unsignedPackage(), [{ scheme: 'v2', signer, certificate: Buffer.from('no certificate') }]), /cannot be read/],
    [signPackage(makeZip({ 'classes.dex': Buffer.from('dex') }), [{ scheme: 'v2', signer }]), /lacks AndroidManifest\.xml/], [signPackage(makeZip({ 'AndroidManifest.xml': Buffer.from('<manifest/>'), 'classes.dex': Buffer.from('dex') }), [{ scheme: 'v2', signer }]), /not in the binary form/],
    [signedPackage(signer, { files: { 'assets/big': randomBytes(package_bytes_max) } }), /may have 1048576/], [signedPackage(signer, { files: { 'assets/bomb': Buffer.alloc(9_000_000) } }), /more than 8388608 bytes/],
    [signedPackage(signer, { versionName: '<b>' }), /lacks a versionName/], [signedPackage(signer, { versionCode: 0 }), /lacks a versionCode/], [signedPackage(signer, { application: 'sigmon' }), /lacks a package name/],
  ]
  for (const [bytes, why] of cases) assert.match(fault(bytes), why)
})

test('a package whose v3 signature was taken out is not taken for one of v2 alone', () => {
  const [both, alone] = [signedPackage(signer, {}), signPackage(unsignedPackage(), [])]
  const at = both.indexOf(Buffer.from([0x1a, 0x87, 0x09, 0x71])) - 8
  const v2 = both.subarray(at, at + 8 + both.readUInt32LE(at))
  // The block anew, with the part of v2 as it was signed.
  const start = alone.readUInt32LE(alone.length - 22 + 16) - alone.lastIndexOf('APK Sig Block 42')
  assert.equal(start, 16)
  const directoryAt = alone.readUInt32LE(alone.length - 6)
  const filesEnd = directoryAt - 8 - alone.readUInt32LE(directoryAt - 24)
  const length = Buffer.alloc(8)
  length.writeUInt32LE(v2.length + 24)
  const end = Buffer.from(alone.subarray(-22))
  end.writeUInt32LE(filesEnd + v2.length + 32, 16)
  assert.match(fault(Buffer.concat([alone.subarray(0, filesEnd), length, v2, length, Buffer.from('APK Sig Block 42'), alone.subarray(directoryAt, -22), end])), /that signature was taken out of it/)
})

test('what Sigmon may not ask for, or is not for officers, is not handed out', () => {
  const why = (made: MadePackage): string | null => refusal(read(signedPackage(signer, made)))
  for (const name of ['READ_PHONE_STATE', 'READ_CONTACTS', 'READ_SMS', 'ACCESS_BACKGROUND_LOCATION', 'REQUEST_INSTALL_PACKAGES']) assert.match(why({ permissions: ['android.permission.INTERNET', `android.permission.${name}`] }) ?? '', new RegExp(`asks for android\\.permission\\.${name}\\. What Sigmon may ask`))
  // A name is known by all of it.
  assert.match(why({ permissions: ['com.example.INTERNET'] }) ?? '', /asks for com\.example\.INTERNET/)
  assert.match(why({ permissions: ['toString'] }) ?? '', /asks for toString/)
  assert.match(why({ debuggable: true }) ?? '', /marked as debuggable/)
  assert.match(why({ minSdk: 23 }) ?? '', /Below 24 \(Android 7\)/)
})

test("what the platform allows is what Sigmon's own manifest asks for, no more", () => {
  const manifest = readFileSync(join(import.meta.dirname, '../../../android/AndroidManifest.xml'), 'utf8')
  assert.deepEqual([...manifest.matchAll(/<uses-permission[^>]* android:name="([^"]+)"/g)].map(([, name]) => name).sort(), Object.keys(permissionPurposes).sort())
})

test('no changed byte, and no cut, is ever taken as signed; nothing makes the reader fall over', () => {
  const bytes = signedPackage(signer, { versionCode: 3, permissions: ['android.permission.INTERNET', 'android.permission.CAMERA'] })
  const chance = seeded(7)
  const taken: string[] = []
  for (let at = 0; at < bytes.length; at++) {
    const bad = Buffer.from(bytes)
    bad[at] = (bad[at] as number) ^ (1 << Math.floor(chance() * 8))
    if (fault(bad) === 'taken') taken.push(`byte ${at}`)
    if (at % 7 === 0 && fault(bytes.subarray(0, at)) === 'taken') taken.push(`cut at ${at}`)
  }
  for (let nth = 0; nth < 300; nth++) {
    const [from, length] = [Math.floor(chance() * bytes.length), 1 + Math.floor(chance() * 40)]
    const [head, tail] = [bytes.subarray(0, from), bytes.subarray(Math.min(bytes.length, from + length))]
    const some = Buffer.from(Array.from({ length }, () => Math.floor(chance() * 256)))
    for (const [what, bad] of [['left out', Buffer.concat([head, tail])], ['put in', Buffer.concat([head, some, bytes.subarray(from)])], ['twice', Buffer.concat([bytes.subarray(0, from + length), bytes.subarray(from)])], ['extremes', Buffer.concat([head, Buffer.alloc(bytes.length - head.length - tail.length, nth % 2 === 0 ? 0xff : 0x7f), tail])]] as const)
      if (!bad.equals(bytes) && fault(bad) === 'taken') taken.push(`${what} at ${from}, ${length} bytes`)
  }
  assert.deepEqual(taken, [])
})

test('whoever holds a key cannot make the reader of manifests fall over', () => {
  const chance = seeded(11)
  const manifest = writeManifest({ permissions: ['android.permission.CAMERA'] })
  for (let nth = 0; nth < 400; nth++) {
    const bad = Buffer.from(manifest)
    for (let times = 0; times <= nth % 3; times++) bad.writeUInt8([0, 0xff, 0x7f, 0x80, Math.floor(chance() * 256)][Math.floor(chance() * 5)] as number, Math.floor(chance() * bad.length))
    const cut = nth % 5 === 0 ? bad.subarray(0, Math.floor(chance() * bad.length)) : bad
    fault(signPackage(makeZip({ 'AndroidManifest.xml': cut, 'classes.dex': Buffer.from('dex') }), [{ scheme: 'v2', signer }]))
  }
})

const framework = '/usr/share/android-framework-res/framework-res.apk'
const tools = ['aapt2', 'apksigner', 'keytool'].filter((name) => !(process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, name))))
const lacks = [...tools, ...(existsSync(framework) ? [] : [framework])]

test('packages that aapt2 and apksigner make are read the same; apksigner takes those of the tests', { skip: lacks.length > 0 ? `NOT TESTED against real tools: ${lacks.join(', ')} are not on this machine` : false }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-apk-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const at = (name: string): string => join(folder, name)
  const run = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  writeFileSync(at('AndroidManifest.xml'), '<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="kawal.sinyal.sigmon" android:versionCode="7" android:versionName="0.7-uji"><uses-sdk android:minSdkVersion="24" android:targetSdkVersion="37"/><uses-permission android:name="android.permission.INTERNET"/><uses-permission-sdk-23 android:name="android.permission.CAMERA"/><application android:label="Sigmon"/></manifest>')
  run('aapt2', 'link', '-I', framework, '--manifest', at('AndroidManifest.xml'), '-o', at('linked.apk'))
  const linked = readFileSync(at('linked.apk'))
  run('keytool', '-genkeypair', '-keystore', at('keys'), '-storepass', 'rahasia', '-alias', 'sigmon', '-keyalg', 'RSA', '-keysize', '2048', '-dname', 'CN=uji', '-validity', '100')
  // A program beside: the zip of aapt2 has none.
  execFileSync('python3', ['-c', `import zipfile,sys\nzipfile.ZipFile(sys.argv[1],'a').writestr('classes.dex','dex')`, at('linked.apk')])
  assert.ok(linked.length > 0)
  run('apksigner', 'sign', '--ks', at('keys'), '--ks-pass', 'pass:rahasia', '--min-sdk-version', '24', '--out', at('signed.apk'), at('linked.apk'))
  const found = read(readFileSync(at('signed.apk')))
  assert.deepEqual([found.application, found.versionCode, found.versionName, found.minSdk, found.targetSdk, found.permissions, found.schemes], ['kawal.sinyal.sigmon', 7, '0.7-uji', 24, 37, ['android.permission.CAMERA', 'android.permission.INTERNET'], ['v2', 'v3']])
  assert.match(run('apksigner', 'verify', '--print-certs', at('signed.apk')), new RegExp(found.certificate))
  for (const [name, bytes] of [['ec', signedPackage(signer)], ['rsa', signedPackage(packageSigner(2_048, [0x0103, 0x0101]))]] as const) {
    writeFileSync(at(`${name}.apk`), bytes)
    assert.match(run('apksigner', 'verify', '--verbose', '--print-certs', '--min-sdk-version', '24', at(`${name}.apk`)), new RegExp(`v2 scheme.*: true[^]*v3 scheme.*: true[^]*${read(bytes).certificate}`))
  }
})
