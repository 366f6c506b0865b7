import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { withDatabase } from '@kawal/testkit/postgres.ts'
import { loadSynthetic } from '../register/synthetic.ts'
import { loadSyntheticPlanning } from '../rehearsal/planning.ts'

const program = join(import.meta.dirname, 'kawal.ts')

test('kawal plan: what it needs is said; a table for people, JSON for programs, settings from a file', async (t) => {
  const kit = await withDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'kawal-plan-cli-'))
  const pool = new pg.Pool({ connectionString: kit.ownerUrl, max: 2 })
  t.after(async () => {
    await pool.end()
    await kit.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'plan', ...args], { encoding: 'utf8', env: { ...process.env, DATABASE_URL: kit.ownerUrl } })
    return { status, stdout, stderr }
  }
  const settings = (value: unknown): string => {
    const file = join(folder, 'settings.json')
    writeFileSync(file, JSON.stringify(value))
    return file
  }
  assert.deepEqual([run().status, /kawal atlas publish/.test(run().stderr)], [3, true])
  await loadSynthetic(pool, '75', 1)
  await loadSyntheticPlanning(pool, '75', 1, Date.now())

  const people = run()
  assert.equal(people.status, 0, people.stderr)
  assert.match(people.stdout, /^plan \d+ for \d{4}-\d\d-\d\d from edition [0-9a-f]{12}: indosat, telkomsel, xlsmart; /)
  assert.match(people.stdout, /\n75 GORONTALO .* 2737\nall .* 2737\n/i)
  assert.match(people.stdout, /blank \d+, of which \d+ have an access point; better venues for \d+\n$/)
  assert.match(people.stderr, /% judging every station/)

  const json = JSON.parse(run('--json').stdout) as { summary: { blank: number; assigned: number }; flow_optimal: boolean }
  assert.equal(json.flow_optimal, true)
  const nearer = JSON.parse(run('--json', '--config', settings({ access: { travel_min_max: 20 } })).stdout) as typeof json
  assert.ok(nearer.summary.blank === json.summary.blank && nearer.summary.assigned < json.summary.assigned, JSON.stringify([json.summary.assigned, nearer.summary.assigned]))
  for (const [config, said] of [[{ acces: {} }, /there is no setting acces\. There are: thresholds, access/], [{ access: { candidates: 'many' } }, /access\.candidates takes what 12 is/], [{ report_days: -1 }, /from 0 on/]] as const) {
    const refused = run('--config', settings(config))
    assert.equal(refused.status, 2)
    assert.match(refused.stderr, said)
  }
  assert.match(run('--date', '2028-02-30').stderr, /no calendar date/)
  assert.match(run('--province', 'Bali').stderr, /two digits/)
})
