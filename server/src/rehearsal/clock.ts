/** A clock that the rehearsal moves: nothing happens between two of its instants. */
export interface SteppedClock {
  (): number
  set(now: number): void
}

export function steppedClock(start: number): SteppedClock {
  let now = start
  return Object.assign(() => now, {
    set(next: number) {
      if (next < now) throw new RangeError('a clock does not go back')
      now = next
    },
  })
}
