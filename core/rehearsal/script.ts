import { hour_ms, minute_ms, type Instant } from '../kernel/clock.ts'
import { seeded, type Random } from '../kernel/random.ts'
import { fail, ok, type Result } from '../kernel/result.ts'

const faultKinds = ['operator', 'power', 'congestion', 'election_server'] as const
type FaultKind = (typeof faultKinds)[number]

export interface ScriptStation {
  readonly code: string
  readonly village: string
  readonly latitude: number | null
  readonly longitude: number | null
}

/** A fault as it truly is. Detection never sees it; the score is taken against it. */
export interface ScriptedFault {
  readonly id: string
  readonly kind: FaultKind
  /** The operator whose network fails; null for faults of everybody. */
  readonly operator: string | null
  readonly stations: readonly string[]
  readonly startAt: Instant
  /** When it ends by itself; null until somebody repairs it. */
  readonly repairAt: Instant | null
}

export interface Script {
  readonly seed: number
  readonly startAt: Instant
  readonly endAt: Instant
  readonly disturbances: readonly ScriptedFault[]
}

export const operatorShares: readonly (readonly [string, number])[] = [['telkomsel', 0.5], ['xlsmart', 0.27], ['indosat', 0.23]]

interface ScriptOptions {
  readonly startAt: Instant
  readonly hours: number
  readonly disturbances: number
  readonly devicesPerStation: number
}

const devices_min = 18
const devices_max = 240
const quiet_start_ms = 30 * minute_ms

/** Faults of different kinds and sizes among quiet hours. Nothing but the seed decides. */
export function makeScript(seed: number, stations: readonly ScriptStation[], options: ScriptOptions): Script {
  const random = seeded(seed)
  const placed = stations.filter((station) => station.latitude !== null && station.longitude !== null)
  const span_ms = options.hours * hour_ms - quiet_start_ms - 60 * minute_ms
  const kinds = shuffled(faultKinds, random)
  const taken = new Set<string>()
  const faults = Array.from({ length: options.disturbances }, (_, index): ScriptedFault => {
    const kind = kinds[index % kinds.length] as FaultKind
    const operator = kind === 'operator' || kind === 'congestion' ? pickOperator(random) : null
    const share = operator === null ? 1 : (operatorShares.find(([name]) => name === operator)?.[1] ?? 1)
    const devices = devices_min * (devices_max / devices_min) ** random()
    const count = kind === 'election_server' ? placed.length : Math.max(4, Math.round(devices / (share * options.devicesPerStation)))
    const start = quiet_start_ms + ((index + 0.2 + 0.6 * random()) / options.disturbances) * span_ms
    const chosen = kind === 'election_server' ? placed : around(placed, taken, count, random)
    if (kind !== 'election_server') for (const station of chosen) taken.add(station.code)
    return {
      id: `f-${index + 1}`, kind, operator, stations: chosen.map((station) => station.code).sort(),
      startAt: options.startAt + Math.round(start / 1000) * 1000, repairAt: null,
    }
  })
  return { seed, startAt: options.startAt, endAt: options.startAt + options.hours * hour_ms, disturbances: faults }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items.map((item) => ({ item, key: random() })).sort((a, b) => a.key - b.key).map(({ item }) => item)
}

function pickOperator(random: Random): string {
  let left = random()
  for (const [name, share] of operatorShares) {
    left -= share
    if (left < 0) return name
  }
  return 'telkomsel'
}

/** The stations nearest to a random one, away from those of other faults. */
function around(stations: readonly ScriptStation[], taken: ReadonlySet<string>, count: number, random: Random): ScriptStation[] {
  const free = stations.filter((station) => !taken.has(station.code))
  const centre = free[Math.floor(random() * free.length)]
  if (centre === undefined) return []
  const far = (station: ScriptStation): number => ((station.latitude ?? 0) - (centre.latitude ?? 0)) ** 2 + ((station.longitude ?? 0) - (centre.longitude ?? 0)) ** 2
  return [...free].sort((a, b) => far(a) - far(b) || (a.code < b.code ? -1 : 1)).slice(0, Math.min(count, free.length >> 1))
}

/**
 * Reads a script written by hand: `{"faults": [{"kind", "operator"?, "area" or "stations", "startMinute",
 * "endMinute"?}], "hours"?}`. Minutes count from the start of the rehearsed day.
 * @param hours_default length of the day where the file names none
 * @returns every fault of the file in words, not only the first
 */
export function parseScript(json: unknown, stations: readonly ScriptStation[], startAt: Instant, hours_default = 4): Result<Script, string[]> {
  const root = json as { faults?: unknown; hours?: unknown } | null
  if (root === null || typeof root !== 'object' || !Array.isArray(root.faults)) return fail(['The file needs a list "faults".'])
  const wrong: string[] = []
  const faults = root.faults.flatMap((raw: unknown, index): ScriptedFault[] => {
    const read = readFault(raw as Record<string, unknown>, index, stations, startAt)
    if (read.ok) return [read.value]
    wrong.push(`fault ${index + 1}: ${read.error}`)
    return []
  })
  if (wrong.length > 0) return fail(wrong)
  const hours = typeof root.hours === 'number' && root.hours > 0 ? root.hours : hours_default
  return ok({ seed: 0, startAt, endAt: startAt + hours * hour_ms, disturbances: faults })
}

function readFault(raw: Record<string, unknown> | null, index: number, stations: readonly ScriptStation[], startAt: Instant): Result<ScriptedFault, string> {
  if (raw === null || typeof raw !== 'object') return fail('is not an object')
  const { kind, operator = null, area, startMinute, endMinute = null } = raw
  if (!faultKinds.includes(kind as FaultKind)) return fail(`"kind" is one of ${faultKinds.join(', ')}, not ${JSON.stringify(kind)}`)
  if ((kind === 'operator' || kind === 'congestion') && typeof operator !== 'string') return fail(`a fault of kind ${String(kind)} needs an "operator"`)
  if (typeof startMinute !== 'number' || startMinute < 0) return fail('"startMinute" is a number of minutes from the start')
  if (endMinute !== null && (typeof endMinute !== 'number' || endMinute <= startMinute)) return fail('"endMinute" comes after "startMinute"')
  const listed = Array.isArray(raw['stations']) ? new Set(raw['stations'] as unknown[]) : null
  const hit = stations.filter((station) => (listed === null ? typeof area === 'string' && station.code.startsWith(area) : listed.has(station.code)))
  if (kind !== 'election_server' && hit.length === 0) return fail('no station lies there: give "area" (a region code) or "stations" (13-digit codes) of the rehearsed province')
  return ok({
    id: `f-${index + 1}`, kind: kind as FaultKind, operator: operator as string | null,
    stations: (kind === 'election_server' ? stations : hit).map((station) => station.code).sort(),
    startAt: startAt + startMinute * minute_ms, repairAt: endMinute === null ? null : startAt + (endMinute as number) * minute_ms,
  })
}
