import { ProblemError } from './problem.ts'

/** What typebox compiles of a schema, as far as is needed here. */
interface Faults { Errors(value: unknown): { readonly keyword: string; readonly instancePath: string; readonly message: string; readonly params: object }[] }
export interface Check<T> extends Faults { Check(value: unknown): value is T }

const told_max = 3

/** A body as it was sent: no text is taken for a number, and null is no number. @throws ProblemError `body_invalid`, with what is wrong and where */
export function bodyOf<T>(check: Check<T>, body: unknown): T {
  if (check.Check(body)) return body
  throw new ProblemError('body_invalid', `${faultsOf(check, body)}.`)
}

/** What is wrong with it, by JSON pointer (RFC 6901), the first three. */
export function faultsOf(check: Faults, value: unknown): string {
  // A field that does not exist is told once for its object, and once more as a schema that is false.
  return check.Errors(value).filter(({ keyword }) => keyword !== 'boolean').slice(0, told_max).map(({ instancePath, message, params }) => {
    const { additionalProperties: strange, requiredProperties: missing, allowedValues: words } = params as { additionalProperties?: string[]; requiredProperties?: string[]; allowedValues?: unknown[] }
    const at = instancePath || '/'
    if (strange !== undefined) return `${at} has no field ${strange.join(', ')}`
    if (missing !== undefined) return `${at} lacks ${missing.join(', ')}`
    return `${at} ${words === undefined ? message : `must be one of ${words.map((word) => JSON.stringify(word)).join(', ')}`}`
  }).join('; ')
}
