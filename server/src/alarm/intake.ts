import type pg from 'pg'
import type { AlarmTurnKind } from '@kawal/contract/alarm.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import type { Footprint } from './footprint.ts'
import { handOver, type AlarmTakers } from './hand-over.ts'
import { place } from './place.ts'
import type { Said } from './said.ts'
import { addAlarms, addTurns, alarmsNamed, changeAlarms, lockAlarms, readKnown, type AlarmRecord } from './store.ts'
import { turn, type AlarmState } from './turn.ts'

export interface AlarmLimits {
  /** Messages of one organisation that wait for the disk: two groups of the largest size. */
  readonly waiting_max: number
  /** What an organisation may send at once, and a second for good: a nation's storm of six minutes at a thousand a second. */
  readonly burst_max: number
  readonly per_second: number
  /** Messages in one transaction. */
  readonly batch_max: number
}
export const alarmLimits: AlarmLimits = { waiting_max: 20_000, burst_max: 300_000, per_second: 200, batch_max: 500 }

interface IntakeNeeds extends AlarmTakers {
  readonly database: Database
  readonly clock: () => Instant
  readonly footprint: Footprint
  readonly limits: AlarmLimits
}

interface Outcome {
  readonly alarm: AlarmRecord
  /** What the message did; null when it changed nothing. */
  readonly kind: AlarmTurnKind | null
}

interface Waiting { readonly said: Said; readonly done: (outcome: Outcome) => void; readonly failed: (error: unknown) => void }

/** Takes messages in: whoever comes while the disk is busy goes with the next transaction, an organisation at a time and each in its turn. */
export interface Intake {
  /** Counts messages against an organisation's allowance. @throws ProblemError too_many_alarms with a pause, and then none of them is counted */
  admit(organisation: string, messages: number): void
  /** @returns what became of each, in order, once it is on disk; detection has been told */
  take(caller: Caller, said: readonly Said[]): Promise<Outcome[]>
  /** Runs other work on alarms between two batches, alone: detection hears of two changes of one alarm in the order of their commits. */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** When nothing waits any more. */
  idle(): Promise<void>
}

export function createIntake(needs: IntakeNeeds): Intake {
  const { limits, clock } = needs
  const queues = new Map<string, { readonly caller: Caller; readonly waiting: Waiting[] }>()
  const allowances = new Map<string, { left: number; at: Instant }>()
  let working: Promise<void> | null = null
  let last: Promise<unknown> = Promise.resolve()

  const alone: Intake['alone'] = (work) => {
    const done = last.then(work)
    last = done.catch(() => undefined)
    return done
  }

  const admit = (organisation: string, messages: number): void => {
    const now = clock()
    const before = allowances.get(organisation) ?? { left: limits.burst_max, at: now }
    const left = Math.min(limits.burst_max, before.left + (Math.max(0, now - before.at) / 1000) * limits.per_second)
    const waiting = queues.get(organisation)?.waiting.length ?? 0
    if (waiting + messages > limits.waiting_max) throw new ProblemError('too_many_alarms', `${waiting} of your alarms wait to be kept, and at most ${limits.waiting_max} may. None of this message was kept: send it again after the pause given in Retry-After.`, 1)
    if (left < messages) throw new ProblemError('too_many_alarms', `An organisation may send ${limits.burst_max} alarms at once, and ${limits.per_second} a second for good. None of this message was kept: send it again after the pause given in Retry-After.`, Math.ceil((messages - left) / limits.per_second))
    allowances.set(organisation, { left: left - messages, at: now })
  }

  /** One batch of the organisation that waits longest; it goes behind the others with what is left. */
  const next = (): { caller: Caller; batch: Waiting[] } | null => {
    for (const [organisation, queue] of queues) {
      queues.delete(organisation)
      const batch = queue.waiting.splice(0, limits.batch_max)
      if (queue.waiting.length > 0) queues.set(organisation, queue)
      if (batch.length > 0) return { caller: queue.caller, batch }
    }
    return null
  }

  const write = async (caller: Caller, batch: readonly Waiting[]): Promise<void> => {
    try {
      const outcomes = await alone(() => keep(needs, caller, batch.map((each) => each.said)))
      batch.forEach((each, at) => each.done(outcomes[at] as Outcome))
    } catch (error) {
      const [only] = batch
      if (batch.length === 1 && only !== undefined) only.failed(error)
      // one that the database refuses takes no other with it
      else for (const each of batch) await write(caller, [each])
    }
  }

  const work = async (): Promise<void> => {
    // a loop that ends before its caller has its promise would leave a promise behind that nobody clears
    await null
    for (let turn = next(); turn !== null; turn = next()) await write(turn.caller, turn.batch)
    working = null
  }

  return {
    admit,
    take(caller, said) {
      const queue = queues.get(caller.organisation) ?? { caller, waiting: [] }
      queues.set(caller.organisation, queue)
      const outcomes = said.map((each) => new Promise<Outcome>((done, failed) => queue.waiting.push({ said: each, done, failed })))
      working ??= work()
      return Promise.all(outcomes)
    },
    alone,
    async idle() {
      while (working !== null) await working
      await last
    },
  }
}

