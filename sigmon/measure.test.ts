import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SigmonConfig } from '@kawal/contract/sigmon.ts'
import { createBudget, type Budget, type Spend } from './src/check/budget.ts'
import { check, feel, routine, type CheckOptions, type CheckResult } from './src/check/check.ts'
import type { Net } from './src/check/net.ts'

const origin = 'https://kawal.example'
const config: SigmonConfig = {
  version: 1, issuedAt: '2029-01-01T00:00:00Z', validUntil: '2030-01-01T00:00:00Z', keys: [], intervalS: 300, jitterShare: 0.2, spreadS: 60,
  probes: { routine: 3, check: 10, timeoutMs: 8_000, reachEvery: 4 }, targets: { internet: 'https://internet.example', election: 'https://pemilu.example' }, fullTestShare: 0,
  budget: { dailyBytes: 5_000_000, checkDownBytes: 150_000, checkUpBytes: 75_000, fullTestBytes: 2_000_000 }, helpLines: [],
}
const noon = Date.UTC(2029, 1, 14, 5)

interface Said { readonly after_ms: number; readonly response?: () => Response }
type Server = (url: string, init: RequestInit, at: number) => Said | null

/** A world whose time passes only when everybody waits. Null from the server: never an answer. */
function world(server: Server, change: Partial<Net> & { readonly ahead_ms?: number } = {}): { net: Net; asked: string[]; run<T>(work: Promise<T>): Promise<T>; at: () => number } {
  let now = 0
  let timers: { at: number; run: () => void }[] = []
  const asked: string[] = []
  const timer = (ms: number, run: () => void): (() => void) => {
    const one = { at: now + ms, run }
    timers.push(one)
    return () => (timers = timers.filter((each) => each !== one))
  }
  const net: Net = {
    origin, now: () => noon + now + (change.ahead_ms ?? 0), tick: () => now, timer, online: () => true,
    fetch: (url, init) => new Promise((done, failed) => {
      asked.push(url)
      const said = server(url, init, now)
      init.signal?.addEventListener('abort', () => failed(new Error('aborted')))
      if (said !== null) timer(said.after_ms, () => (said.response === undefined ? failed(new TypeError('Failed to fetch')) : done(said.response())))
    }),
    ...change,
  }
  return {
    net, asked, at: () => now,
    async run(work) {
      let over = false
      void work.finally(() => (over = true)).catch(() => undefined)
      for (let turn = 0; turn < 100_000; turn++) {
        for (let settle = 0; settle < 5; settle++) await new Promise((done) => setImmediate(done))
        if (over) break
        const next = [...timers].sort((a, b) => a.at - b.at)[0]
        assert.ok(next !== undefined, 'it waits for something that never comes')
        timers = timers.filter((each) => each !== next)
        now = Math.max(now, next.at)
        next.run()
      }
      return work
    },
  }
}

const json = (body: unknown) => (): Response => new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } })
const pong = (at: number, more = {}) => json({ now: new Date(noon + at).toISOString(), ...more })
const page = (): Response => new Response('<h1>Log in</h1>', { headers: { 'content-type': 'text/html' } })
const well: Server = (url, _, at) => ({ after_ms: 50, response: url.startsWith(origin) ? pong(at + 50) : () => new Response(null, { status: 200 }) })
const budgetOf = (daily = 1e9, restraint: () => Exclude<Spend, 'limit'> | null = () => null): Promise<Budget> => {
  let held: never | null = null
  return createBudget({ daily: () => daily, day: () => 'a', restraint }, { change: async (apply) => (held = apply(held) as never) })
}
const options = async (change: Partial<CheckOptions> = {}): Promise<CheckOptions> => ({ onAccessPoint: false, budget: await budgetOf(), lastServerTime: null, builtAt: noon - 86_400_000, ...change })
const said = ({ verdict: { advice, blame, reason } }: CheckResult): string => `${advice} ${blame} ${reason}`

async function checked(server: Server, change: Parameters<typeof world>[1] = {}, more: Partial<CheckOptions> & { full?: boolean } = {}): Promise<CheckResult & { at: number; asked: string[] }> {
  const { net, run, asked, at } = world(server, change)
  return { ...(await run(check(net, config, { full: false, ...(await options(more)) }, () => {}))), at: at(), asked }
}

