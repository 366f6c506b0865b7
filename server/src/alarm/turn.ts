import { isDeepStrictEqual } from 'node:util'
import type { AlarmTurnKind } from '@kawal/contract/alarm.ts'
import type { Cause } from '@kawal/core/detection/disturbance.ts'
import type { PerceivedSeverity } from '@kawal/core/detection/x733.ts'
import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import type { Placement } from './place.ts'
import type { AlarmSource, Attributes, Said } from './said.ts'

/** An alarm as it is, without its number in the database. */
export interface AlarmState extends Placement {
  readonly source: AlarmSource
  readonly externalId: string
  /** The last before it was cleared. */
  readonly severity: PerceivedSeverity
  readonly probableCause: string
  readonly suggests: Cause | null
  readonly title: string
  readonly object: string | null
  readonly raisedAt: Instant
  /** By the sender's clock. */
  readonly changedAt: Instant
  readonly clearedAt: Instant | null
  /** By ours: first heard, and last changed. */
  readonly receivedAt: Instant
  readonly heardAt: Instant
  readonly raisedCount: number
  readonly turns: number
  readonly attributes: Attributes
}

/**
 * Alertmanager's messages bear no time of their own. A firing that is older than the clear that is known is a late
 * delivery for this long (its peers wait 15 s each for one another; a request is given up within a minute), and
 * afterwards an alert that burns again: one that was resolved because Prometheus was silent comes back with its
 * old start.
 */
const late_ms = 2 * minute_ms

/**
 * What a message makes of an alarm. Later states win by the sender's clock, whatever the order of delivery; at one
 * instant a clear wins.
 * @param placement where the message says it is
 * @param now instant at which it came
 * @returns null when it changes nothing: repeated, or overtaken
 */
export function turn(current: AlarmState | null, said: Said, placement: Placement, now: Instant): { readonly kind: AlarmTurnKind; readonly state: AlarmState } | null {
  if (current === null) return { kind: said.severity === null ? 'cleared' : 'raised', state: { ...stateOf(said, placement), severity: said.severity ?? 'indeterminate', receivedAt: now, heardAt: now, raisedCount: 1, turns: 1 } }
  const burnsAgain = said.source === 'alertmanager' && said.severity !== null && current.clearedAt !== null && now - current.heardAt > late_ms
  // of an alert that burns, only its start is told: what is said of it in the meantime comes in the order of delivery
  const bothBurn = said.source === 'alertmanager' && said.severity !== null && current.clearedAt === null
  if (said.changedAt < current.changedAt && !burnsAgain && !bothBurn) return null
  if (said.severity !== null && current.clearedAt !== null && said.changedAt === current.changedAt && !burnsAgain) return null
  const kept = { receivedAt: current.receivedAt, raisedCount: current.raisedCount, turns: current.turns + 1, heardAt: now }
  const state: AlarmState = {
    ...stateOf(said, mentionsNothing(placement) ? placementOf(current) : placement),
    ...kept, severity: said.severity ?? current.severity, changedAt: Math.max(current.changedAt, said.changedAt), attributes: withAcknowledgement(current, said),
  }
  if (said.severity === null) return current.clearedAt === null ? { kind: 'cleared', state } : changed(current, state)
  if (current.clearedAt !== null) return { kind: 'raised_again', state: { ...state, raisedCount: current.raisedCount + 1, attributes: said.attributes } }
  // a start that moves back is a peer that saw it earlier; one that moves on is a new burning whose clear was not told
  return changed(current, said.source === 'alertmanager' ? { ...state, raisedAt: Math.max(current.raisedAt, said.raisedAt) } : state)
}

function changed(current: AlarmState, state: AlarmState): { kind: 'changed'; state: AlarmState } | null {
  return isDeepStrictEqual(plain(current), plain(state)) ? null : { kind: 'changed', state }
}

/** The fields that a message may change, as they would be read back. */
function plain({ severity, probableCause, suggests, title, object, raisedAt, changedAt, clearedAt, attributes, areas, points, placedBy, unplacedReason, stations }: AlarmState): unknown {
  return JSON.parse(JSON.stringify({ severity, probableCause, suggests, title, object, raisedAt, changedAt, clearedAt, attributes, areas, points, placedBy, unplacedReason, stations }))
}

function stateOf(said: Said, placement: Placement): Omit<AlarmState, 'severity' | 'receivedAt' | 'heardAt' | 'raisedCount' | 'turns'> {
  const { source, externalId, probableCause, suggests, title, object, raisedAt, changedAt, clearedAt, attributes } = said
  return { source, externalId, probableCause, suggests, title, object, raisedAt, changedAt, clearedAt, attributes, ...placementOf(placement) }
}

const placementOf = ({ areas, points, placedBy, unplacedReason, stations }: Placement): Placement => ({ areas, points, placedBy, unplacedReason, stations })

/** A clear often says no more than which alarm: where it was is not forgotten by that. */
const mentionsNothing = (placement: Placement): boolean => placement.unplacedReason === 'nothing_named'

/** Who acknowledged and what was commented here stays, unless the message says it anew. */
function withAcknowledgement(current: AlarmState, said: Said): Attributes {
  const kept = Object.fromEntries(['ackState', 'ackSystemId', 'ackUserId', 'comment'].filter((name) => name in current.attributes && !(name in said.attributes)).map((name) => [name, current.attributes[name]]))
  return { ...said.attributes, ...kept }
}
