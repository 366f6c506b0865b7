import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { seeded } from '@kawal/core/kernel/random.ts'
import { unmeasuredClaim } from '@kawal/testkit/claim.ts'
import { startFaultProxy, type FaultProxy } from '@kawal/testkit/fault-proxy.ts'
import { storedReports } from '@kawal/testkit/reports.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { loadSynthetic } from '../register/synthetic.ts'
import { deploymentSecret, stationCode } from '../measurement/enrolment.ts'
import { checkLimits } from './check.ts'
import { asJson, asText } from './print.ts'
import { runProbe, type ProbeCheck, type ProbeSettings, type ProbeWorld } from './run.ts'
import { openStore } from './store.ts'
import { tryTarget } from './target.ts'

const folder = mkdtempSync(join(tmpdir(), 'kawal-probe-'))
let server: TestServer
let owner: pg.Pool
let proxy: FaultProxy
let secret: Buffer
let stations: string[] = []

before(async () => {
  server = await withServer(Date.now, async (kit) => {
    owner = new pg.Pool({ connectionString: kit.ownerUrl, max: 2 })
    await loadSynthetic(owner, '75', 1)
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
  })
  stations = (await owner.query<{ code: string }>('SELECT code FROM station_now ORDER BY code LIMIT 20')).rows.map((row) => row.code)
  secret = await deploymentSecret(server.kit.database)
  proxy = await startFaultProxy({ to: { host: '127.0.0.1', port: Number(new URL(server.app.url).port) } })
})
after(async () => {
  await proxy.close()
  await owner.end()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const through = (): string => `http://localhost:${proxy.port}`
interface Row { readonly sequence: number; readonly device: number; readonly due: string | null; readonly radio: unknown }
const reportsOf = async (station: string): Promise<Row[]> =>
  (await storedReports(server.kit.database, { station })).map(({ sequence, device, sample }) => ({ sequence, device, due: sample.nextDueAt, radio: sample.radio })).sort((a, b) => a.sequence - b.sequence)

function settingsOf(station: string, change: Partial<ProbeSettings> = {}): ProbeSettings {
  return {
    station, code: stationCode(secret, station), targets: { platform: through(), internet: null, election: null }, accessPoint: null, access: 'wired', sim: null, daily_bytes: 20_000_000,
    limits: { ...checkLimits, step_ms: 1_000, ping_ms: 400, throughput_ms: 2_000 }, ...change,
  }
}
function worldOf(place: string, change: Partial<ProbeWorld> = {}): ProbeWorld {
  return {
    folder: place, clock: Date.now, tick: () => performance.now(), random: seeded(7), readRadio: () => Promise.resolve({ reading: null, trouble: null }), accessOf: () => 'wired', chargingOf: () => true,
    interval_ms: () => 300_000, told: () => undefined, talk: () => undefined, stop: new AbortController().signal, ...change,
  }
}
async function once(station: string, place: string, change: Partial<ProbeSettings> = {}, world: Partial<ProbeWorld> = {}): Promise<ProbeCheck> {
  const store = await openStore(place, station)
  try {
    return (await runProbe(settingsOf(station, change), worldOf(place, world), store, true)) ?? assert.fail('a check was made')
  } finally {
    await store.close()
  }
}
const place = (name: string): string => join(folder, name)

test('each fault has the name of its step', async () => {
  const faults = async (target: string): Promise<unknown[]> => {
    const { reach, failed, status } = await tryTarget(target, 700)
    return [reach, failed, status]
  }
  assert.deepEqual(await faults('http://kawal-no-such-name.invalid/'), ['timeout', 'dns', null])
  assert.deepEqual(await faults(`${server.app.url}/healthz`), ['ok', null, 200])
  assert.deepEqual(await faults(`https://localhost:${proxy.port}/`), ['http_error', 'tls', null])
  for (const [fault, expected] of [
    [{ mode: 'refuse' }, ['timeout', 'tcp', null]], [{ mode: 'blackhole' }, ['timeout', 'http', null]], [{ mode: 'cut' }, ['timeout', 'http', null]],
    [{ mode: 'status', status: 503 }, ['http_error', 'http', 503]], [{ mode: 'portal', portalLocation: 'http://login.example/' }, ['portal', 'http', 302]],
  ] as const) {
    await proxy.set(fault)
    assert.deepEqual(await faults(`${through()}/healthz`), expected, fault.mode)
  }
  await proxy.set({ mode: 'portal' })
  assert.deepEqual(await faults(`${through()}/generate_204`), ['portal', 'http', 200])
  await proxy.set({ mode: 'blackhole' })
  assert.deepEqual(await faults(`https://localhost:${proxy.port}/`), ['timeout', 'tls', null])
  await proxy.set({})
})

test('one check: enrolled with a key, every step timed, throughput once in a while, the report at the platform', async () => {
  const station = stations[0] ?? ''
  const where = place('one')
  const reading = { readAt: new Date().toISOString(), source: 'at', platform: null, airplane: null, mockLocation: null, gap: null, bars: null, slots: [{ slot: 0, dataSim: true, plmn: '51010', simPlmn: null, cells: [
    { registered: true, secondary: false, technology: 'lte', rsrpDbm: -101, rsrqDb: -10, sinrDb: null, rscpDbm: null, ecioDb: null, rssiDbm: null, tac: 1, lac: null, cellId: 2, pci: null, channel: null, ageMs: 0, censored: {}, invalid: [] }] }] } as const
  await proxy.set({ rate_kbps: 4_000 })
  proxy.resetBytes()
  const done = await once(station, where, { targets: { platform: through(), internet: `${server.app.url}/healthz`, election: 'http://kawal-no-such-name.invalid/' } }, { readRadio: () => Promise.resolve({ reading, trouble: null }) })
  assert.deepEqual([done.check.targets.platform.steps.map((step) => step.step), done.check.targets.election.failed], [['dns', 'tcp', 'http'], 'dns'])
  assert.deepEqual([done.sent, done.waiting, done.verdict.advice, done.verdict.blame], [true, 0, 'wait', 'election_server'])
  assert.equal(done.check.rttMs.length, 10)
  assert.ok(done.check.downKbps !== null && Math.abs(done.check.downKbps - 4_000) < 600, `${done.check.downKbps} kbit/s down`)
  assert.ok(done.check.upKbps === null || done.check.upKbps < 4_200, `${done.check.upKbps} kbit/s up`)
  const { up, down } = proxy.bytes()
  assert.ok(done.spent.bytes >= up + down && done.spent.bytes < (up + down) * 1.05 + 3_000, `${done.spent.bytes} counted, ${up + down} at the socket`)
  const [row, ...more] = await reportsOf(station)
  assert.deepEqual([more.length, row?.due, (row?.radio as { rsrpDbm: number } | null)?.rsrpDbm], [0, null, -101])
  await proxy.set({ delay_ms: 50 })
  const second = await once(station, where)
  assert.equal(second.check.downKbps, null, 'the second one has no throughput')
  const { median_ms } = second.check.roundTrips
  assert.ok(median_ms !== null && median_ms >= 100 && median_ms < 115, `${median_ms} ms of 100`)
  assert.equal(new Set((await reportsOf(station)).map((each) => each.device)).size, 1)
  // the folder is lost but for its key: the same device
  rmSync(join(where, 'probe.json'))
  writeFileSync(join(where, 'probe.json'), JSON.stringify({ version: 1, station, nextSequence: 10 }))
  await once(station, where)
  assert.equal(new Set((await reportsOf(station)).map((each) => each.device)).size, 1)
  await proxy.set({})
  const text = asText(done, 20_000_000)
  assert.match(text, /wait: The election server does not answer \(the name \(DNS\).*\n {2}internet +ok +tcp .*\n {2}election +timeout +dns FAILS/)
  assert.match(text, /radio +lte, RSRP -101 dBm, RSRQ -10 dB; \d+ s old/)
  assert.doesNotMatch(JSON.stringify(asJson(done)) + text, new RegExp(`${readState(where).token}|${stationCode(secret, station)}`))
})

const readState = (where: string): { token: string; nextSequence: number } => JSON.parse(readFileSync(join(where, 'probe.json'), 'utf8')) as { token: string; nextSequence: number }

test('measuring stops at what it may cost a day; reports go on', async () => {
  const station = stations[1] ?? ''
  const seen: string[] = []
  let bytes = 0
  for (let checks = 0; checks < 9; checks++) {
    const done = await once(station, place('budget'), { daily_bytes: 100_000 })
    seen.push(done.check.means)
    assert.ok(done.sent)
    bytes = done.spent.bytes
  }
  assert.equal(seen[0], 'routine', 'no room for throughput')
  // a check may begin as long as it fits: 9 small ones do
  assert.ok(bytes <= 100_000, `${bytes}`)
  const done = await once(station, place('budget'), { daily_bytes: 40_000 })
  assert.deepEqual([done.check.means, done.sent, done.sample.reach, done.sample.rttMs], ['nothing', true, { internet: 'untested', election: 'untested', platform: 'untested' }, []])
})

test('without a network it keeps; with one again all arrives, once', async () => {
  const station = stations[2] ?? ''
  await proxy.set({ mode: 'refuse' })
  for (let checks = 0; checks < 5; checks++) {
    const done = await once(station, place('offline'))
    assert.deepEqual([done.sent, done.waiting, done.verdict.blame, done.check.targets.platform.failed], [false, checks + 1, 'network', 'tcp'])
  }
  await proxy.set({})
  assert.deepEqual([(await once(station, place('offline'))).waiting, (await reportsOf(station)).map((row) => row.sequence)], [0, [1, 2, 3, 4, 5, 6]])
})

test('asked to check at once, it does so once, and not again for being asked again', { timeout: 20_000 }, async () => {
  const station = stations[8] ?? ''
  await unmeasuredClaim(server.kit.database, station, Date.now())
  await server.app.tick(Date.now() + 60_000)
  const store = await openStore(place('asked'), station)
  const [stop, wanted] = [new AbortController(), [] as boolean[]]
  const told = (): void => {
    wanted.push(store.state().checkWanted)
    // As if it were asked in every receipt.
    store.change({ checkWanted: true })
    if (wanted.length === 2) setTimeout(() => stop.abort(), 500)
  }
  await runProbe(settingsOf(station), worldOf(place('asked'), { told, stop: stop.signal }), store, false)
  await store.close()
  assert.deepEqual(wanted, [true, false])
  assert.deepEqual((await reportsOf(station)).map(({ due }) => due !== null), [true, true, false], 'two checks, and goodbye')
})

test('a folder is one station\'s and one program\'s; what is damaged is said or laid aside', async () => {
  const [station = '', other = ''] = [stations[3], stations[4]]
  const where = place('folder')
  await once(station, where)
  await assert.rejects(openStore(where, other), /of station .* not/)
  const store = await openStore(where, station)
  await assert.rejects(openStore(where, station), /Another kawal probe/)
  await store.close()
  mkdirSync(join(where, 'waiting'), { recursive: true })
  writeFileSync(join(where, 'waiting', '.new-0000000009.json'), '{"sequence": 9, "sam')
  writeFileSync(join(where, 'waiting', '0000000010.json'), '{"sequence": 10, "sam')
  assert.equal((await once(station, where)).waiting, 0)
  assert.deepEqual([readdirSync(join(where, 'waiting')), readdirSync(join(where, 'refused'))], [[], ['unreadable-0000000010.json']])
  writeFileSync(join(where, 'probe.json'), '{')
  await assert.rejects(openStore(where, station), /damaged. Move the folder away/)
})

/** A probe in a process of its own that checks again and again without rest, and says what it keeps. */
function hurried(station: string, where: string): ChildProcess {
  const program = `
    import { runProbe } from ${JSON.stringify(join(import.meta.dirname, 'run.ts'))}
    import { openStore } from ${JSON.stringify(join(import.meta.dirname, 'store.ts'))}
    const settings = ${JSON.stringify(settingsOf(station, { daily_bytes: 1e12, limits: { ...checkLimits, pings: 1, step_ms: 500, ping_ms: 300, throughput_ms: 0 } }))}
    const store = await openStore(${JSON.stringify(where)}, settings.station)
    const keep = store.keep
    store.keep = (kind, sample) => { const kept = keep(kind, sample); process.stdout.write('kept ' + kept.sequence + '\\n'); return kept }
    store.change({ lastThroughputAt: Date.now() })
    await runProbe(settings, { folder: ${JSON.stringify(where)}, clock: Date.now, tick: () => performance.now(), random: Math.random, readRadio: async () => ({ reading: null, trouble: null }), accessOf: () => 'wired', chargingOf: () => null,
      interval_ms: () => 1, told: () => undefined, talk: () => undefined, stop: new AbortController().signal }, store, false)`
  return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
}

test('killed again and again, with answers lost on the way, it loses nothing and doubles nothing', async () => {
  const station = stations[5] ?? ''
  const where = place('killed')
  const kept = new Set<number>()
  const random = seeded(11)
  for (let round = 0; round < 8; round++) {
    // every other round answers are cut off behind the request
    await proxy.set(round % 2 === 0 ? {} : { dropAfter_bytes: 1_200 + Math.floor(random() * 1_500) })
    const child = hurried(station, where)
    const enough = 2 + Math.floor(random() * 6)
    let seen = 0
    await new Promise<void>((resolve) => {
      let held = ''
      child.stdout?.on('data', (part: Buffer) => {
        held += part.toString()
        for (let end = held.indexOf('\n'); end >= 0; end = held.indexOf('\n')) {
          kept.add(Number(held.slice(5, end)))
          held = held.slice(end + 1)
          if (++seen === enough) setTimeout(() => child.kill('SIGKILL'), random() * 12)
        }
      })
      child.once('exit', () => resolve())
    })
  }
  await proxy.set({})
  const done = await once(station, where)
  kept.add(done.sample.sequence)
  const rows = await reportsOf(station)
  assert.ok(kept.size >= 20, `only ${kept.size} were kept`)
  assert.deepEqual([...kept].filter((sequence) => !rows.some((row) => row.sequence === sequence)), [], 'lost')
  assert.equal(new Set(rows.map((row) => `${row.device} ${row.sequence}`)).size, rows.length, 'doubled')
  assert.deepEqual((await owner.query('SELECT q.code FROM quarantine q JOIN device d ON d.key = q.device_key WHERE d.station_code = $1', [station])).rows, [], 'no number was used twice')
  assert.equal(new Set(rows.map((row) => row.device)).size, 1)
  assert.deepEqual([done.waiting, existsSync(join(where, 'waiting')) && readdirSync(join(where, 'waiting')).length], [0, 0])
})

const program = join(import.meta.dirname, '../cli/kawal.ts')
async function kawal(args: readonly string[], when?: { readonly out: RegExp; readonly signal: NodeJS.Signals }): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [program, 'probe', ...args], { cwd: folder, env: { ...process.env, NODE_NO_WARNINGS: '1' } })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const before = when?.out.test(out) === true
    out += text
    if (when !== undefined && !before && when.out.test(out)) child.kill(when.signal)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, out, err }
}

