import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import type { Page } from 'playwright-core'
import { seeded } from '@kawal/core/kernel/random.ts'
import { system } from '@kawal/server/src/adapters/postgres/database.ts'
import type { StoredReport } from '@kawal/server/src/journal/read.ts'
import { deviceToken, enrol as enrolOnServer } from '@kawal/server/src/measurement/enrolment.ts'
import { ticketPath } from '@kawal/server/src/ticket/tmf621.ts'
import { unmeasuredClaim } from '@kawal/testkit/claim.ts'
import { storedReports } from '@kawal/testkit/reports.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { shellJourney } from './shell.ts'
import { enrol, letterOf, openBench, openEngine, sendAll, stateOf, until, type Bench, type EnginePhone, type EngineWindow } from './engine.ts'

declare const window: Window & { engine: EngineWindow }

const [first = '', second = ''] = planned.stations
const elsewhere = planned.stations.find((code) => code.slice(0, 6) !== first.slice(0, 6)) ?? ''
let bench: Bench
let open: EnginePhone[] = []

before(async () => (bench = await openBench()))
after(() => bench.close())
beforeEach(async () => {
  await Promise.all(open.map((phone) => phone.close()))
  open = []
  bench.front.set('pass')
  bench.front.script(() => null)
})
after(() => Promise.all(open.map((phone) => phone.close())))

async function phone(): Promise<EnginePhone> {
  const made = await openEngine(bench)
  open.push(made)
  return made
}

const reports = async (wanted: (report: StoredReport) => boolean): Promise<StoredReport[]> => (await storedReports(bench.server.app.database)).filter(wanted).sort((a, b) => a.device - b.device || a.sequence - b.sequence)
const figuresOf = (kept: ReadonlySet<number>): Promise<StoredReport[]> => reports(({ sample }) => sample.downKbps !== null && kept.has(sample.downKbps))

test('without a network the pack tells a wrong code, the right one works at once, and is confirmed when there is one', async () => {
  const { open: openPage, checks, kept } = await phone()
  const page = await openPage()
  assert.equal(await page.evaluate((district) => window.engine.session.prepare(district), first.slice(0, 6)), true)
  bench.front.set('down')
  const letter = letterOf(bench.server, first)
  assert.equal(await enrol(page, first.slice(0, 12), letter), 'station_form')
  assert.equal(await enrol(page, first, 'abc'), 'code_form')
  assert.equal(await enrol(page, first, letter.startsWith('7') ? `8${letter.slice(1)}` : `7${letter.slice(1)}`), 'code_check')
  assert.equal(await enrol(page, first, letterOf(bench.server, second)), 'code_wrong')
  assert.equal(await enrol(page, `${first.slice(0, 10)}777`, letter), 'station_unknown')
  assert.equal((await stateOf(page)).identity, null)
  assert.equal(await enrol(page, first, letter.toLowerCase().replaceAll('0', 'o').replaceAll('-', ' ')), null)
  assert.deepEqual(await stateOf(page).then(({ identity, refusal }) => [identity?.provisional, identity?.station.village, refusal]), [true, 'Mustika', null])
  await checks(page, 3)
  await page.reload()
  await until(page, 'state.ready && state.identity.provisional && state.counts.waiting === 3')
  bench.front.set('pass')
  await sendAll(page)
  assert.equal((await stateOf(page)).identity?.provisional, false)
  assert.equal((await figuresOf(kept)).length, 3)
})

test("by its letter a phone is the supervisor's, also without a network; the officers' letter does not make it theirs", async () => {
  const page = await (await phone()).open()
  await page.evaluate((district) => window.engine.session.prepare(district), second.slice(0, 6))
  bench.front.set('down')
  assert.equal(await enrol(page, second, letterOf(bench.server, second, 'supervisor')), null)
  assert.deepEqual(await stateOf(page).then(({ identity }) => [identity?.role, identity?.provisional]), ['supervisor', true])
  bench.front.set('pass')
  await page.evaluate(() => window.engine.session.sendNow())
  assert.equal(await enrol(page, second, letterOf(bench.server, second, 'supervisor')), null)
  assert.equal(await enrol(page, second, letterOf(bench.server, second)), 'role_other')
  assert.deepEqual(await stateOf(page).then(({ identity }) => [identity?.role, identity?.provisional]), ['supervisor', false])
  bench.front.set('down')
  assert.equal(await enrol(page, second, letterOf(bench.server, second)), 'role_other', 'the phone knows it by itself too')
  assert.equal(await enrol(page, elsewhere, letterOf(bench.server, elsewhere)), null, 'at another station it may be an officer')
  assert.equal((await stateOf(page)).identity?.role, 'officer')
})

