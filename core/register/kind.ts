/** What a register's file holds; recognised by its header, with its name as a hint. */
const kinds = ['region', 'village', 'station', 'venue', 'operator', 'isp', 'access'] as const
export type Kind = (typeof kinds)[number]

interface Shape {
  /** Canonical column -> the headings that mean it, lower case. */
  readonly columns: Readonly<Record<string, readonly string[]>>
  readonly need: readonly string[]
  /** A file of such a name is taken for this kind first. */
  readonly named: RegExp
  /** Without one of these columns, only the name can say that it is this kind. */
  readonly tell: readonly string[]
}

const position = {
  lat: ['lat', 'latitude', 'lintang', 'y'],
  lon: ['lon', 'lng', 'long', 'longitude', 'bujur', 'x'],
}
const village = ['village_code', 'village', 'kode kel./desa', 'kode_desa', 'kode desa', 'kelurahan_code']
const validity = { valid_from: ['valid_from', 'from', 'berlaku_dari'], valid_to: ['valid_to', 'to', 'berlaku_sampai'] }

const shapes: Readonly<Record<Kind, Shape>> = {
  region: { columns: { code: ['code', 'kode'], level: ['level', 'tingkat'], name: ['name', 'nama'], parent: ['parent', 'induk'] }, need: ['code', 'name', 'level'], named: /region|wilayah/, tell: ['level'] },
  village: {
    columns: {
      code: ['code', 'kode', ...village], ...position, position: ['position'], area_km2: ['area_km2', 'area'], landmass: ['landmass_id', 'landmass'],
      regular: ['tps_regular', 'tps', 'jumlah_tps', 'stations'], special_from: ['tps_special_from'], special_to: ['tps_special_to'],
    },
    need: ['code', 'regular'], named: /village|desa/, tell: ['regular'],
  },
  station: {
    columns: { code: ['station', 'station_code', 'tps_code', 'kode_tps', 'code', 'kode'], ...position, grade: ['position_grade', 'grade'], voters: ['voters', 'dpt', 'pemilih'] },
    need: ['code'], named: /station|tps/, tell: ['grade', 'voters'],
  },
  venue: {
    columns: { id: ['npsn', 'venue_id', 'id'], name: ['name', 'nama'], form: ['form', 'kind', 'bentuk'], ...position, village },
    need: ['id', 'name'], named: /venue|school|sekolah/, tell: ['form'],
  },
  operator: { columns: { plmn: ['plmn', 'mccmnc', 'mcc_mnc'], organisation: ['organisation_id', 'organisation', 'operator'], name: ['name', 'nama'], ...validity }, need: ['plmn', 'organisation'], named: /operator|plmn/, tell: ['plmn'] },
  isp: { columns: { organisation: ['organisation_id', 'organisation', 'isp', 'id'], name: ['name', 'nama'], prefix: ['prefix', 'cidr', 'network'], asn: ['asn', 'as'] }, need: [], named: /isp|network|asn/, tell: ['prefix', 'asn'] },
  access: {
    columns: { id: ['site id', 'site_id', 'siteid', 'id'], kind: ['kind', 'jenis'], name: ['name', 'nama', 'kelurahan/desa'], ...position, village },
    need: ['id', 'lat', 'lon'], named: /access|bakti|bts|satria|satellite|akses/, tell: ['kind', 'village'],
  },
}

export interface Recognised {
  readonly kind: Kind
  /** Canonical column -> its place in a record. */
  readonly columns: ReadonlyMap<string, number>
  /** Headings that no column was found for: kept out, and said once. */
  readonly unused: readonly string[]
}

function match(shape: Shape, header: readonly string[]): Map<string, number> {
  const found = new Map<string, number>()
  for (const [column, headings] of Object.entries(shape.columns)) {
    const at = headings.map((heading) => header.indexOf(heading)).find((index) => index >= 0)
    if (at !== undefined) found.set(column, at)
  }
  return found
}

/** @returns null when no kind of register has such a header */
export function recognise(fileName: string, heading: readonly string[]): Recognised | null {
  const header = heading.map((text) => text.trim().toLowerCase())
  const name = fileName.toLowerCase()
  const order = [...kinds].sort((a, b) => Number(shapes[b].named.test(name)) - Number(shapes[a].named.test(name)))
  for (const kind of order) {
    const shape = shapes[kind]
    const columns = match(shape, header)
    if (!shape.need.every((column) => columns.has(column))) continue
    if (!shape.named.test(name) && !shape.tell.some((column) => columns.has(column))) continue
    const used = new Set(columns.values())
    return { kind, columns, unused: heading.filter((_, index) => !used.has(index)) }
  }
  return null
}
