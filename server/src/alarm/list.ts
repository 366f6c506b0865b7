import type pg from 'pg'
import type { Static } from 'typebox'
import type { AlarmDetail, AlarmPattern, AlarmRow, AlarmTurnKind, RefusedAlarms } from '@kawal/contract/alarm.ts'
import { readAlarmType, readProbableCause, readSeverity } from '@kawal/core/detection/x733.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { recordOf, type AlarmRecord } from './store.ts'

type Query = Readonly<Record<string, unknown>>
/** Conditions of a query, and the values that they take. */
interface Where { readonly conditions: string[]; readonly values: unknown[] }

const limit_default = 50
const limit_max = 500
const rfc3339 = (at: Instant): string => new Date(at).toISOString()

/** TMF630's filters: an attribute equal to one of several values, or a time beside another. */
const tmfFilters = ['id', 'externalAlarmId', 'state', 'perceivedSeverity', 'alarmType', 'probableCause', 'specificProblem', 'sourceSystemId', 'reportingSystemId', 'alarmedObject.id', 'alarmedObjectType', 'ackState'] as const
const times = { alarmRaisedTime: 'raised_at', alarmChangedTime: 'changed_at', alarmClearedTime: 'cleared_at' } as const
const comparisons = { gt: '>', gte: '>=', lt: '<', lte: '<=', eq: '=' } as const
const timeFilters = Object.keys(times).flatMap((name) => [name, ...Object.keys(comparisons).map((comparison) => `${name}.${comparison}`)])
const rowFilters = ['operator', 'state', 'severity', 'placed', 'area', 'source'] as const
const tmfParameters: readonly string[] = ['fields', 'offset', 'limit', ...tmfFilters, ...timeFilters]

function put({ values }: Where, value: unknown): string {
  values.push(value)
  return `$${values.length}`
}

const one = (query: Query, name: string): string | null => {
  const value = query[name]
  return typeof value === 'string' ? value : Array.isArray(value) ? value.join(',') : null
}

function page(query: Query, known: readonly string[]): { offset: number; limit: number } {
  const unknown = Object.keys(query).filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new ProblemError('body_invalid', `There is no filter ${unknown.join(', ').slice(0, 200)}. There are ${known.join(', ')}.`)
  const whole = (name: string, missing: number): number => {
    const text = one(query, name)
    if (text !== null && !/^[0-9]{1,9}$/.test(text)) throw new ProblemError('body_invalid', `${name} is a whole number from 0, not ${text}.`)
    return text === null ? missing : Number(text)
  }
  return { offset: whole('offset', 0), limit: Math.min(limit_max, whole('limit', limit_default)) }
}

/** The condition that an attribute of TMF642 is one of these; names and numbers of the standards in any writing. */
function equals(where: Where, name: (typeof tmfFilters)[number], wanted: readonly string[]): string {
  const any = (column: string, list: readonly string[]): string => `${column} = ANY (${put(where, list)}::text[])`
  switch (name) {
    case 'id': return `id::text = ANY (${put(where, wanted)}::text[])`
    case 'externalAlarmId': return any('external_id', wanted)
    case 'alarmedObject.id': return any('object', wanted)
    case 'probableCause': return `(${any('probable_cause', wanted.map((word) => readProbableCause(word)?.name ?? word))} OR ${any("attributes->>'probableCause'", wanted)})`
    case 'alarmType': return any("attributes->>'alarmType'", wanted.map((word) => readAlarmType(word) ?? word))
    case 'ackState': return any("coalesce(attributes->>'ackState', 'unacknowledged')", wanted)
    case 'perceivedSeverity': return any("CASE WHEN cleared_at IS NULL THEN severity ELSE 'cleared' END", wanted.map((word) => readSeverity(word) ?? word))
    case 'state': return any("CASE WHEN cleared_at IS NOT NULL THEN 'cleared' WHEN turns = 1 THEN 'raised' ELSE 'updated' END", wanted)
    default: return any(`attributes->>'${name}'`, wanted)
  }
}