test('a code that the server refuses is asked again, and what was measured goes out under the right one', async () => {
  const { open: openPage, checks, kept } = await phone()
  const page = await openPage()
  bench.front.set('down')
  assert.equal(await enrol(page, elsewhere, letterOf(bench.server, first)), null, 'without the pack its own check is right')
  await checks(page, 2)
  const file = await page.evaluate(async () => (await window.engine.session.exportFile()).text())
  assert.deepEqual((JSON.parse(file) as { samples: { sample: { downKbps: number } }[] }).samples.map(({ sample }) => sample.downKbps), [...kept])
  for (const secret of [letterOf(bench.server, first), letterOf(bench.server, first).replaceAll('-', ''), 'token']) assert.ok(!file.includes(secret))
  bench.front.set('pass')
  await page.evaluate(() => window.engine.session.sendNow())
  await until(page, "state.refusal === 'code_wrong' && state.identity === null")
  assert.deepEqual(await stateOf(page).then(({ counts, sending }) => [counts.waiting, sending]), [2, null])
  assert.equal(await enrol(page, second, letterOf(bench.server, first)), 'code_wrong', 'with a network the server says so at once')
  assert.equal((await stateOf(page)).refusal, 'code_wrong')
  assert.equal(await enrol(page, first, letterOf(bench.server, first)), null)
  await sendAll(page)
  assert.deepEqual((await figuresOf(kept)).map((row) => row.station), [first, first])
})

test('at another station what waits goes out under the old one', async () => {
  const { open: openPage, checks, kept } = await phone()
  const page = await openPage()
  assert.equal(await enrol(page, first, letterOf(bench.server, first)), null)
  bench.front.set('down')
  await checks(page, 2)
  assert.equal(await enrol(page, elsewhere, letterOf(bench.server, elsewhere)), null)
  await checks(page, 3)
  bench.front.set('pass')
  await sendAll(page)
  assert.deepEqual((await figuresOf(kept)).map((row) => row.station).sort(), [first, first, elsewhere, elsewhere, elsewhere].sort())
})

test('a token that is worth nothing is made anew by itself, for the same device', async () => {
  const { open: openPage, checks, kept } = await phone()
  const page = await openPage()
  await enrol(page, second, letterOf(bench.server, second))
  await checks(page, 1)
  await sendAll(page)
  await page.evaluate(() => new Promise<void>((resolve) => {
    indexedDB.open('sigmon').onsuccess = (event) => {
      const database = (event.target as IDBOpenDBRequest).result
      const about = database.transaction('about', 'readwrite').objectStore('about')
      about.get('identities').onsuccess = (found) => {
        const [identity] = (found.target as IDBRequest<{ token: string }[]>).result
        about.put([{ ...identity, token: 'worth.nothing' }], 'identities').onsuccess = () => resolve(database.close())
      }
    }
  }))
  await page.reload()
  await until(page, 'state.ready')
  await checks(page, 2)
  await sendAll(page)
  const rows = await figuresOf(kept)
  assert.equal(rows.length, 3)
  assert.equal(new Set(rows.map((row) => row.device)).size, 1, 'the same key is the same device')
})

