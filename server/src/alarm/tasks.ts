import { randomUUID } from 'node:crypto'
import { Compile } from 'typebox/compile'
import { AckAlarmsCreate, ClearAlarmsCreate, CommentAlarmsCreate, type AlarmPattern, type AlarmTurnKind } from '@kawal/contract/alarm.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Caller } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import type { Footprint } from './footprint.ts'
import { handOver, type AlarmTakers } from './hand-over.ts'
import { matchAlarms } from './list.ts'
import { isStorable, readInstant } from './said.ts'
import { addTurns, changeAlarms, lockAlarms, type AlarmRecord } from './store.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { alarmPath } from './tmf642.ts'
import { bodyOf, type Check } from '../body.ts'

export const taskKinds = ['ackAlarms', 'unAckAlarms', 'clearAlarms', 'commentAlarms'] as const
type TaskKind = (typeof taskKinds)[number]

interface TaskNeeds extends AlarmTakers {
  readonly database: Database
  readonly clock: () => Instant
  readonly footprint: Footprint
}

/** What a kind of task takes, the list that tells whom it concerned, and what it does to an alarm: null for nothing. */
interface Kind {
  readonly check: Check<unknown>
  readonly list: string
  readonly turn: AlarmTurnKind
  readonly apply: (alarm: AlarmRecord, body: Body, now: Instant) => AlarmRecord | null
}
interface Body {
  readonly alarmPattern: readonly AlarmPattern[]
  readonly alarmClearedTime?: string
  readonly comment?: object
  readonly ackSystemId?: string; readonly ackUserId?: string; readonly clearSystemId?: string; readonly clearUserId?: string
}

/** Alarms that one task may concern. */
const matched_max = 1_000
const comments_max = 100

const checkAck = Compile(AckAlarmsCreate)
const acknowledge = (ackState: string): Kind['apply'] => (alarm, { ackSystemId, ackUserId }) =>
  ((alarm.attributes['ackState'] ?? 'unacknowledged') === ackState ? null : { ...alarm, attributes: { ...alarm.attributes, ackState, ackSystemId, ackUserId } })

const kinds: Readonly<Record<TaskKind, Kind>> = {
  ackAlarms: { check: checkAck, list: 'ackedAlarm', turn: 'acknowledged', apply: acknowledge('acknowledged') },
  unAckAlarms: { check: checkAck, list: 'unAckedAlarm', turn: 'unacknowledged', apply: acknowledge('unacknowledged') },
  clearAlarms: {
    check: Compile(ClearAlarmsCreate), list: 'clearedAlarm', turn: 'cleared',
    apply(alarm, { alarmClearedTime = '', clearSystemId, clearUserId }, now) {
      const at = readInstant('alarmClearedTime', alarmClearedTime, now)
      if (!at.ok) throw new ProblemError('body_invalid', `${at.error}.`)
      // what was said of an alarm after that moment is not undone by it
      if (alarm.clearedAt !== null || at.value < alarm.changedAt) return null
      return { ...alarm, clearedAt: at.value, changedAt: at.value, attributes: { ...alarm.attributes, clearSystemId, clearUserId } }
    },
  },
  commentAlarms: {
    check: Compile(CommentAlarmsCreate), list: 'commentedAlarm', turn: 'commented',
    apply(alarm, { comment }) {
      const before = Array.isArray(alarm.attributes['comment']) ? (alarm.attributes['comment'] as unknown[]) : []
      return { ...alarm, attributes: { ...alarm.attributes, comment: [...before, comment].slice(-comments_max) } }
    },
  },
}

/** Does to all of the caller's own alarms that match what a task resource of TMF642 asks for, or to none. */
export async function runTask(needs: TaskNeeds, caller: Caller, name: TaskKind, given: unknown): Promise<object> {
  const kind = kinds[name]
  const body = bodyOf(kind.check, given) as Body
  if (!isStorable(given)) throw new ProblemError('body_invalid', 'A text holds U+0000 or half a surrogate pair: leave it out.')
  const now = needs.clock()
  const id = randomUUID()
  const href = `${alarmPath.replace(/alarm$/, name)}/${id}`
  const { task, changed } = await needs.database.transaction(caller, async (client) => {
    await lockAlarms(client, caller.organisation)
    const matched = await matchAlarms(client, caller.organisation, body.alarmPattern, matched_max)
    if (matched.length > matched_max) throw new ProblemError('too_large', `More than ${matched_max} alarms match. Narrow the patterns.`)
    const changed = matched.map((alarm) => kind.apply(alarm, body, now)).filter((alarm) => alarm !== null).map((alarm) => ({ ...alarm, heardAt: now, turns: alarm.turns + 1 }))
    await changeAlarms(client, changed)
    await addTurns(client, caller.organisation, changed.map((alarm) => ({ id: alarm.id, number: alarm.turns, kind: kind.turn, message: JSON.stringify({ task: href }) })), now)
    const { ackSystemId, ackUserId, clearSystemId, clearUserId, comment, alarmClearedTime } = body
    const said = Object.fromEntries(Object.entries({ ackSystemId, ackUserId, clearSystemId, clearUserId, comment, alarmClearedTime }).filter(([, value]) => value !== undefined))
    const task = {
      id, href, '@type': `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`, state: 'done', ...said, ...('ackSystemId' in said ? { ackTime: new Date(now).toISOString() } : {}),
      alarmPattern: body.alarmPattern, [kind.list]: changed.map((alarm) => ({ id: String(alarm.id), href: `${alarmPath}/${alarm.id}` })),
    }
    await client.query('INSERT INTO alarm_task (id, organisation_id, kind, at, task) VALUES ($1, $2, $3, $4, $5)', [id, caller.organisation, name, new Date(now), JSON.stringify(task)])
    return { task, changed }
  })
  if (name === 'clearAlarms') for (const alarm of changed) handOver(needs, alarm, needs.footprint, now)
  return task
}

/** @returns tasks of a kind, newest first, and how many there are */
export async function listTasks({ database }: TaskNeeds, caller: Caller, kind: TaskKind, offset: number, limit: number): Promise<{ total: number; tasks: object[] }> {
  return database.transaction(caller, async (client) => {
    const { rows: [counted] } = await client.query<{ total: number }>('SELECT count(*) AS total FROM alarm_task WHERE kind = $1', [kind])
    const { rows } = await client.query<{ task: object }>('SELECT task FROM alarm_task WHERE kind = $1 ORDER BY at DESC, id OFFSET $2 LIMIT $3', [kind, offset, limit])
    return { total: counted?.total ?? 0, tasks: rows.map((row) => row.task) }
  })
}

export async function readTask({ database }: TaskNeeds, caller: Caller, kind: TaskKind, id: string): Promise<object> {
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)
  const { rows: [row] } = isId ? await database.transaction(caller, (client) => client.query<{ task: object }>('SELECT task FROM alarm_task WHERE kind = $1 AND id = $2', [kind, id])) : { rows: [] }
  if (row === undefined) throw new ProblemError('not_found', 'There is no such task that you may see.')
  return row.task
}
