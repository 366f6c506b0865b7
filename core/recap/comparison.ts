import { formOf } from './form.ts'
import type { Contests } from './judge.ts'
import type { Recap } from './record.ts'
import { sides, type Side, type Slot, type SlotSide } from './slot.ts'
import { misreadingOf, slipsOf, type Misreading } from './totals.ts'

/** What the two sides of a slot come to when they are laid beside each other. Nothing is decided by it: the paper is. */
const comparisonKinds = [
  /** Both say the same in every field. */
  'agree',
  'differ',
  /** The supervisor's is not there. */
  'officer_only',
  /** KPU's is not there. */
  'supervisor_only',
  /** Not comparable yet: records of one side differ from each other, and nothing corrects them. */
  'conflict',
  /** Not comparable yet: what may be the side that is not there is in quarantine. */
  'quarantine',
  'neither',
] as const
export type ComparisonKind = (typeof comparisonKinds)[number]

/** A field with both numbers; null where nothing is filled in. */
export interface Difference {
  readonly field: string
  readonly officer: number | null
  readonly supervisor: number | null
  /** How one of the numbers may be the other one misread; null where neither is. */
  readonly misreading: Misreading | null
  /** With whose number all checks hold that the field stands in, where the other's are broken and this mends them; a hint to look at the paper. */
  readonly fits: Side | null
}

export interface Comparison {
  readonly kind: ComparisonKind
  /** Both records are of other forms or ballots: there is no field to compare. */
  readonly isOtherForm: boolean
  /** In the order of the form; empty for all but `differ`. */
  readonly differences: readonly Difference[]
}

/**
 * What is compared of a record, as text: equal where two records say the same. Who made it, when, with which photos and what he was warned of is his own.
 */
export function figuresOf({ form, ballot, totals }: Pick<Recap, 'form' | 'ballot' | 'totals'>): string {
  return JSON.stringify([form, ballot.kind === 'candidates' ? ballot.candidates : ballot.parties.map(({ number, candidates }) => [number, candidates]), totals])
}

/**
 * @param slot null where nothing of it counts
 * @param apart of which sides records of the slot are in quarantine; null among them: of one that nobody can tell
 */
export function compareSlot(slot: Slot | null, apart: ReadonlySet<Side | null>, contests: Contests): Comparison {
  const [officer, supervisor] = sides.map((side) => saidBy(slot?.sides[side] ?? null))
  if (officer === undefined || supervisor === undefined || officer === 'several' || supervisor === 'several') return bare('conflict')
  if (officer !== null && supervisor !== null) return figuresOf(officer) === figuresOf(supervisor) ? bare('agree') : differing(officer, supervisor, contests)
  const missing: readonly Side[] = sides.filter((_, at) => [officer, supervisor][at] === null)
  if (apart.has(null) || missing.some((side) => apart.has(side))) return bare('quarantine')
  return bare(officer !== null ? 'officer_only' : supervisor !== null ? 'supervisor_only' : 'neither')
}

const bare = (kind: ComparisonKind): Comparison => ({ kind, isOtherForm: false, differences: [] })

/** The record that speaks for a side; null: there is none. Two officers who recorded the same form say one thing. */
function saidBy(side: SlotSide | null): Recap | 'several' | null {
  const heads = (side?.chains ?? []).flatMap(([head]) => (head === undefined ? [] : [head.recap]))
  const [first] = heads
  if (first === undefined) return null
  return heads.every((each) => figuresOf(each) === figuresOf(first)) ? first : 'several'
}

function differing(officer: Recap, supervisor: Recap, contests: Contests): Comparison {
  const form = formOf(officer.contest, officer.ballot, officer.form)
  const isOtherForm = figuresOf({ ...officer, totals: [] }) !== figuresOf({ ...supervisor, totals: [] })
  if (!form.ok || isOtherForm) return { kind: 'differ', isOtherForm, differences: [] }
  const meantBy = ({ totals, ceiling, contest }: Recap): ReadonlyMap<string, number> => new Map(slipsOf(form.value, totals, contests[contest]?.ceiling ?? ceiling).map(({ field, meant }) => [field, meant]))
  const [officerMeant, supervisorMeant] = [meantBy(officer), meantBy(supervisor)]
  const differences = form.value.fields.flatMap((field, at): Difference[] => {
    const [one, other] = [officer.totals[at] ?? null, supervisor.totals[at] ?? null]
    if (one === other) return []
    const misreading = one === null || other === null ? null : misreadingOf(one, other)
    const fits = other !== null && officerMeant.get(field) === other ? 'supervisor' : one !== null && supervisorMeant.get(field) === one ? 'officer' : null
    return [{ field, officer: one, supervisor: other, misreading, fits }]
  })
  return { kind: 'differ', isOtherForm, differences }
}
