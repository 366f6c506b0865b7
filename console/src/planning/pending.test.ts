import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SitingDecisions } from '@kawal/contract/readiness.ts'
import { createPending, undoMs } from './pending.ts'

function open() {
  let now = 1_000
  const sent: SitingDecisions[] = []
  const seen: [number, number][] = []
  const pending = createPending({
    clock: () => now,
    send: async (decisions) => {
      sent.push(decisions)
      return { ok: true, value: { accepted: decisions.length, results: [] } }
    },
    changed: (count, left) => void seen.push([count, left]),
    sent: () => undefined,
  })
  return { pending, sent, seen, pass: (ms: number) => void ((now += ms), pending.tick()) }
}
const decision = (station: string, word: 'accepted' | 'refused' = 'accepted') => ({ station, venue: 'v1', decision: word, validFrom: '2026-12-01' })

test('nothing is sent within ten seconds, everything once after them', () => {
  const { pending, sent, seen, pass } = open()
  pending.add([decision('1'), decision('2')])
  pass(undoMs - 1)
  assert.equal(sent.length, 0)
  assert.deepEqual(seen.at(-1), [2, 1])
  pass(1)
  pass(undoMs)
  assert.deepEqual(sent, [[decision('1'), decision('2')]])
  assert.deepEqual(seen.at(-1), [0, 0])
})

test('what is taken back is never sent; of one station the newest counts, and the time begins again', () => {
  const { pending, sent, pass } = open()
  pending.add([decision('1')])
  pending.undo()
  pass(undoMs * 2)
  assert.equal(sent.length, 0)
  pending.add([decision('1'), decision('2')])
  pass(undoMs - 1)
  pending.add([decision('1', 'refused')])
  pass(undoMs - 1)
  assert.equal(sent.length, 0)
  assert.equal(pending.of('1')?.decision, 'refused')
  pass(1)
  assert.deepEqual(sent, [[decision('2'), decision('1', 'refused')]])
})

test('a page that is left stores at once', async () => {
  const { pending, sent, pass } = open()
  pending.add([decision('1')])
  await pending.flush()
  pass(undoMs)
  assert.equal(sent.length, 1)
  assert.equal(pending.answer()?.ok, true)
})
