import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { readFileSync } from 'node:fs'
import { svelte, vitePreprocess } from '@sveltejs/vite-plugin-svelte'
import { feature } from 'topojson-client'
import type { GeometryCollection, Topology } from 'topojson-specification'
import { defineConfig, type Plugin } from 'vite'

const root = fileURLToPath(new URL('.', import.meta.url))
const bounds = { west: 90, south: -14, east: 145, north: 10 }

/** Rings with three decimals (about 110 m), repeated points dropped. */
function rounded(ring: number[][]): number[][] {
  const points: number[][] = []
  for (const [x, y] of ring) {
    const point = [Math.round((x ?? 0) * 1000) / 1000, Math.round((y ?? 0) * 1000) / 1000]
    const last = points.at(-1)
    if (last === undefined || last[0] !== point[0] || last[1] !== point[1]) points.push(point)
  }
  return points
}

function touches(ring: number[][]): boolean {
  const longitudes = ring.map((point) => point[0] ?? 0)
  const latitudes = ring.map((point) => point[1] ?? 0)
  const reduce = (list: number[], pick: (a: number, b: number) => number): number => list.reduce((a, b) => pick(a, b))
  return reduce(longitudes, Math.min) < bounds.east && reduce(longitudes, Math.max) > bounds.west
    && reduce(latitudes, Math.min) < bounds.north && reduce(latitudes, Math.max) > bounds.south
}

/** The land of Indonesia and its neighbours, from Natural Earth 1:10m (public domain) in world-atlas. */
function landOfTheRegion(): string {
  const file = createRequire(import.meta.url).resolve('world-atlas/countries-10m.json')
  const world = JSON.parse(readFileSync(file, 'utf8')) as Topology<{ countries: GeometryCollection<{ name: string }> }>
  const rings = { own: [] as number[][][], others: [] as number[][][] }
  for (const country of feature(world, world.objects.countries).features) {
    const { geometry } = country
    if (geometry === null || (geometry.type !== 'Polygon' && geometry.type !== 'MultiPolygon')) continue
    const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates
    const list = country.properties.name === 'Indonesia' ? rings.own : rings.others
    for (const [outer] of polygons) {
      if (outer === undefined || !touches(outer)) continue
      const ring = rounded(outer)
      if (ring.length >= 4) list.push(ring)
    }
  }
  return JSON.stringify(rings)
}

/** `virtual:land` is a chunk of its own, loaded with the map. */
function land(): Plugin {
  return {
    name: 'land',
    resolveId: (id) => (id === 'virtual:land' ? '\0land' : null),
    load: (id) => (id === '\0land' ? `export default JSON.parse(${JSON.stringify(landOfTheRegion())})` : null),
  }
}

/** The service worker, as it is written: it keeps no files, so it needs no list of them. */
function worker(): Plugin {
  return {
    name: 'worker',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'worker.js', source: readFileSync(fileURLToPath(new URL('worker.js', import.meta.url)), 'utf8') })
    },
  }
}

export default defineConfig({
  root,
  base: '/console/',
  plugins: [svelte({ preprocess: vitePreprocess(), configFile: false }), land(), worker()],
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2022', manifest: true, chunkSizeWarningLimit: 1500 },
})
