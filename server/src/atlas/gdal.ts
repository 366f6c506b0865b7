import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'

/**
 * GDAL 3.8 as WebAssembly (npm gdal3.js, LGPL-2.1-or-later, unchanged). It reads files where they lie, through
 * Node's file system, and writes to a folder of its own: nothing is copied into its memory, which ends at 2 GB.
 */

interface Dataset {
  readonly pointer: number
  readonly type: string
  readonly info: unknown
}

/** Of gdal3.js, what is used here (its src/index.d.ts). */
interface Gdal {
  open(path: string): Promise<{ datasets: Dataset[] }>
  close(dataset: Dataset): Promise<void>
  ogr2ogr(dataset: Dataset, options: string[], name: string): Promise<{ local: string }>
  gdalwarp(dataset: Dataset, options: string[], name: string): Promise<{ local: string }>
}

/** A coordinate reference system as a file declares it. */
export interface Crs {
  readonly name: string
  /** Longitude and latitude in degrees on WGS 84: nothing is to be done. */
  readonly wgs84: boolean
}

export interface VectorLayer {
  readonly name: string
  readonly features: number
  readonly crs: Crs | null
}

export interface Vector {
  readonly driver: string
  readonly layers: readonly VectorLayer[]
  /**
   * Writes a layer as one GeoJSON feature a line, longitude and latitude on WGS 84.
   * @param from the coordinate system to take it from, where the file declares none
   * @returns the path of the file, which stays until close
   */
  toLines(layer: string, from: string | null): Promise<string>
  close(): Promise<void>
}

export interface Raster {
  readonly width: number
  readonly height: number
  readonly bands: number
  readonly crs: Crs | null
  /** West, pixel's width, 0, north, 0, minus pixel's height for one that lies north up; else turned (GDAL's order). */
  readonly transform: readonly number[]
  /** West, south, east, north in degrees; null when the file does not say where it lies. */
  readonly frame: readonly [number, number, number, number] | null
  /** Values of band 1 over a window in degrees, nearest pixel, rows from the north; NaN where there is none. */
  window(west: number, south: number, east: number, north: number, columns: number, rows: number, from: string | null): Promise<Float32Array>
  close(): Promise<void>
}

/** GDAL cannot read it, and says why. */
export class GdalFailure extends Error {}

let started: Promise<{ gdal: Gdal; folder: string }> | undefined
/** What GDAL complained of since the last call. */
let complaints: string[] = []
let files = 0

/** Starts GDAL once a process: some 0.2 s. */
function start(): Promise<{ gdal: Gdal; folder: string }> {
  started ??= (async () => {
    const require = createRequire(import.meta.url)
    const folder = mkdtempSync(join(tmpdir(), 'kawal-gdal-'))
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
    const init = require('gdal3.js/node.js') as (config: object) => Promise<Gdal>
    const gdal = await init({
      // it looks for its parts from where the process stands, whatever it is told
      path: relative(process.cwd(), join(dirname(require.resolve('gdal3.js/node.js')), 'dist/package')),
      dest: folder, useWorker: false,
      logHandler: () => undefined, errorHandler: (message: string) => complaints.push(message.replace(/^(ERROR|Warning) \d+: /, '')),
    })
    return { gdal, folder }
  })()
  return started
}

/** Runs one call of GDAL; its refusals and a memory that is full become GdalFailure. */
async function call<T>(work: (gdal: Gdal, folder: string) => Promise<T>): Promise<T> {
  const { gdal, folder } = await start()
  complaints = []
  try {
    return await work(gdal, folder)
  } catch (error) {
    const said = [...complaints, ...messagesOf(error)].filter((message) => message !== '')
    if (said.some((message) => /memory|abort|out of bounds|allocat/i.test(message))) throw new GdalFailure('it is too large for this program (2 GB of memory): split it, or convert it to GeoPackage')
    throw new GdalFailure(said[0] ?? 'it cannot be read')
  }
}

function messagesOf(error: unknown): string[] {
  if (Array.isArray(error)) return error.flatMap(messagesOf)
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string' ? [error.message] : []
}

