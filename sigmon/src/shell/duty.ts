import type { DutyOrder } from '@kawal/contract/shell.ts'
import type { Duty } from '../duty.ts'
import type { Environment } from '../environment.ts'
import type { Block } from '../queue/queue.ts'
import type { Store } from '../store.ts'
import { askShell } from './ask.ts'
import { readDuty, type ShellDuty } from './read.ts'

/** More than 18 hours of reports at the shortest interval, 30 s, are 2,160. What is left over is one gap in the device's count. */
const block_numbers = 10_000
/** What the page spends meanwhile is told to the shell in steps: not each ping is worth an order. */
const spent_step_bytes = 50_000
/** A state that is older than its own promise says nothing of the next. */
const late_ms_max = 60_000
/** As in duty.ts: a promise sooner than this could hardly be kept. */
const promise_ms_min = 30_000

export type Order = Omit<DutyOrder, 'sequence'>

interface Needs {
  readonly env: Pick<Environment, 'shell' | 'clock' | 'setTimer' | 'clearTimer'>
  readonly store: Pick<Store, 'read' | 'write'>
  /** The page's own duty: it reports where the shell cannot. */
  readonly own: Duty
  /** What there is to hand over now; null while the platform has not confirmed this phone, or told no configuration. */
  readonly order: () => Order | null
  /** Whose numbers and reports they are. */
  readonly identity: () => string | null
  readonly setAside: (count: number) => Promise<Block>
  /** The platform refused the token that the shell has. */
  readonly refused: () => void
  readonly changed: () => void
}

/** What the page remembers of a duty that it handed over. `key`: of the order as it was last given. */
interface Handed { readonly block: Block; readonly identity: string | null; readonly token: string; readonly since: number; readonly key: string }

export interface HandedDuty extends Duty {
  /** What the shell last said of itself; null: nothing yet. */
  said(): ShellDuty | null
  /** The page reports itself until there is an order to give. */
  waits(): boolean
  /** What the shell answered in place of doing it. */
  fault(): string | null
  /** A duty that the page had handed over is over: `lost`, the shell knows nothing of it; `ended`, by its notification or after 18 hours. */
  over(): 'lost' | 'ended' | null
  /** Something changed here: hands over what waits, and gives a new order where it reads differently. */
  follow(): void
  /** What a state of the shell leads to. */
  take(given: unknown): Promise<void>
}

/** Duty of a phone with the shell: it reports in the page's place, and the page follows what it says. */
export async function createHandedDuty({ env, store, own, order, identity, setAside, refused, changed }: Needs): Promise<HandedDuty> {
  const hand = createHand(env, store, (await store.read<Handed | null>('handed')) ?? null, changed)
  const inTurn = createTurns()
  let over: 'lost' | 'ended' | null = null
  /** An order that failed is not given again at each change of anything. */
  let tried: string | null = null
  let refusedToken: string | null = null
  /** The last of a block that was followed by another: whoever says it again is not given a third. */
  let used: number | null | undefined = null
  /** One that no shell took: each try with numbers of its own would be a gap of its own. */
  let spare: Block | null = null

  /** @returns whether the shell is on duty by it */
  async function give(block: Block): Promise<boolean> {
    const now = order()
    if (now === null) return false
    const key = keyOf(now)
    tried = `${identity()} ${key}`
    const state = await hand.begin({ ...now, sequence: block })
    if (state?.on !== true) return false
    await hand.hold({ block, identity: identity(), token: now.token, since: hand.handed()?.since ?? state.since ?? env.clock(), key: hand.fault() === null ? key : '' })
    over = null
    await own.end()
    changed()
    return true
  }

  async function giveAnew(): Promise<boolean> {
    spare ??= await setAside(block_numbers).catch(() => null)
    const isGiven = spare !== null && (await give(spare))
    if (isGiven) spare = null
    return isGiven
  }

  async function handOver(): Promise<void> {
    if (await giveAnew()) return
    hand.fail(hand.fault() ?? 'duty.start: not on duty')
    await hand.hold(null)
    await own.start()
  }

  /** Another station is another device of the platform: the duty of the old one ends under its own name. */
  async function anew(): Promise<void> {
    if ((await hand.ask('duty.stop')) === null) return
    await hand.hold(null)
    await handOver()
  }

  async function takeState(state: ShellDuty | null): Promise<void> {
    if (state === null) return
    hand.hear(state)
    if (!state.on) {
      if (hand.handed() !== null) {
        over = isBlank(state) ? 'lost' : 'ended'
        await hand.hold(null)
        await own.end()
      }
      return changed()
    }
    over = null
    const { token = null } = order() ?? {}
    const to = state.sequence?.to
    if (state.held === 'block' && used !== to) {
      used = to
      await giveAnew()
    } else if (state.held === 'token' && token !== null && token !== refusedToken) {
      refusedToken = token
      refused()
    }
    changed()
  }

  const look = async (): Promise<void> => takeState(await hand.ask('duty.state'))
  function follow(): void {
    const [now, handed] = [order(), hand.handed()]
    if (now === null) return
    const key = keyOf(now)
    if (handed === null ? hand.said()?.on !== true && (!own.state().on || hand.fault() !== null) : (key === handed.key && handed.identity === identity()) || hand.said() === null) return
    if (tried === (tried = `${identity()} ${key}`)) return
    void inTurn(async () => {
      const held = hand.handed()
      if (held !== null && held.identity !== identity()) return anew()
      if (held === null && hand.said()?.on !== true) return own.state().on ? handOver() : undefined
      // What the page does not remember, and what another token numbered, is not counted on from: a number given twice is lost.
      await (held !== null && held.token === now.token ? give(held.block) : giveAnew())
    }).catch(() => undefined)
  }

  return {
    ...own,
    said: hand.said, fault: hand.fault, over: () => over, waits: () => own.state().on && hand.fault() === null, follow,
    state: () => (hand.isOn() ? { ...own.state(), on: true, since: hand.said()?.since ?? hand.handed()?.since ?? null, nextDueAt: hand.said()?.nextDueAt ?? null } : own.state()),
    promise: () => (hand.isOn() ? promiseOf(hand.said(), env.clock()) : own.promise()),
    start: () => inTurn(async () => {
      if (hand.isOn() || own.state().on) return
      over = null
      hand.fail(null)
      await (order() === null ? own.start() : handOver())
    }),
    end: () => inTurn(async () => {
      over = null
      await own.end()
      if (!hand.isOn()) return
      if ((await hand.ask('duty.stop'))?.on === false) await hand.hold(null)
      changed()
    }),
    async show() {
      tried = null
      await Promise.all([own.show(), inTurn(look)])
      follow()
    },
    async resume() {
      await inTurn(look)
      if (!hand.isOn()) await own.resume()
      follow()
    },
    take: (given) => inTurn(() => takeState(readDuty(given))),
  }
}