test('the command: what is asked wrongly is said; a check is a line; at its end it says goodbye', async () => {
  const station = stations[6] ?? ''
  const code = stationCode(secret, station)
  const common = ['--server', through(), '--station', station, '--data', join(folder, 'cli'), '--modem', 'none', '--json']
  for (const [args, exit, sentence] of [
    [['--station', station], 2, /Name the platform: --server/], [['--server', 'kawal.example', '--station', station], 2, /--server takes an address with https/], [['--server', through(), '--station', '12'], 2, /13 digits/],
    [[...common, '--code', 'ABCD'], 2, /17 symbols/], [[...common, '--code', `${code.slice(0, 4)}${code[4] === 'A' ? 'B' : 'A'}${code.slice(5)}`], 2, /mistyped/], [common, 2, /not enrolled yet.*--code/],
    [[...common, '--code', code, '--interval', '1'], 2, /30 to 3600/], [[...common, '--code', code, '--modem', 'usb'], 2, /--modem takes auto/], [[...common, '--code', stationCode(secret, stations[7] ?? ''), '--once'], 6, /does not enrol this probe: Read the code/],
  ] as const) {
    const ended = await kawal(args)
    assert.deepEqual([ended.code, ended.out], [exit, ''], `${args.join(' ')}: ${ended.err}`)
    assert.match(ended.err, sentence)
    assert.doesNotMatch(ended.err, /\n\s+at /)
  }
  const one = await kawal([...common, '--code', code, '--once'])
  assert.deepEqual([one.code, (JSON.parse(one.out) as { sent: boolean; advice: string }).sent], [0, true], one.err)
  const interrupted = await kawal(common, { out: /"sent":true/, signal: 'SIGINT' })
  assert.deepEqual([interrupted.code, interrupted.out.trim().split('\n').length], [130, 1], interrupted.err)
  const ended = await kawal(common, { out: /"sent":true/, signal: 'SIGTERM' })
  assert.equal(ended.code, 0, ended.err)
  const rows = await reportsOf(station)
  // one kept before the refused enrolment, then a check alone, and twice a check with its promise and a goodbye
  assert.deepEqual(rows.slice(-5).map((row) => row.due !== null), [false, true, false, true, false])
  const due_ms = Date.parse(rows.at(-2)?.due ?? '') - Date.now()
  assert.ok(due_ms > 270_000 && due_ms < 380_000, `${due_ms}`)
})
