import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const source = join(import.meta.dirname, '../docs/auditor/auditor.go')
/** Debian's golang-golang-x-mod-dev. */
const packages = '/usr/share/gocode'
const compilers = ['/usr/bin/go', '/usr/lib/go-1.19/bin/go', '/usr/local/go/bin/go']

/** What is to be installed for the auditor in Go; null where it is there. */
export function goMissing(): string | null {
  const lacks = [compilers.some((path) => existsSync(path)) ? '' : 'golang-go', existsSync(join(packages, 'src/golang.org/x/mod/sumdb/tlog')) ? '' : 'golang-golang-x-mod-dev'].filter((each) => each !== '')
  return lacks.length === 0 ? null : `The auditor in Go cannot be built: apt-get install ${lacks.join(' ')} (docs/operating/auditor.md).`
}

/** Builds the auditor in Go into a folder, as docs/operating/auditor.md has it. @returns its path */
export function buildGoAuditor(folder: string): string {
  const built = join(folder, 'auditor')
  const compiler = compilers.find((path) => existsSync(path)) ?? 'go'
  const { status, stderr } = spawnSync(compiler, ['build', '-o', built, source], { encoding: 'utf8', env: { ...process.env, GO111MODULE: 'off', GOPATH: packages, GOFLAGS: '', GOTOOLCHAIN: 'local' } })
  if (status !== 0) throw new Error(`docs/auditor/auditor.go does not build: ${stderr}`)
  return built
}

/** Runs many commands of the auditor in one process. @returns of each null where all holds, else what is wrong */
export async function goAudits(auditor: string, commands: readonly (readonly string[])[]): Promise<(string | null)[]> {
  const child = spawn(auditor, ['batch'], { stdio: ['pipe', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stdin.end(commands.map((words) => `${words.join('\t')}\n`).join(''))
  await new Promise((resolve) => child.once('close', resolve))
  const lines = out.split('\n').slice(0, -1)
  if (lines.length !== commands.length) throw new Error(`the auditor in Go gave ${lines.length} answers to ${commands.length} questions`)
  return lines.map((line) => (line.startsWith('ok ') ? null : line.slice('WRONG '.length).trim()))
}
