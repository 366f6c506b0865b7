import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** What packs an Android package; none of it is needed for anything else. */
export interface AndroidTools {
  /** The folder of a Java Development Kit, 21 or newer: Android 17's own classes are of 21. */
  readonly jdk: string
  /** Resources of the framework that ours are linked against. */
  readonly framework: string
}

const jdk_least = 21
const commands = [
  ['mvn', 'Maven', 'maven'], ['aapt2', 'the packer of resources', 'aapt'], ['zipalign', 'what aligns a package', 'zipalign'], ['apksigner', 'what signs a package', 'apksigner'],
] as const

/** @returns the tools, or a line for each that is missing: what it is, and how Debian installs it */
export function findTools(env: NodeJS.ProcessEnv = process.env): { readonly tools: AndroidTools } | { readonly missing: readonly string[] } {
  const missing: string[] = commands.filter(([command]) => !isThere(command, env)).map(([command, what, debian]) => `${command} (${what}): apt-get install ${debian}`)
  const jdk = findJdk(env)
  if (jdk === null) missing.push(`a JDK ${jdk_least} or newer: set JAVA_HOME to its folder, or put it below /usr/lib/jvm`)
  const framework = env['ANDROID_FRAMEWORK_RES'] ?? '/usr/share/android-framework-res/framework-res.apk'
  if (!existsSync(framework)) missing.push(`${framework} (resources of the framework): apt-get install android-framework-res, or set ANDROID_FRAMEWORK_RES`)
  return missing.length > 0 || jdk === null ? { missing } : { tools: { jdk, framework } }
}

const isThere = (command: string, env: NodeJS.ProcessEnv): boolean => (env['PATH'] ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, command)))

/** The oldest that will do: the newest may be newer than what else runs on it knows. */
function findJdk(env: NodeJS.ProcessEnv): string | null {
  const all = existsSync('/usr/lib/jvm') ? readdirSync('/usr/lib/jvm').map((name) => join('/usr/lib/jvm', name)) : []
  const rated = [...(env['JAVA_HOME'] === undefined ? [] : [env['JAVA_HOME']]), ...all].map((folder, place) => ({ folder, version: versionOf(folder), place })).filter(({ version }) => version >= jdk_least)
  const [given] = rated.filter(({ place }) => place === 0 && env['JAVA_HOME'] !== undefined)
  return (given ?? rated.sort((one, other) => one.version - other.version)[0])?.folder ?? null
}

function versionOf(folder: string): number {
  const said = spawnSync(join(folder, 'bin/javac'), ['-version'], { encoding: 'utf8' })
  return Number(/javac (\d+)/.exec(`${said.stdout}${said.stderr}`)?.[1] ?? 0)
}

/** Runs to its end, silent while all is well. @throws Error with the last lines that it said */
export function runTool(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 * 1024, env: { ...process.env, TZ: 'UTC', ...env } })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args[0] ?? ''} failed:\n${`${stdout}${stderr}`.trim().split('\n').slice(-40).join('\n')}`, { cause: error })
  }
}
