import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { seeded } from '@kawal/core/kernel/random.ts'
import type { Fault } from '@kawal/testkit/fault-proxy.ts'
import { startMeasuring, type Line, type Measuring } from './measuring.ts'

const platforms: Partial<Record<'plain' | 'tls', Measuring>> = {}
before(async () => {
  platforms.plain = await startMeasuring()
  platforms.tls = await startMeasuring({ tls: true })
})
after(async () => {
  for (const each of Object.values(platforms)) await each.close()
})
const openLine = (over: 'plain' | 'tls'): Promise<Line> => (platforms[over] as Measuring).line()

const daily_bytes = 600_000
/** A phone's network has round trips: what fails sooner has not met anybody. */
const late = { delay_ms: 10 }
const faults: readonly Fault[] = [
  late, late, late, { delay_ms: 20 }, { ...late, rate_kbps: 512 }, { ...late, rate_kbps: 4_000 }, { mode: 'refuse' }, { mode: 'blackhole' }, { mode: 'cut' }, { ...late, mode: 'portal' },
  { ...late, mode: 'status', status: 503 }, { ...late, lose_share: 0.3, lose: 'cut', seed: 7 }, { ...late, lose_share: 0.3, lose: 'stall', seed: 8 }, { ...late, dropAfter_bytes: 20_000 },
]
const proxies = (line: Line) => [line.platform, line.internet.proxy, line.election.proxy]
const bytesOf = (line: Line): number => proxies(line).reduce((sum, proxy) => sum + proxy.bytes().up + proxy.bytes().down, 0)

/** Set to find the guard's own bounds: many seeds, at leisure. */
const seeds = Array.from({ length: Number(process.env['BUDGET_SEEDS'] ?? 1) }, (_, i) => i + 1)
for (const [over, seed] of seeds.flatMap((each) => [['plain', each], ['tls', each]] as const)) {
  test(`what measuring costs at the socket never passes the limit of a day, and is never told too low (${over}, seed ${seed})`, { timeout: 120_000 }, async (t) => {
    const random = seeded(seed)
    const any = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
    const line = await openLine(over)
    t.after(() => line.close())
    for (const proxy of proxies(line)) proxy.resetBytes()
    const refused: string[] = []
    let tests = 0
    let [steps, told] = [0, 0]
    for (; steps < 60 && refused.length < 6; steps++) {
      const fault = any(faults)
      for (const proxy of proxies(line)) await proxy.set(random() < 0.7 ? fault : late)
      const answers = fault === late || fault.dropAfter_bytes !== undefined || fault.mode === 'portal'
      const asked = any([{ full: true }, answers ? { kind: 'full-test' as const, fullTestBytes: 100_000 } : { full: true }, { full: false }, { kind: 'routine' as const, reach: true }, { kind: 'routine' as const }])
      const done = await line.run({ ...asked, daily: daily_bytes, deadlineMs: 2_500, pings: 5 })
      if (done.refused === 'limit') refused.push(done.refused)
      told += done.bytes
      if ('kind' in asked && asked.kind === 'full-test' && done.bytes > 0) tests++
      const { today } = await line.spent()
      const real = bytesOf(line)
      assert.equal(today, told, 'every check tells what it took off')
      assert.ok(real <= today, `${real} bytes at the socket, ${today} in the budget, after step ${steps}: ${JSON.stringify({ asked, fault, bytes: done.bytes })}`)
      assert.ok(today <= daily_bytes, `${today} bytes of ${daily_bytes}`)
    }
    const { today } = await line.spent()
    t.diagnostic(`${steps} checks and probes, ${tests} full tests begun: ${bytesOf(line)} bytes at the socket, ${today} in the budget of ${daily_bytes}, ${refused.length} refused`)
    assert.ok(refused.length >= 6, 'the limit was come to, and told')
  })
}

test('each kind of check alone costs no more at the socket than it tells, and not much less', { timeout: 60_000 }, async (t) => {
  for (const over of ['plain', 'tls'] as const) {
    const line = await openLine(over)
    t.after(() => line.close())
    for (const kind of ['first', 'routine', 'routine', 'reach', 'light', 'full'] as const) {
      for (const proxy of proxies(line)) proxy.resetBytes()
      if (kind === 'first') await line.platform.set({ mode: 'cut' })
      await line.platform.set({})
      const { bytes, verdict } = await line.run(kind === 'reach' ? { kind: 'routine', reach: true } : kind === 'light' || kind === 'full' ? { full: kind === 'full' } : { kind: 'routine' })
      const { up, down } = line.platform.bytes()
      t.diagnostic(`${over} ${kind}: platform ${up} up, ${down} down; with the targets ${bytesOf(line)}; told ${bytes}`)
      assert.equal(verdict.advice, 'send')
      assert.ok(bytesOf(line) <= bytes, `${over} ${kind}: ${bytesOf(line)} bytes at the socket, told ${bytes}`)
    }
  }
})

test('a kept connection that has died in silence is not taken for a dead network', { timeout: 60_000 }, async (t) => {
  const line = await openLine('tls')
  t.after(() => line.close())
  await line.run({ kind: 'routine' })
  // the second time both connections are dead: the browser finds it out within ten seconds or so
  for (const kind of process.env['DEAD_TWICE'] === undefined ? (['check'] as const) : (['check', 'routine'] as const)) {
    await line.platform.set({ lose_share: 1, lose: 'stall' })
    await line.run({ kind: 'routine', deadlineMs: 500 })
    await line.platform.set({})
    const { reach, verdict, took_ms } = await line.run({ kind, lastServerTime: Date.now() })
    t.diagnostic(`${kind}: ${Math.round(took_ms)} ms`)
    assert.deepEqual([reach.platform, verdict.advice], ['ok', 'send'])
  }
})
