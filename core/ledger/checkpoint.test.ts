import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatCheckpoint, readCheckpoint } from './checkpoint.ts'

const suite = join(import.meta.dirname, '../../../shared/suites/tlog/checkpoint-parse.json')
const root = Buffer.alloc(32, 7)

test('checkpoints are read as the vectors want; what they leave open is refused by name', { skip: existsSync(suite) ? false : 'SKIPPED: ../shared/suites/tlog is not there' }, () => {
  const { cases } = JSON.parse(readFileSync(suite, 'utf8')) as { cases: { desc: string; text: string; ok: boolean }[] }
  assert.equal(cases.length, 12)
  assert.equal(cases.filter((each) => each.ok).length, 5)
  for (const { desc, text, ok } of cases) {
    const read = readCheckpoint(text)
    // the vectors' roots have any length, and ours has 32 bytes
    assert.equal(!read.ok && read.error === 'root_length', ok, desc)
    if (!ok) continue
    const [origin = '', size = '', , ...rest] = text.split('\n')
    const whole = readCheckpoint([origin, size, root.toString('base64'), ...rest].join('\n'))
    const extensions = rest.slice(0, -1)
    assert.deepEqual(whole, extensions.includes('') ? { ok: false, error: 'extension_empty' } : { ok: true, value: { origin, size: Number(size), root: new Uint8Array(root), extensions } }, desc)
    if (whole.ok) assert.equal(formatCheckpoint(whole.value), [origin, size, root.toString('base64'), ...rest].join('\n'))
  }
})

test('a checkpoint that is none is refused, and what makes it so is named', () => {
  const base64 = root.toString('base64')
  for (const [text, error] of [
    ['', 'lines_few'], ['a\n1', 'lines_few'], ['a\n1\n', 'lines_few'], [`a\n1\n${base64}`, 'lines_few'], [`\n1\n${base64}\n`, 'origin_empty'], [`a\n01\n${base64}\n`, 'size_form'], [`a\n+1\n${base64}\n`, 'size_form'], [`a\n1 \n${base64}\n`, 'size_form'], [`a\n1e3\n${base64}\n`, 'size_form'],
    [`a\n٣\n${base64}\n`, 'size_form'], [`a\n9007199254740992\n${base64}\n`, 'size_beyond'], [`a\n1\n${base64.slice(0, -1)}\n`, 'root_form'], [`a\n1\n${base64.replace('=', '')}\n`, 'root_form'], [`a\n1\n ${base64}\n`, 'root_form'], [`a\n1\n${Buffer.alloc(33).toString('base64')}\n`, 'root_length'],
    [`a\n1\n${base64}\n\n`, 'extension_empty'], [`a\n1\n${base64}\nb\n\nc\n`, 'extension_empty'],
  ] as const) assert.deepEqual(readCheckpoint(text), { ok: false, error }, JSON.stringify(text))
  assert.ok(readCheckpoint(`a\n9007199254740991\n${base64}\n`).ok)
  for (const wrong of [{ origin: '' }, { origin: 'a\nb' }, { size: -1 }, { size: 1.5 }, { size: 2 ** 53 }, { root: Buffer.alloc(31) }, { extensions: [''] }, { extensions: ['a\nb'] }])
    assert.throws(() => formatCheckpoint({ origin: 'a', size: 1, root, extensions: [], ...wrong }), RangeError, JSON.stringify(wrong))
})
