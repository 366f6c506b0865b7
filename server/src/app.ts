import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import cookie from '@fastify/cookie'
import helmet from '@fastify/helmet'
import files from '@fastify/static'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fastify, { LogController, type FastifyInstance, type FastifyReply } from 'fastify'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { openapi } from '@kawal/contract/openapi.ts'
import type { LiveDisturbance, LiveImpact } from '@kawal/contract/live.ts'
import { impactDefaults, type ImpactSettings } from '@kawal/core/impact/defaults.ts'
import { openActs, type ActOptions, type Acts } from './act/open.ts'
import { connect, migrate, system, type Caller, type Database } from './adapters/postgres/database.ts'
import { createFootprint, type Footprint } from './alarm/footprint.ts'
import { readActiveAlarms } from './alarm/hand-over.ts'
import { alarmRoutes } from './alarm/routes.ts'
import { androidHandOut } from './android/routes.ts'
import { announcementRoutes } from './announcement/routes.ts'
import { challengeRoutes } from './atlas/challenge-routes.ts'
import { atlasRoutes } from './atlas/routes.ts'
import { commentRoutes } from './comment/routes.ts'
import { claimUse } from './claim-use.ts'
import { boundConnections, leanAnswers, protocol } from './connections.ts'
import { createMonitor, type Monitor, type StationChange } from './detection/monitor.ts'
import { disturbanceRoutes, readDisturbances } from './detection/routes.ts'
import { inParts } from './detection/slices.ts'
import { createImpact, type ElectionImpact } from './impact/impact.ts'
import { impactRoutes } from './impact/routes.ts'
import { verifyPageRoutes } from './ledger/page.ts'
import { witnessRoutes } from './ledger/witness-routes.ts'
import { createFeed, type Feed } from './live/feed.ts'
import { startMetrics } from './metrics.ts'
import { openNotification, type Notification, type NotificationSettings } from './notification/open.ts'
import { deploymentSecret } from './measurement/enrolment.ts'
import { enrolmentRoutes } from './measurement/enrolment-routes.ts'
import { openIngest, type Ingest } from './measurement/ingest.ts'
import { openNetworks } from './measurement/networks.ts'
import { probeRoutes } from './measurement/probe-routes.ts'
import { measurementRoutes } from './measurement/routes.ts'
import { createAdmission } from './ndt/admission.ts'
import { ndtRoutes } from './ndt/routes.ts'
import type { Times } from './ndt/run.ts'
import { auditActions } from './organisation/audit.ts'
import { auditRoutes } from './organisation/audit-routes.ts'
import { createCeremonies } from './organisation/ceremony.ts'
import { contactRoutes } from './organisation/contact-routes.ts'
import { keyRoutes } from './organisation/key-routes.ts'
import { logInRoutes } from './organisation/log-in-routes.ts'
import { openProvider } from './organisation/oidc.ts'
import type { ProviderSettings } from './organisation/oidc-settings.ts'
import { passkeyRoutes } from './organisation/passkey-routes.ts'
import { recogniseCaller, recogniseCallers, sessionRoutes } from './organisation/routes.ts'
import { accessRoutes } from './access/routes.ts'
import { createPeers, type Peers } from './peer/peers.ts'
import { peerRoutes } from './peer/routes.ts'
import { isOfPeer } from './peer/store.ts'
import { plannedWorkRoutes } from './planned-work/routes.ts'
import { readPlannedWork } from './planned-work/store.ts'
import { contactOf, createPush, readPushKey, type Push } from './push/push.ts'
import { pushRoutes } from './push/routes.ts'
import { recapFaces } from './recap/faces.ts'
import { openRecaps, type RecapOptions, type Recaps } from './recap/open.ts'
import { answerNotFound, answerProblems, ProblemError } from './problem.ts'
import { problemRoutes } from './problems/routes.ts'
import { campaignRoutes } from './readiness/campaign-routes.ts'
import { createChecks } from './readiness/checks.ts'
import { createPresent, type Present } from './readiness/present.ts'
import { readinessRoutes } from './readiness/routes.ts'
import { loadAreas, loadNames, loadOperatorCodes, loadOrganisations, loadMonitorStations, stationReader } from './register/lookup.ts'
import { positionRoutes } from './register/position-routes.ts'
import { createConfig, interval_s_max } from './sigmon/config.ts'
import { createPacks } from './sigmon/packs.ts'
import { sigmonRoutes } from './sigmon/routes.ts'
import { settingsDefaults, type SigmonSettings } from './sigmon/settings.ts'
import { readSigner } from './sigmon/signing.ts'
import { createSteering } from './sigmon/steering.ts'
import { sitingRoutes } from './siting/routes.ts'
import { askStatus, watchTarget } from './targets/watch.ts'
import { attachmentRoutes } from './ticket/attachment-routes.ts'
import { ticketLinks } from './ticket/link-routes.ts'
import { ticketRoutes } from './ticket/routes.ts'
import { ticketRoutesV2 } from './ticket/routes-v2.ts'
import { createDesk } from './ticket/desk.ts'
import { createOutbox } from './ticket/outbox.ts'
import { trackRecordRoutes } from './ticket/record-routes.ts'
import { createSend } from './ticket/webhook.ts'

