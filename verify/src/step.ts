/**
 * `holds`: looked at, and it is so; `wrong`: looked at, and it is not; `short`: nothing is wrong, and it is not enough; `noted`: so that somebody
 * looks, without a judgement; `unchecked`: it could not be looked at. Only the first is ever shown with a tick.
 */
export type State = 'holds' | 'wrong' | 'short' | 'noted' | 'unchecked'

/** What each finding is, by the name that the words have it under. */
const states = {
  recordRead: 'holds', recordUnread: 'wrong',
  signed: 'holds', signedNot: 'wrong', keyOther: 'wrong', keyMissing: 'unchecked', unreadable: 'unchecked',
  keyGiven: 'holds', keyEnrolled: 'holds', keySupervisor: 'holds', keyElsewhere: 'wrong', keyAlong: 'unchecked', keyNone: 'unchecked',
  formKnown: 'holds', formCount: 'noted', formBlank: 'noted', formUnknown: 'unchecked',
  sumsAgree: 'holds', sumsWarned: 'noted', sumsOther: 'wrong', sumsUnknown: 'unchecked',
  first: 'holds', follows: 'holds', followsNot: 'wrong', previousAbsent: 'unchecked',
  corrects: 'holds', correctsElsewhere: 'wrong', correctsAbsent: 'unchecked', correctedBy: 'noted', conflict: 'noted', conflictSame: 'noted',
  listSame: 'holds', listNone: 'holds', listOther: 'wrong', listAbsent: 'unchecked',
  photosSame: 'holds', photosPart: 'unchecked', photosForeign: 'wrong', photosAbsent: 'unchecked',
  proofRead: 'holds', proofUnread: 'wrong', proofAbsent: 'unchecked',
  logSigned: 'holds', logOther: 'wrong', logSignedNot: 'wrong', logBeside: 'unchecked', logUnknown: 'unchecked', logUnread: 'unchecked',
  included: 'holds', includedNot: 'wrong', includedUnread: 'unchecked', includedUnsigned: 'unchecked',
  witnessed: 'holds', witnessedFew: 'short', witnessedBeside: 'noted', witnessedNot: 'wrong', witnessesNone: 'unchecked', witnessesUnread: 'unchecked',
  named: 'holds', namedNot: 'wrong', refused: 'noted', deliveryAbsent: 'unchecked',
  answerSame: 'holds', answerAbsent: 'unchecked',
  noteRead: 'holds', noteUnread: 'wrong', treesAgree: 'holds', treesFork: 'wrong', treesApart: 'unchecked',
} as const satisfies Readonly<Record<string, State>>
type Finding = keyof typeof states

/** What each step looks at, in the words of those who know: the same in every language. */
export const technical = {
  record: 'COSE_Sign1 (RFC 9052), deterministic CBOR (RFC 8949, 4.2.1)', signature: 'Ed25519 (RFC 8032) / ES256, P-256 (FIPS 186-5)', key: 'COSE key thumbprint (RFC 9679)', form: 'form, ballot, totals', sums: 'warned',
  previous: 'sequence, previous', correction: 'replaces', list: 'SHA-256, deterministic CBOR', photos: 'SHA-256',
  proof: 'c2sp.org/tlog-proof@v1', log: 'c2sp.org/signed-note, Ed25519', inclusion: 'Merkle inclusion proof (RFC 9162, 2.1.3.2)', witnesses: 'c2sp.org/tlog-cosignature, tlog-policy', names: 'ledger entry, kind 4', answer: 'SHA-256',
  receipt: 'c2sp.org/tlog-proof@v1', delivery: 'c2sp.org/tlog-proof@v1', note: 'c2sp.org/tlog-checkpoint', trees: 'size, root',
} as const
type StepId = keyof typeof technical

export interface Step {
  readonly id: StepId
  readonly state: State
  readonly finding: Finding
  /** What the words have holes for. */
  readonly values: Readonly<Record<string, string | number>>
  /** The code of what is wrong, as the specifications have it. */
  readonly fault: string | null
}

export const stepOf = (id: StepId, finding: Finding, values: Step['values'] = {}, fault: string | null = null): Step => ({ id, state: states[finding], finding, values, fault })

export type Verdict = 'holds' | 'partly' | 'wrong' | 'nothing'

/** Something that is wrong outweighs all else, and nothing is whole while a step was not looked at. */
export function verdictOf(steps: readonly Step[]): Verdict {
  const has = (state: State): boolean => steps.some((step) => step.state === state)
  if (has('wrong')) return 'wrong'
  if (!has('holds')) return 'nothing'
  return has('unchecked') || has('short') ? 'partly' : 'holds'
}
