import { createHash } from 'node:crypto'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readZip, unzip } from '@kawal/server/src/android/zip.ts'
import { findTools, runTool, type AndroidTools } from './pack-tools.ts'

/**
 * `npm run android`: Sigmon's native shell as a signed package, and its tests. Built twice from the same it is the same but for its
 * signature: `--contents FILE` prints the hash that two packages of the same content share.
 */
const root = join(import.meta.dirname, '..')
const android = import.meta.dirname
const made = join(android, 'build')
const [sdk_least, sdk_target] = [24, 37]
const exits = { failed: 1, wrong: 2, missing: 3 }
/** Of a trial: nothing answers there but a platform on the phone itself. */
const trial_origin = 'https://localhost'
const trial_pass = 'sigmon-trial'

interface Wanted { readonly origin: string; readonly versionCode: string; readonly versionName: string; readonly key: string; readonly passFile: string }

const say = (line: string): void => void process.stderr.write(`${line}\n`)
const stop = (code: number, sentence: string): never => {
  say(sentence)
  process.exit(code)
}

/** What is in a package, without its signature and without how it is packed. */
function contentsOf(file: string): string {
  const bytes = readFileSync(file)
  const zip = readZip(bytes)
  const sum = createHash('sha256')
  const entries = [...zip.entries.values()].filter(({ name }) => !name.startsWith('META-INF/')).sort((one, other) => (one.name < other.name ? -1 : 1))
  for (const entry of entries) sum.update(`${createHash('sha256').update(unzip(bytes, entry, zip.directoryAt)).digest('hex')}  ${entry.name}\n`)
  return sum.digest('hex')
}

function readWanted(tools: AndroidTools): { readonly wanted: Wanted; readonly isTested: boolean } {
  const { values } = parseArgs({ options: {
    origin: { type: 'string' }, key: { type: 'string' }, 'key-pass-file': { type: 'string' }, 'version-code': { type: 'string', default: '1' }, 'version-name': { type: 'string' }, 'no-test': { type: 'boolean', default: false },
  } })
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const origin = values.origin ?? trial_origin
  if (!/^https:\/\/[a-z0-9.-]+(:[0-9]{1,5})?$/.test(origin)) stop(exits.wrong, `--origin ${origin} is no address of a platform: https://HOST, in small letters, without a path.`)
  if (!/^[1-9][0-9]{0,8}$/.test(values['version-code'])) stop(exits.wrong, `--version-code ${values['version-code']} is no number from 1: phones take an update only when it rises.`)
  if ((values.key === undefined) !== (values['key-pass-file'] === undefined)) stop(exits.wrong, '--key FILE (PKCS #12) and --key-pass-file FILE go together.')
  for (const file of [values.key, values['key-pass-file']]) if (file !== undefined && !existsSync(file)) stop(exits.wrong, `${file} is not there.`)
  if (values.origin === undefined) say(`This is a trial: its platform is ${trial_origin}. For a real one say --origin https://HOST.`)
  const own = values.key === undefined ? trialKey(tools) : null
  return { isTested: !values['no-test'], wanted: { origin, versionCode: values['version-code'], versionName: values['version-name'] ?? version, key: values.key ?? own?.key ?? '', passFile: values['key-pass-file'] ?? own?.passFile ?? '' } }
}

/** Whoever installed a package that it signed has to remove it before a real one. */
function trialKey({ jdk }: AndroidTools): { readonly key: string; readonly passFile: string } {
  const [key, passFile] = [join(made, 'trial.p12'), join(made, 'trial.pass')]
  say('No --key: signed with a key for trials, which anybody can make. The operator of a platform has one of its own (docs/operating/android.md).')
  if (existsSync(key) && existsSync(passFile)) return { key, passFile }
  rmSync(key, { force: true })
  writeFileSync(passFile, `${trial_pass}\n`, { mode: 0o600 })
  runTool(join(jdk, 'bin/keytool'), ['-genkeypair', '-keystore', key, '-storetype', 'PKCS12', '-storepass', trial_pass, '-alias', 'sigmon', '-keyalg', 'EC', '-groupname', 'secp256r1', '-dname', 'CN=Sigmon trial', '-validity', '10000'])
  return { key, passFile }
}