/** The alarms that TMF642's filters mean, and the page. */
export function tmfFilter(query: Query): Where & { offset: number; limit: number } {
  const where: Where = { conditions: [], values: [] }
  const { offset, limit } = page(query, tmfParameters)
  for (const name of tmfFilters) {
    const text = one(query, name)
    if (text !== null) where.conditions.push(equals(where, name, text.split(',')))
  }
  for (const name of timeFilters) {
    const text = one(query, name)
    if (text === null) continue
    const [time, comparison = 'eq'] = name.split('.') as [keyof typeof times, (keyof typeof comparisons)?]
    const at = Date.parse(text)
    if (!Number.isFinite(at)) throw new ProblemError('body_invalid', `${name} takes an instant of RFC 3339, not ${text}.`)
    where.conditions.push(`${times[time]} ${comparisons[comparison]} ${put(where, new Date(at))}`)
  }
  return { ...where, offset, limit }
}

/** The alarms that the console asks for, and the page. */
export function rowFilter(query: Query): Where & { offset: number; limit: number } {
  const where: Where = { conditions: [], values: [] }
  const { offset, limit } = page(query, [...rowFilters, 'offset', 'limit'])
  const word = (name: (typeof rowFilters)[number], allowed?: readonly string[]): string | null => {
    const text = one(query, name)
    if (text !== null && allowed !== undefined && !allowed.includes(text)) throw new ProblemError('body_invalid', `${name} is one of ${allowed.join(', ')}, not ${text}.`)
    return text
  }
  const operator = word('operator')
  const source = word('source', ['tmf642', 'alertmanager'])
  const state = word('state', ['active', 'cleared', 'all'])
  const placed = word('placed', ['true', 'false'])
  const severity = word('severity')
  const area = word('area')
  if (area !== null && !/^[0-9]{2,13}$/.test(area)) throw new ProblemError('body_invalid', `area is a code of 2 to 13 digits, not ${area}.`)
  if (operator !== null) where.conditions.push(`organisation_id = ${put(where, operator)}`)
  if (source !== null) where.conditions.push(`source = ${put(where, source)}`)
  if (state === 'active' || state === 'cleared') where.conditions.push(`cleared_at IS ${state === 'active' ? '' : 'NOT '}NULL`)
  if (placed !== null) where.conditions.push(`placed_by IS ${placed === 'true' ? 'NOT ' : ''}NULL`)
  if (severity !== null) where.conditions.push(`severity = ANY (${put(where, severity.split(','))}::text[])`)
  // within it, or around it
  if (area !== null) where.conditions.push(`EXISTS (SELECT FROM unnest(areas) AS code WHERE starts_with(code, ${put(where, area)}) OR starts_with(${put(where, area)}, code))`)
  return { ...where, offset, limit }
}

/** @returns the alarms of a page, newest change first, and how many there are in all */
export async function listAlarms(database: Database, caller: Caller, { conditions, values, offset, limit }: ReturnType<typeof tmfFilter>): Promise<{ total: number; alarms: AlarmRecord[] }> {
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  return database.transaction(caller, async (client) => {
    const { rows: [counted] } = await client.query<{ total: number }>(`SELECT count(*) AS total FROM alarm ${where}`, values)
    const { rows } = await client.query<Parameters<typeof recordOf>[0]>(`SELECT * FROM alarm ${where} ORDER BY changed_at DESC, id DESC OFFSET $${values.length + 1} LIMIT $${values.length + 2}`, [...values, offset, limit])
    return { total: counted?.total ?? 0, alarms: rows.map(recordOf) }
  })
}

const noSuch = (): ProblemError => new ProblemError('not_found', 'There is no such alarm that you may see.')
const idOf = (text: string): number => {
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw noSuch()
  return Number(text)
}

/** @throws ProblemError not_found */
export async function readAlarm(client: pg.PoolClient, id: string): Promise<AlarmRecord> {
  const { rows: [row] } = await client.query<Parameters<typeof recordOf>[0]>('SELECT * FROM alarm WHERE id = $1', [idOf(id)])
  if (row === undefined) throw noSuch()
  return recordOf(row)
}

