import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeZip } from '@kawal/testkit/zip.ts'
import { BadZip, unzip } from './unzip.ts'

const folder = mkdtempSync(join(tmpdir(), 'kawal-zip-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'a.zip')

test('files come out as they went in, stored or deflated, in folders, empty ones too', async () => {
  const files = { 'a.shp': Buffer.from('x'.repeat(5000)), 'peta/b.dbf': Buffer.from('abc'), 'c.txt': Buffer.alloc(0), '__MACOSX/d': Buffer.from('no') }
  writeFileSync(path, makeZip(files))
  const paths = await unzip(path, join(folder, 'out'))
  assert.deepEqual(paths, ['a.shp', 'peta/b.dbf', 'c.txt'].map((name) => join(folder, 'out', name)))
  for (const name of ['a.shp', 'peta/b.dbf', 'c.txt'] as const) assert.deepEqual(readFileSync(join(folder, 'out', name)), files[name])
})

test('an archive that would write elsewhere, is cut off, or lies about a size is refused', async () => {
  const refused = async (bytes: Buffer, why: RegExp): Promise<void> => {
    writeFileSync(path, bytes)
    await assert.rejects(unzip(path, join(folder, 'bad')), (error) => error instanceof BadZip && why.test(error.message))
  }
  await refused(makeZip({ '../elsewhere': Buffer.from('x') }), /elsewhere/)
  await refused(makeZip({ '/etc/elsewhere': Buffer.from('x') }), /elsewhere/)
  await refused(Buffer.from('this is no zip at all, whatever its name says'), /no zip/)
  const good = makeZip({ a: Buffer.from('x'.repeat(5000)) })
  await refused(good.subarray(0, good.length - 30), /no zip/)
  const lying = Buffer.from(good)
  // the size in the directory, 24 bytes behind its mark
  lying.writeUInt32LE(100, lying.indexOf(Buffer.from('PK\x01\x02', 'latin1')) + 24)
  await refused(lying, /longer than the archive says/)
})