/** Classes without their tests, and the dexer, come by Maven. */
function compile({ jdk }: AndroidTools, isTested: boolean): { readonly passed: number; readonly failed: number } {
  const reports = join(made, 'surefire-reports')
  rmSync(reports, { recursive: true, force: true })
  rmSync(join(made, 'classes'), { recursive: true, force: true })
  let fault: unknown = null
  try {
    runTool('mvn', ['-B', '-q', '-f', join(android, 'pom.xml'), ...(isTested ? ['test'] : ['process-classes'])], { JAVA_HOME: jdk })
  } catch (error) {
    fault = error
  }
  const sums = globSync(join(reports, 'TEST-*.xml')).map((file) => /<testsuite [^>]*tests="(\d+)" errors="(\d+)" skipped="(\d+)" failures="(\d+)"/.exec(readFileSync(file, 'utf8'))?.slice(1).map(Number) ?? [0, 0, 0, 0])
  const [tests, errors, skipped, failures] = sums.reduce((sum, each) => sum.map((value, place) => value + (each[place] ?? 0)), [0, 0, 0, 0])
  const failed = (errors ?? 0) + (failures ?? 0)
  if (fault !== null) {
    say(fault instanceof Error ? fault.message : String(fault))
    if (failed === 0) process.exit(exits.failed)
  }
  return { passed: (tests ?? 0) - failed - (skipped ?? 0), failed }
}

/** @returns the package without a signature */
function pack({ jdk, framework }: AndroidTools, { origin, versionCode, versionName }: Wanted): string {
  const [assets, manifest, resources, packed, aligned] = ['assets', 'AndroidManifest.xml', 'res.zip', 'packed.apk', 'unsigned.apk'].map((name) => join(made, name)) as [string, string, string, string, string]
  writeFileSync(join(assets, 'platform.txt'), `${origin}\n`)
  writeFileSync(manifest, readFileSync(join(android, 'AndroidManifest.xml'), 'utf8').replace('android:host="HOST"', `android:host="${new URL(origin).hostname}"`))
  runTool(join(jdk, 'bin/java'), ['-cp', join(made, 'tools/dalvik-dx.jar'), 'com.android.dx.command.Main', '--dex', `--min-sdk-version=${sdk_least}`, `--output=${join(made, 'classes.dex')}`, join(made, 'classes')])
  runTool('aapt2', ['compile', '--dir', join(android, 'res'), '-o', resources])
  // Its list of elements is of 2019; Android reads <queries> and <property> all the same.
  runTool('aapt2', ['link', '-o', packed, '--manifest', manifest, '-I', framework, '-A', assets, '--min-sdk-version', String(sdk_least), '--target-sdk-version', String(sdk_target), '--version-code', versionCode, '--version-name', versionName, '--warn-manifest-validation', resources])
  runTool(join(jdk, 'bin/jar'), ['-u', '-M', '-f', packed, '--date', '1980-01-01T00:00:02Z', '-C', made, 'classes.dex'])
  runTool('zipalign', ['-p', '-f', '4', packed, aligned])
  return aligned
}

function sign(unsigned: string, { key, passFile, versionName }: Wanted): { readonly file: string; readonly certificate: string } {
  const file = join(made, `sigmon-${versionName}.apk`)
  rmSync(file, { force: true })
  cpSync(unsigned, `${file}.part`)
  // v1 for what looks at it as a zip: Android 7 and newer go by v2 and v3.
  runTool('apksigner', ['sign', '--ks', key, '--ks-pass', `file:${passFile}`, '--min-sdk-version', String(sdk_least), '--v1-signing-enabled', 'true', '--v2-signing-enabled', 'true', '--v3-signing-enabled', 'true', '--v4-signing-enabled', 'false', `${file}.part`])
  renameSync(`${file}.part`, file)
  const certificate = /certificate SHA-256 digest: ([0-9a-f]{64})/.exec(runTool('apksigner', ['verify', '--print-certs', file]))?.[1]
  if (certificate === undefined) throw new Error('apksigner told of no certificate of what it signed.')
  return { file, certificate }
}

