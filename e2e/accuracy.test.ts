import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { trueRun } from '@kawal/testkit/true-run.ts'
import { startMeasuring, type Line, type Measuring } from './measuring.ts'

let measuring: Measuring
let line: Line
before(async () => {
  measuring = await startMeasuring()
  line = await measuring.line()
})
after(async () => {
  await line.close()
  await measuring.close()
})

const off = (value: number | null, wanted: number): number => (value === null ? Infinity : value / wanted - 1)
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

test('round-trip times agree within 5 % with a delay that is injected below the browser', { timeout: 60_000 }, async (t) => {
  await line.platform.set({})
  await line.run({})
  for (const delay_ms of [25, 100, 300])
    await trueRun(async () => {
      await line.platform.set({})
      const base_ms = (await line.run({})).rttMedianMs ?? 0
      await line.platform.set({ delay_ms })
      const { rttMedianMs, rttMs } = await line.run({ pings: 4 })
      const error = off(rttMedianMs, 2 * delay_ms + base_ms)
      t.diagnostic(`${delay_ms} ms each way and ${base_ms} ms without: ${rttMedianMs} ms of ${rttMs.length}, off by ${percent(error)}`)
      assert.ok((rttMedianMs ?? 0) >= 2 * delay_ms && rttMs.length === 4, `${rttMedianMs} ms of ${rttMs.length} on a line of ${2 * delay_ms}`)
      return Math.abs(error) <= 0.05 ? null : `${rttMedianMs} ms instead of ${2 * delay_ms + base_ms}`
    })
})

test('throughput agrees within 10 % with a rate that is injected below the browser, and the upload is never told too high', { timeout: 90_000 }, async (t) => {
  for (const [rate_kbps, delay_ms] of [[256, 0], [1_000, 40], [4_000, 0]] as const) {
    await line.platform.set({ rate_kbps, delay_ms })
    await trueRun(async () => {
      const { downKbps, upKbps, upAtMostKbps, cut } = await line.run({ full: true, pings: 3 })
      const [down, up] = [off(downKbps, rate_kbps), off(upKbps, rate_kbps)]
      t.diagnostic(`${rate_kbps} kbit/s, ${delay_ms} ms each way: down ${downKbps} (${percent(down)}), up ${upKbps} (${percent(up)}), at most ${upAtMostKbps}, cut ${cut.join() || 'nothing'}`)
      assert.ok(upKbps === null || up <= 0.02, `up ${upKbps} is more than the line of ${rate_kbps} carries`)
      return Math.abs(down) <= 0.1 && Math.abs(up) <= 0.1 ? null : `down ${downKbps}, up ${upKbps} instead of ${rate_kbps}`
    })
  }
})

test('a full test agrees within 10 %, within its bytes, over the platform\'s own ndt7 server', { timeout: 90_000 }, async (t) => {
  await line.platform.set({ rate_kbps: 2_000, delay_ms: 10 })
  await trueRun(async () => {
    line.platform.resetBytes()
    const { downKbps, upKbps, bytes, refused } = await line.run({ kind: 'full-test', fullTestBytes: 1_000_000 })
    const real = line.platform.bytes().up + line.platform.bytes().down
    t.diagnostic(`2000 kbit/s: down ${downKbps}, up ${upKbps}; ${real} bytes at the socket, told ${bytes}`)
    assert.equal(refused, null)
    assert.ok(real <= 1_010_000 && real <= bytes, `${real} bytes`)
    assert.ok(upKbps === null || off(upKbps, 2_000) <= 0.02, `up ${upKbps}`)
    return Math.abs(off(downKbps, 2_000)) <= 0.1 && Math.abs(off(upKbps, 2_000)) <= 0.1 ? null : `down ${downKbps}, up ${upKbps}`
  })
})
