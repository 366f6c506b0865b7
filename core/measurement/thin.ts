/** A sample that waits, as thinning sees it. `kept`: the start or end of an outage, a goodbye, a check that was asked for. */
export interface Thinnable {
  readonly sequence: number
  readonly kind: 'routine' | 'kept'
}

interface Thinned {
  /** Sequences to drop, ascending. */
  readonly drop: readonly number[]
  /** How many samples are over the bound even so: what is kept is kept. */
  readonly over: number
}

/**
 * What to drop from a full queue. Of the oldest half of the routine samples every second one goes, and again,
 * until the rest fits: a long outage becomes coarse where it is longest past, and stays as fine as it was
 * where it is recent. The oldest goes first, so that cutting short leaves the recent ones alone.
 * @param max samples that the queue may hold
 */
export function thin(samples: readonly Thinnable[], max: number): Thinned {
  const excess = samples.length - Math.max(0, Math.floor(max))
  if (excess <= 0) return { drop: [], over: 0 }
  let routine = samples.filter((sample) => sample.kind === 'routine').map((sample) => sample.sequence).sort((a, b) => a - b)
  const drop: number[] = []
  while (drop.length < excess && routine.length > 0) {
    const half = Math.ceil(routine.length / 2)
    const left: number[] = []
    routine.forEach((sequence, index) => {
      if (index < half && index % 2 === 0 && drop.length < excess) drop.push(sequence)
      else left.push(sequence)
    })
    routine = left
  }
  return { drop: drop.sort((a, b) => a - b), over: excess - drop.length }
}