test('all well: ten round trips, the first contact not among them', async () => {
  const done = await checked(well)
  assert.equal(said(done), 'send nobody fine')
  assert.deepEqual(done.rttMs, Array.from({ length: 10 }, () => 50))
  assert.equal(done.asked.filter((url) => url.startsWith(origin)).length, 11)
  assert.deepEqual({ jitter: done.jitterMs, offset: done.clockOffsetMs, time: done.serverTime === null }, { jitter: 0, offset: 25, time: false })
})

test('progress counts up to all steps, and ends there whatever happens', async () => {
  for (const server of [well, () => null, () => ({ after_ms: 1 })] satisfies Server[]) {
    const { net, run } = world(server)
    const told: (readonly [number, number])[] = []
    await run(check(net, config, { ...(await options()), full: true }, (done, steps) => told.push([done, steps])))
    assert.ok(told.every(([done, steps], at) => done <= steps && done >= (told[at - 1]?.[0] ?? 0)), JSON.stringify(told))
    assert.deepEqual(told.at(-1), [13, 13])
  }
})

test('nothing answers: the verdict is there in time, and few bytes were risked', async () => {
  const silent = await checked(() => null)
  assert.equal(said(silent), 'move operator no_answer')
  assert.ok(silent.at <= 10_000, `${silent.at} ms`)
  assert.ok(silent.asked.length <= 7, silent.asked.join())
  const refused = await checked(() => ({ after_ms: 1 }))
  assert.equal(said(refused), 'move operator no_answer')
  assert.ok(refused.at <= 2_500, `${refused.at} ms`)
  assert.equal(refused.timeouts, refused.broken)
})

test('the deadline is an argument, and what it cut is no loss and is told', async () => {
  const slow: Server = (url, init, at) => ({ ...(well(url, init, at) as Said), after_ms: 900 })
  const done = await checked(slow, {}, { deadlineMs: 4_000 })
  assert.ok(done.at <= 4_000)
  assert.deepEqual(done.cut, ['pings'])
  assert.equal(done.timeouts, 0)
  assert.ok(done.rttMs.length >= 2)
})

test('late answers are lost, and not blamed on our own deadline', async () => {
  let count = 0
  const lossy: Server = (url, init, at) => (url.startsWith(origin) && count++ > 0 && count % 2 === 0 ? null : well(url, init, at))
  const done = await checked(lossy)
  assert.equal(said(done), 'move operator lossy')
  assert.ok(done.timeouts >= 3 && done.rttMs.length >= 3, JSON.stringify(done))
})

test('a connection that is made anew in between was cut; where all are, nothing is told of it', async () => {
  let answers = 0
  const entries = (anew: (count: number) => boolean) => (): PerformanceResourceTiming => ({ startTime: 1e12, requestStart: 10, responseStart: 60, connectStart: 1, connectEnd: anew(answers++) ? 5 : 1, nextHopProtocol: 'http/1.1' }) as PerformanceResourceTiming
  const some = await checked(well, { entries: entries((count) => count % 3 === 1) })
  assert.ok(some.reconnects >= 3 && some.timeouts === 0)
  assert.equal(said(some), 'wait operator lossy')
  assert.equal((await checked(well, { entries: entries(() => true) })).reconnects, 0)
})

test('a browser that says offline is believed when nothing answers, and an answer beats it', async () => {
  const offline = { online: () => false }
  const nothing = await checked(() => ({ after_ms: 1 }), offline)
  assert.equal(said(nothing), 'move phone phone_offline')
  assert.deepEqual([nothing.reach, nothing.access], [{ internet: 'offline', election: 'offline', platform: 'offline' }, 'none'])
  const lies = await checked(well, offline)
  assert.equal(said(lies), 'send nobody fine')
  const half = await checked((url, init, at) => (url.startsWith(origin) ? { after_ms: 1 } : well(url, init, at)), offline)
  assert.deepEqual([half.reach, said(half)], [{ internet: 'ok', election: 'ok', platform: 'timeout' }, 'wait platform platform'])
})

