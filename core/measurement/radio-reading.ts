import type { Instant } from '../kernel/clock.ts'
import { fail, ok, type Result } from '../kernel/result.ts'
import type { Censored, Technology } from './radio.ts'
import { radioRange } from './validate.ts'

/** Radio values as they come over the bridge: see spec/radio-bridge.md. Null is unknown, and never a number. */
interface RadioCell {
  readonly registered: boolean | null
  /** Carries data beside the registered cell: the NR part of EN-DC, a further carrier. */
  readonly secondary: boolean | null
  readonly technology: Technology
  readonly rsrpDbm: number | null
  readonly rsrqDb: number | null
  readonly sinrDb: number | null
  readonly rscpDbm: number | null
  readonly ecioDb: number | null
  readonly rssiDbm: number | null
  readonly tac: number | null
  readonly lac: number | null
  readonly cellId: number | null
  readonly pci: number | null
  readonly channel: number | null
  /** How old the values were when they were read. */
  readonly ageMs: number | null
  readonly censored: Censored<LevelName>
  /** Names of values that are kept as they came and cannot be. */
  readonly invalid: readonly string[]
}

interface RadioSlot {
  readonly slot: number
  readonly dataSim: boolean | null
  /** Of the network that the slot is registered in. */
  readonly plmn: string | null
  /** Of the SIM's own operator. */
  readonly simPlmn: string | null
  readonly cells: readonly RadioCell[]
}

const radioSources = ['android', 'modem', 'at', 'officer'] as const
const radioGaps = ['permission', 'location_off', 'no_sim', 'no_modem', 'modem_off', 'no_answer'] as const

export interface RadioReading {
  readonly readAt: string
  readonly source: (typeof radioSources)[number]
  readonly platform: string | null
  readonly airplane: boolean | null
  readonly mockLocation: boolean | null
  /** Why there are no values. */
  readonly gap: (typeof radioGaps)[number] | null
  /** What the officer sees on the phone, 0 to 4: no measure of anything, each brand draws its own. */
  readonly bars: number | null
  readonly slots: readonly RadioSlot[]
}

const level_names = ['rsrpDbm', 'rsrqDb', 'sinrDb', 'rscpDbm', 'ecioDb', 'rssiDbm'] as const
type LevelName = (typeof level_names)[number]

/** Slots and cells beyond these are no phone's. */
const slots_max = 4
const cells_max = 32

/**
 * What platforms write where they know nothing: 99 and 255 of 3GPP TS 27.007, Android's CellInfo.UNAVAILABLE
 * (INT_MAX, and LONG_MAX for NR's cell), 32767 and 65535 of modems, -DBL_MAX of ModemManager.
 */
const unknown_levels: ReadonlySet<number> = new Set([99, 255, 32_767, 65_535, 2_147_483_647, -2_147_483_648])
const isUnknownLevel = (name: LevelName, value: number): boolean => unknown_levels.has(value) || Math.abs(value) > 1e9 || (value === -1 && name.endsWith('Dbm'))

/** RSCP and Ec/Io: 3GPP TS 25.133 9.1.1.3 and 9.1.2.3. RSSI where only a modem's own estimate is told: any that a receiver can have. */
const more_ranges: Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>> = {
  umts: { rscpDbm: [-120, -24], ecioDb: [-24, 0], rssiDbm: [-120, -20] }, lte: { rssiDbm: [-120, -20] }, nr: { rssiDbm: [-120, -20] },
}
const rangeOf = (technology: Technology, name: LevelName): readonly [number, number] | null => more_ranges[technology]?.[name] ?? radioRange(technology, name)

/** Highest numbers that exist: 3GPP TS 23.003 (areas, cells), 36.101 and 38.104 (channels), 36.211 and 38.211 (physical cells). Ones kept for "none" are left out. */
const identity_max: Readonly<Record<Technology, Readonly<Record<'area' | 'cellId' | 'pci' | 'channel', number>>>> = {
  gsm: { area: 65_533, cellId: 65_534, pci: 63, channel: 1_023 },
  umts: { area: 65_533, cellId: 268_435_454, pci: 511, channel: 16_383 },
  lte: { area: 65_533, cellId: 268_435_454, pci: 503, channel: 262_143 },
  nr: { area: 16_777_213, cellId: 68_719_476_734, pci: 1_007, channel: 3_279_165 },
}

