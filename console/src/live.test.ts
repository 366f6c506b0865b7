import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixtureDelta, fixtureLive } from '../test/fixture.ts'
import { applyDelta, applySnapshot, startFeed, type LiveState, type Stream } from './live.ts'

const start = Date.parse('2029-02-14T07:00:00Z')

test('a snapshot is held by key and remembers how far the server clock is off', () => {
  const state = applySnapshot(fixtureLive(start), start - 1500)
  assert.equal(state.offsetMs, 1500)
  assert.equal(state.disturbances.get('g-1')?.stations.length, 96)
  assert.equal(state.areas.size, 12)
})

test('a delta replaces whole rows by key, adds new ones, and leaves the rest alone', () => {
  const state = applySnapshot(fixtureLive(start), start)
  const area = state.areas.get('5301')
  assert.ok(area)
  const next = applyDelta(state, { ...fixtureDelta(start + 1000, 2), areas: [{ ...area, counts: { ...area.counts, down: 7 } }] }, start + 1000)
  assert.equal(next.disturbances.size, state.disturbances.size + 1)
  assert.equal(next.areas.get('5301')?.counts.down, 7)
  assert.equal(next.areas.size, state.areas.size)
  assert.equal(next.tickets, state.tickets)
  assert.equal(state.areas.get('5301')?.counts.down, 0, 'the state before is untouched')
})

test('a delta that is not newer changes nothing', () => {
  const state = applySnapshot(fixtureLive(start, 5), start)
  assert.equal(applyDelta(state, fixtureDelta(start, 5), start), state)
})

test('applying deltas one by one gives what a snapshot of the end gives', () => {
  const end = fixtureLive(start + 9000, 12)
  let state = applySnapshot({ ...end, sequence: 1, areas: [], disturbances: [], tickets: [] }, start + 9000)
  end.areas.forEach((row, index) => (state = applyDelta(state, { sequence: 2 + index, areas: [row] }, start + 9000)))
  state = applyDelta(state, { sequence: 100, disturbances: end.disturbances, tickets: end.tickets }, start + 9000)
  assert.deepEqual({ ...state, sequence: 12 }, applySnapshot(end, start + 9000))
})

/** A stream driven by hand, as an EventSource would be by the network. */
function handDriven(): { stream: Stream; send(name: string, body?: unknown): void; close(): void } {
  const listeners = new Map<string, (event: { data?: string }) => void>()
  let readyState = 1
  return {
    stream: { addEventListener: (name, listener) => void listeners.set(name, listener), get readyState() { return readyState }, close: () => { readyState = 2 } },
    send: (name, body) => listeners.get(name)?.(body === undefined ? {} : { data: JSON.stringify(body) }),
    close: () => { readyState = 2 },
  }
}

test('30 s of silence and a hole in the sequence open a new stream; a closed one tells that it was refused', () => {
  let now = start
  const opened: ReturnType<typeof handDriven>[] = []
  const states: LiveState[] = []
  let refused = 0
  const feed = startFeed({
    open: () => {
      opened.push(handDriven())
      return (opened.at(-1) as ReturnType<typeof handDriven>).stream
    },
    clock: () => now, onState: (state) => states.push(state), onRefused: () => (refused += 1),
  })
  opened[0]?.send('delta', fixtureDelta(now, 2))
  assert.equal(states.length, 0, 'a delta before any snapshot means nothing')
  opened[0]?.send('snapshot', fixtureLive(now, 1))
  opened[0]?.send('delta', fixtureDelta(now, 2))
  assert.equal(states.at(-1)?.sequence, 2)
  opened[0]?.send('delta', fixtureDelta(now, 9))
  assert.equal(opened.length, 2, 'a hole asks for a snapshot')
  opened[1]?.send('snapshot', fixtureLive(now, 9))
  opened[1]?.send('delta', fixtureDelta(now, 20))
  assert.equal(opened.length, 2, 'not twice within a minute')
  now += 29_000
  feed.tick()
  assert.equal(opened.length, 2)
  now += 2_000
  feed.tick()
  assert.equal(opened.length, 3)
  opened[1]?.send('delta', fixtureDelta(now, 99))
  assert.notEqual(states.at(-1)?.sequence, 99, 'the old stream is not heard any more')
  opened[2]?.close()
  opened[2]?.send('error')
  assert.equal(refused, 1)
  now += 6_000
  feed.tick()
  assert.equal(opened.length, 4)
  feed.stop()
})
