import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { buildGoAuditor, goMissing } from '@kawal/testkit/go-auditor.ts'
import { scratch } from '@kawal/testkit/scratch.ts'
import { withoutTiles } from './judge.ts'
import { countTamperings, type Amount, type Counted } from './tamperings.ts'

const folder = scratch('audit')
after(() => rmSync(folder, { recursive: true, force: true }))
const small: Amount = { tamperings: 300, worlds: 14, clean: 30, tall: false, each_tall: 0, entries: 1_500 }
const missing = goMissing()
const quiet = (): void => undefined
let counted: Counted
before(async () => {
  counted = await countTamperings(51, small, folder, missing === null ? buildGoAuditor(folder) : null, quiet)
})

test('three hundred tamperings of every kind are each found, and thirty honest logs raise nothing', () => {
  assert.deepEqual([counted.missed, counted.false_found, counted.tamperings, counted.clean_logs], [[], [], 300, 30])
  assert.ok(counted.kinds >= 130, `${counted.kinds} kinds`)
})

test('the auditor in Go finds each of them too', { skip: missing === null ? false : `SKIPPED: ${missing}` }, () => {
  assert.deepEqual([counted.missed_by_go, counted.false_found], [[], []])
})

test('an auditor that does not look at tiles of hashes misses some of the same: the count can fail', async () => {
  const blind = await countTamperings(51, { ...small, clean: 0 }, folder, null, quiet, withoutTiles)
  assert.ok(blind.missed.length > 20 && blind.missed.every((name) => / tile of level /.test(name)), blind.missed.join())
})
