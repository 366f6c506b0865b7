import { createHash } from 'node:crypto'
import { Compile } from 'typebox/compile'
import { Clean } from 'typebox/value'
import type { Static } from 'typebox'
import { Alarm, AlarmCreate } from '@kawal/contract/alarm.ts'
import type { Technology } from '@kawal/core/atlas/edition.ts'
import { readAlarmType, readProbableCause, readSeverity } from '@kawal/core/detection/x733.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'
import { codesIn, isStorable, readInstants, type Attributes, type Mention, type Said } from './said.ts'
import type { AlarmRecord } from './store.ts'
import { faultsOf } from '../body.ts'

export const alarmPath = '/tmf-api/alarmManagement/v4/alarm'
const check = Compile(AlarmCreate)
type Place = NonNullable<AlarmCreate['place']>[number]

/** Times that are the alarm's own state, and are given back from there. */
const derived = new Set(['externalAlarmId', 'state', 'perceivedSeverity', 'alarmRaisedTime', 'alarmChangedTime', 'alarmClearedTime'])

/**
 * Reads an alarm of TMF642 v4: the whole of it, as POST gives it or as a patch makes it.
 * @param message as it came
 * @returns what it says, or a sentence that says what is wrong and how to mend it
 */
export function readTmf(body: unknown, message: string, now: Instant): Result<Said, string> {
  if (!check.Check(body)) return fail(faultsOf(check, body))
  if (!isStorable(body)) return fail('a text holds U+0000 or half a surrogate pair: leave it out')
  const alarm = Clean(AlarmCreate, structuredClone(body)) as AlarmCreate
  const severity = readSeverity(alarm.perceivedSeverity)
  if (severity === null) return fail(`perceivedSeverity ${alarm.perceivedSeverity} is none of critical, major, minor, warning, indeterminate, cleared (X.733)`)
  const { alarmRaisedTime, alarmChangedTime, alarmClearedTime } = alarm
  const times = readInstants({ alarmRaisedTime, alarmChangedTime, alarmClearedTime }, now)
  if (!times.ok) return times
  const raisedAt = times.value.alarmRaisedTime ?? now
  const cleared = severity === 'cleared' || alarm.state.trim().toLowerCase() === 'cleared'
  if (times.value.alarmClearedTime !== undefined && times.value.alarmClearedTime < raisedAt) return fail(`alarmClearedTime ${alarm.alarmClearedTime} lies before alarmRaisedTime ${alarm.alarmRaisedTime}`)
  const clearedAt = cleared ? (times.value.alarmClearedTime ?? times.value.alarmChangedTime ?? now) : null
  const cause = readProbableCause(alarm.probableCause)
  const object = alarm.alarmedObject.id ?? null
  const named = { ...alarm, alarmType: readAlarmType(alarm.alarmType) ?? alarm.alarmType, ...(alarm.place === undefined ? {} : { place: alarm.place.map(withPosition) }) }
  return ok({
    source: 'tmf642', externalId: alarm.externalAlarmId ?? nameOf(alarm), severity: cleared ? null : severity,
    probableCause: cause?.name ?? alarm.probableCause, suggests: cause?.suggests ?? null,
    title: (alarm.specificProblem ?? `${alarm.probableCause}${object === null ? '' : `: ${object}`}`).slice(0, 200), object,
    raisedAt, clearedAt, changedAt: Math.max(raisedAt, clearedAt ?? 0, times.value.alarmChangedTime ?? 0),
    mention: mentionOf(named), message,
    attributes: Object.fromEntries(Object.entries(named).filter(([name]) => !derived.has(name))),
  })
}

/**
 * An alarm without a name of its own is known by what X.733 correlates by, so that a repeated delivery is
 * the same alarm: object, type, cause, problem, and when it was raised.
 */
function nameOf({ sourceSystemId, alarmedObject, alarmType, probableCause, specificProblem, alarmRaisedTime }: AlarmCreate): string {
  const parts = [sourceSystemId, alarmedObject.id ?? '', alarmType, probableCause, specificProblem ?? '', new Date(alarmRaisedTime).toISOString()]
  return `unnamed-${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)}`
}

/** A position that came as a geometry, as two numbers; every place has a role, as the standard wants of an answer. */
function withPosition(place: Place): Place {
  const { geometry, ...rest } = place
  const found = rest.latitude !== undefined && rest.longitude !== undefined ? rest : { ...rest, ...pointOf(geometry ?? place) }
  return { ...found, role: found.role ?? 'location' }
}