test('what the first version of the store kept is taken over and sent', async () => {
  const made = await phone()
  const device = await enrolOnServer(bench.server.app.database, second, Date.now())
  assert.ok(device !== null)
  const token = deviceToken(bench.server.app.secret, device)
  const page = await made.context().newPage()
  await page.goto(`${bench.front.origin}/v1/ping`)
  await page.evaluate(([code, bearer]) => new Promise<void>((resolve) => {
    const request = indexedDB.open('sigmon', 1)
    request.onupgradeneeded = () => {
      const about = request.result.createObjectStore('about')
      const samples = request.result.createObjectStore('samples', { keyPath: 'sequence' })
      samples.createIndex('state', 'state')
      about.put({ device: 'x', token: bearer, station: { code, village: 'Mustika', district: '', regency: '', province: '', zone: 'Asia/Makassar', latitude: null, longitude: null }, sim: '51010' }, 'identity')
      about.put(3, 'sequence')
      for (const sequence of [1, 2, 3]) samples.put({ sequence, state: 'waiting', sentAt: null, reason: null, sample: {
        sequence, eventAt: new Date(Date.now() - 60_000 * sequence).toISOString(), sim: '51010', access: 'unknown', accessPoint: null, technology: null, radio: null, rttMs: [50], timeouts: 0, downKbps: 5_000_000 + sequence, upKbps: null,
        reach: { internet: 'untested', election: 'untested', platform: 'ok' }, charging: null, nextDueAt: null } })
    }
    request.onsuccess = () => resolve(request.result.close())
  }), [second, token] as const)
  const app = await made.open()
  await made.checks(app, 1)
  await sendAll(app)
  assert.deepEqual((await reports((report) => report.device === device.key)).map(({ sequence, sample }) => [sequence, sample.downKbps]).slice(0, 3), [[1, 5_000_001], [2, 5_000_002], [3, 5_000_003]])
  assert.deepEqual((await reports((report) => report.device === device.key)).map((row) => row.sequence), [1, 2, 3, 4])
})

const duties = async (of: EnginePhone, page: Page): Promise<StoredReport[]> => {
  await of.checks(page, 1).then(() => sendAll(page))
  const [mine] = await figuresOf(of.kept)
  return (await reports((report) => report.device === mine?.device)).filter((row) => !of.kept.has(row.sample.downKbps ?? 0))
}

/** The first report of a duty comes somewhere in the first interval; whoever comes back to the app reports at once. */
const beginDuty = (page: Page): Promise<void> => page.evaluate(async () => {
  await window.engine.session.startDuty()
  window.engine.see('hidden')
  window.engine.see('visible')
})

test('duty promises, says goodbye when it is hidden and again at its end, and goes on after a kill', async () => {
  const made = await phone()
  const page = await made.open()
  await enrol(page, first, letterOf(bench.server, first))
  await beginDuty(page)
  await until(page, 'state.duty.on && state.duty.nextDueAt > 0 && state.counts.sent === 1')
  const answered = bench.front.after(1)
  await page.evaluate(() => window.engine.see('hidden'))
  await answered
  const [promise, goodbye, ...more] = await duties(made, page)
  assert.equal(more.length, 0)
  assert.ok(promise?.sample.nextDueAt != null && Date.parse(promise.sample.nextDueAt) >= Date.parse(promise.sample.eventAt) + 30_000)
  assert.ok(goodbye !== undefined && goodbye.sample.nextDueAt === null && goodbye.sequence === promise.sequence + 1)

  await made.kill()
  await made.start()
  const again = await made.open()
  await until(again, 'state.duty.on && state.duty.nextDueAt > 0 && state.counts.sent >= 4')
  const [, , resumed] = await duties(made, again)
  assert.ok(resumed?.sample.nextDueAt != null && resumed.sequence > goodbye.sequence)
  await again.evaluate(() => window.engine.session.endDuty())
  assert.equal((await stateOf(again)).duty.on, false)
  await again.reload()
  await until(again, 'state.ready')
  assert.equal((await duties(made, again)).at(-1)?.sample.nextDueAt, null)
  assert.equal((await stateOf(again)).duty.on, false)
})

test('of two tabs one reports, and the other goes on when it is closed', async () => {
  const made = await phone()
  const [page, other] = [await made.open(), await made.open()]
  await enrol(page, first, letterOf(bench.server, first))
  await beginDuty(page)
  await until(other, 'state.duty.on && state.duty.nextDueAt === null')
  const before = (await duties(made, page)).length
  assert.equal(before, 1)
  await page.close()
  await until(other, 'state.duty.on && state.duty.nextDueAt > 0')
  const third = await made.open()
  await until(third, 'state.duty.on')
  const answered = bench.front.after(1)
  await third.evaluate(() => window.engine.session.endDuty())
  await answered
  assert.equal((await duties(made, other)).at(-1)?.sample.nextDueAt, null, 'the tab that promised takes it back')
  await until(other, '!state.duty.on')
})

