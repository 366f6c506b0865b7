import { createHash } from 'node:crypto'
import { hour_ms, minute_ms } from '@kawal/core/kernel/clock.ts'
import { tileOf, tilePath, tile_width } from '@kawal/core/ledger/tiles.ts'
import { deviceToken } from '@kawal/server/src/measurement/enrolment.ts'
import { publicKeyFor } from './browser.ts'
import { check, type Gaps, type Violation } from './check.ts'
import { saidOf, wantedOf } from './completeness.ts'
import { drawFaults, stopAndStart, type Parties } from './faults.ts'
import { createBox, createPlatform, enrolBefore, secret, type Keeper } from './keeper.ts'
import { exportOf } from './losses.ts'
import type { Mutation } from './mutation.ts'
import { createNetwork, type Reply } from './network.ts'
import { createPhone, type Phone } from './phone.ts'
import { contests, drain_ms, drawPhones, epoch, faults_ms, full, stationOf, type Size } from './plan.ts'
import { createReceiver } from './receiver.ts'
import { createTables } from './tables.ts'
import { createWorld, hashOf, type Happening, type World } from './world.ts'

interface Run {
  readonly seed: number
  /** Empty when all held. */
  readonly violations: readonly Violation[]
  /** SHA-256 of the history: the same for each run of a seed. */
  readonly hash: string
  readonly history: readonly Happening[]
  readonly gaps: Gaps
}

/** How long before the beginning most phones were enrolled. */
const enrolled_ms = 3 * 24 * hour_ms
const auditor = deviceToken(secret, { id: '00000000-0000-0000-0000-000000000000', key: 0, station: stationOf(0) })

/**
 * One seed: phones, boxes, the platform, the receiver and the network in virtual time, with our own code between
 * simulated input and output (docs/decisions/0048-simulator.md). Three hours of faults, then quiet, then the checker reads what everybody saw.
 */
export async function simulate(seed: number, mutation: Mutation = {}, size: Size = full): Promise<Run> {
  const world = createWorld(seed)
  const network = createNetwork(world)
  const receiver = createReceiver(world)
  const isFaulty = (): boolean => world.now() < faults_ms
  const planted = mutation.keeper ?? {}
  const random = world.random('clocks')
  const platform: Keeper = createPlatform({
    world, network, name: 'platform', tables: createTables(Array.from({ length: size.stations }, (_, nth) => stationOf(nth))), clock: () => Math.floor(epoch + world.now()), planted, isFaulty, contests, receiver: receiver.host,
    stopped: (isPowerLost) => stopAndStart(world, platform, isPowerLost, minute_ms),
  })
  const boxes = Array.from({ length: size.boxes }, (_, nth): Keeper => {
    const off = Math.floor((random() - 0.5) * 20 * 60 * minute_ms)
    const token = deviceToken(secret, { id: '00000000-0000-0000-0000-00000000000a', key: 9_000 + nth, station: stationOf(nth) })
    const box: Keeper = createBox({
      world, network, name: `box-${nth}`, tables: createTables(), clock: () => Math.floor(epoch + world.now() + off), planted, isFaulty, up: platform.host, upKey: platform.key, token, stopped: (isPowerLost) => stopAndStart(world, box, isPowerLost, minute_ms),
    })
    return box
  })
  const phones: Phone[] = []
  for (const plan of drawPhones(world, size, boxes)) {
    const token = plan.isEnrolled ? await enrolBefore(platform.tables(), plan.station, publicKeyFor(plan.name), epoch - enrolled_ms) : null
    phones.push(createPhone({ world, network, plan, token, platform: platform.host, platformKey: platform.key, epoch, planted: mutation.phone ?? {} }))
  }
  for (const keeper of [platform, ...boxes]) void keeper.start()
  const parties: Parties = { world, network, platform, boxes, phones, receiver }
  drawFaults(parties)
  mutation.losses?.(parties)
  drawHerds(world, platform, network)
  for (const keeper of [platform, ...boxes]) watch(world, keeper)
  await world.runUntil(faults_ms + drain_ms)
  await audit(world, platform, boxes, phones)
  exportOf(receiver.held(), world, mutation.losses !== undefined)
  const stations = Array.from({ length: size.stations }, (_, nth) => stationOf(nth))
  const gaps = { said: saidOf(world.history, stations), wanted: wantedOf(world.history, stations) }
  return { seed, violations: check(world.history, { platform: platform.key, boxes: boxes.map(({ key }) => key) }, gaps), gaps, hash: hashOf(world.history), history: world.history }
}

