import type { Instant } from '../kernel/clock.ts'

/**
 * What is broken. `power`: several operators, chargers off; `access`: one operator, service gone; `backhaul`: its
 * radio is good and data is dead; `core`: one operator, many provinces; `congestion`: slow, with load;
 * `degradation`: lossy, without; `access_point`: a BAKTI point or its satellite; `election_server`; `ingest`: our
 * own intake; `undetermined`: a fault is certain, its kind is not.
 */
export const causes = ['power', 'access', 'backhaul', 'core', 'congestion', 'degradation', 'access_point', 'election_server', 'ingest', 'undetermined'] as const
export type Cause = (typeof causes)[number]

/**
 * `suspected`: the evidence grows, and is not beyond chance; nobody is told outside the monitoring centre.
 * `confirmed`: beyond the false alarms allowed. `recovering`: reports come back. `ended`: measured well.
 * `retracted`: later evidence says that there was none.
 */
export const stages = ['suspected', 'confirmed', 'recovering', 'ended', 'retracted'] as const
export type Stage = (typeof stages)[number]

export const isOngoing = (stage: Stage): boolean => stage !== 'ended' && stage !== 'retracted'

export interface FoundDisturbance {
  readonly id: string
  readonly stage: Stage
  readonly cause: Cause
  /** 0..1: the share of the likelihood that the cause has among all causes. */
  readonly confidence: number
  /** The operator concerned; null when it is nobody in particular. */
  readonly operator: string | null
  /** Several operators' devices are hit: whoever is then concerned, it is not his alone. */
  readonly isEverybody: boolean
  readonly severity: 'down' | 'degraded'
  readonly areaCode: string
  /** Codes, sorted. */
  readonly stations: readonly string[]
  readonly startedAt: Instant
  /** When it was first suspected; `foundAt` is when it was confirmed, null until then. */
  readonly suspectedAt: Instant
  readonly foundAt: Instant | null
  readonly endedAt: Instant | null
  /** The disturbance that holds this one back (it lies in it), or that it was merged into. */
  readonly parent: string | null
  /** The planned work that explains it, and holds it back. */
  readonly plannedWork: string | null
  /** Alarms of the operator's own systems that tell of the same fault. */
  readonly alarms: readonly string[]
  readonly evidence: DisturbanceEvidence
}

export interface DisturbanceEvidence {
  readonly devicesExpected: number
  readonly devicesSilent: number
  readonly devicesBad: number
  readonly devicesGood: number
  /** Devices of other operators at the same stations that report well. */
  readonly witnessesGood: number
  /** Nats above the null. */
  readonly score: number
  readonly threshold: number
  readonly rule: string
  /** Why this cause: nats for each cause that is not ruled out, the largest first. */
  readonly causes: readonly { readonly cause: Cause; readonly nats: number }[]
  /** What spoke for and against, with the counts behind it. */
  readonly signs: readonly { readonly sign: string; readonly count: number; readonly of: number }[]
}

/** Every turn of a disturbance, in order, with its reason; all of them are kept. */
export type Turn =
  | 'suspected' | 'confirmed' | 'grown' | 'attributed' | 'recovering' | 'relapsed' | 'ended' | 'retracted'
  | 'merged' | 'split' | 'held' | 'released' | 'alarm'

/** An alarm of an operator's own system, placed by whoever took it in. */
export interface PlacedAlarm {
  readonly id: string
  readonly operator: string
  /** X.733 perceived severity. */
  readonly severity: 'critical' | 'major' | 'minor' | 'warning' | 'indeterminate'
  /** What its probable cause speaks for; null when it speaks for nothing here. */
  readonly suggests: Cause | null
  readonly raisedAt: Instant
  /** Codes of the stations that the alarmed thing serves. */
  readonly stations: readonly string[]
}

/** Work that an operator announced: what falls silent in it is expected. */
export interface PlannedWork {
  readonly id: string
  readonly operator: string
  readonly from: Instant
  readonly to: Instant
  /** An area code (2 to 10 digits), or a station's. */
  readonly areas: readonly string[]
}
