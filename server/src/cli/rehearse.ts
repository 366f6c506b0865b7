import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import pg from 'pg'
import pino from 'pino'
import { makeScript, parseScript, type Script } from '@kawal/core/rehearsal/script.ts'
import { startApp, type App } from '../app.ts'
import { connect, migrate, system } from '../adapters/postgres/database.ts'
import { addStaff, loginToken } from '../organisation/sessions.ts'
import { stationCode } from '../measurement/enrolment.ts'
import { loadMonitorStations, type WatchedStation } from '../register/lookup.ts'
import { loadSynthetic } from '../register/synthetic.ts'
import { nearest } from '../rehearsal/nearest.ts'
import { steppedClock } from '../rehearsal/clock.ts'
import { runRehearsal, type RehearsalResult } from '../rehearsal/run.ts'
import { listLive } from '../ticket/desk.ts'
import { openDatabase, type OpenDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import { untilStopped } from './serve.ts'

const default_province = '75'
const show_speed = 20
const progress_steps = 10

interface Plan {
  readonly seed: number
  readonly province: string
  readonly hours: number
  readonly stations: number
  readonly devices: number
  readonly speed: number
  readonly port: number
  readonly show: boolean
  readonly json: boolean
  readonly script: string | undefined
}

/** The whole loop on the real interface: officers, faults and operators are simulated, nothing else. */
export async function rehearse(options: Record<string, string | undefined>): Promise<void> {
  const show = options['show'] !== undefined
  const plan: Plan = {
    seed: number(options, 'seed'), hours: number(options, 'hours'), stations: number(options, 'stations'), devices: number(options, 'devices'), port: number(options, 'port'),
    province: options['province'] ?? default_province, speed: options['speed'] === undefined ? (show ? show_speed : 0) : number(options, 'speed'),
    show, json: options['json'] !== undefined, script: options['script'],
  }
  const say = (line: string): void => void process.stderr.write(line + '\n')
  const database = await openDatabase(options['data'] ?? '.kawal')
  let stop = false
  const interrupted = (): void => {
    stop = true
    say('Stopping.')
  }
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  try {
    const startAt = await prepare(database, plan, say)
    const clock = steppedClock(startAt)
    const app = await startApp({
      ownerUrl: database.ownerUrl, appPassword: database.appPassword, clock, host: '127.0.0.1', port: plan.port, rehearsal: true, province: plan.province,
      log: pino({ level: process.env['LOG_LEVEL'] ?? 'warn' }, pino.destination(2)),
    })
    try {
      const stations = nearest(await loadMonitorStations(app.database, plan.province), plan.stations)
      const script = readScript(plan, stations, startAt)
      await greet(app, clock, stations, plan, script)
      const result = await runRehearsal({
        app, clock, script, stations, seed: plan.seed, devicesPerStation: plan.devices, speed: plan.speed,
        readTickets: () => listLive(app.database, clock, system), told: say, progress: progressLines(plan, say), stopped: () => stop,
      })
      report(result, plan)
      if (plan.show && !stop) await stayOpen(app, clock, say)
    } finally {
      await app.stop()
    }
  } finally {
    await database.stop()
  }
  if (stop && !plan.show) process.exitCode = exits.interrupted
}

function number(options: Record<string, string | undefined>, name: string): number {
  const value = Number(options[name])
  if (!Number.isFinite(value) || value < 0) throw new CommandFailure(exits.usage, `--${name} takes a number, not ${options[name]}.`)
  return value
}

/**
 * A register to rehearse on, and when the rehearsed day begins: today, or after what an earlier
 * rehearsal on this database had reached.
 */
async function prepare(server: OpenDatabase, plan: Plan, say: (line: string) => void): Promise<number> {
  await migrate(server.ownerUrl, server.appPassword)
  const owner = new pg.Pool({ connectionString: server.ownerUrl, max: 2 })
  const database = connect(server.ownerUrl, server.appPassword)
  try {
    const { rows } = await owner.query<{ any: boolean }>("SELECT EXISTS (SELECT FROM station_now WHERE code LIKE $1 || '%') AS any", [plan.province])
    if (rows[0]?.any !== true) {
      say(`No register for province ${plan.province}: making one from idn-area-data, with positions marked synthetic.`)
      await loadSynthetic(owner, plan.province, 1)
    }
    const last = await database.transaction(system, (client) => client.query<{ at: Date | null }>('SELECT max(received_at) AS at FROM report'))
    const now = Math.max(Date.now(), last.rows[0]?.at?.getTime() ?? 0)
    return Math.ceil(now / 60_000) * 60_000
  } finally {
    await owner.end()
    await database.end()
  }
}

function readScript(plan: Plan, stations: readonly WatchedStation[], startAt: number): Script {
  if (plan.script === undefined) return makeScript(plan.seed, stations, { startAt, hours: plan.hours, disturbances: 3, devicesPerStation: plan.devices })
  let json: unknown
  try {
    json = JSON.parse(readFileSync(resolve(plan.script), 'utf8'))
  } catch (error) {
    throw new CommandFailure(exits.rejected, `${plan.script} cannot be read: ${(error as Error).message}`)
  }
  const parsed = parseScript(json, stations, startAt)
  if (!parsed.ok) throw new CommandFailure(exits.rejected, `${plan.script}:\n${parsed.error.map((line) => `  ${line}`).join('\n')}`)
  return parsed.value
}

async function greet(app: App, clock: () => number, stations: readonly WatchedStation[], plan: Plan, script: Script): Promise<void> {
  const token = await loginToken(app.database, await addStaff(app.database, 'komdigi', 'Petugas jaga PMT'), clock())
  const first = stations[0]
  const phone = first === undefined ? '' : `?tps=${first.code}&kode=${stationCode(app.secret, first.code)}`
  if (plan.json && !plan.show) return
  process.stdout.write([
    '', 'Kawal Sinyal: rehearsal (gladi). Officers, faults and operators are simulated; everything else is real.', '',
    `  Console  ${app.url}/console/?masuk=${token}`, `  Sigmon   ${app.url}/sigmon/${phone}`, `  API      ${app.url}/docs`, '',
    `  ${stations.length.toLocaleString('en')} stations, ${plan.devices} devices each, ${script.disturbances.length} faults to find, seed ${plan.seed}, ${plan.speed === 0 ? 'as fast as it goes' : `${plan.speed} times faster than the clock on the wall`}. Ctrl-C stops all of it.`, '', '',
  ].join('\n'))
}

function progressLines(plan: Plan, say: (line: string) => void): (share: number) => void {
  let told = 0
  return (share) => {
    const step = Math.floor(share * progress_steps)
    if (step <= told || plan.show) return
    told = step
    say(`${step * progress_steps} % of the rehearsed day`)
  }
}

function report(result: RehearsalResult, plan: Plan): void {
  const { score } = result
  if (plan.json) return void process.stdout.write(JSON.stringify({ seed: plan.seed, ...result }) + '\n')
  const detect = score.minutesToDetect.map((minutes) => minutes.toLocaleString('en', { maximumFractionDigits: 1 })).join(', ')
  process.stdout.write([
    '', `Faults in the script ${score.found + score.missed}, found ${score.found}, found that were none ${score.falseFound}; minutes to find: ${detect}.`,
    `Tickets ${result.tickets}, closed by measurement ${result.closedByMeasurement}, reopened by measurement ${result.reopened}, still open ${result.stillOpen}.`,
    `Reports kept ${result.reports.accepted.toLocaleString('en')}, quarantined ${result.reports.quarantined}.`, '',
  ].join('\n'))
}

/** After the script the screens stay open on quiet air, until somebody stops it. */
async function stayOpen(app: App, clock: ReturnType<typeof steppedClock>, say: (line: string) => void): Promise<void> {
  say('The rehearsed day is over. The screens stay open until Ctrl-C.')
  await untilStopped(async () => {
    clock.set(clock() + 1000)
  }, (error) => say(String(error)))
  void app
}
