import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { copyLine } from './copy.ts'
import { openRows } from './read-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'kawal-read-'))
after(() => rmSync(folder, { recursive: true }))

async function read(name: string, content: string | Buffer): Promise<{ header: readonly string[]; good: string[]; bad: string[] }> {
  const path = join(folder, name)
  writeFileSync(path, content)
  const rows = await openRows(path)
  const good: string[] = []
  const bad: string[] = []
  for await (const { line, fields, problem } of rows.records()) (fields === null ? bad : good).push(`${line} ${fields?.join('|') ?? problem}`)
  return { header: rows.header, good, bad }
}

test('a quote left open or a missing column costs its own row and no other', async () => {
  const got = await read('a.csv', '\uFEFFcode,name\r\n1,"A, B"\r\n2,"open\r\n3,C\r\n\r\n4\r\n5,"two\r\nlines"\r\n6,x"y"z\r\n7,D')
  assert.deepEqual(got.header, ['code', 'name'])
  assert.deepEqual(got.good, ['2 1|A, B', '4 3|C', '7 5|two\nlines', '10 7|D'])
  assert.equal(got.bad.length, 3)
  assert.deepEqual(got.bad.map((text) => text.split(' ')[0]), ['3', '6', '9'])
})

test('semicolons and gzip', async () => {
  const got = await read('b.csv.gz', gzipSync('code;lat\n1;-6,2\n'))
  assert.deepEqual(got, { header: ['code', 'lat'], good: ['2 1|-6,2'], bad: [] })
})

test('points of GeoJSON become rows; a feature without properties is told', async () => {
  const feature = (properties: unknown, coordinates: unknown): unknown => ({ type: 'Feature', properties, geometry: { type: 'Point', coordinates } })
  const got = await read('c.geojson', JSON.stringify({ type: 'FeatureCollection', features: [feature({ id: 'a', name: 'X' }, [120, -8]), feature(null, [1, 2]), feature({ id: 'b' }, null)] }))
  assert.deepEqual(got.header, ['id', 'name', 'lat', 'lon'])
  assert.deepEqual(got.good, ['2 a|X|-8|120', '4 b|||'])
  assert.equal(got.bad.length, 1)
})

test('property: rows written as CSV come back, whatever the names hold', async () => {
  const field = fc.string().map((text) => text.replaceAll(/[\r\n]/g, ' '))
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.nat(), field), { maxLength: 20 }), async (rows) => {
    const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`
    const got = await read('p.csv', `id,name\n${rows.map(([id, name]) => `${id},${quote(name)}\n`).join('')}`)
    assert.deepEqual(got.bad, [])
    assert.deepEqual(got.good, rows.map(([id, name], i) => `${i + 2} ${id}|${name}`))
  }), { numRuns: 100 })
})

test("a line of COPY escapes COPY's own marks", () => {
  assert.equal(copyLine(['a\tb\\c\nd', null, 1.5, '']), 'a\\tb\\\\c\\nd\t\\N\t1.5\t\n')
})