interface AppOptions extends RecapOptions, ActOptions {
  /** Connection string of the schema's owner; requests run as another role, which owns nothing. */
  readonly ownerUrl: string
  readonly appPassword: string
  readonly clock: () => number
  /** What phones hold their clocks against; a rehearsed day passes faster than theirs. Without it the same clock. */
  readonly wallClock?: () => number
  readonly host: string
  readonly port: number
  readonly log: Logger
  readonly rehearsal: boolean
  /** Watch the stations of one province only. */
  readonly province?: string
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer }
  readonly targets?: { readonly election: string | null; readonly internet: string | null }
  /** Devices are asked to report this often. */
  readonly interval_s?: number
  /** Hosts that events of tickets may be posted to though they are private or without TLS; none without it. */
  readonly callbackHosts?: readonly string[]
  /** Addresses of the proxies in front that end TLS and name the caller (X-Forwarded-For, -Proto). */
  readonly trustProxy?: readonly string[]
  readonly stationDevices_max?: number
  /** Full tests: how many at once, how many bytes each way, and for how long. */
  readonly ndt?: { readonly tests_max?: number; readonly bytes_max?: number; readonly times?: Times }
  /** What Sigmon is configured with, and what packs carry; defaults without it. */
  readonly sigmon?: SigmonSettings
  /** What priorities are worked out with; defaults without it. */
  readonly impact?: ImpactSettings
  /** How people are called to tickets; nobody is without it. */
  readonly notification?: NotificationSettings
  /** Where people and organisations' own ticket systems find the server, without a slash at the end; without it passkeys work on this machine alone, and those systems are asked and post nothing. */
  readonly publicUrl?: string
  /** Who vouches for people besides passkeys and links; nobody without it. */
  readonly oidc?: readonly ProviderSettings[]
}

export interface App {
  readonly url: string
  readonly database: Database
  readonly monitor: Monitor
  readonly secret: Buffer
  readonly stationCount: number
  /** One turn of everything that runs by the clock: detection, then tickets and deliveries. */
  sweep(now: number): Promise<void>
  /** Tickets and deliveries alone. */
  tick(now: number): Promise<void>
  ingestIdle(): Promise<void>
  recapsIdle(): Promise<void>
  actsIdle(): Promise<void>
  stop(): Promise<void>
}

/** Detection remembers this much after a restart, by reading the reports again. */
const replay_ms = 90 * 60_000
/** Changed statuses of stations: some milliseconds' work. */
const stations_at_once = 5_000
/** Full tests at once: each may take 100 Mbit/s of this machine's line. */
const tests_max = 4
/** Each way: 10 s at 100 Mbit/s. */
const test_bytes_max = 125_000_000
/** No test begins, and none goes on, while more samples than this wait for the disk: a quarter of a commit. */
const waiting_for_tests_max = 1_000

