import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import pino from 'pino'
import { makeScript } from '@kawal/core/rehearsal/script.ts'
import { connect, migrate, system } from '@kawal/server/src/adapters/postgres/database.ts'
import { startEmbedded } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { startApp } from '@kawal/server/src/app.ts'
import { loadMonitorStations } from '@kawal/server/src/register/lookup.ts'
import { loadSynthetic } from '@kawal/server/src/register/synthetic.ts'
import { steppedClock } from '@kawal/server/src/rehearsal/clock.ts'
import { nearest } from '@kawal/server/src/rehearsal/nearest.ts'
import { runRehearsal, type RehearsalResult } from '@kawal/server/src/rehearsal/run.ts'
import type { LiveTicket } from '@kawal/contract/live.ts'
import { defaultVerification } from '@kawal/core/ticket/verification.ts'
import { listLive } from '@kawal/server/src/ticket/desk.ts'

const province = '75'
const stations_max = 600
const hours = 3
const seeds = 20
const replayed_seeds = 4
const start_at = Date.UTC(2029, 1, 14, 0, 0)

const minute_ms = 60_000
/** One verification window, and the sweep that finds it over. */
const back_minutes_max = defaultVerification.verify_ms / minute_ms + 0.5

interface Day extends RehearsalResult {
  /** Of each false word the minutes until its ticket was open again; null where it was not. */
  readonly back: readonly (number | null)[]
}

/** The whole loop over real HTTP, 20 seeds of three faults each; four of them twice, which must be identical. */
export async function run(): Promise<{ ok: boolean; figures: Record<string, number>; seed: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-loop-'))
  const server = await startEmbedded(folder)
  try {
    await template(server.ownerUrl)
    const results: Day[] = []
    for (let seed = 1; seed <= seeds; seed++) {
      results.push(await one(server.ownerUrl, seed, `loop_${seed}`))
      const { score } = results.at(-1) as Day
      process.stderr.write(`seed ${seed}: found ${score.found} of ${score.found + score.missed}, false ${score.falseFound}, minutes ${score.minutesToDetect.map((each) => each.toFixed(1)).join(' ')}${score.missedFaults.length > 0 ? `; missed ${score.missedFaults.join(', ')}` : ''}\n`)
    }
    let identical = 1
    for (let seed = 1; seed <= replayed_seeds; seed++)
      if ((await one(server.ownerUrl, seed, `again_${seed}`)).digest !== results[seed - 1]?.digest) identical = 0
    return conclude(results, identical)
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function template(ownerUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: ownerUrl })
  await admin.connect()
  await admin.query('CREATE DATABASE loop_template')
  await admin.end()
  const url = named(ownerUrl, 'loop_template')
  await migrate(url, 'loop')
  const pool = new pg.Pool({ connectionString: url })
  await loadSynthetic(pool, province, 1)
  await pool.end()
}

function named(ownerUrl: string, name: string): string {
  const url = new URL(ownerUrl)
  url.pathname = `/${name}`
  return url.href
}

async function one(ownerUrl: string, seed: number, name: string): Promise<Day> {
  const admin = new pg.Client({ connectionString: ownerUrl })
  await admin.connect()
  await admin.query(`CREATE DATABASE ${name} TEMPLATE loop_template`)
  const url = named(ownerUrl, name)
  const clock = steppedClock(start_at)
  const app = await startApp({ ownerUrl: url, appPassword: 'loop', clock, host: '127.0.0.1', port: 0, rehearsal: true, province, log: pino({ level: 'error' }, pino.destination(2)) })
  const reader = connect(url, 'loop', 2)
  try {
    const stations = nearest(await loadMonitorStations(app.database, province), stations_max)
    const script = makeScript(seed, stations, { startAt: start_at, hours, disturbances: 3, devicesPerStation: 2 })
    const readTickets = (): Promise<LiveTicket[]> => listLive(reader, clock, system)
    const result = await runRehearsal({
      app, clock, script, stations, seed, devicesPerStation: 2, speed: 0, readTickets, told: () => undefined, progress: () => undefined, stopped: () => false,
    })
    return { ...result, back: backOf(result.falseClaims, await readTickets()) }
  } finally {
    await reader.end()
    await app.stop()
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await admin.end()
  }
}

/** What became of false words, by the history of each ticket. A ticket that went on within another one has no word any more. */
function backOf(claims: RehearsalResult['falseClaims'], tickets: readonly LiveTicket[]): (number | null)[] {
  return claims.flatMap(({ ticket, at }) => {
    const next = tickets.find(({ id }) => id === ticket)?.history.find((entry) => Date.parse(entry.at) >= at && ['reopened', 'closed', 'cancelled'].includes(entry.kind))
    if (next?.kind === 'cancelled') return []
    return [next?.kind === 'reopened' ? (Date.parse(next.at) - at) / minute_ms : null]
  })
}

function conclude(results: readonly Day[], identical: number): { ok: boolean; figures: Record<string, number>; seed: number } {
  const sum = (pick: (each: Day) => number): number => results.reduce((total, each) => total + pick(each), 0)
  const found = sum((each) => each.score.found)
  const disturbances = found + sum((each) => each.score.missed)
  const minutes = results.flatMap((each) => [...each.score.minutesToDetect]).sort((a, b) => a - b)
  const tickets = sum((each) => each.tickets)
  const back = results.flatMap((each) => each.back)
  const cameBack = back.filter((minutes) => minutes !== null)
  const figures = {
    seeds: results.length, disturbances, found_share: found / disturbances, false_found: sum((each) => each.score.falseFound), still_open: sum((each) => each.stillOpen),
    minutes_to_detect_median: minutes[minutes.length >> 1] ?? NaN, tickets, closed_by_measurement_share: sum((each) => each.closedByMeasurement) / tickets,
    replay_identical: identical, reopened: sum((each) => each.reopened), reports: sum((each) => each.reports.accepted), cause_right_share: sum((each) => each.score.causeRight) / found,
    false_resolved: back.length, false_resolved_back_share: back.length === 0 ? 0 : cameBack.length / back.length, back_minutes_max: Math.max(0, ...cameBack),
  }
  const ok = figures.seeds >= 20 && figures.disturbances >= 60 && figures.found_share >= 0.9 && figures.false_found <= 3 && figures.still_open === 0 &&
    figures.minutes_to_detect_median <= 5 && figures.closed_by_measurement_share >= 0.9 && figures.replay_identical === 1 &&
    figures.false_resolved > 0 && figures.false_resolved_back_share === 1 && figures.back_minutes_max <= back_minutes_max
  return { ok, figures, seed: 1 }
}