function crsOf(system: { wkt?: string } | null | undefined): Crs | null {
  if (system === null || system === undefined) return null
  const wkt = system.wkt ?? ''
  const outer = /^\w+\["([^"]*)"/.exec(wkt)?.[1] ?? ''
  const datum = /(?:DATUM|ENSEMBLE)\["([^"]*)"/.exec(wkt)?.[1] ?? ''
  if (wkt === '' || /^(LOCAL_CS|ENGCRS)/.test(wkt)) return null
  const wgs84 = /^(GEOGCRS|GEODCRS|GEOGCS)/.test(wkt) && /^(World Geodetic System 1984|WGS_1984)/.test(datum) && /PRIMEM\["Greenwich"/.test(wkt)
  return { name: outer === '' || outer === 'unnamed' ? datum : outer, wgs84 }
}

interface Info {
  readonly driverLongName?: string
  readonly layers?: { name: string; featureCount: number; geometryFields?: { coordinateSystem?: { wkt?: string } | null }[] }[]
  readonly size?: [number, number]
  readonly coordinateSystem?: { wkt?: string }
  readonly geoTransform?: number[]
  readonly wgs84Extent?: { coordinates?: number[][][] }
  readonly bands?: unknown[]
}

/**
 * Opens a file of areas or a raster where it lies.
 * @throws GdalFailure when it is neither
 */
export async function openGdal(path: string): Promise<{ vector: Vector } | { raster: Raster }> {
  const dataset = await call(async (gdal) => (await gdal.open(resolve(path))).datasets[0])
  if (dataset === undefined) throw new GdalFailure(complaints[0] ?? 'it is of no known format')
  const info = (dataset.info ?? {}) as Info
  const made: string[] = []
  const close = async (): Promise<void> => {
    for (const file of made) rmSync(file, { force: true })
    await call((gdal) => gdal.close(dataset))
  }
  return dataset.type === 'raster' ? { raster: rasterOf(dataset, info, close) } : { vector: vectorOf(dataset, info, made, close) }
}

function vectorOf(dataset: Dataset, info: Info, made: string[], close: () => Promise<void>): Vector {
  return {
    driver: info.driverLongName ?? '',
    layers: (info.layers ?? []).map((layer) => ({ name: layer.name, features: layer.featureCount, crs: crsOf(layer.geometryFields?.[0]?.coordinateSystem) })),
    close,
    toLines: (layer, from) => call(async (gdal, folder) => {
      const options = ['-f', 'GeoJSONSeq', '-lco', 'RS=NO', '-lco', 'COORDINATE_PRECISION=8', '-dim', 'XY', '-preserve_fid', '-skipfailures', '-t_srs', 'EPSG:4326', ...(from === null ? [] : ['-s_srs', from]), layer]
      const { local } = await gdal.ogr2ogr(dataset, options, `lines${++files}`)
      const path = join(folder, local.slice(local.lastIndexOf('/') + 1))
      made.push(path)
      return path
    }),
  }
}

function rasterOf(dataset: Dataset, info: Info, close: () => Promise<void>): Raster {
  const corners = info.wgs84Extent?.coordinates?.[0] ?? []
  const of = (axis: 0 | 1, pick: (...values: number[]) => number): number => pick(...corners.map((corner) => corner[axis] ?? NaN))
  return {
    width: info.size?.[0] ?? 0, height: info.size?.[1] ?? 0, bands: info.bands?.length ?? 0, crs: crsOf(info.coordinateSystem), transform: info.geoTransform ?? [],
    frame: corners.length === 0 ? null : [of(0, Math.min), of(1, Math.min), of(0, Math.max), of(1, Math.max)],
    close,
    window: (west, south, east, north, columns, rows, from) => call(async (gdal, folder) => {
      const name = `window${++files}`
      const { local } = await gdal.gdalwarp(dataset, [
        '-t_srs', 'EPSG:4326', ...(from === null ? [] : ['-s_srs', from]), '-te', String(west), String(south), String(east), String(north), '-ts', String(columns), String(rows),
        '-b', '1', '-r', 'near', '-ot', 'Float32', '-dstnodata', 'nan', '-of', 'ENVI', '-overwrite',
      ], name)
      const path = join(folder, local.slice(local.lastIndexOf('/') + 1))
      const bytes = readFileSync(path)
      for (const file of [path, join(folder, `${name}.hdr`), `${path}.aux.xml`]) rmSync(file, { force: true })
      if (bytes.length !== columns * rows * 4) throw new GdalFailure('a window of the raster came out in another size')
      return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
    }),
  }
}