test('a full queue thins routine reports, oldest first, and keeps where outages begin and end', async () => {
  const page = await (await phone()).open()
  const random = seeded(7)
  const words = Array.from({ length: 420 }, () => (random() < 0.1 ? 'b' : 'g')).join('').replace(/bg{1,6}b/g, (outage) => 'b'.repeat(outage.length))
  const { rows, view } = await page.evaluate((letters) => window.engine.routines(letters, 200), words)
  const kept = new Set(rows.map((row) => row.sample.downKbps))
  const turns = [...words].flatMap((word, index) => (index === 0 || word !== words[index - 1] ? [index + 1] : []))
  assert.ok(turns.length > 20 && rows.length <= 200)
  assert.deepEqual(turns.filter((figure) => !kept.has(figure)), [])
  assert.equal(view.counts.thinned + rows.length, words.length + 1)
  const older = rows.filter((row) => (row.sample.downKbps ?? Infinity) <= 210).length
  assert.ok(older < rows.length / 2, `${older} of ${rows.length} are of the older half`)
  assert.equal(rows.at(-1)?.sample.downKbps, null, 'the goodbye is the last')
})

test('the server\'s pauses are kept, refused forms are left, and what is too large goes in halves', async () => {
  const made = await phone()
  const page = await made.open()
  await enrol(page, first, letterOf(bench.server, first))
  await until(page, 'state.identity && !state.identity.provisional')
  bench.front.script((path, nth) => (path === '/v1/reports' && nth === 1 ? { status: 429, headers: { 'retry-after': '2' } } : null))
  await made.checks(page, 4)
  await until(page, 'state.sending !== null && state.sending.status === 429')
  await page.evaluate(() => window.engine.session.sendNow())
  assert.equal((await stateOf(page)).counts.waiting, 4, 'the button does not cut the pause short')
  await sendAll(page)

  const types: string[] = []
  bench.front.script((path, nth, type) => {
    if (path !== '/v1/reports') return null
    types.push(type)
    return nth === 1 ? { status: 415 } : nth <= 3 ? { status: 413, headers: { 'content-type': 'application/problem+json' }, body: '{"code":"too_large","detail":"smaller"}' } : null
  })
  await made.checks(page, 1)
  await until(page, 'state.counts.waiting === 0')
  assert.deepEqual([types[0] === types[1], types[1]], [false, 'application/json'])
  assert.equal((await stateOf(page)).counts.refused, 1, 'one sample alone that is too large is kept as refused')

  // An answer that is no receipt changes nothing.
  bench.front.script((path) => (path === '/v1/reports' ? { status: 202, headers: { 'content-type': 'text/html' }, body: '<html>Masuk Wi-Fi</html>' } : null))
  await made.checks(page, 1)
  await until(page, 'state.sending !== null')
  assert.equal((await stateOf(page)).counts.waiting, 1)
  bench.front.script(() => null)
  await sendAll(page)
  assert.equal((await figuresOf(made.kept)).length, 5)
})

test('a server that is being updated in the middle gives no mixture of two versions', async () => {
  const made = await phone()
  const page = await made.open()
  await page.reload()
  await until(page, 'state.ready')
  // The new worker is there, and its page is still the old one.
  const mixed = mkdtempSync(join(tmpdir(), 'kawal-mixed-'))
  try {
    for (const build of bench.builds.toReversed()) cpSync(build, mixed, { recursive: true })
    cpSync(join(bench.builds[1], 'worker.js'), join(mixed, 'worker.js'))
    bench.front.serve(mixed)
    const failed = await page.evaluate(() => navigator.serviceWorker.getRegistration().then(async (registration) => {
      const found = new Promise<ServiceWorker | null>((resolve) => registration?.addEventListener('updatefound', () => resolve(registration.installing)))
      void registration?.update()
      const worker = await found
      return new Promise<string>((resolve) => worker?.addEventListener('statechange', () => resolve(worker.state)))
    }))
    assert.equal(failed, 'redundant')
    assert.equal((await stateOf(page)).update, false)
    await page.reload()
    await until(page, "state.ready && version === 'a'")
    bench.front.serve(bench.builds[1])
    await page.evaluate(() => navigator.serviceWorker.getRegistration().then((registration) => registration?.update()))
    await until(page, 'state.update')
  } finally {
    bench.front.serve(bench.builds[0])
    rmSync(mixed, { recursive: true })
  }
})

