import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromium as playwright } from 'playwright-core'
import { freePort } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { fullPack, largestDistrict } from '@kawal/testkit/district.ts'
import { chromiumCommand } from '../e2e/browser.ts'
import { offlineMatrix } from '../e2e/offline-matrix.ts'
import { tableOf, verdictMatrix } from '../e2e/verdict-matrix.ts'
import { startRehearsal } from '../e2e/watch.ts'
import { Missing } from './missing.ts'
import { dutyBytes } from './sigmon-duty.ts'
import { initialBytes, lighthouseScores, startMs } from './sigmon-face.ts'

const dist = join(import.meta.dirname, '../sigmon/dist')
const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** The officers' app: what it weighs, how it opens, what it costs, and whether it says and keeps what it must. */
export async function run(): Promise<{ ok: boolean; figures: Record<string, number>; seed: number }> {
  if (!existsSync(dist)) throw new Missing('sigmon/dist is missing: node tools/setup.mjs builds it.')
  const district = largestDistrict()
  if (district === null) throw new Missing('The real register is missing: ../shared/data/register is not there.')
  const initial_js_gz_bytes = initialBytes(dist)
  const { bytes: pack_bytes } = await fullPack(district)
  say(`first script ${initial_js_gz_bytes} bytes; pack of district ${district.district} with ${district.stations} stations ${pack_bytes} bytes`)
  const opening = await openings()
  say(`start ${opening.start_ms_6x} ms; Lighthouse ${opening.lighthouse_performance}, ${opening.lighthouse_accessibility}, ${opening.lighthouse_best_practices}`)
  const duty = await dutyBytes()
  say(`twelve hours of duty: ${duty.duty_reports} reports, ${duty.duty_12h_bytes} bytes, ${duty.duty_connections} connections; a check ${duty.check_bytes} bytes`)
  const judged = await verdictMatrix()
  say(tableOf(judged))
  const offline = await offlineMatrix()
  for (const row of offline) say(`${row.name}: ${row.kept} kept, ${row.arrived} arrived, ${row.lost} lost, ${row.doubled} doubled`)
  const figures = {
    initial_js_gz_bytes, pack_bytes, pack_stations: district.stations, ...opening, ...duty,
    verdict_matrix_rows: judged.length, verdict_matrix_wrong: judged.filter((row) => row.wrong).length,
    offline_matrix_rows: offline.length, offline_matrix_kept: offline.reduce((sum, row) => sum + row.kept, 0),
    offline_matrix_lost: offline.reduce((sum, row) => sum + row.lost, 0), offline_matrix_doubled: offline.reduce((sum, row) => sum + row.doubled, 0),
  }
  return { ok: isWithin(figures), figures, seed: 1 }
}

const most = { initial_js_gz_bytes: 61_440, pack_bytes: 307_200, start_ms_6x: 1_000, duty_12h_bytes: 204_800, check_bytes: 256_000, verdict_matrix_wrong: 0, offline_matrix_lost: 0, offline_matrix_doubled: 0 } as const
const least = { lighthouse_performance: 95, lighthouse_accessibility: 95, lighthouse_best_practices: 95, duty_reports: 120, verdict_matrix_rows: 15, offline_matrix_rows: 7 } as const

function isWithin(figures: Readonly<Record<string, number>>): boolean {
  return Object.entries(most).every(([key, goal]) => (figures[key] ?? Infinity) <= goal) && Object.entries(least).every(([key, goal]) => (figures[key] ?? -Infinity) >= goal)
}

/** As `npm start` serves it, on loopback: browsers take that for a secure origin. */
async function openings() {
  const rehearsal = await startRehearsal(['--hours', '2', '--stations', '60', '--devices', '1'])
  const port = await freePort()
  const { path, args } = await chromiumCommand()
  const browser = await playwright.launch({ executablePath: path, args: [...args, `--remote-debugging-port=${port}`], headless: true })
  try {
    const url = `${rehearsal.origin}/sigmon/`
    return { start_ms_6x: await startMs(browser, url), ...(await lighthouseScores(url, port)) }
  } finally {
    await browser.close()
    await rehearsal.stop()
  }
}
