/** Why something may not be sent. */
export type Spend = 'limit' | 'saver' | 'metered' | 'roaming'

/** What measuring has cost; kept by whoever gives `BudgetStore`. */
export interface Ledger {
  /** Bytes by local day (`2029-02-14`), in order of first use; a clock that is set back finds its day again. */
  readonly days: readonly (readonly [day: string, bytes: number])[]
  /** Bytes since the app was set up. */
  readonly election: number
}

/**
 * Where the ledger is kept. `change` reads, applies and writes in one transaction, so that two tabs never
 * lose each other's bytes, and resolves with what is written. Where it rejects (storage full), the budget
 * goes on in memory.
 */
export interface BudgetStore {
  change(apply: (held: Ledger | null) => Ledger): Promise<Ledger>
}

interface BudgetRules {
  /** The officer's or the configuration's limit, bytes a day. */
  readonly daily: () => number
  /** The local day of the station's zone; see `dayIn`. */
  readonly day: () => string
  /** Save-Data is on, the officer said that this network is metered, that it roams. */
  readonly restraint: () => Exclude<Spend, 'limit'> | null
  /** What the shell around the page spent of the same limit on that day; null: on all days. */
  readonly beside?: (day: string | null) => number
}

interface Reserved {
  /** Puts the real cost in place of the reserved one. Once; more than was reserved is a bug and throws. */
  settle(bytes: number): Promise<void>
}

export interface Budget {
  /** What speaks against this now, without reserving it. `agreed`: the officer said yes for this once; never beyond the limit. */
  refusal(bytes: number, kind: 'small' | 'large', agreed?: boolean): Spend | null
  /** Takes the worst case off before anything is sent. */
  reserve(bytes: number, kind: 'small' | 'large', agreed?: boolean): Promise<Reserved | Spend>
  /** With what was spent beside. */
  spent(): { readonly today: number; readonly election: number; readonly daily: number }
}

const days_max = 10
const owed_max = 1_000
const empty: Ledger = { days: [], election: 0 }

/** `small`: what routine reports cost, allowed under Save-Data, on metered networks and abroad. */
export async function createBudget(rules: BudgetRules, store: BudgetStore): Promise<Budget> {
  let ledger = empty
  /** Counted in memory while nothing could be written: owed to the store. */
  let owed: readonly (readonly [day: string, bytes: number])[] = []
  let turn: Promise<unknown> = Promise.resolve()
  const on = (held: Ledger, day: string): number => held.days.find(([each]) => each === day)?.[1] ?? 0
  const add = (held: Ledger, day: string, bytes: number): Ledger => ({
    days: [...held.days.filter(([each]) => each !== day), [day, on(held, day) + bytes] as const].slice(-days_max),
    election: held.election + bytes,
  })
  /** @returns false when `allowed` says no to what is held */
  const change = (day: string, bytes: number, allowed: (held: Ledger) => boolean): Promise<boolean> => {
    // one after the other: what is owed is paid once
    const mine = turn.then(() => write(day, bytes, allowed))
    turn = mine
    return mine
  }
  const write = async (day: string, bytes: number, allowed: (held: Ledger) => boolean): Promise<boolean> => {
    let done = false
    const apply = (held: Ledger): Ledger => {
      done = allowed(held)
      return done ? add(held, day, bytes) : held
    }
    try {
      ledger = await store.change((held) => apply(owed.reduce((sum, [each, more]) => add(sum, each, more), held ?? empty)))
      owed = []
    } catch {
      // Without storage the count goes on in memory, where it is as strict.
      ledger = apply(ledger)
      if (done && bytes !== 0) owed = [...owed, [day, bytes] as const].slice(-owed_max)
    }
    return done
  }
  await change(rules.day(), 0, () => true)
  const beside = (day: string | null): number => rules.beside?.(day) ?? 0
  const refusal: Budget['refusal'] = (bytes, kind, agreed = false) => {
    if (on(ledger, rules.day()) + beside(rules.day()) + bytes > rules.daily()) return 'limit'
    return kind === 'large' && !agreed ? rules.restraint() : null
  }
  return {
    refusal,
    async reserve(bytes, kind, agreed = false) {
      const refused = refusal(bytes, kind, agreed)
      if (refused !== null) return refused
      const day = rules.day()
      if (!(await change(day, bytes, (held) => on(held, day) + beside(day) + bytes <= rules.daily()))) return 'limit'
      let open = true
      return {
        async settle(real) {
          if (!open || real > bytes) throw new Error(`settled ${real} bytes of ${bytes} reserved${open ? '' : ', again'}`)
          open = false
          await change(day, real - bytes, () => true)
        },
      }
    },
    spent: () => ({ today: on(ledger, rules.day()) + beside(rules.day()), election: ledger.election + beside(null), daily: rules.daily() }),
  }
}

/** Local day of an IANA zone; the phone's own zone where the browser does not know that one. */
export function dayIn(zone: string, now: number): string {
  const form = (timeZone: string | undefined): string => new Intl.DateTimeFormat('en-CA', { ...(timeZone === undefined ? {} : { timeZone }), year: 'numeric', month: '2-digit', day: '2-digit' }).format(now)
  try {
    return form(zone)
  } catch {
    return form(undefined)
  }
}
