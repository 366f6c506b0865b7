import type { PlacedBy, UnplacedReason } from '@kawal/contract/alarm.ts'
import type { Technology } from '@kawal/core/atlas/edition.ts'
import type { Extent, Footprint } from './footprint.ts'
import type { Mention } from './said.ts'

/** A cell of the operator's own sites in the atlas. */
export interface KnownCell {
  readonly technology: Technology
  readonly area: number | null
  readonly cell: number
  readonly latitude: number
  readonly longitude: number
  readonly range_m: number | null
}

/** An access point of the organisation's own. */
export interface KnownPoint { readonly id: string; readonly latitude: number | null; readonly longitude: number | null; readonly village: string | null }

export interface Known {
  readonly cells: readonly KnownCell[]
  readonly points: ReadonlyMap<string, KnownPoint>
}

export interface Placement extends Extent {
  readonly placedBy: PlacedBy | null
  readonly unplacedReason: UnplacedReason | null
  /** How many stations it holds. */
  readonly stations: number
}

/**
 * How far around a site or point stations are concerned, in metres, where nobody says. Engineering defaults of
 * ours: a village's mast reaches this far at the levels that a phone indoors can use.
 */
export const radius_m: Readonly<Record<Technology, number>> = { gsm: 8_000, umts: 4_000, lte: 3_000, nr: 1_000, fixed: 2_000 }
const radius_default_m = 3_000
/** A list's own range is an estimate of a crowd: taken between these, and never beyond twice the default. */
const range_m_min = 500
/** The cells of one number in more places than this are a number that everybody uses. */
const places_max = 16

interface CellName { readonly area: number | null; readonly cell: number }

/**
 * The cells that a text may mean: digits in groups, behind an operator code or not (510-10, 51010); one group is
 * a cell, two are an area code and a cell, or an eNodeB and its sector (3GPP TS 36.413: 256 cells a node). A name
 * with letters is none: its trailing number would be another operator's cell.
 */
export function cellNames(text: string): CellName[] {
  const groups = text.trim().split(/[-:/. ]/)
  if (groups.length > 4 || !groups.every((group) => /^[0-9]{1,11}$/.test(group))) return []
  const [first = ''] = groups
  const own = groups.length > 2 && first === '510' ? groups.slice(2) : groups.length > 1 && /^510[0-9]{2,3}$/.test(first) ? groups.slice(1) : groups
  const [cell = -1, area] = own.map(Number).reverse()
  if (own.length === 1) return [{ area: null, cell }]
  if (own.length !== 2 || area === undefined) return []
  return [{ area, cell }, ...(cell < 256 ? [{ area: null, cell: area * 256 + cell }] : [])]
}

/** The number of an eNodeB, or null for a text that is none. */
export const nodeName = (text: string): number | null => (/^[0-9]{1,7}$/.test(text.trim()) ? Number(text) : null)

/** Where a message's fault is: by the most exact of what it names and the registers know; the rest is context. */
export function place(mention: Mention, known: Known, footprint: Footprint): Placement {
  const placed = (placedBy: PlacedBy, extent: Partial<Extent>): Placement => {
    const whole: Extent = { areas: extent.areas ?? [], points: extent.points ?? [] }
    return { ...whole, placedBy, unplacedReason: null, stations: footprint.stationsOf(whole).length }
  }
  const isKnown = (code: string): boolean => footprint.inArea(code).length > 0
  const stations = mention.codes.filter((code) => code.length === 13 && isKnown(code))
  if (stations.length > 0) return placed('station', { areas: unique(stations) })
  const sites = sitesOf(mention, known.cells)
  if (sites !== null && sites.points.length > 0 && sites.points.length <= places_max) return placed(sites.by, { points: sites.points })
  const access = known.points.get(mention.object ?? '')
  if (access !== undefined) {
    if (access.village !== null && isKnown(access.village)) return placed('access_point', { areas: [access.village] })
    if (access.latitude !== null && access.longitude !== null) return placed('access_point', { points: [{ latitude: access.latitude, longitude: access.longitude, radiusM: radius_default_m }] })
  }
  if (mention.points.length > 0) {
    const otherwise = mention.technology === null ? radius_default_m : radius_m[mention.technology]
    return placed('point', { points: mention.points.map((point) => ({ latitude: point.latitude, longitude: point.longitude, radiusM: point.radius_m ?? otherwise })) })
  }
  const areas = mention.codes.filter((code) => code.length < 13 && isKnown(code))
  // a district named beside its province is the more exact word for one place
  if (areas.length > 0) return placed('area', { areas: unique(areas.filter((code) => !areas.some((other) => other.length > code.length && other.startsWith(code)))) })
  return { areas: [], points: [], placedBy: null, unplacedReason: reasonOf(mention, sites !== null), stations: 0 }
}

function reasonOf(mention: Mention, ambiguous: boolean): UnplacedReason {
  if (ambiguous) return 'ambiguous'
  if (mention.codes.length > 0) return 'code_unknown'
  return mention.cell === null ? (mention.site === null ? 'nothing_named' : 'site_unknown') : 'cell_unknown'
}

const unique = (codes: readonly string[]): string[] => [...new Set(codes)].sort()

/** The places of the cell or site that is named, each once; null when the lists have none, and no points where a number may mean either. */
function sitesOf(mention: Mention, cells: readonly KnownCell[]): { by: 'cell' | 'site'; points: Extent['points'] } | null {
  const node = mention.site === null ? null : nodeName(mention.site)
  const ofNode = node === null ? [] : cells.filter((each) => each.technology === 'lte' && Math.floor(each.cell / 256) === node)
  for (const name of mention.cell === null ? [] : cellNames(mention.cell)) {
    const ofCell = cells.filter((each) => each.cell === name.cell && (name.area === null || each.area === name.area) && (mention.technology === null || each.technology === mention.technology))
    if (ofCell.length > 0) return { by: 'cell', points: ofNode.length > 0 && mention.cell === mention.site ? [] : pointsOf(ofCell) }
  }
  return ofNode.length === 0 ? null : { by: 'site', points: pointsOf(ofNode) }
}

/** One point a mast: sectors stand at one place, and the widest of them counts. */
function pointsOf(cells: readonly KnownCell[]): Extent['points'] {
  const points = new Map<string, Extent['points'][number]>()
  for (const { technology, latitude, longitude, range_m } of cells) {
    const reach = range_m === null ? radius_m[technology] : Math.min(2 * radius_m[technology], Math.max(range_m_min, range_m))
    const at = `${latitude.toFixed(3)} ${longitude.toFixed(3)}`
    const before = points.get(at)
    if (before === undefined || before.radiusM < reach) points.set(at, { latitude, longitude, radiusM: reach })
  }
  return [...points.values()]
}
