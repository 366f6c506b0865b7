/** Long work in short steps: between two of them whoever runs it may do something else. */
export type Steps<T> = Generator<void, T, void>

/** All steps at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
