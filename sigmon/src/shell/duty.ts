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
interface Handed { readonly block: Block; readonly identity: string | null; readonly since: number; readonly key: string }

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
  let handed = (await store.read<Handed | null>('handed')) ?? null
  let said: ShellDuty | null = null
  let fault: string | null = null
  let over: 'lost' | 'ended' | null = null
  /** An order that failed is not given again at each change of anything. */
  let tried: string | null = null
  let refusedToken: string | null = null
  let turn: Promise<unknown> = Promise.resolve()
  const isOn = (): boolean => handed !== null || said?.on === true
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
  }

  async function hold(next: Handed | null): Promise<void> {
    handed = next
    await store.write({ handed: next }).catch(() => undefined)
  }

  async function ask(what: 'duty.start' | 'duty.stop' | 'duty.state', given?: object): Promise<ShellDuty | null> {
    const answered = await askShell(env, what, given)
    const state = 'is' in answered ? readDuty(answered.is) : null
    fault = state !== null ? null : 'is' in answered ? `${what}: no state` : answered.fault
    if (state !== null) said = state
    changed()
    return state
  }

  /** @returns whether the shell is on duty by it */
  async function give(block: Block): Promise<boolean> {
    const now = order()
    if (now === null) return false
    const key = keyOf(now)
    tried = `${identity()} ${key}`
    let state = await ask('duty.start', { ...now, sequence: block })
    if (state === null) {
      // It may have taken the order all the same, and answered late.
      const why = fault
      state = await ask('duty.state')
      if (state?.on !== true || state.sequence?.to !== block.to) fault = why
    }
    if (state?.on !== true) return false
    await hold({ block, identity: identity(), since: handed?.since ?? state.since ?? env.clock(), key: fault === null ? key : '' })
    over = null
    await own.end()
    changed()
    return true
  }

  const giveAnew = (): Promise<boolean> => setAside(block_numbers).then(give, () => false)

  async function handOver(): Promise<void> {
    if (await giveAnew()) return
    fault ??= 'duty.start: not on duty'
    await hold(null)
    await own.start()
    changed()
  }

  /** Another station is another device of the platform: the duty of the old one ends under its own name. */
  async function anew(): Promise<void> {
    if ((await ask('duty.stop')) === null) return
    await hold(null)
    await handOver()
  }

  async function takeState(state: ShellDuty): Promise<void> {
    said = state
    if (!state.on) {
      if (handed !== null) {
        over = isBlank(state) ? 'lost' : 'ended'
        await hold(null)
        await own.end()
      }
      return changed()
    }
    over = null
    if (handed === null) await hold({ block: { from: state.sequence?.next ?? 1, to: state.sequence?.to ?? 1 }, identity: identity(), since: state.since ?? env.clock(), key: '' })
    if (own.state().on) await own.end()
    const { token = null } = order() ?? {}
    if (state.held === 'block') await giveAnew()
    else if (state.held === 'token' && token !== null && token !== refusedToken) {
      refusedToken = token
      refused()
    }
    changed()
  }

  async function look(): Promise<void> {
    const state = await ask('duty.state')
    if (state !== null) await takeState(state)
  }

  function follow(): void {
    const now = order()
    if (now === null) return
    const key = keyOf(now)
    if (handed === null ? !own.state().on || fault !== null : (key === handed.key && handed.identity === identity()) || said === null) return
    if (tried === `${identity()} ${key}`) return
    tried = `${identity()} ${key}`
    void inTurn(async () => {
      if (handed === null) return own.state().on ? handOver() : undefined
      if (handed.identity !== identity()) return anew()
      await give(handed.block)
    }).catch(() => undefined)
  }

  return {
    ...own,
    said: () => said, fault: () => fault, over: () => over, waits: () => own.state().on && fault === null, follow,
    state() {
      const before = own.state()
      return isOn() ? { ...before, on: true, since: said?.since ?? handed?.since ?? null, nextDueAt: said?.nextDueAt ?? null } : before
    },
    promise() {
      if (!isOn()) return own.promise()
      const dueAt = said?.nextDueAt ?? null
      return dueAt === null || dueAt < env.clock() - late_ms_max ? null : Math.max(dueAt, env.clock() + promise_ms_min)
    },
    start: () => inTurn(async () => {
      if (isOn() || own.state().on) return
      over = null
      fault = null
      await (order() === null ? own.start() : handOver())
    }),
    end: () => inTurn(async () => {
      over = null
      await own.end()
      if (!isOn()) return
      if ((await ask('duty.stop'))?.on === false) await hold(null)
      changed()
    }),
    async show() {
      tried = null
      await Promise.all([own.show(), inTurn(look)])
      follow()
    },
    async resume() {
      await inTurn(look)
      if (!isOn()) await own.resume()
      follow()
    },
    take: (given) => inTurn(async () => {
      const state = readDuty(given)
      if (state !== null) await takeState(state)
    }),
  }
}

/** As of a shell to which nothing was ever handed over. */
const isBlank = ({ counts, newest, day }: ShellDuty): boolean => counts.made === 0 && newest.length === 0 && day === null

const keyOf = ({ station, token, sim, accessPoint, config, keys, budget, language }: Order): string =>
  JSON.stringify([station, token, sim, accessPoint, config.version, config.issuedAt, keys.map(({ kid }) => kid), budget.dailyBytes, budget.metered, Math.floor(budget.spentBytes / spent_step_bytes), language])
