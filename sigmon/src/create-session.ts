import type { ReportReceipt } from '@kawal/contract/report.ts'
import type { SigmonConfig } from '@kawal/contract/sigmon.ts'
import { dayIn } from './check/budget.ts'
import type { CheckResult } from './check/check.ts'
import { browserNet, type Net } from './check/net.ts'
import { createDuty, type Duty } from './duty.ts'
import type { Engine } from './engine.ts'
import { createEnrolment } from './enrol.ts'
import type { Environment } from './environment.ts'
import { exportOf } from './export.ts'
import { fullTestOf, sampleFullTest } from './full.ts'
import { createIdentities, type Identities } from './identities.ts'
import { askForSync, listen } from './lifecycle.ts'
import { createMeasuring, goodbyeOf, noChoices, sampleOf, unconfigured, type Choices, type Measure, type Measuring } from './measuring.ts'
import { createPacks, type Packs } from './pack.ts'
import { createProblems } from './problems.ts'
import type { Publishing } from './published.ts'
import { createDelivery } from './queue/deliver.ts'
import { createQueue, queueLimits, type Queue, type QueueLimits } from './queue/queue.ts'
import { createSender, sayGoodbye, type Sender } from './queue/send.ts'
import { createRecapPart } from './recap/part.ts'
import type { Wire } from './queue/wire.ts'
import type { Session, SessionState } from './session.ts'
import type { Order } from './shell/duty.ts'
import type { ShellPart } from './shell/part.ts'
import { openStore, resultOf, type Row, type Store } from './store.ts'
import { createTrust, sha256With, type Trust } from './trust.ts'
import { createUpdates, type Updates } from './update.ts'
import { createView, type View } from './view.ts'

/** What a test puts in the place of the real parts. */
interface Parts {
  readonly net: Net
  readonly measure: Measure
  readonly limits: QueueLimits
  readonly compact: () => Promise<Wire | null>
}

/** Not of the first screen: it is fetched while the officer looks at that, and the service worker keeps it. */
const measuringPart = (): Promise<Measure> => import('./check/check.ts')

const realParts = (): Parts => ({
  net: browserNet(), limits: queueLimits,
  measure: {
    check: async (...asked) => (await measuringPart()).check(...asked),
    routine: async (...asked) => (await measuringPart()).routine(...asked),
    feel: async (...asked) => (await measuringPart()).feel(...asked),
  },
  compact: () => import('./queue/compact.ts').then(({ compactWire }) => compactWire),
})

const day_ms = 86_400_000
/** The last check: somebody who opens the app again sees it with its age. */
const checked_key = 'checked'
/** What is asked for longer ago is not shown any more: by then others have checked, or it is asked again. */
const wanted_ms = 10 * 60_000
/** The header has whole seconds, and an answer takes some. */
const clock_step_ms = 3_000
type Checked = Required<Pick<SessionState['check'], 'result' | 'at'>>

/** The engine: everything that Sigmon does, without a screen. */
export async function createSession(env: Environment, given: Partial<Parts> = {}): Promise<Session> {
  const engine = await assemble(env, { ...realParts(), ...given })
  const { view, duty, sender, recaps, queue, identities, packs, trust, problems, measuring, updates, shell } = engine
  const carry = (why: Parameters<Sender['trigger']>[0]): Promise<void> => {
    recaps.trigger(why)
    return sender.trigger(why)
  }
  const stopListening = listen(env, {
    hidden() {
      duty.hide()
      // The page may be gone in a moment, and there may be a network before it is opened again.
      if (view.state().counts.waiting > 0) void askForSync(env)
      else void recaps.anythingWaits().then((waits) => (waits ? askForSync(env) : undefined), () => undefined)
    },
    visible() {
      shell?.visible()
      void Promise.all([duty.show(), carry('visible')])
    },
    online: () => void carry('online'),
    // Every phone of the area is told at this instant: it is no reason to send before one's turn.
    sync: () => void carry('online'),
  })
  env.channel?.addEventListener('message', oneAtATime(() => Promise.all([engine.reload(), duty.resume()]).then(view.follow)))
  await engine.reload()
  await view.refresh()
  const checked = await engine.store.read<Checked>(checked_key)
  const stopFollowing = shell === null ? () => undefined : view.subscribe(shell.follow)
  view.change({ ready: true, ...(checked === undefined ? {} : { check: { ...view.state().check, ...checked } }) })
  if (given.measure === undefined) void measuringPart().catch(() => undefined)
  void duty.resume()
  void carry('visible')
  const stopRenewing = renewDaily(env, () => renew(engine))
  const checking = createChecking(engine)

  return {
    state: view.state, subscribe: view.subscribe,
    ...checking,
    async enrol(code, letter, kid) {
      if (kid != null) trust.expect(kid)
      const fault = await engine.enrolment.enrol(code, letter)
      await view.refresh()
      if (fault === null) void carry('button').then(() => renew(engine))
      return fault
    },
    async prepare(district) {
      const held = await packs.open(district)
      if ((await trust.refresh()) === 'unanswered' && held) return true
      const got = await packs.fetch(district)
      await view.refresh()
      return got === 'changed' || got === 'same' || held
    },
    startDuty: () => (engine.choices().practice ? Promise.resolve() : duty.start()),
    endDuty: duty.end, keepAwake: duty.keepAwake,
    async choose(choice) {
      await engine.choose(choice)
      await view.refresh()
    },
    async sendNow() {
      await Promise.all([carry('button'), problems.exchange(), shell?.send()])
      await view.refresh()
    },
    nearest: (from, count) => packs.nearest(from, identities.current()?.station.code ?? null, count),
    sendPosition: (at) => problems.position(at),
    reportProblem: (kind, text) => problems.report(kind, text, engine.choices().accessPoint),
    answerProblem: problems.answer, takeUpdate: updates.take, recaps: recaps.load,
    async feel() {
      const felt = await measuring.feel()
      // A walk is many of them: what it costs is on its screen.
      await view.refresh()
      return felt
    },
    radio: radioOf(engine.net), shell: shell?.actions ?? null,
    askAndroid: async () => void (await engine.publishing?.look(true)),
    exportFile: () => exportOf(engine.store, queue, identities, env.clock()),
    stop() {
      stopListening()
      stopFollowing()
      stopRenewing()
      duty.stop()
      sender.stop()
      recaps.stop()
      env.channel?.close()
      engine.store.close()
    },
  }
}

