/** The view is the URL: what is selected, shown and sorted. Names are Indonesian because people read and share them. */
export type Language = 'id' | 'en'
export type Pane = 'map' | 'table' | 'queue' | 'alarms' | 'works' | 'duty' | 'record' | 'announcements' | 'keys' | 'audit' | 'recaps' | 'oversight'

/** What the lists beside the map are narrowed to; null is all of it. */
interface Filters {
  /** `active` and `cleared` of alarms; `upcoming`, `running`, `ended`, `withdrawn` of planned work; of recaps and of oversight which part is shown. */
  readonly state: string | null
  readonly severity: string | null
  readonly operator: string | null
  /** Of recaps. */
  readonly contest: string | null
  /** The one thing of a part that is looked at, by a name of that part's own: what a permalink leads to. */
  readonly item: string | null
}
export const noFilters: Filters = { state: null, severity: null, operator: null, contest: null, item: null }
export type RoomName = 'monitoring' | 'planning'

export interface View {
  readonly area: string | null
  readonly disturbance: string | null
  readonly ticket: string | null
  readonly station: string | null
  readonly language: Language
  readonly wall: boolean
  readonly pane: Pane
  readonly sort: string
  readonly filters: Filters
  /** Forces the Canvas 2D painter, for machines whose WebGL is worse than none. */
  readonly canvas: boolean
  /** Null where the address does not say: the role decides. */
  readonly room: RoomName | null
  /** What the planning room shows, as the part of the address that is its own (planning/view.ts). */
  readonly planning: string
}

const shared = ['ruang', 'bahasa', 'peta', 'masuk']

const panes: Record<string, Pane> = { peta: 'map', tabel: 'table', antrean: 'queue', alarm: 'alarms', pekerjaan: 'works', piket: 'duty', rekam: 'record', pengumuman: 'announcements', kunci: 'keys', audit: 'audit', rekap: 'recaps', pengawasan: 'oversight' }

export function readView(search: string): View {
  const query = new URLSearchParams(search)
  const room = roomOf(query)
  const own = new URLSearchParams(search)
  for (const name of shared) own.delete(name)
  return {
    area: query.get('area'),
    disturbance: query.get('gangguan'),
    ticket: query.get('tiket'),
    station: query.get('tps'),
    language: query.get('bahasa') === 'en' ? 'en' : 'id',
    wall: query.get('dinding') === '1',
    pane: panes[query.get('tampil') ?? ''] ?? 'map',
    sort: query.get('urut') ?? '-hit',
    filters: { state: query.get('keadaan'), severity: query.get('keparahan'), operator: query.get('operator'), contest: query.get('kontes'), item: query.get('butir') },
    canvas: query.get('peta') === 'kanvas',
    room,
    planning: room === 'planning' ? own.toString() : '',
  }
}

/** A sheet to print is of the planning room, whether the address names the room or not. */
function roomOf(query: URLSearchParams): RoomName | null {
  if (query.get('ruang') === 'perencanaan' || query.has('cetak')) return 'planning'
  return query.get('ruang') === 'pemantauan' ? 'monitoring' : null
}

/** Defaults are left out, so that the plain address is the plain view. */
export function writeView(view: View): string {
  const query = new URLSearchParams()
  if (view.room === 'planning') return writePlanning(view)
  if (view.room === 'monitoring') query.set('ruang', 'pemantauan')
  if (view.area !== null) query.set('area', view.area)
  if (view.disturbance !== null) query.set('gangguan', view.disturbance)
  if (view.ticket !== null) query.set('tiket', view.ticket)
  if (view.station !== null) query.set('tps', view.station)
  if (view.language !== 'id') query.set('bahasa', view.language)
  if (view.wall) query.set('dinding', '1')
  const pane = Object.entries(panes).find(([, value]) => value === view.pane)?.[0]
  if (view.pane !== 'map' && pane !== undefined) query.set('tampil', pane)
  if (view.sort !== '-hit') query.set('urut', view.sort)
  const { state, severity, operator, contest, item } = view.filters
  if (state !== null) query.set('keadaan', state)
  if (severity !== null) query.set('keparahan', severity)
  if (operator !== null) query.set('operator', operator)
  if (contest !== null) query.set('kontes', contest)
  if (item !== null) query.set('butir', item)
  if (view.canvas) query.set('peta', 'kanvas')
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

function writePlanning(view: View): string {
  const query = new URLSearchParams(`ruang=perencanaan&${view.planning}`)
  if (view.language !== 'id') query.set('bahasa', view.language)
  if (view.canvas) query.set('peta', 'kanvas')
  return `?${query.toString()}`
}
