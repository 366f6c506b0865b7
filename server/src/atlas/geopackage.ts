import { copyFileSync, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { geojsonOf, type NamedLayer, type Provenance } from './export.ts'

/** OGC GeoPackage, made from our GeoJSON by GDAL as WebAssembly (npm gdal3.js, LGPL-2.1-or-later, unchanged). */

/** Of gdal3.js, what is used here (its src/index.d.ts). */
interface Gdal {
  open(path: string): Promise<{ datasets: object[] }>
  close(dataset: object): Promise<void>
  ogr2ogr(dataset: object, options: string[], name: string): Promise<{ real: string }>
}

/** Its memory ends at 2 GB, and it reads a GeoJSON file as a whole: a cell takes it some 3 kB. */
export const geopackage_cells_max = 400_000

/** @param file is written, or written over */
export async function writeGeopackage(file: string, provenance: Provenance, layers: AsyncIterable<NamedLayer>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-geopackage-'))
  try {
    const collection = join(folder, 'cells.geojson')
    await pipeline(Readable.from(geojsonOf(provenance, layers)), createWriteStream(collection))
    const gdal = await openGdal(folder)
    const [dataset] = (await gdal.open(collection)).datasets
    if (dataset === undefined) throw new Error('GDAL did not read the GeoJSON that was made for it')
    const said = Object.entries(provenance).flatMap(([name, value]) => ['-mo', `${name}=${value}`])
    const { real } = await gdal.ogr2ogr(dataset, [
      '-f', 'GPKG', '-nln', 'cells', '-a_srs', 'EPSG:4326', '-lco', `IDENTIFIER=atlas ${provenance.edition}`,
      '-lco', `DESCRIPTION=${provenance.name}; edition ${provenance.edition}; SHA-256 ${provenance.sha256}; of ${provenance.valid_on}; ${provenance.licence}`, ...said,
    ], `atlas-${provenance.edition}`)
    await gdal.close(dataset)
    copyFileSync(real, file)
    rmSync(real, { force: true })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Its messages are for its makers: what it refuses, it throws. */
async function openGdal(dest: string): Promise<Gdal> {
  const require = createRequire(import.meta.url)
  const init = require('gdal3.js/node.js') as (config: object) => Promise<Gdal>
  // it looks for its parts from where the process stands, whatever it is told
  const path = relative(process.cwd(), join(dirname(require.resolve('gdal3.js/node.js')), 'dist/package'))
  return init({ path, dest, useWorker: false, logHandler: () => undefined, errorHandler: () => undefined })
}
