/**
 * How long reports waited for the disk, ms, and how many times less often devices then report. A disk that holds its
 * breath for a second or two, as at a checkpoint, is none of it: a nation that reports half as often is found out half as well.
 */
const steps = [[20_000, 8], [10_000, 4], [5_000, 2]] as const
/** Down again only after so long a calm: a load that swings would be a new configuration for every phone each time. */
const calm_ms = 10 * 60_000

/**
 * How often devices shall report, by how long reports waited: seven phones at one station need not all report at
 * their best pace. Up at once, down slowly. Receipts carry it to those that report, the configuration to the rest.
 */
export function createSteering({ clock, steer }: { readonly clock: () => number; readonly steer: (load: number) => void }): (waited_ms: number) => number {
  let load = 1
  let busyAt = -Infinity
  return (waited_ms) => {
    const now = clock()
    const wanted = steps.find(([from]) => waited_ms >= from)?.[1] ?? 1
    if (wanted >= load && wanted > 1) busyAt = now
    if (wanted > load || (wanted < load && now - busyAt >= calm_ms)) {
      load = wanted
      busyAt = now
      steer(load)
    }
    return load
  }
}
