import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNotifier, type Notice, type NotifierSettings, type Route } from './notifier.ts'

type Notifier = ReturnType<typeof createNotifier>
const route = (more: Partial<Route> = {}): Route => ({ name: 'all', matchers: [], receivers: [{ name: 'duty', tellsEnd: true }], groupBy: [], wait_ms: 1_000, interval_ms: 5_000, repeat_ms: 60_000, ...more })
const start = (more: Partial<NotifierSettings> = {}): Notifier => createNotifier({ routes: [route()], inhibitions: [], resolve_ms: 300_000, ...more })

/** Turns the notifier whenever it is due until then; what was delivered, at its second. @param fails receivers that cannot be reached at an instant */
function until(notifier: Notifier, end: number, fails: (receiver: string, at: number) => boolean = () => false): string[] {
  const told: string[] = []
  for (let at = notifier.nextAt(); at <= end; at = notifier.nextAt())
    for (const notice of notifier.turn(at)) {
      const failed = fails(notice.receiver, at)
      if (!failed) told.push(`${at / 1000} ${notice.receiver}: ${textOf(notice)}`)
      notifier.settle(notice.id, !failed, at)
    }
  return told
}
const textOf = ({ alerts }: Notice): string => alerts.map(({ labels, endsAt }) => `${Object.keys(labels).sort().map((label) => labels[label]).join('/')}${endsAt === null ? '' : ` over ${endsAt / 1000}`}`).join(', ')
const fire = (id: string, more: Record<string, string> = {}) => ({ labels: { id, ...more } })

test('a group waits for what belongs to it, tells what is new with its turn, and repeats what has not changed', () => {
  const notifier = start()
  notifier.put([fire('a')], 0)
  notifier.put([fire('b')], 900)
  assert.deepEqual(until(notifier, 1_500), ['1 duty: a, b'])
  notifier.put([fire('c')], 2_000)
  assert.deepEqual(until(notifier, 70_000), ['6 duty: a, b, c', '71 duty: a, b, c'].slice(0, 1))
  notifier.put([fire('a'), fire('b'), fire('c')], 70_500)
  assert.deepEqual(until(notifier, 75_000), ['71 duty: a, b, c'])
})

test('an end is told once, to those who hear of ends; what fires again is new', () => {
  const notifier = start({ routes: [route({ receivers: [{ name: 'duty', tellsEnd: true }, { name: 'phone', tellsEnd: false }] })] })
  notifier.put([fire('a')], 0)
  assert.deepEqual(until(notifier, 1_000), ['1 duty: a', '1 phone: a'])
  notifier.put([{ ...fire('a'), startsAt: 0, endsAt: 3_000 }], 3_000)
  assert.deepEqual(until(notifier, 30_000), ['6 duty: a over 3'])
  assert.equal(notifier.nextAt(), Infinity)
  notifier.put([fire('a')], 31_000)
  assert.deepEqual(until(notifier, 40_000), ['32 duty: a', '32 phone: a'])
})

test('what its source says no more is over after a time', () => {
  const notifier = start({ resolve_ms: 10_000 })
  notifier.put([fire('a')], 0)
  assert.deepEqual(until(notifier, 20_000), ['1 duty: a', '11 duty: a over 10'])
})

test('labels in another order are the same alert; the first route that matches is its route; values of a label part groups', () => {
  const notifier = start({ routes: [route({ name: 'high', matchers: [{ label: 'priority', value: 'high' }], receivers: [{ name: 'phone', tellsEnd: true }] }), route({ groupBy: ['province'] })] })
  notifier.put([{ labels: { id: 'a', province: '53' } }, { labels: { province: '53', id: 'a' } }, { labels: { id: 'b', province: '75' } }, { labels: { id: 'c', province: '75', priority: 'high' } }], 0)
  assert.deepEqual(until(notifier, 1_000).sort(), ['1 duty: a/53', '1 duty: b/75', '1 phone: c/high/75'])
})

test('a parent holds back its children, in its own place only, and not itself; they come back when it is over', () => {
  const notifier = start({ inhibitions: [{ source: [{ label: 'kind', value: 'province' }], target: [{ label: 'kind', value: '.+', isRegex: true }], equal: ['province'] }] })
  notifier.put([fire('parent', { kind: 'province', province: '53' }), fire('child', { kind: 'village', province: '53' }), fire('other', { kind: 'village', province: '75' })], 0)
  assert.deepEqual(until(notifier, 1_000), ['1 duty: other/village/75, parent/province/53'])
  notifier.put([{ ...fire('parent', { kind: 'province', province: '53' }), startsAt: 0, endsAt: 4_000 }], 4_000)
  assert.deepEqual(until(notifier, 6_000), ['6 duty: child/village/53, other/village/75, parent/province/53 over 4'])
})

test('what is muted is told to nobody until the mute ends or is taken back', () => {
  const notifier = start()
  notifier.mute({ id: 'm', matchers: [{ label: 'id', value: 'a' }], from: 0, until: 10_000 })
  notifier.put([fire('a'), fire('b')], 0)
  assert.deepEqual(until(notifier, 9_000), ['1 duty: b'])
  assert.deepEqual(until(notifier, 11_000), ['11 duty: a, b'])
  notifier.mute({ id: 'n', matchers: [{ label: 'id', value: 'b', isEqual: false }], from: 11_000, until: 99_000 })
  notifier.put([fire('c')], 12_000)
  assert.deepEqual(until(notifier, 17_000), [])
  notifier.unmute('n')
  assert.deepEqual(until(notifier, 21_000), ['21 duty: a, b, c'])
})

test('who cannot be reached is tried again ever more rarely, and who can be is not told twice for it', () => {
  const notifier = start({ routes: [route({ receivers: [{ name: 'duty', tellsEnd: true }, { name: 'dead', tellsEnd: true }], interval_ms: 1_000, repeat_ms: 1e9 })], resolve_ms: 1e9 })
  const tried: number[] = []
  notifier.put([fire('a')], 0)
  assert.deepEqual(until(notifier, 60_000, (receiver, at) => receiver === 'dead' && tried.push(at / 1000) > 0 && at < 30_000), ['1 duty: a', '32 dead: a'])
  assert.deepEqual(tried, [1, 2, 4, 8, 16, 32])
})

test('an alert that is over while somebody could not be told is kept until they were', () => {
  const notifier = start({ routes: [route({ interval_ms: 1_000, receivers: [{ name: 'duty', tellsEnd: true }, { name: 'away', tellsEnd: true }] })] })
  notifier.put([fire('a')], 0)
  assert.deepEqual(until(notifier, 1_000), ['1 duty: a', '1 away: a'])
  notifier.put([{ ...fire('a'), startsAt: 0, endsAt: 1_500 }], 1_500)
  assert.deepEqual(until(notifier, 20_000, (receiver, at) => receiver === 'away' && at < 9_000), ['2 duty: a over 1.5', '9 away: a over 1.5'])
  assert.equal(notifier.nextAt(), Infinity)
})