/** Builds the whole server and listens. The only place that picks adapters. */
export async function startApp(options: AppOptions): Promise<App> {
  await migrate(options.ownerUrl, options.appPassword)
  const database = connect(options.ownerUrl, options.appPassword)
  const ends: (() => Promise<void>)[] = [() => database.end()]
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    await claimUse(database, options.rehearsal ? 'rehearsal' : 'service')
    return { ...await assemble(options, database, ends), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What has begun goes on `ends`, and ends in the order opposite, also where the rest cannot begin: the database waits for every connection that is held. */
async function assemble(options: AppOptions, database: Database, ends: (() => Promise<void>)[]): Promise<Omit<App, 'stop'>> {
  const acts = await openActs(options, database, ends)
  const register = await readRegister(database, options)
  const secret = await deploymentSecret(database)
  let notification: Notification | null = null
  const ticketChanged = (id: string): void => {
    feed.tickets([id])
    notification?.changed(id)
  }
  const tickets = createDesk({ database, clock: options.clock, resultsDueAt: (stations, now) => impact.resultsDueAt(stations, now), changed: ticketChanged, measure: (id, since) => monitor.measure(id, since), whoCanLook: (id, stations) => monitor.whoCanLook(id, stations) })
  const feed: Feed = createFeed({
    clock: options.clock, rehearsal: options.rehearsal, areas: register.areas, stations: register.stations, devicesOnDuty: () => monitor.devicesOnDuty(),
    disturbances: (caller, ids) => readDisturbances(database, caller, ids, monitor.impact),
    tickets: (caller, ids) => tickets.live(caller, ids),
    stillIn: async (request) => (await recogniseCaller(database, request, options.clock())).caller !== null,
  })
  const impact = createImpact({ database, stations: register.stations, clock: options.clock, settings: options.impact ?? impactDefaults, recaps: () => null })
  const monitor = createMonitor({
    database, clock: options.clock, stations: register.stations, organisations: register.organisations, run: options.clock().toString(36), impacts: impactsOf(impact, options.log),
    areaName: (code) => register.names.get(code) ?? code,
    openTicket: (disturbance, recipient) => tickets.open(system, disturbance, recipient),
    async changed(change) {
      tickets.disturbancesChanged(change.disturbances)
      feed.disturbances(change.disturbances)
      await inParts(change.stations, stations_at_once, feed.stations)
    },
    failed: (error) => options.log.error(error),
  })
  const metrics = startMetrics(feed, monitor)
  const present = createPresent(database, options.clock)
  const recaps = await openRecaps(options, database, secret, ends)
  const sigmon = await sigmonOf(options, database, secret, present, recaps)
  const networks = await openNetworks(database, options.clock, (error) => options.log.error(error))
  ends.push(() => networks.idle())
  const ingest = await ingestOf(options, database, register.operatorOfSim, sigmon, { monitor, feed, metrics, asks: tickets.asks })
  ends.push(() => ingest.stop())
  const app = await buildHttp(options, database, [feed, recaps, acts, { routes: (scope) => verifyPageRoutes(scope, recaps) }, androidHandOut({ database, publicUrl: options.publicUrl })], secret)
  ends.push(() => app.close())
  enrolmentRoutes(app, { database, secret, clock: options.clock, stationOf: stationReader(database), stationDevices_max: options.stationDevices_max, publicUrl: options.publicUrl })
  measurementRoutes(app, { secret, clock: options.clock, ingest, networkOperator: networks.operatorOf, ...(options.trustProxy === undefined ? {} : { trustProxy: options.trustProxy }) })
  const election = watchTarget({ url: options.targets?.election ?? null, clock: options.clock, random: Math.random, ask: askStatus, after: later })
  ends.push(() => election.stop())
  probeRoutes(app, { clock: options.wallClock ?? options.clock, election })
  const tests = fullTests(app, options, secret, ingest, metrics)
  ends.push(() => tests.stop())
  sigmonRoutes(app, { ...sigmon, asks: tickets.asks })
  disturbanceRoutes(app, { database, monitor, clock: options.clock, stations: register.stations, names: register.names, tickets })
  await ticketFaces(app, options, database, secret, ticketChanged, impact)
  const peers = peersOf(app, options, database, secret, ticketChanged)
  const footprint = createFootprint(register.stations)
  await operatorsSystems(app, options, database, monitor, footprint)
  const push = await room(app, options, database, { commented: (disturbance) => feed.disturbances([disturbance]), announced: () => notification?.announced() })
  impactRoutes(app, { impact })
  recapFaces(app, options, database, register, recaps)
  challengeRoutes(app, { database, clock: options.clock })
  planningRoutes(app, database, secret, options.clock, present)
  operatingRoutes(app, database, metrics.registry, { clock: options.clock, logs: [...recaps.watched, ...acts.watched] })
  await impact.reload()
  await takeUpInputs(options, database, monitor, footprint)
  // A rehearsed day begins with a clean sheet; a real one goes on where it was.
  const now = options.clock()
  const resumed = options.rehearsal ? 0 : await monitor.resume(now - replay_ms, now)
  if (resumed > 0) options.log.info({ reports: resumed }, 'detection took up after a restart')
  const url = await app.listen({ host: options.host, port: options.port })
  if (options.notification !== undefined && push !== null) notification = await openNotification({ database, clock: options.clock, secret, push, settings: options.notification, changed: ticketChanged, failed: (error) => options.log.error(error) })
  ends.push(async () => notification?.stop())
  const turns = startTurns(options, database, { monitor, tickets, feed, secret, peers, notification, recaps, acts })
  ends.push(() => turns.stop(), async () => feed.close())
  return { url, database, monitor, secret, stationCount: register.stations.length, sweep: turns.sweep, tick: turns.tick, ingestIdle: () => ingest.idle(), recapsIdle: () => recaps.idle(), actsIdle: () => acts.idle() }
}

/** Tickets by TMF621 in both versions and by link, and what officers report. */
async function ticketFaces(app: FastifyInstance, { clock, callbackHosts = [] }: AppOptions, database: Database, secret: Buffer, changed: (id: string) => void, { resultsDueAt }: ElectionImpact): Promise<void> {
  const needs = { database, clock, resultsDueAt, caller: (request: { caller: Caller | null }) => request.caller, changed, callbackHosts, secret, beginAct: app.beginAct }
  for (const face of [ticketRoutes, ticketRoutesV2, ticketLinks]) await app.register(face(needs))
  problemRoutes(app, { database, secret, clock, changed })
  attachmentRoutes(app, needs)
  trackRecordRoutes(app, { database, clock })
}

/** What organisations tell each other, whom to reach at each, and whose phones buzz. @returns null where nobody is called */
async function room(app: FastifyInstance, { clock, callbackHosts = [], notification }: AppOptions, database: Database, { commented, announced }: { commented: (disturbance: string) => void; announced: () => void }): Promise<Push | null> {
  for (const routes of [contactRoutes, keyRoutes, auditRoutes]) routes(app, { database, clock })
  announcementRoutes(app, { database, clock, announced })
  commentRoutes(app, { database, clock, changed: commented })
  const push = notification === undefined ? null : createPush({ database, key: await readPushKey(database), contact: contactOf(notification.url), hosts: callbackHosts, clock })
  pushRoutes(app, { database, clock, push, hosts: callbackHosts })
  return push
}

/** Organisations' own ticket systems, which are called. */
function peersOf(app: FastifyInstance, { clock, callbackHosts: hosts = [], publicUrl: url, log }: AppOptions, database: Database, secret: Buffer, changed: (id: string) => void): Peers {
  const peers = createPeers({ database, clock, secret, hosts, url, changed, failed: (error) => log.error(error) })
  peerRoutes(app, { secret, peers })
  return peers
}

interface IngestTakers { readonly monitor: Monitor; readonly feed: Feed; readonly metrics: ReturnType<typeof startMetrics>; readonly asks: ReturnType<typeof createDesk>['asks'] }

function ingestOf(options: AppOptions, database: Database, operatorOfSim: (plmn: string, at: number) => string | null, sigmon: Awaited<ReturnType<typeof sigmonOf>>, { monitor, feed, metrics, asks }: IngestTakers): Promise<Ingest> {
  const interval_s = intervalOf(options)
  const load = createSteering({ clock: options.clock, steer: (wanted) => sigmon.config.steer(wanted) })
  return openIngest({
    database, clock: options.clock, asks, failed: (error) => options.log.error(error), interval_s: (waiting) => Math.min(interval_s_max, interval_s * load(waiting)), operatorOfSim,
    kept: (reports, segment) => {
      monitor.kept(reports, segment)
      feed.reports(reports.count)
      metrics.reports.inc(reports.count)
    },
    quarantined: (code) => metrics.quarantined.inc({ code }),
  })
}

/** What each ongoing disturbance does to the election. Plans that cannot be read leave what was read before. */
function impactsOf(impact: ElectionImpact, log: Logger): (rows: readonly LiveDisturbance[], stations: readonly StationChange[]) => Promise<ReadonlyMap<string, LiveImpact>> {
  return async (rows, stations) => {
    await inParts(stations, stations_at_once, impact.statuses)
    await impact.reload().catch((error: unknown) => log.error(error))
    return impact.rank(rows)
  }
}

/** What operators' own systems and people say: alarms and planned work. */
async function operatorsSystems(app: FastifyInstance, options: AppOptions, database: Database, monitor: Monitor, footprint: Footprint): Promise<void> {
  const { clock } = options
  const caller = (request: { caller: Caller | null }): Caller | null => request.caller
  await alarmRoutes(app, { database, clock, caller, footprint, placed: (alarm) => monitor.alarm(alarm, clock()), cleared: (id) => monitor.alarmCleared(id, clock()) })
  await plannedWorkRoutes(app, { database, clock, caller, footprint, planned: (work) => monitor.work(work, clock()), withdrawn: (id) => monitor.workWithdrawn(id, clock()) })
}

async function takeUpInputs({ clock }: AppOptions, database: Database, monitor: Monitor, footprint: Footprint): Promise<void> {
  const now = clock()
  for (const work of await readPlannedWork(database, now)) monitor.work(work, now)
  for (const alarm of await readActiveAlarms(database, footprint, now)) monitor.alarm(alarm, now)
}

/** What runs by the clock. Deliveries run beside the sweep: a dead receiver must not hold up detection. */
function startTurns(options: AppOptions, database: Database, { monitor, tickets, feed, secret, peers, notification, recaps, acts }: { monitor: Monitor; tickets: ReturnType<typeof createDesk>; feed: Feed; secret: Buffer; peers: Peers; notification: Notification | null; recaps: Recaps; acts: Acts }) {
  const failed = (error: unknown): void => options.log.error(error)
  const post = createSend({ secret, hosts: options.callbackHosts ?? [] })
  const outbox = createOutbox(database, (event) => (isOfPeer(event.callback) ? peers.send(event) : post(event)))
  /** What a turn began and nobody waits for, until the end. */
  const running = new Set<Promise<unknown>>()
  const beside = (work: Promise<unknown>): void => {
    const done: Promise<unknown> = work.catch(failed).finally(() => running.delete(done))
    running.add(done)
  }
  let flush: Promise<void> | null = null
  const flushing = setInterval(() => (flush ??= feed.flush().catch(failed).finally(() => (flush = null))), 1000)
  const tick = async (now: number): Promise<void> => {
    await tickets.sweep(now, (id) => monitor.disturbance(id))
    beside(outbox.deliver(now))
    beside(peers.turn(now))
    beside(recaps.turn())
    beside(acts.turn())
    notification?.turn(now).catch(failed)
  }
  return {
    tick,
    async sweep(now: number): Promise<void> {
      await monitor.sweep(now)
      await tick(now)
    },
    async stop(): Promise<void> {
      clearInterval(flushing)
      await flush
      await Promise.all(running)
    },
  }
}

async function readRegister(database: Database, options: AppOptions) {
  const [stations, areas, names, operatorOfSim, organisations] = await Promise.all([
    loadMonitorStations(database, options.province), loadAreas(database, options.province), loadNames(database, options.province), loadOperatorCodes(database), loadOrganisations(database)])
  return { stations, areas, names, operatorOfSim, organisations }
}

async function buildHttp(options: AppOptions, database: Database, parts: readonly { routes(app: FastifyInstance): void }[], secret: Buffer): Promise<FastifyInstance> {
  const app: FastifyInstance = fastify({
    loggerInstance: options.log as never, trustProxy: options.trustProxy === undefined ? false : [...options.trustProxy], logController: new LogController({ disableRequestLogging: true }), forceCloseConnections: true,
    ...protocol(options.tls),
  }) as unknown as FastifyInstance
  boundConnections(app)
  leanAnswers(app)
  answerProblems(app)
  answerNotFound(app)
  await app.register(helmet, {
    // MapLibre draws in a worker made from a blob; nothing else may come from elsewhere.
    contentSecurityPolicy: { directives: { 'worker-src': ["'self'", 'blob:'], 'connect-src': ["'self'", ...targetOrigins(options)], 'img-src': ["'self'", 'data:', 'blob:'], 'upgrade-insecure-requests': null } },
    hsts: options.tls !== undefined,
  })
  await app.register(cookie)
  recogniseCallers(app, database, options.clock)
  auditActions(app, database, options.clock)
  sessionRoutes(app, database, options.clock)
  waysIn(app, options, database, secret)
  for (const part of parts) part.routes(app)
  await app.register(swagger, { mode: 'static', specification: { document: openapi() as never } })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
  for (const face of ['console', 'sigmon']) {
    const root = join(import.meta.dirname, '../..', face, 'dist')
    if (existsSync(root)) await app.register(files, { root, prefix: `/${face}/`, decorateReply: false, redirect: true, cacheControl: false, preCompressed: true, setHeaders: keepAssets })
  }
  app.get('/', (_, reply) => reply.redirect('/console/'))
  app.get('/openapi.json', () => openapi())
  return app
}

/** How people come in. A log-in that was begun is over by the clock on the wall: a rehearsed day would leave nobody the time. */
function waysIn(app: FastifyInstance, { clock, wallClock = clock, publicUrl, oidc = [], log }: AppOptions, database: Database, secret: Buffer): void {
  const ceremonies = createCeremonies({ database, secret, clock: wallClock })
  const providers = oidc.map((settings) => openProvider(settings, (error) => log.warn(error, `the provider ${settings.id}`)))
  logInRoutes(app, { database, clock, ceremonies, providers, publicUrl })
  passkeyRoutes(app, { database, clock, ceremonies, publicUrl })
}

/** Names below assets/ hold a hash of what is in them; everything else is asked for each time. */
function keepAssets(reply: FastifyReply, path: string): void {
  void reply.header('cache-control', /[\\/]assets[\\/]/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache')
}

const later = (ms: number, turn: () => void): (() => void) => {
  const timer = setTimeout(turn, ms)
  return () => clearTimeout(timer)
}

const targetOrigins = (options: AppOptions): string[] =>
  [...Object.values(options.targets ?? {}), options.sigmon?.custody ?? null].flatMap((target) => (target === null ? [] : [new URL(target).origin]))

/** Full tests make way for reports: none begins, and those that run end, while reports wait. */
function fullTests(app: FastifyInstance, options: AppOptions, secret: Buffer, ingest: Ingest, metrics: ReturnType<typeof startMetrics>): { stop(): Promise<void> } {
  const reportsWait = (): boolean => ingest.waiting() > waiting_for_tests_max
  return ndtRoutes(app, {
    admission: createAdmission({ secret, clock: options.clock, nonce: () => randomBytes(16), tests_max: options.ndt?.tests_max ?? tests_max, bytes_max: options.ndt?.bytes_max ?? test_bytes_max, reportsWait }),
    times: options.ndt?.times, reportsWait, ended: (direction, end) => metrics.tests.inc({ direction, end }),
  })
}

/** What phones are told besides receipts: configuration and packs, signed. */
async function sigmonOf(options: AppOptions, database: Database, secret: Buffer, present: Present, { key: ledgerKey, policy: ledgerPolicy }: Recaps): Promise<Omit<Parameters<typeof sigmonRoutes>[1], 'asks'>> {
  const settings: SigmonSettings = { ...(options.sigmon ?? settingsDefaults), intervalS: intervalOf(options) }
  const { clock, targets = { election: null, internet: null } } = options
  const signer = await readSigner(database)
  return { secret, signer, config: createConfig({ database, signer, settings, targets, ledgerKey, ledgerPolicy, clock }), packs: createPacks({ database, signer, settings, clock, secret, edition: () => present.edition() }) }
}

const intervalOf = (options: AppOptions): number => options.interval_s ?? (options.sigmon ?? settingsDefaults).intervalS

/** Before the day: the atlas, readiness, siting, positions, access points, the campaign. */
function planningRoutes(app: FastifyInstance, database: Database, secret: Buffer, clock: () => number, present: Present): void {
  atlasRoutes(app, { database })
  const checks = createChecks(database, clock)
  readinessRoutes(app, { database, present, checks })
  sitingRoutes(app, { database, present, clock })
  positionRoutes(app, { database, secret, clock })
  accessRoutes(app, { database, clock })
  campaignRoutes(app, { database, checks, clock })
}

function operatingRoutes(app: FastifyInstance, database: Database, registry: Registry, watched: Parameters<typeof witnessRoutes>[1]): void {
  witnessRoutes(app, watched)
  app.get('/healthz', () => ({ ok: true }))
  app.get('/readyz', async () => {
    await database.pool.query('SELECT 1').catch(() => {
      throw new ProblemError('not_ready', 'The database does not answer.')
    })
    return { ok: true }
  })
  app.get('/metrics', async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()))
}
