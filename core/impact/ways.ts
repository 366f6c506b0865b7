import type { Cause, Stage } from '../detection/disturbance.ts'

/**
 * The ways that a station has to send, as bits of one number: an operator's network each, and above them
 * the three below. One row a station of a dozen columns of such numbers is what a nation's impact is counted from.
 */
export const operators_max = 29
const operator_bits = (1 << operators_max) - 1
/** Networks that nobody knows anything of: the station is in no plan. */
export const elsewhere = 1 << 29
/** The access point that the plan sends the station to; it lies elsewhere, so that the station's own power and networks do not touch it. */
export const point = 1 << 30
/** Not a way: what is broken here is everybody's. */
const everybody = 1 << 31

/** By row of the register; bits are of ways. */
export interface Ways {
  /** The plan says that it carries an upload. */
  readonly works: Int32Array
  /** The plan cannot tell; a way in neither column is known not to be there. */
  readonly perhaps: Int32Array
  /** Measured just now: well, of mixed word, not working. At most one of the three; none where nobody was heard. */
  readonly good: Int32Array
  readonly poor: Int32Array
  readonly bad: Int32Array
  /** In a disturbance that is confirmed, or suspected. */
  readonly hit: Int32Array
  readonly doubt: Int32Array
}

/** What a fault does to the ways of its stations. */
export interface Fault {
  /** Ways that it takes from them. */
  readonly own: number
  /** Bits that it sets in `hit` or `doubt`. */
  readonly marks: number
  /** No way leads past it. */
  readonly total: boolean
}

/**
 * @param operator bit of the operator that it concerns; 0 for one that has none
 * @param named whether it concerns an operator at all
 */
export function faultOf(cause: Cause, operator: number, named: boolean): Fault {
  // every network leads to the same server, and to the same intake
  if (cause === 'election_server' || cause === 'ingest') return { own: 0, marks: 0, total: true }
  if (cause === 'access_point') return { own: point, marks: point, total: false }
  // a power cut is of nobody, whoever is told to bring the generator
  if (cause === 'power' || !named) return { own: operator, marks: operator | everybody, total: false }
  return { own: operator, marks: operator, total: false }
}

/** Where a disturbance of this stage marks its stations: beyond chance in `hit`, else in `doubt`. */
export const isDoubtful = (stage: Stage): boolean => stage === 'suspected'

/**
 * Whether a station hit has another way to send: 0 none, every other way is known to be blank or down; 1 nobody
 * knows; 2 one works. What is measured now stands above the plan, and the plan's word holds only where nothing
 * speaks against it.
 */
export function alternativeAt(ways: Ways, row: number, fault: Fault): 0 | 1 | 2 {
  if (fault.total) return 0
  const hit = ways.hit[row] as number
  const doubt = ways.doubt[row] as number
  const poor = ways.poor[row] as number
  const works = ways.works[row] as number
  const gone = hit | (ways.bad[row] as number) | fault.own
  if (((ways.good[row] as number) & operator_bits & ~gone) !== 0) return 2
  // where power is out a network that was planned may be out with it: only what is heard counts
  const everybodys = ((hit | doubt | fault.marks) & everybody) !== 0
  const planned = works & ~(gone | poor | doubt)
  if ((planned & (everybodys ? point : point | operator_bits)) !== 0) return 2
  const silenced = ((hit | fault.marks) & everybody) !== 0 ? gone | poor : gone
  return ((works | (ways.perhaps[row] as number) | poor | doubt) & ~silenced & ~everybody) !== 0 ? 1 : 0
}