/** 64 times the same record at once, now and then: whoever has a copy of one may hand it in. */
function drawHerds(world: World, platform: Keeper, network: ReturnType<typeof createNetwork>): void {
  const random = world.random('herds')
  for (let nth = Math.floor(random() * 3); nth > 0; nth--) world.later(random() * faults_ms, null, () => {
    const signed = world.history.filter(({ who, what, of }) => what === 'signed' && of['expects'] === 'counts' && !network.dead.has(`${who}>platform`)).at(-1)
    if (signed === undefined) return
    const headers = { authorization: `Bearer ${auditor}`, 'content-type': 'application/cose; cose-type="cose-sign1"' }
    for (let copy = 0; copy < 64; copy++) void network.send(`herd ${copy}`, { isOver: false }, platform.host, { method: 'POST', path: '/v1/recaps', headers, body: Buffer.from(String(signed.of['bytes']), 'base64') }).catch(() => undefined)
  })
}

async function ask(keeper: Keeper, path: string): Promise<Reply | null> {
  return await keeper.host.door?.answer({ method: 'GET', path, headers: { authorization: `Bearer ${auditor}` }, body: null }, null) ?? null
}

/** Somebody who looks at the log every ten minutes, as a witness does. */
function watch(world: World, keeper: Keeper): void {
  const look = (): void => {
    void ask(keeper, '/ledger/checkpoint').then((reply) => void (reply?.status === 200 && world.tell('watch', 'checkpoint', { log: keeper.host.name, text: reply.body.toString('utf8') })))
    world.later(10 * minute_ms, null, look)
  }
  world.later(minute_ms, null, look)
}

/** What can be seen from outside when all is over: the logs whole, what became of each record, the receiver's store, photos on the platform's disk, and what each phone has. */
async function audit(world: World, platform: Keeper, boxes: readonly Keeper[], phones: readonly Phone[]): Promise<void> {
  const work: (() => Promise<void>)[] = [platform, ...boxes].map((keeper) => () => auditLog(world, keeper))
  const hashes = new Set(world.history.flatMap(({ what, of }) => (what === 'signed' ? [String(of['hash'])] : [])))
  for (const hash of hashes) work.push(async () => {
    const reply = await ask(platform, `/v1/recaps/${hash}`)
    world.tell('audit', 'state', { hash, text: reply?.body.toString('utf8') ?? '' })
  })
  for (const [name, { bytes }] of platform.photos.named) if (/^[0-9a-f]{64}-\d+$/.test(name)) world.tell('audit', 'file', { name, hash: createHash('sha256').update(bytes).digest('hex'), size: bytes.length })
  for (const phone of phones) work.push(phone.audit)
  let left = work.length
  for (const each of work) void each().finally(() => left--)
  for (let rounds = 0; left > 0 && rounds < 60; rounds++) await world.runUntil(world.now() + minute_ms)
  world.tell('audit', 'over', { left })
}

async function auditLog(world: World, keeper: Keeper): Promise<void> {
  const reply = await ask(keeper, '/ledger/checkpoint')
  const text = reply?.body.toString('utf8') ?? ''
  const size = Number(text.split('\n')[1] ?? 0)
  const bundles: string[] = []
  for (let index = 0; index * tile_width < size; index++) bundles.push((await ask(keeper, `/ledger/${tilePath(tileOf('entries', index, size))}`))?.body.toString('base64') ?? '')
  world.tell('audit', 'log', { log: keeper.host.name, text, bundles: bundles.join(' ') })
}

/** Seeds one after the other. @returns those that failed */
export async function runSeeds(from: number, count: number, told: (run: Run) => void = () => undefined): Promise<readonly Run[]> {
  const failed: Run[] = []
  for (let seed = from; seed < from + count; seed++) {
    const run = await simulate(seed)
    told(run)
    if (run.violations.length > 0) failed.push(run)
  }
  return failed
}

const tail = 40
/** Which seed failed, what did not hold, and the end of what happened. */
export const sayRun = ({ seed, violations, hash, history }: Run): string =>
  [`seed ${seed} (${hash}): ${violations.length} violations`, ...violations.slice(0, 10).map(({ rule, text }) => `  ${rule}: ${text}`), ...(violations.length === 0 ? [] : ['', ...aboutOf(violations, history)])].join('\n')

/** What happened to what the violations name, else the end. */
function aboutOf(violations: readonly Violation[], history: readonly Happening[]): string[] {
  const about = violations[0]?.about ?? ''
  const lines = history.filter(({ who, what }) => who !== 'audit' && what !== 'checkpoint').map(({ at, who, what, of }) => `  ${(at / 1000).toFixed(1).padStart(8)} s ${who} ${what} ${Object.entries(of).map(([key, value]) => `${key}=${String(value).slice(0, 120)}`).join(' ')}`)
  const named = about === '' ? [] : lines.filter((line) => line.includes(about))
  return (named.length > 0 ? named : lines).slice(-tail)
}
