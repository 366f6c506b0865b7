import { dailyDraw } from '@kawal/core/measurement/schedule.ts'
import { dayIn } from './check/budget.ts'
import { fullTestAtMost } from './check/cost.ts'
import type { FullTested } from './check/full-test.ts'
import type { Engine } from './engine.ts'
import { fullTestSample } from './measuring.ts'
import type { Session, SessionState } from './session.ts'

const idle: SessionState['fullTest'] = { running: false, phase: null, downKbps: null, upKbps: null, minRttMs: null, bytes: 0, refused: null }

/** A full test is the one thing that costs more than days of reports: its cost is said before, and it is loaded when it is asked for. */
export function fullTestOf(engine: Engine): Pick<Session, 'fullTestCost' | 'runFullTest'> {
  const { measuring, config, net } = engine
  return {
    fullTestCost() {
      const bytes = fullTestAtMost(net.origin, config().budget.fullTestBytes)
      return { bytes, refused: measuring.budget.refusal(bytes, 'large') }
    },
    runFullTest: (agreed) => run(engine, agreed),
  }
}

async function run(engine: Engine, agreed: boolean): Promise<void> {
  const { view, net, config, measuring } = engine
  if (view.state().fullTest.running) return
  view.change({ fullTest: { ...idle, running: true } })
  try {
    const { fullTest } = await import('./check/full-test.ts')
    const found = await fullTest(net, config(), { budget: measuring.budget, agreed }, (phase, kbps, bytes) =>
      view.change({ fullTest: { ...view.state().fullTest, phase, bytes, ...(phase === 'down' ? { downKbps: kbps } : { upKbps: kbps }) } }))
    view.change({ fullTest: { ...idle, ...found } })
    await keepFound(engine, found)
  } finally {
    view.change({ fullTest: { ...view.state().fullTest, running: false, phase: null } })
  }
  await view.refresh()
}

/** What it found is a sample like a check's: the platform learns the rate, not only the officer. */
async function keepFound({ identities, queue, duty, sender, choices, env }: Engine, found: FullTested): Promise<void> {
  const identity = identities.current()
  if (identity === null || choices().practice || (found.downKbps === null && found.upKbps === null)) return
  await queue.keep(fullTestSample(found, choices(), env.clock(), duty.promise()), { identity: identity.id, kind: 'kept', reserve: duty.state().on })
  void sender.trigger('kept')
}

/**
 * The share of phones that the configuration asks for runs one a day unasked: on Wi-Fi or a cable, where it is
 * known not to be paid by the byte, and never where the officer said otherwise.
 */
export async function sampleFullTest(engine: Engine): Promise<void> {
  const { identities, config, choices, store, net, env } = engine
  const identity = identities.current()
  const kind = net.connection?.type
  if (identity?.device == null || choices().practice || choices().metered || (kind !== 'wifi' && kind !== 'ethernet')) return
  const day = dayIn(identity.station.zone, env.clock())
  if (!dailyDraw(identity.device, day, config().fullTestShare) || (await store.read<string>('sampledOn')) === day) return
  await store.write({ sampledOn: day })
  await run(engine, false)
}