type Given = Readonly<Record<string, unknown>>
const isObject = (given: unknown): given is Given => typeof given === 'object' && given !== null && !Array.isArray(given)
const flag = (given: unknown): boolean | null => (typeof given === 'boolean' ? given : null)
const code = (given: unknown): string | null => (typeof given === 'string' && /^[0-9]{5,6}$/.test(given) ? given : null)
const whole = (given: unknown, max: number): number | null => (typeof given === 'number' && Number.isInteger(given) && given >= 0 && given <= max ? given : null)
const word = <Word extends string>(given: unknown, words: readonly Word[]): Word | null => words.find((each) => each === given) ?? null

/**
 * Reads what a platform hands over: an object, or the JSON text of one. Only what is named here passes, so no
 * number of a subscriber or handset can; sentinels become null; what cannot be is kept and named in `invalid`.
 * @returns the reading, or a sentence that says what is wrong with the whole
 */
export function readRadio(given: unknown): Result<RadioReading, string> {
  const parsed = typeof given === 'string' ? parse(given) : given
  if (!isObject(parsed)) return fail('The bridge gave no object and no JSON text of one.')
  const { readAt } = parsed
  const source = word(parsed['source'], radioSources)
  if (source === null) return fail(`source is one of ${radioSources.join(', ')}, not ${JSON.stringify(parsed['source'])?.slice(0, 40)}.`)
  if (typeof readAt !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(readAt)) return fail('readAt is an instant of RFC 3339 with a zone, as 2029-02-14T01:55:12.000Z.')
  const { platform } = parsed
  const slots = Array.isArray(parsed['slots']) ? (parsed['slots'] as unknown[]).filter(isObject).slice(0, slots_max) : []
  return ok({
    readAt, source, platform: typeof platform === 'string' ? platform.slice(0, 64) : null,
    airplane: flag(parsed['airplane']), mockLocation: flag(parsed['mockLocation']), gap: word(parsed['gap'], radioGaps), bars: whole(parsed['bars'], 4),
    slots: slots.map((slot, index) => ({
      slot: whole(slot['slot'], 9) ?? index, dataSim: flag(slot['dataSim']), plmn: code(slot['plmn']), simPlmn: code(slot['simPlmn']),
      cells: (Array.isArray(slot['cells']) ? (slot['cells'] as unknown[]) : []).slice(0, cells_max).filter(isObject).flatMap(readCell),
    })),
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

function readCell(given: Given): RadioCell[] {
  const technology = word(given['technology'], ['gsm', 'umts', 'lte', 'nr'] as const)
  if (technology === null) return []
  const invalid: string[] = []
  const level = (name: LevelName): number | null => {
    const value = given[name]
    if (typeof value !== 'number' || !Number.isFinite(value) || isUnknownLevel(name, value)) return null
    const range = rangeOf(technology, name)
    // what its technology does not have at all cannot be judged, so it cannot be right
    if (range === null || ((value < range[0] || value > range[1]) && censored[name] !== 'below')) invalid.push(name)
    return value
  }
  const identity = (name: 'tac' | 'lac' | 'cellId' | 'pci' | 'channel'): number | null =>
    whole(given[name], identity_max[technology][name === 'tac' || name === 'lac' ? 'area' : name])
  const ends = isObject(given['censored']) ? given['censored'] : {}
  const censored: Censored<LevelName> = Object.fromEntries(level_names.flatMap((name) => {
    const end = word(ends[name], ['below', 'above'] as const)
    return end === null ? [] : [[name, end]]
  }))
  return [{
    registered: flag(given['registered']), secondary: flag(given['secondary']), technology,
    rsrpDbm: level('rsrpDbm'), rsrqDb: level('rsrqDb'), sinrDb: level('sinrDb'), rscpDbm: level('rscpDbm'), ecioDb: level('ecioDb'), rssiDbm: level('rssiDbm'),
    tac: identity('tac'), lac: identity('lac'), cellId: identity('cellId'), pci: identity('pci'), channel: identity('channel'),
    ageMs: whole(given['ageMs'], 2_147_483_646), censored, invalid,
  }]
}

/** Older values are of another place or another hour. Ours: an engineering default. */
const age_ms_max = 120_000

export type DropReason = 'airplane' | 'data_sim_unknown' | 'not_registered' | 'stale' | 'age_unknown' | 'secondary' | 'out_of_range' | 'censored' | 'no_field' | 'bars'

export interface SampledRadio {
  readonly technology: Technology | null
  /** As in contract/report.ts, and valid there: a value that does not pass is not in it. */
  readonly radio: { readonly source: string; readonly ageMs: number; readonly rsrpDbm: number | null; readonly rsrqDb: number | null; readonly sinrDb: number | null; readonly rssiDbm: number | null } | null
  readonly sim: string | null
  readonly dropped: readonly { readonly name: string; readonly value: number; readonly why: DropReason }[]
}

/**
 * What a sample takes from a reading: the values of the cell that the data SIM is registered in. Everything
 * that it leaves out of that cell, and of those beside it, is said.
 * @param readAt the instant of the reading's `readAt`: parsing it is the caller's
 */
export function sampleRadio(reading: RadioReading, readAt: Instant, now: Instant): SampledRadio {
  const bars = reading.bars === null ? [] : [{ name: 'bars', value: reading.bars, why: 'bars' as const }]
  const named = reading.slots.filter((slot) => slot.dataSim === true)
  const candidates = named.length > 0 ? named : reading.slots.filter((slot) => slot.dataSim === null)
  const slot = candidates.length === 1 ? candidates[0] : undefined
  const none = (why: DropReason): SampledRadio => ({ technology: null, radio: null, sim: slot?.simPlmn ?? slot?.plmn ?? null, dropped: [...bars, ...(slot === undefined ? reading.slots : [slot]).flatMap((each) => each.cells.filter(serves).flatMap((cell) => levels(cell, () => why)))] })
  if (reading.airplane === true) return none('airplane')
  if (slot === undefined) return none('data_sim_unknown')
  const cell = slot.cells.find((each) => each.registered === true) ?? lone(slot.cells.filter((each) => each.registered === null && each.secondary !== true))
  if (cell === undefined) return none('not_registered')
  if (cell.ageMs === null || !Number.isFinite(now - readAt)) return none('age_unknown')
  const age_ms = cell.ageMs + Math.max(0, now - readAt)
  if (age_ms > age_ms_max) return none('stale')
  const kept: Record<'rsrpDbm' | 'rsrqDb' | 'sinrDb' | 'rssiDbm', number | null> = { rsrpDbm: null, rsrqDb: null, sinrDb: null, rssiDbm: null }
  const dropped = levels(cell, (name) => {
    if (cell.invalid.includes(name)) return 'out_of_range'
    if (cell.censored[name] === 'below') return 'censored'
    const field = fieldOf(cell.technology, name)
    if (field === null) return 'no_field'
    kept[field] = cell[name]
    return null
  })
  const beside = slot.cells.filter((each) => each !== cell && each.secondary === true).flatMap((each) => levels(each, () => 'secondary'))
  const has = Object.values(kept).some((value) => value !== null)
  return {
    technology: cell.technology, sim: slot.simPlmn ?? slot.plmn, dropped: [...bars, ...dropped, ...beside],
    radio: has ? { source: reading.source === 'at' ? 'modem' : reading.source, ageMs: Math.round(age_ms), ...kept } : null,
  }
}

const serves = (cell: RadioCell): boolean => cell.registered !== false || cell.secondary === true
const lone = (cells: readonly RadioCell[]): RadioCell | undefined => (cells.length === 1 ? cells[0] : undefined)

function levels(cell: RadioCell, why: (name: LevelName) => DropReason | null): { name: string; value: number; why: DropReason }[] {
  return level_names.flatMap((name) => {
    const value = cell[name]
    if (value === null) return []
    const reason = why(name)
    return reason === null ? [] : [{ name: `${cell.technology} ${name}`, value, why: reason }]
  })
}

/**
 * Where a value stands in a sample. UMTS has one place there, and RSCP takes it: a pilot's power is what tells
 * coverage. UMTS's RSSI is of all cells and noise together; in its place it would pass for the other.
 */
function fieldOf(technology: Technology, name: LevelName): 'rsrpDbm' | 'rsrqDb' | 'sinrDb' | 'rssiDbm' | null {
  if (technology === 'umts') return name === 'rscpDbm' ? 'rssiDbm' : null
  return name === 'rscpDbm' || name === 'ecioDb' ? null : name
}