test('a wrong clock is proven by the time of building, by the last time of the platform, or by a ping', async () => {
  const tls: Server = () => ({ after_ms: 30 })
  for (const [more, ahead_ms] of [[{}, -90 * 86_400_000], [{ lastServerTime: noon }, -3_600_000]] as const) {
    const done = await checked(tls, { ahead_ms }, more)
    assert.equal(said(done), 'wait phone wrong_clock')
    assert.deepEqual(done.reach, { internet: 'wrong_clock', election: 'wrong_clock', platform: 'wrong_clock' })
  }
  // silence is no error of TLS, and a clock that is right is none either
  assert.equal(said(await checked(() => null, { ahead_ms: -90 * 86_400_000 })), 'move operator no_answer')
  assert.equal(said(await checked(tls)), 'move operator no_answer')
  const ahead = await checked(well, { ahead_ms: 7_200_000 })
  assert.equal(said(ahead), 'send phone wrong_clock')
  assert.equal(ahead.clockOffsetMs, 25 - 7_200_000)
  assert.equal(said(await checked(well, { ahead_ms: 240_000 })), 'send nobody fine')
})

test('what is not our JSON is a portal; opaque answers beside a portal prove nothing', async () => {
  const opaque = (): Response => Object.defineProperty(new Response(null), 'type', { value: 'opaque' })
  const others = (own: Said): Server => (url, init) => (url.startsWith(origin) ? own : init.mode === 'cors' ? { after_ms: 5 } : { after_ms: 5, response: opaque })
  for (const response of [page, () => new Response('{}', { headers: { 'content-type': 'application/json' } }), () => new Response('no', { status: 511 }), () => Object.defineProperty(new Response(null), 'type', { value: 'opaqueredirect' })]) {
    const done = await checked(others({ after_ms: 5, response }), {}, { onAccessPoint: true })
    assert.equal(said(done), 'wait access_point portal')
    assert.deepEqual(done.reach, { internet: 'portal', election: 'portal', platform: 'portal' })
  }
  const ill = await checked(others({ after_ms: 5, response: () => new Response('<h1>502</h1>', { status: 502, headers: { 'content-type': 'text/html' } }) }))
  assert.equal(said(ill), 'wait platform platform')
})

test('the election server: its status where it can be read, the platform\'s word where it cannot', async () => {
  const election = (answer: (init: RequestInit) => Said | null, seen: object): Server => (url, init, at) => (url.includes('pemilu') ? answer(init) : url.startsWith(origin) ? { after_ms: 50, response: pong(at + 50, seen) } : well(url, init, at))
  const ill = await checked(election(() => ({ after_ms: 5, response: () => new Response(null, { status: 503 }) }), {}))
  assert.deepEqual([said(ill), ill.electionStatus], ['wait election_server election_down', 503])
  const opaque = await checked(election((init) => (init.mode === 'cors' ? { after_ms: 5 } : { after_ms: 5, response: () => new Response(null) }), { election: 'down' }))
  assert.deepEqual([said(opaque), opaque.electionStatus, opaque.reach.election], ['wait election_server election_down', null, 'ok'])
  assert.equal(said(await checked(election(() => null, { election: 'ok' }))), 'wait election_server election_unreachable')
  assert.equal(said(await checked(election(() => null, {}))), 'wait election_server election_silent')
  // it knows no HEAD, and is there
  assert.equal(said(await checked(election(() => ({ after_ms: 5, response: () => new Response(null, { status: 501 }) }), {}))), 'send nobody fine')
})

test('what the browser says of the connection beats what the officer said', async () => {
  assert.equal((await checked(well, { connection: { type: 'cellular' } }, { onAccessPoint: true })).access, 'cellular')
  assert.equal((await checked(well, { connection: { type: 'wifi' } })).access, 'wifi')
  assert.equal((await checked(well, { connection: { type: 'ethernet' } })).access, 'wired')
  assert.equal((await checked(well, {}, { onAccessPoint: true })).access, 'wifi')
  assert.equal((await checked(well)).access, 'unknown')
})