async function assemble(env: Environment, parts: Parts): Promise<Engine> {
  const store = await openStore(env.indexedDB)
  const [identities, trust] = await Promise.all([createIdentities(store), createTrust({ reach: env, crypto: env.crypto, shelf: store, letterKey: env.letterKey })])
  const packs = packsOf(env, store, trust, identities, () => want())
  let shell: ShellPart | null = null
  let choices: Choices = noChoices
  let interval_s = (await store.read<number>('interval')) ?? null
  const config = (): SigmonConfig => trust.config() ?? unconfigured
  const queue = createQueue(store, parts.limits, env.clock)
  const measuring = await createMeasuring({ env, net: parts.net, measure: parts.measure, store, config, choices: () => choices, zone: () => identities.current()?.station.zone ?? 'Asia/Jakarta', beside: (day) => shell?.beside(day) ?? 0 })
  const enrolment = createEnrolment({
    env, store, identities, packs,
    // With a token the pack has the words on the operators too.
    confirmed: ({ station }) => void packs.fetch(station.code.slice(0, 6)).then(() => view.refresh()).catch(() => undefined),
  })
  /** The shell may tell something before there is a view of it. */
  let made: View | null = null
  const changed = (): void => void made?.refresh()
  let wanting: unknown
  const want = (): void => {
    env.clearTimer(wanting)
    view.change({ checkWanted: true })
    wanting = env.setTimer(() => view.change({ checkWanted: false }), wanted_ms)
  }
  const told = (receipt: ReportReceipt): void => {
    if (receipt.checkWanted === true) want()
    if (receipt.nextIntervalS === interval_s) return
    const first = interval_s === null
    interval_s = receipt.nextIntervalS
    void store.write({ interval: interval_s }).catch(() => undefined)
    if (!first) void trust.refresh().then(view.refresh)
  }
  const met = createMeeting(env, store)
  const spread_ms = (): number => config().spreadS * 1000
  const delivery = createDelivery({ env, queue, identities, enrolment, compact: parts.compact, told, met, changed })
  const sender: Sender = createSender({ env, store, name: 'send', delivery, spread_ms, changed })
  const recaps = createRecapPart({ env, store, identities, enrolment, ledgerKey: () => trust.config()?.ledgerKey ?? null, ledgerPolicy: () => trust.config()?.ledgerPolicy ?? null, box: () => trust.config()?.custody ?? null, photosFrom: turnOf(packs, identities, () => choices), spread_ms, changed })
  const problems = createProblems(env, store, identities, changed)
  await problems.open()
  const reporting = createReporting({ env, identities, queue, measuring, sender, wire: delivery.wire, config, choices: () => choices })
  const own: Duty = createDuty({
    env, store, changed, ...reporting,
    pace: () => ({ interval_ms: Math.max(30, interval_s ?? config().intervalS) * 1000, jitterShare: config().jitterShare }),
  })
  const order = (): Order | null => orderOf(env, { identities, trust, measuring, choices: () => choices, interval_s, beside: (day) => shell?.beside(day) ?? 0 })
  shell = await shellOf(env, { env, store, own, order, identity: () => identities.current()?.id ?? null, setAside: queue.setAside, refused: () => void enrolAgain(identities, enrolment).then(changed, () => undefined), changed })
  const duty = shell?.duty ?? own
  const publishing = await publishingOf(env, store, changed)
  const updates: Updates = createUpdates(env, () => view.state().check.running || view.state().fullTest.running, changed)
  const view: View = made = createView({ env, queue, identities, trust, packs, measuring, sender, duty, problems, updates, shell, publishing, choices: () => choices })
  return {
    env, net: parts.net, store, view, identities, trust, packs, queue, sender, recaps, duty, measuring, problems, updates, enrolment, shell, publishing, config,
    choices: () => choices,
    async reload() {
      await identities.reload()
      choices = { ...noChoices, ...(await store.read<Partial<Choices>>('choices')) }
      const station = identities.current()?.station.code
      if (station !== undefined) await packs.open(station.slice(0, 6))
    },
    async choose(choice) {
      const { bars, ...rest } = choice
      choices = { ...choices, ...rest, ...(bars === undefined ? {} : { bars: bars === null ? null : { count: bars, at: env.clock() } }) }
      await store.write({ choices })
    },
  }
}