/** Keeps a batch in one transaction, then tells detection. */
async function keep(needs: IntakeNeeds, caller: Caller, batch: readonly Said[]): Promise<Outcome[]> {
  const now = needs.clock()
  const { outcomes, touched } = await needs.database.transaction(caller, (client) => keepIn(client, needs.footprint, caller.organisation, batch, now))
  for (const alarm of touched) handOver(needs, alarm, needs.footprint, now)
  return outcomes
}

/** An alarm as a batch goes on: what it was, what it is now, and its turns. */
interface Story { readonly before: AlarmRecord | null; state: AlarmState; readonly turns: { readonly number: number; readonly kind: AlarmTurnKind; readonly message: string }[] }

/**
 * Folds a batch into what is kept, in the order of arrival, within the caller's transaction.
 * @returns for each message what became of it, and the alarms that changed
 */
export async function keepIn(client: pg.PoolClient, footprint: Footprint, organisation: string, batch: readonly Said[], now: Instant): Promise<{ outcomes: Outcome[]; touched: AlarmRecord[] }> {
  await lockAlarms(client, organisation)
  const known = await alarmsNamed(client, organisation, batch)
  const places = await readKnown(client, organisation, batch.map((said) => said.mention), now)
  const stories = new Map<string, Story>()
  const kinds = batch.map((said): AlarmTurnKind | null => {
    const name = `${said.source} ${said.externalId}`
    const story = stories.get(name)
    const before = known.get(name) ?? null
    const turned = turn(story?.state ?? before, said, place(said.mention, places, footprint), now)
    if (turned === null) return null
    const entry = { number: turned.state.turns, kind: turned.kind, message: said.message }
    if (story === undefined) stories.set(name, { before, state: turned.state, turns: [entry] })
    else {
      story.state = turned.state
      story.turns.push(entry)
    }
    return turned.kind
  })
  const fresh = [...stories.values()].filter((story) => story.before === null)
  const ids = await addAlarms(client, organisation, fresh.map((story) => story.state))
  const records = new Map<string, AlarmRecord>([...known, ...[...stories].map(([name, story]): [string, AlarmRecord] => [name, { ...story.state, organisation, id: story.before?.id ?? ids.get(name) ?? 0 }])])
  const touched = [...stories.keys()].map((name) => records.get(name) as AlarmRecord)
  await changeAlarms(client, touched.filter((record) => known.has(`${record.source} ${record.externalId}`)))
  await addTurns(client, organisation, [...stories].flatMap(([name, story]) => story.turns.map((entry) => ({ id: records.get(name)?.id ?? 0, ...entry }))), now)
  return { outcomes: batch.map((said, at) => ({ alarm: records.get(`${said.source} ${said.externalId}`) as AlarmRecord, kind: kinds[at] ?? null })), touched }
}
