/**
 * Two kinds of failure. A bug throws and ends the process; an expected failure is a value with a
 * closed union of reasons, which the caller cannot forget to look at.
 */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E }

export function ok<T>(value: T): Result<T, never> {
  return { ok: true, value }
}

export function fail<E>(error: E): Result<never, E> {
  return { ok: false, error }
}