const packsOf = (env: Environment, store: Store, trust: Trust, identities: Identities, checkWanted: () => void): Packs => createPacks({
  reach: env, trust, sha256: sha256With(env.crypto), clock: env.clock, checkWanted,
  token: (district) => identities.all().find((each) => each.token !== null && each.station.code.startsWith(district))?.token ?? null,
  shelf: {
    read: (district) => store.run(['packs'], 'readonly', (at, done) => {
      at('packs').get(district).onsuccess = (event) => done(resultOf(event))
    }),
    write: (held) => store.run(['packs'], 'readwrite', (at) => void at('packs').put(held)),
  },
})

/** Where there is no shell nothing of this is loaded; where it cannot be loaded the page is as without. */
const shellOf = (env: Environment, needs: Parameters<typeof import('./shell/part.ts').createShellPart>[0]): Promise<ShellPart | null> =>
  env.shell === null ? Promise.resolve(null) : import('./shell/part.ts').then(({ createShellPart }) => createShellPart(needs)).catch(() => null)

const publishingOf = (env: Environment, store: Store, changed: () => void): Promise<Publishing | null> =>
  env.shell === null && !env.android ? Promise.resolve(null) : import('./published.ts').then(({ createPublishing }) => createPublishing(env, store, changed)).catch(() => null)

const radioOf = (net: Net): Session['radio'] => (net.radio === undefined ? null : async () => (await import('./check/radio.ts').then(({ readRadio }) => readRadio))(net))

async function enrolAgain(identities: Identities, enrolment: Pick<Engine['enrolment'], 'confirm'>): Promise<void> {
  const current = identities.current()
  if (current !== null) await enrolment.confirm(current)
}

interface Orderable extends Pick<Engine, 'identities' | 'trust' | 'measuring' | 'choices'> { readonly interval_s: number | null; beside(day: string): number }

/** What the shell is handed over; null until the platform has confirmed this phone and told its configuration. */
function orderOf(env: Environment, { identities, trust, measuring, choices, interval_s, beside }: Orderable): Order | null {
  const [identity, config] = [identities.current(), trust.config()]
  if (identity?.token == null || identity.refusal !== null || config === null) return null
  const { today, daily } = measuring.budget.spent()
  const { zone, code: station } = identity.station
  const { sim, accessPoint, metered } = choices()
  const spentBytes = Math.round(Math.max(0, today - beside(dayIn(zone, env.clock()))))
  return { station, zone, token: identity.token, sim, accessPoint, config, keys: [...trust.keys()], intervalS: interval_s, budget: { dailyBytes: Math.round(daily), spentBytes, metered }, language: env.language() }
}

/** When the access plan gives the line at the point where the officer is to this station's photos; null: it has no turns, or is not the station's. */
const turnOf = (packs: Pick<Packs, 'nearest'>, identities: Identities, choices: () => Choices) => (leftAt: number): number | null => {
  const here = packs.nearest(null, identities.current()?.station.code ?? null, Infinity).find(({ id }) => id === choices().accessPoint)?.assigned
  return here == null || here.for_min === 0 ? null : leftAt + here.from_min * 60_000
}

