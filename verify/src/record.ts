import { sameBytes } from '@kawal/core/ledger/bytes.ts'
import { hexOf } from '@kawal/core/recap/bytes.ts'
import { keyId, readEnvelope, verifyEnvelope, type Algorithm, type Envelope } from '@kawal/core/recap/cose.ts'
import { readSignedRecap, type SignedRecap } from '@kawal/core/recap/envelope.ts'
import { formOf, type Form } from '@kawal/core/recap/form.ts'
import type { Photo } from '@kawal/core/recap/photo.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import type { Side } from '@kawal/core/recap/slot.ts'
import { checksOf, checkTotals, type Warning } from '@kawal/core/recap/totals.ts'
import { sha256, verifySigned } from './cryptography.ts'
import type { Item } from './material.ts'
import { stepOf, type Step } from './step.ts'

/** A key that a ledger enrolled, by a proof that holds. */
export interface Enrolled { readonly publicKey: Uint8Array; readonly station: string; readonly side: Side; readonly index: number }

/** What a record says, where it can be read. */
export interface Content extends SignedRecap {
  /** Null where this page does not know the form. */
  readonly form: Form | null
  readonly warnings: readonly Warning[]
}

export function readContent(bytes: Uint8Array): Content | string {
  const read = readSignedRecap(bytes)
  if (!read.ok) return read.error.part === 'record' && read.error.field !== null ? `${read.error.code} ${read.error.field}` : read.error.code
  const { contest, ballot, form: version, totals, ceiling } = read.value.recap
  const form = formOf(contest, ballot, version)
  return { ...read.value, form: form.ok ? form.value : null, warnings: form.ok ? checkTotals(form.value, totals, ceiling) : [] }
}

/** @param keys given by somebody apart from the record */
export async function recordSteps(item: Item, content: Content | string, keys: readonly Uint8Array<ArrayBuffer>[], enrolled: readonly Enrolled[]): Promise<readonly Step[]> {
  const read = typeof content === 'string' ? stepOf('record', 'recordUnread', {}, content) : stepOf('record', 'recordRead', { size: item.bytes.length })
  // A record of a later program cannot be read; its signature can be verified all the same.
  const envelope = readEnvelope(item.bytes)
  if (!envelope.ok) return [read, stepOf('signature', 'unreadable')]
  const known = [...keys, ...enrolled.map(({ publicKey }) => Uint8Array.from(publicKey)), ...(item.key === null ? [] : [item.key])]
  const signature = await signatureStep(envelope.value, known, item.key !== null)
  const station = typeof content === 'string' ? null : content.recap.station
  const key = signature.by === null ? stepOf('key', 'keyNone') : keyStep(signature.by, station, keys, enrolled)
  return [read, signature.step, key, ...(typeof content === 'string' ? [] : [formStep(content), sumsStep(content)])]
}

/** By the key that the record names; of several that bear its name by the first that signed. */
async function signatureStep(envelope: Envelope, keys: readonly Uint8Array<ArrayBuffer>[], isKeyAlong: boolean): Promise<{ readonly step: Step; readonly by: Uint8Array | null }> {
  const kid = hexOf(envelope.kid)
  const named: Uint8Array<ArrayBuffer>[] = []
  for (const key of keys) if (sameBytes(await keyId(algorithmOf(key), key, sha256), envelope.kid)) named.push(key)
  for (const key of named) {
    const verified = await verifyEnvelope(envelope, { algorithm: algorithmOf(key), kid: envelope.kid, key }, verifySigned)
    if (verified.ok) return { step: stepOf('signature', 'signed', { kid, algorithm: envelope.algorithm === 'EdDSA' ? 'Ed25519' : 'P-256' }), by: key }
  }
  if (named.length > 0) return { step: stepOf('signature', 'signedNot', { kid }, 'signature_wrong'), by: null }
  return { step: isKeyAlong ? stepOf('signature', 'keyOther', { kid }, 'key_other') : stepOf('signature', 'keyMissing', { kid }), by: null }
}

const algorithmOf = (key: Uint8Array): Algorithm => (key.length === 32 ? 'EdDSA' : 'ES256')

function keyStep(by: Uint8Array, station: string | null, keys: readonly Uint8Array[], enrolled: readonly Enrolled[]): Step {
  const entries = enrolled.filter(({ publicKey }) => sameBytes(publicKey, by))
  const here = entries.find((entry) => entry.station === station)
  if (here !== undefined) return stepOf('key', here.side === 'supervisor' ? 'keySupervisor' : 'keyEnrolled', { station: here.station, index: here.index })
  if (keys.some((key) => sameBytes(key, by))) return stepOf('key', 'keyGiven')
  const [elsewhere] = entries
  return elsewhere === undefined ? stepOf('key', 'keyAlong') : stepOf('key', 'keyElsewhere', { station: elsewhere.station }, 'key_elsewhere')
}