test('the open pack comes before enrolment; once that is confirmed, the words on operators come too', async () => {
  const page = await (await phone()).open()
  await page.evaluate((district) => window.engine.session.prepare(district), first.slice(0, 6))
  bench.front.set('down')
  assert.equal(await enrol(page, first, letterOf(bench.server, first)), null)
  assert.deepEqual((await stateOf(page)).own, { ...(await stateOf(page)).own, open: true, best: null })
  bench.front.set('pass')
  await page.evaluate(() => window.engine.session.sendNow())
  await until(page, 'state.own.open === false && state.own.best !== null')
  bench.front.set('down')
  await page.reload()
  await until(page, 'state.ready && state.own.open === false && state.own.best !== null')
})

test('the network comes back for a phone on screen: it sends within its part of the spread, and says when', async () => {
  const made = await phone()
  const page = await made.open()
  await enrol(page, first, letterOf(bench.server, first))
  await until(page, 'state.config?.spreadS === 10 && !state.identity.provisional')
  bench.front.set('down')
  await made.checks(page, 2)
  await until(page, 'state.sending !== null')
  // Failures make the next attempt later and later: what comes soon now is not that.
  const later_ms = await page.evaluate(async () => {
    const left = (): number => (window.engine.session.state().sending?.retryAt ?? 0) - Date.now()
    for (let press = 0; press < 50 && left() < 60_000; press++) await window.engine.session.sendNow()
    return left()
  })
  assert.ok(later_ms >= 60_000, String(later_ms))
  bench.front.set('pass')
  await page.evaluate(() => void dispatchEvent(new Event('online')))
  await until(page, 'state.sending === null || state.sending.retryAt - Date.now() <= 2_000')
  await until(page, 'state.counts.waiting === 0')
  assert.equal((await figuresOf(made.kept)).length, 2)
})

test('what was found and chosen is there when the app is opened again', async () => {
  const made = await phone()
  const page = await made.open()
  await made.checks(page, 1)
  await page.evaluate(() => window.engine.session.choose({ metered: true }))
  const before = await stateOf(page)
  assert.deepEqual([before.check.result?.downKbps, before.metered], [[...made.kept][0], true])
  await made.kill()
  await made.start()
  const after = await stateOf(await made.open())
  assert.deepEqual([after.check.at, after.check.result, after.metered], [before.check.at, before.check.result, true])
})

test('a check that the platform asks for is shown when the app is opened, until there was one', async () => {
  const made = await phone()
  const page = await made.open()
  await enrol(page, second, letterOf(bench.server, second))
  assert.equal((await stateOf(page)).checkWanted, false)
  await unmeasuredClaim(bench.server.app.database, second, Date.now())
  await bench.server.app.tick(Date.now() + 60_000)
  await page.reload()
  await until(page, 'state.ready && state.checkWanted')
  await made.checks(page, 1)
  assert.equal((await stateOf(page)).checkWanted, false)
})

test('bars that the officer read off the phone go along with the next check, as a remark and no measure', async () => {
  const made = await phone()
  const page = await made.open()
  await enrol(page, first, letterOf(bench.server, first))
  await page.evaluate(() => window.engine.session.choose({ bars: 2 }))
  await made.checks(page, 1)
  await page.evaluate(() => window.engine.session.choose({ bars: null }))
  await made.checks(page, 1)
  await sendAll(page)
  const rows = await reports(({ sample }) => sample.radio?.source === 'officer')
  assert.deepEqual(rows.map(({ sample }) => [sample.radio?.bars, sample.technology]), [[2, null]])
})

test('more checks than may wait: the newest is refused and told, none that was kept goes, and room comes with sending', async () => {
  const page = await (await phone()).open()
  const { said, figures, crowded, later } = await page.evaluate(() => window.engine.crowd(64, 60))
  assert.deepEqual(said.slice(60), ['full', 'full', 'full', 'full'])
  assert.deepEqual(figures, Array.from({ length: 60 }, (_, index) => index + 1))
  assert.equal(crowded, true)
  assert.ok(typeof later.said === 'number' && !later.crowded)
})