/** The organisation's own alarms that equal any of the patterns; one more than `most` where there are more. */
export async function matchAlarms(client: pg.PoolClient, organisation: string, patterns: readonly AlarmPattern[], most: number): Promise<AlarmRecord[]> {
  const where: Where = { conditions: [], values: [organisation] }
  const alternatives = patterns.map((pattern) => {
    const parts = Object.entries(pattern).filter(([name]) => !name.startsWith('@')).map(([name, value]) =>
      (typeof value === 'object' ? equals(where, 'alarmedObject.id', [value.id]) : equals(where, name as (typeof tmfFilters)[number], [String(value)])))
    if (parts.length === 0) throw new ProblemError('body_invalid', 'A pattern without an attribute would match every alarm. Name at least one, such as externalAlarmId.')
    return `(${parts.join(' AND ')})`
  })
  const { rows } = await client.query<Parameters<typeof recordOf>[0]>(`SELECT * FROM alarm WHERE organisation_id = $1 AND (${alternatives.join(' OR ')}) ORDER BY id LIMIT ${most + 1}`, where.values)
  return rows.map(recordOf)
}

/** As the console lists it. */
export function toRow(alarm: AlarmRecord): AlarmRow {
  return {
    id: String(alarm.id), operator: alarm.organisation, source: alarm.source, externalId: alarm.externalId, title: alarm.title, object: alarm.object, severity: alarm.severity,
    state: alarm.clearedAt === null ? 'active' : 'cleared', probableCause: alarm.probableCause, suggests: alarm.suggests,
    raisedAt: rfc3339(alarm.raisedAt), changedAt: rfc3339(alarm.changedAt), clearedAt: alarm.clearedAt === null ? null : rfc3339(alarm.clearedAt), receivedAt: rfc3339(alarm.receivedAt),
    raisedCount: alarm.raisedCount, acknowledged: alarm.attributes['ackState'] === 'acknowledged', placedBy: alarm.placedBy, unplacedReason: alarm.unplacedReason,
    areas: [...alarm.areas], points: alarm.points.map((point) => ({ ...point })), stations: alarm.stations,
  }
}

/** Turns of one alarm in an answer: the newest. */
const turns_max = 200

export async function readDetail(database: Database, caller: Caller, id: string): Promise<Static<typeof AlarmDetail>> {
  return database.transaction(caller, async (client) => {
    const alarm = await readAlarm(client, id)
    const { rows } = await client.query<{ number: number; at: Date; kind: AlarmTurnKind; message: string }>('SELECT number, at, kind, message FROM alarm_turn WHERE alarm_id = $1 ORDER BY number DESC LIMIT $2', [alarm.id, turns_max])
    return { ...toRow(alarm), history: rows.reverse().map((row) => ({ ...row, at: row.at.toISOString() })) }
  })
}

const refusals_max = 1_000
const refusal_chars_max = 8_000
const refusals_listed = 100

/** Keeps what could not be understood, so that whoever sent it can see why; the newest thousand of an organisation. */
export async function addRefusals(database: Database, caller: Caller, source: string, refusals: readonly { readonly reason: string; readonly message: string }[], now: Instant): Promise<void> {
  if (refusals.length === 0) return
  // what no text column holds is shown as what it is
  const storable = (text: string): string => text.slice(0, refusal_chars_max).toWellFormed().replaceAll('\0', '\ufffd')
  await database.transaction(caller, async (client) => {
    await client.query('INSERT INTO alarm_refusal (organisation_id, source, at, reason, message) SELECT $1, $2, $3, reason, message FROM unnest($4::text[], $5::text[]) AS given (reason, message)',
      [caller.organisation, source, new Date(now), refusals.map((each) => storable(each.reason)), refusals.map((each) => storable(each.message))])
    await client.query('DELETE FROM alarm_refusal WHERE organisation_id = $1 AND id <= (SELECT id FROM alarm_refusal WHERE organisation_id = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)', [caller.organisation, refusals_max])
  })
}

/** The newest hundred refusals that the caller may see. */
export async function readRefusals(database: Database, caller: Caller): Promise<Static<typeof RefusedAlarms>> {
  const { rows } = await database.transaction(caller, (client) => client.query<{ id: string; operator: string; source: string; at: Date; reason: string; message: string }>(
    'SELECT id::text, organisation_id AS operator, source, at, reason, message FROM alarm_refusal ORDER BY alarm_refusal.id DESC LIMIT $1', [refusals_listed]))
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }))
}
