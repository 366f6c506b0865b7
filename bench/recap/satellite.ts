import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Agent, fetch as undiciFetch } from 'undici'
import { seeded } from '@kawal/core/kernel/random.ts'
import { freePort } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { makeCertificate } from '@kawal/testkit/certificate.ts'
import { startFaultProxy } from '@kawal/testkit/fault-proxy.ts'
import { serve } from '../ingest/processes.ts'
import { createPhone, type Phone } from './phone.ts'
import { enrolPhones, type Enrolled } from './world.ts'

const phones_count = 20
const rate_kbps = 1_000
const one_way_ms = 300
/** Whose first record's photos are under way when the others sign theirs. */
const early = 10
/** When everybody signs a record, s; each then somewhere within `spread_s`. */
const waves_s = [30, 100, 170]
const spread_s = 3
/** Bytes are counted from the first wave on. */
const window_s = { from: 30, to: 270 }
/** Who got nothing acknowledged for so long, while others did, starves. */
const silence_s_max = 60

interface Satellite {
  /** From signing to a receipt that the phone has verified, s. */
  readonly totals_s: readonly number[]
  /** Bytes of records, lists and photos that were acknowledged / what the line carries. */
  readonly goodput: number
  readonly starved: number
  readonly wire_share: number
  /** Until a phone alone on the slow line had all of its photos acknowledged, s; Infinity: not in time. */
  readonly slow_photos_s: number
}

/** The slowest line on which a photo has to get through: 2G, seen over a satellite. */
const slow = { rate_kbps: 64, photos_bytes: [80_000, 420_000], within_s: 180 }

/**
 * Twenty phones at one access point, over TLS and HTTP/2 as phones come, behind one line of 1 Mbit/s and 600 ms: each records while photos of
 * earlier records are on their way, its own and the others'.
 */
