import { createHash } from 'node:crypto'
import fastify, { type FastifyInstance } from 'fastify'
import type { Random } from '@kawal/core/kernel/random.ts'
import { formatSignerKey, formatVerifierKey, readVerifierKey, verifierKey } from '@kawal/core/ledger/key.ts'
import { logAlone } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { signedBytes, keyId, type Envelope } from '@kawal/core/recap/cose.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import type { Contests } from '@kawal/core/recap/judge.ts'
import { createCourier, type CarriedStore } from '@kawal/server/src/custody/courier.ts'
import { loggedRoute } from '@kawal/server/src/custody/logged.ts'
import { publicKeyOf, sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import { openLedger, type Ledger, type LedgerStore, type Pace, type Source, type Writing } from '@kawal/server/src/ledger/ledger.ts'
import { ledgerRoutes } from '@kawal/server/src/ledger/routes.ts'
import { openSigner, SignerRefused, type SignerFolder } from '@kawal/server/src/ledger/signer.ts'
import { deviceOf } from '@kawal/server/src/measurement/device.ts'
import { deviceToken } from '@kawal/server/src/measurement/enrolment.ts'
import { answerNotFound, answerProblems, ProblemError } from '@kawal/server/src/problem.ts'
import type { Reach } from '@kawal/server/src/reach.ts'
import { createForwarder, type DeliveryStore } from '@kawal/server/src/recap/forwarder.ts'
import { createIntake } from '@kawal/server/src/recap/intake.ts'
import { createJudge, type JudgeStore } from '@kawal/server/src/recap/judge.ts'
import { createSignatures, type IsSigned } from '@kawal/server/src/recap/keys.ts'
import { createPhotoStore, type PhotoFiles, type PhotoStore } from '@kawal/server/src/recap/photo-store.ts'
import { photoRoutes } from '@kawal/server/src/recap/photo-routes.ts'
import { recapRoutes } from '@kawal/server/src/recap/routes.ts'
import { createDisk, losePower, photoFilesOn, signerFolderOn, type Disk } from './disk.ts'
import { bodyOf, doorOf, responseOf, type Host, type Network } from './network.ts'
import { carriedStoreOf, deliveryOf, deliveryStoreOf, enrolIn, holdersOf, judgeStoreOf, photoListsOf, stateOf } from './stores.ts'
import { ledgerStoreOf, sourcesOf, type Tables } from './tables.ts'
import { verifyEd25519 } from './signing.ts'
import { between, createIo, type Io, type Life, type Strike, type World } from './world.ts'

/** Faults that are planted at the ports, for the checker to be seen to find them. */
export interface Planted {
  readonly ledgerStore?: <W extends Writing>(store: LedgerStore<W>, io: Io) => LedgerStore<W>
  readonly sources?: <W extends Writing>(sources: readonly Source<W>[]) => readonly Source<W>[]
  readonly signerFolder?: (folder: SignerFolder, disk: Disk) => SignerFolder
  readonly photoFiles?: (files: PhotoFiles, disk: Disk, io: Io) => PhotoFiles
  readonly photoStore?: (store: PhotoStore) => PhotoStore
  readonly judgeStore?: (store: JudgeStore) => JudgeStore
  readonly deliveryStore?: (store: DeliveryStore) => DeliveryStore
  readonly carriedStore?: (store: CarriedStore) => CarriedStore
}

/** Whatever keeps records: the platform, or a box. */
export interface Keeper {
  readonly host: Host
  /** `NAME+ID+KEY` of its log. */
  readonly key: string
  readonly photos: Disk
  tables: () => Tables
  /** Another database is in its place, until it is not taken up: then people put the right one back. */
  putIn(tables: Tables): void
  isRunning(): boolean
  start(): Promise<void>
  /** Ends in the middle of whatever it does. @param isPowerLost else only the program is gone, and all that was written stays */
  stop(isPowerLost: boolean): void
}

interface Needs {
  readonly world: World
  readonly network: Network
  readonly name: string
  readonly tables: Tables
  /** Its own clock, ms since 1970. */
  readonly clock: () => number
  readonly planted: Planted
  /** Whether faults of its own happen now. */
  readonly isFaulty: () => boolean
  /** It has to end, or the power is gone: somebody starts it again. */
  readonly stopped: (isPowerLost: boolean) => void
}

/** What one program holds while it runs. */
interface Running extends Needs { readonly life: Life; readonly io: Io; readonly ledger: Ledger; readonly store: PhotoStore; readonly app: FastifyInstance; readonly failed: (error: unknown) => void }
type Start = (running: Running) => void

export const photo_piece_bytes = 256
/** What failed to start is started again so long after. */
const again_ms = 60_000
const turn_ms = 200_000
export const secret = Buffer.alloc(32, 7)

function createKeeper(needs: Needs, begin: Start): Keeper {
  const { world, name } = needs
  const signing = createDisk()
  const photos = createDisk()
  const seed = Uint8Array.from(createHash('sha256').update(name).digest())
  const made = verifierKey(`${name}.example/ledger`, 'ed25519', publicKeyOf(seed), sha256)
  if (!made.ok) throw new Error(made.error)
  const text = Buffer.from(`${formatSignerKey({ ...made.value, seed })}\n`)
  for (const names of [signing.files, signing.named]) names.set('key', { bytes: text, synced: text.length })
  const random = world.random(`disk ${name}`)
  let life: Life = { isOver: true }
  let starts = 0
  let tables = needs.tables
  let right: Tables | null = null

  const run = async (now: Life): Promise<void> => {
    const app = await assemble({ ...needs, tables, life: now }, { signing, photos, random, nth: ++starts }, begin)
    keeper.host.door = doorOf(app, now)
  }

  const keeper: Keeper = {
    host: { name, door: null }, key: formatVerifierKey(made.value), photos, tables: () => tables, isRunning: () => !life.isOver,
    putIn(other) {
      right = tables
      tables = other
    },
    async start() {
      if (!life.isOver) return
      const now: Life = (life = { isOver: false })
      try {
        await run(now)
        world.tell(name, 'start', { entries: tables.entries.length })
      } catch (error) {
        now.isOver = true
        const isRefused = error instanceof SignerRefused
        world.tell(name, isRefused ? 'refused' : 'fault', { text: String(error).slice(0, 300) })
        if (isRefused && right === null) return
        if (isRefused && right !== null) [tables, right] = [right, null]
        world.later(again_ms, null, () => void keeper.start())
      }
    },
    stop(isPowerLost) {
      world.tell(name, isPowerLost ? 'power' : 'killed')
      life.isOver = true
      keeper.host.door = null
      if (isPowerLost) for (const disk of [signing, photos]) losePower(disk, random)
    },
  }
  return keeper
}

interface Disks { readonly signing: Disk; readonly photos: Disk; readonly random: Random; /** Which start of it this is. */ readonly nth: number }

/** Everything of one start of it. */
async function assemble(needs: Needs & { readonly life: Life }, { signing, photos, random, nth }: Disks, begin: Start): Promise<FastifyInstance> {
  const { world, name, tables, life, planted } = needs
  const strike = (share: number): Strike => ({ share: () => (needs.isFaulty() ? share : 0), stop: needs.stopped })
  const io = createIo(world, life, `${name} ${nth}`, [0.5, 6], strike(0.001), () => (needs.isFaulty() ? 0.002 : 0))
  const failed = (error: unknown): void => world.tell(name, 'fault', { text: String(error).slice(0, 300) })
  const fatal = (error: unknown): void => {
    failed(error)
    needs.stopped(false)
  }
  const disk = createIo(world, life, `${name} disk ${nth}`, [0.5, 12], strike(0.008))
  const fails = (share: number) => (): boolean => needs.isFaulty() && random() < share
  const folder = signerFolderOn(signing, disk, name, fails(0.0005))
  const signer = await openSigner(planted.signerFolder?.(folder, signing) ?? folder, name, tables.entries.length === 0)
  const log = ledgerStoreOf(tables, io)
  const sources = sourcesOf(tables, io)
  const pace: Pace = { now: world.now, pause: (ms) => new Promise((resolve) => void world.later(ms, life, () => resolve(null))) }
  const ledger = await openLedger({ store: planted.ledgerStore?.(log, io) ?? log, signer, clock: needs.clock, sources: planted.sources?.(sources) ?? sources, failed, fatal, pace })
  const files = photoFilesOn(photos, disk, fails(0.001))
  const store = createPhotoStore(planted.photoFiles?.(files, photos, disk) ?? files)
  const app = fastify({ logger: false }) as unknown as FastifyInstance
  answerProblems(app)
  answerNotFound(app)
  ledgerRoutes(app, () => ledger)
  const running: Running = { ...needs, io, ledger, store: planted.photoStore?.(store) ?? store, app, failed }
  photoAndRecapRoutes(running, begin, fatal)
  await app.ready()
  return app
}

/** The routes that both have; what each has of its own is added by `begin`. */
function photoAndRecapRoutes(running: Running, begin: Start, fatal: (error: unknown) => void): void {
  const { app, store, clock, io, tables } = running
  begin(running)
  photoRoutes(app, { lists: photoListsOf(tables, io), admit: admitBy(running), clock, store, fatal })
}

const admitBy = ({ name }: Needs) => (request: Parameters<typeof deviceOf>[0]): number | null => (name === 'platform' ? deviceOf(request, secret).key : null)

/** Without the pool of threads: what it would answer first, nobody could say beforehand. */
const isSigned: IsSigned = (envelope: Envelope, publicKey: Uint8Array) =>
  Promise.resolve(envelope.algorithm === 'EdDSA' && publicKey.length === 32 && verifyEd25519(Uint8Array.from(publicKey), signedBytes(envelope), envelope.signature) === true)

/** A request of a program of ours to another, with its time. */
const reachOver = (world: World, network: Network, from: string, life: Life, to: Host): Reach => (url, init, ms) => new Promise((resolve, reject) => {
  const stop = world.later(ms, life, () => reject(new DOMException('no answer in time', 'TimeoutError')))
  network.send(from, life, to, { method: init.method ?? 'GET', path: new URL(url).pathname, headers: init.headers as Record<string, string>, body: bodyOf(init.body) }).then((reply) => {
    stop()
    resolve(responseOf(reply))
  }, (error: unknown) => {
    stop()
    reject(error as Error)
  })
})

function turns(world: World, life: Life, ms: number, turn: () => Promise<void>): void {
  const next = (): void => void turn().finally(() => world.later(ms, life, next))
  world.later(ms, life, next)
}

/** The platform: intake, ledger, judge and forwarder as `openRecaps` puts them together, and enrolment in short. */
export function createPlatform(needs: Needs & { readonly contests: Contests; readonly receiver: Host }): Keeper {
  return createKeeper(needs, (running) => {
    const { world, network, life, io, tables, ledger, clock, app, failed, planted } = running
    const signatures = createSignatures(isSigned)
    const judged = judgeStoreOf(tables, io)
    const deliveries = deliveryStoreOf(tables, io)
    const judge = createJudge({ store: planted.judgeStore?.(judged) ?? judged, clock, contests: needs.contests, signatures, failed })
    const forwarder = createForwarder({ store: planted.deliveryStore?.(deliveries) ?? deliveries, reach: reachOver(world, network, 'platform', life, needs.receiver), clock, receiver: { url: 'http://receiver.example/records' }, failed })
    recapRoutes(app, {
      lists: photoListsOf(tables, io), stateOf: stateOf(tables, io), deliveryOf: deliveryOf(tables, io), admit: admitBy(running), clock, ledger: () => ledger, intake: createIntake({ holders: holdersOf(tables, io), ledger: () => ledger, signatures }), taken: () => void judge.turn(),
    })
    enrolmentRoute(running)
    turns(world, life, turn_ms, async () => {
      await ledger.turn()
      await judge.turn()
      await forwarder.turn()
    })
  })
}

const kidOf = async (publicKey: Buffer): Promise<string> => Buffer.from(await keyId('EdDSA', publicKey, sha256)).toString('hex')
const deviceId = (publicKey: Buffer, station: string): string => createHash('sha256').update(publicKey).update(station).digest('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5')

/** Enrols a phone as it was done days before. @returns its token */
export async function enrolBefore(tables: Tables, station: string, publicKey: Buffer, at: number): Promise<string> {
  return deviceToken(secret, enrolIn(tables, station, publicKey, await kidOf(publicKey), at, deviceId(publicKey, station)))
}

/** What phones see of enrolment; letters and their codes have tests of their own. */
function enrolmentRoute({ app, io, tables, clock }: Running): void {
  app.post<{ Body: { station: string; code: string; key: { x: string } } }>('/v1/devices', async ({ body }, reply) => {
    if (body.code !== 'KODE' || !tables.stations.has(body.station)) throw new ProblemError('code_wrong', 'The code does not belong to this station.')
    const publicKey = Buffer.from(body.key.x, 'base64url')
    const kid = await kidOf(publicKey)
    const device = await io.change(() => enrolIn(tables, body.station, publicKey, kid, clock(), deviceId(publicKey, body.station)))
    return reply.code(201).send({ device: device.id, token: deviceToken(secret, device), station: { code: body.station, village: '', district: '', regency: '', province: '', zone: 'Asia/Jakarta', latitude: null, longitude: null } })
  })
}

/** A box: custody in a log of its own, and the courier, as `startBox` puts them together. */
export function createBox(needs: Needs & { readonly up: Host; readonly upKey: string; readonly token: string }): Keeper {
  const log = readVerifierKey(needs.upKey, sha256)
  if (!log.ok) throw new Error(log.error)
  const proves = async (envelope: Uint8Array, receipt: string): Promise<boolean> =>
    (await verifyReceipt(writeEntry({ kind: 'recap', envelope }), receipt, logAlone(log.value), { sha256, verify: verifyEd25519 })).ok
  return createKeeper(needs, (running) => {
    const { world, network, name, life, io, tables, ledger, clock, app, failed, store, planted } = running
    const signatures = createSignatures(isSigned)
    const real = carriedStoreOf(tables, io)
    const carried = planted.carriedStore?.(real) ?? real
    loggedRoute(app, carried)
    const courier = createCourier({
      carried, clock, store, up: 'http://platform.example', bearer: { token: () => Promise.resolve(needs.token), refused: () => undefined }, proves, failed,
      reach: reachOver(world, network, name, life, needs.up), piece_bytes: photo_piece_bytes,
    })
    recapRoutes(app, {
      lists: photoListsOf(tables, io), stateOf: stateOf(tables, io), deliveryOf: () => Promise.resolve(null), admit: admitBy(running), clock, ledger: () => ledger, intake: createIntake({ holders: holdersOf(tables, io), ledger: () => ledger, signatures }), taken: () => void courier.turn(),
    })
    turns(world, life, between(world.random(`turn ${name}`), 40_000, 60_000), courier.turn)
  })
}
