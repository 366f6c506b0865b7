import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import pg from 'pg'
import pino from 'pino'
import { evidenceBits } from '@kawal/core/detection/bits.ts'
import { sweep } from '@kawal/core/detection/detector.ts'
import { takeIn } from '@kawal/core/detection/intake.ts'
import { operatorIndex, startDetection } from '@kawal/core/detection/state.ts'
import { mix32 } from '@kawal/core/rehearsal/nation-chance.ts'
import { makeWorld, worldDefaults, type World } from '@kawal/core/rehearsal/nation.ts'
import { encodeBatch } from '@kawal/contract/compact.ts'
import { connect, migrate, type Database } from '@kawal/server/src/adapters/postgres/database.ts'
import { startEmbedded } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { startApp, type App } from '@kawal/server/src/app.ts'
import { firstDifference, readRecordedTurns, replay, type ReplayedTurn } from '@kawal/server/src/detection/replay.ts'
import { readSegments } from '@kawal/server/src/journal/read.ts'
import { deploymentSecret } from '@kawal/server/src/measurement/enrolment.ts'
import { importRegister } from '@kawal/server/src/register/import.ts'
import { loadMonitorStations, loadOrganisations, type WatchedStation } from '@kawal/server/src/register/lookup.ts'
import { steppedClock } from '@kawal/server/src/rehearsal/clock.ts'
import { addressOf, detectedOperator, enrolWorld, importBlocks, sampleOf, type WorldReport } from '@kawal/testkit/world-phones.ts'
import { readRegister } from '../detect/register.ts'
import { createComparison, type Comparison } from './compare.ts'
import { openLines } from './line.ts'

export interface WirePlan { readonly seed: number; readonly province: string; readonly startAt_s: number }

export interface WireResult {
  readonly devices: number
  readonly reports: number
  readonly inProcess: number
  readonly overHttp: number
  readonly mismatches: number
  readonly replayed: number
  readonly replay_s: number
  readonly replayMismatches: number
  /** What differs, a sentence each; the first few. */
  readonly told: readonly string[]
  readonly kinds: readonly string[]
}

const data = join(import.meta.dirname, '../../../shared/data/register')
const sweep_s = 30
const connections = 600
/** One batch of the compact form has one byte for the number of its samples. */
const batch_max = 23
/** Every kind that fits a province; about a seventh of what a nation of its size would have at its hardest. */
const happenings = { faults: 12, serverFailures: 2, ingestFailures: 2, crowds: 3 }
const register_date = '2024-01-01'

