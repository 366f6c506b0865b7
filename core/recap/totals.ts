import { withReserve, type Check, type Form } from './form.ts'

/** What stands on the form, in the order of its fields; null where nothing is filled in, or cannot be read. */
export type Totals = readonly (number | null)[]

/** More than any station counts; it bounds what a reader takes. */
export const count_max = 999_999

/**
 * What does not add up. It is shown to the officer and recorded, and refuses nothing: the paper is right, also
 * where it is wrong. `check` is the place among the form's checks.
 */
export type Warning =
  | { readonly kind: 'fields'; readonly expected: number; readonly found: number }
  | { readonly kind: 'missing'; readonly field: string }
  | { readonly kind: 'sum'; readonly check: number; readonly parts: readonly string[]; readonly sum: number; readonly field: string; readonly value: number }
  | { readonly kind: 'same'; readonly check: number; readonly field: string; readonly value: number; readonly other: string; readonly otherValue: number }
  | { readonly kind: 'above'; readonly check: number; readonly field: string; readonly value: number; readonly of: string; readonly limit: number }
  | { readonly kind: 'ceiling'; readonly check: number; readonly field: string; readonly value: number; readonly limit: number }

/**
 * @param ceiling voters of one station at most, in this contest
 * @returns empty where every check holds; a check with a field that is not filled in is not made, and the field is `missing`
 */
export function checkTotals(form: Form, totals: Totals, ceiling: number): Warning[] {
  if (totals.length !== form.fields.length) return [{ kind: 'fields', expected: form.fields.length, found: totals.length }]
  const values = valuesOf(form, totals)
  const missing = form.fields.filter((field) => !values.has(field)).map((field): Warning => ({ kind: 'missing', field }))
  return [...missing, ...form.checks.flatMap((check, at) => judge(check, at, values, ceiling) ?? [])]
}

/** The checks that did not hold, as a record has them: ascending places among the form's checks. */
export const checksOf = (warnings: readonly Warning[]): number[] => warnings.flatMap((warning) => ('check' in warning ? [warning.check] : []))

const valuesOf = (form: Form, totals: Totals): Map<string, number> => new Map(form.fields.flatMap((field, at): [string, number][] => {
  const value = totals[at]
  return value === null || value === undefined ? [] : [[field, value]]
}))

/** @returns null where the check holds or cannot be made */
function judge(check: Check, at: number, values: ReadonlyMap<string, number>, ceiling: number): Warning | null {
  switch (check.kind) {
    case 'sum': {
      const value = values.get(check.total)
      const parts = check.parts.flatMap((part) => values.get(part) ?? [])
      const sum = parts.reduce((all, part) => all + part, 0)
      return value === undefined || parts.length < check.parts.length || sum === value ? null : { kind: 'sum', check: at, parts: check.parts, sum, field: check.total, value }
    }
    case 'same': {
      const [value, otherValue] = [values.get(check.field), values.get(check.other)]
      return value === undefined || otherValue === undefined || value === otherValue ? null : { kind: 'same', check: at, field: check.field, value, other: check.other, otherValue }
    }
    case 'above': {
      const [value, of] = [values.get(check.field), values.get(check.of)]
      if (value === undefined || of === undefined) return null
      const limit = check.reserve ? withReserve(of) : of
      return value <= limit ? null : { kind: 'above', check: at, field: check.field, value, of: check.of, limit }
    }
    case 'ceiling': {
      const value = values.get(check.field)
      const limit = check.reserve ? withReserve(ceiling) : ceiling
      return value === undefined || value <= limit ? null : { kind: 'ceiling', check: at, field: check.field, value, limit }
    }
  }
}

/** One field in which one digit read otherwise, or two neighbours swapped, makes every check it stands in hold. */
interface Slip { readonly field: string; readonly value: number; readonly meant: number }

/** The form has three boxes a number. */
const boxes = 3

/**
 * Where a wrong number may come from: in 2024 105 was read as 905 and nobody asked. A hint, for a person to hold against the paper:
 * nothing is changed by it. Given where exactly one such reading of a field fits; several fields may have one.
 */
export function slipsOf(form: Form, totals: Totals, ceiling: number): Slip[] {
  if (totals.length !== form.fields.length) return []
  const values = valuesOf(form, totals)
  const wrong = new Set(form.checks.filter((check, at) => judge(check, at, values, ceiling) !== null))
  if (wrong.size === 0) return []
  const checks = new Map<string, Check[]>()
  for (const check of form.checks) for (const field of fieldsOf(check)) checks.set(field, [...(checks.get(field) ?? []), check])
  const suspects = new Set([...wrong].flatMap(fieldsOf))
  return form.fields.filter((field) => suspects.has(field)).flatMap((field): Slip[] => {
    const value = values.get(field)
    if (value === undefined) return []
    const fits = readings(value).filter((meant) => {
      const changed = new Map(values).set(field, meant)
      return (checks.get(field) ?? []).every((check) => judge(check, 0, changed, ceiling) === null)
    })
    const [meant] = fits
    return meant === undefined || fits.length > 1 ? [] : [{ field, value, meant }]
  })
}

function fieldsOf(check: Check): readonly string[] {
  switch (check.kind) {
    case 'sum': return [...check.parts, check.total]
    case 'same': return [check.field, check.other]
    case 'above': return [check.field, check.of]
    case 'ceiling': return [check.field]
  }
}

/** Each other number that differs by one digit or by two swapped neighbours, leading zeros of the boxes included. */
const readings = (value: number): number[] => [...readingsOf(value).keys()]

export type Misreading = 'digit' | 'swapped'

/** How one of two numbers may be the other one misread: by one digit, or by two neighbours swapped; null for neither. */
export const misreadingOf = (one: number, other: number): Misreading | null => readingsOf(one).get(other) ?? readingsOf(other).get(one) ?? null

function readingsOf(value: number): Map<number, Misreading> {
  const digits = String(value).padStart(boxes, '0')
  const found = new Map<number, Misreading>()
  for (let at = 0; at < digits.length; at++) {
    if (at > 0) found.set(Number(`${digits.slice(0, at - 1)}${digits[at] ?? ''}${digits[at - 1] ?? ''}${digits.slice(at + 1)}`), 'swapped')
    for (let digit = 0; digit <= 9; digit++) found.set(Number(`${digits.slice(0, at)}${digit}${digits.slice(at + 1)}`), 'digit')
  }
  found.delete(value)
  return found
}
