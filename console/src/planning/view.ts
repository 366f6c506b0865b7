import { readinessClasses, signalWords, type ReadinessClass, type SignalWord } from '@kawal/core/readiness/readiness.ts'

/** What the planning room shows, as the part of the address that is its own. */
export const screens = ['readiness', 'atlas', 'siting', 'campaign', 'station', 'print'] as const
export type Screen = (typeof screens)[number]
export const atlasParts = ['map', 'table', 'facts', 'difference', 'challenges'] as const
export type AtlasPart = (typeof atlasParts)[number]
/** What the map of the atlas shows of a cell. */
export const shownValues = ['usable', 'claimed', 'predicted', 'measured', 'contradicted'] as const
export type ShownValue = (typeof shownValues)[number]
export const sorts = ['code', 'class', 'voters', 'distance'] as const
export type Sort = (typeof sorts)[number]
export const bases = ['fix', 'venue', 'village', 'none'] as const
export type Basis = (typeof bases)[number]

export interface PlanView {
  /** Null where the address does not say: the first that the role may see. */
  readonly screen: Screen | null
  /** Code of a province, regency, district or village. */
  readonly area: string | null
  readonly classes: readonly ReadinessClass[]
  readonly operator: string | null
  readonly word: SignalWord | null
  readonly basis: Basis | null
  readonly search: string
  readonly sort: Sort
  /** Cursor that the server gave. */
  readonly page: string | null
  readonly station: string | null
  readonly edition: string | null
  readonly technology: string | null
  readonly value: ShownValue
  readonly cell: string | null
  /** What the map of the atlas shows: west, south, east, north in degrees. */
  readonly sight: readonly [number, number, number, number] | null
  readonly part: AtlasPart
  readonly compare: string | null
  readonly decision: 'all' | 'none' | 'accepted' | 'refused'
  /** Code of the area whose sheet is printed. */
  readonly print: string | null
}

type Names<Value extends string> = Readonly<Record<Value, string>>
const screenNames: Names<Screen> = { readiness: 'kesiapan', atlas: 'peta-jangkauan', siting: 'lokasi', campaign: 'kampanye', station: 'tps', print: 'cetak' }
const partNames: Names<AtlasPart> = { map: 'peta', table: 'tabel', facts: 'edisi', difference: 'selisih', challenges: 'keberatan' }
const valueNames: Names<ShownValue> = { usable: 'gabungan', claimed: 'klaim', predicted: 'prediksi', measured: 'ukuran', contradicted: 'bertentangan' }
const classNames: Names<ReadinessClass> = { a: 'a', b: 'b', c: 'c', d: 'd', e: 'e', unknown: 'tanpa-data' }
const sortNames: Names<Sort> = { code: 'kode', class: 'kelas', voters: 'pemilih', distance: 'jarak' }
const basisNames: Names<Basis> = { fix: 'titik', venue: 'gedung', village: 'desa', none: 'tanpa' }
const decisionNames: Names<PlanView['decision']> = { all: 'semua', none: 'belum', accepted: 'diterima', refused: 'ditolak' }

function keyOf<Value extends string>(names: Names<Value>, name: string | null): Value | null {
  return (Object.keys(names) as Value[]).find((key) => names[key] === name) ?? null
}
const code = (text: string | null, digits: RegExp): string | null => (text !== null && digits.test(text) ? text : null)
const areaDigits = /^(\d{2}|\d{4}|\d{6}|\d{10})$/

function sightOf(text: string | null): PlanView['sight'] {
  const [west, south, east, north, more] = (text ?? '').split(',').map(Number)
  if (west === undefined || south === undefined || east === undefined || north === undefined || more !== undefined) return null
  return west >= -180 && east <= 180 && south >= -85 && north <= 85 && west < east && south < north ? [west, south, east, north] : null
}

/** @param query as `View.planning` has it; what is not understood is as if it were not there */
export function readPlanView(query: string): PlanView {
  const given = new URLSearchParams(query)
  const get = (name: string): string | null => given.get(name)
  const print = code(get('cetak'), /^\d{4}$/)
  const station = code(get('tps'), /^\d{13}$/)
  const listed = (get('kelas') ?? '').split(',').map((name) => keyOf(classNames, name))
  return {
    screen: print !== null ? 'print' : keyOf(screenNames, get('layar')),
    area: code(get('wilayah'), areaDigits),
    classes: readinessClasses.filter((each) => listed.includes(each)),
    operator: get('operator'),
    word: signalWords.find((word) => word === get('sinyal')) ?? null,
    basis: keyOf(basisNames, get('dasar')),
    search: get('cari') ?? '',
    sort: keyOf(sortNames, get('urut')) ?? 'class',
    page: get('halaman'),
    station,
    edition: get('edisi'),
    technology: get('teknologi'),
    value: keyOf(valueNames, get('nilai')) ?? 'usable',
    cell: code(get('sel'), /^[0-9a-f]{15}$/),
    sight: sightOf(get('kotak')),
    part: keyOf(partNames, get('bagian')) ?? 'map',
    compare: get('banding'),
    decision: keyOf(decisionNames, get('keputusan')) ?? 'all',
    print,
  }
}

/** Defaults are left out, so that a plain address is a plain view. */
export function writePlanView(view: PlanView): string {
  const query = new URLSearchParams()
  const set = (name: string, value: string | null, plain = ''): void => {
    if (value !== null && value !== plain) query.set(name, value)
  }
  if (view.screen !== null && view.screen !== 'print') set('layar', screenNames[view.screen])
  set('cetak', view.screen === 'print' ? view.print : null)
  set('wilayah', view.area)
  set('kelas', view.classes.map((each) => classNames[each]).join(','))
  set('operator', view.operator)
  set('sinyal', view.word)
  set('dasar', view.basis === null ? null : basisNames[view.basis])
  set('cari', view.search)
  set('urut', sortNames[view.sort], sortNames.class)
  set('halaman', view.page)
  set('tps', view.station)
  set('edisi', view.edition)
  set('teknologi', view.technology)
  set('nilai', valueNames[view.value], valueNames.usable)
  set('sel', view.cell)
  set('kotak', view.sight === null ? null : view.sight.join(','))
  set('bagian', partNames[view.part], partNames.map)
  set('banding', view.compare)
  set('keputusan', decisionNames[view.decision], decisionNames.all)
  return query.toString()
}

/** Filters of the list as the server takes them. @returns without the page, for the CSV */
export function listQuery(view: PlanView): URLSearchParams {
  const query = new URLSearchParams()
  if (view.area !== null) query.set('area', view.area)
  if (view.classes.length > 0) query.set('class', view.classes.join(','))
  if (view.operator !== null) query.set('operator', view.operator)
  if (view.word !== null && view.operator !== null) query.set('word', view.word)
  if (view.basis !== null) query.set('basis', view.basis)
  if (view.search.trim() !== '') query.set('q', view.search.trim())
  query.set('sort', view.sort)
  return query
}