/** Goes with each opening of the app and once a day: what a million phones fetch must not be fetched at once. */
async function renew(engine: Engine): Promise<void> {
  const { trust, packs, identities, problems, updates, view, env } = engine
  await trust.refresh()
  const station = identities.current()?.station.code
  if (station !== undefined && (await packs.fetch(station.slice(0, 6))) === 'changed') {
    const current = identities.current()
    const known = current === null || current.station.village !== '' ? null : packs.stationOf(current.station.code)
    if (current !== null && known !== null) await identities.put({ ...current, station: known })
  }
  await problems.exchange()
  if (env.online()) await Promise.all([updates.look(), engine.publishing?.look()])
  await view.refresh()
  await sampleFullTest(engine)
}

/** How far the server's clock is from the phone's goes into what is signed; written only where it has moved, since each write wakes the disk. */
function createMeeting({ clock }: Pick<Environment, 'clock'>, store: Store): (serverTime: number) => void {
  let known = Number.NaN
  return (serverTime) => {
    const offset = serverTime - clock()
    if (Math.abs(offset - known) <= clock_step_ms) return
    known = offset
    void store.write({ clockOffset: offset }).catch(() => undefined)
  }
}

/** However often it is asked for meanwhile, it is done once more and no oftener. */
function oneAtATime(work: () => Promise<unknown>): () => void {
  let running = false
  let again = false
  const turn = (): void => {
    again = running
    if (running) return
    running = true
    void work().catch(() => undefined).then(() => {
      running = false
      if (again) turn()
    })
  }
  return turn
}

function renewDaily(env: Environment, work: () => Promise<void>): () => void {
  let timer: unknown
  const turn = (): void => {
    void work().catch(() => undefined)
    timer = env.setTimer(turn, Math.round(day_ms * (0.5 + env.random())))
  }
  turn()
  return () => env.clearTimer(timer)
}

interface ReportingNeeds {
  readonly env: Environment
  readonly identities: Identities
  readonly queue: Queue
  readonly measuring: Measuring
  readonly sender: Sender
  readonly wire: () => Wire
  readonly config: () => SigmonConfig
  readonly choices: () => Choices
}

/** What duty keeps: routine reports and goodbyes. */
function createReporting({ env, identities, queue, measuring, sender, wire, config, choices }: ReportingNeeds): { report(dueAt: () => number | null, count: number): Promise<void>; goodbye(): void; end(): Promise<void> } {
  const keep = async (sample: Parameters<Queue['keep']>[0], kind: Row['kind']): Promise<void> => {
    const identity = identities.current()
    if (identity === null) return
    await queue.keep(sample, { identity: identity.id, kind, reserve: true })
    if (!env.online()) void askForSync(env)
    void sender.trigger(sample.reach.platform === 'ok' ? 'reached' : 'kept')
  }
  return {
    async report(dueAt, count) {
      const result = await measuring.routine((count - 1) % config().probes.reachEvery === 0)
      await keep(sampleOf(result, choices(), env.clock(), dueAt()), 'routine')
    },
    end: () => keep(goodbyeOf(choices(), env.clock(), env.online() ? 'unknown' : 'none'), 'kept'),
    goodbye() {
      const identity = identities.current()
      const sequence = queue.takeReserved()
      if (identity === null || sequence === null) return
      const row = { sequence, sample: { ...goodbyeOf(choices(), env.clock(), env.online() ? 'unknown' : 'none'), sequence }, identity: identity.id, kind: 'kept' as const }
      // Sent first: the store may not be given the time. The same one sent again later is a duplicate, which harms nothing.
      if (identity.token !== null) void sayGoodbye(env, wire(), identity, row).catch(() => undefined)
      void queue.keepSent(row).catch(() => undefined)
    },
  }
}

/** What the officer asks for. */
function createChecking(engine: Engine): Pick<Session, 'check' | 'fullTestCost' | 'runFullTest'> {
  const { env, view, measuring, queue, identities, duty, sender, choices } = engine
  return {
    async check(full) {
      const identity = identities.current()
      if (view.state().check.running) return
      let found: CheckResult | null = null
      view.change({ checkWanted: false, check: { ...view.state().check, running: true, done: 0 } })
      try {
        const result = await measuring.check(full, (done, steps) => view.change({ check: { ...view.state().check, done, steps } }))
        const at = env.clock()
        // In practice mode nothing is kept and nothing is sent.
        if (identity !== null && !choices().practice) await queue.keep(sampleOf(result, choices(), at, duty.promise()), { identity: identity.id, kind: 'kept', reserve: duty.state().on })
        view.change({ check: { ...view.state().check, result, at } })
        found = result
        await engine.store.write({ [checked_key]: { result, at } satisfies Checked }).catch(() => undefined)
      } finally {
        view.change({ check: { ...view.state().check, running: false } })
      }
      await view.refresh()
      if (!env.online()) void askForSync(env)
      void sender.trigger(found?.reach.platform === 'ok' ? 'reached' : 'kept')
    },
    ...fullTestOf(engine),
  }
}