export async function satellite(seed: number, say: (text: string) => void): Promise<Satellite> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-satellite-'))
  try {
    const { cert, key } = makeCertificate()
    writeFileSync(join(folder, 'cert.pem'), cert)
    writeFileSync(join(folder, 'key.pem'), key)
    const data = join(folder, 'data')
    const enrolled = await enrolPhones(data, phones_count + 1, seed)
    const server = await serve(data, await freePort(), ['--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem')])
    const line = await startFaultProxy({ to: { host: '127.0.0.1', port: server.port }, fault: { rate_kbps, delay_ms: one_way_ms } })
    try {
      const stage = { cert, line, server_port: server.port, seed, say }
      const played = await play(enrolled.slice(0, phones_count), stage)
      return { ...played, slow_photos_s: await playSlow(enrolled[phones_count] as Enrolled, stage) }
    } finally {
      await line.close()
      await server.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Stage { readonly cert: Buffer; readonly line: Awaited<ReturnType<typeof startFaultProxy>>; readonly server_port: number; readonly seed: number; readonly say: (text: string) => void }

async function play(enrolled: readonly Enrolled[], { cert, line, server_port, seed, say }: Stage): Promise<Omit<Satellite, 'slow_photos_s'>> {
  const random = seeded(seed)
  const began = performance.now()
  const now_s = (): number => (performance.now() - began) / 1000
  const agents = [line.port, ...enrolled.map(() => line.port)].map(() => new Agent({ connect: { ca: cert }, allowH2: true }))
  const [direct] = agents
  const ledgerKey = await keyAt(server_port, direct as Agent)
  const heard = enrolled.map((): { at: number; bytes: number }[] => [])
  const phones = enrolled.map((who, nth) => createPhone({
    ...who, ledgerKey, clock: Date.now, random,
    fetch: async (path, init) => (await undiciFetch(`https://127.0.0.1:${line.port}${path}`, { ...init, dispatcher: agents[nth + 1] } as never)) as unknown as Response,
    acknowledged: (bytes) => void heard[nth]?.push({ at: now_s(), bytes }),
  }))
  const totals_s: number[] = []
  const running: Promise<void>[] = []
  const sign = async (phone: Phone, at_s: number): Promise<void> => {
    await pause(Math.max(0, at_s - now_s()) * 1000)
    const signed = now_s()
    const { hash } = await phone.sign([100_000 + Math.floor(random() * 100_000), 1_000_000 + Math.floor(random() * 1_000_000), 1_000_000 + Math.floor(random() * 1_000_000)])
    while (now_s() < window_s.to) {
      if ((await phone.all()).find((each) => each.hash === hash)?.isProven === true) return void totals_s.push(now_s() - signed)
      await pause(20)
    }
    // One that never came counts as late as can be.
    totals_s.push(Infinity)
  }
  for (const phone of phones.slice(0, early)) running.push(sign(phone, random() * spread_s))
  for (const wave of waves_s) for (const phone of phones) running.push(sign(phone, wave + random() * spread_s))
  await pause((window_s.from - now_s()) * 1000)
  line.resetBytes()
  for (const until of [...waves_s.slice(1), window_s.to]) {
    await pause((until - now_s()) * 1000)
    say(`satellite: ${until} s, ${totals_s.length} records, slowest ${Math.max(...totals_s).toFixed(1)} s, goodput so far ${goodputOf(heard, until).toFixed(3)}`)
  }
  const wire_share = line.bytes().up / capacity(window_s.to)
  await Promise.all(running)
  for (const { sender } of phones) sender.stop()
  const result = { totals_s, goodput: goodputOf(heard, window_s.to), starved: heard.filter((mine) => isStarved(mine)).length, wire_share }
  await Promise.all(agents.map((agent) => agent.destroy()))
  return result
}

const keyAt = async (port: number, dispatcher: Agent): Promise<string> => (await (await undiciFetch(`https://127.0.0.1:${port}/ledger/key`, { dispatcher })).text()).trim()

/** One phone by itself at 64 kbit/s and 600 ms: a record and half a megabyte of photos. */
async function playSlow(who: Enrolled, { cert, line, server_port, seed, say }: Stage): Promise<number> {
  await line.set({ rate_kbps: slow.rate_kbps, delay_ms: one_way_ms })
  const agent = new Agent({ connect: { ca: cert }, allowH2: true, bodyTimeout: 0, headersTimeout: 0 })
  const phone = createPhone({
    ...who, ledgerKey: await keyAt(server_port, agent), clock: Date.now, random: seeded(seed),
    fetch: async (path, init) => (await undiciFetch(`https://127.0.0.1:${line.port}${path}`, { ...init, dispatcher: agent } as never)) as unknown as Response,
  })
  const began = performance.now()
  const seconds = (): number => (performance.now() - began) / 1000
  await phone.sign(slow.photos_bytes)
  const isDone = async (): Promise<boolean> => (await phone.all()).every(({ isProven, photos }) => isProven && photos.every(({ offset, size_bytes }) => offset === size_bytes))
  while (!(await isDone()) && seconds() < slow.within_s) await pause(100)
  const took = (await isDone()) ? seconds() : Infinity
  phone.sender.stop()
  await agent.destroy()
  say(`satellite: alone at ${slow.rate_kbps} kbit/s, ${slow.photos_bytes.join(' and ')} bytes of photos in ${took.toFixed(1)} s`)
  return took
}

type Heard = readonly { readonly at: number; readonly bytes: number }[]
const capacity = (until: number): number => ((until - window_s.from) * rate_kbps * 1000) / 8
const within = (heard: Heard, until: number): Heard => heard.filter(({ at }) => at >= window_s.from && at <= until)
const goodputOf = (all: readonly Heard[], until: number): number => all.flatMap((each) => within(each, until)).reduce((sum, { bytes }) => sum + bytes, 0) / capacity(until)

function isStarved(mine: Heard): boolean {
  const moments = [window_s.from, ...within(mine, window_s.to).map(({ at }) => at), window_s.to]
  return moments.some((at, nth) => at - (moments[nth - 1] ?? at) > silence_s_max)
}
