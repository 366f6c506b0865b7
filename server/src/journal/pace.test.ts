import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createPace } from './pace.ts'

/** A pace by a clock of its own; `go` lets time pass, and tells whether the next commit may begin by then. */
function paced(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  let waiting = 0
  const pace = createPace({ now: () => now, pace_ms: 50, paced_from_per_s: 2_000, paced_reports_max: 4_096 })
  const came = (reports: number): void => {
    waiting += reports
    pace.came(reports, waiting)
  }
  const pass = async (ms: number, reports = 0): Promise<void> => {
    for (let i = 0; i < ms; i++) {
      now++
      if (reports > 0) came(reports)
      t.mock.timers.tick(1)
      await new Promise(setImmediate)
    }
  }
  /** ms until it may, while so many reports come each ms. */
  const gathered = async (reports: number): Promise<number> => {
    waiting = 0
    let done = false
    void pace.gather(() => waiting).then(() => (done = true))
    await new Promise(setImmediate)
    const from = now
    while (!done && now - from < 1_000) await pass(1, reports)
    return now - from
  }
  return { pace, came, pass, gathered, busy: async () => { await pass(250, 20); await gathered(20) } }
}

test('while little comes the next commit begins at once', async (t) => {
  const { pass, gathered } = paced(t)
  for (let turn = 0; turn < 5; turn++) {
    await pass(100, 1)
    assert.equal(await gathered(1), 0)
  }
})

test('under load commits begin 50 ms apart, sooner when enough has come, and soon when nothing comes any more', async (t) => {
  const { gathered, busy, pace, pass } = paced(t)
  await busy()
  assert.ok(pace.isPaced())
  const usual = await gathered(20)
  assert.ok(usual >= 49 && usual <= 57, `${usual} ms`)
  assert.ok((await gathered(500)) <= 10)
  assert.ok((await gathered(0)) <= 16)
  for (let turn = 0; turn < 2; turn++) {
    await pass(300)
    await gathered(0)
  }
  assert.equal(await gathered(0), 0, 'calm again')
})

test('who stops does not wait', async (t) => {
  const { busy, pace } = paced(t)
  await busy()
  let done = false
  void pace.gather(() => 0).then(() => (done = true))
  await new Promise(setImmediate)
  assert.equal(done, false)
  for (let i = 0; i < 3; i++) {
    pace.cut()
    await new Promise(setImmediate)
  }
  assert.equal(done, true)
})
