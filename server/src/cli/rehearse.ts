import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import pino from 'pino'
import { contestOn, impactDefaults } from '@kawal/core/impact/defaults.ts'
import { makeScript, parseScript, type Script } from '@kawal/core/rehearsal/script.ts'
import { startApp, type App } from '../app.ts'
import { freePort } from '../adapters/postgres/embedded.ts'
import { claimUse } from '../claim-use.ts'
import { connect, migrate, ownerPool, system, type Database } from '../adapters/postgres/database.ts'
import { addStaff, loginToken } from '../organisation/sessions.ts'
import { stationCode } from '../measurement/enrolment.ts'
import { loadMonitorStations, type WatchedStation } from '../register/lookup.ts'
import { loadSynthetic } from '../register/synthetic.ts'
import { loadSyntheticPlanning } from '../rehearsal/planning.ts'
import { settingsDefaults } from '../sigmon/settings.ts'
import { nearest } from '../rehearsal/nearest.ts'
import { rehearsed_ceiling, rehearsed_pairs, startReceiver, startRecaps } from '../rehearsal/recaps.ts'
import { steppedClock } from '../rehearsal/clock.ts'
import { rehearseWitness } from '../rehearsal/witness.ts'
import { runRehearsal, type RehearsalResult } from '../rehearsal/run.ts'
import { listLive } from '../ticket/desk.ts'
import { listTickets } from '../ticket/list.ts'
import { command } from '../ticket/tickets.ts'
import { openDatabase, type OpenDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import { onInterrupt } from './interrupt.ts'
import { numberOption, portOption, type Options } from './options.ts'

const default_province = '75'
const show_speed = 40
const progress_steps = 10
const tickets_max = 1_000_000

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
export async function rehearse(options: Options): Promise<void> {
  const show = options['show'] !== undefined
  const plan: Plan = {
    seed: numberOption(options, 'seed'), hours: numberOption(options, 'hours', 48), stations: numberOption(options, 'stations'), devices: numberOption(options, 'devices', 7), port: portOption(options),
    province: options['province'] ?? default_province, speed: options['speed'] === undefined ? (show ? show_speed : 0) : numberOption(options, 'speed'),
    show, json: options['json'] !== undefined, script: options['script'],
  }
  const say = (line: string): void => void process.stderr.write(line + '\n')
  const database = await openDatabase(options['data'] ?? '.kawal')
  let stop = false
  onInterrupt(() => {
    stop = true
    say('Stopping.')
  })
  try {
    const startAt = await prepare(database, plan, say)
    const clock = steppedClock(startAt)
    const data = resolve(options['data'] ?? '.kawal')
    // Nobody looks at recaps where nothing is shown.
    const receiver = show ? await startReceiver() : null
    const log = pino({ level: process.env['LOG_LEVEL'] ?? 'warn' }, pino.destination(2))
    const witness = show ? await rehearseWitness(join(data, 'witness'), await freePort(), clock, log) : null
    const app = await startApp({
      ownerUrl: database.ownerUrl, appPassword: database.appPassword, clock, wallClock: Date.now, host: '127.0.0.1', port: plan.port, rehearsal: true, province: plan.province,
      sigmon: { ...settingsDefaults, helpLines: [{ name: 'Posko gladi (nomor contoh)', kind: 'tel', number: '00000' }], forms: [{ contest: 'ppwp', version: '1', title: 'Presiden dan Wakil Presiden', votersMax: rehearsed_ceiling, pages: 3, ballot: rehearsed_pairs }] },
      ...(receiver === null || witness === null ? {} : { recaps: { folder: join(data, 'ledger'), photos: join(data, 'photos'), origin: 'gladi.kawal.example/ledger', receiver: { url: receiver.url }, witnesses: witness.policy }, acts: { folder: join(data, 'acts'), origin: 'gladi.kawal.example/acts', startedBy: null, witnesses: witness.policy } }),
      callbackHosts: ['127.0.0.1', '[::1]', 'localhost'], stationDevices_max: Infinity, impact: { ...impactDefaults, contests: [contestOn(new Date(startAt).toISOString().slice(0, 10), 'gladi')] },
      log,
    })
    const seeing = await witness?.begin(app.url)
    try {
      const stations = nearest(await loadMonitorStations(app.database, plan.province), plan.stations)
      const script = readScript(plan, stations, startAt)
      await greet(app, clock, stations, plan, script)
      const result = await runRehearsal({
        app, clock, script, stations, seed: plan.seed, devicesPerStation: plan.devices, speed: plan.speed,
        readTickets: async () => (await listLive(app.database, clock, system)).filter((ticket) => Date.parse(ticket.openedAt) >= startAt), told: say, progress: progressLines(plan, say), stopped: () => stop,
        ...(show ? { beside: startRecaps({ app, stations, seed: plan.seed, startAt }).turn, over: (done: RehearsalResult) => {
          report(done, plan)
          say('The rehearsed day is over. The officers go on reporting, and the screens stay open, until Ctrl-C.')
        } } : {}),
      })
      if (!show && !stop) report(result, plan)
    } finally {
      await app.stop()
      await seeing?.stop()
      await receiver?.stop()
    }
  } finally {
    await database.stop()
  }
  if (stop && !plan.show) process.exitCode = exits.interrupted
}

/**
 * A register to rehearse on, and when the rehearsed day begins: today, or after what an earlier
 * rehearsal on this database had reached.
 */
async function prepare(server: OpenDatabase, plan: Plan, say: (line: string) => void): Promise<number> {
  await migrate(server.ownerUrl, server.appPassword)
  const owner = ownerPool(server.ownerUrl)
  const database = connect(server.ownerUrl, server.appPassword)
  try {
    await claimUse(database, 'rehearsal')
    const { rows } = await owner.query<{ any: boolean }>("SELECT EXISTS (SELECT FROM station_now WHERE code LIKE $1 || '%') AS any", [plan.province])
    if (rows[0]?.any !== true) {
      say(`No register for province ${plan.province}: making one from idn-area-data, with positions marked synthetic.`)
      await loadSynthetic(owner, plan.province, 1)
    }
    if (plan.show && (await loadSyntheticPlanning(owner, plan.province, 1, Date.now()))) say('Claims, measurements, schools and access points are made up too: an edition of the atlas and a plan are ready to look at.')
    await endEarlier(database, say)
    const last = await database.transaction(system, (client) => client.query<{ at: Date | null }>('SELECT max(received_to) AS at FROM segment'))
    const now = Math.max(Date.now(), last.rows[0]?.at?.getTime() ?? 0)
    return Math.ceil(now / 60_000) * 60_000
  } finally {
    await owner.end()
    await database.end()
  }
}

/** What a rehearsal that was stopped half way left open is cancelled, not closed: nobody measured it. */
async function endEarlier(database: Database, say: (line: string) => void): Promise<void> {
  const now = Date.now()
  const watch = { organisation: 'komdigi', role: 'duty_officer' }
  const { tickets } = await listTickets({ database, clock: () => now }, watch, { statuses: ['submitted', 'acknowledged', 'inProgress', 'pending', 'resolved', 'reopened'], offset: 0, limit: tickets_max })
  for (const ticket of tickets) {
    const done = await command({ database, clock: () => Math.max(now, ticket.updatedAt) }, watch, ticket.id, { kind: 'cancel', reason: 'the rehearsal was stopped before its end' })
    if (!done.ok) say(`${ticket.id} stays open: ${done.error}`)
  }
  await database.transaction(system, (client) =>
    client.query(`UPDATE disturbance SET ended_at = found_at, state = state || jsonb_build_object('stage', 'ended', 'endedAt', coalesce(nullif(state->'foundAt', 'null'), state->'suspectedAt')) WHERE ended_at IS NULL`))
  if (tickets.length > 0) say(`${tickets.length} tickets of an earlier rehearsal were cancelled.`)
}

function readScript(plan: Plan, stations: readonly WatchedStation[], startAt: number): Script {
  if (plan.script === undefined) return makeScript(plan.seed, stations, { startAt, hours: plan.hours, disturbances: 3, devicesPerStation: plan.devices })
  let json: unknown
  try {
    json = JSON.parse(readFileSync(resolve(plan.script), 'utf8'))
  } catch (error) {
    throw new CommandFailure(exits.rejected, `${plan.script} cannot be read: ${(error as Error).message}`)
  }
  const parsed = parseScript(json, stations, startAt, plan.hours)
  if (!parsed.ok) throw new CommandFailure(exits.rejected, `${plan.script}:\n${parsed.error.map((line) => `  ${line}`).join('\n')}`)
  return parsed.value
}

async function greet(app: App, clock: () => number, stations: readonly WatchedStation[], plan: Plan, script: Script): Promise<void> {
  const token = await loginToken(app.database, await addStaff(app.database, 'komdigi', 'Petugas jaga PMT'), clock())
  const planner = await loginToken(app.database, await addStaff(app.database, 'kpu', 'Perencana KPU'), clock())
  const auditor = await loginToken(app.database, await addStaff(app.database, 'bawaslu', 'Pengawas Bawaslu'), clock())
  const first = stations[0]
  const phone = first === undefined ? '' : `?tps=${first.code}&kode=${stationCode(app.secret, first.code)}`
  if (plan.json && !plan.show) return
  process.stdout.write([
    '', 'Kawal Sinyal: rehearsal (gladi). Officers, faults and operators are simulated; everything else is real.', '',
    `  Console  ${app.url}/console/?masuk=${token}`, ...(plan.show ? [`  Planning ${app.url}/console/?masuk=${planner} (as KPU, in another browser)`, `  Audit    ${app.url}/console/?tampil=pengawasan&masuk=${auditor} (as Bawaslu, in another)`, `  Verify   ${app.url}/verify/ (a receipt, a QR or a file, by anybody)`] : []), `  Sigmon   ${app.url}/sigmon/${phone}`, `  API      ${app.url}/docs`, '',
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
