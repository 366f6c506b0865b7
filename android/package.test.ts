import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
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

test('each word of the resources is there in both languages', () => {
  const names = (folder: string): string[] => [...readFileSync(join(import.meta.dirname, `res/${folder}/strings.xml`), 'utf8').matchAll(/<string name="(\w+)">[^<]+</g)].map((match) => match[1] ?? '').sort()
  assert.ok(names('values').length > 0)
  assert.deepEqual(names('values-en'), names('values'))
})

test("the page's policy in the package is the server's, but for where it may connect to", () => {
  const java = readFileSync(join(import.meta.dirname, 'src/main/java/kawal/sinyal/sigmon/shell/PackageFiles.java'), 'utf8')
  const policy = /POLICY = "([^"]+)"\s+\+ "([^"]+)"/.exec(java)?.slice(1).join('') ?? ''
  const named = [...readFileSync(join(root, 'server/src/app.ts'), 'utf8').matchAll(/'((?:worker|img)-src)': \[([^\]]+)\]/g)].map(([, name, words]) => `${name ?? ''} ${(words ?? '').split(', ').map((word) => word.slice(1, -1)).join(' ')}`)
  assert.equal(named.length, 2)
  for (const directive of named) assert.ok(policy.includes(directive), directive)
  assert.ok(policy.includes("script-src 'self';") && policy.endsWith("connect-src 'self' https:"), policy)
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
  const content = (name: string): Buffer => {
    const entry = zip.entries.get(name)
    assert.ok(entry !== undefined, `${name} is there`)
    return unzip(bytes, entry, zip.directoryAt)
  }
  const text = (name: string): string => content(name).toString('utf8')
  const listed = new Map((JSON.parse(/const files = (\[\[.*?\]\])\n/.exec(text('assets/sigmon/worker.js'))?.[1] ?? '[]') as [string, string][]).map(([name, hash]) => [`assets/sigmon/${name === './' ? 'index.html' : name}`, hash]))
  assert.ok(listed.has('assets/sigmon/shell.js') && listed.size > 10, `${listed.size} files`)
  for (const [name, hash] of listed) assert.equal(`sha256-${createHash('sha256').update(content(name)).digest('base64')}`, hash, name)
  assert.deepEqual([...zip.entries.keys()].filter((name) => name.startsWith('assets/')).sort(), [...listed.keys(), 'assets/platform.txt', 'assets/sigmon/worker.js'].sort())
  assert.match(text('assets/sigmon/index.html'), /<head>\s*<script src="\/sigmon\/shell\.js"><\/script>/)
  assert.equal(text('assets/platform.txt').trim(), built().origin)
  assert.deepEqual(content('classes.dex').toString('latin1').match(/(?:https?|wss?):\/\/[a-z0-9][a-z0-9.-]+/gi) ?? [], [])
})

test('the table of resources lies open and on a multiple of 4: Android 11 and newer refuse it otherwise', { skip }, () => {
  const bytes = readFileSync(apk())
  const entry = readZip(bytes).entries.get('resources.arsc')
  assert.ok(entry !== undefined && !entry.isDeflated)
  assert.equal((entry.at + 30 + bytes.readUInt16LE(entry.at + 26) + bytes.readUInt16LE(entry.at + 28)) % 4, 0)
})

test('Android 7 can run its classes: no call that only newer ones can make', { skip: skip === false && spawnSync('dexdump', ['-h']).error !== undefined ? 'dexdump is not there: apt-get install dexdump' : skip }, () => {
  const code = run('dexdump', '-d', apk())
  assert.match(code, /Lkawal\/sinyal\/sigmon\/shell\/MainActivity;/)
  assert.doesNotMatch(code, /invoke-custom|invoke-polymorphic/)
})