/** One day of a province over real connections, and the same day in process beside it. */
export async function runWireDay(plan: WirePlan, progress: (text: string) => void): Promise<WireResult> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-detect-wire-'))
  // What an acknowledgement is worth is another bench's: here the disk only has to keep pace.
  const server = await startEmbedded(folder, ['fsync=off', 'shared_buffers=64MB'])
  const owner = new pg.Pool({ connectionString: server.ownerUrl, max: 2 })
  try {
    await migrate(server.ownerUrl, 'bench')
    const register = await importProvince(owner, folder, plan.province)
    await importBlocks(owner)
    const world = makeWorld(register.places, { ...worldDefaults, ...happenings, seed: plan.seed, startAt_s: plan.startAt_s })
    const database = connect(server.ownerUrl, 'bench')
    try {
      const tokens = await enrolWorld(owner, await deploymentSecret(database), world, register.codes)
      const clock = steppedClock(plan.startAt_s * 1000)
      const app = await startApp({ ownerUrl: server.ownerUrl, appPassword: 'bench', clock, host: '127.0.0.1', port: 0, rehearsal: false, province: plan.province, trustProxy: ['127.0.0.1'], log: pino({ level: 'error' }, pino.destination(2)) })
      const stations = await loadMonitorStations(database, plan.province)
      const lived = await live({ plan, world, tokens, codes: register.codes, app, clock, stations, progress }).finally(() => app.stop())
      return await judge(database, plan, world, stations, lived)
    } finally {
      await database.end()
    }
  } finally {
    await owner.end()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @returns the province as the world takes it, and the codes of its stations in the world's order */
async function importProvince(owner: pg.Pool, folder: string, province: string): Promise<{ places: ReturnType<typeof readRegister>['places']; codes: string[] }> {
  const { places, stations } = readRegister([province])
  const files = mkdtempSync(join(folder, 'register-'))
  for (const name of ['regions.csv', 'villages.csv']) {
    const [head, ...lines] = gunzipSync(readFileSync(join(data, `${name}.gz`))).toString().split('\n')
    writeFileSync(join(files, name), [head, ...lines.filter((line) => line.startsWith(province)), ''].join('\n'))
  }
  const { stations: count } = await importRegister(owner, { directory: files, date: register_date, issuesFile: join(folder, 'issues.csv'), now: () => Date.parse(register_date) })
  if (count !== stations.length) throw new Error(`the register of province ${province} has ${stations.length} stations, and ${count} were imported`)
  return { places, codes: stations.map(({ code }) => code) }
}

interface Living {
  readonly plan: WirePlan
  readonly world: World
  readonly tokens: readonly string[]
  readonly codes: readonly string[]
  readonly app: App
  readonly clock: ReturnType<typeof steppedClock>
  readonly stations: readonly WatchedStation[]
  readonly progress: (text: string) => void
}
interface Lived { readonly comparison: Comparison; readonly reports: number; readonly mark: number; readonly told: readonly string[] }

/** An order-free sum of all that detection is told, so that what is stored can be held against what was sent. */
const markOf = (device: number, sequence: number, eventAt_s: number, receivedAt_s: number, dueAt_s: number, bits: number): number =>
  mix32(mix32(mix32(mix32(mix32(mix32(device) ^ sequence) ^ eventAt_s) ^ receivedAt_s) ^ dueAt_s) ^ bits)

async function live({ plan, world, tokens, codes, app, clock, stations, progress }: Living): Promise<Lived> {
  const state = startDetection(stations)
  const operators = world.operators.map((operator) => operatorIndex(state, detectedOperator(operator)))
  const numbers = codes.map((code) => state.stationIndex.get(code) ?? NaN)
  const requests = createRequests(world, tokens, codes)
  const lines = await openLines(Number(new URL(app.url).port), connections)
  const comparison = createComparison(clock().toString(36), (id) => app.monitor.disturbance(id))
  const sequences = new Int32Array(world.devices)
  const end_s = plan.startAt_s + worldDefaults.hours * 3600
  const began = performance.now()
  let [reports, mark] = [0, 0]
  for (let now_s = plan.startAt_s + 1; now_s <= end_s; now_s++) {
    const mail = new Map<number, WorldReport[]>()
    world.advance(now_s, (device, eventAt_s, receivedAt_s, dueAt_s, bits) => {
      if (receivedAt_s !== now_s) throw new Error(`the world hands out at ${now_s} what came at ${receivedAt_s}`)
      const sequence = (sequences[device] = (sequences[device] ?? 0) + 1)
      takeIn(state, device + 1, numbers[world.station[device] ?? -1] ?? NaN, operators[world.operator[device] ?? -1] ?? NaN, eventAt_s, receivedAt_s, dueAt_s, bits)
      mark = (mark + markOf(device + 1, sequence, eventAt_s, receivedAt_s, dueAt_s, bits)) | 0
      reports++
      const own = mail.get(device) ?? []
      mail.set(device, own)
      own.push({ sequence, operator: world.operator[device] ?? 0, eventAt_s, dueAt_s, bits })
    })
    clock.set(now_s * 1000)
    for (const [device, own] of mail) for (let from = 0; from < own.length; from += batch_max) {
      const batch = own.slice(from, from + batch_max)
      await lines.send(requests(device, batch), batch.length)
      // the phone's own order is kept
      if (own.length > batch_max) await lines.answered()
    }
    await lines.come()
    if ((now_s - plan.startAt_s) % sweep_s !== 0) continue
    await Promise.all([lines.answered(), app.ingestIdle()])
    const findings = sweep(state, now_s * 1000)
    await app.sweep(now_s * 1000)
    comparison.note(findings, now_s * 1000)
    if ((now_s - plan.startAt_s) % 3600 === 0) progress(`seed ${plan.seed} ${(now_s - plan.startAt_s) / 3600 + 7}:00 ${reports} reports, ${lines.answers()} requests, ${comparison.count()} events, ${((performance.now() - began) / 1000).toFixed(0)} s`)
  }
  lines.close()
  return { comparison, reports, mark, told: requests.told }
}

/** Requests as a proxy in front passes them on. */
function createRequests(world: World, tokens: readonly string[], codes: readonly string[]) {
  const told: string[] = []
  const make = (device: number, reports: readonly WorldReport[]): Buffer => {
    const operator = world.operators[world.operator[device] ?? -1] ?? ''
    const samples = reports.map((report) => {
      const sample = sampleOf(report)
      const bits = evidenceBits(sample, operator === 'other' ? null : operator)
      if (bits !== report.bits) told.push(`a sample says ${bits.toString(2)} for ${report.bits.toString(2)}`)
      return sample
    })
    const body = encodeBatch({ station: codes[world.station[device] ?? -1] ?? '', samples })
    const head = `POST /v1/reports HTTP/1.1\r\nHost: kawal\r\nAuthorization: Bearer ${tokens[device]}\r\nX-Forwarded-For: ${addressOf(operator)}\r\nContent-Type: application/cbor\r\nContent-Length: ${body.length}\r\n\r\n`
    return Buffer.concat([Buffer.from(head, 'latin1'), body])
  }
  return Object.assign(make, { told })
}

async function judge(database: Database, plan: WirePlan, world: World, stations: readonly WatchedStation[], lived: Lived): Promise<WireResult> {
  const [from, to] = [plan.startAt_s * 1000, (plan.startAt_s + worldDefaults.hours * 3600) * 1000 + 1]
  const recorded = await readRecordedTurns(database, from, to)
  const told = [...lived.told, ...lived.comparison.against(recorded), ...(await storedApart(database, lived))]
  const replayed: ReplayedTurn[] = []
  const began = performance.now()
  for await (const turn of replay(database, { stations, organisations: await loadOrganisations(database), areaName: (code) => code, from, to, told: (remark) => told.push(remark) })) replayed.push(turn)
  const replay_s = (performance.now() - began) / 1000
  const difference = firstDifference(replayed, recorded)
  return {
    devices: world.devices, reports: lived.reports, inProcess: lived.comparison.count(), overHttp: recorded.length, mismatches: told.length, replayed: replayed.length, replay_s, replayMismatches: difference === null ? 0 : 1,
    told: [...told, ...(difference === null ? [] : [`the replay differs: ${JSON.stringify(difference).slice(0, 2_000)}`])].slice(0, 10), kinds: [...new Set(world.faults.map(({ kind }) => kind))].sort(),
  }
}

async function storedApart(database: Database, { reports, mark }: Lived): Promise<string[]> {
  let [count, stored] = [0, 0]
  for await (const { count: some, device, sequence, eventAt, receivedAt, dueAt, bits } of readSegments(database)) {
    for (let i = 0; i < some; i++) stored = (stored + markOf(device[i] ?? 0, sequence[i] ?? 0, (eventAt[i] ?? 0) / 1000, (receivedAt[i] ?? 0) / 1000, (dueAt[i] ?? 0) / 1000, bits[i] ?? 0)) | 0
    count += some
  }
  return [...(count === reports ? [] : [`${reports} reports were sent and ${count} are stored`]), ...(stored === mark ? [] : ['what is stored is not what was sent, at its second'])]
}
