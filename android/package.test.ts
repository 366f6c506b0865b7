import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readPackage, refusal } from '@kawal/server/src/android/package.ts'
import { permissionPurposes } from '@kawal/server/src/android/permissions.ts'
import { readZip, unzip } from '@kawal/server/src/android/zip.ts'

/** Of the package that `npm run android` built last; the checks of what needs no build come first. */
const root = join(import.meta.dirname, '..')
const facts = join(import.meta.dirname, 'build/package.json')
const skip = process.env['KAWAL_ANDROID_BUILT'] === '1' || existsSync(facts) ? false : 'no Android package was built here: npm run android builds one'
const built = (): { readonly file: string; readonly bytes: number; readonly versionCode: number; readonly versionName: string; readonly origin: string; readonly certificate: string; readonly permissions: readonly string[] } => JSON.parse(readFileSync(facts, 'utf8')) as never
const apk = (): string => join(root, built().file)
const run = (command: string, ...args: readonly string[]): string => execFileSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
const manifest = readFileSync(join(import.meta.dirname, 'AndroidManifest.xml'), 'utf8')
const asked = [...manifest.matchAll(/<uses-permission android:name="([^"]+)"/g)].map((match) => match[1] ?? '').sort()

test('the manifest asks for what the documents name, with a purpose for each, and for nothing of the telephone, its owner or its files', () => {
  const documented = [...readFileSync(join(root, 'docs/operating/android.md'), 'utf8').matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => `android.permission.${match[1] ?? ''}`).sort()
  assert.deepEqual(asked, documented)
  assert.deepEqual(asked.filter((each) => !(each in permissionPurposes)), [])
  assert.deepEqual(asked.filter((each) => /PHONE|CALL|SMS|CONTACT|ACCOUNT|STORAGE|MEDIA|RECORD|BLUETOOTH|BACKGROUND_LOCATION|AD_ID|PACKAGES|INSTALL/.test(each)), [])
})

test('apksigner finds it signed by v1, v2 and v3', { skip }, () => {
  const said = run('apksigner', 'verify', '--verbose', '--min-sdk-version', '23', '--print-certs', apk())
  for (const scheme of ['v1', 'v2', 'v3']) assert.match(said, new RegExp(`Verified using ${scheme} scheme [^:]*: true`))
  assert.match(said, /Number of signers: 1\n/)
  assert.match(said, new RegExp(built().certificate))
})

test('aapt2 reads what was meant: package, versions, levels, the activity, the label', { skip }, () => {
  const said = run('aapt2', 'dump', 'badging', apk())
  const { versionCode, versionName } = built()
  assert.ok(said.startsWith(`package: name='kawal.sinyal.sigmon' versionCode='${versionCode}' versionName='${versionName}'`), said.split('\n')[0])
  for (const line of ["sdkVersion:'24'", "targetSdkVersion:'37'", "application-label:'Sigmon'", "launchable-activity: name='kawal.sinyal.sigmon.shell.MainActivity'"]) assert.ok(said.includes(`\n${line}`), line)
  assert.doesNotMatch(said, /application-debuggable|testOnly/)
  // what it uses of a phone, it can do without
  assert.deepEqual([...said.matchAll(/^ {2}uses-feature: name='([^']+)'/gm)].map((match) => match[1]).filter((each) => each !== 'android.hardware.faketouch' && each !== 'android.hardware.screen.portrait'), [])
  assert.deepEqual(built().permissions, asked)
})

test('it is at most 1 MB, and the platform that hands it out takes it', { skip }, () => {
  const bytes = readFileSync(apk())
  assert.ok(bytes.length <= 1_048_576, `${bytes.length} bytes`)
  const read = readPackage(bytes)
  assert.ok(read.ok, read.ok ? '' : read.error)
  assert.equal(refusal(read.value), null)
  assert.deepEqual([read.value.certificate, [...read.value.schemes].sort()], [built().certificate, ['v2', 'v3']])
})

test('others may start its screen alone; nothing is debuggable, backed up or sent in the clear', { skip }, () => {
  const tree = run('aapt2', 'dump', 'xmltree', '--file', 'AndroidManifest.xml', apk())
  const parts = tree.split(/\n(?= +E: (?:activity|service|receiver|provider) )/).slice(1).map((part) => ({ name: /:name\(0x[0-9a-f]+\)="([^"]+)"/.exec(part)?.[1], exported: /:exported\([^)]*\)=(\S+)/.exec(part)?.[1] }))
  assert.deepEqual(parts.filter(({ exported }) => exported !== 'false').map(({ name }) => name), ['.shell.MainActivity'])
  for (const [name, value] of [['allowBackup', 'false'], ['usesCleartextTraffic', 'false']] as const) assert.match(tree, new RegExp(`:${name}\\([^)]*\\)=${value}`))
  // location (8), and special use (0x40000000), whose name the framework's resources of 2019 do not have
  assert.match(run('aapt2', 'dump', 'resources', apk()), /integer\/duty_types\n\s+\(\) 0x40000008\n/)
  assert.match(tree, new RegExp(`:host\\([^)]*\\)="${new URL(built().origin).hostname.replaceAll('.', '\\.')}"`))
})

test('it holds Sigmon whole, as its worker lists it, and names no platform but its own', { skip }, () => {
  const bytes = readFileSync(apk())
  const zip = readZip(bytes)
  const text = (name: string): string => {
    const entry = zip.entries.get(name)
    assert.ok(entry !== undefined, `${name} is there`)
    return unzip(bytes, entry, zip.directoryAt).toString('utf8')
  }
  const listed = [...(/const files = (\[\[.*?\]\])\n/.exec(text('assets/sigmon/worker.js'))?.[1] ?? '').matchAll(/\["([^"]+)","sha256-/g)].map((match) => match[1] ?? '')
  assert.ok(listed.includes('shell.js') && listed.length > 10, `${listed.length} files`)
  for (const name of listed) assert.ok(zip.entries.has(`assets/sigmon/${name === './' ? 'index.html' : name}`), name)
  assert.match(text('assets/sigmon/index.html'), /<head>\s*<script src="\/sigmon\/shell\.js"><\/script>/)
  assert.equal(text('assets/platform.txt').trim(), built().origin)
  assert.deepEqual([...zip.entries.keys()].filter((name) => /\.(br|gz|map)$|\.stamp$/.test(name)), [])
})

test('Android 7 can run its classes: no call that only newer ones can make', { skip: skip === false && spawnSync('dexdump', ['-h']).error !== undefined ? 'dexdump is not there: apt-get install dexdump' : skip }, () => {
  const code = run('dexdump', '-d', apk())
  assert.match(code, /Lkawal\/sinyal\/sigmon\/shell\/MainActivity;/)
  assert.doesNotMatch(code, /invoke-custom|invoke-polymorphic/)
})