/** What the page knows of the shell's duty: what it handed over, what the shell last said, why it did not do what it was asked. */
function createHand(env: Needs['env'], store: Needs['store'], kept: Handed | null, changed: () => void) {
  let handed = kept
  let said: ShellDuty | null = null
  let fault: string | null = null
  const hand = {
    handed: () => handed, said: () => said, fault: () => fault,
    isOn: () => handed !== null || said?.on === true,
    hear: (state: ShellDuty) => void (said = state),
    fail: (why: string | null) => void (fault = why),
    async hold(next: Handed | null): Promise<void> {
      handed = next
      await store.write({ handed: next }).catch(() => undefined)
    },
    async ask(what: 'duty.start' | 'duty.stop' | 'duty.state', given?: object): Promise<ShellDuty | null> {
      const answered = await askShell(env, what, given)
      const state = 'is' in answered ? readDuty(answered.is) : null
      fault = state !== null ? null : 'is' in answered ? `${what}: no state` : answered.fault
      if (state !== null) said = state
      changed()
      return state
    },
    async begin(order: DutyOrder): Promise<ShellDuty | null> {
      const state = await hand.ask('duty.start', order)
      if (state !== null) return state
      // It may have taken the order all the same, and answered late.
      const why = fault
      const now = await hand.ask('duty.state')
      if (now?.on !== true || now.sequence?.to !== order.sequence.to) fault = why
      return now
    },
  }
  return hand
}

/** One after the other: two orders at once would each have numbers of their own. */
function createTurns(): (work: () => Promise<void>) => Promise<void> {
  let turn: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
  }
}

/** What a check may promise while the shell reports; null where that is not known. */
function promiseOf(said: ShellDuty | null, now: number): number | null {
  const dueAt = said?.nextDueAt ?? null
  return dueAt === null || dueAt < now - late_ms_max ? null : Math.max(dueAt, now + promise_ms_min)
}

/** As of a shell to which nothing was ever handed over. */
const isBlank = ({ counts, newest, day }: ShellDuty): boolean => counts.made === 0 && newest.length === 0 && day === null

const keyOf = ({ station, token, sim, accessPoint, config, keys, budget, language }: Order): string =>
  JSON.stringify([station, token, sim, accessPoint, config.version, config.issuedAt, keys.map(({ kid }) => kid), budget.dailyBytes, budget.metered, Math.floor(budget.spentBytes / spent_step_bytes), language])