function build(tools: AndroidTools): void {
  const { wanted, isTested } = readWanted(tools)
  say('1 of 4: Sigmon for the package (vite)')
  rmSync(join(made, 'assets'), { recursive: true, force: true })
  runTool(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', join(root, 'sigmon'), '--mode', 'android', '--logLevel', 'warn'], { NODE_ENV: 'production' })
  say(isTested ? '2 of 4: the shell and its tests on four versions of Android (Maven; the first time it fetches about 1 GB)' : '2 of 4: the shell (Maven)')
  const tests = compile(tools, isTested)
  say('3 of 4: packed')
  const first = createHash('sha256').update(readFileSync(pack(tools, wanted))).digest('hex')
  const unsigned = pack(tools, wanted)
  // Whoever packs the same gets the same: that is how an auditor knows what was signed.
  if (createHash('sha256').update(readFileSync(unsigned)).digest('hex') !== first) throw new Error('Packed twice, the package has other bytes: something in it depends on when or where it was made.')
  say('4 of 4: signed')
  const { file, certificate } = sign(unsigned, wanted)
  const facts = {
    file: file.slice(root.length + 1), bytes: statSync(file).size, sha256: createHash('sha256').update(readFileSync(file)).digest('hex'), contents: contentsOf(file), certificate,
    versionCode: Number(wanted.versionCode), versionName: wanted.versionName, origin: wanted.origin,
    permissions: [...runTool('aapt2', ['dump', 'permissions', file]).matchAll(/uses-permission: name='([^']+)'/g)].map((match) => match[1] ?? '').sort(),
  }
  writeFileSync(join(made, 'package.json'), `${JSON.stringify(facts, null, 2)}\n`)
  process.stdout.write(`${JSON.stringify(facts)}\n`)
  check(isTested ? tests : { passed: 0, failed: 0 })
}

/** The package's own tests, which `npm test` leaves out where none was built. */
function check(tests: { readonly passed: number; readonly failed: number }): void {
  let [passed, failed] = [tests.passed, tests.failed]
  let said: string
  try {
    said = runTool(process.execPath, ['--test', '--test-reporter=tap', join(android, 'package.test.ts')], { KAWAL_ANDROID_BUILT: '1' })
  } catch (error) {
    said = error instanceof Error ? error.message : String(error)
    say(said)
  }
  passed += Number(/# pass (\d+)/.exec(said)?.[1] ?? 0)
  failed += Number(/# fail (\d+)/.exec(said)?.[1] ?? 1)
  process.stdout.write(`${passed} passed, ${failed} failed\n`)
  process.exitCode = failed > 0 ? exits.failed : 0
}

const asked = process.argv.indexOf('--contents')
if (asked > 0) {
  const file = process.argv[asked + 1] ?? ''
  if (!existsSync(file)) stop(exits.wrong, `--contents FILE: ${file === '' ? 'no file was given' : `${file} is not there`}.`)
  process.stdout.write(`${contentsOf(file)}\n`)
} else {
  const found = findTools()
  if ('missing' in found) stop(exits.missing, `To build the Android package, these are missing:\n${found.missing.map((line) => `  - ${line}\n`).join('')}Nothing else of Kawal Sinyal needs them.`)
  else {
    mkdirSync(made, { recursive: true })
    try {
      build(found.tools)
    } catch (error) {
      stop(exits.failed, error instanceof Error ? error.message : String(error))
    }
  }
}