/** A point of GeoJSON, a feature of one, or TMF675's x and y; nothing for anything else. */
function pointOf(geometry: unknown, depth = 0): { latitude: number; longitude: number } | undefined {
  if (typeof geometry !== 'object' || geometry === null || depth > 3) return undefined
  if (Array.isArray(geometry)) return geometry.length === 1 ? pointOf(geometry[0], depth + 1) : undefined
  const { coordinates, x, y, geometry: inner } = geometry as Record<string, unknown>
  const [longitude, latitude] = (Array.isArray(coordinates) ? coordinates : [x, y]).map((value: unknown) => (typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN))
  if (latitude !== undefined && longitude !== undefined && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) return { latitude, longitude }
  return inner === undefined ? undefined : pointOf(inner, depth + 1)
}

/** Words of a place's type or role that make its id the code of an area or of a station. */
const areaWords = /area|region|wilayah|provin|regency|kabupaten|kota|district|kecamatan|village|desa|kelurahan|station|tps/i

/** A short number may be anybody's own numbering: it is a code where the place says that it is an area. */
function codesOfPlace(place: Place): string[] {
  const codes = place.id === undefined ? [] : codesIn(place.id)
  const named = areaWords.test([place['@type'], place['@referredType'], place.role].join(' '))
  return codes.filter((code) => named || code.length >= 6 || place.id?.includes('.') === true)
}

function mentionOf(alarm: AlarmCreate): Mention {
  const { alarmedObject, alarmedObjectType = alarmedObject['@type'] ?? '' } = alarm
  const object = alarmedObject.id ?? null
  const isCell = /cell|sector|sektor/i.test(alarmedObjectType)
  const isSite = !isCell && /site|situs|bts|node|enb|gnb|tower|menara/i.test(alarmedObjectType)
  // thirteen digits are a station where a station has them: an internet provider names what it serves
  const served = [object, ...(alarm.affectedService ?? []).map((service) => service.id)].flatMap((id) => (typeof id === 'string' ? codesIn(id).filter((code) => code.length === 13) : []))
  return {
    codes: [...(alarm.place ?? []).flatMap(codesOfPlace), ...served],
    cell: isSite ? null : object, site: isCell ? null : object, object,
    points: (alarm.place ?? []).flatMap(({ latitude, longitude, radiusM }) => (latitude === undefined || longitude === undefined ? [] : [{ latitude, longitude, radius_m: radiusM ?? null }])),
    technology: technologyIn(alarmedObjectType),
  }
}

function technologyIn(text: string): Technology | null {
  if (/gnb|gnodeb|\bnr\b|5g/i.test(text)) return 'nr'
  if (/enb|enodeb|lte|4g/i.test(text)) return 'lte'
  if (/nodeb|umts|utran|3g/i.test(text)) return 'umts'
  return /bts|gsm|2g/i.test(text) ? 'gsm' : null
}

const rfc3339 = (at: Instant): string => new Date(at).toISOString()

/** The alarm as a TMF642 v4 resource. */
export function toTmf(alarm: AlarmRecord): Static<typeof Alarm> {
  const { '@type': type, ...attributes } = alarm.attributes as Attributes & { '@type'?: string }
  return {
    alarmType: 'other', probableCause: alarm.probableCause, sourceSystemId: '', ackState: 'unacknowledged', ...attributes,
    '@type': type ?? 'Alarm', id: String(alarm.id), href: `${alarmPath}/${alarm.id}`, externalAlarmId: alarm.externalId,
    state: alarm.clearedAt !== null ? 'cleared' : alarm.turns === 1 ? 'raised' : 'updated',
    perceivedSeverity: alarm.clearedAt === null ? alarm.severity : 'cleared',
    alarmReportingTime: typeof attributes['alarmReportingTime'] === 'string' ? attributes['alarmReportingTime'] : rfc3339(alarm.receivedAt),
    alarmRaisedTime: rfc3339(alarm.raisedAt), alarmChangedTime: rfc3339(alarm.changedAt),
    ...(alarm.clearedAt === null ? {} : { alarmClearedTime: rfc3339(alarm.clearedAt) }),
  } as Static<typeof Alarm>
}

/**
 * A merge patch (RFC 7396) upon an alarm as it was given back; objects are merged, lists and values replaced.
 * @returns the whole alarm, still to be read
 */
export function mergePatch(target: unknown, patch: unknown, depth = 0): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const whole = new Map(Object.entries(typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {}))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) whole.delete(name)
    else whole.set(name, depth < 8 ? mergePatch(whole.get(name), value, depth + 1) : value)
  }
  return Object.fromEntries(whole)
}
