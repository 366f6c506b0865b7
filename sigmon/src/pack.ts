import { applyPack, packVersion, splitPackFile } from '@kawal/contract/pack.ts'
import type { Enrolled } from '@kawal/contract/report.ts'
import type { Pack, PackDelta, PackStation } from '@kawal/contract/sigmon.ts'
import { bearing_deg, distance_km, type Position } from '@kawal/core/geo/distance.ts'
import type { Sha256 } from '@kawal/core/measurement/letter.ts'
import type { Side } from '@kawal/core/recap/slot.ts'
import { request, type Reaching } from './request.ts'
import type { NearPoint, OwnStation, SessionState } from './session.ts'
import type { Trust } from './trust.ts'

interface HeldPack {
  readonly district: string
  readonly version: string
  readonly bytes: number
  readonly pack: Pack
  /** When the platform last said that this is the present one, ms; missing in what an older version of the app kept. */
  readonly saidAt?: number
  /** It was asked for without a token. */
  readonly open?: boolean
  /** The newest `madeAt` of each kind: the open pack and the whole one are made at times of their own. */
  readonly newest?: Readonly<Partial<Record<Kind, string>>>
}
type Kind = 'open' | 'whole'
type Taken = Omit<HeldPack, 'saidAt' | 'open' | 'newest'>

/** Where packs are kept; the phone's own store does it. */
export interface PackShelf {
  read(district: string): Promise<HeldPack | undefined>
  write(held: HeldPack): Promise<void>
}

/** On foot: 4 km an hour, and a way is 1.3 times the straight line. Nobody is sent further than this. */
const walk_km_h = 4
const detour = 1.3
const walk_km_max = 10
const stale_ms = 7 * 86_400_000
const pack_bytes_max = 2_000_000

export interface Packs {
  /** Takes the stored pack of a district up. @returns whether there is one */
  open(district: string): Promise<boolean>
  /** Fetches what changed, else the whole. @returns `refused`: forged, rolled back or broken; what is held stays */
  fetch(district: string): Promise<'changed' | 'same' | 'refused' | 'unanswered'>
  /** Of a station's two letters; `station_unknown` when the pack of its district does not have it; null without that pack. */
  verifiersOf(station: string): Readonly<Record<Side, string | undefined>> | 'station_unknown' | null
  stationOf(code: string): Enrolled['station'] | null
  state(now: number): SessionState['pack']
  own(station: string): OwnStation | null
  helpLines(): Pack['head']['helpLines']
  forms(): Pack['head']['forms']
  nearest(from: Position | null, station: string | null, count: number): NearPoint[]
}

interface PackNeeds {
  readonly reach: Reaching
  readonly trust: Pick<Trust, 'verify'>
  readonly sha256: Sha256
  readonly shelf: PackShelf
  readonly clock: () => number
  /** A device's token of that district: with it the pack has the words on operators; null asks for the open one. */
  readonly token: (district: string) => string | null
  /** The platform asks for a check at this phone's station. */
  readonly checkWanted: () => void
}

const degrees = (latitude: number, longitude: number): Position => ({ latitude: latitude / 1e5, longitude: longitude / 1e5 })
const words = { k: 'kuat', s: 'sedang', l: 'lemah', t: 'tidak_ada', u: 'tanpa_data' } as const

export function createPacks(needs: PackNeeds): Packs {
  const { reach, shelf, clock, token, checkWanted } = needs
  let held: HeldPack | null = null
  const stationIn = (code: string): PackStation | null => (held !== null && code.startsWith(held.district) ? (held.pack.stations[code.slice(6)] ?? null) : null)

  const packs: Packs = {
    async open(district) {
      if (held?.district === district) return true
      const found = await shelf.read(district)
      if (found !== undefined) held = found
      return found !== undefined
    },
    async fetch(district) {
      await packs.open(district)
      const before = held?.district === district ? held : null
      const path = `/v1/packs/${district}`
      const bearer = token(district)
      const asking: Record<string, string> = bearer === null ? {} : { authorization: `Bearer ${bearer}` }
      const keep = async (next: Taken): Promise<void> => {
        const kept = { ...next, saidAt: clock(), open: bearer === null, newest: { ...before?.newest, [kindOf(next.pack)]: next.pack.madeAt } }
        await shelf.write(kept)
        held = kept
      }
      const found = await request(reach, before === null ? path : `${path}?since=${before.version}`, { headers: before === null ? asking : { ...asking, 'if-none-match': `"${before.version}"` } })
      if (found?.headers.get('kawal-check') === 'wanted') checkWanted()
      let answer = found
      if (answer?.status === 304 && before !== null) {
        await keep(before)
        return 'same'
      }
      if (answer?.status !== 200) return 'unanswered'
      let next = await take(needs, district, held, new Uint8Array(await answer.arrayBuffer()))
      if (next === null && before !== null) {
        // The change does not lead where it says: the whole is asked for.
        answer = await request(reach, path, { headers: asking })
        if (answer?.status !== 200) return 'unanswered'
        next = await take(needs, district, held, new Uint8Array(await answer.arrayBuffer()))
      }
      if (next === null || isOlder(next.pack, before)) return 'refused'
      await keep(next)
      return next.version === before?.version ? 'same' : 'changed'
    },
    verifiersOf(station) {
      if (held === null || !station.startsWith(held.district)) return null
      const found = stationIn(station)
      return found === null ? 'station_unknown' : { officer: found[7], supervisor: found[14] }
    },
    stationOf(code) {
      const station = stationIn(code)
      if (held === null || station === null) return null
      const { head, villages } = held.pack
      const at = station[0] === null || station[1] === null ? null : degrees(station[0], station[1])
      return { code, village: villages[code.slice(6, 10)]?.[0] ?? '', district: head.name, regency: head.regency, province: head.province, zone: head.zone, latitude: at?.latitude ?? null, longitude: at?.longitude ?? null }
    },
    state: (now) => (held === null ? null : { version: held.version, madeAt: held.pack.madeAt, bytes: held.bytes, stale: now - (held.saidAt ?? Date.parse(held.pack.madeAt)) > stale_ms }),
    own(code) {
      const station = stationIn(code)
      return held === null || station === null ? null : { ...ownOf(held.pack, code, station), open: held.open !== false && kindOf(held.pack) === 'open' }
    },
    helpLines: () => held?.pack.head.helpLines ?? [],
    forms: () => held?.pack.head.forms ?? [],
    nearest(from, code, count) {
      const station = code === null ? null : stationIn(code)
      const here = from ?? placeOf(held?.pack ?? null, code, station)
      return held === null || here === null ? [] : near(held.pack, here, station).slice(0, count)
    },
  }
  return packs
}

