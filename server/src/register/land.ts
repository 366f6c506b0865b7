import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { feature } from 'topojson-client'
import type { FeatureCollection } from 'geojson'
import { indonesia, type Position } from '@kawal/core/geo/distance.ts'
import { makeLand, type Land, type Ring } from '@kawal/core/geo/land.ts'

/** ISO 3166-1 numeric code of Indonesia, as Natural Earth has it. */
const indonesia_id = '360'

/** Indonesia's land and its neighbours', from Natural Earth 10m (public domain, npm world-atlas). */
export function naturalEarth(): { home: Land; abroad: Land } {
  const path = createRequire(import.meta.url).resolve('world-atlas/countries-10m.json')
  const topology = JSON.parse(readFileSync(path, 'utf8')) as Parameters<typeof feature>[0]
  const countries = topology.objects['countries']
  if (countries === undefined) throw new Error('world-atlas holds no countries')
  const home: Ring[] = []
  const abroad: Ring[] = []
  for (const country of (feature(topology, countries) as FeatureCollection).features) {
    const { geometry } = country
    const polygons = geometry.type === 'MultiPolygon' ? geometry.coordinates : geometry.type === 'Polygon' ? [geometry.coordinates] : []
    for (const polygon of polygons) {
      if (!polygon[0]?.some(([x = 0, y = 0]) => x > indonesia.west && x < indonesia.east && y > indonesia.south && y < indonesia.north)) continue
      const rings = polygon.map((ring) => ring.map(([x = 0, y = 0]): readonly [number, number] => [x, y]))
      ;(country.id === indonesia_id ? home : abroad).push(...rings)
    }
  }
  return { home: makeLand(home), abroad: makeLand(abroad) }
}

/** Degrees of `03°19'03.44" N`; null for another form. */
function degrees(text: string): number | null {
  const match = /^(\d{1,3})°(\d{1,2})'([\d.]+)"\s*([NSEW])$/.exec(text)
  if (match === null) return null
  const value = Number(match[1]) + Number(match[2]) / 60 + Number(match[3]) / 3600
  return match[4] === 'S' || match[4] === 'W' ? -value : value
}

/** The 17,373 registered islands' positions, from npm idn-area-data (ODbL). */
export function registeredIslands(): Position[] {
  const path = join(dirname(createRequire(import.meta.url).resolve('idn-area-data/package.json')), 'data', 'islands.csv')
  const rows = parse(readFileSync(path, 'utf8'), { columns: true, skip_empty_lines: true }) as { coordinate: string }[]
  return rows.flatMap(({ coordinate }) => {
    const match = /^(.*[NS])\s+(.*[EW])$/.exec(coordinate)
    const latitude = degrees(match?.[1] ?? '')
    const longitude = degrees(match?.[2] ?? '')
    return latitude === null || longitude === null ? [] : [{ latitude, longitude }]
  })
}