test('the budget: a refusal of the large part leaves the small one; a used-up day measures nothing and says so', async () => {
  const saver = await checked(well, {}, { full: true, budget: await budgetOf(1e9, () => 'saver') })
  assert.deepEqual([said(saver), saver.refused, saver.downKbps], ['send nobody fine', 'saver', null])
  const used = await checked(well, {}, { full: true, budget: await budgetOf(1_000) })
  assert.deepEqual([said(used), used.refused, used.asked, used.bytes], ['wait nobody unmeasured', 'limit', [], 0])
})

test('a routine report asks the platform alone, unless it is told to try the others', async () => {
  const alone = world(well)
  const done = await alone.run(routine(alone.net, config, { ...(await options()), reach: false }))
  assert.deepEqual(done.reach, { internet: 'untested', election: 'untested', platform: 'ok' })
  assert.equal(alone.asked.length, 1 + config.probes.routine)
  const both = world(well)
  assert.deepEqual((await both.run(routine(both.net, config, { ...(await options()), reach: true }))).reach, { internet: 'ok', election: 'ok', platform: 'ok' })
  const felt = world(well, { radio: async () => ({ readAt: new Date(noon).toISOString(), source: 'android', airplane: false, mockLocation: null, slots: [{ slot: 0, dataSim: true, plmn: '51010', cells: [{ registered: true, technology: 'lte', rsrpDbm: -97, ageMs: 100 }] }] }) })
  assert.deepEqual(await felt.run(feel(felt.net, config, await options())), { rttMs: 50, dbm: -97, refused: null })
})

test('radio values come with their age; what cannot be is dropped with a reason; a bridge that hangs or fails holds nothing up', async () => {
  const cell = { registered: true, technology: 'lte', rsrpDbm: -97, rsrqDb: 7, ageMs: 800 }
  const reading = { readAt: new Date(noon).toISOString(), source: 'android', airplane: false, mockLocation: null, slots: [{ slot: 0, dataSim: true, plmn: '51010', cells: [cell] }] }
  const done = await checked(well, { radio: async () => JSON.stringify(reading) })
  assert.equal(done.radio?.rsrpDbm, -97)
  assert.equal(done.radio?.rsrqDb, null)
  assert.equal(done.radio?.ageMs, 800 + done.at)
  assert.deepEqual([done.technology, done.sim, done.dropped], ['lte', '51010', [{ name: 'lte rsrqDb', value: 7, why: 'out_of_range' }]])
  const hangs = await checked(well, { radio: () => new Promise(() => undefined) })
  assert.deepEqual([said(hangs), hangs.radio, hangs.at <= 10_000], ['send nobody fine', null, true])
  assert.match(hangs.radioFault ?? '', /did not answer/)
  const fails = await checked(well, { radio: async () => { throw new Error('no permission') } })
  assert.deepEqual([said(fails), fails.radio], ['send nobody fine', null])
  assert.match((await checked(well, { radio: async () => ({ source: 'magic' }) })).radioFault ?? '', /source is one of/)
})

test('a day of duty in a blank spot leaves the budget most of its bytes: what nobody answered cost little', async () => {
  for (const server of [() => null, () => ({ after_ms: 1 }), () => ({ after_ms: 5_000 })] satisfies Server[]) {
    const budget = await budgetOf(5_000_000)
    for (let report = 0; report < 144; report++) {
      const { net, run } = world(server)
      const done = await run(routine(net, config, { ...(await options({ budget })), reach: report % 12 === 0 }))
      assert.equal(done.refused, null)
    }
    assert.ok(budget.spent().today <= 4_000_000, `${budget.spent().today} bytes`)
  }
})

test('kept connections that are both dead: the attempt after the browser has found out is made, and nothing is lost by it', async () => {
  let own = 0
  const server: Server = (url, init, at) => (!url.startsWith(origin) ? well(url, init, at) : own++ === 0 ? { after_ms: 10_000 } : init.credentials === 'omit' ? null : at < 9_000 ? null : well(url, init, at))
  const { net, run, at } = world(server)
  const done = await run(routine(net, config, { ...(await options({ lastServerTime: noon })), reach: false }))
  assert.deepEqual([said(done), done.timeouts, at() < 20_000], ['send nobody fine', 0, true])
})
