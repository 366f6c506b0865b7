import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { withDatabase } from '@kawal/testkit/postgres.ts'
import type { Sample } from '@kawal/contract/report.ts'
import { openIngest } from '../measurement/ingest.ts'
import { makeBatch } from '../measurement/measured.ts'
import { sort } from '../measurement/sort.ts'

const program = join(import.meta.dirname, 'kawal.ts')
const start = Date.UTC(2024, 1, 14, 2)
const sample = (sequence: number, at: number): Sample => ({
  sequence, eventAt: new Date(at).toISOString(), sim: '51010', access: 'cellular', accessPoint: null, technology: 'lte', radio: { source: 'modem', ageMs: 5, rsrpDbm: -97, rsrqDb: null, sinrDb: null, rssiDbm: null }, rttMs: [48.2, 50], timeouts: 0,
  downKbps: 5_200, upKbps: null, reach: { internet: 'ok', election: 'untested', platform: 'ok' }, charging: true, nextDueAt: null,
})

test('kawal reports: hours are listed, exported, archived and dropped; what was asked wrongly is said', async (t) => {
  const kit = await withDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'kawal-reports-'))
  t.after(async () => {
    await kit.close()
    rmSync(folder, { recursive: true })
  })
  let now = start
  const ingest = await openIngest({ database: kit.database, clock: () => now, interval_s: () => 300, operatorOfSim: () => 'telkomsel', failed: (error) => assert.fail(String(error)), kept: () => undefined })
  for (const [hour, station] of ['7501011001001', '7501011001002', '7501011001001'].entries()) {
    now = start + hour * 3_600_000
    const batch = makeBatch()
    const quarantined = sort([sample(hour + 1, now)], { receivedAt: now, sentAt: null }, batch)
    await new Promise<void>((resolve) => ingest.submit({ device: { id: 'x', key: 1, station }, batch, quarantined, arrival: { receivedAt: now, sentAt: null }, networkOperator: null }, () => resolve()))
  }
  await ingest.stop()
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', env: { ...process.env, DATABASE_URL: kit.ownerUrl } })
    return { status, stdout, stderr }
  }
  assert.match(run('reports', 'list').stdout, /^2024-02-14T02Z +1 reports .* MB\n2024-02-14T03Z +1 reports .*\n2024-02-14T04Z +1 reports .*\n$/)
  const one = run('reports', 'export', '--station', '7501011001001', '--from', '2024-02-14T11:00+08:00')
  assert.deepEqual([one.status, one.stdout.trimEnd().split('\n').slice(1), one.stderr], [0, ['7501011001001,1,3,2024-02-14T04:00:00.000Z,2024-02-14T04:00:00.000Z,0,telkomsel,telkomsel,,51010,cellular,,lte,modem,5,-97,,,,,48.2 50,0,5200,,ok,untested,ok,true,'], '1 rows\n'])
  const objects = run('--json', 'reports', 'export', '--to', '2024-02-14T03:30:00Z').stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { sequence: number; sample: Sample })
  assert.deepEqual(objects.map((each) => [each.sequence, each.sample.rttMs]), [[1, [48.2, 50]], [2, [48.2, 50]]])
  for (const [args, why] of [
    [['export', '--station', '75'], /13 digits/], [['export', '--from', '2024-02-14T03:30:00'], /with its offset/], [['archive', '--days', '1'], /--out/], [['drop'], /--days/], [['drop', '--days', 'x'], /--days takes a number/], [['burn'], /list, export, archive and drop/],
  ] as const) {
    const { status, stderr } = run('reports', ...args)
    assert.deepEqual([status, why.test(stderr)], [2, true], stderr)
  }
  const archived = run('--json', 'reports', 'archive', '--days', '1', '--out', join(folder, 'old'))
  assert.deepEqual([archived.status, (JSON.parse(archived.stdout) as { gone: unknown[] }).gone.length], [0, 3], archived.stderr)
  const files = readdirSync(join(folder, 'old'))
  assert.deepEqual(files, ['reports-20240214T02Z-1.csv.gz', 'reports-20240214T03Z-2.csv.gz', 'reports-20240214T04Z-3.csv.gz'])
  assert.equal(gunzipSync(readFileSync(join(folder, 'old', files[2] ?? ''))).toString(), one.stdout)
  assert.equal(run('reports', 'list').stdout, 'The journal holds no reports.\n')
  assert.equal(run('reports', 'drop', '--days', '1').stdout, 'No hour ended that long ago.\n')
})
