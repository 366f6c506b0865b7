import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { beginOf, openJson, type SourceFeature } from './json-features.ts'

const folder = mkdtempSync(join(tmpdir(), 'kawal-json-'))
after(() => rmSync(folder, { recursive: true, force: true }))

async function read(name: string, content: string | Buffer): Promise<SourceFeature[]> {
  const path = join(folder, name)
  writeFileSync(path, content)
  const found: SourceFeature[] = []
  for await (const feature of openJson(path, await beginOf(path)).features()) found.push(feature)
  return found
}
const feature = (n: number): object => ({ type: 'Feature', properties: { n, text: 'a } ] " \\ {' }, geometry: { type: 'Point', coordinates: [n, 0] } })
const numbers = (found: readonly SourceFeature[]): unknown[] => found.map(({ place, properties, geometry, problem }) => [place, properties['n'], (geometry as { type?: string } | null)?.type, problem === '' ? '' : 'bad'])
const three = [[1, 1, 'Point', ''], [2, 2, 'Point', ''], [3, 3, 'Point', '']]

test('a collection gives its features, in one line or many, gzipped or not, whatever stands around them', async () => {
  const collection = { type: 'FeatureCollection', name: 'features', crs: { type: 'name' }, features: [feature(1), feature(2), feature(3)], more: [{ n: 9 }] }
  assert.deepEqual(numbers(await read('a.json', JSON.stringify(collection))), three)
  assert.deepEqual(numbers(await read('b.json', JSON.stringify(collection, null, 2))), three)
  assert.deepEqual(numbers(await read('c.json.gz', gzipSync(JSON.stringify(collection)))), three)
})

test('lines and record separators give one feature each, and a broken line spoils no other', async () => {
  const texts = [1, 2, 3].map((n) => JSON.stringify(feature(n)))
  assert.deepEqual(numbers(await read('a.ndjson', texts.join('\n'))), three)
  assert.deepEqual(numbers(await read('b.ndjson', texts.map((text) => `\x1e${text}\n`).join(''))), three)
  const broken = numbers(await read('c.ndjson', [texts[0], (texts[1] as string).slice(0, 50), texts[2]].join('\r\n')))
  assert.deepEqual(broken, [three[0], [2, undefined, undefined, 'bad'], three[2]])
  assert.deepEqual(numbers(await read('d.ndjson', [(texts[0] as string).slice(0, 47), texts[1]].join('\n'))), [[1, undefined, undefined, 'bad'], three[1]])
})

test('a collection that is cut off gives what is whole, and says what is not', async () => {
  const text = JSON.stringify({ type: 'FeatureCollection', features: [feature(1), feature(2)] })
  assert.deepEqual(numbers(await read('a.json', text.slice(0, text.length - 20))), [three[0], [2, undefined, undefined, 'bad']])
})

test('a record may be a geometry, or hold the coordinates of a MultiPolygon', async () => {
  const mp = [[[[1, 2], [3, 4], [5, 6], [1, 2]]]]
  assert.deepEqual(await read('a.ndjson', JSON.stringify({ code: '11', name: 'x', mp })), [{ place: 1, properties: { code: '11', name: 'x' }, geometry: { type: 'MultiPolygon', coordinates: mp }, problem: '' }])
  assert.deepEqual((await read('b.json', JSON.stringify({ type: 'Polygon', coordinates: [] }, null, 1)))[0]?.geometry, { type: 'Polygon', coordinates: [] })
})

test('features across chunks are whole', async () => {
  const long = (n: number): object => ({ ...feature(n), properties: { n, pad: 'x'.repeat(700_000) } })
  assert.deepEqual(numbers(await read('a.json', JSON.stringify({ features: [long(1), long(2), long(3)] }))), three)
  assert.deepEqual(numbers(await read('a.ndjson', [1, 2, 3].map((n) => JSON.stringify(long(n))).join('\n'))), three)
})
