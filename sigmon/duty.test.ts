import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDuty, type Duty } from './src/duty.ts'

/** A screen whose lock the browser gives, refuses, and takes back when the page is hidden (W3C Screen Wake Lock, 4.4). */
function screen() {
  const held = { locks: 0, asked: 0, refuses: false, released: (): void => undefined }
  return {
    held,
    wakeLock: {
      request: () => {
        held.asked++
        if (held.refuses) return Promise.reject(new DOMException('battery saver', 'NotAllowedError'))
        held.locks++
        const told: (() => void)[] = []
        const release = (): void => {
          if (held.released !== release) return
          held.released = () => undefined
          held.locks--
          for (const each of told) each()
        }
        held.released = release
        return Promise.resolve({ release: () => Promise.resolve(release()), addEventListener: (_: string, each: () => void) => void told.push(each) })
      },
    },
  }
}

function dutyWith(wakeLock: ReturnType<typeof screen>['wakeLock'] | null): Duty {
  const env = { wakeLock, locks: null, clock: () => 1_800_000_000_000, random: () => 0.5, setTimer: () => 0, clearTimer: () => undefined } as unknown as Parameters<typeof createDuty>[0]['env']
  const store = { write: () => Promise.resolve(), read: () => Promise.resolve(undefined) } as unknown as Parameters<typeof createDuty>[0]['store']
  return createDuty({ env, store, pace: () => ({ interval_ms: 300_000, jitterShare: 0.2 }), report: () => Promise.resolve(), goodbye: () => undefined, end: () => Promise.resolve(), changed: () => undefined })
}

test('the screen is kept awake while asked; what the browser takes back when hidden is asked for again; the end of duty lets it go', async () => {
  const { held, wakeLock } = screen()
  const duty = dutyWith(wakeLock)
  assert.deepEqual([duty.state().canStayAwake, duty.state().awake], [true, false])
  await duty.start()
  assert.equal(held.asked, 0, 'nobody asked')
  await duty.keepAwake(true)
  assert.deepEqual([held.locks, duty.state().awake], [1, true])
  duty.hide()
  held.released()
  assert.equal(duty.state().awake, false)
  await duty.show()
  assert.deepEqual([held.locks, duty.state().awake], [1, true])
  await duty.keepAwake(false)
  assert.deepEqual([held.locks, duty.state().awake], [0, false])
  duty.hide()
  await duty.show()
  assert.equal(held.asked, 2, 'not asked again once it was let go')
  await duty.keepAwake(true)
  await duty.end()
  assert.deepEqual([held.locks, duty.state().awake, duty.state().on], [0, false, false])
})

test('a browser that refuses, and one that cannot, keep nobody awake and break nothing', async () => {
  const { held, wakeLock } = screen()
  held.refuses = true
  const duty = dutyWith(wakeLock)
  await duty.start()
  await duty.keepAwake(true)
  assert.equal(duty.state().awake, false)
  held.refuses = false
  duty.hide()
  await duty.show()
  assert.equal(duty.state().awake, true, 'it is asked again when the screen is looked at')
  const without = dutyWith(null)
  await without.start()
  await without.keepAwake(true)
  assert.deepEqual([without.state().canStayAwake, without.state().awake], [false, false])
})
