import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { migrate } from '@kawal/server/src/adapters/postgres/database.ts'
import { startEmbedded } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { importRegister, type ImportOutcome } from '@kawal/server/src/register/import.ts'
import { showProgress } from '@kawal/server/src/register/progress.ts'
import { Missing } from './missing.ts'

const register = join(import.meta.dirname, '../../shared/data/register')
const date = '2024-02-14'

/** The importing process alone, so that its peak is nobody else's. */
async function child(ownerUrl: string, issuesFile: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: ownerUrl, max: 1 })
  const outcome = await importRegister(pool, { directory: register, date, issuesFile, now: Date.now, progress: showProgress(process.stderr) })
  await pool.end()
  process.stdout.write(JSON.stringify({ ...outcome, peak_mb: process.resourceUsage().maxRSS / 1024 }) + '\n')
}

async function inChild(ownerUrl: string, issuesFile: string): Promise<ImportOutcome & { peak_mb: number; wall_s: number }> {
  const started = performance.now()
  const importer = spawn(process.execPath, [import.meta.filename, ownerUrl, issuesFile], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  importer.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const code = await new Promise<number | null>((resolve) => importer.once('close', resolve))
  if (code !== 0) throw new Error(`the importing process ended with ${code}`)
  return { ...(JSON.parse(text) as ImportOutcome & { peak_mb: number }), wall_s: (performance.now() - started) / 1000 }
}

/** The national register into a fresh embedded database, then once more: seconds are of the whole process. */
export async function run(): Promise<{ ok: boolean; figures: Record<string, number>; seed: number }> {
  if (!existsSync(register)) throw new Missing(`The national register is missing: ${register} is not there.`)
  const folder = mkdtempSync(join(tmpdir(), 'kawal-bench-'))
  const server = await startEmbedded(folder)
  try {
    await migrate(server.ownerUrl, 'bench')
    const first = await inChild(server.ownerUrl, join(folder, 'register-issues.csv'))
    const second = await inChild(server.ownerUrl, join(folder, 'register-issues.csv'))
    const figures = {
      stations: first.stations, villages: first.villages, warnings_listed: first.warnings_listed, seconds: Math.round(first.wall_s * 100) / 100,
      // rows written: every region and every station
      rows_per_s: Math.round(first.changes / first.wall_s), peak_mb: Math.round(Math.max(first.peak_mb, second.peak_mb)), reimport_changes: second.changes,
    }
    const ok = figures.stations === 820_161 && figures.villages === 83_731 && figures.seconds <= 20 && figures.peak_mb <= 600 && figures.reimport_changes === 0
    return { ok, figures, seed: 0 }
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === import.meta.filename) await child(process.argv[2] ?? '', process.argv[3] ?? '')
