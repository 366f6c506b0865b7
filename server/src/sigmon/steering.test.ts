import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { decodeReceipt, encodeBatch } from '@kawal/contract/compact.ts'
import type { Sample } from '@kawal/contract/report.ts'
import type { SigmonConfig } from '@kawal/contract/sigmon.ts'
import { seedPlan, planned } from '@kawal/testkit/plan.ts'
import { withServer } from '@kawal/testkit/server.ts'
import { deviceToken } from '../measurement/enrolment.ts'
import { createSteering } from './steering.ts'

test('devices are slowed at once when reports wait long, and quickened only after ten minutes of calm', () => {
  let now = 0
  const told: number[] = []
  const load = createSteering({ clock: () => now, steer: (next) => told.push(next) })
  assert.deepEqual([load(0), load(4_999)], [1, 1])
  assert.deepEqual([load(5_000), load(11_000), load(3)], [2, 4, 4])
  now += 9 * 60_000
  assert.equal(load(10_000), 4)
  now += 9 * 60_000
  assert.equal(load(0), 4)
  now += 60_000
  assert.deepEqual([load(0), load(0)], [1, 1])
  assert.deepEqual([load(60_000), told], [8, [2, 4, 1, 8]])
})

test('while samples wait long for the disk, receipts and the configuration ask for fewer; after a calm both are as before', async (t) => {
  let now = Date.UTC(2029, 1, 14, 2)
  const server = await withServer(() => now, async ({ ownerUrl }) => {
    await seedPlan(ownerUrl)
    const client = new pg.Client({ connectionString: ownerUrl })
    await client.connect()
    await client.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
    await client.end()
  })
  const disk = new pg.Client({ connectionString: server.kit.ownerUrl })
  await disk.connect()
  t.after(async () => {
    await disk.end()
    await server.close()
  })
  const sample = (sequence: number): Sample => ({
    sequence, eventAt: new Date(now).toISOString(), sim: '51010', access: 'unknown', accessPoint: null, technology: null, radio: null, rttMs: [50], timeouts: 0, downKbps: null, upKbps: null,
    reach: { internet: 'untested', election: 'untested', platform: 'ok' }, charging: null, nextDueAt: null,
  })
  const report = async (key: number, samples: number): Promise<number> => {
    const station = planned.stations[key % 6] ?? ''
    const body = Buffer.from(encodeBatch({ station, samples: Array.from({ length: samples }, (_, at) => sample(at + 1)) }))
    const answer = await fetch(`${server.app.url}/v1/reports`, { method: 'POST', headers: { 'content-type': 'application/cbor', authorization: `Bearer ${deviceToken(server.app.secret, { id: String(key), key, station })}` }, body })
    const receipt = decodeReceipt(new Uint8Array(await answer.arrayBuffer()))
    return receipt.ok ? receipt.value.nextIntervalS : assert.fail(receipt.error)
  }
  const config = async (): Promise<SigmonConfig> => JSON.parse(Buffer.from((await (await fetch(`${server.app.url}/v1/sigmon/config`)).text()).split('.')[1] ?? '', 'base64url').toString()) as SigmonConfig
  const calm = await config()
  // nothing is written while the table is locked
  await disk.query('BEGIN; LOCK TABLE segment IN EXCLUSIVE MODE')
  const receipts = Array.from({ length: 24 }, (_, key) => report(key + 1, 500))
  const waitsFor = async (count: number): Promise<void> => {
    while (((await disk.query<{ waiting: number }>("SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted")).rows[0]?.waiting ?? 0) < count) continue
  }
  await waitsFor(1)
  // all of them are in the queue when a request that came behind them has been answered
  for (let asked = 0; asked < 200; asked++) await fetch(`${server.app.url}/healthz`)
  now += 6_000
  await disk.query('COMMIT')
  const asked_s = await Promise.all(receipts)
  assert.deepEqual(new Set(asked_s), new Set([600]), asked_s.join())
  const busy = await config()
  assert.deepEqual([calm.intervalS, busy.intervalS, busy.version > calm.version], [300, 600, true])
  now += 9 * 60_000
  assert.equal(await report(100, 1), 600)
  now += 60_000
  assert.equal(await report(101, 1), 300)
  const after = await config()
  assert.deepEqual([after.intervalS, after.version > busy.version], [300, true])
})