test('a phone that is short of room thins routine reports at a quarter of what may wait', async () => {
  const page = await (await phone()).open()
  const words = 'g'.repeat(120)
  const [roomy, low] = await page.evaluate(async (letters) => [await window.engine.routines(letters, 200), await window.engine.routines(letters, 200, true)] as const, words)
  assert.deepEqual([roomy.view.counts.thinned, roomy.rows.length], [0, 121])
  assert.ok(low.rows.length <= 50 && low.view.counts.thinned === 121 - low.rows.length, `${low.rows.length} left`)
  assert.equal(low.rows.at(-1)?.sample.downKbps, null, 'the goodbye is the last')
})

test('a problem told without a network goes out once, also when the answer is lost; its ticket is seen closed', async () => {
  const page = await (await phone()).open()
  await enrol(page, second, letterOf(bench.server, second))
  await until(page, '!state.identity.provisional')
  bench.front.set('down')
  await page.evaluate(() => window.engine.session.reportProblem('signal', 'tak ada sinyal di balai desa'))
  assert.deepEqual((await stateOf(page)).problems.map(({ ticket, status, text }) => [ticket, status, text]), [['', 'submitted', 'tak ada sinyal di balai desa']])
  await page.reload()
  await until(page, 'state.ready && state.problems.length === 1')
  bench.front.set('lose')
  await page.evaluate(() => window.engine.session.sendNow())
  bench.front.set('pass')
  await page.evaluate(() => window.engine.session.sendNow())
  await until(page, "state.problems.length === 1 && state.problems[0].ticket !== ''")
  const [given] = (await stateOf(page)).problems
  const path = `${ticketPath}/${given?.ticket}`
  for (const fields of [{ status: 'inProgress' }, { status: 'resolved', statusChangeReason: 'Antena diarahkan.' }])
    assert.equal((await bench.server.call('dinas', 'PATCH', path, { '@type': 'TroubleTicket', ...fields })).status, 200)
  await page.evaluate(() => window.engine.session.sendNow())
  await until(page, "state.problems[0].status === 'resolved' && state.problems[0].answer === 'Antena diarahkan.'")
  bench.front.set('down')
  await page.evaluate((id) => window.engine.session.answerProblem(id, 'fixed'), given?.id ?? '')
  bench.front.set('pass')
  await page.evaluate(() => window.engine.session.sendNow())
  await until(page, "state.problems.length === 1 && state.problems[0].status === 'closed'")
  const { rows } = await bench.server.app.database.transaction(system, (client) => client.query("SELECT 1 FROM officer_problem"))
  assert.equal(rows.length, 1)
})

test('the platform asks for a full test a day: on Wi-Fi it runs once by itself, and not where the officer pays by the byte', async () => {
  const rates = async (): Promise<number> => (await reports(({ sample }) => (sample.upKbps ?? 0) > 0)).length
  const before = await rates()
  const metered = await (await phone()).open('?wifi')
  await metered.evaluate(() => window.engine.session.choose({ metered: true }))
  await enrol(metered, first, letterOf(bench.server, first))
  const cellular = await (await phone()).open()
  await enrol(cellular, first, letterOf(bench.server, first))
  const page = await (await phone()).open('?wifi')
  await enrol(page, first, letterOf(bench.server, first))
  await until(page, 'state.fullTest.upKbps !== null && !state.fullTest.running && state.counts.sent === 1 && state.budget.today > 0')
  await page.reload()
  await until(page, 'state.ready && state.config !== null && state.own?.open === false')
  for (const other of [metered, cellular]) {
    const { fullTest, counts } = await stateOf(other)
    assert.deepEqual([fullTest.upKbps, fullTest.bytes, fullTest.refused, counts.sent], [null, 0, null, 0])
  }
  assert.equal((await rates()) - before, 1)
})

test('in the shell duty, radio and package are its own, its reports and the page\'s are one device\'s, and a broken one breaks nothing', { timeout: 120_000 }, async () => shellJourney(bench, (await phone()).context(), second))