function formStep({ form, recap, warnings }: Content): Step {
  if (form === null) return stepOf('form', 'formUnknown', { version: recap.form }, 'form_unknown')
  const values = { version: form.version, count: recap.totals.length, expected: form.fields.length, blank: warnings.filter(({ kind }) => kind === 'missing').length }
  if (values.count !== values.expected) return stepOf('form', 'formCount', values)
  return stepOf('form', values.blank > 0 ? 'formBlank' : 'formKnown', values)
}

function sumsStep({ form, recap, warnings }: Content): Step {
  if (form === null || recap.totals.length !== form.fields.length) return stepOf('sums', 'sumsUnknown')
  const found = checksOf(warnings)
  if (found.join() !== recap.warned.join()) return stepOf('sums', 'sumsOther', { found: found.length, warned: recap.warned.length }, 'warned_other')
  return found.length === 0 ? stepOf('sums', 'sumsAgree', { count: form.checks.length }) : stepOf('sums', 'sumsWarned', { count: found.length })
}

/** `side`: whose copy it is, where an enrolment that was given says it; null: nobody knows. */
interface Held { readonly hash: string; readonly recap: Recap; readonly side: Side | null }
interface Other extends Held { readonly kid: string }

/** How a record stands to the others that were given with it. */
export function chainSteps(own: Other, all: readonly Other[]): readonly Step[] {
  const { recap } = own
  const at = (hash: Uint8Array): Other | undefined => all.find((other) => other.hash === hexOf(hash))
  const steps = [previousStep(own, recap.previous === null ? null : (at(recap.previous) ?? 'absent'))]
  const inSlot = all.filter((other) => other.hash !== own.hash && other.recap.station === recap.station && other.recap.contest === recap.contest && (own.side === null || other.side === null || own.side === other.side))
  if (recap.replaces !== null) {
    const named = at(recap.replaces)
    steps.push(named === undefined ? stepOf('correction', 'correctsAbsent', { hash: hexOf(recap.replaces) }) : stepOf('correction', inSlot.includes(named) ? 'corrects' : 'correctsElsewhere', { hash: named.hash }))
  }
  const by = inSlot.find((other) => other.recap.replaces !== null && hexOf(other.recap.replaces) === own.hash)
  if (by !== undefined) steps.push(stepOf('correction', 'correctedBy', { hash: by.hash }))
  const beside = by === undefined ? inSlot.find((other) => !isReplaced(other, inSlot) && !isBefore(other, own, inSlot)) : undefined
  if (beside !== undefined) steps.push(stepOf('correction', JSON.stringify(beside.recap.totals) === JSON.stringify(recap.totals) ? 'conflictSame' : 'conflict', { hash: beside.hash }))
  return steps
}

function previousStep({ recap, kid }: Other, previous: Other | 'absent' | null): Step {
  const values = { sequence: recap.sequence }
  if (previous === null) return stepOf('previous', 'first', values)
  if (previous === 'absent') return stepOf('previous', 'previousAbsent', values)
  const follows = previous.recap.sequence === recap.sequence - 1 && previous.kid === kid
  return stepOf('previous', follows ? 'follows' : 'followsNot', values, follows ? null : 'previous_other')
}

const isReplaced = ({ hash }: Held, all: readonly Held[]): boolean => all.some(({ recap }) => recap.replaces !== null && hexOf(recap.replaces) === hash)

/** Whether a record corrects another, directly or through those between. */
function isBefore(other: Held, own: Held, all: readonly Held[]): boolean {
  const seen = new Set<string>()
  for (let at: Held | undefined = own; at !== undefined && !seen.has(at.hash);) {
    seen.add(at.hash)
    const { replaces }: Recap = at.recap
    at = replaces === null ? undefined : all.find(({ hash }) => hash === hexOf(replaces))
    if (at === other) return true
  }
  return false
}

/** A photo that a list names, and its file where it was given. */
export interface ListedPhoto extends Photo { readonly file: Item | null }

export function photoSteps({ photos: named }: Recap, list: Item | null, photos: readonly ListedPhoto[], foreign: readonly Item[], emptyHash: string): readonly Step[] {
  if (list === null && hexOf(named) === emptyHash) return foreign.length === 0 ? [stepOf('list', 'listNone')] : [stepOf('list', 'listNone'), foreignStep(foreign)]
  if (list === null) return [stepOf('list', 'listAbsent'), foreign.length === 0 ? stepOf('photos', 'photosAbsent', { all: '?' }) : foreignStep(foreign)]
  if (list.hash !== hexOf(named)) return [stepOf('list', 'listOther', {}, 'photos_other'), stepOf('photos', 'photosAbsent', { all: '?' })]
  const given = photos.filter(({ file }) => file !== null).length
  const values = { given, all: photos.length }
  const same = foreign.length > 0 ? foreignStep(foreign) : stepOf('photos', given === photos.length ? 'photosSame' : given === 0 ? 'photosAbsent' : 'photosPart', values)
  return [stepOf('list', photos.length === 0 ? 'listNone' : 'listSame', { all: photos.length }), ...(photos.length === 0 && foreign.length === 0 ? [] : [same])]
}

const foreignStep = (foreign: readonly Item[]): Step => stepOf('photos', 'photosForeign', { count: foreign.length, names: foreign.map(({ name }) => name).join(', ') }, 'photo_other')
