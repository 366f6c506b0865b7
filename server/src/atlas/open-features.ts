import { createWriteStream, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { warnOf, type ClaimIssue } from '@kawal/core/atlas/claim.ts'
import { ImportRefused } from '../register/merge.ts'
import { GdalFailure, openGdal, type Crs, type Raster, type Vector, type VectorLayer } from './gdal.ts'
import { beginOf, bytesOf, openJson, type FeatureSource } from './json-features.ts'
import { BadZip, unzip } from './unzip.ts'

interface Opening {
  /** Which layer of several, or `all` of them. */
  readonly layer?: string | undefined
  /** The coordinate system of a file that declares none, as GDAL knows it: EPSG:32750. */
  readonly crs?: string | undefined
}

export interface OpenFeatures extends FeatureSource {
  readonly format: string
  /** What is to be said of the file as a whole. */
  readonly notes: readonly ClaimIssue[]
  close(): Promise<void>
}

export interface OpenRaster {
  readonly raster: Raster
  readonly format: string
  readonly notes: readonly ClaimIssue[]
  /** To take it from, where the file declares none. */
  readonly crs: string | null
  close(): Promise<void>
}

/** The file that stands for a dataset of several, best first. */
const known = ['.gpkg', '.shp', '.tab', '.mif', '.kml', '.gml', '.geojson', '.json', '.ndjson', '.geojsonl', '.geojsons', '.tif', '.tiff']
const jsonFile = /\.(json|geojson|ndjson|geojsonl|geojsons|jsonl)(\.gz)?$/i
/** GDAL reads a KML file into its memory, some five times its size. */
const kml_bytes_max = 300 * 1024 * 1024

/**
 * Opens a file, a zip or a folder of areas or a raster; positions come in degrees on WGS 84.
 * @throws ImportRefused when it cannot be read as a whole; the sentence says why and what to do
 */
export async function openAreas(path: string, opening: Opening): Promise<{ features: OpenFeatures } | { raster: OpenRaster }> {
  if (!existsSync(path)) throw new ImportRefused(`${path} is not there.`)
  const scratch = mkdtempSync(join(tmpdir(), 'kawal-areas-'))
  const clean = (): void => rmSync(scratch, { recursive: true, force: true })
  try {
    const main = await mainFile(path, scratch, opening.layer)
    if (jsonFile.test(main)) {
      const begin = await beginOf(main)
      const declared = declaredCrs(begin)
      if (declared === null && opening.crs === undefined) return { features: { ...openJson(main, begin), format: 'GeoJSON', notes: [], close: () => Promise.resolve(clean()) } }
    }
    // GDAL wants it unpacked
    const plain = /\.gz$/i.test(main) ? join(scratch, basename(main).slice(0, -3)) : main
    if (plain !== main) await pipeline(bytesOf(main, { read: 0 }), createWriteStream(plain))
    if (/\.kml$/i.test(plain) && statSync(plain).size > kml_bytes_max) throw new ImportRefused(`${basename(path)} is larger than 300 MB of KML, which cannot be held: convert it to GeoPackage, or split it.`)
    const opened = await openGdal(plain)
    if ('raster' in opened) return { raster: placeRaster(opened.raster, opening, clean) }
    return { features: await layersOf(opened.vector, opening, clean) }
  } catch (error) {
    clean()
    if (error instanceof GdalFailure || error instanceof BadZip) throw new ImportRefused(`${basename(path)} cannot be read: ${error.message}. Nothing was imported.`)
    throw error
  }
}

/** The file to open: itself, or the one of a zip or folder that stands for its dataset. */
async function mainFile(path: string, scratch: string, layer: string | undefined): Promise<string> {
  const folder = statSync(path).isDirectory()
  if (!folder && !/\.(zip|kmz)$/i.test(path)) return path
  const files = folder ? readdirSync(path, { recursive: true }).map((name) => join(path, String(name))) : await unzip(path, scratch)
  const kind = known.find((ending) => files.some((file) => extname(file).toLowerCase() === ending))
  if (kind === undefined) throw new ImportRefused(`${basename(path)} holds none of ${known.join(' ')}.`)
  const found = files.filter((file) => extname(file).toLowerCase() === kind)
  const chosen = layer === undefined ? found : found.filter((file) => basename(file, extname(file)).toLowerCase() === layer.toLowerCase())
  const [only] = chosen.length === 0 ? found : chosen
  if (only === undefined || (found.length > 1 && chosen.length !== 1)) throw new ImportRefused(`${basename(path)} holds several: ${found.map((file) => basename(file)).join(', ')}. Choose one with --layer and its name without the ending.`)
  return only
}

/** The old `crs` member of GeoJSON (2008), where it names another system than RFC 7946 prescribes. */
function declaredCrs(begin: string): string | null {
  const name = /"crs"\s*:\s*\{[^{}]*(?:\{[^{}]*"name"\s*:\s*"([^"]*)"|null)/.exec(begin)?.[1]
  return name === undefined || /CRS84$|EPSG:{1,2}4326$/i.test(name) ? null : name
}

/** What is to be said of a coordinate system, and what GDAL is to be told. */
function settleCrs(crs: Crs | null, asked: string | undefined): { notes: ClaimIssue[]; from: string | null } {
  if (asked !== undefined) return { notes: [warnOf('transformed', `${asked}, as asked`)], from: asked }
  if (crs === null) return { notes: [warnOf('assumed_wgs84', 'give --crs when it is another')], from: 'EPSG:4326' }
  return { notes: crs.wgs84 ? [] : [warnOf('transformed', crs.name)], from: null }
}

function chooseLayers(layers: readonly VectorLayer[], asked: string | undefined): readonly VectorLayer[] {
  const full = layers.filter((layer) => layer.features !== 0)
  if (asked?.toLowerCase() === 'all') return full
  const named = layers.filter((layer) => layer.name.toLowerCase() === asked?.toLowerCase())
  if (named.length > 0) return named
  if (full.length > 1 || (asked !== undefined && full.length === 0)) throw new ImportRefused(`The file has ${layers.length} layers: ${layers.map((layer) => layer.name).join(', ')}. Choose one with --layer NAME, or all with --layer all.`)
  return full
}

async function layersOf(vector: Vector, opening: Opening, clean: () => void): Promise<OpenFeatures> {
  const close = async (): Promise<void> => {
    await vector.close()
    clean()
  }
  try {
    const chosen = chooseLayers(vector.layers, opening.layer)
    const notes: ClaimIssue[] = []
    if (chosen.length < vector.layers.filter((layer) => layer.features !== 0).length) notes.push(warnOf('other_layers', `read: ${chosen.map((layer) => layer.name).join(', ')}`))
    const progress = { read: 0, total: chosen.reduce((sum, layer) => sum + layer.features, 0) }
    const settled = chosen.map((layer) => settleCrs(layer.crs, opening.crs))
    for (const note of settled.flatMap((each) => each.notes)) if (!notes.some((before) => before.reason === note.reason && before.detail === note.detail)) notes.push(note)
    return {
      format: vector.driver, notes, progress, close,
      async *features() {
        let before = 0
        for (const [i, layer] of chosen.entries()) {
          const lines = await vector.toLines(layer.name, settled[i]?.from ?? null)
          let place = 0
          for await (const feature of openJson(lines, '').features()) {
            progress.read++
            yield { ...feature, place: before + ++place }
          }
          const lost = layer.features - place
          if (lost > 0) yield { place: before + place + 1, properties: {}, geometry: null, problem: `${lost} features of ${layer.name} could not be read or transformed` }
          before += layer.features
        }
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

function placeRaster(raster: Raster, opening: Opening, clean: () => void): OpenRaster {
  const settled = settleCrs(raster.crs, opening.crs)
  return {
    raster, format: 'raster', notes: settled.notes, crs: settled.from,
    close: async () => {
      await raster.close()
      clean()
    },
  }
}

/** Of a file that must hold areas: a raster is refused. */
export async function openFeatures(path: string, opening: Opening): Promise<OpenFeatures> {
  const opened = await openAreas(path, opening)
  if ('features' in opened) return opened.features
  await opened.raster.close()
  throw new ImportRefused(`${basename(path)} is a raster. Give a file of polygons.`)
}
