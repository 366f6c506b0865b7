/** The view is the URL: what is selected, shown and sorted. Names are Indonesian because people read and share them. */
export type Language = 'id' | 'en'
export type Pane = 'map' | 'table' | 'queue'

export interface View {
  readonly area: string | null
  readonly disturbance: string | null
  readonly ticket: string | null
  readonly station: string | null
  readonly language: Language
  readonly wall: boolean
  readonly pane: Pane
  readonly sort: string
  /** Forces the Canvas 2D painter, for machines whose WebGL is worse than none. */
  readonly canvas: boolean
}

const panes: Record<string, Pane> = { peta: 'map', tabel: 'table', antrean: 'queue' }

export function readView(search: string): View {
  const query = new URLSearchParams(search)
  return {
    area: query.get('area'),
    disturbance: query.get('gangguan'),
    ticket: query.get('tiket'),
    station: query.get('tps'),
    language: query.get('bahasa') === 'en' ? 'en' : 'id',
    wall: query.get('dinding') === '1',
    pane: panes[query.get('tampil') ?? ''] ?? 'map',
    sort: query.get('urut') ?? '-hit',
    canvas: query.get('peta') === 'kanvas',
  }
}

/** Defaults are left out, so that the plain address is the plain view. */
export function writeView(view: View): string {
  const query = new URLSearchParams()
  if (view.area !== null) query.set('area', view.area)
  if (view.disturbance !== null) query.set('gangguan', view.disturbance)
  if (view.ticket !== null) query.set('tiket', view.ticket)
  if (view.station !== null) query.set('tps', view.station)
  if (view.language !== 'id') query.set('bahasa', view.language)
  if (view.wall) query.set('dinding', '1')
  const pane = Object.entries(panes).find(([, value]) => value === view.pane)?.[0]
  if (view.pane !== 'map' && pane !== undefined) query.set('tampil', pane)
  if (view.sort !== '-hit') query.set('urut', view.sort)
  if (view.canvas) query.set('peta', 'kanvas')
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}
