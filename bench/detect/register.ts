import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { DetectionStation } from '@kawal/core/detection/places.ts'
import type { WorldPlace } from '@kawal/core/rehearsal/nation-ground.ts'
import { stationCode } from '@kawal/core/register/codes.ts'
import { Missing } from '../missing.ts'

export interface Register {
  readonly places: readonly WorldPlace[]
  /** In the order of the places, so that the world's numbers of stations are theirs. */
  readonly stations: readonly DetectionStation[]
  /** A station's number by its code; throws for a code that the register has not. */
  numberOf(code: string): number
}

const file = join(import.meta.dirname, '../../../shared/data/register/villages.csv.gz')
/** Stations of prisons, hospitals and dormitories are numbered from here. */
const special_from = 901

/**
 * The national register of villages, or some provinces of it; stations stand at their village's position.
 * @param provinces codes of two digits; none is the nation
 */
export function readRegister(provinces: readonly string[]): Register {
  if (!existsSync(file)) throw new Missing(`${file} is missing: this bench runs on the national register of villages.`)
  const [head = '', ...lines] = gunzipSync(readFileSync(file)).toString().trim().split(/\r?\n/)
  const columns = head.split(',')
  const column = (name: string): number => {
    const index = columns.indexOf(name)
    if (index < 0) throw new Error(`${file} has no column ${name}`)
    return index
  }
  const [code, latitude, longitude, regular, from, to] = ['code', 'lat', 'lon', 'tps_regular', 'tps_special_from', 'tps_special_to'].map(column) as [number, number, number, number, number, number]
  const places: WorldPlace[] = []
  const stations: DetectionStation[] = []
  const starts = new Map<string, { first: number; regular: number; special: number }>()
  const degrees = (text = ''): number | null => (text === '' ? null : Number(text))
  for (const line of lines) {
    const fields = line.split(',')
    const village = fields[code] ?? ''
    if (provinces.length > 0 && !provinces.includes(village.slice(0, 2))) continue
    const [plain, special] = [Number(fields[regular]), fields[from] === '' ? 0 : Number(fields[to]) - Number(fields[from]) + 1]
    const place = { code: village, latitude: degrees(fields[latitude]), longitude: degrees(fields[longitude]), stations: plain + special }
    places.push(place)
    starts.set(village, { first: stations.length, regular: plain, special: Number(fields[from] || special_from) })
    for (let index = 0; index < place.stations; index++)
      stations.push({ code: stationCode(village, index < plain ? index + 1 : Number(fields[from]) + index - plain), village, latitude: place.latitude, longitude: place.longitude })
  }
  return {
    places, stations,
    numberOf(code) {
      const start = starts.get(code.slice(0, 10))
      if (start === undefined) throw new Error(`no village of the register has the station ${code}`)
      const number = Number(code.slice(10))
      return start.first + (number < special_from ? number - 1 : start.regular + number - start.special)
    },
  }
}