/** What the platform sent, verified: a pack, or what a delta makes of the one that is held. */
async function take({ trust, sha256 }: Pick<PackNeeds, 'trust' | 'sha256'>, district: string, held: HeldPack | null, bytes: Uint8Array<ArrayBuffer>): Promise<Taken | null> {
  const file = bytes.length > pack_bytes_max ? null : splitPackFile(bytes)
  if (file === null || !(await trust.verify(file.kid, file.signature, file.body))) return null
  const content = await unzip(file.body)
  if (content === null) return null
  if (file.kind === 'delta') {
    if (held?.district !== district) return null
    const made = await applyPack(held.pack, content as PackDelta, sha256)
    return made.ok ? { district, version: (content as PackDelta).to, bytes: held.bytes, pack: made.value } : null
  }
  const pack = content as Pack
  if (pack.district !== district || typeof pack.stations !== 'object' || typeof pack.access !== 'object') return null
  return { district, version: await packVersion(pack, sha256), bytes: bytes.length, pack }
}

/** By what it says, since a token that is worth nothing brings the open one without a word: no letter for any operator. */
const kindOf = (pack: Pack): Kind => (Object.values(pack.stations).every(([, , , , said]) => said === '') ? 'open' : 'whole')

function isOlder(next: Pack, before: HeldPack | null): boolean {
  const kind = kindOf(next)
  const newest = before === null ? undefined : (before.newest?.[kind] ?? (kindOf(before.pack) === kind ? before.pack.madeAt : undefined))
  return newest !== undefined && Date.parse(next.madeAt) < Date.parse(newest)
}

function placeOf(pack: Pack | null, code: string | null, station: PackStation | null): Position | null {
  if (station !== null && station[0] !== null && station[1] !== null) return degrees(station[0], station[1])
  const village = code === null ? undefined : pack?.villages[code.slice(6, 10)]
  return village === undefined || village[1] === null || village[2] === null ? null : degrees(village[1], village[2])
}

function near(pack: Pack, here: Position, station: PackStation | null): NearPoint[] {
  return Object.entries(pack.access).map(([id, [kind, name, latitude, longitude, working, saidAt, note]]) => {
    const there = degrees(latitude, longitude)
    const distance = distance_km(here, there)
    const assigned = station === null || station[8] !== id ? null : { from_min: station[9] ?? 0, for_min: station[10] ?? 0 }
    return {
      id, name, kind, ...there, distance_km: distance, bearing_deg: bearing_deg(here, there),
      walk_min: distance > walk_km_max ? null : Math.ceil((distance * detour * 60) / walk_km_h), working, saidAt, note, assigned,
    }
  }).sort((a, b) => a.distance_km - b.distance_km)
}

function ownOf(pack: Pack, code: string, station: PackStation): Omit<OwnStation, 'open'> {
  const [latitude, longitude, grade, readiness, said, best, second, , , , , betterLatitude, betterLongitude, betterOperator] = station
  const operatorAt = (index: number | null): string | null => (index === null ? null : (pack.head.operators[index]?.[1] ?? null))
  const here = placeOf(pack, code, station)
  const there = betterLatitude === null || betterLongitude === null ? null : degrees(betterLatitude, betterLongitude)
  return {
    code, village: pack.villages[code.slice(6, 10)]?.[0] ?? '', readiness,
    operators: pack.head.operators.map(([id, name], index) => ({ id, name, word: words[(said[index] ?? 'u') as keyof typeof words] ?? 'tanpa_data' })),
    best: operatorAt(best), second: operatorAt(second),
    position: latitude === null || longitude === null || grade === null ? null : { ...degrees(latitude, longitude), grade },
    better: there === null || here === null ? null : { ...there, distance_km: distance_km(here, there), bearing_deg: bearing_deg(here, there), operator: operatorAt(betterOperator) },
  }
}

/** gzip (RFC 1952); the browser has it since Chromium 80. @returns null when it is none, or no JSON */
async function unzip(body: Uint8Array<ArrayBuffer>): Promise<unknown> {
  try {
    const stream = new Response(body).body?.pipeThrough(new DecompressionStream('gzip'))
    return stream === undefined ? null : ((await new Response(stream).json()) as unknown)
  } catch {
    return null
  }
}
