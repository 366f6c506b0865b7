import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeBatch } from './compact.ts'
import type { ReportBatch, Sample } from './report.ts'

type Batch = Omit<ReportBatch, 'samples'> & { readonly samples: readonly Sample[] }
const vectors = JSON.parse(readFileSync(join(import.meta.dirname, '../spec/report/compact.json'), 'utf8')) as readonly { readonly batch: Batch; readonly cbor: string }[]

test('the compact form is what other programs are held to', () => {
  assert.ok(vectors.length >= 20)
  for (const { batch, cbor } of vectors) assert.equal(Buffer.from(encodeBatch(batch)).toString('hex'), cbor)
})
