import { Compile } from 'typebox/compile'
import { Alert, labelNames, type LabelNames } from '@kawal/contract/alarm.ts'
import { technologyOf } from '@kawal/core/atlas/site.ts'
import { readAlarmType, readProbableCause, readSeverity } from '@kawal/core/detection/x733.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'
import { decimal } from '@kawal/core/register/rows.ts'
import { codesIn, isStorable, readInstants, type Mention, type Said } from './said.ts'
import { faultsOf } from '../body.ts'

const check = Compile(Alert)
const areaLabels = ['station', 'village', 'district', 'regency', 'province', 'area'] as const
const message_chars_max = 64_000

/** Names of labels from the webhook's address (`?site=bts&cell=cellid`), over the defaults; a name that is none of ours refuses. */
export function readLabelNames(query: Readonly<Record<string, unknown>>): Result<LabelNames, string> {
  const known = Object.keys(labelNames)
  for (const [name, value] of Object.entries(query)) {
    if (!known.includes(name)) return fail(`There is no label ${name} to name. There are ${known.join(', ')}.`)
    if (typeof value !== 'string' || !/^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/.test(value)) return fail(`${name} takes the name of one label: a letter or underscore, then letters, digits and underscores.`)
  }
  return ok({ ...labelNames, ...query })
}

/**
 * Reads one alert of Alertmanager's webhook, version 4. A label that is not there is looked for among the
 * annotations: positions change too often to be labels.
 * @returns what it says, or why it cannot be understood
 */
export function readAlert(given: unknown, names: LabelNames, now: Instant): Result<Said, string> {
  if (!check.Check(given)) return fail(faultsOf(check, given))
  if (!isStorable(given)) return fail('a text holds U+0000 or half a surrogate pair: leave it out')
  const message = JSON.stringify(given)
  if (message.length > message_chars_max) return fail(`an alert of ${message.length} characters; at most ${message_chars_max} are kept`)
  const { annotations = {}, labels } = given
  const word = (name: keyof LabelNames): string => (Object.hasOwn(labels, names[name]) ? labels[names[name]] : Object.hasOwn(annotations, names[name]) ? annotations[names[name]] : '')?.trim() ?? ''
  const resolved = given.status === 'resolved'
  const times = readInstants({ startsAt: given.startsAt, endsAt: resolved ? (given.endsAt ?? '') : undefined }, now)
  if (!times.ok) return times
  const raisedAt = times.value.startsAt ?? now
  const clearedAt = resolved ? Math.max(raisedAt, times.value.endsAt ?? now) : null
  const said = { severity: word('severity'), cause: word('cause') || (labels['alertname'] ?? '') }
  // what fires is not cleared, whatever its label says
  const read_severity = readSeverity(said.severity) ?? 'indeterminate'
  const severity = read_severity === 'cleared' ? 'indeterminate' : read_severity
  const cause = readProbableCause(said.cause)
  const object = word('cell') || word('site') || labels['instance'] || null
  return ok({
    source: 'alertmanager', externalId: given.fingerprint, severity: resolved ? null : severity,
    probableCause: cause?.name ?? (said.cause || 'other'), suggests: cause?.suggests ?? null,
    title: (annotations['summary'] || labels['alertname'] || given.fingerprint).slice(0, 200), object,
    raisedAt, clearedAt, changedAt: clearedAt ?? raisedAt,
    mention: mentionOf(word), message,
    attributes: {
      alarmType: readAlarmType(word('type')) ?? 'other', probableCause: said.cause || 'other', specificProblem: (annotations['summary'] || labels['alertname'] || '').slice(0, 2_000),
      sourceSystemId: 'alertmanager', alarmedObject: object === null ? {} : { id: object }, ...(annotations['description'] === undefined ? {} : { alarmDetails: annotations['description'] }),
    },
  })
}

function mentionOf(word: (name: keyof LabelNames) => string): Mention {
  const latitude = decimal(word('latitude'))
  const longitude = decimal(word('longitude'))
  const radius_m = decimal(word('radius'))
  const isThere = latitude !== null && longitude !== null && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180
  return {
    codes: areaLabels.flatMap((name) => codesIn(word(name))).slice(0, 500),
    cell: word('cell') || null, site: word('site') || null, object: word('site') || null,
    points: isThere ? [{ latitude, longitude, radius_m: radius_m !== null && radius_m > 0 && radius_m <= 100_000 ? radius_m : null }] : [],
    technology: technologyOf(word('technology')),
  }
}
