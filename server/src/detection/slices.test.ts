import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Steps } from '@kawal/core/kernel/steps.ts'
import { createSlices } from './slices.ts'

function* steps(done: string[], names: readonly string[]): Steps<number> {
  for (const name of names) {
    done.push(name)
    yield
  }
  return names.length
}

test('others have their turn between two slices, and their changes wait for the end, in order, past one that fails', async () => {
  const done: string[] = []
  const failures: unknown[] = []
  const slices = createSlices(0, (error) => void failures.push(error))
  slices.change(() => done.push('before'))
  let others = 0
  const turning = setInterval(() => others++, 0).unref()
  const working = slices.work(async (inSlices) => {
    assert.equal(await inSlices(steps(done, Array.from({ length: 500 }, (_, index) => `${index}`))), 500)
    done.push('worked')
  })
  assert.ok(slices.isBusy())
  slices.change(() => done.push('one'))
  slices.change(() => {
    throw new Error('cannot be made')
  })
  slices.change(() => done.push('two'))
  await working
  clearInterval(turning)
  assert.deepEqual([done.length, done[0], ...done.slice(-3)], [504, 'before', 'worked', 'one', 'two'])
  assert.match(String(failures), /cannot be made/)
  assert.ok(others > 0, 'a timer came between')
  assert.ok(!slices.isBusy())
})

test('the longer the answers before it took, the longer is a slice, within bounds: neither waits for ever', async () => {
  let now = 0
  const lengths: number[] = []
  const takes = [0, 3, 18, 500, 1]
  const slices = createSlices(4, () => assert.fail('no change failed'), () => now)
  function* work(): Steps<void> {
    for (;;) {
      now++
      lengths[lengths.length - 1] = (lengths.at(-1) ?? 0) + 1
      if (lengths.length > takes.length) return
      yield
    }
  }
  // Each turn of the others takes so long.
  const others = (): void => {
    now += takes[lengths.length - 1] ?? 0
    lengths.push(0)
    if (lengths.length <= takes.length) setImmediate(others)
  }
  lengths.push(0)
  setImmediate(others)
  await slices.work((inSlices) => inSlices(work()))
  assert.deepEqual(lengths.slice(0, takes.length), [4, 4, 4, 12, 50])
})

test('work that fails lets the waiting changes go, and says so', async () => {
  const done: string[] = []
  const slices = createSlices(0, () => assert.fail('no change failed'))
  const working = slices.work(async () => {
    throw new Error('the sweep broke')
  })
  slices.change(() => done.push('one'))
  await assert.rejects(working, /the sweep broke/)
  assert.deepEqual([done, slices.isBusy()], [['one'], false])
})

test('what comes while the waiting changes are made comes behind them, and none is left out', async () => {
  for (let depth = 0; depth < 12; depth++) {
    const done: number[] = []
    const slices = createSlices(1_000, () => assert.fail('no change failed'))
    let next = 0
    const come = (deed = (): void => undefined): void => {
      const number = next++
      slices.change(() => {
        done.push(number)
        deed()
      })
    }
    const working = slices.work(async () => undefined)
    come()
    come(come)
    // some turns of the queue of promises after the last, when work is about to end
    come(() => {
      let later = Promise.resolve()
      for (let turn = 0; turn < depth; turn++) later = later.then()
      void later.then(() => come())
    })
    await working
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
    assert.deepEqual([next, done, slices.isBusy()], [5, [0, 1, 2, 3, 4], false], `${depth}`)
  }
})
