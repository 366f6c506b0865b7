import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the simulated modem answers, by command without its AT. A test changes them while it runs. */
export type Answers = Map<string, string>

export interface SimulatedBus {
  readonly address: string
  readonly answers: Answers
  /** Pulls the modem out: its port ends, and takes no new connection. */
  unplug(): Promise<void>
  /** Until ModemManager knows the modem, which is switched off then. */
  known(): Promise<void>
  /** Switches the modem on, and waits until it is registered. */
  enable(): Promise<void>
  /** As another program that wants the signal: ModemManager polls from now on. */
  poll(seconds: number): Promise<void>
  close(): Promise<void>
}

/** @returns why the rig cannot run here, or false */
export function missingForModemManager(): string | false {
  const lacks = ['dbus-daemon', 'ModemManager', 'mmcli'].filter((program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined)
  return lacks.length === 0 ? false : `SKIPPED: ${lacks.join(', ')} not found: Debian's modemmanager and dbus`
}

interface Invoked { readonly type: number; readonly path?: string; readonly interface?: string; readonly member?: string; readonly serial: number; readonly sender: string }
interface Bus {
  requestName(name: string, flags: number, done: (error: unknown) => void): void
  sendReply(message: unknown, signature: string, body: readonly unknown[]): void
  setMethodCallHandler(path: string, of: string, member: string, handler: [(...given: unknown[]) => unknown, string]): void
  readonly connection: { end(): void; on(event: string, told: (message: Invoked) => void): void }
}

/**
 * The real ModemManager on a bus of its own, with one modem that answers AT commands over a socket. ModemManager's
 * own test interface makes it one (`SetProfile`), and asks PolicyKit, which here says yes to all.
 */
export async function startModemManager(answers: Answers): Promise<SimulatedBus> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-mm-'))
  const socket = join(folder, 'bus')
  const address = `unix:path=${socket}`
  writeFileSync(join(folder, 'bus.conf'), `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>custom</type><listen>${address}</listen><auth>EXTERNAL</auth><policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>`)
  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: address }
  const children: ChildProcess[] = [spawn('dbus-daemon', [`--config-file=${join(folder, 'bus.conf')}`, '--nofork'], { stdio: 'ignore' })]
  await until('the bus listens', () => new Promise((resolve) => { const tried = connect(socket, () => { tried.destroy(); resolve(true) }).on('error', () => resolve(false)) }))
  const policy = await allowAll(socket)
  const port = `abstract:${folder}`
  const sockets = new Set<Socket>()
  const modem = createServer((opened) => {
    sockets.add(opened.on('error', () => undefined))
    speak(opened, answers)
  })
  await new Promise<void>((resolve) => modem.listen(`\0${port}`, resolve))
  const manager = spawn('ModemManager', ['--test-enable', '--test-no-udev', '--no-auto-scan', '--test-no-suspend-resume', '--test-no-qrtr'], { env, stdio: 'ignore' })
  children.push(manager)
  // not spawnSync: modem and PolicyKit answer from this very process
  const run = (program: string, ...args: string[]): Promise<{ ok: boolean; out: string }> =>
    new Promise((resolve) => execFile(program, args, { env, timeout: 20_000 }, (error, out, err) => resolve({ ok: error === null, out: error === null ? out : err })))
  await until('ModemManager takes the modem', async () => (await run('dbus-send', '--system', '--print-reply', `--dest=org.freedesktop.ModemManager1`, '/org/freedesktop/ModemManager1', 'org.freedesktop.ModemManager1.Test.SetProfile', 'string:kawal', 'string:generic', `array:string:${port}`)).ok)
  const facts = async (): Promise<string> => (await run('mmcli', '-m', 'any', '--output-keyvalue')).out
  return {
    address, answers,
    known: () => until('the modem is initialised', async () => /modem\.generic\.state *: *(disabled|enabled|registered)/.test(await facts())),
    async enable() {
      const enabled = await run('mmcli', '-m', 'any', '--enable')
      if (!enabled.ok) throw new Error(`the modem cannot be enabled: ${enabled.out}`)
      await until('the modem is registered', async () => /modem\.generic\.state *: *(registered|connected)/.test(await facts()))
    },
    async poll(seconds) {
      const set = await run('mmcli', '-m', 'any', `--signal-setup=${seconds}`)
      if (!set.ok) throw new Error(set.out)
    },
    async unplug() {
      for (const each of sockets) each.destroy()
      await closed(modem)
    },
    async close() {
      policy.connection.end()
      for (const child of children.reverse()) await ended(child)
      for (const each of sockets) each.destroy()
      await closed(modem)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Answers line by line, as a modem without echo: what it does not know of settings is fine, of questions an error. */
export function speak(stream: NodeJS.ReadWriteStream, answers: Answers): void {
  let held = ''
  stream.on('data', (part: Buffer) => {
    held += part.toString('latin1')
    for (let end = held.search(/[\r\n]/); end >= 0; end = held.search(/[\r\n]/)) {
      const command = held.slice(0, end).trim().replace(/^AT/i, '')
      held = held.slice(end + 1)
      if (command === '') continue
      const known = answers.get(command)
      const text = known === undefined ? (command.endsWith('?') ? 'ERROR' : 'OK') : /^(ERROR|\+CM[ES] ERROR)/.test(known) ? known : known === '' ? 'OK' : `${known}\r\n\r\nOK`
      if (known !== 'SILENT') stream.write(`\r\n${text}\r\n`)
    }
  })
}

/** PolicyKit's one question, answered with yes. */
async function allowAll(socket: string): Promise<Bus> {
  const { default: dbus } = (await import('@homebridge/dbus-native')) as unknown as { default: { createClient(options: { stream: Socket }): Bus } }
  const bus = dbus.createClient({ stream: connect(socket) })
  bus.setMethodCallHandler('/org/freedesktop/PolicyKit1/Authority', 'org.freedesktop.PolicyKit1.Authority', 'CheckAuthorization', [() => [true, false, []], '(bba{ss})'])
  bus.setMethodCallHandler('/org/freedesktop/PolicyKit1/Authority', 'org.freedesktop.DBus.Properties', 'GetAll', [() => [], 'a{sv}'])
  await new Promise<void>((resolve, reject) => bus.requestName('org.freedesktop.PolicyKit1', 0, (error) => (error ? reject(new Error(String(error))) : resolve())))
  return bus
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`waited in vain: ${what}`)
}

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()))
/** At once: it holds nothing that is worth an orderly end, and would take seconds to hang up first. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const over = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await over
}
