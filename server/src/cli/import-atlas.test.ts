import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'

let scratch: TestDatabase
let folder = ''

before(async () => {
  scratch = await withDatabase()
  folder = mkdtempSync(join(tmpdir(), 'kawal-cli-import-'))
})
after(async () => {
  await scratch.close()
  rmSync(folder, { recursive: true, force: true })
})

function kawal(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  return new Promise((done) => {
    const command = [join(import.meta.dirname, 'kawal.ts'), 'import', ...args, '--rejects', folder]
    // another folder to stand in: GDAL must find its parts all the same
    execFile(process.execPath, command, { cwd: folder, env: { ...process.env, DATABASE_URL: scratch.ownerUrl } }, (failure, out, error) => done({ code: failure === null ? 0 : Number(failure.code), out, error }))
  })
}
const square = (x: number, y: number): unknown => ({ type: 'Polygon', coordinates: [[[x, y], [x + 0.1, y], [x + 0.1, y + 0.1], [x, y + 0.1], [x, y]]] })

test('import coverage tells what it took, what it did not, and that the same file changes nothing', async () => {
  const path = join(folder, 'synthetic.geojson')
  writeFileSync(path, JSON.stringify({ type: 'FeatureCollection', crs: { type: 'name', properties: { name: 'EPSG:4326' } }, features: [square(121.2, -8.75), square(-8.75, 121.2)].map((geometry) => ({ type: 'Feature', properties: {}, geometry })) }))
  const asked = ['coverage', path, '--operator', 'telkomsel', '--technology', 'lte', '--date', '2024-02-14']
  const first = await kawal(...asked)
  assert.equal(first.code, 0, first.error)
  assert.match(first.out, /^format +GeoJSON\nfeatures +2\naccepted +1\ntelkomsel lte +12\d km2 of 1 areas\nchanges +1\nseconds +[\d.]+\nswapped_axes +1\n$/)
  assert.match(first.error, /0 warnings and 1 rejects are listed in .*coverage-issues\.csv/)
  assert.match(readFileSync(join(folder, 'coverage-issues.csv'), 'utf8'), /^file,line,code,severity,reason,detail,meaning\nsynthetic\.geojson,2,,reject,swapped_axes,/)
  const again = await kawal(...asked, '--json')
  assert.match(again.error, /The same file is in already, for this operator, technology and day: nothing was changed\./)
  const { changes, claims } = JSON.parse(again.out) as { changes: number; claims: { operator: string; cells: number }[] }
  assert.deepEqual([changes, claims[0]?.operator], [0, 'telkomsel'])
})

test('what cannot be asked ends with 2, what cannot be taken with 3, each with a way out', async () => {
  const path = join(folder, 'nothing.kml')
  writeFileSync(path, 'no KML')
  const ends = async (...args: string[]): Promise<string> => {
    const { code, error } = await kawal(...args)
    return `${code} ${error.trim().split('\n').at(-1) ?? ''}`
  }
  assert.equal(await ends('coverage', path, '--operator', 'telkomsel', '--technology', '4g'), '2 --technology takes gsm, umts, lte, nr, fixed, not 4g.')
  assert.equal(await ends('coverage', path, '--operator', 'telkom', '--technology', 'lte'), '2 telkom is no operator here. Known are bakti, indosat, smartfren, telkomsel, xl, xlsmart; add one with kawal org add.')
  assert.equal(await ends('boundaries', path, '--date', '2024-02-30'), '2 --date 2024-02-30 is no calendar date. Write it YYYY-MM-DD.')
  assert.match(await ends('coverage', path, '--operator', 'telkomsel', '--technology', 'lte'), /^3 nothing\.kml cannot be read: .+\. Nothing was imported\.$/)
  assert.match(await ends('boundaries', path), /^3 The register has no villages/)
  assert.equal(await ends('weather', path), '2 kawal import knows register, coverage, boundaries, samples, not weather.')
})
